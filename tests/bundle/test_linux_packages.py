"""The .deb and the archive: installed, opened by a double click, removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import zstandard

from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent.parent
SESSION = ROOT / "tests" / "fixtures" / "session-1.2.dcxsession"
PACKAGE = "deconomix-gui"

pytestmark = [
    pytest.mark.bundle,
    pytest.mark.window,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux packages"),
]


def made(pattern: str) -> Path:
    found = sorted((ROOT / "dist").glob(pattern))
    if not found:
        pytest.skip(f"no {pattern} was built: python3 dev.py bundle")
    return found[-1]


def run(*command: object, env: dict[str, str] | None = None, code: int = 0) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == code, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout + done.stderr


def programs_in(folder: Path | str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.exe().startswith(f"{folder}/"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def ended(folder: Path | str) -> None:
    """End the program as the system does; nothing of it stays."""
    family = programs_in(folder)
    children = {child.pid for process in family for child in process.children(recursive=True)}
    for process in family:
        if process.pid not in children:
            process.terminate()
    assert psutil.wait_procs(family, timeout=90)[1] == []


@pytest.fixture
def home(environment: dict[str, str], qapp: object) -> dict[str, str]:
    """A user's own: without XDG folders, as most users are."""
    plain = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("XDG_", "PYTHON", "VIRTUAL_ENV"))
    }
    # or xdg-open would ask `file`, which knows no new types
    return {**plain, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "XDG_CURRENT_DESKTOP": "GNOME"}


@pytest.fixture
def installed() -> Iterator[Path]:
    """The .deb, installed by the system's own program; removed at the end."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("needs root and apt")
    if Path("/usr/lib", PACKAGE).exists():
        pytest.skip("the program is installed on this machine already")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(
        "apt-get",
        "-qq",
        "install",
        "-y",
        made("*.deb"),
        "desktop-file-utils",
        "shared-mime-info",
        "xdg-utils",
        env=quiet,
    )
    yield Path("/usr/lib", PACKAGE)
    if Path("/usr/lib", PACKAGE).exists():  # the test has not come to the end
        run("apt-get", "-qq", "remove", "-y", PACKAGE, env=quiet)


def opens_by_double_click(program: Path, home: dict[str, str], folder: Path) -> None:
    """``xdg-open`` of a session file starts the program, which takes it among its own."""
    given = folder / "Größe 2 µm, Frühjahr.dcxsession"
    shutil.copyfile(SESSION, given)
    assert (
        run("xdg-mime", "query", "filetype", given, env=home).strip() == "application/x-dcxsession"
    )
    assert (
        run("xdg-mime", "query", "default", "application/x-dcxsession", env=home).strip()
        == "org.deconomix.gui.desktop"
    )
    opening = subprocess.Popen(
        ["xdg-open", str(given)], env=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(
            lambda: list(
                Path(home["HOME"], ".local/share/DeconomiX GUI/sessions").glob("*.dcxsession")
            ),
            180,
        )
        until(
            lambda: (
                "the page is shown"
                in "".join(p.read_text() for p in Path(home["HOME"]).rglob("*.log"))
            ),
            180,
        )
        assert programs_in(program)
    finally:
        ended(program)
        opening.wait(30)


def test_the_package_is_installed_opens_sessions_and_leaves_the_users_own(
    installed: Path, home: dict[str, str], tmp_path: Path
) -> None:
    listed = [Path(line) for line in run("dpkg", "-L", PACKAGE).splitlines()]
    own = [path for path in listed if path.is_symlink() or not path.is_dir()]
    assert len(own) > 1000
    assert "libc6 (>= 2." in run("dpkg-query", "-W", "-f", "${Depends}", PACKAGE)
    assert run(PACKAGE, "--version", env=home).startswith("DeconomiX ")
    run("desktop-file-validate", "/usr/share/applications/org.deconomix.gui.desktop")
    opens_by_double_click(installed, home, tmp_path)
    kept = {path: path.read_bytes() for path in Path(home["HOME"]).rglob("*.dcxsession")}
    assert kept
    run(
        "apt-get",
        "-qq",
        "remove",
        "-y",
        PACKAGE,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    assert [path for path in own if path.exists() or path.is_symlink()] == []
    assert not installed.exists()
    assert {path: path.read_bytes() for path in kept} == kept


def unpacked(folder: Path) -> Path:
    with (
        made("*.tar.zst").open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as archive,
    ):
        archive.extractall(folder, filter="data")
    (found,) = folder.iterdir()
    return found


def test_the_archive_is_installed_without_rights_replaced_and_removed(
    home: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "un packed"
    folder.mkdir()
    archive = unpacked(folder)
    # from where it was unpacked
    assert run(archive / PACKAGE, "--version", env=home).startswith("DeconomiX ")
    place = Path(home["HOME"], ".local/lib", PACKAGE)
    for _ in range(2):  # over itself, as an update does
        run("sh", archive / "install.sh", env=home)
        assert sorted(path.name for path in place.iterdir()) == [
            "app",
            PACKAGE,
            "install.sh",
            "share",
        ]
    shutil.rmtree(folder)
    assert run(Path(home["HOME"], ".local/bin", PACKAGE), "--version", env=home).startswith(
        "DeconomiX "
    )
    opens_by_double_click(place, home, tmp_path)
    run("sh", place / "install.sh", "--remove", env=home)
    left = {
        path.relative_to(home["HOME"]).as_posix()
        for path in Path(home["HOME"]).rglob("*")
        if path.is_file()
    }
    # the cache is Qt's
    users_own = (".local/share/DeconomiX GUI", ".local/state/DeconomiX GUI", ".cache/DeconomiX")
    assert {
        path for path in left if "deconomix" in path.lower() and not path.startswith(users_own)
    } == set()
    assert any(path.endswith(".dcxsession") for path in left)
