"""Statistics of samples, groups and genes: NumPy, SciPy and pandas only, no Dash.

Every function cites its source. Results are frozen dataclasses of frames, numbers and notes, which
a page, the report and the command line show alike. SciPy is imported when it is first needed: the
window starts without it.

Whole answers
    group_design, group_comparison : who is compared, by which test and why; fractions between
        groups, over an order, along a number, with covariates
    survival_data, kaplan_meier, log_rank, maximally_selected : times to an event and groups
    cox, cox_ridge, cox_by_type, proportional_hazards : models of times
    over_representation, ranked_enrichment : sets of genes
    agreement, stability, measurement_error : two runs; draws; what noise takes away
What they are made of
    group_tests, group_pairs, fraction_scales, log_ratios, cut_points, two_samples, several_groups,
    paired, correlation, linear_model, multiple_testing, partial_likelihood, concordance, ranks,
    exact_distributions, distributions
"""
