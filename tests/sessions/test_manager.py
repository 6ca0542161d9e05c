"""SessionCacheManager: making, finding, naming and deleting sessions."""

from __future__ import annotations

import inspect
import re
import threading

import pytest

from gui.errors import DefaultSession, NameTaken, SessionError, UnknownSession
from gui.sessions.manager import LOCAL, MAX_NAME, SessionCacheManager


@pytest.fixture
def manager() -> SessionCacheManager:
    return SessionCacheManager()


def names(manager: SessionCacheManager) -> list[str]:
    return [session.name for session in manager.list_sessions(actor=LOCAL)]


def test_a_new_manager_has_the_default_session_only(manager: SessionCacheManager) -> None:
    [default] = manager.list_sessions(actor=LOCAL)
    assert default.session_id == manager.default_id
    assert default.name == "Default"
    assert not default.holds_data


def test_every_public_method_takes_the_actor_who_asks() -> None:
    methods = [
        m
        for name, m in inspect.getmembers(SessionCacheManager, inspect.isfunction)
        if not name.startswith("_")
    ]
    assert len(methods) >= 6
    for method in methods:
        parameter = inspect.signature(method).parameters.get("actor")
        assert parameter is not None, method.__name__
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is inspect.Parameter.empty


def test_sessions_are_found_by_their_id_and_none_is_made_by_asking(
    manager: SessionCacheManager,
) -> None:
    first, second = (
        manager.create_session("A", actor=LOCAL),
        manager.create_session("B", actor=LOCAL),
    )
    assert manager.get_session(first.session_id, actor=LOCAL) is first
    assert manager.get_session_cache(second.session_id, actor=LOCAL) is second
    assert names(manager) == ["Default", "A", "B"]
    for unknown in (None, "", "nothing", first.session_id + "x"):
        with pytest.raises(UnknownSession):
            manager.get_session(unknown, actor=LOCAL)
    assert len(manager.list_sessions(actor=LOCAL)) == 3


def test_ids_are_unique_and_carry_the_time(manager: SessionCacheManager) -> None:
    ids = {manager.create_session(f"S{n}", actor=LOCAL).session_id for n in range(200)}
    assert len(ids) == 200
    assert all(re.fullmatch(r"\d{8}#\d{6}#[0-9a-f]{8}", one) for one in ids)


def test_two_managers_share_nothing(manager: SessionCacheManager) -> None:
    other = SessionCacheManager()
    session = manager.create_session("A", actor=LOCAL)
    with pytest.raises(UnknownSession):
        other.get_session(session.session_id, actor=LOCAL)
    assert other.default_id != manager.default_id


@pytest.mark.parametrize("name", ["Blood", "blood", "  BLOOD ", "Blo\x00od", "Default", "default"])
def test_a_name_in_use_is_refused_with_a_free_one(manager: SessionCacheManager, name: str) -> None:
    manager.create_session("Blood", actor=LOCAL)
    with pytest.raises(NameTaken) as caught:
        manager.create_session(name, actor=LOCAL)
    advice = re.search("“(.*)” is free", str(caught.value.advice))
    assert advice is not None
    assert manager.create_session(advice.group(1), actor=LOCAL).name.endswith(" 2")


def test_names_that_look_equal_are_equal(manager: SessionCacheManager) -> None:
    manager.create_session("Dr\u00fcse", actor=LOCAL)
    with pytest.raises(NameTaken):
        manager.create_session("Dru\u0308se", actor=LOCAL)


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "\x00"])
def test_a_session_needs_a_name(manager: SessionCacheManager, name: str) -> None:
    with pytest.raises(SessionError, match="needs a name"):
        manager.create_session(name, actor=LOCAL)


def test_names_are_one_line_and_not_too_long(manager: SessionCacheManager) -> None:
    assert manager.create_session(" two\n lines \x1b[31m", actor=LOCAL).name == "two lines [31m"
    assert manager.create_session("x" * MAX_NAME, actor=LOCAL).name == "x" * MAX_NAME
    with pytest.raises(SessionError, match=f"longer than {MAX_NAME}"):
        manager.create_session("y" * (MAX_NAME + 1), actor=LOCAL)


def test_the_proposed_free_name_is_always_accepted(manager: SessionCacheManager) -> None:
    for wish in ("Session", "", "x" * MAX_NAME, "x" * 500, "a" * (MAX_NAME - 1) + " b"):
        for _ in range(12):
            name = manager.free_name(wish, actor=LOCAL)
            assert manager.create_session(name, actor=LOCAL).name == name
    assert "Session 24" in names(manager)


def test_renaming(manager: SessionCacheManager) -> None:
    first, second = (
        manager.create_session("A", actor=LOCAL),
        manager.create_session("B", actor=LOCAL),
    )
    manager.rename_session(first.session_id, "C", actor=LOCAL)
    assert names(manager) == ["Default", "C", "B"]
    manager.rename_session(first.session_id, "c", actor=LOCAL)  # its own name in another case
    assert first.name == "c"
    with pytest.raises(NameTaken):
        manager.rename_session(second.session_id, "C", actor=LOCAL)
    assert second.name == "B"
    manager.create_session("A", actor=LOCAL)  # free again


def test_deleting(manager: SessionCacheManager) -> None:
    session = manager.create_session("A", actor=LOCAL)
    manager.delete_session(session.session_id, actor=LOCAL)
    for _ in range(2):
        with pytest.raises(UnknownSession):
            manager.delete_session(session.session_id, actor=LOCAL)
    assert names(manager) == ["Default"]
    assert manager.create_session("A", actor=LOCAL).session_id != session.session_id


def test_the_default_session_stays_as_it_is(manager: SessionCacheManager) -> None:
    with pytest.raises(DefaultSession):
        manager.rename_session(manager.default_id, "Mine", actor=LOCAL)
    with pytest.raises(DefaultSession):
        manager.delete_session(manager.default_id, actor=LOCAL)
    assert names(manager) == ["Default"]


def test_many_threads_never_get_the_same_name(manager: SessionCacheManager) -> None:
    refused: list[NameTaken] = []

    def create() -> None:
        for n in range(25):
            try:
                manager.create_session(f"S{n}", actor=LOCAL)
            except NameTaken as error:
                refused.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names(manager)) == sorted(["Default", *(f"S{n}" for n in range(25))])
    assert len(refused) == 75
