/* What tables need in the page. First: a button in a row (a click gives the grid's cellRendererData {value: the row's id, at}), and a lock. */
(() => {
  "use strict";
  const functions = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  functions.DcxOpen = (props) =>
    props.value
      ? window.React.createElement(
          "button",
          { type: "button", className: "dcx-row-button", onClick: () => props.setData(props.data.id), "aria-label": `${props.value} ${props.data.name}` },
          props.value,
        )
      : null;
  functions.DcxLock = (props) =>
    props.value
      ? window.React.createElement("span", {
          className: "dcx-icon dcx-lock",
          style: { "--dcx-icon": `url(/assets/icons/${props.value === "locked" ? "lock" : "unlocked"}.svg)` },
          role: "img",
          "aria-label": `protected, ${props.value}`,
        })
      : null;
})();

/* A number typed into a column's filter, read as gui/text.py reads one: with a decimal point or comma; null for what is none or may be two ("1,000"). */
(() => {
  "use strict";
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  functions.dcx_number = (typed) => {
    const text = (typed || "").trim();
    if (text === "" || /^-?[1-9][0-9]{0,2}(,[0-9]{3})+$/.test(text)) {
      return null;
    }
    let plain = text.replace(",", ".");
    if (/^-?[0-9]{1,3}(\.[0-9]{3})+,[0-9]*$/.test(text)) {
      plain = text.replaceAll(".", "").replace(",", ".");
    } else if (/^-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]*$/.test(text)) {
      plain = text.replaceAll(",", "");
    }
    const value = Number(plain);
    return Number.isFinite(value) ? value : null;
  };
})();

/* Of a table on screen: which rows are shown in which order, as positions in its data, and the order of its columns; null for all as given. */
(() => {
  "use strict";
  function rows_on_screen(shown, all, state) {
    mark_soon();
    const fields = (state || []).map((column) => column.colId).filter((id) => id !== "c0");
    const moved = fields.some((id, at) => id !== `c${at + 1}`);
    let rows = null;
    if (shown && all) {
      const places = new Map();
      all.forEach((row, at) => {
        const key = JSON.stringify(row);
        if (!places.has(key)) {
          places.set(key, []);
        }
        places.get(key).push(at);
      });
      rows = shown.map((row) => (places.get(JSON.stringify(row)) || []).shift());
      const same = rows.length === all.length && rows.every((row, at) => row === at);
      rows = same || rows.includes(undefined) ? null : rows; /* undefined: the rows of another table, about to go */
    }
    return rows || moved ? { rows, columns: moved ? fields : null } : null;
  }
  /* Whether there are columns beyond the right edge: data-more of the box around the table, see .dcx-table in the style sheet. */
  function mark_more() {
    document.querySelectorAll(".dcx-table").forEach((box) => {
      const body = box.querySelector(".ag-center-cols-viewport");
      const hidden = body ? body.scrollWidth - body.clientWidth - body.scrollLeft : 0;
      if (hidden > 8) {
        box.dataset.more = "Scroll sideways for more columns";
      } else {
        delete box.dataset.more;
      }
    });
  }
  const mark_soon = () => window.setTimeout(() => window.requestAnimationFrame(mark_more), 50);
  document.addEventListener("scroll", (event) => event.target.closest && event.target.closest(".dcx-table") && mark_more(), true);
  window.addEventListener("resize", mark_soon);
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), rows_on_screen };
})();
