"""Who gets in, and who does not."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from gui.app import Application
from gui.clock import elapsed
from gui.downloads import DOWNLOAD
from gui.guard import BROWSER_AGE, LINK_AGE, SIGN_OUT, SIGNED_OUT, SIGNED_OUT_HEADER
from tests.signing_in import IN_ENVIRON, sign_in

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
    answer = application.server.test_client().get(
        application.start_url(BASE)[len(BASE) :], base_url=BASE
    )
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", "192.168.1.4:8050"]
)
def test_foreign_host_is_refused_even_with_the_cookie(application: Application, host: str) -> None:
    client = application.server.test_client()
    assert client.get("/", base_url=BASE, headers={"Host": host}).status_code == 421


def test_posts_need_this_programs_origin(application: Application) -> None:
    client = enter(application)
    assert post(client) == 403
    assert post(client, Origin="http://evil.example") == 403
    assert post(client, Origin="http://127.0.0.1:9999") == 403
    # let through to dash, which finds nothing to do in it
    assert post(client, Origin=BASE) not in (403, 421)


def test_an_upload_goes_by_cookie_and_origin(application: Application) -> None:
    client = enter(application)
    stranger = application.server.test_client()
    bearer = f"Bearer {application.guard.bearer}"
    assert post(stranger, "/_dcx/upload?name=x.csv", Origin=BASE, Authorization=bearer) == 403
    assert post(client, "/_dcx/upload?name=x.csv") == 403
    assert (
        post(client, "/_dcx/upload?name=x.csv", Origin="http://evil.example", Authorization=bearer)
        == 403
    )
    assert post(client, "/_dcx/upload?name=x.csv", Origin=BASE) == 200


def test_the_hand_over_goes_by_bearer_token_alone(application: Application) -> None:
    bearer = f"Bearer {application.guard.bearer}"
    reached = []
    application.server.add_url_rule(
        "/_dcx/by-bearer", view_func=lambda: reached.append(1) or "", methods=["GET", "POST"]
    )
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
    assert (
        stranger.get(
            "/_dcx/by-bearer", base_url=BASE, headers={"Authorization": bearer}
        ).status_code
        == 403
    )
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


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\x\\y.csv", "a/b.csv", "", "\x00.csv", "x" * 500 + ".csv"]
)
def test_upload_names_never_leave_the_folder(application: Application, name: str) -> None:
    received = application.uploads.receive(name, [b"1"], limit=10)
    assert received.path.parent.parent == received.path.parent.parent.resolve()
    assert received.path.parent.parent.name.startswith("deconomix-")
    assert "/" not in received.name
    assert "\\" not in received.name


def test_the_cookie_alone_opens_the_empty_page_only(application: Application) -> None:
    client = enter(application)
    token = application.files.downloads.offer(  # type: ignore[attr-defined]
        "a.csv", b"a", browser=next(iter(application.guard._browsers.values()))
    )
    for key in ("", "x", "0" * 64, "é"):
        client.environ_base[IN_ENVIRON] = key.encode().decode("latin-1")
        for path in ("/_dash-layout", "/_dash-dependencies", "/_reload-hash"):
            assert client.get(path, base_url=BASE).status_code == 403
        assert (
            post(client, Origin=BASE),
            post(client, "/_dcx/upload?name=x.csv", Origin=BASE),
            post(client, SIGN_OUT, Origin=BASE),
        ) == (403, 403, 403)
        assert client.get(f"{DOWNLOAD}guessed", base_url=BASE).status_code == 404
        page = client.get("/", base_url=BASE)
        assert (
            page.status_code,
            "dcx-root" in page.text,
            str(application.config.plugins_folder) in page.text,
        ) == (200, False, False)
    # a link that only a request with the key can have got
    assert client.get(f"{DOWNLOAD}{token}", base_url=BASE).data == b"a"
    # the control, in the same browser: the key is the same in all of its tabs
    sign_in(client, application.start_url(BASE), BASE)
    assert client.get("/_dash-layout", base_url=BASE).status_code == 200


def test_the_key_of_one_browser_is_none_of_another(application: Application) -> None:
    one, two = enter(application), enter(application)
    assert one.environ_base[IN_ENVIRON] != two.environ_base[IN_ENVIRON]
    one.environ_base[IN_ENVIRON] = two.environ_base[IN_ENVIRON]
    assert one.get("/_dash-layout", base_url=BASE).status_code == 403
    assert two.get("/_dash-layout", base_url=BASE).status_code == 200


def test_a_sign_in_address_expires_and_so_does_a_browser_that_is_not_used(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [elapsed()]
    monkeypatch.setattr("gui.guard.elapsed", lambda: now[0])
    client, address = enter(application), application.start_url(BASE)[len(BASE) :]
    assert (application.guard.unused, application.guard.signed_in) == (1, 1)
    now[0] += LINK_AGE + 1
    assert application.guard.unused == 0
    assert application.server.test_client().get(address, base_url=BASE).status_code == 403
    for _ in range(3):  # one that is used stays
        assert client.get("/_dash-layout", base_url=BASE).status_code == 200
        now[0] += BROWSER_AGE - 1
    assert client.get("/_dash-layout", base_url=BASE).status_code == 200
    now[0] += BROWSER_AGE + 1
    assert application.guard.signed_in == 0
    assert client.get("/_dash-layout", base_url=BASE).status_code == 403


def test_no_key_is_handed_over_at_the_name_localhost(application: Application) -> None:
    """It means two addresses; another user may serve the same port at the one that is not ours,
    with the same cookies and the same storage.
    """
    path, client = application.start_url(BASE)[len(BASE) :], application.server.test_client()
    answer = client.get(path, base_url="http://localhost:8050")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{BASE}{path}")
    assert "Set-Cookie" not in answer.headers
    assert client.get("/?t=x%0d%0a", base_url="http://localhost:8050").status_code == 403
    sign_in(client, path, BASE)  # it was not used up


def test_signing_out_ends_this_browsers_access_and_says_how_to_get_in_again(
    application: Application,
) -> None:
    client, other = enter(application), enter(application)
    assert post(client, SIGN_OUT) == 403  # another site's page
    assert post(client, SIGN_OUT, Origin=BASE) == 204
    for path in ("/", "/_dash-layout", "/assets/style.css"):
        answer = client.get(path, base_url=BASE)
        assert (answer.status_code, answer.headers[SIGNED_OUT_HEADER]) == (403, "yes")
    assert "start DeconomiX again" in client.get(SIGNED_OUT, base_url=BASE).text
    assert other.get("/_dash-layout", base_url=BASE).status_code == 200
    assert "dcx-sign-out" in other.get("/_dash-layout", base_url=BASE).text
    sign_in(client, application.start_url(BASE), BASE)
    assert client.get("/_dash-layout", base_url=BASE).status_code == 200
