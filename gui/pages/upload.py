"""Upload: files are collected in the form, one Load commits them together; below, what is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import card, empty_state, icon, tip_label, two_columns
from gui.components.filefield import FileField
from gui.components.form import folded
from gui.engine.params import ApplyParams
from gui.engine.tasks import run_apply
from gui.errors import DeconomixError, InvalidParameter
from gui.files import EXPRESSION, MODEL
from gui.pages.upload_files import Collected, collect, inspected, loaded_model, words_of
from gui.pages.upload_view import bind_loaded, loaded_layout
from gui.plugin import REVISION, Context, Page

page = Page("upload", "Upload", "single cells, bulk", order=10)


@dataclass(frozen=True)
class Part:
    """One file the form asks for."""

    role: str
    title: str
    tip: str
    field: FileField

    def id(self, name: str) -> str:
        return str(getattr(page.id, f"{self.role}_{name}"))


def _part(role: str, title: str, tip: str, kinds: tuple[Any, ...] = (EXPRESSION,)) -> Part:
    return Part(role, title, tip, FileField(page, role, kinds, title=title))


PARTS = (
    _part("train", "Training data", "Single cells with a cell type each: .h5ad (cells x genes), .csv or .tsv (genes x cells, cell types in the header), or a .dcx file with all parts. Required."),
    _part("bulk", "Bulk (application) data", "The samples you want to know the composition of: genes x samples (.csv, .tsv, .xlsx) or .h5ad (samples x genes)."),
    _part("test", "Test data", "Single cells that are not used for training. Without them a share of the training cells is kept back for testing."),
    _part("reference", "Reference X", "Mean expression of each cell type, genes x cell types. Without it the mean of the training cells is taken."),
    _part("model", "Trained model", "A model saved on the DTD page, instead of training data: its gene weights are applied to your bulk.", (MODEL,)),
)
FIRST, FURTHER = PARTS[:2], PARTS[2:]
OPTIONS = ("label", "matrix", "keep")


@page.layout
def layout(ctx: Context) -> Any:
    _offer(ctx)
    empty = empty_state(
        "No data yet",
        "Choose single-cell training data and your bulk samples on the left, then Load. "
        "To see what the program does, load the example: simulated cells and bulk samples with known composition.",
        dmc.Button("Load the example", id=page.id.example),
    )
    results = [html.Div(card(empty), id=page.id.empty), html.Div(loaded_layout(page), id=page.id.loaded, style={"display": "none"})]
    return html.Div([_confirm(), two_columns(_form(ctx), results)])


def _offer(ctx: Context) -> None:
    """Files given on the command line take the first free places of the form."""
    kept = ctx.session.form(page.key)
    for upload in ctx.uploads.take_offered():
        roles = ("model",) if upload.name.endswith(MODEL.suffixes) else ("train", "bulk", "test", "reference")
        role = next((r for r in roles if not kept.get(f"{r}_token")), None)
        if role:
            kept[f"{role}_token"] = upload.token
            ctx.session.keep_form(page.key, {f"{role}_token": upload.token})


def _form(ctx: Context) -> Any:
    kept = ctx.session.form(page.key)
    local = "" if ctx.files.native else "They stay on this computer."
    return card(
        dmc.Stack(
            [
                dmc.Text("Files", fw=600),
                dmc.Text(f"Choose the files, then Load. {local}", size="xs", c="dimmed"),
                *[_part_field(ctx, part, kept) for part in FIRST],
                folded("Test data, reference, trained model", *[html.Div(_part_field(ctx, part, kept), style={"marginBottom": 12}) for part in FURTHER]),
                folded(
                    "Advanced",
                    dmc.Stack(
                        [
                            dmc.Switch(
                                id=page.id.scale,
                                checked=kept.get("scale", True),
                                size="sm",
                                label=tip_label("Scale to 10 000", "Every cell, cell type and sample is scaled to the same total over the genes in use. Off: values are left as they are."),
                            ),
                            dmc.NumberInput(
                                id=page.id.share,
                                value=kept.get("share", 30),
                                min=5,
                                max=80,
                                clampBehavior="none",
                                label=tip_label("Kept back for testing", "Without test data: share of the training cells of each type that is used for testing only."),
                                rightSection=dmc.Text("%", size="xs", c="dimmed"),
                                hideControls=True,
                            ),
                            dmc.NumberInput(
                                id=page.id.seed,
                                value=kept.get("seed", 1),
                                min=0,
                                allowDecimal=False,
                                label=tip_label("Seed of the split", "Decides which cells are kept back; the same seed keeps the same cells."),
                                hideControls=True,
                            ),
                            dmc.TextInput(id=page.id.author, label="Author", value=kept.get("author", ""), debounce=400),
                            dmc.Textarea(id=page.id.description, label="Description", value=kept.get("description", ""), autosize=True, minRows=2, maxRows=6, debounce=400),
                        ],
                        gap="xs",
                    ),
                ),
                dmc.Button("Load", id=page.id.load, fullWidth=True, disabled=True),
                dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center"),
            ],
            gap="sm",
        )
    )


def _part_field(ctx: Context, part: Part, kept: dict[str, Any]) -> Any:
    """The file of one role: empty a place to choose it, filled its name, what is in it and how to read it."""
    label = [part.title, html.Span(" *", style={"color": "var(--mantine-color-red-6)"})] if part.role == "train" else part.title
    chosen = dmc.Stack(
        [
            dmc.Group(
                [
                    dmc.Text("", id=part.id("name"), size="sm", fw=600, truncate="end", style={"flex": 1}),
                    dmc.ActionIcon(icon("close", 12), id=part.id("remove"), variant="subtle", color="gray", size="sm", **{"aria-label": f"Remove {part.title}"}),
                ],
                wrap="nowrap",
            ),
            dmc.Text("", id=part.id("found"), size="xs", c="dimmed"),
            dmc.Select(id=part.id("label"), label="Cell types are in column", size="xs", data=[], searchable=True, allowDeselect=False, display="none"),
            dmc.Select(id=part.id("matrix"), label="Expression is in", size="xs", data=[], allowDeselect=False, display="none"),
            dmc.MultiSelect(id=part.id("keep"), label="Also keep columns", size="xs", data=[], searchable=True, clearable=True, display="none"),
        ],
        gap=4,
    )
    return html.Div(
        [
            dmc.Text(tip_label(label, part.tip), size="sm", fw=500, mb=4),
            html.Div(part.field.layout(ctx, token=kept.get(f"{part.role}_token")), id=part.id("choosing")),
            html.Div(chosen, id=part.id("chosen"), style={"display": "none"}, className="dcx-chosen"),
        ]
    )


def _confirm() -> Any:
    return html.Div(
        [
            dcc.Store(id=page.id.question),
            dmc.Modal(
                dmc.Stack(
                    [
                        dmc.Text(id=page.id.ask, size="sm"),
                        dmc.Group(
                            [
                                dmc.Button("Cancel", id=page.id.no, variant="default"),
                                dmc.Button("Load and clear the results", id=page.id.replace, variant="light", color="red"),
                                dmc.Button("Load into a new session", id=page.id.fresh),
                            ],
                            justify="flex-end",
                            gap="xs",
                        ),
                    ]
                ),
                id=page.id.confirm,
                title="This session already holds data",
                centered=True,
                size="lg",
            ),
        ]
    )


@page.summary
def summary(ctx: Context) -> str | None:
    data = ctx.session.dataset
    if data is None:
        return None
    words = [f"{data.train.matrix.n_columns} cells"] if data.train else ["trained model"]
    words.append(f"{len(data.types)} types")
    if data.bulk:
        words.append(f"{data.bulk.matrix.n_columns} bulks")
    return ", ".join(words)


# -- choosing files -------------------------------------------------------------------------------------------------------------

def _bind_part(part: Part) -> None:
    part.field.bind()

    @page.callback(
        Output(part.id("choosing"), "style"),
        Output(part.id("chosen"), "style"),
        Output(part.id("name"), "children"),
        Output(part.id("found"), "children"),
        *[Output(part.id(name), prop) for name in OPTIONS for prop in ("data", "value", "display")],
        Output(part.field.token_id, "data", allow_duplicate=True),
        Input(part.field.token_id, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def show_chosen(ctx: Context, token: str | None) -> Any:
        """Look into the file that was chosen; one that cannot be read is not taken."""
        kept = ctx.session.form(page.key)
        nothing = [{}, {"display": "none"}, "", "", *[[], None, "none"] * len(OPTIONS)]
        if token is None:
            ctx.session.keep_form(page.key, {f"{part.role}_token": None})
            return [*nothing, no_update]
        try:
            found = inspected(ctx.uploads.get(token), part.role)
        except DeconomixError as error:
            ctx.complain(error)
            ctx.uploads.forget(token)
            ctx.session.keep_form(page.key, {f"{part.role}_token": None})
            return [*nothing, None]
        same = kept.get(f"{part.role}_token") == token
        ctx.session.keep_form(page.key, {f"{part.role}_token": token})
        values: list[Any] = []
        for name in OPTIONS:
            choices, proposed = found.options[name]
            value = kept.get(f"{part.role}_{name}", proposed) if same else proposed
            values += [choices, value, "block" if choices else "none"]
        return [{"display": "none"}, {}, found.name, found.words, *values, no_update]

    @page.callback(Output(part.field.token_id, "data", allow_duplicate=True), Input(part.id("remove"), "n_clicks"), State(part.field.token_id, "data"), prevent_initial_call=True)
    def remove(ctx: Context, clicks: int | None, token: str | None) -> None:
        if not clicks:
            raise PreventUpdate
        if token:
            ctx.uploads.forget(token)
        return

    @page.callback(*[Input(part.id(name), "value") for name in OPTIONS], prevent_initial_call=True)
    def keep_options(ctx: Context, *values: Any) -> None:
        if any(values):
            ctx.session.keep_form(page.key, {f"{part.role}_{name}": value for name, value in zip(OPTIONS, values, strict=True)})

    for function in (show_chosen, remove, keep_options):
        function.__name__ = f"{part.role}_{function.__name__}"


for _each in PARTS:
    _bind_part(_each)

TOKENS = [Input(part.field.token_id, "data") for part in PARTS]
CHOICES = [State(part.id(name), "value") for part in PARTS for name in OPTIONS]
FORM = [
    State(page.id.scale, "checked"),
    *[State(i, "value") for i in (page.id.share, page.id.seed, page.id.author, page.id.description)],
]


@page.callback(Output(page.id.load, "disabled"), Output(page.id.reason, "children"), *TOKENS, REVISION)
def may_load(ctx: Context, *values: Any) -> Any:
    """Load is there as soon as it can do something; until then it says what is missing."""
    chosen = {part.role for part, token in zip(PARTS, values, strict=False) if token}
    if "model" in chosen and "train" in chosen:
        return True, "Choose either training data or a trained model."
    if chosen & {"train", "model"} or (chosen == {"bulk"} and ctx.session.dataset is not None):
        return False, words_of(chosen, ctx.session.dataset)
    if chosen == {"bulk"}:
        return True, "Training data or a trained model is missing."
    return True, "Choose training data to begin." if ctx.session.dataset is None else "Choose files to load others."


@page.callback(*[Input(i.component_id, i.component_property) for i in FORM], prevent_initial_call=True)
def keep_form(ctx: Context, *values: Any) -> None:
    ctx.session.keep_form(page.key, dict(zip(("scale", "share", "seed", "author", "description"), values, strict=True)))


# -- loading --------------------------------------------------------------------------------------------------------------------

CLEARED = [Output(part.field.token_id, "data", allow_duplicate=True) for part in PARTS]


@page.callback(
    Output(page.id.question, "data"),
    *CLEARED,
    Input(page.id.load, "n_clicks"),
    *[State(t.component_id, "data") for t in TOKENS],
    *CHOICES,
    *FORM,
    running=[(Output(page.id.load, "loading"), True, False)],
    prevent_initial_call=True,
)
def load(ctx: Context, clicks: int | None, *values: Any) -> Any:
    """All files together, or nothing: a refused file leaves the session as it was."""
    if not clicks:
        raise PreventUpdate
    collected = _collected(ctx, values)
    question = _question(ctx, collected)
    if question:
        return [question, *[no_update] * len(CLEARED)]
    _take(ctx, collected)
    return [None, *[None] * len(CLEARED)]


@page.callback(Output(page.id.confirm, "opened"), Output(page.id.ask, "children"), Output(page.id.confirm, "title"), Output(page.id.replace, "children"), Input(page.id.question, "data"), prevent_initial_call=True)
def ask(ctx: Context, question: dict[str, str] | None) -> Any:
    if not question:
        return False, no_update, no_update, no_update
    return True, question["text"], question["title"], question["replace"]


@page.callback(
    Output(page.id.question, "data", allow_duplicate=True),
    *CLEARED,
    Input(page.id.replace, "n_clicks"),
    Input(page.id.fresh, "n_clicks"),
    Input(page.id.no, "n_clicks"),
    *[State(t.component_id, "data") for t in TOKENS],
    *CHOICES,
    *FORM,
    running=[(Output(page.id.replace, "loading"), True, False), (Output(page.id.fresh, "loading"), True, False)],
    prevent_initial_call=True,
)
def confirmed(ctx: Context, *values: Any) -> Any:
    values = values[3:]
    if call.triggered_id == page.id.no:
        return [None, *[no_update] * len(CLEARED)]
    _take(ctx, _collected(ctx, values), fresh=call.triggered_id == page.id.fresh)
    return [None, *[None] * len(CLEARED)]


@page.callback(Input(page.id.example, "n_clicks"), running=[(Output(page.id.example, "loading"), True, False)], prevent_initial_call=True)
def load_example(ctx: Context, clicks: int | None) -> None:
    """A simulated data set with known truth; always into a session of its own."""
    from gui.data.example import make_example

    if not clicks:
        raise PreventUpdate
    example = make_example()
    session = ctx.session
    if not session.holds_data or session.dataset is not None:
        session = ctx.sessions.create_session(ctx.sessions.free_name("Example", actor=ctx.actor), actor=ctx.actor)
    session.set_dataset(example.dataset, keep_runs=False)
    ctx.switch_to(session.session_id)
    ctx.notify("The example is loaded: simulated cells and bulk samples with known composition. Next: DTD.", colour="green")


def _collected(ctx: Context, values: tuple[Any, ...]) -> Collected:
    """The form as one request."""
    tokens, rest = values[: len(PARTS)], values[len(PARTS) :]
    options, (scale, share, seed, author, description) = rest[: -len(FORM)], rest[-len(FORM) :]
    files = {}
    for number, (part, token) in enumerate(zip(PARTS, tokens, strict=True)):
        if token:
            files[part.role] = (ctx.uploads.get(token), dict(zip(OPTIONS, options[3 * number : 3 * number + 3], strict=True)))
    if share in (None, "") or not 5 <= float(share) <= 80:
        raise InvalidParameter("Kept back for testing is not from 5 to 80 %.")
    if seed in (None, "") or int(seed) < 0:
        raise InvalidParameter("The seed of the split is not a whole number from 0.")
    return collect(files, scale=bool(scale), share=float(share) / 100, seed=int(seed), author=author or "", description=description or "", current=ctx.session.dataset)


def _question(ctx: Context, collected: Collected) -> dict[str, str] | None:
    """What must be asked before loading, None if nothing is lost."""
    runs = len(ctx.session.runs())
    if ctx.session.dataset is None:
        return None
    if not collected.bulk_only:
        lost = f"Its {runs} result{'s' if runs != 1 else ''} would be cleared." if runs else "It has no results yet."
        return {"title": "This session already holds data", "text": f"“{ctx.session.name}” holds {ctx.session.dataset.name}. {lost}", "replace": "Replace and clear the results" if runs else "Replace"}
    lacking = collected.missing_genes(ctx.session.current("dtd"))
    if not lacking:
        return None
    total = len(ctx.session.current("dtd").result.genes)  # type: ignore[union-attr]
    return {
        "title": "Genes of the DTD run are missing",
        "text": f"{len(lacking)} of the {total} genes of the DTD run are not in the new bulk ({', '.join(lacking[:3])}{' …' if len(lacking) > 3 else ''}). The gene weights would have to be learned again.",
        "replace": "Load and clear the results",
    }


def _take(ctx: Context, collected: Collected, *, fresh: bool = False) -> None:
    """Put what was read into a session: this one, or a new one named after the file."""
    dataset, model = collected.dataset, collected.model
    session = ctx.session
    keep = collected.bulk_only and not collected.missing_genes(session.current("dtd")) and not fresh
    if fresh or not session.holds_data:
        session = ctx.sessions.create_session(ctx.sessions.free_name(dataset.name, actor=ctx.actor), actor=ctx.actor)
    session.set_dataset(dataset, keep_runs=keep)
    if model is not None:
        session.add_run(loaded_model(model, dataset))
    ctx.session.keep_form(page.key, {f"{part.role}_token": None for part in PARTS})
    ctx.switch_to(session.session_id)
    dtd = session.current("dtd")
    if dataset.bulk is not None and dtd is not None and (model is not None or (keep and session.bulk_outdated(dtd))):
        ctx.jobs.submit(run_apply, session.session_id, ApplyParams(), kind="apply", title="Composition of the bulk", inputs={"dtd": dtd.id})
    ctx.notify(f"{dataset.name} is loaded.", colour="green")


# -- what is loaded -------------------------------------------------------------------------------------------------------------

bind_loaded(page)


@page.callback(Output(page.id.empty, "style"), Output(page.id.loaded, "style"), REVISION)
def which(ctx: Context, _revision: str | None) -> Any:
    """The empty state, or what is loaded."""
    return ({}, {"display": "none"}) if ctx.session.dataset is None else ({"display": "none"}, {})
