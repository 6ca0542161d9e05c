"""create_app: the only door. It builds the program, its pages and the server that shows them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from dash import Dash, html
from flask import Flask

from gui import updates
from gui.callback_requests import refuse_malformed
from gui.config import Config
from gui.downloads import BrowserFiles
from gui.errors import PluginError
from gui.files import Files
from gui.guard import Guard
from gui.plugin import Page
from gui.program import Program
from gui.registry import Registry, find_pages
from gui.request_limits import limit_requests
from gui.resources import resource
from gui.routes import add_routes
from gui.settings import SettingsStore
from gui.shell import frame, update_dialog
from gui.shell.callbacks import bind_page, context, unknown_ids
from gui.shell.lock_screen import lock_screen
from gui.shell.navigation import page_layout
from gui.shell.opening import EXTENSION, OpeningAnswers
from gui.shell.page import shell

log = logging.getLogger(__name__)


class Application(Program):
    """The program as browsers see it: ``server`` is its WSGI application."""

    registry: Registry
    guard: Guard
    dash: Dash
    server: Flask

    def start_url(self, base: str) -> str:
        """Return an address that opens the program once.

        ``base`` is like ``http://127.0.0.1:8050``; a public address replaces it.
        """
        base = self.config.server.origin or base
        return f"{base.rstrip('/')}/?t={self.guard.issue()}"


def create_app(
    config: Config, files: Files | None = None, settings: SettingsStore | None = None
) -> Application:
    """The application, complete but for its worker (``start()``).

    files : how it opens and saves (default: as in a browser); settings : what it remembers
    (default: those of the data folder)
    """
    found = find_pages(config.plugins_folder)
    single = not config.sessions.enabled or found.page("sessions") is None
    if single:
        found = found.without("sessions")
    app = Application(config, files or BrowserFiles(), settings, single=single)
    app.methods = found.methods
    app.registry, layouts = _usable(found, app)
    app.plugin_errors = app.registry.errors
    app.plugin_modules = app.registry.plugin_modules
    if update_dialog.offered(app):
        updates.tidy(app.updates_folder)
    app.guard = Guard(config.server)
    app.dash = _dash(app, layouts)
    app.server = app.dash.server
    add_routes(app.server, app, app.guard)
    app.guard.protect(app.server, app.dash.csp_hashes)
    limit_requests(app.server, app.long_calls.place)
    refuse_malformed(app.server, app.dash)
    return app


def _usable(registry: Registry, program: Program) -> tuple[Registry, list[Any]]:
    """Only pages whose layout can be built, and these layouts, each built once; the other pages
    become notices.
    """
    pages, layouts, errors = [], [], list(registry.errors)
    for page in registry.pages:
        try:
            ctx = context(program, registry.pages, None, page.key)
            layouts += [page_layout(page, ctx), *(part(ctx) for part in page.deferred_functions)]
        except Exception as error:
            if not page.is_plugin:
                raise
            log.warning("page %s left out: %s", page.key, type(error).__name__)
            errors.append(
                PluginError(
                    f"The plug-in page {page.title} could not be shown ({type(error).__name__}:"
                    f" {str(error)[:200]})."
                )
            )
        else:
            pages.append(page)
    return Registry(tuple(pages), tuple(errors), registry.methods), layouts


def _dash(app: Application, layouts: Sequence[Any]) -> Dash:
    dash = Dash(
        "gui",
        server=Flask("gui"),
        assets_folder=str(resource("assets")),
        title="DeconomiX",
        update_title="",
        serve_locally=True,
        add_log_handler=False,
        suppress_callback_exceptions=True,  # the check is ours: unknown_ids
        enable_mcp=False,
    )
    dash.index_string = dash.index_string.replace("<html>", '<html lang="en">')
    pages: tuple[Page, ...] = app.registry.pages
    dash.layout = lambda: frame.layout(app)
    dash.validation_layout = html.Div([dash.layout(), lock_screen(""), *layouts])
    for page in (shell, *pages):
        bind_page(dash, app, pages, page)
    dash.server.extensions[EXTENSION] = OpeningAnswers(dash)
    for unknown in unknown_ids(dash):
        log.warning("a callback names an id that is on no page: %s", unknown)
    return dash
