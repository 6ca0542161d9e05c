"""What a page sends to have a callback called, looked at before dash takes it: who is let in may
still send anything, and dash believes the form of it.

The values of properties are whatever JSON can say: those are for the callback itself, whose errors
become notices (:mod:`gui.shell.callbacks`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash
from flask import Flask, Response, request

ROUTE = "/_dash-update-component"
SESSION_ID = 100
"""Characters that the id of a session may have, with room for more than it has."""
REFUSED = "This is not what a page of this program sends. Load the page again."


class Malformed(ValueError):
    """Nothing that a page sends."""


def refuse_malformed(server: Flask, app: Dash) -> None:
    """Answer 400 to what no page of ``app`` can have sent, before dash sees it.

    Comes after :func:`gui.request_limits.limit_requests`.
    """

    @server.before_request
    def look() -> Response | None:
        if request.endpoint != ROUTE:
            return None
        try:
            check(request.get_json(), app.callback_map)
        except Malformed:
            return Response(REFUSED, 400)
        return None


def check(body: Any, callbacks: Mapping[str, Mapping[str, Any]]) -> None:
    """Malformed, if the body of a request names no callback, or not what that one takes. callbacks
    : dash's, by what their outputs are called
    """
    _check_text(body)
    output = body.get("output") if isinstance(body, dict) else None
    callback = callbacks.get(output) if isinstance(output, str) else None
    if callback is None:
        raise Malformed("no such callback")
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(name, str) for name in changed):
        raise Malformed("what changed is no list of names")
    _items(body.get("inputs"), callback["inputs"])
    _items(body.get("state", []), callback["state"])
    if not callback.get("no_output"):
        declared = callback["output"]
        several = isinstance(declared, (list, tuple))
        _items(
            body.get("outputs") if several else [body.get("outputs")],
            [_spec(one) for one in (declared if several else [declared])],
        )


def _check_text(body: Any) -> None:
    """Malformed, if it holds text that is none (half of a pair of UTF-16: nothing can write it down
    again).
    """
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeError:
                raise Malformed("no text") from None


def _spec(output: Any) -> dict[str, str]:
    return {
        "id": output.component_id_str(),
        "property": output.component_property.partition("@")[0],
    }


def _items(given: Any, wanted: Sequence[Mapping[str, str]]) -> None:
    if not isinstance(given, list) or len(given) != len(wanted):
        raise Malformed("other properties than the callback's")
    for item, spec in zip(given, wanted, strict=True):
        pattern = json.loads(spec["id"]) if spec["id"].startswith("{") else None
        if pattern is None:
            _item(item, spec, item.get("id") == spec["id"] if isinstance(item, dict) else False)
            continue
        for one in item if isinstance(item, list) else [item]:
            _item(one, spec, isinstance(one, dict) and _matches(one.get("id"), pattern))
        if spec["id"].count('["ALL"]') and not isinstance(item, list):
            raise Malformed("one instead of all")


def _item(item: Any, spec: Mapping[str, str], same: bool) -> None:
    """One property of a component: that of the callback, with any value."""
    if (
        not same
        or not isinstance(item.get("property"), str)
        or item["property"].partition("@")[0] != spec["property"]
    ):
        raise Malformed("another property than the callback's")
    session = item.get("value")
    if (
        spec["id"] == "dcx-session"
        and session is not None
        and not (isinstance(session, str) and len(session) <= SESSION_ID)
    ):
        raise Malformed("no id of a session")


def _matches(given: Any, pattern: Mapping[str, Any]) -> bool:
    """Whether an id is one of those that a pattern means: {"page": "dcx", "part": "go", "index":
    ["ALL"]}, with anything simple as index.
    """
    if not isinstance(given, dict) or given.keys() != pattern.keys():
        return False
    return all(
        isinstance(given[key], (str, int, float))
        if isinstance(value, list)
        else given[key] == value
        for key, value in pattern.items()
    )
