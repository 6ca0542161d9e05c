"""Made patients with fractions, times and events, in a session with a DTD run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from gui.data.dataset import Bulk, Cells, Clinical, Dataset, Matrix
from gui.engine.metrics import COLUMNS
from gui.engine.results import BootstrapResult, DTDResult, Provenance, Run
from gui.sessions.cache import DCXCache

TYPES = ("B cells", "T cells", "Monocytes", "NK cells")


def made_fractions(n: int, seed: int = 0, types: tuple[str, ...] = TYPES) -> pd.DataFrame:
    """Cell types x samples, summing to 1."""
    values = np.random.default_rng(seed).dirichlet(np.full(len(types), 2.0), n).T
    return pd.DataFrame(values, index=list(types), columns=[f"S{i:04d}" for i in range(n)])


def made_table(fractions: pd.DataFrame, *, effect: float = 6.0, seed: int = 1) -> pd.DataFrame:
    """Clinical rows: the more of the first cell type, the earlier the event."""
    rng, n = np.random.default_rng(seed), fractions.shape[1]
    hazard = np.exp(effect * (fractions.iloc[0].to_numpy() - 1 / len(fractions)))
    event_at, seen_until = rng.exponential(24 / hazard), rng.uniform(6, 60, n)
    return pd.DataFrame(
        {
            "OS_months": np.round(np.minimum(event_at, seen_until), 2),
            "OS_status": np.where(event_at <= seen_until, "Dead", "Alive"),
            "age": np.round(rng.normal(60, 9, n)),
            "stage": rng.choice(["I", "II", "III"], n),
            "centre": rng.choice(["north", "south"], n),
            "response": rng.choice(["CR", "PD"], n),
        },
        index=fractions.columns,
    )


def made_dataset(
    fractions: pd.DataFrame, table: pd.DataFrame | None, *, loaded: bool = True
) -> Dataset:
    """Data whose bulk has these samples. loaded : times and events were named on loading."""
    types, genes = list(fractions.index), pd.Index([f"G{i}" for i in range(len(fractions) + 2)])
    rng = np.random.default_rng(3)
    cells = pd.Index([f"c{i}" for i in range(2 * len(types))])
    matrix = Matrix(rng.random((len(genes), len(cells))) + 0.1, genes, cells)
    train = Cells(matrix, np.repeat(types, 2).astype(str), pd.DataFrame(index=range(len(cells))))
    bulk = Matrix(rng.random((len(genes), fractions.shape[1])) + 0.1, genes, fractions.columns)
    clinical = None
    if table is not None:
        named = ("OS_months", "OS_status", "Dead", "months") if loaded else ("", "", "", "")
        clinical = Clinical(table, "patients.csv", *named)
    obs = pd.DataFrame(index=range(fractions.shape[1]))
    return Dataset(train, None, bulk=Bulk(bulk, obs), clinical=clinical)


def made_dtd(fractions: pd.DataFrame) -> DTDResult:
    """A run that found these fractions."""
    genes = pd.Index([f"G{i}" for i in range(len(fractions) + 2)])
    reference = pd.DataFrame(
        np.random.default_rng(4).random((len(genes), len(fractions))) + 0.1,
        index=genes,
        columns=list(fractions.index),
    )
    return DTDResult(
        reference=reference,
        gene_weights=pd.Series(1.0, index=genes),
        loss=np.zeros(0),
        correlation=pd.DataFrame(columns=list(fractions.index), dtype=float),
        composition={"bulk": fractions},
        naive={"bulk": fractions},
        truth={},
        metrics=pd.DataFrame(columns=COLUMNS),
    )


def made_bootstrap(fractions: pd.DataFrame, *, noise: float, draws: int = 40) -> BootstrapResult:
    """Draws around the fractions; noise : their standard deviation."""
    values = fractions.to_numpy()
    rng = np.random.default_rng(5)
    drawn = np.clip(values + rng.normal(0, noise, (draws, *values.shape)), 0, None)
    return BootstrapResult(
        fractions, fractions, fractions, fractions, fractions, draws, draws=drawn.astype(np.float16)
    )


def filled(
    session: DCXCache, data: Dataset, fractions: pd.DataFrame, *, noise: float | None = None
) -> Dataset:
    """Put data and a DTD run (with a bootstrap where there is noise) into a session."""
    session.set_dataset(data, keep_runs=False)
    origin = Provenance(data.training_id, data.bulk_id)
    dtd = made_dtd(fractions)
    session.add_run(Run("dtd1", "dtd", "DTD", datetime.now(UTC), _params(), dtd, origin))
    if noise is not None:
        from gui.engine.params import BootstrapParams

        made = made_bootstrap(fractions, noise=noise)
        origin = replace(origin, inputs={"dtd": "dtd1"})
        params = BootstrapParams(replicates=40, part="bulk")
        session.add_run(
            Run("boot1", "bootstrap", "Intervals", datetime.now(UTC), params, made, origin)
        )
    return data


def _params() -> object:
    from gui.engine.params import DTDParams

    return DTDParams()
