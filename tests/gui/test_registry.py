"""Pages are found, ordered, and a broken one never stops the program."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gui.app import create_app
from gui.config import Config
from gui.data.example import make_example
from gui.plugin import Page
from gui.registry import find_pages, in_order
from gui.sessions.manager import LOCAL

PLUGIN = '''
    """How many cells of each type: a page of one file."""

    from dash import Input, Output, html

    from gui.plugin import REVISION, Page

    page = Page("census", "Census", "Cells of each type", order=50, requires=("dataset",))


    def count(dataset, params, *, progress):
        progress("Counting", 0.5)
        return {"cells": dataset.train.counts()}


    @page.layout
    def layout(ctx):
        return html.Div([html.Button("Count", id=page.id.go), html.Div(id=page.id.out)])


    @page.callback(Input(page.id.go, "n_clicks"), prevent_initial_call=True)
    def go(ctx, clicks):
        ctx.jobs.submit(count, ctx.session_id)


    @page.callback(Output(page.id.out, "children"), REVISION)
    def show(ctx, revision):
        run = ctx.session.current("census")
        return "not yet" if run is None else ", ".join(f"{name}: {n}" for name, n in run.result["cells"].items())
'''


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")


def test_a_plug_in_file_becomes_a_page_and_its_task_runs_in_the_worker(tmp_path: Path, open_tab: Callable[..., Any]) -> None:
    assert len(textwrap.dedent(PLUGIN).splitlines()) < 60
    config = Config.for_tests(tmp_path)
    write(config.plugins_folder, "census.py", PLUGIN)
    app = create_app(config)
    app.start()
    try:
        assert [p.key for p in app.registry.pages] == ["upload", "dtd", "adtd", "census", "sessions", "help"]
        session = app.sessions.create_session("Mine", actor=LOCAL)
        tab = open_tab(app)
        tab.go("census")
        assert "needs data" in tab.text("dcx-outlet")  # typing the address leads to the same notice
        session.set_dataset(make_example().dataset, keep_runs=False)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.click("census-go")
        job = app.runner.wait(app.runner.status()[-1].id, timeout=60)
        assert job.state == "done", job.error
        deadline = time.monotonic() + 10
        while session.current("census") is None and time.monotonic() < deadline:
            time.sleep(0.05)
        tab.tick()
        assert "B cells: " in tab.text("census-out")
    finally:
        app.stop()


def test_broken_plug_ins_are_named_and_the_program_starts(tmp_path: Path, open_tab: Callable[..., Any]) -> None:
    config = Config.for_tests(tmp_path)
    folder = config.plugins_folder
    write(folder, "broken.py", "import a_module_that_is_nowhere\n")
    write(folder, "syntax.py", "def (\n")
    write(folder, "quits.py", "raise SystemExit(3)\n")
    write(folder, "empty.py", "x = 1\n")
    write(folder, "clash.py", 'from gui.plugin import Page\npage = Page("dtd", "Mine", "x")\npage.layout(lambda ctx: "x")\n')
    write(folder, "badkey.py", 'from gui.plugin import Page\npage = Page("Bad Key", "Mine", "x")\npage.layout(lambda ctx: "x")\n')
    write(folder, "nolayout.py", 'from gui.plugin import Page\npage = Page("nolayout", "Mine", "x")\n')
    write(
        folder,
        "layoutfails.py",
        'from gui.plugin import Page\npage = Page("failing", "Mine", "x")\n@page.layout\ndef layout(ctx):\n    raise ValueError("no")\n',
    )
    write(folder, "_ignored.py", "raise ValueError\n")
    app = create_app(config)
    try:
        assert [p.key for p in app.registry.pages] == ["upload", "dtd", "adtd", "sessions", "help"]
        said = [str(e) for e in app.registry.errors]
        for name in ("broken.py", "syntax.py", "quits.py", "empty.py", "clash.py", "badkey.py", "nolayout.py", "Mine"):
            assert any(name in text for text in said), name
        assert len(said) == 8
        shown = open_tab(app).text("dcx-notices", "sendNotifications")
        assert "broken.py" in shown
        assert "Traceback" not in shown
    finally:
        app.stop()


def test_a_page_comes_after_the_page_whose_results_it_needs() -> None:
    late = Page("late", "Late", "", order=99)
    early = Page("early", "Early", "", order=1, requires=("late",))
    other = Page("other", "Other", "", order=50)
    assert [p.key for p in in_order([early, other, late])] == ["other", "late", "early"]


def test_requirements_in_a_circle_do_not_hang() -> None:
    one, two = Page("one", "One", "", requires=("two",)), Page("two", "Two", "", requires=("one",))
    assert {p.key for p in in_order([one, two])} == {"one", "two"}


def test_without_a_plug_in_folder_the_built_in_pages_are_there(tmp_path: Path) -> None:
    found = find_pages(tmp_path / "nowhere")
    assert [p.key for p in found.pages] == ["upload", "dtd", "adtd", "sessions", "help"]
    assert found.errors == ()
