"""Sessions to save, and the strictest comparison: same types, same dtypes, same bits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gui.data.dataset import Bulk, Cells, Dataset, Matrix, Source
from gui.engine.params import ADTDParams, DTDParams, Params, SearchParams
from gui.engine.results import ADTDResult, DTDResult, Provenance, Run, SearchResult
from gui.sessions.cache import DCXCache
from gui.sessions.crypto import Cost, SessionKey
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from gui.sessions.snapshot import RECOVERED, PendingJob, Snapshot

CHEAP = Cost(passes=1, memory=8192)
PASSWORD = "correct horse battery"
WHEN = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
ID = "20261122#120000#07c2e7ed"
MARKER = "Patientin Müller 4711"


def session_key(password: str = PASSWORD, **options: Any) -> SessionKey:
    return SessionKey.new(password, cost=CHEAP, **options)


def tiny(notes: str = "", **more: Any) -> Snapshot:
    """A session of a few hundred bytes."""
    names = pd.Index(["G1", "G2", "G3"])
    bulk = Bulk(
        Matrix(np.array([[1.5, 0], [2, 3], [4, 1]]), names, pd.Index(["s1", MARKER])),
        pd.DataFrame(index=range(2)),
    )
    return Snapshot(ID, "tiny", WHEN, WHEN, 1, Dataset(None, None, bulk=bulk), notes=notes, **more)


def rich(seed: int = 0, *, runs: int = 1, genes: int = 30) -> Snapshot:
    """Every kind of part, run and column; small. Values are random: nothing was computed."""
    random = np.random.default_rng(seed)
    names = pd.Index([f"G{i}" for i in range(genes)], name="gene")
    cells = 40
    values = sparse.csc_matrix(random.poisson(0.3, (genes, cells)).astype(np.float32))
    values.indices, values.indptr = values.indices.astype(np.int64), values.indptr.astype(np.int64)
    obs = pd.DataFrame(
        {
            "group": pd.Categorical(
                random.choice(["a", "b"], cells), categories=["b", "a", "unused"], ordered=True
            ),
            "age": np.where(random.random(cells) < 0.2, np.nan, random.normal(size=cells)),
            "smokes": random.random(cells) < 0.5,
            "donor": pd.Series(random.choice([MARKER, "", "d2"], cells), dtype=object).where(
                random.random(cells) < 0.8, np.nan
            ),
            "n": random.integers(0, 9, cells).astype(np.int16),
            "whole": pd.array(random.integers(0, 9, cells), dtype="Int64"),
            "seen": pd.array([True, None] * (cells // 2), dtype="boolean"),
            "text": pd.array(["x", None] * (cells // 2), dtype="string"),
            "day": pd.to_datetime(["2020-01-02", None] * (cells // 2)),
        }
    )
    labels = random.choice(["T cells", "B cells", "NK"], cells)
    train = Cells(Matrix(values, names, pd.Index(["same barcode"] * cells)), labels, obs)
    test = Cells(
        Matrix(random.random((genes, 6)), names, pd.RangeIndex(6)),
        np.array(["T cells"] * 6, dtype=object),
        pd.DataFrame(index=range(6)),
    )
    types, samples = (
        pd.Index(["T cells", "B cells", "NK"]),
        pd.Index([f"sample {i}" for i in range(4)]),
    )
    reference = Matrix(np.asfortranarray(random.random((genes, 3))), names, types)
    bulk = Bulk(
        Matrix(random.random((genes, 4)).astype(np.float16), names, samples),
        pd.DataFrame({"g": ["x", "y", None, "z"]}, index=samples),
    )
    options = {"label": "cell_type", "keep": ["a"], "share": 0.5, "none": None}
    sources = (
        Source(
            "train", "train.h5ad", "h5ad", "ab" * 32, "about", options, ("a note",), ("a warning",)
        ),
    )
    data = Dataset(
        train, test, reference, bulk, 10_000.0, "name \ud800 ü 😀", "described", "author", sources
    )
    frame = pd.DataFrame(random.random((3, 4)), index=types, columns=samples)
    weights = pd.Series(random.random(genes).astype(np.float32), index=names, name="gene weights")
    x = pd.DataFrame(reference.values, index=names, columns=types)
    made = Provenance("t" * 16, "b" * 16, {"dtd": "run0"}, "stock", {"deconomix": "1.0.2"}, 1.25)
    metrics = pd.DataFrame(
        {
            "part": ["test"],
            "method": ["dtd"],
            "cell_type": ["NK"],
            "pearson": [np.nan],
            "rmse": [-0.0],
        }
    )
    dtd = DTDResult(
        x,
        weights,
        random.random(9),
        frame.T,
        {"train": frame, "bulk": frame},
        {"bulk": frame},
        {},
        metrics,
        None,
        ("n",),
        DTDParams(),
    )
    search = SearchResult(
        pd.DataFrame(random.random((2, 3)), columns=[1e-20, 1e-10, 1.0]),
        {"min": 1e-10, "one_se": None, "drop": None},
        ("G1",),
        (),
        pd.DataFrame(
            {"misfit": [0.1, 0.2, 0.3], "size": 1.0, "supported": 2.0, "stability": np.nan},
            index=[1e-20, 1e-10, 1.0],
        ),
    )
    found = [
        Run(
            "run0",
            "dtd",
            "DTD",
            WHEN,
            DTDParams(genes=None),
            dtd,
            dataclasses.replace(made, inputs={}),
        ),
        Run("run1", "search", "Search", WHEN, SearchParams(points=3, folds=2), search, made),
        Run(
            "plug",
            "cells",
            "Cells",
            WHEN,
            Params(),
            {
                "cells": pd.Series([1, 2], index=["a", "b"]),
                "of": [1, (2.5, None)],
                3: np.float32(0.1),
            },
            made,
        ),
    ]
    for k in range(runs):
        result = ADTDResult(
            frame + k,
            frame.iloc[0],
            weights,
            x * k,
            weights,
            x,
            random.random(5),
            None,
            None,
            None,
            ("short",),
        )
        found.append(
            Run(f"adtd{k}", "adtd", "ADTD", WHEN, ADTDParams(lambda2=1e-12 * (k + 1)), result, made)
        )
    forms = {
        "dtd": {"genes": 1000, "share": 0.1, "empty": None, "list": ["a", 1, {"b": True}]},
        "adtd": {},
    }
    jobs = (
        PendingJob(
            "job0",
            "adtd",
            "ADTD",
            ("gui.engine.tasks", "run_adtd"),
            ADTDParams(lambda2=1e-3),
            {"dtd": "run0"},
            WHEN,
        ),
    )
    return Snapshot(
        ID,
        "melanoma run 1",
        WHEN,
        WHEN,
        7,
        data,
        tuple(found),
        {"dtd": "run0"},
        forms,
        "Notes\nof " + MARKER,
        jobs,
        (RECOVERED,),
    )


def analysed() -> Snapshot:
    """:func:`rich` with what schema 1.3 added.

    A second opinion, RNA contents, a bootstrap with its draws, comparisons of groups and genes.
    """
    from gui.analyses.gene_params import GenesParams
    from gui.analyses.genes import run_genes
    from gui.analyses.groups import GroupsParams, run_groups
    from gui.engine.draw_intervals import compact
    from gui.engine.params import BootstrapParams
    from gui.engine.results import ApplyResult, BootstrapResult, RNAContent, SecondOpinion

    content = rich()
    random = np.random.default_rng(3)
    names = pd.Index([f"sample {i}" for i in range(4)])
    types = pd.Index(["T cells", "B cells", "NK"])
    estimate = pd.DataFrame(random.dirichlet([3, 2, 1], 4).T, types, names)
    draws = estimate.to_numpy() * random.lognormal(0, 0.1, (20, 3, 4))
    low, high = (pd.DataFrame(np.percentile(draws, q, axis=0), types, names) for q in (2.5, 97.5))
    bootstrap = BootstrapResult(estimate, low, high, low, high, 20, draws=compact(draws))
    params = GroupsParams(column="g", groups=("x", "z"))
    assert content.dataset is not None
    found = run_groups(
        content.dataset,
        params,
        progress=lambda *_a, **_k: None,
        apply=ApplyResult(estimate, estimate),
        bootstrap=bootstrap,
    )
    made = content.runs[0].provenance
    boot = Run(
        "boot0",
        "bootstrap",
        "Intervals",
        WHEN,
        BootstrapParams(replicates=20),
        bootstrap,
        dataclasses.replace(made, inputs={"dtd": "run0"}),
    )
    groups = Run(
        "groups0",
        "groups",
        "Groups: g",
        WHEN,
        params,
        found,
        dataclasses.replace(
            made,
            inputs={"dtd": "run0", "bootstrap": "boot0"},
            samples_id=content.dataset.samples_id,
        ),
    )
    dtd, *others = content.runs
    mine = dtd.result.composition["bulk"]
    opinion = SecondOpinion(
        mine / mine.sum(),
        mine / mine.sum(),
        mine / mine.sum(),
        {"NK": ("G1", "G2", "G3")},
        ("a note",),
        pd.DataFrame({"fold": [6.0], "genes": ["S100A8, CSF3R"]}, index=["Neutrophil"]),
        1.5,
    )
    contents = RNAContent(pd.Series([0.5, 1.5, 1.0], index=types), "raw counts")
    dtd = dataclasses.replace(
        dtd, result=dataclasses.replace(dtd.result, second_opinion=opinion, rna_content=contents)
    )
    adtd = next(run for run in others if run.kind == "adtd")
    regulated = dataclasses.replace(adtd.result, gene_regulation=adtd.result.reference + 0.5)
    looked_at = GenesParams(sets=(), markers=())
    genes = Run(
        "genes0",
        "genes",
        "Genes",
        WHEN,
        looked_at,
        run_genes(content.dataset, looked_at, progress=lambda *_a, **_k: None, adtd=regulated),
        dataclasses.replace(made, inputs={"adtd": "adtd0"}),
    )
    return dataclasses.replace(content, runs=(dtd, *others, boot, groups, genes))


Managers = Callable[..., SessionCacheManager]
"""``make(folder or None, **options)`` of conftest.py."""


def filled(
    manager: SessionCacheManager, name: str = "Mine", seed: int = 0, *, actor: Actor = LOCAL
) -> DCXCache:
    """A session with every kind of part and run."""
    session = manager.create_session(name, actor=actor)
    content = rich(seed)
    assert content.dataset is not None
    session.set_dataset(content.dataset, keep_runs=False)
    for run in content.runs:
        session.add_run(run)
    session.keep_form("dtd", {"genes": 77, "list": ["a", 1]})
    return session


def same(a: Any, b: Any, where: str = "session") -> None:
    """AssertionError, with the place, unless both are the same to the bit."""
    assert type(a) is type(b), f"{where}: {type(a)} is not {type(b)}"
    if dataclasses.is_dataclass(a):
        for field in dataclasses.fields(a):
            same(getattr(a, field.name), getattr(b, field.name), f"{where}.{field.name}")
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            same(x, y, f"{where}[{k}]")
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), (
            f"{where}: {a.dtype} {a.shape} is not {b.dtype} {b.shape}"
        )
        if a.dtype.kind == "O":
            same(a.ravel().tolist(), b.ravel().tolist(), where)
        else:
            assert a.tobytes() == b.tobytes(), where
    elif isinstance(a, pd.DataFrame):
        same(a.index, b.index, f"{where}.index")
        same(a.columns, b.columns, f"{where}.columns")
        for k in range(a.shape[1]):
            same(a.iloc[:, k].array, b.iloc[:, k].array, f"{where}[{k}]")
        same(a.attrs, b.attrs, f"{where}.attrs")
    elif isinstance(a, pd.Series):
        same([a.name, a.index, a.array], [b.name, b.index, b.array], where)
    elif isinstance(a, pd.RangeIndex):
        assert a.equals(b), where
        assert a.name == b.name, where
    elif isinstance(a, pd.MultiIndex):
        pd.testing.assert_index_equal(a, b, exact=True)
    elif isinstance(a, pd.Index):
        same([a.name, a.array], [b.name, b.array], where)
    elif isinstance(a, pd.Categorical):
        assert a.ordered == b.ordered, where
        same([a.categories, a.codes], [b.categories, b.codes], where)
    elif isinstance(a, pd.api.extensions.ExtensionArray):
        assert a.dtype == b.dtype, where
        same(np.asarray(a.isna()), np.asarray(b.isna()), where)
        keep = ~np.asarray(a.isna())
        same(np.asarray(a)[keep], np.asarray(b)[keep], where)
    elif sparse.issparse(a):
        assert a.shape == b.shape, where
        for part in ("data", "indices", "indptr"):
            same(getattr(a, part), getattr(b, part), f"{where}.{part}")
    elif isinstance(a, float | np.floating) and np.isnan(a):
        assert np.isnan(b), where  # which of the many NaN it is means nothing in a single number
    elif isinstance(a, float | np.floating):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes(), where
    elif a is pd.NA or a is pd.NaT:
        assert a is b, where
    else:
        assert a == b, f"{where}: {a!r} is not {b!r}"
