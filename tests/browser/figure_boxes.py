"""What a browser says of a drawn figure: which texts are cut, and what lies over something else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from playwright.sync_api import Browser, Page

from gui.figures.template import template
from gui.report.document import layout_js, plotly_js

# Boxes of all texts and of the legend, relative to the figure; what lies outside or over something
# else, in words.
LOOK = """
async ([figure, options, screen]) => {
  const place = document.getElementById('place');
  let { data, layout } = figure;
  if (!screen) {
    ({ data, layout } = await window.dcxFigureLayout.fitted(window.Plotly, figure, options));
  }
  await window.Plotly.newPlot(place, data, layout, { staticPlot: true });
  const full = place._fullLayout, frame = place.getBoundingClientRect(), wrong = [], boxes = [];
  const box = (element) => {
    const r = element.getBoundingClientRect();
    return [r.left - frame.left, r.top - frame.top, r.right - frame.left, r.bottom - frame.top];
  };
  /* The box of a slanted name is not what it covers. */
  const slanted = (text) => /rotate[(](?!-?90,|0,)/.test(text.getAttribute('transform') || '');
  const meet = (a, b, slack) => a[0] < b[2] - slack && b[0] < a[2] - slack && a[1] < b[3] - slack && b[1] < a[3] - slack;
  for (const text of place.querySelectorAll('svg text')) {
    const { width, height } = text.getBoundingClientRect();
    const shown = text.textContent.trim() && width && height && getComputedStyle(text).visibility !== 'hidden';
    if (shown) boxes.push([text.textContent, box(text), text.closest('.bars, .subplot:not(.x2y2) .textpoint') !== null || slanted(text)]);
  }
  for (const [text, b] of boxes) {
    if (b[0] < -1 || b[1] < -1 || b[2] > full.width + 1 || b[3] > full.height + 1) wrong.push(`outside: ${text} ${b.map(Math.round)}`);
  }
  for (let i = 0; i < boxes.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      if (!boxes[i][2] && !boxes[j][2] && meet(boxes[i][1], boxes[j][1], 2)) wrong.push(`over each other: ${boxes[i][0]} / ${boxes[j][0]}`);
    }
  }
  const { l, t, w, h } = full._size;
  const legend = place.querySelector('.legend > .bg');
  if (legend) {
    if (full.legend._height > full.legend._effHeight + 1) wrong.push(`legend cut: ${full.legend._height} of ${full.legend._effHeight}`);
    if (meet(box(legend), [l, t, l + w, t + h], 3)) wrong.push(`legend over the plot: ${box(legend).map(Math.round)} ${[l, t, l + w, t + h].map(Math.round)}`);
  }
  if (w < (options.least || 250) || h < 90) wrong.push(`small plot: ${w} x ${h}`);
  const names = [...place.querySelectorAll('.legendtext')].map((text) => text.textContent);
  const found = { wrong, names, texts: boxes.map(([text]) => text), width: full.width, height: full.height };
  if (options.picture) found.picture = await window.Plotly.toImage(place, { format: 'png', width: full.width, height: full.height });
  window.Plotly.purge(place);
  return found;
}
"""


def blank_page(browser: Browser) -> Iterator[Page]:
    """A page with Plotly, the script of the layout, and nothing else."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    tab = context.new_page()
    tab.set_content("<!doctype html><div id='place'></div>")
    tab.add_script_tag(content=plotly_js())
    tab.add_script_tag(content=layout_js())
    yield tab
    context.close()


def look(
    page: Page, name: str, fig: go.Figure, *, screen: bool = False, **options: Any
) -> dict[str, Any]:
    """What the browser says of the figure as it is saved (screen: as it is shown)."""
    given = json.loads(fig.to_json())
    given["layout"]["template"] = json.loads(
        go.Figure(layout={"template": template(False)}).to_json()
    )["layout"]["template"]
    shown = given["layout"].get("meta", {}).get("legend_on_export", False)
    shots = os.environ.get("DECONOMIX_GUI_SHOTS")
    found: dict[str, Any] = page.evaluate(
        LOOK, [given, {"showlegend": shown, "picture": bool(shots), **options}, screen]
    )
    if shots:
        import base64

        Path(shots, f"{name}.png").write_bytes(base64.b64decode(found["picture"].partition(",")[2]))
    return found
