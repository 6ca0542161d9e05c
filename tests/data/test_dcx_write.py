"""A .dcx we write is what the predecessor's own class unpickles to, with real pandas, in a process
that knows nothing of ours.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.dataset import Dataset, Matrix, Source
from gui.data.legacy.dcx_write import dcx_bytes
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers.dcx import read_dcx
from gui.errors import DataError, MissingPart

ATTRIBUTES = [
    "Application",
    "ApplicationDesc",
    "Author",
    "Description",
    "Gamma",
    "Test",
    "TestDesc",
    "Train",
    "TrainDesc",
    "X_mat",
    "__VERSION__",
    "filename",
]
LOADS = """
import json, pickle, sys
sys.path.insert(0, sys.argv[1])
import pandas as pd
with open(sys.argv[2], "rb") as file:
    found = pickle.load(file)
from utils.DeconomixFile import DeconomixFile
assert type(found) is DeconomixFile
def said(value):
    if not isinstance(value, pd.DataFrame):
        return value
    value.iloc[0, 0] += 0  # it can be written to
    value.T.groupby(level=0).mean()
    return {"values": value.to_numpy(dtype=float).tolist(), "dtypes": sorted({str(t) for t in value.dtypes}), "genes": list(value.index),
            "columns": list(value.columns), "labels": [str(value.index.dtype), str(value.columns.dtype)], "again": len(pickle.dumps(value))}
print(json.dumps({name: said(value) for name, value in vars(found).items()}))
"""


@pytest.fixture
def unpickled(tmp_path: Path):
    """The attributes of the file as a process with the predecessor's class sees them."""
    package = tmp_path / "predecessor" / "utils"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "DeconomixFile.py").write_text(
        "class DeconomixFile:\n    __VERSION__ = 1.0\n", encoding="utf-8"
    )

    def load(data: bytes) -> dict:
        path = tmp_path / "written.dcx"
        path.write_bytes(data)
        command = [sys.executable, "-W", "error", "-c", LOADS, str(package.parent), str(path)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={"PATH": ""},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return load


def as_frame(said: dict) -> pd.DataFrame:
    return pd.DataFrame(said["values"], said["genes"], said["columns"])


def test_the_predecessors_class_loads_what_we_write(make: SimpleNamespace, unpickled) -> None:
    source = Source("test", "t.csv", "csv", description="cells of donor 2")
    data: Dataset = make.dataset(
        name="Cohort 7", description="blood", author="Ann", sources=(source,)
    )
    found = unpickled(
        dcx_bytes(data, author="Bea Möller", descriptions={"train": "cells of donor 1"})
    )
    assert sorted(found) == ATTRIBUTES
    assert {k: found[k] for k in ("Author", "Description", "filename", "__VERSION__", "Gamma")} == {
        "Author": "Bea Möller",
        "Description": "blood",
        "filename": "Cohort 7.dcx",
        "__VERSION__": 1.0,
        "Gamma": None,
    }
    assert [found[k] for k in ("TrainDesc", "TestDesc", "ApplicationDesc")] == [
        "cells of donor 1",
        "cells of donor 2",
        "",
    ]
    expected = {
        "Train": data.train.matrix,
        "Test": data.test.matrix,
        "Application": data.bulk.matrix,
    }
    for name, matrix in expected.items():
        assert found[name]["labels"] == ["object", "object"]
        assert found[name]["dtypes"] == ["float64"]
        np.testing.assert_array_equal(as_frame(found[name]).to_numpy(), matrix.values)
        assert found[name]["genes"] == list(matrix.genes)
    assert found["Train"]["columns"] == data.train.labels.tolist()
    assert found["Application"]["columns"] == data.bulk.samples


def test_without_a_reference_it_is_the_mean_of_the_training_cells(
    make: SimpleNamespace, unpickled
) -> None:
    found = unpickled(dcx_bytes(make.dataset()))
    means = as_frame(found["Train"]).T.groupby(level=0).mean().T
    pd.testing.assert_frame_equal(as_frame(found["X_mat"]), means)


def test_only_common_genes_are_written_in_one_order(make: SimpleNamespace, unpickled) -> None:
    data = make.dataset(
        reference=make.matrix(
            np.arange(24.0).reshape(8, 3) + 1,
            [f"G{i}" for i in (11, 3, 2, 5, 7, 8, 9, 99)],
            ["B", "NK", "T"],
        )
    )
    found = unpickled(dcx_bytes(data))
    genes = ["G2", "G3", "G5", "G7", "G8", "G9", "G11"]
    assert all(found[name]["genes"] == genes for name in ("X_mat", "Train", "Test", "Application"))
    pd.testing.assert_frame_equal(
        as_frame(found["X_mat"]), data.reference.frame().loc[genes], check_names=False
    )


@pytest.mark.parametrize("layout", ["C", "F", "float32", "sparse", "strided"])
def test_every_layout_of_the_values_arrives(make: SimpleNamespace, unpickled, layout: str) -> None:
    data = make.dataset()
    values = data.train.matrix.values
    stored = {
        "C": np.ascontiguousarray(values),
        "F": np.asfortranarray(values),
        "float32": values.astype(np.float32),
        "sparse": sparse.csc_matrix(values),
        "strided": np.repeat(values, 2, axis=1)[:, ::2],
    }[layout]
    train = type(data.train)(
        Matrix(stored, data.train.matrix.genes, data.train.matrix.columns),
        data.train.labels,
        data.train.obs,
    )
    found = unpickled(dcx_bytes(Dataset(train, None)))
    np.testing.assert_array_equal(as_frame(found["Train"]).to_numpy(), values)
    assert found["Train"]["dtypes"] == ["float32" if layout == "float32" else "float64"]
    assert found["Test"] is None
    assert found["Application"] is None


def test_what_is_written_loads_here_with_every_value_and_description(
    make: SimpleNamespace, tmp_path: Path
) -> None:
    data: Dataset = make.dataset()
    path = tmp_path / "Größe.dcx"
    path.write_bytes(
        dcx_bytes(data, author="Ann", descriptions={"train": "one", "test": "two", "bulk": "three"})
    )
    again = load_dataset(LoadRequest(files={"train": FileChoice(path=path)}))
    for role, matrix in data.parts().items():
        np.testing.assert_array_equal(again.parts()[role].values, matrix.values)
    assert again.train.labels.tolist() == data.train.labels.tolist()
    assert again.author == "Ann"
    assert [
        read_dcx(path).parts[role].description for role in ("train", "test", "bulk", "reference")
    ] == ["one", "two", "three", ""]


def test_a_real_file_of_the_predecessor_goes_through_unchanged(
    shared_data: Path, tmp_path: Path
) -> None:
    data = load_dataset(
        LoadRequest(files={"train": FileChoice(path=shared_data / "predecessor" / "pbmc.dcx")})
    )
    path = tmp_path / "again.dcx"
    path.write_bytes(dcx_bytes(data))
    again = load_dataset(LoadRequest(files={"train": FileChoice(path=path)}))
    assert {r: m.fingerprint for r, m in again.parts().items()} == {
        r: m.fingerprint for r, m in data.parts().items()
    }


def test_names_of_any_script_and_lone_surrogates_arrive(make: SimpleNamespace, unpickled) -> None:
    train = make.cells(
        np.ones((3, 2)) + np.eye(3, 2), ["γδ T", "B\ud800"], ["MÄRZ1", "基因", "g\n"]
    )
    found = unpickled(dcx_bytes(Dataset(train, None)))
    assert (found["Train"]["columns"], found["Train"]["genes"]) == (
        ["γδ T", "B\ud800"],
        ["MÄRZ1", "基因", "g\n"],
    )


def test_without_training_cells_or_too_large_it_is_refused(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = make.matrix(np.ones((3, 2)))
    with pytest.raises(MissingPart, match="single-cell training data"):
        dcx_bytes(Dataset(None, None, reference))
    monkeypatch.setattr("gui.data.legacy.dcx_write.MAX_VALUES", 100)
    with pytest.raises(DataError, match="too many"):
        dcx_bytes(make.dataset())


def test_writing_imports_nothing_of_the_predecessor(make: SimpleNamespace) -> None:
    data = dcx_bytes(make.dataset())
    assert "utils.DeconomixFile" not in sys.modules
    # positive control: an ordinary pickler could not even read it here
    with pytest.raises(ModuleNotFoundError, match="utils"):
        pickle.loads(data)  # noqa: S301
