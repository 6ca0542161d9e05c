"""What a session keeps of the controls of a page comes from its file, which may hold anything: what
a control cannot show is left out.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from dash import Input

from gui.components.composition import CompositionView
from gui.components.persistent_controls import PersistentControls
from gui.plugin import Page

COMPONENT = {"props": {"children": "x"}, "type": "A", "namespace": "dash_html_components"}
ODD: tuple[Any, ...] = (COMPONENT, {}, [COMPONENT], [1], b"x", object())


def context(form: dict[str, Any]) -> Any:
    return SimpleNamespace(session=SimpleNamespace(form=lambda key: dict(form)))


@pytest.mark.parametrize(
    "odd", ODD, ids=["component", "dict", "list of components", "list", "bytes", "object"]
)
@pytest.mark.parametrize("begin", ["figure", 10, True, []], ids=repr)
def test_a_control_begins_as_usual_where_it_cannot_show_what_is_kept(begin: Any, odd: Any) -> None:
    kept = PersistentControls(Page("odd", "Odd", "x"), look=begin)
    assert kept.value(context({"shown_look": odd}), "look") == begin


@pytest.mark.parametrize("left", ["table", 7, "", False, ["G1"]], ids=repr)
def test_control_what_it_can_show_comes_back(left: Any) -> None:
    begin = type(left)()
    assert (
        PersistentControls(Page("odd", "Odd", "x"), look=begin).value(
            context({"shown_look": left}), "look"
        )
        == left
    )


def test_the_controls_of_a_composition_likewise() -> None:
    page = Page("odd", "Odd", "x")
    view = CompositionView(
        page,
        lambda ctx, part: None,
        active=(Input("tabs", "value"), "here"),
        parts={"bulk": "Bulk"},
    )
    good = {"part": "bulk", "sort": "order:name", "shares": False}
    assert (
        view._kept(context({f"composition_{name}": value for name, value in good.items()})) == good
    )
    for odd in ODD:
        assert (
            view._kept(
                context(
                    {
                        f"composition_{name}": odd
                        for name in ("part", "sort", "group", "shares", "view_bulk")
                    }
                )
            )
            == {}
        )
    assert view._kept(context({"composition_shares": "yes", "composition_part": True})) == {}
