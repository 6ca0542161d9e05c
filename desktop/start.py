"""The start of the window: a splash page at once, the application as soon as it answers; if its
page does not come up, without the graphics card, and after that in the default browser.
"""

from __future__ import annotations

import contextlib
import html
import logging
import os
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop import apple_events, cocoa, drop, menu, toolkit, window
from desktop.close_guard import KEEP, CloseGuard
from desktop.dialogs import NativeFiles
from desktop.geometry import WindowGeometry
from desktop.host import NativeHost, request_close
from desktop.instance import Instance
from desktop.job_watcher import JobWatcher
from desktop.lifecycle import running, say
from desktop.server import LocalServer, few_heaps
from gui import __version__, atomic
from gui.config import Config
from gui.errors import DeconomixError
from gui.files import SESSION
from gui.host import NoHost
from gui.settings import SettingsStore

if TYPE_CHECKING:
    from gui.app import Application  # heavy: the splash page must not wait for it

log = logging.getLogger(__name__)

RENDERING = "DECONOMIX_GUI_RENDERING"
"""Environment: "software" or "browser" where the window's page did not come up otherwise."""
TIMED_OUT = "DECONOMIX_GUI_TIMED_OUT"
"""Environment: set where it was no crash, but nothing came up: what helps then is remembered."""
PATIENCE = 45.0
"""Seconds for a page to come up."""
SOFTWARE = {
    "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
    "QT_QUICK_BACKEND": "software",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS": "--disable-gpu",
}
PAGE = "open.html"
AWAY = 300.0
"""Seconds without a question from any tab, and without a job, after which a program without a
window ends.
"""


SOON = 60.0
"""Seconds: two crashes of the page within them are more than an accident."""


def rendering(settings: SettingsStore) -> str:
    """How to show pages this time: "" (with the graphics card), "software" or "browser".

    Another version of the program tries the graphics card again.
    """
    return os.environ.get(RENDERING, "") or (
        "software" if settings.get().software == __version__ or not toolkit.graphics_card() else ""
    )


def following(now: str) -> str:
    """What to try when a page did not come up."""
    return "browser" if now else "software"


class Start:
    """One start of the window; :meth:`run` returns when it is closed.

    ``again`` then says how to start anew ("" for not at all).
    """

    def __init__(
        self,
        config: Config,
        paths: Sequence[Path],
        instance: Instance,
        settings: SettingsStore,
        ended: threading.Event,
    ) -> None:
        self._config, self._paths, self._instance, self._settings, self._ended = (
            config,
            list(paths),
            instance,
            settings,
            ended,
        )
        self._rendering = rendering(settings)
        self.files = NativeFiles(settings)
        self.window: Any = None
        self._host: NativeHost | None = None
        self._opened = apple_events.Opened()
        self.problem: DeconomixError | None = None
        self.again = ""
        self._retrying = threading.Lock()
        self._crashed_at = -SOON
        self.timed_out = False

    def run(self) -> None:
        """Show the window until it is closed. Main thread only."""
        few_heaps()
        if self._rendering == "software":
            for name, value in SOFTWARE.items():
                os.environ[name] = (
                    f"{os.environ.get(name, '')} {value}".strip()
                    if "FLAGS" in name or "ARGUMENTS" in name
                    else value
                )
        worker = threading.Thread(target=self._serve, name="application")
        try:
            self.window = window.create(
                None, self.files, self._settings, self.menus(), dark=self._dark
            )
            WindowGeometry(self.window, self._settings)
            apple_events.listen(self._opened)
            if sys.platform == "darwin":
                cocoa.extend(lambda: request_close(self.window))
            window.show(self.window, self._ended, worker.start)
        except Exception:  # of .NET, PyObjC, Qt: whatever they raise
            log.exception("the toolkit of the window failed")
            self.again = "browser"
        finally:
            if self.window is not None:
                self.window.events.closed.set()  # a toolkit may end without its window
            if worker.ident is not None:
                worker.join()  # ends when the window is closed, and all is saved

    def _serve(self) -> None:
        """The application, from its start to its end."""
        try:
            with running(
                self._config, self.files, self._settings, tell=toolkit.alert
            ) as application:
                server = LocalServer(
                    application.server,
                    settings=self._config.server,
                    limit=application.guard.body_limit,
                ).start()
                try:
                    self.connect(application, server)
                    self.window.events.closed.wait()
                finally:
                    server.stop()
        except DeconomixError as error:
            self.problem = error
            self._say(error.full_text)
        except Exception:
            log.exception("the program could not start")
            self.problem = DeconomixError(
                "DeconomiX could not start.",
                advice=f"The log in {self._config.logs_folder} says why.",
            )
            self._say(
                f"DeconomiX could not start.\nThe log in {self._config.logs_folder} says why."
            )

    @property
    def _dark(self) -> bool:
        """What is known before the page is there: the choice, not the system's."""
        return (self._settings.get().theme or self._config.appearance.theme) == "dark"

    def menus(self) -> list[Any]:
        """pywebview's menus, whose entries act on this window."""
        return menu.menus(self._act, single=not self._config.sessions.enabled)

    def connect(self, application: Application, server: LocalServer, shown: Any = None) -> None:
        """Put the application into the window, as it was left; the two know each other from then
        on. shown : the window, where :meth:`run` did not make it
        """
        shown = self.window = shown or self.window
        settings = self._settings
        if shown.events.closed.is_set():
            return
        if self._instance.crashed:
            application.inbox.announce_recovery()
        if self._paths:
            application.take_over(self._paths)
        host = self._host = NativeHost(shown)
        host.theme(settings.get().theme or self._config.appearance.theme)
        application.host = host
        CloseGuard(
            shown,
            application.pending_saves,
            running=application.running_jobs,
            confirm=self._confirm,
            silent=self._ended,
            leaving=application.leaving,
        )
        shown.events.loaded += lambda: host.zoom(settings.get().zoom)
        shown.events.closed += self._ended.set
        JobWatcher(application, host).start()
        host.follow_system()
        host.ask_nobody()
        host.on_drop(
            lambda paths, x, y: threading.Thread(
                target=self._dropped, args=(application, paths, x, y), daemon=True
            ).start()
        )
        host.on_crash(lambda: self._crashed(application, server))
        self._opened.ready(application.take_over)
        shown.load_url(application.start_url(server.url))
        self._instance.tell(server.port, application.guard.bearer)
        threading.Thread(
            target=self._watch, args=(application,), name="page-watch", daemon=True
        ).start()

    def _watch(self, application: Application) -> None:
        """A page that does not come up is tried in another way."""
        if not application.shown.wait(PATIENCE):
            self.timed_out = True
            self._retry()
        elif self._rendering == "software" and os.environ.get(TIMED_OUT):
            self._settings.change(software=__version__)  # the next start need not wait first

    def _crashed(self, application: Application, server: LocalServer) -> None:
        """The page's process ended: the application goes on, so once it is enough to load the page
        again.
        """
        before, self._crashed_at = self._crashed_at, time.monotonic()
        if not application.shown.is_set() or self._crashed_at - before < SOON:
            self._retry()
            return
        application.inbox.announcements.append(
            "The page stopped working and was reloaded. Nothing is lost; running steps continue."
        )
        self.window.load_url(application.start_url(server.url))

    def _retry(self) -> None:
        with self._retrying:
            if self.again or self._ended.is_set() or self.window.events.closed.is_set():
                return
            self.again = following(self._rendering)
        log.error("the page did not come up (%s)", self._rendering or "with the graphics card")
        then = (
            "It opens in your browser instead."
            if self.again == "browser"
            else "It tries again without the graphics card."
        )
        self._say(
            f"The page of DeconomiX did not load. {then}\nThe log is in"
            f" {self._config.logs_folder}.",
            busy=True,
        )
        time.sleep(4)  # to be read
        if self.window.events.closed.is_set():
            self.again = ""  # the user has had enough
        self._ended.set()

    def _say(self, words: str, *, busy: bool = False) -> None:
        self.window.load_html(window.splash(words, dark=self._dark, busy=busy))

    def _confirm(self, question: str, yes: str) -> bool:
        return self._host is None or self._host.confirm(
            "Close DeconomiX?", question, yes=yes, no=KEEP
        )

    def _act(self, action: str) -> None:
        """A menu entry was chosen. What concerns the window only works without the page too."""
        host = self._host
        if action == "close":
            self.window.destroy()
        elif host is not None and action == "fullscreen":
            host.fullscreen()
        elif host is not None and action in ("cut", "copy", "paste", "select_all"):
            host.edit(action)  # type: ignore[arg-type]
        elif host is not None:
            host.push("dcx-command", data={"action": action, "at": time.time()})

    def _dropped(self, application: Application, paths: list[Path], x: int, y: int) -> None:
        """Files on a field of the page are chosen for it; sessions, and files beside every field,
        are opened.
        """
        sessions = [path for path in paths if path.name.lower().endswith(SESSION.suffixes)]
        data = [path for path in paths if path not in sessions]
        if data:
            zoom = self._settings.get().zoom
            try:
                answers = application.inbox.adopt(data)
                taken = drop.into_page(self.window, answers, x / zoom, y / zoom)
            except Exception as error:  # noqa: BLE001 - a page that does not answer
                log.warning("the page did not take what was dropped: %s", type(error).__name__)
                taken = False
            sessions += [] if taken else data
        if sessions:
            application.take_over(sessions)


class InBrowser(NoHost):
    """What stands for the window where the default browser shows the page."""

    def __init__(self, application: Application, server: LocalServer, folder: Path) -> None:
        self._application, self._server, self._page = application, server, folder / PAGE

    def to_front(self) -> bool:
        """Open a tab.

        The address goes through a file that only its user can read: the command line of a browser
        is seen by everybody on the computer.
        """
        address = html.escape(self._application.start_url(self._server.url))
        try:
            atomic.private_folder(self._page.parent)
            with atomic.replacing(self._page) as file:
                file.write(
                    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh"'
                    f' content="0;url={address}"><title>DeconomiX</title>'.encode()
                )
        except OSError as error:
            log.warning("no file to open the browser with: %s", type(error).__name__)
            return False
        return webbrowser.open(self._page.as_uri())

    def is_active(self) -> bool | None:
        return None

    @staticmethod
    def forget(folder: Path) -> None:
        """Delete the file: what stands in it has been used, or goes with the program."""
        with contextlib.suppress(OSError):
            (folder / PAGE).unlink(missing_ok=True)


def in_browser(
    config: Config, paths: Sequence[Path], instance: Instance, ended: threading.Event
) -> None:
    """The program without a window: its page in the default browser, until nobody looks at it any
    more.
    """
    with running(config, tell=toolkit.alert) as application:
        server = LocalServer(
            application.server, settings=config.server, limit=application.guard.body_limit
        ).start()
        try:
            application.one_user = True
            if instance.crashed:
                application.inbox.announce_recovery()
            if paths:
                application.take_over(paths)
            host = application.host = InBrowser(application, server, instance.folder)
            JobWatcher(application, host).start()
            application.inbox.announcements.append(
                "The window could not show its page, so DeconomiX is in your browser. It ends"
                " after you close this tab."
            )
            if not host.to_front():
                say(application.start_url(server.url))
                say("Open this address in a browser on this computer; it works once.", sys.stderr)
            instance.tell(server.port, application.guard.bearer)
            while not ended.wait(0.5):
                if (
                    application.running_jobs() == 0
                    and time.monotonic() - application.last_asked > AWAY
                ):
                    break
        finally:
            server.stop()
            InBrowser.forget(instance.folder)


def restart_process(how: str, *, timed_out: bool = False) -> None:
    """Replace this process by a new start of the program that shows its page in another way.

    Does not return where the system can.
    """
    log.info("starting anew: %s", how)
    logging.shutdown()
    frozen = getattr(sys, "frozen", False)
    command = [sys.executable, *([] if frozen else ["-m", "desktop"]), *sys.argv[1:]]
    environment = {**os.environ, RENDERING: how, TIMED_OUT: "yes" if timed_out else ""}
    if sys.platform == "win32":  # exec there starts another process, and does not quote
        subprocess.Popen(command, env=environment)
        return
    os.execve(sys.executable, command, environment)
