"""Which engine computes and with what help: set once per process, from ``[compute]`` of config.toml
or the command line.

Light to import.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from gui.versions import ENGINE, version

EngineName = Literal["fast", "stock"]
KNOWN_DECONOMIX = ENGINE["deconomix"]
"""The version of deconomix whose numbers the fast engine is compared with
(tests/engine/test_fast_*.py).
"""


@dataclass(frozen=True)
class Setting:
    """engine : "fast" (the same numbers, sooner) or "stock" (deconomix as published); cores :
    processes at a time, 0 for all there are; scheduler : address of a Dask scheduler, None for
    none.
    """

    engine: EngineName = "fast"
    cores: int = 0
    scheduler: str | None = None


def usable(wanted: Setting) -> Setting:
    """What can be used of it: "stock" where the installed deconomix is not the one that the fast
    engine was compared with.
    """
    return (
        wanted
        if wanted.engine == "stock" or installed() == KNOWN_DECONOMIX
        else replace(wanted, engine="stock")
    )


_wanted = Setting()


def use(wanted: Setting) -> None:
    """From now on in this process."""
    global _wanted
    _wanted = wanted


def current() -> Setting:
    """What counts in this process."""
    return usable(_wanted)


def installed() -> str:
    """The version of deconomix."""
    return version("deconomix")


def notes() -> tuple[str, ...]:
    """What the user should know of the engine that is used: a sentence where it is not the one that
    was asked for.
    """
    if current().engine == _wanted.engine:
        return ()
    return (
        (
            f"The fast engine knows deconomix {KNOWN_DECONOMIX}, but {installed()} is installed:"
            " the slower stock engine was used."
        ),
    )
