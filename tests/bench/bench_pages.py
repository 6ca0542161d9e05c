"""A change of page in Chromium, from the click until nothing more is on its way: median and 95th
percentile over all changes, and by page.

python tests/bench/bench_pages.py ROOT N     one checkout, N changes to each page: a line of JSON
DECONOMIX_GUI_BEFORE=OTHER_CHECKOUT dev.py bench pages     another state of the program side by
    side, run by run in turn

The session is that of bench_tabs with 42 samples and 30 cell types.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SAMPLES, RUNS = 42, 3
CHANGE = """(key) => new Promise((done) => {
    const began = performance.now();
    const waits = () => {
        const { callbacks } = window.store.getState();
        return ["requested", "prioritized", "blocked", "executing", "watched", "executed"]
            .some((state) => callbacks[state].length > 0);
    };
    let rests = 0;
    const look = () => {
        const page = document.getElementById(`${key}-page`);
        rests = page && page.getClientRects().length > 0 && !waits() ? rests + 1 : 0;
        if (rests < 3) requestAnimationFrame(look); else done(performance.now() - began);
    };
    document.querySelector(`#dcx-nav a[href='/${key}']`).click();
    look();
})"""
"""Milliseconds until the page is there and three frames in a row had no callback under way."""


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    changes, runs = (2, 1) if quick else (30 // RUNS, RUNS)
    roots = {"": ROOT}
    if before := os.environ.get("DECONOMIX_GUI_BEFORE"):
        roots[" (before)"] = Path(before).resolve()
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(runs):
        for name, root in roots.items():  # in turn: these machines are noisy
            command = [sys.executable, str(Path(__file__)), str(root), str(changes)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            for page, times in json.loads(done.stdout.splitlines()[-1]).items():
                found.setdefault(page, {}).setdefault(name, []).extend(times)
    for name in roots:
        every = [one for times in found.values() for one in times[name]]
        yield f"all pages{name}", statistics.median(every), _spread(every)
    for page, by_root in found.items():
        for name, times in by_root.items():
            beside = by_root.get(" (before)")
            ratio = "" if name or not beside else _ratio(times, beside)
            yield f"{page}{name}", statistics.median(times), f"{_spread(times)}{ratio}"


def _spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"95 %: {ordered[math.ceil(0.95 * len(ordered)) - 1]:.2f} s, {len(times)} changes"


def _ratio(now: list[float], before: list[float]) -> str:
    return f", x {statistics.median(now) / statistics.median(before):.2f}"


def measure(root: Path, changes: int) -> dict[str, list[float]]:
    """Seconds of every change to each page that a finished session opens."""
    sys.path.insert(0, str(root))
    os.chdir(root)
    from playwright.sync_api import sync_playwright

    from desktop.server import LocalServer
    from gui.app import create_app
    from gui.config import Config
    from gui.sessions.manager import LOCAL
    from tests.bench.bench_tabs import fill
    from tests.browser.conftest import ARGUMENTS
    from tests.conftest import BROWSERS

    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        application = create_app(Config.for_tests(Path(folder)))
        session = application.sessions.create_session("bench", actor=LOCAL)
        fill(session, SAMPLES)
        server = LocalServer(application.server)
        server.start()
        named = os.environ.get("DECONOMIX_GUI_CHROMIUM") or next(
            filter(None, map(shutil.which, BROWSERS))
        )
        browser = playwright.chromium.launch(executable_path=named, args=ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(application.start_url(server.url))
            page.wait_for_selector("#upload-load")
            shown = {"data": session.session_id}
            page.evaluate("data => window.dash_clientside.set_props('dcx-session', data)", shown)
            page.wait_for_selector("#dcx-nav a[href='/robustness']:not([data-disabled])")
            links: list[Any] = page.locator("#dcx-nav a:not([data-disabled])").all()
            keys = [str(link.get_attribute("href")).strip("/") for link in links]
            for turn in range(changes + 1):  # the first one also loads scripts
                for key in [*keys[1:], keys[0]]:
                    took = page.evaluate(CHANGE, key) / 1000
                    time.sleep(0.3)
                    if turn:
                        found.setdefault(key, []).append(took)
        finally:
            browser.close()
            server.stop()
            application.stop()
    return found


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]).resolve(), int(sys.argv[2]))))
