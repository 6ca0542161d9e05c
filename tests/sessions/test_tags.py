"""Tags and sample names: kept in the file, checked when read, absent from older files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Bulk, Dataset, Matrix
from gui.errors import DamagedSession, SessionError
from gui.sessions import container, header
from gui.sessions.exchange import pseudonymised
from gui.sessions.file import load, read_header, save
from gui.sessions.manager import LOCAL
from gui.sessions.rules import MAX_TAG, MAX_TAGS, checked_tags, stored_contents
from gui.sessions.search import search_sessions
from tests.sessions.hostile import rebuilt
from tests.sessions.samples import Managers, rich, tiny

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_a_session_of_an_earlier_version_has_no_tags_and_takes_some(
    make: Managers, version: str
) -> None:
    manager = make()
    found = manager.import_session(FIXTURES / f"session-{version}.dcxsession", actor=LOCAL)
    session = manager.get_session(found.session_id, actor=LOCAL)
    assert session.tags == ()
    assert session.set_tags("pilot, ward 3") == ("pilot", "ward 3")
    manager.close(actor=LOCAL)
    again = make()
    assert again.get_session(found.session_id, actor=LOCAL).tags == ("pilot", "ward 3")
    (info,) = search_sessions(again.list_sessions(actor=LOCAL), "", ["Pilot"])
    assert info.info.session_id == found.session_id


def test_tags_survive_a_save_and_lose_the_names_of_samples_under_pseudonyms(
    tmp_path: Path,
) -> None:
    snapshot = rich()
    assert snapshot.dataset is not None
    assert snapshot.dataset.bulk is not None
    sample = str(snapshot.dataset.bulk.matrix.columns[0])
    tagged = dataclasses.replace(snapshot, tags=("pilot", sample[:MAX_TAG]))
    path = tmp_path / "x.dcxsession"
    save(path, tagged, expected_generation=None)
    assert load(path).tags == tagged.tags
    contents = read_header(path).contents
    assert contents["tags"] == ", ".join(tagged.tags)
    assert sample in contents["samples"].split("\n")
    hidden, _ = pseudonymised(tagged)
    assert hidden.tags[0] == "pilot"
    assert sample not in hidden.tags[1]
    assert sample not in header.contents_of(hidden)["samples"]


@pytest.mark.parametrize(
    "tags",
    [
        ["a"],
        {"t": "tuple", "items": [1]},
        {"t": "tuple", "items": ["a, b"]},
        {"t": "tuple", "items": ["a", "A"]},
        {"t": "tuple", "items": ["x" * (MAX_TAG + 1)]},
        {"t": "tuple", "items": [str(n) for n in range(MAX_TAGS + 1)]},
        {"t": "tuple", "items": [""]},
    ],
    ids=["list", "number", "comma", "twice", "long", "many", "empty"],
)
def test_tags_that_no_program_writes_are_refused(tmp_path: Path, tags: Any) -> None:
    base = tmp_path / "base.dcxsession"
    save(base, tiny(), expected_generation=None)

    def with_tags(manifest: Any, value: Any) -> Any:
        manifest["session"]["fields"]["tags"] = value
        return manifest

    path = tmp_path / "x.dcxsession"
    path.write_bytes(rebuilt(base, manifest=lambda m: with_tags(m, tags)))
    with pytest.raises(DamagedSession):
        load(path)
    fine = {"t": "tuple", "items": ["a", "b"]}
    path.write_bytes(rebuilt(base, manifest=lambda m: with_tags(m, fine)))
    assert load(path).tags == ("a", "b")


def _with_samples(names: list[str]) -> Dataset:
    values = np.ones((2, len(names)))
    bulk = Bulk(Matrix(values, pd.Index(["G1", "G2"]), pd.Index(names)), pd.DataFrame(index=names))
    return Dataset(train=None, test=None, bulk=bulk)


@pytest.mark.parametrize("letter", ["S", "ß", "\U0001d11e"])
def test_however_many_samples_the_header_fits_and_says_how_many_it_leaves_out(
    tmp_path: Path, letter: str
) -> None:
    names = [f"{letter * 20} {n:06}" for n in range(5000)]
    long = letter * 1000
    snapshot = dataclasses.replace(
        tiny(), dataset=_with_samples(names), notes=long, tags=checked_tags("a, b")
    )
    path = tmp_path / "x.dcxsession"
    save(path, snapshot, expected_generation=None)
    found = read_header(path)
    assert len(found.packed()) < container.MAX_HEADER
    listed = found.contents["samples"].split("\n")
    assert listed == names[: len(listed)]
    assert 50 < len(listed) == len(names) - found.contents["unlisted"]


def test_a_summary_without_tags_is_one_of_an_earlier_version() -> None:
    assert "tags" not in stored_contents({"data": True, "runs": 0})
    assert stored_contents({"tags": "a,\u202e b", "samples": "P\u202e1\nP2"}) == {
        "tags": "a, b",
        "samples": "P1\nP2",
    }


def test_tags_are_words_between_commas() -> None:
    assert checked_tags(" a ;b,, A,\u202eb\n") == ("a", "b")
    assert checked_tags(" ") == ()
    with pytest.raises(SessionError, match="at most"):
        checked_tags(",".join(map(str, range(MAX_TAGS + 1))))
