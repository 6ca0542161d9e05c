"""The window on the system that this runs on: ``python tests/platforms/real_window.py [FOLDER]``.

For the workflows, whose runners have the toolkits that this machine has not. Opens pywebview's
window with a page of its own and the program's host and guard of closing, and checks what stand-ins
cannot show: the page is zoomed, a figure becomes a picture, closing asks while a job runs, and
(on macOS) Quit does not end the process. Screenshots go to FOLDER on macOS. Exit code 0, or 1 with
what failed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from desktop import cocoa, window  # noqa: E402
from desktop.close_guard import CloseGuard  # noqa: E402
from desktop.dialogs import NativeFiles  # noqa: E402
from desktop.host import NativeHost, request_close  # noqa: E402
from desktop.lifecycle import say  # noqa: E402

MACOS = sys.platform == "darwin"
WAIT = 30.0
PAGE = "<!doctype html><title>DeconomiX</title><body style='margin:0'>{scripts}<p>A page</p>"
SVG = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='40' height='20'%3E"
    "%3Crect width='40' height='20' fill='red'/%3E%3Ctext y='15'%3EA%3C/text%3E%3C/svg%3E"
)


def painting() -> str:
    """The function of the program's page that makes a picture of a drawing."""
    source = (ROOT / "resources" / "assets" / "figure_export.js").read_text("utf-8")
    found = re.search(r"^  async function painted\(.*?^  }$", source, re.MULTILINE | re.DOTALL)
    assert found, "figure_export.js paints"
    return found[0]


class Check:
    def __init__(self, shown: Any, pictures: Path | None) -> None:
        self.window, self.pictures = shown, pictures
        self.failed: list[str] = []
        self.asked = threading.Event()
        self.may_close = threading.Event()

    def that(self, name: str, good: bool, found: object = "") -> None:
        say(f"{'ok    ' if good else 'FAILED'} {name} {found}")
        if not good:
            self.failed.append(name)

    def until(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + WAIT
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def picture(self, name: str) -> None:
        if MACOS and self.pictures:
            subprocess.run(["screencapture", "-x", str(self.pictures / f"{name}.png")], check=False)

    def js(self, code: str) -> Any:
        return self.window.run_js(code)

    def run(self) -> None:
        try:
            self.all()
        except Exception as error:  # noqa: BLE001 - said, and the window closed
            self.that("without an error", False, repr(error))
        finally:
            self.may_close.set()
            if not self.window.events.closed.is_set():
                request_close(self.window)

    def all(self) -> None:
        self.window.events.loaded.wait(WAIT)
        host = NativeHost(self.window)
        width = float(self.js("window.innerWidth"))
        self.picture("before")
        host.zoom(2.0)
        zoomed = self.until(lambda: float(self.js("window.innerWidth")) < 0.6 * width)
        self.that("zoom", zoomed, f"{width} -> {self.js('window.innerWidth')}")
        self.picture("zoomed")
        host.zoom(1.0)

        self.js(
            f"painted({json.dumps(SVG)}, 80, 40).then((c) => {{ window.made = c.toDataURL() }},"
            " (e) => { window.made = String(e) }); 1"
        )
        self.until(lambda: bool(self.js("window.made || ''")))
        made = str(self.js("window.made || ''"))
        self.that("figure as a picture", made.startswith("data:image/png;base64,"), made[:60])

        leaving = threading.Event()
        jobs = [1]

        def confirm(_question: str, _yes: str) -> bool:
            self.asked.set()
            return self.may_close.wait(WAIT)

        CloseGuard(
            self.window, lambda: 0, running=lambda: jobs[0], confirm=confirm, leaving=leaving
        )
        if MACOS:
            import AppKit  # type: ignore[import-not-found, unused-ignore]

            application = AppKit.NSApplication.sharedApplication()
            cocoa.call(lambda: application.terminate_(None))
        else:
            request_close(self.window)
        self.that("closing with a job asks", self.asked.wait(WAIT))
        self.that("… and keeps the window", not self.window.events.closed.is_set())
        self.may_close.set()
        self.that("agreed, it closes", self.window.events.closed.wait(WAIT))
        self.that("… by the way that saves", leaving.is_set())


def main() -> int:
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    shown = window.create(None, NativeFiles())
    shown.html = PAGE.replace("{scripts}", f"<script>{painting()}</script>")
    check = Check(shown, pictures)
    if MACOS:
        cocoa.extend(lambda: request_close(shown))
    worker = threading.Thread(target=check.run, name="checks")
    window.show(shown, threading.Event(), worker.start)
    # on macOS only a Quit that does not end the process gets here
    worker.join(2 * WAIT)
    check.that("the program goes on after its window", not worker.is_alive())
    say(f"{len(check.failed)} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
