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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gui.cli.console import Parser, say
from gui.errors import BadValues, DataError, DeconomixError, InvalidParameter

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


@dataclass(frozen=True)
class Recognised:
    """What was recognised in a file: facts, name -> what it is."""

    file: str
    role: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Checked:
    """findings : on the file; recognised : of each part that it was read as."""

    findings: list[Finding]
    recognised: tuple[Recognised, ...] = ()

    def answer(self) -> Answer:
        """What is said of it."""
        from gui.data.validation.findings import outcome

        proposed = dict.fromkeys(
            x.repair for x in self.findings if x.repair is not None and x.severity != "info"
        )
        lines: list[str] = [outcome(self.findings)]
        for finding in self.findings:
            repair = f" Repair: {finding.repair.title()}." if finding.repair is not None else ""
            text = " ".join(filter(None, (finding.message, finding.advice))) + repair
            lines.append(f"  {finding.severity}: {text}")
        shown = {
            "outcome": outcome(self.findings),
            "recognised": [asdict(one) for one in self.recognised],
            "findings": [finding.as_json() for finding in self.findings],
            "repairs": [repair.record() for repair in proposed],
        }
        return Answer(tuple(lines), shown)

    def with_note(self) -> Checked:
        """With what was recognised among the findings, before the others."""
        from gui.data.validation.findings import FINDINGS, Place
        from gui.data.validation.recognised import facts_text

        said = [
            FINDINGS["note"](Place(one.file, one.role), f"Recognised: {facts_text(one.facts)}.")
            for one in self.recognised
        ]
        return Checked([*said, *self.findings], self.recognised)


@dataclass(frozen=True)
class Answer:
    """Text and numbers only, so that whoever shows it imports nothing.

    Parameters
    ----------
    lines
        For people.
    shown
        For programs: ``outcome``, ``recognised``, ``findings``, ``repairs``.
    """

    lines: tuple[str, ...]
    shown: Mapping[str, Any]


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
        answer = _apart(options) if apart else _check(options).answer()
    except InvalidParameter as error:
        return _refuse(error)
    except DeconomixError as error:
        answer = _broken(error, options)
    except KeyboardInterrupt:
        say("Interrupted.", sys.stderr)
        return 130
    except MemoryError:
        answer = _broken(DeconomixError("There is not enough memory to check this file."), options)
    except Exception as error:  # noqa: BLE001 - whatever a file brings about is said in a sentence
        answer = _broken(
            DeconomixError(f"This file caused an unexpected error ({type(error).__name__})."),
            options,
        )
    if options.json:
        say(json.dumps(answer.shown, ensure_ascii=True, indent=2, allow_nan=False), sys.stdout)
    else:
        for line in answer.lines:
            say(line, sys.stdout)
    return REFUSED if answer.shown["outcome"] == "refuse" else 0


def _refuse(error: InvalidParameter) -> int:
    say(" ".join(filter(None, (f"deconomix-gui: {error}", error.advice))), sys.stderr)
    return REFUSED


def _broken(error: DeconomixError, options: argparse.Namespace) -> Answer:
    from gui.data.validation.findings import FINDINGS, Place

    place = Place(options.file.name, options.role or "")
    return Checked([FINDINGS["unreadable"].of(error, place)]).answer()


def check_task(dataset: object, params: argparse.Namespace, *, progress: object) -> Answer:
    """:func:`_check` as a task of the reading process."""
    from gui.data.readers.watchdog import watched

    with watched([params.file, *params.against]):
        return _check(params).answer()


def _apart(options: argparse.Namespace) -> Answer:
    from gui.jobs.reader import Reader

    # what the process says of its end is for a log, not for who asked
    logging.getLogger("gui").addHandler(logging.NullHandler())
    # the process imports what the file needs; its answer needs nothing
    reader = Reader(warm_up=None)
    try:
        answer: Answer = reader(check_task, options, name=options.file.name)
    finally:
        reader.stop()
    return answer


def _check(options: argparse.Namespace) -> Checked:
    """All findings on the file. DeconomixError: it cannot even be looked at."""
    path: Path = options.file
    for each in (path, *options.against):
        if not each.exists() and each is not path:
            raise InvalidParameter(
                f"There is no file {each}.", advice="Check the path given with --against."
            )
    kind = _whole(path)
    if kind == "session":
        return Checked(_session(path))
    if kind == "dcx":
        return _examined({"train": path}, path)
    if options.role is None:
        raise InvalidParameter(
            "--role is missing.", advice=f"Give the role of the file: {', '.join(ROLES)}."
        )
    if options.role == "clinical":
        return _clinical(path, _samples(options.against))
    if options.role == "truth":
        return _known_composition(path, _samples(options.against), _types(options.against))
    role = cast("Role", options.role)
    files: dict[Role, Path] = {role: path}
    for other in options.against:
        files.setdefault(
            "train" if "train" not in files else _role_of(other, files["train"]), other
        )
    return _examined(files, path)


def _whole(path: Path) -> str:
    """ "session" or "dcx" for a file that needs no role, else ""."""
    from gui.data.readers.file_kind import file_kind
    from gui.sessions.container import MIMETYPE

    if not path.is_file():
        return ""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        # OpenDocument files and e-books begin with another mimetype
        if b"mimetype" + MIMETYPE in file.read(128) or path.suffix.lower() == ".dcxsession":
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
    from gui.data.readers.options import FileChoice
    from gui.data.readers.read import read_all
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


def _clinical(path: Path, samples: list[str] | None) -> Checked:
    from gui.data.samples.clinical import ClinicalChoice, read_clinical
    from gui.data.samples.clinical_findings import clinical_findings
    from gui.data.samples.sample_facts import clinical_facts
    from gui.data.validation import findings as f

    try:
        read = read_clinical(ClinicalChoice(path=path), samples)
    except DataError as error:
        return Checked([f.Unreadable.of(error, f.Place(path.name, "clinical"))])
    return Checked(
        clinical_findings(read, samples),
        (Recognised(path.name, "clinical", clinical_facts(read, samples)),),
    ).with_note()


def _known_composition(path: Path, samples: list[str] | None, types: list[str] | None) -> Checked:
    from gui.data.samples.known_composition import (
        KnownCompositionChoice,
        known_composition_findings,
        read_known_composition,
    )
    from gui.data.samples.sample_facts import composition_facts
    from gui.data.validation import findings as f

    try:
        read = read_known_composition(KnownCompositionChoice(path=path), samples, types)
    except DataError as error:
        kind = f.NotANumber if isinstance(error, BadValues) else f.Unreadable
        return Checked([kind.of(error, f.Place(path.name, "truth"))])
    return Checked(
        known_composition_findings(read, samples, types, None),
        (Recognised(path.name, "truth", composition_facts(read, samples)),),
    ).with_note()


def _examined(files: dict[Role, Path], path: Path) -> Checked:
    """Return the findings in the file or with the others, which count only if unusable."""
    from gui.data.load import FileChoice, LoadRequest
    from gui.data.validation.examine import examine

    request = LoadRequest.parse(
        files={role: FileChoice.parse(path=p, name=p.name) for role, p in files.items()}
    )
    examination = examine(request)
    seen = tuple(
        Recognised(part.name, role, part.facts)
        for role, part in examination.parts.items()
        if part.name == path.name
    )
    found = [
        x
        for x in examination.findings
        if x.place.file in ("", path.name)
        or x.severity == "refusal"
        or len(files) == 1
        or x.code in BETWEEN
    ]
    return Checked(found, seen).with_note()


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
    from gui.data.readers.options import FileChoice
    from gui.data.readers.read import read_all

    for path in against:
        if not _has_labels(path):
            part = read_all({"bulk": FileChoice.parse(path=path, name=path.name)})[0]["bulk"]
            return [str(c) for c in part.matrix.columns]
    return None


def _types(against: Sequence[Path]) -> list[str] | None:
    """The cell types of the training cells among the files; None without any."""
    from gui.data.readers.options import FileChoice
    from gui.data.readers.read import read_all
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
    from gui.data.readers.inspection import inspect_file

    return inspect_file(path, "train").label_column is not None
