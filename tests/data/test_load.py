"""Files are loaded together or not at all, and what was done on the way is said."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.data.load import FileChoice, LoadRequest, inspect_file, load_dataset
from gui.data.normalize import prepare
from gui.data.validation.examine import examine
from gui.errors import (
    BadNames,
    BadValues,
    DataError,
    InvalidParameter,
    MissingPart,
    NoLabels,
    UnreadableFile,
)
from tests.data.repairing import repaired

GENES = [f"G{i}" for i in range(12)]


@pytest.fixture
def files(make: SimpleNamespace, tmp_path: Path) -> dict[str, FileChoice]:
    """Tables of the same small data: train, test, reference and bulk."""
    data = make.dataset()
    means = prepare(data).reference
    tables = {
        "train": (data.train.matrix.values, list(data.train.labels)),
        "test": (data.test.matrix.values, list(data.test.labels)),
        "reference": (means.to_numpy(), list(means.columns)),
        "bulk": (data.bulk.matrix.values, data.bulk.samples),
    }
    return {
        role: FileChoice(path=make.csv(tmp_path / f"{role}.csv", values, GENES, columns))
        for role, (values, columns) in tables.items()
    }


def notes(dataset: object, role: str) -> str:
    return " ".join(dataset.source(role).notes).replace("\u00a0", " ")  # type: ignore[attr-defined]


def warnings(dataset: object, role: str) -> str:
    return " ".join(dataset.source(role).warnings).replace("\u00a0", " ")  # type: ignore[attr-defined]


def test_all_four_parts_are_loaded_with_their_origin(files: dict[str, FileChoice]) -> None:
    dataset = load_dataset(LoadRequest(files=files, description="about", author="me"))
    assert {role: (m.n_genes, m.n_columns) for role, m in dataset.parts().items()} == {
        "train": (12, 15),
        "test": (12, 15),
        "reference": (12, 3),
        "bulk": (12, 3),
    }
    assert (dataset.name, dataset.description, dataset.author) == ("train", "about", "me")
    source = dataset.source("bulk")
    assert (source.name, source.kind) == ("bulk.csv", "csv")
    assert source.sha256 == hashlib.sha256(files["bulk"].path.read_bytes()).hexdigest()
    assert "12 genes common to all parts (100%" in notes(dataset, "train")
    assert "scaled to 10 000 per column" in notes(dataset, "train")
    assert "left as it is" in notes(load_dataset(LoadRequest(files=files, scale=False)), "train")


def test_without_test_cells_the_training_cells_are_split_and_it_is_said(
    files: dict[str, FileChoice],
) -> None:
    dataset = load_dataset(
        LoadRequest(files={"train": files["train"]}, test_share=0.4, split_seed=7)
    )
    assert dataset.test.counts().to_dict() == {"B": 2, "NK": 2, "T": 2}
    assert dataset.train.counts().to_dict() == {"B": 3, "NK": 3, "T": 3}
    assert dataset.source("test").kind == "split"
    assert (
        "6 of the 15 training cells were set aside for the test: 40% of each type, seed 7."
        in notes(dataset, "test")
    )


def test_without_a_reference_it_is_the_mean_and_without_a_bulk_there_is_none(
    files: dict[str, FileChoice],
) -> None:
    dataset = load_dataset(LoadRequest(files={"train": files["train"], "test": files["test"]}))
    assert dataset.reference is None
    assert dataset.source("reference").kind == "mean"
    assert dataset.bulk is None
    assert dataset.source("bulk") is None
    assert prepare(dataset).bulk is None


def test_only_a_bulk_replaces_the_bulk_and_keeps_the_training(
    files: dict[str, FileChoice], make: SimpleNamespace, tmp_path: Path
) -> None:
    before = load_dataset(LoadRequest(files=files))
    other = make.csv(tmp_path / "other.csv", np.full((6, 2), 5.0), GENES[:6], ["P1", "P2"])
    after = load_dataset(LoadRequest(files={"bulk": FileChoice(path=other)}), current=before)
    assert after.training_id == before.training_id
    assert after.bulk_id != before.bulk_id
    assert after.bulk.samples == ["P1", "P2"]
    assert before.bulk.samples == ["S0", "S1", "S2"]
    assert after.source("bulk").name == "other.csv"
    assert notes(after, "train").count("common to all parts") == 1
    assert "6 genes common to all parts" in notes(after, "train")
    with pytest.raises(MissingPart):
        load_dataset(LoadRequest(files={"bulk": FileChoice(path=other)}))


def test_what_was_said_of_the_parts_together_goes_with_the_bulk(
    make: SimpleNamespace, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    kinds = random.integers(1, 30, (12, 3)).astype(float)
    # only the last six genes tell the first two types apart
    kinds[:6, 1] = kinds[:6, 0] + 0.01 * np.arange(6)
    train = make.csv(
        tmp_path / "train.csv",
        np.repeat(kinds, 4, axis=1),
        GENES,
        [t for t in ("A", "B", "C") for _ in range(4)],
    )
    few = FileChoice(path=make.csv(tmp_path / "few.csv", kinds[:6, :2], GENES[:6], ["P1", "P2"]))
    every = FileChoice(path=make.csv(tmp_path / "every.csv", kinds[:, :2], GENES, ["P1", "P2"]))
    whole = load_dataset(LoadRequest(files={"train": FileChoice(path=train), "bulk": every}))
    before = load_dataset(LoadRequest(files={"train": FileChoice(path=train), "bulk": few}))
    assert len(before.source("train").warnings) > len(whole.source("train").warnings)
    after = load_dataset(LoadRequest(files={"bulk": every}), current=before)
    assert {s.role: (set(s.notes), set(s.warnings)) for s in after.sources} == {
        s.role: (set(s.notes), set(s.warnings)) for s in whole.sources
    }


def test_a_refused_file_leaves_the_present_data_as_they_were(
    files: dict[str, FileChoice], make: SimpleNamespace, tmp_path: Path
) -> None:
    before = load_dataset(LoadRequest(files=files))
    identity = before.dataset_id
    bad = make.csv(tmp_path / "bad.csv", np.full((2, 2), -1.0), GENES[:2], ["P1", "P2"])
    with pytest.raises(BadValues):
        load_dataset(LoadRequest(files={"bulk": FileChoice(path=bad)}), current=before)
    assert before.dataset_id == identity
    assert before.source("bulk").name == "bulk.csv"


def test_no_training_data_is_refused(files: dict[str, FileChoice]) -> None:
    for wanted in (
        {},
        {"bulk": files["bulk"]},
        {"reference": files["reference"]},
    ):
        with pytest.raises(MissingPart, match="no single-cell training data"):
            load_dataset(LoadRequest(files=wanted))


def test_a_reference_and_a_bulk_are_enough_without_cells(files: dict[str, FileChoice]) -> None:
    wanted = {"reference": files["reference"], "bulk": files["bulk"]}
    dataset = load_dataset(LoadRequest(files=wanted))
    assert dataset.train is None
    assert dataset.test is None
    assert dataset.types == [str(t) for t in dataset.reference.columns]
    assert dataset.bulk.samples


def test_types_the_reference_lacks_are_said_to_be_hidden(
    files: dict[str, FileChoice], make: SimpleNamespace, tmp_path: Path
) -> None:
    part = make.csv(tmp_path / "x.csv", np.eye(12)[:, :2] + 1, GENES, ["B", "T"])
    dataset = load_dataset(LoadRequest(files=files | {"reference": FileChoice(path=part)}))
    assert (
        "The reference lacks NK: not trained on; their test cells stay in the test pseudobulks as"
        " hidden." in notes(dataset, "reference")
    )
    prepared = prepare(dataset)
    assert set(prepared.train.columns) == {"B", "T"}
    assert set(prepared.test.columns) == {"B", "NK", "T"}


def test_what_loading_keeps_are_the_sentences_of_the_findings_by_their_severity(
    awkward: Path,
) -> None:
    folder = awkward
    names = {
        "train": "log1p_train.h5ad",
        "test": "test_without_pDC.h5ad",
        "bulk": "genes_whitespace.csv",
    }
    request = LoadRequest(
        files={role: FileChoice(path=folder / name) for role, name in names.items()}
    )
    dataset, found = load_dataset(request), examine(request).findings
    assert {x.severity for x in found} == {"warning", "info"}
    for finding in found:
        source = dataset.source(finding.place.role)
        assert (finding.message in source.warnings, finding.message in source.notes) == (
            finding.severity == "warning",
            finding.severity == "info",
        )
    assert all("log1p" not in w for w in load_dataset(repaired(request)).source("train").warnings)
    assert "was undone" in notes(load_dataset(repaired(request)), "train")


def test_another_bulk_leaves_the_warnings_on_the_cells_alone(awkward: Path) -> None:
    folder = awkward
    first = load_dataset(
        LoadRequest(
            files={
                "train": FileChoice(path=folder / "log1p_train.h5ad"),
                "bulk": FileChoice(path=folder / "clean_application.csv"),
            }
        )
    )
    again = load_dataset(
        LoadRequest(files={"bulk": FileChoice(path=folder / "thousands_separator.csv")}),
        current=first,
    )
    assert again.source("train") == first.source("train")
    assert "thousands" in warnings(again, "bulk")


def test_a_reference_type_without_training_cells_is_refused_on_loading(
    files: dict[str, FileChoice], make: SimpleNamespace, tmp_path: Path
) -> None:
    part = make.csv(tmp_path / "x.csv", np.eye(12)[:, :3] + 1, GENES, ["B", "T", "Mast"])
    with pytest.raises(MissingPart, match="Mast"):
        load_dataset(LoadRequest(files=files | {"reference": FileChoice(path=part)}))


def test_a_header_of_cell_names_in_place_of_types_is_refused(
    make: SimpleNamespace, tmp_path: Path
) -> None:
    path = make.csv(tmp_path / "cells.csv", np.eye(12), GENES, [f"cell{i}" for i in range(12)])
    with pytest.raises(BadNames, match="every cell has a label of its own"):
        load_dataset(LoadRequest(files={"train": FileChoice(path=path)}))


@pytest.fixture
def h5ad(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).poisson(4, (9, 12)).astype(np.float32) + np.repeat(
        np.eye(12)[:3] * 30, 3, axis=0
    ).astype(np.float32)
    obs = pd.DataFrame(
        {
            "kind": list("AAABBBCCC"),
            "fine": [*"abcdefgh", None],
            "donor": ["x", "y", "z"] * 3,
            "secret": range(9),
        },
        index=[f"c{i}" for i in range(9)],
    )
    made = anndata.AnnData(values, obs=obs, var=pd.DataFrame(index=GENES))
    made.layers["counts"] = np.rint(values)
    made.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


def test_only_the_label_column_and_what_was_ticked_is_kept_of_obs(h5ad: Path) -> None:
    request = LoadRequest(
        files={
            "train": FileChoice(
                path=h5ad, label_column="kind", matrix="layer:counts", keep_obs=("donor",)
            )
        }
    )
    dataset = load_dataset(request)
    assert list(dataset.train.obs.columns) == ["donor"]
    assert len(dataset.train.obs) == dataset.train.matrix.n_columns
    assert dataset.source("train").options == {"matrix": "layer:counts", "label_column": "kind"}
    assert "taken from the layer counts" in warnings(dataset, "train")


def test_without_a_clear_label_column_the_columns_are_listed(h5ad: Path) -> None:
    with pytest.raises(NoLabels, match="not clear which column") as refused:
        load_dataset(LoadRequest(files={"train": FileChoice(path=h5ad)}))
    assert "kind, fine, donor and secret" in refused.value.advice
    with pytest.raises(NoLabels, match="no column nothing"):
        load_dataset(LoadRequest(files={"train": FileChoice(path=h5ad, label_column="nothing")}))


def test_the_chosen_column_of_a_bulk_becomes_a_group(
    h5ad: Path, files: dict[str, FileChoice]
) -> None:
    dataset = load_dataset(
        LoadRequest(
            files={"train": files["train"], "bulk": FileChoice(path=h5ad, keep_obs=("donor",))}
        )
    )
    assert dataset.bulk.samples == [f"c{i}" for i in range(9)]
    assert dataset.bulk.obs["donor"].tolist() == ["x", "y", "z"] * 3
    assert list(dataset.bulk.obs.index) == list(dataset.bulk.matrix.columns)


def test_shown_names_are_those_of_the_upload_and_never_the_path(
    files: dict[str, FileChoice], tmp_path: Path
) -> None:
    hidden = tmp_path / "tmp123"
    hidden.write_bytes(b"")
    with pytest.raises(UnreadableFile, match=r"^my data\.csv is empty") as refused:
        load_dataset(LoadRequest(files={"train": FileChoice(path=hidden, name="my data.csv")}))
    assert "tmp123" not in str(refused.value)
    kept = FileChoice(path=files["train"].path.rename(tmp_path / "upload.bin"), name="nice.csv")
    assert load_dataset(LoadRequest(files={"train": kept})).source("train").name == "nice.csv"


def test_looking_at_a_file_tells_its_kind_size_and_first_values(
    files: dict[str, FileChoice], h5ad: Path, dcx_file: Path
) -> None:
    table = inspect_file(files["train"].path, "train")
    assert (table.kind, table.shape, table.preview.shape) == ("table", (12, 15), (8, 6))
    assert list(table.preview.columns) == ["B", "NK", "T", "B", "NK", "T"]
    seen = inspect_file(h5ad, "train")
    assert (seen.kind, seen.shape, seen.matrices, seen.matrix) == (
        "h5ad",
        (12, 9),
        ("X", "layer:counts"),
        "X",
    )
    assert seen.obs["kind"] == 3
    dcx = inspect_file(dcx_file, "train")
    assert (dcx.kind, dcx.shape, dcx.author) == ("dcx", (765, 349), "me")
    assert set(dcx.parts) == {"train", "test", "reference", "bulk"}
    assert inspect_file(dcx_file, "bulk").shape == (765, 12)


def test_explicit_files_win_over_the_parts_of_a_dcx(
    dcx_file: Path, make: SimpleNamespace, tmp_path: Path
) -> None:
    dcx = FileChoice(path=dcx_file)
    whole = load_dataset(LoadRequest(files={"train": dcx}))
    genes = list(whole.train.matrix.genes[:50])
    bulk = make.csv(tmp_path / "mine.csv", np.arange(100.0).reshape(50, 2) + 3, genes, ["P1", "P2"])
    mixed = load_dataset(LoadRequest(files={"train": dcx, "bulk": FileChoice(path=bulk)}))
    assert mixed.bulk.samples == ["P1", "P2"]
    assert mixed.training_id == whole.training_id
    only = load_dataset(LoadRequest(files={"bulk": dcx}), current=replace(whole, bulk=None))
    assert only.bulk.matrix.n_columns == 12


def test_a_wrong_request_is_one_sentence() -> None:
    for values in (
        {"files": {"wrong": {"path": "x"}}},
        {"files": {}, "test_share": 1.5},
        {"files": {}, "colour": "red"},
    ):
        with pytest.raises(InvalidParameter) as refused:
            LoadRequest.parse(**values)
        assert "\n" not in str(refused.value)


def test_a_file_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match="looks like a picture"):
        inspect_file(path, "train")
