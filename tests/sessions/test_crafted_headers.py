"""Headers that no program of ours writes: an import refuses them with a sentence; in the folder
each is one damaged row that can be deleted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.components.sessions import rows
from gui.errors import DamagedSession, DeconomixError
from gui.sessions import file, header, snapshot
from gui.sessions.manager import LOCAL, SessionCacheManager
from gui.sessions.rules import MAX_NAME, SINGLE_ID, plain
from tests.sessions.hostile import rebuilt
from tests.sessions.samples import ID, Managers, rich, tiny

FULL = {
    "data": True,
    "runs": 1,
    "dtd": 1,
    "search": 0,
    "adtd": 0,
    "source": "",
    "notes": "",
    "marks": "",
}
CRAFTED: dict[str, dict[str, Any]] = {
    "year one": {"created": "0001-01-01T00:00:00+14:00"},
    "year one, used": {"modified": "0001-01-01T00:00:00+00:00"},
    "year 9999": {"modified": "9999-12-31T23:59:59-14:00"},
    "before any clock": {"created": "1899-01-01T00:00:00+00:00"},
    "a time without a zone": {"created": "2026-01-01T00:00:00"},
    "a time that is a number": {"created": 5},
    "a time that is none": {"modified": "yesterday"},
    "many runs": {"contents": FULL | {"runs": "many"}},
    "a kind that is a word": {"contents": FULL | {"dtd": "x"}},
    "a kind that is a truth": {"contents": FULL | {"adtd": True}},
    "runs below nothing": {"contents": FULL | {"runs": -1}},
    "more runs than there are": {"contents": FULL | {"runs": 10**300}},
    "data that are a number": {"contents": FULL | {"data": 1}},
    "a source that is a number": {"contents": FULL | {"source": 7}},
    "long notes": {"contents": FULL | {"notes": "n" * 60_000}},
    "tags that are a list": {"contents": FULL | {"tags": ["a"]}},
    "samples that are a list": {"contents": FULL | {"samples": ["P1"]}},
    "samples without an end": {"contents": FULL | {"samples": "P\n" * 20_000}},
    "unlisted samples that are a word": {"contents": FULL | {"unlisted": "many"}},
    "contents that are a list": {"contents": [1]},
    "a long name": {"name": "N" * 60_000},
    "a name one too long": {"name": "N" * (MAX_NAME + 1)},
    "a name of two lines": {"name": "a\nb"},
    "a name with a null": {"name": "a\x00b"},
    "a name with an odd line": {"name": "a\u2028b"},
    "half a letter": {"name": "\ud800x"},
    "no name": {"name": ""},
    "a blank name": {"name": " \u202e "},
    "a name that is a list": {"name": ["x"]},
    "an id in Arabic digits": {"id": "٢٠٢٦١١٢٢#١٢٠٠٠٠#07c2e7ed"},
    "an id in Bengali digits": {"id": "২০২৬১১২২#১২০০০০#07c2e7ed"},
    "an id with a line's end": {"id": f"{ID}\n"},
    "an id that leads away": {"id": "../../../../etc/passwd"},
    "an id that is long": {"id": "1" * 900},
    "a state that is none": {"status": "gone"},
    "no save at all": {"generation": 0},
    "a save that is a truth": {"generation": True},
}


def crafted(tmp_path: Path, what: dict[str, Any], *, content: Any = None) -> bytes:
    """A session file whose header and contents say the same."""
    base = tmp_path / "base.dcxsession"
    if not base.exists():
        file.save(base, content or tiny(), expected_generation=None)

    def manifest(found: Any) -> Any:
        fields = found["session"]["fields"]
        for name, field in (("id", "session_id"), ("name", "name")):
            if name in what:
                fields[field] = what[name]
        for name in ("created", "modified"):
            if isinstance(what.get(name), str):
                fields[name] = {"t": "datetime", "v": what[name]}
        return found

    return rebuilt(base, header=lambda h: h | what, manifest=manifest)


@pytest.mark.parametrize("what", CRAFTED.values(), ids=CRAFTED)
def test_a_crafted_header_is_refused_and_hides_no_other_session(
    make: Managers, tmp_path: Path, what: dict[str, Any]
) -> None:
    data = crafted(tmp_path, what)
    path = tmp_path / "x.dcxsession"
    path.write_bytes(data)
    manager = make()
    manager.create_session("mine", actor=LOCAL)
    with pytest.raises(DamagedSession):
        manager.import_session(path, actor=LOCAL)
    assert [i.name for i in manager.list_sessions(actor=LOCAL)] == ["Default", "mine"]
    manager.close(actor=LOCAL)
    (tmp_path / "sessions" / "crafted.dcxsession").write_bytes(data)
    again = make()
    [_, *found] = again.list_sessions(actor=LOCAL)
    shown = {row["name"]: row for row in rows(found)}
    assert set(shown) == {"mine", "crafted"}
    assert shown["crafted"]["problem"]
    assert shown["crafted"]["why"]
    again.delete_session(shown["crafted"]["id"], actor=LOCAL)
    assert [i.name for i in again.list_sessions(actor=LOCAL)] == ["Default", "mine"]


def test_control_without_the_rules_the_table_could_not_be_drawn(
    make: Managers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are drawn apart all the same: what got through hides no other session."""
    monkeypatch.setattr(header, "stored_contents", lambda found: found)
    monkeypatch.setattr(header, "stored_time", lambda then: then)
    monkeypatch.setattr(snapshot, "stored_time", lambda then: then)
    manager = make()
    manager.create_session("mine", actor=LOCAL)
    (tmp_path / "x.dcxsession").write_bytes(crafted(tmp_path, CRAFTED["many runs"]))
    key = manager.import_session(tmp_path / "x.dcxsession", actor=LOCAL).session_id
    found = [i for i in manager.list_sessions(actor=LOCAL) if i.holds_data]
    assert {i.session_id for i in found if i.contents.get("runs") == "many"} == {key}
    shown = {row["id"]: row for row in rows(found)}
    assert len(shown) == 2
    assert [row["id"] for row in shown.values() if row["problem"]] == [key]


def test_marks_of_direction_are_taken_out_of_a_name_that_an_earlier_version_kept(
    make: Managers, tmp_path: Path
) -> None:
    path = tmp_path / "x.dcxsession"
    path.write_bytes(crafted(tmp_path, {"name": "\u202emelanoma \u200e2"}))
    manager = make()
    found = manager.import_session(path, actor=LOCAL)
    assert found.name == "melanoma 2"
    assert manager.get_session(found.session_id, actor=LOCAL).name == "melanoma 2"
    assert plain("نامه\u200cها") == "نامه\u200cها"  # a joiner is a letter's part


@pytest.mark.parametrize("single", [False, True])
def test_the_id_of_the_default_session_comes_in_as_a_copy(
    make: Managers, tmp_path: Path, single: bool
) -> None:
    manager = make()
    path = tmp_path / "x.dcxsession"
    taken = SINGLE_ID if single else manager.default_id
    path.write_bytes(crafted(tmp_path, {"id": taken}))
    found = manager.import_session(path, actor=LOCAL)
    assert (found.outcome, found.session_id == taken) == ("copy", False)
    manager.delete_session(found.session_id, actor=LOCAL)


def test_files_of_impossible_times_are_listed(make: Managers, tmp_path: Path) -> None:
    first = make()
    key = first.create_session("mine", actor=LOCAL).session_id
    first.close(actor=LOCAL)
    path = tmp_path / "sessions" / file.file_name(key)
    for seconds in (-(10**10), 10**11):
        try:
            os.utime(path, (seconds, seconds))
        except (OSError, OverflowError):
            continue  # this file system keeps no such time
        manager: SessionCacheManager = make()
        assert len(rows([i for i in manager.list_sessions(actor=LOCAL) if i.holds_data])) == 1
        assert manager.cleanup_sessions(actor=LOCAL, max_age_days=1, dry_run=True) is not None


def _result(value: Any) -> Callable[[Any], Any]:
    def change(fields: Any) -> None:
        fields["result"] = value

    return change


def _kind(kind: str) -> Callable[[Any], Any]:
    def change(fields: Any) -> None:
        fields["kind"] = kind

    return change


def _words(fields: Any) -> None:
    fields["result"]["fields"]["reference"] = fields["result"]["fields"]["metrics"]


def _time(fields: Any) -> None:
    fields["created"]["v"] = "0001-01-01T00:00:00+14:00"


MISFITS = {
    "a number": _result(5),
    "nothing": _result(None),
    "another kind": _kind("search"),
    "words for numbers": _words,
    "no such time": _time,
}


@pytest.mark.parametrize("change", MISFITS.values(), ids=MISFITS)
def test_a_result_that_does_not_fit_its_kind_is_damage_and_the_rest_can_be_recovered(
    make: Managers, tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    base, path = tmp_path / "base.dcxsession", tmp_path / "x.dcxsession"
    file.save(base, rich(), expected_generation=None)

    def manifest(found: Any) -> Any:
        [run] = [
            r["fields"]
            for r in found["session"]["fields"]["runs"]["items"]
            if r["fields"]["kind"] == "dtd"
        ]
        change(run)
        return found

    path.write_bytes(rebuilt(base, manifest=manifest))
    manager = make()
    with pytest.raises(DamagedSession):
        manager.import_session(path, actor=LOCAL)
    manager.close(actor=LOCAL)
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / file.file_name(ID)).write_bytes(path.read_bytes())
    again = make()
    with pytest.raises(DeconomixError):
        again.get_session(ID, actor=LOCAL)
    found = again.salvage_session(ID, actor=LOCAL)
    assert [run.id for run in found.runs()] == ["run1", "plug", "adtd0"]
    assert "run" in found.notes


def test_a_run_on_screen_is_of_its_kind(make: Managers, tmp_path: Path) -> None:
    base, path = tmp_path / "base.dcxsession", tmp_path / "x.dcxsession"
    file.save(base, rich(), expected_generation=None)

    def manifest(found: Any) -> Any:
        found["session"]["fields"]["chosen"]["items"] = [["dtd", "adtd0"], ["adtd", "adtd0"]]
        return found

    path.write_bytes(rebuilt(base, manifest=manifest))
    manager = make()
    session = manager.get_session(manager.import_session(path, actor=LOCAL).session_id, actor=LOCAL)
    assert session.current("dtd") is None
    assert session.has("adtd")
