"""Which columns of a table of expression are samples, and which one names the genes.

Tables that programs write hold more than samples: other names of the genes, their place and
length, results of a test, totals, the same sample in several units. Each column is recognised by
its name as the tools write it, then by its values beside those of the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gui.data.readers import column_names as names
from gui.data.readers.column_names import Reason
from gui.data.readers.columns_by_content import columns_by_content
from gui.data.readers.columns_by_name import built_alike, columns_by_name
from gui.data.readers.measures import one_measure, sequenced_strand
from gui.knowledge.gene_lists import Recognition
from gui.knowledge.gene_names import recognise
from gui.knowledge.identifiers import Kind

Column = npt.NDArray[np.float64] | Sequence[str]
"""Numbers, or text."""

_WHATEVER_ITS_NAME = ("row numbers", "detection p-values", "totals of the samples")
"""What the values alone tell."""


@dataclass(frozen=True)
class ColumnKinds:
    """What the columns of a table are.

    Parameters
    ----------
    genes
        Index of the column that names the genes.
    names
        Indices of the other columns of text.
    samples
        Indices of the samples.
    sample_names
        Their names.
    left_out
        Name of a numeric column that is no sample -> what it holds.
    notes
        Sentences on what was chosen, for the user.
    """

    genes: int
    names: tuple[int, ...]
    samples: tuple[int, ...]
    sample_names: tuple[str, ...]
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def classify_columns(
    header: Sequence[str],
    columns: Sequence[Column],
    stem: str,
    *,
    keep: frozenset[str] = frozenset(),
) -> ColumnKinds:
    """Say of every column what it is.

    Parameters
    ----------
    header
        Names of the columns, as they are in the file.
    columns
        Their values, arrays of numbers or lists of text, all of one length.
    stem
        Name of the file without its ending: the name of a single sample.
    keep
        Columns that the user says are samples.
    """
    text = [i for i, column in enumerate(columns) if not isinstance(column, np.ndarray)]
    numbers = [i for i in range(len(columns)) if i not in text]
    genes = choose_gene_column(header, columns, text)
    values = {i: np.asarray(columns[i], dtype=np.float64) for i in numbers if i != genes}
    reasons = columns_by_name(header, values, keep)
    left = [i for i in values if i not in reasons]
    of_genes = {i: values[i] for i in left if header[i] not in keep}
    empty = [i for i, column in of_genes.items() if np.isnan(column).all()]
    if len(empty) < len(of_genes):
        reasons |= dict.fromkeys(empty, "no values")
    series = built_alike(header, of_genes)
    told = columns_by_content({i: c for i, c in of_genes.items() if i not in reasons})
    reasons |= {
        i: reason for i, reason in told.items() if i not in series or reason in _WHATEVER_ITS_NAME
    }
    left = [i for i in values if i not in reasons]
    samples, sample_names, measure, other = one_measure(header, values, left, stem, keep)
    if len(samples) == 1 and other:
        samples, other = sequenced_strand(header, values, samples[0], other)
        measure = header[samples[0]]
    reasons |= dict.fromkeys(other, "another measure of the same samples")
    notes = []
    if measure:
        units = sorted({str(header[i]) for i in other})
        are = "is" if len(units) == 1 else "are"
        notes.append(f"{measure} is taken as the expression; {_some(units)} {are} left out.")
    return ColumnKinds(
        genes,
        tuple(i for i in text if i != genes),
        tuple(samples),
        tuple(_file_names(sample_names)),
        {str(header[i]): reason for i, reason in sorted(reasons.items())},
        tuple(notes),
    )


def choose_gene_column(
    header: Sequence[str], columns: Sequence[Column], text: Sequence[int]
) -> int:
    """The column that names the genes: symbols before IDs, known ones before unknown ones."""
    candidates = [i for i in text if not _is_place(header[i])]
    if 0 not in candidates and 0 not in text:
        candidates.insert(0, 0)  # Entrez IDs or the like: numbers that are names
    found: dict[int, Recognition] = {}
    for i in candidates:
        entries = _as_text(columns[i])
        filled = [entry for entry in entries if entry.strip()]
        if 2 * len(filled) > len(entries) and 20 * len(set(filled)) > len(filled):
            found[i] = recognise(filled)
    if not found:
        return 0
    symbols = [
        i
        for i, r in found.items()
        if Kind.SYMBOL in r.holds and (r.known > 0.3 or r.species == "mouse")
    ]
    if symbols:
        return max(symbols, key=lambda i: (round(found[i].known, 1), -i))
    no_names = (Kind.NUMBER, Kind.REGION, Kind.TRANSCRIPT)
    return max(found, key=lambda i: (found[i].known > 0.3, found[i].kind not in no_names, -i))


def is_summary_row(name: str) -> bool:
    """Whether a row counts reads of no gene, as HTSeq and STAR write them at the end or start."""
    return bool(names.SUMMARY.fullmatch(name))


def _is_place(name: str) -> bool:
    return names.plain(name) in names.POSITION


def _as_text(column: Column) -> list[str]:
    if isinstance(column, np.ndarray):
        return ["" if np.isnan(v) else f"{v:.15g}" for v in column]
    return [str(v) for v in column]


def _file_names(paths: Sequence[str]) -> list[str]:
    """Names of samples; of paths of alignments (featureCounts) what tells them apart."""
    if not paths or not all(names.BAM.search(path) for path in paths):
        return list(paths)
    short = [names.BAM_END.sub("", re.split(r"[/\\]", path)[-1]) for path in paths]
    if len(short) > 1:  # R writes a path with points: X.data.run1.PT01.sorted.bam
        cut = _common(short).rfind(".") + 1
        short = [name[cut:] for name in short]
    return short if len(set(short)) == len(short) and all(short) else list(paths)


def _common(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    at = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:at]


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
