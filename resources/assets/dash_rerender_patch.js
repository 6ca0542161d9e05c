// Dash looks through every component that ever changed, at every change, for each component on screen that asks to be drawn again when something
// inside it changes. Mantine's tooltips and menu items ask for that and do not need it: what is inside draws itself. Without this, choosing and loading
// three files kept the page busy 3.5 to 4 times as long (dash 4.4, dash-mantine-components 2.8). The header's menus need it, their lists change while
// they are closed; a figure's save menu does not, and a page has a dozen (gui/components/figure.py: save_menu).
(() => {
    const mantine = window.dash_mantine_components;
    if (!mantine) {
        return;
    }
    ["Tooltip", "FloatingTooltip", "MenuItem"].forEach((name) => {
        if (mantine[name]) {
            delete mantine[name].dashChildrenUpdate;
        }
    });
    // What a menu lists is built anew each time it opens, out of what Dash handed over when the page was drawn: with n_clicks as it was then, so that a second click
    // would change nothing and reach nobody. _newRender is Dash's mark for "draw me as handed over, not as I am now": without it, an entry is drawn as it is now.
    const { Children, cloneElement, createElement, isValidElement } = window.React;
    const Dropdown = mantine.MenuDropdown;
    const now = (child) => (isValidElement(child) && typeof child.type !== "string" ? cloneElement(child, { _newRender: 0 }) : child);
    mantine.StillMenuDropdown = (props) => createElement(Dropdown, { ...props, children: Children.map(props.children, now) });
})();

// Every step of a callback (asked for, sent, answered, done) is an action of Dash's store, and at every action each component on screen looks whether its properties
// have changed: some 700 times for one page, of which fewer than 100 change any. Whoever waits for the store is told at once where the layout has changed, and
// once per turn of the event loop of everything else (as redux-toolkit's autoBatchEnhancer does). What changed the layout is never told together with another
// change: Dash keeps only what the last one of a component changed. Nor is it when Dash forgets how often a new component changed: counted from the beginning, its next
// change would have the number of an earlier one, and not be drawn.
(() => {
    let kept;
    const deferred = (store) => {
        const { subscribe } = store;
        store.subscribe = (listener) => {
            let told;
            let due = false;
            let changed = 0;
            const tell = () => {
                due = false;
                told = store.getState().layout;
                listener();
            };
            return subscribe(() => {
                const before = changed;
                const { layout, layoutHashes } = store.getState();
                changed = Object.keys(layoutHashes).length;
                if (layout !== told || changed < before) {
                    tell();
                } else if (!due) {
                    due = true;
                    window.setTimeout(() => due && tell(), 0);
                }
            });
        };
    };
    // Dash puts its store here once it is made, before React listens to it.
    Object.defineProperty(window, "store", {
        configurable: true,
        get: () => kept,
        set: (store) => {
            kept = store;
            mark_pending(store);
            deferred(store);
        },
    });

    // Whether anything in the page waits for the server: data-dcx-pending of #dcx-outlet. The style sheet could ask with :has(), but then every element of the page
    // would be styled anew whenever any of them changes.
    const mark_pending = (store) => {
        let seen;
        store.subscribe(() => {
            const { loading, paths } = store.getState();
            const outlet = loading !== seen && document.getElementById("dcx-outlet");
            if (outlet && paths.strs["dcx-outlet"]) {
                seen = loading;
                const inside = `${JSON.stringify(paths.strs["dcx-outlet"]).slice(0, -1)},`;
                const pending = Object.keys(loading).some((path) => loading[path].length > 0 && path.startsWith(inside));
                outlet.toggleAttribute("data-dcx-pending", pending);
            }
        });
    };
})();

// What is in a tab that nobody opens costs as much as what is read: the content of a tab, and a table, is built when it has a place on screen for the first time.
// Callbacks reach it before as well, as Dash keeps what they answer. Dash's components are loaded before this file.
(() => {
    const { React, ReactDOM, dash_ag_grid: suite, dash_mantine_components: mantine } = window;
    if (!suite || !mantine) {
        return;
    }
    const { Children, cloneElement, createElement, isValidElement, useEffect, useRef, useState } = React;

    /* [whether it was ever on screen, the ref for what waits in its place]. It is built in one go: a new component of Dash forgets, a moment after it was drawn, what
       changed until then, and an answer that came in between would not be shown. */
    function useSeen() {
        const place = useRef(null);
        const [seen, see] = useState(false);
        useEffect(() => {
            if (seen) {
                return undefined;
            }
            const build = () => place.current && ReactDOM.flushSync(() => see(true));
            const sizes = new ResizeObserver(() => place.current && place.current.getClientRects().length > 0 && window.requestAnimationFrame(build));
            sizes.observe(place.current);
            return () => sizes.disconnect();
        }, [seen]);
        return [seen, place];
    }

    const { AgGrid } = suite;
    const WaitingGrid = (props) => {
        const [seen, place] = useSeen();
        const loading = window.dash_component_api.useDashContext().useLoading();
        return seen
            ? createElement(AgGrid, props)
            : createElement("div", { id: props.id, ref: place, className: props.className, style: props.style, "data-dash-is-loading": loading || undefined });
    };
    window.dash_ag_grid = Object.create(suite, { AgGrid: { value: Object.assign(WaitingGrid, AgGrid) } });

    /* Without Dash's mark for "draw me as handed over" (see above): callbacks may have answered since. What is handed over later is drawn as it is. */
    const now = (child) => (isValidElement(child) && typeof child.type !== "string" ? cloneElement(child, { _newRender: 0 }) : child);
    const Waiting = ({ children }) => {
        const [seen, place] = useSeen();
        const first = useRef(null);
        if (!seen) {
            return createElement("div", { ref: place, style: { height: 1 } });
        }
        first.current = first.current || { children };
        return first.current.children === children ? Children.map(children, now) : children;
    };
    const { TabsPanel } = mantine;
    const WaitingPanel = (props) => createElement(TabsPanel, { ...props, children: createElement(Waiting, null, props.children) });
    window.dash_mantine_components = Object.create(mantine, { TabsPanel: { value: Object.assign(WaitingPanel, TabsPanel) } });
})();
