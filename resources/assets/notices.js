/* Notices that pass by themselves lie over the end of the navigation: as long as they do, its list ends above them and scrolls. */
(() => {
  "use strict";
  const NOTICES = '.mantine-Notifications-root[data-position="bottom-left"]';
  const FOOT = 16; /* pixels between the foot of the list and that of the lowest notice */
  const sizes = new ResizeObserver((entries) => {
    const height = Math.ceil(entries.at(-1).target.getBoundingClientRect().height);
    document.documentElement.style.setProperty("--dcx-notices", `${height && height + FOOT}px`);
  });
  const search = new MutationObserver(() => {
    const found = document.querySelector(NOTICES);
    if (found) {
      sizes.observe(found);
      search.disconnect();
    }
  });
  search.observe(document.documentElement, { childList: true, subtree: true });
})();
