"""One file of each kind is repaired through the wizard in a browser, as a user does it, and the
repair is taken back.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

pytestmark = pytest.mark.browser
READ = 120_000
"""Milliseconds a file may take to be looked at on a busy machine."""


def choose(page: Page, role: str, path: Path) -> None:
    page.fill(f"#upload-{role}-path", str(path))
    page.press(f"#upload-{role}-path", "Enter")
    expect(page.locator(f"#upload-{role}-name")).to_have_text(path.name, timeout=READ)


def switch(page: Page, words: str) -> Locator:
    return page.locator("#upload-findings").get_by_label(words, exact=False).first


def may_load(page: Page, yes: bool) -> None:
    expect(page.locator("#upload-reason")).not_to_contain_text("Looking", timeout=READ)
    button = expect(page.locator("#upload-load"))
    if yes:
        button.to_be_enabled()
    else:
        button.to_be_disabled()


@pytest.mark.parametrize(
    ("role", "name", "says", "repair", "done", "refused"),
    [
        (
            "train",
            "log1p_train.h5ad",
            "look log-transformed",
            "Undo the logarithm (eˣ - 1) (proposed)",
            "was undone",
            True,
        ),
        pytest.param(
            "train",
            "transposed_train.h5ad",
            "seem to be exchanged",
            "Exchange genes and columns",
            "were exchanged",
            True,
            marks=pytest.mark.slow,
        ),
        ("bulk", "excel_dates.csv", "2-Sep", "Restore the gene names", "2-Sep to SEPT2", False),
        pytest.param(
            "bulk",
            "application_dup_symbols.csv.gz",
            "more than once",
            "Sum up duplicated genes",
            "summed up",
            True,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "bulk",
            "application_ensembl_pipe_symbol.tsv",
            "no gene in common",
            "Take gene symbols, as the other files have them",
            "brought to gene symbols",
            True,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "bulk",
            "samples_duplicated.csv",
            "more than once",
            "Number the samples of the same name",
            "renamed",
            True,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_file_is_repaired_and_the_repair_taken_back(
    opened: Page,
    watched: Any,
    awkward: Path,
    role: str,
    name: str,
    says: str,
    repair: str,
    done: str,
    refused: bool,
) -> None:
    page, folder = opened, awkward
    choose(page, "train", folder / (name if role == "train" else "clean_train.h5ad"))
    if role == "bulk":
        choose(page, "bulk", folder / name)
    findings = page.get_by_role("tab", name="Findings")
    # there is something to look at: the page goes there by itself
    expect(findings).to_have_attribute("aria-selected", "true", timeout=READ)
    found = page.locator("#upload-findings")
    expect(found).to_contain_text(says, timeout=READ)
    expect(page.locator("#upload-reason")).not_to_contain_text("Looking", timeout=READ)
    may_load(page, not refused)
    switch(page, repair).check(force=True)
    expect(page.locator("#upload-review-answer")).to_contain_text(
        "1 repair switched on", timeout=READ
    )
    expect(found).to_contain_text(done)
    may_load(page, True)
    switch(page, repair.removesuffix(" (proposed)")).uncheck(force=True)
    expect(page.locator("#upload-review-answer")).not_to_contain_text("switched on", timeout=READ)
    expect(found).to_contain_text(says)
    expect(found).not_to_contain_text(done)
    may_load(page, not refused)
    assert watched.complaints == []


def test_loaded_data_get_a_repair_undone(
    opened: Page, watched: Any, awkward: Path, tmp_path: Path
) -> None:
    page = opened
    own = Path(shutil.copy(awkward / "excel_dates.csv", tmp_path / "own.csv"))
    choose(page, "train", awkward / "clean_train.h5ad")
    choose(page, "bulk", own)
    page.get_by_role("tab", name="Findings").click()
    page.locator("#upload-findings summary").first.click()
    expect(page.locator("#upload-findings details").first).to_contain_text("SEPT2")
    page.click("#upload-apply-all")
    expect(page.locator("#upload-review-answer")).to_contain_text("switched on", timeout=READ)
    page.click("#upload-load")
    expect(page.locator("#upload-answer")).to_contain_text("396 genes in common", timeout=READ)
    page.locator("#upload-undo-bar").get_by_role("button", name="Undo").click()
    expect(page.locator("#upload-answer")).to_contain_text("395 genes in common", timeout=READ)
    expect(page.locator("#upload-undo-bar")).to_have_text("")
    assert watched.complaints == []


def test_types_are_renamed_merged_and_brought_back_in_the_table(
    opened: Page, watched: Any, awkward: Path
) -> None:
    page = opened
    choose(page, "train", awkward / "two_identical_types.h5ad")
    page.get_by_role("tab", name="Cell types").click()
    rows = page.locator("#upload-types .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(6, timeout=READ)
    expect(page.locator("#upload-reason")).not_to_contain_text("Looking", timeout=READ)
    # who has gone on stays
    expect(page.get_by_role("tab", name="Cell types")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#upload-similarity .main-svg").first).to_be_visible()
    cell = page.locator("#upload-types .ag-cell[col-id=type]", has_text=re.compile("^pDC$"))
    cell.dblclick()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("Plasmacytoid")
    page.keyboard.press("Enter")
    expect(page.locator("#upload-types")).to_contain_text("Plasmacytoid", timeout=READ)
    expect(page.locator("#upload-review-answer")).to_contain_text(
        "1 repair switched on", timeout=READ
    )
    for name in ("T cells CD4 conv", "T cells CD8"):
        row = page.locator("#upload-types .ag-center-cols-container .ag-row", has_text=name)
        place = row.get_attribute("row-index")
        page.locator(
            f"#upload-types .ag-pinned-left-cols-container [row-index='{place}']"
            " input[type=checkbox]"
        ).check()
    page.fill("#upload-merged", "T cells")
    page.click("#upload-merge")
    expect(rows).to_have_count(5, timeout=READ)
    expect(page.locator("#upload-load")).to_be_enabled()
    page.click("#upload-types-back")
    expect(rows).to_have_count(6, timeout=READ)
    expect(page.locator("#upload-load")).to_be_disabled()
    assert watched.complaints == []


def test_known_compositions_and_clinical_data_are_kept_and_changed(
    opened: Page, watched: Any, awkward: Path, tmp_path: Path
) -> None:
    page, folder = opened, awkward
    patients = tmp_path / "patients.csv"
    patients.write_text("Patient;OS.time;OS\npbmc-1;12,5;Dead\npbmc-10;30;Alive\n", "utf-8")
    choose(page, "train", folder / "clean_train.h5ad")
    choose(page, "bulk", folder / "clean_application.h5ad")
    may_load(page, True)
    page.click("#upload-load")
    for name, file in (("known", folder / "clean_truth.csv"), ("clinical", patients)):
        page.get_by_role(
            "tab", name="Known compositions" if name == "known" else "Clinical data"
        ).click()
        page.fill(f"#upload-{name}-path", str(file))
        page.press(f"#upload-{name}-path", "Enter")
        keep = page.locator(f"#upload-{name}-keep")
        expect(keep).to_be_enabled(timeout=READ)
        if name == "known":
            monocytes = page.locator("input[aria-label='Estimated type for Monocytes']")
            monocytes.click()
            page.get_by_role("option", name="pDC").click()  # added up with the one proposed
        keep.click()
        expect(page.locator(f"#upload-{name}-remove")).to_be_visible(timeout=READ)
        expect(page.locator(f"#upload-{name}-head")).to_contain_text(file.name)
    page.click("#upload-clinical-unit")
    page.get_by_role("option", name="weeks").click()
    expect(page.locator("#upload-clinical-head")).to_contain_text("weeks")
    page.get_by_role("tab", name="Known compositions").click()
    row = page.locator("#upload-known-box tr", has_text="Monocytes").last
    expect(row).to_contain_text("pDC")
    page.click("#upload-known-remove")
    expect(page.locator("#upload-known-path")).to_be_visible()
    assert watched.complaints == []


def test_leaving_while_files_are_looked_at_is_no_fault(
    opened: Page, watched: Any, awkward: Path
) -> None:
    page = opened
    held: list[Route] = []

    def hold(route: Route) -> None:
        if not held and "upload-judged.data" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.fallback()

    page.route("**/_dash-update-component*", hold)
    choose(page, "train", awkward / "clean_train.h5ad")
    expect(page.locator("#upload-steps")).to_have_class("dcx-busy")
    while not held:
        page.wait_for_timeout(50)
    page.click("#dcx-nav a:has-text('Sessions')")
    expect(page.locator("#sessions-new")).to_be_visible()
    (asked,) = held
    with page.expect_response(lambda r: r.request == asked.request, timeout=READ):
        asked.fallback()  # now the answer finds the page gone
    page.wait_for_timeout(500)
    page.click("#dcx-nav a:has-text('Upload')")
    may_load(page, True)
    expect(page.locator("#upload-steps")).not_to_have_class("dcx-busy")
    assert watched.complaints == []
