"""Can this computer open a window?

Asked before a toolkit starts, because Qt ends the whole process where it cannot.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

LIBRARIES = {
    "libasound.so.2": "libasound2",
    "libdbus-1.so.3": "libdbus-1-3",
    "libEGL.so.1": "libegl1",
    "libexpat.so.1": "libexpat1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgbm.so.1": "libgbm1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libnspr4.so": "libnspr4",
    "libnss3.so": "libnss3",
    "libudev.so.1": "libudev1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-dri3.so.0": "libxcb-dri3-0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libXcomposite.so.1": "libxcomposite1",
    "libXdamage.so.1": "libxdamage1",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbfile.so.1": "libxkbfile1",
    "libXrandr.so.2": "libxrandr2",
    "libXtst.so.6": "libxtst6",
}
"""Shared libraries that Qt's web view loads on Linux, and the Debian packages that hold them."""

HEADLESS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


NO_DIALOGS = "DECONOMIX_GUI_NO_DIALOGS"
"""Environment: set where nobody could close a box that waits for a click (tests)."""
WEBVIEW2 = "{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
"""Under this name Windows keeps the version of the WebView2 runtime."""


def obstacle() -> str | None:
    """Return what keeps a window from opening, and what to do; None if nothing does."""
    if sys.platform == "win32":
        return missing_webview2()
    if not sys.platform.startswith("linux"):
        return None
    if not has_display():
        return (
            "There is no display to open a window on. Use “deconomix-gui serve” and open the"
            " address it prints in a browser."
        )
    return missing_libraries()


def has_display() -> bool:
    """Return whether an X or Wayland server answers, or Qt was told to need none."""
    if os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] in HEADLESS:
        return True
    return _wayland_answers() or _x_answers()


def missing_libraries() -> str | None:
    """Return which system libraries Qt's web view lacks and how to install them, or None."""
    try:
        importlib.import_module("PySide6.QtWebEngineWidgets")
        _load_platform_plugin()
    except (ImportError, OSError) as error:
        if too_old := old_glibc(str(error)):
            return too_old
        if importlib.util.find_spec("PySide6") is None:
            return (
                "The window toolkit (PySide6) is not installed. Install it, or use “deconomix-gui"
                " serve” and a browser."
            )
        missing = [name for name in LIBRARIES if not _loads(name)]
        named = ", ".join(missing) or str(error).partition(":")[0]
        install = (
            " On Debian or Ubuntu: sudo apt install"
            f" {' '.join(LIBRARIES[name] for name in missing)}."
            if missing
            else ""
        )
        return (
            f"The window needs system libraries that are not installed: {named}.{install} Without"
            " them, use “deconomix-gui serve” and a browser."
        )
    return None


def old_glibc(error: str) -> str | None:
    """Return a sentence about a C library too old for Qt; None for another loader error."""
    wanted = re.search(r"version [`'\"]?GLIBC_(\d+\.\d+)['\"]? not found", error)
    if wanted is None:
        return None
    there = platform.libc_ver()[1] or "an older one"
    return (
        f"This Linux is too old for the window: it needs glibc {wanted[1]}, here is {there}. Use a"
        " newer system (such as Debian 12, Ubuntu 22.04, RHEL 10 or later), or “deconomix-gui"
        " serve” and a browser."
    )


def webview2(registry: Any = None) -> str | None:
    """On Windows: the version of the WebView2 runtime; None if it is not installed.

    Parameters
    ----------
    registry
        ``winreg`` (not run here: there is no Windows).
    """
    registry = registry or importlib.import_module("winreg")
    places = (
        (
            registry.HKEY_LOCAL_MACHINE,
            f"SOFTWARE\\WOW6432Node\\Microsoft\\EdgeUpdate\\Clients\\{WEBVIEW2}",
        ),
        (registry.HKEY_LOCAL_MACHINE, f"SOFTWARE\\Microsoft\\EdgeUpdate\\Clients\\{WEBVIEW2}"),
        (registry.HKEY_CURRENT_USER, f"Software\\Microsoft\\EdgeUpdate\\Clients\\{WEBVIEW2}"),
    )
    for root, path in places:
        try:
            with registry.OpenKey(root, path) as key:
                version = str(registry.QueryValueEx(key, "pv")[0])
        except OSError:
            continue
        if version and version != "0.0.0.0":
            return version
    return None


def missing_webview2(registry: Any = None) -> str | None:
    """On Windows: what to install where the WebView2 runtime is missing; None if it is there."""
    if webview2(registry) is not None:
        return None
    return (
        "The window needs Microsoft's WebView2 runtime, which is not installed. Install the"
        " “Evergreen Standalone Installer” of WebView2 from Microsoft (it works without a network"
        " once downloaded), or use “deconomix-gui serve” and a browser."
    )


def alert(sentence: str) -> None:
    """Show why there is no window to a user who started the program by a double click.

    As the system allows, else nothing.
    """
    if sys.platform == "win32":
        if not os.environ.get(NO_DIALOGS):
            ctypes.windll.user32.MessageBoxW(None, sentence, "DeconomiX", 0x10)
        return
    if sys.stderr is not None and sys.stderr.isatty():
        return
    dialogs = {
        "osascript": [
            "-e",
            "on run a",
            "-e",
            'display alert "DeconomiX" message (item 1 of a)',
            "-e",
            "end run",
            sentence,
        ],
        "zenity": ["--error", "--no-markup", f"--text={sentence}"],
        "kdialog": ["--error", sentence],
        "xmessage": [sentence],
        "notify-send": ["DeconomiX", sentence],
    }
    for program, arguments in dialogs.items():
        if path := shutil.which(program):
            try:
                subprocess.Popen(
                    [path, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError:
                continue
            return


def graphics_card(devices: Path = Path("/dev")) -> bool:
    """Return False on a Linux computer without a graphics card (a virtual machine).

    Emulated rendering costs 100 MB. Other systems leave the choice to the web view.

    Elsewhere the web view knows.
    """
    return (
        not sys.platform.startswith("linux")
        or any(devices.glob("dri/renderD*"))
        or any(devices.glob("nvidia[0-9]*"))
    )


def _load_platform_plugin() -> None:
    """Load Qt's plugin for X early: a library missing there would abort the process."""
    spec = importlib.util.find_spec("PySide6")
    plugin_name = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] or (
        "xcb" if _x_answers() else "wayland"
    )
    for folder in spec.submodule_search_locations or () if spec else ():
        for plugin in Path(folder, "Qt", "plugins", "platforms").glob(f"libq{plugin_name}*.so"):
            ctypes.CDLL(str(plugin))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _x_answers() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # Qt cannot start either: missing_libraries says why
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)  # never NULL
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)


def _wayland_answers() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    path = Path(os.environ.get("XDG_RUNTIME_DIR", ""), name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(str(path))
        except OSError:
            return False
    return True
