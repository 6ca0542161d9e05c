/* The dialog that saves a figure in a chosen size (gui/shell/export_dialog.py): preview, saving, copying. */
(() => {
  "use strict";
  const set_props = (...given) => window.dash_clientside.set_props(...given);
  const WAIT = 150; /* milliseconds: a figure takes as long to draw */
  const PRESETS = ["85", "120", "180"];
  let source = null; /* of the figure on screen: {graph, light, name} */
  let latest = 0;

  /* As gui.text.parse_number: a point or a comma. What might be thousands is above every limit or below it. */
  const number = (value) => (value === null || value === undefined || String(value).trim() === "" ? NaN : Number(String(value).replace(",", ".")));
  const within = (value, least, most) => number(value) >= least && number(value) <= most;

  /* "dtd_composition-bulk-bars" as "DTD composition bulk bars". */
  function readable(name) {
    const text = String(name || "figure").replace(/[_-]+/g, " ").replace(/\ba?dtd\b/gi, (word) => word.toUpperCase()).trim();
    return text.charAt(0).toUpperCase() + text.slice(1);
  }

  function open_export(clicks, light, graph, name, kept) {
    if (!clicks) {
      return;
    }
    source = { graph, light, name };
    for (const [key, value] of Object.entries(kept || {})) {
      if (key === "width") {
        const preset = value === null ? "0" : PRESETS.includes(String(value)) ? String(value) : "own";
        set_props("dcx-export-preset", { value: preset });
        set_props("dcx-export-width", { value: String(value === null ? 85 : value) });
      } else if (key === "height" || key === "font") {
        set_props(`dcx-export-${key}`, { value: value === null ? "" : String(value) });
      } else if (key === "legend" || key === "titled") {
        set_props(`dcx-export-${key}`, { checked: value });
      } else {
        set_props(`dcx-export-${key}`, { value });
      }
    }
    set_props("dcx-export-words", { value: readable(name) });
    set_props("dcx-export-image", { src: "" });
    set_props("dcx-export", { opened: true });
    set_props("dcx-export-drawn", { data: Date.now() });
  }

  /* What the controls say; {wrong: a sentence} where a number is not allowed. */
  function chosen(format, preset, width, height, font, dpi, colours, legend, titled, title) {
    const wanted = preset === "own" ? width : preset;
    const high = String(height ?? "").trim() === "" ? 0 : height;
    const limits = [
      [wanted === "0" || within(wanted, 30, 1000), "The width may be 30 to 1000 mm."],
      [high === 0 || within(high, 20, 1000), "The height may be 20 to 1000 mm; leave it empty for as high as needed."],
      [within(font, 4, 30), "The font size may be 4 to 30 pt."],
      [format !== "png" || within(dpi, 72, 1200), "The resolution may be 72 to 1200 dpi."],
    ];
    const wrong = limits.find(([good]) => !good);
    if (wrong) {
      return { wrong: wrong[1] };
    }
    const resolution = within(dpi, 72, 1200) ? Math.round(number(dpi)) : 300;
    return {
      options: { format, width: number(wanted), height: number(high), font: number(font), dpi: resolution, colours, legend, title: titled ? title || "" : "" },
      kept: { format, width: number(wanted) || null, height: number(high) || null, font: number(font), dpi: resolution, colours, legend, titled },
    };
  }

  const figure = () => (source ? window.dcxFigureExport.figure_of(source.graph) : null);

  async function preview_export(_drawn, ...controls) {
    const { no_update } = window.dash_clientside;
    const [format, preset] = controls;
    const disabled = [preset !== "own", format !== "png", !controls[8]];
    if (Number(preset) && number(controls[2]) !== Number(preset)) {
      window.dash_clientside.set_props("dcx-export-width", { value: Number(preset) }); /* greyed: it says what is drawn */
    }
    latest += 1;
    const mine = latest;
    await new Promise((resolve) => setTimeout(resolve, WAIT));
    if (mine !== latest) {
      return [no_update, no_update, ...disabled];
    }
    const { wrong, options } = chosen(...controls);
    if (wrong || !source || !(await window.dcxFigureExport.figure_soon(source.graph))) {
      return [no_update, wrong || "There is no figure to save.", ...disabled];
    }
    try {
      const found = await window.dcxFigureExport.drawn(figure(), source.light, options);
      if (mine !== latest) {
        return [no_update, no_update, ...disabled];
      }
      const [wide, high] = found.mm.map((value) => Math.round(value * 10) / 10);
      const dots = found.mm.map((value) => Math.round((value / 25.4) * options.dpi));
      const size = `${wide} × ${high} mm${format === "png" ? `, ${dots[0]} × ${dots[1]} pixels` : ", text as text"}.`;
      const tight = found.tight ? ` The figure needs at least ${high} mm of height with this font.` : "";
      return [window.dcxFigureExport.address_of(found.svg), size + tight, ...disabled];
    } catch (error) {
      return ["", `The figure could not be drawn in this size (${error.message || error}). Choose another width or font size.`, ...disabled];
    }
  }

  async function save_export(clicks, ...controls) {
    const { no_update } = window.dash_clientside;
    const { wrong, options, kept } = chosen(...controls);
    if (!clicks || wrong || !figure()) {
      return [no_update, no_update];
    }
    return [await window.dcxFigureExport.picture_of(figure(), source.light, { name: source.name, ...options }), kept];
  }

  async function copy_export(clicks, native, ...controls) {
    const { no_update } = window.dash_clientside;
    const { wrong, options } = chosen(...controls);
    if (!clicks || wrong || !figure()) {
      return no_update;
    }
    if (native) {
      return window.dcxFigureExport.picture_of(figure(), source.light, { name: source.name, ...options, format: "copy" });
    }
    /* Asked for at once, drawn after it: Safari forgets the click meanwhile. */
    const picture = window.dcxFigureExport
      .drawn(figure(), source.light, options)
      .then((found) => window.dcxFigureExport.canvas_of(found, options.dpi))
      .then((canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/png")));
    await window.dash_clientside.dcx.copy_picture(picture);
    return no_update;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), open_export, preview_export, save_export, copy_export };
})();
