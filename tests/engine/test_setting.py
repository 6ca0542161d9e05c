"""Which engine computes: what is asked for, and stock where the fast one does not know the
installed deconomix.
"""

from __future__ import annotations

from typing import Any

import pytest

from gui.engine import compute_settings, tasks
from gui.engine.adtd import FastADTD
from gui.engine.compute_settings import ComputeSettings
from gui.engine.params import ADTDParams, DTDParams


def ran(
    monkeypatch: pytest.MonkeyPatch, dataset: Any, trained: Any, recorder: Any
) -> tuple[set[str], tuple[str, ...]]:
    """The classes that computed, and what the result says."""
    from gui.engine.stock_models import WatchedADTD  # it loads torch

    seen: set[str] = set()
    for kind in (FastADTD, WatchedADTD):
        made = kind.__init__

        def init(self: Any, *args: Any, made: Any = made, **options: Any) -> None:
            seen.add(type(self).__name__)
            made(self, *args, **options)

        monkeypatch.setattr(kind, "__init__", init)
    found = tasks.run_adtd(dataset, ADTDParams(), progress=recorder(), dtd=trained)
    return seen, found.notes


@pytest.mark.parametrize(("engine", "kind"), [("fast", "FastADTD"), ("stock", "WatchedADTD")])
def test_the_engine_that_is_asked_for_computes(
    engine: Any, kind: str, monkeypatch: Any, dataset: Any, trained: Any, recorder: Any
) -> None:
    tasks.warm_up(ComputeSettings(engine))
    seen, notes = ran(monkeypatch, dataset, trained, recorder)
    assert seen == {kind}
    assert not any("deconomix" in note for note in notes)


def test_with_another_deconomix_stock_computes_and_it_is_said(
    monkeypatch: Any, dataset: Any, trained: Any, recorder: Any, quick: DTDParams
) -> None:
    monkeypatch.setattr(compute_settings, "installed_deconomix", lambda: "1.0.9")
    seen, notes = ran(monkeypatch, dataset, trained, recorder)
    assert seen == {"WatchedADTD"}
    assert any("1.0.9" in note and "stock" in note for note in notes)
    assert any(
        "1.0.9" in note for note in tasks.run_naive(dataset, quick, progress=recorder()).notes
    )
    compute_settings.set_compute_settings(ComputeSettings("stock"))
    assert not any(
        "1.0.9" in note for note in tasks.run_naive(dataset, quick, progress=recorder()).notes
    ), "who asked for stock need not be told"
