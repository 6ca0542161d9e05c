"""Logs that hold no sample names.

Our own loggers write fixed sentences with ids, numbers and class names. What could carry the user's
data is kept out by the formatter, whoever logs: of an exception only its class and the places in
the code are written, of a library's record only who logged it and where, never its text. Imports
nothing heavy: the worker process uses it too.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any, TextIO, cast

FILE_NAME = "deconomix-gui.log"
MAX_BYTES = 1_000_000
BACKUPS = 4
_OURS = ("gui", "desktop")
CALLER: ContextVar[str] = ContextVar("caller", default="program")
"""The key of the page whose callback runs in this thread: the log of the cache names it."""
_CACHE = logging.getLogger("gui.cache")
_PLAIN = (str, int, float, bool, type(None), PurePath)


def get_logger(name: str) -> logging.Logger:
    """The logger of a module of ours (``get_logger(__name__)``).

    Log ids, kinds, numbers and states; never names out of the data.
    """
    ours = name in _OURS or name.startswith(tuple(f"{room}." for room in _OURS))
    return logging.getLogger(name if ours else f"gui.{name}")


def describe(value: object) -> object:
    """What may be written of a value: text, numbers and paths themselves, of all else (exceptions,
    frames, arrays) the class name.
    """
    return value if isinstance(value, _PLAIN) else type(value).__name__


def safe_traceback(error: BaseException) -> str:
    """The chain of exceptions with the places in the code, without their messages: those may name
    genes or samples.
    """
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if lines:
            lines.append("caused by")
        lines.append(type(current).__name__)
        lines += _frames(current.__traceback__)
        # of an error that comes from a process of gui/engine/parallel
        lines += getattr(current, "places_elsewhere", [])
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return "\n".join(lines)


def _frames(trace: TracebackType | None) -> list[str]:
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"  {_short(code.co_filename)}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return found if len(found) <= 40 else [*found[:20], "  ...", *found[-20:]]


def _short(file: str) -> str:
    """The end of a path: where in the code, without the user's folders."""
    return "/".join(PurePath(file).parts[-3:])


class SafeFormatter(logging.Formatter):
    """One record, one line (and the frames of an exception below it)."""

    def format(self, record: logging.LogRecord) -> str:
        # Built anew and not from record.message or record.exc_text: other handlers leave unsafe
        # text there.
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        line = (
            f"{clock} {record.levelname.lower()} {record.process} {record.name}:"
            f" {self._text(record)}"
        )
        error = record.exc_info[1] if record.exc_info else None
        return f"{line}\n{safe_traceback(error)}" if error is not None else line

    @staticmethod
    def _text(record: logging.LogRecord) -> str:
        if (
            not record.name.startswith(tuple(f"{room}." for room in _OURS))
            and record.name not in _OURS
        ):
            return f"a message from {_short(record.pathname)}:{record.lineno}"
        args = record.args
        if isinstance(args, Mapping):
            text = str(describe(record.msg)) % {key: describe(value) for key, value in args.items()}
        elif args:
            text = str(describe(record.msg)) % tuple(describe(value) for value in args)
        else:
            text = str(describe(record.msg))
        return text.replace("\r", "\\r").replace("\n", "\\n")


class _Quiet(logging.Handler):
    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written (disk full, file held by another program) must neither stop
        the program nor show a traceback.
        """


class _LogFile(_Quiet, RotatingFileHandler):
    """The log, which only its owner can read, also after it was rotated."""

    def _open(self) -> TextIOWrapper:
        return cast(
            TextIOWrapper,
            open(
                self.baseFilename,
                self.mode,
                encoding=self.encoding,
                errors=self.errors,
                opener=lambda file, flags: os.open(file, flags, 0o600),
            ),
        )


class _Console(_Quiet, logging.StreamHandler[TextIO]):
    """Where the log of the cache is shown as well."""


def start_logging(folder: Path, *, level: int = logging.INFO) -> Path | None:
    """Write the log to ``folder``, rotating, and catch exceptions nobody caught.

    Returns the file, or None where the folder cannot be written.

    Libraries are heard from level WARNING on. Calling it again moves the log.
    """
    stop_logging()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _LogFile(
            folder / FILE_NAME,
            maxBytes=MAX_BYTES,
            backupCount=BACKUPS,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError:
        return None
    if os.name == "posix":
        handler.acquire()
        try:
            (folder / FILE_NAME).chmod(0o600)
        except OSError:
            pass
        finally:
            handler.release()
    handler.setFormatter(SafeFormatter())
    logging.getLogger().addHandler(handler)
    for room in _OURS:
        logging.getLogger(room).setLevel(level)
    sys.excepthook = _uncaught
    return folder / FILE_NAME


def stop_logging() -> None:
    """Close the log that :func:`start_logging` opened, and that of the cache."""
    _remove(logging.getLogger(), _LogFile)
    _remove(_CACHE, _Console)
    _CACHE.setLevel(logging.NOTSET)
    if sys.excepthook is _uncaught:
        sys.excepthook = sys.__excepthook__


def _remove(logger: logging.Logger, kind: type[logging.Handler]) -> None:
    for handler in [h for h in logger.handlers if isinstance(h, kind)]:
        logger.removeHandler(handler)
        handler.close()


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        get_logger("gui").critical("an exception nobody caught", exc_info=(kind, error, trace))
    sys.__excepthook__(kind, error, trace)


# -- the log of the cache
# --------------------------------------------------------------------------------------------------


def start_cache_log(stream: TextIO | None = None) -> None:
    """From now on every access to the content of a session is written to the log and shown on
    ``stream`` (default: stderr).
    """
    _remove(_CACHE, _Console)
    handler = _Console(stream)
    handler.setFormatter(SafeFormatter())
    _CACHE.addHandler(handler)
    _CACHE.setLevel(logging.DEBUG)


def trace_cache(session_id: str, action: str, key: str, value: object = None) -> None:
    """Log one access, if that is wanted: who (see :data:`CALLER`) did what with which part of the
    session, and how large ``value`` is.

    action : "read", "write" or "delete"; key : a name of the program's, such as "dataset" or "run
    5f0c2a"; never one out of the data
    """
    if _CACHE.isEnabledFor(logging.DEBUG):
        _CACHE.debug("%s %s %s: %s (%s)", session_id, action, key, kind_of(value), CALLER.get())


def kind_of(value: object) -> str:
    """Shape or kind of a value in words: "12 x 8 float64", "DTDResult", "text of 12 characters".

    Nothing that is in it, no name, no key.

    Asks for shapes only: content that is still on disk stays there.
    """
    name = type(value).__name__
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(value)} bytes"
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return f"{name} of {len(value)}"
    try:
        return _kind_of_data(value) or name
    except Exception:  # noqa: BLE001 - a plug-in's own class may answer anything
        return name


def _kind_of_data(value: Any) -> str:
    """The same for datasets, their parts, runs and what has a shape; "" for all else.

    By name: nothing heavy is imported here.
    """
    name = type(value).__name__
    if name == "Dataset":
        parts = ", ".join(f"{role} {_extent(matrix)}" for role, matrix in value.parts().items())
        return f"{name}: {parts or 'empty'}"
    if name in ("Cells", "Bulk"):
        return f"{name}: {_extent(value.matrix)}"
    if name == "Matrix":
        return f"{name}: {_extent(value)}"
    if name == "Run":
        return f"{name}: {kind_of(value.result)}"
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
        return ""
    many = getattr(value, "dtypes", None) if len(shape) == 2 else None
    kinds = {_plain_type(t) for t in (many if many is not None else [value.dtype])}
    return " ".join(
        filter(
            None,
            [" x ".join(map(str, shape)), kinds.pop() if len(kinds) == 1 else "of several types"],
        )
    )


def _extent(matrix: Any) -> str:
    return f"{len(matrix.genes)} x {len(matrix.columns)}"


def _plain_type(dtype: Any) -> str:
    """``float64``, ``category``: what may stand in brackets (a fill value, names of fields) is left
    out.
    """
    return str(getattr(dtype, "name", type(dtype).__name__)).partition("[")[0]
