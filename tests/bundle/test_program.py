"""The frozen program does what the one from the source does: the main job on real data in its
window, dead workers, passwords, plug-ins, given files.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from gui.sessions.file import read_header
from tests.bundle.conftest import close
from tests.bundle.window import Page
from tests.sessions.samples import PASSWORD

pytestmark = [pytest.mark.bundle, pytest.mark.window]
RUN = 300.0
"""Seconds that a computation may take on a busy machine."""
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
Window = Callable[..., tuple[subprocess.Popen[str], Page]]

PLUGIN = """
    from dash import Input, Output, html

    import scipy.stats
    from gui.plugin import REVISION, Page

    page = Page("census", "Census", "Cells of each type", order=50, requires=("dataset",))


    def count(dataset, params, *, progress):
        import sqlite3, xml.dom.minidom  # Python's own library is there, also what the program does not use
        return {"cells": dataset.train.counts(), "z": scipy.stats.norm.ppf(0.975)}


    @page.layout
    def layout(ctx):
        return html.Div([html.Button("Count", id=page.id.go), html.Div(id=page.id.out)], id="census-page")


    @page.callback(Input(page.id.go, "n_clicks"), prevent_initial_call=True)
    def go(ctx, clicks):
        if clicks:
            ctx.jobs.submit(count, ctx.session_id, title="Count cells")


    @page.callback(Output(page.id.out, "children"), REVISION)
    def show(ctx, revision):
        run = ctx.session.current("census")
        return "not yet" if run is None else f"z is {run.result['z']:.2f}; " + ", ".join(f"{name}: {n}" for name, n in run.result["cells"].items())
"""


def saved(environment: dict[str, str]) -> list[Path]:
    return sorted(Path(environment["XDG_DATA_HOME"]).rglob("sessions/*.dcxsession"))


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file; folders by name."""
    found = {}
    for place, folders, names in os.walk(folder):
        found |= {os.path.join(place, name): (0, 0) for name in folders}
        for name in names:
            told = os.lstat(os.path.join(place, name))
            found[os.path.join(place, name)] = (told.st_size, told.st_mtime_ns)
    return found


def run_dtd(page: Page, **fields: Any) -> None:
    page.go("dtd")
    for name, value in fields.items():
        page.set(f"dtd-{name}", value=value)
    page.click("#dtd-run")


def worker(process: subprocess.Popen[str]) -> psutil.Process:
    """The one that computes."""
    children = [
        child
        for child in psutil.Process(process.pid).children()
        if "QtWebEngine" not in child.name()
    ]
    return max(children, key=lambda child: sum(child.cpu_times()[:2]))


def test_doctor_finds_all_well(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("doctor", "--json")
    out, err = process.communicate(timeout=RUN)
    assert process.returncode == 0, out + err
    checks = json.loads(out)["checks"]
    assert [check for check in checks if not check["ok"]] == []
    assert "8 of 8 numbers as expected" in out


def test_the_main_job_on_real_data_is_saved_and_found_again(
    window: Window, built: Path, environment: dict[str, str], tiny_data: Path
) -> None:
    before = contents(built.parent)
    data = tiny_data
    process, page = window(
        *(str(data / name) for name in ("train.h5ad", "application.h5ad", "test.h5ad"))
    )
    page.says("application.h5ad", "#upload-page")
    page.click("#upload-load")
    page.says("349 training cells of 9 types and 12 bulk samples", "#upload-answer")

    run_dtd(page, genes=300, iterations=100_000)
    page.says("Cancel", "#dcx-ticker")
    page.until(lambda: sum(worker(process).cpu_times()[:2]) > 1)
    worker(process).kill()
    page.says("ended unexpectedly", seconds=RUN)
    run_dtd(page, iterations=100)
    page.says("Mean correlation", "#dtd-page", seconds=RUN)
    page.until("document.querySelectorAll('#dtd-page .main-svg').length > 0")

    page.go("adtd")
    page.set("adtd-search-points", value=3)
    page.set("adtd-search-folds", value=2)
    page.click("#adtd-search")
    page.says("λ₂: minimum at", "#adtd-search-answer", seconds=RUN)
    page.set("adtd-model", value="h,r")
    page.set("adtd-max-iterations", value=20)
    page.says("Hidden background + gene regulation", "#adtd-model-words")
    page.click("#adtd-run")
    page.says("hidden fraction", "#adtd-run-answer", seconds=RUN)
    page.says("Saved", "#dcx-saved")
    close(process)
    (path,) = saved(environment)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    process, page = window(str(path))
    page.go("adtd")
    page.says("hidden fraction", "#adtd-run-answer")
    page.go("dtd")
    page.says("Mean correlation", "#dtd-page")
    close(process)
    assert saved(environment) == [path]  # opened, not imported a second time
    assert contents(built.parent) == before  # nothing is written beside the program


def test_a_protected_session_asks_for_its_password(
    window: Window, environment: dict[str, str], tmp_path: Path
) -> None:
    given = tmp_path / "Größe 2 µm.dcxsession"
    shutil.copyfile(FIXTURES / "session-1.2-protected.dcxsession", given)
    process, page = window(str(given))
    page.until("document.querySelector('#dcx-unlock-password') ? 1 : 0")
    page.set("dcx-unlock-password", value="wrong")
    page.click("#dcx-unlock")
    page.says("The password is wrong.")
    page.set("dcx-unlock-password", value=PASSWORD)
    page.click("#dcx-unlock")
    page.says("40 cells, 3 types, 4 bulk samples", "#dcx-nav")
    close(process)
    assert read_header(saved(environment)[0]).lock is not None


def test_a_page_that_the_user_wrote_computes_in_the_worker(
    window: Window, environment: dict[str, str]
) -> None:
    folder = Path(environment["XDG_DATA_HOME"]) / "DeconomiX GUI" / "plugins"
    folder.mkdir(parents=True)
    (folder / "census.py").write_text(textwrap.dedent(PLUGIN), "utf-8")
    process, page = window()
    page.click("#upload-example")
    page.says("training cells", "#upload-page")
    page.click(".dcx-nav-link[href='/census']:not([data-disabled])")
    page.click("#census-go")
    page.says("z is 1.96; ", "#census-page")
    close(process)


def test_a_report_is_saved_in_a_dialog_of_the_window(
    window: Window, environment: dict[str, str]
) -> None:
    if (xdotool := shutil.which("xdotool")) is None:
        pytest.skip("xdotool, which presses the keys, is not installed")

    def dialog() -> str:
        return subprocess.run(
            [xdotool, "search", "--onlyvisible", "--name", "^Save Report"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()

    process, page = window()
    page.click("#upload-example")
    page.says("training cells", "#upload-page")
    run_dtd(page, genes=100, iterations=20)
    page.says("Mean correlation", "#dtd-page", seconds=RUN)
    assert dialog() == ""
    page.js(
        "dash_clientside.set_props('dcx-command', {data: {action: 'report', at: Date.now()}}); 1"
    )
    page.until(dialog)
    subprocess.run(
        [
            xdotool,
            "windowfocus",
            "--sync",
            dialog().split()[0],
            "type",
            "--delay",
            "50",
            "Bericht 1",
        ],
        check=True,
    )
    subprocess.run([xdotool, "key", "Return"], check=True)
    page.says("Saved as Bericht 1.html")
    (report,) = Path(environment["HOME"]).rglob("*.html")
    written = report.read_text("utf-8")
    assert "For research use only" in written
    assert "<svg" in written
    assert "default-src 'none'" in written
    close(process)


def test_a_second_start_hands_its_file_over(
    window: Window, start: Callable[..., subprocess.Popen[str]], environment: dict[str, str]
) -> None:
    process, page = window()
    second = start(str(FIXTURES / "session-1.1.dcxsession"))
    _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    name = read_header(FIXTURES / "session-1.1.dcxsession").name
    assert name
    page.says(name, "#dcx-session-button")
    close(process)


def test_killed_it_leaves_no_process_behind(window: Window) -> None:
    process, page = window()
    page.click("#upload-example")
    page.says("training cells", "#upload-page")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 3
    process.kill()
    assert psutil.wait_procs(family, timeout=60)[1] == []


def test_a_session_of_a_newer_program_is_refused_in_a_sentence(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    from tests.sessions.hostile import rebuilt

    path = tmp_path / "newer.dcxsession"
    path.write_bytes(
        rebuilt(
            FIXTURES / "session-1.2.dcxsession", header=lambda header: header | {"schema": [99, 0]}
        )
    )
    process = start("check", str(path))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "newer version" in out + err
