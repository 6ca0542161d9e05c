"""Names of samples from the names of their files, as the tools call these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

_PACKED = (".gz", ".bz2", ".xz", ".zip")
_ENDS = (
    *(".rna_seq.augmented_star_gene_counts", ".rna_seq.star_gene_counts"),
    *(".augmented_star_gene_counts", ".star_gene_counts", "readspergene.out"),
    *(".genes.results", ".isoforms.results", ".rsem.genes", ".rsem.isoforms", ".genes"),
    *(".isoforms", ".htseq.counts", ".htseq_counts", ".htseq-count", ".htseqcounts"),
    *(".htseq", ".featurecounts", ".gene_counts", ".gene.counts", ".gene_tpm"),
    *(".genecounts", ".rawcounts", ".raw_counts", ".counts", ".count", ".readcounts"),
    *(".fpkm-uq", ".fpkm", ".tpm", ".abundance", ".quant", ".results", "_htseq_counts"),
    *("_htseq", "_featurecounts", "_gene_counts", "_genecounts", "_rawcounts"),
    *("_raw_counts", "_counts", "_count", "_abundance", "_quant", "_fpkm", "_tpm"),
    *(".fpkm_tracking", "_gene_abund", ".gene_abund", "_gene_abundance", "_abund"),
    *("_readspergene", ".readspergene", "readspergene", "_star"),
)
"""Endings that say what a file holds, not which sample it is of; without case."""
_SUFFIXES = (
    *(".txt", ".tsv", ".csv", ".tab", ".sf", ".results", ".out", ".gct", ".xlsx", ".xlsm", ".xls"),
    *(".counts", ".count", ".dat"),
)
_GENERAL = frozenset(
    {"quant", "quant.genes", "abundance", "genes.fpkm_tracking", "t_data", "genes", "isoforms"}
)
"""Names that are the same for all samples; the folder is called after the sample then."""
_SEPARATORS = "._- "
_BARCODES = ("tcga-", "tcga.", "target-", "target.", "cptac-")


def sample_name(file: str) -> str:
    """The sample that a file is of: PT01 for PT01.genes.results and for PT01/quant.sf."""
    path = PurePosixPath(file.replace("\\", "/"))
    stem = _stem(path.name)
    if stem.lower() in _GENERAL and path.parent.name:
        return path.parent.name
    return stem or path.name


def sample_names(files: Sequence[str]) -> list[str]:
    """Names of the samples of several files, without what they have in common.

    A common beginning or ending is cut only where a section (after a dot, dash or underscore) ends.
    Barcodes such as TCGA-A1-A0SB-01A stay whole: other tables know them by their beginning.
    """
    names = [sample_name(file) for file in files]
    if len(set(names)) < len(names):  # the same in every folder
        names = [
            f"{PurePosixPath(f.replace(chr(92), '/')).parent.name}_{n}".strip("_")
            for f, n in zip(files, names, strict=True)
        ]
    if len(names) < 2 or all(name.lower().startswith(_BARCODES) for name in names):
        return names
    front = _common(names)
    back = _common([name[::-1] for name in names])
    shortest = min(map(len, names))
    if front + back < shortest:
        cut = [name[front : len(name) - back] for name in names]
    else:
        cut = [name[front:] for name in names]
    good = all(cut) and len(set(cut)) == len(set(names)) and any(map(str.isalpha, "".join(cut)))
    if not good:  # numbers alone would be hard to find in other tables
        cut = [name[: len(name) - back] if back < shortest else name for name in names]
        good = all(cut) and len(set(cut)) == len(set(names))
    return cut if good else names


def _stem(name: str) -> str:
    lower = name.lower()
    for _ in range(4):
        before = len(lower)
        for end in (*_PACKED, *_SUFFIXES, *_ENDS):
            if lower.endswith(end) and len(lower) > len(end):
                lower = lower[: -len(end)]
        if len(lower) == before:
            break
    return name[: len(lower)].rstrip(_SEPARATORS) or name


def _common(names: Sequence[str]) -> int:
    """Characters that all begin with, to the end of a section."""
    first, last = min(names), max(names)
    at = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return max((i + 1 for i in range(min(at, len(first))) if first[i] in _SEPARATORS), default=0)
