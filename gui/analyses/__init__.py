"""Analyses: what a composition means for groups, survival, genes; what differs between runs.

Each module is one analysis: frozen parameters (``Params``), a frozen result
(:class:`gui.analyses.result.AnalysisResult`) and its task ``run_x(dataset, params, *, progress,
<inputs>)``, where an input is the result of an earlier run, by its kind. All are listed in
:mod:`gui.analyses.registry`: session files, previous runs, report and ``analyze`` know them from
there. Words are in :mod:`gui.answers`, figures in :mod:`gui.figures`; :mod:`gui.report.analyses`
puts both together. No Dash here.
"""
