"""Nothing of a protected session is on disk in clear: at no moment of its life, in no folder the
program writes to.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zstandard

from gui import atomic
from gui.data.dataset import Bulk, Cells, Dataset, Matrix, Source
from gui.engine.params import Params
from gui.engine.results import Run
from gui.errors import SessionConflict, SessionNotSaved
from gui.logs import start_cache_log, start_logging, stop_logging, trace_cache
from gui.sessions import file
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from gui.sessions.snapshot import PendingJob
from tests.sessions.samples import PASSWORD, WHEN, rich
from tests.waiting import until

A = Actor(browser="a")
VALUES = np.random.default_rng(4711).random(5000)
FRAME = re.compile(rb"\x28\xb5\x2f\xfd")
pytestmark = pytest.mark.usefixtures("cheap")


def in_clear(folder: Path, mark: str) -> list[str]:
    """Which files below hold the mark, or the bytes of :data:`VALUES`: as they are, in another
    encoding, or in any zstd frame of theirs, whole or cut off.
    """
    wanted = [mark.encode(), mark.encode("utf-16-le"), VALUES[:32].tobytes()]
    found = []
    for path in folder.rglob("*"):
        if mark in path.name:
            found.append(f"name {path}")
        if not path.is_file():
            continue
        raw = path.read_bytes()
        pieces = [raw]
        for frame in FRAME.finditer(raw):
            try:
                pieces.append(
                    zstandard.ZstdDecompressor().decompressobj().decompress(raw[frame.start() :])
                )
            except zstandard.ZstdError:
                continue
        if any(one in piece for piece in pieces for one in wanted):
            found.append(str(path.relative_to(folder)))
    return found


class Markers(Params):
    """Parameters of a plug-in, with a text."""

    text: str = ""


def telling(manager: SessionCacheManager, mark: str) -> str:
    """A session that tells the mark wherever a session can hold a text, and :data:`VALUES`."""
    genes, samples = (
        pd.Index([f"G{i}" for i in range(50)]),
        pd.Index([f"{mark} sample {i}" for i in range(100)]),
    )
    kinds = np.resize(np.array([f"{mark} cells", f"{mark} B"], dtype=object), 100)
    obs = pd.DataFrame(
        {"donor": [f"{mark} donor"] * 100, "group": pd.Categorical([f"{mark} group"] * 100)}
    )
    train = Cells(
        Matrix(VALUES.reshape(50, 100), genes, pd.Index([f"{mark} cell {i}" for i in range(100)])),
        kinds,
        obs,
    )
    bulk = Bulk(
        Matrix(VALUES.reshape(50, 100), genes, samples),
        pd.DataFrame({"g": [mark] * 100}, index=samples),
    )
    source = Source(
        "train",
        f"{mark}.h5ad",
        "h5ad",
        "ab" * 32,
        f"about {mark}",
        {"label": mark},
        (f"note {mark}",),
        (f"warning {mark}",),
    )
    session = manager.create_session(f"Session {mark}", actor=A)
    session.set_dataset(
        Dataset(
            train,
            None,
            bulk=bulk,
            name=f"name {mark}",
            description=mark,
            author=mark,
            sources=(source,),
        ),
        keep_runs=False,
    )
    for made in rich().runs:
        session.add_run(replace(made, title=f"{made.title} {mark}"))
    session.add_run(
        Run(
            "told",
            "cells",
            mark,
            WHEN,
            Markers(text=mark),
            {mark: VALUES, "t": pd.Series([mark])},
            rich().runs[0].provenance,
        )
    )
    session.keep_form("dtd", {"text": mark, mark: [mark]})
    session.notes = f"Notes {mark}"
    session.job_submitted(
        PendingJob(
            "job",
            "cells",
            f"Job {mark}",
            ("plugin", "task"),
            Markers(text=mark),
            {"dtd": "run0"},
            WHEN,
        )
    )
    return session.session_id


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Data, temporary files, logs and the current folder, all below one folder; everything is
    logged that can be.
    """
    for name in ("data", "tmp", "logs", "cwd", "out"):
        (tmp_path / name).mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(tmp_path / "cwd")
    start_logging(tmp_path / "logs", level=logging.DEBUG)
    start_cache_log()
    yield tmp_path
    stop_logging()


def life(
    home: Path,
    mark: str,
    *,
    password: str | None,
    look: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that can happen to a session, from protecting it on. password : None, and it is not
    protected; look : is told of each moment
    """
    made: list[SessionCacheManager] = []

    def program() -> SessionCacheManager:
        made.append(
            SessionCacheManager(
                home / "data",
                trace=lambda session, action, key, value: trace_cache(
                    session.session_id, action, key, value
                ),
            )
        )
        return made[-1]

    def opened(manager: SessionCacheManager) -> Any:
        if password is not None:
            manager.unlock_session(key, password, actor=A)
        return manager.get_session(key, actor=A)

    first = program()
    key = telling(first, mark)
    first.close(actor=LOCAL)
    manager = program()
    session = manager.get_session(key, actor=A)
    session.keep_form("dtd", {"text": f"{mark} 2"})
    manager.save_session(key, actor=A)  # a backup of what is not protected yet is made now
    if password is not None:
        manager.protect_session(key, password, hide_name=True, actor=A)
    look("protected")

    replaced = atomic.replace

    def watched(source: Path, target: Path) -> None:
        look("in the middle of a save")
        replaced(source, target)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "replace", watched)
        session.add_run(
            Run(
                "more",
                "cells",
                f"more {mark}",
                WHEN,
                Markers(text=mark),
                {mark: VALUES + 0.0},
                rich().runs[0].provenance,
            )
        )
        manager.save_session(key, actor=A)
        patched.setattr(atomic, "replace", full)
        session.notes = f"Not saved {mark}"
        with pytest.raises(SessionNotSaved):
            manager.save_session(key, actor=A)
        until(lambda: manager.save_state(key, actor=A)[0] == "not saved")
        look("after a save that failed")
    with monkeypatch.context() as patched:

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        patched.setattr(atomic, "replace", killed)
        patched.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            manager.save_session(key, actor=A)
    assert list((home / "data" / "sessions").glob("*.part"))
    look("after a save that was killed")
    manager.save_session(key, actor=A)
    (home / "out" / "out.dcxsession").write_bytes(manager.export_session(key, actor=A).data)
    if password is not None:
        manager.change_password(key, password, password + "!", actor=A)
        look("another password")
        manager.reencrypt_session(key, password + "!", password, actor=A)
    copy = manager.duplicate_session(key, actor=A).session_id
    manager.save_session(copy, actor=A)
    look("exported, another key, duplicated")
    manager.close(actor=LOCAL)

    manager = program()
    opened(manager).notes = f"The next day {mark}"
    manager.save_session(key, actor=A)  # with a backup
    assert list((home / "data" / "sessions" / "backups").glob("*.dcxsession"))
    look("a backup")
    (home / "data" / "sessions" / "x").mkdir()
    moved = manager.redirect_session(key, home / "data" / "sessions" / "x", actor=A)
    look("redirected")
    manager.delete_session(copy, actor=A)
    manager.archive_session(key, actor=A)
    look("archived and in the trash")
    manager.undo_delete(copy, actor=A)
    manager.restore_session(key, actor=A)
    manager.delete_session(copy, actor=A)
    assert not moved.exists()
    imported = manager.import_session(
        home / "out" / "out.dcxsession", actor=A, as_copy=True, password=password
    )
    manager.save_session(imported.session_id, actor=A)
    look("restored, imported")
    opened(manager).notes = f"Mine {mark}"
    manager.save_session(key, actor=A)

    other = program()
    opened(other).notes = f"Theirs {mark}"
    other.save_session(key, actor=A)
    manager.get_session(key, actor=A).notes = f"Mine again {mark}"
    with pytest.raises(SessionConflict):
        manager.save_session(key, actor=A)
    logging.getLogger("gui.test").error(
        "an error of %s", SessionNotSaved(f"The session {mark} could not be saved.")
    )
    manager.close(actor=LOCAL)
    other.close(actor=LOCAL)
    look("at the end, with a copy of the conflict")


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "control"])
def test_nothing_of_a_protected_session_is_ever_on_disk_in_clear(
    home: Path, protected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: of the same session without a password it is found at every moment."""
    mark, looks, found = f"Patientin{secrets.token_hex(8)}", [], []

    def look(moment: str) -> None:
        looks.append(moment)
        found.append((moment, in_clear(home, mark)))

    life(home, mark, password=PASSWORD if protected else None, look=look, monkeypatch=monkeypatch)
    assert len(looks) >= 9
    if protected:
        assert [(moment, files) for moment, files in found if files] == []
    else:
        assert all(files for _, files in found), found
        assert {Path(name).parts[0] for _, files in found for name in files} >= {"data", "out"}
    assert "session" in (home / "logs" / "deconomix-gui.log").read_text(encoding="utf-8")


def test_a_clear_backup_that_a_killed_program_left_goes_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = f"Patientin{secrets.token_hex(8)}"
    first = SessionCacheManager(tmp_path)
    key = telling(first, mark)
    first.close(actor=LOCAL)
    second = SessionCacheManager(tmp_path)
    second.get_session(key, actor=A).notes = f"again {mark}"
    second.save_session(key, actor=A)
    with monkeypatch.context() as patched:
        patched.setattr(file, "remove_backups", lambda *_: 0)  # as if it were killed just before
        second.protect_session(key, PASSWORD, hide_name=True, actor=A)
    second.close(actor=LOCAL)
    assert [Path(name).parent.name for name in in_clear(tmp_path, mark)] == ["backups"]
    (tmp_path / "sessions" / "backups" / f"{file.file_name(key)}.1.00000000.part").write_text(mark)
    third = SessionCacheManager(tmp_path)
    assert in_clear(tmp_path, mark) == []
    third.unlock_session(key, PASSWORD, actor=A)
    assert third.get_session(key, actor=A).notes == f"again {mark}"
    third.close(actor=LOCAL)
