"""``analyze --labels``: cells whose types are in a table beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.cli.analyze import analyze
from gui.knowledge.human_genes import human_genes

GENES = [s for s in sorted(set(human_genes().by_ensembl.values())) if s.isalnum()][900:960]
RANDOM = np.random.default_rng(4)
PROFILES = RANDOM.lognormal(3, 1.2, (len(GENES), 3))
TYPES = np.repeat(["B cells", "T cells", "NK cells"], 8)
NAMES = ["".join(RANDOM.choice(list("ACGT"), 12)) + "-1" for _ in TYPES]
CELLS = RANDOM.poisson(np.repeat(PROFILES, 8, axis=1)) + 1
KNOWN = np.array([[0.6, 0.1], [0.3, 0.2], [0.1, 0.7]])


@pytest.fixture
def bulk(tmp_path: Path) -> Path:
    values = pd.DataFrame(PROFILES @ KNOWN, index=GENES, columns=["P1", "P2"])
    values.to_csv(tmp_path / "bulk.tsv", sep="\t")
    return tmp_path / "bulk.tsv"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """In another order than the cells."""
    frame = pd.DataFrame({"barcode": NAMES, "cell_type": TYPES})
    frame.sample(frac=1, random_state=1).to_csv(tmp_path / "types.csv", index=False)
    return tmp_path / "types.csv"


def cells_in_rows(folder: Path) -> Path:
    pd.DataFrame(CELLS.T, index=NAMES, columns=GENES).to_csv(folder / "cells.csv")
    return folder / "cells.csv"


def cells_in_columns(folder: Path) -> Path:
    pd.DataFrame(CELLS, index=GENES, columns=NAMES).to_csv(folder / "cells.tsv", sep="\t")
    return folder / "cells.tsv"


def annotated_cells(folder: Path) -> Path:
    cells = anndata.AnnData(
        CELLS.T.astype(np.float32), pd.DataFrame(index=NAMES), pd.DataFrame(index=GENES)
    )
    cells.write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


@pytest.mark.parametrize("cells", [cells_in_rows, cells_in_columns, annotated_cells])
def test_the_types_are_joined_by_the_names_of_the_cells(
    cells, labels: Path, bulk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["--train", str(cells(tmp_path)), "--bulk", str(bulk), "--method", "nnls"]
    words += ["--repair", "--out", str(out)]
    assert analyze(words) == 2
    assert "--labels TABLE" in capsys.readouterr().err
    assert not out.exists()
    assert analyze([*words, "--labels", str(labels)]) == 0
    found = pd.read_csv(out / "composition_bulk.csv", index_col=0).loc[pd.unique(TYPES)]
    assert np.abs(found.to_numpy() - KNOWN).max() < 0.05
    (train,) = [
        x for x in json.loads((out / "run.json").read_text())["inputs"] if x["role"] == "train"
    ]
    assert train["options"]["labels"] == "types.csv"
    assert train["options"]["labels_sha256"] == hashlib.sha256(labels.read_bytes()).hexdigest()


def test_training_and_test_cells_have_a_table_each(
    labels: Path, bulk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells, out = str(cells_in_columns(tmp_path)), str(tmp_path / "out")
    words = [
        "--train",
        cells,
        "--test",
        cells,
        "--bulk",
        str(bulk),
        "--model",
        "naive",
        "--out",
        out,
    ]
    words += ["--mixtures", "20", "--labels", str(labels)]
    assert analyze(words) == 2
    assert "--labels" in capsys.readouterr().err
    assert analyze([*words, "--labels", f"test={labels}"]) == 0


def test_one_type_per_line_is_in_the_order_of_the_cells(bulk: Path, tmp_path: Path) -> None:
    table = tmp_path / "celltypes.txt"
    table.write_text("Celltype\n" + "\n".join(TYPES) + "\n")
    pd.DataFrame(CELLS.T, columns=GENES).to_csv(tmp_path / "counts.txt", sep="\t")
    words = ["--train", str(tmp_path / "counts.txt"), "--labels", str(table), "--bulk", str(bulk)]
    assert analyze([*words, "--method", "nnls", "--out", str(tmp_path / "out")]) == 0
    found = pd.read_csv(tmp_path / "out" / "composition_bulk.csv", index_col=0)
    assert np.abs(found.loc[pd.unique(TYPES)].to_numpy() - KNOWN).max() < 0.05


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--labels", "none.csv"], "There is no file none.csv"),
        (["--labels", "test=types.csv"], "has no cells to name"),
        (["--example"], "takes no files"),
    ],
)
def test_a_table_that_names_no_cells_is_refused(
    options: list[str],
    says: str,
    labels: Path,
    bulk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--train", str(cells_in_columns(tmp_path)), "--bulk", str(bulk), "--out", "out"]
    words = ["--labels", "types.csv", "--out", "out"] if "--example" in options else words
    assert analyze([*words, *options]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
