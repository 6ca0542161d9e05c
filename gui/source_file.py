"""Plug-in files: loaded from their source, never from a compiled file beside it, and only where
nobody else on this computer can change them.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from gui.errors import PluginError

_MOST_LINKS = 40


def load_source(name: str, path: Path) -> ModuleType:
    """The file as module ``name``, in ``sys.modules`` too.

    PluginError: it is no file, or others can change it; else whatever its code raises.

    ``__pycache__`` is not looked at: whoever may write there could have put other code into it.
    """
    for place in changeable_by_others(path):
        it = (
            "it"
            if place == path
            else f"the folder {place}"
            if place.is_dir()
            else f"{place}, which it leads to"
        )
        raise PluginError(
            f"other users of this computer can change {it}; whoever may write there could run code"
            " as you"
        )
    try:
        source = path.read_bytes()
    except OSError:
        raise PluginError("it cannot be read") from None
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    # parameters and results of classes defined in the file are found under this name
    sys.modules[name] = module
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def changeable_by_others(path: Path) -> Iterator[Path]:
    """What other users (but root) could change so that ``path`` leads to other content: itself, its
    folder, every folder above, and all that links lead to.

    Nothing on Windows, where who may write is not told by mode bits.
    """
    if not knows_who_may_write():
        return
    last: Path | None = None
    for place in _walked(path):
        found = place.lstat()
        if found.st_uid not in (0, os.geteuid()):
            yield place
        elif stat.S_ISLNK(found.st_mode):
            continue  # a link has no mode of its own: who owns it and the folder it lies in counts
        elif found.st_mode & stat.S_IWOTH and not (
            found.st_mode & stat.S_ISVTX and place != path.parent
        ):
            # of a folder such as /tmp (sticky) only who owns what lies in it can replace that
            yield place
        elif found.st_mode & stat.S_IWGRP and not _is_private_group(found.st_gid):
            yield place
        last = place
    if last is not None and not last.is_file():
        raise PluginError("it is no file")


def knows_who_may_write() -> bool:
    """Whether mode bits tell it on this system."""
    return os.name == "posix"


def _walked(path: Path) -> Iterator[Path]:
    """Every file, folder and link that the system comes by when it opens ``path``.

    PluginError: too many links; OSError: it leads nowhere.
    """
    at, rest, links = Path("/"), list(Path(os.path.abspath(path)).parts[1:]), 0
    yield at
    while rest:
        part = rest.pop(0)
        if part == "..":
            at = at.parent
            continue
        found = at / part
        yield found
        if found.is_symlink():
            links += 1
            if links > _MOST_LINKS:
                raise PluginError("it leads from link to link")
            target = Path(os.readlink(found))
            rest = [*(target.parts[1:] if target.is_absolute() else target.parts), *rest]
            at = Path("/") if target.is_absolute() else at
        else:
            at = found


def _is_private_group(group: int) -> bool:
    """Whether nobody but this user (and root) is in the group: many systems give every user a group
    of their own, which may write to all of theirs.
    """
    import grp
    import pwd

    try:
        user, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    own = group == 0 or (group == user.pw_gid and found.gr_name == user.pw_name)
    return own and set(found.gr_mem) <= {user.pw_name, "root"}
