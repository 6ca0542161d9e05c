"""TaskRef: a task by its name, in an importable module or in a plug-in file."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gui.errors import JobError
from gui.source_file import load_source

Task = Callable[..., Any]
"""``task(dataset, params, *, progress, **inputs) -> result``: a plain module-level function;
result: a frozen dataclass or a dict of frames, series, arrays, numbers and text.

``inputs`` are results of earlier runs, asked for by name on submission.
"""


@dataclass(frozen=True)
class TaskRef:
    """Where a worker finds a task.

    Attributes
    ----------
    module
        Its name in ``sys.modules``.
    qualname
        Of the function.
    file
        Where the module comes from, or None.
    """

    module: str
    qualname: str
    file: str | None

    @classmethod
    def of(cls, task: Callable[..., Any]) -> TaskRef:
        """The reference of a plain module-level function.

        JobError for a lambda, a method, a partial or a function inside a function.
        """
        module, qualname = getattr(task, "__module__", None), getattr(task, "__qualname__", None)
        space = getattr(task, "__globals__", None)
        if not module or not qualname or space is None or "." in qualname or "<" in qualname:
            raise JobError(
                "A task must be a plain function of a module, which"
                f" {qualname or type(task).__name__} is not."
            )
        home = sys.modules.get(module)
        file = (
            getattr(home, "__file__", None)
            if getattr(home, qualname, None) is task
            else space.get("__file__")
        )
        return cls(module, qualname, os.path.abspath(file) if file else None)

    @property
    def plain(self) -> tuple[str, str, str | None]:
        """As plain values, for the head of a message."""
        return (self.module, self.qualname, self.file)

    def load(self) -> Callable[..., Any]:
        """The function.

        Imports its module by name if that leads to the same file, else loads the file under that
        name.
        """
        function = getattr(self._module(), self.qualname)
        if not callable(function):
            raise TypeError("a task must be a function")
        return function  # type: ignore[no-any-return]

    def _module(self) -> ModuleType:
        known = sys.modules.get(self.module)
        if known is not None and self._is_ours(getattr(known, "__file__", None)):
            return known
        if self.file is None or not os.path.exists(self.file) or self._importable():
            return importlib.import_module(self.module)  # a bundle has modules but no files
        return load_source(self.module, Path(self.file))

    def _importable(self) -> bool:
        if self.module in sys.modules:  # of another file, or _module would have taken it
            return False
        try:
            spec = importlib.util.find_spec(self.module)
        except (ImportError, ValueError, AttributeError):
            return False
        return spec is not None and self._is_ours(spec.origin)

    def _is_ours(self, file: str | None) -> bool:
        if self.file is None or file is None:
            return self.file is file
        try:
            return os.path.samefile(self.file, file)
        except OSError:
            return os.path.abspath(file) == self.file
