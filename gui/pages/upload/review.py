"""The files before they are loaded: what was recognised, findings, cell types, quality, scale,
genes.

Every step can be left as it is proposed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, Patch, State, dcc, html
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import answer, card, clicked, cut, scrolling, warning
from gui.components.figure import bind_figure_export
from gui.data.dataset import COLUMN_NAMES
from gui.data.validation.examine import Examination, Seen, examine_task
from gui.data.validation.recognised import FACTS
from gui.errors import DeconomixError
from gui.figures.template import template
from gui.pages.upload import celltypes, findings, genes, quality
from gui.pages.upload.base import CHOICES, GONE, PART_NAMES, TOKENS, page
from gui.pages.upload.facts import facts_table
from gui.pages.upload.repair_form import (
    KEPT,
    REPAIRS,
    REPAIRS_NOW,
    TOKENS_NOW,
    Entry,
    chosen_files,
)
from gui.pages.upload.requests import Asked, asked
from gui.plugin import DARK, Context
from gui.sessions.references import holds
from gui.text import number

STEPS = {
    "seen": "Recognised",
    "findings": "Findings",
    "types": "Cell types",
    "quality": "Quality",
    "scale": "Scale",
    "genes": "Genes",
}
FIGURES = ("similarity", *(f"quality_{role}" for role in quality.ROLES), "scatter", "funnel")
KINDS = {
    "h5ad": "AnnData (.h5ad)",
    "loom": "loom",
    "h5seurat": "h5Seurat",
    "zarr": "zarr store",
    "rds": "sparse matrix of R (.rds)",
    "csv": "table",
    "dcx": "DeconomiX file (.dcx)",
    "10x": "10x matrix",
    "model": "trained model",
}
OPTION_WORDS = {
    "matrix": "values from",
    "label_column": "cell types from",
    "sheet": "sheet",
    "genes_column": "gene names from",
    "cells": "cells",
    "genes": "genes",
}


@page.deferred
def review_layout(ctx: Context) -> Any:
    """Put in when the first file is chosen: tables and figures cost every opening of the page a
    second otherwise.
    """
    kept = ctx.session.form(page.key)
    contents = {
        "seen": html.Div(id=page.id.seen),
        "findings": findings.findings_layout(),
        "types": celltypes.types_layout(ctx),
        "quality": quality.quality_layout(),
        "scale": quality.scale_layout(kept.get("scale", True)),
        "genes": genes.genes_layout(ctx),
    }
    steps = dmc.Tabs(
        [
            dmc.TabsList(
                [
                    dmc.TabsTab(f"{i}\u2002{title}", value=key)
                    for i, (key, title) in enumerate(STEPS.items(), 1)
                ]
            ),
            *[dmc.TabsPanel(contents[key], value=key, pt="md") for key in STEPS],
        ],
        id=page.id.step,
        value="seen",
        keepMounted=True,
    )
    ways = dmc.Group(
        [
            dmc.Button("Back", id=page.id.back, size="xs", variant="default"),
            dmc.Button("Next", id=page.id.next, size="xs", variant="default"),
        ],
        justify="flex-end",
        gap="xs",
        mt="md",
    )
    return dmc.Stack(
        [
            dcc.Store(id=page.id.judged),
            card(
                html.Div(
                    dmc.Text("Looking at the files…", c="dimmed"),
                    id=page.id.review_answer,
                    role="status",
                )
            ),
            html.Div(card(steps, ways), id=page.id.steps),
        ]
    )


def review_stores(ctx: Context) -> list[Any]:
    """What stands in the page whether a file is chosen or not."""
    kept = ctx.session.form(page.key)
    return [
        dcc.Store(id=page.id.repairs, data=kept.get(KEPT, [])),
        dcc.Store(id=page.id.verdict),
        dcc.Store(id=page.id.asked),
        dcc.Store(id=page.id.built, data=False),
        dcc.Store(id=page.id.scale, data=kept.get("scale", True)),
    ]


@page.callback(
    Output(page.id.review, "children"),
    Output(page.id.built, "data"),
    inputs={"tokens": TOKENS},
    state={"built": State(page.id.built, "data")},
)
def build(ctx: Context, *, tokens: Sequence[str | None], built: bool) -> Any:
    """The steps, once they are needed; then they stay."""
    if built or not any(tokens):
        raise PreventUpdate
    return review_layout(ctx), True


for _name in FIGURES:
    bind_figure_export(page, _name)


@page.callback(
    Output(page.id.asked, "data"),
    *TOKENS,
    *[
        Input(control.component_id, control.component_property)
        for part in CHOICES.values()
        for control in part.values()
    ],
    REPAIRS,
    Input(page.id.scale, "data"),
    Input(page.id.built, "data"),
)
def ask(ctx: Context, *changed: Any) -> float:
    """Something changed that the steps depend on: they look again.

    (They cannot listen to it themselves: dash wants every input of a callback to be there.)
    """
    *_, built = changed
    if not built:
        raise PreventUpdate
    return time.monotonic()


@page.callback(
    output={
        "answer": Output(page.id.review_answer, "children"),
        "judged": Output(page.id.judged, "data"),
        "style": Output(page.id.steps, "style"),
        "seen": Output(page.id.seen, "children"),
        "findings": findings.OUTPUTS,
        "types": celltypes.OUTPUTS,
        "quality": quality.OUTPUTS,
        "genes": genes.OUTPUTS,
    },
    inputs={"now": Input(page.id.asked, "data")},
    state={
        "tokens": TOKENS_NOW,
        "options": CHOICES,
        "entries": REPAIRS_NOW,
        "scale": State(page.id.scale, "data"),
        "before": State(page.id.verdict, "data"),
        "dark": State(DARK.component_id, DARK.component_property),
    },
)
def look_at(
    ctx: Context,
    *,
    now: float | None,
    tokens: Sequence[str | None],
    options: Mapping[str, Mapping[str, Any]],
    entries: Sequence[Entry] | None,
    scale: bool,
    before: dict[str, Any] | None,
    dark: bool,
) -> dict[str, Any]:
    """Everything that is chosen is looked at as a whole, with the repairs that are switched on."""
    files = chosen_files(tokens)
    if not files or now is None:
        return {"judged": None}
    try:
        wanted = asked(ctx, tokens, options, entries)
        if not wanted.files:
            return {
                "answer": _model_only(wanted),
                "judged": {"files": files, "asked": now},
                "style": GONE,
            }
        n_genes = genes.wanted_genes(ctx.session.form("dtd"))
        found: Examination = ctx.read(
            examine_task,
            (wanted.request(scale=bool(scale)), n_genes),
            name=wanted.names,
            dataset=wanted.base,
        )
    # not a fault of the content: two parts that exclude each other, a file that is gone, memory
    except DeconomixError as error:
        text = error.full_text
        return {
            "answer": warning(text, colour="red"),
            "judged": {"files": files, "asked": now, "blocked": text},
            "style": GONE,
        }
    repairs = wanted.repairs
    fresh = (before or {}).get("files") != files
    judged = {
        "files": files,
        "asked": now,
        "blocked": blocked(found),
        "begin": _step(found) if fresh else None,
    }
    return {
        "answer": headline(found, len(repairs)),
        "judged": judged,
        "style": {},
        "seen": seen(found.parts),
        "findings": findings.show_findings(ctx, found, repairs, files),
        "types": celltypes.show_types(found, repairs, files, bool(dark)),
        "quality": quality.show_quality(found, bool(scale), bool(dark)),
        "genes": genes.show_genes(found, n_genes, bool(dark)),
    }


# Neither by `running` nor as an Output: who leaves the page, or loads, while files are looked at
# would leave dash without the steps to show as ready again. Two callbacks, because one that had
# both inputs would only be called when the answer is there.
page.clientside(
    "asked => { document.getElementById('upload-steps')?.classList.toggle('dcx-busy', !!asked); }",
    Input(page.id.asked, "data"),
)
page.clientside(
    "(judged, asked) => { if (!judged || judged.asked === asked) {"
    " document.getElementById('upload-steps')?.classList.remove('dcx-busy'); } }",
    Input(page.id.judged, "data"),
    State(page.id.asked, "data"),
    prevent_initial_call=True,
)

# In the page, where the step on screen is known when the answer arrives: who has gone on to another
# one meanwhile stays there.
page.clientside(
    "(judged, step) => judged && judged.begin && step === 'seen' ? judged.begin :"
    " window.dash_clientside.no_update",
    Output(page.id.step, "value", allow_duplicate=True),
    Input(page.id.judged, "data"),
    State(page.id.step, "value"),
    prevent_initial_call=True,
)


@page.callback(
    Output(page.id.verdict, "data"), Input(page.id.judged, "data"), prevent_initial_call=True
)
def tell(ctx: Context, judged: Any) -> Any:
    """What the steps found, for the form, which is there without them."""
    return judged


def _step(found: Examination) -> str:
    """Where to begin: at the findings, if there are any that matter."""
    return "findings" if any(x.severity != "info" for x in found.findings) else "seen"


def _model_only(wanted: Asked) -> Any:
    assert wanted.base is not None
    types = len(wanted.base.types)
    if wanted.library:
        said = holds(wanted.base, wanted.model is not None)
        return answer(
            f"Ready to load the reference “{wanted.base.name}”: {said}.",
            [("add your bulk to estimate its composition", "gray")],
        )
    return answer(
        f"A trained model of {types} cell types.", [("add your bulk to apply it", "gray")]
    )


def blocked(found: Examination) -> str:
    """Why Load is not possible, in a sentence; "" if it is."""
    refused = [x for x in found.findings if findings.must_be_settled(x)]
    if not refused:
        return ""
    first = refused[0]
    if first.repair is not None or first.alternatives:
        return f"{first.title}: switch on a repair, or choose another file."
    return f"{first.title}. {first.advice or 'Choose another file.'}"


def headline(found: Examination, repairs: int) -> Any:
    """Whether it can be loaded, in a sentence, and what was found."""
    settle = [x for x in found.findings if findings.must_be_settled(x)]
    looked = [x for x in found.findings if x.severity == "warning" and x not in settle]
    count = {"refusal": len(settle), "warning": len(looked)}
    if count["refusal"]:
        many = "One finding" if count["refusal"] == 1 else f"{count['refusal']} findings"
        sentence = f"{many} must be settled before these files can be loaded."
    else:
        sentence = f"Ready to load: {_contents(found)}."
    badges = [(f"{n} must be settled", "red") for n in [count["refusal"]] if n]
    badges += [(f"{n} to look at", "orange") for n in [count["warning"]] if n]
    badges += [(f"{n} repair{'s' if n > 1 else ''} switched on", "teal") for n in [repairs] if n]
    if not count["refusal"] and not count["warning"]:
        badges.append(("nothing to settle", "teal"))
    return answer(sentence, badges)


def _contents(found: Examination) -> str:
    words = []
    for role, what in (
        ("train", "training cells"),
        ("test", "test cells"),
        ("bulk", "bulk samples"),
    ):
        part = found.parts.get(role)  # type: ignore[call-overload]
        if part is not None:
            types = (
                f" of {int((found.types['train'] > 0).sum())} types"
                if role == "train" and "train" in found.types
                else ""
            )
            words.append(
                f"{number(part.columns)} {what if part.columns != 1 else what[:-1]}{types}"
            )
    shared = (
        [int(v) for v in found.funnel.loc["shared"] if str(v).isdigit()]
        if len(found.funnel)
        else []
    )
    text = (
        ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
        if words
        else f"{len(found.parts)} file(s)"
    )
    return (
        f"{text}, {number(shared[0])} genes in common"
        if shared and len(found.funnel.columns) > 1
        else text
    )


def seen(parts: Mapping[Any, Seen]) -> Any:
    """What was recognised: one table of all files, and of each its kind and first values."""
    return dmc.Stack(
        [_recognised(parts), *[_part(role, part) for role, part in parts.items()]], gap="lg"
    )


def _recognised(parts: Mapping[Any, Seen]) -> Any:
    files = [(PART_NAMES[role], part.name, part.facts) for role, part in parts.items()]
    return facts_table(files, FACTS, page.id.recognised)


def _part(role: str, part: Seen) -> Any:
    details = [
        KINDS.get(part.kind, part.kind),
        *[
            f"{OPTION_WORDS[k]} {_value(v)}"
            for k, v in part.options.items()
            if k in OPTION_WORDS and v
        ],
    ]
    one, many = COLUMN_NAMES[role]  # type: ignore[index]
    size = (
        f"{number(part.genes)} genes × {number(part.columns)} {many if part.columns != 1 else one}"
    )
    return html.Div(
        [
            dmc.Group(
                [
                    dmc.Text(PART_NAMES[role], fw=600, size="sm"),
                    dmc.Text(cut(part.name, 48), size="sm"),
                    dmc.Text(size, size="sm"),
                ],
                gap="sm",
            ),
            dmc.Text(" · ".join(details), size="xs", c="dimmed", mb=4),
            scrolling(findings.small_table(part.preview.rename_axis("gene"))),
        ]
    )


def _value(value: Any) -> str:
    return str(value).replace("layer:", "layer ")[:60]


@page.callback(
    Output(page.id.step, "value", allow_duplicate=True),
    Input(page.id.next, "n_clicks"),
    Input(page.id.back, "n_clicks"),
    Input(page.id.each("to", ALL), "n_clicks"),
    State(page.id.step, "value"),
    prevent_initial_call=True,
)
def walk(ctx: Context, _next: Any, _back: Any, _to: Any, step: str | None) -> Any:
    """To the next step, the one before, or the one a finding points to."""
    ctx.mended()  # the step is left
    order = list(STEPS)
    at = order.index(step) if step in order else 0
    if call.triggered_id == page.id.next:
        return order[min(at + 1, len(order) - 1)]
    if call.triggered_id == page.id.back:
        return order[max(at - 1, 0)]
    place = clicked()
    if place not in STEPS:
        raise PreventUpdate
    return place


@page.callback(
    Output(page.id.back, "disabled"),
    Output(page.id.next, "disabled"),
    Output(page.id.next, "children"),
    Output(page.id.next, "variant"),
    Input(page.id.step, "value"),
    Input(page.id.load, "disabled"),
)
def ways(ctx: Context, step: str | None, may_not: bool | None) -> Any:
    """Back and Next; the last step ends in Load."""
    order = list(STEPS)
    at = order.index(step) if step in order else 0
    if at == len(order) - 1:
        return False, bool(may_not), "Load", "filled"
    return at == 0, False, f"Next: {STEPS[order[at + 1]]}", "default"


@page.callback(
    Output(page.id.load, "n_clicks"),
    Input(page.id.next, "n_clicks"),
    State(page.id.step, "value"),
    State(page.id.load, "n_clicks"),
    prevent_initial_call=True,
)
def finish(ctx: Context, clicks: int | None, step: str | None, loads: int | None) -> int:
    """After the last step the files are loaded, as by the button Load beside them."""
    if not clicks or step != list(STEPS)[-1]:
        raise PreventUpdate
    return (loads or 0) + 1


@page.callback(
    *[Output(getattr(page.id, name), "figure", allow_duplicate=True) for name in FIGURES],
    DARK,
    prevent_initial_call=True,
)
def retheme(ctx: Context, dark: bool | None) -> Any:
    """Only the template changes with the theme."""
    patches: Sequence[Any] = [Patch() for _ in FIGURES]
    for patch in patches:
        patch["layout"]["template"] = template(bool(dark)).to_plotly_json()
    return list(patches)
