/* The user guide: links inside it change the address without loading the program anew, and a link to a heading scrolls there. */
(() => {
  "use strict";

  /* As gui/pages/help/book.py makes it. */
  const anchor = (text) => text.toLowerCase().replace(/λ₁/g, "lambda1").replace(/λ₂/g, "lambda2").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest('.dcx-help a[href^="/help"]') : null;
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    window.history.pushState({}, "", link.getAttribute("href"));
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate")); /* what dash's own links do */
  });

  /* The text is drawn a moment after it arrives, so the heading is waited for. */
  let waiting = 0;
  function help_scroll(hash) {
    const wanted = decodeURIComponent((hash || "").replace(/^#/, ""));
    const mine = ++waiting;
    const until = Date.now() + 5000;
    const look = () => {
      if (mine !== waiting) {
        return;
      }
      const heading = [...document.querySelectorAll(".dcx-help-text :is(h2, h3)")].find((h) => anchor(h.textContent) === wanted);
      if (heading) {
        document.querySelectorAll(".dcx-help-here").forEach((h) => h.classList.remove("dcx-help-here"));
        heading.classList.add("dcx-help-here");
        heading.tabIndex = -1;
        heading.scrollIntoView({ block: "start" });
        heading.focus({ preventScroll: true });
      } else if (Date.now() < until) {
        window.setTimeout(look, 50);
      }
    };
    if (wanted) {
      look();
    } else {
      window.scrollTo(0, 0);
    }
    return window.dash_clientside.no_update;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), help_scroll };
})();
