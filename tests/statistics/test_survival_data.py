"""Who is analysed, who is not and why; landmarks; the best cut point and what it costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.errors import BadValues, DataError, InvalidParameter
from gui.statistics.concordance import concordance
from gui.statistics.cox import cox
from gui.statistics.cox_ridge import cox_ridge
from gui.statistics.kaplan_meier import kaplan_meier, kaplan_meier_by_group
from gui.statistics.log_rank import log_rank
from gui.statistics.maximally_selected import best_cut
from gui.statistics.survival_data import landmark, refuse_later_covariates, survival_data

SAMPLES = list("abcdefgh")


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"time": [5.0, 3, np.nan, -2, 8, 0, 4, 9], "event": [1, 0, 1, 1, np.nan, 1, 0, 1]},
        index=SAMPLES,
    )


def test_excluded_samples_are_listed_with_the_reason() -> None:
    data = table()
    found = survival_data(data["time"], data["event"], samples=[*"bacdefg", "x"])
    assert found.samples == ["b", "a", "f", "g"]
    assert found.events == 2
    reasons = found.excluded.set_index("sample")["reason"].to_dict()
    assert reasons == {
        "h": "no sample in the run",
        "c": "no time",
        "d": "event or last contact before time zero",
        "e": "not known whether the event happened",
        "x": "not in the clinical table",
    }
    assert any("time of 0" in note for note in found.notes)
    assert any("negative" in note and "time zero" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d.assign(event="dead"), BadValues, "0 .no. and 1 .yes."),
        (lambda d: d.assign(event=2), BadValues, "0 .no. and 1 .yes."),
        (lambda d: d.assign(time="soon"), BadValues, "not numbers"),
        (lambda d: d.assign(event=0), DataError, "No sample has the event"),
        (lambda d: d.assign(time=np.nan), DataError, "No sample has"),
        (lambda d: pd.concat([d, d]), DataError, "more than one time"),
    ],
    ids=["text", "coded 1 and 2", "times as text", "no event", "no time", "sample twice"],
)
def test_columns_that_are_no_survival_are_refused(change, error, message) -> None:
    data = change(table())
    with pytest.raises(error, match=message):
        survival_data(data["time"], data["event"])


def test_patients_with_several_samples_are_refused_or_chosen_or_clustered() -> None:
    data = table()
    who = pd.Series(["p1", "p1", "p3", "p4", "p5", "p6", "p7", None], SAMPLES)
    with pytest.raises(DataError, match="1 patient has more than one sample") as refused:
        survival_data(data["time"], data["event"], patient=who)
    assert "clusters" in refused.value.advice
    first = survival_data(data["time"], data["event"], patient=who, duplicates="first")
    assert first.samples == ["a", "f", "g"]
    assert first.patient is None
    reasons = first.excluded.set_index("sample")["reason"]
    assert reasons["b"] == "another sample of the patient is used"
    assert reasons["h"] == "no patient given"
    both = survival_data(data["time"], data["event"], patient=who, duplicates="cluster")
    assert both.samples == ["a", "b", "f", "g"]
    assert both.patient["b"] == "p1"


def test_a_covariate_known_later_is_refused_with_the_word_landmark() -> None:
    refuse_later_covariates({"age": 0, "stage": -30})
    with pytest.raises(DataError, match="response is known only at 90") as refused:
        refuse_later_covariates({"age": 0, "response": 90, "grade": 10})
    assert "landmark" in refused.value.advice


def test_landmark_keeps_who_is_followed_beyond_it() -> None:
    data = table()
    later = landmark(survival_data(data["time"], data["event"]), 4)
    assert later.time.to_dict() == {"a": 1.0, "h": 5.0}
    assert set(later.excluded["sample"]) == {"b", "c", "d", "e", "f", "g"}
    assert any("Landmark at 4" in note for note in later.notes)
    with pytest.raises(DataError, match="No event"):
        landmark(survival_data(data["time"], data["event"]), 9)


def cut_data(seed: int, effect: float, n: int = 100):
    rng = np.random.default_rng(seed)
    values = rng.random(n)
    time = np.ceil(rng.exponential(20 * np.exp(-effect * (values > 0.6))))
    return time, rng.random(n) < 0.8, values


def test_best_cut_finds_the_cut_and_is_labelled_exploratory() -> None:
    time, event, values = cut_data(0, 2.0, n=300)
    found = best_cut(time, event, values, permutations=999)
    assert found.cut == pytest.approx(0.6, abs=0.05)
    assert found.p == pytest.approx(0.001)
    assert "Exploratory" in found.notes[0]
    inner = found.table["samples"]
    assert (inner.min(), inner.max()) == (75, 225)
    assert found.statistic == found.table["statistic"].abs().max()


def test_the_search_is_paid_for_and_the_same_every_time() -> None:
    found = [best_cut(*cut_data(seed, 0.0), permutations=499) for seed in range(5)]
    assert all(result.p > result.nominal_p for result in found)
    again = best_cut(*cut_data(0, 0.0), permutations=499)
    assert again.p == found[0].p


def test_statistic_of_a_cut_is_nearly_the_log_rank_test() -> None:
    time, event, values = cut_data(1, 0.0, n=400)
    found = best_cut(time, event, values, permutations=9)
    lower = values <= found.cut
    test = log_rank(time, event, lower)
    assert found.statistic**2 == pytest.approx(test.statistic, rel=0.15)


def test_a_number_that_cannot_be_cut_is_refused() -> None:
    time, event, _ = cut_data(2, 0.0)
    with pytest.raises(DataError, match="cut point"):
        best_cut(time, event, np.ones(100))
    with pytest.raises(DataError, match="No sample has the event"):
        best_cut(time, np.zeros(100), np.arange(100.0))
    with pytest.raises(InvalidParameter):
        best_cut(time, event, np.arange(100.0), middle=2)


@pytest.mark.parametrize(
    "call",
    [
        lambda t, e, g: kaplan_meier(t, e),
        lambda t, e, g: kaplan_meier_by_group(t, e, g),
        lambda t, e, g: log_rank(t, e, g),
        lambda t, e, g: best_cut(t, e, g.cat.codes),
        lambda t, e, g: concordance(t, e, g.cat.codes),
        lambda t, e, g: cox(t, e, g.cat.codes.to_frame("x")),
        lambda t, e, g: cox_ridge(t, e, g.cat.codes.to_frame("x")),
    ],
    ids=["curve", "curves", "log-rank", "best cut", "concordance", "Cox", "ridge"],
)
def test_every_door_refuses_gaps_negative_times_and_events_coded_1_and_2(call) -> None:
    time = pd.Series(np.arange(1.0, 21))
    event = pd.Series(np.resize([0, 1], 20))
    groups = pd.Series(np.resize(["a", "b", "b"], 20), dtype="category")
    assert call(time, event, groups) is not None
    assert call(time, event.astype(bool), groups) is not None
    assert call(time.astype("Int64"), event.astype("boolean"), groups) is not None
    for wrong, message in (
        ((time, event + 1), "0 .no. and 1 .yes."),
        ((time.where(time > 1), event), "gaps"),
        ((time, event.where(time > 1)), "gaps"),
        ((time - 5, event), "negative"),
    ):
        with pytest.raises(BadValues, match=message):
            call(*wrong, groups)


def test_samples_without_group_or_stratum_are_not_left_out_in_silence() -> None:
    time, event = pd.Series(np.arange(1.0, 9)), pd.Series([1] * 8)
    groups = pd.Series(["a", "b", "a", "b", "a", "b", "a", None])
    for call in (
        lambda: log_rank(time, event, groups),
        lambda: kaplan_meier_by_group(time, event, groups),
        lambda: log_rank(time, event, groups.fillna("b"), strata=groups),
        lambda: cox(time, event, time.to_frame("x"), strata=groups),
        lambda: best_cut(time, event, time.where(time > 1)),
    ):
        with pytest.raises(BadValues, match="1 sample has no"):
            call()
