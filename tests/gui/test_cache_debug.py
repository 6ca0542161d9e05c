"""``[debug] log_cache``: who reads, writes and deletes what of a session, on the console and in the
log; never a value, never a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config, Debug
from gui.logs import start_logging, stop_logging
from gui.sessions.manager import LOCAL
from tests.gui.steps import SHORT, press, run_dtd, session_with, show
from tests.gui.test_registry import PLUGIN, write
from tests.waiting import until

LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d debug \d+ gui\.cache: "
    r"(?P<session>\d{8}#\d{6}#[0-9a-f]{8}) (?P<action>read|write|delete) (?P<key>[a-z]+(?:"
    r" [a-z0-9_-]+)*): (?P<kind>.+) \((?P<who>[a-z]+)\)$"
)
NAME = "Patientin Müller 4711"
Lines = list[dict[str, str]]


@pytest.fixture
def logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[[bool], tuple[Application, Callable[[], tuple[str, str]]]]]:
    """The program with the log of the cache on or off, and what stands on stderr and in the log
    file.
    """
    made: list[Application] = []

    def begin(on: bool) -> tuple[Application, Callable[[], tuple[str, str]]]:
        config = Config.for_tests(tmp_path).model_copy(update={"debug": Debug(log_cache=on)})
        path = start_logging(config.logs_folder)
        assert path is not None
        write(config.plugins_folder, "census.py", PLUGIN)
        made.append(create_app(config))
        shown: list[str] = []

        def read() -> tuple[str, str]:
            shown.append(capfd.readouterr().err)
            return "".join(shown), path.read_text(encoding="utf-8")

        return made[-1], read

    yield begin
    for application in made:
        application.stop()
    stop_logging()


def parsed(text: str) -> Lines:
    """The lines of the cache; every one is as it should be."""
    found = []
    for line in text.splitlines():
        if "gui.cache" in line:
            match = LINE.match(line)
            assert match, line
            found.append(match.groupdict())
    return found


def had(lines: Lines, session_id: str, **wanted: str) -> bool:
    return any(
        line["session"] == session_id
        and all(re.fullmatch(pattern, line[key]) for key, pattern in wanted.items())
        for line in lines
    )


def test_every_access_is_printed_and_logged_with_who_did_it(
    logged: Any, open_tab: Callable[..., Any]
) -> None:
    application, read = logged(True)
    application.start()
    session = session_with(application, NAME)
    data = session.dataset
    assert data is not None
    tab = open_tab(application)
    show(tab, session.session_id)
    job = run_dtd(tab, SHORT)
    assert application.runner.wait(job, 90).state == "done"
    until(lambda: session.current("dtd"))
    tab.tick()
    tab.go("census")
    press(tab, "census-go")
    until(lambda: session.current("census"))
    tab.tick()
    session.notes = "about Patientin Müller"
    session.remove_run(job)
    console, logfile = read()
    for text in (console, logfile):
        lines, here = parsed(text), session.session_id
        assert had(
            lines,
            here,
            action="write",
            key="dataset",
            kind=r"Dataset: train \d+ x \d+.*",
            who="program",
        )
        assert had(lines, here, action="read", key="dataset", kind=r"Dataset: .*", who="upload")
        assert had(lines, here, action="write", key="form dtd", kind=r"dict of \d+", who="dtd")
        assert had(lines, here, action="write", key=f"job {job}", who="dtd")
        assert had(lines, here, action="write", key=f"run {job}", kind="DTDResult", who="program")
        assert had(lines, here, action="read", key=f"run {job}", kind="DTDResult", who="dtd")
        # the plug-in file
        assert had(lines, here, action="read", key=r"run [0-9a-f]+", kind="dict of 1", who="census")
        assert had(lines, here, action="write", key=r"job [0-9a-f]+", who="census")
        # the header and the navigation
        assert had(lines, here, action="read", key="dataset", who="dcx")
        assert had(
            lines, here, action="write", key="notes", kind="text of 22 characters", who="program"
        )
        assert had(lines, here, action="delete", key=f"run {job}", who="program")
        assert data.bulk is not None
        for secret in (
            NAME,
            "Müller",
            *map(str, data.bulk.samples),
            *data.types,
            *map(str, data.train.matrix.genes[:50]),
        ):  # type: ignore[union-attr]
            assert not re.search(
                rf"(?<!\w){re.escape(secret)}(?!\w)",
                "\n".join(line for line in text.splitlines() if "gui.cache" in line),
            ), secret
    assert parsed(console) == parsed(logfile)


def test_a_session_that_was_read_from_its_file_is_logged_too(
    logged: Any, open_tab: Callable[..., Any], tmp_path: Path
) -> None:
    first = create_app(Config.for_tests(tmp_path))
    session_id = session_with(first, NAME).session_id
    first.stop()
    application, read = logged(True)
    tab = open_tab(application)
    show(tab, session_id)
    assert had(
        parsed(read()[0]),
        session_id,
        action="read",
        key="dataset",
        kind="Dataset: .*",
        who="upload",
    )


def test_without_it_nothing_is_logged(logged: Any, open_tab: Callable[..., Any]) -> None:
    application, read = logged(False)
    session = session_with(application, NAME)
    tab = open_tab(application)
    show(tab, session.session_id)
    tab.set({("upload-description", "value"): "new"})
    assert (
        application.sessions.get_session(session.session_id, actor=LOCAL).form("upload")[
            "description"
        ]
        == "new"
    )
    for text in read():
        assert parsed(text) == []
        assert session.session_id not in text
