"""What README, CONTRIBUTING and ARCHITECTURE name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAPERS = (
    "README.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "packaging/ADMIN.md",
    ".github/PULL_REQUEST_TEMPLATE.md",
)
MOST_WORDS = 1200
_LINK = re.compile(r"(?:\]\(|src(?:set)?=\")([^)\"]+)")
_PATH = re.compile(
    r"`((?:desktop|gui|tests|packaging|resources|\.github|\.ci)/[\w./-]+|[\w.]+\.(?:py|spec|toml|txt|md))`"
)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_ELSEWHERE = {"config.toml"}
"""Files of the user, not of the repository."""


def text(paper: str) -> str:
    return (ROOT / paper).read_text("utf-8")


def missing_links(content: str, folder: Path) -> list[str]:
    """Targets of links within the repository that are not there; `../../x` are pages of the web site."""
    targets = {link.partition("#")[0] for link in _LINK.findall(content)}
    inside = {
        target for target in targets if target and not re.match(r"[a-z]+:|\.\./\.\./", target)
    }
    return sorted(target for target in inside if not (folder / target).exists())


def missing_paths(content: str) -> list[str]:
    """Paths in backticks that are not there; "gui/pages/<key>" and "repairs*.py" are no paths."""
    return sorted(name for name in set(_PATH.findall(content)) - _ELSEWHERE if not is_there(name))


def is_there(name: str) -> bool:
    """Whether a path exists, or for a bare name whether a file of a room is called so."""
    if "/" in name or (ROOT / name).exists():
        return (ROOT / name).exists()
    rooms = ("gui", "desktop", "packaging", ".github")
    return any(next((ROOT / room).rglob(name), None) for room in rooms)


def test_readme_is_short() -> None:
    assert len(text("README.md").split()) <= MOST_WORDS


@pytest.mark.parametrize("paper", PAPERS)
def test_every_link_leads_to_a_file(paper: str) -> None:
    assert missing_links(text(paper), (ROOT / paper).parent) == []


@pytest.mark.parametrize("paper", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_every_file_that_is_named_is_there(paper: str) -> None:
    assert missing_paths(text(paper)) == []


def test_every_test_that_contributing_says_to_copy_is_there() -> None:
    named = _TEST.findall(text("CONTRIBUTING.md"))
    assert len(named) > 3
    assert [name for path, name in named if f"def {name}(" not in text(path)] == []


def test_what_is_missing_is_found() -> None:
    """The control of the tests above."""
    assert missing_links(
        "[a](CONTRIBUTING.md) [b](no.md#x) [c](https://example.org/x.md) [d](../../issues)", ROOT
    ) == ["no.md"]
    assert missing_paths(
        "`gui/plugin.py` `gui/nowhere.py` `nothing.py` `plugin.py` `config.toml`"
    ) == ["gui/nowhere.py", "nothing.py"]
