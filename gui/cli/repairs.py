"""Repairs without a screen: what ``check`` proposes, what a file lists, tables of gene names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.errors import BadValues, DataError, InvalidParameter

if TYPE_CHECKING:
    import pandas as pd

    from gui.data.dataset import Dataset, Role
    from gui.data.load import LoadRequest
    from gui.data.readers.part import Part
    from gui.data.readers.read_cache import PartCache
    from gui.data.validation.log_base import Base
    from gui.data.validation.repairs import Repair

ROLES: tuple[Role, ...] = ("train", "test", "reference", "bulk")
BASES: tuple[Base, ...] = ("2", "e", "10")
NO_FIELDS = ("title", "sha256")
"""What ``check --json`` writes of a repair for the reader."""


def load_repaired(
    request: LoadRequest,
    *,
    proposed: bool = False,
    chosen: Sequence[Path] = (),
    tables: Sequence[str] = (),
    as_is: bool = False,
    log_bases: Sequence[str] = (),
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
    log_bases
        The bases of logarithms, ``BASE`` for all files or ``ROLE=BASE``; these are undone.

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
    from gui.data.readers.read_cache import PartCache
    from gui.data.validation.examine import LOGARITHMS, examine, with_proposed_repairs

    held = PartCache()
    repairs = [repair for path in chosen for repair in read_repairs(path)]
    sums: list[Repair] = []
    if tables:
        parts = held.read(request.files).whole()[0]
        mapped = [repair for text in tables for repair in by_table(text, parts)]
        sums = sums_of_transcripts(mapped, parts, repairs)
        repairs += mapped
    if repairs:
        request = request.model_copy(update={"repairs": tuple(repairs)})
    bases = bases_of_logarithms(log_bases, list(request.files))
    if proposed or bases:
        request = with_proposed_repairs(
            request, held=held, bases=bases, only_logarithms=not proposed
        )
    if not as_is:
        for finding in examine(request, held=held).findings:
            if finding.code in LOGARITHMS and finding.repair is None:
                raise BadValues(finding.message, advice=_SAY_BASE)
            if finding.code == "log-values":
                raise BadValues(
                    finding.message,
                    advice="Undo the logarithm with --repair, or take the values as they are with"
                    " --as-is.",
                )
    # after the look at the values: sums of logarithms need not look like any
    if added := [each for each in sums if each not in request.repairs]:
        request = request.model_copy(update={"repairs": (*request.repairs, *added)})
    try:
        return load_dataset(request, read_with=held.take), request.repairs
    except DataError as error:
        error.advice = " ".join(filter(None, (error.advice, _options_for(request, held))))
        raise


def _options_for(request: LoadRequest, held: PartCache) -> str:
    """The option that settles what was refused, in a sentence; "" if there is none."""
    from gui.data.validation.examine import examine, with_proposed_repairs
    from gui.knowledge.identifiers import ADVICE, Kind

    found = examine(request, held=held).findings
    if any(x.code == "gene-names" and x.advice == ADVICE[Kind.TRANSCRIPT] for x in found):
        return "Give this table with --map TABLE."
    repaired = with_proposed_repairs(request, held=held)
    left = examine(repaired, held=held).findings
    named = {role for role, choice in request.files.items() if choice.labels is not None}
    if any(x.code in _NO_TYPES and x.place.role not in named for x in left):
        return "A table of cells and cell types is given with --labels TABLE."
    settled = repaired != request and not any(x.severity == "refusal" for x in left)
    return "Or apply what check proposes with --repair." if settled else ""


_NO_TYPES = ("labels-unique", "no-labels")


_SAY_BASE = (
    "The values do not tell the base of the logarithm, and a wrong one gives wrong fractions. Say"
    " it with --log-base 2, e or 10: 2 is usual for bulk, e for tables of Scanpy and Seurat."
)


def bases_of_logarithms(texts: Sequence[str], roles: Sequence[Role]) -> dict[Role, Base]:
    """The base for each file, of ``BASE`` for all or ``ROLE=BASE``. InvalidParameter."""
    found: dict[Role, Base] = {}
    for text in texts:
        role, _, rest = text.rpartition("=")
        base = next((b for b in BASES if b == rest.strip().lower()), None)
        if base is None or (role and role not in ROLES):
            raise InvalidParameter(
                f"--log-base {text} is no base of a logarithm.",
                advice="Give 2, e or 10, or for one file bulk=2.",
            )
        found |= {r: base for r in roles if role in ("", r)}
    return found


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
    from gui.data.readers.text_table import read_text_table
    from gui.data.validation.repairs_genes import MapGenes
    from gui.knowledge.identifiers import holds_transcripts

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
        table, _ = read_text_table(path, path.name)
        columns = {r: _column_of(table, parts[r]) for r in wanted}
        of_transcripts = {str(c) for c in table.columns if holds_transcripts(table[c])}
        if of_transcripts:  # a tx2gene table: from transcripts to genes, never the other way
            wanted = [r for r in wanted if columns[r] in of_transcripts]
        else:
            wanted = [r for r in wanted if columns[r] not in ("", _target(columns))]
        if of_transcripts and not wanted:
            raise InvalidParameter(
                f"{path.name} names the genes of transcripts, but no file has these transcripts.",
                advice="Leave --map out, or give the tx2gene table of the annotation that was used"
                " to count.",
            )
        # names of the training cells alone lead to no other file
        if not wanted or (len(parts) > 1 and not any(columns[r] for r in parts if r != "train")):
            raise InvalidParameter(
                f"{path.name} holds no names of the one file with those of another.",
                advice="Give a table with the old gene names in one column and the new ones in"
                " another.",
            )
    return [MapGenes(role=r, by="table", table=path, table_name=path.name) for r in wanted]


def sums_of_transcripts(
    mapped: Sequence[Repair], parts: dict[Role, Part], chosen: Sequence[Repair]
) -> list[Repair]:
    """The repairs that add up the transcripts of a gene, for parts that are mapped from them.

    What was ``chosen`` for genes that occur more than once stays.
    """
    from gui.data.validation.repairs_genes import MergeGenes
    from gui.knowledge.identifiers import holds_transcripts

    settled = {each.role for each in chosen if isinstance(each, MergeGenes)}
    roles = dict.fromkeys(
        role
        for role in parts
        if any(each.fits(role) for each in mapped)
        and role not in settled
        and holds_transcripts(parts[role].matrix.genes)
    )
    return [MergeGenes(role=role, how="sum") for role in roles]


def _column_of(table: pd.DataFrame, part: Part) -> str:
    """The column with most of the part's gene names, "" if none has a tenth of them."""
    from gui.knowledge.identifiers import without_version

    names = {without_version(str(gene)) for gene in part.matrix.genes}
    hits = {
        str(c): len(names & {without_version(v) for v in (str(c), *table[c])})
        for c in table.columns
    }
    best = max(hits, key=lambda c: hits[c], default="")
    return best if best and hits[best] >= 0.1 * len(names) else ""


def _target(columns: dict[Role, str]) -> str:
    """The column with the names of the training cells, to which the others are brought."""
    others = {column for role, column in columns.items() if role != "train" and column}
    first = columns.get("train", "")
    return first if others - {first} else ""
