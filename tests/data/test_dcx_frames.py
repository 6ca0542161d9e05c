"""Frames come through a .dcx as real pandas pickled them: fixtures written by pandas 1.5, 2.2 and
3, and whatever hypothesis thinks of.
"""

from __future__ import annotations

import json
import pickle
import sys
import tarfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gui.data.readers.dcx import MAX_NAME, file_of, read_dcx
from gui.data.readers.safe_pickle import interpret
from gui.errors import UnreadableFile

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
VERSIONS = ("1.5", "2.2", "3.1")


# -- written by other versions
# --------------------------------------------------------------------------------------------------
def packed(version: str) -> dict[str, bytes]:
    with tarfile.open(FIXTURES / f"frames-pandas-{version}.tar.xz") as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers()}  # type: ignore[union-attr]


@pytest.mark.parametrize("version", VERSIONS)
def test_frames_of_this_pandas_are_read_with_every_value_and_name(
    version: str, tmp_path: Path
) -> None:
    files = packed(version)
    known = json.loads(files.pop("expected.json"))
    assert known["pandas"].startswith(version)
    assert len(files) == 3 * len(known["frames"]) == 54
    path = tmp_path / "frame.dcx"
    for name, data in files.items():
        path.write_bytes(data)
        part = read_dcx(path).parts["train"]
        wanted = known["frames"][name.split(".")[0]]
        assert (part.genes, part.columns) == (wanted["genes"], wanted["columns"]), name
        values = [
            [None if v != v else v for v in row] for row in part.values.astype(float).tolist()
        ]
        assert values == wanted["values"], name


def test_the_fixtures_are_small_and_of_three_generations() -> None:
    assert sorted(p.name for p in FIXTURES.glob("frames-pandas-*")) == [
        f"frames-pandas-{v}.tar.xz" for v in VERSIONS
    ]
    assert sum(p.stat().st_size for p in FIXTURES.glob("frames-pandas-*")) < 100_000
    modules = {v: packed(v)["float64.p4.dcx"] for v in VERSIONS}
    assert b"numpy.core.multiarray" in modules["1.5"]  # NumPy 1
    assert b"numpy._core.numeric" in modules["3.1"] or b"numpy._core.multiarray" in modules["3.1"]


# -- whatever frames there are
# --------------------------------------------------------------------------------------------------
KINDS = ("float64", "float32", "int64", "int32", "int8", "uint8", "bool", "object")
names = st.text(st.characters(codec="utf-8"), max_size=12)
values = {
    "f": st.one_of(st.floats(width=32), st.just(0.0)),
    "i": st.integers(-128, 127),
    "u": st.integers(0, 255),
    "b": st.booleans(),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Any frame of numbers: one kind of number or several, any names, in any layout."""
    rows, columns = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    kinds = draw(
        st.one_of(
            st.sampled_from(KINDS).map(lambda k: [k] * columns),
            st.lists(st.sampled_from(KINDS[:-1]), min_size=columns, max_size=columns),
        )
    )
    made: list[pd.Series] = []
    for kind in kinds:
        letter = {"u": "u", "b": "b", "f": "f", "i": "i", "o": "f"}[kind[0]]
        items = draw(st.lists(values[letter], min_size=rows, max_size=rows))
        made.append(
            pd.Series(np.array(items, dtype="float64" if kind == "object" else kind).astype(kind))
        )
    frame = pd.concat(made, axis=1) if made else pd.DataFrame(index=range(rows))
    if len(set(kinds)) == 1 and columns and draw(st.booleans()):
        frame = pd.DataFrame(np.array(frame.to_numpy(), order=draw(st.sampled_from("CF"))))
    return frame.set_axis(draw(axis(rows)), axis=0).set_axis(draw(axis(columns)), axis=1)


@st.composite
def axis(draw: st.DrawFn, size: int) -> pd.Index:
    """Texts (repeated, missing, of fixed width), categories, numbers, a range."""
    kind = draw(
        st.sampled_from(
            ("text", "repeated", "missing", "category", "string", "numbers", "fractions", "range")
        )
    )
    found = draw(st.lists(names, min_size=size, max_size=size))
    if kind == "repeated":
        found = [found[0]] * size if size else []
    if kind == "numbers":
        return pd.Index(
            draw(st.lists(st.integers(-(2**40), 2**40), min_size=size, max_size=size)),
            dtype="int64",
        )
    if kind == "fractions":
        return pd.Index(
            draw(st.lists(st.floats(-1e6, 1e6), min_size=size, max_size=size)), dtype="float64"
        )
    if kind == "range":
        return pd.RangeIndex(3, 3 + 2 * size, 2)
    if kind == "category":
        return pd.CategoricalIndex(found)
    if kind == "string":
        return pd.Index(found, dtype="string[python]")
    listed: list[str | None] = list(found)
    if kind == "missing" and size:
        listed[draw(st.integers(0, size - 1))] = None
    return pd.Index(listed, dtype=object)


class Pickled:
    """Pickles as the predecessor's class. The class exists only while it pickles."""

    def __call__(self, protocol: int, frame: pd.DataFrame) -> bytes:
        module = types.ModuleType("utils.DeconomixFile")
        made = type("DeconomixFile", (), {"__module__": "utils.DeconomixFile"})
        module.DeconomixFile = made  # type: ignore[attr-defined]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "utils", types.ModuleType("utils"))
            patch.setitem(sys.modules, "utils.DeconomixFile", module)
            file: Any = made()
            file.__dict__.update(
                X_mat=None, Train=frame, Test=None, Application=None, Description="", Author=""
            )
            return pickle.dumps(file, protocol)


def texts(index: pd.Index) -> list[str | None]:
    return [
        None if v is None or v is pd.NA or (isinstance(v, float) and np.isnan(v)) else str(v)
        for v in index
    ]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(frame=frames(), protocol=st.sampled_from([2, 3, 4, 5]))
@example(frame=pd.DataFrame(), protocol=4)
@example(frame=pd.DataFrame(index=["G1"]), protocol=2)
@example(frame=pd.DataFrame({"a": [np.nan, np.inf, -0.0]}, ["\ud800", "", "a\x00"]), protocol=4)
def test_any_frame_of_numbers_comes_back_as_it_was(frame: pd.DataFrame, protocol: int) -> None:
    data = Pickled()(protocol, frame)
    part = file_of(interpret(data, "f.dcx"), len(data)).parts["train"]
    assert part.values.shape == frame.shape
    assert part.columns == texts(frame.columns)
    # without a column there is no block that says how many genes there are: the names are believed
    assert part.genes == texts(frame.index)
    np.testing.assert_array_equal(
        part.values.astype(float),
        frame.to_numpy(dtype=float) if frame.size else np.empty(frame.shape),
    )
    kinds = set(frame.dtypes)
    if len(kinds) == 1 and (kind := next(iter(kinds))).kind != "O":
        assert part.values.dtype == kind


@given(frame=frames(), where=st.data(), protocol=st.sampled_from([2, 4, 5]))
def test_a_frame_with_a_text_among_its_values_is_refused(
    frame: pd.DataFrame, where: st.DataObject, protocol: int
) -> None:
    if frame.empty:
        return
    changed = frame.astype(object)
    changed.iloc[
        where.draw(st.integers(0, len(frame) - 1)), where.draw(st.integers(0, frame.shape[1] - 1))
    ] = "12"
    data = Pickled()(protocol, changed)
    with pytest.raises(Exception, match="text instead of numbers"):
        file_of(interpret(data, "f.dcx"), len(data))


def test_names_longer_than_any_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.dcx"
    path.write_bytes(Pickled()(4, pd.DataFrame([[1.0]], ["g" * MAX_NAME], ["c"])))
    assert read_dcx(path).parts["train"].genes == ["g" * MAX_NAME]
    path.write_bytes(Pickled()(4, pd.DataFrame([[1.0]], ["g" * (MAX_NAME + 1)], ["c"])))
    with pytest.raises(UnreadableFile, match="too long"):
        read_dcx(path)
