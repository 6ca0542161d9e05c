"""How much memory is free where groups limit it: version 1 and 2, the group itself and those around
it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gui.data.memory import available_memory
from tests.conftest import ROOT

MB = 2**20
NONE = 9223372036854771712
"""How version 1 says that there is no limit."""


def tree(root: Path, said: str, **groups: dict[str, object]) -> Path:
    """A /proc and a /sys; said : what /proc/self/cgroup says; groups : folder (``.`` for ``/``) ->
    files
    """
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(said)
    for name, files in groups.items():
        folder = root / "sys/fs/cgroup" / name.strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(f"{text}\n")
    return root


def two(limit: object, used: int, cached: int = 0, **more: object) -> dict[str, object]:
    return {
        "memory.max": limit,
        "memory.current": used,
        "memory.stat": f"anon 5\ninactive_file {cached}\nfile 7",
        **{k.replace("_", "."): v for k, v in more.items()},
    }


def one(limit: int, used: int, cached: int = 0) -> dict[str, object]:
    return {
        "memory.limit_in_bytes": limit,
        "memory.usage_in_bytes": used,
        "memory.stat": f"cache 1\ntotal_inactive_file {cached}",
    }


CASES = {
    "version 2": ("0::/app\n", {"/app": two(50 * MB, 20 * MB)}, 30 * MB),
    "version 2, top of a container": ("0::/\n", {"/": two(50 * MB, 20 * MB)}, 30 * MB),
    "version 2, the path is that outside of the container": (
        "0::/docker/abc\n",
        {"/": two(50 * MB, 20 * MB)},
        30 * MB,
    ),
    "version 2, outside of what is seen": (
        "0::/../../other\n",
        {"/": two(50 * MB, 20 * MB)},
        30 * MB,
    ),
    "version 2, nested: the outer is tighter": (
        "0::/a/b/c\n",
        {"/a": two(10 * MB, 9 * MB), "/a/b": two("max", 8 * MB), "/a/b/c": two(90 * MB, 7 * MB)},
        MB,
    ),
    "version 2, nested: the inner is tighter": (
        "0::/a/b\n",
        {"/a": two(90 * MB, 9 * MB), "/a/b": two(9 * MB, 7 * MB)},
        2 * MB,
    ),
    "version 2, cached files are given up": (
        "0::/app\n",
        {"/app": two(50 * MB, 49 * MB, 19 * MB)},
        20 * MB,
    ),
    "version 2, slowed down above": (
        "0::/app\n",
        {"/app": two("max", 20 * MB, memory_high=25 * MB)},
        5 * MB,
    ),
    "version 2, over its limit": ("0::/app\n", {"/app": two(50 * MB, 60 * MB)}, 0),
    "version 1": ("4:memory:/job\n3:cpu:/job\n", {"/memory/job": one(50 * MB, 20 * MB)}, 30 * MB),
    "version 1, with others": (
        "4:cpu,memory:/job\n",
        {"/cpu,memory/job": one(50 * MB, 20 * MB)},
        30 * MB,
    ),
    "version 1, top of a container": (
        "4:memory:/docker/abc\n",
        {"/memory": one(50 * MB, 20 * MB, 5 * MB)},
        35 * MB,
    ),
    "version 1, nested": (
        "4:memory:/a/b\n",
        {
            "/memory": one(NONE, MB),
            "/memory/a": one(5 * MB, 3 * MB),
            "/memory/a/b": one(NONE, 2 * MB),
        },
        2 * MB,
    ),
    "both versions": (
        "4:memory:/job\n0::/x\n",
        {"/memory/job": one(50 * MB, 20 * MB), "/unified/x": two(10 * MB, 9 * MB)},
        MB,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_tightest_limit_of_all_groups_counts(tmp_path: Path, case: str) -> None:
    said, groups, free = CASES[case]
    assert available_memory(tree(tmp_path, said, **groups)) == free


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"/app": two("max", 5)},
        {"/app": {"memory.max": "x"}},
        {"/app": {"memory.max": 50}},
        {"/memory/app": one(NONE, 5)},
    ],
    ids=["nothing there", "no limit", "no number", "no use", "no limit, version 1"],
)
def test_without_a_limit_it_is_what_the_computer_has(
    tmp_path: Path, groups: dict[str, dict[str, object]]
) -> None:
    found = available_memory(tree(tmp_path, "0::/app\n4:memory:/app\n", **groups))
    assert found is not None
    assert found > 100 * MB


def test_a_system_without_groups_is_no_trouble(tmp_path: Path) -> None:
    assert (available_memory(tmp_path) or 0) > 100 * MB


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep this limit")
def test_what_this_process_may_take_itself_counts() -> None:
    code = (
        "import resource, psutil; from gui.data.memory import available_memory\nlimit ="
        " psutil.Process().memory_info().vms + 50 * 2**20; resource.setrlimit(resource.RLIMIT_AS,"
        " (limit, limit)); print(available_memory())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 0 < int(found.stdout) <= 50 * MB
