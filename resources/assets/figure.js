/* Saves the figure on screen: as it is drawn now, in the light template on white. The picture goes to the server, which asks where to put it. */
(() => {
  "use strict";
  const WIDEST = 16000; /* pixels a canvas can have in every browser */

  async function export_figure(png, svg, light, graph, name) {
    const asked = window.dash_clientside.callback_context.triggered_id;
    const format = asked && asked.endsWith("-svg") ? "svg" : "png";
    const holder = document.getElementById(graph);
    const plot = holder && holder.querySelector(".js-plotly-plot");
    if (!plot || !plot.data || !plot.data.length || !(png || svg)) {
      return window.dash_clientside.no_update;
    }
    const { width, height } = plot._fullLayout;
    const layout = { ...plot.layout, template: light, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" };
    if (layout.meta && layout.meta.legend_on_export) {
      layout.showlegend = true;
    }
    const scale = format === "png" ? Math.min(2, WIDEST / Math.max(width, height)) : 1;
    try {
      const url = await window.Plotly.toImage({ data: plot.data, layout, config: {} }, { format, width, height, scale });
      return { name, format, url, at: Date.now() };
    } catch (error) {
      return { name, format, error: String(error), at: Date.now() };
    }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), export_figure };
})();
