"""Page Methods: the choice of a method, its parameters, and the current result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import dash_mantine_components as dmc
import pandas as pd

from gui.answers.confidence_intervals import bootstrap_of
from gui.answers.second_opinion import hover_of
from gui.components.common import tip_label
from gui.components.composition_content import Composition, bulk_groups
from gui.components.confidence_intervals import Subject
from gui.components.number_field import decimal_field, whole_number_field
from gui.components.second_opinion import CONSENSUS_PART, consensus_composition
from gui.engine.params import Params
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.methods.intervals import obstacle, run_method_intervals
from gui.methods.method import KIND, Method, MethodResult
from gui.plugin import Context, Page
from gui.sessions.cache import DCXCache

page = Page(KIND, "Methods", "composition by other methods", order=35, requires=("bulk",))
FINEST = "bulk"
LAYER = "layer:"
COARSER = {f"{LAYER}{at}": f"Layer {at + 1}" for at in range(3)}
"""Coarser layers that a result may have, coarsest first."""
PARTS = {FINEST: "Bulk", **COARSER, CONSENSUS_PART: "Consensus"}
YES_NO = [{"value": "yes", "label": "yes"}, {"value": "no", "label": "no"}]


def available(ctx: Context) -> dict[str, Method]:
    """The methods of this page by key: those that have no page of their own."""
    return {method.key: method for method in ctx.methods if method.kind == KIND}


def chosen_method(ctx: Context, key: Any = None) -> Method:
    """The method with this key, else the one that the session keeps, else the first one."""
    found = available(ctx)
    for wanted in (key, ctx.session.form(page.key).get("choice")):
        if isinstance(wanted, str) and wanted in found:
            return found[wanted]
    return next(iter(found.values()))


def result_of(session: DCXCache) -> MethodResult | None:
    """The result of the current run."""
    run = session.current(KIND)
    return None if run is None else run.result


# -- parameters
# --------------------------------------------------------------------------------------------------
def parameter_fields(ctx: Context, method: Method) -> list[Any]:
    """A field per parameter of the method, with what the session keeps of it."""
    kept = ctx.session.form(page.key)
    found = []
    for name, field in method.params.model_fields.items():
        value = kept.get(f"{method.key}:{name}", shown(field.default))
        kinds = get_args(field.annotation) or (field.annotation,)
        common: dict[str, Any] = {
            "id": page.id.each("value", f"{method.key}:{name}"),
            "label": tip_label(field.title or name, field.description or ""),
        }
        kind = field.annotation
        if get_origin(kind) is Literal:
            found.append(dmc.Select(data=list(get_args(kind)), value=value, **common))
        elif kind is bool:
            found.append(dmc.Select(data=YES_NO, value=value, **common))
        elif float in kinds:
            found.append(decimal_field(value, **common))
        elif int in kinds:
            found.append(whole_number_field(value=value, debounce=400, **common))
        else:
            text = "" if value is None else str(value)
            found.append(dmc.TextInput(value=text, debounce=400, **common))
    return found


def shown(value: Any) -> str:
    """A default as its field shows it; an empty field is None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def parsed(method: Method, values: Mapping[str, Any]) -> Params:
    """The parameters of the fields; InvalidParameter if one is not allowed.

    Parameters
    ----------
    values
        "<method>:<parameter>" -> text; those of another method do not count.
    """
    given: dict[str, Any] = {}
    for key, text in values.items():
        of, _, name = key.partition(":")
        field = method.params.model_fields.get(name)
        if of != method.key or field is None:
            continue
        said = "" if text is None else str(text).strip()
        optional = type(None) in get_args(field.annotation)
        given[name] = (
            said == "yes" if field.annotation is bool else None if not said and optional else said
        )
    return method.params.parse(**given)


def can_run(ctx: Context, method: Method) -> None:
    """MissingPart, with the reason, where the method cannot be run on the session's data."""
    obstacle = method.obstacle(ctx.session.dataset)
    if obstacle:
        raise MissingPart(obstacle, advice="")


# -- the current result
# --------------------------------------------------------------------------------------------------
def composition_of(session: DCXCache, part: str) -> Composition | None:
    """For the composition view; None where there is no such part."""
    run, result = session.current(KIND), result_of(session)
    if run is None or result is None:
        return None
    fits = session.outdated(run) is None
    groups = bulk_groups(session.dataset, result.composition.columns) if fits else None
    if part == CONSENSUS_PART:
        return consensus_composition(session, run, groups)
    coarser = list(result.layers)[:-1]
    if part.startswith(LAYER):
        at = int(part.removeprefix(LAYER))
        if at >= len(coarser):
            return None
        note = f"Layer: {coarser[at]}."
        return Composition(result.layers[coarser[at]], groups=groups, note=note, run=run)
    return Composition(
        result.full(),
        groups=groups,
        ends=_ends(session, run, result),
        opinion=hover_of(result.second_opinion, run) if fits else None,
        run=run,
    )


def _ends(
    session: DCXCache, run: Run, result: MethodResult
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The method's own intervals, else those that were computed, or None."""
    if result.low is not None and result.high is not None:
        return None if result.hidden is not None else (result.low, result.high)
    found = bootstrap_of(session, run)
    return None if found is None else (found.result.low, found.result.high)


def intervals_subject(ctx: Context) -> Subject | None:
    """For the tab Uncertainty: the current run."""
    run, result = ctx.session.current(KIND), result_of(ctx.session)
    if run is None or result is None:
        return None
    why = ctx.session.outdated(run) or obstacle(run, ctx.methods)
    return Subject(
        run,
        {KIND: run.id},
        {},
        f"Intervals: {result.title}",
        result.fit,
        obstacle=why or None,
        task=run_method_intervals,
        sums=True,
    )
