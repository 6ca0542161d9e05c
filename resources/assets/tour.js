/* The tour: which step is shown, what is outlined, and Escape. The steps and their texts come from gui/tour.py. */
(() => {
  "use strict";
  const MARK = "dcx-tour-target";
  let target = []; /* CSS selectors of what to look at now; empty while there is no tour */
  let found = null;

  const on_screen = (element) => element !== null && element.getClientRects().length > 0;

  /* Pages come and go and draw themselves anew, so what is outlined is looked for again and again while the tour is on. */
  function outline() {
    const now = target.map((selector) => document.querySelector(selector)).find(on_screen) || null;
    document.querySelectorAll(`.${MARK}`).forEach((element) => element !== now && element.classList.remove(MARK));
    if (now) {
      now.classList.add(MARK);
      if (now !== found) {
        now.scrollIntoView({ block: "nearest" });
      }
    }
    found = now;
  }
  window.setInterval(() => {
    if (target.length || found) {
      outline();
    }
  }, 300);

  function tour_move(at, steps) {
    const asked = window.dash_clientside.callback_context.triggered_id;
    const same = window.dash_clientside.no_update;
    if (!at || !asked) {
      return [same, same, same];
    }
    const step = at.step + (asked === "dcx-tour-back" ? -1 : 1);
    if (asked === "dcx-tour-close" || step >= steps.length) {
      return [null, same, same];
    }
    const path = `/${steps[Math.max(step, 0)].page}`;
    const there = window.location.pathname === path;
    return [{ step: Math.max(step, 0) }, there ? same : path, there ? same : ""];
  }

  function tour_show(at, steps) {
    const step = at && steps[at.step];
    const begins = step && !target.length;
    target = step ? step.target : [];
    outline();
    if (!step) {
      return [{ display: "none" }, "", "", "", true, "Next"];
    }
    if (begins) { /* so that Enter goes on; later the focus stays where the user has it */
      window.setTimeout(() => document.getElementById("dcx-tour-next")?.focus({ preventScroll: true }), 50);
    }
    const last = at.step === steps.length - 1;
    return [{}, step.title, step.text, `${at.step + 1} of ${steps.length}`, at.step === 0, last ? "End" : "Next"];
  }

  /* Escape closes what lies on top first: a dialog, a menu, a list. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) {
      return;
    }
    const above = document.querySelectorAll("[role=dialog], [role=menu], [role=listbox]");
    if ([...above].some(on_screen)) {
      return;
    }
    const button = target.length ? "dcx-tour-close" : on_screen(document.getElementById("dcx-welcome")) ? "dcx-welcome-skip" : null;
    if (button) {
      document.getElementById(button).click();
    }
  }, true);

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), tour_move, tour_show };
})();
