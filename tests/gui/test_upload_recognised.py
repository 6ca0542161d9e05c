"""What was recognised is in one table before Load, and the samples of a table can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.data.readers.inspection import Inspection
from gui.files import FileKind
from gui.pages.upload.files import _options
from tests.gui.upload_page import choose, one, session_of


@pytest.fixture
def bulk(awkward: Path) -> pd.DataFrame:
    return anndata.read_h5ad(awkward / "clean_application.h5ad").to_df().T


def facts(tab: Any) -> str:
    text: str = tab.text("upload-seen").replace("\u00a0", " ")
    return text


def test_everything_that_was_recognised_is_in_one_table_before_load(
    tab: Any, awkward: Path, bulk: pd.DataFrame, tmp_path: Path
) -> None:
    bulk.insert(0, "Length", range(300, 300 + 7 * len(bulk), 7))
    bulk.to_csv(tmp_path / "counts.txt", sep="\t", index_label="Geneid")
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", tmp_path / "counts.txt")
    said = facts(tab)
    for words in (
        "column Geneid",  # where the genes are
        f"8 samples: {bulk.columns[1]} to {bulk.columns[-1]}",
        "Length (lengths of the genes)",  # what was left out, and why
        "column sums",  # scale and unit
        "6 from column",  # cell types
    ):
        assert words in said
    assert tab.get("upload-bulk-without", "value") == ["Length"]
    # the user knows better: another column is no sample
    gone = bulk.columns[1]
    tab.set({("upload-bulk-without", "value"): ["Length", gone]})
    assert f"7 samples: {bulk.columns[2]} to" in facts(tab)
    tab.set({("upload-bulk-without", "value"): ["Length"]})
    assert "8 samples" in facts(tab)
    tab.set({("upload-bulk-without", "value"): ["Length", gone]})
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.bulk is not None
    assert list(data.bulk.samples) == list(bulk.columns[2:])


def test_a_signature_matrix_among_the_training_cells_becomes_the_reference(
    tab: Any, awkward: Path, tmp_path: Path
) -> None:
    cells = anndata.read_h5ad(awkward / "clean_train.h5ad")
    means = cells.to_df().groupby(cells.obs["cell_type"].astype(str)).mean().T
    means.to_csv(tmp_path / "signature.txt", sep="\t", index_label="NAME")
    choose(tab, "train", tmp_path / "signature.txt")
    assert tab.get("upload-load", "disabled") is True
    tab.click(one("as", "reference"))
    assert tab.get("upload-train-token", "data") is None
    choose(tab, "train", awkward / "clean_train.h5ad")
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.reference is not None
    assert list(data.reference.columns) == list(means.columns)


class Dialog:
    """The window's dialogs: what is chosen is given beforehand."""

    native = True

    def __init__(self) -> None:
        self.chosen: list[Path] = []

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        return self.chosen if multiple else self.chosen[:1]


def test_several_files_chosen_in_the_windows_dialog_become_one_bulk(
    open_tab: Callable[[Application], Any], awkward: Path, bulk: pd.DataFrame, tmp_path: Path
) -> None:
    dialog: Any = Dialog()
    folder = tmp_path / "run"
    folder.mkdir()
    for name in bulk.columns[:3]:
        path = folder / f"{name}.counts.txt"
        bulk[[name]].to_csv(path, sep="\t", header=False)
        dialog.chosen.append(path)
    application = create_app(Config.for_tests(tmp_path / "home"), dialog)
    try:
        tab = open_tab(application)
        tab.go("upload")
        choose(tab, "train", awkward / "clean_train.h5ad")
        tab.click("upload-bulk-choose")
        assert "3 samples" in facts(tab)
        tab.click("upload-load")
        data = session_of(tab).dataset
        assert data is not None
        assert data.bulk is not None
        loaded = data.bulk.matrix.frame().loc[bulk.index]
        np.testing.assert_allclose(loaded.to_numpy(), bulk.iloc[:, :3].to_numpy())
        assert len(set(data.bulk.samples)) == 3
    finally:
        application.stop()


def test_the_choice_of_gene_names_of_a_table_does_not_call_a_column_the_index() -> None:
    for kind, label in (("table", "as recognised"), ("10x", "symbols"), ("h5ad", "the index")):
        found = Inspection(
            kind, "b", 1, (2, 2), pd.DataFrame(), var_columns=("gene_id",), genes_column="gene_id"
        )
        first, *others = _options(found, "bulk")["genes"][0]
        assert first["label"] == label
        assert [o["value"] for o in others] == ["gene_id"]
