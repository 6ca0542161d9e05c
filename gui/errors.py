"""One tree of errors, named by meaning.

``str(error)`` is a plain sentence for the user: what is wrong and where. What to do next stands in
the one table in ``gui/notify.py``; where the place that raises knows better, it passes ``advice``.
No error carries a traceback to the user.
"""

from __future__ import annotations


class DeconomixError(Exception):
    """The root. ``str(error)`` is a sentence; ``advice`` (optional) says what to do next."""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice

    @property
    def full_text(self) -> str:
        """The sentence, and the advice of the place that raised it."""
        return " ".join(filter(None, (str(self), self.advice)))


class DataError(DeconomixError):
    """Something is wrong with the user's data."""


class UnreadableFile(DataError):
    """The file cannot be read as what it claims to be: missing, empty, damaged, of another kind."""


class UnsafeFile(UnreadableFile):
    """The file contains what a data file of this kind never contains, or exceeds a limit; nothing
    of it was run.
    """


class TooLarge(DataError):
    """What was chosen of a file needs more memory than is free."""


class NoLabels(DataError):
    """Single cells without a column of cell-type labels, or a label column that does not exist."""


class BadValues(DataError):
    """Missing, infinite, negative or non-numeric values."""


class BadNames(DataError):
    """Missing or duplicated gene names."""


class EmptyColumn(DataError):
    """A cell, type or sample whose values are all zero over the genes in use."""


class NoCommonGenes(DataError):
    """The parts share no gene."""


class TooFewGenes(DataError):
    """Fewer genes than cell types, or fewer than the analysis needs."""


class TooFewTypes(DataError):
    """Fewer than two cell types."""


class CollinearTypes(DataError):
    """Two or more cell types whose profiles cannot be told apart."""


class MissingGenes(DataError):
    """A bulk lacks genes that the trained model uses."""


class MissingPart(DataError):
    """A part (training data, bulk, DTD run) that the step needs is not there."""


class InvalidParameter(DeconomixError):
    """A parameter outside of what is allowed."""


class ProgramBusy(DeconomixError):
    """Too much is going on at once: nothing was begun."""


class TextTooLong(InvalidParameter):
    """A text that a user sent is longer than any may be."""


class EngineFailed(DeconomixError):
    """The numerical engine found no solution."""


class SessionError(DeconomixError):
    """Something is wrong with a session."""


class UnknownSession(SessionError):
    """No session has this id."""


class NameTaken(SessionError):
    """Another session has this name."""


class DefaultSession(SessionError):
    """The default session holds no data and can be neither renamed nor deleted."""


class DamagedSession(SessionError):
    """A session file that is damaged, was tampered with, or is no session file."""


class NewerSession(SessionError):
    """A session file written by a newer version of this program."""


class WrongPassword(SessionError):
    """A protected session, and no password, a wrong one, or one of before it was changed."""


class PasswordDelay(SessionError):
    """After wrong passwords the next one may be tried only later; it was not looked at."""


class SessionLocked(SessionError):
    """A protected session that this browser has not unlocked."""


class SessionConflict(SessionError):
    """The file on disk is not the one that was read or written last: another program changed it.

    Nothing was overwritten.
    """


class SessionNotSaved(SessionError):
    """The session could not be written; the file is as it was and the session stays in memory."""


class BadUpdate(DeconomixError):
    """An update's file was not signed by the program's makers, or could not be started."""


class JobError(DeconomixError):
    """A job could not be run."""


class JobCancelled(JobError):
    """The user cancelled the job."""


class WorkerDied(JobError):
    """The worker process ended in the middle of a job."""

    exit_code: int | None = None
    """Of the process; negative: the number of the signal that ended it."""


class ConfigError(DeconomixError):
    """The configuration file holds an unknown key or a wrong value."""


class PluginError(DeconomixError):
    """A plug-in page cannot be used."""
