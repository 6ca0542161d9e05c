"""The command ``doctor``: the self-check of :mod:`gui.diagnostics.selfcheck` as a table or JSON."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from gui import __version__
from gui.cli.console import Parser, say
from gui.diagnostics.selfcheck import Look, examine, table
from gui.errors import InvalidParameter
from gui.versions import versions

OK, FAILED, REFUSED = 0, 1, 2
"""Exit codes: all is well; something is not; the options are wrong."""


def parser(prog: str = "deconomix-gui doctor") -> argparse.ArgumentParser:
    """The options of ``doctor``. Wrong ones raise InvalidParameter; ``--help`` exits."""
    cli = Parser(
        prog=prog,
        description=(
            "Check this installation: versions, engine, folders, web view, a tiny analysis with"
            " known numbers, open ports. Takes about 10 seconds."
        ),
        epilog="Exit code 0: all checks passed; 1: a check failed, and its line says what to do.",
        allow_abbrev=False,
    )
    cli.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        help="configuration file to use instead of config.toml in the user configuration folder",
    )
    cli.add_argument(
        "--json", action="store_true", help="print the checks and all versions as JSON"
    )
    return cli


def doctor(argv: Sequence[str], *, more: Mapping[str, Look] | None = None) -> int:
    """Print the table; exit code 0 (all is well), 1 (something is not), 2 (wrong options)."""
    try:
        options = parser().parse_args(argv)
    except InvalidParameter as error:
        say(" ".join(filter(None, (f"deconomix-gui: {error}", error.advice))), sys.stderr)
        return REFUSED
    # what goes wrong stands in the table, once
    logging.getLogger("gui").addHandler(logging.NullHandler())
    try:
        found = examine(path=options.config, more=more)
    except KeyboardInterrupt:
        say("Interrupted.", sys.stderr)
        return 130
    if options.json:
        shown = {
            "ok": all(c.ok for c in found),
            "checks": [asdict(c) for c in found],
            "versions": {"deconomix-gui": __version__, **versions()},
        }
        say(json.dumps(shown, ensure_ascii=True, indent=2), sys.stdout)
    else:
        say(table(found), sys.stdout)
    return OK if all(check.ok for check in found) else FAILED
