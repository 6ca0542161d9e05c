"""Where the table begins in a text or a sheet: what separates its columns, which row is the header,
and what is above it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from gui.data.readers.textfile import DELIMITERS, SAMPLE, first_lines, numbered_records
from gui.errors import UnreadableFile

WANTED = (
    "The first line should hold the column names, the first column the gene names, separated by"
    " commas, semicolons or tabs."
)
TRUTH = frozenset({"true", "false"})
MISSING = [
    *("", "NA", "N/A", "NaN", "nan", "NULL", "null", "#N/A", "#NA", "-NaN", "-nan", "<NA>", "None"),
    *("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!"),
]
GROUPED_COMMA = re.compile(r"^\s*[-+]?[1-9]\d{0,2}([.'\s]\d{3})+,\d+\s*$")
_DECIMALS = re.compile(r"\s*[-+]?\d+[.,]\d+([eE][-+]?\d+)?\s*")
_NUMBER_WORDS = frozenset({"nan", "inf", "infinity"})
_LONGEST = 60
"""Characters of a number at most."""
_CORNER_TEXT = """
gene genes geneid genesymbol genesymbols genename genenames symbol symbols id ids idref name
names hugosymbol hgncsymbol ensembl ensemblid ensgid entrez entrezid probe probes probeid
feature features target targetid transcript transcriptid row rowname rownames index unnamed0 x
sample samples sampleid hybridizationref composite compositeelementref cell cells barcode
accession tracking trackingid chr chrom
"""
_CORNER = frozenset(_CORNER_TEXT.split())
"""Names of the first column, without case and marks: a row that begins so is a header."""
_SUMMARY = ("N_", "__")
_MOST_ABOVE = 100
"""Rows of a sheet that are looked at."""
_SAMPLE_BYTES = 1 << 24
_TABLE_BEGINS, _TABLE_ENDS = "!series_matrix_table_begin", "!series_matrix_table_end"


@dataclass(frozen=True)
class Layout:
    """Where the values are.

    Parameters
    ----------
    delimiter
        What separates the columns, "" in a sheet.
    header
        A name for every column, "" where there is none.
    skip
        Lines of the text, or rows of the sheet, above the first gene.
    missing_header
        Whether the first row is a gene already.
    above
        Further rows of names above the genes: their first field -> the others.
    texts
        Leading columns that are text whatever they hold (GCT).
    genes
        How many genes the file says that it holds.
    notes
        Kind of what was unusual -> a sentence.
    """

    delimiter: str
    header: list[str]
    skip: int
    missing_header: bool = False
    above: dict[str, list[str]] = field(default_factory=dict)
    texts: int = 1
    genes: int | None = None
    notes: dict[str, str] = field(default_factory=dict)


Row = tuple[int, list[str]]
"""A record, and the number of the line after it."""


def cut_series_matrix(text: str, name: str) -> tuple[str, bool]:
    """The table of a GEO series matrix file, and whether the text is one. Raises UnreadableFile."""
    if not text.startswith(("!Series_", "!Sample_")):
        if text.startswith(("^DATABASE", "^SERIES", "^SAMPLE", "^PLATFORM")):
            raise UnreadableFile(
                f"{name} is a SOFT file of GEO, not a table.",
                advice="Choose the series matrix file or the supplementary table of the study.",
            )
        return text, False
    start = text.find(_TABLE_BEGINS)
    if start < 0 and not any(line.startswith("!") for line in first_lines(text, 9)[1:]):
        return text, False  # only the corner is GEO's: CIBERSORT's mixtures begin so
    start = text.find("\n", start) + 1 if start >= 0 else 0
    end = text.find(_TABLE_ENDS, start)
    table = text[start : end if end >= 0 else len(text)] if start else ""
    if len([line for line in first_lines(table, 3) if line.strip()]) < 2:
        raise UnreadableFile(
            f"{name} is a series matrix file without values, as GEO has them for sequencing data.",
            advice=(
                "Choose the study's supplementary table, or the table of raw counts that NCBI"
                " offers on its page (RNA-seq counts)."
            ),
        )
    return table, True


def layout_of_text(text: str, name: str) -> Layout:
    """The layout of a text. Raises UnreadableFile."""
    lines, at = _first_lines_of_table(text)
    comments, body = lines
    if not any(line.strip() for line in body):
        raise UnreadableFile(
            f"{name} is not a table: it has comments only." if comments else _blank(name)
        )
    filled = [line for line in body if line.strip()]
    if len(filled) < 2:
        raise UnreadableFile(f"{name} is not a table: it has fewer than two lines.", advice=WANTED)
    late: int | None = None
    fitting: list[tuple[Layout, list[Row]]] = []
    for delimiter in DELIMITERS:
        rows = numbered_records(body, delimiter)
        found = _layout_of_rows(rows, delimiter)
        if found is None:
            continue
        layout, titles = found
        header_line = at + layout.skip - sum(h.count("\n") for h in layout.header)
        header_line += layout.missing_header  # the first gene is below what was skipped
        if titles is None or (titles and comments):
            late = header_line if late is None else late
            continue
        if comments:
            layout.notes["comment-lines"] = f"{_lines(comments)} above the table skipped."
        if titles:
            layout.notes["title"] = (
                f"The table begins on line {header_line}; what is above it"
                f" ({_shorten(titles[0])}) was left out."
            )
        fitting.append((layout, rows))
    if fitting:
        layout, _ = fitting[0] if len(fitting) == 1 else max(fitting, key=_splits)
        return replace(layout, skip=layout.skip + at)
    if late is not None:
        raise UnreadableFile(
            f"In {name} the table seems to begin on line {late}.",
            advice="Remove the lines above the header and choose the file again.",
        )
    raise UnreadableFile(
        f"{name} is not a table: its lines have different numbers of columns.", advice=WANTED
    )


def layout_of_sheet(rows: Sequence[Sequence[str]]) -> Layout | None:
    """The layout of a sheet, its rows being text and without empty ones; None for no table."""
    width = max((len(row) for row in rows), default=0)
    records: list[Row] = [
        (i + 1, [*row, *[""] * (width - len(row))]) for i, row in enumerate(rows[:_MOST_ABOVE])
    ]
    # R's missing corner is a row that begins further left in a text, but not in a sheet
    found = _layout_of_rows(records, "")
    if found is None or found[1] is None:
        return None
    layout, titles = found
    if titles:
        layout.notes["title"] = f"What is above the table ({_shorten(titles[0])}) was left out."
    return layout


def is_number(entry: str) -> bool:
    """Whether a field is a number, also one with a decimal comma, grouped thousands or percent."""
    if len(entry) > _LONGEST:
        return False
    text = entry.strip().removesuffix("%")
    try:
        float(re.sub(r"[,'\s]", "", text))
    except ValueError:
        return bool(GROUPED_COMMA.match(text))
    return text.lower().lstrip("+-") not in _NUMBER_WORDS


def plain(name: str) -> str:
    """Without case, blanks and marks."""
    return "".join(c for c in name.lower() if c.isalnum())


def _splits(found: tuple[Layout, list[Row]]) -> tuple[int, bool]:
    """How well the lines are split: columns of numbers, and whether the header names every one.

    A decimal comma splits numbers in two, but not the names above them.
    """
    layout, rows = found
    width = len(layout.header)
    body = [row for end, row in rows if end > layout.skip and len(row) == width][:30]
    numbers = sum(2 * sum(is_number(row[i]) for row in body) >= len(body) for i in range(width))
    header = next((row for end, row in rows if end == layout.skip), [])
    return numbers, not layout.missing_header and len(header) == width


# -- in a text
# --------------------------------------------------------------------------------------------------


def _first_lines_of_table(text: str) -> tuple[tuple[list[str], list[str]], int]:
    """The comments above the table and its first lines; and how many lines come before these.

    A header that begins with # is none: the line after it holds values, as many as it has names.
    """
    comments: list[str] = []
    at = count = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        bare = line.lstrip(' "\t')
        if bare and not bare.startswith("#") and not bare.startswith("%"):
            break
        if bare.startswith("#") and _is_header(line, text[end + 1 : end + 100_000]):
            break
        if bare:
            comments.append(line)
        at, count = end + 1, count + 1
    lines = first_lines(text[at : at + _SAMPLE_BYTES])
    if len(text) - at > _SAMPLE_BYTES and 2 < len(lines) < SAMPLE:
        lines.pop()  # cut off
    return (comments, lines), count


def _is_header(line: str, rest: str) -> bool:
    following = rest.partition("\n")[0]
    for delimiter in ("\t", ",", ";"):
        names, values = line.split(delimiter), following.split(delimiter)
        if len(names) > 1 and len(values) - len(names) in (0, 1):
            return not following.startswith("#") and any(map(is_number, values[1:]))
    return False


# -- in rows
# --------------------------------------------------------------------------------------------------


def _layout_of_rows(rows: Sequence[Row], delimiter: str) -> tuple[Layout, list[str] | None] | None:
    """The layout, and the titles above the table (None: something that is none stands there)."""
    if len(rows) < 2:
        return None
    width = len(rows[-1][1])
    start = len(rows)
    while start and len(rows[start - 1][1]) == width:
        start -= 1
    block, above = list(rows[start:]), list(rows[:start])
    if above and len(above[-1][1]) == width + 1 and not above[-1][1][-1].strip():
        end, names = above.pop()  # a delimiter ends the header, but no line below
        block.insert(0, (end, names[:-1]))
    if width < 2 or (len(block) < 2 and not (above and len(above[-1][1]) == width - 1)):
        return None
    titles = [" ".join(filter(None, row)) for _, row in above]
    strange = any(len(r) > 1 and is_number(r[-1]) and not _one_filled(r) for _, r in above)
    one = len(above) == 1 and width == 2 and _is_word(above[0][1][0])
    if above and len(above[-1][1]) == width - 1 and (one or not _one_filled(above[-1][1])):
        # R's write.table leaves the corner cell out, or a delimiter ends every line but the header
        end, names = above[-1]
        spare = all(not row[-1].strip() for _, row in block) and plain(names[0]) in _CORNER
        if not _has_values([row for _, row in block]):
            return None
        strange = any(len(r) > 1 and is_number(r[-1]) for _, r in above[:-1])
        layout = Layout(delimiter, [*names, ""] if spare else ["", *names], end)
        return layout, None if strange else titles[:-1]
    while len(block) > 2 and _one_filled(block[0][1]):
        titles.append(block.pop(0)[1][0])
    body = [row for _, row in block]
    names_above = next((i for i, row in enumerate(body) if _is_data(row)), len(body))
    if names_above == len(body) and any(_truth(v) for row in body[1:] for v in row[1:]):
        names_above = 1
    if names_above == len(body):
        return None
    ends = [end for end, _ in block]
    if names_above == 0:
        if not _has_values(body):
            return None
        if _is_gene(body):
            skip = rows[len(rows) - len(block) - 1][0] if titles else 0
            layout = Layout(delimiter, [""] * width, skip, missing_header=True)
            return layout, None if strange else titles
        names_above = 1  # its samples have numbers for names
    if not _has_values(body[names_above:]):
        return None
    header, others, said = _header_of(body[:names_above])
    if names_above == 1 and header[0].strip() and plain(header[0]) not in _CORNER:
        numbers = [v for v in header[1:] if v.strip()]
        if all(map(is_number, numbers)):
            said["numeric-names"] = (
                f"The first line ({_shorten(' '.join(header[:4]))}) was read as the names of the"
                " columns. If it holds a gene, add a line with the names of the samples above it."
            )
    if header[0].lstrip().startswith("#"):
        header = [header[0].lstrip("# "), *header[1:]]
    layout = Layout(delimiter, header, ends[names_above - 1], above=others, notes=said)
    return layout, None if strange else titles


def _one_filled(row: Sequence[str]) -> bool:
    return bool(row[0].strip()) and not any(v.strip() for v in row[1:])


def _is_word(entry: str) -> bool:
    """Whether it may be the name of a single sample: a title has several words."""
    return bool(entry.strip()) and len(entry.split()) == 1 and not entry.lstrip().startswith("#")


def _truth(value: str) -> bool:
    return value.strip().lower() in TRUTH


def _is_data(row: Sequence[str]) -> bool:
    return any(is_number(v) for v in row[1:])


def _has_values(rows: Sequence[Sequence[str]]) -> bool:
    """Whether some column holds numbers in at least half of the rows: rules out a delimiter that
    merely occurs in names.
    """
    few = rows[:60]
    for at in range(len(rows[0]) - 1, 0, -1):
        column = [row[at] for row in few]
        numbers = sum(is_number(v) for v in column)
        good = sum(is_number(v) or v.strip() in MISSING or _truth(v) for v in column)
        if 2 * good >= len(column) and (numbers or any(map(_truth, column))):
            return True
    return False


def _is_gene(body: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is one of the genes although a header should be there."""
    first = body[0]
    if first[0].startswith(_SUMMARY):
        return True
    if not first[0].strip() or plain(first[0]) in _CORNER:
        return False
    texts = [i for i in range(len(first)) if _is_text([row[i] for row in body[1:20]])]
    if any(not first[i].strip() or plain(first[i]) in _CORNER for i in texts):
        return False  # samples called 101, 102 beside a column of names further on
    numbers = [v for v in first[1:] if is_number(v)]
    values = [i for i in range(1, len(first)) if any(is_number(r[i]) for r in body[1:20])]
    if len(numbers) < len(values):
        return False
    if any(_DECIMALS.fullmatch(v) for v in numbers):
        return True
    whole = [float(re.sub(r"[,'\s%]", "", v)) for v in numbers]
    if _same_form(first[0], [r[0] for r in body[1:20]]) or len(set(whole)) < len(whole):
        return True  # built like the other genes, or two samples would have one name
    if len(whole) > 2 and all(b - a == 1 for a, b in pairwise(whole)):
        return False  # samples called 1, 2, 3
    from gui.knowledge.gene_names import recognise

    known = {
        i: recognise([row[i] for row in body[1:20]]).known for i in texts if i and 0 not in texts
    }
    names = max(known, key=lambda i: known[i], default=0)
    return recognise([first[names if known.get(names, 0) > 0.5 else 0]]).known > 0


def _is_text(entries: Sequence[str]) -> bool:
    """Whether a column is filled with words."""
    return len(entries) > 2 and all(v.strip() and not is_number(v) for v in entries)


def _same_form(name: str, others: Sequence[str]) -> bool:
    """Whether the first name is built as all others are: ENSG00000000003 and ENSG00000000005."""

    def form(text: str) -> str:
        return re.sub(r"\d", "9", re.sub(r"[A-Za-z]", "a", text[:_LONGEST]))

    return len(name) > 5 and len(others) > 2 and all(form(other) == form(name) for other in others)


def _header_of(
    names: Sequence[list[str]],
) -> tuple[list[str], dict[str, list[str]], dict[str, str]]:
    """The row with the names of the columns, the other rows of text, and what is to be said."""
    if len(names) == 1:
        return names[0], {}, {}
    best: int | None = next((i for i in reversed(range(len(names))) if _all_differ(names[i])), None)
    if best is None and len(names) == 2:
        # a name that spans several columns stands in the first of them only
        upper, lower = _filled_on(names[0]), names[1]
        both = [
            f"{a}_{b}" if a.strip() and b.strip() else a + b
            for a, b in zip(upper, lower, strict=True)
        ]
        both[0] = lower[0] or upper[0]
        if _all_differ(both):
            said = "The names of the columns were put together from two rows."
            return both, {}, {"two-headers": said}
    chosen = len(names) - 1 if best is None else best
    others = {
        (row[0].strip() or f"row {i + 1}"): row[1:] for i, row in enumerate(names) if i != chosen
    }
    said = (
        f"The table has {len(names)} rows of names; the columns are called as in row {chosen + 1}"
        f" ({_shorten(next((v for v in names[chosen][1:] if v.strip()), ''))})."
    )
    return list(names[chosen]), others, {"two-headers": said}


def _all_differ(row: Sequence[str]) -> bool:
    filled = [v.strip() for v in row[1:] if v.strip()]
    return len(set(filled)) == len(filled) and 2 * len(filled) > len(row) - 1


def _filled_on(row: Sequence[str]) -> list[str]:
    made: list[str] = list(row[:1])
    for value in row[1:]:
        made.append(value if value.strip() or len(made) < 2 else made[-1])
    return made


def _lines(comments: Sequence[str]) -> str:
    return "1 line of comments" if len(comments) == 1 else f"{len(comments)} lines of comments"


def _shorten(text: str) -> str:
    plain_text = " ".join(text.split()).strip("\"' ")
    return plain_text if len(plain_text) <= 40 else plain_text[:39] + "…"


def _blank(name: str) -> str:
    return f"{name} is empty: it holds blank lines only."
