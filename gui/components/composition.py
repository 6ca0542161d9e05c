"""Composition of samples as stacked bars, heatmap or table; one sample on click.

Shared by DTD and ADTD.

view = CompositionView(page, source, active=(Input(page.id.tabs, "value"), "composition"),
parts={"bulk": "Bulk", "test": "Test pseudobulks"}, normalise=True)
view.layout(ctx)      # in the page's layout, inside the tab's panel
view.bind()           # at module level
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import empty_state
from gui.components.composition_content import (
    FIRST_GROUP,
    FIRST_ORDER,
    IN_FILE,
    NO_GROUP,
    Chosen,
    Composition,
    about_text,
    composition_figure,
    composition_file,
    composition_table,
    group_options,
    legend,
    sort_options,
    unit,
)
from gui.components.composition_files import tidy_about, tidy_frame, workbook
from gui.components.figure import bind_figure_export, figure_card
from gui.components.sample_dialog import SampleDialog, select
from gui.components.table import TableFile, bind_table_export, result_table
from gui.components.views import ABOVE, GONE, SHOWN, Views, graph_height_style, options, switch
from gui.figures.palette import type_colours
from gui.figures.template import blank, styled
from gui.plugin import DARK, REVISION, Context, Page

MANY = 120
"""From this many samples on the heatmap is shown first: thousands of bars are slow to draw and slow
to read.
"""
VIEWS = {"bars": "Bars", "heatmap": "Heatmap", "table": "Table"}

Source = Callable[[Context, str], "Composition | tuple[Any, ...] | None"]
"""``source(ctx, part)``: a Composition (or a tuple of its fields), or None where there is nothing
to show.
"""


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
        self.dialog = SampleDialog(page, name, file, self.found)

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}"))

    # -- layout
    # ----------------------------------------------------------------------------------------------
    def layout(self, ctx: Context) -> Any:
        """Return controls, figure, table and the dialog of one sample, once per page."""
        kept = self._kept(ctx)
        shown = kept.get("part", next(iter(self.parts)))
        part = dmc.Select(
            id=self.id("part"),
            data=options(self.parts),
            value=shown,
            **select("What is shown", 130),
        )
        sort = dmc.Select(
            id=self.id("sort"),
            data=[FIRST_ORDER],
            value=kept.get("sort", IN_FILE),
            **select("Sort the samples", 150),
        )
        group = dmc.Select(
            id=self.id("group"),
            data=[FIRST_GROUP],
            value=kept.get("group", NO_GROUP),
            **select("Group the samples", 118),
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
        table = result_table(self.page, f"{self.name}_table", filters=False, engine=True, tidy=True)
        intervals = dmc.Switch(
            id=self.id("intervals"),
            checked=kept.get("intervals", False),
            label="95 % intervals",
            size="xs",
            style=GONE,
        )
        unit = dmc.Group(
            [dmc.Text("", id=self.id("unit"), size="xs", c="dimmed"), intervals],
            gap="md",
            mb=4,
        )
        nothing = empty_state(
            "No composition yet",
            "The current run estimated no composition: load bulk samples on the Upload page,"
            " then come back here.",
        )
        about = dmc.Text(self.note, id=self.id("about"), size="xs", c="dimmed", mt=4)
        there = self.views.layout(controls, drawing, table, note=about, unit=unit)
        return html.Div(
            [
                html.Div(nothing, id=self.id("nothing"), style=GONE),
                html.Div(there, id=self.id("there")),
                self.dialog.layout(),
            ]
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
        shares, intervals = (Input(this.id(n), "checked") for n in ("shares", "intervals"))
        states = [
            State(i.component_id, i.component_property)
            for i in (part, view, sort, group, shares, intervals)
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
                "intervals": Output(this.id("intervals"), "style"),
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
                "with_ends": intervals,
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
            with_ends: bool,
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
                        ("intervals", with_ends),
                    )
                    if not (k == "part" and which in this.not_kept)
                },
            )
            found = this.found(ctx, which)
            chosen = Chosen(look, by, of, bool(normalise), bool(with_ends))
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
                    "intervals": GONE,
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
                    "intervals": GONE if found.ends is None else SHOWN,
                }
            colour_of = type_colours(ctx.session.dataset, *found.frame.index)
            drawn = styled(composition_figure(found, colour_of, chosen), bool(dark))
            beside = legend(found, colour_of, chosen)
            style = graph_height_style(drawn, above=ABOVE + 36 if beside else ABOVE)
            return {
                "figure": drawn,
                "legend": beside,
                "file": f"{this.file}-{which}-{look}",
                "figure_style": style,
                "about": about_text(found, look, this.note),
                "views": this.views.show("figure"),
                "nothing": GONE,
                "there": SHOWN,
                "intervals": GONE,
            }

        def to_save(
            ctx: Context,
            which: str | None,
            look: str,
            by: str,
            of: str,
            normalise: bool,
            with_ends: bool,
        ) -> TableFile | None:
            found = this.found(ctx, which)
            if found is None:
                return None
            chosen = Chosen(look, by, of, bool(normalise), bool(with_ends))
            return composition_file(f"{this.file}_{which}", found, chosen)._replace(
                tidy=tidy_frame(found, chosen),
                tidy_about=tidy_about(found, chosen.normalise),
                book=lambda: workbook(found, chosen),
            )

        bind_figure_export(page, f"{self.name}_figure")
        bind_table_export(page, f"{self.name}_table", to_save, *states, engine=True, tidy=True)
        this.dialog.bind(tuple(states[:-1]))
        for function in (offer_parts, offer_controls, keep_view, draw):
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
        switches = ("shares", "intervals")
        return {k: v for k, v in kept.items() if isinstance(v, bool if k in switches else str)}
