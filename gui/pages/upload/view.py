"""What is loaded, on the Upload page: the parts and their genes, the cell types, the first rows,
the description.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.components.common import answer, card, cut, scrolling, shorten, warning
from gui.components.figure import bind_figure_export, figure_card
from gui.components.job_progress import JobProgress
from gui.components.next_step import NextStepView
from gui.components.persistent_controls import PersistentControls
from gui.data.dataset import Dataset, Matrix, Role
from gui.data.normalize import common_genes
from gui.engine.recommended import RECOMMENDED
from gui.errors import InvalidParameter
from gui.figures.data import type_counts
from gui.figures.palette import type_colours
from gui.figures.template import blank, styled
from gui.pages.upload.clinical import clinical_layout
from gui.pages.upload.known import known_layout
from gui.plugin import DARK, REVISION, Context, Page
from gui.text import number

PART_WORDS: dict[Role, str] = {
    "train": "Training cells",
    "test": "Test cells",
    "reference": "Reference X",
    "bulk": "Bulk samples",
}
TABS = {
    "parts": "Overview",
    "types": "Cell types",
    "rows": "First rows",
    "clinical": "Clinical data",
    "known": "Known compositions",
    "about": "About",
}
LEFT = {"tabs": "parts"}
CELLS = "Cells of each type in training and test data"
NO_CELLS = (
    "A trained model holds no cells. To see how many there are of each type, load single cells on"
    " the left."
)


def loaded_layout(ctx: Context, page: Page) -> Any:
    """The static frame; :func:`bind_loaded` fills it."""
    contents = {
        "parts": dmc.Stack(
            [html.Div(id=page.id.parts, className="dcx-pending"), html.Div(id=page.id.undo_bar)],
            gap="sm",
        ),
        "types": figure_card(
            page,
            "type_counts",
            file_name="cell types",
            controls=[dmc.Text(CELLS, id=page.id.type_words, size="sm", c="dimmed")],
        ),
        "rows": html.Div(id=page.id.rows),
        "clinical": clinical_layout(ctx),
        "known": known_layout(ctx),
        "about": dmc.Stack(
            [
                dmc.Group(
                    [
                        dmc.TextInput(id=page.id.new_name, label="Name"),
                        dmc.TextInput(id=page.id.new_author, label="Author"),
                    ],
                    grow=True,
                ),
                dmc.Textarea(
                    id=page.id.new_description,
                    label="Description",
                    autosize=True,
                    minRows=3,
                    maxRows=10,
                ),
                dmc.Group(
                    [
                        dmc.Button("Keep changes", id=page.id.keep_details, variant="default"),
                        dmc.Button(
                            "Save as reference…", id=page.id.saved_reference_open, variant="default"
                        ),
                        dmc.Button("Create .dcx file…", id=page.id.dcx_open, variant="default"),
                    ],
                    gap="xs",
                ),
            ],
            gap="xs",
        ),
    }
    return dmc.Stack(
        [
            card(
                html.Div(id=page.id.answer, className="dcx-pending"),
                NextStepView(page).layout(ctx),
                JobProgress(page, RECOMMENDED).layout(ctx),
            ),
            card(
                dmc.Tabs(
                    [
                        dmc.TabsList(
                            [dmc.TabsTab(title, value=key) for key, title in TABS.items()]
                        ),
                        *[dmc.TabsPanel(contents[key], value=key, pt="md") for key in TABS],
                    ],
                    id=page.id.tabs,
                    value=PersistentControls(page, **LEFT).value(ctx, "tabs"),
                    keepMounted=True,
                )
            ),
        ]
    )


def bind_loaded(page: Page) -> None:
    """Record the callbacks of the frame."""
    PersistentControls(page, **LEFT).bind()
    bind_figure_export(page, "type_counts")
    NextStepView(page).bind()
    JobProgress(page, RECOMMENDED).bind()

    @page.callback(
        output={
            "answer": Output(page.id.answer, "children"),
            "parts": Output(page.id.parts, "children"),
            "name": Output(page.id.new_name, "value"),
            "author": Output(page.id.new_author, "value"),
            "description": Output(page.id.new_description, "value"),
        },
        inputs={"_revision": REVISION},
    )
    def show_loaded(ctx: Context, *, _revision: str | None) -> dict[str, Any]:
        data = ctx.session.dataset
        if data is None:
            return {}
        genes = len(common_genes(data))
        return {
            "answer": headline(data, genes),
            "parts": overview(data, genes),
            "name": data.name,
            "author": data.author,
            "description": data.description,
        }

    @page.callback(Output(page.id.rows, "children"), REVISION, Input(page.id.tabs, "value"))
    def show_rows(ctx: Context, _revision: str | None, tab: str | None) -> Any:
        data = ctx.session.dataset
        # of a session just opened, no values are read unless they are looked at
        if data is None or tab != "rows":
            raise PreventUpdate
        return first_rows(data)

    @page.callback(
        Output(page.id.type_counts, "figure"),
        Output(page.id.type_words, "children"),
        REVISION,
        DARK,
        Input(page.id.tabs, "value"),
    )
    def show_types(ctx: Context, _revision: str | None, dark: bool | None, tab: str | None) -> Any:
        data = ctx.session.dataset
        if data is None or tab != "types":
            raise PreventUpdate
        counts = {
            name: cells.counts()
            for name, cells in (("training", data.train), ("test", data.test))
            if cells is not None
        }
        return styled(type_counts(counts, type_colours(data)) if counts else blank(), bool(dark)), (
            CELLS if counts else NO_CELLS
        )

    @page.callback(
        Input(page.id.keep_details, "n_clicks"),
        *[
            State(i, "value")
            for i in (page.id.new_name, page.id.new_author, page.id.new_description)
        ],
        prevent_initial_call=True,
    )
    def keep_details(
        ctx: Context,
        clicks: int | None,
        name: str | None,
        author: str | None,
        description: str | None,
    ) -> None:
        if not clicks:
            raise PreventUpdate
        if not (name or "").strip():
            raise InvalidParameter("The name of the data is empty.", advice="Give a name.")
        changed = replace(
            ctx.session.need_dataset(),
            name=(name or "").strip()[:120],
            author=(author or "").strip()[:200],
            description=(description or "").strip()[:5000],
        )
        ctx.session.set_dataset(changed, keep_runs=True)
        ctx.notify("The description is kept.", colour="green")


def _is_reference(data: Dataset) -> bool:
    """Whether a reference was loaded in place of single cells or of a trained model."""
    source = data.source("reference")
    return data.train is None and source is not None and source.kind != "model"


def headline(data: Dataset, genes: int) -> Any:
    """What is loaded in a sentence."""
    words = []
    if data.train is not None:
        words.append(
            f"{number(data.train.matrix.n_columns)} training cells of {len(data.train.types)} types"
        )
    else:
        what = "reference without cells" if _is_reference(data) else "trained model"
        words.append(f"a {what} of {len(data.types)} cell types")
    if data.bulk is not None:
        samples = data.bulk.matrix.n_columns
        words.append(f"{number(samples)} bulk sample{'s' if samples != 1 else ''}")
    text = " and ".join(words) + f", {number(genes)} genes in common."
    hidden = sorted(set(data.train.types) - set(data.types)) if data.train is not None else []
    badges = [
        (
            (
                f"scaled to {number(round(data.scale))} per column"
                if data.scale
                else "values left as they are"
            ),
            "gray",
        )
    ]
    if data.bulk is None:
        badges.append(("no bulk: only simulated mixtures can be deconvolved", "orange"))
    if hidden:
        badges.append(
            (
                (
                    "not in the reference:"
                    f" {', '.join(shorten(t, 24) for t in hidden[:3])}"
                    f"{' …' if len(hidden) > 3 else ''}"
                ),
                "orange",
            )
        )
    return answer(text[0].upper() + text[1:], badges)


def overview(data: Dataset, genes: int) -> Any:
    """One row for each part, and what was done on the way in."""
    rows = []
    parts = data.parts()
    for role in PART_WORDS:
        matrix, source = parts.get(role), data.source(role)
        if matrix is None:
            missing = {
                "reference": "mean of the training cells",
                "test": "none",
                "train": f"none ({'reference only' if _is_reference(data) else 'trained model'})",
                "bulk": "none",
            }[role]
            rows.append([_part_name(role), dmc.Text(missing, size="sm", c="dimmed"), "", "", ""])
            continue
        cells = {"train": data.train, "test": data.test}.get(role)
        types = (
            len(cells.types)
            if cells is not None
            else matrix.n_columns
            if role == "reference"
            else ""
        )
        file = cut(source.name, 32) if source else ""
        rows.append(
            [_part_name(role), file, number(matrix.n_genes), number(matrix.n_columns), types]
        )
    head = dmc.TableThead(
        dmc.TableTr(
            [
                dmc.TableTh(t)
                for t in ("Part", "From", "Genes", "Cells, types or samples", "Cell types")
            ]
        )
    )
    table = dmc.Table(
        [head, dmc.TableTbody([dmc.TableTr([dmc.TableTd(c) for c in row]) for row in rows])],
        verticalSpacing="xs",
    )
    warnings = [_ended(w) for source in data.sources for w in source.warnings]
    notes = {source.role: " ".join(map(_ended, source.notes)) for source in data.sources}
    said = [
        dmc.Text(
            [dmc.Text(f"{PART_WORDS[role]}: ", span=True, fw=600, inherit=True), text], size="sm"
        )
        for role, text in notes.items()
        if text
    ]
    if not said:
        said = [
            dmc.Text(
                f"{number(genes)} genes are common to all parts; the others are not used.",
                size="sm",
            )
        ]
    return dmc.Stack(
        [*[warning(w) for w in dict.fromkeys(warnings)], table, dmc.Stack(said, gap=6)]
    )


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!")) else sentence + "."


def _part_name(role: Role) -> Any:
    return dmc.Text(PART_WORDS[role], size="sm", style={"whiteSpace": "nowrap"})


def first_rows(data: Dataset) -> Any:
    """The first genes and columns of each part, so that a wrong orientation is seen."""
    shown = []
    for role, matrix in data.parts().items():
        cells = {"train": data.train, "test": data.test}.get(role)
        shown += [
            dmc.Text(PART_WORDS[role], fw=600, size="sm"),
            scrolling(_small_table(preview(matrix, None if cells is None else cells.labels))),
        ]
    return dmc.Stack(shown, gap="xs")


def preview(matrix: Matrix, labels: Any = None, *, rows: int = 6, columns: int = 7) -> pd.DataFrame:
    """The first rows and columns, genes x columns, as read; labels : shown in place of the column
    names.
    """
    frame = Matrix(
        matrix.values[:rows, :columns], matrix.genes[:rows], matrix.columns[:columns]
    ).frame()
    if labels is not None:
        frame.columns = pd.Index([str(label) for label in labels[:columns]])
    return frame


def _small_table(frame: pd.DataFrame) -> Any:
    head = dmc.TableThead(
        dmc.TableTr([dmc.TableTh("gene"), *[dmc.TableTh(cut(str(c), 20)) for c in frame.columns]])
    )
    rows = [
        dmc.TableTr([dmc.TableTd(cut(str(gene), 20)), *[dmc.TableTd(f"{v:.4g}") for v in row]])
        for gene, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    return dmc.Table([head, dmc.TableTbody(rows)], withTableBorder=True, fz="xs", verticalSpacing=2)
