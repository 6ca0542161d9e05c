"""Who may talk to the server, and what the page may load.

One-time token in the first address -> cookie (HttpOnly, SameSite=Strict, under https also Secure)
and key. Refused: no cookie 403, no key 403, used or old token 403, foreign Host 421 (DNS
rebinding), foreign or missing Origin on POST 403, a peer that is neither this computer nor the
trusted proxy 403.

A browser sends a cookie to every port of a computer, so any other server there gets it. It is
therefore worth nothing alone: it opens the empty page, its scripts and pictures
(:data:`BY_COOKIE`). All else needs the key too, which the page keeps in the storage of its origin
(scheme, name and port) and sends as a header with each request (``resources/assets/access.js``). A
download is a link that only such a request can have got, and works once.

Only the paths in :attr:`Guard.by_bearer`, which no browser asks for, go by a bearer token instead:
no cookie, no key, no Origin.
Strict Content-Security-Policy. Every browser that a token lets in gets a cookie of its own:
:func:`browser_id` tells browsers apart.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, has_request_context, redirect, request

from gui.caller import browser_id, set_browser
from gui.clock import elapsed
from gui.server_settings import Server

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
PAGE = (
    "<!doctype html><meta charset=utf-8><title>DeconomiX</title><p style='font:16px"
    " system-ui;margin:4em auto;max-width:34em'>{}</p>"
)
CLOSED = (
    "This address is not open to you. Start DeconomiX again, or open the address that it prints"
    " when it starts: it can be used once."
)
SIGNED_OUT_WORDS = "This browser is not signed in to DeconomiX. To get in again, {}."
LOCAL_WAY_IN = (
    "start DeconomiX again, or, if you started it with “deconomix-gui serve”, open the new address"
    " that it prints"
)
PUBLIC_WAY_IN = "ask whoever runs this server for a new sign-in link"
ENTER = (
    '<!doctype html><html lang=en><meta charset=utf-8><title>DeconomiX</title><meta name="dcx-key"'
    " content=\"{}\"><body style='font:16px system-ui'><noscript>DeconomiX needs JavaScript. Allow"
    " it for this address, then open a new sign-in address.</noscript><script"
    ' src="/assets/access.js"></script>'
)
"""Puts the key where only pages of this origin can read it, and goes on to the application as a
page of its own: coming from another site (a link in a message), a redirected request would still
count as that site's, and carry no Strict cookie.
"""
KEY_HEADER = "X-Dcx-Key"
SIGNED_OUT_HEADER = "X-Dcx-Signed-Out"
"""In an answer: the page is to leave, nothing works in it any more."""
GESTURE_HEADER = "X-Dcx-Gesture"
"""In a request: seconds since a person last did something on the page, sent once for each time."""
BY_COOKIE = (
    "/",
    "/<path:path>",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
    "/_favicon.ico",
    "_dash_assets.static",
    "download",
)
"""Endpoints of what a browser asks for by itself, without the page's scripts, for GET.

Nothing of a user's is in them, but in a download.
"""
SIGN_OUT = "/_dcx/sign-out"
SIGNED_OUT = "/_dcx/signed-out"
LINK_AGE = 24 * 3600.0
"""Seconds after which a sign-in address that nobody opened opens nothing any more."""
BROWSER_AGE = 30 * 24 * 3600.0
"""Seconds without a request after which a browser is signed out."""
UPLOAD = "/_dcx/upload"
HANDOVER = "/_dcx/handover"
"""Where another start of the program, which has no cookie, hands its files over."""
STRANGER = 64_000
"""Bytes that a request may carry from whom was not let in: it is refused, but the server has to
take it first.
"""
TOO_LARGE = (
    "The request is larger than {} MB, the most that may be sent here (request_limit_mb in the"
    " configuration)."
)


def gesture_age() -> float | None:
    """Seconds since a person last did something on the page, if the page says so with this request;
    None otherwise.
    """
    try:
        age = float(request.headers.get(GESTURE_HEADER, "")) if has_request_context() else math.nan
    except ValueError:
        return None
    return age if math.isfinite(age) and age >= 0 else None


class Guard:
    """Token, cookie, key, Host, Origin and policy of one running application."""

    def __init__(self, settings: Server | None = None) -> None:
        self._settings = settings or Server()
        public = urlsplit(self._settings.origin)
        self._public = public.netloc
        """Host under which the proxy asks; "" without one."""
        self._secure = public.scheme == "https"
        self.bearer = secrets.token_urlsafe(32)
        self.by_bearer = {HANDOVER}
        """Paths for a POST with ``Authorization: Bearer <bearer>`` from this computer only."""
        # cookies ignore ports: two running programs must not overwrite each other's
        self._cookie_name = f"dcx_{secrets.token_hex(4)}"
        self._browsers: dict[str, str] = {}
        """SHA-256 of a cookie -> the browser's id: the cookies themselves are not kept."""
        self._seen: dict[str, float] = {}
        """A browser's id -> when it last asked (:func:`gui.clock.elapsed`)."""
        self._key_secret = secrets.token_bytes(32)
        self._tokens: dict[str, float] = {}
        """Tokens that nobody has used yet -> when they were issued."""
        self._lock = threading.Lock()

    def issue(self) -> str:
        """A token that opens the application once, within LINK_AGE seconds."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = elapsed()
        return token

    @property
    def unused(self) -> int:
        """Tokens that nobody has used yet, and that still open the application."""
        with self._lock:
            self._tokens = {
                token: issued
                for token, issued in self._tokens.items()
                if elapsed() - issued <= LINK_AGE
            }
            return len(self._tokens)

    @property
    def signed_in(self) -> int:
        """Browsers that are let in."""
        with self._lock:
            return sum(elapsed() - seen <= BROWSER_AGE for seen in self._seen.values())

    def sign_out(self, browser: str) -> None:
        """End a browser's access: its cookie and its key open nothing any more."""
        with self._lock:
            self._browsers = {
                digest: other for digest, other in self._browsers.items() if other != browser
            }
            self._seen.pop(browser, None)

    def body_limit(self, path: str, headers: Mapping[str, str]) -> int:
        """Bytes that the body of a request may have. headers : with keys like COOKIE, as they
        arrived; asked before the body is received.
        """
        browser = self._browser_of(headers.get("COOKIE", ""))
        if (
            path in self.by_bearer
            or not browser
            or not self._is_key(headers.get(KEY_HEADER.upper().replace("-", "_"), ""), browser)
        ):
            return STRANGER
        return 1_000_000 * self._limit_mb(path)

    def _limit_mb(self, path: str) -> int:
        return self._settings.upload_limit_mb if path == UPLOAD else self._settings.request_limit_mb

    def protect(self, server: Flask, script_hashes: Callable[[], Sequence[str]]) -> None:
        """Put the guard before every route of ``server``; ``script_hashes`` are those of dash's
        inline scripts.
        """
        policy: list[str] = []

        @server.before_request
        def check() -> Response | None:
            set_browser("")
            return self._refusal()

        @server.teardown_request
        def answered(_error: BaseException | None) -> None:
            set_browser(None)

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
        if request.path == SIGNED_OUT:
            return Response(
                PAGE.format(SIGNED_OUT_WORDS.format(PUBLIC_WAY_IN if public else LOCAL_WAY_IN)), 200
            )
        token = request.args.get("t")
        if (
            token is not None
            and request.path == "/"
            and request.method == "GET"
            and (answer := self._sign_in(token, public=public)) is not None
        ):
            return answer
        if not self._known() or not (self._asked_by_cookie() or self._has_key()):
            return Response(PAGE.format(CLOSED), 403, {SIGNED_OUT_HEADER: "yes"})
        own = self._settings.origin if public else f"http://{request.host}"
        if (
            request.method not in ("GET", "HEAD", "OPTIONS")
            and request.headers.get("Origin") != own
        ):
            return Response("The request does not come from this program.", 403)
        megabytes = self._limit_mb(request.path)
        if request.content_length is not None and request.content_length > 1_000_000 * megabytes:
            return Response(TOO_LARGE.format(megabytes), 413)
        return None

    def _from_public(self) -> bool | None:
        """Whether the request is for the public address (False: for this computer's own); None: for
        another, or not from where that one is asked for.
        """
        if self._public and request.host.lower() == self._public:
            return True
        try:
            ours = urlsplit(f"//{request.host}").hostname in LOOPBACK
        except ValueError:
            return None
        return False if ours and _is_loopback(request.remote_addr) else None

    def _peer_is_known(self) -> bool:
        return _is_loopback(request.remote_addr) or bool(
            self._settings.trusted_proxy and request.remote_addr == self._settings.trusted_proxy
        )

    def _bearer_refusal(self, public: bool) -> Response | None:
        given = request.headers.get("Authorization", "").encode()
        if (
            public
            or request.method != "POST"
            or not hmac.compare_digest(given, f"Bearer {self.bearer}".encode())
        ):
            return Response("The request does not come from this program.", 403)
        return None

    def _sign_in(self, token: str, *, public: bool) -> Response | None:
        """Let the browser in, if this is a token that still opens the application."""
        if not public and (literal := self._literal_address()):
            # The name means two addresses, and another user may serve at the one that is not ours:
            # no key for that origin. The token is not used up.
            return redirect(f"{literal}/?t={token}", 303) if self._opens(token) else None  # type: ignore[return-value]
        # a browser that was let in before stays who it is
        cookie = "" if self._known() else secrets.token_urlsafe(32)
        with self._lock:
            if elapsed() - self._tokens.pop(token, -math.inf) > LINK_AGE:
                return None
            if cookie:
                browser = self._browsers[_digest(cookie)] = secrets.token_hex(8)
                self._seen[browser] = elapsed()
                set_browser(browser)
        answer = Response(ENTER.format(self._key(browser_id())))
        if cookie:
            answer.set_cookie(
                self._cookie_name,
                cookie,
                httponly=True,
                samesite="Strict",
                secure=public and self._secure,
            )
        return answer

    def _opens(self, token: str) -> bool:
        with self._lock:
            return elapsed() - self._tokens.get(token, -math.inf) <= LINK_AGE

    def _literal_address(self) -> str:
        """The origin to use instead of http://localhost; "" if that is not what was asked for."""
        asked, host = urlsplit(f"//{request.host}"), ipaddress.ip_address(self._settings.host)
        if asked.hostname != "localhost" or not (host.is_loopback or host.is_unspecified):
            return ""
        literal = (
            "127.0.0.1" if host.is_unspecified else f"[{host}]" if host.version == 6 else str(host)
        )
        return f"http://{literal}{'' if asked.port is None else f':{asked.port}'}"

    def _known(self) -> bool:
        """Whether the request's browser was let in; remembers which it is for
        :func:`browser_id`.
        """
        sent = request.environ.get("HTTP_COOKIE", "")
        set_browser(self._browser_of(sent))
        try:
            sent.encode("latin-1").decode()
        except UnicodeError:  # another program's, which nothing after us can read
            request.environ["HTTP_COOKIE"] = ""
        return bool(browser_id())

    def _browser_of(self, cookies: str) -> str:
        """The id of the browser that sends this Cookie header; "" if it is not let in.

        Any text will do: other programs' cookies are among them.
        """
        for cookie in cookies.split(";"):
            name, _, value = cookie.strip().partition("=")
            if name == self._cookie_name and (browser := self._browsers.get(_digest(value))):
                now = elapsed()
                with self._lock:
                    if now - self._seen.get(browser, -math.inf) > BROWSER_AGE:
                        continue
                    self._seen[browser] = now
                return browser
        return ""

    @staticmethod
    def _asked_by_cookie() -> bool:
        return request.method in ("GET", "HEAD") and request.endpoint in BY_COOKIE

    def _has_key(self) -> bool:
        return self._is_key(request.headers.get(KEY_HEADER, ""), browser_id())

    def _is_key(self, given: str, browser: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._key(browser).encode())

    def _key(self, browser: str) -> str:
        """What a browser's page sends beside its cookie: always the same, so that every tab has the
        right one.
        """
        return hmac.new(self._key_secret, browser.encode(), "sha256").hexdigest()


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _digest(cookie: str) -> str:
    """Found by its digest: how long that takes tells nothing of the cookie."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()


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
