/* What tables need in the page: a button in a row (a click gives the grid's cellRendererData {value: the row's id, at}), and a lock. */
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
