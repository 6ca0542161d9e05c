/* The column of parameters folds away, on every page that has one, until the window is closed. */
(() => {
  "use strict";
  const KEY = "dcx-parameters";
  const root = document.documentElement;
  const set = (folded) => {
    if (folded) {
      root.dataset.dcxParameters = "folded";
    } else {
      delete root.dataset.dcxParameters;
    }
  };
  set(sessionStorage.getItem(KEY) === "folded");
  document.addEventListener("click", (event) => {
    const button = event.target.closest ? event.target.closest(".dcx-fold") : null;
    if (!button) {
      return;
    }
    const folded = button.classList.contains("dcx-fold-away");
    set(folded);
    sessionStorage.setItem(KEY, folded ? "folded" : "shown");
    const other = button.parentElement.querySelector(folded ? ".dcx-fold-back" : ".dcx-fold-away");
    other.focus(); /* the one that was pressed is gone */
    window.dispatchEvent(new Event("resize")); /* figures and tables take the width */
  });
})();
