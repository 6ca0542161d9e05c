"""The table of cell types that was chosen beside a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from gui.data.readers.labels import read_labels
from gui.data.readers.options import FileChoice


def sha256(*paths: Path) -> str:
    """Of a file, or of several one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()


def given_labels(choice: FileChoice, cells: pd.Index) -> np.ndarray | None:
    """By the table of labels, if one was chosen."""
    if choice.labels is None:
        return None
    name = choice.labels_name or choice.labels.name
    return read_labels(choice.labels, name).of(cells, choice.label_column, name)


def label_table_record(choice: FileChoice) -> dict[str, object]:
    """What is kept with the data of the table of labels."""
    if choice.labels is None:
        return {}
    name = choice.labels_name or choice.labels.name
    return {"labels": name, "labels_sha256": sha256(choice.labels)}
