"""Templates on the pages DTD and ADTD: save the parameters under a name, apply, share, delete."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, get_args

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.components.common import clicked, cut
from gui.components.file_field import FileField
from gui.components.form import ParamsForm
from gui.engine.params import Params
from gui.errors import DeconomixError, InvalidParameter
from gui.files import TEMPLATE
from gui.plugin import Context, Page
from gui.sessions.rules import MAX_NAME
from gui.sessions.templates import STEPS, ParameterTemplate, make_template, template_task

TITLES = {"dtd": "DTD", "adtd": "ADTD"}


class TemplatesDialog:
    """The dialog of one page.

    In the layout :meth:`button` and :meth:`dialog`, at module level :meth:`bind`.

    Parameters
    ----------
    form
        The page's parameters; the page's key is the step they belong to.
    """

    def __init__(self, page: Page, form: ParamsForm[Any]) -> None:
        self.page, self.form, self.step = page, form, page.key
        self.file = FileField(page, "template_file", (TEMPLATE,), title="Add a template file")

    def button(self) -> Any:
        return dmc.Button(
            "Templates…", id=self.page.id.templates_open, variant="subtle", size="compact-xs"
        )

    def dialog(self, ctx: Context) -> Any:
        save = dmc.Group(
            [
                dmc.TextInput(
                    id=self.page.id.template_name,
                    label="Save the present parameters as",
                    placeholder="for example Blood, our core facility",
                    attributes={"input": {"maxLength": MAX_NAME}},
                    value="",
                    style={"flex": 1},
                ),
                dmc.Button("Save", id=self.page.id.template_save),
            ],
            align="flex-end",
            gap="xs",
        )
        everyone = "" if alone(ctx) else " Everyone who uses this program can see them."
        content = [
            dmc.Text(
                "A template holds the parameters of DTD and ADTD, no data. analyze --template"
                f" takes its file.{everyone}",
                size="sm",
            ),
            html.Div(id=self.page.id.template_list),
            save,
            dmc.Text("Add a template that somebody gave you", fw=600, size="sm"),
            self.file.layout(ctx),
        ]
        return dmc.Modal(
            dmc.Stack(content, gap="sm"), id=self.page.id.templates, title="Templates", size="lg"
        )

    def _listed(self, ctx: Context) -> Any:
        rows = [self._row(ctx, key, one) for key, one in ctx.program.templates.list()]
        nothing = dmc.Text("No template yet.", size="sm", c="dimmed")
        return dmc.Stack(rows or [nothing], gap="xs")

    def _row(self, ctx: Context, key: str, one: ParameterTemplate) -> Any:
        each, small = self.page.id.each, {"size": "compact-xs", "variant": "subtle"}
        delete = dmc.Button("Delete", id=each("template-delete", key), color="red", **small)
        return dmc.Group(
            [
                html.Div(
                    [
                        dmc.Text(cut(one.name, 60), fw=600, size="sm"),
                        dmc.Text(summary(one), size="xs", c="dimmed"),
                    ],
                    style={"flex": 1, "minWidth": 0, "overflowWrap": "anywhere"},
                ),
                dmc.Button(
                    "Apply",
                    id=each("template-apply", key),
                    size="compact-sm",
                    **{"aria-label": f"Apply {one.name}"},
                ),
                dmc.Button("Export…", id=each("template-export", key), **small),
                *([delete] if alone(ctx) else []),
            ],
            gap="xs",
            wrap="nowrap",
            align="flex-start",
        )

    def bind(self) -> None:
        page, form, this = self.page, self.form, self
        listed = Output(page.id.template_list, "children", allow_duplicate=True)
        self.file.bind()

        @page.callback(
            output={"opened": Output(page.id.templates, "opened"), "listed": listed},
            inputs={"clicks": Input(page.id.templates_open, "n_clicks")},
            prevent_initial_call=True,
        )
        def open_templates(ctx: Context, *, clicks: int | None) -> dict[str, Any]:
            if not clicks:
                raise PreventUpdate
            return {"opened": True, "listed": this._listed(ctx)}

        @page.callback(
            output={"listed": listed, "name": Output(page.id.template_name, "value")},
            inputs={"clicks": Input(page.id.template_save, "n_clicks")},
            state={"name": State(page.id.template_name, "value"), "values": form.states},
            prevent_initial_call=True,
        )
        def save_template(
            ctx: Context, *, clicks: int | None, name: str | None, values: Mapping[str, Any]
        ) -> dict[str, Any]:
            """The parameters as shown, and those of the other page as the session keeps them."""
            if not clicks:
                raise PreventUpdate
            steps: dict[str, Any] = {
                step: form.parse(values) if step == this.step else kept_params(ctx, step)
                for step in STEPS
            }
            made = make_template(name or "", **steps)
            ctx.program.templates.add(made)
            ctx.notify(f"The template “{made.name}” is saved.", colour="green")
            return {"listed": this._listed(ctx), "name": ""}

        @page.callback(
            output={
                "opened": Output(page.id.templates, "opened", allow_duplicate=True),
                "fill": Output(form.fill_id, "data", allow_duplicate=True),
            },
            inputs={"clicks": Input(page.id.each("template-apply", ALL), "n_clicks")},
            prevent_initial_call=True,
        )
        def apply_template(ctx: Context, *, clicks: Any) -> dict[str, Any]:
            key = clicked()
            if key is None:
                raise PreventUpdate
            one = ctx.program.templates.get(key)
            filled: dict[str, Any] = {}
            for step in STEPS:
                if (params := one.params(step)) is None:
                    continue
                if step == this.step:
                    filled = params.model_dump()
                else:
                    ctx.session.keep_form(step, params.model_dump())
            applied = " and ".join(TITLES[step] for step in STEPS if one.params(step) is not None)
            ctx.notify(f"The parameters of “{one.name}” are set for {applied}.", colour="green")
            return {"opened": False, "fill": {**filled, "": time.monotonic_ns()}}

        @page.callback(
            Input(page.id.each("template-export", ALL), "n_clicks"), prevent_initial_call=True
        )
        def export_template(ctx: Context, _clicks: Any) -> None:
            key = clicked()
            if key is None:
                raise PreventUpdate
            one = ctx.program.templates.get(key)
            if told := ctx.files.save(f"{one.name}.json", one.packed(), TEMPLATE):
                ctx.notify(told, title="Saved", colour="teal")

        @page.callback(
            output={"listed": listed},
            inputs={"clicks": Input(page.id.each("template-delete", ALL), "n_clicks")},
            prevent_initial_call=True,
        )
        def delete_template(ctx: Context, *, clicks: Any) -> dict[str, Any]:
            key = clicked()
            if key is None or not alone(ctx):
                raise PreventUpdate
            name = ctx.program.templates.get(key).name
            ctx.program.templates.delete(key)
            ctx.notify(f"The template “{name}” is deleted.", colour="green")
            return {"listed": this._listed(ctx)}

        @page.callback(
            output={
                "listed": listed,
                "token": Output(this.file.token_id, "data", allow_duplicate=True),
            },
            inputs={"token": Input(this.file.token_id, "data")},
            prevent_initial_call=True,
        )
        def add_template(ctx: Context, *, token: str | None) -> dict[str, Any]:
            """A file that somebody gave: read in the reading process, then kept."""
            if not token:
                raise PreventUpdate
            try:
                upload = ctx.uploads.get(token)
                one = ctx.read(template_task, upload.path, name=upload.name)
                ctx.program.templates.add(one)
            except DeconomixError as error:
                ctx.notify_error(error, "template file")
                return {"token": None}
            finally:
                ctx.uploads.forget(token)
            ctx.mended("template file")
            ctx.notify(f"The template “{one.name}” is added.", colour="green")
            return {"listed": this._listed(ctx), "token": None}


def alone(ctx: Context) -> bool:
    """Whether nobody else uses this program: then a template may be deleted in it."""
    return not ctx.config.server.allow_remote


def kept_params(ctx: Context, step: str) -> Params:
    """The parameters of another page as the session keeps them, defaults where it does not.

    InvalidParameter: what is kept is not allowed.
    """
    cls, kept = STEPS[step], ctx.session.form(step)
    given: dict[str, Any] = {}
    for name, field in cls.model_fields.items():
        value = kept.get(name)
        if name in kept and value in (None, ""):
            if type(None) in get_args(field.annotation):
                given[name] = None
        elif name in kept:
            given[name] = value
    try:
        return cls.parse(**given)
    except InvalidParameter as error:
        raise InvalidParameter(f"{TITLES[step]}: {error}", advice=error.advice) from None


def summary(one: ParameterTemplate) -> str:
    """What is not default, by step: "DTD: Number of genes 500. ADTD: as preset."."""
    sentences = []
    for step, cls in STEPS.items():
        if (params := one.params(step)) is None:
            continue
        changed = [
            f"{field.title} {_shown(value)}"
            for name, field in cls.model_fields.items()
            if (value := getattr(params, name)) != field.default
        ]
        sentences.append(f"{TITLES[step]}: {', '.join(changed) or 'as preset'}.")
    return " ".join(sentences)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "all" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
