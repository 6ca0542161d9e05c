"""Where a session file is parsed first: in a reading process, whose end takes nothing else along.

The program repeats only what was read there to the end, within its time and its memory: the same
bounded steps on the same bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from gui.data.dataset import Matrix
from gui.data.readers.watchdog import BYTES_PER_SECOND, watched
from gui.errors import DamagedSession, JobError, SessionError, UnreadableFile, WorkerDied
from gui.jobs.reader import Reader
from gui.sessions import file
from gui.sessions.crypto import SessionKey
from gui.sessions.lazy import Origin
from gui.sessions.salvage import Salvaged, salvage
from gui.sessions.snapshot import Snapshot

SECONDS, WORK = 20.0, 5.0
"""Of the clock, and of the processor for what the program does again: beyond what the size of the
file allows for.
"""


class Parser(Protocol):
    """Says whether a session file can be read without harm. Called outside of all locks."""

    def check(self, path: Path, session_key: SessionKey | None, *, whole: bool) -> None:
        """Return if the file can be read without harm.

        Parameters
        ----------
        whole : with the values of large matrices, which are read only when needed otherwise.

        Raises
        ------
        DamagedSession
        SessionError
            It could not be parsed, which says nothing about the file.
        """
        ...

    def salvage(self, path: Path, session_key: SessionKey | None) -> Salvaged:
        """As :func:`gui.sessions.salvage.salvage`."""
        ...


class InProcessParser:
    """Without a reading process: on the command line and in tests.

    Reading itself checks everything, so nothing is to be done before.
    """

    def check(self, path: Path, session_key: SessionKey | None, *, whole: bool) -> None:
        if whole:
            file.load(path, session_key=session_key)

    def salvage(self, path: Path, session_key: SessionKey | None) -> Salvaged:
        return salvage(path, session_key)


@dataclass(frozen=True)
class ParseRequest:
    """What the reading process needs.

    Attributes
    ----------
    whole : with the values of large matrices.
    key : of an encrypted file, overwritten as soon as it is not needed any more.
    lock : as in its header.
    """

    path: Path
    whole: bool = True
    seconds: float = SECONDS
    key: bytearray = dataclasses.field(default_factory=bytearray, repr=False)
    lock: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, path: Path, session_key: SessionKey | None, *, whole: bool = True) -> ParseRequest:
        return (
            cls(path, whole, SECONDS)
            if session_key is None
            else cls(path, whole, SECONDS, session_key.key(), session_key.lock)
        )

    def session_key(self) -> SessionKey | None:
        return SessionKey(bytes(self.key), self.lock) if self.key else None

    def wipe(self) -> None:
        self.key[:] = bytes(len(self.key))
        self.key.clear()


class ProcessParser:
    """In a reading process."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def check(self, path: Path, session_key: SessionKey | None, *, whole: bool) -> None:
        self._ask(check_task, ParseRequest.of(path, session_key, whole=whole))

    def salvage(self, path: Path, session_key: SessionKey | None) -> Salvaged:
        found: Salvaged = self._ask(salvage_task, ParseRequest.of(path, session_key))
        return found

    def _ask(self, task: Any, asked: ParseRequest) -> Any:
        sealed = bool(asked.key)
        try:
            return self._reader(task, asked, name="This session")
        except SessionError:
            if sealed:
                self._reader.forget()
            raise
        except UnreadableFile as error:  # how a reader says that its process ended
            if _killed(error.__cause__):
                raise SessionError(
                    "This session could not be read, because the system ended the process that was"
                    " reading it, as it does when memory is short.",
                    advice="Close other programs and try again.",
                ) from None
            raise DamagedSession(
                "This session cannot be read: that took longer, or more memory, than any session of"
                " its size does."
            ) from None
        except JobError as error:
            raise SessionError(
                f"This session could not be read. {error}",
                advice="Close other programs and try again.",
            ) from None
        finally:
            asked.wipe()


def _killed(error: BaseException | None) -> bool:
    """Whether somebody outside ended the process, which says nothing about the file it was reading.

    Its own watchdog ends it with an exit code, and a fault of a library with another signal.
    """
    # Windows has no SIGKILL.
    signals = [getattr(signal, n) for n in ("SIGKILL", "SIGTERM") if hasattr(signal, n)]
    return isinstance(error, WorkerDied) and error.exit_code in {-number for number in signals}


# -- in the reading process
# --------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Import what reading needs."""
    import scipy.sparse  # noqa: F401


def check_task(dataset: object, params: ParseRequest, *, progress: object) -> None:
    """:meth:`Parser.check` as a task."""
    session_key = params.session_key()
    params.wipe()
    try:
        with watched([params.path], params.seconds):
            began = time.process_time()
            snapshot = file.load(
                params.path,
                session_key=session_key,
                origin=None if params.whole else Origin(params.path, session_key),
            )
            if time.process_time() - began > WORK + params.path.stat().st_size / BYTES_PER_SECOND:
                raise DamagedSession(
                    "This session takes longer to read than any session of its size does."
                )
            look_up(snapshot)
    finally:
        if session_key is not None:
            session_key.wipe()


def salvage_task(dataset: object, params: ParseRequest, *, progress: object) -> Salvaged:
    """:meth:`Parser.salvage` as a task."""
    session_key = params.session_key()
    params.wipe()
    try:
        with watched([params.path], params.seconds):
            found = salvage(params.path, session_key)
            look_up(found.snapshot)
            return found
    finally:
        if session_key is not None:
            session_key.wipe()


def look_up(snapshot: Snapshot) -> None:
    """Build every hash table once that pages will need for look-ups of labels and values.

    With numbers that were made to collide this takes forever: better in the reading process.
    """
    for labels in _labels(snapshot, set()):
        with contextlib.suppress(TypeError):  # a list among them
            labels.is_unique  # noqa: B018 - fills its table


def _labels(value: Any, seen: set[int], depth: int = 0) -> Iterator[pd.Index]:
    if id(value) in seen or depth > 40:
        return
    if isinstance(value, pd.Index):
        seen.add(id(value))
        yield value
    elif isinstance(value, Matrix):  # its values may be for later
        yield from _labels((value.genes, value.columns), seen)
    elif isinstance(value, pd.DataFrame):
        yield from _labels(value.index, seen)
        yield from _labels(value.columns, seen)
        yield from (
            pd.Index(value.iloc[:, k])
            for k in range(value.shape[1])
            if value.dtypes.iloc[k].kind in "iuO"
        )
    elif isinstance(value, pd.Series):
        yield from _labels(value.index, seen)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _labels(one, seen, depth + 1)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _labels(one, seen, depth + 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _labels(getattr(value, field.name), seen, depth + 1)
