/* A field that is too narrow for what it holds, such as the long name of a run in a select, shows the whole when the pointer is on it. */
(() => {
  "use strict";
  document.addEventListener("mouseover", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !["text", "search"].includes(field.type)) {
      return;
    }
    if (field.scrollWidth > field.clientWidth) {
      field.title = field.value;
      field.dataset.dcxTruncated = "";
    } else if ("dcxTruncated" in field.dataset) {
      field.removeAttribute("title");
      delete field.dataset.dcxTruncated;
    }
  });
})();
