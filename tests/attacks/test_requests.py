"""Requests that others forge: rebinding, cross-site, tokens, forwarded headers, paths.

Each with the defence off, where the attack must work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import request

from gui.clock import elapsed
from gui.guard import HANDOVER, KEY_HEADER, SIGN_OUT, Guard
from gui.server_settings import Server

CALLBACK = "/_dash-update-component"
PUBLIC = Server(
    allow_remote=True, public_url="https://deconomix.example.org", trusted_proxy="127.0.0.1"
)


def test_dns_rebinding(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of evil.example, whose name now leads to 127.0.0.1, asks with everything right but the
    Host.
    """

    def attack() -> int:
        host = f"evil.example:{program.server.port}"
        return int(
            program.as_user(
                "POST", "/_dcx/upload?name=x.csv", b"x", Host=host, Origin=f"http://{host}"
            ).status
        )

    assert attack() == 421
    monkeypatch.setattr(Guard, "_from_public", lambda self: False)
    assert attack() == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1", ""]
)
def test_cross_site_post(program: Any, origin: str | None) -> None:
    headers = {
        "Cookie": program.cookie,
        KEY_HEADER: program.key,
        **({} if origin is None else {"Origin": origin}),
    }
    assert program.ask("POST", "/_dcx/upload?name=x.csv", b"x", headers=headers).status == 403
    assert not program.application.uploads._uploads
    # as the page itself does
    assert program.as_user("POST", "/_dcx/upload?name=x.csv", b"x").status == 200


def test_cross_site_post_works_where_the_origin_is_not_asked_for(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Guard._refusal
    monkeypatch.setattr(
        Guard,
        "_refusal",
        lambda self: (
            None if (found := refusal(self)) is not None and b"come from" in found.data else found
        ),
    )
    assert (
        program.as_user(
            "POST", "/_dcx/upload?name=x.csv", b"x", Origin="http://evil.example"
        ).status
        == 200
    )


def test_cross_site_get_reads_nothing(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser sends no cookie with it (SameSite=Strict), shares no answer (no CORS) and embeds
    none (CORP, frame-ancestors).
    """
    assert (
        program.ask("GET", "/_dash-layout", headers={"Origin": "http://evil.example"}).status == 403
    )
    answer = program.as_user("GET", "/_dash-layout", Origin="http://evil.example")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    preflight = program.ask(
        "OPTIONS",
        CALLBACK,
        headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status == 403
    monkeypatch.setattr(Guard, "_refusal", lambda self: None)
    assert program.ask("GET", "/_dash-layout").status == 200


class Kept(dict[str, float]):
    """Tokens of a guard that does not use them up."""

    def pop(self, token: str, default: float) -> float:  # type: ignore[override]
        return self.get(token, default)


class Whatever(dict[str, float]):
    """Tokens of a guard that believes whatever looks like one."""

    def pop(self, token: str, default: float) -> float:  # type: ignore[override]
        return elapsed()


def start_path(program: Any) -> str:
    return str(program.application.start_url(program.origin)[len(program.origin) :])


def test_tokens_missing_reused_or_of_another_program(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, foreign = start_path(program), f"/?t={Guard().issue()}"
    assert program.ask("GET", "/").status == 403
    assert program.ask("GET", "/?t=").status == 403
    assert program.ask("GET", foreign).status == 403
    # a preview of the link neither opens nor uses it up
    assert program.ask("HEAD", address).status == 403
    assert program.ask("POST", address, b"", headers={"Origin": program.origin}).status == 403
    assert program.ask("GET", f"/_dash-layout{address[1:]}").status == 403
    assert program.ask("GET", address).status == 200  # the token itself is right
    assert program.ask("GET", address).status == 403
    monkeypatch.setattr(program.application.guard, "_tokens", Kept())
    address = start_path(program)
    # a guard that does not use tokens up
    assert [program.ask("GET", address).status for _ in range(3)] == [200] * 3
    monkeypatch.setattr(program.application.guard, "_tokens", Whatever())
    assert program.ask("GET", foreign).status == 200  # one that does not look which token it is


def test_one_token_asked_for_by_many_at_once_opens_once(program: Any) -> None:
    address, ready, found = start_path(program), threading.Barrier(20), list[int]()

    def ask() -> None:
        ready.wait(60)
        found.append(program.ask("GET", address).status)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [200] + [403] * 19


def test_cookies_guessed_or_of_another_program(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = program.cookie.partition("=")[0]
    wrong = (
        f"{name}=",
        f"{name}=x",
        program.cookie[:-1],
        program.cookie.replace(name, "dcx_00000000"),
        program.cookie.upper(),
        f"{name}=..%2f..%2fx",
    )
    for cookie in wrong:
        assert program.ask("GET", "/", headers={"Cookie": cookie}).status == 403
    assert program.ask("GET", "/", headers={"Cookie": program.cookie}).status == 200
    monkeypatch.setattr(Guard, "_known", lambda self: bool(request.cookies.get(self._cookie_name)))
    assert program.ask("GET", "/", headers={"Cookie": f"{name}=x"}).status == 200


def test_the_bearer_token_opens_nothing_but_the_hand_over(program: Any) -> None:
    guard = program.application.guard
    bearer = {"Authorization": f"Bearer {guard.bearer}", "Content-Type": "application/json"}
    empty = b'{"paths": []}'
    for path in ("/", "/_dash-layout", "/assets/style.css", f"/?t={guard.bearer}", HANDOVER):
        assert program.ask("GET", path, headers=bearer).status == 403
    assert (
        program.ask(
            "POST", "/_dcx/upload?name=x.csv", b"x", headers={**bearer, "Origin": program.origin}
        ).status
        == 403
    )
    assert (
        program.ask("POST", CALLBACK, b"{}", headers={**bearer, "Origin": program.origin}).status
        == 403
    )
    for wrong in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {guard.bearer}"},
        {"Authorization": f"Bearer {guard.bearer[:-1]}"},
    ):
        assert program.ask("POST", HANDOVER, empty, headers=wrong).status == 403
        # nor does the cookie, with the right Origin
        assert program.as_user("POST", HANDOVER, empty, **wrong).status == 403
    assert program.ask("PUT", HANDOVER, empty, headers=bearer).status == 403
    assert (
        program.ask("POST", HANDOVER, empty, headers={**bearer, "Host": "evil.example"}).status
        == 421
    )
    assert program.application.inbox.handed_over == 0
    assert program.ask("POST", HANDOVER, empty, headers=bearer).status == 200
    assert program.application.inbox.handed_over == 1


def test_without_the_look_at_the_token_the_hand_over_is_open_to_all(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test before; and what the token would open if its paths were more than
    they are.
    """
    monkeypatch.setattr(program.application.guard, "by_bearer", {HANDOVER, "/_dcx/upload"})
    bearer = {"Authorization": f"Bearer {program.application.guard.bearer}"}
    assert program.ask("POST", "/_dcx/upload?name=x.csv", b"x", headers=bearer).status == 200
    monkeypatch.setattr(Guard, "_bearer_refusal", lambda self, public: None)
    assert (
        program.ask(
            "POST", HANDOVER, b'{"paths": []}', headers={"Content-Type": "application/json"}
        ).status
        == 200
    )


def test_the_hand_over_is_not_for_who_comes_through_the_proxy(serve: Callable[..., Any]) -> None:
    program = serve(PUBLIC)
    bearer = {
        "Authorization": f"Bearer {program.application.guard.bearer}",
        "Content-Type": "application/json",
    }
    assert (
        program.ask(
            "POST", HANDOVER, b'{"paths": []}', headers={**bearer, "Host": "deconomix.example.org"}
        ).status
        == 403
    )
    assert program.ask("POST", HANDOVER, b'{"paths": []}', headers=bearer).status == 200


def every_route(program: Any) -> Iterator[tuple[str, str]]:
    """(method, path) of all that the server has, dash's own and the files it serves included."""
    for rule in program.application.server.url_map.iter_rules():
        known = {
            "filename": "style.css",
            "fingerprinted_path": "dash_renderer.v1m1.min.js",
            "package_name": "dash",
        }
        with program.application.server.test_request_context():
            _, path = rule.build({name: known.get(name, "x") for name in rule.arguments}) or (
                "",
                "",
            )
        assert path.startswith("/"), rule
        for method in sorted(rule.methods or ()):
            yield method, path


def test_without_a_cookie_no_route_answers(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user of this computer, or a program of his: he reaches the port, and that is all."""
    routes = list(every_route(program))
    paths = {path for _, path in routes}
    assert {
        "/",
        "/assets/style.css",
        "/_dash-layout",
        "/_dash-dependencies",
        CALLBACK,
        "/_dcx/upload",
        SIGN_OUT,
        HANDOVER,
        "/_dcx/download/x",
    } <= paths

    def statuses() -> set[int]:
        return {
            program.ask(
                m,
                path,
                b"{}" if m not in ("GET", "HEAD") else None,
                headers={"Origin": program.origin},
            ).status
            for m, path in routes
        }

    assert statuses() == {403}
    assert program.ask("GET", "/assets/style.css").body.count(b"{") == 0
    monkeypatch.setattr(Guard, "_refusal", lambda self: None)
    assert 403 not in statuses()  # the control
    assert program.ask("GET", "/assets/style.css").body.count(b"{") > 10


def test_forwarded_headers_are_believed_from_the_proxy_only(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = PUBLIC.model_copy(update={"trusted_proxy": "127.0.0.9"})
    program = serve(settings)
    headers = {
        "Cookie": program.cookie,
        "Host": "inner",
        "X-Forwarded-Host": "deconomix.example.org",
    }
    assert program.ask("GET", "/", headers=headers).status == 421
    # the control: the proxy itself is believed
    assert program.ask("GET", "/", headers=headers, source="127.0.0.9").status == 200
    forged = {**headers, "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert program.ask("GET", "/", headers=forged, source="127.0.0.9").status == 421
    # who asks is who is at the other end of the line
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert (
            program.ask(
                "GET", "/", headers={"Host": "deconomix.example.org", header: "127.0.0.1"}
            ).status
            == 403
        )


def test_a_peer_that_is_neither_this_computer_nor_the_proxy(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = serve(PUBLIC)
    client = program.application.server.test_client(use_cookies=False)

    def asked(address: str, host: str = "deconomix.example.org") -> int:
        headers = {"Cookie": program.cookie, "Host": host}
        return int(
            client.get("/", environ_base={"REMOTE_ADDR": address}, headers=headers).status_code
        )

    assert asked("10.0.0.7") == 403
    assert asked("10.0.0.7", "127.0.0.1") == 421  # with the Host that only this computer may use
    assert asked("127.0.0.1") == 200
    monkeypatch.setattr(Guard, "_peer_is_known", lambda self: True)
    assert asked("10.0.0.7") == 200


def test_only_the_public_address_is_an_origin_behind_the_proxy(serve: Callable[..., Any]) -> None:
    program = serve(PUBLIC)
    host = {"Host": "deconomix.example.org"}
    for origin in (
        "http://deconomix.example.org",
        "https://deconomix.example.org.evil.example",
        "https://deconomix.example.org:8443",
    ):
        assert (
            program.as_user("POST", "/_dcx/upload?name=x.csv", b"x", **host, Origin=origin).status
            == 403
        )
    assert (
        program.as_user(
            "POST", "/_dcx/upload?name=x.csv", b"x", **host, Origin="https://deconomix.example.org"
        ).status
        == 200
    )
    answer = program.ask(
        "GET", program.application.start_url("").partition(".org")[2], headers=host
    )
    assert "Secure" in answer.headers["Set-Cookie"]
