"""Who may talk to the server, and what the page may load.

One-time token in the first address -> cookie (HttpOnly, SameSite=Strict). Refused: no cookie 403, used token 403, foreign Host 421
(DNS rebinding), foreign or missing Origin on POST 403; ``/_dcx/`` routes also need a bearer token, but for a download: a link sends no
header, so it carries a token of its own. Strict Content-Security-Policy. Every browser that a token lets in gets a cookie of its own:
:func:`browser_id` tells browsers apart.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, g, has_request_context, redirect, request

HANDOVER = "/_dcx/handover"
"""Asked by another start of the program, which has no cookie: only with the bearer token."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
PAGE = "<!doctype html><meta charset=utf-8><title>DeconomiX</title><p style='font:16px system-ui;margin:4em auto;max-width:34em'>{}</p>"
CLOSED = "This address is not open to you. Start DeconomiX again, or open the address that it prints when it starts: it can be used once."


def browser_id() -> str:
    """Which browser asks, as an opaque text; "" outside of a request."""
    return str(g.get("dcx_browser", "")) if has_request_context() else ""


class Guard:
    """Token, cookie, Host, Origin and policy of one running application."""

    def __init__(self) -> None:
        self.bearer = secrets.token_urlsafe(32)
        self._cookie_name = f"dcx_{secrets.token_hex(4)}"  # cookies ignore ports: two running programs must not overwrite each other's
        self._browsers: dict[str, str] = {}
        """SHA-256 of a cookie -> the browser's id: the cookies themselves are not kept."""
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    def issue(self) -> str:
        """A token that opens the application once."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens.add(token)
        return token

    def protect(self, server: Flask, script_hashes: Callable[[], Sequence[str]]) -> None:
        """Put the guard before every route of ``server``; ``script_hashes`` are those of dash's inline scripts."""
        policy: list[str] = []

        @server.before_request
        def check() -> Response | None:
            return self._refusal()

        @server.after_request
        def headers(response: Response) -> Response:
            if not policy:
                policy.append(content_security_policy(script_hashes()))
            response.headers["Content-Security-Policy"] = policy[0]
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
            response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
            if not request.path.startswith(("/_dash-component-suites", "/assets")):
                response.headers["Cache-Control"] = "no-store"
            return response

    def _refusal(self) -> Response | None:
        """A response that ends the request, or None to let it through."""
        if urlsplit(f"//{request.host}").hostname not in LOOPBACK:
            return Response(PAGE.format("This address is not served here."), 421)
        token = request.args.get("t")
        if token is not None and request.path == "/" and request.method == "GET":
            with self._lock:
                known = token in self._tokens
                self._tokens.discard(token)
            if known:
                answer = redirect("/", 303)
                if not self._known():  # a browser that was let in before stays who it is
                    answer.set_cookie(self._cookie_name, self._new_browser(), httponly=True, samesite="Strict")
                return answer  # type: ignore[return-value]
        if request.path == HANDOVER and self._has_bearer():
            return None
        if not self._known():
            return Response(PAGE.format(CLOSED), 403)
        if request.method not in ("GET", "HEAD", "OPTIONS") and request.headers.get("Origin") != f"{request.scheme}://{request.host}":
            return Response("The request does not come from this program.", 403)
        if request.path.startswith("/_dcx/download/") and request.method == "GET":
            return None
        if request.path.startswith("/_dcx/") and not self._has_bearer():
            return Response("The request does not come from this program.", 403)
        return None

    def _has_bearer(self) -> bool:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {self.bearer}".encode())

    def _new_browser(self) -> str:
        """A cookie for a browser that was not let in before."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._browsers[_digest(cookie)] = secrets.token_hex(8)
        return cookie

    def _known(self) -> bool:
        """Whether the request's browser was let in; remembers which it is for :func:`browser_id`."""
        cookie = request.cookies.get(self._cookie_name, "")
        g.dcx_browser = self._browsers.get(_digest(cookie), "") if cookie else ""
        return bool(g.dcx_browser)


def _digest(cookie: str) -> str:
    """Found by its digest: how long that takes tells nothing of the cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def content_security_policy(hashes: Sequence[str]) -> str:
    """Only this server's own scripts, styles and pictures; no evaluation, no frames, no forms."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' " + " ".join(sorted(set(hashes))),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
        )
    )
