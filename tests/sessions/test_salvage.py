"""Of a damaged file all is kept that can still be read, to the bit; what is lost is named; nothing
hostile gets in that way.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from gui.data.dataset import Dataset
from gui.errors import DamagedSession, NewerSession, WrongPassword
from gui.sessions import container, file
from gui.sessions.crypto import SessionKey
from gui.sessions.decode import names_in
from gui.sessions.file import load, save
from gui.sessions.salvage import Salvaged, salvage
from gui.sessions.snapshot import RECOVERED, Snapshot
from tests.sessions.hostile import rebuilt
from tests.sessions.samples import ID, rich, same, session_key, tiny
from tests.sessions.test_hostile import HOSTILE

RUNS = {
    "run0": "The DTD run of 22 November 2026, ",
    "run1": "The Search run of 22 November 2026, ",
    "plug": "The Cells run of 22 November 2026, ",
    "adtd0": "The ADTD run of 22 November 2026, ",
    "adtd1": "The ADTD run of 22 November 2026, ",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


def place(path: Path) -> dict[str, container.Member]:
    with path.open("rb") as opened:
        return container.Reader(opened).members


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


def tree_of(path: Path, key: SessionKey | None = None) -> Any:
    with path.open("rb") as opened:
        packed = container.Reader(opened).read("manifest", container.MAX_MANIFEST)
    return json.loads(
        zstandard.decompress(packed if key is None else key.decrypt("manifest", packed))
    )["session"]


def data_of(found: Salvaged) -> Dataset:
    assert found.snapshot.dataset is not None
    return found.snapshot.dataset


@pytest.mark.parametrize("protected", [False, True])
def test_whatever_byte_is_damaged_all_that_does_not_need_it_comes_back_to_the_bit(
    path: Path, protected: bool
) -> None:
    key, original = session_key() if protected else None, rich(runs=2)
    save(path, original, expected_generation=None, session_key=key)
    raw, members, tree = path.read_bytes(), place(path), tree_of(path, key)
    needs = {
        run.id: set(names_in(node))
        for run, node in zip(original.runs, tree["fields"]["runs"]["items"], strict=True)
    }
    refused = 0
    for number, member in enumerate(members.values()):
        heads = [member.offset, member.offset + 20, member.offset + 35]
        if member.name.startswith("o/"):  # the many objects are alike: each in one of the three
            heads = [heads[number % 3]]
        for at in (*heads, member.data_offset + member.size // 2):
            path.write_bytes(flipped(raw, at))
            with pytest.raises((DamagedSession, WrongPassword, NewerSession)):
                load(path, session_key=key)
            if member.name == "manifest":
                with pytest.raises(DamagedSession, match="nothing can be recovered"):
                    salvage(path, key)
                refused += 1
                continue
            found = salvage(path, key)
            kept = {run.id: run for run in found.snapshot.runs}
            assert set(kept) == {name for name, used in needs.items() if member.name not in used}
            for run in original.runs:
                if run.id in kept:
                    same(run, kept[run.id])
                else:
                    assert any(words.startswith(RUNS[run.id]) for words in found.lost)
            if member.name in ("mimetype", "header.json"):
                assert found.lost == ()
                same(original.dataset, found.snapshot.dataset)
            else:
                assert len(found.lost) > 0
            assert RECOVERED in found.snapshot.marks
            assert path.read_bytes() == flipped(raw, at)
    assert refused == 4


@pytest.mark.parametrize(
    "cut",
    [
        "directory damaged",
        "directory cut off",
        "end cut off",
        "something behind",
        "something before",
    ],
)
def test_with_every_part_whole_nothing_is_lost_whatever_is_around_them(
    path: Path, cut: str
) -> None:
    save(path, rich(), expected_generation=None)
    raw = path.read_bytes()
    last = max(place(path).values(), key=lambda m: m.offset)
    end = last.data_offset + last.size
    path.write_bytes(
        {
            "directory damaged": flipped(raw, end + 50),
            "directory cut off": raw[:end],
            "end cut off": raw[:-5],
            "something behind": raw + bytes(5000),
            "something before": b"PK\3\4" + bytes(2**20) + raw,
        }[cut]
    )
    with pytest.raises(DamagedSession):
        load(path)
    found = salvage(path)
    assert found.lost == ()
    same(dataclasses.replace(rich(), marks=(RECOVERED,)), found.snapshot)


def test_a_file_cut_off_before_its_list_is_refused_in_a_sentence(path: Path) -> None:
    save(path, tiny(), expected_generation=None)
    raw, last = path.read_bytes(), max(place(path).values(), key=lambda m: m.offset)
    for size in range(last.data_offset + last.size):
        path.write_bytes(raw[:size])
        with pytest.raises(DamagedSession, match="nothing can be recovered"):
            salvage(path)
    path.write_bytes(raw[: last.data_offset + last.size])
    same(dataclasses.replace(tiny(), marks=(RECOVERED,)), salvage(path).snapshot)


def damage(path: Path, node: Any) -> None:
    """The first object of a node."""
    member, raw = place(path)[names_in(node)[0]], path.read_bytes()
    path.write_bytes(flipped(raw, member.data_offset + member.size // 2))


def test_lost_training_cells_are_named_and_the_runs_are_not_shown_as_outdated(path: Path) -> None:
    original = rich()
    save(path, original, expected_generation=None)
    damage(
        path,
        tree_of(path)["fields"]["dataset"]["fields"]["train"]["fields"]["matrix"]["fields"][
            "values"
        ],
    )
    found = salvage(path)
    assert found.lost == ("The training cells",)
    assert original.dataset is not None
    assert data_of(found).dataset_id == original.dataset.dataset_id
    same(
        [original.dataset.test, original.dataset.bulk, original.runs],
        [data_of(found).test, data_of(found).bulk, found.snapshot.runs],
    )
    assert data_of(found).train is None
    save(path.with_name("b"), found.snapshot, expected_generation=None)
    again = load(path.with_name("b"))
    assert again.dataset is not None
    assert again.dataset.dataset_id == original.dataset.dataset_id
    without_bulk = dataclasses.replace(again.dataset, bulk=None, reference=None)
    assert without_bulk.training_id != original.dataset.training_id  # other data are other data


def test_lost_columns_of_the_cells_leave_the_cells(path: Path) -> None:
    save(path, rich(), expected_generation=None)
    damage(path, tree_of(path)["fields"]["dataset"]["fields"]["train"]["fields"]["obs"]["parts"][4])
    found = salvage(path)
    assert found.lost == ("The further columns of the training cells",)
    train = rich().dataset.train  # type: ignore[union-attr]
    assert train is not None
    same([train.matrix, train.labels], [data_of(found).train.matrix, data_of(found).train.labels])  # type: ignore[union-attr]
    assert list(data_of(found).train.obs) == []  # type: ignore[union-attr]


def test_a_sealed_file_needs_its_seal(path: Path) -> None:
    key = session_key()
    save(path, rich(), expected_generation=None, session_key=key)
    path.write_bytes(path.read_bytes()[:-5])
    for wrong in (None, session_key()):
        with pytest.raises(WrongPassword):
            salvage(path, wrong)
    same(dataclasses.replace(rich(), marks=(RECOVERED,)), salvage(path, key).snapshot)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_gets_nothing_in_by_being_salvaged(path: Path, kind: str) -> None:
    save(path, rich(), expected_generation=None)
    path.write_bytes(HOSTILE[kind](path))
    try:
        found = salvage(path)
    except (DamagedSession, NewerSession):
        return
    known = {run.id: run for run in rich().runs}
    for run in found.snapshot.runs:
        if run.id in known and type(run.params) is type(known[run.id].params):
            assert type(run.result) is type(known[run.id].result)
    # what comes back is a session like any other
    save(path.with_name("again"), found.snapshot, expected_generation=None)
    same(found.snapshot, load(path.with_name("again")))


def test_a_run_that_lies_is_left_out(path: Path) -> None:
    save(path, rich(), expected_generation=None)

    def lie(manifest: Any) -> Any:
        manifest["session"]["fields"]["runs"]["items"][3]["fields"]["result"]["fields"][
            "composition"
        ]["index"] = {"t": "range", "v": [0, 9, 1], "name": None}
        return manifest

    path.write_bytes(rebuilt(path, manifest=lie))
    found = salvage(path)
    assert [run.id for run in found.snapshot.runs] == ["run0", "run1", "plug"]
    assert [words.split(" of ")[0] for words in found.lost] == ["The ADTD run"]


def test_an_undamaged_file_is_salvaged_as_it_is(path: Path) -> None:
    empty = Snapshot(ID, "empty", rich().created, rich().modified)
    save(path, empty, expected_generation=None)
    same(Salvaged(dataclasses.replace(empty, marks=(RECOVERED,)), ()), salvage(path))
