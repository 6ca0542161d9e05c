/* Figures in words for screen readers: the page's sentence, what is drawn over what, and the numbers as a table. It is made of what Plotly drew, so that
   the figures of plug-ins have it too. The drawing itself is hidden from screen readers: hundreds of loose numbers;
   its buttons are not. */
(() => {
  "use strict";
  const MOST_ROWS = 200; /* more are summed up: one row a series */
  const MARKS = "dcx-figure-text";

  /* Names in figures are inert HTML (gui/figures/text.py: inert); titles hold <br> and <b>. */
  const plain = (text) => String(text === undefined || text === null ? "" : text)
    .replace(/<br\s*\/?>/g, " ").replace(/<[^>]*>/g, "").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&").trim();

  const digits = (value) => (typeof value !== "number" ? plain(value) : Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "");
  const present = (value) => value !== null && value !== undefined && value !== "" && !(typeof value === "number" && !Number.isFinite(value));

  /* An axis's name for a position: of its labels (gui/figures/axes.py: name_axis), its ticks, or the number. */
  function named(axis, value) {
    if (axis && axis.labelalias && Object.prototype.hasOwnProperty.call(axis.labelalias, String(Math.round(value)))) {
      return plain(axis.labelalias[String(Math.round(value))]);
    }
    if (axis && axis.ticktext && axis.tickvals) {
      const at = [...axis.tickvals].indexOf(value);
      return at >= 0 ? plain(axis.ticktext[at]) : digits(value);
    }
    return digits(value);
  }

  const title_of = (full, name) => {
    const axes = Object.keys(full).filter((key) => new RegExp(`^${name}axis\\d*$`).test(key));
    return plain(axes.map((key) => full[key].title && full[key].title.text).find((text) => text && !/^Click to enter/.test(text)) || "");
  };
  const axis_of = (full, trace, letter) => full[`${letter}axis${(trace[`${letter}axis`] || letter).slice(1)}`];
  const named_axis = (axis) => Boolean(axis && (axis.labelalias || axis.ticktext || axis.type === "category"));

  function interval(error, value, at) {
    if (!error || !error.visible || !error.array || !present(error.array[at])) {
      return "";
    }
    const below = error.symmetric === false && error.arrayminus ? error.arrayminus[at] : error.array[at];
    return `${digits(value - below)} to ${digits(value + error.array[at])}`;
  }

  /* Rows [series, where, value, interval] of a trace. */
  function rows_of(trace, full) {
    const series = plain(trace.meta && typeof trace.meta === "string" ? trace.meta : trace.name);
    const [x_axis, y_axis] = [axis_of(full, trace, "x"), axis_of(full, trace, "y")];
    if (trace.type === "heatmap") {
      return [...trace.z].flatMap((line, i) => [...line].map((value, j) => [named(y_axis, trace.y ? trace.y[i] : i), named(x_axis, trace.x ? trace.x[j] : j), value, ""]))
        .filter((row) => present(row[2]));
    }
    if (trace.type === "box" || trace.type === "violin") {
      const flat = trace.orientation === "h";
      const [places, values] = flat ? [trace.y, trace.x] : [trace.x, trace.y];
      return [...(values || [])].map((value, i) => [series, places ? named(flat ? y_axis : x_axis, places[i]) : series, value, ""]).filter((row) => present(row[2]));
    }
    if (!trace.x || !trace.y) {
      return [];
    }
    const across = trace.orientation === "h" || (named_axis(y_axis) && !named_axis(x_axis));
    const [places, values, axis, error] = across ? [trace.y, trace.x, y_axis, trace.error_x] : [trace.x, trace.y, x_axis, trace.error_y];
    return [...values].map((value, i) => [series, named(axis, places[i]), value, interval(error, value, i)]).filter((row) => present(row[2]) && typeof row[2] === "number");
  }

  /* A helper of the drawing, such as a line of equality, has no name and tells nothing on hover. */
  const tells = (trace) => trace.visible !== false && trace.visible !== "legendonly" && (trace.hoverinfo !== "skip" || trace.error_x || trace.error_y) && trace.opacity !== 0;

  function summed_up(rows) {
    const series = new Map();
    rows.forEach((row) => {
      if (!series.has(row[0])) {
        series.set(row[0], []);
      }
      series.get(row[0]).push(row);
    });
    return [...series].map(([name, own]) => {
      const sorted = own.sort((a, b) => a[2] - b[2]);
      const [low, high] = [sorted[0], sorted[sorted.length - 1]];
      return [name, String(own.length), `${digits(low[2])} (${low[1]})`, digits(sorted[Math.floor((sorted.length - 1) / 2)][2]), `${digits(high[2])} (${high[1]})`];
    });
  }

  function table_of(head, rows, caption) {
    const table = document.createElement("table");
    table.createCaption().textContent = caption;
    const line = table.createTHead().insertRow();
    head.forEach((text) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = text;
      line.append(cell);
    });
    const body = table.createTBody();
    rows.forEach((row) => {
      const shown = body.insertRow();
      row.forEach((text) => {
        shown.insertCell().textContent = text;
      });
    });
    return table;
  }

  const KINDS = { bar: "Bars", heatmap: "Heatmap", box: "Boxes", violin: "Violins", scatter: "Lines and dots" };

  /* {sentence, head, rows, caption} of a drawn figure. */
  function described(plot) {
    const full = plot._fullLayout;
    const traces = plot._fullData.filter(tells);
    const rows = traces.flatMap((trace) => rows_of(trace, full));
    const kinds = [...new Set(traces.map((trace) => KINDS[trace.type] || trace.type))];
    const [across, up] = [title_of(full, "x"), title_of(full, "y")];
    const axes = [across && `Horizontal axis: ${across}.`, up && `Vertical axis: ${up}.`].filter(Boolean).join(" ");
    const notes = (full.annotations || []).map((note) => plain(note.text)).filter(Boolean).slice(0, 12);
    const sentence = [`${kinds.join(", ") || "Empty"}.`, axes, notes.length ? `Marked: ${notes.join("; ")}.` : ""].filter(Boolean).join(" ");
    const valued = traces.some((trace) => trace.type === "heatmap") ? plain((traces.find((trace) => trace.colorbar) || { colorbar: {} }).colorbar.title?.text) : "";
    const value = valued || (traces.some((trace) => trace.orientation === "h") ? across : up) || "Value";
    if (rows.length > MOST_ROWS) {
      const head = ["Name", "How many", "Lowest (where)", "Median", "Highest (where)"];
      return { sentence, head, rows: summed_up(rows).slice(0, MOST_ROWS), caption: `${value}; ${rows.length} values, summed up. The table of this tab, or a saved one, holds all.` };
    }
    const with_interval = rows.some((row) => row[3]);
    const head = ["Name", "Where", value, ...(with_interval ? ["Interval"] : [])];
    return { sentence, head, rows: rows.map((row) => [row[0], row[1], digits(row[2]), ...(with_interval ? [row[3]] : [])]), caption: `${value}, ${rows.length} values` };
  }

  let count = 0;
  function write(plot) {
    const box = plot.closest(".dcx-figure");
    if (!box || !plot._fullData || !plot._fullLayout) {
      return;
    }
    const page = plot.closest("[id$='-page']");
    /* the answer of the page; of several, that of the tab in view */
    const answer = page && [...page.querySelectorAll("[id$='-answer']")].find((one) => one.checkVisibility() && one.innerText.trim());
    const { sentence, head, rows, caption } = described(plot);
    let words = box.querySelector(`:scope > .${MARKS}`);
    if (!words) {
      words = document.createElement("div");
      words.className = `${MARKS} dcx-heard`;
      words.id = `dcx-figure-text-${(count += 1)}`;
      box.append(words);
    }
    const first = document.createElement("p");
    first.id = `${words.id}-sentence`;
    first.textContent = [answer ? answer.innerText.trim().slice(0, 600) : "", sentence].filter(Boolean).join(" ");
    words.replaceChildren(first, ...(rows.length ? [table_of(head, rows, caption)] : []));
    box.setAttribute("role", "group");
    box.setAttribute("aria-roledescription", "figure");
    box.setAttribute("aria-label", "Figure");
    box.setAttribute("aria-describedby", first.id);
    plot.querySelectorAll("svg.main-svg").forEach((drawing) => drawing.setAttribute("aria-hidden", "true"));
  }

  /* After the last of several redraws; what is only dragged or zoomed says the same. */
  const waiting = new Map();
  function write_soon(plot) {
    window.clearTimeout(waiting.get(plot));
    waiting.set(plot, window.setTimeout(() => {
      waiting.delete(plot);
      if (plot.isConnected) {
        write(plot);
      }
    }, 200));
  }
  const known = new WeakSet();
  new MutationObserver(() => {
    document.querySelectorAll(".dcx-figure .js-plotly-plot").forEach((plot) => {
      if (!known.has(plot) && typeof plot.on === "function") {
        known.add(plot);
        plot.on("plotly_afterplot", () => write_soon(plot));
        write_soon(plot);
      }
    });
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
