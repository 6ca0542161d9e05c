"""What is kept in several files comes in through a browser: chosen together, or as the folder
dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from scipy import io, sparse

pytestmark = pytest.mark.browser
READ = 120_000
"""Milliseconds a file may take to be looked at on a busy machine."""


@pytest.fixture
def tenx(tmp_path: Path) -> Path:
    """A 10x folder of 30 genes and 40 cells, and what systems leave in folders."""
    folder = tmp_path / "filtered_feature_bc_matrix"
    (folder / "analysis").mkdir(parents=True)
    (folder / ".DS_Store").write_bytes(b"\x00")
    io.mmwrite(
        folder / "matrix.mtx",
        sparse.csc_matrix(np.random.default_rng(0).poisson(2.0, (30, 40))),
        field="integer",
    )
    (folder / "barcodes.tsv").write_text("".join(f"CELL{i}-1\n" for i in range(40)))
    (folder / "features.tsv").write_text(
        "".join(f"ENSG{i:011d}\tGENE{i}\tGene Expression\n" for i in range(30))
    )
    return folder


def kept(running: Any) -> set[str]:
    """Names of the files below the program's folder for uploads."""
    place = running.application.uploads._place()
    return {path.name for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", ["chosen", "dropped"])
def test_a_10x_folder_comes_from_another_computer(
    opened: Page, running: Any, watched: Any, tenx: Path, way: str
) -> None:
    page = opened
    if way == "chosen":
        with page.expect_file_chooser() as chooser:
            page.click("#upload-train-choose")
        chooser.value.set_files(
            sorted(path for path in tenx.iterdir() if path.suffix in (".mtx", ".tsv"))
        )
    else:
        drop(page, "#upload-train-choose", [tenx])
    expect(page.locator("#upload-train-name")).to_have_text("matrix.mtx and 2 more", timeout=READ)
    expect(page.locator("#upload-train-found")).to_contain_text("40 cells, 30 genes")
    assert kept(running) == {"matrix.mtx", "barcodes.tsv", "features.tsv"}
    page.click("#upload-train-remove")
    expect(page.locator("#upload-train-choose")).to_be_visible()
    assert kept(running) == set()
    assert watched.complaints == []


def test_files_that_do_not_belong_together_are_refused_in_a_sentence(
    opened: Page, watched: Any, tmp_path: Path
) -> None:
    page = opened
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("gene,A,B\nG1,1,2\n")
    drop(page, "#upload-bulk-choose", [tmp_path / "one.csv", tmp_path / "two.csv"])
    expect(page.get_by_role("alert")).to_contain_text(
        "one.csv is a table of 2 columns, not of one sample.", timeout=READ
    )
    expect(page.locator("#upload-bulk-choose")).to_be_visible()
    assert watched.complaints == []


def test_a_folder_that_cannot_be_meant_is_refused_and_nothing_is_sent(
    opened: Page, running: Any, watched: Any, tmp_path: Path
) -> None:
    page = opened
    for number in range(501):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / f"{number}.csv").write_text("gene,A\nG1,1\n")
    (tmp_path / "none").mkdir()
    for folder, says in (
        ("many", "holds more than 500 files"),
        ("none", "There is no file in the folder none"),
    ):
        drop(page, "#upload-bulk-choose", [tmp_path / folder])
        expect(page.get_by_role("alert").filter(has_text=says)).to_be_visible()
    drop(page, "#upload-bulk-choose", [tmp_path / "many", tmp_path / "none"])
    expect(
        page.get_by_role("alert").filter(has_text="A folder cannot be taken here")
    ).to_be_visible()
    assert kept(running) == set()
    assert watched.complaints == []


def drop(page: Page, onto: str, paths: list[Path]) -> None:
    """As the system's file manager does it."""
    box = page.locator(onto).bounding_box()
    assert box is not None
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for event in ("dragEnter", "dragOver", "drop"):
        devtools.send(
            "Input.dispatchDragEvent",
            {"type": event, "x": box["x"] + box["width"] / 2, "y": box["y"] + 10, "data": data},
        )
