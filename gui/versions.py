"""Which packages the program is made of: their versions and licences, as installed."""

from __future__ import annotations

import platform
from importlib import metadata

ENGINE = {"deconomix": "1.0.2", "torch": "2.13.0"}
"""The engine's numbers are the product: these versions and no others (a test compares them with
pyproject.toml).
"""
PACKAGES = (
    *(
        "numpy",
        "scipy",
        "pandas",
        "anndata",
        "h5py",
        "openpyxl",
        "scikit-learn",
        "qpsolvers",
        "clarabel",
        "scs",
        "quadprog",
    ),
    *(
        "dash",
        "dash-mantine-components",
        "dash-ag-grid",
        "plotly",
        "Flask",
        "waitress",
        "pydantic",
        "psutil",
        "PyNaCl",
        "zstandard",
        "pywebview",
    ),
)
"""What every installation has, beside the engine.

Qt is looked at with the web view: only Linux needs it.
"""
ENGINE_PACKAGES = (
    "deconomix",
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "qpsolvers",
    "clarabel",
    "scs",
    "quadprog",
)
"""Python packages that the numbers depend on."""
MISSING = "missing"
UNDECLARED = {"deconomix": "GPL-3.0-or-later"}
"""Packages whose metadata name no licence: what the file they bring says."""


def versions() -> dict[str, str]:
    """Version of every package that matters, "missing" where there is none."""
    return {name: version(name) for name in (*ENGINE, *PACKAGES, "PySide6", "QtPy")}


def engine_versions() -> dict[str, str]:
    """Version of Python and of every package the numbers depend on. Imports none of them."""
    found = {"python": platform.python_version()}
    for name in ENGINE_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a bundle may lack a package's metadata
            found[name] = "unknown"
    return found


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return MISSING


def licence(name: str) -> str:
    """The licence as the package names it, in a few words; "" where it does not."""
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    classified = [
        each.rpartition(" :: ")[2]
        for each in found.get_all("Classifier") or []
        if each.startswith("License :: ")
    ]
    declared = {
        name: " ".join(found.get_all(name) or []).strip()
        for name in ("License", "License-Expression")
    }
    text = declared["License"]
    short = text if len(text) <= 60 and "\n" not in text else ""
    return (
        declared["License-Expression"] or short or ", ".join(classified) or UNDECLARED.get(name, "")
    )
