"""Origin of a run: data, warnings, methods with citations, hashes, seeds, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gui import __version__
from gui.analyses.registry import ANALYSES
from gui.answers.adtd import PARTS, model_name
from gui.answers.analyses import TEXTS
from gui.answers.summary import KINDS
from gui.citations import ANALYSIS_CITATIONS, CITATIONS
from gui.data.dataset import COLUMN_NAMES, PART_NAMES, Role
from gui.engine.params import ARTICLE_NAMES, ADTDParams, DTDParams, SearchParams
from gui.engine.results import DTDResult, Run
from gui.figures.text import exponent
from gui.report.document import Document
from gui.sessions.cache import DCXCache
from gui.text import number, some

MOST_NAMES = 5
"""Of a list in a sentence."""


def counted(n: int, role: Role) -> str:
    """ "1 sample", "412 cells"."""
    return f"{number(n)} {COLUMN_NAMES[role][n != 1]}"


# -- data
# --------------------------------------------------------------------------------------------------
def data_part(doc: Document, session: DCXCache) -> None:
    """The parts of the data, where they come from and what was done to them on the way in."""
    data = session.dataset
    doc.heading("Data")
    if data is None:
        doc.paragraph("The session no longer holds data.")
        return
    rows = []
    for role, matrix in data.parts().items():
        source = data.source(role)
        types = (
            data.train.types
            if role == "train" and data.train
            else data.test.types
            if role == "test" and data.test
            else None
        )
        of = f" of {len(types)} cell types" if types is not None else ""
        rows.append(
            (
                f"{PART_NAMES[role].removeprefix('the ').capitalize()}",
                f"{counted(matrix.n_columns, role)}{of}, {number(matrix.n_genes)} genes",
            )
        )
        if source is not None:
            options = ", ".join(option_texts(source.options))
            rows.append(("", f"from {source.name}{f' ({options})' if options else ''}"))
    for part, name in (("Clinical table", data.clinical), ("Known compositions", data.truth)):
        if name is not None:
            rows.append((part, f"from {name.name or 'a table'}"))
    doc.pairs(rows)
    doc.paragraph(scale_text(data.scale))
    notes = [
        f"{source.name} ({PART_NAMES[source.role]}): {note}"
        for source in data.sources
        for note in source.notes
    ]
    if notes:
        doc.paragraph("Changes made on reading, including repairs:")
        doc.points(notes)


def option_texts(options: Mapping[str, Any]) -> list[str]:
    """How a file was read, in words: "leave out Length"; long lists are cut.

    What is itself a record of many values (repairs, chosen cells) is told by the notes of its
    source.
    """
    found = []
    for key, value in options.items():
        if value is None or isinstance(value, Mapping):
            continue
        several = isinstance(value, list | tuple)
        values = [v for v in (value if several else (value,)) if not isinstance(v, Mapping)]
        if values and values != [""]:
            found.append(f"{key.replace('_', ' ')} {some(values, MOST_NAMES)}")
    return found


def scale_text(scale: float | None) -> str:
    if scale is None:
        return "Values were used as they are in the files, not scaled."
    return f"Every profile was scaled to a sum of {number(round(scale))} over the genes in use."


# -- methods
# --------------------------------------------------------------------------------------------------
def methods_part(
    doc: Document,
    session: DCXCache,
    dtd: Run | None,
    adtd: Run | None,
    search: Run | None,
    analyses: Sequence[Run] = (),
    methods: Sequence[Run] = (),
) -> None:
    """A paragraph that can go into a manuscript, and what it cites."""
    doc.heading("Methods")
    cited: list[str] = []

    def cite(key: str) -> str:
        if key not in cited:
            cited.append(key)
        return f"[{cited.index(key) + 1}]"

    words = [
        *(dtd_methods(dtd, cite) if dtd is not None else []),
        *(adtd_methods(adtd, search, cite) if adtd is not None else []),
        *(text for run in methods for text in method_methods(run, cite)),
        *(text for run in analyses for text in analysis_methods(run, cite)),
    ]
    every = CITATIONS | ANALYSIS_CITATIONS
    every |= {doi: (what, doi) for run in methods for what, doi in run.result.citations}
    first = next((run for run in (adtd, dtd, *methods) if run is not None), None)
    made = first.provenance.versions if first is not None else {}
    software = ", ".join(
        f"{shown} {made[name]}"
        for name, shown in (("torch", "PyTorch"), ("python", "Python"))
        if name in made
    )
    engine = f"deconomix {made.get('deconomix', '(version unknown)')} {cite('deconomix')} through "
    if methods and dtd is None and adtd is None:
        engine = ""
    words.append(
        f"Computations were done with {engine}DeconomiX GUI"
        f" {__version__}{f' ({software})' if software else ''}."
    )
    doc.paragraph(" ".join(words))
    doc.points([f"[{i}] {every[key][0]}, doi {every[key][1]}" for i, key in enumerate(cited, 1)])


def dtd_methods(run: Run, cite: Any) -> list[str]:
    """In sentences: genes, mixtures, iterations, scale."""
    result: DTDResult = run.result
    params, size = result.params, result.reference.shape
    first = (
        "The composition of samples was estimated by Digital Tissue Deconvolution (DTD"
        f" {cite('dtd')})"
    )
    scale = (
        ""
        if result.scale is None
        else f" Every profile was scaled to a sum of {number(round(result.scale))}."
    )
    if params is None:
        return [
            f"{first} with a trained model of {number(size[0])} genes and {size[1]} cell"
            f" types.{scale}"
        ]
    genes = (
        f"the {number(size[0])} genes whose mean expression differs most between the cell types"
        if params.genes
        else f"all {number(size[0])} common genes"
    )
    words = [
        f"{first} with {size[1]} cell types over {genes}.{scale}",
        (
            f"Gene weights were learned in {number(params.iterations)} iterations on"
            f" {number(params.train_mixtures)} mixtures of {number(params.train_cells)} single"
            f" cells each, drawn from the training cells (seed {params.seed})."
        ),
    ]
    if result.stopped_at is not None:
        words.append(
            "A fifth of the training cells of each type was held back from these mixtures. The"
            f" weights after {number(result.stopped_at)} iterations were used, which did best on as"
            " many mixtures of the cells held back."
        )
    if "test" in result.composition:
        words.append(
            f"The estimates were compared with the truth on {number(params.test_mixtures)} mixtures"
            f" of {number(params.test_cells)} test cells each (seed {params.seed + 1})."
        )
    return words


def adtd_methods(run: Run, search: Run | None, cite: Any) -> list[str]:
    """In sentences: model, lambda2 and how it was found."""
    params: ADTDParams = run.params  # type: ignore[assignment]
    what = "a hidden background" + (
        " and the regulation of genes in each cell type" if params.regulated else ""
    )
    count = run.result.composition.shape[1]
    words = [
        f"Adaptive Digital Tissue Deconvolution (ADTD {cite('adtd')},"
        f" {ARTICLE_NAMES.get(params.model, model_name(params.model))}) was applied to the"
        f" {number(count)}"
        f" {'samples of the bulk' if params.part == 'bulk' else PARTS[params.part]} to estimate"
        f" {what}, with at most {number(params.max_iterations)} iterations"
        " and "
        + (
            "the gene weights learned by DTD."
            if params.gene_weights == "dtd"
            else "gene weights of 1/mean(Y)²."
        )
    ]
    if params.regulated:
        words.append(
            f"The penalty λ₂ on gene regulation was {exponent(params.lambda2)}{_searched(search)}."
        )
    if run.result.refined:
        refined = "the hidden profile" + (" and gene regulation" if params.regulated else "")
        words.append(
            f"For the composition and hidden fractions found, {refined}"
            f" {'were' if params.regulated else 'was'} then refined to the certified optimum of"
            " ADTD's loss; these numbers differ from those of deconomix."
        )
    return words


def method_methods(run: Run, cite: Any) -> list[str]:
    """What the run says of its method, and what it cites."""
    cited = "".join(cite(doi) for _, doi in run.result.citations)
    text = run.result.methods or f"The composition of samples was estimated by {run.result.title}."
    return [f"{text.removesuffix('.')} {cited}." if cited else text]


def analysis_methods(run: Run, cite: Any) -> list[str]:
    """In sentences: how an analysis was done, and what it cites."""
    cited = "".join(cite(key) for key in run.result.citations())
    text = TEXTS[run.kind].methods(run.params, run.result)
    return [f"{text.removesuffix('.')} {cited}." if cited else text]


def _searched(search: Run | None) -> str:
    if search is None:
        return ", chosen by the user"
    given: SearchParams = search.params  # type: ignore[assignment]
    return (
        f", chosen by {given.folds}-fold cross-validation over {given.points} values from"
        f" {exponent(given.smallest)} to {exponent(given.largest)}"
    )


# -- provenance
# --------------------------------------------------------------------------------------------------
def provenance_part(doc: Document, session: DCXCache, runs: Sequence[Run]) -> None:
    """Write the hashes of the files, the ids of data and runs, seeds and versions."""
    doc.heading("Provenance")
    data, rows = session.dataset, []
    for source in data.sources if data is not None else ():
        rows.append((f"File of {PART_NAMES[source.role]}", source.name))
        rows.append(
            ("", f"SHA-256 {source.sha256}" if source.sha256 else f"no file ({source.kind})")
        )
    for run in runs:
        made = run.provenance
        text = (
            f"run {run.id}, {run.created.astimezone():%Y-%m-%d %H:%M:%S %z}, {made.seconds:.1f} s,"
            f" training data {made.training_id or '–'}"
        )
        text += f", “{run.name}”" if run.name else ""
        title = (
            ANALYSES[run.kind].title
            if run.kind in ANALYSES
            else str(getattr(run.result, "title", "")) or KINDS[run.kind]
        )
        rows.append((title, text + (f", bulk {made.bulk_id}" if made.bulk_id else "")))
        if made.remark:
            rows.append(("", made.remark))
        seed = (
            run.result.params.seed
            if isinstance(getattr(run.result, "params", None), DTDParams)
            else None
        )
        if seed is not None:
            rows.append(("", f"seeds: training pseudobulks {seed}, test pseudobulks {seed + 1}"))
    split = (
        next(
            (s.options["seed"] for s in data.sources if s.kind == "split" and "seed" in s.options),
            None,
        )
        if data is not None
        else None
    )
    if split is not None:
        rows.append(("Test cells set aside", f"seed {split}"))
    versions = {name: value for run in runs for name, value in run.provenance.versions.items()}
    rows.append(
        (
            "Versions",
            ", ".join(
                [
                    f"DeconomiX GUI {__version__} (this report)",
                    *(f"{name} {value}" for name, value in versions.items()),
                ]
            ),
        )
    )
    doc.pairs(rows)
