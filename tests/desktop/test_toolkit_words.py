"""What is said where the window's libraries are missing or too old; the parts that no machine here
has are stand-ins.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from desktop import toolkit


def test_a_glibc_that_is_too_old_is_named_with_what_is_needed() -> None:
    words = toolkit.old_glibc(
        "/lib/x86_64-linux-gnu/libm.so.6: version `GLIBC_2.38' not found (required by"
        " libQt6Core.so.6)"
    )
    assert words is not None
    assert "glibc 2.38" in words
    assert "deconomix-gui serve" in words


def test_another_error_of_the_loader_is_not_blamed_on_glibc() -> None:
    assert (
        toolkit.old_glibc("libEGL.so.1: cannot open shared object file: No such file or directory")
        is None
    )


class Registry:
    """As winreg, with what the machine has."""

    HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER = "machine", "user"

    def __init__(self, versions: dict[str, str]) -> None:
        self.versions = versions

    @contextlib.contextmanager
    def OpenKey(self, root: str, path: str) -> Iterator[str]:
        assert path.endswith(toolkit.WEBVIEW2)
        if root not in self.versions:
            raise FileNotFoundError
        yield self.versions[root]

    def QueryValueEx(self, key: str, name: str) -> tuple[str, int]:
        assert name == "pv"
        return key, 1


@pytest.mark.parametrize(
    ("versions", "missing"),
    [
        ({}, True),
        ({"machine": "0.0.0.0"}, True),
        ({"user": "120.0.2210.91"}, False),
        ({"machine": "1.2"}, False),
    ],
)
def test_webview2_is_asked_for_where_the_registry_has_no_version_of_it(
    versions: dict[str, str], missing: bool
) -> None:
    words = toolkit.missing_webview2(Registry(versions))
    assert (words is not None) == missing
    assert words is None or "WebView2" in words


def test_somebody_without_a_terminal_is_told_in_a_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(toolkit.sys, "platform", "linux")
    monkeypatch.setattr(toolkit.sys, "stderr", None)
    monkeypatch.setattr(
        toolkit.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "zenity" else None
    )
    monkeypatch.setattr(
        toolkit.subprocess, "Popen", lambda command, **options: asked.append(command)
    )
    toolkit.alert("There is no <b>display</b>.")
    assert asked == [
        ["/usr/bin/zenity", "--error", "--no-markup", "--text=There is no <b>display</b>."]
    ]
