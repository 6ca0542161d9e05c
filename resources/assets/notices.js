/* Notices lie over the end of the navigation (those that pass by themselves) or of the page (errors): as long as they do, its list or the page ends above them and scrolls. */
(() => {
  "use strict";
  const HEIGHTS = { "bottom-left": "--dcx-notices", "bottom-right": "--dcx-errors" };
  const FOOT = 16; /* pixels between the foot of the list and that of the lowest notice */
  window.dcxNotify = (title, message, color) => {
    window.dash_clientside.set_props("dcx-notices", { sendNotifications: [{ action: "show", id: `notice-${Date.now()}`, title, message, color }] });
  };

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const height = Math.ceil(target.getBoundingClientRect().height);
      document.documentElement.style.setProperty(HEIGHTS[target.dataset.position], `${height && height + FOOT}px`);
    }
  });
  const missing = new Set(Object.keys(HEIGHTS));
  const search = new MutationObserver(() => {
    for (const position of missing) {
      const found = document.querySelector(`.mantine-Notifications-root[data-position="${position}"]`);
      if (found) {
        sizes.observe(found);
        missing.delete(position);
      }
    }
    if (!missing.size) search.disconnect();
  });
  search.observe(document.documentElement, { childList: true, subtree: true });
})();
