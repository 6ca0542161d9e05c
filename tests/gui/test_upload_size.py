"""How much the Upload page sends for a large data set; the same promise for DTD and ADTD:
test_dtd_page.py, test_adtd_words.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gui.app import Application
from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.sessions.manager import LOCAL

LIMIT = 3_000_000


def large() -> Dataset:
    """1000 samples, 3000 cells of 30 types with long names, 2000 genes, and columns of obs that
    were ticked.
    """
    random = np.random.default_rng(0)
    genes = pd.Index([f"ENSG{i:011d}" for i in range(2000)])
    names = pd.Index([f"TCGA-{i:04}-sample-with-a-name" for i in range(1000)])

    def cells(count: int) -> Cells:
        barcodes = pd.Index([f"{i:016d}-1" for i in range(count)])
        labels = np.resize(
            np.array([f"Cell type with a long name {i:02}" for i in range(30)]), count
        )
        return Cells(
            Matrix(random.poisson(1, (2000, count)).astype(np.float32), genes, barcodes),
            labels,
            pd.DataFrame({"donor": labels}, index=barcodes),
        )

    bulk = Bulk(
        Matrix(random.random((2000, 1000)), genes, names),
        pd.DataFrame({"group": np.resize(np.array(["a", "b"]), 1000)}, index=names),
    )
    reference = Matrix(random.random((2000, 30)), genes, pd.Index(cells(30).types))
    return Dataset(cells(3000), cells(1000), reference=reference, bulk=bulk, name="large")


def test_no_tab_sends_more_than_3_mb_for_1000_samples_and_30_types(
    application: Application, open_tab: Callable[[Application], Any]
) -> None:
    session = application.sessions.create_session("large", actor=LOCAL)
    session.set_dataset(large(), keep_runs=False)
    tab = open_tab(application)
    sizes: list[int] = []
    post = tab.client.post

    def measured(*args: Any, **options: Any) -> Any:
        answer = post(*args, **options)
        sizes.append(len(answer.data))
        return answer

    tab.client.post = measured
    tab.set({("dcx-session", "data"): session.session_id})
    tab.go("upload")
    assert sum(sizes) < LIMIT
    for change in [
        ("dcx-revision", "data", "again"),
        *[("upload-tabs", "value", value) for value in ("types", "rows", "about", "parts")],
    ]:
        sizes.clear()
        tab.set({change[:2]: change[2]})
        assert sum(sizes) < LIMIT, (change, sizes)
    # training and test, and their two legend entries: what was measured was there
    assert len(tab.get("upload-type-counts", "figure")["data"]) == 4
    assert "TCGA-0000" in tab.text("upload-rows")
