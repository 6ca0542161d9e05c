"""Which files of the Python packages go into the built program, and how long their paths may be.

Read by build.spec.
"""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 120
"""Characters of a path in the program's folder.

Windows allows 260 unless it is told otherwise. Explorer unpacks the archive into the user's
``Downloads``, in a folder named as the archive and ``DeconomiX GUI``: up to 110 characters.
"""
INSIDE = "_internal/"
"""Where PyInstaller puts them."""

SOURCES_OF_TORCH = (
    *("_inductor", "distributed", "onnx", "ao", "fx", "export", "_export", "_functorch"),
    *("testing", "package"),
)
"""Of its modules torch reads the source as well, where it compiles them; of these only the
configurations.
"""
FOLDERS = (
    *("torch/test/", "torch/include/", "torch/share/", "dash/labextension/"),
    *("dash/nbextension/", "sklearn/datasets/", "matplotlib/mpl-data/sample_data/"),
)
USELESS = (
    *("QuickControls2", "DataVisualization", "Qt6Quick3D", "Qt6Charts", "Qt6Graphs", "Qt6Pdf"),
    *("imageformats/libqpdf", "qtwebengine_devtools"),
    *("VirtualKeyboard", "virtualkeyboard", "/qml/", "/tests/"),
    # GTK's look and CUPS' printers, with all they need: Qt asks for files through the desktop's
    # portal, and printing is the browser's
    *("platformthemes/libqgtk3", "libgtk-3", "libgdk-3", "libgdk_pixbuf", "libatk-", "libatspi"),
    *("libcairo", "libpango", "libepoxy", "libfribidi", "libthai"),
    *("printsupport/", "libcups", "libgnutls", "libunistring", "libnettle", "libhogweed"),
    *("libp11-kit", "libidn2", "libtasn1", "libavahi"),
    # for debugging, for notebooks, for what needs a licence
    *(".js.map", ".css.map", ".dev.js", "plotly/package_data/widgetbundle"),
    "dash_ag_grid/async-enterprise",
    "zstandard/_cffi",  # where its C backend is missing
)
OF_THE_BUILD = ("-info/RECORD", "-info/direct_url.json", "-info/SOURCES.txt")
"""Ends of files that say something about the machine that built the program."""


def is_needed(name: str) -> bool:
    """Whether a file goes in.

    Not: parts of torch, Qt and dash that nothing here uses, and licences, which packaging/parts.py
    lays beside the program under shorter names.

    Parameters
    ----------
    name
        In the bundle, with any separator.
    """
    name = name.replace("\\", "/")
    if name.startswith("torch/bin/"):
        return "torch_shm_manager" in name
    if (
        name.startswith("torch/")
        and name.endswith(".py")
        and name.split("/")[1] in SOURCES_OF_TORCH
    ):
        return "config" in name
    if name.endswith(OF_THE_BUILD) or "-info/licenses/" in name:
        return False
    if "/translations/" in name and name.startswith("PySide6/"):
        return "qtwebengine_locales/en-" in name
    return (
        not name.startswith(FOLDERS)
        and not name.endswith((".a", ".pyi", ".lib"))
        and not any(part in name for part in USELESS)
    )


def too_long(names: Iterable[str]) -> list[str]:
    """Those that would not fit, the longest first."""
    return sorted(
        (name for name in names if len(INSIDE + name) > LONGEST),
        key=lambda name: (-len(name), name),
    )
