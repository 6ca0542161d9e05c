"""The answer of a page in a line; what it was computed with and what weakens it, folded below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Output, html

from gui.components.common import card
from gui.plugin import Page


class Headline:
    """The card above the tabs of a page. Its parts are ``page.id.<name>_<part>``.

    In the layout :meth:`layout`, in the callback ``output={**headline.outputs, …}`` and
    :meth:`parts`.

    Parameters
    ----------
    name
        Before the names of its parts, for several headlines on one page.
    details
        The part that holds the warnings.
    multiline
        Whether the answer may take up to three lines: where its last clause says as much as its
        first.
    """

    def __init__(
        self, page: Page, name: str = "", *, details: str = "notes", multiline: bool = False
    ) -> None:
        self.page, self.name, self.details, self.multiline = page, name, details, multiline

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}" if self.name else part))

    def layout(self, actions: Any, *below: Any) -> Any:
        """Return the card: the answer, its details and the actions, then what may not be folded."""
        fold = html.Details(
            [
                html.Summary("Details", id=self.id("details")),
                html.Div(id=self.id("whole")),
                dmc.Group(id=self.id("badges"), gap="xs", mt=4),
                html.Div(id=self.id(self.details)),
            ],
            className="dcx-answer-details",
        )
        return card(
            html.Div(id=self.id("answer"), className="dcx-pending"),
            html.Div([fold, actions], className="dcx-answer-row"),
            html.Div(id=self.id("bar")),
            *below,
            p="sm",
        )

    @property
    def outputs(self) -> dict[str, Output]:
        """What :meth:`parts` fills."""
        names = ("answer", "details", "whole", "badges", self.details, "bar")
        return {name: Output(self.id(name), "children") for name in names}

    def parts(
        self,
        sentence: str,
        badges: Sequence[tuple[str, str]],
        warnings: Sequence[Any],
        bar: Any = None,
        weak: str = "",
        more: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return the contents.

        Parameters
        ----------
        badges
            (text, colour): what the result was computed with.
        warnings
            What weakens it: sentences, or components.
        bar
            What has to be seen without unfolding: outdated, with the button that renews it.
        weak
            What makes the result doubtful, seen without unfolding too: the sentence is cut where
            the line ends.
        more
            Sentences below the whole answer, folded.
        """
        shown = [
            dmc.Badge(text, color=colour, variant="light", radius="sm", tt="none", fw=600, maw=480)
            for text, colour in badges
        ]
        lines = [
            dmc.Text(text, size="xs", c="dimmed", style={"overflowWrap": "anywhere"})
            if isinstance(text, str)
            else text
            for text in warnings
        ]
        count = len(lines)
        summary: Any = "Details"
        if count:
            words = f"Details and {count} warning{'s' * (count > 1)}"
            summary = dmc.Text(words, span=True, inherit=True, className="dcx-answer-weak")
        return {
            "answer": headline(sentence, multiline=self.multiline),
            "details": summary,
            "whole": [
                dmc.Text(sentence, size="sm"),
                *(dmc.Text(text, size="xs", c="dimmed", mt=2) for text in more),
            ],
            "badges": shown,
            self.details: dmc.Stack(lines, gap=4, mt=6) if lines else None,
            "bar": [weak_line(weak), bar] if weak else bar,
        }


def weak_line(text: str) -> Any:
    """What makes a result doubtful, on a line of its own under the answer."""
    return dmc.Text(text, size="sm", className="dcx-answer-weak dcx-headline-weak")


def headline(sentence: str, *, multiline: bool = False) -> Any:
    """A sentence on one line (two in a high window) or up to three, its first clause the heaviest;
    whole on hover.
    """
    first, semicolon, rest = sentence.partition("; ")
    return html.Div(
        [html.Span(first + semicolon, className="dcx-headline-first"), rest],
        className="dcx-headline dcx-headline-lines" if multiline else "dcx-headline",
        title=sentence,
    )
