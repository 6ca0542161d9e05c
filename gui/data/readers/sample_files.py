"""Several files of one sample each, chosen together, in a folder or in an archive, as one table."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.memory import available_memory
from gui.data.readers.archive import (
    ZARR,
    Member,
    is_workbook,
    may_be_table,
    names_in,
    read_members,
    unpack,
    zarr_store,
)
from gui.data.readers.column_kinds import is_summary_row
from gui.data.readers.columns_of_files import one_that_varies
from gui.data.readers.expression_table import (
    Origin,
    Table,
    read_table,
    table_of_text,
    table_of_workbook,
)
from gui.data.readers.layout import MISSING, Layout, layout_of_text
from gui.data.readers.measures import measure_in, sequenced_strand
from gui.data.readers.plain_columns import plain_columns
from gui.data.readers.sample_names import sample_names
from gui.data.readers.sniff import HEAD, looks_like, way_out
from gui.data.readers.textfile import after_lines, text_limit, text_of
from gui.errors import BadNames, DataError, UnreadableFile
from gui.text import number, shorten, some

MAX_FILES = 20_000
_SHARED = 0.9
"""Fraction of all genes that every file has to have: less is another annotation."""


def read_archive(path: Path, name: str, samples: Sequence[str] = ()) -> Table:
    """The table in a zip or tar, or the tables of one sample each as one. Raises UnreadableFile,
    BadValues, BadNames.
    """
    there = names_in(path, name)
    if any(PurePosixPath(member).name in ZARR for member in there):
        raise zarr_store(name)
    names = [m for m in there if may_be_table(m) and not is_sample_sheet(m)]
    if not names:
        raise UnreadableFile(
            f"{name} holds no table.", advice="Unpack it and choose the file with the values."
        )
    sheets = read_members(path, name, [m for m in there if is_sample_sheet(m)], text_limit())
    sheet = _sheet_text(next(sheets, None)) if any(map(is_sample_sheet, there)) else ""
    members = read_members(path, name, names, text_limit())
    if len(names) == 1:
        table = _table_of(next(iter(members)), samples)
        said = f"Read from {shorten(names[0])} in {name}."
        return replace(table, notes=(*table.notes, said), traits={**table.traits, "unpacked": said})
    try:
        joined = join_samples(members, names, name, sheet)
    except NoSampleFile as error:
        raise UnreadableFile(
            f"{name} holds {number(len(names))} files: {some(map(shorten, names), 4)}; {error}",
            advice="Unpack it and choose the file with the values.",
        ) from None
    if beside := [member for member in there if not may_be_table(member)]:
        said = f"Not read, as no tables: {some(map(shorten, beside), 4)}."
        joined = replace(joined, notes=(*joined.notes, said))
    return joined


def read_files(files: Sequence[tuple[Path, str]], samples: Sequence[str] = ()) -> Table:
    """Files chosen together, each with its name as shown. Raises as :func:`read_archive`."""
    sheet = _sheet_text(next(_read([f for f in files if is_sample_sheet(f[1])]), None))
    files = [f for f in files if not is_sample_sheet(f[1])]
    if len(files) == 1:
        return read_table(*files[0], samples=samples)
    if len(files) > MAX_FILES:
        raise UnreadableFile(f"More than {number(MAX_FILES)} files were chosen at once.")
    names = [name for _, name in files]
    try:
        return join_samples(_read(files), names, f"the {number(len(files))} files", sheet)
    except NoSampleFile as error:
        raise UnreadableFile(
            f"The files cannot be put together: {error}",
            advice="Choose only files of one sample each that were written by the same program.",
        ) from None


def _with_sample_ids(table: Table, files: Sequence[str], sheet: str) -> Table:
    """The table with its samples called as GDC's sample sheet calls them.

    files : names of the files, in the order of the samples; sheet : the sheet's text, "" for none
    """
    rows = [line.split("\t") for line in sheet.splitlines() if line.strip()]
    header = [name.strip() for name in rows[0]] if rows else []
    if not {"File Name", "Sample ID"} <= set(header):
        return table
    file, sample = header.index("File Name"), header.index("Sample ID")
    known = {r[file].strip(): r[sample].strip() for r in rows[1:] if len(r) == len(header)}
    found = [known.get(_plain_name(name), "") for name in files]
    if not all(found) or len(set(found)) < len(found) or len(found) != len(table.columns):
        return table
    said = f"The samples are called as in GDC's sample sheet ({found[0]})."
    traits = {**table.traits, "sample-sheet": said}
    return replace(table, columns=found, notes=(*table.notes, said), traits=traits)


def _plain_name(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name


def _sheet_text(member: Member | None) -> str:
    return _text_of(member)[0] if member is not None else ""


def is_sample_sheet(name: str) -> bool:
    """Whether a file is a sample sheet of GDC, by its name."""
    return _plain_name(name).lower().startswith("gdc_sample_sheet")


def folder_tables(folder: Path) -> list[Path]:
    """The files in a folder, and in the folders in it, that may be tables of one sample."""
    found = [
        path
        for pattern in ("*", "*/*", "*/*/*")
        for path in folder.glob(pattern)
        if path.is_file()
        and not path.is_symlink()
        and may_be_table(path.relative_to(folder).as_posix())
    ]
    return sorted(found)[: MAX_FILES + 1]


def _read(files: Sequence[tuple[Path, str]]) -> Iterator[Member]:
    for path, name in files:
        try:
            with open(path, "rb") as file:
                yield Member(name, unpack(file, text_limit(), name))
        except OSError:
            raise UnreadableFile(f"{name} cannot be read.") from None


def _table_of(member: Member, samples: Sequence[str] = ()) -> Table:
    if looks_like(member.data[:HEAD]) == "a ZIP or Excel file" and is_workbook(member.data):
        return table_of_workbook(member.data, member.name, samples=samples)
    text, notes = _text_of(member)
    return table_of_text(text, member.name, notes, samples)


def _read_like(
    member: Member, joined: _Joined | None
) -> tuple[str, Table | None, npt.NDArray[np.float64] | None]:
    """The text, and the values if it is like the first file, else the table."""
    text, notes = _text_of(member)
    if joined is not None and joined.template is not None:
        values = joined.template.values(text, member.name)
        if values is not None:
            return text, None, values
    return text, table_of_text(text, member.name, notes), None


def _text_of(member: Member) -> tuple[str, list[str]]:
    head = member.data[:HEAD]
    kind = looks_like(head)
    if not member.data:
        raise UnreadableFile(f"{member.name} is empty (0 bytes).")
    if kind != "text":
        raise UnreadableFile(
            f"{shorten(member.name)} is no table of text; it looks like {kind}.",
            advice=way_out(kind, member.name) or "Unpack it and choose the file inside.",
        )
    return text_of(member.data, member.name)


# -- files like the first one
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Template:
    """What is alike in files of one kind: of the next ones only two columns are read.

    Parameters
    ----------
    origin
        Where the values of the first file are.
    names
        Its column of gene names, as written.
    kept
        Rows that are of genes.
    """

    origin: Origin
    names: list[str]
    kept: npt.NDArray[np.int64]

    def values(self, text: str, name: str) -> npt.NDArray[np.float64] | None:
        """The values of a file like the first, None if it is another."""
        origin = self.origin
        at = origin.samples[0]
        if not self._has_layout(text, name):
            return None
        strands = [i for i, h in enumerate(origin.header) if _STRAND in h and _TPM not in h]
        wanted = sorted({at, *strands} if _is_strand(origin.header[at]) else {at})
        found = _columns_of(text, origin.layout, origin.genes, wanted)
        if found is None or found[0] != self.names:
            return None
        columns = found[1]
        if len(wanted) > 1:
            whole = next((i for i in wanted if origin.header[i].lower() == "unstranded"), at)
            other = [i for i in wanted if i != whole]
            if sequenced_strand(origin.header, columns, whole, other)[0] != [at]:
                return None
        return np.asarray(columns[at][self.kept])

    def _has_layout(self, text: str, name: str) -> bool:
        """Whether a file with other lines above its values is laid out as the first one."""
        origin = self.origin
        try:
            layout = layout_of_text(text, name)
        except DataError:
            return False
        at = origin.samples[0]
        same = (layout.delimiter, layout.skip, layout.missing_header, len(layout.header)) == (
            *(origin.layout.delimiter, origin.layout.skip, origin.layout.missing_header),
            len(origin.layout.header),
        )
        others = [i for i in range(len(layout.header)) if i != at]
        if not same or any(layout.header[i] != origin.layout.header[i] for i in others):
            return False
        return measure_in(layout.header[at]) == measure_in(origin.layout.header[at])


_STRAND, _TPM = "stranded", "pm_"


def _is_strand(name: str) -> bool:
    return _STRAND in name.lower() and _TPM not in name.lower()


def _template(table: Table, text: str) -> _Template | None:
    """Of the first file; None where it cannot be told which of its rows were kept."""
    origin = table.origin
    if origin is None or len(origin.samples) != 1:
        return None
    found = _columns_of(text, origin.layout, origin.genes, [origin.samples[0]])
    if found is None:
        return None
    names, columns = found
    kept = np.array(
        [i for i, n in enumerate(names) if n.strip() and not is_summary_row(n.strip())], dtype=int
    )
    own = [names[i].strip() for i in kept]
    values = columns[origin.samples[0]][kept]
    if own != table.genes or not np.array_equal(values, table.values[:, 0], equal_nan=True):
        return None
    return _Template(origin, names, kept)


def _columns_of(
    text: str, layout: Layout, genes: int, values: Sequence[int]
) -> tuple[list[str], dict[int, npt.NDArray[np.float64]]] | None:
    """Gene names and values as they are written, None where a value is no plain number."""
    begin, width = after_lines(text, layout.skip), len(layout.header)
    found = plain_columns(text[begin:], layout.delimiter, width, genes, values)
    if found is not None:
        return found[0], dict(zip(values, found[1], strict=True))
    handle = io.StringIO(text)
    handle.seek(begin)
    try:
        frame = pd.read_csv(
            handle,
            sep=layout.delimiter,
            header=None,
            usecols=[genes, *values],
            names=list(range(width)),
            dtype={genes: str} | dict.fromkeys(values, np.float64),
            na_values=dict.fromkeys(values, MISSING),
            keep_default_na=False,
            float_precision="round_trip",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError):
        return None
    return frame[genes].tolist(), {at: frame[at].to_numpy() for at in values}


# -- putting together
# --------------------------------------------------------------------------------------------------


def _tables_of(members: Sequence[Member]) -> list[Table]:
    """Those of several columns; empty where the first has one, or one cannot be read: the reader of
    all says which.
    """
    tables: list[Table] = []
    try:
        for member in members:
            tables.append(_table_of(member))
            if len(tables[0].columns) < 2:
                return []
    except DataError:
        return []
    return tables


class NoSampleFile(Exception):
    """The files are not of one sample each, or not of one kind: the sentence says which."""


@dataclass(eq=False)
class _Joined:
    """What was read so far.

    Parameters
    ----------
    genes
        Names of the rows, those of the first file; a name that repeats has its number beside it.
    values
        A column for each file, in the order of ``genes``; NaN where a file has no such gene.
    lacking
        File -> how many of the genes it lacks.
    more
        Genes that the first file lacks.
    """

    genes: list[tuple[str, int]]
    names: list[str]
    first: Table
    template: _Template | None = None
    values: list[npt.NDArray[np.float64]] = field(default_factory=list)
    lacking: dict[str, int] = field(default_factory=dict)
    more: set[tuple[str, int]] = field(default_factory=set)

    def add(self, file: str, table: Table) -> None:
        """Raises NoSampleFile where the genes are others."""
        if table.genes == self.names:
            self.values.append(table.values[:, 0])
            return
        keys = numbered(table.genes)
        at = {key: i for i, key in enumerate(keys)}
        # of a gene in one row here and in two there it cannot be told which row is which
        here, there = Counter(self.names), Counter(table.genes)
        unequal = {gene for gene in here.keys() & there.keys() if here[gene] != there[gene]}
        at = {key: i for key, i in at.items() if key[0] not in unequal}
        found = [at.get(key, -1) for key in self.genes]
        common = sum(i >= 0 for i in found)
        if common < _SHARED * max(len(keys), len(self.genes)):
            raise NoSampleFile(
                f"{shorten(file)} has other genes ({shorten(table.genes[0], 30)} …,"
                f" {number(len(keys))} of them) than the first file"
                f" ({shorten(self.names[0], 30)} …, {number(len(self.genes))}); only"
                f" {number(common)} are in both."
            )
        column = table.values[:, 0]
        self.values.append(np.array([column[i] if i >= 0 else np.nan for i in found]))
        if common < len(self.genes):
            self.lacking[file] = len(self.genes) - common
        self.more |= at.keys() - set(self.genes)


def join_samples(
    members: Iterable[Member], names: Sequence[str], name: str, sheet: str = ""
) -> Table:
    """One table of files of one sample each, genes united by name; sheet : text of GDC's sample
    sheet, by which the samples are called.

    Raises
    ------
    NoSampleFile
        A file has several samples, is of another kind, or has other genes.
    UnreadableFile
        More than fits into the memory.
    """
    measures = _measures_of_names(names)
    if len(measures) > 1:
        raise NoSampleFile(f"their names say that they hold {' and '.join(measures)}.")
    joined: _Joined | None = None
    kind: tuple[object, ...] = ()
    read: list[str] = []
    following = iter(members)
    first_two = list(islice(following, 2))
    one = one_that_varies(_tables_of(first_two))
    for member in chain(first_two, following):
        try:
            text, table, values = _read_like(member, joined)
        except DataError as error:
            raise NoSampleFile(f"{shorten(member.name)} cannot be read: {error}") from None
        if joined is not None and values is not None:
            joined.values.append(values)
            read.append(member.name)
            continue
        assert table is not None
        if one is not None:
            table = one.of(table) or table
        if len(table.columns) != 1 or table.samples_in_rows:
            raise NoSampleFile(
                f"{shorten(member.name)} is a table of {number(len(table.columns))} columns, not of"
                " one sample."
            )
        if joined is None:
            joined, kind = _Joined(numbered(table.genes), table.genes, table), kind_of(table)
            joined.template = _template(table, text) if one is None else None
            _check_room(len(table.genes), len(names), name)
        elif kind_of(table) != kind:
            raise NoSampleFile(
                f"{shorten(member.name)} is of another kind than {shorten(read[0])}"
                f" ({_difference(kind_of(table), kind)})."
            )
        joined.add(member.name, table)
        read.append(member.name)
    if joined is None:
        raise NoSampleFile("none of them can be read.")
    return _with_sample_ids(_united(joined, read), read, sheet)


def _united(joined: _Joined, files: Sequence[str]) -> Table:
    values = np.column_stack(joined.values)
    samples = sample_names(files)
    if double := [n for n, count in Counter(samples).items() if count > 1]:
        raise BadNames(
            f"Two of the files would be called {shorten(double[0])}.",
            advice="Give the files names that tell the samples apart.",
        )
    first = joined.first
    genes, texts = first.genes, dict(first.texts)
    said = (
        f"{number(len(files))} files of one sample each were put together"
        f" ({shorten(samples[0], 30)} to {shorten(samples[-1], 30)})."
    )
    notes, traits = [said], {"files-joined": said}
    for trait, sentence in first.traits.items():
        if trait in ("measure", "columns-left-out", "genes-column", "summary-rows", "no-header"):
            if trait == "no-header":
                sentence = "The files have no header; the samples are called after the files."
            notes.append(sentence)
            traits[trait] = sentence
    whole = ~np.isnan(values).any(axis=1) | np.isnan(values[:, 0])
    if joined.lacking or joined.more:
        out = int((~whole).sum()) if joined.lacking else 0
        without = [*([files[0]] if joined.more else []), *joined.lacking]
        files_said = some(map(shorten, without), 3)
        notes.append(
            f"{number(out + len(joined.more))} genes that not every file has were left out (lacking"
            f" in {files_said})."
        )
        traits["genes-lacking"] = notes[-1]
    if joined.lacking and not whole.all():
        kept = np.flatnonzero(whole)
        values, genes = values[kept], [genes[i] for i in kept]
        texts = {key: [column[i] for i in kept] for key, column in texts.items()}
    title = first.genes_title
    return Table(
        values, genes, samples, tuple(notes), texts=texts, traits=traits, genes_title=title
    )


def kind_of(table: Table) -> tuple[object, ...]:
    """What files of one kind have in common: the columns beside the values, the measure."""
    measure = table.traits.get("measure", "")
    return (
        "without a header" if "no-header" in table.traits else "with a header",
        f"columns {', '.join(sorted(table.texts))}" if table.texts else "no further columns",
        measure or _measure_of(table) or "values without a unit",
    )


def _measure_of(table: Table) -> str:
    """What the name of the values' column says, such as TPM."""
    origin = table.origin
    return measure_in(origin.header[origin.samples[0]]) if origin and origin.samples else ""


def _measures_of_names(names: Sequence[str]) -> list[str]:
    """What the names of files say of their values: counts and FPKM."""
    found = set()
    for name in names:
        base = PurePosixPath(name.replace("\\", "/")).name.lower()
        said = [m for m in ("fpkm-uq", "fpkm", "tpm", "counts") if m in base.replace("_", "-")]
        found |= set(said[:1])
    return sorted(found)


def numbered(genes: Sequence[str]) -> list[tuple[str, int]]:
    """Names with how often they were there before."""
    seen: Counter[str] = Counter()
    made = []
    for gene in genes:
        made.append((gene, seen[gene]))
        seen[gene] += 1
    return made


def _difference(kind: tuple[object, ...], other: tuple[object, ...]) -> str:
    a, b = next((a, b) for a, b in zip(kind, other, strict=True) if a != b)
    return f"{str(a).rstrip('.')} against {str(b).rstrip('.')}"


def _check_room(genes: int, files: int, name: str) -> None:
    free = available_memory()
    if free is not None and 24.0 * genes * files > free:
        raise UnreadableFile(
            f"{name} need about {24.0 * genes * files / 1e9:.1f} GB of memory, but only"
            f" {free / 1e9:.1f} GB are free."
        )
