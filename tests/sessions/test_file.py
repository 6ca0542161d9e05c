"""The session file: what goes in comes out to the bit, only changes are written, conflicts are
found, older files open.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import re
import stat
import sys
import threading
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gui import atomic
from gui.data.example import make_example
from gui.engine.params import ADTDParams, DTDParams, Params, SearchParams
from gui.engine.results import Provenance, Run
from gui.errors import DamagedSession, NewerSession, SessionConflict, SessionNotSaved
from gui.sessions import container, content, file, header, objects
from gui.sessions.codec import StoredRecord
from gui.sessions.crypto import SessionKey
from gui.sessions.file import load, read_header, save
from gui.sessions.snapshot import Snapshot
from tests.progress import no_progress
from tests.sessions.samples import ID, MARKER, PASSWORD, WHEN, rich, same, session_key, tiny

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


def through(path: Path, snapshot: Snapshot, **options: Any) -> Snapshot:
    path.unlink(missing_ok=True)
    save(path, snapshot, expected_generation=None, **options)
    return load(path, **options)


def with_result(result: Any, params: Params | None = None) -> Snapshot:
    return tiny(
        runs=(
            Run("r", "plug", "A plug-in", WHEN, params or Params(), result, Provenance("t", "b")),
        )
    )


# ------------------------------------------------------------------------------------------ content


@pytest.mark.parametrize("protected", [False, True])
def test_a_session_with_every_kind_of_content_comes_back_to_the_bit(
    path: Path, protected: bool
) -> None:
    snapshot = rich(runs=2)
    same(snapshot, through(path, snapshot, session_key=session_key() if protected else None))


def test_fingerprints_of_the_data_survive_so_that_no_run_is_outdated_after_reopening(
    path: Path,
) -> None:
    snapshot = rich()
    assert snapshot.dataset is not None
    found = through(path, snapshot).dataset
    assert found is not None
    assert found.dataset_id == snapshot.dataset.dataset_id


def test_results_computed_on_the_example_come_back_to_the_bit(path: Path) -> None:
    from gui.engine import tasks

    data = make_example().dataset
    params = DTDParams(
        genes=60, iterations=10, train_mixtures=30, test_mixtures=20, train_cells=10, test_cells=10
    )
    dtd = tasks.run_dtd(data, params, progress=no_progress)
    adtd_params, search_params = (
        ADTDParams(model="h,r", lambda2=1e-6, max_iterations=3),
        SearchParams(smallest=1e-8, points=2, folds=2),
    )
    adtd = tasks.run_adtd(data, adtd_params, progress=no_progress, dtd=dtd)
    search = tasks.run_search(data, search_params, progress=no_progress, dtd=dtd)
    made = Provenance(data.training_id, data.bulk_id, {"dtd": "d"}, "stock", tasks.versions(), 1.5)
    runs = (
        Run("d", "dtd", "DTD", WHEN, params, dtd, dataclasses.replace(made, inputs={})),
        Run("a", "adtd", "ADTD", WHEN, adtd_params, adtd, made),
        Run("s", "search", "Search", WHEN, search_params, search, made),
    )
    snapshot = Snapshot(
        ID, "example", WHEN, WHEN, 4, data, runs, {"dtd": "d", "adtd": "a", "search": "s"}, {}, ""
    )
    found = through(path, snapshot)
    same(snapshot, found)
    assert found.runs[0].result.gene_weights.dtype == np.float32
    contents = dict(read_header(path).contents)
    assert data.bulk is not None
    assert contents.pop("samples").split("\n") == list(data.bulk.matrix.columns)
    assert contents == {
        "data": True,
        "dtd": 1,
        "search": 1,
        "adtd": 1,
        "runs": 3,
        "source": "the built-in example",
        "notes": "",
        "marks": "",
    }


def test_an_empty_session_can_be_saved(path: Path) -> None:
    snapshot = Snapshot(ID, "empty", WHEN, WHEN)
    same(snapshot, through(path, snapshot))


@dataclasses.dataclass(frozen=True)
class PluginResult:
    counts: pd.Series
    label: str


class PluginParams(Params):
    depth: int = 3
    part: str = "bulk"


def test_a_plug_ins_dataclass_comes_back_as_its_fields_and_is_saved_again_as_before(
    path: Path,
) -> None:
    found = through(
        path, with_result(PluginResult(pd.Series([1, 2]), "x"), PluginParams(depth=5))
    ).runs[0]
    assert isinstance(found.result, StoredRecord)
    assert found.result.label == found.result["label"] == "x"
    same(found.result.counts, pd.Series([1, 2]))
    assert found.params == PluginParams(depth=5)  # its class is loaded
    assert found.result.origin[1] == "PluginResult"
    again = through(path, with_result(found.result)).runs[0].result
    assert again.origin == found.result.origin


def test_parameters_of_a_plug_in_that_is_gone_are_kept_as_they_were(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PluginParams, "__module__", "dcx_plugin_gone")
    save(path, with_result({}, PluginParams(depth=5)), expected_generation=None)
    monkeypatch.undo()
    found = load(path).runs[0].params
    assert type(found) is content.StoredParams
    assert found.model_dump() == {"depth": 5, "part": "bulk"}
    monkeypatch.setattr(PluginParams, "__module__", "dcx_plugin_gone")  # the plug-in is back
    assert type(through(path, with_result({}, found)).runs[0].params) is PluginParams


REFUSED: dict[str, Any] = {
    "function": lambda: 1,
    "object": object(),
    "set": {1, 2},
    "complex": 1j,
    "complex array": np.array([1j]),
    "path": Path("x"),
    "time zone": pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("CET")),
    "objects": pd.DataFrame({"a": [object()]}),
    "masked": np.ma.masked_array([1.0], [True]),
    "intervals": pd.Series(pd.interval_range(0, 2)),
    "huge number": 10**5000,
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_file_cannot_hold_is_refused_in_a_sentence_and_nothing_is_written(
    path: Path, kind: str
) -> None:
    value = REFUSED[kind]
    with pytest.raises(
        SessionNotSaved,
        match=r"The result of “A plug-in” holds .* which a session file cannot hold",
    ):
        save(path, with_result({"x": value}), expected_generation=None)
    assert list(path.parent.iterdir()) == []
    assert content.why_unsavable({"x": value})
    assert content.why_unsavable({"x": 1.5, "y": pd.DataFrame({"a": ["b"]})}) is None


def test_a_result_that_holds_itself_is_refused(path: Path) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(SessionNotSaved, match="holds itself"):
        save(path, with_result(value), expected_generation=None)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.dates()
    | st.binary(max_size=9)
)
TREES = st.recursive(
    SCALARS,
    lambda s: (
        st.lists(s, max_size=4)
        | st.dictionaries(st.text(max_size=4), s, max_size=4)
        | st.tuples(s, s)
    ),
    max_leaves=12,
)
LABELS = st.text(st.characters(), max_size=6) | st.none() | st.floats() | st.booleans()
DTYPES = st.sampled_from(["?", *"bBhHiIlLqQefd", ">f8", ">i4", "M8[ns]", "m8[s]", "U5"])


@st.composite
def columns(draw: st.DrawFn, rows: int) -> Any:
    kind = draw(st.sampled_from(["numbers", "labels", "categories", "string", "Int64", "boolean"]))
    if kind == "numbers":
        dtype = np.dtype(draw(DTYPES))
        raw = draw(st.binary(min_size=rows * dtype.itemsize, max_size=rows * dtype.itemsize))
        if dtype.kind == "U":
            return np.array(
                [x.hex()[:5] for x in (raw[k : k + 2] for k in range(rows))], dtype=object
            )
        return (
            (np.frombuffer(raw, np.uint8) % 2).astype(bool)[:rows]
            if dtype.kind == "b"
            else np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))
        )
    if kind == "labels":
        values = np.empty(rows, dtype=object)
        values[:] = draw(st.lists(LABELS, min_size=rows, max_size=rows))
        return values
    if kind == "categories":
        codes = draw(st.lists(st.integers(-1, 2), min_size=rows, max_size=rows))
        return pd.Categorical.from_codes(
            codes, categories=["b", "a", "ü"], ordered=draw(st.booleans())
        )
    items = (
        st.none()
        | {
            "string": st.text(max_size=5),
            "Int64": st.integers(-(2**63), 2**63 - 1),
            "boolean": st.booleans(),
        }[kind]
    )
    return pd.array(draw(st.lists(items, min_size=rows, max_size=rows)), dtype=kind)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows, count = draw(st.integers(0, 5)), draw(st.integers(0, 4))
    index = draw(columns(rows))
    if getattr(index, "dtype", None) == np.float16:  # pandas has no such index
        index = index.astype(np.float32)
    made = pd.DataFrame(
        dict(enumerate(draw(columns(rows)) for _ in range(count))), index=pd.Index(index)
    )
    names = np.empty(count, dtype=object)
    names[:] = draw(st.lists(LABELS | st.sampled_from(["same"]), min_size=count, max_size=count))
    made.columns = pd.Index(names, dtype=object, name=draw(st.none() | st.text(max_size=3)))
    return made


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frames(), TREES)
def test_any_frame_and_any_plain_value_come_back_to_the_bit(
    path: Path, frame: pd.DataFrame, tree: Any
) -> None:
    result = {"frame": frame, "tree": tree}
    same(result, through(path, with_result(result)).runs[0].result)


AWKWARD: dict[str, Any] = {
    "no rows": np.zeros((0, 3)),
    "no dimension": np.array(5.0),
    "texts": np.array([["a", "bb"], ["", "\ud800"]]),
    "fortran order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(9)[::2],
    "same labels": pd.DataFrame(
        np.arange(4.0).reshape(2, 2), columns=["same", "same"], index=["i", "i"]
    ),
    "two levels": pd.DataFrame(
        {"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])
    ),
    "no columns": pd.DataFrame(index=["a"]),
    "only columns": pd.DataFrame(columns=["a", "b"]),
    "empty series": pd.Series(dtype=float),
    "float32 nan": np.float32(np.nan),
    "numpy text": np.str_("s"),
    "NaT": pd.NaT,
    "categories": pd.CategoricalIndex(["a", "b", "a"]),
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_awkward_values_come_back_to_the_bit(path: Path, kind: str) -> None:
    value = AWKWARD[kind]
    found = through(path, with_result({"v": value})).runs[0].result["v"]
    same(str(value) if isinstance(value, np.str_) else value, found)


def test_a_buffer_larger_than_one_object_is_cut_into_several(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "CHUNK", 1000)
    values = np.random.default_rng(0).random((33, 77))
    same(values, through(path, with_result({"v": values})).runs[0].result["v"])
    assert (
        max(
            info.file_size
            for info in zipfile.ZipFile(path).infolist()
            if info.filename.startswith("o/")
        )
        < 1100
    )


# ------------------------------------------------------------------------------------------- layout


def test_the_layout_is_the_documented_one_and_ordinary_tools_read_it(path: Path) -> None:
    save(path, rich(), expected_generation=None)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[:2] == ["mimetype", "header.json"]
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        assert all(
            re.fullmatch(r"o/[0-9a-f]{32}", n)
            for n in names
            if n not in ("mimetype", "header.json", "manifest")
        )
        manifest = json.loads(zstandard.ZstdDecompressor().decompress(archive.read("manifest")))
        assert manifest["header"] == json.loads(archive.read("header.json"))
        for name, info in manifest["objects"].items():
            raw = zstandard.ZstdDecompressor().decompress(archive.read(name))
            assert (info["n"], info["sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())
            assert name == "o/" + info["sha256"][:32]


def test_equal_contents_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / name, rich(), expected_generation=None)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_header_is_read_alone_and_says_what_the_session_holds(path: Path) -> None:
    written = save(path, rich(), expected_generation=None, generation=12, status="archived")
    found = read_header(path)
    assert found == written
    assert (found.id, found.name, found.generation, found.status, found.encrypted) == (
        ID,
        "melanoma run 1",
        12,
        "archived",
        False,
    )
    summary = {
        "data": True,
        "dtd": 1,
        "search": 1,
        "adtd": 1,
        "runs": 4,
        "source": "train.h5ad",
        "notes": f"Notes\nof {MARKER}",
    }
    summary |= {"marks": "recovered", "jobs": "ADTD"}
    summary |= {"samples": "\n".join(f"sample {n}" for n in range(4))}
    assert found.contents == summary == header.contents_of(load(path))


def test_the_largest_header_fits(path: Path) -> None:
    snapshot = dataclasses.replace(tiny("😀" * 5000), name="😀" * 120)
    same(snapshot, through(path, snapshot))
    assert len(read_header(path).contents["notes"]) == 1000


def test_a_file_name_holds_nothing_that_a_file_system_refuses() -> None:
    assert file.file_name("20250520#191019#07c2e7ed") == "20250520-191019-07c2e7ed.dcxsession"
    assert file.file_name("../a:b\\c\0") == "---a-b-c-.dcxsession"


# -------------------------------------------------------------------------- saving again, conflicts


@pytest.mark.parametrize("protected", [False, True])
def test_only_what_changed_is_compressed_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    key = session_key() if protected else None
    save(path, rich(runs=1), expected_generation=None, session_key=key)
    packed: list[str] = []
    pack = objects.pack
    monkeypatch.setattr(
        objects,
        "pack",
        lambda name, data, session_key: packed.append(name) or pack(name, data, session_key),
    )
    save(path, rich(runs=1), expected_generation=1, session_key=key)
    assert packed == ["manifest"]
    packed.clear()
    save(path, rich(runs=2), expected_generation=2, session_key=key)
    assert 1 < len(packed) < 6
    same(rich(runs=2), load(path, session_key=key))


def test_what_is_copied_is_not_hashed_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the stored bytes only the CRC is computed, once; the file is what it was."""
    save(path, rich(), expected_generation=None)
    before = path.read_bytes()
    stored = [before[m.data_offset : m.data_offset + m.size] for m in members(path)]
    hashed: list[bytes] = []
    sha256 = objects.sha256
    monkeypatch.setattr(objects, "sha256", lambda data: hashed.append(bytes(data)) or sha256(data))
    checked: list[bytes] = []
    crc32 = zlib.crc32
    monkeypatch.setattr(zlib, "crc32", lambda data: checked.append(data) or crc32(data))
    save(path, rich(), expected_generation=1)
    assert len(stored) > 5
    assert not set(hashed) & set(stored)
    assert [checked.count(data) for data in stored] == [1] * len(stored)
    monkeypatch.undo()
    assert [before[m.data_offset : m.data_offset + m.size] for m in members(path)] == stored
    same(rich(), load(path))


def members(path: Path) -> list[container.Member]:
    """The objects of a file."""
    with path.open("rb") as file:
        found = container.Reader(file).members
    return [member for name, member in found.items() if name.startswith("o/")]


def test_however_many_threads_pack_the_file_is_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, began = objects.pack, itertools.count()

    def slow(name: str, data: Any, session_key: SessionKey | None) -> bytes:
        time.sleep(0.01 * (3 - next(began) % 4))  # those that began first end last
        return pack(name, data, session_key)

    written = []
    for threads in (1, 4):
        monkeypatch.setattr(objects, "THREADS", threads)
        monkeypatch.setattr(objects, "pack", slow if threads > 1 else pack)
        save(path, rich(), expected_generation=None)
        written.append(path.read_bytes())
        path.unlink()
    assert written[0] == written[1]


def test_the_bytes_are_fetched_by_one_thread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a matrix still in a file would else be read by several at once."""
    fetched: set[int] = set()
    packed: set[int] = set()
    pack, init = objects.pack, objects.Part.__init__

    def part(self: Any, n: int, digest: str, raw: Any) -> None:
        init(self, n, digest, lambda: (fetched.add(threading.get_ident()), raw())[1])

    def packing(name: str, data: Any, session_key: SessionKey | None) -> bytes:
        packed.add(threading.get_ident())
        return pack(name, data, session_key)

    monkeypatch.setattr(objects, "THREADS", 4)
    monkeypatch.setattr(objects.Part, "__init__", part)
    monkeypatch.setattr(objects, "pack", packing)
    save(path, rich(), expected_generation=None)
    assert fetched == {threading.get_ident()}
    assert packed - fetched  # the control: other threads were at work


def test_a_thread_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, rich(runs=1), expected_generation=None)
    before = path.read_bytes()

    def failing(name: str, data: Any, session_key: SessionKey | None) -> bytes:
        raise MemoryError

    monkeypatch.setattr(objects, "pack", failing)
    with pytest.raises(SessionNotSaved):
        save(path, rich(runs=2), expected_generation=1)
    assert path.read_bytes() == before
    assert list(path.parent.glob("*tmp*")) == []


def test_a_damaged_object_is_not_copied_but_written_anew(path: Path) -> None:
    save(path, rich(), expected_generation=None)
    with zipfile.ZipFile(path) as archive:
        member = next(i for i in archive.infolist() if i.filename.startswith("o/"))
    raw = bytearray(path.read_bytes())
    raw[member.header_offset + 30 + len(member.filename) + member.file_size // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedSession):
        load(path)
    save(path, rich(), expected_generation=1)
    same(rich(), load(path))


def test_each_save_counts_the_generation_up(path: Path) -> None:
    assert [save(path, tiny(), expected_generation=n).generation for n in (None, 1, 2)] == [1, 2, 3]


def test_nothing_is_overwritten_in_a_conflict(path: Path) -> None:
    with pytest.raises(SessionConflict, match="not there"):
        save(path, tiny(), expected_generation=1)
    save(path, tiny("mine"), expected_generation=None)
    save(path, tiny("theirs"), expected_generation=1)
    before = path.read_bytes()
    for expected in (None, 1, 3):
        with pytest.raises(SessionConflict):
            save(path, tiny("lost?"), expected_generation=expected)
    with pytest.raises(SessionConflict):
        save(path, dataclasses.replace(tiny(), session_id="another"), expected_generation=2)
    assert path.read_bytes() == before
    path.write_bytes(b"something else")
    with pytest.raises(SessionConflict, match="damaged or written by a newer"):
        save(path, tiny(), expected_generation=2)
    assert path.read_bytes() == b"something else"


def test_a_save_leaves_no_other_file_behind(path: Path) -> None:
    save(path, tiny(), expected_generation=None)
    assert list(path.parent.iterdir()) == [path]


def test_the_sweep_removes_what_a_killed_program_left_and_spares_a_save_that_is_going_on(
    tmp_path: Path,
) -> None:
    stale, other = tmp_path / "a.dcxsession.4711.0123abcd.part", tmp_path / "mine.part"
    stale.write_bytes(b"half")
    other.write_bytes(b"not ours")
    with (
        atomic.locked(tmp_path / "b.dcxsession"),
        atomic.replacing(tmp_path / "b.dcxsession") as going_on,
    ):
        going_on.write(b"whole")
        assert file.sweep(tmp_path) == 1
    assert not stale.exists()
    assert other.exists()
    assert (tmp_path / "b.dcxsession").read_bytes() == b"whole"
    assert file.sweep(tmp_path / "nowhere") == 0


# ---------------------------------------------------------------------------- older and newer files


def test_a_file_of_a_newer_version_is_refused_in_a_sentence(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for newer in ((2, 0), (1, 4)):
        path.unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            patch.setattr(header, "SCHEMA", newer)
            save(path, rich(), expected_generation=None)
            _as_schema(path, newer)
        for read in (read_header, load):
            with pytest.raises(NewerSession, match="newer version of this program"):
                read(path)
        with pytest.raises(SessionConflict):
            save(path, rich(), expected_generation=1)


def test_an_older_file_is_migrated_in_memory_and_kept_as_a_backup_when_it_is_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, tiny("old words"), expected_generation=None)
    old = path.read_bytes()

    def step(tree: Any) -> Any:
        tree["fields"]["notes"] = tree["fields"]["notes"].replace("old", "new")
        return tree

    monkeypatch.setattr(header, "SCHEMA", (1, 5))
    monkeypatch.setattr(file, "MIGRATIONS", {(1, 3): ((1, 4), step)})
    found = load(path)
    assert found.notes == "new words"
    assert path.read_bytes() == old
    save(path, found, expected_generation=1)
    assert (path.parent / f"{path.name}.1.3.bak").read_bytes() == old


def _as_schema(path: Path, schema: tuple[int, int]) -> None:
    """Header's default is bound when the class is made: write the schema in by hand."""
    from tests.sessions.hostile import rebuilt

    path.write_bytes(rebuilt(path, header=lambda h: h | {"schema": list(schema)}))


@pytest.mark.parametrize("protected", [False, True])
@pytest.mark.parametrize("schema", [(1, 0), (1, 1), (1, 2), (1, 3)])
def test_files_of_every_schema_open_in_this_version(
    schema: tuple[int, int], protected: bool
) -> None:
    path = FIXTURES / f"session-{schema[0]}.{schema[1]}{'-protected' * protected}.dcxsession"
    assert path.stat().st_size < 200_000
    head = read_header(path)
    assert head.schema == schema
    assert (head.id, head.name, head.generation, head.encrypted) == (
        ID,
        None if protected else "melanoma run 1",
        6 if protected else 5,
        protected,
    )
    found = load(path, session_key=SessionKey.unlock(head, PASSWORD) if protected else None)
    assert (found.session_id, found.name, found.revision, found.created, found.notes) == (
        ID,
        "melanoma run 1",
        7,
        WHEN,
        f"Notes\nof {MARKER}",
    )
    assert found.dataset is not None
    assert found.dataset.dataset_id == "7f4dab8178416291-caf7ea2c98ba8d5d"
    # the older ones were saved before there were warnings
    warnings = ("a warning",) if schema >= (1, 2) else ()
    assert [(s.notes, s.warnings) for s in found.dataset.sources] == [(("a note",), warnings)]
    assert found.dataset.train is not None
    assert list(found.dataset.train.obs) == [
        "group",
        "age",
        "smokes",
        "donor",
        "n",
        "whole",
        "seen",
        "text",
        "day",
    ]
    assert [
        (r.id, r.kind, type(r.params).__name__, type(r.result).__name__) for r in found.runs
    ] == [
        ("run0", "dtd", "DTDParams", "DTDResult"),
        ("run1", "search", "SearchParams", "SearchResult"),
        ("plug", "plugin_genes" if schema < (1, 3) else "cells", "Params", "dict"),
        ("adtd0", "adtd", "ADTDParams", "ADTDResult"),
        *(
            [
                ("boot0", "bootstrap", "BootstrapParams", "BootstrapResult"),
                ("groups0", "groups", "GroupsParams", "GroupsResult"),
                ("genes0", "genes", "GenesParams", "GenesResult"),
            ]
            if schema >= (1, 3)
            else []
        ),
    ]
    assert (cast(ADTDParams, found.runs[3].params).refine, found.runs[3].result.optimum) == (
        False,
        None,
    ), "saved before runs could be refined"
    if schema >= (1, 3):
        boot, groups = found.runs[4], found.runs[5]
        assert (boot.result.draws.dtype, boot.result.draws.shape) == (np.float16, (20, 3, 4))
        assert groups.result.levels == ("x", "z")
        dtd, genes = found.runs[0].result, found.runs[6].result
        assert dtd.second_opinion.missing.loc["Neutrophil", "fold"] == 6
        assert (dtd.second_opinion.offset, dtd.rna_content.source) == (1.5, "raw counts")
        assert genes.fits()
        assert genes.likeness.outside > 0
        assert groups.provenance.samples_id == found.dataset.samples_id
    weights = found.runs[0].result.gene_weights
    assert (weights.dtype, hashlib.sha256(weights.to_numpy().tobytes()).hexdigest()[:16]) == (
        np.float32,
        "0feb089dca3a3e2a",
    )
    assert found.forms["dtd"] == {
        "genes": 1000,
        "share": 0.1,
        "empty": None,
        "list": ["a", 1, {"b": True}],
    }
    assert found.chosen == {"dtd": "run0"}
    expected = rich()
    assert (found.jobs, found.marks) == (
        ((), ()) if schema == (1, 0) else (expected.jobs, expected.marks)
    )


@pytest.mark.skipif(sys.platform == "win32", reason="file modes of POSIX")
def test_session_files_their_backups_and_folders_are_for_their_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "a" / "b"
        atomic.private_folder(folder)
        path = folder / "x.dcxsession"
        modes = []
        fsync = os.fsync
        # of the file while it is written
        monkeypatch.setattr(
            os, "fsync", lambda handle: (modes.append(os.fstat(handle).st_mode), fsync(handle))[1]
        )
        save(path, tiny(), expected_generation=None)
        monkeypatch.setattr(header, "SCHEMA", (1, 4))
        save(path, tiny("again"), expected_generation=1)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(m) for m in modes if stat.S_ISREG(m)} == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2
    assert [stat.S_IMODE(p.stat().st_mode) for p in (folder, folder.parent)] == [0o700, 0o700]


def test_a_class_keeps_its_name_in_the_file_whatever_it_is_called_in_the_program(
    path: Path,
) -> None:
    """Files of before a class was renamed open after it, and the other way round."""
    before, after = path.with_name("before.dcxsession"), path.with_name("after.dcxsession")
    content = rich()
    save(before, content, expected_generation=None)
    classes = [type(one) for one in (content.dataset, content.runs[0], content.runs[0].params)]
    names = [cls.__name__ for cls in classes]
    try:
        for cls in classes:
            cls.__name__ = f"New{cls.__name__}"
        save(after, content, expected_generation=None)
        same(content, load(before))
        same(content, load(after))
    finally:
        for cls, name in zip(classes, names, strict=True):
            cls.__name__ = name
    same(content, load(after))
