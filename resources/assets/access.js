/* Access. A browser sends its cookies to every port of a computer, so any other server there gets ours; what is kept in the storage of this origin (scheme,
   name and port) it does not get. Every request of the page carries the key that lies there: gui/guard.py gives it once, with the sign-in address.
   And what a person does is told, once, with the next callback: that puts off the locking of an idle session; what the page does by itself does not. */
(() => {
  "use strict";
  const KEY = "dcx-key";
  const SIGNED_OUT = "/_dcx/signed-out";
  const CALLBACK = "/_dash-update-component";
  const GESTURES = ["keydown", "pointerdown", "pointermove", "click", "wheel", "touchstart", "touchmove", "input", "drop"];

  function key() {
    try {
      return window.localStorage.getItem(KEY);
    } catch (_) {
      return null;
    }
  }

  const given = document.querySelector(`meta[name="${KEY}"]`);
  if (given) {
    try {
      window.localStorage.setItem(KEY, given.content);
      window.location.replace("/");
    } catch (_) {
      document.body.textContent = "DeconomiX cannot work in this browser: it keeps no data for this address. Allow it, then open a new sign-in address.";
    }
    return;
  }

  const leave = () => window.location.replace(SIGNED_OUT);
  if (!key()) {
    leave();
  }

  let gesture = null; /* time of day of the last one that was not told yet: time that the computer sleeps counts in it */
  let pointer = "";
  function seen(event) {
    if (!event.isTrusted || event.repeat) {
      return; /* made by a script, or by something that lies on a key */
    }
    if (event.type === "pointermove") {
      const place = `${event.screenX} ${event.screenY}`;
      const moved = pointer && place !== pointer; /* a page that changes under a pointer at rest makes such events too */
      pointer = place;
      if (!moved) {
        return;
      }
    }
    gesture = Date.now();
  }
  GESTURES.forEach((name) => document.addEventListener(name, seen, { capture: true, passive: true }));

  /* What a page's callbacks answer when it opens came with its layout (gui/shell/opening.py): such a request is answered here, once, if it is asked on the same
     values. A tab has one page, so what was answered for the page before it is forgotten. */
  let answered = [];

  function same(one, other) {
    if (one === other || ((one ?? null) === null && (other ?? null) === null)) {
      return true;
    }
    if (typeof one !== "object" || typeof other !== "object" || !one || !other || Array.isArray(one) !== Array.isArray(other)) {
      return false;
    }
    const names = Object.keys(one);
    return names.length === Object.keys(other).length && names.every((name) => name in other && same(one[name], other[name]));
  }

  const values = (items) => (items || []).map((item) => item.value ?? null);

  function answer_here(body) {
    let asked;
    try {
      asked = JSON.parse(body);
    } catch (_) {
      return null;
    }
    const place = answered.findIndex((one) => one.output === asked.output);
    if (place < 0) {
      return null;
    }
    const [found] = answered.splice(place, 1);
    if (!same(found.inputs, values(asked.inputs)) || !same(found.state, values(asked.state))) {
      return null;
    }
    return found.answer ? Response.json(found.answer) : new Response(null, { status: 204 });
  }

  function take_answers(response) {
    const read = response.json.bind(response);
    response.json = async () => {
      const content = await read();
      const store = content && content.response && content.response["dcx-answered"];
      if (store) {
        answered = store.data || [];
        delete content.response["dcx-answered"];
      }
      return content;
    };
    return response;
  }

  const fetch_plainly = window.fetch;
  window.fetch = async (resource, options = {}) => {
    const asked = resource instanceof Request ? resource : null;
    const url = new URL(asked ? asked.url : resource, window.location.href);
    if (url.origin !== window.location.origin) {
      return fetch_plainly(resource, options);
    }
    const callback = url.pathname === CALLBACK;
    const known = callback && answered.length ? answer_here(options.body) : null;
    if (known) {
      return known;
    }
    const headers = new Headers(options.headers || (asked ? asked.headers : undefined));
    headers.set("X-Dcx-Key", key() || "");
    const told = callback ? gesture : null;
    if (told !== null) {
      headers.set("X-Dcx-Gesture", Math.max(0, (Date.now() - told) / 1000).toFixed(1));
      gesture = null;
    }
    let answer;
    try {
      answer = await fetch_plainly(resource, { ...options, headers });
    } catch (error) {
      gesture = gesture ?? told; /* it was not heard */
      throw error;
    }
    if (answer.headers.has("X-Dcx-Signed-Out")) {
      leave();
    }
    return callback ? take_answers(answer) : answer;
  };

  async function sign_out() {
    try {
      await window.fetch("/_dcx/sign-out", { method: "POST" });
    } finally {
      window.localStorage.removeItem(KEY);
      leave();
    }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), sign_out };
})();
