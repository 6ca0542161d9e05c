"""What a survival analysis is asked: columns, cut points, models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gui.engine.params import Params, param

Cut = Literal["none", "median", "tertiles", "stated", "best"]
CUT_TEXTS: dict[str, str] = {
    "none": "as it is (no groups)",
    "median": "at the median",
    "tertiles": "in tertiles",
    "stated": "at stated values",
    "best": "best cut (exploratory)",
}
DUPLICATE_TEXTS: dict[str, str] = {
    "refuse": "refuse",
    "first": "use the first sample",
    "cluster": "keep together",
}
SCALE_TEXTS: dict[str, str] = {
    "km": "1 - Kaplan-Meier",
    "rank": "rank of the event",
    "identity": "time as it is",
    "log": "log time",
}
SAMPLES = "the samples"
"""Among what is known only later: the samples themselves were taken after time zero."""


class SurvivalParams(Params):
    """Times to an event against the fraction of each cell type.

    Names of columns are those of the clinical table. "" takes what was loaded with it.
    """

    time: str = param(
        "", "Times", "Column with the time from time zero to the event or the last follow-up."
    )
    event: str = param("", "Event", "Column that says whether the event happened.")
    event_value: str = param("", "Event value", "The value that says that the event happened.")
    unit: str = param("", "Unit", "Of the times.")
    time_zero: str = param(
        "",
        "Time zero",
        "From when times are counted: diagnosis, surgery, start of treatment. It has to be the same"
        " for everybody, and what is compared has to be known by then.",
    )
    cut: Cut = param(
        "none",
        "Groups by fraction",
        "The models use a fraction as it is. Curves need groups: cutting at the median or in"
        " tertiles costs power, a cut point found in the data is exploratory.",
    )
    cut_points: tuple[float, ...] = param(
        (), "Cut points", "Fractions in percent at which groups begin.", unit="%"
    )
    compare: tuple[str, ...] = param(
        (), "Curves by column", "Clinical columns whose groups get curves and a log-rank test."
    )
    order: tuple[str, ...] = param(
        (),
        "Order of the groups",
        "The groups of these columns from lowest to highest, for a test of a trend where names do"
        " not tell their order: low, medium, high.",
    )
    covariates: tuple[str, ...] = param(
        (), "Adjust for", "Clinical columns in the models beside the fraction: age, stage."
    )
    strata: tuple[str, ...] = param(
        (), "Strata", "Each group of these columns has a baseline hazard of its own: centre, sex."
    )
    types: tuple[str, ...] = param(
        (), "Cell types together", "Cell types in one model with the covariates."
    )
    ridge: bool = param(
        False,
        "Ridge fit",
        "Fit the model of several variables with a penalty: for few events. It gives no p-values.",
    )
    patient: str = param(
        "", "Patients", "Column that names the patient, where one has several samples."
    )
    duplicates: Literal["refuse", "first", "cluster"] = param(
        "refuse",
        "Several samples of a patient",
        "They would count more than once: use one of them, or keep them together as a cluster.",
    )
    later: tuple[str, ...] = param(
        (), "Known only later", "What is known only after time zero, such as response to therapy."
    )
    known_at: float | None = param(
        None, "Known at", "Time from time zero at which these are known.", ge=0
    )
    landmark: float | None = param(
        None,
        "Landmark",
        "Count time from here, with those who are still followed: needed where something is known"
        " only later.",
        gt=0,
        advanced=True,
    )
    transform: Literal["log-log", "log", "plain"] = param(
        "log-log",
        "Transform of the band",
        "Of the confidence band and of the interval of the median.",
        advanced=True,
    )
    tau: float | None = param(
        None,
        "Mean survival up to",
        "Time of the restricted mean. Empty: as far as all groups are followed.",
        gt=0,
        advanced=True,
    )
    scale: Literal["km", "rank", "identity", "log"] = param(
        "km",
        "Time scale of the test",
        "Of the test of proportional hazards.",
        advanced=True,
    )
    permutations: int = param(
        9999, "Permutations", "Of the best cut point.", ge=99, le=100_000, advanced=True
    )
    seed: int = param(1, "Seed", "Of permutations and cross-validation.", ge=0, advanced=True)

    def order_of(self, levels: Sequence[str]) -> list[str] | None:
        """These groups in the order that was chosen; None where it does not hold all of them."""
        found = [level for level in dict.fromkeys(self.order) if level in levels]
        return found if found and len(found) == len(levels) else None

    def used(self) -> list[str]:
        """The fields that play a part."""
        without = {name for name, value in self if value in ("", (), None)}
        if self.cut != "stated":
            without.add("cut_points")
        if self.cut != "best":
            without.add("permutations")
        if self.cut != "best" and not self.ridge:
            without.add("seed")
        if not self.later:
            without.add("known_at")
        if not self.compare:
            without.add("order")
        if not (self.types or self.covariates):
            without.add("ridge")
        return [name for name in super().used() if name not in without]
