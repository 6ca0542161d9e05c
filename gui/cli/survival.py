"""The options of ``analyze`` that ask for a survival analysis.

Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import csv
from typing import TYPE_CHECKING, Any

from gui.cli.console import decimal
from gui.errors import InvalidParameter
from gui.text import some

if TYPE_CHECKING:
    import pandas as pd

    from gui.analyses.survival_params import SurvivalParams
    from gui.data.dataset import Dataset

FILES = tuple(
    f"survival_{name}.csv"
    for name in (
        *("hazard_ratios", "curves", "groups", "log_rank", "pairs", "together"),
        *("proportional_hazards", "reliability", "excluded", "remark"),
    )
)
"""Everything that a survival analysis may write."""
CUTS = ("none", "median", "tertiles", "best")
OF_SURVIVAL = (
    *(
        "time_zero",
        "survival_cut",
        "survival_by",
        "survival_order",
        "adjust",
        "strata",
        "together",
        "ridge",
    ),
    *("patient", "duplicates", "known_later", "known_at", "landmark"),
    *("band_transform", "mean_up_to", "hazards_scale", "permutations"),
)
"""Options that say how survival is analysed."""


def add_options(cli: argparse.ArgumentParser) -> None:
    """``--survival`` and what belongs to it."""
    cli.add_argument(
        "--survival",
        metavar="TIME,EVENT",
        help="analyse times to an event: columns of --clinical with the times and the event"
        " (EVENT=VALUE says which value means that it happened)",
    )
    cli.add_argument(
        "--time-zero", metavar="TEXT", help="from when times are counted, such as diagnosis"
    )
    cli.add_argument(
        "--survival-cut",
        metavar="RULE",
        help="curves of groups by fraction: none (default), median, tertiles, best (exploratory),"
        " or percentages such as 5,20",
    )
    for name, text in (
        ("survival-by", "curves and a log-rank test by the groups of a clinical column"),
        ("adjust", "a clinical column in the models beside the fractions"),
        ("strata", "a clinical column whose groups have baseline hazards of their own"),
        ("together", "a cell type in one model with the others named so and the covariates"),
        ("known-later", "a column that is known only after time zero"),
    ):
        cli.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="TYPE" if name == "together" else "COLUMN",
            help=f"{text} (may be given several times)",
        )
    cli.add_argument(
        "--survival-order",
        metavar="A,B,…",
        help="groups of a --survival-by column from lowest to highest, for a test of a trend",
    )
    cli.add_argument(
        "--ridge", action="store_true", help="fit several variables with a penalty: few events"
    )
    cli.add_argument("--patient", metavar="COLUMN", help="column that names the patient")
    cli.add_argument(
        "--duplicates",
        choices=("refuse", "first", "cluster"),
        help="several samples of a patient (default: refuse)",
    )
    cli.add_argument(
        "--known-at", type=decimal, metavar="TIME", help="when what is known only later is known"
    )
    cli.add_argument(
        "--landmark",
        type=decimal,
        metavar="TIME",
        help="count time from here, with those still followed",
    )
    cli.add_argument(
        "--band-transform",
        choices=("log-log", "log", "plain"),
        help="of the confidence band and the interval of the median (default: log-log)",
    )
    cli.add_argument(
        "--mean-up-to",
        type=decimal,
        metavar="TIME",
        help="time of the restricted mean (default: as far as all groups are followed)",
    )
    cli.add_argument(
        "--hazards-scale",
        choices=("km", "rank", "identity", "log"),
        help="time scale of the test of proportional hazards (default: km)",
    )
    cli.add_argument(
        "--permutations", type=int, metavar="N", help="of the best cut point (default: 9999)"
    )


def check_options(options: argparse.Namespace) -> None:
    """Refuse what can be refused before any file is read; take over the columns.

    Raises
    ------
    InvalidParameter
    """
    if options.survival is None:
        for name in OF_SURVIVAL:
            if getattr(options, name):
                raise InvalidParameter(
                    f"--{name.replace('_', '-')} has no effect without --survival.",
                    advice="Give --survival TIME,EVENT.",
                )
        return
    if options.survival_order and not options.survival_by:
        raise InvalidParameter(
            "--survival-order has no effect without --survival-by.",
            advice="Give --survival-by COLUMN.",
        )
    if options.clinical is None:
        raise InvalidParameter(
            "--survival needs a clinical table.", advice="Give it with --clinical TABLE."
        )
    time, event = columns_of(options.survival)
    for name, own in (("time", time), ("event", event)):
        given = getattr(options, name)
        if given is not None and name == "event" and given.rpartition("=")[0] == own:
            continue  # with the value that means the event
        if given is not None and given != own:
            raise InvalidParameter(
                f"--survival names {own} and --{name} {given}.", advice=f"Leave --{name} out."
            )
        setattr(options, name, own)
    requested(options)


def columns_of(text: str) -> tuple[str, str]:
    """Names of the columns of times and events; a name with a comma is quoted.

    Raises
    ------
    InvalidParameter
        There are not two.
    """
    names = next(csv.reader([text], skipinitialspace=True), [])
    if len(names) != 2 or not all(name.strip() for name in names):
        raise InvalidParameter(
            f"--survival is “{text}”; allowed: a column of times and one of events, with a comma"
            " between them.",
            advice="Put a name that has a comma itself in quotes: --survival '\"a, b\",event'.",
        )
    return names[0].strip(), names[1].strip()


def names_of(text: str) -> tuple[str, ...]:
    """Comma-separated names; a name with a comma is quoted."""
    names = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(name.strip() for name in names if name.strip())


def requested(options: argparse.Namespace) -> SurvivalParams:
    """The parameters that the options ask for. InvalidParameter."""
    from gui.analyses.cut_values import cut_values
    from gui.analyses.survival_params import SurvivalParams

    more = {
        "transform": options.band_transform,
        "tau": options.mean_up_to,
        "scale": options.hazards_scale,
        "permutations": options.permutations,
    }
    more = {name: value for name, value in more.items() if value is not None}
    cut: dict[str, Any] = {}
    rule = options.survival_cut
    if rule in CUTS:
        cut = {"cut": rule}
    elif rule:
        try:
            cut = {"cut": "stated", "cut_points": cut_values(rule, commas_separate=True)}
        except InvalidParameter:
            raise InvalidParameter(
                f"--survival-cut is “{rule}”; allowed: {', '.join(CUTS)}, or percentages with"
                " commas between them, as in 5,20."
            ) from None
    return SurvivalParams.parse(
        time_zero=options.time_zero or "",
        compare=tuple(options.survival_by),
        order=names_of(options.survival_order or ""),
        covariates=tuple(options.adjust),
        strata=tuple(options.strata),
        types=tuple(options.together),
        ridge=options.ridge,
        patient=options.patient or "",
        duplicates=options.duplicates or "refuse",
        later=tuple(options.known_later),
        known_at=options.known_at,
        landmark=options.landmark,
        seed=options.seed,
        **cut,
        **more,
    )


def check_request(dataset: Dataset, params: SurvivalParams) -> None:
    """Refuse what the data do not allow, before hours of computing. DeconomixError."""
    from gui.analyses.samples import sample_table
    from gui.analyses.survival_subjects import check_columns, covariates, endpoint, subjects

    assert dataset.bulk is not None
    found = subjects(dataset, params, dataset.bulk.samples)
    named = endpoint(dataset, params)
    check_columns(found.table, params.compare, params, named)
    _check_order(sample_table(dataset), params)
    covariates(found, (*params.covariates, *params.strata), params, named)


def _check_order(table: pd.DataFrame, params: SurvivalParams) -> None:
    """Every name of the order is a group of some column: a typing error would test no trend."""
    from gui.analyses.survival_subjects import groups_of_column

    grouped = [groups_of_column(table[name]) for name in params.compare]
    there = {str(level) for one in grouped if one is not None for level in one.cat.categories}
    unknown = [name for name in params.order if name not in there]
    if unknown:
        raise InvalidParameter(
            f"--survival-order names {some(unknown)}, and {some(params.compare)} has no such"
            " group.",
            advice=f"There are {some(sorted(there), 12)}." if there else "Leave it out.",
        )
