/* Draws the figures of the menu “All…” one after the other, in the size and format chosen last for one figure (gui/components/save_all.py). */
(() => {
  "use strict";
  async function draw_all(wanted, light, kept) {
    if (!wanted || !wanted.figures) {
      return window.dash_clientside.no_update;
    }
    const { format = "png", width, height, font = 8, dpi = 300, colours = "screen", legend = true } = kept || {};
    const options = { format, width: width || 0, height: height || 0, font, dpi, colours, legend };
    const pictures = [];
    if (await window.dcxFigureExport.plotly_soon()) {
      for (const { name, figure } of wanted.figures) {
        pictures.push(await window.dcxFigureExport.picture_of({ data: figure.data, layout: figure.layout, ranges: null }, light, { name, ...options }));
      }
    }
    return { kinds: wanted.kinds, pictures, at: Date.now() };
  }
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), draw_all };
})();
