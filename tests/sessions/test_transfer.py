"""Sessions out of the program and into it: export with options, what is left of a damaged file,
backups, another folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.errors import (
    DamagedSession,
    SessionConflict,
    SessionError,
    SessionLocked,
    SessionNotSaved,
    WrongPassword,
)
from gui.sessions import file
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from tests.sessions.samples import rich, same

Make = Callable[..., SessionCacheManager]
PASSWORD = "correct horse battery"
OTHER = Actor(browser="other")
pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[SessionCacheManager] = []

    def new(folder: Path | None = None, **options: Any) -> SessionCacheManager:
        made.append(SessionCacheManager(folder or tmp_path, **options))
        return made[-1]

    yield new
    for manager in made:
        manager.close(actor=LOCAL, timeout=20)


def filled(manager: SessionCacheManager, name: str = "Mine") -> DCXCache:
    session, content = manager.create_session(name, actor=LOCAL), rich()
    assert content.dataset is not None
    session.set_dataset(content.dataset, keep_runs=False)
    for run in content.runs:
        session.add_run(run)
    session.notes = "noted"
    manager.save_session(session.session_id, actor=LOCAL)
    return session


def elsewhere(make: Make, tmp_path: Path, data: bytes, **options: Any) -> DCXCache:
    """The session of an exported file, as another program gets it."""
    path = tmp_path / "out.dcxsession"
    path.write_bytes(data)
    manager = make(tmp_path / "elsewhere")
    return manager.get_session(
        manager.import_session(path, actor=LOCAL, **options).session_id, actor=LOCAL
    )


def path_of(folder: Path, session: DCXCache) -> Path:
    return folder / "sessions" / file.file_name(session.session_id)


# -- export
# --------------------------------------------------------------------------------------------------


def test_an_export_without_cells_is_small_marked_and_its_results_are_not_outdated(
    make: Make, tmp_path: Path
) -> None:
    manager = make()
    session = filled(manager)
    exported = manager.export_session(session.session_id, actor=LOCAL, cells=False)
    assert exported.name == "Mine.dcxsession"
    assert exported.names is None
    found = elsewhere(make, tmp_path, exported.data)
    assert found.marks == ("without cells",)
    assert not found.has("train")
    assert found.dataset is not None
    assert found.dataset.reference is not None
    assert [run.id for run in found.runs()] == [run.id for run in session.runs()]
    assert [found.outdated(run) for run in found.runs()] == [
        session.outdated(run) for run in session.runs()
    ]
    assert found.session_id != session.session_id


def test_an_export_with_pseudonyms_names_no_sample_and_brings_the_table_apart(
    make: Make, tmp_path: Path
) -> None:
    manager = make()
    session = filled(manager)
    assert session.dataset is not None
    assert session.dataset.bulk is not None
    samples = session.dataset.bulk.samples
    exported = manager.export_session(session.session_id, actor=LOCAL, pseudonyms=True)
    assert exported.names is not None
    assert set(samples) <= set(exported.names["name"])
    found = elsewhere(make, tmp_path, exported.data)
    assert found.dataset is not None
    assert found.dataset.bulk is not None
    assert found.marks == ("pseudonyms",)
    assert not set(samples) & set(found.dataset.bulk.samples)
    assert session.dataset.bulk.samples == samples


def test_an_export_with_a_password_opens_with_it_only(make: Make, tmp_path: Path) -> None:
    manager = make()
    session = filled(manager)
    exported = manager.export_session(session.session_id, actor=LOCAL, password=PASSWORD)
    path = tmp_path / "out.dcxsession"
    path.write_bytes(exported.data)
    other = make(tmp_path / "elsewhere")
    found = other.import_session(path, actor=LOCAL)
    with pytest.raises(SessionLocked):
        other.get_session(found.session_id, actor=LOCAL)
    with pytest.raises(WrongPassword):
        other.unlock_session(found.session_id, "another password", actor=LOCAL)
    other.unlock_session(found.session_id, PASSWORD, actor=LOCAL)
    same(other.get_session(found.session_id, actor=LOCAL).snapshot(), session.snapshot())


def test_a_protected_session_is_exported_sealed_by_anybody_and_in_clear_only_unlocked(
    make: Make, tmp_path: Path
) -> None:
    manager = make()
    session = filled(manager)
    manager.protect_session(session.session_id, PASSWORD, actor=LOCAL)
    before = session.snapshot()
    sealed = manager.export_session(session.session_id, actor=OTHER)
    assert sealed.data == path_of(tmp_path, session).read_bytes()
    for options in (
        {"cells": False},
        {"pseudonyms": True},
        {"unprotected": True},
        {"password": PASSWORD},
    ):
        with pytest.raises(SessionLocked):
            manager.export_session(session.session_id, actor=OTHER, **options)
    clear = manager.export_session(session.session_id, actor=LOCAL, unprotected=True)
    same(elsewhere(make, tmp_path, clear.data).snapshot(), before)
    slim = manager.export_session(session.session_id, actor=LOCAL, cells=False)
    (tmp_path / "slim.dcxsession").write_bytes(slim.data)
    assert file.read_header(tmp_path / "slim.dcxsession").encrypted


def test_a_sealed_file_comes_in_as_a_copy_with_its_password_only(
    make: Make, tmp_path: Path
) -> None:
    manager = make()
    session = filled(manager)
    manager.protect_session(session.session_id, PASSWORD, actor=LOCAL)
    path = tmp_path / "out.dcxsession"
    path.write_bytes(manager.export_session(session.session_id, actor=LOCAL).data)
    for password in (None, "another password"):
        with pytest.raises(WrongPassword):
            manager.import_session(path, actor=LOCAL, as_copy=True, password=password)
    found = manager.import_session(path, actor=LOCAL, as_copy=True, password=PASSWORD)
    assert found.outcome == "copy"
    assert manager.get_session(found.session_id, actor=LOCAL).notes == "noted"
    assert manager.info(found.session_id, actor=OTHER).locked
    manager.save_session(found.session_id, actor=LOCAL)
    assert file.read_header(
        path_of(tmp_path, manager.get_session(found.session_id, actor=LOCAL))
    ).encrypted


# -- damaged
# --------------------------------------------------------------------------------------------------


def damage(path: Path) -> None:
    """Cut off the last tenth: the list of parts and some of them are gone."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])


def test_a_damaged_session_with_a_backup_is_had_back_and_the_damaged_file_is_kept(
    make: Make, tmp_path: Path
) -> None:
    first = make()
    session = filled(first)
    first.close(actor=LOCAL)
    second = make()
    # keeps the file as it was found
    second.get_session(session.session_id, actor=LOCAL).notes = "changed"
    second.close(actor=LOCAL)
    path = path_of(tmp_path, session)
    path.write_bytes(b"\0" * 1000)
    manager = make()
    [damaged] = [i for i in manager.list_sessions(actor=LOCAL) if i.problem is not None]
    assert damaged.backup is not None
    found = manager.get_session(
        manager.restore_backup(damaged.session_id, actor=LOCAL), actor=LOCAL
    )
    assert found.notes == "noted"
    same(found.snapshot(), session.snapshot())
    assert path.with_name(f"{path.name}.damaged").read_bytes() == b"\0" * 1000
    assert [i.problem for i in manager.list_sessions(actor=LOCAL)] == [None, None]


def test_without_a_backup_nothing_is_replaced(make: Make, tmp_path: Path) -> None:
    first = make()
    session = filled(first)
    first.close(actor=LOCAL)
    path_of(tmp_path, session).write_bytes(b"\0" * 1000)
    manager = make()
    [damaged] = [i for i in manager.list_sessions(actor=LOCAL) if i.problem is not None]
    assert damaged.backup is None
    with pytest.raises(SessionError, match="no backup"):
        manager.restore_backup(damaged.session_id, actor=LOCAL)
    with pytest.raises(DamagedSession):
        manager.salvage_session(damaged.session_id, actor=LOCAL)
    assert path_of(tmp_path, session).read_bytes() == b"\0" * 1000


def test_what_is_readable_becomes_a_session_of_its_own_and_the_damaged_file_stays(
    make: Make, tmp_path: Path
) -> None:
    first = make()
    session = filled(first)
    first.close(actor=LOCAL)
    path = path_of(tmp_path, session)
    data = bytearray(path.read_bytes())
    data[-60] ^= 0xFF  # in the list of parts: everything else is whole
    path.write_bytes(data)
    manager = make()
    with pytest.raises(DamagedSession):
        manager.get_session(session.session_id, actor=LOCAL)
    recovered = manager.salvage_session(session.session_id, actor=LOCAL)
    assert recovered.name == "Mine (recovered)"
    assert recovered.marks == ("recovered",)
    assert "Recovered from a damaged file" in recovered.notes
    assert {run.id for run in recovered.runs()} == {run.id for run in session.runs()}
    assert path.read_bytes() == bytes(data)


def test_damage_that_shows_late_is_listed_and_the_results_are_recovered(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.sessions.lazy.LARGE", 100)
    first = make()
    session = filled(first)
    first.close(actor=LOCAL)
    path = path_of(tmp_path, session)
    manager = make()
    found = manager.get_session(session.session_id, actor=LOCAL)
    assert found.dataset is not None
    assert found.dataset.train is not None
    train = found.dataset.train.matrix
    assert not train.loaded
    where: Any = train.where_kept
    name = next(iter(where.parts))
    data = bytearray(path.read_bytes())
    at = data.index(name.encode()) + len(name) + 20
    data[at] ^= 0xFF
    path.write_bytes(data)
    assert manager.info(session.session_id, actor=LOCAL).problem is None
    with pytest.raises(DamagedSession):
        _ = train.values
    assert isinstance(manager.info(session.session_id, actor=LOCAL).problem, DamagedSession)
    assert found.run("run0") is not None
    recovered = manager.salvage_session(session.session_id, actor=LOCAL)
    assert {run.id for run in recovered.runs()} == {run.id for run in session.runs()}
    assert "training cells" in recovered.notes


# -- elsewhere
# --------------------------------------------------------------------------------------------------


def test_a_session_that_cannot_be_saved_goes_on_in_another_folder(
    make: Make, tmp_path: Path
) -> None:
    manager = make()
    session = filled(manager)
    (tmp_path / "sessions").rename(tmp_path / "away")
    session.notes = "changed"
    with pytest.raises(SessionNotSaved):
        manager.redirect_session(session.session_id, tmp_path / "nowhere", actor=LOCAL)
    (tmp_path / "stick").mkdir()
    found = manager.redirect_session(session.session_id, tmp_path / "stick", actor=LOCAL)
    assert file.load(found).notes == "changed"
    session.notes = "changed again"
    manager.save_session(session.session_id, actor=LOCAL)
    assert file.load(found).notes == "changed again"
    with pytest.raises(SessionError):  # what lies in the folder already is not overwritten
        manager.redirect_session(session.session_id, tmp_path / "stick", actor=LOCAL)


def test_after_a_conflict_the_other_version_can_be_had(make: Make) -> None:
    one = make()
    session = filled(one)
    other_manager = make()
    other = other_manager.get_session(session.session_id, actor=LOCAL)
    other.notes = "theirs"
    other_manager.save_session(session.session_id, actor=LOCAL)
    session.notes = "mine"
    with pytest.raises(SessionConflict):
        one.save_session(session.session_id, actor=LOCAL)
    kept = one.duplicate_session(session.session_id, actor=LOCAL)
    assert one.reload_session(session.session_id, actor=LOCAL).notes == "theirs"
    assert kept.notes == "mine"
    session.notes = "and on"
    one.save_session(session.session_id, actor=LOCAL)
