"""Sessions of the earlier DeconomiX GUI: a .pkl file or its folder, copied in.

Nothing in them is run.
"""

from __future__ import annotations

from gui.data.legacy.predecessor import SUFFIX, list_sessions, read_session_task
from gui.errors import DeconomixError, UnreadableFile
from gui.files import FileKind, Upload
from gui.plugin import Context
from gui.sessions import file
from gui.sessions.manager import Imported
from gui.sessions.predecessor import to_snapshot

EARLIER = FileKind("Session of the earlier DeconomiX GUI", (SUFFIX,))


def is_earlier(upload: Upload) -> bool:
    return upload.name.lower().endswith(SUFFIX)


def unfolded(ctx: Context, tokens: list[str]) -> list[str]:
    """A folder stands for all sessions in it, archived ones too."""
    found: list[str] = []
    for token in tokens:
        try:
            upload = ctx.uploads.get(token)
            if not upload.path.is_dir():
                found.append(token)
                continue
            ctx.uploads.forget(token)
            inside = list_sessions(upload.path)
            if not inside:
                raise UnreadableFile(
                    "There are no sessions of the earlier DeconomiX GUI in the folder"
                    f" {upload.name}.",
                    advice="Choose the folder named cache.",
                )
            found += [ctx.uploads.adopt(one.path).token for one in inside]
        except DeconomixError as error:
            ctx.notify_error(error)
    return found


def import_earlier(ctx: Context, upload: Upload, *, as_copy: bool = False) -> Imported:
    """Read the file in the reading process, then import it like a session file.

    An archived one goes to the archive.

    UnreadableFile, UnsafeFile: nothing happened.

    Raises
    ------
    UnreadableFile
    UnsafeFile
    """
    old = ctx.read(read_session_task, upload.path, name=upload.name)
    with ctx.uploads.scratch() as folder:
        path = folder / f"earlier{file.SUFFIX}"
        file.save(path, to_snapshot(old), expected_generation=None, generation=1)
        found = ctx.sessions.import_session(path, actor=ctx.actor, as_copy=as_copy)
    if old.archived and found.outcome in ("new", "copy"):
        ctx.sessions.archive_session(found.session_id, actor=ctx.actor)
    return found
