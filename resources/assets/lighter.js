// Dash looks through every component that ever changed, at every change, for each component on screen that asks to be drawn again when something
// inside it changes. Mantine's tooltips and menu items ask for that and do not need it: what is inside draws itself. With a page of figures and tables
// this was 75 of 80 seconds of computing while files were loaded (dash 4.4, dash-mantine-components 2.8).
["Tooltip", "FloatingTooltip", "MenuItem"].forEach((name) => {
    const component = (window.dash_mantine_components || {})[name];
    if (component) {
        delete component.dashChildrenUpdate;
    }
});
