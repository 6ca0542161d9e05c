/* A figure laid out for a size of its own, not that of the screen: every name whole and legible, nothing cut, nothing over something else. For figures that
   are saved and for those of a report, which holds this file too. Python says what the names along an axis are: layout.meta.what and layout.meta.names
   (gui/figures/axes.py). */
window.dcxFigureLayout = (() => {
  "use strict";
  const LINE = 1.35; /* height of a line of text, in its size */
  const LONGEST = 80; /* letters of a name; the middle of a longer one is left out */
  const SMALL = 10; /* the smallest letters */
  const TIGHT = [[10, 1.2], [9, 1.2], [8, 1.2]]; /* size and height of a line where the width is that of a page: as in the tables of a journal */
  const WIDE = 600; /* pixels of the plot itself, without names and legend */
  const WIDEST = 1500;
  const HIGH = 320;
  const HIGHEST = 1400;
  const PER_POINT = ["x", "y", "z", "text", "hovertext", "customdata", "error_x", "error_y", "marker", "width"];

  const plain = (text) => String(text).replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
  const inert = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function cut(text, most) {
    const whole = plain(text);
    const tail = Math.floor((most - 1) / 2);
    return whole.length <= most ? text : inert(`${whole.slice(0, most - 1 - tail).trimEnd()}…${tail ? whole.slice(-tail).trimStart() : ""}`);
  }

  const brush = document.createElement("canvas").getContext("2d");
  /* Width of a text in pixels; of its longest line. */
  function width(text, size, family) {
    brush.font = `${size}px ${family}`;
    return Math.max(0, ...String(text).split(/<br\s*\/?>/).map((line) => brush.measureText(plain(line.replace(/<[^>]*>/g, ""))).width));
  }

  /* The text in lines that are at most so many pixels wide, broken between words. */
  function lines_of(text, room, size, font) {
    brush.font = font;
    const lines = [];
    for (const word of String(text).split(/\s+/).filter(Boolean)) {
      const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
      if (lines.length && brush.measureText(longer).width <= room) {
        lines[lines.length - 1] = longer;
      } else {
        lines.push(word);
      }
    }
    return lines;
  }

  const size_of = (font, otherwise) => (font && font.size) || otherwise;

  /* Axes made of names: {key, names: [[position, text]], span: positions in view}. The second axis that holds names cut for the screen is taken out. */
  function name_axes(figure) {
    const { layout } = figure;
    const known = (layout.meta && layout.meta.names) || {};
    const found = [];
    for (const key of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      const axis = layout[key];
      if (!axis) {
        continue;
      }
      const second = layout[`${key}2`];
      if (axis.labelalias && second && second.labelalias) {
        const { title, tickangle, tickfont } = second;
        Object.assign(axis, { showticklabels: true }, title && { title }, tickangle !== undefined && { tickangle }, tickfont && { tickfont });
        delete layout[`${key}2`];
        figure.data = figure.data.filter((trace) => trace[`${key[0]}axis`] !== `${key[0]}2`);
      }
      if (axis.labelalias) {
        axis.showticklabels = true; /* also where the screen names none: there is more room here, or the reader has zoomed in */
        const [low, high] = [Math.min(...axis.range), Math.max(...axis.range)];
        const names = Object.entries(axis.labelalias).filter(([at, text]) => text && at >= low && at <= high);
        found.push({ key, names: names.map(([at, text]) => [at, cut(text, LONGEST)]), span: high - low });
        axis.labelalias = Object.fromEntries(Object.entries(axis.labelalias).map(([at, text]) => [at, cut(text, LONGEST)]));
      } else if (axis.tickvals && axis.ticktext && axis.ticktext.length) {
        axis.ticktext = (known[key] || axis.ticktext).map((text) => cut(text, LONGEST));
        found.push({ key, names: axis.ticktext.map((text, at) => [at, text]), span: axis.ticktext.length });
      }
    }
    return found;
  }

  /* Lay the names along one axis: as wide (or high) as they need; smaller, then none where there are too many. Returns the pixels of the whole plot. */
  function along({ key, names, span }, layout, family, least, most, tight = []) {
    const axis = layout[key];
    const share = axis.domain ? axis.domain[1] - axis.domain[0] : 1;
    if (axis.showticklabels === false || !names.length) {
      return least;
    }
    const usual = size_of(axis.tickfont, 13);
    if (key[0] === "x") {
      const longest = Math.max(...names.map(([, text]) => width(text, usual, family))) + 10;
      if (longest * span <= least * share) {
        axis.tickangle = 0;
        return least;
      }
      axis.tickangle = -90;
    }
    const sizes = Array.from({ length: Math.max(1, usual - SMALL + 1) }, (_, less) => [usual - less, LINE]);
    for (const [size, line] of [...sizes, ...tight]) {
      const needed = (size * line * span) / share;
      if (needed <= most || needed <= least) {
        axis.tickfont = { ...axis.tickfont, size };
        return Math.max(least, Math.ceil(needed));
      }
    }
    const what = (layout.meta && layout.meta.what && layout.meta.what[key]) || "names";
    const title = axis.title && (axis.title.text || axis.title);
    axis.showticklabels = false;
    axis.title = { ...(typeof axis.title === "object" ? axis.title : {}), text: `${typeof title === "string" ? title : `${names.length} ${what}`}, too many to name` };
    return Math.max(least, Math.min(most, 1200));
  }

  /* Names of groups above the plot (a line from x0 to x1 each): as much as fits over their samples. */
  function group_names(layout, family, pitch) {
    const lines = (layout.shapes || []).filter((shape) => shape.yref === "paper" && shape.y0 === shape.y1 && shape.y0 > 1);
    layout.annotations = (layout.annotations || []).filter((note) => {
      const line = note.hovertext && lines.find((shape) => Math.abs(shape.x0 + shape.x1 - 2 * note.x) < 1e-6);
      if (!line) {
        return true;
      }
      const room = (line.x1 - line.x0) * pitch;
      let letters = LONGEST;
      while (letters > 1 && width(cut(note.hovertext, letters), 13, family) > room) {
        letters -= 1;
      }
      note.text = cut(note.hovertext, letters);
      return letters > 1;
    });
  }

  function prepared(given, showlegend) {
    const layout = JSON.parse(JSON.stringify(given.layout));
    const figure = { layout, data: given.data.map((trace) => ({ ...trace })) };
    const family = (layout.template && layout.template.layout && layout.template.layout.font.family) || "sans-serif";
    if (showlegend) {
      layout.showlegend = true;
    }
    const numbers = (layout.meta && layout.meta.numbers) || {}; /* that stand on the bars, by the whole name */
    figure.data.forEach((trace) => {
      if (typeof trace.meta === "string" && trace.name && trace.showlegend !== false) {
        const number = Object.hasOwn(numbers, trace.meta) ? `${numbers[trace.meta]} ` : "";
        trace.name = number + cut(trace.meta, LONGEST);
      }
    });
    layout.legend = { ...layout.legend, maxheight: 100000 };
    for (const note of layout.annotations || []) {
      if (note.hovertext && /^<b>.*<\/b><br>/.test(note.text)) {
        note.text = note.text.replace(/^<b>.*?<\/b>/, () => `<b>${cut(note.hovertext, LONGEST)}</b>`);
      }
    }
    return { figure, family };
  }

  /* Titles beside the plot are as long as they are: it has to be higher. */
  function height_of_titles({ data, layout }, family) {
    let most = 0;
    for (const key of Object.keys(layout).filter((name) => /^yaxis\d*$/.test(name))) {
      const title = layout[key] && layout[key].title;
      most = Math.max(most, width((title && (title.text || (typeof title === "string" && title))) || "", 14, family) + 8);
    }
    data.forEach((trace) => {
      const title = trace.colorbar && trace.colorbar.title && trace.colorbar.title.text;
      if (trace.type === "heatmap" && trace.showscale !== false) {
        const length = Math.max(240, width(title || "", 13, family) + 16);
        trace.colorbar = { ...trace.colorbar, lenmode: "pixels", len: length, y: 1, yanchor: "top" };
        most = Math.max(most, length + 4);
      }
    });
    return most;
  }

  /* Bars to the right with a number behind them: the axis is longer, as far as the number is wide. */
  function room_behind_bars({ data, layout }, full, family) {
    for (const trace of data.filter((one) => one.type === "bar" && one.orientation === "h" && Array.isArray(one.text))) {
      const axis = layout[`xaxis${(trace.xaxis || "x").slice(1)}`];
      const longest = Math.max(0, ...trace.text.map((text) => width(text, size_of(trace.textfont, 13), family))) + 12;
      if (axis && axis.range && full._size.w > 2 * longest) {
        const [low, high] = axis.range;
        axis.range = [low, low + ((high - low) * full._size.w) / (full._size.w - longest)];
      }
    }
  }

  /* Numbers at the right of the plot, one for each row: as wide as they are, or where that leaves too little for the plot, above what is drawn of the row. */
  function numbers_beside(layout, wide, family) {
    const notes = (layout.annotations || []).filter((note) => note.xref === "paper" && note.x === 1 && note.xanchor === "right" && typeof note.y === "number" && !note.yref);
    const axis = layout.xaxis;
    if (!notes.length || !axis || !axis.domain) {
      return;
    }
    const needed = Math.max(...notes.map((note) => width(note.text, size_of(note.font, 13), family))) + 12;
    const end = 1 - needed / wide;
    if (end >= 0.5) {
      axis.domain = [axis.domain[0], Math.min(axis.domain[1], end)];
      return;
    }
    axis.domain = [0, 1];
    for (const note of notes) {
      Object.assign(note, { x: 0, xanchor: "left", yshift: 12, font: { ...note.font, size: SMALL } });
    }
  }

  /* Rows of numbers under the values of an axis, as of patients at risk: no more values than there is room for. */
  function numbers_below({ data, layout }, wide, family) {
    const rows = data.filter((trace) => trace.mode === "text" && trace.yaxis === "y2" && Array.isArray(trace.x));
    const axis = layout.xaxis;
    if (!rows.length || !axis || !Array.isArray(axis.tickvals) || axis.tickvals.length < 3 || !axis.range) {
      return;
    }
    const needed = Math.max(...rows.flatMap((trace) => trace.text.map((text) => width(text, size_of(trace.textfont, 12), family)))) + 6;
    const pitch = ((axis.tickvals[1] - axis.tickvals[0]) / (axis.range[1] - axis.range[0])) * wide;
    const every = Math.ceil(needed / pitch);
    const kept = (values) => values.filter((_, at) => at % every === 0);
    axis.tickvals = kept(axis.tickvals);
    rows.forEach((trace) => Object.assign(trace, { x: kept(trace.x), y: kept(trace.y), text: kept(trace.text) }));
  }

  /* Titles below a plot of a given width, in as many lines as they need. */
  function wrap_titles(layout, full, wide, family) {
    for (const key of Object.keys(layout).filter((name) => /^xaxis\d*$/.test(name))) {
      const [axis, seen] = [layout[key], full[key]];
      const text = axis && axis.title && (axis.title.text || (typeof axis.title === "string" && axis.title));
      if (!text || !seen || !seen._length) {
        continue;
      }
      const [from, to] = axis.domain || [0, 1];
      const length = (to - from) * full._size.w;
      const middle = full._size.l + ((from + to) / 2) * full._size.w;
      const room = length > 0.95 * full._size.w ? 2 * Math.min(middle, wide - middle) - 8 : length;
      const size = size_of(axis.title.font, 14);
      const lines = text.split(/<br\s*\/?>/).flatMap((line) => (/<[a-z/]/i.test(line) ? [line] : lines_of(plain(line), room, size, `${size}px ${family}`).map(inert)));
      axis.title = { ...(typeof axis.title === "object" ? axis.title : {}), text: lines.join("<br>") };
    }
  }

  const count = (values) => (values && (values.length || (values.bdata ? values.bdata.length / 6 : 0))) || 0;

  /* What a trace takes beside the plot (names in the legend, a colour bar), without its many points: drawing those again and again takes seconds. */
  function light(trace) {
    const kept = Object.fromEntries(Object.entries(trace).filter(([key]) => !PER_POINT.includes(key)));
    if (trace.type === "heatmap" && trace.zmin !== undefined) {
      return { ...kept, x: [0], y: [0], z: [[0]] };
    }
    if (!["bar", "scatter"].includes(trace.type || "scatter") || Math.max(count(trace.x), count(trace.y)) <= 30) {
      return trace;
    }
    const marker = Object.fromEntries(Object.entries(trace.marker || {}).filter(([, value]) => !Array.isArray(value)));
    return { ...kept, marker, x: [null], y: [null] };
  }

  /* The figure ({data, layout}) with width, height and all that depends on them.
     fixed : its whole width (of a page), or 0: as wide as it needs; tallest : its whole height, as far as it can be kept; tall : the same where it is to
     be no lower either; showlegend : also where the
     screen shows the legend beside the figure; ranges: those of its axes, as drawn on screen, by name of the axis */
  async function fitted(Plotly, given, { fixed = 0, tallest = 0, tall = 0, showlegend = false, ranges = null } = {}) {
    const { figure, family } = prepared(given, showlegend);
    const { layout } = figure;
    const axes = name_axes(figure);
    const down = axes.filter((axis) => axis.key[0] === "y");
    let high = Math.max(layout.height ? layout.height - 130 : HIGH, down.length ? 140 : HIGH, height_of_titles(figure, family));
    down.forEach((axis) => {
      high = Math.max(high, along(axis, layout, family, high, HIGHEST));
    });
    const place = document.createElement("div");
    place.style.cssText = "position: absolute; left: -20000px; top: 0; visibility: hidden;";
    document.body.appendChild(place);
    try {
      /* Once to see how much room names at the left, legend and colour bar take; the names below come after that. */
      const across = axes.filter((axis) => axis.key[0] === "x" && layout[axis.key].showticklabels !== false);
      const bare = { ...layout, width: fixed || 1600, height: high + 900, autosize: false };
      across.forEach(({ key }) => {
        bare[key] = { ...layout[key], showticklabels: false };
      });
      let drawn = ranges ? figure.data.map(light) : figure.data;
      const seen = {};
      const axes_of = (one) => Object.keys(one).filter((key) => /^[xy]axis\d*$/.test(key) && one[key]);
      /* copies: Plotly writes the ranges that it finds into what it is given */
      const with_ranges = (one) => ({
        ...one,
        ...Object.fromEntries(axes_of(one).map((key) => [key, { ...one[key], ...(seen[key] ? { range: [...seen[key]], autorange: false } : one[key].range && { range: [...one[key].range] }) }])),
      });
      Object.assign(seen, ranges || {});
      await Plotly.newPlot(place, drawn, with_ranges(bare), { staticPlot: true });
      if (!ranges) {
        ranges_of(place._fullLayout, seen);
        /* one that is given is kept: where an axis has the scale of another (scaleanchor), it was made longer in this high figure */
        Object.assign(seen, ranges_of(given.layout));
        drawn = figure.data.map(light);
      }
      let full = place._fullLayout;
      const beside = full.showlegend && full.legend.orientation === "v";
      const least = Math.max(0, ...across.map((axis) => TIGHT[TIGHT.length - 1].reduce((a, b) => a * b) * axis.span));
      const narrow = full.legend && (full.legend._width > 0.34 * fixed || (full._size.w < least && full._size.w + full.legend._width > least));
      if (fixed && beside && (narrow || full.legend._height > high + 120)) {
        layout.legend = { ...layout.legend, orientation: "h", x: 0, y: layout.annotations && layout.annotations.length ? 1.08 : 1, xanchor: "left", yanchor: "bottom" };
        await Plotly.relayout(place, { legend: layout.legend });
        full = place._fullLayout;
      } else if (beside) {
        high = Math.max(high, full.legend._height + 4);
      }
      let wide = fixed ? full._size.w : WIDE;
      across.forEach((axis) => {
        wide = along(axis, layout, family, wide, fixed ? wide : WIDEST, fixed ? TIGHT : []);
      });
      numbers_beside(layout, wide, family);
      numbers_below(figure, wide, family);
      if (fixed) {
        wrap_titles(layout, full, fixed, family);
        room_behind_bars(figure, full, family);
      }
      const many = axes.find((axis) => axis.key === "xaxis");
      if (many) {
        const pitch = wide / many.span;
        group_names(layout, family, pitch);
        if (pitch < 4 && figure.data.some((trace) => trace.type === "bar")) {
          layout.bargap = 0;
        }
      }
      layout.autosize = false;
      layout.width = fixed || Math.round(wide + full._size.l + full._size.r);
      layout.height = Math.round(high + 500);
      for (let round = 0; round < 4; round += 1) {
        await Plotly.react(place, drawn, with_ranges(layout), { staticPlot: true });
        const { w, h } = place._fullLayout._size;
        const [dw, dh] = [fixed ? 0 : Math.round(wide - w), Math.round(high - h)];
        if (Math.abs(dw) <= 1 && Math.abs(dh) <= 1) {
          break;
        }
        layout.width += dw;
        layout.height += dh;
      }
      if (tall) {
        const legend = full.showlegend && full.legend.orientation === "v" ? full.legend._height + 4 : 0;
        const rows = down.map((axis) => (layout[axis.key].showticklabels === false ? 0 : size_of(layout[axis.key].tickfont, 13) * LINE * axis.span));
        layout.height = Math.max(tall, Math.ceil(layout.height - high + Math.max(140, height_of_titles(figure, family), legend, ...rows)));
      }
      if (tallest && layout.height > tallest) {
        const needed = Math.max(140, ...down.map((axis) => (layout[axis.key].showticklabels === false ? 0 : size_of(layout[axis.key].tickfont, 13) * LINE * axis.span)));
        layout.height = Math.max(tallest, layout.height - Math.max(0, high - needed));
      }
    } finally {
      Plotly.purge(place);
      place.remove();
    }
    return figure;
  }

  /* Ranges of a drawn figure's axes, by name of the axis. */
  function ranges_of(full, into = {}) {
    Object.keys(full).filter((name) => /^[xy]axis\d*$/.test(name) && full[name].range).forEach((name) => {
      into[name] = [...full[name].range];
    });
    return into;
  }

  return { fitted, ranges_of, lines_of };
})();
