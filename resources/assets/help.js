/* The user guide: links inside it change the address without loading the program anew, and a link to a heading scrolls there. */
(() => {
  "use strict";

  /* As gui/pages/help/book.py makes it. */
  const anchor = (text) => text.toLowerCase().replace(/λ₁/g, "lambda1").replace(/λ₂/g, "lambda2").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest(':is(.dcx-help, .dcx-guide) a[href^="/help"]') : null;
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

  /* The "?" of a field: its section beside the page. It stands in a label, whose field must not take the click. */
  let asked = 0;
  function ask(event) {
    const mark = event.target.closest ? event.target.closest(".dcx-tip[data-topic]") : null;
    if (!mark || (event.type === "keydown" && event.key !== "Enter")) {
      return;
    }
    event.preventDefault();
    asked += 1;
    window.dash_clientside.set_props("dcx-guide-topic", { data: { topic: mark.dataset.topic, asked } });
  }
  document.addEventListener("click", ask);
  document.addEventListener("keydown", ask);

  /* The drawer at its section; drawer and text are drawn a moment after they arrive. */
  function guide_scroll() {
    const until = Date.now() + 5000;
    const look = () => {
      const mark = document.getElementById("dcx-guide-at");
      const wanted = mark ? mark.dataset.at : "";
      const heading = [...document.querySelectorAll(".dcx-guide :is(h2, h3)")].find((h) => anchor(h.textContent) === wanted);
      if (heading) {
        document.querySelectorAll(".dcx-guide .dcx-help-here").forEach((h) => h.classList.remove("dcx-help-here"));
        heading.classList.add("dcx-help-here");
        heading.scrollIntoView({ block: "start" });
      } else if ((!mark || wanted) && Date.now() < until) {
        window.setTimeout(look, 50);
      }
    };
    look();
    return window.dash_clientside.no_update;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), help_scroll, guide_scroll };
})();
