"""The support bundle: what a helper needs to understand a fault, and nothing that tells whose data
it is.

What is not known to be harmless is left out: of paths only which of the program's own folders they
lie in, of sessions only ids, sizes and states. The log holds no names anyway (``gui/logs.py``);
names that are known are taken out here once more.
"""

from __future__ import annotations

import getpass
import io
import os
import platform
import re
import socket
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gui import __version__
from gui.config import Config, default_path
from gui.diagnostics.selfcheck import Check, Look, examine, table
from gui.logs import FILE_NAME
from gui.program import Program
from gui.sessions.actor import LOCAL
from gui.sessions.rules import ID
from gui.versions import versions

LOG_LINES = 600
"""Of the log's end that go along."""
SHORTEST = 3
"""Letters of a name that is looked for: a shorter one would be found in every other word, and says
nothing.
"""
ABOUT = """\
Support bundle of DeconomiX GUI, made {made:%Y-%m-%d %H:%M}

doctor.txt    what the self-check says
versions.txt  of the program and the packages it uses
config.txt    the configuration; folders and addresses that were set read "(set)"
settings.txt  window, zoom and colours
sessions.txt  id, state and size of each session; no name, no data
log.txt       the end of the log

Left out or replaced: data, names of samples, sessions and files, the names of user and
computer, paths below your folder. Still, read it before you pass it on.
"""


@dataclass(frozen=True)
class Redactor:
    """places : folder -> the word for it; names : name -> the word for it"""

    places: Mapping[str, str]
    names: Mapping[str, str]

    def __call__(self, text: str) -> str:
        """The text without what tells who and where."""
        return "\n".join(self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        for place in sorted(self.places, key=len, reverse=True):
            # what follows below it may be anybody's words, with blanks in it: cut to the quotation
            # mark that ends it, or the end of the line
            found = rf"{re.escape(place)}(?:([\\/])[^'\"”»]*|(?![\w-]))"
            line = re.sub(
                found,
                lambda match, word=self.places[place]: f"{word}/…" if match[1] else word,
                line,
                flags=_CASE,
            )  # type: ignore[misc]
        line = _PATH.sub("[path]", line)
        for name in sorted(self.names, key=len, reverse=True):
            line = re.sub(
                rf"(?<![^\W_]){re.escape(name)}(?![^\W_])",
                self.names[name],
                line,
                flags=re.IGNORECASE,
            )
        return line


_CASE = re.IGNORECASE if os.name == "nt" else 0
_PATH = re.compile(
    r"(?<![\w/:.\]~\\])(?:/(?=[^\s/])|[A-Za-z]:[\\/]|\\\\(?=\w)|~[\\/](?!…))[^'\"”»]*"
)
"""A path that is in none of the known folders, to the quotation mark that ends it or to the end of
the line.
"""


def redactor(program: Program) -> Redactor:
    """For what this program wrote on this computer."""
    config = program.config
    own = {
        config.sessions_folder: "[sessions folder]",
        config.archive_folder: "[archive folder]",
        config.logs_folder: "[logs folder]",
    }
    own |= {
        config.plugins_folder: "[plug-ins folder]",
        config.data_folder: "[data folder]",
        Path(sys.prefix): "[Python]",
        Path.home(): "~",
    }
    own[default_path().parent] = "[config folder]"
    places = {
        str(form): word
        for place, word in own.items()
        for form in (place, place.resolve())
        if form != form.parent
    }
    names = dict.fromkeys(_users(), "[user]") | dict.fromkeys(_hosts(), "[computer]")
    names |= dict.fromkeys(_sessions_names(program), "[session]")
    return Redactor(places, {name: word for name, word in names.items() if len(name) >= SHORTEST})


def _users() -> set[str]:
    found = {
        Path.home().name,
        *(os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")),
    }
    with suppress(Exception):  # no such user: a container
        found.add(getpass.getuser())
    return found - {""}


def _hosts() -> set[str]:
    found = {socket.gethostname(), platform.node(), os.environ.get("COMPUTERNAME", "")}
    found |= {name.partition(".")[0] for name in found}
    return found - {"", "localhost"}


def _sessions_names(program: Program) -> set[str]:
    return {info.name for info in _sessions(program) if info.holds_data}


def _sessions(program: Program) -> list[Any]:
    return [
        *program.sessions.list_sessions(actor=LOCAL),
        *program.sessions.list_archived_sessions(actor=LOCAL),
    ]


# -- the files
# --------------------------------------------------------------------------------------------------


def bundle(
    program: Program,
    *,
    more: Mapping[str, Look] | None = None,
    redact: Callable[[str], str] | None = None,
) -> dict[str, str]:
    """Name -> text of every file, as it will be saved.

    Takes about 10 s (the self-check).

    more : further checks, see :func:`gui.diagnostics.selfcheck.examine`; redact : another one than
    :func:`redactor` makes (for tests)
    """
    clean = redact or redactor(program)
    checks = examine(program.config, more=more, plugin_errors=program.plugin_errors)
    return {
        "about.txt": ABOUT.format(made=datetime.now()),
        "doctor.txt": table(_clean(checks, clean)) + "\n",
        "versions.txt": _lines(
            {
                "deconomix-gui": __version__,
                "Python": platform.python_version(),
                **versions(),
            }.items()
        ),
        "config.txt": clean(_lines(plain_config(program.config))),
        "settings.txt": _lines(
            program.settings.get().model_dump(exclude={"recent", "folders"}).items()
        ),
        "sessions.txt": (
            "\n".join(["id, state, bytes, problem", *map(_session, _sessions(program))]) + "\n"
        ),
        "log.txt": clean(log_end(program.config.logs_folder)),
    }


def _clean(checks: Iterable[Check], clean: Callable[[str], str]) -> list[Check]:
    """Before they are laid out as a table, which breaks paths over lines.

    A plug-in's own message may say anything: only that there is one.
    """
    return [
        Check(
            c.name,
            c.ok,
            (
                clean(c.result)
                if c.name != "Plug-ins" or c.ok
                else "Not every plug-in could be loaded."
            ),
            clean(c.advice),
        )
        for c in checks
    ]


def _lines(items: Iterable[tuple[str, Any]]) -> str:
    return "".join(f"{name} = {value}\n" for name, value in items)


def plain_config(config: Config) -> list[tuple[str, str]]:
    """``section.key`` and value; of text that the user wrote (folders, addresses) only that it was
    set.
    """

    def walk(
        values: Mapping[str, Any], default: Mapping[str, Any], prefix: str
    ) -> Iterable[tuple[str, str]]:
        for key, value in values.items():
            if isinstance(value, dict):
                yield from walk(value, default[key], f"{prefix}{key}.")
            elif (
                value != default[key]
                and isinstance(value, str | list)
                and key not in ("engine", "theme", "action")
            ):
                yield f"{prefix}{key}", "(set)"
            else:
                yield f"{prefix}{key}", repr(value)

    return list(walk(config.model_dump(), type(config)().model_dump(), ""))


def _session(info: Any) -> str:
    states = [
        "archived" if info.archived else "active",
        "protected" if info.protected else "",
        "locked" if info.locked else "",
        info.state,
    ]
    # a damaged file is known by its name, which the user may have given
    name = info.session_id if ID.fullmatch(info.session_id) else "(no id)"
    problem = type(info.problem or info.reason).__name__ if info.problem or info.reason else ""
    return ", ".join([name, " ".join(filter(None, states)), str(info.size), problem])


def log_end(folder: Path, most: int = LOG_LINES) -> str:
    """The last lines of the log as they are, of its predecessor too where it was rotated just now;
    a sentence if there is none.
    """
    lines: list[str] = []
    for name in (f"{FILE_NAME}.1", FILE_NAME):
        with suppress(OSError):
            lines += (folder / name).read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-most:]) + "\n" if lines else "There is no log yet.\n"


def zipped(files: Mapping[str, str] | Sequence[tuple[str, str]]) -> bytes:
    """The files as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in dict(files).items():
            made.writestr(name, text.encode("utf-8", "replace"))
    return buffer.getvalue()
