"""The wheel table: every pin can be installed on all systems, and what would not be is found."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
A, B, C = "a" * 64, "b" * 64, "c" * 64
WINDOWS_313 = "has no wheel for Windows, Python 3.13."


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    import wheel_table  # type: ignore[import-not-found]

    return wheel_table  # type: ignore[no-any-return]


def pinned(table: ModuleType, *lines: str) -> list[Any]:
    return list(table.pins("\n".join(lines)))


def test_every_pin_has_its_wheels(table: ModuleType) -> None:
    found = list(table.pins(table.PINS.read_text("utf-8")))
    assert len(found) > 150
    assert all(pin.hashes for pin in found)
    assert table.missing(found, json.loads(table.RECORDED.read_text("utf-8"))) == []


def test_a_pin_that_was_changed_without_the_table_is_found(table: ModuleType) -> None:
    pins = pinned(table, "numpy==9.9 \\", f"    --hash=sha256:{A}")
    assert table.missing(pins, {"numpy 9.8": {}}) == [
        "numpy 9.9 is not in wheels.json: make it anew with --renew."
    ]


def test_a_system_that_would_have_to_build_is_named(table: ModuleType) -> None:
    pins = pinned(table, "x==1 \\", f"    --hash=sha256:{A}")
    files = {
        "x-1-cp311-abi3-manylinux_2_28_x86_64.whl": A,
        "x-1-cp312-abi3-macosx_11_0_arm64.whl": A,
        "x-1-cp312-cp312-win_amd64.whl": A,
        "x-1-cp311-cp311-win_amd64.whl": A,
    }
    assert table.missing(pins, {"x 1": files}) == [
        f"x 1 {WINDOWS_313}",
        "x 1 has no wheel for macOS, Python 3.11.",
    ]
    files["x-1-py3-none-any.whl"] = A
    assert table.missing(pins, {"x 1": files}) == []


@pytest.mark.parametrize(
    "wheel",
    [
        "x-1-cp313-cp313-win32.whl",
        "x-1-cp313-cp313-win_arm64.whl",
        "x-1-cp313-cp313t-win_amd64.whl",
        "x-1-cp314-cp314-win_amd64.whl",
        "x-1.tar.gz",
    ],
)
def test_what_windows_cannot_install_does_not_count(wheel: str, table: ModuleType) -> None:
    marker = "sys_platform == 'win32' and python_version == '3.13'"
    pins = pinned(table, f"x==1 ; {marker} \\", f"    --hash=sha256:{A}")
    assert table.missing(pins, {"x 1": {wheel: A}}) == [f"x 1 {WINDOWS_313}"]
    assert table.missing(pins, {"x 1": {"x-1-cp313-cp313-win_amd64.whl": A}}) == []


def test_a_newer_glibc_or_macos_than_we_ask_for_does_not_count(table: ModuleType) -> None:
    pins = pinned(table, "x==1 ; sys_platform != 'win32' \\", f"    --hash=sha256:{A}")
    files = {
        "x-1-py3-none-manylinux_2_35_x86_64.whl": A,
        "x-1-py3-none-macosx_15_0_arm64.whl": A,
    }
    assert len(table.missing(pins, {"x 1": files})) == 6
    files = {
        "x-1-py3-none-manylinux_2_34_x86_64.whl": A,
        "x-1-py3-none-macosx_14_0_universal2.whl": A,
    }
    assert table.missing(pins, {"x 1": files}) == []


def test_a_file_that_pip_would_refuse_by_its_hash_does_not_count(table: ModuleType) -> None:
    pins = pinned(table, "x==1 \\", f"    --hash=sha256:{A} \\", f"    --hash=sha256:{B}")
    assert len(table.missing(pins, {"x 1": {"x-1-py3-none-any.whl": C}})) == 9
    assert table.missing(pins, {"x 1": {"x-1-py3-none-any.whl": B}}) == []


def test_of_an_index_the_file_that_pip_takes_is_recorded(table: ModuleType, tmp_path: Path) -> None:
    def file(name: str, digest: str) -> dict[str, Any]:
        return {"url": f"https://index.example/{name}", "hashes": {"sha256": digest}}

    lock = {
        "packages": [
            {
                "name": "X_y",
                "version": "1!2",
                "wheels": [
                    file("x_y-1%212-cp311-cp311-win_amd64.whl", A),
                    file("x_y-1%212-cp39-abi3-win_amd64.whl", B),
                    file("x_y-1%212-cp311-cp311-win32.whl", C),
                ],
                "sdist": file("x_y-1.tar.gz", C),
            },
            {"name": "proxy-tools", "version": "0.1", "sdist": file("proxy_tools-0.1.tar.gz", C)},
        ]
    }
    path = tmp_path / "wheels.json"
    table.record(lock, path)
    assert json.loads(path.read_text("utf-8")) == {
        "proxy-tools 0.1": {"proxy_tools-0.1.tar.gz": C},
        "x-y 1!2": {
            "x_y-1!2-cp311-cp311-win_amd64.whl": A,  # the better one of 3.11
            "x_y-1!2-cp39-abi3-win_amd64.whl": B,
        },
    }


def test_the_table_is_among_the_linters(
    table: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["wheel_table.py"])
    assert table.main() == 0
    monkeypatch.setattr(table, "missing", lambda pins, recorded: [f"x 1 {WINDOWS_313}"])
    assert table.main() == 1
    assert WINDOWS_313 in capsys.readouterr().out
    assert '"wheels": [PYTHON, ROOT / "packaging" / "wheel_table.py"]' in (
        ROOT / "dev.py"
    ).read_text("utf-8")
