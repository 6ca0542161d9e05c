/* A field that waits for the end of typing (debounce) delivers what it shows when the focus leaves it: the click that takes the focus, on "Run DTD", must
   not reach the server with what the field held before. */
(() => {
  "use strict";
  let typed = null;

  function component_of(id) {
    try {
      return window.dash_component_api.getLayout(id);
    } catch {
      return undefined; /* no component: a grid's own field, or a page without Dash */
    }
  }

  document.addEventListener("input", (event) => {
    typed = event.target;
  }, true);
  document.addEventListener("focusout", (event) => {
    const field = event.target;
    if (field !== typed || !field.id) {
      return;
    }
    typed = null;
    const id = field.id.startsWith("{") ? JSON.parse(field.id) : field.id; /* of one of many fields */
    const component = component_of(id);
    if (!component || typeof component.props?.debounce !== "number") {
      return;
    }
    const isNumber = component.type === "NumberInput" && field.value !== "" && Number.isFinite(Number(field.value));
    const value = isNumber ? Number(field.value) : field.value;
    if (component.props.value !== value) {
      window.dash_clientside.set_props(id, { value });
    }
  }, true);
})();
