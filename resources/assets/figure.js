/* What figures need in the page: Plotly once there is one, saving as they are, and a width that follows the room they have. */
(() => {
  "use strict";
  /* The figure as a file. The picture goes to the server, which asks where to put it. */
  async function export_figure(...given) {
    const [light, graph, name] = given.slice(-3);
    const asked = window.dash_clientside.callback_context.triggered_id;
    const format = ["png", "svg", "pdf"].find((one) => asked && asked.endsWith(`-${one}`));
    if (!format || !given.slice(0, -3).some(Boolean)) {
      return window.dash_clientside.no_update;
    }
    const figure = await window.dcxFigureExport.figure_soon(graph);
    if (!figure) {
      window.dcxNotify("Not saved", "There is no figure to save. Wait until it is drawn, then save it again.", "yellow");
      return window.dash_clientside.no_update;
    }
    return window.dcxFigureExport.picture_of(figure, light, { name, format });
  }

  /* A figure without a width of its own takes that of its place, also after a scrolling one was there or its tab was hidden: plotly
     keeps the last width when a new figure gives none, and its own "responsive" forgets the height. */
  function fit(plot) {
    if (!plot.isConnected || !plot.layout || plot.layout.width || !plot._fullLayout || plot.clientWidth < 50) {
      return;
    }
    if (Math.abs(plot._fullLayout.width - plot.clientWidth) > 1) {
      const { height } = plot.layout;
      window.Plotly.relayout(plot, { autosize: true }).then(() => keep_height(plot, height));
    }
  }

  /* Plotly forgets the height that a figure has of its own, with which it is saved, when it follows the width of its place. */
  function keep_height(plot, height) {
    if (height && plot.layout && !plot.layout.height) {
      plot.layout.height = height;
    }
  }

  /* A figure that scrolls has a width of its own, and keeps it: to follow the size of its place, plotly forgets both. */
  function keep_width() {
    const { Plots } = window.Plotly;
    const resize = Plots.resize;
    Plots.resize = (plot) => {
      const { width, height } = plot.layout || {};
      const resized = resize(plot).then(() => keep_height(plot, height));
      return width ? resized.then(() => window.Plotly.relayout(plot, { width })) : resized;
    };
  }

  /* Whether anything is drawn: data-dcx-drawn, by which the style sheet knows where a ring says that a figure is still to come. */
  function mark_drawn(plot) {
    const drawn = plot.querySelector(".trace, .xtick, .ytick, .annotation, image") !== null;
    plot.closest(".dash-graph")?.toggleAttribute("data-dcx-drawn", drawn);
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
        plot.on("plotly_afterplot", () => {
          fit(plot);
          mark_drawn(plot);
        });
        mark_drawn(plot);
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
