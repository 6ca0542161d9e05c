"""The repairs the user has switched on: a list in a Store, kept with the form, each tied to the
file it was chosen for.

An entry is {"record": the repair, "token": of the file, "table": of the table it reads, or None}.
When that file is removed or another one takes its place, the entry no longer counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Input, Output, State
from pydantic import TypeAdapter, ValidationError

from gui.data.dataset import Role
from gui.data.validation.registry import AnyRepair
from gui.data.validation.repairs import Repair
from gui.errors import InvalidParameter
from gui.files import Uploads
from gui.pages.upload.base import PART_NAMES, PARTS, page
from gui.plugin import Context

Entry = dict[str, Any]
KEPT = "repairs_token"
"""Under this name the entries are kept with the form: they point to uploads of this process, so
they are not saved.
"""
STORE = page.id.repairs
REPAIRS = Input(STORE, "data")
REPAIRS_NOW = State(STORE, "data")
CHANGED = Output(STORE, "data", allow_duplicate=True)
TOKENS_NOW = [State(part.field.token_id, "data") for part in PARTS]

_ANY: TypeAdapter[Any] = TypeAdapter(AnyRepair)


def chosen_files(tokens: Sequence[str | None]) -> dict[str, str]:
    """Role -> token of its file."""
    return {part.role: token for part, token in zip(PARTS, tokens, strict=True) if token}


def file_of(role: str, files: Mapping[str, str]) -> str | None:
    """The file that a repair of this part hangs on: a .dcx brings other parts too, "types" hang on
    the training cells.
    """
    return files.get(role) or files.get("train") or next(iter(files.values()), None)


def entry(repair: Repair, files: Mapping[str, str], table: str | None = None) -> Entry:
    return {"record": repair.record(), "token": file_of(repair.role, files), "table": table}


def counting(entries: Sequence[Entry] | None, files: Mapping[str, str]) -> list[Entry]:
    """Those whose file is still chosen."""
    return [e for e in entries or [] if e["token"] in files.values()]


def repair_of(one: Entry, uploads: Uploads) -> Repair:
    """What an entry stands for.

    InvalidParameter for what no repair is; UnreadableFile if its table is gone.
    """
    # a path never comes from the browser
    record = {k: v for k, v in one["record"].items() if k not in ("table", "sha256")}
    if one.get("table"):
        upload = uploads.get(one["table"])
        record |= {"table": upload.path, "table_name": upload.name}
    try:
        repair: Repair = _ANY.validate_python(record)
    except ValidationError:
        raise InvalidParameter(
            "This repair is not known.", advice="Choose the file again."
        ) from None
    return repair


def repairs_of(
    entries: Sequence[Entry] | None, files: Mapping[str, str], uploads: Uploads
) -> tuple[Any, ...]:
    """All that count, in their order."""
    return tuple(repair_of(e, uploads) for e in counting(entries, files))


def with_repairs(
    ctx: Context, entries: Sequence[Entry] | None, more: Sequence[Entry], files: Mapping[str, str]
) -> list[Entry]:
    """The list with ``more`` at its end (what is in it already stays where it is), kept with the
    form.
    """
    made = counting(entries, files)
    made += [e for e in more if e not in made]
    return kept(ctx, made)


def without(
    ctx: Context, entries: Sequence[Entry] | None, place: int, files: Mapping[str, str]
) -> list[Entry]:
    """The list without its ``place``-th entry."""
    return kept(ctx, [e for i, e in enumerate(counting(entries, files)) if i != place])


def kept(ctx: Context, entries: list[Entry]) -> list[Entry]:
    ctx.session.keep_form(page.key, {KEPT: entries})
    return entries


def whose(role: str) -> str:
    """The part a repair is for, as shown."""
    return PART_NAMES.get(role, "All parts with cell types")


def said_of(
    repairs: Sequence[Repair], roles: Sequence[Role], done: Sequence[str]
) -> dict[int, str]:
    """Place of a repair -> what it did, from the sentences of an examination (by part, then by
    repair); empty where one could not be applied.
    """
    order = [i for role in roles for i, repair in enumerate(repairs) if repair.fits(role)]
    if len(order) != len(done):
        return {}
    found: dict[int, str] = {}
    for i, sentence in zip(order, done, strict=True):
        found[i] = f"{found[i]} {sentence}" if i in found else sentence
    return found
