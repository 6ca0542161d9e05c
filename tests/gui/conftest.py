"""A browser tab without a browser: it keeps the properties of the page and posts callbacks through
the real server.
"""

from __future__ import annotations

import functools
import gc
import json
from collections import deque
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.guard import GESTURE_HEADER
from gui.plugin import Context, Page
from gui.sessions.crypto import Cost, SessionKey
from gui.shell.navigation import page_layout
from tests.signing_in import sign_in

# Every test makes a program of some hundred thousand objects. To look through all that there is
# again and again for what can go took as long as to make it; a test that wants it gone asks for it.
gc.set_threshold(20_000, 20, 20)
ORIGIN = "http://127.0.0.1:8050"


def _components(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "props" in node and "type" in node:
            yield node["props"]
        for value in node.values():
            yield from _components(value)
    elif isinstance(node, list):
        for value in node:
            yield from _components(value)


def _key(component_id: Any) -> str:
    return (
        json.dumps(component_id, sort_keys=True, separators=(",", ":"))
        if isinstance(component_id, dict)
        else component_id
    )


@functools.lru_cache(maxsize=10_000)
def _matches(pattern: str, key: str) -> bool:
    """Whether an id is that of an input, which may be a pattern."""
    if not pattern.startswith("{"):
        return pattern == key
    if not key.startswith("{"):
        return False
    wanted, given = _parsed(pattern), _parsed(key)
    return wanted.keys() == given.keys() and all(
        isinstance(v, list) or given[k] == v for k, v in wanted.items()
    )


@functools.cache
def _outputs(output: str) -> list[tuple[str, str]]:
    """Ids and properties of a callback's outputs, out of what Dash calls it."""
    names = output[2:-2].split("...") if output.startswith("..") else [output]
    return [(n.rpartition(".")[0], n.rpartition(".")[2]) for n in names if "." in n]


def _value(item: Any) -> Any:
    return [one["value"] for one in item] if isinstance(item, list) else item["value"]


@functools.cache
def _parsed(component_id: str) -> dict[str, Any]:
    """Of an id or pattern with parts; it is compared again and again, never changed."""
    parts: dict[str, Any] = json.loads(component_id)
    return parts


class Tab:
    """What one tab knows.

    ``set`` changes properties as a user does and follows every callback that this triggers.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.client = application.server.test_client()
        sign_in(self.client, application.start_url(ORIGIN), ORIGIN)
        self.touched = True
        """A person does what is done now, as far as the page tells; False: the page does it by itself."""
        self.values: dict[tuple[str, str], Any] = {}
        self.notices: list[str] = []
        self.shown: list[dict[str, Any]] = []
        self.errors: dict[str, str] = {}
        """Notices on screen that do not go by themselves: id -> words."""
        self.statuses: list[int] = []
        self.asked: list[str] = []
        """Outputs of the callbacks that were requested, in order."""
        self.answered: dict[str, dict[str, Any]] = {}
        """What the callbacks of the page answered while it was made: output -> entry."""
        self.dependencies = [
            d
            for d in self.client.get("/_dash-dependencies", base_url=ORIGIN).json
            if not d.get("clientside_function")
        ]
        self._by_input: dict[str, list[int]] = {}
        """Id or pattern of an input -> positions of the callbacks that listen to it."""
        for number, dependency in enumerate(self.dependencies):
            for component_id in {i["id"] for i in dependency["inputs"]}:
                self._by_input.setdefault(component_id, []).append(number)
        self._patterns = [i for i in self._by_input if i.startswith("{")]
        self._by_output: dict[str, list[int]] = {}
        """Id of an output -> positions of the callbacks that are called when it appears."""
        for number, dependency in enumerate(self.dependencies):
            if not dependency.get("prevent_initial_call") and not dependency.get("no_output"):
                for component_id in {name for name, _ in _outputs(dependency["output"])}:
                    self._by_output.setdefault(component_id, []).append(number)
        self._take(self.client.get("/_dash-layout", base_url=ORIGIN).json)
        self.tick()

    def _take(self, node: Any) -> list[tuple[str, str]]:
        found = [(_key(props["id"]), props) for props in _components(node) if "id" in props]
        if found:
            replaced = {key for key, _ in found}
            for name in [k for k in self.values if k[0] in replaced]:
                del self.values[name]
        for key, props in found:
            self.values.update({(key, name): value for name, value in props.items()})
        return [(key, "*") for key, _ in found]

    def get(self, component_id: Any, prop: str) -> Any:
        return self.values.get((_key(component_id), prop))

    def text(self, component_id: Any, prop: str = "children") -> str:
        return json.dumps(self.get(component_id, prop), ensure_ascii=False)

    def click(self, component_id: Any) -> None:
        self.set({(_key(component_id), "n_clicks"): (self.get(component_id, "n_clicks") or 0) + 1})

    def tick(self) -> None:
        """What the interval does."""
        self.by_itself(
            {("dcx-interval", "n_intervals"): (self.get("dcx-interval", "n_intervals") or 0) + 1}
        )

    def by_itself(self, changes: dict[tuple[Any, str], Any]) -> None:
        """What the page changes without its user."""
        before, self.touched = self.touched, False
        try:
            self.set(changes)
        finally:
            self.touched = before

    def go(self, page: str) -> None:
        self.set({("dcx-location", "pathname"): f"/{page}"})

    def downloaded(self) -> list[tuple[str, bytes]]:
        """Name and content of what the last callback gave away, fetched as the page's links do:
        each can be fetched once.
        """
        answers = [
            self.client.get(f["url"], base_url=ORIGIN)
            for f in self.get("dcx-download", "data") or []
        ]
        assert all(
            a.status_code == 200 and a.headers["Content-Disposition"].startswith("attachment")
            for a in answers
        )
        return [
            (f["name"], a.data)
            for f, a in zip(self.get("dcx-download", "data") or [], answers, strict=True)
        ]

    def set(self, changes: dict[tuple[Any, str], Any]) -> None:
        changed = deque([(_key(i), p) for i, p in changes])
        self.values.update({(_key(i), p): v for (i, p), v in changes.items()})
        for _ in range(60):
            if not changed:
                return
            batch = list(dict.fromkeys(changed))
            changed.clear()
            appeared = {k for k, p in batch if p == "*"}
            for dependency in self._listening({k for k, _ in batch}, appeared):
                triggers = [
                    (k, p)
                    for k, p in batch
                    for i in dependency["inputs"]
                    if p in ("*", i["property"]) and _matches(i["id"], k)
                ]
                starts = any(name in appeared for name, _ in _outputs(dependency["output"]))
                if not (triggers or starts) or not self._present(dependency):
                    continue
                if dependency.get("prevent_initial_call") and all(p == "*" for _, p in triggers):
                    continue
                changed.extend(self._call(dependency, triggers))
        raise AssertionError("the callbacks do not come to an end")

    def _listening(self, keys: Collection[str], appeared: Collection[str]) -> list[dict[str, Any]]:
        """The callbacks with an input among these components, or an output among those that
        appeared, in the order of the page.
        """
        found = {number for key in keys for number in self._by_input.get(key, ())}
        found |= {number for key in appeared for number in self._by_output.get(key, ())}
        for key in (k for k in keys if k.startswith("{")):
            for pattern in self._patterns:
                if _matches(pattern, key):
                    found.update(self._by_input[pattern])
        return [self.dependencies[number] for number in sorted(found)]

    def _keys(self, pattern: str) -> list[str]:
        return [
            key
            for key, prop in list(self.values)
            if prop == "id" and key.startswith("{") and _matches(pattern, key)
        ]

    def _present(self, dependency: dict[str, Any]) -> bool:
        singles = [
            i["id"]
            for i in [*dependency["inputs"], *dependency["state"]]
            if not i["id"].startswith("{")
        ]
        return all((i, "id") in self.values for i in singles)

    def _spec(self, item: dict[str, Any]) -> Any:
        if item["id"].startswith("{"):
            return [
                {
                    "id": json.loads(k),
                    "property": item["property"],
                    "value": self.get(k, item["property"]),
                }
                for k in self._keys(item["id"])
            ]
        return {
            "id": item["id"],
            "property": item["property"],
            "value": self.values.get((item["id"], item["property"])),
        }

    def _call(
        self, dependency: dict[str, Any], triggers: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        output = dependency["output"]
        names = [] if dependency.get("no_output") else _outputs(output)
        outputs = [{"id": name, "property": prop} for name, prop in names]
        body = {
            "output": output,
            "outputs": outputs if output.startswith("..") else (outputs[0] if outputs else None),
            "inputs": [self._spec(i) for i in dependency["inputs"]],
            "state": [self._spec(i) for i in dependency["state"]],
            "changedPropIds": [
                f"{k}.{next(i['property'] for i in dependency['inputs'] if _matches(i['id'], k)) if p == '*' else p}"
                for k, p in triggers
            ],
        }
        known = self.answered.pop(output, None)
        values = [[_value(one) for one in body[kind]] for kind in ("inputs", "state")]
        if known is not None and [known["inputs"], known["state"]] == values:
            return self._receive(known.get("answer", {}))
        self.asked.append(output)
        headers = {"Origin": ORIGIN, **({GESTURE_HEADER: "0.0"} if self.touched else {})}
        answer = self.client.post(
            "/_dash-update-component", json=body, headers=headers, base_url=ORIGIN
        )
        self.statuses.append(answer.status_code)
        assert answer.status_code in (200, 204), answer.text
        if answer.status_code == 204:
            return []
        return self._receive(answer.json)

    def _receive(self, data: dict[str, Any]) -> list[tuple[str, str]]:
        """Take in what a callback answered; the properties that changed."""
        news: list[tuple[str, str]] = []
        if "dcx-answered" in (response := data.get("response") or {}):
            answered = response.pop("dcx-answered")["data"] or []
            self.answered = {one["output"]: one for one in answered}
        for updates in (data.get("response") or {}, data.get("sideUpdate") or {}):
            for key, props in updates.items():
                if key == "dcx-notices":
                    self.shown += props.get("sendNotifications", [])
                    self.notices += [str(n["message"]) for n in props.get("sendNotifications", [])]
                    self.errors |= {
                        n["id"]: str(n["message"])
                        for n in props.get("sendNotifications", [])
                        if n["autoClose"] is False
                    }
                    for gone in props.get("hideNotifications", []):
                        self.errors.pop(gone, None)
                for prop, value in props.items():
                    name = prop.partition("@")[0]
                    self.values[key, name] = value
                    news.append((key, name))
                    if name == "children":
                        news += self._take(value)
        return news


@pytest.fixture(scope="package", autouse=True)
def _forms_are_laid_out_once() -> Iterator[None]:
    """Every test makes a program of its own; what its pages look like without a session, from which
    it learns their ids, is the same each time: laid out once for each configuration.
    """
    known: dict[Any, Any] = {}

    def once(page: Page, ctx: Context) -> Any:
        program = ctx.program
        if any(one.is_plugin for one in (page, *ctx.pages)):
            return page_layout(page, ctx)
        seen = (
            (page.key, page.layout_function),
            program.config.model_dump_json(exclude={"folders"}),
            repr(program.settings.get()),
            tuple(method.key for method in program.methods),
            (type(program.files), program.sessions.single),
        )
        if seen not in known:
            known[seen] = page_layout(page, ctx)
        return known[seen]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gui.app.page_layout", once)
        yield


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """New passwords take a moment instead of half a second and 256 MB."""
    for made in (SessionKey.new.__func__, SessionKey.rewrapped):  # type: ignore[attr-defined]
        monkeypatch.setitem(made.__kwdefaults__, "cost", Cost(passes=1, memory=8192))


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """The whole program on folders of its own, without its worker (``start()``)."""
    app = create_app(Config.for_tests(tmp_path))
    yield app
    app.stop()


@pytest.fixture
def open_tab() -> Callable[[Application], Tab]:
    return Tab


@pytest.fixture
def tab(application: Application) -> Tab:
    return Tab(application)
