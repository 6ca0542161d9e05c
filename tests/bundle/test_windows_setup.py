"""The Windows installer under wine, with a stand-in for the program that writes down how it was
called.

Real ones are built on Windows only.

wine calls every user an administrator, lets files be moved that are in use, and looks for file
types in HKLM only. That a user without rights is enough and the file type of one user are tried by
the release workflow on Windows; that a program which runs is left alone, by nobody yet.
What is written for one user is compared here with what works for all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import make_setup  # type: ignore[import-not-found]  # conftest.py says where
import product  # type: ignore[import-not-found]
import pytest

pytestmark = [
    pytest.mark.bundle,
    pytest.mark.skipif(shutil.which("makensis") is None, reason="needs makensis (Debian: nsis)"),
    pytest.mark.skipif(shutil.which("wine") is None, reason="needs wine (Debian: wine, wine64)"),
]
UNINSTALL = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\DeconomiX-GUI"
CLASSES = r"HKCU\Software\Classes"
STAND_IN = r"""
Unicode true
Target amd64-unicode
Name "stand-in"
OutFile "{target}"
SilentInstall silent
RequestExecutionLevel user
Section
  FileOpen $0 "C:\told.txt" w
  FileWriteUTF16LE $0 "$CMDLINE"
  FileClose $0
SectionEnd
"""


class Wine:
    def __init__(self, folder: Path) -> None:
        self.drive = folder / "prefix" / "drive_c"
        own = {
            "WINEPREFIX": str(folder / "prefix"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "DISPLAY": "",
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
        }
        self.environment = {**os.environ, **own}
        self("wineboot", "--init")
        self.local = next((self.drive / "users").glob("*/AppData/Local"))

    def __call__(self, *command: object, fails: bool = False) -> str:
        done = subprocess.run(
            ["wine", *map(str, command)],
            env=self.environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) is fails, (command, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def value(self, key: str, name: str | None = None) -> str | None:
        """Of the registry; None where it is not there."""
        done = subprocess.run(
            ["wine", "reg", "query", key, *(["/v", name] if name else ["/ve"])],
            env=self.environment,
            capture_output=True,
            check=False,
        )
        lines = [
            line for line in done.stdout.decode("utf-8", "replace").splitlines() if "REG_" in line
        ]
        return (
            lines[0].split("REG_")[1].partition("    ")[2].strip()
            if lines and done.returncode == 0
            else None
        )


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    made = Wine(tmp_path_factory.mktemp("wine"))
    yield made
    subprocess.run(["wineserver", "-k"], env=made.environment, check=False)


def setup(folder: Path, version: str, *own: str) -> Path:
    """An installer of a stand-in, with files ``own`` beside it."""
    source = folder / version
    (source / "_internal").mkdir(parents=True)
    script = source / "stand_in.nsi"
    script.write_text(STAND_IN.replace("{target}", str(source / f"{product.NAME}.exe")))
    subprocess.run(["makensis", "-V1", str(script)], check=True)
    script.unlink()
    for name in own:
        (source / "_internal" / name).write_text(version)
    return make_setup.compiled(
        source, folder / f"deconomix-gui-{version}-setup.exe", version=version, more=["-DAMD64=1"]
    )


def gone(path: Path) -> bool:
    """The uninstaller goes on in a copy of itself after it has returned."""
    deadline = time.monotonic() + 60
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    return not path.exists()


def test_installed_upgraded_and_removed(wine: Wine, tmp_path: Path) -> None:
    place = wine.local / "Programs" / product.NAME
    wine(setup(tmp_path, "1.0.0", "old.dll"), "/S")
    assert sorted(p.name for p in place.iterdir()) == ["app", "uninstall.exe"]
    assert (place / "app" / "_internal" / "old.dll").read_text() == "1.0.0"
    assert (place / "app" / "session.ico").read_bytes() == (
        product.ICONS / "session.ico"
    ).read_bytes()
    assert list(
        wine.drive.glob(
            f"users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/{product.NAME}.lnk"
        )
    )

    inside = rf"C:\users\{wine.local.parts[-3]}\AppData\Local\Programs\{product.NAME}"
    assert wine.value(rf"{CLASSES}\{product.SUFFIX}") == "DeconomiX.Session"
    assert wine.value(rf"{CLASSES}\{product.SUFFIX}", "Content Type") == product.MIME
    assert wine.value(rf"{CLASSES}\DeconomiX.Session") == product.FILE_TYPE
    assert wine.value(rf"{CLASSES}\DeconomiX.Session\DefaultIcon") == rf"{inside}\app\session.ico"
    assert (
        wine.value(rf"{CLASSES}\DeconomiX.Session\shell\open\command")
        == rf'"{inside}\app\{product.NAME}.exe" "%1"'
    )
    assert wine.value(UNINSTALL, "DisplayVersion") == "1.0.0"
    assert wine.value(UNINSTALL, "QuietUninstallString") == rf'"{inside}\uninstall.exe" /S'
    # nothing that needs an administrator
    assert wine.value(UNINSTALL.replace("HKCU", "HKLM"), "DisplayVersion") is None

    kept = wine.local / product.NAME / "sessions" / "mine.dcxsession"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"mine")
    wine(setup(tmp_path, "1.1.0", "new.dll"), "/S")
    # nothing of the old version stays
    assert sorted(p.name for p in (place / "app" / "_internal").iterdir()) == ["new.dll"]
    assert sorted(p.name for p in place.iterdir()) == ["app", "uninstall.exe"]
    assert (wine.value(UNINSTALL, "DisplayVersion"), kept.read_bytes()) == ("1.1.0", b"mine")

    wine(place / "uninstall.exe", "/S")
    assert gone(place)
    for key in (rf"{CLASSES}\{product.SUFFIX}", rf"{CLASSES}\DeconomiX.Session", UNINSTALL):
        assert wine.value(key) is None
        wine("reg", "query", key, fails=True)
    assert not list(
        wine.drive.glob(
            f"users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/{product.NAME}.lnk"
        )
    )
    assert kept.read_bytes() == b"mine"


def test_another_folder_keeps_what_is_not_ours_and_purge_takes_the_data(
    wine: Wine, tmp_path: Path
) -> None:
    kept = wine.local / product.NAME / "sessions" / "mine.dcxsession"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"mine")
    place = wine.drive / "tools"
    place.mkdir()
    (place / "others.txt").write_text("not ours")
    wine(setup(tmp_path, "1.0.0"), "/S", r"/D=C:\tools")
    assert wine.value(UNINSTALL, "InstallLocation") == r"C:\tools"
    wine(setup(tmp_path, "1.1.0"), "/S")  # an upgrade goes where the old one is
    assert (place / "app" / f"{product.NAME}.exe").is_file()
    wine(place / "uninstall.exe", "/S", "/PURGE")
    assert gone(place / "app")
    assert gone(kept.parent.parent)
    assert [p.name for p in place.iterdir()] == ["others.txt"]


def test_a_folder_app_of_somebody_else_stays_as_it_is(wine: Wine, tmp_path: Path) -> None:
    theirs = wine.drive / "theirs" / "app" / "data.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    wine(setup(tmp_path, "1.0.0"), "/S", r"/D=C:\theirs", fails=True)
    assert (theirs.read_text(), [p.name for p in theirs.parent.iterdir()]) == (
        "theirs",
        ["data.txt"],
    )
    assert wine.value(UNINSTALL, "DisplayVersion") is None
    theirs.unlink()  # an empty folder is nobody's
    wine(setup(tmp_path, "1.0.1"), "/S", r"/D=C:\theirs")
    assert (theirs.parent / f"{product.NAME}.exe").is_file()
    wine(theirs.parent.parent / "uninstall.exe", "/S")
    assert gone(theirs.parent.parent)


def test_for_all_users_and_opened_by_a_double_click(wine: Wine, tmp_path: Path) -> None:
    wine(setup(tmp_path, "1.0.0"), "/S", "/ALLUSERS")
    place = wine.drive / "Program Files" / product.NAME
    assert (place / "app" / f"{product.NAME}.exe").is_file()
    assert wine.value(UNINSTALL.replace("HKCU", "HKLM"), "DisplayVersion") == "1.0.0"
    assert wine.value(UNINSTALL, "DisplayVersion") is None
    session = wine.drive / "Größe 2 µm, Frühjahr.dcxsession"
    session.write_bytes(b"PK")
    wine("start", "/wait", f"C:\\{session.name}")  # as by a double click
    told = (wine.drive / "told.txt").read_bytes().decode("utf-16-le").lstrip("\ufeff")
    assert told == rf'"C:\Program Files\{product.NAME}\app\{product.NAME}.exe" "C:\{session.name}"'
    wine(place / "uninstall.exe", "/S")
    assert gone(place)
    assert wine.value(UNINSTALL.replace("HKCU", "HKLM"), "DisplayVersion") is None
