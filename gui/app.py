"""create_app: the only door. One Application holds everything that belongs to one running program."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from dash import Dash
from flask import Flask, Response, abort, jsonify, request, send_file

from gui import notify, shell
from gui.binding import bind_page, context
from gui.config import Config
from gui.data.dataset import Dataset
from gui.engine.params import Params
from gui.engine.results import Provenance, Run
from gui.errors import DeconomixError, PluginError, UnknownSession
from gui.files import CHUNK, DOWNLOAD, BrowserFiles, Files, Uploads
from gui.guard import Guard, browser_id
from gui.jobs.reader import Reader
from gui.jobs.runner import JobRunner
from gui.jobs.status import JobStatus
from gui.plugin import Task
from gui.registry import Registry, find_pages
from gui.resources import resource
from gui.sessions.manager import LOCAL, SessionCacheManager

log = logging.getLogger(__name__)


class Application:
    """The program: ``server`` is its WSGI application, ``start()`` warms the worker, ``stop()`` ends it."""

    def __init__(self, config: Config, files: Files | None = None) -> None:
        self.config = config
        self.files: Files = files or BrowserFiles()
        self.uploads = Uploads()
        self.sessions = SessionCacheManager(config.data_folder)
        self.guard = Guard()
        self._origins: dict[str, Dataset] = {}
        self._submitting = threading.Lock()
        self.runner = JobRunner(self._deliver, workers=config.compute.workers, engine=config.compute.engine)
        self.reader = Reader()
        self.registry = self._usable(find_pages(config.plugins_folder))
        self.dash = self._dash()
        self.server: Flask = self.dash.server

    # -- life -------------------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the worker and the reading process in the background, so that they are warm before they are needed."""
        self.reader.start()
        self.runner.start()

    def stop(self) -> None:
        """End the worker, wait until every session is saved, delete uploaded files. May be called twice."""
        self.runner.stop()
        self.reader.stop()
        self.sessions.close(actor=LOCAL)
        self.uploads.close()

    def start_url(self, base: str) -> str:
        """An address that opens the program once: ``base`` is like ``http://127.0.0.1:8050``."""
        return f"{base.rstrip('/')}/?t={self.guard.issue()}"

    def open_later(self, paths: list[Path]) -> None:
        """Files to offer on the Upload page."""
        for path in paths:
            self.uploads.offer(path)

    # -- jobs -------------------------------------------------------------------------------------------------------------------
    def submit(
        self,
        task: Task,
        session_id: str,
        params: Params | None,
        *,
        dataset: Dataset,
        inputs: Mapping[str, str],
        input_results: Mapping[str, Any],
        kind: str,
        title: str,
        actor: str,
    ) -> str:
        """Queue a task and remember the dataset it belongs to."""
        with self._submitting:
            job_id = self.runner.submit(
                task, session_id, params, dataset=dataset, inputs=inputs, input_results=input_results, kind=kind, title=title, actor=actor
            )
            self._origins[job_id] = dataset
            ended = {job.id for job in self.runner.status() if not job.active}
            for old in [j for j in self._origins if j in ended and j != job_id]:
                del self._origins[old]
            return job_id

    def _deliver(self, job: JobStatus, result: Any, versions: Mapping[str, str], seconds: float) -> str | None:
        """The server process, the single writer, adds the run to the session the job was started from (None: it was deleted)."""
        with self._submitting:
            dataset = self._origins.pop(job.id)
        try:
            session = self.sessions.get_session(job.session_id, actor=LOCAL)
            origin = Provenance(dataset.training_id, dataset.bulk_id, dict(job.inputs), self.config.compute.engine, dict(versions), seconds)
            session.add_run(Run(job.id, job.kind, job.title, datetime.now(UTC), job.params or Params(), result, origin))
        except UnknownSession:
            return None
        return job.id

    # -- pages ------------------------------------------------------------------------------------------------------------------
    def _usable(self, registry: Registry) -> Registry:
        """Only pages whose layout can be built; the others become notices."""
        pages, errors = [], list(registry.errors)
        for page in registry.pages:
            try:
                shell.page_layout(page, context(self, None, page.key))
            except Exception as error:
                if page.layout_function and page.layout_function.__module__.startswith("gui."):
                    raise
                log.warning("page %s left out: %s", page.key, type(error).__name__)
                errors.append(PluginError(f"The plug-in page {page.title} could not be shown ({type(error).__name__}: {str(error)[:200]})."))
            else:
                pages.append(page)
        return Registry(tuple(pages), tuple(errors))

    def _dash(self) -> Dash:
        server = Flask("gui")
        app = Dash(
            "gui",
            server=server,
            assets_folder=str(resource("assets")),
            title="DeconomiX",
            update_title="",
            serve_locally=True,
            add_log_handler=False,
            suppress_callback_exceptions=False,
            enable_mcp=False,
        )
        app.layout = lambda: shell.layout(self)
        app.validation_layout = shell.validation_layout(self)
        shell.bind_shell(app, self)
        for page in self.registry.pages:
            bind_page(app, self, page)
        self._routes(server)
        self.guard.protect(server, app.csp_hashes)
        return app

    def _routes(self, server: Flask) -> None:
        @server.post("/_dcx/upload")
        def upload() -> tuple[Response, int] | Response:
            """Receive one file as the raw request body, in chunks: ``?name=``."""
            limit = self.config.server.upload_limit_mb * 1_000_000
            try:
                received = self.uploads.receive(request.args.get("name", "file"), iter(lambda: request.stream.read(CHUNK), b""), limit=limit)
            except DeconomixError as error:
                return jsonify(error=notify.sentence(error)), 413
            except OSError as error:
                log.warning("upload failed: %s", type(error).__name__)
                return jsonify(error="The file could not be received. Is there room left on the disk?"), 500
            return jsonify(token=received.token, name=received.name, size=received.size)

        if isinstance(self.files, BrowserFiles):
            downloads = self.files.downloads

            @server.get(f"{DOWNLOAD}<token>")
            def download(token: str) -> Response:
                """A file that a callback gave away, once, to the browser it is for."""
                found = downloads.take(token, browser=browser_id()) if request.method == "GET" else None
                if found is None:
                    abort(404)
                return send_file(BytesIO(found.data), mimetype="application/octet-stream", as_attachment=True, download_name=found.name)

        @server.errorhandler(Exception)
        def failed(error: Exception) -> tuple[str, int]:
            code = getattr(error, "code", None)
            if isinstance(code, int):
                return str(getattr(error, "name", "Not found")), code
            log.exception("request failed")
            return "Something went wrong; the log has the details.", 500


def create_app(config: Config, files: Files | None = None) -> Application:
    """The application, complete but for its worker (``start()``). ``files``: how it opens and saves (default: as in a browser)."""
    return Application(config, files)
