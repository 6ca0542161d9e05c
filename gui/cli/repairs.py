"""Repairs without a screen: what ``check`` proposes, what a file lists, tables of gene names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.errors import BadValues, InvalidParameter

if TYPE_CHECKING:
    from gui.data.dataset import Dataset, Role
    from gui.data.load import LoadRequest
    from gui.data.readers.read import Part
    from gui.data.validation.repairs import Repair

ROLES: tuple[Role, ...] = ("train", "test", "reference", "bulk")
NO_FIELDS = ("title", "sha256")
"""What ``check --json`` writes of a repair for the reader."""


def load_repaired(
    request: LoadRequest,
    *,
    proposed: bool = False,
    chosen: Sequence[Path] = (),
    tables: Sequence[str] = (),
    as_is: bool = False,
) -> tuple[Dataset, tuple[Repair, ...]]:
    """The dataset after its repairs, and these.

    Parameters
    ----------
    request
        The files.
    proposed
        Whether what ``check`` proposes is applied.
    chosen
        Files of repairs, as ``check --json`` prints them.
    tables
        Tables of gene names, ``TABLE`` or ``ROLE=TABLE``.
    as_is
        Take values that look logarithmic for linear ones.

    Raises
    ------
    InvalidParameter
        A file of repairs or a table is not there or is none.
    BadValues
        Values look logarithmic, and nothing says what to do with them.
    DataError
        As from :func:`gui.data.load.load_dataset`.
    """
    from gui.data.load import load_dataset
    from gui.data.readers.read_cache import Held
    from gui.data.validation.examine import examine, with_proposed_repairs

    held = Held()
    repairs = [repair for path in chosen for repair in read_repairs(path)]
    if tables:
        parts = held.read(request.files).whole()[0]
        repairs += [repair for text in tables for repair in by_table(text, parts)]
    if repairs:
        request = request.model_copy(update={"repairs": tuple(repairs)})
    if proposed:
        request = with_proposed_repairs(request, held=held)
    if not as_is:
        for finding in examine(request, held=held).findings:
            if finding.code == "log-values":
                raise BadValues(
                    finding.message,
                    advice="Undo the logarithm with --repair, or take the values as they are with"
                    " --as-is.",
                )
    return load_dataset(request, read_with=held.take), request.repairs


def read_repairs(path: Path) -> list[Repair]:
    """The repairs in a file: a JSON list of them, or what ``check --json`` prints."""
    from pydantic import TypeAdapter, ValidationError

    from gui.data.validation.registry import AnyRepair

    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InvalidParameter(
            f"There is no file {path}.", advice="Check the path given with --repairs."
        ) from None
    except (ValueError, RecursionError):
        raise InvalidParameter(f"{path} is no JSON.", advice=_WANTED) from None
    if isinstance(found, dict):
        found = found.get("repairs")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidParameter(f"{path} holds no list of repairs.", advice=_WANTED)
    plain = [{k: v for k, v in each.items() if k not in NO_FIELDS} for each in found]
    try:
        made = TypeAdapter(list[AnyRepair]).validate_python(plain)
    except ValidationError as error:
        at = next((int(p) for p in error.errors()[0]["loc"] if isinstance(p, int)), 0)
        raise InvalidParameter(f"Repair {at + 1} of {path} is not known.", advice=_WANTED) from None
    return list(made)


_WANTED = "Give the output of check --json, or its list of repairs."


def by_table(text: str, parts: dict[Role, Part]) -> list[Repair]:
    """The repairs that take gene names from a table.

    text : ``TABLE``, for the parts that have names of its first kind, or ``ROLE=TABLE``
    """
    from gui.data.validation.repairs_genes import MapGenes

    role, _, rest = text.partition("=")
    path = Path(rest if rest and role in ROLES else text)
    if not path.is_file():
        raise InvalidParameter(
            f"There is no file {path}.", advice="Check the path given with --map."
        )
    wanted = [r for r in ROLES if r in parts]
    if rest and role in ROLES:
        if role not in parts:
            raise InvalidParameter(f"--map is for {role}, but no such file is given.")
        wanted = [r for r in wanted if r == role]
    else:
        columns = {r: _column_of(path, parts[r]) for r in wanted}
        wanted = [r for r in wanted if columns[r] not in ("", _target(columns))]
        if not wanted:
            raise InvalidParameter(
                f"{path.name} holds no names of the one file with those of another.",
                advice="Give a table with the old gene names in one column and the new ones in"
                " another.",
            )
    return [MapGenes(role=r, by="table", table=path, table_name=path.name) for r in wanted]


def _column_of(path: Path, part: Part) -> str:
    """The column with most of the part's gene names, "" if none has a tenth of them."""
    from gui.data.readers.text_table import read_text_table
    from gui.data.validation.repairs_genes import VERSION

    names = {VERSION.sub(r"\1", str(gene)) for gene in part.matrix.genes} | set(part.matrix.genes)
    table, _ = read_text_table(path, path.name)
    hits = {str(c): int(table[c].isin(names).sum()) for c in table.columns}
    best = max(hits, key=lambda c: hits[c], default="")
    return best if best and hits[best] >= 0.1 * part.matrix.n_genes else ""


def _target(columns: dict[Role, str]) -> str:
    """The column with the names of the training cells, to which the others are brought."""
    others = {column for role, column in columns.items() if role != "train" and column}
    first = columns.get("train", "")
    return first if others - {first} else ""
