"""Finds the pages: built in, entry points ``deconomix_gui.pages``, files in the user's plug-in
folder.

A broken one is named, never fatal.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from gui import source_file
from gui.errors import PluginError
from gui.methods.method import Method
from gui.methods.registry import BUILT_IN, check_method
from gui.plugin import Page
from gui.source_file import load_source

log = logging.getLogger(__name__)
GROUP = "deconomix_gui.pages"
RESERVED = {"dcx", "assets", "shell", "train", "bulk", "dataset"}


@dataclass(frozen=True)
class Registry:
    """pages in the order of the workflow; errors: what was left out and why, for a notice; methods:
    built in and of plug-ins.
    """

    pages: tuple[Page, ...]
    errors: tuple[PluginError, ...]
    methods: tuple[Method, ...] = tuple(BUILT_IN.values())

    def page(self, key: str) -> Page | None:
        return next((p for p in self.pages if p.key == key), None)

    def without(self, key: str) -> Registry:
        """The same without one page."""
        return Registry(tuple(p for p in self.pages if p.key != key), self.errors, self.methods)

    @property
    def plugin_modules(self) -> frozenset[str]:
        """The modules that plug-in pages are defined in."""
        return frozenset(
            page.layout_function.__module__
            for page in self.pages
            if page.layout_function is not None and page.is_plugin
        )


def find_pages(plugin_folder: Path | None = None) -> Registry:
    """All pages that can be used, in dependency order, and all methods."""
    methods = dict(BUILT_IN)
    pages: dict[str, Page] = {page.key: page for page in built_in()}
    errors: list[PluginError] = []
    for origin, load in _plugins(plugin_folder):
        try:
            new_pages, new_methods = _contents_of(load())
            for page in new_pages:
                _check(page, pages)
            for method in new_methods:
                check_method(method, methods)
            pages |= {page.key: page for page in new_pages}
            methods |= {method.key: method for method in new_methods}
        except Exception as error:  # noqa: BLE001  a plug-in may raise anything; it must not stop the program
            reason = (
                str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            )
            log.warning("plug-in left out: %s", type(error).__name__)
            errors.append(
                PluginError(
                    f"The plug-in {origin} could not be loaded ({reason.splitlines()[0][:200]})."
                )
            )
    return Registry(tuple(in_order(pages.values())), tuple(errors), tuple(methods.values()))


def built_in() -> list[Page]:
    """The program's own pages, by real imports (a frozen program finds no others)."""
    from gui.pages import (
        adtd,
        compare,
        dtd,
        genes,
        groups,
        help,
        method,
        robustness,
        sessions,
        survival,
        upload,
    )

    return [
        upload.page,
        dtd.page,
        adtd.page,
        method.page,
        groups.page,
        survival.page,
        genes.page,
        compare.page,
        robustness.page,
        sessions.page,
        help.page,
    ]


def in_order(pages: Iterable[Page]) -> list[Page]:
    """By ``order``, but never before a page whose results are required."""
    waiting = sorted(pages, key=lambda p: (p.order, p.key))
    keys = {p.key for p in waiting}
    done: list[Page] = []
    while waiting:
        placed = {p.key for p in done}
        ready = next(
            (
                p
                for p in waiting
                if all(r in placed for r in p.requires if r in keys and r != p.key)
            ),
            waiting[0],
        )
        waiting.remove(ready)
        done.append(ready)
    return done


def _plugins(folder: Path | None) -> Iterable[tuple[str, Any]]:
    for point in entry_points(group=GROUP):
        yield point.name, point.load
    if folder is not None and folder.is_dir():
        if not source_file.knows_who_may_write():
            log.info("plug-ins: who else could change them is not checked on this system")
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                yield path.name, lambda path=path: load_file(path)


def load_file(path: Path) -> ModuleType:
    """Import one plug-in file as module ``dcx_plugin_<name>``."""
    name = f"dcx_plugin_{re.sub(r'[^0-9a-zA-Z_]', '_', path.stem)}"
    try:
        return load_source(name, path)
    except SystemExit:
        raise PluginError("it ends the program on import") from None


def _contents_of(loaded: Any) -> tuple[list[Page], list[Method]]:
    """The pages and the methods of a plug-in: a module, or one of them."""
    found = [loaded] if isinstance(loaded, Page | Method) else list(vars(loaded).values())
    pages = [v for v in found if isinstance(v, Page)]
    methods = list({v.key: v for v in found if isinstance(v, Method)}.values())
    methods = [method for method in methods if method not in BUILT_IN.values()]
    if not pages and not methods:
        raise PluginError("it defines no Page and no Method")
    return pages, methods


def _check(page: Page, others: dict[str, Page]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", page.key) or page.key in RESERVED:
        raise PluginError(f"the key {page.key!r} is not allowed: lower-case letters, digits and _")
    if page.key in others:
        raise PluginError(f"another page has the key {page.key!r}")
    if page.layout_function is None:
        raise PluginError("its page has no layout")
