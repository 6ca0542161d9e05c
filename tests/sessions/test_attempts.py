"""Wrong passwords: what they cost whoever tries them, and nobody else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from gui.errors import PasswordDelay, ProgramBusy, WrongPassword
from gui.sessions import attempts as module
from gui.sessions import crypto
from gui.sessions.attempts import (
    FREE_PER_BROWSER,
    FREE_PER_SESSION,
    LONGEST_PER_BROWSER,
    LONGEST_PER_SESSION,
    Attempts,
)
from gui.sessions.crypto import Cost, SessionKey
from gui.sessions.manager import LOCAL, Actor
from tests.sessions.samples import CHEAP, PASSWORD
from tests.waiting import until

WRONG = "not the password at all"


class Clock:
    """Seconds, as the test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def tried(
    attempts: Attempts, session: str = "s", browser: str = "b", *, right: bool = False
) -> bool:
    """Whether the password was looked at."""
    try:
        with attempts.attempt(session, browser):
            if not right:
                raise WrongPassword("wrong")
    except PasswordDelay:
        return False
    except WrongPassword:
        assert not right
    return True


def test_after_some_wrong_passwords_a_browser_waits_longer_each_time(
    attempts: Attempts, clock: Clock
) -> None:
    waits = []
    for number in range(FREE_PER_BROWSER + 10):
        begun = clock.now
        while not tried(attempts, session=f"s{number}"):
            # nor is a right one looked at meanwhile
            assert not tried(attempts, session="yet another", right=True)
            clock.now += 0.5
        waits.append(clock.now - begun)
    assert waits[: FREE_PER_BROWSER + 1] == [0.0] * (FREE_PER_BROWSER + 1)
    rest = waits[FREE_PER_BROWSER + 1 :]
    assert rest == sorted(rest)
    assert rest[0] == 1.0
    assert rest[-1] == LONGEST_PER_BROWSER
    assert tried(attempts, browser="another")  # who else asks does not wait
    clock.now += LONGEST_PER_BROWSER
    assert tried(attempts, right=True)
    # the right one makes all well
    assert [tried(attempts) for _ in range(FREE_PER_BROWSER + 1)] == [True] * (FREE_PER_BROWSER + 1)


def test_a_session_that_many_browsers_try_waits_too(attempts: Attempts, clock: Clock) -> None:
    assert all(tried(attempts, browser=f"b{number}") for number in range(FREE_PER_SESSION + 1))
    assert not tried(attempts, browser="new", right=True)
    assert tried(attempts, session="other", browser="new")
    clock.now += LONGEST_PER_SESSION
    assert tried(attempts, browser="new", right=True)


def test_wrong_passwords_of_long_ago_are_forgotten_and_the_oldest_of_very_many_too(
    attempts: Attempts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(FREE_PER_BROWSER):
        tried(attempts)
    clock.now += module.FORGOTTEN + 1
    assert [tried(attempts) for _ in range(FREE_PER_BROWSER + 1)] == [True] * (FREE_PER_BROWSER + 1)
    monkeypatch.setattr(module, "MOST", 10)
    for number in range(100):
        tried(attempts, session=f"s{number}", browser=f"b{number}")
    assert len(attempts._failures) == 10


Managers = Callable[..., Any]


@pytest.fixture
def locked(make: Managers, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str]:
    monkeypatch.setitem(SessionKey.new.__func__.__kwdefaults__, "cost", CHEAP)  # type: ignore[attr-defined]
    manager = make()
    session = manager.create_session("Mine", actor=LOCAL)
    manager.protect_session(session.session_id, PASSWORD, actor=LOCAL)
    manager.lock_session(session.session_id, actor=LOCAL)
    return manager, session.session_id


@pytest.mark.parametrize("on", [True, False])
def test_many_attempts_of_one_browser_at_once_are_one(
    locked: tuple[Any, str], monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    """The first is worked on, the others are refused at once.

    The control: without the look at it all of them are worked on.
    """
    manager, key = locked
    working, go_on, refused = threading.Semaphore(0), threading.Event(), list[type]()
    if not on:
        monkeypatch.setattr(
            Attempts, "attempt", lambda self, session, browser: contextlib.nullcontext()
        )

    def slow(header: Any, password: str) -> SessionKey:
        working.release()
        go_on.wait(60)
        raise WrongPassword("wrong")

    monkeypatch.setattr(SessionKey, "unlock", slow)

    def attempt() -> None:
        try:
            manager.unlock_session(key, WRONG, actor=Actor(browser="a"))
        except (PasswordDelay, WrongPassword) as error:
            refused.append(type(error))

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for _ in range(1 if on else 40):
        assert working.acquire(timeout=60)
    if on:
        until(lambda: refused == [PasswordDelay] * 39)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert not working.acquire(blocking=False)
    assert refused.count(WrongPassword) == (1 if on else 40)


WAYS: dict[str, Callable[[Any, str, Actor], Any]] = {
    "unlock": lambda m, k, a: m.unlock_session(k, WRONG, actor=a),
    "change": lambda m, k, a: m.change_password(k, WRONG, PASSWORD, actor=a),
    "reencrypt": lambda m, k, a: m.reencrypt_session(k, WRONG, PASSWORD, actor=a),
    "remove": lambda m, k, a: m.remove_password(k, WRONG, actor=a),
    "import": lambda m, k, a: m.import_session(
        m._table.active[k].path, actor=a, as_copy=True, password=WRONG
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_every_way_of_trying_a_password_counts_and_none_of_them_logs_it(
    locked: tuple[Any, str], way: Callable[[Any, str, Actor], Any], caplog: pytest.LogCaptureFixture
) -> None:
    manager, key = locked
    me = Actor(browser="a")
    manager.unlock_session(key, PASSWORD, actor=me)
    for _ in range(FREE_PER_BROWSER + 1):
        with pytest.raises(WrongPassword):
            way(manager, key, me)
    with pytest.raises(PasswordDelay, match="Too many wrong passwords"):
        way(manager, key, me)
    assert f"wrong password number 6: session {key}, browser a" in caplog.text
    assert WRONG not in caplog.text
    assert PASSWORD not in caplog.text


@pytest.fixture
def derivations(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[threading.Semaphore, threading.Event]]:
    """Derivations that wait for the test: what each begins with, and what ends all."""
    import nacl.pwhash

    begun, go_on = threading.Semaphore(0), threading.Event()

    def kdf(size: int, *args: Any, **options: Any) -> bytes:
        begun.release()
        go_on.wait(60)
        return bytes(size)

    monkeypatch.setattr(nacl.pwhash.argon2id, "kdf", kdf)
    yield begun, go_on
    go_on.set()


@pytest.mark.parametrize("on", [True, False])
def test_one_key_is_derived_at_a_time(
    derivations: tuple[threading.Semaphore, threading.Event],
    monkeypatch: pytest.MonkeyPatch,
    on: bool,
) -> None:
    begun, go_on = derivations
    if not on:
        monkeypatch.setattr(crypto, "_one_at_a_time", contextlib.nullcontext())
    threads = [
        threading.Thread(target=SessionKey.new, args=(PASSWORD,), kwargs={"cost": CHEAP})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=60)
    assert begun.acquire(timeout=0.5 if on else 60) is not on
    go_on.set()
    for thread in threads:
        thread.join(60)


def test_no_key_is_derived_where_the_memory_for_it_is_not_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crypto, "available_memory", lambda: 100_000_000)
    with pytest.raises(ProgramBusy, match="not enough free memory"):
        SessionKey.new(PASSWORD, cost=Cost(passes=1, memory=50_000_000))
    # the control; and a system that does not tell
    monkeypatch.setattr(crypto, "available_memory", lambda: None)
    SessionKey.new(PASSWORD, cost=CHEAP)


def test_a_password_of_a_million_letters_is_wrong_without_being_looked_at(
    locked: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, key = locked

    def never(*args: Any) -> str:
        raise AssertionError("it was normalised")

    monkeypatch.setattr(crypto, "unicodedata", SimpleNamespace(normalize=never))
    with pytest.raises(WrongPassword):
        manager.unlock_session(key, "é" * 1_000_000, actor=Actor(browser="a"))
