"""Checks of the window's side: its web view, and that only this computer can connect.

The table itself is ``gui/diagnostics/selfcheck.py``.
"""

from __future__ import annotations

import ipaddress
import platform
import sys
from collections.abc import Callable, Iterable
from importlib import metadata

from desktop import toolkit
from gui.cli import analyze

GLIBC = {"x86_64": (2, 34), "aarch64": (2, 39)}
"""The oldest C library that Qt's wheels load on."""
SERVE = "Use “deconomix-gui serve” and a browser."


def checks() -> dict[str, Callable[[], analyze.Check]]:
    """Name -> check, for ``analyze.doctor`` and the support bundle."""
    return {"Web view": web_view, "Ports": ports}


def web_view() -> analyze.Check:
    """Whether a window can show pages here.

    A missing display alone is no fault of the installation.
    """
    if sys.platform == "win32":
        found = toolkit.webview2()
        advice = f"Install the “WebView2 Runtime” of Microsoft (free). {SERVE}"
        return analyze.Check(
            "Web view",
            found is not None,
            f"WebView2 {found}" if found else "WebView2 is missing.",
            "" if found else advice,
        )
    if not sys.platform.startswith("linux"):
        return analyze.Check("Web view", True, "that of the system")
    if old := old_glibc(platform.machine(), platform.libc_ver()):
        return analyze.Check("Web view", False, old, f"Use a newer Linux, or: {SERVE}")
    if problem := toolkit.missing_libraries():
        sentence, _, advice = problem.partition(". ")
        return analyze.Check("Web view", False, f"{sentence}.", advice or SERVE)
    shown = (
        ""
        if toolkit.has_display()
        else "; there is no display here, so only “deconomix-gui serve” can be used"
    )
    return analyze.Check("Web view", True, f"Qt {metadata.version('PySide6')} loads{shown}")


def old_glibc(machine: str, libc: tuple[str, str]) -> str | None:
    """A sentence if the C library is too old for Qt; None if it is not, or another one.

    Parameters
    ----------
    libc
        As ``platform.libc_ver()`` gives it.
    """
    name, number = libc
    needed = GLIBC.get(machine)
    if name != "glibc" or needed is None:
        return None
    have = tuple(int(part) for part in number.split(".")[:2])
    return (
        f"The C library (glibc {number}) is older than the window's toolkit needs"
        f" ({needed[0]}.{needed[1]})."
        if have < needed
        else None
    )


def ports() -> analyze.Check:
    """Start the server as the window does and look at every socket on which this process listens:
    on loopback, all of them.
    """
    from desktop.server import LocalServer

    server = LocalServer(lambda environ, start: [], 0).start()
    try:
        found = listening()
    finally:
        server.stop()
    if not any(port == server.port for _, port in found):
        return analyze.Check(
            "Ports",
            False,
            "The ports of this program could not be listed.",
            "A security program may block this.",
        )
    return judged(found)


def listening() -> list[tuple[str, int]]:
    """Address and port of every socket on which this process waits for connections."""
    import psutil

    return [
        (c.laddr.ip, c.laddr.port)
        for c in psutil.Process().net_connections(kind="inet")
        if c.status == psutil.CONN_LISTEN
    ]


def judged(found: Iterable[tuple[str, int]]) -> analyze.Check:
    """The check over addresses and ports that are open."""
    others = sorted(
        {
            address
            for address, _ in found
            if not ipaddress.ip_address(address.partition("%")[0]).is_loopback
        }
    )
    if others:
        advice = (
            "This is right only for a server behind a proxy (allow_remote); otherwise report it"
            " as a bug."
        )
        return analyze.Check(
            "Ports", False, f"Other computers can reach a port at {', '.join(others)}.", advice
        )
    return analyze.Check("Ports", True, "open on this computer only (127.0.0.1)")
