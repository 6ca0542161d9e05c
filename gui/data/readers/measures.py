"""Which measure a column holds (TPM, FPKM, counts of a strand), and which of several is taken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gui.data.readers import column_names as names
from gui.data.readers.columns_by_content import ENDS, likeness, of_filled

_STRANDS = next(
    rank for rank, (measure, _) in enumerate(names.MEASURES) if measure == "counts of one strand"
)

_CLC = re.compile(r"(?:\s\([GT]E\))?\s*-?\s*$")
"""What CLC Genomics Workbench writes between a sample and its measure: PT01 (GE) - TPM."""


def one_measure(
    header: Sequence[str],
    values: Mapping[int, npt.NDArray[np.float64]],
    left: Sequence[int],
    stem: str,
    keep: frozenset[str],
) -> tuple[list[int], list[str], str, list[int]]:
    """Samples, their names, the name of the chosen measure ("" if there is but one), the others.

    left : indices of the columns that may be samples; stem : of the file's name; keep : names that
    the user says are samples.
    """
    if keep:
        chosen = [i for i in left if header[i] in keep]
        return chosen, [header[i] for i in chosen], "", [i for i in left if i not in chosen]
    whole = {i: rank for i in left if (rank := measure_rank(header[i])) is not None}
    # one sample: gene_id, TPM, FPKM, expected_count, perhaps with something else beside them
    if left and (len(whole) == len(left) or (len(whole) > 1 and 2 * len(whole) >= len(left))):
        best = min(whole, key=lambda i: (whole[i], i))
        rest = [i for i in left if i != best]
        return [best], [stem], header[best] if rest else "", rest
    split = {i: found for i in left if (found := _split(header[i])) is not None}
    groups: dict[tuple[int, str], list[int]] = {}
    for i, (rank, word, _) in split.items():
        groups.setdefault((rank, word), []).append(i)
    stems = Counter(stem for group in groups.values() for stem in {split[i][2] for i in group})
    if 2 * len(split) >= len(left) and max(stems.values(), default=0) > 1:
        # samples in several measures: never two of them beside each other
        first = min(groups)
        if first[0] == _STRANDS:  # the genes are on the one with the reads
            totals = {
                key: sum(float(np.nansum(values[i])) for i in group)
                for key, group in groups.items()
                if key[0] == _STRANDS
            }
            first = max(totals, key=lambda key: totals[key])
        best_group = groups[first]
        rest = [i for i in left if i not in best_group]
        return best_group, [split[i][2] for i in best_group], first[1], rest
    if (twice := _measured_twice(header, values, left)) is not None:
        best_group, sample_names, measure = twice
        return best_group, sample_names, measure, [i for i in left if i not in best_group]
    one = next(iter(groups))[1] if len(groups) == 1 and len(split) == len(left) else ""
    if one in ("avg_signal", "avg signal", "signal"):
        return list(left), [split[i][2] for i in left], "", []
    return list(left), [header[i] for i in left], "", []


def _measured_twice(
    header: Sequence[str], values: Mapping[int, npt.NDArray[np.float64]], left: Sequence[int]
) -> tuple[list[int], list[str], str] | None:
    """The samples, their names and the measure, where columns are called like others with a measure
    beside: PT01 and PT01_TPM, PT01 and log2(PT01); None where none are.
    """
    bare = {header[i]: i for i in left}
    again: dict[str, dict[str, int]] = {}
    for i in left:
        found = names.TRANSFORMED.fullmatch(header[i][: names.LONGEST])
        if found and (of := found["of"] or found["of2"]) in bare:
            again.setdefault((found["how"] or found["how2"]).lower(), {})[of] = i
    for how, group in list(again.items()):  # P1_norm may be normal tissue, P1_LN a lymph node
        pairs = [np.column_stack([values[bare[of]], values[i]]) for of, i in group.items()]
        whole = [pair[np.isfinite(pair).all(axis=1)] for pair in pairs[:ENDS]]
        least = 0.995 if names.TISSUE_TOO.match(how) else 0.95
        same = [len(p) > 2 and likeness(of_filled(p))[0, 1] > least for p in whole]
        if measure_rank(how) is None and 2 * sum(same) <= len(same):
            del again[how]
    twice = {of for group in again.values() for of in group}
    plain_ones = [i for i in left if all(i not in group.values() for group in again.values())]
    if 2 * len(twice) < len(plain_ones) or not twice:
        return None
    ranks = {how: rank for how in again if (rank := measure_rank(how)) is not None and rank < 3}
    best = min(ranks, key=lambda how: ranks[how], default="")
    if best and len(again[best]) == len(plain_ones):
        return list(again[best].values()), list(again[best]), best
    return plain_ones, [header[i] for i in plain_ones], "The plain value"


def sequenced_strand(
    header: Sequence[str],
    values: Mapping[int, npt.NDArray[np.float64]],
    chosen: int,
    other: list[int],
) -> tuple[list[int], list[int]]:
    """Of STAR's counts those of one strand, if the other one has hardly any reads."""
    strands = [i for i in other if names.STRAND.fullmatch(header[i].strip().lower())]
    if header[chosen].strip().lower() != "unstranded" or len(strands) != 2:
        return [chosen], other
    sums = [float(np.nansum(values[i])) for i in strands]
    best = strands[int(np.argmax(sums))]
    if max(sums) < 5 * min(sums):
        return [chosen], other
    return [best], sorted({chosen, *other} - {best})


def measure_rank(name: str) -> int | None:
    """The rank of a name that is a measure and nothing else."""
    text = name.strip().lower()
    return next(
        (rank for rank, (_, form) in enumerate(names.MEASURES) if form.fullmatch(text)), None
    )


def measure_in(name: str) -> str:
    """The measure that a column's name tells, alone or beside a sample: TPM of PT01_TPM."""
    if measure_rank(name) is not None:
        return name.strip().lower()
    found = _split(name)
    return found[1] if found is not None else ""


def _split(name: str) -> tuple[int, str, str] | None:
    """PT01_TPM or counts.PT01 -> rank of the measure, the measure, PT01."""
    if len(name) > names.LONGEST:
        return None
    best: tuple[int, str, str] | None = None
    for found in re.finditer(r"[._: -]|(?=\()", name):
        front, back = name[: found.start()], name[found.end() :].strip("() ")
        front = _CLC.sub("", front)
        if not front or not back:
            continue
        for measure, sample in ((back, front), (front, back)):
            # read_count_PT01 holds read and read_count
            longer = best is None or len(measure) > len(best[1])
            if longer and (rank := measure_rank(measure)) is not None:
                best = (rank, measure.lower(), sample)
                break
    return best
