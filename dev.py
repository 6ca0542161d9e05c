#!/usr/bin/env python3
"""Sets the program up and runs, tests, lints, measures or packs it.

Standard library only; Python 3.11 to 3.13.

    python3 dev.py run [ARGUMENTS]                     the program: its window, or without a display
        the example and a server
    python3 dev.py test [--fast] [--slow] [PYTEST...]  all tests; --fast leaves out browser and
        window, --slow adds the long ones
    python3 dev.py lint [ruff|format|mypy|imports]     all linters, or some
    python3 dev.py bench [--quick] [NAME...]           how long things take; truth: how right they
        are, on folders given by --data
    python3 dev.py bundle [--test] [OPTIONS]           this system's installer, into dist/; --test
        also tries what was built
    python3 dev.py wine [test|bundle|python]           the same on Windows' own Python, without a
        Windows (packaging/wine.py); needs Linux and root

Everything goes into .venv beside this file. A stamp in it tells whether it still fits
pyproject.toml and constraints.txt: if it does, nothing is installed and no installer is even
started.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit(
        "dev.py needs Python 3.11, 3.12 or 3.13; this is {}.{}. Start it with another one, for"
        " example: python3.11 dev.py".format(*sys.version_info)
    )

# after the check: an older Python has no such module and would not get to the sentence
import tomllib

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "dev-stamp"
WINDOWS, LINUX = sys.platform == "win32", sys.platform.startswith("linux")
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")

LIMIT, SLOW_LIMIT = 600, 5400
"""Seconds that one test may take."""
LONGEST_ROOT = 67
"""Characters that the path of this folder may have on Windows, where long paths are not allowed."""
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""Where the makers of torch keep the builds without CUDA (a tenth of the size; the engine never
uses a GPU).
"""
CUDA = re.compile(r"nvidia|cuda|triton")
"""Packages that only the default build of torch asks for."""
OTHER_FILES = (
    "DO NOT MATCH THE HASHES",
    "Hashes are required in --require-hashes mode",
    "No matching distribution found",
)
"""What pip says where an index serves other files than those whose hashes are pinned, or lacks
them.
"""
COMMANDS_OF_THE_PROGRAM = ("serve", "analyze", "check", "doctor", "--version", "--help", "-h")
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
BROWSER_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""The engine's numbers depend on the number of BLAS threads in the 5th digit."""
MEMORY = Path("/dev/shm")
"""Linux's disk in memory."""
ROOM = 4 << 30
"""Bytes: more than the folders of all tests have at once."""


def say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    say(text)
    raise SystemExit(1)


def call(
    command: Sequence[object], *, env: dict[str, str] | None = None, quiet: bool = False
) -> int:
    """Run a command in the project's folder; returns its exit code. It never outlives dev.py."""
    sys.stdout.flush()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        stdin=None if sys.stdin else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None,
        stderr=subprocess.DEVNULL if quiet else None,
    )
    try:
        return process.wait()
    except BaseException as stop:
        if not isinstance(stop, KeyboardInterrupt):  # Ctrl-C reaches the child by itself
            process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


# ---------------------------------------------------------------------------------- system packages


def privilege() -> list[str] | None:
    """What to put before a command that needs an administrator; None where we may not be one
    without being asked.
    """
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and call(["sudo", "-n", "true"], quiet=True) == 0:
        return ["sudo", "-n"]
    return None


def apt_install(packages: Sequence[str]) -> bool:
    """Install Debian packages if this is Debian or Ubuntu and we may; True if that worked."""
    if not packages:
        return True
    become = (
        privilege() if LINUX and shutil.which("apt-get") and shutil.which("dpkg-query") else None
    )
    if become is None:
        return False
    say(f"installing system packages: {' '.join(packages)}")
    # what a user of sudo -n may pass on is not ours to know, so the settings travel as arguments of
    # env
    apt = [
        *become,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-qq",
        "-o",
        "Dpkg::Use-Pty=0",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    call([*apt, "update"])  # an unreachable source is no reason to stop: the lists at hand may do
    return (
        call([*apt, "install", "-y", "--no-install-recommends", *map(todays_name, packages)]) == 0
    )


def todays_name(package: str) -> str:
    """libasound2 is libasound2t64 since Debian 13 and Ubuntu 24.04 (64-bit time), and so with
    others.
    """
    renamed = f"{package}t64"
    known = subprocess.run(
        ["apt-cache", "policy", renamed], capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout
    return renamed if "Candidate:" in known and "Candidate: (none)" not in known else package


def window_libraries() -> bool:
    """The system libraries of Qt, installed where possible; False (and a sentence that names them)
    where some stay missing.
    """
    if not LINUX:
        return True
    # standard library only, like this file: one list for both
    from desktop.toolkit import LIBRARIES

    def missing() -> dict[str, str]:
        # a process of its own each time: the loader of this one would remember what it did not find
        probe = (
            "import ctypes, sys\nfor name in sys.argv[1:]:\n try: ctypes.CDLL(name)\n except"
            " OSError: print(name)"
        )
        found = subprocess.run(
            [sys.executable, "-c", probe, *LIBRARIES],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        ).stdout.split()
        return {library: LIBRARIES[library] for library in found}

    lacking = missing()
    if lacking and apt_install(sorted(lacking.values())):
        lacking = missing()
    if lacking:
        say(
            f"the window needs system libraries that are missing here: {', '.join(lacking)} (on"
            f" Debian: apt-get install {' '.join(sorted(lacking.values()))})."
        )
    return not lacking


def browser() -> str | None:
    """An installed browser of the Chromium family."""
    return next(
        (
            path
            for path in [*map(shutil.which, BROWSERS), *BROWSER_PATHS]
            if path and Path(path).exists()
        ),
        None,
    )


def not_here(commands: dict[str, str]) -> list[str]:
    """Of packages with the command that each brings, those whose command is not there."""
    places = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return [
        package
        for package, command in commands.items()
        if shutil.which(command, path=places) is None
    ]


def tools_for_tests() -> str:
    """What browser and window tests need beside Python packages; returns the browser.

    Ends with a sentence where it cannot be had.
    """
    if LINUX:
        needed = {
            "chromium": browser(),
            "xvfb": shutil.which("xvfb-run"),
            "xauth": shutil.which("xauth"),
        }
        wished = {
            "nginx-light": "nginx",
            "openssl": "openssl",
            "desktop-file-utils": "desktop-file-validate",
            "appstream": "appstreamcli",
            "nsis": "makensis",
        }
        apt_install([package for package, path in needed.items() if path is None])
        apt_install(not_here(wished))  # tests that ask them skip where they cannot be had
    libraries = window_libraries()
    found = browser()
    if found is None:
        fail(
            "the browser tests need Chromium or Chrome; install one, or run: python3 dev.py test"
            " --fast"
        )
    if LINUX and not (shutil.which("xvfb-run") and shutil.which("xauth")):
        fail(
            "the window tests need xvfb-run and xauth; install them (on Debian: apt-get install"
            " xvfb xauth), or run: python3 dev.py test --fast"
        )
    if not libraries:
        fail(
            "the window tests need these libraries; install them, or run: python3 dev.py test"
            " --fast"
        )
    return found


# ------------------------------------------------------------------------------------------- Python


def fingerprint() -> str:
    """Over everything that decides what is installed: what the project asks for, the pinned
    versions, the Python.

    Tool settings do not count.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = json.dumps(
        [project["project"], project["build-system"], project["tool"]["setuptools"]], sort_keys=True
    )
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    return hashlib.sha256(
        "\0".join([asked, pins, sys.platform, *map(str, sys.version_info[:2])]).encode()
    ).hexdigest()


def too_deep(root: Path, *, windows: bool = WINDOWS) -> str:
    """What to do where Windows could not install the packages: their longest path has 190
    characters below .venv, and together there may be 259. "" where all is well.
    """
    if not windows or len(str(root)) <= LONGEST_ROOT or long_paths_allowed():
        return ""
    return (
        f"the path of this folder has {len(str(root))} characters, and Windows allows the packages"
        f" only {LONGEST_ROOT}: move the folder, for example to C:\\deconomix, or allow long paths"
        " (LongPathsEnabled, as Microsoft describes it)."
    )


def long_paths_allowed() -> bool:
    """Whether this Windows lets programs have paths above 260 characters."""
    try:
        import winreg

        with winreg.OpenKey(  # type: ignore[attr-defined,unused-ignore]
            winreg.HKEY_LOCAL_MACHINE,  # type: ignore[attr-defined,unused-ignore]
            r"SYSTEM\CurrentControlSet\Control\FileSystem",
        ) as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])  # type: ignore[attr-defined,unused-ignore]
    except (ImportError, OSError):
        return False


def set_up(extra: str = "") -> None:
    """Make .venv fit the project; with extra="dev" or "bundle" also those tools.

    Does nothing, quickly, where it fits already.
    """
    wanted = fingerprint()
    have = STAMP.read_text("utf-8").split() if STAMP.is_file() and PYTHON.exists() else []
    if have[:1] == [wanted] and extra in ("", *have[1:]):
        return
    if said := too_deep(ROOT):
        fail(said)
    STAMP.unlink(missing_ok=True)  # from here on unfinished
    make_venv()
    environment = {
        **os.environ,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
    }
    pip = [PYTHON, "-m", "pip", "install", "--no-warn-script-location"]
    if not sys.stdout.isatty():
        pip.append("-qq")  # errors only
    small = LINUX and cpu_torch(pip, environment)
    say("installing the Python packages (the first time this takes some minutes)")
    wanted_pins = VENV / "dev-requirements.txt"
    wanted_pins.write_text(requirements(extra, small_torch=small), "utf-8")
    if said := failure([*pip, "--require-hashes", "-r", wanted_pins], environment):
        if any(sign in said for sign in OTHER_FILES):
            fail(
                "the package index in use serves other files than those pinned in constraints.txt"
                " (pip names them above), so they were not installed. Use PyPI; or, if you trust"
                " that index, make constraints.txt anew from it (its head says how)."
            )
        fail(
            "the Python packages could not be installed; see what pip says above. Another start"
            " goes on from here."
        )
    # setuptools, which builds the project itself, is among the packages checked above; an isolated
    # build would fetch it again, unchecked
    if call([*pip, "--no-deps", "--no-build-isolation", "-e", "."], env=environment):
        fail("the program itself could not be installed; see what pip says above.")
    STAMP.write_text(
        " ".join([wanted, *({*have[1:], extra} if have[:1] == [wanted] else [extra])]) + "\n",
        "utf-8",
    )


def requirements(extra: str, *, small_torch: bool) -> str:
    """The lines of constraints.txt for the program, its build and one extra, with what these ask
    for in turn. small_torch : without what only CUDA needs.

    A build of torch for CPUs comes from a wheel on this machine or from the makers of torch. Its
    hash is none of those that PyPI gives for the version, so it is installed before and not
    checked; pip leaves what is there.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    asked += project["project"]["optional-dependencies"][extra] if extra else []
    chosen = {
        re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", line)[0]).lower()  # type: ignore[index]
        for line in asked
    }
    blocks: dict[str, str] = {}
    for block in re.split(r"\n(?=[a-z0-9])", (ROOT / "constraints.txt").read_text("utf-8")):
        if not block.startswith("#"):
            blocks[block.partition("==")[0].lower()] = block
    askers = {
        name: set(re.findall(r"^ +# +(?:via +)?([a-z0-9][a-z0-9.-]*)$", block, re.MULTILINE))
        for name, block in blocks.items()
    }
    while more := {
        name
        for name in blocks.keys() - chosen
        if any(
            asker in chosen and not (small_torch and asker == "torch" and CUDA.match(name))
            for asker in askers[name]
        )
    }:
        chosen |= more
    lines = [
        line
        for name, block in blocks.items()
        if name in chosen
        for line in block.splitlines()
        if not line.lstrip().startswith("#")
    ]
    return "\n".join(lines) + "\n"


def failure(command: Sequence[object], environment: dict[str, str]) -> str:
    """Run pip; "" if that worked, else what it wrote to stderr, which is shown as it comes."""
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            sys.stderr.write(line)
            sys.stderr.flush()
        return ("".join(said) or "failed") if process.wait() else ""
    except BaseException:
        process.terminate()
        process.wait()
        raise


def make_venv() -> None:
    """.venv with the Python that runs this file; one made with another Python version is
    replaced.
    """
    settings = VENV / "pyvenv.cfg"
    version = "{}.{}.".format(*sys.version_info[:2])
    if (
        PYTHON.exists()
        and settings.is_file()
        and re.search(
            rf"^version(_info)? = {re.escape(version)}", settings.read_text("utf-8"), re.MULTILINE
        )
    ):
        return
    if sys.prefix != sys.base_prefix and Path(sys.prefix).resolve() == VENV.resolve():
        fail(
            "start dev.py with another Python than the one in .venv: the folder has to be made"
            " anew."
        )
    if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
        apt_install([f"python{version.rstrip('.')}-venv"])
    say(f"making .venv with Python {version.rstrip('.')}")
    if call([sys.executable, "-m", "venv", "--clear", VENV]):
        fail(
            "no virtual environment could be made; on Debian and Ubuntu it needs the package"
            " python3-venv."
        )


def cpu_torch(pip: Sequence[object], environment: dict[str, str]) -> bool:
    """torch without CUDA, if there is one: from this machine's own wheels, else from the makers of
    torch.

    If not (False), pip takes the default later.
    """
    pinned = re.search(
        r"^torch==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE
    )
    assert pinned, "constraints.txt pins torch"
    version = pinned[1]
    if there := [
        path.name for path in VENV.glob(f"lib/python*/site-packages/torch-{version}*.dist-info")
    ]:
        return any("+cpu" in name for name in there)
    say("installing torch (the build without CUDA)")
    for source in (
        ["--no-index", f"torch=={version}"],
        ["--index-url", CPU_INDEX, "--timeout", "10", "--retries", "0", f"torch=={version}+cpu"],
    ):
        if call([*pip, "--no-deps", *source], env=environment, quiet=True) == 0:
            return True
    say(
        "there is no build of torch without CUDA here: pip takes the default one, which is several"
        " gigabytes large"
    )
    return False


# ----------------------------------------------------------------------------------------- commands


def run(arguments: list[str]) -> int:
    """The program. Without a display: the example's whole analysis first, then the server."""
    set_up()
    program = [PYTHON, "-m", "desktop"]
    if arguments[:1] and arguments[0] in COMMANDS_OF_THE_PROGRAM:
        return become([*program, *arguments])
    if can_show():
        return become([*program, *arguments])
    if any(Path(argument).is_file() for argument in arguments):
        say(
            "files can be opened from the command line only in the window; load them on the page"
            " Upload instead."
        )
        return 2
    say(
        "there is no display for a window: first the built-in example, then the program for a"
        " browser"
    )
    if code := call([*program, "analyze", "--example"]):
        return code
    return become([*program, "serve", *arguments])


def can_show() -> bool:
    """True if a window can open here; on Linux its system libraries are installed first, if need be
    and allowed.
    """
    if not LINUX:
        return True
    from desktop.toolkit import has_display

    return (
        bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
        and has_display()
        and window_libraries()
    )


def become(command: Sequence[object]) -> int:
    """Hand this process over to the program, so that whoever ends it ends the program (Windows
    cannot; there it is a child).
    """
    if not WINDOWS:
        sys.stdout.flush()
        os.chdir(ROOT)
        os.execv(str(command[0]), [str(part) for part in command])
    return call(command)


def test(arguments: list[str]) -> int:
    """All tests, in one run of pytest with one summary at its end.

    Those of the window drive Qt and so run on Linux only.
    """
    fast, slow = "--fast" in arguments, "--slow" in arguments
    rest = [argument for argument in arguments if argument not in ("--fast", "--slow")]
    set_up("dev")
    environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONUNBUFFERED": "1"}
    environment.setdefault("DECONOMIX_GUI_HYPOTHESIS", "thorough" if slow else "ci")
    # hundreds of processes are started: each would compile the program, and each of those that run
    # tests the tests, too
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if folder := memory_folder():
        environment.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))
    left_out = [
        "bundle",
        *([] if slow else ["slow"]),
        *(["browser", "window"] if fast else [] if LINUX else ["window"]),
    ]
    command: list[object] = [
        PYTHON,
        "-m",
        "pytest",
        "-m",
        " and ".join(f"not {marker}" for marker in left_out),
        # a test that hangs would use up the time of all; what every thread was doing is shown
        *("-o", f"faulthandler_timeout={SLOW_LIMIT if slow else LIMIT}"),
        *("-o", "faulthandler_exit_on_timeout=true"),
    ]
    if not rest:  # whoever names tests wants to see them, or to stop in them
        command += [
            "-n",
            min(4, os.cpu_count() or 1),
            "--dist",
            "loadscope",
            "--no-loadscope-reorder",
        ]
    if fast:
        # it loads Qt, whose system libraries a fast run does not need
        command += ["-p", "no:pytest-qt"]
    else:
        environment["DECONOMIX_GUI_CHROMIUM"] = tools_for_tests()
        if LINUX:
            environment |= {"QT_API": "pyside6", "PYTEST_QT_API": "pyside6"}
            environment.pop("WAYLAND_DISPLAY", None)  # Qt would leave the screen made for the tests
            if os.geteuid() == 0:
                environment["QTWEBENGINE_DISABLE_SANDBOX"] = "1"  # Chromium's sandbox refuses root
            command = ["xvfb-run", "-a", "-s", "-screen 0 1280x900x24", *command]
    code = call([*command, *rest], env=environment)
    if code == 5:  # pytest: nothing collected. Nothing tested is nothing promised.
        fail("no test was selected, so nothing was tested.")
    return code


def memory_folder() -> Path | None:
    """Where tests keep their folders in memory, so that none of the thousands of saved files waits
    for a disk; None where there is no room, or where programs may not be started from.
    """
    if not LINUX or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    disk = os.statvfs(MEMORY)
    if disk.f_flag & os.ST_NOEXEC or disk.f_bavail * disk.f_frsize < ROOM:
        return None
    return MEMORY


def lint(arguments: list[str]) -> int:
    """The linters that are named, else all; each runs also after another has found something."""
    linters: dict[str, list[object]] = {
        "ruff": [PYTHON, "-m", "ruff", "check", "."],
        "format": [PYTHON, "-m", "ruff", "format", "--check", "."],
        "mypy": [PYTHON, "-m", "mypy"],
        "imports": [BIN / "lint-imports", "--no-logo"],
        "wheels": [PYTHON, ROOT / "packaging" / "wheel_table.py"],
    }
    if unknown := [name for name in arguments if name not in linters]:
        fail(f"there is no linter {unknown[0]}; there are {', '.join(linters)}.")
    set_up("dev")
    asked = arguments or list(linters)
    failed = [name for name in asked if call(linters[name])]
    say(f"{', '.join(failed)}: see above" if failed else f"nothing found by {', '.join(asked)}")
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    """The measurements in tests/bench."""
    set_up("dev")
    return call(
        [PYTHON, ROOT / "tests" / "bench", *arguments],
        env={**os.environ, **dict.fromkeys(ONE_THREAD, "1")},
    )


def bundle(arguments: list[str]) -> int:
    """The program as a folder without Python and its installer (packaging/make_installer.py says
    which OPTIONS there are).
    """
    set_up("bundle")
    if LINUX:
        apt_install(not_here({"binutils": "objdump"}))
    if code := call(
        [
            PYTHON,
            ROOT / "packaging" / "make_installer.py",
            *(argument for argument in arguments if argument != "--test"),
        ]
    ):
        return code
    if "--test" not in arguments:
        return 0
    if LINUX:
        apt_install(
            not_here(
                {
                    "wine": "wine",
                    "wine64": "wine",
                    "nsis": "makensis",
                    "xdotool": "xdotool",
                    "xdg-utils": "xdg-open",
                    "libglib2.0-bin": "gio",
                }
            )
        )
    return test(["-m", "bundle", "tests/bundle"])


def wine(arguments: list[str]) -> int:
    """Tests and program on Windows' own Python under wine (packaging/wine.py)."""
    set_up("dev")
    if LINUX:
        apt_install(not_here({"debootstrap": "debootstrap"}))
    return call([PYTHON, ROOT / "packaging" / "wine.py", *arguments])


COMMANDS = {
    **{"run": run, "test": test, "lint": lint, "bench": bench, "bundle": bundle},
    "wine": wine,
}


def main(arguments: list[str]) -> int:
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
