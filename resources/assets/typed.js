/* A field that waits for the end of typing (debounce) delivers what it shows when the focus leaves it: the click that takes the focus, on "Run DTD", must
   not reach the server with what the field held before. */
(() => {
  "use strict";
  function component_of(id) {
    try {
      return window.dash_component_api.getLayout(id);
    } catch {
      return undefined; /* no component: a grid's own field, or a page without Dash */
    }
  }

  document.addEventListener("focusout", (event) => {
    const field = event.target;
    if (!field.id) {
      return;
    }
    const id = field.id.startsWith("{") ? JSON.parse(field.id) : field.id; /* of one of many fields */
    const component = component_of(id);
    if (!component || typeof component.props?.debounce !== "number") {
      return;
    }
    const { prefix = "", suffix = "", value: before } = component.props;
    let value = field.value;
    if (component.type === "NumberInput") {
      value = value.startsWith(prefix) ? value.slice(prefix.length) : value;
      value = value.endsWith(suffix) ? value.slice(0, value.length - suffix.length) : value;
      value = value.trim() === "" ? "" : Number(value);
      if (Number.isNaN(value)) {
        return; /* half a number, such as a minus sign */
      }
    }
    if (String(before ?? "") !== String(value)) {
      window.dash_clientside.set_props(id, { value });
    }
  }, true);
})();
