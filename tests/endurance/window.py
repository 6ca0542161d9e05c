"""Ten minutes of clicking through all pages in the window: does memory grow, are handles left open?

Run by hand, on a display (or in xvfb-run).

    .venv/bin/python -m tests.endurance.window [--seconds 600] [--baseline 180] [--changes 300]
    [--jobs 3]

The program is the real one, in this process: window, server, worker. A thread clicks in the page as
a user does: navigation, tabs, Run. Memory is the proportional set size of the program and all its
processes (worker apart). Prints a line of JSON; exit code 1 if a bound is broken.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from desktop.instance import Instance
from desktop.start import Start
from gui.config import Config
from gui.settings import SettingsStore

MOST_GROWTH, MOST_HANDLES = 1.1, 5
PAGES = (
    "upload",
    "dtd",
    "help",
    "adtd",
    "sessions",
    "help",
    "dtd",
    "sessions",
    "adtd",
    "help",
    "sessions",
    "help",
)
"""In turn.

Upload, by far the largest page, once a round, or most of the time would go into one page.
"""
SHORT = 7
"""Looks at memory whose median counts."""


class Soak:
    """Clicks in ``start``'s window until the time is over, then closes it."""

    def __init__(self, start: Start, seconds: float, baseline: float, jobs: int) -> None:
        self._start, self._seconds, self._baseline, self._jobs = start, seconds, baseline, jobs
        self.changes = self.done = 0
        self.samples: list[tuple[float, float, float, int]] = []
        """Seconds, MB of program and web view, MB of worker and reader, handles of the program."""
        self.trouble = ""

    def run(self, application: Any, window: Any) -> None:
        try:
            application.shown.wait(120)
            self._prepare(application)
            self._click(application, window)
        except Exception as error:  # noqa: BLE001 - said at the end
            self.trouble = f"{type(error).__name__}: {error}"
        finally:
            window.destroy()

    def _prepare(self, application: Any) -> None:
        from gui.data.example import make_example
        from gui.sessions.manager import LOCAL

        session = application.sessions.create_session("Soak", actor=LOCAL)
        session.set_dataset(make_example().dataset, keep_runs=False)
        application.inbox.arrived = session.session_id
        time.sleep(5)

    def _click(self, application: Any, window: Any) -> None:
        began = time.monotonic()
        js = window.run_js
        started, number = 0, 0
        due = [self._seconds * i / (self._jobs + 1) for i in range(self._jobs)]
        while (now := time.monotonic() - began) < self._seconds:
            page = PAGES[number % len(PAGES)]
            number += 1
            if page == "help":
                js(
                    "dash_clientside.set_props('dcx-command', {data: {action: 'guide', at:"
                    " Date.now()}}); 1"
                )
            elif not js(
                f"""(() => {{ const link = [...document.querySelectorAll('.dcx-nav-link')].find((a) => a.getAttribute('href') === '/{page}');
                    if (!link || link.dataset.disabled) return 0; link.click(); return 1; }})()"""
            ):
                continue  # ADTD before there is a DTD run
            if self._there(js, page):
                self.changes += 1
            if number % 4 == 0:
                js(
                    """(() => { const tabs = [...document.querySelectorAll('[role=tab]')];
                if (tabs.length) tabs[Math.floor(Math.random() * tabs.length)].click(); return 1; })()"""
                )
            if page == "dtd" and started < self._jobs and now > due[started]:
                started += self._run(js)
            time.sleep(0.1)
            if number % 7 == 0:
                self.samples.append((now, *weights(), psutil.Process().num_fds()))
        deadline = time.monotonic() + 120
        while (
            any(job.active for job in application.runner.status()) and time.monotonic() < deadline
        ):
            time.sleep(1)
        self.done = sum(job.state == "done" for job in application.runner.status())

    @staticmethod
    def _run(js: Any) -> bool:
        for _ in range(60):  # the button waits for the page to have looked at its parameters
            if js(
                "(() => { const run = document.querySelector('#dtd-run:enabled'); if (run)"
                " run.click(); return run ? 1 : 0; })()"
            ):
                return True
            time.sleep(0.1)
        return False

    @staticmethod
    def _there(js: Any, page: str) -> bool:
        for _ in range(60):
            if js(f"document.querySelector('#{page}-page') ? 1 : 0"):
                return True
            time.sleep(0.1)
        return False

    def figures(self) -> dict[str, Any]:
        then = [s for s in self.samples if s[0] <= self._baseline][-SHORT:]
        last = self.samples[-SHORT:]
        before, after = (statistics.median(s[1] for s in some) for some in (then, last))
        handles = [statistics.median(s[3] for s in some) for some in (then, last)]
        return {
            "page changes": self.changes,
            "jobs done": self.done,
            "MB at baseline": round(before, 1),
            "MB at the end": round(after, 1),
            "growth": round(after / before, 3),
            "worker MB": [round(statistics.median(s[2] for s in some), 1) for some in (then, last)],
            "handles": handles,
            "trouble": self.trouble,
        }


def weights() -> tuple[float, float]:
    """MB of the program with its web view, and of its worker and reading process."""
    own = psutil.Process()
    program, worker = own.memory_full_info().pss, 0
    for child in own.children(recursive=True):
        try:
            size = child.memory_full_info().pss
            if "QtWebEngine" in child.name():
                program += size
            else:
                worker += size
        except psutil.Error:
            continue
    return program / 1e6, worker / 1e6


def main() -> int:
    cli = argparse.ArgumentParser()
    cli.add_argument("--seconds", type=float, default=600)
    cli.add_argument("--baseline", type=float, default=180)
    cli.add_argument("--changes", type=int, default=300)
    cli.add_argument("--jobs", type=int, default=3)
    wanted = cli.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Config.for_tests(Path(folder))
        settings = SettingsStore(config.data_folder / "settings.json")
        start = Start(
            config, [], Instance(config, Path(folder) / "state"), settings, threading.Event()
        )
        soak = Soak(start, wanted.seconds, wanted.baseline, wanted.jobs)
        connect = start.connect

        def connected(application: Any, server: Any, shown: Any = None) -> None:
            connect(application, server, shown)
            threading.Thread(target=soak.run, args=(application, start.window), daemon=True).start()

        start.connect = connected  # type: ignore[method-assign]
        start.run()
    found = soak.figures()
    sys.stdout.write(f"{json.dumps(found)}\n")
    kept = (
        found["growth"] <= MOST_GROWTH
        and abs(found["handles"][1] - found["handles"][0]) <= MOST_HANDLES
    )
    return (
        0
        if kept and soak.changes >= wanted.changes and soak.done >= wanted.jobs and not soak.trouble
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
