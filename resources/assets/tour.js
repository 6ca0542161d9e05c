/* The tour: which step is shown, what is outlined, and Escape. The steps and their texts come from gui/shell/tour.py. */
(() => {
  "use strict";
  const MARK = "dcx-tour-target";
  let target = []; /* CSS selectors of what to look at now; empty while there is no tour */
  let found = null;
  let begun = null; /* which click began it */

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

  /* What lies under a card can be scrolled free of it (data-dcx-card in the style sheet). */
  function make_room() {
    const shown = [...document.querySelectorAll(".dcx-tour")].some((card) => card.style.display !== "none");
    document.body.toggleAttribute("data-dcx-card", shown);
  }

  window.setInterval(() => {
    make_room();
    if (target.length || found) {
      outline();
    }
  }, 300);

  /* Whether the session holds what a step speaks of; the tour does not go to it before. */
  const ready = (step, held) => !step || !step.needs || (held || []).includes(step.needs);

  function tour_move(at, steps, held) {
    const asked = window.dash_clientside.callback_context.triggered_id;
    const same = window.dash_clientside.no_update;
    if (!at || !asked) {
      return [same, same, same];
    }
    const step = at.step + (asked === "dcx-tour-back" ? -1 : 1);
    if (asked === "dcx-tour-close" || step >= steps.length) {
      return [null, same, same];
    }
    if (step > at.step && !ready(steps[step], held)) {
      return [same, same, same];
    }
    const path = `/${steps[Math.max(step, 0)].page}`;
    const there = window.location.pathname === path;
    return [{ step: Math.max(step, 0) }, there ? same : path, there ? same : ""];
  }

  function tour_show(at, steps, held) {
    const step = at && steps[at.step];
    const begins = step && (!target.length || (at.begun && at.begun !== begun));
    begun = step ? at.begun || begun : null;
    target = step ? step.target : [];
    outline();
    if (!step) {
      return [{ display: "none" }, "", "", "", true, "Next", false, ""];
    }
    if (begins) { /* so that Enter goes on; later the focus stays where the user has it */
      window.setTimeout(() => document.getElementById("dcx-tour-next")?.focus({ preventScroll: true }), 50);
    }
    const next = steps[at.step + 1];
    const waits = [step, next].find((one) => !ready(one, held)); /* the step's own, where another session is shown now */
    const count = `${at.step + 1} of ${steps.length}`;
    const text = ready(step, held) ? step.text : "";
    return [{}, step.title, text, count, at.step === 0, next ? "Next" : "End", next !== undefined && waits !== undefined, waits ? waits.until : ""];
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
