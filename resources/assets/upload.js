/* Streams chosen or dropped files to the server (no base64 through a callback). A button with data-upload="<store id>" becomes
   a drop field; the Store gets {token, name, size} or {error}, and {files: [...]} of these where the button has data-multiple,
   or where files of one folder were given to a button with data-folder.
   With data-native a click is not for us: the server opens a native dialog. */
(() => {
  "use strict";
  const MOST = 500; // files of a folder, sent one after the other
  const target = (event) => event.target.closest && event.target.closest("[data-upload]");

  async function send(file, limit) {
    if (limit && file.size > limit * 1e6) {
      return { error: `${file.name} is larger than ${limit} MB, the most that may be sent here.` };
    }
    try {
      const response = await fetch(`/_dcx/upload?name=${encodeURIComponent(file.name)}`, {
        method: "POST",
        body: file,
        headers: { "Content-Type": "application/octet-stream" },
      });
      const json = (response.headers.get("Content-Type") || "").includes("json");
      return json ? await response.json() : { error: `${file.name} could not be received.` };
    } catch (_) {
      return { error: `${file.name} could not be read. Is it open in another program, or was it moved?` };
    }
  }

  async function take(button, list) {
    const several = button.dataset.multiple || button.dataset.folder;
    const files = Array.from(list).slice(0, several ? undefined : 1);
    if (!files.length) return;
    const words = button.lastChild;
    const before = words.textContent;
    const answers = [];
    button.setAttribute("aria-busy", "true");
    for (const [index, file] of files.entries()) {
      words.textContent = `Reading ${file.name}…` + (files.length > 1 ? ` (${index + 1} of ${files.length})` : "");
      answers.push(await send(file, Number(button.dataset.limit)));
    }
    button.removeAttribute("aria-busy");
    words.textContent = before;
    const answer = button.dataset.multiple || answers.length > 1 ? { files: answers } : answers[0];
    window.dash_clientside.set_props(button.dataset.upload, { data: { ...answer, at: Date.now() } });
  }

  // What was dropped; of a folder, what lies in it (not in folders within, and nothing hidden). Entries must be asked for before anything is awaited.
  async function dropped(button, transfer) {
    const files = Array.from(transfer.files);
    const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    if (!entries.some((entry) => entry && entry.isDirectory)) return take(button, files);
    if (files.length > 1 || !button.dataset.folder) return refuse(button, "A folder cannot be taken here. Drop the file itself.");
    const reader = entries[0].createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((done) => reader.readEntries(done, () => done([])));
      if (!some.length) break;
      found.push(...some.filter((entry) => entry.isFile && !entry.name.startsWith(".")));
    }
    const name = files[0].name;
    if (!found.length) return refuse(button, `There is no file in the folder ${name}.`);
    if (found.length > MOST) return refuse(button, `The folder ${name} holds more than ${MOST} files. Choose those you mean.`);
    const opened = await Promise.all(found.map((entry) => new Promise((done) => entry.file(done, () => done(null)))));
    return take(button, opened.filter(Boolean));
  }

  // Files of this computer dropped on the window, which the program knows by their paths already (desktop/drop.py); false: on no field.
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = window.dash_clientside.dcx || {};
  window.dash_clientside.dcx.dropped = (x, y, answers) => {
    const spot = document.elementFromPoint(x, y);
    const button = spot && spot.closest("[data-upload]");
    if (!button) return false;
    if (button.getAttribute("aria-busy")) return true;
    if (answers.some((answer) => answer.folder) && (answers.length > 1 || !button.dataset.folder)) {
      refuse(button, "A folder cannot be taken here. Drop the file itself.");
    } else if (answers.length > 1 && !button.dataset.multiple) {
      refuse(button, "One file is wanted here. Of several that belong together drop one, or their folder: the others are found.");
    } else {
      window.dash_clientside.set_props(button.dataset.upload, {
        data: { ...(button.dataset.multiple ? { files: answers } : answers[0]), at: Date.now() },
      });
    }
    return true;
  };

  function refuse(button, error) {
    window.dash_clientside.set_props(button.dataset.upload, { data: { error, at: Date.now() } });
  }

  document.addEventListener("click", (event) => {
    const button = target(event);
    if (!button || button.dataset.native || button.getAttribute("aria-busy")) return;
    const input = document.createElement("input");
    input.type = "file";
    input.accept = button.dataset.accept || "";
    input.multiple = Boolean(button.dataset.multiple || button.dataset.folder);
    input.addEventListener("change", () => take(button, input.files));
    input.click();
  });
  // Beside every field: sessions are opened and data offered (gui/shell/dropped.py). A dialog on screen wants its own files, in its own field.
  async function taken_anywhere(transfer) {
    const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    const files = Array.from(transfer.files).slice(0, MOST);
    if (!files.length || [...document.querySelectorAll("[role=dialog]")].some((dialog) => dialog.checkVisibility())) return;
    const answers = [];
    for (const [index, file] of files.entries()) {
      const folder = entries[index] && entries[index].isDirectory;
      answers.push(folder ? { error: `${file.name} is a folder. Drop it on the field it is for.` } : await send(file));
    }
    window.dash_clientside.set_props("dcx-dropped", { data: { files: answers, at: Date.now() } });
  }
  const carries_files = (event) => Boolean(event.dataTransfer) && Array.from(event.dataTransfer.types).includes("Files");

  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const button = target(event);
      if (name === "dragover" || name === "drop") event.preventDefault(); // a file dropped beside a field must not replace the page
      document.body.classList.toggle("dcx-over-page", name === "dragover" && !button && carries_files(event));
      if (!button) {
        if (name === "drop" && carries_files(event)) taken_anywhere(event.dataTransfer);
        return;
      }
      button.classList.toggle("dcx-over", name === "dragover");
      if (name === "drop" && !button.getAttribute("aria-busy")) dropped(button, event.dataTransfer);
    });
  }
})();
