"""Whether two runs lead to the same conclusions: Groups and Survival, repeated on both."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from gui.analyses.groups import run_groups
from gui.analyses.survival import run_survival
from gui.data.dataset import Dataset
from gui.engine.results import Run
from gui.errors import DeconomixError
from gui.sessions.cache import DCXCache
from gui.text import some

NOT_CALLED = "not called"


class Side(Protocol):
    """One of the two runs, with its session and its fractions (cell types x samples)."""

    @property
    def session(self) -> DCXCache: ...
    @property
    def run(self) -> Run: ...
    @property
    def fractions(self) -> pd.DataFrame: ...


@dataclass(frozen=True, eq=False)
class Conclusion:
    """What an analysis concludes of two runs.

    Attributes
    ----------
    title
        Of the analysis.
    calls
        By cell type that is called on either run: first and second, in words ("higher").
    trouble
        Why it cannot be repeated; "" where it can.
    """

    title: str
    calls: pd.DataFrame
    trouble: str = ""

    @property
    def changed(self) -> list[str]:
        """The cell types that are called otherwise on the second run."""
        moved = self.calls["first"] != self.calls["second"]
        return [str(name) for name in self.calls.index[moved]]

    @property
    def sentence(self) -> str:
        """Whether the conclusion would change, and in which cell types."""
        if self.trouble:
            return f"{self.title}: cannot be repeated on both runs. {self.trouble}"
        table = self.calls
        if not self.changed:
            named = some(sorted(map(str, table.index)), 5) or "no cell type"
            return f"{self.title}: the conclusion would not change ({named} in both)."
        lost = table.index[(table["first"] != NOT_CALLED) & (table["second"] == NOT_CALLED)]
        gained = table.index[(table["first"] == NOT_CALLED) & (table["second"] != NOT_CALLED)]
        turned = [name for name in self.changed if name not in lost and name not in gained]
        parts = [
            f"{words} {some(sorted(map(str, names)), 5)}"
            for words, names in (
                ("only in the first:", lost),
                ("only in the second:", gained),
                ("in the other direction:", turned),
            )
            if len(names)
        ]
        return f"{self.title}: the conclusion would change ({'; '.join(parts)})."


Calls = Mapping[str, str]
"""Cell type that is called -> in which direction, in words."""


def _group_calls(dataset: Dataset, run: Run, side: Side) -> Calls:
    found = run_groups(
        dataset,
        run.params,  # type: ignore[arg-type]
        progress=_silent,
        **{side.run.kind: side.run.result},
    )
    effects = found.table["effect"] - found.no_effect
    return {name: "higher" if effects[name] > 0 else "lower" for name in found.called}


def _survival_calls(dataset: Dataset, run: Run, side: Side) -> Calls:
    found = run_survival(
        dataset,
        # the calls are those of the models: no permutations of a cut point are needed for them
        run.params.model_copy(update={"cut": "none"}),  # type: ignore[arg-type]
        progress=_silent,
        **{side.run.kind: side.run.result},
    )
    if not found.models:
        raise DeconomixError(" ".join(found.refused) or "No model could be fitted.")
    table = found.forest_of(found.models[0])
    called = table[table["called"].astype(bool)]
    return {
        str(name): "higher hazard" if ratio > 1 else "lower hazard"
        for name, ratio in called["sd_ratio"].items()
    }


REPEATED: Mapping[str, Callable[[Dataset, Run, Side], Calls]] = {
    "groups": _group_calls,
    "survival": _survival_calls,
}
"""Kind of analysis -> what it calls on a run."""
_KEPT: weakref.WeakKeyDictionary[Any, dict[str, tuple[tuple[Any, ...], Conclusion]]] = (
    weakref.WeakKeyDictionary()
)
"""Result of the first run -> kind of analysis -> what it rests on, the conclusion.

Every click on the page asks for it, and it takes two analyses.
"""


def conclusions(first: Side, second: Side) -> tuple[Conclusion, ...]:
    """The current Groups and Survival of either session, repeated on both runs."""
    found = []
    for kind in REPEATED:
        of = next((s for s in (first.session, second.session) if s.current(kind)), None)
        run = of.current(kind) if of is not None else None
        if of is not None and run is not None and of.dataset is not None:
            found.append(_known(kind, first, second, of.dataset, run))
    return tuple(found)


def _known(kind: str, first: Side, second: Side, dataset: Dataset, run: Run) -> Conclusion:
    """The conclusion, computed once for as long as nothing changed."""
    sides = [_data_of(side, dataset) for side in (first, second)]
    objects = (second.run.result, run.result, *sides)
    kept = _KEPT.setdefault(first.run.result, {})
    refs, found = kept.get(kind, ((), None))
    same = len(refs) == len(objects) and all(
        one() is other for one, other in zip(refs, objects, strict=True)
    )
    if same and found is not None and found.title == run.title:
        return found
    made = _conclusion(kind, (first, second), sides, run)
    kept[kind] = (tuple(map(weakref.ref, objects)), made)
    return made


def _data_of(side: Side, dataset: Dataset) -> Dataset:
    """The data of the analysis where they hold the samples of the run, else those of its session.

    A run of another session may be of other samples; the clinical table then is its own.
    """
    own = side.session.dataset
    if own is None or own is dataset or dataset.bulk is None:
        return dataset
    there = set(map(str, dataset.bulk.samples))
    return dataset if there.issuperset(map(str, side.fractions.columns)) else own


def _conclusion(
    kind: str, sides: tuple[Side, Side], datasets: list[Dataset], run: Run
) -> Conclusion:
    calls: list[Calls] = []
    for number, (side, dataset) in enumerate(zip(sides, datasets, strict=True)):
        try:
            calls.append(REPEATED[kind](dataset, run, side))
        except DeconomixError as error:
            empty = pd.DataFrame(columns=["first", "second"], dtype=object)
            which = ("first", "second")[number]
            text = error.full_text
            return Conclusion(run.title, empty, f"On the {which}: {text}")
    names = list(dict.fromkeys([*calls[0], *calls[1]]))
    table = pd.DataFrame(
        {
            which: [found.get(name, NOT_CALLED) for name in names]
            for which, found in zip(("first", "second"), calls, strict=True)
        },
        index=pd.Index(names, name="cell_type", dtype=object),
        dtype=object,
    )
    return Conclusion(run.title, table)


def shown_conclusions(found: tuple[Conclusion, ...]) -> pd.DataFrame:
    """By analysis and cell type, what is called on each run; those that changed first."""
    rows = [
        (one.title, str(name), row["first"], row["second"], "yes" if changed else "no")
        for one in found
        for name, row in one.calls.iterrows()
        for changed in [row["first"] != row["second"]]
    ]
    rows.sort(key=lambda row: row[-1] != "yes")
    columns = ["Cell type", "Analysis", "First", "Second", "Changed"]
    frame = pd.DataFrame(
        [(name, title, *rest) for title, name, *rest in rows], columns=columns, dtype=object
    )
    return frame.set_index("Cell type")


def _silent(*_given: Any, **_more: Any) -> None:
    """No progress is shown."""
