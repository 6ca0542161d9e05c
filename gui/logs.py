"""Logs that hold no sample names.

Our own loggers write fixed sentences with ids, numbers and class names. What could carry the user's data is kept out by the
formatter, whoever logs: of an exception only its class and the places in the code are written, of a library's record only who
logged it and where, never its text. Imports nothing heavy: the worker process uses it too.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path, PurePath
from types import TracebackType

FILE_NAME = "deconomix-gui.log"
MAX_BYTES = 1_000_000
BACKUPS = 4
_OURS = ("gui", "desktop")
_PLAIN = (str, int, float, bool, type(None), PurePath)


def get_logger(name: str) -> logging.Logger:
    """The logger of a module of ours (``get_logger(__name__)``). Log ids, kinds, numbers and states; never names out of the data."""
    ours = name in _OURS or name.startswith(tuple(f"{room}." for room in _OURS))
    return logging.getLogger(name if ours else f"gui.{name}")


def describe(value: object) -> object:
    """What may be written of a value: text, numbers and paths themselves, of all else (exceptions, frames, arrays) the class name."""
    return value if isinstance(value, _PLAIN) else type(value).__name__


def safe_traceback(error: BaseException) -> str:
    """The chain of exceptions with the places in the code, without their messages: those may name genes or samples."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if lines:
            lines.append("caused by")
        lines.append(type(current).__name__)
        lines += _frames(current.__traceback__)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
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
        # Built anew and not from record.message or record.exc_text: other handlers leave unsafe text there.
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        line = f"{clock} {record.levelname.lower()} {record.process} {record.name}: {self._text(record)}"
        error = record.exc_info[1] if record.exc_info else None
        return f"{line}\n{safe_traceback(error)}" if error is not None else line

    @staticmethod
    def _text(record: logging.LogRecord) -> str:
        if not record.name.startswith(tuple(f"{room}." for room in _OURS)) and record.name not in _OURS:
            return f"a message from {_short(record.pathname)}:{record.lineno}"
        args = record.args
        if isinstance(args, Mapping):
            text = str(describe(record.msg)) % {key: describe(value) for key, value in args.items()}
        elif args:
            text = str(describe(record.msg)) % tuple(describe(value) for value in args)
        else:
            text = str(describe(record.msg))
        return text.replace("\r", "\\r").replace("\n", "\\n")


class _QuietHandler(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written (disk full, file held by another program) must neither stop the program nor show a traceback."""


def start_logging(folder: Path, *, level: int = logging.INFO) -> Path | None:
    """Write the log to ``folder``, rotating, and catch exceptions nobody caught. Returns the file, or None where the folder cannot be written.

    Libraries are heard from level WARNING on. Calling it again moves the log.
    """
    stop_logging()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = _QuietHandler(folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", errors="backslashreplace")
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
    """Close the log that :func:`start_logging` opened."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _QuietHandler)]:
        root.removeHandler(handler)
        handler.close()
    if sys.excepthook is _uncaught:
        sys.excepthook = sys.__excepthook__


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        get_logger("gui").critical("an exception nobody caught", exc_info=(kind, error, trace))
    sys.__excepthook__(kind, error, trace)
