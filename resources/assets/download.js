/* Fetches what a callback gave away: one link after the other, as if the user had clicked it. */
(() => {
  "use strict";
  const GAP = 400; /* milliseconds: Chromium drops downloads that begin in the same moment */
  let last = 0;

  function fetch_files(files) {
    for (const { url, name } of files || []) {
      const start = Math.max(Date.now(), last + GAP);
      last = start;
      setTimeout(() => {
        const link = document.createElement("a");
        link.href = url;
        link.download = name;
        link.hidden = true;
        document.body.appendChild(link);
        link.click();
        link.remove();
      }, start - Date.now());
    }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), fetch_files };
})();
