"""Self-contained HTML document of text, tables and figures with untrusted names.

Everything given is escaped here, so that no caller has to think of it. A policy in the file lets
its own two scripts run (by their hashes) and nothing else; nothing is fetched. Figures are drawn by
the one copy of plotly.js in the file, at a width that fits on paper.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from gui.figures.template import HEIGHT, styled
from gui.figures.text import percentage, short, three
from gui.resources import resource
from gui.text import number

WIDTH = 690
"""Pixels: of the text and of every figure; A4 and Letter with the margins of PRINT leave more."""
TALLEST = 900
"""Pixels: a figure must fit on one page."""
FEWEST, LONGEST = 10, 300
"""Rows shown at least of a table that is cut; letters of a name."""
BESIDE, LETTER, UNBROKEN = 480, 7.4, 24
"""Pixels: of a table beside its row names; of a letter of a header.

Letters that stay on one line.
"""
STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #212529; font: 14px/1.45 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { width: WIDTHpx; margin: 32px auto 64px; overflow-wrap: anywhere; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 32px 0 8px; padding-bottom: 4px; border-bottom: 1px solid #dee2e6; break-after: avoid; }
h3 { font-size: 15px; margin: 20px 0 6px; break-after: avoid; }
p { margin: 6px 0; } ul { margin: 6px 0; padding-left: 22px; }
.dim { color: #5c636a; font-size: 12.5px; }
.answer { font-size: 16px; font-weight: 650; }
.use { border: 1px solid #868e96; border-radius: 4px; padding: 6px 10px; font-weight: 650; margin: 12px 0; }
.warn { border-left: 4px solid #e8590c; background: #fff4e6; padding: 6px 10px; margin: 8px 0; break-inside: avoid; }
figure { margin: 14px 0 20px; break-inside: avoid; } figcaption { font-size: 12.5px; color: #495057; margin-top: 4px; }
.plot { width: WIDTHpx; overflow: hidden; }
table { border-collapse: collapse; width: 100%; font-size: 12.5px; margin: 8px 0 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: 12.5px; color: #495057; padding-bottom: 4px; }
th, td { text-align: right; padding: 3px 6px; border-bottom: 1px solid #e9ecef; vertical-align: top; }
th { font-weight: 600; }
th, table:not(.pairs) td.text { overflow-wrap: normal; }
 th:first-child, td.text { text-align: left; } td:not(.text) { white-space: nowrap; }
thead th:first-child { width: 29%; }
table.pairs td:first-child { width: 27%; color: #495057; }
thead { display: table-header-group; } tr { break-inside: avoid; }
@page { margin: 14mm 12mm; }
@media print {
  main { margin: 0 auto; } body { font-size: 13px; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  a { color: inherit; text-decoration: none; }
}
""".replace("WIDTH", str(WIDTH))
DRAW = """
"use strict";
(async () => {
  const figures = JSON.parse(document.getElementById("dcx-figures").textContent);
  const config = { staticPlot: false, displayModeBar: false, displaylogo: false, plotlyServerURL: "", showTips: false, scrollZoom: false, responsive: false };
  for (const [id, figure] of Object.entries(figures)) {
    const { data, layout } = await dcxFigureLayout.fitted(Plotly, figure, { fixed: WIDTH, tallest: TALLEST });
    document.getElementById(id).style.height = `${layout.height}px`;
    await Plotly.newPlot(id, data, layout, config);
  }
})();
""".replace("WIDTH", str(WIDTH)).replace("TALLEST", str(TALLEST))


class Document:
    """Filled from top to bottom, then :meth:`html`. Every text is plain text."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._body: list[str] = []
        self._figures: dict[str, str] = {}
        self.figures: list[tuple[go.Figure, str]] = []
        """As they were given, with their captions."""
        self.tables: list[tuple[pd.DataFrame, str]] = []
        """The same of whole tables; their index has the header's name."""

    def heading(self, text: str, level: int = 2) -> None:
        self._body.append(f"<h{level}>{_text(text)}</h{level}>")

    def paragraph(self, text: str, kind: str = "") -> None:
        """kind : "", "dim", "answer", "use" or "warn": how it looks."""
        self._body.append(
            f'<p class="{kind}">{_text(text)}</p>' if kind else f"<p>{_text(text)}</p>"
        )

    def points(self, texts: Sequence[str]) -> None:
        if texts:
            self._body.append("<ul>" + "".join(f"<li>{_text(t)}</li>" for t in texts) + "</ul>")

    def pairs(self, rows: Sequence[tuple[str, str]], caption: str = "") -> None:
        """A table of names and values."""
        cells = "".join(
            f'<tr><td class="text">{_text(a)}</td><td class="text">{_text(b)}</td></tr>'
            for a, b in rows
        )
        self._body.append(f'<table class="pairs">{_caption(caption)}<tbody>{cells}</tbody></table>')

    def table(
        self,
        frame: pd.DataFrame,
        *,
        first: str,
        caption: str = "",
        most: int = 40,
        columns: int = 8,
        whole: str = "",
        percent: bool = False,
    ) -> None:
        """Add a table: row names, then blocks of ``columns`` columns below each other.

        Numbers have three significant digits.

        Parameters
        ----------
        first
            Over the row names.
        most
            Rows shown.
        whole
            Where to get what is cut off, as a sentence.
        percent
            The numbers are percentages of a composition.
        """
        self.tables.append((frame.rename_axis(first, axis=0), caption))
        places = _side_by_side(frame, columns)
        # wide tables are cut sooner: on paper every block begins anew
        most = max(most // len(places), min(most, FEWEST))
        blocks = [frame.iloc[:most, start:end] for start, end in places]
        for at, block in enumerate(blocks, 1):
            head = "".join(f"<th>{_name(c)}</th>" for c in (first, *block.columns))
            rows = []
            for name, values in zip(
                block.index, block.itertuples(index=False, name=None), strict=True
            ):
                rows.append(
                    f'<tr><td class="text">{_name(name)}</td>'
                    + "".join(_cell(v, percent=percent) for v in values)
                    + "</tr>"
                )
            words = caption if len(blocks) == 1 else f"{caption} (part {at} of {len(blocks)})"
            self._body.append(
                f"<table>{_caption(words)}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            )
        if len(frame) > most:
            self.paragraph(
                f"The first {most} of {number(len(frame))} rows are shown. {whole}".strip(), "dim"
            )

    def figure(self, fig: go.Figure, caption: str) -> None:
        """The figure in the light template, as wide as the text and no higher than a page.

        Its labels must be inert, as those of ``gui.figures`` are.
        """
        self.figures.append((fig, caption))
        drawn = go.Figure(fig)
        height = min(int(drawn.layout.height or HEIGHT), TALLEST)
        styled(drawn.update_layout(width=WIDTH, height=height, autosize=False), False)
        name = f"figure-{len(self._figures) + 1}"
        self._figures[name] = json_text(drawn)
        place = f'<div class="plot" id="{name}" style="height:{height}px"></div>'
        self._body.append(
            f"<figure>{place}<figcaption>Figure {len(self._figures)}."
            f" {_text(caption)}</figcaption></figure>"
        )

    def html(self) -> bytes:
        """The whole file, UTF-8."""
        scripts = [plotly_js(), layout_js() + DRAW] if self._figures else []
        allowed = " ".join(f"'sha256-{_digest(s)}'" for s in scripts) or "'none'"
        policy = (
            f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:;"
            " base-uri 'none'; form-action 'none'"
        )
        head = [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            (
                '<meta name="referrer" content="no-referrer"><meta name="viewport"'
                ' content="width=device-width">'
            ),
            f"<title>{_text(self.title)}</title><style>{STYLE}</style></head><body><main>",
        ]
        tail = ["</main>"]
        if self._figures:
            self._body.append(
                "<noscript><p class='warn'>The figures are drawn by a script in this file; this"
                " program does not run it.</p></noscript>"
            )
            inside = ",".join(f'"{name}":{text}' for name, text in self._figures.items())
            tail.append(f'<script type="application/json" id="dcx-figures">{{{inside}}}</script>')
            tail += [f"<script>{s}</script>" for s in scripts]
        return "\n".join([*head, *self._body, *tail, "</body></html>\n"]).encode("utf-8", "replace")


def json_text(fig: go.Figure) -> str:
    """Return the figure as JSON that cannot end its script element or begin a comment."""
    text: str = fig.to_json()
    for letter in "<>&\u2028\u2029":  # they occur inside strings only
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


@cache
def plotly_js() -> str:
    """The plotly.js that comes with the plotly package (4.8 MB).

    RuntimeError if it could not stand inside an HTML page.
    """
    from plotly.offline import get_plotlyjs

    # as the browser reads it before it computes the hash
    source: str = get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n")
    if re.search(r"</script|<!--|\x00", source, re.IGNORECASE):
        raise RuntimeError("plotly.js holds text that would end the script element")
    return source


@cache
def layout_js() -> str:
    """What lays out a figure for the width of the report, as for one that is saved."""
    return resource("assets/figure_layout.js").read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _text(value: object) -> str:
    """Escape the text; replace control and bidirectional characters by blanks."""
    return escape(
        re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", " ", str(value)),
        quote=True,
    )


def _name(value: object) -> str:
    """Whole, with places at which a line may end: on paper nothing can be hovered over.

    Only what no name is as long as is cut.
    """
    return " ".join(
        "<wbr>".join(map(_text, _pieces(word))) for word in short(value, LONGEST).split()
    )


def _pieces(word: str) -> list[str]:
    """What stays on one line."""
    return [
        piece[at : at + UNBROKEN]
        for piece in re.split(r"(?<=[_\-./|+:])", word)
        for at in range(0, max(len(piece), 1), UNBROKEN)
    ]


def _side_by_side(frame: pd.DataFrame, most: int) -> list[tuple[int, int]]:
    """Return blocks of columns (first, one behind the last), at most ``most`` in each.

    No more than fit beside the row names without breaking a word.
    """
    blocks, width = [(0, 0)], 0.0
    for at, name in enumerate(frame.columns):
        shown = [name, *(v for v in frame.iloc[:, at] if isinstance(v, str))][:200]
        needed = (
            LETTER
            * max(
                (
                    len(piece)
                    for text in shown
                    for word in str(text).split()
                    for piece in _pieces(word)
                ),
                default=1,
            )
            + 12
        )
        start, _ = blocks[-1]
        if at > start and (at - start >= most or width + needed > BESIDE):
            blocks.append((at, at))
            start, width = at, 0.0
        blocks[-1], width = (start, at + 1), width + max(needed, 50)
    return blocks


def _cell(value: Any, *, percent: bool = False) -> str:
    if isinstance(value, str):
        return f'<td class="text">{_name(value)}</td>'
    if isinstance(value, int):
        return f"<td>{_text(value)}</td>"
    return f"<td>{_text(percentage(float(value) / 100)) if percent else three(float(value))}</td>"


def _caption(text: str) -> str:
    return f"<caption>{_text(text)}</caption>" if text else ""
