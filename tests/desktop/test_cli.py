"""The command line, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import pytest

from desktop import cli, toolkit
from gui import __version__
from gui.guard import KEY_HEADER, SIGN_OUT
from tests.desktop.conftest import programs
from tests.signing_in import key_in

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "desktop"]
PATIENCE = 120.0

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def run_(*args: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *args],
            cwd=ROOT,
            env={**environment, **extra},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return run_


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Without a display, too: ``serve`` needs none."""
    with programs(environment) as started:
        yield started


def worker_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that the program started, once there are any."""
    children: list[psutil.Process] = []
    while not children and process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
    return children


# -- refusals
# --------------------------------------------------------------------------------------------------


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr


def test_version_is_the_one_version(run: Run) -> None:
    result = run("--version")
    assert (result.returncode, result.stdout.strip()) == (0, f"DeconomiX {__version__}")


def test_help_names_every_command(run: Run) -> None:
    text = run("--help").stdout
    assert all(command in text for command in cli.COMMANDS)


def test_wrong_configuration_is_one_sentence(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[server]\nprot = 1\n")
    refused(run("serve", "--config", str(config)), "prot", "port")
    refused(run("--config", str(config), "serve"), "prot", "port")
    refused(run(f"--config={config}"), "prot", "port")


def test_unknown_option_is_one_sentence(run: Run) -> None:
    refused(run("serve", "--prot", "1"), "--prot", "serve --help")


def test_missing_file_is_one_sentence(run: Run, tmp_path: Path) -> None:
    refused(run(str(tmp_path / "nowhere.csv")), "nowhere.csv")


def test_saved_sessions_are_taken_like_data_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["a b.dcxsession", "Ü.DCXSESSION", "bulk.csv"]
    for name in names:
        Path(name).write_bytes(b"x")
    assert cli.existing(names) == [tmp_path / name for name in names]


def test_missing_session_is_one_sentence(run: Run, tmp_path: Path) -> None:
    refused(run(str(tmp_path / "a b.dcxsession")), "There is no file", "a b.dcxsession")


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other systems always have a display"
)
@pytest.mark.parametrize("display", ["", ":4711"])
def test_without_a_display_the_window_suggests_serve(
    run: Run, display: str, tmp_path: Path
) -> None:
    refused(run(DISPLAY=display, WAYLAND_DISPLAY="", QT_QPA_PLATFORM=""), "no display", "serve")
    session = tmp_path / "a b.dcxsession"
    session.write_bytes(b"x")  # would be opened in the window
    refused(
        run(str(session), DISPLAY=display, WAYLAND_DISPLAY="", QT_QPA_PLATFORM=""),
        "no display",
        "serve",
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt is used on Linux only")
def test_missing_system_libraries_are_named_with_their_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads = toolkit._loads

    def fail() -> None:
        raise OSError("libxcb-cursor.so.0: cannot open shared object file")

    monkeypatch.setattr(toolkit, "_load_platform_plugin", fail)
    monkeypatch.setattr(
        toolkit, "_loads", lambda name: name != "libxcb-cursor.so.0" and loads(name)
    )
    sentence = toolkit.missing_libraries() or ""
    assert "libxcb-cursor.so.0" in sentence
    assert "sudo apt install" in sentence
    assert "libxcb-cursor0" in sentence
    assert "serve" in sentence


def test_analyze_passes_its_options_on(run: Run) -> None:
    result = run("analyze", "--help")
    assert result.returncode == 0
    assert "--lambda2" in result.stdout
    refused(run("analyze", "--train", "nowhere.h5ad", "--out", "nowhere"), "nowhere")


def test_port_in_use_is_one_sentence_and_leaves_no_process(run: Run, serving) -> None:
    def app(environ, start_response):
        raise AssertionError

    with serving(app) as server:
        refused(run("serve", "--port", str(server.port)), str(server.port), "--port")


# -- what is imported
# --------------------------------------------------------------------------------------------------


def imported_by(code: str, environment: dict[str, str]) -> set[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"]
    result = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return set(result.stdout.split())


def test_start_imports_neither_engine_nor_data_readers(environment: dict[str, str]) -> None:
    modules = imported_by(
        "import desktop.cli, desktop.server, desktop.dialogs, gui.app", environment
    )
    assert "gui.app" in modules
    assert not modules & {"torch", "deconomix", "anndata", "scipy", "h5py", "webview", "PySide6"}


def test_application_is_made_without_engine_and_data_readers(environment: dict[str, str]) -> None:
    modules = imported_by(
        "from gui.app import create_app; from gui.config import Config; create_app(Config())",
        environment,
    )
    assert "dash" in modules
    assert not modules & {"torch", "deconomix", "anndata", "scipy", "h5py", "webview", "PySide6"}


def test_entry_module_is_light_for_the_worker_that_imports_it_again(
    environment: dict[str, str],
) -> None:
    modules = imported_by("import desktop.__main__", environment)
    assert not {name.partition(".")[0] for name in modules} & {
        "gui",
        "dash",
        "flask",
        "numpy",
        "pandas",
        "waitress",
        "webview",
    }


def test_program_without_streams_starts_and_may_write(environment: dict[str, str]) -> None:
    """A windowed build has neither stdout nor stderr."""
    code = (
        "import sys; sys.stdout = sys.stderr = None; import desktop.__main__;"
        " sys.stderr.write('x'); print('y'); sys.exit(7)"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=PATIENCE, check=False
        ).returncode
        == 7
    )


# -- serve
# --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_an_address_that_opens_and_ends_with_its_worker(
    start, number: signal.Signals
) -> None:
    process = start("serve")
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), process.stderr.read()
    children = worker_of(process)
    assert children
    with pytest.raises(urllib.error.HTTPError) as closed:
        urllib.request.urlopen(address.partition("?")[0], timeout=PATIENCE)
    closed.value.close()
    assert closed.value.code == 403  # only the printed address opens
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(address, timeout=PATIENCE) as page:
        assert b"DeconomiX" in page.read()
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def test_serve_prints_a_new_address_once_its_only_browser_signed_out(start) -> None:
    process = start("serve")
    address = process.stdout.readline().strip()
    base = address.partition("/?")[0]
    for _ in range(2):
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with browser.open(address, timeout=PATIENCE) as page:
            key = key_in(page.read().decode())
        leaving = urllib.request.Request(
            f"{base}{SIGN_OUT}", b"", {"Origin": base, KEY_HEADER: key}, method="POST"
        )
        with browser.open(leaving, timeout=PATIENCE) as answer:
            assert answer.status == 204
        before, address = address, process.stdout.readline().strip()
        assert address.startswith(f"{base}/?t=")
        assert address != before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_serve_told_to_end_while_it_starts_ends(start) -> None:
    process = start("serve")
    children = worker_of(process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_killed_server_takes_its_worker_with_it(start) -> None:
    process = start("serve")
    assert process.stdout.readline()
    children = worker_of(process)
    assert children
    process.kill()
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def test_serve_takes_the_port_of_the_configuration(start, tmp_path: Path, serving) -> None:
    def app(environ, start_response):
        raise AssertionError

    with serving(app) as server:  # a port that is free as soon as this one is stopped
        port = server.port
    config = tmp_path / "config.toml"
    config.write_text(f"[server]\nport = {port}\n")
    process = start("serve", "--config", str(config))
    assert process.stdout.readline().startswith(f"http://127.0.0.1:{port}/")
