"""What a network library may do with the buffers of a value that is sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DROPPED = """
import gc, pickle, sys
import numpy as np
from gui.engine.parallel import serialized_value
if sys.argv[1] == "views":
    serialized_value._without_view = lambda part: part

class Task:
    pass

for _ in range(300):
    value, buffers = serialized_value.SerializedValue.of(np.arange(100.0)), []
    pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    one, two = Task(), Task()
    one.value, one.other = value, two
    two.frames, two.other = [memoryview(buffer) for buffer in buffers], one
    del value, buffers, one, two
    gc.collect()
print("alive")
"""
"""Values in tasks that refer to each other, with memoryviews of what is sent, are collected."""


def collected(how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", DROPPED, how], cwd=ROOT, capture_output=True, text=True
    )


def test_sent_values_that_are_dropped_in_circles_end_no_process() -> None:
    assert collected("arrays").stdout == "alive\n"


@pytest.mark.skipif(
    sys.version_info >= (3, 12, 2) or (3, 11, 8) <= sys.version_info < (3, 12),
    reason="this Python has the fault no more: github.com/python/cpython/issues/77894",
)
def test_control_views_of_views_end_the_process() -> None:
    assert collected("views").returncode != 0
