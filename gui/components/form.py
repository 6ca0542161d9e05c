"""Form of a Params class: a field per parameter, with tooltip, unit and default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from gui.components.common import tip_label
from gui.components.number_field import decimal_field, is_number, shown_number, whole_number_field
from gui.engine.params import Params
from gui.plugin import Context, Page

P = TypeVar("P", bound=Params)


class ParamsForm(Generic[P]):
    """The form of one Params class on one page.

    names : the fields shown, default all; choices : field -> {value: shown text}; a field left out
        keeps its default.
    In the layout :meth:`fields`, at module level :meth:`bind`, in a callback ``state={"values":
    form.states}`` (or :attr:`inputs`) and ``form.parse(values)``.
    """

    def __init__(
        self,
        page: Page,
        cls: type[P],
        *,
        prefix: str = "",
        names: Sequence[str] | None = None,
        choices: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.page, self.cls, self.prefix = page, cls, prefix
        self.names = list(names or cls.model_fields)
        self.choices = dict(choices or {})

    def id(self, name: str) -> str:
        return str(getattr(self.page.id, f"{self.prefix}{name}"))

    @property
    def fill_id(self) -> str:
        """A Store: setting its data to {field: value} fills the form."""
        return self.id("fill")

    def prop(self, name: str) -> str:
        return "checked" if self._kind(name) is bool else "value"

    @property
    def states(self) -> dict[str, State]:
        """Of every field, by name."""
        return {n: State(self.id(n), self.prop(n)) for n in self.names}

    @property
    def inputs(self) -> dict[str, Input]:
        """Of every field, by name."""
        return {n: Input(self.id(n), self.prop(n)) for n in self.names}

    def parse(self, values: Mapping[str, Any], **fixed: Any) -> P:
        """The parameters; InvalidParameter (one sentence) if one is not allowed.

        values : of every field, as shown
        """
        given = {name: self._value(name, values[name]) for name in self.names}
        return self.cls.parse(**given, **fixed)

    def fields(self, ctx: Context, *names: str) -> Any:
        """The inputs named (default all essential ones), filled with what the session keeps."""
        kept = ctx.session.form(self.page.key)
        shown = names or tuple(n for n in self.names if not self._extra(n)["advanced"])
        return dmc.Stack([self._field(n, self._kept(n, kept)) for n in shown], gap="sm")

    def advanced(self, ctx: Context, *names: str, title: str = "Advanced") -> Any:
        """The fields marked as advanced (or those named), folded."""
        shown = names or tuple(n for n in self.names if self._extra(n)["advanced"])
        return folded(title, self.fields(ctx, *shown))

    def hidden_parts(self) -> Any:
        """Goes once into the layout: the Store that fills the form."""
        return dcc.Store(id=self.fill_id)

    def bind(self) -> None:
        """Record the callbacks that store the values in the session and fill the form."""
        page, form = self.page, self

        @page.callback(inputs={"values": form.inputs}, prevent_initial_call=True)
        def keep(ctx: Context, *, values: Mapping[str, Any]) -> None:
            ctx.session.keep_form(page.key, {form.prefix + n: v for n, v in values.items()})

        @page.callback(
            output={n: Output(form.id(n), form.prop(n)) for n in form.names},
            inputs={"data": Input(form.fill_id, "data")},
            prevent_initial_call=True,
        )
        def fill(ctx: Context, *, data: dict[str, Any] | None) -> dict[str, Any]:
            if not data:
                raise PreventUpdate
            return {n: form._shown(n, data[n]) for n in form.names if n in data}

        keep.__name__, fill.__name__ = f"keep_{form.prefix}form", f"fill_{form.prefix}form"

    # -- one field
    # ----------------------------------------------------------------------------------------------
    def _extra(self, name: str) -> dict[str, Any]:
        extra = self.cls.model_fields[name].json_schema_extra
        return {"unit": "", "advanced": False, **(extra if isinstance(extra, dict) else {})}

    def _kind(self, name: str) -> Any:
        annotation = self.cls.model_fields[name].annotation
        if get_origin(annotation) is Literal:
            return Literal
        return next((a for a in get_args(annotation) if a is not type(None)), annotation)

    def _value(self, name: str, shown: Any) -> Any:
        """What the field shows, as the parameter takes it. An empty optional field is None."""
        optional = type(None) in get_args(self.cls.model_fields[name].annotation)
        return None if shown in (None, "") and optional else shown

    def _kept(self, name: str, kept: Mapping[str, Any]) -> Any:
        """Return the stored value if the field can show it, else the default.

        A session file may hold anything.
        """
        default = self.cls.model_fields[name].default
        value, kind = kept.get(self.prefix + name, default), self._kind(name)
        if kind is bool:
            return value if isinstance(value, bool) else default
        if kind is Literal:
            return (
                value
                if isinstance(value, str)
                and value in get_args(self.cls.model_fields[name].annotation)
                else default
            )
        shown = value is None or isinstance(value, str) or is_number(value)
        return value if shown else default

    def _shown(self, name: str, value: Any) -> Any:
        if value is None:
            return ""
        return shown_number(value) if self._kind(name) is float else value

    def _field(self, name: str, value: Any) -> Any:
        field, kind = self.cls.model_fields[name], self._kind(name)
        common: dict[str, Any] = {"id": self.id(name)}
        unit = self._extra(name)["unit"]
        label = tip_label(field.title or name, field.description or "")
        if kind is bool:
            return dmc.Switch(checked=bool(value), label=label, size="sm", **common)
        if kind is Literal:
            texts = self.choices.get(name, {})
            options = [{"value": v, "label": texts.get(v, v)} for v in get_args(field.annotation)]
            if len(options) <= 3 and all(len(o["label"]) <= 14 for o in options):
                return html.Div(
                    [
                        dmc.Text(label, size="sm", fw=500, mb=4),
                        dmc.SegmentedControl(
                            data=options, value=value, fullWidth=True, size="xs", **common
                        ),
                    ]
                )
            return dmc.Select(
                data=options,
                value=value,
                label=label,
                allowDeselect=False,
                checkIconPosition="right",
                **common,
            )
        if kind is float:
            return decimal_field(self._shown(name, value), label=label, **common)
        if kind is str:
            text = self._shown(name, value)
            return dmc.TextInput(
                value=text if isinstance(text, str) else "", label=label, debounce=300, **common
            )
        limits = {k: getattr(m, k) for m in field.metadata for k in ("ge", "le") if hasattr(m, k)}
        if unit:
            common |= {
                "rightSection": dmc.Text(unit, size="xs", c="dimmed"),
                "rightSectionWidth": 74,
                "hideControls": True,
            }
        if type(None) in get_args(field.annotation):
            common["placeholder"] = "all"
        return whole_number_field(
            value=self._shown(name, value),
            label=label,
            min=limits.get("ge"),
            max=limits.get("le"),
            clampBehavior="none",
            debounce=300,
            **common,
        )


def folded(title: str, *children: Any, opened: bool = False, **properties: Any) -> Any:
    """A section that is closed until it is wanted.

    Parameters
    ----------
    properties
        Of the Accordion, whose value is None where it is closed.
    """
    return dmc.Accordion(
        [
            dmc.AccordionItem(
                [dmc.AccordionControl(title), dmc.AccordionPanel(list(children))], value="x"
            )
        ],
        value="x" if opened else None,
        **properties,
        chevronPosition="left",
        variant="default",
        styles={
            "content": {"padding": "4px 0 8px"},
            "control": {"padding": "0 4px"},
            "label": {"padding": "8px 0", "fontSize": "var(--mantine-font-size-sm)"},
        },
    )
