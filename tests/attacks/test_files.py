"""Files of the server: which a remote user can name, and who on this computer can read what the
program writes.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gui.errors import PluginError, UnreadableFile
from gui.logs import get_logger, start_logging, stop_logging
from gui.registry import find_pages
from gui.server_settings import Server
from tests.gui.steps import saved, session_with
from tests.waiting import until

REMOTE = {
    "allow_remote": True,
    "public_url": "https://deconomix.example.org",
    "trusted_proxy": "127.0.0.1",
}


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """``allowed`` with a file, a folder and links that lead out; ``secret.csv`` beside it."""
    allowed = tmp_path / "allowed"
    (allowed / "tenx").mkdir(parents=True)
    (tmp_path / "allowed-not").mkdir()
    for path in ("allowed/bulk.csv", "secret.csv", "allowed-not/bulk.csv"):
        (tmp_path / path).write_text("x")
    (allowed / "link.csv").symlink_to(tmp_path / "secret.csv")
    (allowed / "tenx" / "matrix.mtx").symlink_to(tmp_path / "secret.csv")
    return tmp_path


ATTACKS = [
    "secret.csv",
    "allowed/../secret.csv",
    "allowed/link.csv",
    "allowed/tenx",
    "allowed-not/bulk.csv",
    "nowhere.csv",
    "allowed/bulk.csv\0.png",
]


LINKS = ("allowed/link.csv", "allowed/tenx")


@pytest.mark.parametrize("attack", ATTACKS)
def test_typed_paths_stay_below_the_folders_listed(places: Path, attack: str) -> None:
    """The same sentence for what is there and what is not: it does not tell which files the server
    has.
    """
    link = places / "allowed" / "link.csv"
    if attack in LINKS and link.resolve() != (places / "secret.csv").resolve():
        pytest.skip("wine follows no links")
    remote = Server(**REMOTE, import_folders=[str(places / "allowed")])
    with pytest.raises(UnreadableFile) as caught:
        remote.typed_path(f"{places}/{attack}")
    assert "\0" in attack or "not in one of the folders" in str(caught.value)
    assert remote.typed_path(f"{places}/allowed/bulk.csv").read_text() == "x"
    with pytest.raises(UnreadableFile, match="cannot be opened by their path"):
        Server(**REMOTE).typed_path(f"{places}/allowed/bulk.csv")
    if "\0" not in attack:  # the control: where anything may be named, so may this
        assert Server().typed_path(f"{places}/{attack}") == Path(f"{places}/{attack}")


@pytest.mark.skipif(
    os.name != "posix",
    reason="Windows has no such modes; the user's own folders are closed to others there",
)
def test_whatever_is_written_is_its_owners_only(program: Any, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        session = session_with(program.application, "mine")
        until(lambda: saved(program.application, session.session_id))
        upload = program.application.uploads.receive("x.csv", [b"1"], limit=10)
        log = start_logging(tmp_path / "new" / "logs")
        for _ in range(12_000):  # until it was rotated
            get_logger(__name__).info("x" * 100)
        stop_logging()
    finally:
        os.umask(before)
    assert log is not None
    config = program.application.config
    files = [*config.sessions_folder.rglob("*.dcxsession"), upload.path, *log.parent.iterdir()]
    assert len(files) >= 4
    assert {oct(stat.S_IMODE(f.stat().st_mode)) for f in files} == {"0o600"}
    assert {
        oct(stat.S_IMODE(f.stat().st_mode))
        for f in (config.sessions_folder, upload.path.parent, log.parent)
    } == {"0o700"}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_a_plug_in_that_others_can_change_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    code = [
        "from dash import html",
        "from gui.plugin import Page",
        "page = Page('mine', 'Mine', 'x')",
    ]
    file.write_text("\n".join([*code, "@page.layout", "def layout(ctx):", "    return html.Div()"]))
    file.chmod(0o600)
    assert find_pages(tmp_path).page("mine") is not None
    for path, mode in ((file, 0o666), (tmp_path, 0o777)):
        old = path.stat().st_mode
        path.chmod(mode)
        found = find_pages(tmp_path)
        assert found.page("mine") is None
        assert [type(e) for e in found.errors] == [PluginError]
        path.chmod(old)


AS_NOBODY = """
import os, socket, sys
"x".encode("idna"); os.setgroups([]); os.setgid(65534); os.setuid(65534)  # from here on nothing can be imported that lies in root's home
for path in sys.argv[2:]:
    try:
        print("read" if os.read(os.open(path, os.O_RDONLY), 1) else "empty")
    except PermissionError:
        print("refused")
for path in ("/", "/_dash-layout", "/assets/style.css"):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
        sock.sendall(b"GET %s HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n" % path.encode())
        print(sock.recv(12)[-3:].decode())
"""


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can act as another user"
)
def test_another_user_of_this_computer_gets_nothing(program: Any, tmp_path: Path) -> None:
    session = session_with(program.application, "mine")
    until(lambda: saved(program.application, session.session_id))
    upload = program.application.uploads.receive("x.csv", [b"1"], limit=10)
    log = start_logging(tmp_path / "new" / "logs")
    get_logger(__name__).info("x")
    stop_logging()
    (file,) = program.application.config.sessions_folder.glob("*.dcxsession")
    opened: list[tuple[Path, int]] = []
    # the folders of the test itself are not in the way
    for folder in [tmp_path, *tmp_path.parents][:-1]:
        opened.append((folder, folder.stat().st_mode))
        folder.chmod(folder.stat().st_mode | 0o011)

    def attack() -> list[str]:
        command = [
            sys.executable,
            "-c",
            AS_NOBODY,
            str(program.server.port),
            file,
            upload.path,
            str(log),
        ]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, cwd="/"
        ).stdout.split()

    try:
        assert attack() == ["refused"] * 3 + ["403"] * 3
        # the control: with open modes he reads them
        for path in (file, upload.path, Path(str(log))):
            path.chmod(0o644)
            path.parent.chmod(0o755)
            path.parent.parent.chmod(path.parent.parent.stat().st_mode | 0o011)
        assert attack()[:3] == ["read"] * 3
    finally:
        for folder, mode in opened:
            folder.chmod(mode)
