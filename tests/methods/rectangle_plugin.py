"""Rectangle as a method: put this file into the plug-in folder, and rectanglepy beside the program.

rectanglepy is Eder and Finotello's program (BSD-3, on PyPI); it is no part of this one.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from gui.engine.params import Params, param
from gui.errors import EngineFailed, InvalidParameter, MissingPart
from gui.plugin import Capability, Method, method_result

FOLDER = Path.home() / "rectangle"
PYTHON = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
SCRIPT = """
import sys
import numpy as np, pandas as pd, rectanglepy
from anndata import AnnData
given = np.load(sys.argv[1])
frame = pd.DataFrame(given["counts"].T, [f"cell{i}" for i in range(len(given["labels"]))], given["genes"])
obs = pd.DataFrame({"cell_type": pd.Categorical(given["labels"])}, frame.index)
bulk = pd.DataFrame(given["bulk"].T, range(given["bulk"].shape[1]), given["bulk_genes"])
found, signature = rectanglepy.rectangle(
    AnnData(frame, obs=obs), bulk, "cell_type", correct_mrna_bias=bool(given["bias"]), n_cpus=1
)
profiles = signature.get_signature_matrix(include_mrna_bias=False)
known = found.reindex(columns=profiles.columns).fillna(0.0)
unknown = found["Unknown"] if "Unknown" in found else 0.0 * found.iloc[:, 0]
np.savez(
    sys.argv[2], known=known.T.to_numpy(float), unknown=unknown.to_numpy(float),
    profiles=profiles.to_numpy(float), genes=profiles.index.to_numpy(str),
    types=profiles.columns.to_numpy(str),
)
"""


class RectangleParams(Params):
    mrna_bias: bool = param(
        False,
        "Cells instead of RNA",
        "Divide by the RNA content that Rectangle measures: fractions of cells. All other methods of"
        " the program give fractions of RNA.",
    )


def rectangle(dataset, params, *, progress):  # runs in the worker process
    if not PYTHON.exists():
        raise MissingPart(
            f"Rectangle is not installed in {FOLDER}.",
            advice="Install rectanglepy there, as the guide says.",
        )
    counts = dataset.train.matrix.frame()
    if not np.array_equal(counts, counts.round()):
        raise InvalidParameter(
            "Rectangle needs raw counts, and the values of the cells are no whole numbers.",
            advice="Choose the raw counts on the Upload page.",
        )
    bulk = dataset.bulk.matrix.frame()
    with tempfile.TemporaryDirectory() as folder:
        given, out, log = (Path(folder) / name for name in ("given.npz", "out.npz", "log.txt"))
        np.savez(
            given,
            counts=counts.to_numpy(),
            genes=counts.index.to_numpy(str),
            labels=np.asarray(dataset.train.labels).astype(str),
            bulk=(bulk / bulk.sum() * 1e6).to_numpy(),  # Rectangle expects parts per million
            bulk_genes=bulk.index.to_numpy(str),
            bias=params.mrna_bias,
        )
        with log.open("w") as lines:
            command = [PYTHON, "-c", SCRIPT, given, out]
            child = subprocess.Popen(command, stdout=lines, stderr=lines)
            try:
                while child.poll() is None:
                    progress("Running Rectangle")  # ends here if the user cancels
                    time.sleep(0.2)
            finally:
                child.kill()
                child.wait()
        if not out.exists():
            last = (log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise EngineFailed(f"Rectangle found no solution: {last[:200]}")
        with np.load(out) as found:
            types = pd.Index(found["types"], dtype=object)
            reference = pd.DataFrame(found["profiles"], found["genes"], types)
            composition = pd.DataFrame(found["known"], types, bulk.columns)
            hidden = pd.Series(found["unknown"], bulk.columns)
    return method_result(
        dataset,
        "rectangle",
        "Rectangle",
        composition.clip(lower=0.0),
        reference,
        hidden=hidden.clip(lower=0.0),
        notes=("Fractions of cells, not of RNA.",) if params.mrna_bias else (),
    )


method = Method(
    "rectangle",
    "Rectangle",
    "Hierarchical signatures and weighted least squares (rectanglepy).",
    rectangle,
    RectangleParams,
    frozenset({Capability.HIDDEN}),
)
