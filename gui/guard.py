"""Who may talk to the server, and what the page may load.

One-time token in the first address -> cookie (HttpOnly, SameSite=Strict, under https also Secure). Refused: no cookie 403, used token 403, foreign
Host 421 (DNS rebinding), foreign or missing Origin on POST 403, a peer that is neither this computer nor the trusted proxy 403. Uploads and downloads go
by cookie and Origin like all else. Only the paths in :attr:`Guard.by_bearer`, which no browser asks for, go by a bearer token instead: no cookie, no Origin.
Strict Content-Security-Policy. Every browser that a token lets in gets a cookie of its own: :func:`browser_id` tells browsers apart.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, g, has_request_context, redirect, request
from werkzeug.http import parse_cookie

from gui.serving import Server

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
PAGE = "<!doctype html><meta charset=utf-8><title>DeconomiX</title><p style='font:16px system-ui;margin:4em auto;max-width:34em'>{}</p>"
CLOSED = "This address is not open to you. Start DeconomiX again, or open the address that it prints when it starts: it can be used once."


ENTER = "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content='0;url=/'><title>DeconomiX</title>"
"""Goes on to the application by itself, as a page of its own."""
UPLOAD = "/_dcx/upload"
HANDOVER = "/_dcx/handover"
"""Where another start of the program, which has no cookie, hands its files over."""
STRANGER = 64_000
"""Bytes that a request may carry from whom was not let in: it is refused, but the server has to take it first."""
TOO_LARGE = "The request is larger than {} MB, the most that may be sent here (request_limit_mb in the configuration)."


def browser_id() -> str:
    """Which browser asks, as an opaque text; "" outside of a request."""
    return str(g.get("dcx_browser", "")) if has_request_context() else ""


class Guard:
    """Token, cookie, Host, Origin and policy of one running application."""

    def __init__(self, settings: Server | None = None) -> None:
        self._settings = settings or Server()
        public = urlsplit(self._settings.origin)
        self._public = public.netloc
        """Host under which the proxy asks; "" without one."""
        self._secure = public.scheme == "https"
        self.bearer = secrets.token_urlsafe(32)
        self.by_bearer = {HANDOVER}
        """Paths for a POST with ``Authorization: Bearer <bearer>`` from this computer; a cookie does not open them."""
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

    @property
    def unused(self) -> int:
        """Tokens that nobody has used yet."""
        return len(self._tokens)

    def body_limit(self, path: str, headers: Mapping[str, str]) -> int:
        """Bytes that the body of a request may have. headers : with keys like COOKIE, as they arrived; asked before the body is received."""
        cookie = parse_cookie(headers.get("COOKIE", "")).get(self._cookie_name, "")
        if path in self.by_bearer or not cookie or _digest(cookie) not in self._browsers:
            return STRANGER
        return 1_000_000 * (self._settings.upload_limit_mb if path == UPLOAD else self._settings.request_limit_mb)

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
        public = self._from_public()
        if public is None:
            return Response(PAGE.format("This address is not served here."), 421)
        if not self._peer_is_known():
            return Response(PAGE.format(CLOSED), 403)
        if request.path in self.by_bearer:
            return self._bearer_refusal(public)
        token = request.args.get("t")
        if token is not None and request.path == "/" and request.method == "GET":
            with self._lock:
                known = token in self._tokens
                self._tokens.discard(token)
            if known:
                # Coming from another site (a link in a message), the redirected request would still count as that site's, and carry no Strict cookie.
                from_elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
                answer = Response(ENTER, 200) if from_elsewhere else redirect("/", 303)
                if not self._known():  # a browser that was let in before stays who it is
                    answer.set_cookie(self._cookie_name, self._new_browser(), httponly=True, samesite="Strict", secure=public and self._secure)
                return answer  # type: ignore[return-value]
        if not self._known():
            return Response(PAGE.format(CLOSED), 403)
        own = self._settings.origin if public else f"http://{request.host}"
        if request.method not in ("GET", "HEAD", "OPTIONS") and request.headers.get("Origin") != own:
            return Response("The request does not come from this program.", 403)
        if request.content_length is not None and request.content_length > self.body_limit(request.path, {"COOKIE": request.headers.get("Cookie", "")}):
            megabytes = self._settings.upload_limit_mb if request.path == UPLOAD else self._settings.request_limit_mb
            return Response(TOO_LARGE.format(megabytes), 413)
        return None

    def _from_public(self) -> bool | None:
        """Whether the request is for the public address (False: for this computer's own); None: for another, or not from where that one is asked for."""
        if self._public and request.host.lower() == self._public:
            return True
        try:
            ours = urlsplit(f"//{request.host}").hostname in LOOPBACK
        except ValueError:
            return None
        return False if ours and _is_loopback(request.remote_addr) else None

    def _peer_is_known(self) -> bool:
        return _is_loopback(request.remote_addr) or bool(self._settings.trusted_proxy and request.remote_addr == self._settings.trusted_proxy)

    def _bearer_refusal(self, public: bool) -> Response | None:
        given = request.headers.get("Authorization", "").encode()
        if public or request.method != "POST" or not hmac.compare_digest(given, f"Bearer {self.bearer}".encode()):
            return Response("The request does not come from this program.", 403)
        return None

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


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


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
