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

  document.addEventListener("keydown", (event) => {
    const list = document.getElementById("dcx-keys");
    if (!list || event.isComposing || event.defaultPrevented) return;
    const action = JSON.parse(list.dataset.keys)[pressed(event)];
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || action.startsWith("zoom")) window.dash_clientside.set_props("dcx-command", { data: { action, at: Date.now() } });
  });
})();
