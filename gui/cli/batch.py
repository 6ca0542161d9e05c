"""``analyze --batch``: the same analysis of every file in a folder, and one table of them all.

Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gui.cli.console import say
from gui.errors import DeconomixError, InvalidParameter

if TYPE_CHECKING:
    import pandas as pd

TABLE = "composition_batch.csv"
"""One row per file, sample and cell type."""


def analyze_batch(
    options: argparse.Namespace,
    analyze_one: Callable[[argparse.Namespace], tuple[Mapping[str, pd.DataFrame], str]],
) -> int:
    """Analyse each file of ``options.batch`` into a folder of its name in ``options.out``.

    A file that is refused is passed over; the others are analysed, and the end says which and why.

    Parameters
    ----------
    analyze_one
        Analyses the bulk samples of its options, writes them, and returns the tables by name, and
        what could not be computed although they were written.

    Returns
    -------
    int
        Exit code: 0, 2 where a file was refused or lacks a part, or 130 when interrupted.

    Raises
    ------
    InvalidParameter
        Nothing can be analysed.
    """
    files = _files(options)
    (options.out / TABLE).unlink(missing_ok=True)  # it would stand beside newer results
    refused: dict[str, str] = {}
    lacking: dict[str, str] = {}
    rows: list[pd.DataFrame] = []
    try:
        for number, path in enumerate(files, 1):
            say(f"File {number} of {len(files)}: {path.name}", sys.stderr)
            one = argparse.Namespace(
                **vars(options) | {"bulk": path, "out": options.out / path.name}
            )
            try:
                tables, failed = analyze_one(one)
            except DeconomixError as error:
                refused[path.name] = error.full_text
                continue
            except OSError as error:
                reason = error.strerror or "unknown error"
                refused[path.name] = f"Reading or writing failed: {reason}."
                continue
            rows.append(_tidy(path.name, tables))
            if failed:
                lacking[path.name] = failed
    except KeyboardInterrupt:
        say(f"Interrupted. {len(rows)} of {len(files)} files were analysed.", sys.stderr)
        return 130
    finally:  # what is done is in the table, whatever ended the batch
        _write(options.out, rows)
    say(f"Result: {len(rows)} of {len(files)} files were analysed.", sys.stderr)
    for name, reason in refused.items():
        say(f"Not analysed: {name}: {reason}", sys.stderr)
    for name, reason in lacking.items():
        say(f"Analysed in part: {name}: {reason}", sys.stderr)
    return 2 if refused or lacking else 0


def _files(options: argparse.Namespace) -> list[Path]:
    """Files of the folder by name, hidden ones left out. InvalidParameter."""
    if options.example or options.bulk is not None:
        raise InvalidParameter(
            "--batch takes the bulk samples from a folder.",
            advice="Leave out --bulk and --example, or --batch.",
        )
    if (options.train is None and options.reference is None) or options.out is None:
        raise InvalidParameter("--batch needs --train FILE (or --reference FILE) and --out FOLDER.")
    if not options.batch.is_dir():
        raise InvalidParameter(
            f"There is no folder {options.batch}.", advice="Check the path given with --batch."
        )
    if options.out.resolve() == options.batch.resolve():
        raise InvalidParameter(
            "--out is the folder of --batch.", advice="Give another folder with --out."
        )
    files = sorted(p for p in options.batch.iterdir() if p.is_file() and p.name[0] != ".")
    if not files:
        raise InvalidParameter(
            f"There are no files in {options.batch}.", advice="Give the folder of the bulk files."
        )
    return files


def _tidy(name: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per sample and cell type; intervals are empty where none were computed."""
    long = tables["composition_bulk.csv"].rename_axis(index="cell_type", columns="sample")
    long = long.T.stack().rename("fraction").reset_index()
    long = long.astype({"sample": str, "cell_type": str})
    if (intervals := tables.get("composition_intervals.csv")) is not None:
        bounds = intervals.reset_index()[["sample", "cell_type", "low", "high"]]
        long = long.merge(bounds, how="left", on=["sample", "cell_type"], validate="one_to_one")
    else:
        long = long.assign(low=float("nan"), high=float("nan"))
    return long.assign(unit="fraction of RNA", file=name).set_index("file")


def _write(out: Path, rows: list[pd.DataFrame]) -> None:
    """Write the table of all files that were analysed."""
    from gui.result_folder import replace_files

    if not rows:
        return
    import pandas as pd

    from gui.data.export import csv_bytes

    replace_files(out, {TABLE: csv_bytes(pd.concat(rows))}, (TABLE,))
    say(f"Written to {out / TABLE}", sys.stderr)
