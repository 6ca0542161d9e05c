/* Streams a chosen or dropped file to the server (no base64 through a callback). A button with data-upload="<store id>" becomes
   a drop field; the Store gets {token, name, size} or {error}. */
(() => {
  "use strict";
  const target = (event) => event.target.closest && event.target.closest("[data-upload]:not([data-upload=''])");

  async function send(button, file) {
    const store = button.dataset.upload;
    const words = button.lastChild;
    const before = words.textContent;
    button.setAttribute("aria-busy", "true");
    words.textContent = `Reading ${file.name}…`;
    let answer;
    try {
      const response = await fetch(`/_dcx/upload?name=${encodeURIComponent(file.name)}`, {
        method: "POST",
        body: file,
        headers: {
          Authorization: `Bearer ${document.getElementById("dcx-root").dataset.bearer}`,
          "Content-Type": "application/octet-stream",
        },
      });
      answer = (response.headers.get("Content-Type") || "").includes("json") ? await response.json() : { error: "The file could not be received." };
    } catch (_) {
      answer = { error: "The file could not be read. Is it open in another program, or was it moved?" };
    }
    button.removeAttribute("aria-busy");
    words.textContent = before;
    window.dash_clientside.set_props(store, { data: { ...answer, at: Date.now() } });
  }

  document.addEventListener("click", (event) => {
    const button = target(event);
    if (!button || button.getAttribute("aria-busy")) return;
    const input = document.createElement("input");
    input.type = "file";
    input.accept = button.dataset.accept || "";
    input.addEventListener("change", () => input.files.length && send(button, input.files[0]));
    input.click();
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const button = target(event);
      if (name === "dragover" || name === "drop") event.preventDefault(); // a file dropped beside a field must not replace the page
      if (!button) return;
      button.classList.toggle("dcx-over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) send(button, event.dataTransfer.files[0]);
    });
  }
})();
