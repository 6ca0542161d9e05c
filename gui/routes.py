"""What a browser asks for beside Dash: uploads, downloads, signing out, and files that a second
start hands over.
"""

from __future__ import annotations

import logging
import threading
from io import BytesIO
from pathlib import Path

from dash.exceptions import DependencyException
from flask import Flask, Response, jsonify, request, send_file

from gui import notify
from gui.caller import browser_id
from gui.downloads import DOWNLOAD, NOT_KEPT, BrowserFiles, Downloads
from gui.errors import DeconomixError
from gui.files import CHUNK
from gui.guard import HANDOVER, SIGN_OUT, UPLOAD, Guard
from gui.program import Program
from gui.sessions.manager import Actor

log = logging.getLogger(__name__)
TAKING = 3.0
"""Seconds that a second start waits for its files to be taken."""


def add_routes(server: Flask, program: Program, guard: Guard) -> None:
    """Every route that is not Dash's own, and what a failed request answers."""
    _add_upload(server, program)
    _add_sign_out(server, program, guard)
    _add_handover(server, program)
    if isinstance(program.files, BrowserFiles):
        _add_download(server, program.files.downloads)
    _add_failures(server)


def _add_upload(server: Flask, program: Program) -> None:
    @server.post(UPLOAD)
    def upload() -> tuple[Response, int] | Response:
        """Receive one file as the raw request body, in chunks: ``?name=``."""
        try:
            received = program.uploads.receive(
                request.args.get("name", "file"),
                iter(lambda: request.stream.read(CHUNK), b""),
                limit=program.config.server.upload_limit_mb * 1_000_000,
            )
        except DeconomixError as error:
            return jsonify(error=notify.sentence(error)), 413
        except OSError as error:
            log.warning("upload failed: %s", type(error).__name__)
            message = "The file could not be received. Is there room left on the disk?"
            return jsonify(error=message), 500
        return jsonify(token=received.token, name=received.name, size=received.size)


def _add_sign_out(server: Flask, program: Program, guard: Guard) -> None:
    @server.post(SIGN_OUT)
    def sign_out() -> tuple[str, int]:
        """End the access of the browser that asks, and forget what it has unlocked."""
        browser = browser_id()
        guard.sign_out(browser)
        program.sessions.forget_browser(actor=Actor(browser=browser))
        return "", 204


def _add_handover(server: Flask, program: Program) -> None:
    @server.post(HANDOVER)
    def handover() -> tuple[str, int]:
        """``{"paths": [absolute path, ...]}`` from a second start of the program: the guard lets
        through who has read the token in its file.
        """
        body = request.get_json(silent=True)
        paths = body.get("paths") if isinstance(body, dict) else None
        if not isinstance(paths, list) or not all(
            isinstance(p, str) and "\x00" not in p and Path(p).is_absolute() for p in paths
        ):
            return "Absolute paths are wanted.", 400
        if program.leaving.is_set():
            return "The program ends.", 503
        # A large session takes longer to read than who asks would wait for: it would ask again.
        taking = threading.Thread(
            target=program.take_over,
            args=([Path(p) for p in paths],),
            name="take-over",
            daemon=True,
        )
        taking.start()
        taking.join(TAKING)
        return "", 200


def _add_download(server: Flask, downloads: Downloads) -> None:
    @server.get(f"{DOWNLOAD}<token>")
    def download(token: str) -> Response:
        """A file that a callback gave away, once, to the browser it is for."""
        found = downloads.take(token, browser=browser_id()) if request.method == "GET" else None
        if found is None:
            return Response(NOT_KEPT, 404, mimetype="text/plain")
        return send_file(
            BytesIO(found.data),
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=found.name,
        )


def _add_failures(server: Flask) -> None:
    @server.errorhandler(DependencyException)
    def no_such_file(_: Exception) -> tuple[str, int]:
        return "Not found", 404

    @server.errorhandler(Exception)
    def failed(error: Exception) -> tuple[str, int]:
        code = getattr(error, "code", None)
        if isinstance(code, int):
            return str(getattr(error, "name", "Not found")), code
        log.exception("request failed")
        return "Something went wrong; the log has the details.", 500
