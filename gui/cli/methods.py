"""``analyze --method``: any method by its key, without training; also of a reference alone.

Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.cli import analyses
from gui.cli.console import say
from gui.errors import InvalidParameter

if TYPE_CHECKING:
    import pandas as pd

    from gui.data.dataset import Dataset
    from gui.engine.params import Params
    from gui.engine.results import BootstrapResult
    from gui.jobs.status import Progress
    from gui.methods.method import Method, MethodResult

WITHOUT_EFFECT = (
    "refine",
    "stop_early",
    "as_cells",
    "rna_content",
    "lambda2",
    "engine",
)
PARAMETERS = ("genes", "seed", "iterations", "mixtures", "cells", "layers")
"""Options that a method may have a parameter of the same name for."""
MODELS = ("naive", "deconomix", "deconomix+h", "deconomix+h,r")


def add_options(cli: argparse.ArgumentParser) -> None:
    """``--method`` and what methods take."""
    cli.add_argument(
        "--method",
        metavar="KEY",
        help=(
            "relative, nnls, hide, a model of --model, or a method of a plug-in; relative and nnls"
            " also work with --reference and without --train (default: as --model)"
        ),
    )
    cli.add_argument(
        "--layers",
        metavar="TEXT",
        help=(
            "--method hide: columns of the training cells with coarser types, coarsest first, or"
            " groups such as “T cells = CD4, CD8; Others = B” (default: by similarity)"
        ),
    )


def given_options(cli: argparse.ArgumentParser, argv: Sequence[str]) -> frozenset[str]:
    """The options of ``argv`` by name, without those that keep their default."""
    # what is there is not replaced by a default, and a list is copied before it grows
    untouched = {
        name: [] if isinstance(value, list) else object()
        for name, value in vars(cli.parse_args([])).items()
    }
    found = vars(cli.parse_args(argv, argparse.Namespace(**untouched)))
    return frozenset(name for name, value in found.items() if value is not untouched[name])


def settle(options: argparse.Namespace) -> bool:
    """Whether another method than DTD or ADTD is asked for; a model's key goes to ``--model``.

    ``options.given``: :func:`given_options`.

    Raises
    ------
    InvalidParameter
        Options that exclude each other.
    """
    if "layers" in options.given and options.method in (None, *MODELS):
        raise InvalidParameter(
            "--layers has no effect without --method hide.", advice="Leave it out, or add that."
        )
    if options.method is None:
        return False
    if options.model is not None or getattr(options, "recommended", False):
        raise InvalidParameter(
            "--method and --model both choose a method.", advice="Leave out one of them."
        )
    if options.method in MODELS:
        options.model = options.method
        return False
    for name in WITHOUT_EFFECT:
        if name in options.given:
            raise _without_effect(name, options.method)
    return True


def _without_effect(name: str, method: str) -> InvalidParameter:
    return InvalidParameter(
        f"--{name.replace('_', '-')} has no effect on --method {method}.",
        advice="Leave it out, or choose a model with --model.",
    )


def known_methods(key: str, config: Path | None) -> Mapping[str, Method]:
    """All methods by key; plug-ins are loaded only where none of the program's has this key."""
    from gui.methods.registry import BUILT_IN

    if key in BUILT_IN:
        return BUILT_IN
    from gui.config import load_config
    from gui.registry import find_pages

    found = find_pages(load_config(config).plugins_folder)
    for error in found.errors:
        say(f"Note: {error}", sys.stderr)
    return {method.key: method for method in found.methods}


def run(
    options: argparse.Namespace, dataset: Dataset, progress: Progress
) -> tuple[Method, MethodResult, Params]:
    """The method, its result and its parameters.

    Raises
    ------
    InvalidParameter
        There is no such method, it needs what these data lack, or an option says nothing to it.
    """
    from gui.methods.method import Capability
    from gui.methods.registry import method_named

    method = method_named(options.method, known_methods(options.method, options.config))
    obstacle = method.obstacle(dataset)
    if obstacle:
        raise InvalidParameter(
            obstacle.partition(" Load ")[0],
            advice="Give them with --bulk, --train or --reference.",
        )
    if options.enrich is not None and not method.capabilities & {
        Capability.HIDDEN,
        Capability.REGULATION,
    }:
        raise InvalidParameter(
            f"--enrich needs a hidden background or gene regulation, and {method.title} has"
            " neither.",
            advice="Use it with --model deconomix+h,r or deconomix+h.",
        )
    if options.group_regulation is not None and not method.can(Capability.REGULATION):
        raise InvalidParameter(
            f"--group-regulation needs gene regulation, and {method.title} estimates none.",
            advice="Use it with --model deconomix+h,r.",
        )
    fields = method.params.model_fields
    typed: dict[str, Any] = {}
    for name in PARAMETERS:
        if name not in options.given:
            continue  # the method's own default, as on its page
        if name in fields:
            typed[name] = getattr(options, name)
        elif name != "seed":  # it also divides the cells into training and test
            raise _without_effect(name, options.method)
    if typed.get("genes") == 0:
        typed["genes"] = None
    params = method.params.parse(**typed)
    result = method.task(dataset, params, progress=progress)
    return method, result, params


def intervals(
    options: argparse.Namespace,
    dataset: Dataset,
    method: Method,
    params: Params,
    result: MethodResult,
    progress: Progress,
) -> BootstrapResult | None:
    """95 % intervals where they are asked for. InvalidParameter: the method brings its own."""
    if not options.bootstrap:
        return None
    from gui.engine.params import BootstrapParams
    from gui.methods.intervals import Estimator, run_method_intervals

    asked = BootstrapParams.parse(replicates=options.bootstrap, seed=options.seed)
    estimator = Estimator.of(method, params)
    return run_method_intervals(
        dataset, asked, progress=progress, method=result, estimator=estimator
    )


def analyse(
    options: argparse.Namespace, dataset: Dataset, repairs: Any, about_samples: Any, progress: Any
) -> tuple[dict[str, pd.DataFrame], dict[str, Any], list[str], list[str]]:
    """Tables, record, notes and result sentences of an analysis by another method."""
    from gui.answers.confidence_intervals import interval_table
    from gui.answers.methods import method_sentence, method_warnings
    from gui.answers.second_opinion import opinion_table
    from gui.answers.summary import Summary
    from gui.cli.output import record_of
    from gui.engine.second_opinion import contradicted_types
    from gui.methods.intervals import Estimator
    from gui.versions import engine_versions

    requests = analyses.requested(options)
    analyses.check_requests(dataset, requests)
    method, result, params = run(options, dataset, progress)
    used = {name: params.model_dump()[name] for name in params.used()}
    sure = intervals(options, dataset, method, params, result, progress)
    short = Summary(method_sentence(result), "", tuple(method_warnings(result, dataset, sure)))
    parameters = {"method": method.key, **used, "label": options.label, "scale": dataset.scale}
    parameters |= {"bootstrap": options.bootstrap} if sure is not None else {}
    record = record_of(dataset, parameters, options.seed, short, None, engine_versions())
    record["seeds"] = {"split": options.seed}  # no pseudobulks are drawn for it
    record["seeds"] |= {} if sure is None else {"bootstrap": options.seed}
    record["repairs"] = [repair.record() for repair in repairs]
    record["capabilities"] = sorted(c.value for c in method.capabilities)
    record["citations"] = [" doi ".join(pair) for pair in result.citations]
    opinion = result.second_opinion
    record["contradicted"] = None if opinion is None else contradicted_types(opinion)
    missing = None if opinion is None else opinion.missing
    record["missing_cell_types"] = None if missing is None else list(map(str, missing.index))
    tables = {"composition_bulk.csv": result.full()}
    tables |= layer_tables(result)
    if opinion is not None:
        tables["second_opinion.csv"] = opinion_table(opinion)
    if sure is not None:
        tables["composition_intervals.csv"] = interval_table(sure)
    if result.gene_weights is not None:
        tables["method_weights.csv"] = result.gene_weights
    if result.hidden_profile is not None:
        tables["hidden_profile.csv"] = result.hidden_profile.to_frame("hidden")
    if result.gene_regulation is not None:
        tables["gene_regulation.csv"] = result.gene_regulation
    tables |= about_samples.results_of(dataset, result.full())
    record |= about_samples.record
    notes, said = list(short.warnings), [short.answer]
    if agreement := about_samples.agreement_text():
        said.append(agreement)
    for one in analyses.analyse(
        dataset,
        requests,
        progress=progress,
        method=result,
        estimator=Estimator.of(method, params),
        library=analyses.saved_references(options),
        bootstrap=sure,
    ):
        tables |= one.tables()
        record[one.kind] = one.record()
        notes += one.warnings()
        said.append(" ".join([one.sentence(), *one.details()]))
    return tables, record, notes, said


def layer_tables(result: MethodResult) -> dict[str, pd.DataFrame]:
    """All layers below each other and which type belongs to which; nothing with one layer."""
    import pandas as pd

    if len(result.layers) < 2:
        return {}
    rows = [
        frame.assign(layer=name).set_index("layer", append=True).swaplevel()
        for name, frame in result.layers.items()
    ]
    table = pd.concat(rows)
    table.index.names = ["layer", "cell_type"]
    parents = pd.DataFrame({k: pd.Series(dict(v)) for k, v in result.parents.items()})
    return {
        "composition_layers.csv": table.reset_index("cell_type"),
        "cell_type_layers.csv": parents.rename_axis("cell_type"),
    }
