"""Names of the plug-in interface that were replaced: a plug-in that uses them works, and is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gui import plugin
from gui.plugin import Context, Page


def context(**services: Any) -> Context:
    nothing = dict.fromkeys(("session", "actor", "program", "jobs", "notify", "notify_error"))
    return Context(**cast(Any, {**nothing, **services}))


def test_a_page_that_is_free_works_while_locked() -> None:
    with pytest.warns(DeprecationWarning, match="works_while_locked") as warned:
        page = Page("a", "A", "what it does", free=True)
    assert page.works_while_locked
    assert warned[0].filename == __file__, "the plug-in's line is named, not ours"
    assert Page("b", "B", "what it does", 50, (), True).works_while_locked, "also by position"
    assert not Page("c", "C", "what it does").works_while_locked


def test_a_part_for_later_is_deferred() -> None:
    page = Page("a", "A", "what it does")
    with pytest.warns(DeprecationWarning, match=r"Page\.deferred") as warned:

        @page.later
        def part(ctx: Context) -> str:
            return "heavy"

    assert page.deferred_functions == [part]
    assert warned[0].filename == __file__


def test_complaining_is_notifying_of_an_error() -> None:
    seen: list[Any] = []
    ctx = context(notify_error=lambda error, about=None: seen.append((str(error), about)))
    with pytest.warns(DeprecationWarning, match=r"Context\.notify_error") as warned:
        ctx.complain(ValueError("no"), "the file")
    assert seen == [("no", "the file")]
    assert warned[0].filename == __file__


def test_poking_is_requesting_a_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Any]] = []
    monkeypatch.setattr(plugin, "set_props", lambda name, props: seen.append((name, props)))
    ctx = context(session=SimpleNamespace())
    with pytest.warns(DeprecationWarning, match=r"Context\.request_refresh") as warned:
        ctx.poke("look")
    ctx.request_refresh("look")
    assert [name for name, _ in seen] == ["dcx-poke"] * 2
    assert all(props["data"].startswith("look ") for _, props in seen)
    assert warned[0].filename == __file__
