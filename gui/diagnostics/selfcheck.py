"""The self-check: does this installation work on this computer, and if not, what to do?

No window and no traceback: every check ends in a sentence.

What only the window's side can see (its web view, the ports of its server) comes in as further
checks, from ``desktop/doctor.py``.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import stat
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gui import __version__
from gui.config import ENV_NAME, Config, default_path, load_config
from gui.diagnostics import access_list
from gui.errors import DeconomixError
from gui.versions import ENGINE, PACKAGES, version

log = logging.getLogger(__name__)

PYTHONS = (3, 11), (3, 14)
"""The first version that works, and the first that does not."""
ROOM = 1_000_000_000
"""Bytes that should be free where sessions are saved: a file is written whole beside the old one.
"""
REINSTALL = "Install the program again."

EXPECTED = {
    "naive B cells": (0.2021356, 1e-5),
    "naive Monocytes": (0.2453038, 1e-5),
    "naive T cells": (0.2467011, 1e-5),
    "DTD B cells": (0.2013029, 2e-3),
    "DTD Monocytes": (0.2928440, 2e-3),
    "DTD T cells": (0.2379131, 2e-3),
    "ADTD hidden": (0.2271047, 2e-3),
    "ADTD Monocytes": (0.1157910, 2e-3),
}
"""Name -> (mean share over the samples of the built-in example, how far off it may be): what
:func:`tiny_analysis` finds.

Made by that very function with deconomix 1.0.2, torch 2.13.0 and one BLAS thread on x86-64, where
OpenBLAS as for Haswell, Nehalem and Prescott (OPENBLAS_CORETYPE) gives the same to 1e-12. DTD
learns in float32 and another BLAS may move its third digit, ADTD rests on it: hence the wider
bounds. A wrong algorithm, weights that were not learned (naive is 0.05 off for monocytes) or a
broken solver are far outside of them.
"""


@dataclass(frozen=True)
class Check:
    """One line of the table. result : a sentence or a few facts; advice : what to do, "" where
    nothing has to be done.
    """

    name: str
    ok: bool
    result: str
    advice: str = ""


Look = Callable[[], Check]
"""Looks at one thing; may raise anything."""


def guarded(name: str, look: Look) -> Check:
    """The check, or why it could not be made: in a sentence, whatever was raised."""
    try:
        return look()
    except DeconomixError as error:
        return Check(name, False, str(error), error.advice or REINSTALL)
    except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
        log.warning("check failed: %s", type(error).__name__)
        return Check(name, False, f"This could not be checked ({type(error).__name__}).", REINSTALL)


def examine(
    config: Config | None = None,
    *,
    path: Path | None = None,
    more: Mapping[str, Look] | None = None,
    plugin_errors: Sequence[Exception] | None = None,
) -> list[Check]:
    """All checks, in the order of the table.

    Takes about 10 s, most of it for the tiny analysis in a process of its own.

    config : that of the running program; without it the file at ``path`` (or the usual one) is read
    more : further checks by name; plugin_errors : what the running program left out (without it the
        plug-ins are loaded)
    """
    found = [
        guarded("Program", program),
        guarded("System", system),
        guarded("Packages", packages),
        guarded("Engine", engine),
    ]
    if config is None:
        try:
            config = load_config(path)
            found.append(guarded("Configuration", lambda: configuration(path)))
        except DeconomixError as error:
            config = Config()
            found.append(
                Check(
                    "Configuration",
                    False,
                    str(error),
                    error.advice or "Correct the file, or move it away: then the defaults count.",
                )
            )
    else:
        found.append(Check("Configuration", True, "valid"))
    chosen: Config = config
    for name, folder, what in folders(chosen):
        found.append(
            guarded(
                name,
                lambda name=name, folder=folder, what=what: usable_folder(name, folder, **what),  # type: ignore[misc]
            )
        )
    found.append(guarded("Permissions", lambda: permissions(chosen)))
    found.append(guarded("Plug-ins", lambda: plugins(chosen, plugin_errors)))
    for name, look in (more or {}).items():
        found.append(guarded(name, look))
    found.append(guarded("Analysis", lambda: analysis(EXPECTED)))
    return found


# -- what is installed
# --------------------------------------------------------------------------------------------------


def program() -> Check:
    ok = PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]
    return Check(
        "Program",
        ok,
        f"DeconomiX GUI {__version__}, Python {platform.python_version()}",
        "" if ok else "Use Python 3.11, 3.12 or 3.13.",
    )


def system() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    libc = " ".join(filter(None, platform.libc_ver()))
    facts = [
        f"{platform.system()} {platform.release()}",
        platform.machine(),
        libc,
        f"{os.cpu_count()} processors",
    ]
    result = ", ".join(
        filter(
            None,
            [
                *facts,
                f"{memory.total / 1e9:.1f} GB of memory, {memory.available / 1e9:.1f} GB free",
            ],
        )
    )
    few = memory.available < 1e9
    return Check(
        "System",
        not few,
        result,
        "Close other programs: an analysis needs 1 GB or more." if few else "",
    )


def packages() -> Check:
    found = {name: version(name) for name in PACKAGES}
    missing = [name for name, number in found.items() if number == "missing"]
    if missing:
        return Check("Packages", False, f"Missing: {', '.join(missing)}.", REINSTALL)
    return Check(
        "Packages",
        True,
        ", ".join(
            f"{name} {found[name]}"
            for name in ("dash", "plotly", "numpy", "pandas", "scipy", "anndata", "pywebview")
        ),
    )


def engine() -> Check:
    found = {name: version(name) for name in ENGINE}
    # 2.13.0+cpu is 2.13.0
    wrong = [name for name, wanted in ENGINE.items() if found[name].partition("+")[0] != wanted]
    result = ", ".join(f"{name} {number}" for name, number in found.items())
    if wrong:
        wanted = " and ".join(f"{name} {ENGINE[name]}" for name in wrong)
        return Check(
            "Engine",
            False,
            f"{result}; the numbers are those of {wanted}.",
            f"Install {wanted}, or the program again.",
        )
    return Check("Engine", True, result)


def configuration(path: Path | None) -> Check:
    named = path or os.environ.get(ENV_NAME) or None
    file = Path(named).expanduser() if named else default_path()
    return Check(
        "Configuration",
        True,
        f"{file} is valid" if file.exists() else f"no file {file}: the defaults count",
    )


# -- folders
# --------------------------------------------------------------------------------------------------


def folders(config: Config) -> list[tuple[str, Path, dict[str, bool]]]:
    """Name of the check, folder, and what is asked of it."""
    written: dict[str, bool] = {"room": True}
    return [
        ("Data folder", config.data_folder, written),
        ("Sessions folder", config.sessions_folder, written),
        ("Archive folder", config.archive_folder, written),
        ("Logs folder", config.logs_folder, {}),
        ("Config folder", default_path().parent, {"write": False}),
        ("Plug-ins folder", config.plugins_folder, {"write": False}),
    ]


def usable_folder(name: str, folder: Path, *, write: bool = True, room: bool = False) -> Check:
    """Whether the folder is there or can be made, can be written (by writing, where it is there)
    and has room.
    """
    place = folder
    while not place.exists() and place.parent != place:
        place = place.parent
    if not place.is_dir():
        return Check(
            name,
            False,
            f"{place} is not a folder.",
            "Move it away, or choose another folder in the configuration.",
        )
    if write and not (_writable(place) if place == folder else os.access(place, os.W_OK | os.X_OK)):
        return Check(
            name,
            False,
            f"{place} cannot be written.",
            "Allow your user to write there, or choose another folder in the configuration.",
        )
    if not os.access(place, os.R_OK | os.X_OK):
        return Check(
            name,
            False,
            f"{place} cannot be read.",
            "Allow your user to read it, or choose another folder in the configuration.",
        )
    free = shutil.disk_usage(place).free
    if room and free < ROOM:
        return Check(
            name,
            False,
            f"{folder}: only {free / 1e9:.1f} GB are free.",
            "Make room on this drive: 1 GB at least.",
        )
    there = "" if place == folder else ", not there yet: made when it is needed"
    return Check(name, True, f"{folder}{there}" + (f", {free / 1e9:.0f} GB free" if room else ""))


def _writable(folder: Path) -> bool:
    """By trying: rights, a drive mounted to be read only, a full disk."""
    probe = folder / f".doctor.{os.getpid()}.part"
    try:
        with open(probe, "xb", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(b"x")
        probe.unlink()
    except OSError:
        probe.unlink(missing_ok=True)
        return False
    return True


def permissions(config: Config) -> Check:
    """Sessions and logs belong to their owner alone: folders 0700, files 0600; on Windows by their
    access lists.
    """
    if os.name != "posix":
        return access_lists(
            {
                config.data_folder,
                config.sessions_folder,
                config.archive_folder,
                config.logs_folder,
            }
        )
    places = {
        config.sessions_folder,
        config.archive_folder,
        config.data_folder / "trash",
        config.sessions_folder / "backups",
    }
    looked = [place for place in sorted(places) if place.is_dir()]
    files = [
        file
        for place in looked
        for file in place.iterdir()
        if file.is_file() and ".dcxsession" in file.name
    ]
    if config.logs_folder.is_dir():
        files += [
            file
            for file in config.logs_folder.iterdir()
            if file.name.startswith("deconomix-gui.log")
        ]
    open_folders = [place for place in looked if stat.S_IMODE(place.stat().st_mode) & 0o077]
    open_files = [file for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_folders or open_files:
        what = " and ".join(
            f"{len(found)} {kind}"
            for found, kind in ((open_folders, "folder(s)"), (open_files, "file(s)"))
            if found
        )
        where = (open_folders or [open_files[0].parent])[0]
        return Check(
            "Permissions",
            False,
            f"Other users of this computer may read {what} of the program.",
            f"Take their rights away: chmod -R go= '{where}'",
        )
    return Check(
        "Permissions",
        True,
        f"{len(looked)} folders and {len(files)} files of sessions and logs are readable by you"
        " alone",
    )


def access_lists(folders: Iterable[Path]) -> Check:
    """Whether Windows keeps others from these folders, as far as they are there.

    Python makes them private from 3.11.10, 3.12.4 and 3.13 on; earlier versions, and folders that
    were made by hand, have the rights of the folder above.
    """
    looked, user = sorted(folder for folder in folders if folder.is_dir()), access_list.user_sid()
    for folder in looked:
        if others := access_list.other_readers(access_list.sddl_of(folder), user):
            return Check(
                "Permissions",
                False,
                f"Not only you may read {folder}, but also {', '.join(others)}.",
                "Take their rights away:"
                f' icacls "{folder}" /inheritance:r /grant:r "%USERNAME%:(OI)(CI)F"',
            )
    return Check("Permissions", True, f"{len(looked)} folders are readable by you alone")


def plugins(config: Config, errors: Sequence[Exception] | None = None) -> Check:
    """Whether every plug-in page loads."""
    if errors is None:
        from gui.registry import find_pages

        errors = find_pages(config.plugins_folder).errors
    if errors:
        return Check(
            "Plug-ins",
            False,
            " ".join(str(error) for error in errors),
            f"Mend the plug-in, or move it out of {config.plugins_folder}.",
        )
    return Check("Plug-ins", True, "every page loads")


# -- the engine at work
# --------------------------------------------------------------------------------------------------


def tiny_analysis(dataset: object, params: object, *, progress: Any) -> dict[str, float]:
    """Naive, DTD and ADTD on the built-in example, small: mean shares by the names of
    :data:`EXPECTED`.

    A task of the reading process.
    """
    from gui.data.example import make_example
    from gui.engine import tasks
    from gui.engine.params import ADTDParams, DTDParams

    data = make_example().dataset
    small = DTDParams(
        genes=100,
        iterations=20,
        train_mixtures=60,
        test_mixtures=30,
        train_cells=50,
        test_cells=50,
        seed=1,
    )
    dtd = tasks.run_dtd(data, small, progress=progress)
    adtd = tasks.run_adtd(
        data, ADTDParams(model="h", max_iterations=20), progress=progress, dtd=dtd
    )
    means = {
        "naive": dtd.naive["bulk"].mean(axis=1),
        "DTD": dtd.composition["bulk"].mean(axis=1),
        "ADTD": adtd.composition.mean(axis=1),
    }
    found = {
        f"{method} {name}": float(share)
        for method, shares in means.items()
        for name, share in shares.items()
    }
    return {**found, "ADTD hidden": float(adtd.hidden.mean())}


def analysis(expected: Mapping[str, tuple[float, float]] = EXPECTED) -> Check:
    """:func:`tiny_analysis` in a process of its own: a library that ends its process there ends
    nothing else.
    """
    from gui.errors import UnreadableFile
    from gui.jobs.reader import Reader

    reader = Reader(warm_up=None)
    try:
        found: dict[str, float] = reader(tiny_analysis, None, name="the example")
    except UnreadableFile:  # how a reader says that its process ended
        return Check(
            "Analysis",
            False,
            "The engine ended its process on a tiny analysis.",
            f"{REINSTALL} If that does not help, report it as a fault.",
        )
    finally:
        reader.stop()
    wrong = {
        name: (found.get(name, float("nan")), share)
        for name, (share, bound) in expected.items()
        if not abs(found.get(name, 1e9) - share) <= bound
    }
    if wrong:
        name, (got, share) = next(iter(wrong.items()))
        result = (
            f"{len(wrong)} of {len(expected)} numbers are not the expected ones, such as {name}:"
            f" {got:.5f} instead of {share:.5f}."
        )
        return Check(
            "Analysis", False, result, "Do not trust results of this installation. " + REINSTALL
        )
    return Check(
        "Analysis",
        True,
        f"naive, DTD and ADTD on the example: {len(expected)} of {len(expected)} numbers as"
        " expected",
    )


WIDTHS = 15, 62, 46
"""Of the columns check, result and what to do; longer text goes on below."""


def table(checks: Sequence[Check]) -> str:
    """Aligned plain text: state, check, result, what to do; and a last line that says it all."""
    rows = [
        ("", "Check", "Result", "What to do"),
        *((("ok" if c.ok else "FAILED"), c.name, c.result, c.advice) for c in checks),
    ]
    lines: list[str] = []
    for state, *texts in rows:
        columns = [
            textwrap.wrap(text, width, break_on_hyphens=False) or [""]
            for text, width in zip(texts, WIDTHS, strict=True)
        ]
        for number in range(max(map(len, columns))):
            cells = [column[number] if number < len(column) else "" for column in columns]
            shown = [
                f"{state if number == 0 else '':<7}",
                *(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)),
            ]
            lines.append(" ".join(shown).rstrip())
    return "\n".join([*lines, "", summary(checks)])


def summary(checks: Sequence[Check]) -> str:
    bad = [check.name for check in checks if not check.ok]
    return (
        f"{len(bad)} of {len(checks)} checks failed: {', '.join(bad)}."
        if bad
        else f"All {len(checks)} checks are passed."
    )
