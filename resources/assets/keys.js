/* Shortcuts: #dcx-keys tells in data-keys which keys mean which action ({"Mod+Shift+S": "report"}); the action goes to the server by the
   Store dcx-command, as the window's menu sends it. Keys that a field, a grid or the browser needs itself are not in the list. */
(() => {
  "use strict";
  const mac = navigator.platform.startsWith("Mac");
  const names = { "+": "Plus", "=": "Plus", "-": "Minus", "_": "Minus", "/": "Slash" };

  function pressed(event) {
    const held = [];
    if (mac ? event.metaKey : event.ctrlKey) held.push("Mod");
    if (event.altKey || (mac ? event.ctrlKey : event.metaKey)) return "";
    let key = names[event.key] || (event.key.length === 1 ? event.key.toUpperCase() : event.key);
    if (held.length && event.code === "Slash") key = "Slash"; // "?" or, on other keyboards, another sign
    if (event.shiftKey && key !== "Plus" && key !== "Slash") held.push("Shift");
    return [...held, key].join("+");
  }

  function meaning(keys) {
    const list = document.getElementById("dcx-keys");
    return list ? JSON.parse(list.dataset.keys)[keys] : "";
  }
  function act(action) {
    if (action) window.dash_clientside.set_props("dcx-command", { data: { action, at: Date.now() } });
  }

  /* Until the page is there, nobody knows which keys mean something: what was pressed last waits for it. */
  let early = "";
  const loading = new MutationObserver(() => {
    if (!document.getElementById("dcx-keys")) return;
    loading.disconnect();
    window.setTimeout(() => act(meaning(early)));
  });
  loading.observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    const keys = pressed(event);
    if (!document.getElementById("dcx-keys")) {
      early = keys;
      if (keys === "F1") event.preventDefault(); /* not the browser's own help */
      return;
    }
    const action = meaning(keys);
    if (!action) return;
    event.preventDefault();
    if (action === "switch" && document.querySelector("#dcx-switch-list button")) return; /* the list is open: the focus stays in it */
    if (!event.repeat || action.startsWith("zoom")) act(action);
  });
})();
