"""The program for the endurance run, in a process of its own: ten sessions, each with names and
numbers that no other has, and a page that shows them.

    python -m tests.endurance.program FOLDER [--mixed]

Prints one line of JSON (url, pid, sessions), and for each line it is then sent one of figures; ends
with its input. ``--mixed`` is the positive control: the page shows whatever session was asked for
last, by whichever tab.
"""

from __future__ import annotations

import gc
import json
import sys
import textwrap
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from desktop.server import LocalServer
from gui.app import Application, create_app
from gui.config import Config
from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.engine.metrics import COLUMNS, compare
from gui.engine.params import DTDParams
from gui.engine.results import DTDResult, Provenance, Run
from gui.sessions.manager import LOCAL

SESSIONS, GENES, TYPES = 10, 12, 3
PAGE = """
    import json

    from dash import Input, Output, html

    from gui.plugin import REVISION, Page

    page = Page("check", "Check", "What belongs to this session", order=60, requires=("dataset",))
    LAST = {}


    def count(dataset, params, *, progress):
        progress("Counting", 0.5)
        return {"types": ", ".join(sorted(dataset.train.counts().index))}


    @page.layout
    def layout(ctx):
        return html.Div([html.Button("Count", id=page.id.go), html.Pre(id=page.id.out)])


    @page.callback(Input(page.id.go, "n_clicks"), prevent_initial_call=True)
    def go(ctx, clicks):
        if clicks:
            ctx.jobs.submit(count, ctx.session_id)


    @page.callback(Output(page.id.out, "children"), REVISION)
    def show(ctx, revision):
        session = LAST.setdefault("session", ctx.session) if MIXED else ctx.session
        LAST["session"] = ctx.session
        found = sorted({run.result["types"] for run in session.runs("check")})
        types = ", ".join(sorted(session.dataset.train.counts().index))
        samples = ", ".join(session.dataset.bulk.matrix.columns)
        return json.dumps({"name": ctx.session.name, "types": types, "samples": samples, "found": found, "runs": len(session.runs("check"))})
"""


def name(k: int) -> str:
    return f"Session {k:02}"


def types(k: int) -> list[str]:
    return [f"K{k:02} {what}" for what in ("alpha", "beta", "gamma")[:TYPES]]


def samples(k: int) -> list[str]:
    return [f"K{k:02} patient {i}" for i in range(4)]


def iterations(k: int) -> int:
    """Of the DTD run that the session has from the beginning."""
    return 100 + k


def dataset(k: int) -> Dataset:
    """A few cells, as many as no other session has, and a small bulk."""
    random = np.random.default_rng(k)
    genes = pd.Index([f"G{i}" for i in range(GENES)])

    def cells(count: int) -> Cells:
        values = random.poisson(3.0, (GENES, count)).astype(np.float32) + 1
        return Cells(
            Matrix(values, genes, pd.RangeIndex(count)),
            np.resize(np.array(types(k), dtype=object), count),
            pd.DataFrame(index=range(count)),
        )

    bulk = Bulk(
        Matrix(random.random((GENES, 4)) + 0.1, genes, pd.Index(samples(k))),
        pd.DataFrame(index=pd.Index(samples(k))),
    )
    return Dataset(cells(20 + k), cells(9), bulk=bulk, name=f"K{k:02} data")


def trained(k: int, data: Dataset) -> Run:
    """A DTD run whose values are drawn at random: what counts is whose it is."""
    random, kinds = np.random.default_rng(100 + k), types(k)
    genes = data.train.matrix.genes  # type: ignore[union-attr]

    def shares(columns: Any) -> pd.DataFrame:
        return pd.DataFrame(
            random.dirichlet(np.ones(TYPES), len(columns)).T, index=kinds, columns=columns
        )

    mixtures = [str(i) for i in range(6)]
    parts = {"train": shares(mixtures), "test": shares(mixtures), "bulk": shares(samples(k))}
    truth = {"train": shares(mixtures), "test": shares(mixtures)}
    rows = [
        compare(part, method, truth[part], parts[part])
        for part in truth
        for method in ("dtd", "naive")
    ]
    result = DTDResult(
        reference=pd.DataFrame(random.random((GENES, TYPES)), index=genes, columns=kinds),
        gene_weights=pd.Series(random.random(GENES).astype(np.float32), index=genes),
        loss=random.random(iterations(k)),
        correlation=pd.DataFrame(random.random((iterations(k), TYPES)), columns=kinds),
        composition=parts,
        naive=parts,
        truth=truth,
        metrics=pd.concat(rows, ignore_index=True)[COLUMNS],
        params=DTDParams(iterations=iterations(k)),
    )
    return Run(
        f"dtd{k}",
        "dtd",
        "DTD",
        datetime.now(UTC),
        DTDParams(iterations=iterations(k)),
        result,
        Provenance(data.training_id, data.bulk_id),
    )


def filled(application: Application) -> None:
    for k in range(SESSIONS):
        session = application.sessions.create_session(name(k), actor=LOCAL)
        data = dataset(k)
        session.set_dataset(data, keep_runs=False)
        session.add_run(trained(k, data))


def figures(application: Application) -> dict[str, Any]:
    """Memory and open handles of this process; and, while tracemalloc runs, where memory was
    taken.
    """
    gc.collect()
    me = psutil.Process()
    found: dict[str, Any] = {
        "rss": me.memory_info().rss,
        "handles": me.num_handles() if sys.platform == "win32" else me.num_fds(),
        "threads": me.num_threads(),
        "objects": len(gc.get_objects()),
        "active": sum(job.active for job in application.runner.status()),
        "states": sorted({job.state for job in application.runner.status()}),
        "unsaved": application.pending_saves(),
    }
    if tracemalloc.is_tracing():
        found["top"] = [str(s) for s in tracemalloc.take_snapshot().statistics("lineno")[:15]]
    return found


def main() -> None:
    folder, mixed = Path(sys.argv[1]), "--mixed" in sys.argv
    config = Config.for_tests(folder)
    (config.plugins_folder / "check.py").write_text(
        textwrap.dedent(PAGE).replace("MIXED", str(mixed)), encoding="utf-8"
    )
    application = create_app(config)
    filled(application)
    server = LocalServer(application.server)
    server.start()
    application.start()
    sys.stdout.write(
        json.dumps({"start": application.start_url(server.url), "url": server.url}) + "\n"
    )
    sys.stdout.flush()
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(figures(application)) + "\n")
        sys.stdout.flush()
    server.stop()
    application.stop()


if __name__ == "__main__":
    main()
