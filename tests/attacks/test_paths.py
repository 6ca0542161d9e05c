"""Names and paths that lead out of where they belong, in every place where the program takes one.

Each with the defence off, where they do.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from gui import downloads, files
from gui.app import create_app
from gui.callback_requests import SESSION_ID
from gui.config import Config
from gui.errors import DamagedSession
from gui.guard import HANDOVER
from gui.pages import help as help_page
from gui.pages.help import book
from gui.resources import resource
from gui.sessions import container, header
from gui.sessions import file as sessionfile
from gui.sessions.file import file_name, load
from gui.sessions.manager import LOCAL
from gui.sessions.parsing import InProcessParser
from tests.gui.conftest import Tab
from tests.gui.sessions_page import bring, export, made, names, outcomes
from tests.gui.steps import press, saved, session_with, show
from tests.sessions.hostile import members, pack, rebuilt
from tests.waiting import until

TRAVERSALS = [
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "....//secret.txt",
    "..\\secret.txt",
    "%252e%252e%252fsecret.txt",
    "/etc/passwd",
]
SECRET = b"DeconomiX GUI: configuration"
"""Stands in resources/default_config.toml, beside the folder of the assets."""


@pytest.mark.parametrize("name", TRAVERSALS)
@pytest.mark.parametrize(
    "route", ["/assets/", "/_dcx/download/", "/_dash-component-suites/dash/", "/_favicon.ico/", "/"]
)
def test_paths_in_addresses_lead_nowhere(program: Any, route: str, name: str) -> None:
    assert SECRET in Path(resource("default_config.toml")).read_bytes()
    for wanted in (name, name.replace("secret.txt", "default_config.toml")):
        answer = program.as_user("GET", route + wanted)
        assert b"root:" not in answer.body
        assert SECRET not in answer.body
    assert program.as_user("GET", "/assets/style.css").status == 200  # what may be had is had


@pytest.mark.parametrize("name", [n for n in TRAVERSALS[:3] if "secret" in n])
def test_paths_in_addresses_lead_out_where_they_are_joined_as_they_come(
    program: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The control of the test before: the very same addresses, with a server that puts folder and
    name together.
    """
    monkeypatch.setattr(
        "werkzeug.utils.safe_join", lambda folder, *parts: os.path.join(folder, *parts)
    )
    assert (
        SECRET
        in program.as_user(
            "GET", "/assets/" + name.replace("secret.txt", "default_config.toml")
        ).body
    )


NAMES = [
    "../x.csv",
    "..%2f..%2fx.csv",
    "%2fetc%2fpasswd",
    "a%00b.csv",
    "%ff%fe",
    "CON",
    "x" * 3000,
    "%F0%9F%98%80" * 300,
    "%E2%80%AEvsc.exe",
    "C:%5Cx.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_uploads_stay_in_the_folder(program: Any, name: str) -> None:
    answer = program.as_user("POST", f"/_dcx/upload?name={name}", b"x")
    assert answer.status == 200
    upload = program.application.uploads.get(json.loads(answer.body)["token"])
    assert upload.path.resolve().parent == program.application.uploads._folder.resolve()
    assert not set("/\\\0\u202e") & set(upload.name)


@pytest.mark.parametrize("on", [True, False])
def test_uploads_that_are_put_together_stay_in_their_folder(
    program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    """Files of one folder (10x) are laid side by side under the names that the browser gave them.

    The control: those names as they come.
    """
    if not on:
        monkeypatch.setattr(files, "safe_name", lambda name: name)
    uploads = program.application.uploads
    uploads._folder = tmp_path / "uploads"
    uploads._folder.mkdir()
    answers = [
        program.as_user("POST", f"/_dcx/upload?name={name}", b"x")
        for name in ("..%2f..%2fescaped.mtx", "barcodes.tsv")
    ]
    together = uploads.together([json.loads(a.body)["token"] for a in answers])
    assert (tmp_path / "escaped.mtx").exists() is not on
    assert len(list(together.path.iterdir())) == (2 if on else 1)


IDS = [
    "../../outside",
    "..",
    "/etc/passwd",
    "20250520#191019#07c2e7ed/../../x",
    "*",
    "a\0b",
    "<script>",
    "",
    "x" * SESSION_ID,
]


@pytest.fixture
def tab(program: Any) -> Tab:
    return Tab(program.application)


@pytest.mark.parametrize("asked", IDS)
def test_ids_of_sessions_in_addresses_and_from_the_page_are_looked_up_and_never_made_a_path(
    tab: Tab, tmp_path: Path, asked: str
) -> None:
    from urllib.parse import quote

    mine = session_with(tab.application, "mine")
    sessions = tmp_path / "data" / "sessions"

    def elsewhere() -> set[Path]:
        return {p for p in tmp_path.rglob("*") if sessions not in (p, *p.parents)}

    before = elsewhere()
    known = {info.session_id for info in tab.application.sessions.list_sessions(actor=LOCAL)}
    tab.set({("dcx-location", "search"): f"?session={quote(asked)}"})
    show(tab, asked)
    tab.go("sessions")
    tab.set({("sessions-active", "cellRendererData"): {"value": asked, "timestamp": 1}})
    assert '"Default"' in tab.text("dcx-session-button")
    assert elsewhere() == before
    assert {
        info.session_id for info in tab.application.sessions.list_sessions(actor=LOCAL)
    } == known
    assert "Traceback" not in json.dumps(tab.notices)
    show(tab, mine.session_id)  # the control: an id that is known is followed
    assert '"mine"' in tab.text("dcx-session-button")


def test_an_id_longer_than_any_is_refused(tab: Tab) -> None:
    with pytest.raises(AssertionError, match="not what a page of this program sends"):
        show(tab, "x" * 100_000)


def session_file(tab: Tab, folder: Path) -> Path:
    """An exported session, taken away from the program."""
    made(tab.application, "sent to me")
    tab.go("sessions")
    [(name, data)] = export(tab, "sent to me")
    (folder / name).write_bytes(data)
    session_id = next(
        s.session_id
        for s in tab.application.sessions.list_sessions(actor=LOCAL)
        if s.name == "sent to me"
    )
    tab.application.sessions.delete_session(session_id, actor=LOCAL)
    return folder / name


@pytest.mark.parametrize("on", [True, False])
def test_an_id_in_a_session_file_becomes_no_path(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    """A file with such an id is refused.

    The control: an id that is believed leads out of the folder.
    """
    if not on:
        monkeypatch.setattr(header, "ID", re.compile(".*", re.DOTALL))
        monkeypatch.setattr(sessionfile, "file_name", lambda session_id: f"{session_id}.dcxsession")
        # the reading process has its defences on
        monkeypatch.setattr(tab.application.sessions._loader, "parser", InProcessParser())
    file = session_file(tab, tmp_path)
    known = json.loads(members(file)["header.json"])["id"]
    file.write_bytes(
        rebuilt(
            file,
            header=lambda head: head | {"id": "../outside"},
            manifest=lambda m: json.loads(json.dumps(m).replace(known, "../outside")),
        )
    )
    bring(tab, file)
    assert ("sent to me" in names(tab)) is not on
    tab.application.sessions.close(actor=LOCAL)
    assert (tab.application.config.sessions_folder.parent / "outside.dcxsession").exists() is not on


PARTS = [
    "../../outside.txt",
    "/tmp/outside.txt",
    "o/../../../outside.txt",
    "..\\outside.txt",
    "o/" + "0" * 31 + "/",
    "o/" + "0" * 32 + "\0.txt",
]


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_a_session_file_with_names_of_paths_are_refused(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Zip-slip: nothing is ever unpacked to disk, and a name that no part has is refused before.

    The control: the name is what is refused.
    """
    file = session_file(tab, tmp_path)
    good = members(file)
    hostile = tmp_path / "hostile.dcxsession"
    hostile.write_bytes(
        pack(
            [
                ("mimetype", good["mimetype"]),
                ("header.json", good["header.json"]),
                (name, b"x"),
                ("manifest", good["manifest"]),
            ]
        )
    )
    before = set(tmp_path.parent.rglob("*"))
    with pytest.raises(DamagedSession, match="part that no session has"):
        load(hostile)
    bring(tab, hostile)
    assert outcomes(tab)["hostile.dcxsession"][0] == "refused" or any(
        "part that no session has" in n for n in tab.notices
    )
    assert "sent to me" not in names(tab)
    assert {p for p in set(tmp_path.parent.rglob("*")) - before if "outside" in p.name} == set()
    monkeypatch.setattr(container, "OBJECT_NAME", re.compile(".*", re.DOTALL))
    with hostile.open("rb") as opened:
        assert container.Reader(opened).read(name, 10) == b"x"


CHAPTERS = [
    "../default_config.toml",
    "..%2fdefault_config.toml",
    "/etc/passwd",
    "dtd/../../default_config.toml",
    "a%00b",
    "__proto__",
]


@pytest.mark.parametrize("asked", CHAPTERS)
def test_a_chapter_of_the_guide_is_one_of_the_list(tab: Tab, asked: str) -> None:
    tab.go("help")
    tab.set({("dcx-location", "search"): f"?chapter={asked}"})
    assert book.chapters()[0].title in tab.text("help-text")
    tab.set({("dcx-location", "search"): "?chapter=dtd"})
    assert book.chapter("dtd").title in tab.text("help-text")


def test_a_chapter_that_is_read_by_its_name_leads_out(
    tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test before."""
    first, guide = book.chapters()[0], Path(resource("help"))
    # the second defence, which the same name meets behind the first
    with pytest.raises(ValueError, match="not the name of a resource"):
        resource(f"help/{CHAPTERS[0]}")
    monkeypatch.setattr(
        help_page,
        "chapter",
        lambda key: dataclasses.replace(first, text=(guide / key).read_text()) if key else first,
    )
    monkeypatch.setattr(help_page, "text", lambda shown: [shown.text])
    tab.go("help")
    tab.set({("dcx-location", "search"): f"?chapter={CHAPTERS[0]}"})
    assert SECRET.decode() in tab.text("help-text")


EVIL = [
    "../../outside",
    "/etc/cron.d/x",
    "..\\..\\x",
    "C:\\x",
    "a\u202efdp.exe",
    "con",
    "a" * 120,
    'a"; filename=x.exe',
    "..",
    "~/.bashrc",
]


@pytest.mark.parametrize("name", EVIL)
def test_names_of_sessions_make_no_paths_of_files_that_are_saved(tab: Tab, name: str) -> None:
    session = tab.application.sessions.create_session(name, actor=LOCAL)
    tab.go("sessions")
    [(file, data)] = export(tab, session.name)
    assert not set('/\\:\0"<>|?*\u202e') & set(file)
    assert file.endswith(".dcxsession")
    assert not file.startswith(".")
    assert data.startswith(b"PK")
    until(lambda: saved(tab.application, session.session_id))
    written = [p.name for p in tab.application.config.sessions_folder.rglob("*.dcxsession")]
    assert file_name(session.session_id) in written  # on our own disk a session is called by its id
    assert len(written) <= 2


def test_names_of_sessions_make_paths_where_they_are_not_cleaned(
    tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test before."""
    monkeypatch.setattr(downloads, "safe_name", lambda name: name)
    tab.application.sessions.create_session(EVIL[0], actor=LOCAL)
    tab.go("sessions")
    [(file, _)] = export(tab, EVIL[0])
    assert file == "../../outside.dcxsession"


GIVING = """
from dash import Input, html
from gui.files import CSV
from gui.plugin import Page

page = Page("giving", "Giving", "gives files away")

@page.layout
def layout(ctx):
    return html.Button("give", id=page.id.give)

@page.callback(Input(page.id.give, "n_clicks"), prevent_initial_call=True)
def give(ctx, clicks):
    ctx.files.save(ctx.session.name, b"x", CSV)
"""


@pytest.mark.parametrize("name", [*EVIL, "x\r\nSet-Cookie: a=b", "ü\x00.csv"])
def test_names_of_downloads_are_plain_and_split_no_header(tmp_path: Path, name: str) -> None:
    """Tables, figures and reports take this way; what a page proposes as a name may come from a
    session or a file.
    """
    config = Config.for_tests(tmp_path)
    (config.plugins_folder / "giving.py").write_text(
        GIVING.replace("ctx.session.name", repr(name)), encoding="utf-8"
    )
    application = create_app(config)
    try:
        tab = Tab(application)
        tab.go("giving")
        press(tab, "giving-give")
        [given] = tab.get("dcx-download", "data")
        answer = tab.client.get(given["url"], base_url="http://127.0.0.1:8050")
        assert answer.data == b"x"
        assert not set('/\\:\0"<>|?*\u202e\r\n') & set(given["name"])
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "a=b" not in answer.headers.get("Set-Cookie", "")
    finally:
        application.stop()


HANDED = [["relative.csv"], ["../x.csv"], ["a\0b"], "/etc/passwd", [7], {"0": "/x"}, None, [["/x"]]]


@pytest.mark.parametrize("paths", HANDED)
def test_paths_that_are_handed_over_are_whole_ones(
    program: Any, tmp_path: Path, paths: Any
) -> None:
    headers = {
        "Authorization": f"Bearer {program.application.guard.bearer}",
        "Content-Type": "application/json",
    }

    def hand(what: Any) -> int:
        return int(
            program.ask(
                "POST", HANDOVER, json.dumps({"paths": what}).encode(), headers=headers
            ).status
        )

    assert hand(paths) == 400
    assert (program.application.inbox.handed_over, program.application.uploads.offers) == (0, False)
    mine = tmp_path / "mine.csv"
    mine.write_text("x")
    assert hand([str(mine)]) == 200  # the control: what another start of the program gives is taken
    assert program.application.uploads.offers
    # no files: said in a sentence
    device = "C:/NUL" if sys.platform == "win32" else "/dev/zero"
    assert hand([str(tmp_path), str(tmp_path / "nowhere.csv"), device]) == 200
    assert len(program.application.inbox.announcements) == 3
    assert len(program.application.uploads.take_offered()) == 1


def test_every_place_that_takes_a_name_is_in_this_file() -> None:
    """Routes with a part that varies, and parameters of addresses: a new one has to be attacked
    here too.
    """
    code = "\n".join(
        p.read_text("utf-8")
        for p in (Path(resource("default_config.toml")).parents[1] / "gui").rglob("*.py")
    )
    assert set(re.findall(r'request\.args\.get\("(\w+)"', code)) == {"t", "name"}
    assert set(re.findall(r'parse_qs\(.*?\)\.get\("(\w+)"', code)) == {"session", "chapter"}
    assert re.findall(r"@server\.(?:get|post)\((.*)\)", code) == [
        "UPLOAD",
        "SIGN_OUT",
        "HANDOVER",
        'f"{DOWNLOAD}<token>"',
    ]
