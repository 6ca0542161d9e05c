"""How a run is called: by the name that the user gave it, its method and its time."""

from __future__ import annotations

from gui.answers.adtd import model_name
from gui.engine.results import Run
from gui.figures.text import shorten
from gui.methods.method import KIND

MOST = 60
"""Characters of a name in a sentence or a list."""


def source_label(run: Run) -> str:
    """A run in a narrow list: "ADTD, 30 Nov 01:12:07 (Hidden background)", its name before it."""
    star = "★ " if run.starred else ""
    name = f"{shorten(run.name, MOST)} · " if run.name else ""
    return f"{star}{name}{method_name(run)}, {run.created.astimezone():%d %b %H:%M:%S}{_model(run)}"


def source_name(run: Run) -> str:
    """A run in a sentence: "ADTD run “first try” (Hidden background) of 30 Nov 2026, 01:12:07"."""
    name = f" “{shorten(run.name, MOST)}”" if run.name else ""
    when = f"{run.created.astimezone():%d %b %Y, %H:%M:%S}"
    return f"{method_name(run)} run{name}{_model(run)} of {when}"


def run_title(run: Run) -> str:
    """A run of any kind in a short text: "“first try”", or "ADTD of 30 Nov, 01:12:07"."""
    if run.name:
        return f"“{shorten(run.name, MOST)}”"
    return f"{shorten(run.title or run.kind, MOST)} of {run.created.astimezone():%d %b, %H:%M:%S}"


def method_name(run: Run) -> str:
    """What estimated a composition: "DTD", "ADTD" or the title of another method."""
    if run.kind == KIND:
        return shorten(str(run.result.title), MOST)
    return {"apply": "DTD"}.get(run.kind, run.kind.upper())


def _model(run: Run) -> str:
    model = getattr(run.params, "model", None)
    return f" ({model_name(model)})" if run.kind == "adtd" and isinstance(model, str) else ""
