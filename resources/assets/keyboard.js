/* What dash-mantine-components leaves out for the keyboard and for screen readers. */
(() => {
  "use strict";
  const SAID = ["aria-haspopup", "aria-expanded", "aria-controls"];

  /* A menu's button stands in a box of dash-mantine-components, and Mantine tells the box what it should tell the button: that it opens a menu, whether
     the menu is open, and that the focus comes back to it. The box hands all of that on. */
  function hand_on(box) {
    const button = box.matches("div") ? box.querySelector("button") : null;
    if (!button) {
      return;
    }
    SAID.filter((name) => box.hasAttribute(name)).forEach((name) => {
      button.setAttribute(name, box.getAttribute(name));
      box.removeAttribute(name);
    });
    if (box.getAttribute("tabindex") !== "-1") {
      box.tabIndex = -1;
      box.addEventListener("focus", () => (box.querySelector("button") || box).focus());
    }
    if (button.getAttribute("aria-expanded") === "false") {
      button.removeAttribute("aria-controls"); /* what it names is not there while the menu is closed */
    }
  }
  new MutationObserver(() => document.querySelectorAll("div[aria-haspopup='menu'], div[id$='-target'][aria-expanded]").forEach(hand_on)).observe(
    document.documentElement,
    { childList: true, subtree: true, attributes: true, attributeFilter: SAID },
  );

  /* Escape closes the uppermost dialog only. Each one of Mantine listens by itself, on the window, and all that are open would close at once. */
  window.addEventListener("keydown", (event) => {
    const own = event.target instanceof Element && event.target.getAttribute("data-mantine-stop-propagation") === "true"; /* an open list takes the key first */
    if (event.key !== "Escape" || event.isComposing || own) {
      return;
    }
    const open = [...document.querySelectorAll(".mantine-Modal-content, .mantine-Drawer-content")].filter((one) => one.checkVisibility());
    const close = open.length > 1 && open.at(-1).querySelector(".mantine-Modal-close, .mantine-Drawer-close");
    if (close) {
      event.stopImmediatePropagation();
      close.click();
    }
  }, true);

  /* A proposed name is there to be typed over. */
  document.addEventListener("focusin", (event) => {
    if (event.target.id === "dcx-new-name") {
      event.target.select();
    }
  });

  /* Past header and navigation, without a change of the address (which the guide would follow). */
  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest(".dcx-skip") : null;
    if (link) {
      event.preventDefault();
      document.getElementById("dcx-outlet").focus();
    }
  });
})();
