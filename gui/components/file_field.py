"""File field: a native dialog in the window, an upload in a browser, a typed path in both.

One component.

The page gets the token of an :class:`gui.files.Upload` in a Store, whichever way the file came; a
field for several files a list of tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from gui.components.common import icon
from gui.errors import DeconomixError, UnreadableFile
from gui.files import FileKind, Upload
from gui.plugin import Context, Page


class FileField:
    """Field to choose a file on one page; ``token_id`` is the Store with its token.

    Parameters
    ----------
    multiple
        Several files at once; the Store then holds the list of tokens of those chosen last.
    folder
        The path of a folder may be typed too; several files may be chosen together, and in a
        browser the folder be dropped.
    """

    def __init__(
        self,
        page: Page,
        name: str,
        kinds: Sequence[FileKind],
        *,
        title: str,
        multiple: bool = False,
        folder: bool = False,
    ) -> None:
        self.page, self.name, self.kinds, self.title, self.multiple, self.folder = (
            page,
            name,
            tuple(kinds),
            title,
            multiple,
            folder,
        )

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}"))

    @property
    def token_id(self) -> str:
        return self.id("token")

    def layout(self, ctx: Context, *, token: str | None = None) -> Any:
        """Return the button, which also takes dropped files, and the input of a path."""
        suffixes = ",".join(s for kind in self.kinds for s in kind.suffixes)
        a_file, it = ("files", "them") if self.multiple else ("a file", "it")
        words = f"Choose {a_file}, or drop {it} here"
        upload = {
            "data-upload": self.id("arrived"),
            "data-native": "true" if ctx.files.native else "",
            "data-accept": suffixes,
            "data-multiple": "true" if self.multiple else "",
            "data-folder": "true" if self.folder else "",
            "data-limit": str(ctx.config.server.upload_limit_mb),
            "aria-label": f"{self.title}: {words}",
        }
        return dmc.Stack(
            [
                # data=None would be a change when the Store appears, and have every callback called
                dcc.Store(id=self.token_id, **({"data": token} if token else {})),
                dcc.Store(id=self.id("arrived")),
                html.Button(
                    [icon("upload"), " ", words],
                    id=self.id("choose"),
                    type="button",
                    className="dcx-drop",
                    **upload,
                ),
                dmc.TextInput(
                    id=self.id("path"),
                    placeholder="or type the path and press Enter",
                    size="xs",
                    debounce=True,
                    rightSection=icon("folder", 14),
                    style={} if ctx.config.server.folders != [] else {"display": "none"},
                    **{"aria-label": f"{self.title}: path"},
                ),
            ],
            gap=4,
        )

    def bind(self) -> None:
        """Record the callbacks that turn a dialog, an upload or a typed path into a token."""
        field, page = self, self.page

        @page.callback(
            Output(field.token_id, "data", allow_duplicate=True),
            Input(field.id("choose"), "n_clicks"),
            prevent_initial_call=True,
        )
        def choose(ctx: Context, clicks: int | None) -> Any:
            if not clicks or not ctx.files.native:
                raise PreventUpdate
            several = field.multiple or field.folder
            chosen = ctx.files.open(field.kinds, title=field.title, multiple=several)
            if not chosen:
                raise PreventUpdate
            if field.folder and not field.multiple and len(chosen) > 1:
                return ctx.uploads.adopt_all(chosen).token
            return field._tokens_of(
                ctx,
                [
                    partial(ctx.uploads.adopt, path)
                    for path in (chosen if field.multiple else chosen[:1])
                ],
            )

        @page.callback(
            Output(field.token_id, "data", allow_duplicate=True),
            Input(field.id("arrived"), "data"),
            prevent_initial_call=True,
        )
        def arrived(ctx: Context, data: dict[str, Any] | None) -> Any:
            if not data:
                raise PreventUpdate
            return field._tokens_of(
                ctx, [partial(_received, ctx, each) for each in data.get("files", [data])]
            )

        @page.callback(
            Output(field.token_id, "data", allow_duplicate=True),
            Output(field.id("path"), "value"),
            Input(field.id("path"), "n_submit"),
            State(field.id("path"), "value"),
            prevent_initial_call=True,
        )
        def typed(ctx: Context, _submit: int | None, text: str | None) -> Any:
            if not text or not text.strip():
                raise PreventUpdate
            path = ctx.config.server.typed_path(text)
            return field._tokens_of(
                ctx, [partial(ctx.uploads.adopt, path, folder=field.folder)]
            ), ""

        for function in (choose, arrived, typed):
            function.__name__ = f"{field.name}_{function.__name__}"
            function.about = f"{field.name} file"  # type: ignore[attr-defined]  # a file chosen in one way takes back the error of another

    def _tokens_of(self, ctx: Context, ways: Sequence[Callable[[], Upload]]) -> Any:
        """Return the tokens for the Store; a file that fails does not stop the others.

        Where one file is wanted, several are the files of one folder.
        """
        if not self.multiple:
            taken: list[str] = []
            try:
                for take in ways:
                    taken.append(take().token)
                return taken[0] if len(taken) == 1 else ctx.uploads.together(taken).token
            except DeconomixError:
                for token in taken:
                    ctx.uploads.forget(token)
                raise
        tokens = []
        for take in ways:
            try:
                tokens.append(take().token)
            except DeconomixError as error:
                ctx.notify_error(error)
        return tokens or no_update


def _received(ctx: Context, data: dict[str, Any]) -> Upload:
    """What the upload route answered for one file."""
    if data.get("error"):
        raise UnreadableFile(str(data["error"])[:300], advice="")
    return ctx.uploads.get(str(data["token"]))
