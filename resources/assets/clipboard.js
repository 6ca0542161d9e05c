/* Text and pictures to the clipboard. A browser allows it for a moment after a click; where it does not, a notice says so. */
(() => {
  "use strict";
  /* The older way, for a page that is refused the newer one. */
  function by_selection(text) {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.cssText = "position: fixed; top: 0; left: -20000px;";
    const before = document.activeElement;
    document.body.appendChild(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (before && before.focus) {
      before.focus();
    }
    return copied;
  }

  async function copy_text(wanted) {
    if (!wanted || !wanted.text) {
      return;
    }
    let copied = true;
    try {
      await navigator.clipboard.writeText(wanted.text);
    } catch {
      copied = by_selection(wanted.text);
    }
    if (copied) {
      window.dcxNotify("Copied", `${wanted.what} is copied.`, "teal");
    } else {
      window.dcxNotify("Not copied", "The browser does not allow copying here. Save it as a file instead.", "yellow");
    }
  }

  /* picture: a promise of a Blob (PNG); the browser has to be asked before it is drawn. */
  async function copy_picture(picture) {
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
      window.dcxNotify("Copied", "The figure is copied as a picture.", "teal");
    } catch {
      window.dcxNotify("Not copied", "The browser does not allow copying pictures here. Save it as a file instead.", "yellow");
    }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), copy_text, copy_picture };
})();
