"""The self-check: what it says of a good installation and of a bad one, and its exit codes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tomllib
from pathlib import Path
from typing import Any

import pytest

from desktop import cli, toolkit
from desktop import doctor as window_side
from gui import versions
from gui.app import create_app
from gui.config import Config
from gui.diagnostics import selfcheck

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose folders lie in a place of their own; Qt is left out: a fast run has
    none of its libraries.
    """
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ):
        monkeypatch.setenv(name, "1")  # the command sets them, for good
    monkeypatch.setattr(
        window_side, "web_view", lambda: selfcheck.Check("Web view", True, "left out")
    )
    monkeypatch.setattr(selfcheck, "ROOM", 1)
    file = tmp_path / "config.toml"
    file.write_text(
        "[folders]\n"
        + "".join(f"{name} = '{tmp_path / name}'\n" for name in ("data", "plugins", "logs"))
    )
    return file


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the tiny analysis."""
    monkeypatch.setattr(
        selfcheck, "analysis", lambda expected: selfcheck.Check("Analysis", True, "left out")
    )


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    code = cli.main(["doctor", *args])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return code, said.out


def lines(table: str, name: str) -> str:
    """A row of the table, its continuation included, on one line."""
    rows = table.splitlines()
    start = next(i for i, row in enumerate(rows) if row[8:].startswith(f"{name:<15} "))
    end = next(i for i in range(start + 1, len(rows)) if rows[i][:8].strip() or not rows[i])
    return " ".join(" ".join(rows[start:end]).split())


def test_all_is_well_with_the_real_engine_and_exit_code_0(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, "--config", str(config_file))
    assert code == 0, said
    assert "8 of 8 numbers as expected" in said
    assert "deconomix 1.0.2, torch 2.13.0" in lines(said, "Engine")
    assert said.splitlines()[-1] == "All 16 checks are passed."
    assert "FAILED" not in said


def test_other_numbers_than_expected_are_a_failure(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    share, bound = selfcheck.EXPECTED["ADTD hidden"]
    monkeypatch.setitem(selfcheck.EXPECTED, "ADTD hidden", (share + 2.5 * bound, bound))
    code, said = run(capsys, "--config", str(config_file))
    assert code == 1
    assert lines(said, "Analysis").startswith("FAILED")
    assert "1 of 8 numbers" in lines(said, "Analysis")
    assert "1 of 16 checks failed: Analysis." in said


def test_an_engine_that_ends_its_process_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui.jobs.reader.Reader.__call__", _died)
    assert selfcheck.analysis().result == "The engine ended its process on a tiny analysis."


def _died(*_: Any, **__: Any) -> None:
    from gui.errors import UnreadableFile

    raise UnreadableFile("x")


def test_a_file_in_place_of_the_data_folder_is_named_with_what_to_do(
    config_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick(monkeypatch)
    assert run(capsys, "--config", str(config_file))[0] == 0  # the control
    (tmp_path / "data").write_bytes(b"")
    code, said = run(capsys, "--config", str(config_file))
    assert code == 1
    assert "is not a folder" in lines(said, "Data folder")
    assert lines(said, "Sessions folder").startswith("FAILED")


def test_a_folder_that_cannot_be_written_or_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert selfcheck.usable_folder("x", tmp_path, room=False).ok
    assert list(tmp_path.iterdir()) == []  # nothing of the trial is left
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=selfcheck.ROOM - 1))
    assert "Make room" in selfcheck.usable_folder("x", tmp_path, room=True).advice
    monkeypatch.setattr(selfcheck, "_writable", lambda _: False)  # root may write anywhere
    assert "cannot be written" in selfcheck.usable_folder("x", tmp_path).result


@pytest.mark.skipif(os.name != "posix", reason="permissions of Unix")
def test_session_files_that_others_may_read_are_found(tmp_path: Path) -> None:
    config = Config.for_tests(tmp_path)
    config.sessions_folder.mkdir(mode=0o700)
    file = config.sessions_folder / "a.dcxsession"
    file.write_bytes(b"")
    file.chmod(0o600)
    assert selfcheck.permissions(config).ok
    file.chmod(0o640)
    assert "1 file(s)" in selfcheck.permissions(config).result
    file.chmod(0o600)
    config.sessions_folder.chmod(0o750)
    found = selfcheck.permissions(config)
    assert (found.ok, "1 folder(s)" in found.result, "chmod" in found.advice) == (False, True, True)


def test_a_wrong_configuration_is_one_row_and_the_others_go_on(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    config_file.write_text("[server]\nprot = 1\n")
    code, said = run(capsys, "--config", str(config_file))
    assert code == 1
    assert "prot" in lines(said, "Configuration")
    assert lines(said, "Engine").startswith("ok")


def test_a_broken_plug_in_is_named(
    config_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick(monkeypatch)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "survival.py").write_text("raise RuntimeError('no')\n")
    (tmp_path / "plugins" / "survival.py").chmod(0o600)
    (tmp_path / "plugins").chmod(0o700)
    code, said = run(capsys, "--config", str(config_file))
    assert code == 1
    assert "survival" in lines(said, "Plug-ins")


def test_other_versions_of_the_engine_and_missing_packages_are_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = selfcheck.version
    monkeypatch.setattr(
        selfcheck,
        "version",
        lambda name: {"torch": "2.12.1+cpu", "plotly": "missing"}.get(name) or real(name),
    )
    assert selfcheck.engine().advice == "Install torch 2.13.0, or the program again."
    assert selfcheck.packages().result == "Missing: plotly."


def test_versions_of_the_engine_are_those_the_project_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert all(f"{name}=={number}" in asked for name, number in selfcheck.ENGINE.items())


def test_whatever_a_check_raises_becomes_a_sentence() -> None:
    found = selfcheck.guarded("Odd", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert (found.ok, found.result) == (False, "This could not be checked (ZeroDivisionError).")


def test_as_json(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    code, said = run(capsys, "--config", str(config_file), "--json")
    found = json.loads(said)
    assert (code, found["ok"], found["versions"]["deconomix"]) == (0, True, "1.0.2")
    assert [c["name"] for c in found["checks"]][-3:] == ["Web view", "Ports", "Analysis"]


def test_wrong_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--jsn"]) == 2
    assert "doctor --help" in capsys.readouterr().err


# -- the window's side
# --------------------------------------------------------------------------------------------------


def test_the_server_is_seen_on_loopback_only_and_a_port_open_to_others_is_found() -> None:
    assert window_side.ports().ok
    with socket.socket() as wide:
        wide.bind(("0.0.0.0", 0))
        wide.listen()
        found = window_side.ports()
    assert (found.ok, "0.0.0.0" in found.result) == (False, True)


def test_web_view_in_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(window_side.platform, "libc_ver", lambda: ("glibc", "2.31"))
    monkeypatch.setattr(window_side.platform, "machine", lambda: "x86_64")
    assert "glibc 2.31" in window_side.web_view().result
    monkeypatch.setattr(window_side.platform, "libc_ver", lambda: ("glibc", "2.39"))
    problem = (
        "The window needs system libraries that are not installed: libEGL.so.1. On Debian or"
        " Ubuntu: sudo apt install libegl1."
    )
    monkeypatch.setattr(window_side.toolkit, "missing_libraries", lambda: problem)
    found = window_side.web_view()
    assert (
        found.ok,
        found.result.endswith("libEGL.so.1."),
        "apt install libegl1" in found.advice,
    ) == (False, True, True)
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(toolkit, "webview2", lambda: None)
    assert "WebView2 Runtime" in window_side.web_view().advice
    monkeypatch.setattr(toolkit, "webview2", lambda: "149.0")
    assert window_side.web_view().ok


def test_about_names_versions_and_licences(open_tab: Any, tmp_path: Path) -> None:
    application = create_app(Config.for_tests(tmp_path))
    try:
        tab = open_tab(application)
        assert not tab.get("dcx-about-packages", "children")
        tab.click("dcx-help-about")
        words = tab.text("dcx-about-packages")
    finally:
        application.stop()
    for name, licence in (
        ("dash", "MIT"),
        ("anndata", "BSD-3-Clause"),
        ("quadprog", "GPL"),
        ("torch", "BSD-3-Clause"),
    ):
        assert f'"{name}"' in words
        assert licence in words
    assert all(versions.licence(name) for name in (*versions.ENGINE, *versions.PACKAGES))
    assert versions.licence("no-such-package") == ""
    assert versions.version("no-such-package") == versions.MISSING
