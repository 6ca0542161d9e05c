"""Uses every control of a place twice in a row and says which of them did nothing.

Not a test; the watching itself is ``controls.js``.

A control is a button, link, menu entry, tab, switch, box to tick or choice: whatever is found on
the page, and in every menu and dialog that opens from it. It did something if the page, the
address, what the browser keeps, the scroll position or (a link) the focus is otherwise than before,
or if a download, a file chooser or a window came of it. That a menu closes is no effect of its
entries, and what changes by itself (the clock of a job, a tooltip) is none of anything.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, Page

LOG = logging.getLogger(__name__)
"""Each use with what came of it; ``--log-cli-level=INFO`` shows them as they happen."""

WATCH = Path(__file__).with_suffix(".js")
PATIENCE = 2_500
"""Milliseconds with nothing under way until a control that did nothing is taken for dead."""

REST = 120_000
"""Milliseconds that something under way may take, such as the loading of files."""

OPTIONS = 2
"""Entries of one list to choose from that are used."""

ELSEWHERE = {"address", "kept", "reload"}
"""Effects after which another page, or another session, may be on screen."""


@dataclass(frozen=True)
class Control:
    """key : its id, or where it is and what it is called; chosen : it is what is chosen now, so
    that choosing it again changes nothing.
    """

    key: str
    role: str
    chosen: bool
    layered: bool

    @property
    def choice(self) -> bool:
        """One of several, of which one is chosen: choosing it again changes nothing, and need
        not.
        """
        return self.role in ("radio", "tab", "option", "choice") or (
            self.role == "a" and self.chosen
        )

    @property
    def family(self) -> str:
        """What it is a choice of."""
        if self.role != "option" and '"index":' in self.key:
            return re.sub(r'"index":"[^"]*"', "", self.key)
        return self.key.rsplit(" “", 1)[0] if "“" in self.key else self.key.rsplit("-", 1)[0]


@dataclass
class Walker:
    """settle : called after each use, to wait for what the program does behind the page
    renew : makes the place as it was at first, where a use took away what is to be used once more
    skipped : whether a control is left alone (its key)
    alike : the kind of a control (its key): what comes of a use, such as another row of a table,
        has controls of kinds that were used already
    chooses : whether a menu entry chooses one of several: choosing it again changes nothing, so
        another is chosen in between
    brings : control -> the ones that bring what it takes away, in their order
    """

    page: Page
    settle: Callable[[], None] = lambda: None
    renew: Callable[[], None] = lambda: None
    skipped: Callable[[str], bool] = lambda _: False
    alike: Callable[[str], str] = lambda key: key
    chooses: Callable[[str], bool] = lambda _: False
    brings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    uses: Counter[str] = field(default_factory=Counter)
    options: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)
    dead: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    brought: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Control -> the way that it came by, and stayed: the tour, for example, goes on over pages."""
    began: float = field(default_factory=time.monotonic)
    moved: bool = False

    @staticmethod
    def watch(context: BrowserContext) -> None:
        context.add_init_script(path=WATCH)

    # -- one control
    # ----------------------------------------------------------------------------------------------
    def controls(self) -> list[Control]:
        """What can be used now: in the uppermost menu or dialog, or on the page."""
        return [Control(**one) for one in self.page.evaluate("window.dcx_controls.list()")]

    def rest(self) -> None:
        """Wait until nothing is under way."""
        self.page.evaluate("(ms) => window.dcx_controls.rest(ms)", REST)

    def click(self, key: str) -> list[str]:
        """Use it; what came of it."""
        self.page.evaluate("window.dcx_controls.notices()")
        self.rest()
        try:
            found = self._press(key)
        except Error as error:
            if "not attached" in str(error):  # the page drew it anew at that moment
                self.rest()
                found = self._press(key)
            elif "context was destroyed" in str(error) or "navigation" in str(error):
                self.page.wait_for_load_state()
                self.page.wait_for_selector("#dcx-nav a")
                found = {"effects": ["reload"]}
            else:
                raise
        self.moved = self.moved or bool(ELSEWHERE & set(found["effects"]))
        self.settle()
        self.uses[key] += bool(found["effects"])
        LOG.info(
            "%6.1f s  %s: %s",
            time.monotonic() - self.began,
            key,
            ", ".join(found["effects"]) or "nothing",
        )
        return list(found["effects"])

    def _press(self, key: str) -> dict[str, list[str]]:
        element = self.page.evaluate_handle(
            "(key) => window.dcx_controls.at(key)", key
        ).as_element()
        assert element is not None, f"{key} is not there any more"
        element.scroll_into_view_if_needed()
        self.page.evaluate("(key) => window.dcx_controls.begin(key)", key)
        # it comes to light when it has the focus
        if self.page.evaluate("(element) => element.getBoundingClientRect().bottom < 0", element):
            element.press("Enter")
        else:
            element.click()
        found: dict[str, list[str]] = self.page.evaluate(
            "(patience) => window.dcx_controls.effects(patience)", PATIENCE
        )
        return found

    # -- a place
    # ----------------------------------------------------------------------------------------------
    def walk(self, arrive: Callable[[], None]) -> None:
        """Every control that is found after ``arrive()``, which brings the place back to how it
        was, wherever the last use led.
        """
        arrive()
        self._all(arrive, (), set(self.used))

    def _all(
        self,
        arrive: Callable[[], None],
        way: tuple[str, ...],
        elsewhere: set[str],
        opened: set[str] = frozenset(),  # type: ignore[assignment]
    ) -> None:
        """What is found at the end of ``way``: of the controls that open it, one after the other.

        elsewhere : what belongs to other places
        opened : what the last of the way brought
        """

        def following() -> Control | None:
            new = [c for c in self.controls() if c.key not in elsewhere and self._new(c)]
            # choices last: another one may hide what is on the page now
            return min(new, key=lambda c: c.choice, default=None)

        while control := (None if self.moved else following()) or (
            following() if self._reach(arrive, way, opened) else None
        ):
            self.used.add(self.alike(control.key))
            self.options[control.family] += control.role == "option"
            before = {c.key for c in self.controls()}
            effects, after = self._twice(control, arrive, way)
            for other in (*after, *self.controls()):
                if other.key not in before:
                    self.brought.setdefault(other.key, (*way, control.key))
            fresh = {c.key for c in after if c.key not in before | elsewhere and self._new(c)}
            if (
                fresh
                and not ELSEWHERE & effects
                and (self._sees(fresh) or self._reach(arrive, (*way, control.key), fresh))
            ):
                self._all(arrive, (*way, control.key), elsewhere | before, fresh)

    def _twice(
        self, control: Control, arrive: Callable[[], None], way: tuple[str, ...]
    ) -> tuple[set[str], list[Control]]:
        """What came of it at the first use, and what could be used then."""
        nothing: tuple[set[str], list[Control]] = (set(), [])
        # the only one there is, or it was there for a moment
        if not self._ready(control, arrive, way):
            return nothing
        before = {c.key for c in self.controls()}
        first = set(self.click(control.key))
        if not first:
            self.dead.append(f"{control.key}: nothing at the first use")
            return nothing
        found = first, self.controls()
        instead = [c.key for c in found[1] if c.key not in before]
        there = self._again(control.key, arrive, way, instead)
        if there is None:
            self.gone.append(control.key)
            return found
        if self.chooses(control.key):
            other = next(
                c.key for c in self.controls() if self.chooses(c.key) and c.key != control.key
            )
            self.click(other)
            self._reach(arrive, way)
        # it was the other one, or there is none
        elif there.choice and (self.uses[control.key] > 1 or not self._ready(there, arrive, way)):
            return found
        if not self.click(there.key):
            self.dead.append(
                f"{control.key}: {', '.join(sorted(first))} at the first use, nothing at the second"
            )
        return found

    def _new(self, control: Control) -> bool:
        """Of a kind that was not used yet; of a long list a few entries do."""
        return (
            self.alike(control.key) not in self.used
            and not self.skipped(control.key)
            and self.options[control.family] < OPTIONS
        )

    def _find(self, key: str) -> Control | None:
        """The control, or, where its row is gone, another of its kind."""
        there = [c for c in self.controls() if self.alike(c.key) == self.alike(key)]
        exact = [c for c in there if c.key == key]
        return next(iter(exact or [c for c in there if not self.skipped(c.key)]), None)

    def _again(
        self, key: str, arrive: Callable[[], None], way: tuple[str, ...], instead: Sequence[str]
    ) -> Control | None:
        """The control once more after it was used, wherever that led.

        A number at its limit is taken back from it first, a field that was emptied is filled again,
        and what came instead of the control (Show, where Hide was) is used.
        """
        if there := self._find(key):
            return there
        name, _, direction = key.rpartition(" ")
        opposite = {"up": "down", "down": "up"}.get(direction)
        if opposite and self._find(f"{name} {opposite}"):
            self.click(f"{name} {opposite}")
            return self._find(key)
        if self._reach(arrive, way, {key}):
            return self._find(key)
        if self._opposite(key, instead):
            return self._find(key)
        if key in self.brought and self._reach(arrive, self.brought[key], {key}):
            return self._find(key)
        if key in self.brings and self._reach(arrive, self.brings[key], {key}):
            return self._find(key)
        self.renew()
        return self._find(key) if self._reach(arrive, way, {key}) else None

    def _opposite(self, key: str, instead: Sequence[str]) -> bool:
        """Whether the control is there again after what undoes its use."""
        field_of = key.removesuffix(" section")
        if field_of != key and self._find(field_of):
            self.click(field_of)
            options = [c for c in self.controls() if c.role == "option" and not c.chosen]
            if options:
                self.click(options[0].key)
            self.page.keyboard.press("Escape")
            self.rest()
        for other in instead:
            if not self._find(key) and self._find(other):
                self.click(other)
        return bool(self._find(key))

    def _reach(
        self, arrive: Callable[[], None], way: tuple[str, ...], wanted: set[str] | None = None
    ) -> bool:
        """Back to where ``way`` leads, through each menu and dialog on it; False if it leads there
        no more, or to none of what is wanted.
        """
        arrive()
        assert self.controls(), "the place is there, and nothing on it can be used"
        self.moved = False
        for key, then in zip(way, [*({key} for key in way[1:]), wanted or set()], strict=False):
            if then and self._sees(then):  # what was ticked, unfolded or chosen has stayed so
                continue
            there = self._find(key)
            if there is None:
                return False
            if not (there.chosen and there.choice):
                self.click(there.key)
                # it was ticked or unfolded, and was undone
                if (
                    then
                    and not self._sees(then)
                    and not there.choice
                    and (there := self._find(key))
                ):
                    self.click(there.key)
        return not wanted or self._sees(wanted)

    def _sees(self, wanted: set[str]) -> bool:
        kinds = {self.alike(key) for key in wanted}
        return any(self.alike(c.key) in kinds for c in self.controls())

    def _ready(self, control: Control, arrive: Callable[[], None], way: tuple[str, ...]) -> bool:
        """Whether it can be used so that something comes of it: another is chosen first, which may
        close the list that both are in.

        What was just seen may be folding up: the way to it is gone once more. What is there while
        a run goes on (its Stop) is gone when that has come to its end.
        """
        self.settle()
        if control.chosen and control.choice and not self._choose_another(control):
            return False
        return bool(self._find(control.key) or self._reach(arrive, way, {control.key}))

    def _choose_another(self, control: Control) -> bool:
        """The one that was used least."""
        others = [
            c
            for c in self.controls()
            if c.role == control.role and not c.chosen and c.family == control.family
        ]
        if others:
            self.click(min(others, key=lambda c: self.uses[c.key]).key)
        return bool(others)
