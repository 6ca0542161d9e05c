"""The window on Windows, with stand-ins: there is no Windows here."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop import cli, drop, host, instance, start, toolkit, window, winforms
from desktop.geometry import Screen
from desktop.host import NativeHost
from desktop.start import Start
from gui.config import Config
from gui.settings import SettingsStore
from tests.platforms.toolkits import WinFormsWindow

WAIT = 30.0


@pytest.fixture
def form_window() -> WinFormsWindow:
    return WinFormsWindow()


@pytest.fixture(autouse=True)
def _on_windows(monkeypatch: pytest.MonkeyPatch, form_window: WinFormsWindow) -> None:
    monkeypatch.setattr(host, "LINUX", False)
    monkeypatch.setattr(host, "WINDOWS", True)
    system = SimpleNamespace(Action=lambda act: act)
    monkeypatch.setattr(winforms.importlib, "import_module", {"System": system}.__getitem__)
    monkeypatch.setattr(winforms, "user32", lambda: form_window.native)


# -- coming to the front
# --------------------------------------------------------------------------------------------------
def test_control_pywebview_never_forgets_and_restores_to_the_ordinary_size(
    form_window: WinFormsWindow,
) -> None:
    form_window.native.maximize()
    form_window.native.minimize()
    form_window.restore()
    assert form_window.native.state == "Normal"
    assert form_window.events.minimized.is_set()


def test_a_hand_over_keeps_a_window_maximised(form_window: WinFormsWindow) -> None:
    form_window.native.maximize()
    form_window.native.minimize()
    found = NativeHost(form_window)
    for shows in (1, 2, 3):
        found._to_front()
        assert (form_window.native.state, form_window.shows) == ("Maximized", shows)


def test_a_second_start_lets_the_first_one_come_to_the_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[Any] = []

    class Connection:
        def __init__(self, *given: Any, **more: Any) -> None: ...

        def request(self, *given: Any) -> None:
            order.append("asked")

        def getresponse(self) -> Any:
            return SimpleNamespace(status=200)

        def close(self) -> None: ...

    monkeypatch.setattr(instance.http.client, "HTTPConnection", Connection)
    monkeypatch.setattr(instance, "let_come_to_front", order.append)
    second = instance.Instance(Config.for_tests(tmp_path), tmp_path / "state")
    second._told.parent.mkdir()
    second._told.write_text(json.dumps({"port": 1, "token": "t", "pid": 77}))
    assert second._ask([])
    assert order == [77, "asked"]  # before it is asked to
    second._told.write_text(json.dumps({"port": 1, "token": "t"}))  # of an earlier version
    assert second._ask([])
    assert order[2:] == ["asked"]


def test_windows_is_asked_for_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed: list[int] = []
    user32 = SimpleNamespace(AllowSetForegroundWindow=allowed.append)
    monkeypatch.setattr(winforms, "user32", lambda: user32)
    monkeypatch.setattr(sys, "platform", "linux")
    winforms.let_come_to_front(5)
    assert allowed == []  # control: elsewhere there is no such thing
    monkeypatch.setattr(sys, "platform", "win32")
    winforms.let_come_to_front(6)
    assert allowed == [6]


# -- the view
# --------------------------------------------------------------------------------------------------
def test_zoom_and_closing_reach_the_form(form_window: WinFormsWindow) -> None:
    NativeHost(form_window).zoom(1.25)
    assert form_window.native.browser.webview.ZoomFactor == 1.25
    answers = [False, True]
    form_window.events.closing += lambda: answers.pop(0)
    host.request_close(form_window)
    assert not form_window.events.closed.is_set()
    host.request_close(form_window)
    assert form_window.events.closed.is_set()


def test_text_and_picture_go_to_the_clipboard(
    form_window: WinFormsWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[object] = []
    board = SimpleNamespace(SetText=copied.append, SetImage=copied.append)
    modules = {
        "System": SimpleNamespace(Action=lambda act: act),
        "System.IO": SimpleNamespace(MemoryStream=bytes),
        "System.Drawing": SimpleNamespace(
            Image=SimpleNamespace(FromStream=lambda stream: ("picture", stream))
        ),
        "System.Windows.Forms": SimpleNamespace(Clipboard=board),
    }
    monkeypatch.setattr(winforms.importlib, "import_module", modules.__getitem__)
    found = NativeHost(form_window)
    assert found.copy_text("a\tb")
    assert found.copy_text("")  # Windows raises an exception for it
    assert found.copy_picture(b"png")
    assert copied == ["a\tb", ("picture", b"png")]


def test_editing_is_a_command_of_the_user_not_of_the_page(form_window: WinFormsWindow) -> None:
    found = NativeHost(form_window)
    for what in ("cut", "copy", "paste", "select_all"):
        found.edit(what)
    called = form_window.native.browser.webview.CoreWebView2.called
    assert {name for name, _ in called} == {"Input.dispatchKeyEvent"}
    assert [json.loads(given)["commands"] for _, given in called] == [
        ["cut"],
        ["copy"],
        ["paste"],
        ["selectAll"],
    ]
    assert form_window.ran == []


@pytest.mark.parametrize("ready", [True, False])
def test_the_web_view_asks_nobody_and_its_crash_is_heard(ready: bool) -> None:
    shown = WinFormsWindow(ready=ready)
    crashes: list[int] = []
    crashed = threading.Event()
    found = NativeHost(shown)
    found.ask_nobody()
    found.on_crash(lambda: (crashes.append(1), crashed.set()))  # type: ignore[arg-type, return-value, unused-ignore]
    core = shown.native.browser.webview.CoreWebView2 if ready else shown.native.make_ready()
    assert core.Settings.IsReputationCheckingRequired is False
    core.end_process("GpuProcessExited")  # Edge starts it again
    core.end_process("RenderProcessExited")
    assert crashed.wait(WAIT)
    assert crashes == [1]


def test_a_window_that_is_gone_is_a_line_in_the_log(
    form_window: WinFormsWindow, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(act: Any) -> None:
        raise RuntimeError("ObjectDisposedException")

    form_window.native.Invoke = gone  # type: ignore[method-assign]
    NativeHost(form_window).zoom(2.0)
    assert "could not be asked" in caplog.text


def test_a_dropped_session_comes_by_the_message_that_pywebview_listens_for(
    form_window: WinFormsWindow,
) -> None:
    state: dict[str, Any] = {"num_listeners": 0, "paths": []}
    came: list[list[Path]] = []
    heard = threading.Event()

    def dropped(paths: list[Path], _x: int, _y: int) -> None:
        came.append(paths)
        heard.set()

    drop.listen_for_sessions(form_window, dropped, state)
    # as on_script_notify of pywebview's platforms/edgechromium.py
    state["paths"] += [("a.dcxsession", r"C:\a.dcxsession")]
    assert heard.wait(WAIT)
    assert came == [[Path(r"C:\a.dcxsession")]]
    assert '"FilesDropped"' in drop.LISTEN
    assert state["paths"] == []  # nothing piles up


# -- the screen
# --------------------------------------------------------------------------------------------------
def test_a_window_fits_what_the_task_bar_leaves_of_the_main_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def screen(x: int, height: int) -> Any:
        bounds = {"x": x, "y": 0, "width": 1920, "height": 1080}
        return SimpleNamespace(**bounds, frame=SimpleNamespace(X=x, Y=0, Width=1920, Height=height))

    webview: Any = SimpleNamespace(screens=[screen(1920, 1080), screen(0, 1032)])
    monkeypatch.setitem(sys.modules, "webview", webview)
    monkeypatch.setattr(sys, "platform", "win32")
    found = window.screens()
    monkeypatch.undo()
    assert found == [Screen(0, 0, 1920, 1032), Screen(1920, 0, 1920, 1080)]


# -- a toolkit that fails
# --------------------------------------------------------------------------------------------------
def test_the_mark_of_the_web_is_taken_from_what_net_loads(tmp_path: Path) -> None:
    names = ("pythonnet/runtime/Python.Runtime.dll", "webview/lib/a.dll", "numpy/b.dll")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"MZ")
    marked = {f"{tmp_path / name}:Zone.Identifier" for name in names[:1]}

    def remove(stream: str) -> None:
        if stream not in marked:
            raise FileNotFoundError(stream)
        marked.discard(stream)

    assert winforms.trust_own_files(tmp_path, remove) == 1
    assert marked == set()
    assert winforms.trust_own_files(tmp_path, remove) == 0
    assert all((tmp_path / name).exists() for name in names)


class Fails(Exception):
    """As pythonnet's RuntimeError, or whatever .NET raises."""


@pytest.mark.parametrize("when", ["create", "show"])
def test_a_toolkit_that_fails_leads_to_the_browser(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any, **_more: Any) -> None:
        raise Fails("Failed to resolve Python.Runtime.Loader.Initialize")

    monkeypatch.setattr(window, "create", lambda *given, **more: WinFormsWindow())
    monkeypatch.setattr(window, when, fail)
    config = Config.for_tests(tmp_path)
    it = Start(
        config,
        [],
        instance.Instance(config, tmp_path / "state"),
        SettingsStore(tmp_path / "settings.json"),
        threading.Event(),
    )
    it.run()
    assert it.again == "browser"


def test_another_fault_is_a_sentence_and_not_pyinstallers_box(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_given: Any) -> int:
        raise Fails("a secret of .NET")

    said: list[str] = []
    monkeypatch.setattr(cli, "_open", fail)
    monkeypatch.setattr(toolkit, "alert", said.append)
    monkeypatch.setattr(
        instance.platformdirs, "user_state_dir", lambda *given, **more: str(tmp_path)
    )
    assert cli.window([]) == cli.FAILED
    assert "doctor" in said[0]
    assert "secret" not in said[0] + capsys.readouterr().err


def test_the_next_start_is_the_one_in_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(
        start.subprocess, "Popen", lambda command, env: ran.append(env[start.RENDERING])
    )
    monkeypatch.setattr(start.logging, "shutdown", lambda: None)
    start.restart_process("browser")
    monkeypatch.undo()
    assert ran == ["browser"]


def test_a_box_waits_for_a_click_only_where_somebody_can_click(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    user32 = SimpleNamespace(MessageBoxW=lambda _owner, text, _title, _kind: shown.append(text))
    monkeypatch.setattr(toolkit.ctypes, "windll", SimpleNamespace(user32=user32), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv(toolkit.NO_DIALOGS, "1")
    toolkit.alert("one")
    monkeypatch.delenv(toolkit.NO_DIALOGS)
    toolkit.alert("two")
    monkeypatch.undo()
    assert shown == ["two"]
