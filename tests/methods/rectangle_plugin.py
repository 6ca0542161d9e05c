"""Rectangle as a method: put this file into the plug-in folder, and rectanglepy beside the program.

rectanglepy is Eder and Finotello's program (BSD-3, on PyPI); it is no part of this one.
"""

import numpy as np
import pandas as pd

from gui.engine.params import Params, param
from gui.errors import InvalidParameter, MissingPart
from gui.plugin import Capability, Method, method_result


class RectangleParams(Params):
    mrna_bias: bool = param(
        False,
        "Cells instead of RNA",
        "Divide by the RNA content that Rectangle measures: fractions of cells. All other methods of"
        " the program give fractions of RNA.",
    )


def rectangle(dataset, params, *, progress):  # runs in the worker process
    try:
        import rectanglepy
        from anndata import AnnData
    except ImportError:
        raise MissingPart(
            "Rectangle is not installed.", advice="Install it with: pip install rectanglepy"
        ) from None
    counts = dataset.train.matrix.frame()
    if not np.array_equal(counts, counts.round()):
        raise InvalidParameter(
            "Rectangle needs raw counts, and the values of the cells are no whole numbers.",
            advice="Choose the raw counts on the Upload page.",
        )
    progress("Running Rectangle")
    names = pd.Index([f"cell{i}" for i in range(counts.shape[1])])  # must be unique
    obs = pd.DataFrame({"cell_type": pd.Categorical(dataset.train.labels)}, index=names)
    cells = AnnData(counts.T.set_axis(names), obs=obs)
    bulk = dataset.bulk.matrix.frame().T
    estimated, signature = rectanglepy.rectangle(
        cells, bulk, "cell_type", correct_mrna_bias=params.mrna_bias, n_cpus=1
    )
    reference = signature.get_signature_matrix(include_mrna_bias=False)
    composition = estimated.reindex(columns=reference.columns).fillna(0.0).T
    return method_result(
        dataset,
        "rectangle",
        "Rectangle",
        composition.clip(lower=0.0),
        reference,
        hidden=estimated.get("Unknown"),
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
