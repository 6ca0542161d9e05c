"""What ``analyze`` writes: tables, and run.json with everything that says where they come from.

Imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui import __version__
from gui.cli.analyses import FILES as ANALYSES_FILES
from gui.result_folder import BEFORE, replace_files

if TYPE_CHECKING:
    import pandas as pd

    from gui.answers.summary import Summary
    from gui.data.dataset import Dataset
    from gui.engine.results import ADTDResult, DTDResult, Refinement, SearchResult

FILES = (
    "composition_bulk.csv",
    "composition_test.csv",
    "composition_intervals.csv",
    "second_opinion.csv",
    "composition_bulk_cells.csv",
    "gene_weights.csv",
    "metrics_test.csv",
    "hidden_profile.csv",
    "gene_regulation.csv",
    "lambda2_path.csv",
    "clinical.csv",
    "agreement_bulk.csv",
    "method_weights.csv",
    "composition_layers.csv",
    "cell_type_layers.csv",
    *ANALYSES_FILES,
    "run.json",
)
"""Everything ``analyze`` may write, last the record; of an earlier analysis in the same folder what
no longer applies is removed.
"""


def tables_of(model: str, dtd: DTDResult, adtd: ADTDResult | None) -> dict[str, pd.DataFrame]:
    """File name -> table."""
    # the shortest digits of a float32, as pandas writes them: all 17 of its double would differ
    # from stock's table in the 8th digit
    shortest = [float(str(v)) for v in dtd.gene_weights.to_numpy()]
    weights = dtd.gene_weights.astype(float).to_frame()
    weights.iloc[:, 0] = shortest
    tables = {
        "gene_weights.csv": weights,
        "metrics_test.csv": dtd.metrics.query("part == 'test'")
        .drop(columns="part")
        .set_index("method"),
    }
    if "test" in dtd.composition:
        tables["composition_test.csv"] = dtd.composition["test"]
    bulk = adtd.full() if adtd is not None else dtd.composition.get("bulk")
    if bulk is not None:
        tables["composition_bulk.csv"] = bulk
    opinion = (dtd if adtd is None else adtd).second_opinion
    if opinion is not None:
        from gui.answers.second_opinion import opinion_table

        tables["second_opinion.csv"] = opinion_table(opinion)
    if adtd is not None:
        tables["hidden_profile.csv"] = adtd.hidden_profile.to_frame("hidden")
        if adtd.gene_regulation is not None:
            tables["gene_regulation.csv"] = adtd.gene_regulation
    return tables


def record_of(
    dataset: Dataset,
    parameters: dict[str, Any],
    seed: int,
    summary: Summary,
    search: SearchResult | None,
    versions: dict[str, str],
) -> dict[str, Any]:
    """What run.json holds."""
    from gui.data.export import NOTICE

    record: dict[str, Any] = {
        "program": "deconomix-gui",
        "notice": NOTICE,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": parameters,
        "seeds": {"train_mixtures": seed, "test_mixtures": seed + 1, "split": seed},
        "versions": {"deconomix-gui": __version__, **versions},
        "inputs": [
            {
                "role": s.role,
                "name": s.name,
                "kind": s.kind,
                "sha256": s.sha256,
                "options": {k: str(v) for k, v in s.options.items()},
            }
            | {"notes": list(s.notes), "warnings": list(s.warnings)}
            for s in dataset.sources
        ],
        "training_id": dataset.training_id,
        "bulk_id": dataset.bulk_id,
        "summary": [text for text in (summary.answer, summary.basis) if text],
        "warnings": list(summary.warnings),
    }
    if search is not None:
        mean, std = search.mean, search.std
        record["search"] = {
            "choices": dict(search.choices),
            "dropped_genes": list(search.dropped_genes),
            "lambda2": [float(v) for v in search.losses.columns],
            # JSON knows no NaN
            "mean": [float(v) if v == v else None for v in mean],
            "std": [float(v) if v == v else None for v in std],
        }
        if search.path is not None:
            from gui.engine.l_curve import corner

            record["search"]["l_curve_corner"] = corner(search.path).value
    return record


def optimum_of(found: Refinement) -> dict[str, Any]:
    """Return what refining achieved, for ``run.json``.

    hidden_profile.csv and gene_regulation.csv differ from deconomix's unless the way is "kept".
    """
    certificate = {"residual": found.residual, "gap": found.gap} if found.way != "kept" else None
    return {
        "loss_before": found.loss_before,
        "loss_after": found.loss_after,
        "way": found.way,
        "certificate": certificate,
    }


def write_all(out: Path, tables: dict[str, pd.DataFrame], record: dict[str, Any]) -> None:
    """All files or none: see :func:`gui.result_folder.replace_files`. OSError, NotRestored."""
    from gui.data.export import csv_bytes

    files = {name: csv_bytes(table) for name, table in tables.items()}
    replace_files(out, {**files, FILES[-1]: _as_json(record)}, FILES)


def is_written(out: Path, record: dict[str, Any]) -> bool:
    """Whether the files in ``out`` are those of this record."""
    try:
        return (out / FILES[-1]).read_bytes() == _as_json(record)
    except OSError:
        return False


def _as_json(record: dict[str, Any]) -> bytes:
    return (
        json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n"
    ).encode("utf-8", "replace")


@dataclass
class Output:
    """Where an analysis is being written, once it is."""

    folder: Path | None = None
    record: dict[str, Any] | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def write(self, folder: Path, tables: dict[str, pd.DataFrame], record: dict[str, Any]) -> None:
        self.folder, self.record, self.tables = folder, record, tables
        write_all(folder, tables, record)

    def state(self) -> str:
        """What is in the folder now, in a sentence, whatever came in between."""
        if self.folder is None or self.record is None:
            return "Nothing was written."
        if (self.folder / BEFORE).is_dir():
            return (
                f"The results in {self.folder} are incomplete. The previous files are in"
                f" {self.folder / BEFORE}; the next analysis into this folder restores them first."
            )
        return (
            f"The results were written to {self.folder}."
            if is_written(self.folder, self.record)
            else "Nothing was written."
        )
