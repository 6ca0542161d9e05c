"""The example of the user guide, word for word, in a real nginx with TLS: sign-in, page, callbacks,
upload, download.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gui.guard import KEY_HEADER
from gui.resources import resource
from gui.server_settings import Server
from tests.gui.conftest import ORIGIN, Tab
from tests.gui.steps import press, session_with, show
from tests.signing_in import IN_ENVIRON

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the guide sets up a server on Linux"
)
NAME = "deconomix.example.org"
PUBLIC = f"https://{NAME}"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Browser:
    """Speaks https to nginx, trusts its certificate only, keeps cookies; looks to a :class:`Tab`
    like the client it is used to.
    """

    def __init__(self, port: int, certificate: Path) -> None:
        self.port, self.trust = port, ssl.create_default_context(cafile=str(certificate))
        self.cookies: dict[str, str] = {}
        self.set_cookie = ""
        self.environ_base: dict[str, str] = {}
        """As that of a Flask client: what goes with every request."""

    def open(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        sock = self.trust.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), timeout=60), server_hostname=NAME
        )
        connection = http.client.HTTPConnection(NAME, timeout=60)
        connection.sock = sock
        try:
            cookie = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            key = (
                {KEY_HEADER: self.environ_base[IN_ENVIRON]}
                if IN_ENVIRON in self.environ_base
                else {}
            )
            connection.request(
                method,
                path,
                body,
                {"Host": NAME, **({"Cookie": cookie} if cookie else {}), **key, **headers},
            )
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
            sock.close()
        if set_cookie := answer.headers.get("Set-Cookie"):
            self.set_cookie = set_cookie
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        parsed = (
            json.loads(data)
            if data and "json" in (answer.headers.get("Content-Type") or "")
            else None
        )
        return SimpleNamespace(
            status_code=answer.status,
            headers=answer.headers,
            data=data,
            text=data.decode(errors="replace"),
            json=parsed,
        )

    def get(self, path: str, base_url: str = "", headers: dict[str, str] | None = None) -> Any:
        return self.open("GET", path, None, headers or {})

    def post(
        self,
        path: str,
        *,
        data: bytes = b"",
        json: Any = None,
        headers: dict[str, str] | None = None,
        base_url: str = "",
    ) -> Any:
        body, kind = (
            (dumped(json), {"Content-Type": "application/json"}) if json is not None else (data, {})
        )
        return self.open(
            "POST",
            path,
            body,
            {
                **kind,
                **(headers or {}),
                "Origin": (headers or {}).get("Origin", PUBLIC).replace(ORIGIN, PUBLIC),
            },
        )


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def example(language: str) -> str:
    """The first block of that language in the chapter."""
    found = re.search(
        rf"```{language}\n(.*?)```",
        resource("help/server.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found
    return found[1]


@pytest.fixture
def settings() -> Server:
    import tomllib

    written = tomllib.loads(example("toml"))["server"]
    return Server(**written)


@pytest.fixture
def program(serve: Callable[..., Any], settings: Server) -> Any:
    return serve(settings)


@pytest.fixture
def proxy(program: Any, tmp_path: Path) -> Iterator[Browser]:
    nginx, openssl = (
        shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"),
        shutil.which("openssl"),
    )
    if nginx is None or openssl is None:
        pytest.skip(
            "nginx and openssl are not installed here; on Debian: apt-get install nginx-light"
            " openssl"
        )
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={NAME}",
        "-addext",
        f"subjectAltName=DNS:{NAME}",
    ]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    secure, plain = free_port(), free_port()
    text = example("nginx")
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{secure} ssl"),
        ("listen 80", f"listen 127.0.0.1:{plain}"),
        ("http://127.0.0.1:8050", f"http://127.0.0.1:{program.server.port}"),
        ("/etc/ssl/certs/deconomix.pem", str(certificate)),
        ("/etc/ssl/private/deconomix.key", str(key)),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    places = "".join(
        f"{kind}_temp_path {tmp_path / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"{user}daemon off;\npid {tmp_path / 'nginx.pid'};\nerror_log"
        f" {tmp_path / 'error.log'};\nevents {{}}\nhttp {{\n{places}{text}\n}}\n"
    )
    subprocess.run(
        [nginx, "-t", "-e", tmp_path / "first.log", "-c", config], check=True, capture_output=True
    )
    process = subprocess.Popen(
        [nginx, "-e", tmp_path / "first.log", "-c", config], stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", secure)) == 0:
                    break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Browser(secure, certificate)
    finally:
        process.terminate()
        process.wait(30)


def test_the_examples_of_the_guide_work_together(
    program: Any, proxy: Browser, settings: Server, tmp_path: Path
) -> None:
    application = program.application
    assert application.start_url(program.server.url).startswith(f"{PUBLIC}/?t=")
    assert settings.folders == [Path("/srv/deconomix/data")]
    assert proxy.get("/").status_code == 403
    through = SimpleNamespace(
        server=SimpleNamespace(test_client=lambda: proxy),
        runner=application.runner,
        start_url=lambda _: application.start_url("").replace(PUBLIC, ORIGIN),
    )
    tab = Tab(through)  # type: ignore[arg-type]  # sign-in, layout and the first callbacks
    assert set(tab.statuses) <= {200, 204}
    assert all(word in proxy.set_cookie for word in ("HttpOnly", "SameSite=Strict", "Secure"))
    page = proxy.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "max-age" in page.headers["Strict-Transport-Security"]

    session = session_with(application, "behind nginx")
    show(tab, session.session_id)
    assert "behind nginx" in json.dumps(list(tab.values.values()), default=str)

    body = os.urandom(3_000_000)  # more than nginx takes by default
    sent = proxy.post("/_dcx/upload?name=cells.csv", data=body)
    assert sent.status_code == 200
    assert application.uploads.get(sent.json["token"]).path.read_bytes() == body
    assert (
        proxy.post(
            "/_dcx/upload?name=cells.csv", data=b"x", headers={"Origin": "https://evil.example"}
        ).status_code
        == 403
    )

    tab.go("upload")
    press(tab, "upload-dcx-create")
    ((name, data),) = tab.downloaded()
    assert name.endswith(".dcx")
    assert len(data) > 1000

    stranger = Browser(proxy.port, tmp_path / "cert.pem")
    assert stranger.get("/_dash-layout").status_code == 403
    assert stranger.get("/", headers={"Host": "evil.example"}).status_code == 421
