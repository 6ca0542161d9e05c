"""Composition of samples as stacked bars, heatmap or table; one sample on click.

Shared by DTD and ADTD.

view = CompositionView(page, source, active=(Input(page.id.tabs, "value"), "composition"),
parts={"bulk": "Bulk", "test": "Test mixtures"}, normalise=True)
view.layout(ctx)      # in the page's layout, inside the tab's panel
view.bind()           # at module level
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, State, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import empty_state
from gui.components.figure import bind_figure_export, figure_card, type_legend
from gui.components.table import TableFile, TableView, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, options, switch
from gui.data.dataset import HIDDEN, Dataset
from gui.figures import composition as figures
from gui.figures.palette import type_colours
from gui.figures.template import blank, styled
from gui.figures.text import natural, settled
from gui.plugin import DARK, REVISION, Context, Page

MANY = 120
"""From this many samples on the heatmap is shown first: thousands of bars are slow to draw and slow
to read.
"""
MOST_GROUPS = 40
VIEWS = {"bars": "Bars", "heatmap": "Heatmap", "table": "Table"}
IN_FILE, BY_NAME, TYPE = "order:file", "order:name", "type:"
NO_GROUP, COLUMN = "none", "column:"
FIRST_ORDER = {"value": IN_FILE, "label": "Sort as in the file"}
FIRST_GROUP = {"value": NO_GROUP, "label": "No groups"}


class Composition(NamedTuple):
    """What is shown of one part.

    Attributes
    ----------
    frame
        Cell types (and ``hidden``) x samples, values as estimated.
    truth
        Cell types x samples, where known.
    groups
        One row per sample (its index are the sample names), columns to group by (``bulk.obs``),
        or None.
    interval
        By sample, columns low and high: the hidden fraction at equal fit, or None.
    ends
        Low and high end of the 95 % intervals, each like ``frame``, or None.
    opinion
        What other estimates say of it, or None.
    note
        What it is, where that differs from the view's own parts; above figure and table.
    quantity
        Axis title, where it is not that of RNA fractions; the values then sum to 1.
    """

    frame: pd.DataFrame
    truth: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    interval: pd.DataFrame | None = None
    ends: tuple[pd.DataFrame, pd.DataFrame] | None = None
    opinion: figures.OpinionHover | None = None
    note: str = ""
    quantity: str = ""


@dataclass(frozen=True)
class Chosen:
    """What the controls say."""

    view: str = "bars"
    sort: str = IN_FILE
    group: str = NO_GROUP
    normalise: bool = False


Source = Callable[[Context, str], "Composition | tuple[Any, ...] | None"]
"""``source(ctx, part)``: a Composition (or a tuple of its fields), or None where there is nothing
to show.
"""


def bulk_groups(dataset: Dataset | None, samples: pd.Index) -> pd.DataFrame | None:
    """Return ``bulk.obs`` by sample name; None where the samples are of another bulk."""
    if dataset is None or dataset.bulk is None or dataset.bulk.obs.shape[1] == 0:
        return None
    names = pd.Index(dataset.bulk.samples)
    if not names.is_unique or not pd.Index(samples.astype(str)).isin(names).all():
        return None
    return dataset.bulk.obs.set_axis(names, axis=0)


class CompositionView:
    """One composition view on one page.

    Only computed while its tab is open.

    Parameters
    ----------
    source
        See above.
    active
        (an Input, the value it has while this view is on screen).
    parts
        Part -> shown text, in the order offered; those for which ``source`` gives None are left
        out (a choice only appears for more than one).
    normalise
        Whether fractions that sum to 1 are the default.
    file
        Prefix of the names of saved files.
    note
        One line near the figure.
    not_kept
        Parts that the page does not open with, even if they were on screen last.
    more
        Further controls.
    also
        Input of a control among them; the view is drawn again when it changes.
    """

    def __init__(
        self,
        page: Page,
        source: Source,
        *,
        active: tuple[Input, str],
        parts: Mapping[str, str],
        normalise: bool = True,
        name: str = "composition",
        file: str = "composition",
        note: str = "",
        not_kept: tuple[str, ...] = (),
        more: Callable[[Context], list[Any]] | None = None,
        also: Input | None = None,
    ) -> None:
        self.page, self.source, self.active, self.parts = page, source, active, dict(parts)
        self.normalise, self.name, self.file, self.note = normalise, name, file, note
        self.not_kept, self.more, self.also = not_kept, more, also
        self.views = Views(page, name)

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}"))

    # -- layout
    # ----------------------------------------------------------------------------------------------
    def layout(self, ctx: Context) -> Any:
        """Return controls, figure, table and the dialog of one sample, once per page."""
        kept = self._kept(ctx)
        shown = kept.get("part", next(iter(self.parts)))
        part = switch(self.parts, self.id("part"), shown)
        sort = dmc.Select(
            id=self.id("sort"),
            data=[FIRST_ORDER],
            value=kept.get("sort", IN_FILE),
            **_select("Sort the samples", 170),
        )
        group = dmc.Select(
            id=self.id("group"),
            data=[FIRST_GROUP],
            value=kept.get("group", NO_GROUP),
            **_select("Group the samples", 130),
        )
        controls = [
            html.Div(part, id=self.id("parts"), style=GONE),
            switch(VIEWS, self.id("view"), kept.get(f"view_{shown}", "bars")),
            sort,
            html.Div(group, id=self.id("groups"), style=GONE),
            dmc.Switch(
                id=self.id("shares"),
                checked=kept.get("shares", self.normalise),
                label="Fractions sum to 1",
                size="xs",
            ),
            dmc.Button("One sample…", id=self.id("one"), variant="subtle", size="compact-sm", px=4),
            *(self.more(ctx) if self.more is not None else []),
        ]
        drawing = figure_card(self.page, f"{self.name}_figure", file_name=self.file)
        table = result_table(self.page, f"{self.name}_table", engine=True)
        unit = dmc.Text("", id=self.id("unit"), size="xs", c="dimmed", mb=4)
        nothing = empty_state(
            "No composition yet",
            "The current run estimated no composition: load bulk samples on the Upload page,"
            " then come back here.",
        )
        about = dmc.Text(self.note, id=self.id("about"), size="xs", c="dimmed", mt=6)
        there = self.views.layout(controls, drawing, table, note=about, unit=unit)
        return html.Div(
            [
                html.Div(nothing, id=self.id("nothing"), style=GONE),
                html.Div(there, id=self.id("there")),
                self._dialog(),
            ]
        )

    def _dialog(self) -> Any:
        choose = dmc.Select(id=self.id("sample"), data=[], **_select("Sample", 300))
        drawing = figure_card(
            self.page, f"{self.name}_single", file_name=f"{self.file}-sample", controls=[choose]
        )
        return dmc.Modal(
            drawing, id=self.id("dialog"), title="One sample", size="xl", keepMounted=False
        )

    # -- callbacks
    # ----------------------------------------------------------------------------------------------
    def bind(self) -> None:
        """Record the callbacks, at module level of the page."""
        page, this = self.page, self
        tab, here = self.active
        part, view, sort, group = (
            Input(this.id(n), "value") for n in ("part", "view", "sort", "group")
        )
        shares = Input(this.id("shares"), "checked")
        states = [
            State(i.component_id, i.component_property) for i in (part, view, sort, group, shares)
        ]

        @page.callback(
            Output(this.id("part"), "data"),
            Output(this.id("part"), "value"),
            Output(this.id("parts"), "style"),
            REVISION,
            tab,
            states[0],
        )
        def offer_parts(
            ctx: Context, _revision: Any, active: str | None, chosen: str | None
        ) -> Any:
            if active != here:
                raise PreventUpdate
            there = [p for p in this.parts if this.found(ctx, p) is not None]
            data = options({p: this.parts[p] for p in there})
            value = chosen if chosen in there or not there else there[0]
            return data, value if value != chosen else no_update, SHOWN if len(there) > 1 else GONE

        @page.callback(
            *[Output(this.id(n), p) for n in ("sort", "group") for p in ("data", "value")],
            Output(this.id("groups"), "style"),
            Output(this.id("view"), "value"),
            Output(this.id("sample"), "data"),
            REVISION,
            tab,
            part,
            *states[1:4],
        )
        def offer_controls(
            ctx: Context,
            _revision: Any,
            active: str | None,
            which: str | None,
            look: str,
            by: str,
            of: str,
        ) -> Any:
            found = this.found(ctx, which)
            if active != here or found is None:
                raise PreventUpdate
            orders, columns = sort_options(found), group_options(found)
            known = {o["value"] for entry in orders for o in entry["items"]}
            first = "heatmap" if found.frame.shape[1] > MANY else "bars"
            kept = this._kept(ctx).get(f"view_{which}")
            # What the user chooses while this is under way must stay: only what has to change is
            # set, and coming back to the tab changes no view.
            back = set(call.triggered_prop_ids) == {
                f"{tab.component_id}.{tab.component_property}"
            } and (kept is not None or first == "bars")
            now = (
                by if by in known else IN_FILE,
                of if of in {o["value"] for o in columns} else NO_GROUP,
                look if back else kept or first,
            )
            by, of, look = (
                no_update if new == old else new
                for new, old in zip(now, (by, of, look), strict=True)
            )
            return (
                orders,
                by,
                columns,
                of,
                SHOWN if len(columns) > 1 else GONE,
                look,
                [str(s) for s in found.frame.columns],
            )

        @page.callback(Input(this.id("view"), "value"), states[0], prevent_initial_call=True)
        def keep_view(ctx: Context, look: str, which: str | None) -> None:
            ctx.session.keep_form(page.key, {f"{this.name}_view_{which}": look})

        @page.callback(
            output={
                "figure": Output(this.id("figure"), "figure"),
                "legend": Output(this.id("figure_legend"), "children"),
                "file": Output(this.id("figure_file"), "data"),
                "figure_style": Output(this.id("figure"), "style"),
                "columns": Output(this.id("table"), "columnDefs"),
                "rows": Output(this.id("table"), "rowData"),
                "note": Output(this.id("table_note"), "children"),
                "unit": Output(this.id("unit"), "children"),
                "about": Output(this.id("about"), "children"),
                "views": this.views.outputs,
                "nothing": Output(this.id("nothing"), "style"),
                "there": Output(this.id("there"), "style"),
            },
            inputs={
                "_revision": REVISION,
                "dark": DARK,
                "active": tab,
                "which": part,
                "look": view,
                "by": sort,
                "of": group,
                "normalise": shares,
                **({"_also": this.also} if this.also is not None else {}),
            },
        )
        def draw(
            ctx: Context,
            *,
            dark: bool,
            active: str | None,
            which: str | None,
            look: str,
            by: str,
            of: str,
            normalise: bool,
            _revision: Any,
            _also: Any = None,
        ) -> dict[str, Any]:
            if active != here:
                raise PreventUpdate
            ctx.session.keep_form(
                page.key,
                {
                    f"{this.name}_{k}": v
                    for k, v in (
                        ("part", which),
                        ("sort", by),
                        ("group", of),
                        ("shares", normalise),
                    )
                    if not (k == "part" and which in this.not_kept)
                },
            )
            found, chosen = this.found(ctx, which), Chosen(look, by, of, bool(normalise))
            if found is None:
                return {
                    "figure": styled(blank(), bool(dark)),
                    "columns": [],
                    "rows": [],
                    "note": "",
                    "unit": "",
                    "about": "",
                    "views": this.views.show("figure"),
                    "nothing": SHOWN,
                    "there": GONE,
                }
            if look == "table":
                table = composition_table(found, chosen)
                return {
                    "columns": table.columns,
                    "rows": table.rows,
                    "note": table.note,
                    "unit": unit(bool(normalise), found.quantity),
                    "about": about_text(found, look, this.note),
                    "views": this.views.show("table"),
                    "nothing": GONE,
                    "there": SHOWN,
                }
            colour_of = type_colours(ctx.session.dataset, *found.frame.index)
            drawn = styled(composition_figure(found, colour_of, chosen), bool(dark))
            beside = legend(found, colour_of, chosen)
            style = graph_height_style(drawn, above=450 if beside else 420)
            return {
                "figure": drawn,
                "legend": beside,
                "file": f"{this.file}-{which}-{look}",
                "figure_style": style,
                "about": about_text(found, look, this.note),
                "views": this.views.show("figure"),
                "nothing": GONE,
                "there": SHOWN,
            }

        @page.callback(
            Output(this.id("dialog"), "opened"),
            Output(this.id("sample"), "value"),
            Output(this.id("figure"), "clickData"),
            Input(this.id("figure"), "clickData"),
            Input(this.id("one"), "n_clicks"),
            *states,
            State(this.id("sample"), "value"),
            prevent_initial_call=True,
        )
        def open_sample(
            ctx: Context,
            click: Any,
            _one: Any,
            which: str,
            look: str,
            by: str,
            of: str,
            normalise: bool,
            last: str | None,
        ) -> Any:
            found = this.found(ctx, which)
            if found is None or found.frame.shape[1] == 0:
                raise PreventUpdate
            names = [str(s) for s in found.frame.columns]
            if call.triggered_id == this.id("one"):
                return True, last if last in names else names[0], no_update
            sample = arranged(found, Chosen(look, by, of, bool(normalise))).clicked(click)
            if sample is None:
                raise PreventUpdate
            return True, sample, None  # forgotten, so that the same bar can be clicked again

        @page.callback(
            Output(this.id("single"), "figure"),
            Output(this.id("single_file"), "data"),
            Input(this.id("dialog"), "opened"),
            Input(this.id("sample"), "value"),
            DARK,
            REVISION,
            states[0],
            states[4],
            prevent_initial_call=True,
        )
        def draw_sample(
            ctx: Context,
            opened: bool,
            sample: str | None,
            dark: bool,
            _revision: Any,
            which: str,
            normalise: bool,
        ) -> Any:
            found = this.found(ctx, which)
            if not opened or sample is None or found is None:
                raise PreventUpdate
            fig = sample_figure(
                found,
                sample,
                type_colours(ctx.session.dataset, *found.frame.index),
                normalise=bool(normalise),
            )
            if fig is None:
                raise PreventUpdate
            return styled(fig, bool(dark)), f"{this.file}-{sample}"

        def to_save(
            ctx: Context, which: str | None, look: str, by: str, of: str, normalise: bool
        ) -> TableFile | None:
            found = this.found(ctx, which)
            return (
                None
                if found is None
                else composition_file(
                    f"{this.file}_{which}", found, Chosen(look, by, of, bool(normalise))
                )
            )

        bind_figure_export(page, f"{self.name}_figure")
        bind_figure_export(page, f"{self.name}_single")
        bind_table_export(page, f"{self.name}_table", to_save, *states, engine=True)
        for function in (offer_parts, offer_controls, keep_view, draw, open_sample, draw_sample):
            function.__name__ = f"{self.name}_{function.__name__}"

    def found(self, ctx: Context, part: str | None) -> Composition | None:
        """What the page's source gives for a part."""
        if part not in self.parts:
            return None
        given = self.source(ctx, part)
        return None if given is None else Composition(*given)

    def _kept(self, ctx: Context) -> dict[str, Any]:
        """Return the stored values of the controls that they can show.

        A session file may hold anything.
        """
        start = f"{self.name}_"
        kept = {
            k.removeprefix(start): v
            for k, v in ctx.session.form(self.page.key).items()
            if k.startswith(start)
        }
        return {k: v for k, v in kept.items() if isinstance(v, bool if k == "shares" else str)}


# -- what is drawn: pure
# --------------------------------------------------------------------------------------------------
def arranged(found: Composition, chosen: Chosen) -> figures.Arrangement:
    """The samples in the order chosen."""
    sort = (
        figures.BY_NAME
        if chosen.sort == BY_NAME
        else chosen.sort.removeprefix(TYPE)
        if chosen.sort.startswith(TYPE)
        else figures.BY_FILE
    )
    group, column = None, chosen.group.removeprefix(COLUMN)
    if found.groups is not None and chosen.group.startswith(COLUMN) and column in found.groups:
        group = found.groups[column]
    return figures.arrange(
        found.frame,
        normalise=chosen.normalise,
        sort=sort,
        group=group,
        gap=0 if chosen.view == "heatmap" else 1,
    )


def composition_figure(
    found: Composition, colour_of: Mapping[str, str], chosen: Chosen
) -> go.Figure:
    """All samples, as bars or as a heatmap."""
    order = arranged(found, chosen)
    if chosen.view == "heatmap":
        fig = figures.heatmap(
            found.frame,
            normalise=chosen.normalise,
            arranged=order,
            opinion=found.opinion,
            title=found.quantity,
        )
        # in two lines, as on the axis of the bars: the heatmap of few types is lower than the title
        # is long
        return fig.update_traces(
            colorbar_title_text=found.quantity or figures.quantity(chosen.normalise),
            selector={"type": "heatmap"},
        )
    return figures.stacked(
        found.frame,
        colour_of,
        normalise=chosen.normalise,
        arranged=order,
        ends=found.ends,
        opinion=found.opinion,
        title=found.quantity,
    )


def sample_figure(
    found: Composition, sample: str, colour_of: Mapping[str, str], *, normalise: bool
) -> go.Figure | None:
    """Draw one sample with its truth where known; None if there is no such sample."""
    names = [str(s) for s in found.frame.columns]
    if sample not in names:
        return None
    at = found.frame.columns[names.index(sample)]
    truth = found.truth[at] if found.truth is not None and at in found.truth.columns else None
    interval = None
    if found.interval is not None and at in found.interval.index:
        low, high = found.interval.loc[at, ["low", "high"]]
        interval = (float(low), float(high))
    ends = (
        None
        if found.ends is None or at not in found.ends[0].columns
        else pd.DataFrame({"low": found.ends[0][at], "high": found.ends[1][at]})
    )
    return figures.single(
        found.frame[at],
        colour_of,
        truth=truth,
        normalise=normalise,
        interval=interval,
        ends=ends,
        opinion=found.opinion,
        title=found.quantity,
    )


def legend(found: Composition, colour_of: Mapping[str, str], chosen: Chosen) -> Any:
    """The legend above bars that scroll; None where the figure has its own."""
    if chosen.view != "bars" or found.frame.shape[1] <= figures.SCROLL_FROM:
        return None
    types = () if found.opinion is None else found.opinion.types
    return type_legend(figures.legend_entries(found.frame, colour_of, types))


def composition_frame(found: Composition, chosen: Chosen) -> pd.DataFrame:
    """Samples x types in percent, in the order chosen, with the columns to group by."""
    names = arranged(found, chosen).samples
    shown = (settled(figures.sample_fractions(found.frame, chosen.normalise)) * 100).T
    shown = shown.set_axis(shown.index.astype(str), axis=0).loc[names]
    if found.groups is not None:
        shown = pd.concat([shown, found.groups.reindex(names)], axis=1)
    return shown.rename_axis("Sample")


def composition_table(found: Composition, chosen: Chosen) -> TableView:
    """The same for the screen."""
    return table_view(composition_frame(found, chosen), percent=[str(t) for t in found.frame.index])


def composition_file(name: str, found: Composition, chosen: Chosen) -> TableFile:
    """Return the file to save: the table as shown, and the fractions with full precision."""
    order = "sorted by name" if chosen.sort == BY_NAME else "in the order of the file"
    if chosen.sort.startswith(TYPE):
        order = f"sorted by {chosen.sort.removeprefix(TYPE)}: largest first"
    if found.groups is not None and chosen.group.startswith(COLUMN):
        order = f"grouped by {chosen.group.removeprefix(COLUMN)} and {order}"
    engine = found.frame.rename_axis("cell type")
    note = f" {found.note}" if found.note else ""
    about = f"{unit(chosen.normalise, found.quantity)} One row per sample {order}.{note}"
    return TableFile(
        name,
        composition_frame(found, chosen),
        about,
        engine,
        f"{found.quantity.split('<br>')[0].removesuffix(' (%)') or 'RNA fraction'} with full"
        f" precision: 1 is 100 %. One row per cell type.{note}",
    )


def about_text(found: Composition, look: str, note: str = "") -> str:
    """Below the controls: what is shown, ``note``, and what the hatch or the star means."""
    types = () if found.opinion is None else found.opinion.types
    mark = {"bars": "Hatched", "heatmap": "With a star"}.get(look)
    marked = (
        f"{mark}: contradicted by two other estimates, see the tab Second opinion."
        if types and mark
        else ""
    )
    # a remark on RNA fractions does not belong to another quantity
    return " ".join(filter(None, (found.note, marked, "" if found.quantity else note)))


def unit(normalise: bool, quantity: str = "") -> str:
    """Above the table and in its file: which of the two it holds, or another quantity."""
    if quantity:
        return f"{quantity.replace('<br>', ', ')}."
    return "RNA fraction (%)" + (
        " of the estimated total of each sample."
        if normalise
        else " as estimated; the sum of a sample may differ from 100."
    )


def sort_options(found: Composition) -> list[dict[str, Any]]:
    """What the samples can be sorted by."""
    types = sorted((str(t) for t in found.frame.index if str(t) != HIDDEN), key=natural)
    types = [*types, HIDDEN] if HIDDEN in found.frame.index else types
    return [
        {"group": "Order", "items": [FIRST_ORDER, {"value": BY_NAME, "label": "Sort by name"}]},
        {
            "group": "By a cell type",
            "items": [{"value": TYPE + t, "label": f"Sort by {t}"} for t in types],
        },
    ]


def group_options(found: Composition) -> list[dict[str, str]]:
    """Columns that put the samples into groups: more than one value, and fewer than samples."""
    found_columns = [FIRST_GROUP]
    if found.groups is None:
        return found_columns
    for name in found.groups.columns:
        values = found.groups[name].astype(str).nunique()
        if 1 < values <= MOST_GROUPS and values < len(found.groups):
            found_columns.append({"value": f"{COLUMN}{name}", "label": f"by {name}"})
    return found_columns


def _select(label: str, width: int) -> dict[str, Any]:
    return {
        "size": "xs",
        "w": width,
        "allowDeselect": False,
        "searchable": True,
        "checkIconPosition": "right",
        "limit": 200,
        "aria-label": label,
    }
