/* What tables need in the page: a button in a row. A click gives the grid's cellRendererData {value: the row's id, at}. */
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
})();
