"""Promises of the whole room: sources, frozen results, nothing heavy on import."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys

import pytest

import gui.statistics

MODULES = sorted(module.name for module in pkgutil.iter_modules(gui.statistics.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_every_function_cites_its_source_and_results_cannot_be_changed(name: str) -> None:
    module = importlib.import_module(f"gui.statistics.{name}")
    for label, thing in vars(module).items():
        if label.startswith("_") or getattr(thing, "__module__", "") != module.__name__:
            continue
        text = inspect.getdoc(thing) or ""
        if inspect.isfunction(thing):
            cited = re.search(r"\b(18|19|20)\d\d\b", text) or "Source:" in text
            assert cited, f"{name}.{label} cites no source"
        elif inspect.isclass(thing):
            assert text, f"{name}.{label} has no docstring"
            assert dataclasses.is_dataclass(thing)
            assert vars(thing)["__dataclass_params__"].frozen, f"{name}.{label} can be changed"


def test_importing_the_room_imports_no_scipy() -> None:
    # the window starts without it
    code = "import sys\n" + "".join(f"import gui.statistics.{name}\n" for name in MODULES)
    code += "sys.exit(', '.join(m for m in ('scipy', 'dash', 'plotly') if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
    assert done.returncode == 0
