"""Windows: calls that pywebview's WinForms window lacks.

Not run here (no Windows); tested with stand-ins for pywebview's classes (``tests/platforms``).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gui.host import Edit

log = logging.getLogger(__name__)

SW_RESTORE = 9
PROCESSES = ("BrowserProcessExited", "RenderProcessExited")
"""Of CoreWebView2ProcessFailedKind those after which no page is shown; what Edge restarts by itself
is not among them.
"""
MARK = ":Zone.Identifier"
"""Stream of a file that says it came from the internet. .NET loads no library that has it."""
NET_PACKAGES = ("clr_loader", "pythonnet", "webview")
"""Those whose libraries .NET loads."""


def user32() -> Any:
    return ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]


def call(form: Any, act: Callable[[], None]) -> None:
    """Run ``act`` in the window's thread, and wait for it."""
    form.Invoke(importlib.import_module("System").Action(act))


def zoom(form: Any, factor: float) -> None:
    form.browser.webview.ZoomFactor = factor


def edit(form: Any, what: Edit) -> None:
    """What the Edit menu does. A page may not paste by itself; a command of the debugging protocol
    counts as one of the user.
    """
    event = {"type": "rawKeyDown", "commands": [what.replace("select_all", "selectAll")]}
    form.browser.webview.CoreWebView2.CallDevToolsProtocolMethodAsync(
        "Input.dispatchKeyEvent", json.dumps(event)
    )


def copy_text(text: str) -> None:
    """Put it into the clipboard. In the window's thread; Windows refuses an empty text."""
    if text:
        importlib.import_module("System.Windows.Forms").Clipboard.SetText(text)


def copy_picture(png: bytes) -> None:
    """The same with a picture."""
    stream = importlib.import_module("System.IO").MemoryStream(bytearray(png))
    picture = importlib.import_module("System.Drawing").Image.FromStream(stream)
    importlib.import_module("System.Windows.Forms").Clipboard.SetImage(picture)


def restore(form: Any) -> None:
    """Of a minimised window what it was before, maximised or not; another one stays as it is.

    pywebview never forgets that a window was minimised once, and restores a maximised one to its
    ordinary size.
    """
    handle = form.Handle.ToInt64()
    if user32().IsIconic(handle):
        user32().ShowWindow(handle, SW_RESTORE)


def when_ready(form: Any, act: Callable[[Any], None]) -> None:
    """Call ``act(CoreWebView2)`` as soon as there is one. In the window's thread."""
    view = form.browser.webview
    if view.CoreWebView2 is not None:
        act(view.CoreWebView2)
    else:
        view.CoreWebView2InitializationCompleted += lambda sender, _event: act(sender.CoreWebView2)


def ask_nobody(core: Any) -> None:
    """Switch SmartScreen off, which sends addresses of pages to Microsoft: these are all ours."""
    core.Settings.IsReputationCheckingRequired = False


def on_page_ended(core: Any, ended: Callable[[], None]) -> None:
    """Call ``ended`` in a thread of its own when the page's process is gone."""

    def failed(_sender: Any, event: Any) -> None:
        kind = str(event.ProcessFailedKind).rpartition(".")[2]
        log.error("a process of the web view ended: %s", kind)
        if kind in PROCESSES:
            threading.Thread(target=ended, name="page-crashed", daemon=True).start()

    core.ProcessFailed += failed


def let_come_to_front(process: int) -> None:
    """Let another process put its window in front; else Windows only flashes its task bar button.

    To be called by the process that the user has just started.
    """
    if sys.platform == "win32":
        with contextlib.suppress(OSError, AttributeError):
            user32().AllowSetForegroundWindow(process)


def trust_own_files(folder: Path, remove: Callable[[str], None] = os.remove) -> int:
    """Take the mark of the web from the libraries in ``folder``; how many had it.

    Explorer gives it to every file of an archive from the internet. Where it cannot be removed,
    loading the web view fails, and the page opens in the browser.
    """
    taken = 0
    for package in NET_PACKAGES:
        for path in sorted((folder / package).rglob("*.dll")):
            with contextlib.suppress(OSError):
                remove(f"{path}{MARK}")
                taken += 1
    return taken
