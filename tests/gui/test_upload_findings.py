"""The wizard through the door: what is found is said with its repair, and nothing is changed that
the user did not switch on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np

from gui.app import Application
from gui.knowledge.human_genes import human_genes
from tests.gui.upload_page import choose, one, session_of, switch_off, switch_on, switches


def test_clean_data_are_loaded_with_three_clicks_and_every_step_left_as_proposed(
    tab: Any, awkward: Path
) -> None:
    clicks = 0
    for role, name in (("train", "clean_train.h5ad"), ("bulk", "clean_application.h5ad")):
        choose(tab, role, awkward / name)
        clicks += 1
    assert (
        "Ready to load: 150 training cells of 6 types and 8 bulk samples, 396 genes in common."
        in tab.text("upload-review-answer").replace("\u00a0", " ")
    )
    assert tab.get("upload-load", "disabled") is False
    tab.click("upload-load")
    clicks += 1
    assert clicks <= 5
    assert session_of(tab).dataset is not None
    assert tab.get("upload-review", "style") == {"display": "none"}
    assert tab.get("upload-loaded", "style") == {}


def test_a_repair_is_offered_switched_on_and_taken_back(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", awkward / "excel_dates.csv")
    shown = tab.text("upload-findings")
    assert "excel_dates.csv" in shown
    assert "2-Sep" in shown
    assert "SEPT2" in shown  # in the preview
    # the page goes there, unless its user has gone elsewhere
    assert tab.get("upload-judged", "data")["begin"] == "findings"
    assert switches(tab, "applied") == {}
    funnel = tab.get("upload-funnel-words", "children")
    assert "395 genes are in all parts" in funnel
    switch_on(tab, "Restore the gene names")
    assert "396 genes are in all parts" in tab.get("upload-funnel-words", "children")
    assert list(switches(tab, "applied")) == ["Restore the gene names that Excel turned into dates"]
    assert "2-Sep to SEPT2" in tab.text("upload-findings")  # what was done
    switch_off(tab, "Restore the gene names")
    assert tab.get("upload-funnel-words", "children") == funnel
    assert switches(tab, "applied") == {}
    tab.click("upload-load")  # left as it was found
    data = session_of(tab).dataset
    assert data is not None
    assert data.bulk is not None
    assert "2-Sep" in set(data.bulk.matrix.genes)


def test_all_proposed_repairs_are_applied_with_one_button_and_kept_in_the_provenance(
    tab: Any, awkward: Path
) -> None:
    choose(tab, "train", awkward / "log1p_train.h5ad")
    choose(tab, "bulk", awkward / "excel_dates.csv")
    assert tab.get("upload-apply-all", "children") == "Apply all 2 proposed repairs"
    tab.click("upload-apply-all")
    assert len(switches(tab, "applied")) == 2
    assert tab.get("upload-apply-bar", "style") == {"display": "none"}
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.train is not None
    assert data.bulk is not None
    assert float(np.max(data.train.matrix.values)) > 100  # 7.2 as a logarithm
    assert "SEPT2" in set(data.bulk.matrix.genes)
    assert [r["kind"] for s in data.sources for r in s.options.get("repairs", ())] == [
        "undo_log",
        "restore_dates",
    ]


def test_another_base_is_an_alternative_with_a_preview_of_its_own(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "log1p_train.h5ad")
    offers = switches(tab)
    assert {
        "Undo the logarithm (eˣ - 1) (proposed)",
        "Undo the logarithm (2ˣ - 1)",
    } <= offers.keys()
    tab.click(one("look", offers["Undo the logarithm (2ˣ - 1)"]))
    assert tab.get("upload-preview-box", "opened") is True
    assert tab.get("upload-preview-box", "title") == "Undo the logarithm (2ˣ - 1)"
    assert '"Table"' in tab.text("upload-preview")
    assert switches(tab, "applied") == {}


def test_logarithms_are_not_loaded_until_the_base_is_chosen_or_they_are_said_to_be_linear(
    tab: Any, awkward: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(3)
    linear = anndata.read_h5ad(awkward / "clean_application.h5ad").to_df().T
    linear *= random.lognormal(0, 0.2, linear.shape)  # of no one sum, and not whole
    logs = np.log1p(linear)
    logs.to_csv(tmp_path / "fpkm.csv", index_label="gene")
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", tmp_path / "fpkm.csv")
    for _ in range(2):
        assert tab.get("upload-load", "disabled") is True
        assert "The values look log-transformed" in tab.text("upload-reason")
        assert "must be settled" in tab.text("upload-review-answer")
        assert "(proposed)" not in "".join(switches(tab))
        switch_on(tab, "Undo the logarithm (eˣ - 1)")
        assert tab.get("upload-load", "disabled") is False
        switch_off(tab, "Undo the logarithm (eˣ - 1)")
    assert tab.get("upload-load", "disabled") is True
    switch_on(tab, "Keep the values: they are linear")
    assert tab.get("upload-load", "disabled") is False
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.bulk is not None
    np.testing.assert_allclose(data.bulk.matrix.frame().loc[logs.index], logs, rtol=1e-6)
    (source,) = [s for s in data.sources if s.role == "bulk"]
    assert [r["kind"] for r in source.options["repairs"]] == ["keep_values"]
    assert any("taken for linear ones, as chosen" in note for note in source.notes)


def test_names_of_another_kind_keep_load_away_until_one_click_brings_them_together(
    tab: Any, awkward: Path, tmp_path: Path
) -> None:
    ids = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
    bulk = anndata.read_h5ad(awkward / "clean_application.h5ad").to_df().T
    bulk = bulk[[gene in ids for gene in bulk.index]].rename(index=ids)
    bulk.to_csv(tmp_path / "ids.csv", index_label="gene")
    choose(tab, "train", awkward / "clean_train.h5ad")
    assert tab.get("upload-match-names", "style") == {"display": "none"}
    choose(tab, "bulk", tmp_path / "ids.csv")
    assert tab.get("upload-load", "disabled") is True
    assert tab.get("upload-match-names", "style") == {}
    tab.click("upload-match-names")
    assert tab.get("upload-load", "disabled") is False
    assert tab.get("upload-match-names", "style") == {"display": "none"}
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.bulk is not None
    assert "GNLY" in set(data.bulk.matrix.genes)


def test_what_cannot_be_mended_keeps_load_away_with_its_reason(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", awkward / "application_ensembl.csv")
    assert tab.get("upload-load", "disabled") is True
    assert tab.get("upload-reason", "children").startswith("No common genes.")
    assert "must be settled" in tab.text("upload-review-answer")
    tab.click("upload-bulk-remove")  # the positive control
    assert tab.get("upload-load", "disabled") is False


def test_a_fault_with_a_repair_keeps_load_away_until_it_is_switched_on(
    tab: Any, awkward: Path
) -> None:
    choose(tab, "train", awkward / "transposed_train.h5ad")
    assert tab.get("upload-load", "disabled") is True
    assert "switch on a repair" in tab.get("upload-reason", "children")
    switch_on(tab, "Exchange genes and columns")
    assert tab.get("upload-load", "disabled") is False
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert len(data.types) == 6


def test_repairs_go_with_the_file_they_were_chosen_for(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "log1p_train.h5ad")
    switch_on(tab, "(proposed)")
    assert len(switches(tab, "applied")) == 1
    tab.click("upload-train-remove")
    choose(tab, "train", awkward / "clean_train.h5ad")
    assert switches(tab, "applied") == {}
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert not [s for s in data.sources if "repairs" in s.options]


def test_a_bulk_alone_is_compared_with_the_data_of_the_session(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    tab.click("upload-load")
    choose(tab, "bulk", awkward / "application_ensembl.csv")
    assert tab.get("upload-load", "disabled") is True
    assert "No common genes" in tab.text("upload-findings")
    tab.click("upload-bulk-remove")
    assert tab.get("upload-loaded", "style") == {}  # what is loaded is back on screen
    choose(tab, "bulk", awkward / "clean_application.csv")
    assert tab.get("upload-load", "disabled") is False


def test_a_forged_repair_is_refused_and_brings_no_path_along(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    token = tab.get("upload-train-token", "data")
    secret = {
        "kind": "map_genes",
        "role": "train",
        "by": "table",
        "table": str(awkward / "clean_truth.csv"),
        "table_name": "x",
    }
    for record in (secret, {"kind": "open_anything", "role": "train"}):
        tab.set({("upload-repairs", "data"): [{"record": record, "token": token, "table": None}]})
        assert "clean_truth" not in tab.text("upload-review")
        assert tab.get("upload-load", "disabled") is True
    tab.set({("upload-repairs", "data"): []})
    assert tab.get("upload-load", "disabled") is False


def test_a_repair_of_loaded_data_is_undone_by_reading_the_file_again(
    tab: Any, awkward: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copy(awkward / "excel_dates.csv", tmp_path))
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", own)
    tab.click("upload-apply-all")
    tab.click("upload-load")
    session = session_of(tab)
    assert session.dataset is not None
    before = session.dataset.bulk
    assert before is not None
    assert "SEPT2" in set(before.matrix.genes)
    shown = tab.text("upload-undo-bar")
    assert "Restore the gene names" in shown
    index = next(k for k, _ in tab.values if k.startswith("{") and '"part":"undo"' in k)
    tab.click(index)
    after = session.dataset.bulk
    assert after is not None
    assert "2-Sep" in set(after.matrix.genes)
    assert tab.get("upload-undo-bar", "children") is None


def test_undo_is_not_offered_once_the_file_is_gone(tab: Any, awkward: Path, tmp_path: Path) -> None:
    own = Path(shutil.copy(awkward / "excel_dates.csv", tmp_path))
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", own)
    tab.click("upload-apply-all")
    tab.click("upload-load")
    own.unlink()
    tab.set({("dcx-revision", "data"): "again"})
    assert "choose the file again to undo it" in tab.text("upload-undo-bar")
    assert '"part": "undo"' not in tab.text("upload-undo-bar")


def test_an_uploaded_file_is_deleted_once_loaded_and_one_of_the_user_stays(
    application: Application, open_tab: Callable[..., Any], awkward: Path
) -> None:
    tab = open_tab(application)
    copy = application.uploads.receive(
        "excel_dates.csv", [(awkward / "excel_dates.csv").read_bytes()], limit=10**7
    )
    choose(tab, "train", awkward / "clean_train.h5ad")
    tab.set({("upload-bulk-token", "data"): copy.token})
    tab.click("upload-apply-all")
    tab.click("upload-load")
    assert session_of(tab).dataset is not None
    assert not copy.path.exists()
    assert (awkward / "clean_train.h5ad").exists()
    assert "choose the file again to undo it" in tab.text("upload-undo-bar")
