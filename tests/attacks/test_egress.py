"""No byte leaves the computer: the whole workflow in a process where every socket is watched, in
its worker and its reading process too.

An audit hook is told of each connection, datagram and look-up of a name before it happens,
whichever library asks for it through Python's socket module. It is put in by a sitecustomize.py on
PYTHONPATH, which every Python process imports as it starts, also those that are spawned. What is
not on this computer is written down and forbidden.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HOOK = """
import json, os, sys

FILE, ASKED = os.environ["DCX_SOCKETS"], ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")

def note(kind, what):
    line = json.dumps([os.getpid(), os.path.basename(sys.argv[0] if getattr(sys, "argv", None) else "-"), kind, what]) + "\\n"
    out = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)  # appended at once: lines of several processes do not mix
    os.write(out, line.encode())
    os.close(out)

def watch(event, args):
    if event in ASKED:
        address = args[1]
        if address is None or isinstance(address, (str, bytes)):  # a UNIX socket, or one that is connected already
            return
        host = address[0]
    elif event in NAMES:
        host = args[0][0] if isinstance(args[0], tuple) else args[0]
    elif event == "urllib.Request":
        host = args[0]
    else:
        return
    text = host.decode() if isinstance(host, bytes) else str(host)
    if event in NAMES[:2] and text.replace(".", "").isdigit():  # a number is no name: nobody is asked what it stands for
        return
    here = text in ("localhost", "::1", "None", "") or text.startswith(("127.", "http://127.0.0.1"))
    note("here" if here else "away", f"{event} {text}")
    if not here:
        raise PermissionError(f"{event} {text}: this test forbids it")

sys.addaudithook(watch)
note("start", "")
"""

WORK = """
import http.client, sys, time
from pathlib import Path
from desktop.server import LocalServer
from gui.app import create_app
from gui.config import Config
from gui.engine.params import DTDParams
from gui.sessions.manager import LOCAL
from tests.gui.conftest import Tab
from tests.gui.sessions_page import export
from tests.gui.steps import press, run_dtd, saved, show
from tests.waiting import until
from tests.gui.upload_page import choose

SMALL = DTDParams(genes=100, iterations=10, train_mixtures=30, test_mixtures=30)

def job(application, start):
    before = {j.id for j in application.runner.status()}
    start()
    (new,) = {j.id for j in application.runner.status()} - before
    done = application.runner.wait(new, 300)
    assert done.state == "done", (done.kind, str(done.error))

def given(tab, button):
    tab.values.pop(("dcx-download", "data"), None)
    press(tab, button)
    ((name, data),) = tab.downloaded()
    assert data, name
    return name

def main(folder):
    did = []
    application = create_app(Config.for_tests(folder))
    server = LocalServer(application.server)
    server.start()
    application.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/" + application.start_url(server.url).rpartition("/")[2])
    assert connection.getresponse().status == 200
    did.append("served")
    tab = Tab(application)
    table = folder / "mine.csv"
    rows = [["gene"] + ["A"] * 30 + ["B"] * 30] + [[f"G{i}"] + [str((i * k) % 17) for k in range(60)] for i in range(50)]
    table.write_text("".join(",".join(row) + chr(10) for row in rows))
    choose(tab, "train", table)
    until(lambda: tab.tick() or tab.get("upload-types", "rowData"))
    did.append("file looked at")
    tab = Tab(application)
    press(tab, "upload-example")
    session = next(s.session_id for s in application.sessions.list_sessions(actor=LOCAL) if s.name == "Example")
    show(tab, session)
    job(application, lambda: run_dtd(tab, SMALL))
    did.append("DTD")
    tab.go("adtd")
    tab.set({("adtd-search-points", "value"): 3, ("adtd-search-folds", "value"): 2, ("adtd-max-iterations", "value"): 10})
    job(application, lambda: press(tab, "adtd-search"))
    tab.set({("adtd-model", "value"): "h,r"})
    job(application, lambda: press(tab, "adtd-run"))
    did.append("search and ADTD")
    until(lambda: saved(application, session))
    server.stop()
    assert application.stop() is None
    application = create_app(Config.for_tests(folder))
    application.start()
    tab = Tab(application)
    show(tab, session)
    did.append("reopened")
    for page in ("dtd", "adtd"):
        tab.go(page)
        did.append(given(tab, f"{page}-report"))
    tab.go("dtd")
    did.append(given(tab, "dtd-composition-table-xlsx"))
    tab.go("upload")
    did.append(given(tab, "upload-dcx-create"))
    tab.go("help")
    tab.go("sessions")
    ((name, data),) = export(tab, "Example")
    (folder / name).write_bytes(data)
    did.append(name)
    application.inbox.open_later([folder / name])
    assert application.stop() is None
    print(*did, sep="\\n")

if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""

AWAY = """
import multiprocessing, socket, urllib.request

def attempt():
    for ask in (
        lambda: urllib.request.urlopen("http://192.0.2.1/", timeout=5),
        lambda: socket.create_connection(("192.0.2.1", 443), timeout=5),
        lambda: socket.getaddrinfo("updates.example.org", 443),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    ):
        try:
            ask()
        except OSError:
            pass

if __name__ == "__main__":
    attempt()
    process = multiprocessing.get_context("spawn").Process(target=attempt)
    process.start()
    process.join()
"""


class Seen:
    """What the hook wrote down. starts : processes; away : what they tried, by process"""

    def __init__(self, file: Path) -> None:
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        self.starts = {pid for pid, _, kind, _ in lines if kind == "start"}
        self.here = [what for _, _, kind, what in lines if kind == "here"]
        self.away = {
            pid: [what for p, _, kind, what in lines if kind == "away" and p == pid]
            for pid in {p for p, _, kind, _ in lines if kind == "away"}
        }


def watched(folder: Path, code: str) -> tuple[str, Seen]:
    """Run the script, with every socket of it and of its children watched: what it printed, and
    what was seen.
    """
    hooks, work = folder / "hooks", folder / "work"
    for made in (hooks, work):
        made.mkdir()
    (hooks / "sitecustomize.py").write_text(HOOK)
    script = folder / "script.py"
    script.write_text(code)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(hooks), str(ROOT)]),
        "DCX_SOCKETS": str(folder / "sockets"),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, str(script), str(work)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout, Seen(folder / "sockets")


def test_the_whole_workflow_tries_no_connection_to_another_computer(tmp_path: Path) -> None:
    printed, seen = watched(tmp_path, WORK)
    assert seen.away == {}
    did = printed.splitlines()
    assert did[:5] == ["served", "file looked at", "DTD", "search and ADTD", "reopened"]
    assert [name.rpartition(".")[2] for name in did[5:]] == [
        "html",
        "html",
        "xlsx",
        "dcx",
        "dcxsession",
    ]
    # the program, and twice a worker and a reading process: the hook is in all of them
    assert len(seen.starts) >= 5
    # and sees what goes to this computer
    assert any(what.startswith("socket.connect 127.") for what in seen.here)


def test_what_goes_to_another_computer_is_seen_in_a_process_and_in_its_children(
    tmp_path: Path,
) -> None:
    """The control of the test before."""
    _, seen = watched(tmp_path, AWAY)
    assert len(seen.starts) >= 2
    assert len(seen.away) == 2
    for tried in seen.away.values():
        assert {what.partition(" ")[0] for what in tried} >= {
            "socket.connect",
            "socket.getaddrinfo",
            "socket.sendto",
        }
        assert any("192.0.2.1" in what for what in tried)


def test_only_this_computer_can_be_asked_by_default() -> None:
    """A socket that waits for others would be a way out too: see also
    tests/desktop/test_server.py.
    """
    from gui.server_settings import Server

    assert Server().host == "127.0.0.1"
    with pytest.raises(ValueError, match="allow_remote"):
        Server(host="0.0.0.0")
