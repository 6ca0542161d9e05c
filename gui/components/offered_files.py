"""Files given from outside of the Upload page: which place of its form each takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gui.files import MODEL, REFERENCE, Upload
from gui.plugin import Context

PAGE = "upload"
"""Key of the page whose form keeps the files."""


def free_role(kept: Mapping[str, Any], name: str) -> str | None:
    """The first place that has no file yet, among those that this kind of file may take."""
    roles = (
        ("model",)
        if name.endswith((*MODEL.suffixes, *REFERENCE.suffixes))
        else ("train", "bulk", "test", "reference")
    )
    return next((role for role in roles if not kept.get(f"{role}_token")), None)


def place_file(ctx: Context, upload: Upload) -> str | None:
    """Put the file into the form that the session keeps; the place it took.

    None, and the user is told, where every place has a file.
    """
    role = free_role(ctx.session.form(PAGE), upload.name)
    if role is None:
        ctx.notify(
            f"{upload.name} was not taken: every place of the form has a file. Remove one, then"
            " choose it again.",
            keep=True,
        )
        return None
    ctx.session.keep_form(PAGE, {f"{role}_token": upload.token})
    return role
