/* Watches one page for tests/browser/controls.py: what a use of a control changed. Runs before the page's own scripts. */
(() => {
  "use strict";
  const QUIET = 120; /* ms without a change: what was asked for is drawn */
  const TIMERS = [150, 1500]; /* ms: what the page puts off by this much belongs to the use; what it puts off longer (a notice that passes) does not */
  const LOOK = 25; /* ms between two looks */
  const LONGEST = 300000; /* ms that anything may take: “All…” draws the figures of a whole session, on a busy machine */
  const now = () => performance.now();
  let flying = 0;
  let timers = 0;
  let touched = 0; /* when something last happened */
  let happened = []; /* what left the page since the use began: downloads, choosers, windows, the clipboard */

  /* -- what is under way: questions to the server, short timers, what is drawn */
  const fetching = window.fetch;
  window.fetch = (...args) => {
    flying += 1;
    return fetching(...args).finally(() => {
      flying -= 1;
      touched = now();
    });
  };
  const later = window.setTimeout;
  const waiting = new Set();
  window.setTimeout = (task, delay, ...args) => {
    const counted = delay >= TIMERS[0] && delay <= TIMERS[1];
    const id = later(
      (...given) => {
        waiting.delete(id);
        if (counted) touched = now();
        return typeof task === "function" ? task(...given) : undefined;
      },
      delay,
      ...args,
    );
    if (counted) waiting.add(id);
    return id;
  };
  const forget = window.clearTimeout;
  window.clearTimeout = (id) => {
    waiting.delete(id);
    forget(id);
  };

  /* -- what leaves the page */
  const clicking = HTMLElement.prototype.click;
  HTMLElement.prototype.click = function click() {
    if (this.matches("a[download]")) happened.push("download");
    if (this.matches("input[type=file]")) happened.push("chooser");
    return clicking.call(this);
  };
  document.addEventListener("copy", () => happened.push("copy"), true);
  window.open = () => {
    happened.push("window");
    return null;
  };

  /* -- what is on the page: every element with its attributes, texts and what is typed or ticked, but nothing that changes by itself */
  const BY_ITSELF = "script, style, #dcx-saved, #dcx-ticker, #dcx-keys, [role=tooltip], .ag-tooltip, .hoverlayer, .modebar, #js-plotly-tester, ._dash-loading-callback, .ag-aria-description-container";
  const MADE_UP = /^(:|_r|mantine-|clip|legend|topdefs|cell-|header-|ag-)/; /* ids that are new each time something is drawn */
  const IDS = ["id", "for", "name", "aria-controls", "aria-labelledby", "aria-describedby", "aria-owns", "clip-path", "comp-id", "data-portal"];
  const FLEETING = ["class", "data-dash-is-loading", "data-hover", "data-focus-outline", "data-keep-focus", "tabindex", "aria-activedescendant", "data-anchor"];
  function drawn(root, { menus }) {
    const lines = [];
    const visit = (element) => {
      if (element.matches(BY_ITSELF)) return;
      if (!menus && element.matches("[role=menu]")) return;
      if (element.parentElement === document.body && element.getBoundingClientRect().right < 0) return; /* where plotly draws what it saves */
      const svg = element instanceof SVGElement;
      const words = [element.tagName];
      for (const { name, value } of element.attributes) {
        const made_up = IDS.includes(name) && (svg || MADE_UP.test(value));
        const of_menu = !menus && ["aria-expanded", "data-expanded", "aria-haspopup"].includes(name);
        if (!made_up && !of_menu && !IDS.slice(3).includes(name) && !FLEETING.includes(name)) words.push(`${name}=${value}`);
      }
      if ("checked" in element) words.push(`checked=${element.checked}`);
      if ("value" in element && typeof element.value === "string" && element.tagName !== "LI") words.push(`value=${element.value}`);
      lines.push(words.join(" "));
      for (const child of element.childNodes) {
        if (child.nodeType === Node.TEXT_NODE && child.data.trim()) lines.push(child.data.trim());
        else if (child.nodeType === Node.ELEMENT_NODE) visit(child);
      }
    };
    visit(root);
    return lines;
  }
  const kept = () => {
    const of = (store) => Object.entries(store).filter(([name]) => !name.endsWith("-timestamp") && name !== "dcx-seen").sort();
    return JSON.stringify([of(localStorage), of(sessionStorage)]);
  };
  const scrolled = () => [window.scrollY, ...[...document.querySelectorAll("main, .dcx-help-main, #dcx-outlet")].map((e) => e.scrollTop)].join();
  let before = null;

  function look(control) {
    const menu = control.closest("[role=menu]");
    return {
      page: drawn(document.documentElement, { menus: !menu }),
      kept: kept(),
      address: location.href,
      scrolled: control.matches("a, a *") ? scrolled() : "",
    };
  }

  /* Which kinds of things are otherwise than before. */
  function effects() {
    const { control, seen } = before;
    const found = new Set(happened);
    const menu = seen.menu;
    const page = drawn(document.documentElement, { menus: !menu });
    if (page.length !== seen.page.length || page.some((line, i) => line !== seen.page[i])) {
      const [a, b] = [new Map(), new Map()];
      seen.page.forEach((line) => a.set(line, (a.get(line) || 0) + 1));
      page.forEach((line) => b.set(line, (b.get(line) || 0) + 1));
      const differing = [...new Set([...a.keys(), ...b.keys()])].filter((line) => a.get(line) !== b.get(line));
      before.differing = differing.slice(0, 6).map((line) => line.slice(0, 160));
      found.add("page");
    }
    if (kept() !== seen.kept) found.add("kept");
    if (location.href !== seen.address) found.add("address");
    if (control.matches("a, a *") && scrolled() !== seen.scrolled) found.add("scroll");
    const focus = document.activeElement;
    const elsewhere = focus && focus !== document.body && !focus.contains(control) && !control.contains(focus);
    if (control.matches("a, a *") && elsewhere && focus.matches("[tabindex='-1']")) found.add("focus");
    return [...found];
  }

  new MutationObserver(() => { touched = now(); }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });

  /* What unfolds or fades in is drawn when it has come to its end; a ring that turns has none. */
  const moving = () => document.getAnimations().some((one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity);
  const quiet = () => flying === 0 && waiting.size === 0 && now() - touched > QUIET && !moving();

  const visible = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 3 && box.height > 3 && element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  };
  const CONTROLS = [
    "button", "a[href]", "summary", "select", "[role=menuitem]", "[role=tab]", "[role=button]", "[role=switch]", "[role=option]",
    "input[type=checkbox]", "input[type=radio]", "input[type=button]", "input[aria-haspopup=listbox]",
  ].join();
  /* Not walked: plotly's own bar over each figure, ag-grid's own parts but for the boxes that tick a row, and notices, which pass by themselves. */
  const NOT_OURS = ".modebar *, .mantine-Notification-root *, .ag-header *, .ag-root-wrapper :not(.ag-cell *):not(.ag-cell), .ag-paging-panel *";
  const off = (e) => e.disabled || e.getAttribute("aria-disabled") === "true" || e.hasAttribute("data-disabled");
  const LAYERS = "[role=dialog]:not(.ag-tooltip), [role=menu], [role=listbox]";

  /* What is clicked for an element: boxes to tick are often hidden behind their label. */
  function handle(element) {
    if (visible(element) && getComputedStyle(element).opacity !== "0") return element;
    return [...(element.labels || []), element.closest(".ag-checkbox-input-wrapper")].find((at) => at && visible(at)) || null;
  }

  function name_of(element) {
    const text = element.getAttribute("aria-label") || (element.labels && element.labels[0] && element.labels[0].textContent) || element.textContent || "";
    return text.replace(/\s+/g, " ").trim().slice(0, 40);
  }
  const steady = (id) => id && !MADE_UP.test(id) && !id.includes("mantine-");
  /* The id that the program gave to the table of a row. */
  function grid_of(row) {
    let at = row.parentElement;
    while (at && !steady(at.id)) at = at.parentElement;
    return at ? at.id : "";
  }
  function key_of(element) {
    if (steady(element.id)) return `#${element.id}`;
    const row = element.closest(".ag-row");
    if (row) return `#${grid_of(row)} row “${row.getAttribute("row-id") || row.getAttribute("row-index")}” ${element.type === "checkbox" ? "tick" : name_of(element)}`;
    const field = element.closest(".mantine-InputWrapper-root")?.querySelector("input");
    if (field && field !== element && field.type === "text" && steady(field.id)) return `#${field.id} ${element.dataset.direction || "section"}`;
    const list = element.closest("[role=listbox]");
    const field_of_list = list && list.id && document.querySelector(`[aria-controls="${list.id}"]`);
    if (field_of_list && steady(field_of_list.id)) return `#${field_of_list.id} option “${name_of(element)}”`;
    let parent = element.parentElement;
    while (parent && !steady(parent.id)) parent = parent.parentElement;
    const role = element.getAttribute("role") || (element.tagName === "INPUT" ? element.type : element.tagName.toLowerCase());
    const layer = element.closest("[role=dialog]");
    const where = layer && parent && !layer.contains(parent) ? `dialog “${name_of(layer.querySelector("header, h2") || layer)}”` : parent ? `#${parent.id}` : "";
    return `${where} ${role} “${name_of(element)}”`;
  }
  function listed() {
    const seen = new Map();
    const layers = [...document.querySelectorAll(LAYERS)].filter(visible);
    const top = layers.at(-1);
    const found = [];
    for (const element of document.querySelectorAll(CONTROLS)) {
      if (element.matches(NOT_OURS) || off(element)) continue;
      const at = handle(element);
      if (!at || (top && !top.contains(element))) continue;
      const base = key_of(element);
      const number = (seen.get(base) || 0) + 1;
      seen.set(base, number);
      const role = element.getAttribute("role") || (element.tagName === "INPUT" ? element.type : element.tagName.toLowerCase());
      const chosen = element.checked === true || element.getAttribute("aria-pressed") === "true" || element.getAttribute("aria-selected") === "true" || element.getAttribute("aria-current") === "page" || element.hasAttribute("data-active");
      const pressed = element.hasAttribute("aria-pressed") ? "choice" : role;
      found.push({ element, at, key: number > 1 ? `${base} (${number})` : base, role: pressed, chosen, layered: Boolean(top) });
    }
    return found;
  }

  window.dcx_controls = {
    list: () => listed().map(({ key, role, chosen, layered }) => ({ key, role, chosen, layered })),
    at: (key) => {
      const found = listed().find((one) => one.key === key);
      return found ? found.at : null;
    },
    begin(key) {
      const { element } = listed().find((one) => one.key === key);
      happened = [];
      const seen = look(element);
      seen.menu = Boolean(element.closest("[role=menu]"));
      before = { control: element, seen, differing: [] };
    },
    rest: (patience) =>
      new Promise((resolve) => {
        const start = now();
        const check = () => (quiet() || now() - start > patience ? resolve(quiet()) : later(check, LOOK));
        check();
      }),
    effects: (patience) =>
      new Promise((resolve) => {
        const start = now();
        let last = -1;
        let idle = 0; /* looks at a page with nothing under way: those of a page that is busy drawing do not count */
        const check = () => {
          idle += quiet() ? 1 : 0;
          const found = quiet() && touched !== last ? effects() : [];
          last = quiet() ? touched : last;
          const over = idle * LOOK > patience || now() - start > LONGEST;
          if (found.length || over) return resolve({ effects: found.length ? found : effects(), differing: before.differing });
          return later(check, LOOK);
        };
        later(check, LOOK);
      }),
    layers: () => [...document.querySelectorAll(LAYERS)].filter(visible).length,
    notices: () => document.querySelectorAll(".mantine-Notification-closeButton").forEach((button) => clicking.call(button)),
  };
})();
