"""Analyses for ``analyze``: what is asked for by options, computed and written like any result.

Imports nothing heavy.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gui.cli import gene_options, survival
from gui.cli.console import decimal
from gui.errors import InvalidParameter, MissingPart

if TYPE_CHECKING:
    import pandas as pd

    from gui.analyses.hidden_library import Library
    from gui.analyses.result import AnalysisResult
    from gui.data.dataset import Dataset
    from gui.engine.params import ADTDParams, Params
    from gui.engine.results import ADTDResult, BootstrapResult, DTDResult
    from gui.jobs.status import Progress
    from gui.methods.intervals import Estimator
    from gui.methods.method import MethodResult

FILES = (
    *("groups.csv", "groups_pairs.csv", "groups_summary.csv", "groups_samples.csv"),
    "groups_regulation.csv",
    *survival.FILES,
    *gene_options.FILES,
    *("robustness.csv", "robustness_gene_counts.csv"),
    *("robustness_hidden.csv", "robustness_leakage.csv"),
)
"""Everything that analyses may write."""
OF_GROUPS = (
    *("compare", "group_order", "cut", "paired_by", "covariate"),
    *("without_hidden", "group_scale", "fdr", "group_regulation"),
)
"""Options that say how groups are compared."""


def add_options(cli: argparse.ArgumentParser) -> None:
    """The options of the analyses."""
    survival.add_options(cli)
    cli.add_argument(
        "--groups",
        metavar="COLUMN",
        help="compare the fractions between the groups of a column of --clinical, or of an"
        " annotation of the bulk",
    )
    cli.add_argument(
        "--compare",
        choices=("groups", "trend", "number"),
        help="groups (default): does any differ; trend: over the order of the groups; number:"
        " along a number",
    )
    cli.add_argument(
        "--group-order",
        metavar="A,B,…",
        help="the groups to compare, in order; others are left out",
    )
    cli.add_argument("--cut", metavar="P,Q,…", help="make groups of a number, cut at these points")
    cli.add_argument(
        "--paired-by",
        metavar="COLUMN",
        help="compare samples of the same patient or donor with each other",
    )
    cli.add_argument(
        "--covariate",
        action="append",
        default=[],
        metavar="COLUMN",
        help="take the effect of a column out (may be given several times)",
    )
    cli.add_argument(
        "--without-hidden",
        action="store_true",
        help="leave the hidden fraction out of the comparison of groups",
    )
    cli.add_argument(
        "--group-scale",
        choices=("auto", "log-ratio", "fraction"),
        help="scale of the comparison of groups (default: auto)",
    )
    cli.add_argument(
        "--fdr",
        type=decimal,
        metavar="RATE",
        help="false discovery rate of the comparison of groups (default: 0.05)",
    )
    cli.add_argument(
        "--robustness",
        metavar="A,B,…",
        help="compute the run again with one thing changed: genes (five other gene counts; the"
        " range of the hidden fraction is in run.json), seeds, left-out (types), donors, or all",
    )
    cli.add_argument(
        "--donors",
        metavar="COLUMN",
        help="the column of the training cells that names the donor, for --robustness",
    )
    cli.add_argument(
        "--group-regulation",
        nargs="?",
        type=int,
        const=99,
        metavar="N",
        help="compare the gene regulation of the groups too, with N permutations of the labels"
        " (default: 99; each takes as long as the run); needs --model deconomix+h,r, or a --method"
        " with gene regulation",
    )
    gene_options.add_options(cli)


def check_options(options: argparse.Namespace, model: str = "") -> None:
    """Refuse what can be refused before any file is read. InvalidParameter.

    Parameters
    ----------
    model
        Of DTD or ADTD; empty for another method, which is asked later what it can.
    """
    survival.check_options(options)
    if options.robustness is None and options.donors:
        raise InvalidParameter(
            "--donors has no effect without --robustness.", advice="Give --robustness donors."
        )
    _changes(options)
    if options.groups is None:
        for name in OF_GROUPS:
            if getattr(options, name) not in (None, False, [], ""):
                raise InvalidParameter(
                    f"--{name.replace('_', '-')} has no effect without --groups.",
                    advice="Give --groups COLUMN.",
                )
        return
    if options.bulk is None and not options.example and not _is_dcx(options):
        raise InvalidParameter(
            "--groups compares bulk samples, and there are none.",
            advice="Give them with --bulk FILE.",
        )
    _cuts(options)
    if options.group_regulation is None:
        return
    if model and model != "deconomix+h,r":
        raise InvalidParameter(
            "--group-regulation needs a run with gene regulation.",
            advice="Use it with --model deconomix+h,r.",
        )
    if options.compare not in (None, "groups") or options.paired_by or options.covariate:
        raise InvalidParameter(
            "Gene regulation is compared between groups, without order, pairs or covariates.",
            advice="Leave out --compare, --paired-by and --covariate, or --group-regulation.",
        )
    _permutations(options)


def _permutations(options: argparse.Namespace) -> int:
    from gui.analyses.group_regulation import GroupRegulationParams

    return GroupRegulationParams.parse(permutations=options.group_regulation).permutations


def _is_dcx(options: argparse.Namespace) -> bool:
    """Whether the file of the training data may hold a bulk too."""
    return options.train is not None and options.train.suffix.lower() == ".dcx"


def _cuts(options: argparse.Namespace) -> tuple[float, ...]:
    from gui.analyses.cut_values import cut_values

    try:
        return cut_values(options.cut or "", commas_separate=True)
    except InvalidParameter:
        raise InvalidParameter(
            f"--cut is “{options.cut}”; allowed: numbers with commas between them, as in 50,65."
        ) from None


CHANGES = ("genes", "seeds", "left-out", "donors")
"""What --robustness takes."""


def _changes(options: argparse.Namespace) -> set[str]:
    """What --robustness asks for. InvalidParameter."""
    if options.robustness is None:
        return set()
    names = {name.strip() for name in options.robustness.split(",") if name.strip()}
    names = set(CHANGES) if names == {"all"} else names
    if not names or not names <= set(CHANGES):
        raise InvalidParameter(
            f"--robustness is “{options.robustness}”; allowed: all, or some of"
            f" {', '.join(CHANGES)} with commas between them."
        )
    return names


@dataclass(frozen=True, eq=False)
class Analysed:
    """An analysis that was asked for and done.

    Attributes
    ----------
    contradicted
        Cell types whose fractions two other estimates contradict.
    method
        What estimated the fractions, such as "DTD".
    """

    kind: str
    params: Params
    result: AnalysisResult
    contradicted: tuple[str, ...] = ()
    method: str = "DTD"

    def sentence(self) -> str:
        """The answer."""
        from gui.answers.analyses import TEXTS

        return TEXTS[self.kind].sentence(self.result)

    def details(self) -> list[str]:
        """Its numbers, a sentence each."""
        from gui.answers.analyses import TEXTS

        return list(TEXTS[self.kind].details(self.result))

    def warnings(self) -> Sequence[str]:
        """What weakens it."""
        from gui.answers.analyses import TEXTS, rests_on

        return [
            *rests_on(self.kind, self.contradicted, f"{self.method} run"),
            *TEXTS[self.kind].warnings(self.result),
        ]

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name -> table."""
        return {f"{name}.csv": table for name, table in self.result.tables().items()}

    def record(self) -> dict[str, Any]:
        """For ``run.json``."""
        from gui.citations import ANALYSIS_CITATIONS, CITATIONS

        every = CITATIONS | ANALYSIS_CITATIONS
        used = self.params.model_dump()
        return {
            "parameters": {name: used[name] for name in self.params.used()},
            "summary": [self.sentence(), *self.details()],
            "warnings": list(self.warnings()),
            "notes": list(self.result.notes),
            "citations": [" doi ".join(every[key]) for key in self.result.citations()],
        }


def requested(options: argparse.Namespace) -> dict[str, Params]:
    """Kind -> parameters of the analyses that the options ask for. InvalidParameter."""
    found: dict[str, Params] = {}
    if options.groups is not None:
        from gui.analyses.groups import GroupsParams

        found["groups"] = GroupsParams.parse(
            column=options.groups,
            compare=options.compare or "groups",
            groups=survival.names_of(options.group_order or ""),
            cuts=_cuts(options),
            subject=options.paired_by or "",
            covariates=tuple(options.covariate),
            hidden=not options.without_hidden,
            **{} if options.group_scale is None else {"scale": options.group_scale},
            **{} if options.fdr is None else {"level": options.fdr},
        )
    if options.group_regulation is not None:
        from gui.analyses.group_regulation import GroupRegulationParams

        asked = found["groups"].model_dump()
        found["group_regulation"] = GroupRegulationParams.parse(
            **{name: asked[name] for name in ("column", "groups", "cuts")},
            permutations=_permutations(options),
            seed=options.seed,
        )
    if options.survival is not None:
        found["survival"] = survival.requested(options)
    if options.enrich is not None:
        found["genes"] = gene_options.genes_params(options)
    if changes := _changes(options):
        from gui.analyses.robustness import RobustnessParams

        found["robustness"] = RobustnessParams.parse(
            genes="genes" in changes,
            left_out="left-out" in changes,
            donors="donors" in changes,
            donor_column=options.donors or "",
            **{} if "seeds" in changes else {"seeds": 0},
        )
    return found


def check_requests(dataset: Dataset, requests: dict[str, Params]) -> None:
    """Refuse what the data do not allow, before hours of computing. DeconomixError."""
    from gui.analyses.groups import GroupsParams, design_of
    from gui.analyses.survival_params import SurvivalParams

    if not requests:
        return
    if dataset.bulk is None:
        raise MissingPart(
            "There are no bulk samples to compare.", advice="Give them with --bulk FILE."
        )
    groups = requests.get("groups")
    if isinstance(groups, GroupsParams):
        design_of(dataset, groups, dataset.bulk.samples)
    times = requests.get("survival")
    if isinstance(times, SurvivalParams):
        survival.check_request(dataset, times)


def saved_references(options: argparse.Namespace) -> Library | None:
    """The library with which a hidden profile is compared, where genes are asked for."""
    if options.enrich is None:
        return None
    from gui.config import load_config
    from gui.sessions.reference_library import FOLDER, ReferenceLibrary

    return ReferenceLibrary(load_config(options.config).data_folder / FOLDER).library()


def analyse(
    dataset: Dataset,
    requests: dict[str, Params],
    *,
    progress: Progress,
    dtd: DTDResult | None = None,
    adtd: ADTDResult | None = None,
    bootstrap: BootstrapResult | None = None,
    method: MethodResult | None = None,
    adtd_params: ADTDParams | None = None,
    estimator: Estimator | None = None,
    library: Library | None = None,
) -> Iterator[Analysed]:
    """Every analysis that was asked for, on the composition of the bulk, one after the other.

    Parameters
    ----------
    adtd_params
        Of ``adtd``: gene regulation per group is fitted with the same.
    estimator
        Of ``method``: what computes it again.
    library
        The saved references, with which a hidden profile is compared.
    """
    if not requests:
        return
    from gui.analyses.registry import ANALYSES
    from gui.engine.second_opinion import contradicted_types

    given = {"method": method, "adtd": adtd, "dtd": dtd}
    name, found = next((k, r) for k, r in given.items() if r is not None)
    runs: dict[str, Any] = {name: found}
    both = {"dtd": dtd} | runs
    names = tuple(contradicted_types(found.second_opinion))
    title = name.upper() if method is None else method.title
    for kind, params in requests.items():
        task = ANALYSES[kind].task
        inputs = {**(both if kind == "robustness" else runs), "bootstrap": bootstrap}
        if kind in ("robustness", "group_regulation"):
            inputs["estimator"] = estimator
        if kind == "genes":
            inputs["library"] = library
        if kind == "group_regulation" and adtd_params is not None:
            same = ("lambda2", "max_iterations")
            params = params.model_copy(update={name: getattr(adtd_params, name) for name in same})
            inputs = both
        elif kind == "group_regulation" and method is not None:
            params = params.model_copy(update={"method": method.method})
        result = task(dataset, params, progress=progress, **inputs)
        yield Analysed(kind, params, result, names, title)
