"""Times to an event: who is analysed, who is not and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from gui.errors import BadValues, DataError, InvalidParameter

Duplicates = Literal["refuse", "first", "cluster"]


@dataclass(frozen=True, eq=False)
class Survival:
    """Follow-up of the samples that are analysed.

    time : by sample, from time zero, not negative; event : by sample, True where it happened
    patient : by sample, where samples of one patient are kept together (robust variance)
    excluded : columns sample and reason
    """

    time: pd.Series
    event: pd.Series
    patient: pd.Series | None
    excluded: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def samples(self) -> list[str]:
        """The analysed samples."""
        return list(self.time.index)

    @property
    def events(self) -> int:
        """How many patients had the event."""
        return int(self.first_of_each().event.sum())

    @property
    def patients(self) -> int:
        """How many patients there are."""
        return len(self.time) if self.patient is None else int(self.patient.nunique())

    def first_of_each(self) -> Survival:
        """One sample of every patient: for what takes samples as independent."""
        if self.patient is None:
            return self
        first = ~self.patient.duplicated()
        return replace(self, time=self.time[first], event=self.event[first], patient=None)


def survival_data(
    time: pd.Series,
    event: pd.Series,
    *,
    samples: Sequence[str] | None = None,
    patient: pd.Series | None = None,
    duplicates: Duplicates = "refuse",
) -> Survival:
    """Times and events that can be analysed; what cannot is listed with its reason.

    Parameters
    ----------
    time, event : by sample; event is 0/1 or True/False; gaps allowed
    samples : of the run; others are listed as having no sample in the run
    patient : by sample; several samples of one patient are refused, the first is used, or all are
        used and the variance made robust ("cluster")

    Raises
    ------
    BadValues : times that are no numbers, events that are neither 0 nor 1
    DataError : several samples of one patient; nobody left; no event

    Source: Altman et al. 2012, PLoS Med 9:e1001216 (REMARK item 12: the flow of patients).
    """
    for column, what in ((time, "time"), (event, "event")):
        if column.index.has_duplicates:
            twice = column.index[column.index.duplicated()][0]
            raise DataError(
                f"The sample {twice} has more than one {what}.", advice="Give each once."
            )
    try:
        times = pd.to_numeric(time).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadValues("Some times are not numbers.", advice="Correct the column.") from error
    status = _status(event).reindex(times.index)
    reasons: dict[str, str] = {}
    names = list(times.index if samples is None else samples)
    reasons |= dict.fromkeys(times.index.difference(names), "no sample in the run")
    for sample in names:
        if sample not in times.index:
            reasons[sample] = "not in the clinical table"
        elif pd.isna(times[sample]):
            reasons[sample] = "no time"
        elif not np.isfinite(times[sample]):
            reasons[sample] = "time is not finite"
        elif times[sample] < 0:
            reasons[sample] = "event or last contact before time zero"
        elif pd.isna(status[sample]):
            reasons[sample] = "not known whether the event happened"
    kept = [s for s in names if s not in reasons]
    cluster = None
    if patient is not None:
        kept, cluster = _one_per_patient(kept, patient, duplicates, reasons)
    if not kept:
        raise DataError("No sample has a time and an event.", advice="Check the sample names.")
    used_event = status.loc[kept].astype(bool)
    if not used_event.any():
        raise DataError("No sample has the event.", advice="Check which value means the event.")
    notes = []
    if (times.loc[kept] == 0).any():
        notes.append(f"{int((times.loc[kept] == 0).sum())} samples have a time of 0.")
    early = sum(reason.startswith("event or last") for reason in reasons.values())
    if early:
        notes.append(f"{early} times are negative: check whether time zero is the right date.")
    return Survival(
        times.loc[kept].rename("time"),
        used_event.rename("event"),
        cluster,
        pd.DataFrame(list(reasons.items()), columns=["sample", "reason"]),
        tuple(notes),
    )


def _status(event: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(event, errors="coerce").astype(np.float64)
    odd = (numbers.isna() & event.notna()) | ~numbers.isin([0.0, 1.0]) & numbers.notna()
    if odd.any():
        raise BadValues(
            "An event column holds 0 (no) and 1 (yes) only.", advice="Say which value is the event."
        )
    return numbers


def _one_per_patient(
    kept: list[str], patient: pd.Series, duplicates: Duplicates, reasons: dict[str, str]
) -> tuple[list[str], pd.Series | None]:
    who = patient.reindex(kept)
    reasons |= dict.fromkeys(who.index[who.isna()], "no patient given")
    who = who.dropna()
    twice = who.duplicated()
    if not twice.any():
        return list(who.index), None
    if duplicates == "refuse":
        several = who[twice].nunique()
        have = f"{several} patients have" if several > 1 else "1 patient has"
        raise DataError(
            f"{have} more than one sample and would count more than once.",
            advice="Use one sample of each patient, or keep them together as clusters.",
        )
    if duplicates == "first":
        reasons |= dict.fromkeys(who.index[twice], "another sample of the patient is used")
        return list(who.index[~twice]), None
    if duplicates != "cluster":
        raise InvalidParameter(f"Unknown way to treat duplicate patients: {duplicates}.")
    return list(who.index), who


def refuse_later_covariates(known_at: Mapping[str, float]) -> None:
    """DataError for covariates that are known only after time zero.

    Who has such a value has lived until it was known: the comparison would be won by surviving.

    Parameters
    ----------
    known_at : covariate -> time from time zero at which it is known

    Source: Anderson, Cain & Gelber 1983, J Clin Oncol 1:710 (landmark analysis).
    """
    late = {name: at for name, at in known_at.items() if at > 0}
    if late:
        name, at = max(late.items(), key=lambda item: item[1])
        raise DataError(
            f"{name} is known only at {at:g} after time zero, so only those who lived until then "
            "have it.",
            advice=f"Use a landmark analysis from {at:g} on, or leave it out.",
        )


def landmark(survival: Survival, at: float) -> Survival:
    """Those still followed at the landmark, with their time counted from there.

    Raises
    ------
    DataError : nobody, or no event, is left

    Source: Anderson, Cain & Gelber 1983, J Clin Oncol 1:710.
    """
    if not np.isfinite(at) or at < 0:
        raise InvalidParameter("A landmark is a time from time zero on.")
    later = survival.time > at
    if not (later & survival.event).any():
        raise DataError("No event happens after the landmark.", advice="Choose an earlier one.")
    gone = pd.DataFrame(
        {"sample": survival.time.index[~later], "reason": "event or last contact before landmark"}
    )
    return replace(
        survival,
        time=survival.time[later] - at,
        event=survival.event[later],
        patient=None if survival.patient is None else survival.patient[later],
        excluded=pd.concat([survival.excluded, gone], ignore_index=True),
        notes=(*survival.notes, f"Landmark at {at:g}: time is counted from there."),
    )


def times_and_events(
    time: np.ndarray | pd.Series, event: np.ndarray | pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Times, with ties of rounding tied, and whether the event happened, as arrays.

    Raises
    ------
    BadValues : gaps, negative times, events that are neither 0 nor 1 (R's data sets code 1 and 2)

    Source: Therneau & Grambsch 2000, section 3.1 (what a right-censored time is).
    """
    times = pd.to_numeric(pd.Series(np.asarray(time).ravel()), errors="coerce")
    values = times.to_numpy(dtype=np.float64, na_value=np.nan)
    status = _status(pd.Series(np.asarray(event).ravel())).to_numpy()
    if values.size != status.size or not values.size:
        raise BadValues("There are not as many times as events, or none.")
    if not (np.isfinite(values).all() and np.isfinite(status).all()):
        raise BadValues("Times or events have gaps.", advice="Leave these samples out.")
    if values.min() < 0:
        raise BadValues("Some times are negative.", advice="Check which date is time zero.")
    return tie_times(values), status == 1.0


def check_no_gaps(values: np.ndarray | pd.Series, what: str) -> None:
    """BadValues where a group or stratum is missing: left out in silence it would change p.

    Source: Altman et al. 2012, PLoS Med 9:e1001216 (every exclusion is said).
    """
    missing = int(pd.isna(np.asarray(values)).sum())
    if missing:
        raise BadValues(
            f"{missing} sample{'s have' if missing > 1 else ' has'} no {what}.",
            advice="Leave them out.",
        )


def tie_times(time: np.ndarray) -> np.ndarray:
    """Times in which differences of rounding alone are ties (as R's survival, function aeqSurv).

    Source: Therneau 2024, vignette "Roundoff error and tied times" of the package survival.
    """
    time = np.asarray(time, dtype=np.float64)
    distinct, at = np.unique(time, return_inverse=True)
    if distinct.size < 2:
        return time
    tolerance = 1.5e-8 * float(np.abs(distinct).mean())
    new = np.concatenate([[True], np.diff(distinct) > tolerance])
    return np.asarray(distinct[new][np.cumsum(new) - 1][at])
