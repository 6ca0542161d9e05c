"""Ten tabs of a real browser on ten sessions, for minutes: is anything mixed, does anything grow?

A script with figures, and what test_tabs.py runs.

    .venv/bin/python -m tests.endurance.tabs [--seconds 300] [--switches 300] [--jobs 30] [--mixed]
    [--trace]

In each round every tab chooses another session in the header, all ten at about the same time; then
each must show what belongs to its session: the name, on a page of a plug-in its cell types, samples
and number of runs (which no two sessions share), every fifth time the DTD run or the data of that
session. Whatever the page showed in between is looked at too. ``--mixed`` is the positive control.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.conftest import BROWSERS, ROOT
from tests.endurance import program

TABS, PATIENCE = 10, 180_000
WATCH = """() => {
    window.seen = new Set();
    const look = () => { const out = document.getElementById('check-out'); if (out && out.textContent) window.seen.add(out.textContent); };
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
CLICK = """async ([inside, name, opener]) => {
    const found = () => [...document.querySelectorAll(inside)].find((one) => one.innerText.split('\\n')[0].trim() === name && !one.dataset.disabled);
    for (let tries = 0; tries < 3600; tries++) {
        if (opener && tries % 100 === 0 && !found()) document.querySelector(opener).click();
        if (found()) { found().click(); return true; }
        await new Promise((done) => setTimeout(done, 50));
    }
    return false;
}"""
"""Clicks without a pointer: waiting until everything stands still costs more than all the rest."""
SHOWN = """([name, least]) => {
    const button = document.getElementById('dcx-session-button'), out = document.getElementById('check-out');
    if (!button || !out || !out.textContent || button.innerText.trim() !== name) return false;
    const found = JSON.parse(out.textContent);
    return found.name === name && found.runs >= least;
}"""


@dataclass
class Found:
    """Figures of a run. rss_minute, handles_minute : after the first minute, rss_end, handles_end :
    at the end, all at rest
    """

    seconds: float = 0.0
    switches: int = 0
    jobs: int = 0
    looks: int = 0
    mixed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    rss_minute: int = 0
    rss_end: int = 0
    handles_minute: int = 0
    handles_end: int = 0
    objects_minute: int = 0
    objects_end: int = 0
    top: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        return self.rss_end / self.rss_minute if self.rss_minute else 0.0


class Program:
    """The program in its own process."""

    def __init__(self, folder: Path, *, mixed: bool = False, trace: bool = False) -> None:
        command = [
            sys.executable,
            *(["-X", "tracemalloc=8"] if trace else []),
            "-m",
            "tests.endurance.program",
            str(folder),
            *(["--mixed"] if mixed else []),
        ]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addresses = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the program ended")
        return dict(json.loads(line))

    def figures(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write("figures\n")
        self.process.stdin.flush()
        return self._answer()

    def at_rest(self, limit: float = 60.0) -> dict[str, Any]:
        """Figures when no job runs and all is saved."""
        deadline = time.monotonic() + limit
        while True:
            found = self.figures()
            if not found["active"] and not found["unsaved"]:
                return found
            if time.monotonic() > deadline:
                raise RuntimeError(f"it does not come to rest: {found}")
            time.sleep(0.5)

    def end(self) -> int:
        """Its exit code; it is killed if it does not end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            with self.process:  # closes its pipes
                pass


class Driver:
    """The tabs, and what each must show.

    A session's runs: as many jobs as were started in it, 4 more for each than for the one before.
    """

    def __init__(self, pages: list[Page], found: Found) -> None:
        self.pages, self.found, self.chance = pages, found, random.Random(1)
        self.done = [0] * program.SESSIONS
        self.at = [-1] * len(pages)

    def click(self, tab: int, inside: str, name: str, opener: str = "") -> None:
        if not self.pages[tab].evaluate(CLICK, [inside, name, opener]):
            raise RuntimeError(f"tab {tab}: nothing to click on is called {name}")

    def choose(self, tab: int, session: int) -> None:
        """In the menu of the header."""
        self.click(
            tab, "#dcx-session-menu [role=menuitem]", program.name(session), "#dcx-session-button"
        )
        self.at[tab] = session
        self.found.switches += 1

    def go(self, tab: int, title: str) -> None:
        self.click(tab, "#dcx-nav a", title)

    def job(self, tab: int) -> None:
        self.pages[tab].evaluate("() => document.getElementById('check-go').click()")
        self.done[self.at[tab]] += 1
        self.found.jobs += 1

    def check(self, tab: int) -> None:
        """Wait until the tab shows its session, and see that all it shows belongs to it."""
        k, page = self.at[tab], self.pages[tab]
        page.wait_for_function(SHOWN, arg=[program.name(k), self.done[k]])
        for text in page.evaluate(
            "() => { const all = [...window.seen]; window.seen.clear(); return all; }"
        ):
            self.look(text)
        # empty for a moment while the page is laid out anew
        if text := page.inner_text("#check-out"):
            self.look(text)

    def look(self, text: str) -> None:
        """Whatever session this text is of: all of it must be of that one."""
        shown = json.loads(text)
        k = int(shown["name"][-2:])
        mine = ", ".join(program.types(k))
        right = (
            shown["types"] == mine
            and shown["samples"] == ", ".join(program.samples(k))
            and set(shown["found"]) <= {mine}
        )
        if not right or shown["runs"] > self.done[k]:
            self.found.mixed.append(f"{text} (of {self.done[k]} runs)")
        self.found.looks += 1

    def check_pages(self, tab: int) -> None:
        """The DTD page and the Upload page, whose texts name what only this session has."""
        k, page = self.at[tab], self.pages[tab]
        self.go(tab, "DTD")
        page.wait_for_selector("#dtd-answer :text('lowest')")
        answer, badges = page.inner_text("#dtd-answer"), page.inner_text("#dtd-badges")
        self.go(tab, "Upload")
        page.wait_for_selector("#upload-answer :text('training cells')")
        data = page.inner_text("#upload-answer")
        if (
            f"K{k:02} " not in answer
            or f"{program.iterations(k)} iterations" not in badges
            or f"{20 + k} training cells" not in data
        ):
            self.found.mixed.append(f"{program.name(k)}: {answer} | {badges} | {data}")
        self.found.looks += 1
        self.go(tab, "Check")
        page.wait_for_selector("#check-out")


def run(
    folder: Path,
    *,
    seconds: float,
    switches: int,
    jobs: int,
    mixed: bool = False,
    trace: bool = False,
    minute: float = 60.0,
    chromium: Path | None = None,
) -> Found:
    """All of it. minute : after which memory and handles are noted for comparison; chromium : None
    looks for one
    """
    found, served = Found(), Program(folder, mixed=mixed, trace=trace)
    try:
        _drive(
            served,
            found,
            seconds=seconds,
            switches=switches,
            jobs=jobs,
            minute=minute,
            chromium=chromium,
        )
    finally:
        code = served.end()
    if code != 0:
        found.complaints.append(f"the program ended with {code}")
    return found


def _drive(
    served: Program,
    found: Found,
    *,
    seconds: float,
    switches: int,
    jobs: int,
    minute: float,
    chromium: Path | None,
) -> None:
    """A browser, its tabs, and round after round until all is done."""
    executable = (
        chromium
        or os.environ.get("DECONOMIX_GUI_CHROMIUM")
        or next(filter(None, map(shutil.which, BROWSERS)), None)
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(executable), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(
            viewport={"width": 900, "height": 600}, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        context.on(
            "console",
            lambda m: found.complaints.append(m.text[:300]) if m.type == "error" else None,
        )
        context.on("weberror", lambda e: found.complaints.append(str(e.error)[:300]))
        pages = [context.new_page() for _ in range(TABS)]
        driver = Driver(pages, found)
        for number, page in enumerate(pages):
            page.goto(served.addresses["start"] if number == 0 else served.addresses["url"])
            page.wait_for_selector("#dcx-session-button")
            page.evaluate(WATCH)
            driver.choose(number, number)
            driver.go(number, "Check")
            driver.check(number)
        # once before anything is measured: what a page needs is imported with its first use
        driver.check_pages(0)
        started, rounds = time.monotonic(), 0
        noted = False
        while True:
            passed = time.monotonic() - started
            if not noted and passed >= minute:
                at_rest, noted = served.at_rest(), True
                found.rss_minute, found.handles_minute, found.objects_minute = (
                    at_rest["rss"],
                    at_rest["handles"],
                    at_rest["objects"],
                )
            if noted and passed >= seconds and found.switches >= switches and found.jobs >= jobs:
                break
            rounds += 1
            shift = driver.chance.randrange(1, program.SESSIONS)
            for tab in range(TABS):
                driver.choose(tab, (driver.at[tab] + shift) % program.SESSIONS)
            for tab in range(TABS):
                driver.check(tab)
            if found.jobs < jobs or rounds % 5 == 0:
                driver.job(rounds % TABS)
            if rounds % 5 == 0:
                driver.check_pages(rounds // 5 % TABS)
            sys.stderr.write(
                f"{passed:.0f} s, {found.switches} switches, {found.jobs} jobs, {found.looks}"
                f" looks, {len(found.mixed)} mixed\n"
            )
        found.seconds = time.monotonic() - started
        at_rest = served.at_rest()
        found.rss_end, found.handles_end, found.objects_end, found.top = (
            at_rest["rss"],
            at_rest["handles"],
            at_rest["objects"],
            at_rest.get("top", []),
        )
        if set(at_rest["states"]) - {"done"}:
            found.complaints.append(f"jobs ended as {at_rest['states']}")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--switches", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=30)
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--trace", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(
            Path(folder),
            seconds=given.seconds,
            switches=given.switches,
            jobs=given.jobs,
            mixed=given.mixed,
            trace=given.trace,
        )
    sys.stdout.write(
        json.dumps(asdict(found) | {"growth": round(found.growth, 3)}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
