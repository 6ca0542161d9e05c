"""One table: exception -> title, colour, what to do next.

The page and the command line both speak through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gui import errors as e


@dataclass(frozen=True)
class Words:
    """How an error class is shown. ``advice`` is used where the error brings none of its own."""

    title: str
    colour: str
    advice: str = ""


TABLE: dict[type[e.DeconomixError], Words] = {
    e.DeconomixError: Words(
        "This did not work", "red", "Try again; if it happens again, look into the log."
    ),
    e.DataError: Words("The data do not fit", "red", "Check the file and choose it again."),
    e.UnreadableFile: Words(
        "The file cannot be read",
        "red",
        "Choose another file, or export it again from the program it came from.",
    ),
    e.UnsafeFile: Words(
        "The file was refused", "red", "Ask whoever made it for the data as .h5ad or .csv."
    ),
    e.TooLarge: Words(
        "Not enough memory", "orange", "Choose fewer cells of each type, or close other programs."
    ),
    e.NoLabels: Words(
        "No cell types", "red", "Choose the column that holds the cell type of each cell."
    ),
    e.BadValues: Words(
        "Values that cannot be used",
        "red",
        "Give linear, non-negative expression values without gaps.",
    ),
    e.BadNames: Words("Gene names", "red", "Give each gene once, with a name."),
    e.EmptyColumn: Words("Nothing but zeros", "red", "Remove it, or use more genes."),
    e.NoCommonGenes: Words(
        "No common genes",
        "red",
        "Use the same kind of gene names (symbols or Ensembl IDs) in all files.",
    ),
    e.TooFewGenes: Words("Too few genes", "red", "Use more genes than there are cell types."),
    e.TooFewTypes: Words("Too few cell types", "red", "Give cells of at least two types."),
    e.CollinearTypes: Words("Cell types that look the same", "red", "Merge them or leave one out."),
    e.MissingGenes: Words(
        "Genes are missing",
        "orange",
        "Train again on the genes that are there, or give a bulk that has them all.",
    ),
    e.MissingPart: Words("Something is not there yet", "orange"),
    e.InvalidParameter: Words("Please check the parameters", "orange"),
    e.ProgramBusy: Words("The program is busy", "orange", "Try again in a moment."),
    e.TextTooLong: Words("The text is too long", "orange", "Shorten it."),
    e.EngineFailed: Words(
        "No solution found",
        "red",
        "Use more genes, fewer or merged cell types, or a larger λ₂.",
    ),
    e.SessionError: Words("Session", "orange"),
    e.UnknownSession: Words("Session not found", "orange", "You are in the default session now."),
    e.NameTaken: Words("Name in use", "orange", "Choose another name."),
    e.DefaultSession: Words("Default session", "orange", "Create a session of your own."),
    e.DamagedSession: Words("The session file is damaged", "red", "Use another copy of the file."),
    e.NewerSession: Words(
        "Session of a newer version", "orange", "Update the program and open the session again."
    ),
    e.WrongPassword: Words("Password", "orange", "Type the password of this session again."),
    e.PasswordDelay: Words("Password", "orange", "Wait, and type it again."),
    e.SessionLocked: Words("The session is locked", "orange", "Type its password to open it."),
    e.SessionConflict: Words(
        "The session was changed elsewhere",
        "orange",
        "Nothing was overwritten. Save a copy of your session.",
    ),
    e.SessionNotSaved: Words(
        "The session is not saved",
        "red",
        "It stays open in memory. Make room or save it to another folder.",
    ),
    e.BadUpdate: Words("The update was not installed", "red", "The program is as it was."),
    e.JobError: Words("The job failed", "red", "Run it again; the session is unchanged."),
    e.JobCancelled: Words("Cancelled", "gray"),
    e.WorkerDied: Words(
        "The job failed",
        "red",
        "Run it again; the session is unchanged. If it happens again, use fewer genes or mixtures:"
        " memory may be short.",
    ),
    e.ConfigError: Words("Configuration", "red", "Correct the file and start again."),
    e.PluginError: Words(
        "A plug-in page was left out", "orange", "Correct or remove the file in the plug-in folder."
    ),
}
UNEXPECTED = Words(
    "Something went wrong", "red", "Nothing was changed. Try again; the log has the details."
)


def words(error: BaseException) -> Words:
    """The table's entry for the error's class or its nearest ancestor."""
    return next((TABLE[cls] for cls in type(error).__mro__ if cls in TABLE), UNEXPECTED)


def sentence(error: BaseException) -> str:
    """What is wrong and what to do next, in plain words; never the text of an error we did not
    write.
    """
    entry = words(error)
    if not isinstance(error, e.DeconomixError):
        return f"An unexpected error occurred. {entry.advice}"
    advice = entry.advice if error.advice is None else error.advice
    return " ".join(filter(None, (_ended(str(error)), _ended(advice))))


def notice(error: BaseException) -> dict[str, Any]:
    """Arguments of ``ctx.notify`` for an error: stays until it is read."""
    entry = words(error)
    return {
        "message": sentence(error),
        "title": entry.title,
        "colour": entry.colour,
        "keep": entry.colour in ("red", "orange"),
    }


def _ended(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?)”" else text + "."
