// Dash looks through every component that ever changed, at every change, for each component on screen that asks to be drawn again when something
// inside it changes. Mantine's tooltips and menu items ask for that and do not need it: what is inside draws itself. Without this, choosing and loading
// three files kept the page busy 3.5 to 4 times as long (dash 4.4, dash-mantine-components 2.8). Menus themselves need it: their lists change while closed.
["Tooltip", "FloatingTooltip", "MenuItem"].forEach((name) => {
    const component = (window.dash_mantine_components || {})[name];
    if (component) {
        delete component.dashChildrenUpdate;
    }
});
