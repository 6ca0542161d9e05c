"""Waiting for what happens elsewhere. Not a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest


def until(condition: Callable[[], Any], seconds: float = 90) -> None:
    """Wait until ``condition()`` is true; fails where it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("it never happened")
        time.sleep(0.02)
