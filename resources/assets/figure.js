/* What figures need in the page: Plotly once there is one, saving as a picture, and a width that follows the room they have. */
(() => {
  "use strict";
  const WIDEST = 16000; /* pixels a canvas can have in every browser */

  /* A drawing (address of its SVG with the data in it) as a PNG. Plotly paints a blob: address, but for Safari, which it knows by its
     name; a canvas that has seen one gives no picture away in WebKit ("tainted"), and macOS's web view does not bear that name. */
  async function painted(drawing, width, height) {
    const image = new Image();
    image.src = drawing;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").drawImage(image, 0, 0, width, height);
    return canvas.toDataURL("image/png");
  }

  /* What is drawn now, in the light template on white and laid out anew for its own size. The picture goes to the server, which asks where to put it. */
  async function export_figure(png, svg, light, graph, name) {
    const asked = window.dash_clientside.callback_context.triggered_id;
    const format = asked && asked.endsWith("-svg") ? "svg" : "png";
    const holder = document.getElementById(graph);
    const plot = holder && holder.querySelector(".js-plotly-plot");
    if (!plot || !plot.data || !plot.data.length || !(png || svg)) {
      return window.dash_clientside.no_update;
    }
    const given = { ...plot.layout, template: light, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" };
    const showlegend = Boolean(given.meta && given.meta.legend_on_export);
    try {
      const { data, layout } = await window.dcxFigureLayout.fitted(window.Plotly, { data: plot.data, layout: given }, { showlegend, ranges: window.dcxFigureLayout.ranges_of(plot._fullLayout) });
      const { width, height } = layout;
      const scale = format === "png" ? Math.min(2, WIDEST / Math.max(width, height)) : 1;
      const drawing = await window.Plotly.toImage({ data, layout, config: {} }, { format: "svg", width, height });
      const url = format === "svg" ? drawing : await painted(drawing, width * scale, height * scale);
      return { name, format, url, at: Date.now() };
    } catch (error) {
      return { name, format, error: String(error), at: Date.now() };
    }
  }

  /* A figure without a width of its own takes that of its place, also after a scrolling one was there or its tab was hidden: plotly
     keeps the last width when a new figure gives none, and its own "responsive" forgets the height. */
  function fit(plot) {
    if (!plot.isConnected || !plot.layout || plot.layout.width || !plot._fullLayout || plot.clientWidth < 50) {
      return;
    }
    if (Math.abs(plot._fullLayout.width - plot.clientWidth) > 1) {
      window.Plotly.relayout(plot, { autosize: true });
    }
  }

  /* A figure that scrolls has a width of its own, and keeps it: to follow the size of its place, plotly forgets both. */
  function keep_width() {
    const { Plots } = window.Plotly;
    const resize = Plots.resize;
    Plots.resize = (plot) => {
      const width = plot.layout && plot.layout.width;
      const resized = resize(plot);
      return width ? resized.then(() => window.Plotly.relayout(plot, { width })) : resized;
    };
  }

  const sizes = new ResizeObserver((entries) => {
    window.requestAnimationFrame(() => entries.forEach((entry) => fit(entry.target)));
  });
  const known = new WeakSet();
  let plotly = null;
  new MutationObserver(() => {
    if (window.Plotly && window.Plotly !== plotly) {
      plotly = window.Plotly;
      keep_width();
    }
    document.querySelectorAll(".dcx-figure .js-plotly-plot").forEach((plot) => {
      if (!known.has(plot) && typeof plot.on === "function") {
        known.add(plot);
        plot.on("plotly_afterplot", () => fit(plot));
        sizes.observe(plot);
      }
    });
  }).observe(document.documentElement, { childList: true, subtree: true });

  /* Plotly is 4.5 MB of script: it is loaded and drawn with when the first figure comes, not for the place of one that may never be asked
     for (gui/components/figure.py: WAITING). Until then there is what Dash itself shows while Plotly is on its way. Dash's own components
     are loaded after this file, and drawn once the layout has been fetched. */
  document.addEventListener("DOMContentLoaded", () => {
    const { dash_core_components: dcc, React } = window;
    const { Graph } = dcc;
    const WaitingGraph = (props) => {
      const came = React.useRef(false);
      const loading = window.dash_component_api.useDashContext().useLoading();
      const { layout } = props.figure || {};
      came.current = came.current || !(layout && layout.meta === "waiting");
      return came.current
        ? React.createElement(Graph, props)
        : React.createElement("div", { id: props.id, className: "dash-graph dash-graph--pending", "data-dash-is-loading": loading || undefined });
    };
    Object.assign(WaitingGraph, { propTypes: Graph.propTypes, defaultProps: Graph.defaultProps });
    window.dash_core_components = Object.create(dcc, { Graph: { value: WaitingGraph } });
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), export_figure };
})();
