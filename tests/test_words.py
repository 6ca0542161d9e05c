"""The words of the program: phrases that a native speaker would stumble over stay out.

Two lists. `EVERYWHERE` holds for all text of gui/, desktop/ and resources/, comments included;
`ON_SCREEN` for what users read: the guide, and the strings of the code that are no docstrings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
EVERYWHERE = {
    r"engine's values?": "as estimated",
    r"as the engine gives": "full precision",
    r"\bis to be had\b": "is available",
    r"\bput away\b": "discard",
    r"what is on screen": "the current result",
    r"\brun on screen\b": "the current run",
    r"\bdrawn anew\b": "resampled",
    r"\bleft over \d": "unexplained variance",
    r"\bput together again\b": "reconstructed",
    r"\bsays? of itself\b": "details",
}
ON_SCREEN = {
    r"\b(hidden|true|known|estimated) shares?\b": "fraction",
    r"\bstands?\b(?! for\b| in the way\b)": "is in, is",
    r"\bleft over\b": "unexplained variance",
    r"\bin short\b": "summary",
    r"\bhow far it is\b": "the progress",
    r"\ball the same\b": "anyway",
    r"\bhow sure\b": "uncertainty",
    r"\btold apart\b": "distinguished",
    r"\b(test|training|pseudobulk) mixtures?\b": "pseudobulks",
    r"(?<![-\w])lambda[12]\b": "λ₁, λ₂",
    r"(?<!deconomix)(?<![\w`])\+h\b": "hidden background",
}
"""Pattern, in small letters, and what to write instead."""


def found(patterns: dict[str, str], text: str) -> Iterator[str]:
    """What of the banned phrases is in a text, over line ends too."""
    text = " ".join(line.strip(" \t#/*") for line in text.lower().splitlines())
    if not re.search("|".join(patterns), text):
        return
    for pattern, instead in patterns.items():
        for match in re.finditer(pattern, text):
            around = text[max(match.start() - 40, 0) : match.end() + 40]
            yield f"“{match[0]}” in “{around}”: write {instead}"


def shown(source: str) -> Iterator[str]:
    """The strings of a module that are texts: no docstrings, and no keys."""
    tree = ast.parse(source)
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if id(node) not in docs and re.search(r"\s", text.strip()):
                yield text


def guide(text: str) -> str:
    """A chapter without what is written for the machine: code, addresses, anchors."""
    text = re.sub(r"```.*?```|`[^`]*`", " ", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def test_banned_phrases_stay_out_of_the_program() -> None:
    faults = []
    for folder in ("gui", "desktop", "resources"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".py", ".js", ".css", ".md", ".html", ".toml"}:
                continue
            name, text = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
            faults += [f"{name}: {what}" for what in found(EVERYWHERE, text)]
            if path.suffix == ".py" and any(found(ON_SCREEN, text)):
                faults += [
                    f"{name}: {what}" for each in shown(text) for what in found(ON_SCREEN, each)
                ]
            elif path.suffix == ".md":
                faults += [f"{name}: {what}" for what in found(ON_SCREEN, guide(text))]
    assert not faults, "\n".join(faults)


def test_a_banned_phrase_is_found_where_it_matters_and_only_there() -> None:
    code = (
        '"""It stands in a docstring, which no user reads."""\n'
        'KEY = "lambda2"\n'
        'TEXT = f"Use as lambda2: {KEY}"\n'
        'OPTION = "Give one with --lambda2."\n'
        'MORE = "What it means stands in the"\n'
    )
    faults = [what for each in shown(code) for what in found(ON_SCREEN, each)]
    assert len(faults) == 2, faults
    assert any("lambda2" in each for each in faults), faults
    assert any("stands" in each for each in faults), faults
    assert list(found(EVERYWHERE, "# the engine's\n    # value")), "over the end of a line"
    assert list(found(ON_SCREEN, "Choose +h first"))
    machine = guide("[Deconomix+h](/help?chapter=adtd#lambda2), `--model +h`")
    assert not list(found(ON_SCREEN, machine))
