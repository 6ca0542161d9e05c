"""DCXCache: one session's data, runs and form values, and the one rule of what is outdated."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.registry import ANALYSES
from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams, Params
from gui.engine.results import Provenance, Run
from gui.errors import DefaultSession, MissingPart
from gui.sessions.cache import DCXCache

GENES = pd.Index([f"gene{i}" for i in range(4)])


def bulk(factor: float = 1.0) -> Bulk:
    samples = pd.Index(["s1", "s2"])
    return Bulk(
        Matrix(factor * np.arange(1.0, 9.0).reshape(4, 2), GENES, samples),
        pd.DataFrame(index=samples),
    )


def data(factor: float = 1.0) -> Dataset:
    cells = pd.Index(["c1", "c2", "c3"])
    train = Cells(
        Matrix(factor * np.arange(1.0, 13.0).reshape(4, 3), GENES, cells),
        np.array(["a", "b", "b"]),
        pd.DataFrame(index=cells),
    )
    return Dataset(train, None, bulk=bulk())


def run(
    session: DCXCache, run_id: str, kind: str = "dtd", params: Params | None = None, **inputs: str
) -> Run:
    """A run computed from what is in the session now, put into it."""
    present = session.need_dataset()
    made = Run(
        run_id,
        kind,
        kind.upper(),
        datetime.now(UTC),
        params or Params(),
        {},
        Provenance(present.training_id, present.bulk_id, inputs),
    )
    session.add_run(made)
    return made


@pytest.fixture
def session() -> DCXCache:
    found = DCXCache("id", "name")
    found.set_dataset(data(), keep_runs=False)
    return found


def test_a_new_session_is_empty() -> None:
    empty = DCXCache("id", "name")
    assert (
        empty.dataset,
        empty.runs(),
        empty.current("dtd"),
        empty.run(None),
        empty.run("x"),
        empty.revision,
    ) == (None, [], None, None, None, 0)
    assert not any(empty.has(need) for need in ("dataset", "train", "bulk", "dtd"))
    with pytest.raises(MissingPart, match="no data yet"):
        empty.need_dataset()


def test_default_session_takes_neither_data_nor_runs(session: DCXCache) -> None:
    default = DCXCache("id", "Default", holds_data=False)
    with pytest.raises(DefaultSession):
        default.set_dataset(data(), keep_runs=False)
    with pytest.raises(DefaultSession):
        default.add_run(run(session, "r1"))
    assert (default.dataset, default.runs(), default.revision) == (None, [], 0)


def test_has_tells_what_a_page_may_require(session: DCXCache) -> None:
    assert session.has("dataset")
    assert session.has("train")
    assert session.has("bulk")
    assert not session.has("dtd")
    run(session, "r1")
    assert session.has("dtd")
    session.set_dataset(replace(data(), bulk=None), keep_runs=True)
    assert not session.has("bulk")


def test_every_change_of_data_and_runs_raises_the_revision_and_forms_do_not(
    session: DCXCache,
) -> None:
    revisions = [session.revision]

    def changed() -> bool:
        revisions.append(session.revision)
        return revisions[-1] == revisions[-2] + 1

    run(session, "r1")
    assert changed()
    run(session, "r2")
    assert changed()
    session.choose_run("r1")
    assert changed()
    session.remove_run("r1")
    assert changed()
    session.set_dataset(data(2), keep_runs=False)
    assert changed()
    session.remove_run("nothing")
    session.keep_form("dtd", {"genes": 5})
    assert session.revision == revisions[-1]


def test_newest_run_is_shown_until_an_earlier_one_is_brought_back(session: DCXCache) -> None:
    first, second, other = run(session, "r1"), run(session, "r2"), run(session, "r3", "adtd")
    assert session.runs() == [first, second, other]
    assert session.runs("dtd") == [first, second]
    assert session.current("dtd") is second
    assert session.choose_run("r1") is first
    assert session.current("dtd") is first
    assert session.current("adtd") is other
    with pytest.raises(MissingPart, match="no longer in the session"):
        session.choose_run("nothing")


def test_removing_the_shown_run_shows_the_newest_other_one(session: DCXCache) -> None:
    first, second, third = (run(session, name) for name in ("r1", "r2", "r3"))
    session.remove_run("r3")
    assert session.current("dtd") is second
    session.choose_run("r1")
    session.remove_run("r2")
    assert session.current("dtd") is first
    session.remove_run("r1")
    assert session.current("dtd") is None
    assert session.runs() == []
    assert third.id == "r3"


def test_new_training_data_clear_the_runs(session: DCXCache) -> None:
    run(session, "r1")
    session.set_dataset(data(2), keep_runs=False)
    assert session.runs() == []
    assert session.current("dtd") is None


# ----------------------------------------------------------------------------------------- outdated


def test_runs_on_the_present_data_are_not_outdated(session: DCXCache) -> None:
    dtd = run(session, "r1", params=DTDParams())
    adtd = run(session, "r2", "adtd", ADTDParams(), dtd="r1")
    assert session.outdated(dtd) is None
    assert session.outdated(adtd) is None
    assert not session.bulk_outdated(dtd)


def test_other_training_data_outdate_every_run_that_comes_in_later(session: DCXCache) -> None:
    late = run(session, "r1")
    session.set_dataset(data(2), keep_runs=False)
    session.add_run(late)  # its job was still running
    assert session.outdated(late) == "Computed from other training data."


def test_another_bulk_outdates_what_was_computed_from_it_and_keeps_the_training(
    session: DCXCache,
) -> None:
    dtd = run(session, "r1", params=DTDParams())
    on_bulk = run(session, "r2", "adtd", ADTDParams(part="bulk"), dtd="r1")
    on_test = run(session, "r3", "adtd2", ADTDParams(part="test"), dtd="r1")
    session.set_dataset(replace(session.need_dataset(), bulk=bulk(3.0)), keep_runs=True)
    assert session.outdated(dtd) is None
    assert session.bulk_outdated(dtd)
    assert session.outdated(on_bulk) == "Computed from another bulk."
    assert session.outdated(on_test) is None


def test_another_scale_outdates_the_runs(session: DCXCache) -> None:
    dtd = run(session, "r1")
    session.set_dataset(replace(session.need_dataset(), scale=None), keep_runs=True)
    assert session.outdated(dtd) == "Computed from other training data."


def test_a_new_dtd_run_outdates_what_was_computed_from_the_one_before_until_it_is_brought_back(
    session: DCXCache,
) -> None:
    run(session, "r1")
    adtd = run(session, "r2", "adtd", ADTDParams(), dtd="r1")
    run(session, "r3")
    assert session.outdated(adtd) == "Computed from another DTD run than the one shown."
    session.choose_run("r1")
    assert session.outdated(adtd) is None
    session.remove_run("r1")
    assert session.outdated(adtd) == "Computed from a DTD run that is no longer in the session."


def test_inputs_are_followed_whatever_the_task_calls_them_and_through_several_runs(
    session: DCXCache,
) -> None:
    run(session, "r1")
    run(session, "r2", "adtd", ADTDParams(), dtd="r1")
    late = run(session, "r3", "plug", model="r2")
    assert session.outdated(late) is None
    run(session, "r4")
    assert session.outdated(late) == "Computed from another DTD run than the one shown."
    run(session, "r5", "adtd", ADTDParams(), dtd="r4")
    assert session.outdated(late) == "Computed from another ADTD run than the one shown."


@pytest.mark.parametrize("kind", sorted(ANALYSES))
def test_of_an_analysis_the_data_count_but_not_which_runs_are_shown(
    session: DCXCache, kind: str
) -> None:
    run(session, "r1")
    run(session, "r2", "adtd", ADTDParams(), dtd="r1")
    run(session, "r3", "bootstrap", BootstrapParams(), dtd="r1")
    inputs = ({"dtd": "r1"}, {"dtd": "r1", "bootstrap": "r3"}, {"adtd": "r2"})
    found = [run(session, f"a{i}", kind, **given) for i, given in enumerate(inputs)]
    run(session, "r4")  # another DTD run is shown, without ADTD and bootstrap
    assert [session.outdated(each) for each in found] == [None] * 3
    session.remove_run("r1")
    assert "no longer in the session" in (session.outdated(found[2]) or "")
    session.set_dataset(replace(session.need_dataset(), bulk=bulk(3.0)), keep_runs=True)
    assert all(session.outdated(each) for each in found)


# -------------------------------------------------------------------------------------------- forms


def test_form_values_are_kept_per_page_and_handed_out_as_copies(session: DCXCache) -> None:
    session.keep_form("dtd", {"genes": 5, "seed": 1})
    session.keep_form("dtd", {"genes": 6})
    session.keep_form("adtd", {"genes": 7})
    form = session.form("dtd")
    assert form == {"genes": 6, "seed": 1}
    form["genes"] = 8
    assert session.form("dtd")["genes"] == 6
    assert session.form("other") == {}


def test_changes_from_many_threads_are_all_there(session: DCXCache) -> None:
    before = session.revision

    def add(thread: int) -> None:
        for i in range(50):
            run(session, f"{thread}-{i}", kind=f"kind{thread}")
            session.outdated(session.runs()[0])

    threads: list[Any] = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(session.runs()) == 200
    assert session.revision == before + 200
