"""“Install an update…”: what the program takes and what it refuses, with a throw-away key; and that
there is no such entry without a key.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import os
import re
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import zstandard
from nacl.signing import SigningKey

from gui import updates
from gui.app import create_app
from gui.config import Config
from gui.downloads import BrowserFiles
from gui.errors import BadUpdate
from gui.files import FileKind
from gui.updates import Update, examine, install, key, kind

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key)

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="the installers of the other systems have other suffixes",
)


@pytest.fixture(scope="module")
def signing() -> ModuleType:
    """packaging/sign_update.py, which is not part of the program."""
    spec = importlib.util.spec_from_file_location(
        "sign_update", ROOT / "packaging" / "sign_update.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _installed_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/lib/deconomix-gui/app/deconomix-gui")


def signed(
    folder: Path,
    signing: ModuleType,
    name: str = "deconomix-gui_9.0.0_amd64.deb",
    version: str = "9.0.0",
    system: str = sys.platform,
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(b"an installer " * 100)
    signing.sign(path, KEY, version, system)
    return path


def test_what_was_signed_is_copied_where_nobody_else_can_write(
    tmp_path: Path, signing: ModuleType
) -> None:
    path = signed(tmp_path / "given", signing)
    update = examine(path, PUBLIC, tmp_path / "own")
    assert (update.version, update.older) == ("9.0.0", False)
    path.write_bytes(b"changed after it was checked")
    assert update.path.read_bytes() == b"an installer " * 100
    assert (
        stat.S_IMODE(update.path.stat().st_mode),
        stat.S_IMODE(update.path.parent.stat().st_mode),
    ) == (0o600, 0o700)


@pytest.mark.parametrize(("version", "older"), [("0.0.9", True), ("99.0", False), ("0.1.0", False)])
def test_an_older_one_is_told_from_a_newer_one(
    version: str, older: bool, tmp_path: Path, signing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "__version__", "0.1.0")
    assert (
        examine(
            signed(tmp_path / "given", signing, version=version), PUBLIC, tmp_path / "own"
        ).older
        is older
    )


def changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)


def other_key(path: Path) -> None:
    beside = path.with_name(f"{path.name}.sig")
    head, _, _ = beside.read_bytes().rpartition(b"signature ")
    beside.write_bytes(
        head
        + b"signature "
        + base64.b64encode(SigningKey(b"\x07" * 32).sign(head).signature)
        + b"\n"
    )


def said_newer(path: Path) -> None:
    beside = path.with_name(f"{path.name}.sig")
    beside.write_bytes(beside.read_bytes().replace(b"version 9.0.0", b"version 9.0.1"))


def of_another_file(path: Path) -> None:
    """Both signed, and swapped: the digest tells."""
    other = path.with_name("other.deb")
    path.rename(other)
    path.write_bytes(b"another installer")


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of the installer": (changed, "damaged or was changed"),
    "another installer": (of_another_file, "damaged or was changed"),
    "another key": (other_key, "not signed by the makers"),
    "another version": (said_newer, "not signed by the makers"),
    "no signature": (
        lambda path: path.with_name(f"{path.name}.sig").unlink(),
        "not beside the installer",
    ),
    "an empty signature": (
        lambda path: path.with_name(f"{path.name}.sig").write_bytes(b""),
        "not signed",
    ),
    "a large signature": (
        lambda path: path.with_name(f"{path.name}.sig").write_bytes(b"x" * 10_000_000),
        "not signed",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_anything_else_is_refused_and_nothing_is_kept(
    fault: str, tmp_path: Path, signing: ModuleType
) -> None:
    path = signed(tmp_path / "given", signing)
    # the control: unharmed it is taken
    assert examine(path, PUBLIC, tmp_path / "own").path.is_file()
    harm, says = FAULTS[fault]
    harm(path)
    with pytest.raises(BadUpdate, match=says) as error:
        examine(path, PUBLIC, tmp_path / "own2")
    assert error.value.advice
    assert not (tmp_path / "own2").exists()


def test_a_file_for_another_system_or_another_form_of_installer_is_refused(
    tmp_path: Path, signing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadUpdate, match="for another system"):
        examine(signed(tmp_path / "given", signing, system="win32"), PUBLIC, tmp_path / "own")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "home" / "deconomix-gui"))
    with pytest.raises(BadUpdate, match="installed by"):
        examine(signed(tmp_path / "given", signing), PUBLIC, tmp_path / "own")
    assert kind().suffixes == (".tar.zst",)


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Also where the key's owner signed it."""
    import hashlib

    path = tmp_path / "x.deb"
    path.write_bytes(b"x")
    said = updates.statement("9.0.0", "../../x.deb", hashlib.sha256(b"x").hexdigest(), sys.platform)
    path.with_name("x.deb.sig").write_bytes(
        said + b"signature " + base64.b64encode(KEY.sign(said).signature) + b"\n"
    )
    with pytest.raises(BadUpdate, match="not signed"):
        examine(path, PUBLIC, tmp_path / "own")


def archive(path: Path, script: str) -> Path:
    folder = path.parent / "content" / "deconomix-gui-9"
    folder.mkdir(parents=True)
    (folder / "install.sh").write_text(script)
    with (
        path.open("wb") as file,
        zstandard.ZstdCompressor().stream_writer(file) as packed,
        tarfile.open(fileobj=packed, mode="w|") as made,
    ):
        made.add(folder, "deconomix-gui-9")
    return path


def test_the_archive_for_a_user_without_rights_runs_its_own_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "a.tar.zst", f"touch '{tmp_path}/ran'\n")
    # this program lies elsewhere, and stays
    assert "start that one" in install(Update(path, "9.0.0", False))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(
        "sys.executable", str(tmp_path / ".local/lib/deconomix-gui/app/deconomix-gui")
    )
    assert "start it again" in install(Update(path, "9.0.0", False))
    assert (tmp_path / "ran").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar.zst", "content", "ran"]


def test_a_script_that_fails_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadUpdate, match=r"ended with an error \(3\)"):
        install(Update(archive(tmp_path / "a.tar.zst", "exit 3\n"), "9.0.0", False))


def test_a_package_is_opened_as_by_a_double_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str]] = []
    monkeypatch.setattr("gui.updates.opener", lambda: "xdg-open")
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: opened.append(command))
    assert str(tmp_path / "a.deb") in install(Update(tmp_path / "a.deb", "9.0.0", False))
    assert opened == [["xdg-open", str(tmp_path / "a.deb")]]


def test_where_nothing_opens_files_the_path_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadUpdate) as error:
        install(Update(tmp_path / "a.deb", "9.0.0", False))
    assert str(tmp_path / "a.deb") in str(error.value.advice)


class Registry:
    """As ``winreg``: what HKLM says of where the program is."""

    HKEY_LOCAL_MACHINE = 2

    def __init__(self, place: Path | None) -> None:
        self.place = place

    def OpenKey(self, root: int, name: str) -> Any:
        if self.place is None:
            raise FileNotFoundError(2, name)
        return contextlib.nullcontext(name)

    def QueryValueEx(self, entry: str, value: str) -> tuple[str, int]:
        assert value == "InstallLocation"
        return str(self.place), 1


def test_a_program_for_all_users_is_updated_for_all_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "app" / "program.exe"))
    assert updates.for_all_users(Registry(tmp_path))
    # there is one, but this one is the user's own
    assert not updates.for_all_users(Registry(tmp_path / "elsewhere"))
    assert not updates.for_all_users(Registry(None))
    script = (
        Path(__file__).resolve().parents[2] / "packaging" / "windows" / "installer.nsi"
    ).read_text("utf-8")
    assert f'!define UNINSTALL "{updates.UNINSTALL}"' in script


def test_what_an_update_left_is_deleted_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.shell.update_dialog.offered", lambda application: True)
    config = Config.for_tests(tmp_path)
    left = config.data_folder / "updates" / "a.deb"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"large")
    create_app(config)
    assert not left.parent.exists()


# -- in the program
# --------------------------------------------------------------------------------------------------


class Native(BrowserFiles):
    native = True

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[Path] = []

    def open(self, kinds: Any, *, title: str, multiple: bool = False) -> list[Path]:
        assert isinstance(kinds[0], FileKind)
        assert not kinds[0].recent
        return self.chosen


def entries(layout: Any) -> set[str]:
    return set(re.findall(r"dcx-help-\w+", str(layout)))


@pytest.mark.parametrize(("native", "built_with"), [(True, True), (True, False), (False, True)])
def test_the_entry_is_there_in_a_window_of_a_program_with_a_key(
    native: bool, built_with: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "key", lambda: PUBLIC if built_with else None)
    application = create_app(
        Config.for_tests(tmp_path), files=Native() if native else BrowserFiles()
    )
    try:
        from desktop.menu import menus

        assert ("dcx-help-update" in entries(application.dash.layout())) is (native and built_with)
        titles = [
            item.title
            for menu in menus(lambda name: None, single=False)
            for item in menu.items
            if hasattr(item, "title")
        ]
        assert ("Install an update…" in titles) is built_with
    finally:
        application.stop()


def test_a_program_that_was_built_without_a_key_has_none() -> None:
    assert key() is None


def test_an_update_is_chosen_checked_and_started(
    tmp_path: Path, signing: ModuleType, open_tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "key", lambda: PUBLIC)
    files = Native()
    application = create_app(Config.for_tests(tmp_path), files=files)
    started: list[Update] = []
    monkeypatch.setattr(updates, "install", lambda update: started.append(update) or "Started.")
    try:
        tab = open_tab(application)
        tab.click("dcx-help-update")
        assert tab.get("dcx-update", "opened") is True
        tab.click("dcx-update-install")  # nothing is chosen
        assert started == []
        path = signed(tmp_path / "given", signing)
        files.chosen = [path]
        changed(path)
        tab.click("dcx-update-choose")
        assert "damaged or was changed" in tab.text("dcx-update-answer")
        assert tab.get("dcx-update-install", "disabled") is True
        files.chosen = [signed(tmp_path / "given", signing)]
        tab.click("dcx-update-choose")
        assert "Version 9.0.0" in tab.text("dcx-update-answer")
        assert tab.get("dcx-update-install", "disabled") is False
        monkeypatch.setattr(application, "running_jobs", lambda: 1)
        tab.click("dcx-update-install")
        assert (started, "A job is running" in tab.notices[-1]) == ([], True)
        monkeypatch.setattr(application, "running_jobs", lambda: 0)
        tab.click("dcx-update-install")
        assert [update.path.name for update in started] == [path.name]
        assert "Started." in tab.text("dcx-update-answer")
        assert os.listdir(application.config.data_folder / "updates") == [path.name]
    finally:
        application.stop()
