/* What tables need in the page: a button in a row (a click gives the grid's cellRendererData {value: the row's id, at}), a lock, and whether something is
   being typed in the sessions' table, which is then not filled anew: that would close the editor, and what was typed would be lost. */
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

  let typing = false;
  const look = () => {
    const now = Boolean(document.activeElement?.closest("#sessions-active :is(.ag-popup-editor, .ag-cell-inline-editing)"));
    if (now === typing) return;
    typing = now;
    if (document.getElementById("sessions-page")) window.dash_clientside.set_props("sessions-typing", { data: now });
  };
  document.addEventListener("focusin", look);
  document.addEventListener("focusout", () => setTimeout(look));
})();
