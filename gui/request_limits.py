"""How large a request may be once it has arrived: bytes, elements and depth of its JSON, and the
length of every text in it.

A parser makes 30 bytes of memory out of one byte of JSON. So what is too large is found by
counting, before anything is parsed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Response, g, request

from gui.errors import ProgramBusy, TextTooLong
from gui.guard import UPLOAD
from gui.long_calls import Admission

MAX_TEXT = 20_000
"""Characters of any text that a user sends: a name, notes, a path, a filter, a question to the
guide.
"""
MAX_JSON = 4_000_000
"""Bytes of a request without the pictures in it."""
MAX_ELEMENTS = 200_000
"""Lists, objects and what is in them."""
MAX_QUOTES = 500_000
MAX_DEPTH = 100
PICTURE = "data:image/"
"""A text that begins like this is a figure on its way to be saved: it may be as large as the
request.
"""

TOO_LARGE = f"This request holds more than {MAX_JSON // 1_000_000} MB, which only a figure may."
TOO_MANY = "This request holds too many values, or values nested too deeply."


def problem(body: bytes) -> str | None:
    """Why this body of JSON is refused, as a sentence; None if it may be parsed.

    Takes time and memory in proportion to its length at most.
    """
    if b"\0" in body:  # UTF-16, which parsers accept too and this would not read aright
        return "This request is not UTF-8."
    size = elements = quotes = depth = at = 0
    while at < len(body):
        quote = body.find(b'"', at)
        end = quote if quote >= 0 else len(body)
        size += end - at
        elements += sum(body.count(sign, at, end) for sign in (b"[", b"{", b","))
        if size > MAX_JSON:
            return TOO_LARGE
        if elements > MAX_ELEMENTS:
            return TOO_MANY
        for sign in body[at:end]:
            if sign in b"[{":
                depth += 1
                if depth > MAX_DEPTH:
                    return TOO_MANY
            elif sign in b"]}":
                depth -= 1
        if quote < 0:
            break
        start = at = quote + 1
        while True:
            quotes += 1
            if quotes > MAX_QUOTES:
                return TOO_MANY
            end = body.find(b'"', at)
            part = body[at : end if end >= 0 else len(body)]
            at += len(part) + 1
            if end < 0 or (len(part) - len(part.rstrip(b"\\"))) % 2 == 0:
                break
        if not body.startswith(PICTURE.encode(), start):
            size += at - start
            if size > MAX_JSON:
                return TOO_LARGE
    return None


def check_texts(values: Iterable[Any], *, picture: bool = False) -> None:
    """TextTooLong if a text among these values, or in lists and objects in them, is longer than
    MAX_TEXT. picture : but for pictures
    """
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if len(value) > MAX_TEXT and not (picture and value.startswith(PICTURE)):
                raise TextTooLong(
                    f"A text may have {MAX_TEXT:,} characters at most; this one has {len(value):,}."
                )
        elif isinstance(value, Mapping):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value


def limit_requests(server: Flask, admission: Admission) -> None:
    """Refuse what is too large before it is parsed; bodies that only a figure may have are worked
    on one at a time.

    Comes after the guard.
    """
    figures = threading.Lock()

    @server.before_request
    def check() -> Response | None:
        length = request.content_length
        if not length or request.path == UPLOAD:
            return None
        if length > MAX_JSON:
            held = g.dcx_large = contextlib.ExitStack()
            try:
                held.enter_context(admission())
            except ProgramBusy as error:
                return Response(f"{error} Try again in a moment.", 503, {"Retry-After": "5"})
            held.enter_context(figures)
        found = problem(request.get_data())
        return None if found is None else Response(found, 413)

    @server.teardown_request
    def release(error: BaseException | None) -> None:
        held = g.pop("dcx_large", None)
        if held is not None:
            held.close()
