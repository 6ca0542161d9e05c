"""A session with a composition of the bulk, a clinical table and bootstrap draws; nothing computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd

from gui.app import Application
from gui.data.dataset import HIDDEN, Bulk, Clinical, Dataset, Matrix
from gui.data.example import make_example
from gui.engine.draw_intervals import compact
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams
from gui.engine.results import ADTDResult, BootstrapResult, DTDResult, Provenance, Run
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

METRICS = ["part", "method", "cell_type", "pearson", "spearman", "rmse", "ccc"]
TYPES = ["T cells", "B cells", "NK cells", "Monocytes", "Rare cells"]


def samples(count: int) -> list[str]:
    return [f"s{i:04d}" for i in range(count)]


def fractions_of(count: int = 24, seed: int = 0) -> pd.DataFrame:
    """Types and hidden x samples: T cells are doubled in the second half; rare cells mostly 0."""
    random = np.random.default_rng(seed)
    made = random.dirichlet([4, 4, 4, 4, 1, 3], count).T
    made[0, count // 2 :] *= 3
    made[4, random.random(count) < 0.5] = 0.0
    made /= made.sum(axis=0)
    return pd.DataFrame(made, index=[*TYPES, HIDDEN], columns=samples(count))


def clinical_of(count: int = 24) -> pd.DataFrame:
    half = count // 2
    table = pd.DataFrame(
        {
            "arm": ["control"] * half + ["treated"] * (count - half),
            "age": np.linspace(30.0, 80.0, count),
            "stage": (["I", "II", "III"] * count)[:count],
            "donor": [f"donor {i % max(half, 1)}" for i in range(count)],
            "centre": ["one place"] * count,
        }
    )
    table.loc[count - 1, "arm"] = None
    return table


def dataset_of(count: int = 24, *, clinical: bool = True, obs: bool = True) -> Dataset:
    names = pd.Index(samples(count))
    random = np.random.default_rng(1)
    genes = pd.Index([f"G{i}" for i in range(12)])
    batch = pd.DataFrame({"batch": (["x", "y"] * count)[:count]}, index=names)
    bulk = Bulk(
        Matrix(random.random((12, count)) + 0.1, genes, names),
        batch if obs else pd.DataFrame(index=names),
    )
    about = Clinical(clinical_of(count), "patients.csv") if clinical else None
    return replace(make_example().dataset, bulk=bulk, clinical=about)


def dtd_result(fractions: pd.DataFrame) -> DTDResult:
    genes = pd.Index(["G0", "G1", "G2"])
    types = [t for t in fractions.index if t != HIDDEN]
    reference = pd.DataFrame(np.eye(3, len(types)) + 1.0, genes, types)
    bulk = fractions.loc[types]
    return DTDResult(
        reference=reference,
        gene_weights=pd.Series(1.0, genes),
        loss=np.array([1.0, 0.5]),
        correlation=pd.DataFrame(0.9, [0, 1], types),
        composition={"bulk": bulk},
        naive={"bulk": bulk},
        truth={},
        metrics=pd.DataFrame(columns=METRICS),
        params=DTDParams(),
    )


def adtd_result(fractions: pd.DataFrame, dtd: DTDResult) -> ADTDResult:
    return ADTDResult(
        composition=fractions.drop(index=HIDDEN),
        hidden=fractions.loc[HIDDEN],
        hidden_profile=pd.Series(1 / 3, dtd.genes),
        gene_regulation=None,
        gene_weights=dtd.gene_weights,
        reference=dtd.reference,
        loss=np.array([1.0, 0.5]),
    )


def bootstrap_result(fractions: pd.DataFrame, draws: int = 40) -> BootstrapResult:
    random = np.random.default_rng(2)
    noise = np.exp(random.normal(0, 0.05, (draws, *fractions.shape)))
    made = fractions.to_numpy() * noise
    made /= made.sum(axis=1, keepdims=True)
    low, high = (
        pd.DataFrame(np.percentile(made, q, axis=0), fractions.index, fractions.columns)
        for q in (2.5, 97.5)
    )
    return BootstrapResult(fractions, low, high, low, high, draws, draws=compact(made))


def filled(
    application: Application,
    count: int = 24,
    *,
    runs: tuple[str, ...] = ("dtd", "adtd", "bootstrap"),
    **data: Any,
) -> DCXCache:
    """The session, with the runs named."""
    session = application.sessions.create_session(f"Groups {uuid4().hex}", actor=LOCAL)
    dataset = dataset_of(count, **data)
    session.set_dataset(dataset, keep_runs=False)
    fractions = fractions_of(count)
    dtd = dtd_result(fractions)
    made = Provenance(dataset.training_id, dataset.bulk_id)
    of_dtd = replace(made, inputs={"dtd": "dtd0"})
    of_adtd = replace(made, inputs={"dtd": "dtd0", "adtd": "adtd0"})
    adtd, boot = adtd_result(fractions, dtd), bootstrap_result(fractions)
    now = datetime.now(UTC)
    found = {
        "dtd": Run("dtd0", "dtd", "DTD", now, DTDParams(), dtd, made),
        "adtd": Run("adtd0", "adtd", "ADTD", now, ADTDParams(), adtd, of_dtd),
        "bootstrap": Run(
            "boot0", "bootstrap", "Intervals", now, BootstrapParams(replicates=40), boot, of_adtd
        ),
    }
    for kind in runs:
        session.add_run(found[kind])
    return session
