"""``deconomix-gui check FILE``: what the data doctor says about a file, without a screen.

Never a traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, cast

from gui.cli.console import Parser, say
from gui.errors import DeconomixError, InvalidParameter

if TYPE_CHECKING:
    from gui.data.dataset import Role
    from gui.data.validation.findings import Finding

ROLES = ("train", "test", "reference", "bulk", "clinical", "truth")
EPILOG = """\
examples:
  deconomix-gui check cells.h5ad --role train
  deconomix-gui check bulk.csv --role bulk --against cells.h5ad --json
Exit code 0: the file is accepted (maybe with a warning); 2: it is refused."""
REFUSED = 2
BETWEEN = (
    "alike-labels",
    "foreign-test-type",
    "type-not-in-test",
    "cells-in-both",
    "type-not-in-reference",
)
"""Findings on two files, whichever of them they are noted at."""


def parser(prog: str = "deconomix-gui check") -> argparse.ArgumentParser:
    """The options of ``check``. Wrong ones raise InvalidParameter; ``--help`` exits."""
    cli = Parser(
        prog=prog,
        description=(
            "Check whether a file can be used, what is wrong with it and how to repair it."
        ),
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    cli.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the file to check; .dcx and .dcxsession need no role",
    )
    cli.add_argument("--role", choices=ROLES, help="role of the file")
    cli.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help=(
            "a file that it has to match: training cells (for these test cells, a reference or a"
            " bulk), or for clinical data and truth the bulk (and for truth the training cells);"
            " may be given several times"
        ),
    )
    cli.add_argument(
        "--json", action="store_true", help="print the outcome and the findings as JSON"
    )
    return cli


def check(argv: Sequence[str], *, apart: bool = False) -> int:
    """Print the findings; exit code 0 (accepted) or 2 (refused, or wrong options).

    Parameters
    ----------
    apart
        Read the file in a separate process, so that a file that crashes a library is refused in a
        sentence, too.
    """
    try:
        options = parser().parse_args(argv)
    except InvalidParameter as error:
        return _refuse(error)
    try:
        found = _apart(options) if apart else _findings(options)
    except InvalidParameter as error:
        return _refuse(error)
    except DeconomixError as error:
        found = [_broken(error, options)]
    except KeyboardInterrupt:
        say("Interrupted.", sys.stderr)
        return 130
    except MemoryError:
        found = [_broken(DeconomixError("There is not enough memory to check this file."), options)]
    except Exception as error:  # noqa: BLE001 - whatever a file brings about is said in a sentence
        found = [
            _broken(
                DeconomixError(f"This file caused an unexpected error ({type(error).__name__})."),
                options,
            )
        ]
    _report(found, options.json)
    return REFUSED if _outcome(found) == "refuse" else 0


def _refuse(error: InvalidParameter) -> int:
    say(" ".join(filter(None, (f"deconomix-gui: {error}", error.advice))), sys.stderr)
    return REFUSED


def _outcome(found: Sequence[Finding]) -> str:
    from gui.data.validation.findings import outcome

    return outcome(found)


def _report(found: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        proposed = dict.fromkeys(
            x.repair for x in found if x.repair is not None and x.severity != "info"
        )
        shown = {
            "outcome": _outcome(found),
            "findings": [finding.as_json() for finding in found],
            "repairs": [repair.record() for repair in proposed],
        }
        say(json.dumps(shown, ensure_ascii=True, indent=2, allow_nan=False), sys.stdout)
        return
    say(_outcome(found), sys.stdout)
    for finding in found:
        repair = f" Repair: {finding.repair.title()}." if finding.repair is not None else ""
        text = " ".join(filter(None, (finding.message, finding.advice))) + repair
        say(f"  {finding.severity}: {text}", sys.stdout)


def _broken(error: DeconomixError, options: argparse.Namespace) -> Finding:
    from gui.data.validation.findings import FINDINGS, Place

    return FINDINGS["unreadable"].of(error, Place(options.file.name, options.role or ""))


def findings_task(
    dataset: object, params: argparse.Namespace, *, progress: object
) -> list[Finding]:
    """:func:`_findings` as a task of the reading process."""
    from gui.data.readers.watchdog import watched

    with watched([params.file, *params.against]):
        return _findings(params)


def _apart(options: argparse.Namespace) -> list[Finding]:
    from gui.jobs.reader import Reader

    # what the process says of its end is for a log, not for who asked
    logging.getLogger("gui").addHandler(logging.NullHandler())
    # the process imports what the file needs; what its answer needs is imported here meanwhile
    reader = Reader(warm_up=None)
    Thread(target=import_module, args=("gui.data.validation.findings",), daemon=True).start()
    try:
        found: list[Finding] = reader(findings_task, options, name=options.file.name)
    finally:
        reader.stop()
    return found


def _findings(options: argparse.Namespace) -> list[Finding]:
    """All findings on the file. DeconomixError: it cannot even be looked at."""
    path: Path = options.file
    for each in (path, *options.against):
        if not each.exists() and each is not path:
            raise InvalidParameter(
                f"There is no file {each}.", advice="Check the path given with --against."
            )
    kind = _whole(path)
    if kind == "session":
        return _session(path)
    if kind == "dcx":
        return _examined({"train": path}, path)
    if options.role is None:
        raise InvalidParameter(
            "--role is missing.", advice=f"Give the role of the file: {', '.join(ROLES)}."
        )
    if options.role == "clinical":
        from gui.data.samples.clinical import examine_clinical

        return examine_clinical(path, path.name, samples=_samples(options.against))
    if options.role == "truth":
        from gui.data.samples.known_composition import examine_known_composition

        return examine_known_composition(
            path, path.name, samples=_samples(options.against), types=_types(options.against)
        )
    role = cast("Role", options.role)
    files: dict[Role, Path] = {role: path}
    for other in options.against:
        files.setdefault(
            "train" if "train" not in files else _role_of(other, files["train"]), other
        )
    return _examined(files, path)


def _whole(path: Path) -> str:
    """ "session" or "dcx" for a file that needs no role, else ""."""
    from gui.data.readers.read import file_kind

    if not path.is_file():
        return ""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        if b"mimetype" in file.read(64) or path.suffix.lower() == ".dcxsession":
            return "session"
    try:
        return "dcx" if file_kind(path, path.name) == "dcx" else ""
    except DeconomixError:
        return ""


def _role_of(path: Path, train: Path) -> Role:
    """Return the role of a file beside the training cells: test, reference or bulk.

    It is a bulk unless it has cell types of theirs.
    """
    types = _labels_in("train", train)
    for role in ("test", "reference"):
        found = _labels_in(role, path)
        if not types.keys().isdisjoint(found) and (role == "reference" or max(found.values()) > 1):
            return role
    return "bulk"


def _labels_in(role: Role, path: Path) -> dict[str, int]:
    """Return each cell type in a file, normalised, with its number of columns."""
    from gui.data.readers.read import FileChoice, read_all
    from gui.data.validation.repairs_types import plain_label

    # what is wrong with the file is found when it is read in its role
    with contextlib.suppress(DeconomixError):
        part = read_all({role: FileChoice.parse(path=path, name=path.name)})[0][role]
        names = part.matrix.columns if part.labels is None else part.labels
        return (
            Counter(plain_label(str(n)) for n in names if n is not None)
            if part.unlabelled is None
            else {}
        )
    return {}


def _examined(files: dict[Role, Path], path: Path) -> list[Finding]:
    """Return the findings in the file or with the others, which count only if unusable."""
    from gui.data.load import FileChoice, LoadRequest
    from gui.data.validation.examine import examine
    from gui.data.validation.findings import FINDINGS, Place
    from gui.data.validation.recognised import facts_text

    request = LoadRequest.parse(
        files={role: FileChoice.parse(path=p, name=p.name) for role, p in files.items()}
    )
    examination = examine(request)
    said = [
        FINDINGS["note"](Place(part.name, role), f"Recognised: {facts_text(part.facts)}.")
        for role, part in examination.parts.items()
        if part.name == path.name
    ]
    return said + [
        x
        for x in examination.findings
        if x.place.file in ("", path.name)
        or x.severity == "refusal"
        or len(files) == 1
        or x.code in BETWEEN
    ]


def _session(path: Path) -> list[Finding]:
    """Return the findings of a session file; of a protected one, those of its open part."""
    from gui.data.validation.findings import FINDINGS, Place
    from gui.errors import WrongPassword
    from gui.sessions import file

    try:
        snapshot = file.load(path)
    except WrongPassword:
        return [
            FINDINGS["session-protected"](
                Place(path.name),
                f"The session {path.name} is protected: its contents cannot be checked without its"
                " password.",
            )
        ]
    return [
        FINDINGS["session"](
            Place(path.name), f"{path.name} holds the session {snapshot.name}, which can be opened."
        )
    ]


def _samples(against: Sequence[Path]) -> list[str] | None:
    """The samples of the bulk among the files; None without one."""
    from gui.data.readers.read import FileChoice, read_all

    for path in against:
        if not _has_labels(path):
            part = read_all({"bulk": FileChoice.parse(path=path, name=path.name)})[0]["bulk"]
            return [str(c) for c in part.matrix.columns]
    return None


def _types(against: Sequence[Path]) -> list[str] | None:
    """The cell types of the training cells among the files; None without any."""
    from gui.data.readers.read import FileChoice, read_all
    from gui.data.validation.check_parts import labelled

    for path in against:
        if _has_labels(path):
            cells = labelled(
                read_all({"train": FileChoice.parse(path=path, name=path.name)})[0]["train"]
            )
            return cells.types if cells is not None else None
    return None


def _has_labels(path: Path) -> bool:
    """Whether a file holds labelled cells: an .h5ad with a column of cell types."""
    from gui.data.readers.read import inspect_file

    return inspect_file(path, "train").label_column is not None
