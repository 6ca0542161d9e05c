"""Large matrices are read from the session's file when they are needed, wherever it lies then, and
copied when the session is saved again.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.data.dataset import Dataset, Matrix
from gui.errors import DamagedSession, SessionError, SessionNotSaved
from gui.jobs import wire
from gui.sessions import container, file, lazy, objects
from gui.sessions.crypto import SessionKey
from gui.sessions.file import Origin, load, save
from gui.sessions.lazy import materialise
from gui.sessions.snapshot import Snapshot
from tests.sessions.hostile import rebuilt
from tests.sessions.samples import ID, rich, same, session_key


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "LARGE", 100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


def data_of(snapshot: Snapshot) -> Dataset:
    assert snapshot.dataset is not None
    return snapshot.dataset


def matrices(snapshot: Snapshot) -> list[Matrix]:
    return list(data_of(snapshot).parts().values())


def opened(
    path: Path, key: SessionKey | None = None, snapshot: Snapshot | None = None
) -> tuple[Snapshot, Origin]:
    """A session as it is after it was opened."""
    if snapshot is not None:
        save(path, snapshot, expected_generation=None, session_key=key)
    origin = Origin(path, key)
    return load(path, session_key=key, origin=origin), origin


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is compressed from now on."""
    names: list[str] = []
    pack = objects.pack
    monkeypatch.setattr(
        objects, "pack", lambda name, data, key: names.append(name) or pack(name, data, key)
    )
    return names


@pytest.mark.parametrize("protected", [False, True])
def test_opening_reads_no_large_matrix_and_the_first_use_reads_it_to_the_bit(
    path: Path, protected: bool
) -> None:
    snapshot = rich()
    found, _ = opened(path, session_key() if protected else None, snapshot)
    assert [(m.loaded, m.nbytes) for m in matrices(found)] == [(False, 0)] * 4
    assert [m.is_sparse for m in matrices(found)] == [True, False, False, False]
    assert data_of(found).dataset_id == data_of(snapshot).dataset_id  # found out without reading
    assert data_of(found).types == data_of(snapshot).types
    assert "not loaded" in repr(matrices(found)[0])
    assert not any(m.loaded for m in matrices(found))
    same(snapshot, found)
    assert [m.nbytes for m in matrices(found)] == [m.nbytes for m in matrices(snapshot)]
    assert all(m.nbytes > 0 for m in matrices(found))


def test_of_small_matrices_nothing_is_put_off(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "LARGE", 2**20)
    assert all(m.loaded for m in matrices(opened(path, None, rich())[0]))


def test_a_matrix_on_its_way_to_another_process_takes_its_values_along(path: Path) -> None:
    snapshot = rich()
    sent = wire.pack(data_of(opened(path, None, snapshot)[0]))
    path.unlink()
    same(snapshot.dataset, wire.unpack(sent))


@pytest.mark.parametrize("protected", [False, True])
def test_saving_copies_what_was_not_read_without_unpacking_it(
    path: Path, protected: bool, packed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = session_key() if protected else None
    found, origin = opened(path, key, rich())
    packed.clear()
    monkeypatch.setattr(lazy.StoredValues, "read", lambda *_: pytest.fail("it was read"))
    head = save(
        path,
        dataclasses.replace(found, notes="other"),
        expected_generation=1,
        session_key=key,
        origin=origin,
    )
    assert packed == ["manifest"]
    assert not any(m.loaded for m in matrices(found))
    monkeypatch.undo()
    save(path, found, expected_generation=head.generation, session_key=key)  # and again
    same(rich(), load(path, session_key=key))
    same(rich(), found)  # from the file as it is now


def test_what_was_saved_once_is_copied_by_the_next_save_without_looking_at_the_values(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, looked = rich(), []
    save(path, snapshot, expected_generation=None, origin=Origin(path))
    put = objects.ObjectCollector.put
    monkeypatch.setattr(
        objects.ObjectCollector,
        "put",
        lambda self, data: looked.append(data.nbytes) or put(self, data),
    )
    save(path, snapshot, expected_generation=1)
    assert max(m.nbytes for m in matrices(snapshot)) not in looked
    same(rich(), load(path))


@pytest.mark.parametrize("new", ["no key", "another key", "another password"])
def test_with_another_key_the_data_are_read_and_written_anew(
    path: Path, new: str, packed: list[str]
) -> None:
    key = session_key()
    found, origin = opened(path, key, rich())
    other = {
        "no key": None,
        "another key": session_key(),
        "another password": key.rewrapped("another long password"),
    }[new]
    packed.clear()
    save(path, found, expected_generation=1, session_key=other, origin=origin)
    origin.session_key = other
    assert (len(packed) == 1) is (new == "another password")
    same(rich(), load(path, session_key=other))
    same(rich(), found)
    again, _ = opened(path, other)
    save(path, again, expected_generation=2, session_key=other)
    same(rich(), load(path, session_key=other))


def test_a_session_is_saved_elsewhere_from_where_it_lies(
    path: Path, tmp_path: Path, packed: list[str]
) -> None:
    found, _ = opened(path, None, rich())
    packed.clear()
    save(tmp_path / "copy.dcxsession", found, expected_generation=None)
    same(rich(), load(tmp_path / "copy.dcxsession"))
    assert packed == ["manifest"]
    assert not any(m.loaded for m in matrices(found))


def test_a_damaged_object_that_is_in_memory_is_written_anew_and_one_that_is_not_cannot_be_saved(
    path: Path,
) -> None:
    found, _ = opened(path, None, rich())
    second, _ = opened(path)
    materialise(second)
    name = next(iter(found.dataset.train.matrix.where_kept.parts))  # type: ignore[union-attr]
    raw = bytearray(path.read_bytes())
    at = raw.index(name.encode()) + len(name)
    raw[at + 20] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedSession):
        _ = data_of(found).train.matrix.values  # type: ignore[union-attr]
    with pytest.raises(SessionNotSaved, match="its data could not be read"):
        save(path, found, expected_generation=1)
    assert path.read_bytes() == raw
    save(path, second, expected_generation=1)
    same(rich(), load(path))


def test_data_changed_in_memory_are_never_written_under_the_name_of_others(path: Path) -> None:
    found, _ = opened(path, None, rich())
    materialise(found)
    data_of(found).bulk.matrix.values[0, 0] += 1  # type: ignore[union-attr, index]
    path.unlink()
    with pytest.raises(SessionNotSaved, match="changed in memory"):
        save(path, found, expected_generation=None)


def test_a_moved_file_is_found_where_its_owner_says(path: Path, tmp_path: Path) -> None:
    found, origin = opened(path, None, rich())
    archive = tmp_path / "archive"
    archive.mkdir()
    path.rename(archive / path.name)
    with pytest.raises(SessionError, match="not there"):
        _ = matrices(found)[0].values
    late = threading.Timer(0.03, lambda: setattr(origin, "path", archive / path.name))
    late.start()
    same(rich(), found)  # moved a moment ago
    late.join()


def test_a_locked_session_reads_nothing_more(path: Path) -> None:
    found, origin = opened(path, session_key(), rich())
    origin.close()
    with pytest.raises(SessionError, match="locked again"):
        _ = matrices(found)[0].values


def test_another_key_in_the_file_is_said(path: Path) -> None:
    found, _ = opened(path, session_key(), rich())
    save(path, rich(), expected_generation=1, session_key=session_key())
    with pytest.raises(SessionError, match="protected again"):
        _ = matrices(found)[0].values


def test_the_file_may_be_saved_by_others_in_the_meantime(path: Path) -> None:
    found, _ = opened(path, None, rich())
    other = dataclasses.replace(
        rich(seed=3), dataset=dataclasses.replace(data_of(rich()), name="renamed"), runs=()
    )
    save(path, other, expected_generation=1)
    same(data_of(rich()).train, data_of(found).train)


def test_threads_read_a_matrix_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = opened(path, None, rich())
    reads: list[int] = []
    read = lazy.StoredValues.read
    monkeypatch.setattr(
        lazy.StoredValues,
        "read",
        lambda self, m: (time.sleep(0.05), reads.append(1), read(self, m))[2],
    )
    matrix, seen = matrices(found)[0], list[Any]()
    threads = [threading.Thread(target=lambda: seen.append(matrix.values)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    assert all(v is seen[0] for v in seen)
    assert len(seen) == 6


@pytest.mark.parametrize("lazily", [False, True])
def test_a_fingerprint_that_lies_is_found_when_the_values_are_read(
    path: Path, lazily: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lie(manifest: Any) -> Any:
        manifest["session"]["fields"]["dataset"]["fields"]["bulk"]["fields"]["matrix"][
            "fingerprint"
        ] = "0" * 64
        return manifest

    save(path, rich(), expected_generation=None)
    path.write_bytes(rebuilt(path, manifest=lie))
    with pytest.raises(DamagedSession, match="not those it says"):
        materialise(load(path, origin=Origin(path) if lazily else None))
    monkeypatch.setattr(container, "_CHECKED", False)
    assert data_of(materialise(load(path))).bulk.fingerprint == "0" * 64  # type: ignore[union-attr]


LIES: dict[str, dict[str, Any]] = {
    "shape": {"shape": [30, 5]},
    "length": {"n": 8},
    "objects": {"o": []},
    "object of another": {"o": ["o/" + "f" * 32]},
    "kind": {"t": "texts"},
    "time": {"as": "datetime64[ns]"},
    "number kind": {"dtype": "f8"},
    "shape of text": {"shape": "30"},
}


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_about_what_is_read_later_is_refused_at_once(path: Path, kind: str) -> None:
    def lie(manifest: Any) -> Any:
        manifest["session"]["fields"]["dataset"]["fields"]["bulk"]["fields"]["matrix"]["fields"][
            "values"
        ].update(LIES[kind])
        return manifest

    save(path, rich(), expected_generation=None)
    path.write_bytes(rebuilt(path))
    same(rich(), load(path, origin=Origin(path)))  # positive control
    path.write_bytes(rebuilt(path, manifest=lie))
    with pytest.raises(DamagedSession):
        load(path, origin=Origin(path))


def test_too_little_memory_is_said_when_the_values_are_needed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = opened(path, None, rich())
    monkeypatch.setattr(lazy, "available_memory", lambda: 1000)
    with pytest.raises(SessionError, match="GB of memory"):
        _ = matrices(found)[0].values
    assert np.isfinite(matrices(rich())[2].values).all()


def test_a_file_of_schema_1_0_has_no_fingerprints_and_finds_them_out() -> None:
    from tests.sessions.test_file import FIXTURES

    old = FIXTURES / "session-1.0.dcxsession"
    found = load(old, origin=Origin(old))
    assert not any(m.loaded for m in matrices(found))
    assert data_of(found).dataset_id == "7f4dab8178416291-caf7ea2c98ba8d5d"
    assert all(m.loaded for m in matrices(found))
