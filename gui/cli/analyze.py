"""Commands without a screen: ``deconomix-gui analyze`` and doors to ``check`` and ``doctor``.

Nothing heavy is imported before the arguments are understood.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gui.cli import methods
from gui.cli.batch import analyze_batch
from gui.cli.console import ConsoleProgress, one_blas_thread, say
from gui.cli.methods import MODELS
from gui.cli.options import parser, settle
from gui.cli.output import FILES, Output
from gui.diagnostics.selfcheck import Check, Look
from gui.errors import DeconomixError
from gui.result_folder import recover

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FILES", "MODELS", "Check", "analyze", "check", "doctor", "one_blas_thread", "parser"]


def analyze(argv: Sequence[str]) -> int:
    """Run a whole analysis.

    Progress on stderr; exit code 0, or 2 with one line on stderr, 130 when interrupted: then it
    says what was written.
    """
    one_blas_thread()
    output = Output()
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


def _analyze(options: argparse.Namespace, output: Output) -> None:
    model, other_method = settle(options)
    if options.out is not None and recover(options.out, FILES):
        say(
            f"Note: An earlier analysis was interrupted while it wrote to {options.out}; the"
            " previous files were restored.",
            sys.stderr,
        )
    if other_method:
        _analyze_by_method(options, output)
        return
    from gui.cli import pipeline

    pipeline.run(options, model, output)


def _analyze_by_method(options: argparse.Namespace, output: Output) -> None:
    """By another method than DTD or ADTD: without training, and without gene weights."""
    from gui.cli.pipeline import load

    loaded = load(options)
    tables, record, notes, said = methods.analyse(
        options, loaded.dataset, loaded.repairs, loaded.about_samples, ConsoleProgress()
    )
    if options.out is not None:
        output.write(options.out, tables, record)
    sources = [f"{source.name}: {n}" for source in loaded.dataset.sources for n in source.notes]
    for text in (*sources, *loaded.about_samples.notes, *notes):
        say(f"Note: {text}", sys.stderr)
    for text in said:
        say(f"Result: {text}", sys.stderr)
    if loaded.example is not None:
        mean = tables["composition_bulk.csv"].mean(axis=1).rename("mean fraction")
        say(mean.round(4).to_frame().to_string(), sys.stdout)
    if options.out is not None:
        say(f"Written to {options.out}", sys.stderr)


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
