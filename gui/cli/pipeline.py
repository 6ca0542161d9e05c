"""One analysis of ``analyze`` by DTD and ADTD: load, compute, write, say.

Imports nothing heavy before its functions are called.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.cli import analyses, sample_tables, template
from gui.cli.console import ConsoleProgress, say
from gui.cli.example_table import example_table
from gui.cli.output import Output, optimum_of, record_of, tables_of
from gui.config import load_config
from gui.errors import InvalidParameter, MissingPart

if TYPE_CHECKING:
    import pandas as pd

    from gui.analyses.hidden_library import Library
    from gui.answers.summary import Summary
    from gui.data.dataset import Dataset
    from gui.data.example import Example
    from gui.data.validation.repairs import Repair
    from gui.engine.params import ADTDParams, BootstrapParams, DTDParams, Params, SearchParams
    from gui.engine.results import ADTDResult, BootstrapResult, DTDResult, SearchResult


@dataclass(frozen=True)
class Loaded:
    """The data of an analysis. example : with its true values; repairs : what was applied."""

    dataset: Dataset
    about_samples: sample_tables.SampleTables
    repairs: tuple[Repair, ...] = ()
    example: Example | None = None


@dataclass(frozen=True)
class ModelParams:
    """Parameters of each step; None for a step that is not asked for."""

    dtd: DTDParams
    adtd: ADTDParams | None
    bootstrap: BootstrapParams | None


@dataclass(frozen=True)
class Found:
    """Results of each step.

    adtd_params : with the λ₂ that the search chose; failure : what ended the analyses beside the
    composition, raised once all is written
    """

    dtd: DTDResult
    adtd: ADTDResult | None
    adtd_params: ADTDParams | None
    search: SearchResult | None
    bootstrap: BootstrapResult | None
    analysed: Sequence[analyses.Analysed] = ()
    failure: Exception | None = None


def load(options: argparse.Namespace) -> Loaded:
    """The data that the options name, with the tables about their samples."""
    if options.example:
        from gui.data.example import make_example

        example = make_example()
        dataset, about = sample_tables.add_tables(example.dataset, options)
        return Loaded(dataset, about, example=example)
    from gui.cli.repairs import load_repaired
    from gui.data.load import FileChoice, LoadRequest

    files = {}
    for role in ("train", "test", "reference", "bulk"):
        path: Path | None = getattr(options, role)
        if path is not None:
            label = options.label if role in ("train", "test") else None  # read in .h5ad files only
            table = options.label_tables.get(role)
            files[role] = FileChoice.parse(
                path=path,
                name=path.name,
                label_column=label,
                labels=table,
                labels_name="" if table is None else table.name,
            )
    dataset, repairs = load_repaired(
        LoadRequest.parse(files=files, split_seed=options.seed),
        proposed=options.repair,
        chosen=options.repairs,
        tables=options.map,
        as_is=options.as_is,
        log_bases=options.log_base,
    )
    dataset, about = sample_tables.add_tables(dataset, options)
    return Loaded(dataset, about, repairs)


def run(options: argparse.Namespace, model: str, output: Output) -> None:
    """Analyse, write to ``options.out`` where it is given, and say what was found.

    Raises
    ------
    DeconomixError
        An option, the data or a step of the analysis; what is found is written before the error of
        an analysis beside the composition.
    """
    _set_engine(options)
    params = _parameters(options, model)
    loaded = load(options)
    dataset = loaded.dataset
    contents = _rna_contents(options, dataset)
    requests = analyses.requested(options)
    analyses.check_requests(dataset, requests)
    if params.adtd is not None and dataset.bulk is None:
        raise MissingPart(f"{model} needs bulk samples.", advice="Give them with --bulk FILE.")
    search_params = _search_params(options, dataset, params.adtd)
    progress = ConsoleProgress()
    found = _estimate(dataset, model, params, search_params, progress)
    library = analyses.saved_references(options)
    found = _analyses_beside(dataset, found, requests, progress, library)
    short, advice = _sentences(dataset, found)
    if options.out is not None:
        record = _record(options, model, loaded, found, short, advice)
        tables = tables_of(model, found.dtd, found.adtd)
        if found.search is not None and found.search.path is not None:
            tables["lambda2_path.csv"] = found.search.path
        tables |= loaded.about_samples.results(dataset, found.dtd, found.adtd)
        if contents is not None:
            tables["composition_bulk_cells.csv"] = _as_cells(contents, tables, record)
        _add_analyses(found, tables, record)
        output.write(options.out, tables, record)
    _say(loaded, found, short, advice)
    if loaded.example is not None:
        say(example_table(loaded.example, model, found.dtd, found.adtd), sys.stdout)
    if options.out is not None:
        say(f"Written to {options.out}", sys.stderr)
    if found.failure is not None:
        raise found.failure


def _set_engine(options: argparse.Namespace) -> None:
    from gui.engine import compute_settings

    compute = load_config(options.config).compute
    compute_settings.set_compute_settings(
        compute_settings.ComputeSettings(
            options.engine or compute.engine, compute.cores, compute.scheduler
        )
    )


def _parameters(options: argparse.Namespace, model: str) -> ModelParams:
    from gui.engine.params import ADTDParams, BootstrapParams, DTDParams

    asked = {
        "genes": options.genes or None,
        "iterations": options.iterations,
        "train_mixtures": options.mixtures,
        "train_cells": options.cells,
        "test_mixtures": options.mixtures,
        "test_cells": options.cells,
        "seed": options.seed,
        "stop_early": options.stop_early,
    }
    dtd = DTDParams.parse(**asked | template.dtd_values(options))
    if options.stop_early and model == "naive":
        raise InvalidParameter(
            "--stop-early has no effect on naive, which learns nothing.",
            advice="Leave it out, or choose another model.",
        )
    adtd = bootstrap = None
    if "+" in model:
        chosen = {} if options.lambda2 == "search" else {"lambda2": options.lambda2}
        chosen |= {"model": model.removeprefix("deconomix+"), "refine": options.refine}
        adtd = ADTDParams.parse(**template.adtd_values(options) | chosen)
    elif options.refine:
        raise InvalidParameter(
            f"--refine has no effect on {model}.",
            advice="Use it with --model deconomix+h or deconomix+h,r.",
        )
    if options.bootstrap:
        bootstrap = BootstrapParams.parse(replicates=options.bootstrap, seed=options.seed)
    return ModelParams(dtd, adtd, bootstrap)


def _search_params(
    options: argparse.Namespace, dataset: Dataset, adtd: ADTDParams | None
) -> SearchParams | None:
    """Of the search of λ₂, None where it is not searched. InvalidParameter: too few samples."""
    from gui.engine.params import SearchParams

    # lambda2 plays no part in +h
    if adtd is None or not adtd.regulated or options.lambda2 != "search":
        return None
    assert dataset.bulk is not None
    return SearchParams.parse(folds=min(SearchParams().folds, len(dataset.bulk.samples)))


def _estimate(
    dataset: Dataset,
    model: str,
    params: ModelParams,
    search_params: SearchParams | None,
    progress: ConsoleProgress,
) -> Found:
    """Gene weights, λ₂ where it is searched, composition and its intervals."""
    from gui.engine import tasks

    train = tasks.run_naive if model == "naive" else tasks.run_dtd
    dtd = train(dataset, params.dtd, progress=progress)
    search: SearchResult | None = None
    adtd: ADTDResult | None = None
    adtd_params = params.adtd
    if adtd_params is not None:
        if search_params is not None:
            search = tasks.run_search(dataset, search_params, progress=progress, dtd=dtd)
            best = search.choices["one_se"]
            if best is None:
                raise InvalidParameter(
                    "The search found no usable λ₂.", advice="Give one with --lambda2."
                )
            adtd_params = adtd_params.model_copy(update={"lambda2": best})
        adtd = tasks.run_adtd(dataset, adtd_params, progress=progress, dtd=dtd)
    bootstrap: BootstrapResult | None = None
    if params.bootstrap is not None:
        of: dict[str, Any] = {
            "part": "bulk" if adtd is not None or "bulk" in dtd.composition else "test"
        }
        if adtd_params is not None:
            of |= {"lambda2": adtd_params.lambda2, "max_iterations": adtd_params.max_iterations}
        bootstrap = tasks.run_bootstrap(
            dataset, params.bootstrap.model_copy(update=of), progress=progress, dtd=dtd, adtd=adtd
        )
    return Found(dtd, adtd, adtd_params, search, bootstrap)


def _analyses_beside(
    dataset: Dataset,
    found: Found,
    requests: dict[str, Params],
    progress: ConsoleProgress,
    library: Library | None,
) -> Found:
    """Groups, survival and the others. What took hours is written, whatever happens here."""
    analysed: list[analyses.Analysed] = []
    failure: Exception | None = None
    try:
        for one in analyses.analyse(
            dataset,
            requests,
            progress=progress,
            dtd=found.dtd,
            adtd=found.adtd,
            bootstrap=found.bootstrap,
            adtd_params=found.adtd_params,
            library=library,
        ):
            analysed.append(one)
    except Exception as error:  # noqa: BLE001  raised once all is written
        failure = error
    return replace(found, analysed=analysed, failure=failure)


def _robustness(found: Found) -> Any:
    from gui.analyses.robustness import RobustnessResult

    results = (one.result for one in found.analysed)
    return next((one for one in results if isinstance(one, RobustnessResult)), None)


def _sentences(dataset: Dataset, found: Found) -> tuple[Summary, str]:
    """The answer, and what the search says of λ₂ ("" where none was made)."""
    from gui.answers.adtd import advice_sentence
    from gui.answers.summary import summarise

    dtd, adtd, search = found.dtd, found.adtd, found.search
    count = len(dataset.bulk.samples) if dataset.bulk is not None else None
    short = summarise(
        dtd,
        adtd=adtd,
        bulk_fit=dtd.fit.get("bulk"),
        bulk_opinion=dtd.second_opinion,
        bulk=dtd.composition.get("bulk"),
        search=search,
        searched=count,
        sure=found.bootstrap,
        robust=_robustness(found),
        data=dataset,
    )
    if search is None or found.adtd_params is None:
        return short, ""
    return short, advice_sentence(search, count, used=found.adtd_params.lambda2)


def _record(
    options: argparse.Namespace,
    model: str,
    loaded: Loaded,
    found: Found,
    short: Summary,
    advice: str,
) -> dict[str, Any]:
    """run.json: only what played a part, so no λ₂ for a model without gene regulation and no
    iterations where nothing was learned.
    """
    from gui.engine import compute_settings, tasks
    from gui.engine.second_opinion import contradicted_types

    parameters: dict[str, Any] = {
        "model": model,
        "genes": options.genes,
        "mixtures": options.mixtures,
        "cells": options.cells,
    }
    if model != "naive":
        parameters["iterations"] = options.iterations
        parameters |= {"stopped_at": found.dtd.stopped_at} if options.stop_early else {}
    parameters["engine"] = compute_settings.get_compute_settings().engine
    if (params := found.adtd_params) is not None:
        if params.regulated:
            parameters |= {
                "lambda2": params.lambda2,
                "lambda2_searched": found.search is not None,
            }
        parameters["refine"] = options.refine
    parameters |= {
        **template.record(options, found.adtd_params),
        "bootstrap": options.bootstrap,
        "label": options.label,
        "scale": loaded.dataset.scale,
    }
    record = record_of(
        loaded.dataset, parameters, options.seed, short, found.search, tasks.versions()
    )
    record["repairs"] = [repair.record() for repair in loaded.repairs]
    if found.search is not None:
        record["lambda2_advice"] = advice
    opinion = (found.dtd if found.adtd is None else found.adtd).second_opinion
    # null where there is no bulk: nothing was compared
    record["contradicted"] = None if opinion is None else contradicted_types(opinion)
    missing = None if opinion is None else opinion.missing
    record["missing_cell_types"] = None if missing is None else list(map(str, missing.index))
    if found.adtd is not None and found.adtd.optimum is not None:
        record["optimum"] = optimum_of(found.adtd.optimum)
    return record | loaded.about_samples.record


def _add_analyses(found: Found, tables: dict[str, pd.DataFrame], record: dict[str, Any]) -> None:
    """Tables and records of the analyses beside the composition, and of its intervals."""
    from gui.answers.confidence_intervals import interval_table
    from gui.answers.robustness import ranges_record

    for one in found.analysed:
        tables |= one.tables()
        record[one.kind] = one.record()
    if found.adtd is not None:
        record["hidden_fraction_ranges"] = ranges_record(
            found.adtd, found.bootstrap, _robustness(found)
        )
    if found.bootstrap is not None:
        tables["composition_intervals.csv"] = interval_table(found.bootstrap)


def _say(loaded: Loaded, found: Found, short: Summary, advice: str) -> None:
    for note in [f"{source.name}: {n}" for source in loaded.dataset.sources for n in source.notes]:
        say(f"Note: {note}", sys.stderr)
    for text in (*loaded.about_samples.notes, *short.warnings):
        say(f"Note: {text}", sys.stderr)
    say(f"Result: {short.answer}", sys.stderr)
    if found.search is not None:
        say(f"Result: {advice}", sys.stderr)
    if agreement := loaded.about_samples.agreement_text():
        say(f"Result: {agreement}", sys.stderr)
    for one in found.analysed:
        for text in one.warnings():
            say(f"Note: {text}", sys.stderr)
        say(f"Result: {' '.join([one.sentence(), *one.details()])}", sys.stderr)


def _rna_contents(options: argparse.Namespace, dataset: Dataset) -> tuple[pd.Series, str] | None:
    """RNA contents by cell type and where they come from; None where they are not asked for."""
    if not options.as_cells and options.rna_content is None:
        return None
    from gui.engine.rna_content import given_content, measured_content

    if dataset.bulk is None:
        raise MissingPart("Cell fractions need bulk samples.", advice="Give them with --bulk FILE.")
    if options.rna_content is not None:
        text = options.rna_content.read_text("utf-8-sig", "replace")
        return given_content(text, dataset.types), options.rna_content.name
    found = measured_content(dataset.train)
    if found.factors is None:
        raise InvalidParameter(
            f"The RNA content of the cell types cannot be measured. {found.reason}",
            advice="Give it with --rna-content TABLE, or leave out --as-cells.",
        )
    return found.factors, found.source


def _as_cells(
    contents: tuple[pd.Series, str], tables: dict[str, pd.DataFrame], record: dict[str, Any]
) -> pd.DataFrame:
    """The bulk composition as fractions of cells; the factors go into the record."""
    from gui.engine.rna_content import as_cells

    factors, source = contents
    record["rna_content"] = {
        "source": source,
        "factors": {str(t): float(v) for t, v in factors.items()},
    }
    return as_cells(tables["composition_bulk.csv"], factors)
