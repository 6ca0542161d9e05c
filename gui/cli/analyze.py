"""Commands without a screen: ``deconomix-gui analyze`` and doors to ``check`` and ``doctor``.

Nothing heavy is imported before the arguments are understood.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.cli import analyses, gene_options, methods, sample_tables
from gui.cli.batch import analyze_batch
from gui.cli.console import Parser, one_blas_thread, say
from gui.cli.example_table import example_table
from gui.cli.methods import MODELS
from gui.cli.output import FILES, is_written, optimum_of, record_of, tables_of, write_all
from gui.config import load_config
from gui.diagnostics.selfcheck import Check, Look
from gui.errors import DeconomixError, InvalidParameter, MissingPart
from gui.result_folder import BEFORE, recover, staging_folder

if TYPE_CHECKING:
    import pandas as pd

    from gui.data.dataset import Dataset
    from gui.data.example import Example
    from gui.data.validation.repairs import Repair
    from gui.engine.results import ADTDResult, BootstrapResult, SearchResult

__all__ = ["FILES", "MODELS", "Check", "analyze", "check", "doctor", "one_blas_thread", "parser"]

EPILOG = """\
examples:
  deconomix-gui analyze --example
  deconomix-gui analyze --train cells.h5ad --bulk bulk.csv --model deconomix+h,r \\
      --lambda2 search --out results
"""


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number") from None


def parser(prog: str = "deconomix-gui analyze") -> argparse.ArgumentParser:
    """The options of ``analyze``. Wrong ones raise InvalidParameter; ``--help`` exits."""
    cli = Parser(
        prog=prog,
        description="Estimate the cell-type composition of bulk samples and write it as tables.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    cli.add_argument(
        "--example",
        action="store_true",
        help="analyse the built-in simulated data and print estimated beside true values",
    )
    for name, text in (
        (
            "train",
            "labelled single cells (.h5ad, .csv, .tsv, also .gz), or a .dcx file with everything",
        ),
        (
            "test",
            "labelled single cells to test on; without it part of the training cells is set aside",
        ),
        (
            "reference",
            (
                "reference profiles, genes x cell types; without it the mean of the training cells"
                " per type"
            ),
        ),
        ("bulk", "bulk samples to analyse, genes x samples"),
    ):
        cli.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
    cli.add_argument(
        "--batch",
        type=Path,
        metavar="FOLDER",
        help=(
            "instead of --bulk: analyse every file in FOLDER on its own, and write one table of all"
        ),
    )
    cli.add_argument(
        "--model", choices=MODELS, help="default: deconomix (with --example deconomix+h,r)"
    )
    cli.add_argument(
        "--recommended",
        action="store_true",
        help=(
            "as “Analyse with recommended settings” does: --model deconomix+h, and --bootstrap 100"
            " unless given"
        ),
    )
    cli.add_argument(
        "--label", metavar="COLUMN", help="column of obs that holds the cell types (.h5ad)"
    )
    cli.add_argument("--repair", action="store_true", help="apply every repair that check proposes")
    cli.add_argument(
        "--repairs",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="apply the repairs listed in FILE, as check --json prints them",
    )
    cli.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="[ROLE=]TABLE",
        help="take gene names from a table of old and new names, for the files that need it",
    )
    methods.add_options(cli)
    sample_tables.add_options(cli)
    analyses.add_options(cli)
    cli.add_argument(
        "--as-is",
        action="store_true",
        help="take values that look log-transformed for linear ones",
    )
    cli.add_argument(
        "--genes",
        type=_whole,
        default=1000,
        metavar="N",
        help="number of genes, 0 for all (default %(default)s)",
    )
    cli.add_argument(
        "--mixtures",
        type=_whole,
        default=1000,
        metavar="N",
        help="pseudobulks, training and test (default %(default)s)",
    )
    cli.add_argument(
        "--cells",
        type=_whole,
        default=100,
        metavar="N",
        help="cells per mixture (default %(default)s)",
    )
    cli.add_argument(
        "--iterations",
        type=_whole,
        default=1000,
        metavar="N",
        help="iterations of learning the gene weights (default %(default)s)",
    )
    cli.add_argument(
        "--lambda2",
        default="1e-9",
        metavar="V",
        help="a number, or “search” for the one-standard-error choice (default %(default)s)",
    )
    cli.add_argument(
        "--refine",
        action="store_true",
        help=(
            "deconomix+h and deconomix+h,r: refine hidden profile and gene regulation to the"
            " optimum; the"
            " numbers then differ from those published with deconomix"
        ),
    )
    cli.add_argument(
        "--bootstrap",
        type=_whole,
        default=0,
        metavar="N",
        help="95 %% intervals of every fraction from N bootstrap replicates, 20 to 1000",
    )
    cli.add_argument(
        "--as-cells",
        action="store_true",
        help=(
            "also write composition_bulk_cells.csv: fractions of cells, by the RNA content measured"
            " from raw counts of all genes"
        ),
    )
    cli.add_argument(
        "--rna-content",
        type=Path,
        metavar="TABLE",
        help="the same by your RNA contents: one line per cell type, its name and a number",
    )
    cli.add_argument(
        "--seed",
        type=_whole,
        default=1,
        metavar="N",
        help="random seed (default %(default)s)",
    )
    cli.add_argument(
        "--engine",
        choices=("fast", "stock"),
        help="stock: deconomix as published, slower (default: as configured, [compute] engine)",
    )
    cli.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        help="configuration file to use instead of config.toml in the user configuration folder",
    )
    cli.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where the tables are written (required without --example)",
    )
    return cli


def analyze(argv: Sequence[str]) -> int:
    """Run a whole analysis.

    Progress on stderr; exit code 0, or 2 with one line on stderr, 130 when interrupted: then it
    says what was written.
    """
    one_blas_thread()
    output = _Output()
    try:
        options = parser().parse_args(argv)
        options.given = methods.given_options(parser(), argv)
        if options.batch is not None:

            def analyze_one(one: argparse.Namespace) -> tuple[Mapping[str, pd.DataFrame], str]:
                output.folder, output.record, output.tables = None, None, {}
                try:
                    _analyze(one, output)
                except DeconomixError as error:
                    if not output.tables:
                        raise
                    return output.tables, error.full_text
                return output.tables, ""

            return analyze_batch(options, analyze_one)
        _analyze(options, output)
    except DeconomixError as error:
        say(error.full_text, sys.stderr)
        return 2
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        say(
            f"Reading or writing{where} failed: {error.strerror or 'input/output error'}."
            f" {output.state()}",
            sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        say(f"Interrupted. {output.state()}", sys.stderr)
        return 130
    return 0


@dataclass
class _Output:
    """Where an analysis is being written, once it is."""

    folder: Path | None = None
    record: dict[str, Any] | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def write(self, folder: Path, tables: dict[str, pd.DataFrame], record: dict[str, Any]) -> None:
        self.folder, self.record, self.tables = folder, record, tables
        write_all(folder, tables, record)

    def state(self) -> str:
        """What is in the folder now, in a sentence, whatever came in between."""
        if self.folder is None or self.record is None:
            return "Nothing was written."
        if (self.folder / BEFORE).is_dir():
            return (
                f"The results in {self.folder} are incomplete. The previous files are in"
                f" {self.folder / BEFORE}; the next analysis into this folder restores them first."
            )
        return (
            f"The results were written to {self.folder}."
            if is_written(self.folder, self.record)
            else "Nothing was written."
        )


def check(argv: Sequence[str]) -> int:
    """Look at one file: see :mod:`gui.cli.check`."""
    one_blas_thread()
    from gui.cli.check import check

    return check(argv, apart=True)


def doctor(argv: Sequence[str], *, more: Mapping[str, Look] | None = None) -> int:
    """Check this installation: see :mod:`gui.diagnostics.selfcheck`.

    Parameters
    ----------
    more
        Further checks by name, of the window's side.
    """
    one_blas_thread()
    from gui.cli.doctor import doctor

    return doctor(argv, more=more)


class _ConsoleProgress:
    """Progress as lines on stderr: at every new stage, and then every few seconds.

    Preparing goes unsaid: it ends in a blink or in an error.
    """

    def __init__(self, every: float = 3.0) -> None:
        self._stage, self._every, self._next = "", every, 0.0

    def __call__(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        count: int | None = None,
        limit: int | None = None,
        loss: float | None = None,
    ) -> None:
        now = time.monotonic()
        family = "Running ADTD" if count is not None and fraction is None else stage
        if stage == "Preparing" or (family == self._stage and now < self._next):
            return
        fresh = family != self._stage
        details = []
        if not fresh:
            if fraction is not None:
                details.append(f"{fraction:.0%}")
            elif count is not None:
                details.append(f"iteration {count} of at most {limit}")
            if loss is not None:
                details.append(f"loss {loss:.6g}")
        if fresh or details:
            self._stage, self._next = family, now + self._every
            say(f"{family}{': ' if details else ''}{', '.join(details)}", sys.stderr)


def _analyze(options: argparse.Namespace, output: _Output) -> None:
    files = ("train", "test", "reference", "bulk", "clinical", "truth")
    if options.example and any(getattr(options, name) for name in files):
        raise InvalidParameter("--example brings its own data and takes no files.")
    other_method = methods.settle(options)
    if not options.example and options.train is None:
        _check_reference_only(options)
    if not options.example and options.out is None:
        raise InvalidParameter("--out FOLDER is missing.", advice="Give the folder for the tables.")
    if options.recommended:
        _recommend(options)
    model = options.model or ("deconomix+h,r" if options.example else "deconomix")
    _check_options(options, model)
    gene_options.check_options(options, model)
    if options.out is not None:
        _check_out(options.out)
        if recover(options.out, FILES):
            say(
                f"Note: An earlier analysis was interrupted while it wrote to {options.out}; the"
                " previous files were restored.",
                sys.stderr,
            )

    if other_method:
        _analyze_by_method(options, output)
        return

    from gui.analyses.robustness import RobustnessResult
    from gui.answers.adtd import advice_sentence
    from gui.answers.confidence_intervals import interval_table
    from gui.answers.robustness import ranges_record
    from gui.answers.summary import summarise
    from gui.engine import compute_settings, tasks
    from gui.engine.params import ADTDParams, BootstrapParams, DTDParams, SearchParams
    from gui.engine.second_opinion import contradicted_types

    compute = load_config(options.config).compute
    compute_settings.set_compute_settings(
        compute_settings.ComputeSettings(
            options.engine or compute.engine, compute.cores, compute.scheduler
        )
    )

    dtd_params = DTDParams.parse(
        genes=options.genes or None,
        iterations=options.iterations,
        train_mixtures=options.mixtures,
        train_cells=options.cells,
        test_mixtures=options.mixtures,
        test_cells=options.cells,
        seed=options.seed,
    )
    searched = options.lambda2 == "search"
    adtd_params = None
    if "+" in model:
        chosen = {} if searched else {"lambda2": options.lambda2}
        adtd_params = ADTDParams.parse(
            model=model.removeprefix("deconomix+"), refine=options.refine, **chosen
        )
    elif options.refine:
        raise InvalidParameter(
            f"--refine has no effect on {model}.",
            advice="Use it with --model deconomix+h or deconomix+h,r.",
        )

    sure_params = (
        BootstrapParams.parse(replicates=options.bootstrap, seed=options.seed)
        if options.bootstrap
        else None
    )

    example: Example | None = None
    repairs: tuple[Repair, ...] = ()
    if options.example:
        from gui.data.example import make_example

        example = make_example()
        dataset = example.dataset
    else:
        dataset, repairs = _load(options)
    dataset, about_samples = sample_tables.add_tables(dataset, options)
    own_contents = _rna_contents(options, dataset)
    requests = analyses.requested(options)
    analyses.check_requests(dataset, requests)
    if adtd_params is not None and dataset.bulk is None:
        raise MissingPart(f"{model} needs bulk samples.", advice="Give them with --bulk FILE.")
    search_params = None
    # lambda2 plays no part in +h
    if adtd_params is not None and adtd_params.regulated and searched:
        assert dataset.bulk is not None
        search_params = SearchParams.parse(
            folds=min(SearchParams().folds, len(dataset.bulk.samples))
        )
    progress = _ConsoleProgress()
    train = tasks.run_naive if model == "naive" else tasks.run_dtd
    dtd = train(dataset, dtd_params, progress=progress)

    search: SearchResult | None = None
    adtd: ADTDResult | None = None
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

    sure: BootstrapResult | None = None
    if sure_params is not None:
        of: dict[str, Any] = {
            "part": "bulk" if adtd is not None or "bulk" in dtd.composition else "test"
        }
        of |= (
            {"lambda2": adtd_params.lambda2, "max_iterations": adtd_params.max_iterations}
            if adtd_params is not None
            else {}
        )
        sure = tasks.run_bootstrap(
            dataset, sure_params.model_copy(update=of), progress=progress, dtd=dtd, adtd=adtd
        )
    # what takes hours is written, whatever happens in an analysis
    analysed: list[analyses.Analysed] = []
    failure: Exception | None = None
    try:
        for one in analyses.analyse(
            dataset,
            requests,
            progress=progress,
            dtd=dtd,
            adtd=adtd,
            bootstrap=sure,
            adtd_params=adtd_params,
        ):
            analysed.append(one)
    except Exception as error:  # noqa: BLE001  raised once all is written
        failure = error
    results = [one.result for one in analysed]
    robust = next((one for one in results if isinstance(one, RobustnessResult)), None)
    count = len(dataset.bulk.samples) if dataset.bulk is not None else None
    short = summarise(
        dtd,
        adtd=adtd,
        bulk_fit=dtd.fit.get("bulk"),
        bulk_opinion=dtd.second_opinion,
        bulk=dtd.composition.get("bulk"),
        search=search,
        searched=count,
        sure=sure,
        robust=robust,
        data=dataset,
    )
    advice = ""
    if search is not None and adtd_params is not None:
        advice = advice_sentence(search, count, used=adtd_params.lambda2)
    if options.out is not None:
        # only what played a part: no lambda2 for a model without gene regulation, no iterations
        # where nothing was learned
        parameters: dict[str, Any] = {
            "model": model,
            "genes": options.genes,
            "mixtures": options.mixtures,
            "cells": options.cells,
        }
        parameters |= {} if model == "naive" else {"iterations": options.iterations}
        parameters["engine"] = compute_settings.get_compute_settings().engine
        if adtd_params is not None:
            parameters |= (
                {"lambda2": adtd_params.lambda2, "lambda2_searched": search is not None}
                if adtd_params.regulated
                else {}
            )
            parameters["refine"] = options.refine
        parameters |= {
            "bootstrap": options.bootstrap,
            "label": options.label,
            "scale": dataset.scale,
        }
        record = record_of(dataset, parameters, options.seed, short, search, tasks.versions())
        record["repairs"] = [repair.record() for repair in repairs]
        if search is not None:
            record["lambda2_advice"] = advice
        opinion = (dtd if adtd is None else adtd).second_opinion
        # null where there is no bulk: nothing was compared
        record["contradicted"] = None if opinion is None else contradicted_types(opinion)
        missing = None if opinion is None else opinion.missing
        record["missing_cell_types"] = None if missing is None else list(map(str, missing.index))
        if adtd is not None and adtd.optimum is not None:
            record["optimum"] = optimum_of(adtd.optimum)
        tables = tables_of(model, dtd, adtd) | about_samples.results(dataset, dtd, adtd)
        record |= about_samples.record
        if own_contents is not None:
            from gui.engine.rna_content import as_cells

            contents, source = own_contents
            record["rna_content"] = {
                "source": source,
                "factors": {str(t): float(v) for t, v in contents.items()},
            }
            cells = as_cells(tables["composition_bulk.csv"], contents)
            tables["composition_bulk_cells.csv"] = cells
        for one in analysed:
            tables |= one.tables()
            record[one.kind] = one.record()
        if adtd is not None:
            record["hidden_fraction_ranges"] = ranges_record(adtd, sure, robust)
        if sure is not None:
            tables["composition_intervals.csv"] = interval_table(sure)
        output.write(options.out, tables, record)
    for note in [f"{source.name}: {n}" for source in dataset.sources for n in source.notes]:
        say(f"Note: {note}", sys.stderr)
    for text in (*about_samples.notes, *short.warnings):
        say(f"Note: {text}", sys.stderr)
    say(f"Result: {short.answer}", sys.stderr)
    if search is not None:
        say(f"Result: {advice}", sys.stderr)
    if agreement := about_samples.agreement_text():
        say(f"Result: {agreement}", sys.stderr)
    for one in analysed:
        for text in one.warnings():
            say(f"Note: {text}", sys.stderr)
        say(f"Result: {' '.join([one.sentence(), *one.details()])}", sys.stderr)
    if example is not None:
        say(example_table(example, model, dtd, adtd), sys.stdout)
    if options.out is not None:
        say(f"Written to {options.out}", sys.stderr)
    if failure is not None:
        raise failure


def _check_reference_only(options: argparse.Namespace) -> None:
    """Without single cells: only methods that need none. InvalidParameter."""
    if options.reference is None:
        raise InvalidParameter(
            "--train FILE is missing.", advice="Give labelled single cells, or try --example."
        )
    if options.method is None:
        raise InvalidParameter(
            f"{options.model or 'deconomix'} learns gene weights from single cells, and --train"
            " FILE is missing.",
            advice="Give labelled single cells, or use the reference alone: --method relative.",
        )
    if options.test is not None or options.bulk is None:
        raise InvalidParameter(
            "A reference without single cells needs --bulk FILE, and takes no --test.",
            advice="Give the bulk samples, or --train FILE.",
        )


def _analyze_by_method(options: argparse.Namespace, output: _Output) -> None:
    """By another method than DTD or ADTD: without training, and without gene weights."""
    example = None
    repairs: tuple[Repair, ...] = ()
    if options.example:
        from gui.data.example import make_example

        example = make_example()
        dataset = example.dataset
    else:
        dataset, repairs = _load(options)
    dataset, about_samples = sample_tables.add_tables(dataset, options)
    tables, record, notes, said = methods.analyse(
        options, dataset, repairs, about_samples, _ConsoleProgress()
    )
    if options.out is not None:
        output.write(options.out, tables, record)
    sources = [f"{source.name}: {n}" for source in dataset.sources for n in source.notes]
    for text in (*sources, *about_samples.notes, *notes):
        say(f"Note: {text}", sys.stderr)
    for text in said:
        say(f"Result: {text}", sys.stderr)
    if example is not None:
        mean = tables["composition_bulk.csv"].mean(axis=1).rename("mean fraction")
        say(mean.round(4).to_frame().to_string(), sys.stdout)
    if options.out is not None:
        say(f"Written to {options.out}", sys.stderr)


def _recommend(options: argparse.Namespace) -> None:
    """Fill in what the recommended analysis of the pages uses. InvalidParameter."""
    from gui.engine.recommended import RecommendedParams

    if options.model is not None:
        raise InvalidParameter(
            "--recommended chooses the model.", advice="Leave out --model or --recommended."
        )
    chosen = RecommendedParams()
    options.model = f"deconomix+{chosen.adtd().model}"
    options.bootstrap = options.bootstrap or chosen.replicates


def _load(options: argparse.Namespace) -> tuple[Dataset, tuple[Repair, ...]]:
    from gui.cli.repairs import load_repaired
    from gui.data.load import FileChoice, LoadRequest

    files = {}
    for role in ("train", "test", "reference", "bulk"):
        path: Path | None = getattr(options, role)
        if path is not None:
            label = options.label if role in ("train", "test") else None  # read in .h5ad files only
            files[role] = FileChoice.parse(path=path, name=path.name, label_column=label)
    return load_repaired(
        LoadRequest.parse(files=files, split_seed=options.seed),
        proposed=options.repair,
        chosen=options.repairs,
        tables=options.map,
        as_is=options.as_is,
    )


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


def _check_options(options: argparse.Namespace, model: str) -> None:
    """What would else be refused in the words of the form, or without the path."""
    for role in ("train", "test", "reference", "bulk"):
        path: Path | None = getattr(options, role)
        if path is not None and not path.exists():
            raise InvalidParameter(
                f"There is no file {path}.", advice=f"Check the path given with --{role}."
            )
    sample_tables.check_options(options)
    analyses.check_options(options, model)
    if options.genes < 0 or options.genes == 1:
        raise InvalidParameter(
            f"--genes is {options.genes}; allowed: a whole number from 2, or 0 for all genes."
        )
    if options.lambda2 != "search":
        try:
            usable_settings = 0 < float(options.lambda2) < float("inf")
        except ValueError:
            usable_settings = False
        if not usable_settings:
            raise InvalidParameter(
                f"--lambda2 is “{options.lambda2}”; allowed: a number above 0, or search."
            )


def _check_out(out: Path) -> None:
    """Complain before hours of computing, not after."""
    if out.exists() and not out.is_dir():
        raise InvalidParameter(
            f"{out} is a file, not a folder.", advice="Give another folder with --out."
        )
    existing = next(p for p in (out, *out.absolute().parents) if p.exists())
    another = "Give another folder with --out."
    if not existing.is_dir():
        raise InvalidParameter(
            f"{existing} is a file, so there can be no folder {out}.", advice=another
        )
    # Where the tables are gathered before they are moved. Tried, not asked: permissions say nothing
    # about read-only and special file systems.
    for folder in {existing, out.absolute().parent if out.exists() else existing}:
        try:
            staging_folder(folder, f".{out.name[:50]}.").rmdir()
        except OSError:
            raise InvalidParameter(f"Nothing can be written to {folder}.", advice=another) from None
