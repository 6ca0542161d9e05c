"""A session of the predecessor becomes one of ours: saved, opened again and adopted with the same
numbers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from gui.data.legacy.predecessor import OldSession, read_session
from gui.sessions import file
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL, SessionCacheManager
from gui.sessions.predecessor import to_snapshot
from gui.sessions.snapshot import Snapshot

ID = "20261122#092548#0dfe8418"


@pytest.fixture
def old(shared_data: Path) -> OldSession:
    return read_session(shared_data / "predecessor" / "sessions" / "cache" / f"{ID}.pkl")


@pytest.fixture
def truth(shared_data: Path) -> dict[str, np.ndarray]:
    with np.load(
        shared_data / "predecessor" / "sessions" / "truth.npz", allow_pickle=False
    ) as found:
        return dict(found)


def assert_true(snapshot: Snapshot, truth: dict[str, np.ndarray]) -> None:
    dtd, adtd = cast(Any, snapshot.runs)
    np.testing.assert_array_equal(dtd.result.gene_weights.to_numpy()[:, None], truth["gamma"])
    assert dtd.result.gene_weights.dtype == np.float32
    np.testing.assert_array_equal(adtd.result.composition, truth["C"])
    np.testing.assert_array_equal(adtd.result.gene_regulation, truth["D"])


def test_the_runs_hold_the_predecessors_numbers_and_belong_to_its_data(
    old: OldSession, truth: dict[str, np.ndarray]
) -> None:
    snapshot = to_snapshot(old)
    assert_true(snapshot, truth)
    assert (snapshot.session_id, snapshot.name) == (ID, "Kohorte 7")
    session = DCXCache.from_snapshot(snapshot)
    assert [session.outdated(run) for run in snapshot.runs] == [None, None]
    assert [session.current(kind).kind for kind in ("dtd", "adtd")] == ["dtd", "adtd"]
    dtd, adtd = cast(Any, snapshot.runs)
    assert (dtd.params.genes, dtd.params.iterations, dtd.params.train_mixtures) == (60, 15, 30)
    # the seed is not known: nothing may be drawn again from a guessed one
    assert dtd.result.params is None
    assert (adtd.params.model, adtd.params.part, adtd.params.lambda2, adtd.params.lambda1) == (
        "custom",
        "test",
        1e-6,
        1e-6,
    )
    metrics = dtd.result.metrics
    assert set(metrics["part"]) == {"train", "test"}
    assert metrics["pearson"].between(0.9, 1).all()


def test_saved_and_opened_again_it_is_the_same(
    old: OldSession, truth: dict[str, np.ndarray], tmp_path: Path
) -> None:
    snapshot = to_snapshot(old)
    path = tmp_path / f"old{file.SUFFIX}"
    file.save(path, snapshot, expected_generation=None, generation=1)
    again = file.load(path)
    assert_true(again, truth)
    assert again.dataset.dataset_id == old.dataset.dataset_id
    assert again.created == old.created
    manager = SessionCacheManager(tmp_path / "data")
    assert manager.import_session(path, actor=LOCAL).outcome == "new"
    assert manager.import_session(path, actor=LOCAL).outcome == "known"  # it keeps its id
    assert_true(manager.get_session(ID, actor=LOCAL).snapshot(), truth)
    manager.close(actor=LOCAL)


def test_odd_names_settings_and_missing_results_still_make_a_session(old: OldSession) -> None:
    assert to_snapshot(replace(old, name=" default ")).name.startswith("Session 2026")
    assert len(to_snapshot(replace(old, name="x" * 200)).name) == 120
    assert to_snapshot(old, name="Mine").name == "Mine"
    assert to_snapshot(replace(old, id="", created=None)).session_id != ID
    assert to_snapshot(replace(old, dtd=None, notes=("Lost.",))).runs == ()
    assert to_snapshot(replace(old, dtd=None, notes=("Lost.",))).notes.endswith("Lost.")
    wild = replace(old.adtd, settings={"lambda2": -1.0}, c_static=True)
    assert cast(Any, to_snapshot(replace(old, adtd=wild)).runs[1].params).model == "h,r"
