"""Which browser sent the request that is being answered; the guard knows, the parts without Flask
ask here.
"""

from __future__ import annotations

from contextvars import ContextVar

_browser: ContextVar[str | None] = ContextVar("browser", default=None)


def set_browser(browser: str | None) -> None:
    """Of the request that this thread answers from now on; None when it is answered."""
    _browser.set(browser)


def browser_id() -> str:
    """Which browser asks, as an opaque text; "" outside of a request and before it is let in."""
    return _browser.get() or ""


def in_request() -> bool:
    """Whether this is done for a browser that waits for it."""
    return _browser.get() is not None
