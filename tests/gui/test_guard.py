"""Who gets in, and who does not."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from gui.app import Application
from tests.signing_in import sign_in

BASE = "http://127.0.0.1:8050"


def enter(application: Application) -> FlaskClient:
    client = application.server.test_client()
    sign_in(client, application.start_url(BASE), BASE)
    return client


def post(client: FlaskClient, path: str = "/_dash-update-component", **headers: str) -> int:
    return client.post(path, data=b"{}", base_url=BASE, headers=headers).status_code


def test_without_a_cookie_nothing_is_served(application: Application) -> None:
    client = application.server.test_client()
    for path in ("/", "/_dash-layout", "/_dash-dependencies", "/assets/style.css", "/_dcx/upload"):
        assert client.get(path, base_url=BASE).status_code == 403
    assert enter(application).get("/", base_url=BASE).status_code == 200  # the positive control


def test_a_start_address_works_once(application: Application) -> None:
    address = application.start_url(BASE)[len(BASE) :]
    assert application.server.test_client().get(address, base_url=BASE).status_code == 200
    assert application.server.test_client().get(address, base_url=BASE).status_code == 403


def test_cookie_is_http_only_and_strict(application: Application) -> None:
    answer = application.server.test_client().get(application.start_url(BASE)[len(BASE) :], base_url=BASE)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", "192.168.1.4:8050"])
def test_foreign_host_is_refused_even_with_the_cookie(application: Application, host: str) -> None:
    client = application.server.test_client()
    assert client.get("/", base_url=BASE, headers={"Host": host}).status_code == 421


def test_posts_need_this_programs_origin(application: Application) -> None:
    client = enter(application)
    assert post(client) == 403
    assert post(client, Origin="http://evil.example") == 403
    assert post(client, Origin="http://127.0.0.1:9999") == 403
    assert post(client, Origin=BASE) not in (403, 421)  # let through to dash, which finds nothing to do in it


def test_an_upload_goes_by_cookie_and_origin(application: Application) -> None:
    client = enter(application)
    stranger = application.server.test_client()
    bearer = f"Bearer {application.guard.bearer}"
    assert post(stranger, "/_dcx/upload?name=x.csv", Origin=BASE, Authorization=bearer) == 403
    assert post(client, "/_dcx/upload?name=x.csv") == 403
    assert post(client, "/_dcx/upload?name=x.csv", Origin="http://evil.example", Authorization=bearer) == 403
    assert post(client, "/_dcx/upload?name=x.csv", Origin=BASE) == 200


def test_the_hand_over_goes_by_bearer_token_alone(application: Application) -> None:
    bearer = f"Bearer {application.guard.bearer}"
    reached = []
    application.server.add_url_rule("/_dcx/by-bearer", view_func=lambda: reached.append(1) or "", methods=["GET", "POST"])
    application.guard.by_bearer.add("/_dcx/by-bearer")
    stranger, client = application.server.test_client(), enter(application)
    for asks, headers in (
        (stranger, {}),
        (stranger, {"Authorization": "Bearer wrong"}),
        (stranger, {"Authorization": application.guard.bearer}),
        (client, {"Origin": BASE}),  # a page of ours has no business there
        (stranger, {"Authorization": bearer, "Host": "evil.example"}),
    ):
        assert post(asks, "/_dcx/by-bearer", **headers) in (403, 421)
    assert stranger.get("/_dcx/by-bearer", base_url=BASE, headers={"Authorization": bearer}).status_code == 403
    assert not reached
    assert post(stranger, "/_dcx/by-bearer", Authorization=bearer) == 200
    assert reached == [1]


def test_the_bearer_token_is_nowhere_in_the_page(application: Application) -> None:
    client = enter(application)
    shown = client.get("/", base_url=BASE).text + client.get("/_dash-layout", base_url=BASE).text
    assert "dcx-root" in shown  # the positive control: it is the page
    assert application.guard.bearer not in shown


def test_policy_allows_only_this_server_and_no_evaluation(application: Application) -> None:
    policy = enter(application).get("/", base_url=BASE).headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy
    assert "default-src 'none'" in policy
    assert "http" not in policy
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in script
    assert "'sha256-" in script


def test_served_page_names_no_other_host(application: Application) -> None:
    client = enter(application)
    page = client.get("/", base_url=BASE).text + client.get("/_dash-layout", base_url=BASE).text
    for scheme in ("https://", "http://"):
        assert scheme not in page


def test_upload_larger_than_the_limit_is_refused_and_not_kept(application: Application) -> None:
    from gui.errors import UnreadableFile

    with pytest.raises(UnreadableFile, match="larger than"):
        application.uploads.receive("big.csv", [b"x" * 600, b"x" * 600], limit=1000)
    kept = application.uploads.receive("ok.csv", [b"x" * 600], limit=1000)  # the positive control
    assert [p.name for p in kept.path.parent.iterdir()] == [kept.path.name]
    application.stop()
    assert not kept.path.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\y.csv", "a/b.csv", "", "\x00.csv", "x" * 500 + ".csv"])
def test_upload_names_never_leave_the_folder(application: Application, name: str) -> None:
    received = application.uploads.receive(name, [b"1"], limit=10)
    assert received.path.parent.parent == received.path.parent.parent.resolve()
    assert received.path.parent.name.startswith("deconomix-")
    assert "/" not in received.name
    assert "\\" not in received.name
