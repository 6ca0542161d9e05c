"""Files that the Finder asks to open.

There is no macOS here: delegate and PyObjC are stand-ins that do what the documentation says.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop.apple_events import SELECTOR, SIGNATURE, SUCCESS, Opened, listen


class Delegate:
    """As pywebview's AppDelegate."""


class ObjC:
    """As far as PyObjC is used: a selector is a function with a name, and a class gets it as a
    method.
    """

    @staticmethod
    def selector(function: Any, *, selector: bytes, signature: bytes) -> Any:
        return SimpleNamespace(function=function, selector=selector, signature=signature)

    @staticmethod
    def classAddMethods(delegate: type, methods: list[Any]) -> None:
        for method in methods:
            assert (method.selector, method.signature) == (SELECTOR, SIGNATURE)
            setattr(delegate, method.selector.decode().replace(":", "_"), method.function)


class Application:
    def __init__(self) -> None:
        self.replies: list[int] = []

    def replyToOpenOrPrint_(self, reply: int) -> None:
        self.replies.append(reply)


def test_files_that_come_before_the_application_wait_for_it_and_later_ones_go_on() -> None:
    opened, application = Opened(), Application()
    delegate: Any = type("OneDelegate", (Delegate,), {})
    assert listen(opened, delegate, ObjC)
    delegate().application_openFiles_(
        application, ["/Users/anna/Mein Projekt.dcxsession", "/tmp/b.csv"]
    )
    taken: list[Path] = []
    later = threading.Event()

    def take(paths: list[Path]) -> None:
        taken.extend(paths)
        if len(taken) == 3:
            later.set()

    opened.ready(take)
    assert taken == [Path("/Users/anna/Mein Projekt.dcxsession"), Path("/tmp/b.csv")]
    delegate().application_openFiles_(application, ["/tmp/c.h5ad"])
    assert later.wait(30)
    assert taken[-1] == Path("/tmp/c.h5ad")
    assert application.replies == [SUCCESS] * 2


def test_the_finder_gets_its_answer_even_if_the_files_cannot_be_taken() -> None:
    delegate: Any = type("OtherDelegate", (Delegate,), {})
    broken: Any = SimpleNamespace(open=lambda paths: 1 / 0)
    listen(broken, delegate, ObjC)
    application = Application()
    delegate().application_openFiles_(application, ["/tmp/c.h5ad"])
    assert application.replies == [SUCCESS]


@pytest.mark.skipif(sys.platform == "darwin", reason="there the real delegate is used")
def test_on_other_systems_there_is_nothing_to_listen_to() -> None:
    assert not listen(Opened())
