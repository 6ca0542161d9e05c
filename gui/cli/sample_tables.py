"""Tables about the bulk samples for ``analyze``: clinical data and known compositions.

Both are read and joined as on the Upload page. What was joined, lost and assumed is said and
recorded. Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.errors import InvalidParameter, MissingPart
from gui.text import number, some

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from gui.data.dataset import Clinical, Dataset
    from gui.data.samples.clinical import ClinicalChoice, ClinicalTable
    from gui.data.samples.joining import Join
    from gui.data.validation.findings import Finding
    from gui.engine.results import ADTDResult, DTDResult

NO_COLUMN = "none"
"""What is given with --time or --event where no column is meant."""
UNITS = ("days", "weeks", "months", "years")


def add_options(cli: argparse.ArgumentParser) -> None:
    """The options that :class:`SampleTables` reads."""
    cli.add_argument(
        "--clinical",
        type=Path,
        metavar="TABLE",
        help="clinical data of the bulk samples, one row per patient or sample; joined by name",
    )
    cli.add_argument(
        "--time",
        metavar="COLUMN",
        help="column of --clinical with the survival times; none: there is none",
    )
    cli.add_argument(
        "--time-unit", choices=UNITS, help="unit of the survival times, if their name has none"
    )
    cli.add_argument(
        "--event",
        metavar="COLUMN=VALUE",
        help=(
            "column of --clinical with the event, and the value that says that it happened;"
            " none: there is none"
        ),
    )
    cli.add_argument(
        "--truth",
        type=Path,
        metavar="TABLE",
        help="known compositions of bulk samples (flow cytometry); compared with the estimate",
    )
    cli.add_argument(
        "--pair",
        action="append",
        default=[],
        metavar="KNOWN=ESTIMATED",
        help=(
            "compare a cell type of --truth with an estimated one, or with the sum of several"
            " (“T cells=CD4|CD8”); without it pairs are found by name"
        ),
    )


def check_options(options: argparse.Namespace) -> None:
    """Refuse what can be refused before any file is read. InvalidParameter."""
    for role in ("clinical", "truth"):
        path: Path | None = getattr(options, role)
        if path is not None and not path.is_file():
            raise InvalidParameter(
                f"There is no file {path}.", advice=f"Check the path given with --{role}."
            )
    for name in ("time", "time_unit", "event"):
        if getattr(options, name) is not None and options.clinical is None:
            option = name.replace("_", "-")
            raise InvalidParameter(
                f"--{option} has no effect without --clinical.", advice="Give --clinical TABLE."
            )
    if options.pair and options.truth is None:
        raise InvalidParameter(
            "--pair has no effect without --truth.", advice="Give --truth TABLE."
        )


@dataclass(frozen=True, eq=False)
class SampleTables:
    """The tables about the samples of an analysis.

    Attributes
    ----------
    notes
        What was joined, lost and assumed, in sentences.
    record
        The same for ``run.json``, by table.
    """

    notes: tuple[str, ...]
    record: dict[str, Any]

    def results(
        self, dataset: Dataset, dtd: DTDResult, adtd: ADTDResult | None
    ) -> dict[str, pd.DataFrame]:
        """File name -> table of what is written; the agreement is added to the record."""
        return self.results_of(
            dataset, adtd.full() if adtd is not None else dtd.composition.get("bulk")
        )

    def results_of(self, dataset: Dataset, found: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
        """The same of a composition, cell types x samples."""
        from gui.engine.known_agreement import compare_with_known

        tables: dict[str, pd.DataFrame] = {}
        if "clinical" in self.record and dataset.clinical is not None:
            tables["clinical.csv"] = dataset.clinical.table
        if "truth" in self.record and dataset.truth is not None and found is not None:
            compared = compare_with_known(dataset.truth.shares, found, dataset.truth.pairs)
            table = compared.table.set_index("cell_type")
            tables["agreement_bulk.csv"] = table
            self.record["truth"] |= {
                "agreement": [
                    {k: _plain(v) for k, v in row.items()}
                    for row in compared.table.to_dict("records")
                ],
                "left_out": list(compared.left_out),
            }
        return tables

    def agreement_text(self) -> str:
        """The agreement over all types in a sentence, "" without known compositions."""
        rows = self.record.get("truth", {}).get("agreement")
        if not rows:
            return ""
        pooled = rows[-1]
        figures = [
            f"{label} {pooled[key]:.3f}"
            for key, label in (("pearson", "Pearson r"), ("ccc", "CCC"), ("rmse", "RMSE"))
            if pooled[key] is not None
        ]
        return (
            f"Agreement with {self.record['truth']['name']} over {number(len(rows) - 1)} cell"
            f" types, {number(pooled['samples'])} values: {', '.join(figures) or 'not defined'}."
        )


def add_tables(dataset: Dataset, options: argparse.Namespace) -> tuple[Dataset, SampleTables]:
    """The dataset with the tables of the options, and what is said of them.

    Raises
    ------
    MissingPart
        There are no bulk samples, no sample could be joined, no cell type could be paired, or a
        column is not there.
    InvalidParameter
        It is not certain which value is the event, or an option does not fit the table.
    UnreadableFile, BadValues
        As from :mod:`gui.data.samples`.
    """
    tables = SampleTables((), {})
    if options.clinical is None and options.truth is None:
        return dataset, tables
    if dataset.bulk is None:
        given = "--clinical" if options.clinical is not None else "--truth"
        raise MissingPart(
            f"{given} is a table about bulk samples, but there are none.",
            advice="Give them with --bulk FILE.",
        )
    samples = [str(s) for s in dataset.bulk.samples]
    if options.clinical is not None:
        dataset, tables = _with_clinical(dataset, options, samples, tables)
    if options.truth is not None:
        dataset, tables = _with_known_composition(dataset, options, samples, tables)
    return dataset, tables


# -- clinical data
# --------------------------------------------------------------------------------------------------


def _with_clinical(
    dataset: Dataset, options: argparse.Namespace, samples: Sequence[str], tables: SampleTables
) -> tuple[Dataset, SampleTables]:
    from gui.data.samples.clinical import joined_clinical, read_clinical
    from gui.data.samples.clinical_findings import clinical_findings

    path: Path = options.clinical
    read = read_clinical(_clinical_choice(options, samples), samples)
    assert read.join is not None
    if not read.join.rows:
        raise _nothing_joined(read.name, samples, [str(v) for v in read.frame[read.sample_column]])
    _check_event(read, given=options.event is not None)
    clinical = joined_clinical(read, samples)
    found = [
        replace(one, advice="Say it with --time-unit.") if one.code == "time-unit" else one
        for one in clinical_findings(read, samples)
        if one.code != "event-value"  # settled: certain, or given
    ]
    notes = (_joined_text(read.name, read.join, samples), *_time_text(clinical), *_texts(found))
    record = _join_record(path, read.join, samples, notes) | {
        "sample_column": read.sample_column,
        "time_column": read.time_column or None,
        "time_unit": read.unit,
        "event_column": read.event_column or None,
        "event_value": read.event_value or None,
        "events": _events(clinical),
    }
    return replace(dataset, clinical=clinical), SampleTables(
        (*tables.notes, *notes), tables.record | {"clinical": record}
    )


def _clinical_choice(options: argparse.Namespace, samples: Sequence[str]) -> ClinicalChoice:
    """What the options say of the columns; the rest is proposed."""
    from gui.data.samples.clinical import ClinicalChoice, read_clinical

    path: Path = options.clinical
    choice = ClinicalChoice(path=path, name=path.name, unit=options.time_unit)
    if options.time is not None:
        time = "" if options.time == NO_COLUMN else options.time
        choice = choice.model_copy(update={"time_column": time})
    if options.event is None:
        # without times there is no survival, and nobody is asked about an event
        read = read_clinical(choice, samples)
        return choice if read.time_column else choice.model_copy(update={"event_column": ""})
    if options.event == NO_COLUMN:
        return choice.model_copy(update={"event_column": ""})
    frame = read_clinical(choice, samples).frame
    column, _, value = options.event.rpartition("=")
    if options.event in frame.columns or not column:
        return choice.model_copy(update={"event_column": options.event})
    if column in frame.columns:
        held = _values(frame[column])
        if value not in held and len(held) > 1:  # one value: nobody may have had the event
            raise InvalidParameter(
                f"The column {column} of {path.name} holds no value {value}, but {some(held, 6)}.",
                advice="Give one of them with --event COLUMN=VALUE.",
            )
    return choice.model_copy(update={"event_column": column, "event_value": value})


def _check_event(read: ClinicalTable, *, given: bool) -> None:
    """Refuse to guess which value is the event. InvalidParameter."""
    if not read.event_column or read.coding.certain:
        return
    held = _values(read.frame[read.event_column])
    why = f" ({read.coding.why})" if read.coding.why else ""
    value = read.event_value or "VALUE"
    otherwise = "" if given else f", or --event {NO_COLUMN} to leave the event out"
    raise InvalidParameter(
        f"It is not certain which value of {read.event_column} in {read.name} is the event: it"
        f" holds {some(held, 6)}{why}.",
        advice=f'Say it with --event "{read.event_column}={value}"{otherwise}.',
    )


def _values(column: pd.Series) -> list[str]:
    from gui.data.samples.survival_columns import value_text

    return sorted({value_text(v) for v in column.dropna()})


def _events(clinical: Clinical) -> int | None:
    """The bulk samples with the event; None without an event column."""
    from gui.data.samples.survival_columns import value_text

    if not clinical.event:
        return None
    column = clinical.table[clinical.event].map(value_text, na_action="ignore")
    return int((column == clinical.event_value).sum())


def _time_text(clinical: Clinical) -> tuple[str, ...]:
    if not clinical.time:
        return ()
    unit = clinical.unit or "unit not known"
    return (f"Survival times are taken from {clinical.time} ({unit}).",)


# -- known compositions
# --------------------------------------------------------------------------------------------------


def _with_known_composition(
    dataset: Dataset, options: argparse.Namespace, samples: Sequence[str], tables: SampleTables
) -> tuple[Dataset, SampleTables]:
    from gui.data.samples.known_composition import (
        KnownCompositionChoice,
        join_known_composition,
        known_composition_findings,
        read_known_composition,
    )

    path: Path = options.truth
    types = [str(t) for t in dataset.types]
    read = read_known_composition(KnownCompositionChoice(path=path, name=path.name), samples, types)
    known = [str(t) for t in read.shares.index]
    assert read.join is not None
    if not read.join.rows:
        raise _nothing_joined(read.name, samples, [str(c) for c in read.shares.columns])
    hidden = "+" in (options.model or "")
    chosen = _pairs(options.pair, known, types, path.name, hidden=hidden)
    truth = join_known_composition(read, samples, types, chosen)
    if not truth.pairs:
        raise MissingPart(
            f"No cell type of {path.name} ({some(known, 4)}) is called like an estimated one"
            f" ({some(types, 4)}).",
            advice="Pair them with --pair KNOWN=ESTIMATED.",
        )
    found = known_composition_findings(read, samples, types, chosen)
    notes = (_joined_text(read.name, read.join, samples), *_texts(found))
    record = _join_record(path, read.join, samples, notes) | {
        "unit": read.unit,
        "pairs": dict(truth.pairs),
    }
    return replace(dataset, truth=truth), SampleTables(
        (*tables.notes, *notes), tables.record | {"truth": record}
    )


def _pairs(
    given: Sequence[str], known: Sequence[str], types: Sequence[str], name: str, *, hidden: bool
) -> dict[str, str] | None:
    """Known type -> estimated ones joined by "|", as given; None if nothing was. InvalidParameter.

    hidden : whether the hidden background is estimated
    """
    from gui.data.dataset import HIDDEN

    if not given:
        return None
    estimated = [*types, HIDDEN] if hidden else list(types)
    pairs = {}
    for text in given:
        # a name may hold "=" itself
        cuts = [i for i, letter in enumerate(text) if letter == "=" and text[:i] in known]
        if not cuts:
            raise InvalidParameter(
                f"--pair {text}: {name} has no such cell type; it has {some(known, 8)}.",
                advice="Give --pair KNOWN=ESTIMATED.",
            )
        one, partner = text[: cuts[0]], text[cuts[0] + 1 :]
        parts = [partner] if partner in estimated else partner.split("|")
        if unknown := [part for part in parts if part not in estimated]:
            raise InvalidParameter(
                f"--pair {text}: {some(unknown)} is not estimated; there are {some(estimated, 8)}.",
                advice="Give --pair KNOWN=ESTIMATED.",
            )
        pairs[one] = partner
    return pairs


# -- both
# --------------------------------------------------------------------------------------------------


def _nothing_joined(name: str, samples: Sequence[str], names: Sequence[str]) -> MissingPart:
    return MissingPart(
        f"None of the {number(len(samples))} bulk samples is in {name}: they are called"
        f" {some(samples, 2)} there, {some(names, 2)} here.",
        advice="Use the same names of samples in both files.",
    )


def _joined_text(name: str, joined: Join, samples: Sequence[str]) -> str:
    return f"{number(len(joined.rows))} of {number(len(samples))} bulk samples are in {name}."


def _texts(found: Sequence[Finding]) -> list[str]:
    return [" ".join(filter(None, (one.message, one.advice))) for one in found]


def _join_record(
    path: Path, joined: Join, samples: Sequence[str], notes: Sequence[str]
) -> dict[str, Any]:
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "name": path.name,
        "sha256": sha256,
        "samples": len(samples),
        "joined": len(joined.rows),
        "joined_by": dict(joined.ways),
        "not_joined": [s for s in samples if s not in joined.rows],
        "rows_without_sample": len(joined.unused),
        "notes": list(notes),
    }


def _plain(value: Any) -> Any:
    """For JSON, which knows no NaN."""
    return None if isinstance(value, float) and value != value else value
