"""A protected session that was worked in through the server, with a job in the worker, leaves
nothing in the program's memory when it is locked.
"""

from __future__ import annotations

import gc
import secrets
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.app import create_app
from gui.config import Config
from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.sessions.manager import LOCAL, Actor
from tests.processes import worker_pids
from tests.sessions.wiped import holders
from tests.waiting import until

PASSWORD = "correct horse battery"
PLUGIN = """
    from dash import Input, Output, html

    from gui.plugin import REVISION, Page

    page = Page("census", "Census", "Cells of each type", order=50, requires=("dataset",))


    def count(dataset, params, *, progress):
        return {"cells": dataset.train.counts()}


    @page.layout
    def layout(ctx):
        return html.Div([html.Button("Count", id=page.id.go), html.Div(id=page.id.out)])


    @page.callback(Input(page.id.go, "n_clicks"), prevent_initial_call=True)
    def go(ctx, clicks):
        if clicks:
            ctx.jobs.submit(count, ctx.session_id, title=str(ctx.session.notes))


    @page.callback(Output(page.id.out, "children"), REVISION)
    def show(ctx, revision):
        run = ctx.session.current("census")
        return "not yet" if run is None else ", ".join(f"{name}: {n}" for name, n in run.result["cells"].items())
"""


def telling(mark: str) -> Dataset:
    genes, samples = (
        pd.Index([f"G{i}" for i in range(10)]),
        pd.Index([f"{mark} sample {i}" for i in range(4)]),
    )
    values = np.random.default_rng(0).poisson(3, (10, 20)).astype(np.float32) + 1
    kinds = np.resize(np.array([f"{mark} alpha", f"{mark} beta"], dtype=object), 20)
    train = Cells(
        Matrix(values, genes, pd.Index([f"{mark} cell {i}" for i in range(20)])),
        kinds,
        pd.DataFrame({"donor": [mark] * 20}),
    )
    return Dataset(
        train,
        None,
        bulk=Bulk(Matrix(values[:, :4], genes, samples), pd.DataFrame(index=samples)),
        name=f"Data {mark}",
        description=mark,
    )


@pytest.mark.parametrize("told", [True, False], ids=["everybody is told", "control"])
def test_locking_ends_the_worker_and_leaves_nothing_in_memory(
    tmp_path: Path, told: bool, open_tab: Callable[..., Any], quick_passwords: None
) -> None:
    """Positive control: where the queue is not told to let go, what it keeps is found."""
    config = Config.for_tests(tmp_path)
    (config.plugins_folder / "census.py").write_text(textwrap.dedent(PLUGIN), encoding="utf-8")
    application, kram = create_app(config), secrets.token_hex(12)
    try:
        if not told:
            application.sessions.before_lock = lambda session: None
        application.runner.start()
        session = application.sessions.create_session("Mine", actor=LOCAL)
        session.set_dataset(telling(kram[::-1]), keep_runs=False)
        session.notes = f"Notes {kram[::-1]}"
        key = session.session_id
        del session
        tab = open_tab(application)
        actor = next(iter(application.guard._browsers.values()))
        application.sessions.protect_session(
            key, PASSWORD, hide_name=True, actor=Actor(browser=actor)
        )
        tab.set({("dcx-session", "data"): key})
        for page in ("upload", "dtd", "sessions", "census"):
            tab.go(page)
        tab.click("census-go")
        deadline = time.monotonic() + 120
        while any(job.active for job in application.runner.status()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        tab.tick()
        assert "alpha: 10" in tab.text("census-out")
        before = worker_pids(application.runner)
        tab.click("dcx-lock")
        assert application.sessions.is_locked(key, actor=LOCAL)
        tab.tick()
        assert "dcx-unlock-password" in tab.text("dcx-outlet")
        tab.values.clear()
        del tab
        while told and worker_pids(application.runner) == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        if told:
            until(lambda: gc.collect() >= 0 and holders(kram) == [])  # its threads end
        else:
            gc.collect()
            assert holders(kram)
    finally:
        application.stop()
