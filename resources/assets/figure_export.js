/* Figures as files and as pictures in the clipboard: in the light template on white, laid out anew for their own size (figure_layout.js). */
(() => {
  "use strict";
  const WIDEST = 16000; /* pixels a canvas can have in every browser */
  const TEXT = 13; /* pixels of most letters of a figure: the size that is asked for is theirs */
  const SCREEN = 9.75; /* the same in points, where a pixel is 1/96 inch */
  const LONGEST_WAIT = 10000; /* milliseconds until a figure is drawn that is asked for before */
  const LOOK_AGAIN = 100;
  const POINTS = 72 / 25.4; /* in a millimetre */
  const FAMILY = "Arial, 'Liberation Sans', Helvetica, sans-serif"; /* equally wide, also in a PDF (gui/figures/pdf.py) */
  const TITLE = 16;
  const SHAPES = ["", "/", "x", ".", "-", "\\", "+", "|"]; /* of bars in grey, one after the other, then in the next shade */
  const SHADES = ["#7a7a7a", "#d9d9d9", "#404040", "#a8a8a8"];
  const NAME_OF_COLOUR = /colou?r$/i;

  /* A drawing (address of its SVG with the data in it) as a canvas. Plotly paints a blob: address, but for Safari, which it knows by its
     name; a canvas that has seen one gives no picture away in WebKit ("tainted"), and macOS's web view does not bear that name. */
  async function painted(drawing, width, height) {
    const image = new Image();
    image.src = drawing;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width);
    canvas.height = Math.round(height);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  function parts_of(colour) {
    if (/^#[0-9a-f]{6}$/i.test(colour)) {
      return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    }
    const found = /^rgba?\(([^)]*)\)$/i.exec(colour);
    return found ? found[1].split(",").map(Number) : null;
  }

  /* As light or dark as the colour is (Rec. 709). */
  function grey_of(colour) {
    const parts = parts_of(colour);
    if (!parts) {
      return colour;
    }
    const [red, green, blue, alpha] = parts;
    const light = Math.round(0.2126 * red + 0.7152 * green + 0.0722 * blue);
    return alpha === undefined ? `rgb(${light},${light},${light})` : `rgba(${light},${light},${light},${alpha})`;
  }

  const greyed = (value) => (typeof value === "string" ? grey_of(value) : Array.isArray(value) ? value.map(greyed) : value);

  /* Every colour in a figure or template, as a grey. */
  function in_grey(node) {
    if (Array.isArray(node)) {
      return node.map((one) => (one && typeof one === "object" ? in_grey(one) : one));
    }
    if (!node || typeof node !== "object" || ArrayBuffer.isView(node)) {
      return node;
    }
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => {
        if (NAME_OF_COLOUR.test(key) && (typeof value === "string" || Array.isArray(value))) {
          return [key, greyed(value)];
        }
        if (key === "colorway" || key === "colorscale" || key === "sequential" || key === "diverging") {
          return [key, Array.isArray(value) ? greyed(value) : in_grey(value)];
        }
        return [key, in_grey(value)];
      }),
    );
  }

  /* Bars that only their colour told apart: by hatch and shade. */
  function hatched(data) {
    const bars = data.filter((trace) => trace.type === "bar" && trace.marker && typeof trace.marker.color === "string");
    if (bars.length < 2) {
      return data;
    }
    let at = 0;
    return data.map((trace) => {
      if (!bars.includes(trace) || (trace.marker.pattern && trace.marker.pattern.shape)) {
        return trace;
      }
      const [shape, shade] = [SHAPES[at % SHAPES.length], SHADES[Math.floor(at / SHAPES.length + at) % SHADES.length]];
      at += 1;
      const pattern = { shape, fgcolor: parts_of(shade)[0] > 128 ? "#000000" : "#ffffff", bgcolor: shade, size: 7, solidity: 0.25 };
      return { ...trace, marker: { ...trace.marker, color: shade, ...(shape ? { pattern } : {}) } };
    });
  }

  /* colours: "screen", "print" (text and axes black) or "grey". */
  function template_of(light, colours) {
    const template = JSON.parse(JSON.stringify(colours === "grey" ? in_grey(light) : light));
    const { layout } = template;
    layout.font.family = FAMILY;
    if (colours !== "screen") {
      const black = "#000000";
      layout.font.color = black;
      layout.colorway = [black, ...(layout.colorway || []).slice(1)];
      for (const key of ["xaxis", "yaxis"]) {
        layout[key] = { ...layout[key], linecolor: black, zerolinecolor: black, gridcolor: "#dddddd" };
      }
      layout.annotationdefaults = { ...layout.annotationdefaults, arrowcolor: black, font: { ...(layout.annotationdefaults || {}).font, color: black } };
      for (const trace of (template.data && template.data.bar) || []) {
        Object.assign(trace, { error_x: { color: black }, error_y: { color: black } });
      }
    }
    return template;
  }

  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  /* The title above the drawing, in as many lines as it needs. */
  function with_title(svg, title, width, height, colour) {
    if (!title) {
      return { svg, height };
    }
    const lines = window.dcxFigureLayout.lines_of(title, width - 24, TITLE, `bold ${TITLE}px ${FAMILY}`);
    const more = Math.ceil(lines.length * TITLE * 1.3 + 12);
    const style = `font-family: ${FAMILY}; font-size: ${TITLE}px; font-weight: bold; fill: ${colour};`;
    const texts = lines.map((line, at) => `<text x="12" y="${Math.round(8 + TITLE + at * TITLE * 1.3)}" style="${style}">${escaped(line)}</text>`).join("");
    const open = svg.indexOf(">", svg.indexOf("<svg")) + 1;
    const close = svg.lastIndexOf("</svg>");
    const head = svg.slice(0, open).replace(/ height="[^"]*"/, ` height="${height + more}"`).replace(/ viewBox="[^"]*"/, ` viewBox="0 0 ${width} ${height + more}"`);
    const ground = `<rect x="0" y="0" width="${width}" height="${more}" style="fill: rgb(255, 255, 255);"/>`;
    return { svg: `${head}${ground}${texts}<g transform="translate(0,${more})">${svg.slice(open, close)}</g></svg>`, height: height + more };
  }

  /* The figure ({data, layout, ranges}) as SVG.
     width, height : in mm, 0: as large as it needs; font : in points; legend : false without; title : "" without
     Gives {svg, width, height (pixels of the layout), mm: [width, height], tight: whether it needs more height than was asked for} */
  async function drawn(figure, light, { width = 0, height = 0, font = SCREEN, colours = "screen", legend = true, title = "" } = {}) {
    const scale = font / TEXT; /* points of a pixel */
    const template = template_of(light, colours);
    let data = figure.data;
    let layout = { ...figure.layout, template, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" };
    if (colours === "grey") {
      data = hatched(in_grey(data));
      layout = { ...in_grey({ ...layout, template: undefined }), template };
    }
    const showlegend = legend && Boolean(layout.meta && layout.meta.legend_on_export);
    if (!legend) {
      layout.showlegend = false;
    }
    const fixed = width ? Math.round((width * POINTS) / scale) : 0;
    const above = with_title("<svg></svg>", title, fixed || 600, 0, "#000000").height;
    const tall = height ? Math.max(1, Math.round((height * POINTS) / scale) - above) : 0;
    const fit = await window.dcxFigureLayout.fitted(window.Plotly, { data, layout }, { fixed, tall, showlegend, ranges: figure.ranges });
    const size = { width: fit.layout.width, height: fit.layout.height };
    const address = await window.Plotly.toImage({ ...fit, config: {} }, { format: "svg", ...size });
    const plain = decodeURIComponent(address.slice(address.indexOf(",") + 1));
    const whole = with_title(plain, title, size.width, size.height, template.layout.font.color);
    const pixel = width ? width / size.width : scale / POINTS; /* in mm; exactly the width that was asked for */
    const mm = [size.width * pixel, whole.height * pixel];
    const [wide, high] = mm.map((value) => `${value.toFixed(2)}mm`);
    const head = whole.svg.indexOf(">", whole.svg.indexOf("<svg"));
    const sized = whole.svg.slice(0, head).replace(/ width="[^"]*"/, ` width="${wide}"`).replace(/ height="[^"]*"/, ` height="${high}"`) + whole.svg.slice(head);
    return { svg: sized, width: size.width, height: whole.height, mm, tight: Boolean(height) && mm[1] > height + 0.6 };
  }

  const address_of = (svg) => `data:image/svg+xml,${encodeURIComponent(svg)}`;

  /* A canvas of the drawing; dpi: dots per inch, 0: twice those of the screen. */
  async function canvas_of(found, dpi) {
    const wanted = dpi ? (found.mm[0] / 25.4) * dpi : 2 * found.width;
    const scale = Math.min(wanted / found.width, WIDEST / Math.max(found.width, found.height));
    return painted(address_of(found.svg), found.width * scale, found.height * scale);
  }

  /* What the server is sent: {name, format, url, mm}. */
  async function picture_of(figure, light, { name, format, dpi = 0, ...options }) {
    try {
      const found = await drawn(figure, light, options);
      const raster = format === "png" || format === "copy";
      const canvas = raster ? await canvas_of(found, dpi) : null;
      const url = raster ? canvas.toDataURL("image/png") : address_of(found.svg);
      return { name, format, url, mm: found.mm, at: Date.now() };
    } catch (error) {
      return { name, format, error: String(error), at: Date.now() };
    }
  }

  /* The figure on screen in a dcc.Graph, or null. */
  function figure_of(graph) {
    const holder = document.getElementById(graph);
    const plot = holder && holder.querySelector(".js-plotly-plot");
    return plot && plot.data && plot.data.length ? { data: plot.data, layout: plot.layout, ranges: window.dcxFigureLayout.ranges_of(plot._fullLayout) } : null;
  }

  async function soon(found) {
    for (let waited = 0; waited < LONGEST_WAIT && !found(); waited += LOOK_AGAIN) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    }
    return found();
  }

  /* The figure, and Plotly, once they are there: who is quick saves before anything is drawn. null where none comes. */
  const figure_soon = (graph) => soon(() => figure_of(graph));
  const plotly_soon = () => soon(() => window.Plotly || null);

  window.dcxFigureExport = { drawn, picture_of, figure_of, figure_soon, plotly_soon, canvas_of, address_of };
})();
