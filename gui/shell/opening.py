"""Opening a page in one request: its layout comes with what its callbacks answer when it appears.

Dash draws a layout, then asks for each callback with an output in it: one request each, wave after
wave. What they are asked is known when the layout is made, so they are asked then, and their
answers are written into the layout. The tab is told what was answered and on which values (the
Store ``dcx-answered``): ``resources/assets/access.js`` answers such a request itself while the
values are the same, and lets every other one through.
"""

from __future__ import annotations

import contextvars
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dash import Dash, html, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from plotly.io.json import to_json_plotly

log = logging.getLogger(__name__)
EXTENSION = "dcx-opening"
"""Under which the Flask application has its :class:`OpeningAnswers`."""
MAX_VALUES = 20_000
"""Characters of the values that a callback is asked with; with more of them it takes a request."""
MARK = "may_answer_on_opening"
"""An attribute of a callback's function: whether it may be asked while its page is made."""
NOTICES = {"dcx-notices": ("sendNotifications", "hideNotifications")}
"""What is added to, where other properties are replaced."""

Property = tuple[str, str]
"""Id and property."""


@dataclass(frozen=True)
class Initial:
    """A callback that Dash calls when one of its outputs appears.

    Attributes
    ----------
    key
        Its name in Dash's ``callback_map``.
    can_answer
        Whether it can be asked while the page is made.
    heard
        Whether others wait for its outputs to change; then its answer has to arrive as a change.
    """

    key: str
    outputs: frozenset[Property]
    inputs: tuple[Property, ...] = ()
    state: tuple[Property, ...] = ()
    can_answer: bool = False
    heard: bool = False


class OpeningAnswers:
    """What the callbacks of an application answer when a page opens.

    Made once all callbacks are bound; ``app`` is the application they are bound to.
    """

    def __init__(self, app: Dash) -> None:
        self._app = app
        changes = {
            (one["id"], one["property"])
            for spec in app._callback_list
            # one without output keeps what a person changes; what a page opens with is kept already
            if spec["prevent_initial_call"] and not spec["no_output"]
            for one in spec["inputs"]
        }
        self._initial = [
            _initial(app, spec, changes)
            for spec in app._callback_list
            if not spec["prevent_initial_call"] and not spec["no_output"]
        ]

    def write_into(self, layout: Any, shell: Mapping[Property, Any]) -> list[dict[str, Any]]:
        """Ask the callbacks of a page, and write their answers into its layout.

        Parameters
        ----------
        layout
            Component, or list of components; changed in place.
        shell
            Id and property -> value, of the components around the page.

        Returns
        -------
        What was answered: ``output``, and the values of ``inputs`` and ``state`` as the tab would
        send them; with ``answer`` where it has to arrive as a change.
        """
        page = PageUnderway(layout, dict(shell))
        waiting = [one for one in self._initial if any(map(page.holds, one.outputs))]
        answers: list[tuple[Initial, dict[str, Any]]] = []
        while ready := next((one for one in waiting if _is_ready(one, waiting, page)), None):
            waiting.remove(ready)
            answer = self._ask(ready, page)
            if answer is not None:
                answers.append((ready, answer))
            else:  # the tab asks it; so what it answers is not known here
                waiting.append(replace(ready, can_answer=False))
        page.send_aside()
        shown = page.components()
        known = [
            (one, answer)
            for one, answer in answers
            if all(shown.get(name) is page.found[name] for name, _ in one.outputs)
        ]
        # Dash forgets a callback that waits for another one which then changes nothing
        done = {one.key for one, _ in known if not one.heard}
        followed = {name for one in self._initial if one.key not in done for name in one.inputs}
        return [
            _entry(one, answer, page, arrives=one.heard or bool(one.outputs & followed))
            for one, answer in known
        ]

    def _ask(self, one: Initial, page: PageUnderway) -> dict[str, Any] | None:
        """Ask one callback; its answer as Dash sends it ({}: no change).

        None: it has to be left to the tab.
        """
        if len(json.dumps([page.value(name) for name in (*one.inputs, *one.state)])) > MAX_VALUES:
            return None
        try:
            answer = self._call(one, page)
        except PreventUpdate:
            return {}
        except Exception:
            log.exception("a callback failed while its page was made")
            return None
        for component_id, values in (answer.pop("sideUpdate", None) or {}).items():
            page.put_aside(component_id, values)
        page.put(answer.get("response") or {}, shown=not one.heard)
        return answer

    def _call(self, one: Initial, page: PageUnderway) -> dict[str, Any]:
        """Call it as Dash does for a request of the tab."""
        app = self._app
        outputs = [
            {"id": each.component_id, "property": each.component_property}
            for each in _listed(app.callback_map[one.key]["output"])
        ]
        body: Any = {
            "output": one.key,
            "outputs": outputs if one.key.startswith("..") else outputs[0],
            "inputs": _named(one.inputs, page),
            "state": _named(one.state, page),
            "changedPropIds": [],
        }
        call = app._initialize_context(body)
        function = app._prepare_callback(call, body)
        values = app._inputs_to_vals(call.inputs_list + call.states_list)
        run = app._execute_callback(function, values, call.outputs_list, call)
        answer: dict[str, Any] = json.loads(contextvars.copy_context().run(run))
        return answer


@dataclass
class PageUnderway:
    """The layout of a page that is made: its properties by id, read and written."""

    layout: Any
    known: dict[Property, Any]
    """Values that are not those of the layout: of what is around it, and those still to arrive."""
    found: dict[str, Component] = field(init=False)
    """Components by id, as the page's author laid them out."""
    aside: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What callbacks set beside their outputs."""

    def __post_init__(self) -> None:
        self.found = self.components()

    def components(self) -> dict[str, Component]:
        """What is in the layout now, by id."""
        inside: Iterator[Component] = html.Div(self.layout)._traverse_ids()
        return {one.id: one for one in inside if isinstance(one.id, str)}

    def holds(self, name: Property) -> bool:
        return name[0] in self.found

    def knows(self, name: Property) -> bool:
        return name in self.known or self.holds(name)

    def value(self, name: Property) -> Any:
        """What the tab would send of it, once the answers so far have arrived."""
        if name not in self.known:
            self.known[name] = self.before(name)
        return self.known[name]

    def before(self, name: Property) -> Any:
        """What the tab would send of it as it is in the layout."""
        return json.loads(to_json_plotly(getattr(self.found[name[0]], name[1], None)))

    def put(self, response: Mapping[str, Mapping[str, Any]], *, shown: bool) -> None:
        """Take an answer in: into the layout, or (not shown) for the callbacks that follow."""
        for component_id, values in response.items():
            for name, value in values.items():
                self.known[component_id, name] = value
                component = self.found.get(component_id) if shown else None
                # an empty property that appears is a change to some components
                if component is not None and (value is not None or hasattr(component, name)):
                    setattr(component, name, value)

    def put_aside(self, component_id: str, values: Mapping[str, Any]) -> None:
        kept = self.aside.setdefault(component_id, {})
        for name, value in values.items():
            adds = name in NOTICES.get(component_id, ())
            kept[name] = [*kept.get(name, ()), *value] if adds else value

    def send_aside(self) -> None:
        """Set it with the answer of the call that is going on."""
        for component_id, values in self.aside.items():
            set_props(component_id, values)


def _is_ready(one: Initial, waiting: Sequence[Initial], page: PageUnderway) -> bool:
    """Whether what it is asked with is known, and no other will change it."""
    needs = {*one.inputs, *one.state}
    return (
        one.can_answer
        and all(map(page.knows, needs))
        and all(map(page.holds, one.outputs))
        and not any(needs & other.outputs for other in waiting if other is not one)
    )


def _initial(app: Dash, spec: Mapping[str, Any], changes: set[Property]) -> Initial:
    """One entry of Dash's list of callbacks; changes : properties whose change others wait for."""
    key = str(spec["output"])
    names = (
        part.rpartition(".") for part in key.removeprefix("..").removesuffix("..").split("...")
    )
    outputs = frozenset((name, prop.partition("@")[0]) for name, _, prop in names)
    inputs, state = (
        tuple((one["id"], one["property"]) for one in spec[kind]) for kind in ("inputs", "state")
    )
    function = app.callback_map.get(key, {}).get("callback")
    return Initial(
        key,
        outputs,
        inputs,
        state,
        can_answer=bool(getattr(function, MARK, False))
        and not any(name.startswith("{") for name, _ in (*outputs, *inputs, *state)),
        heard=bool(outputs & changes),
    )


def _named(names: Sequence[Property], page: PageUnderway) -> list[dict[str, Any]]:
    return [
        {"id": name, "property": prop, "value": page.value((name, prop))} for name, prop in names
    ]


def _entry(
    one: Initial, answer: dict[str, Any], page: PageUnderway, *, arrives: bool
) -> dict[str, Any]:
    """What the tab is told of an answer: on which values it holds, and itself if it is to arrive.

    The values are those that the tab has when it asks: with all that was written into the layout.
    """

    def value(name: Property) -> Any:
        own = one.heard and name in one.outputs
        return page.before(name) if own else page.value(name)

    entry: dict[str, Any] = {
        "output": one.key,
        "inputs": [value(name) for name in one.inputs],
        "state": [value(name) for name in one.state],
    }
    return {**entry, "answer": answer} if arrives and answer else entry


def _listed(output: Any) -> Sequence[Any]:
    return output if isinstance(output, (list, tuple)) else [output]
