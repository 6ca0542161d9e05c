"""Requests that others forge: rebinding, cross-site, tokens, forwarded headers, paths. Each with the defence off, where the attack must work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.guard import Guard
from gui.serving import Server

CALLBACK = "/_dash-update-component"
PUBLIC = Server(allow_remote=True, public_url="https://deconomix.example.org", trusted_proxy="127.0.0.1")


def test_dns_rebinding(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of evil.example, whose name now leads to 127.0.0.1, asks with everything right but the Host."""

    def attack() -> int:
        host = f"evil.example:{program.server.port}"
        return int(program.as_user("POST", "/_dcx/upload?name=x.csv", b"x", Host=host, Origin=f"http://{host}").status)

    assert attack() == 421
    monkeypatch.setattr(Guard, "_from_public", lambda self: False)
    assert attack() == 200


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1", ""])
def test_cross_site_post(program: Any, origin: str | None) -> None:
    headers = {"Cookie": program.cookie, **({} if origin is None else {"Origin": origin})}
    assert program.ask("POST", "/_dcx/upload?name=x.csv", b"x", headers=headers).status == 403
    assert not program.application.uploads._uploads
    assert program.as_user("POST", "/_dcx/upload?name=x.csv", b"x").status == 200  # as the page itself does


def test_cross_site_post_works_where_the_origin_is_not_asked_for(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = Guard._refusal
    monkeypatch.setattr(Guard, "_refusal", lambda self: None if (found := refusal(self)) is not None and b"come from" in found.data else found)
    assert program.ask("POST", "/_dcx/upload?name=x.csv", b"x", headers={"Cookie": program.cookie, "Origin": "http://evil.example"}).status == 200


def test_cross_site_get_reads_nothing(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser sends no cookie with it (SameSite=Strict), shares no answer (no CORS) and embeds none (CORP, frame-ancestors)."""
    assert program.ask("GET", "/_dash-layout", headers={"Origin": "http://evil.example"}).status == 403
    answer = program.as_user("GET", "/_dash-layout", Origin="http://evil.example")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    preflight = program.ask("OPTIONS", CALLBACK, headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"})
    assert preflight.status == 403
    monkeypatch.setattr(Guard, "_refusal", lambda self: None)
    assert program.ask("GET", "/_dash-layout").status == 200


def test_tokens_missing_reused_or_of_another_program(program: Any, tmp_path: Path) -> None:
    address = program.application.start_url(program.origin)[len(program.origin) :]
    assert program.ask("GET", "/").status == 403
    assert program.ask("GET", "/?t=").status == 403
    assert program.ask("GET", f"/?t={Guard().issue()}").status == 403  # another program's
    assert program.ask("HEAD", address).status == 403  # a preview of the link neither opens nor uses it up
    assert program.ask("GET", f"/_dash-layout{address[1:]}").status == 403
    assert program.ask("GET", address).status == 303  # the positive control
    assert program.ask("GET", address).status == 403


def test_cookies_guessed_or_of_another_program(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = program.cookie.partition("=")[0]
    for cookie in (f"{name}=", f"{name}=x", program.cookie[:-1], program.cookie.replace(name, "dcx_00000000")):
        assert program.ask("GET", "/", headers={"Cookie": cookie}).status == 403
    assert program.ask("GET", "/", headers={"Cookie": program.cookie}).status == 200


def test_forwarded_headers_are_believed_from_the_proxy_only(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = PUBLIC.model_copy(update={"trusted_proxy": "127.0.0.9"})
    program = serve(settings)
    headers = {"Cookie": program.cookie, "Host": "inner", "X-Forwarded-Host": "deconomix.example.org"}
    assert program.ask("GET", "/", headers=headers).status == 421
    assert program.ask("GET", "/", headers=headers, source="127.0.0.9").status == 200  # the control: the proxy itself is believed
    forged = {**headers, "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert program.ask("GET", "/", headers=forged, source="127.0.0.9").status == 421
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):  # who asks is who is at the other end of the line
        assert program.ask("GET", "/", headers={"Host": "deconomix.example.org", header: "127.0.0.1"}).status == 403


def test_a_peer_that_is_neither_this_computer_nor_the_proxy(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    program = serve(PUBLIC)
    client = program.application.server.test_client(use_cookies=False)

    def asked(address: str, host: str = "deconomix.example.org") -> int:
        headers = {"Cookie": program.cookie, "Host": host}
        return int(client.get("/", environ_base={"REMOTE_ADDR": address}, headers=headers).status_code)

    assert asked("10.0.0.7") == 403
    assert asked("10.0.0.7", "127.0.0.1") == 421  # with the Host that only this computer may use
    assert asked("127.0.0.1") == 200
    monkeypatch.setattr(Guard, "_peer_is_known", lambda self: True)
    assert asked("10.0.0.7") == 200


def test_only_the_public_address_is_an_origin_behind_the_proxy(serve: Callable[..., Any]) -> None:
    program = serve(PUBLIC)
    host = {"Host": "deconomix.example.org"}
    for origin in ("http://deconomix.example.org", "https://deconomix.example.org.evil.example", "https://deconomix.example.org:8443"):
        assert program.as_user("POST", "/_dcx/upload?name=x.csv", b"x", **host, Origin=origin).status == 403
    assert program.as_user("POST", "/_dcx/upload?name=x.csv", b"x", **host, Origin="https://deconomix.example.org").status == 200
    answer = program.ask("GET", program.application.start_url("").partition(".org")[2], headers=host)
    assert "Secure" in answer.headers["Set-Cookie"]


TRAVERSALS = ["../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "....//secret.txt", "..\\secret.txt", "%252e%252e%252fsecret.txt", "/etc/passwd"]


@pytest.mark.parametrize("name", TRAVERSALS)
@pytest.mark.parametrize("route", ["/assets/", "/_dcx/download/", "/_dash-component-suites/dash/", "/"])
def test_paths_in_addresses_lead_nowhere(program: Any, route: str, name: str) -> None:
    from gui.resources import resource

    (Path(resource("default_config.toml")).parent / "assets").resolve(strict=True)
    for wanted in (name, name.replace("secret.txt", "default_config.toml")):
        answer = program.as_user("GET", route + wanted)
        assert b"root:" not in answer.body
        assert b"DeconomiX GUI: configuration" not in answer.body
    assert program.as_user("GET", "/assets/style.css").status == 200  # what may be had is had


NAMES = ["../x.csv", "..%2f..%2fx.csv", "%2fetc%2fpasswd", "a%00b.csv", "%ff%fe", "CON", "x" * 3000, "%F0%9F%98%80" * 300, "%E2%80%AEvsc.exe"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_uploads_stay_in_the_folder(program: Any, name: str) -> None:
    answer = program.as_user("POST", f"/_dcx/upload?name={name}", b"x")
    assert answer.status == 200
    upload = program.application.uploads.get(json.loads(answer.body)["token"])
    assert upload.path.resolve().parent == program.application.uploads._folder.resolve()
    assert not set("/\\\0\u202e") & set(upload.name)
