"""The user guide: its chapters (``resources/help/*.md``), their headings, and finding words in
them.

No Dash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gui.resources import resource

ORDER = (
    "first-steps",
    "data",
    "sources",
    "dtd",
    "adtd",
    "methods",
    "figures",
    "hidden",
    "uncertainty",
    "second-opinion",
    "worth",
    "known",
    "groups",
    "survival",
    "genes",
    "compare",
    "robustness",
    "sessions",
    "saving",
    "window",
    "settings",
    "command-line",
    "server",
    "plugins",
    "troubleshooting",
    "glossary",
    "citing",
)
"""The chapters' keys, which are the names of their files and stand in addresses:
/help?chapter=dtd#number-of-genes.
"""
MOST_FOUND = 40
MOST_ASKED, MOST_WORDS = 500, 20
"""Characters and words of a question that are looked for: what is beyond them finds nothing that
these do not.
"""
_BEFORE, _AFTER = 60, 130
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([a-z-]+)\.md(?:#([a-z0-9-]+))?\)")
"""A link to another chapter, as it works on the web too: ``[DTD](dtd.md#seed)``."""


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it, as plain words. heading : "" for what stands before the
    first one; anchor : behind the "#" of the address.
    """

    heading: str
    anchor: str
    words: str


@dataclass(frozen=True)
class Chapter:
    """One file. text : Markdown, without its title; links lead to pages of the program."""

    key: str
    title: str
    text: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Found:
    """A section that holds what was looked for. excerpt : (text, whether it is one of the words),
    in pieces
    """

    chapter: Chapter
    section: Section
    excerpt: tuple[tuple[str, bool], ...]

    @property
    def href(self) -> str:
        return address(self.chapter.key, self.section.anchor)


def address(chapter: str, anchor: str = "") -> str:
    """Where a chapter, or a heading in it, is read."""
    return f"/help?chapter={chapter}" + (f"#{anchor}" if anchor else "")


def anchor(heading: str) -> str:
    """What stands behind the "#": "Cells per test pseudobulk" -> "cells-per-test-pseudobulk"
    (help.js does the same).
    """
    return re.sub(r"[^a-z0-9]+", "-", spelled_out(plain(heading).lower())).strip("-")


def spelled_out(text: str) -> str:
    """Small letters with "λ₂" as on a keyboard: "lambda2"."""
    return text.replace("λ₁", "lambda1").replace("λ₂", "lambda2")


def plain(markdown: str) -> str:
    """The words without the marks: links by their text, no asterisks, backticks and table lines."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"^\s*\|?(\s*:?-{2,}:?\s*\|)+.*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"^```\w*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*(?:#{1,6}|[-*]|\d+\.)\s+", "", text, flags=re.MULTILINE)
    return " ".join(re.sub(r"[*`]", "", text).replace("|", " ").split())


@lru_cache(maxsize=1)
def chapters() -> tuple[Chapter, ...]:
    """All chapters, in the order of the list."""
    return tuple(_read(key) for key in ORDER)


def chapter(key: str | None) -> Chapter:
    """The chapter of this key, the first one where there is none."""
    return next((c for c in chapters() if c.key == key), chapters()[0])


def _read(key: str) -> Chapter:
    text = resource(f"help/{key}.md").read_text("utf-8")
    title, _, body = text.partition("\n")
    body = _LINK.sub(lambda link: f"]({address(link[1], link[2] or '')})", body)
    return Chapter(key, title.removeprefix("#").strip(), body.strip(), sections(body))


def sections(body: str) -> tuple[Section, ...]:
    """The text cut at its headings of the second and third order; a "#" in code is none."""
    fenced = [found.span() for found in _FENCE.finditer(body)]
    heads = [
        h
        for h in re.finditer(r"^#{2,3} (.+)$", body, re.MULTILINE)
        if not any(a <= h.start() < b for a, b in fenced)
    ]
    found = [Section("", "", plain(body[: heads[0].start() if heads else len(body)]))]
    ends = [head.start() for head in heads[1:]] + [len(body)]
    for head, end in zip(heads, ends, strict=False):
        found.append(Section(plain(head[1]), anchor(head[1]), plain(body[head.end() : end])))
    return tuple(found)


def find(asked: str) -> list[Found]:
    """Sections that hold all words asked for, those with them in the heading first; at most 40.

    Of a long question only the beginning is looked for.
    """
    asked = asked[:MOST_ASKED].casefold().replace("lambda1", "λ₁").replace("lambda2", "λ₂")
    words = list(dict.fromkeys(asked.split()))[:MOST_WORDS]
    if not words:
        return []
    found: dict[bool, list[tuple[Chapter, Section]]] = {True: [], False: []}
    for each, section, heading, text in _folded():
        if all(w in heading or w in text for w in words):
            found[all(w in heading for w in words)].append((each, section))
    return [
        Found(each, section, _excerpt(section.words, words))
        for each, section in [*found[True], *found[False]][:MOST_FOUND]
    ]


@lru_cache(maxsize=1)
def _folded() -> tuple[tuple[Chapter, Section, str, str], ...]:
    """(chapter, section, its heading, its words) of all sections, in small letters."""
    return tuple(
        (each, s, (s.heading or each.title).casefold(), s.words.casefold())
        for each in chapters()
        for s in each.sections
    )


def _excerpt(text: str, words: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Some text around the first of the words, cut at blanks."""
    marks = re.compile(
        "|".join(map(re.escape, sorted(words, key=len, reverse=True))), re.IGNORECASE
    )
    first = marks.search(text)
    at = first.start() if first else 0
    start = 0 if at <= _BEFORE else text.find(" ", at - _BEFORE) + 1
    end = len(text) if at + _AFTER >= len(text) else max(text.rfind(" ", start, at + _AFTER), at)
    shown, pieces, last = text[start:end], [], 0
    for mark in marks.finditer(shown):
        pieces += [(shown[last : mark.start()], False), (mark[0], True)]
        last = mark.end()
    pieces.append((shown[last:], False))
    whole = [("… ", False)] * (start > 0) + pieces + [(" …", False)] * (end < len(text))
    return tuple(piece for piece in whole if piece[0])
