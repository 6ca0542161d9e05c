"""``deconomix-gui [FILE…] | serve | analyze | check | doctor``: reads the command line and starts
what it asks for.

A toolkit is imported only for a window.
"""

from __future__ import annotations

import argparse
import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from desktop.lifecycle import ending_by_signal, running, say
from gui import __version__
from gui.core_dumps import forbid_core_dumps
from gui.errors import DeconomixError, InvalidParameter

if TYPE_CHECKING:
    from desktop.instance import Instance
    from gui.config import Config

log = logging.getLogger(__name__)

REFUSED = 2
"""Exit code for everything the user can put right."""
FAILED = 1
"""Exit code of a fault of the program itself."""
COMMANDS = ("serve", "analyze", "check", "doctor")
PATIENCE = 3.0
"""Seconds that threads of the toolkit may take to end after the window is closed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own); returns the exit code."""
    command, rest = split(sys.argv[1:] if argv is None else argv)
    forbid_core_dumps(whole=command == "serve")
    run = {"": window, "serve": serve, "analyze": analyze, "check": check, "doctor": doctor}[
        command
    ]
    try:
        return run(rest)
    except DeconomixError as error:
        return refuse(error.full_text)


def split(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The command ("" for the window) and its arguments; ``--config PATH`` may stand before the
    command.
    """
    rest, i = list(argv), 0
    while i < len(rest) and rest[i].startswith("--config"):
        i += 1 if "=" in rest[i] else 2
    if i < len(rest) and rest[i] in COMMANDS:
        return rest.pop(i), rest
    return "", rest


def window(argv: Sequence[str]) -> int:
    """Open the window, with data FILEs waiting on the Upload page and session FILEs opened; returns
    when it is closed.
    """
    parser = _parser(
        "deconomix-gui",
        "Cell-type composition, hidden background and gene regulation from bulk RNA-seq.",
        epilog=_COMMANDS_HELP,
    )
    parser.add_argument("--version", action="version", version=f"DeconomiX {__version__}")
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="data files to offer on the Upload page, or saved sessions (.dcxsession) to open",
    )
    options = parser.parse_args(argv)
    from desktop import toolkit

    try:
        paths = existing(options.files)
        config = _config(options.config).for_window()

        from desktop.instance import Instance

        with Instance(config) as instance:
            if not instance.take() and instance.hand_over(paths):
                return 0
            return _open(config, paths, instance)
    except DeconomixError as error:
        toolkit.alert(error.full_text)
        raise
    except Exception:
        # who started the program by a double click would see PyInstaller's box, or nothing
        log.exception("the program ended by an error")
        sentence = "DeconomiX could not start. Use “deconomix-gui doctor” to see what is wrong."
        toolkit.alert(sentence)
        refuse(sentence)
        return FAILED


def _open(config: Config, paths: Sequence[Path], instance: Instance) -> int:
    """The window of the first start; in a browser where no page comes up in a window."""
    from desktop import start, toolkit
    from gui.settings import FILE_NAME, SettingsStore

    settings = SettingsStore(config.data_folder / FILE_NAME)
    if start.rendering(settings) != "browser" and (problem := toolkit.obstacle()):
        toolkit.alert(problem)
        return refuse(problem)

    again, first = "", None
    with ending_by_signal() as ended:
        if start.rendering(settings) == "browser":
            start.in_browser(config, paths, instance, ended)
        else:
            first = start.Start(config, paths, instance, settings, ended)
            first.run()
            if first.problem is not None:
                raise first.problem
            again = first.again
    if again and first is not None:
        instance.leave()
        start.restart_process(again, timed_out=first.timed_out)
    instance.leave()  # now: what follows may end the process on the spot
    _outlive_no_thread()
    return 0


def serve(argv: Sequence[str]) -> int:
    """Serve browsers until Ctrl-C or SIGTERM; the one-time address goes to stdout, alone on its
    line.

    The next address follows when nobody is signed in any more (the only browser signed out, or the
    address became too old); for a group (allow_remote) whenever one was used.
    """
    what = (
        "Serve browsers on this computer (127.0.0.1), or for a group behind a reverse proxy (see"
        " [server] in the configuration)."
    )
    parser = _parser("deconomix-gui serve", f"{what} Prints the address to open, which works once.")
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        help="port to serve on; 0 takes a free one (default: [server] port of the configuration)",
    )
    options = parser.parse_args(argv)
    config = _config(options.config)

    from desktop.server import LocalServer, few_heaps

    few_heaps()
    with ending_by_signal() as ended, running(config) as application:
        port = config.server.port if options.port is None else options.port
        server = LocalServer(
            application.server, port, settings=config.server, limit=application.guard.body_limit
        ).start()
        try:
            say(application.start_url(server.url))
            if config.server.allow_remote:
                say(
                    "Anyone who opens this address gets access; it works once, then the next one"
                    f" is printed. The proxy forwards to {server.url}.",
                    sys.stderr,
                )
            else:
                say(
                    "Open this address in a browser on this computer; it works once. Ctrl-C ends"
                    " the program.",
                    sys.stderr,
                )
            while not ended.wait(0.5):  # without a timeout Ctrl-C is not heard on Windows
                if not application.guard.unused and (
                    config.server.allow_remote or not application.guard.signed_in
                ):
                    say(application.start_url(server.url))
        finally:
            server.stop()
    return 0


def analyze(argv: Sequence[str]) -> int:
    """The whole analysis without a screen: see ``gui.cli.analyze.analyze``."""
    # light: it allows one BLAS thread before it loads anything numerical
    from gui.cli.analyze import analyze as run

    return run(argv)


def check(argv: Sequence[str]) -> int:
    """What the data doctor says about a file: see ``gui.cli.analyze.check``."""
    from gui.cli.analyze import check as run

    return run(argv)


def doctor(argv: Sequence[str]) -> int:
    """The self-check: see ``gui.cli.analyze.doctor``."""
    from gui.cli.analyze import doctor as run
    from gui.cli.analyze import one_blas_thread

    one_blas_thread()
    from desktop.doctor import checks

    return run(argv, more=checks())


def existing(names: Sequence[str]) -> list[Path]:
    """The files named on the command line, as absolute paths; DeconomixError for one that cannot be
    opened.
    """
    from gui import atomic
    from gui.files import is_device, unreadable

    paths = [Path(name).absolute() for name in names]
    for path in paths:
        try:
            kind = path.stat().st_mode
        except OSError as error:
            if atomic.is_too_long(path, error) or not isinstance(
                error, FileNotFoundError | NotADirectoryError
            ):
                raise unreadable(path, error) from None
            kind = 0
        if stat.S_ISDIR(kind):
            raise DeconomixError(f"{path} is a folder.", advice="Name a file that is in it.")
        if not stat.S_ISREG(kind) or (atomic.WINDOWS and is_device(path.name)):
            raise DeconomixError(f"There is no file {path}.")
    return paths


def refuse(sentence: str) -> int:
    """Say on stderr why nothing was done; returns the exit code for it."""
    say(f"deconomix-gui: {sentence}", sys.stderr)
    return REFUSED


def _config(path: str | None) -> Config:
    from gui.config import load_config

    return load_config(None if path is None else Path(path))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidParameter(
            f"{message[:1].upper()}{message[1:]}.", advice=f"See {self.prog} --help."
        )


def _parser(name: str, description: str, **options: Any) -> argparse.ArgumentParser:
    parser = _Parser(
        name,
        description=description,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **options,
    )
    parser.add_argument(
        "--config",
        metavar="PATH",
        help="configuration file to use instead of config.toml in the user configuration folder",
    )
    return parser


_COMMANDS_HELP = """\
commands:
  deconomix-gui serve     serve browsers on this computer instead of opening a window
  deconomix-gui analyze   run the whole analysis without a screen
  deconomix-gui check     say whether a file can be used, and what is wrong with it
  deconomix-gui doctor    check this installation, and say what to do where something is wrong
Each has its own --help."""


def _outlive_no_thread() -> None:
    """End the process even if a thread of the toolkit waits for a page that is gone: it would keep
    a closed program alive, unseen.
    """
    deadline = time.monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("thread %s did not end with the window", thread.name)
                logging.shutdown()
                os._exit(0)
