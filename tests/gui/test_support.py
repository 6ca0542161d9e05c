"""The support bundle: it tells nothing of whose data it is about, and is saved as it was shown."""

from __future__ import annotations

import getpass
import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.diagnostics import selfcheck, support_bundle
from gui.diagnostics.support_bundle import Redactor, bundle, redactor, zipped
from gui.logs import start_logging, stop_logging
from gui.sessions.manager import LOCAL
from tests.gui.steps import press, session_with

USER, HOST, SESSION, SAMPLE = "anna.huber", "ward7-pc", "Melanoma Grabowski", "Sample 07"


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """A program in which everything tells: user, computer, home, sessions, files, and a log that
    says what no log of ours should.
    """
    home = tmp_path / USER
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", USER)
    monkeypatch.setattr(support_bundle.Path, "home", lambda: home)
    monkeypatch.setattr(getpass, "getuser", lambda: USER)
    monkeypatch.setattr(support_bundle.socket, "gethostname", lambda: f"{HOST}.hospital.example")
    monkeypatch.setattr(
        support_bundle,
        "examine",
        lambda *_, **__: [
            selfcheck.Check(
                "Data folder", True, f"{home / 'data' / 'sub'} is there, {home / 'data'} too"
            )
        ],
    )
    config = Config.for_tests(home)
    application = create_app(config)
    session_with(application, SESSION)
    application.settings.change(
        recent=(str(home / "Grabowski bulk.csv"),), folders={"data": str(home / "Grabowski")}
    )
    start_logging(config.logs_folder)
    log = logging.getLogger("gui.test")
    log.warning("read %s by %s", home / "Study of Grabowski" / f"{SAMPLE}.csv", USER)
    log.warning(
        "%s on %s opened “%s” in '%s' again", USER.upper(), HOST, SESSION, home / "x" / SAMPLE
    )
    log.warning("from /mnt/lab/Grabowski files/bulk.csv")
    log.warning("a plain line about 3/4 of 12 steps at http://127.0.0.1:8050/dtd")
    stop_logging()
    yield application
    application.stop()


def telling_words(application: Application) -> list[str]:
    return [
        USER,
        USER.upper(),
        HOST,
        "Grabowski",
        "Melanoma",
        SAMPLE,
        str(application.config.data_folder.parent),
        "/mnt/lab",
    ]


def inside(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        return "\n".join(
            [*found.namelist(), *(found.read(name).decode() for name in found.namelist())]
        )


def test_nothing_in_the_bundle_tells_who_or_whose(telling: Application) -> None:
    files = bundle(telling)
    text = inside(zipped(files))
    assert [word for word in telling_words(telling) if word in text] == []
    assert "[data folder]/…" in files["doctor.txt"]
    assert "a plain line about 3/4 of 12 steps at http://127.0.0.1:8050/dtd" in files["log.txt"]
    assert files["log.txt"].count("\n") == 4
    (info,) = [i for i in telling.sessions.list_sessions(actor=LOCAL) if i.name == SESSION]
    assert f"{info.session_id}, active" in files["sessions.txt"]


def test_without_redaction_the_same_bundle_tells_it_all(telling: Application) -> None:
    text = inside(zipped(bundle(telling, redact=str)))
    assert [word for word in telling_words(telling) if word not in text] == []


def test_config_and_settings_say_that_something_was_set_and_not_what(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "folders": {"data": "/srv/grabowski"},
            "server": {"port": 8050, "import_folders": ["/srv/x"]},
        }
    )
    shown = dict(support_bundle.plain_config(config))
    assert (
        shown["folders.data"],
        shown["folders.logs"],
        shown["server.import_folders"],
        shown["server.port"],
    ) == ("(set)", "''", "(set)", "8050")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("read '/h/u/my data/a.csv' now", "read '~/…' now"),
        ("in /h/u", "in ~"),
        ("in /h/u/a b c", "in ~/…"),
        ("in /h/users of all", "in [path]"),
        (r"C:\Users\u\x.csv", "[path]"),
        (r"\\server\share\x", "[path]"),
        ("gui/jobs/worker.py:12 in main", "gui/jobs/worker.py:12 in main"),
        ("Uwe and uwe_2, not Uwes", "[user] and [user]_2, not Uwes"),
    ],
)
def test_lines(line: str, shown: str) -> None:
    assert Redactor({"/h/u": "~"}, {"uwe": "[user]"})(line) == shown


def test_the_real_checks_pass_through_unharmed(application: Application) -> None:
    """The one with the real self-check, its analysis in a process of its own."""
    files = bundle(application)
    assert "8 of 8 numbers as expected" in files["doctor.txt"]
    assert str(application.config.data_folder) not in inside(zipped(files))
    assert "torch = 2.13.0" in files["versions.txt"]


def test_it_is_read_in_the_page_and_saved_as_it_was_read(
    telling: Application, open_tab: Any
) -> None:
    tab = open_tab(telling)
    press(tab, "dcx-help-support")
    assert tab.get("dcx-support-save", "disabled") is False
    names = tab.get("dcx-support-file", "data")
    shown = {}
    for name in names:
        tab.set({("dcx-support-file", "value"): name})
        shown[name] = tab.get("dcx-support-text", "children")
    log = telling.config.logs_folder / "deconomix-gui.log"
    log.write_text("a line that was written later\n")
    press(tab, "dcx-support-save")
    ((name, data),) = tab.downloaded()
    assert name == "DeconomiX support bundle.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert {each: found.read(each).decode() for each in found.namelist()} == shown
    assert tab.get("dcx-support", "opened") is False


def test_a_bundle_that_is_gone_is_said(telling: Application, open_tab: Any) -> None:
    tab = open_tab(telling)
    press(tab, "dcx-support-save")
    assert "not there any more" in tab.notices[-1]


def test_logs_are_shown_with_their_folder_and_without_names(
    telling: Application, open_tab: Any
) -> None:
    tab = open_tab(telling)
    press(tab, "dcx-help-logs")
    assert tab.get("dcx-logs", "opened") is True
    assert str(telling.config.logs_folder) in tab.get("dcx-logs-place", "children")
    text = tab.get("dcx-logs-text", "children")
    assert "a plain line" in text
    assert [word for word in telling_words(telling) if word in text] == []


def test_a_short_user_name_is_not_looked_for(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support_bundle, "_users", lambda: {"a"})
    assert redactor(application)("a line") == "a line"
