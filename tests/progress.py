"""A progress callback for tasks that a test calls itself."""

from __future__ import annotations

from typing import Any


def no_progress(stage: str, fraction: float | None = None, **about: Any) -> None:
    """A Progress that reports to nobody."""
