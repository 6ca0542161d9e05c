"""Options of ``analyze`` for the genes: gene sets, markers, from which factor on.

Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import atexit
from pathlib import Path
from typing import TYPE_CHECKING

from gui.cli.console import decimal
from gui.errors import InvalidParameter

if TYPE_CHECKING:
    from gui.analyses.gene_params import GenesParams

FILES = (
    "genes_regulated.csv",
    "gene_sets.csv",
    "enrichment.csv",
    "enrichment_ranked.csv",
    "markers.csv",
    "hidden_profiles.csv",
    "hidden_markers.csv",
    "hidden_references.csv",
)
"""Everything that the analysis of genes may write."""


def add_options(cli: argparse.ArgumentParser) -> None:
    """The options."""
    cli.add_argument(
        "--enrich",
        metavar="SETS",
        help="test gene sets and markers in the gene regulation, and say what the hidden profile"
        " looks like; names of collections (hallmark, reactome, wikipathways, go_bp, go_cc, go_mf)"
        " and GMT files with commas between them, or “none” for no gene sets",
    )
    cli.add_argument(
        "--markers",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="a table of marker genes beside those of the program: CellMarker, PanglaoDB, or any"
        " with a column of cell types and one of genes (may be given several times)",
    )
    cli.add_argument(
        "--fold",
        type=decimal,
        metavar="X",
        help="a gene counts as regulated from this factor on (default 2)",
    )


def check_options(options: argparse.Namespace, model: str) -> None:
    """Refuse what can be refused before any file is read. InvalidParameter.

    Parameters
    ----------
    model
        "" for another method, which is asked when it is known what it can.
    """
    if options.enrich is None:
        for name in ("markers", "fold"):
            if getattr(options, name):
                raise InvalidParameter(
                    f"--{name} has no effect without --enrich.",
                    advice="Give --enrich hallmark, for instance.",
                )
        return
    if model and "+" not in model:
        raise InvalidParameter(
            f"--enrich needs a hidden background or gene regulation, and {model} has neither.",
            advice="Use it with --model deconomix+h,r or deconomix+h.",
        )
    for path in [*_files(options), *options.markers]:
        if not path.is_file():
            raise InvalidParameter(
                f"There is no file {path}.", advice="Check the path given with --enrich, --markers."
            )


def _names(options: argparse.Namespace) -> list[str]:
    names = [name.strip() for name in options.enrich.split(",") if name.strip()]
    return [] if names == ["none"] else names


def _files(options: argparse.Namespace) -> list[Path]:
    from gui.knowledge.gene_sets import SHIPPED

    return [Path(name) for name in _names(options) if name not in SHIPPED]


def genes_params(options: argparse.Namespace) -> GenesParams:
    """The parameters; files of the user are read now. InvalidParameter, UnreadableFile."""
    from gui.analyses.gene_params import SHIPPED_MARKERS, GenesParams
    from gui.data.readers.knowledge_file import read_knowledge
    from gui.data.readers.watchdog import watched
    from gui.knowledge.gene_sets import SHIPPED
    from gui.knowledge.own_files import OwnFiles
    from gui.temporary import TemporaryFolder

    sets = [name for name in _names(options) if name in SHIPPED]
    markers, folder = [SHIPPED_MARKERS], ""
    files = [
        *((path, "sets") for path in _files(options)),
        *((p, "markers") for p in options.markers),
    ]
    if files:
        place = TemporaryFolder()
        atexit.register(place.close)
        own, folder = OwnFiles(place.path), str(place.path)
        for path, kind in files:
            with watched([path]):
                found = read_knowledge(path, path.name)
            if found.kind != kind:
                wanted = "gene sets (GMT)" if kind == "sets" else "markers"
                raise InvalidParameter(f"{path.name} holds no {wanted}.")
            kept = own.keep(
                found.name, found.sha256, found.note, sets=found.sets, markers=found.markers
            )
            (sets if kind == "sets" else markers).append(kept.key)
    return GenesParams.parse(
        sets=tuple(dict.fromkeys(sets)),
        markers=tuple(dict.fromkeys(markers)),
        seed=options.seed,
        folder=folder,
        **({} if options.fold is None else {"fold": options.fold}),
    )
