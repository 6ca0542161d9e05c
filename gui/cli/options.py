"""The options of ``analyze``: the parser, and what is refused before anything is read.

Nothing heavy is imported.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gui.cli import analyses, gene_options, methods, sample_tables, template
from gui.cli.console import Parser
from gui.cli.methods import MODELS
from gui.errors import InvalidParameter
from gui.result_folder import staging_folder
from gui.text import parse_number

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
        "--template",
        type=Path,
        metavar="FILE",
        help=(
            "take the parameters of DTD and ADTD from a template that the pages saved; options that"
            " are given count before it"
        ),
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
    cli.add_argument(
        "--labels",
        action="append",
        default=[],
        metavar="[ROLE=]TABLE",
        help=(
            "take the cell types from a table of cells and cell types, where the file with the"
            " training cells (or test=TABLE, the test cells) has none"
        ),
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
        "--log-base",
        action="append",
        default=[],
        metavar="[ROLE=]BASE",
        help="undo logarithms to this base: 2, e or 10",
    )
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
        "--stop-early",
        action="store_true",
        help=(
            "keep the gene weights of the iteration that does best on held-back training cells;"
            " the numbers then differ from those published"
        ),
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


def settle(options: argparse.Namespace) -> tuple[str, bool]:
    """Check the options as a whole.

    Returns
    -------
    The model, and whether another method than DTD and ADTD is asked for.

    Raises
    ------
    InvalidParameter
        Options that contradict each other or have no effect, a file that is not there, a folder
        that cannot be written to.
    """
    files = ("train", "test", "reference", "bulk", "clinical", "truth", "labels")
    if options.example and any(getattr(options, name) for name in files):
        raise InvalidParameter("--example brings its own data and takes no files.")
    other_method = methods.settle(options)
    if not options.example and options.train is None:
        _check_reference_only(options)
    if not options.example and options.out is None:
        raise InvalidParameter("--out FOLDER is missing.", advice="Give the folder for the tables.")
    options.parameters = None
    if options.template is not None:
        if options.recommended or other_method:
            raise InvalidParameter(
                "--template holds parameters of DTD and ADTD, and has no effect here.",
                advice="Leave out --template, or --recommended and --method.",
            )
        template.settle(options)
    if options.recommended:
        _recommend(options)
    model = options.model or ("deconomix+h,r" if options.example else "deconomix")
    _check_options(options, "" if other_method else model)
    gene_options.check_options(options, "" if other_method else model)
    if options.out is not None:
        _check_out(options.out)
    return model, other_method


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


def _check_options(options: argparse.Namespace, model: str) -> None:
    """What would else be refused in the words of the form, or without the path."""
    for role in ("train", "test", "reference", "bulk"):
        path: Path | None = getattr(options, role)
        if path is not None and not path.exists():
            raise InvalidParameter(
                f"There is no file {path}.", advice=f"Check the path given with --{role}."
            )
    options.label_tables = _label_tables(options)
    sample_tables.check_options(options)
    analyses.check_options(options, model)
    if options.genes < 0 or options.genes == 1:
        raise InvalidParameter(
            f"--genes is {options.genes}; allowed: a whole number from 2, or 0 for all genes."
        )
    if options.lambda2 != "search":
        try:
            usable, advice = parse_number(options.lambda2) > 0, None
        except InvalidParameter as error:
            usable, advice = False, error.advice
        if not usable:
            raise InvalidParameter(
                f"--lambda2 is “{options.lambda2}”; allowed: a number above 0, or search.",
                advice=advice,
            )


def _label_tables(options: argparse.Namespace) -> dict[str, Path]:
    """The tables of cell types by the role of the cells: ``--labels TABLE`` or ``ROLE=TABLE``.

    Raises
    ------
    InvalidParameter
        A table is not there, or is for cells that are not given.
    """
    found: dict[str, Path] = {}
    for text in options.labels:
        first, _, rest = text.partition("=")
        role, path = (first, Path(rest)) if rest and first in _OF_CELLS else ("train", Path(text))
        if getattr(options, role) is None:
            raise InvalidParameter(
                f"--labels {text} has no cells to name.",
                advice=f"Give the cells with --{role} FILE, or leave the table out.",
            )
        if not path.is_file():
            raise InvalidParameter(
                f"There is no file {path}.", advice="Check the path given with --labels."
            )
        found[role] = path
    return found


_OF_CELLS = ("train", "test")


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
