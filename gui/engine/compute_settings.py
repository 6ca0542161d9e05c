"""Choice of the engine, the cores and the cluster: set once per process.

The values come from ``[compute]`` of config.toml or from the command line. Light to import.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from gui.versions import ENGINE, version

EngineName = Literal["fast", "stock"]
TESTED_DECONOMIX = ENGINE["deconomix"]
"""The version of deconomix whose numbers the fast engine is compared with
(tests/engine/test_fast_*.py).
"""


@dataclass(frozen=True)
class ComputeSettings:
    """Engine, cores and cluster that a process computes with.

    Parameters
    ----------
    engine
        "fast" (the same numbers, sooner) or "stock" (deconomix as published).
    cores
        Processes at a time; 0 for all cores of this computer.
    scheduler
        Address of a Dask scheduler; None to compute on this computer.
    """

    engine: EngineName = "fast"
    cores: int = 0
    scheduler: str | None = None


def usable_settings(wanted: ComputeSettings) -> ComputeSettings:
    """Return ``wanted``, with the stock engine where deconomix has another version than tested."""
    return (
        wanted
        if wanted.engine == "stock" or installed_deconomix() == TESTED_DECONOMIX
        else replace(wanted, engine="stock")
    )


_wanted = ComputeSettings()


def set_compute_settings(wanted: ComputeSettings) -> None:
    """Use these settings in this process from now on."""
    global _wanted
    _wanted = wanted


def get_compute_settings() -> ComputeSettings:
    """Return the settings in use in this process."""
    return usable_settings(_wanted)


def installed_deconomix() -> str:
    """Return the version of the installed deconomix."""
    return version("deconomix")


def engine_notes() -> tuple[str, ...]:
    """Return a sentence for the user where another engine than the configured one computes."""
    if get_compute_settings().engine == _wanted.engine:
        return ()
    return (
        f"The fast engine was tested with deconomix {TESTED_DECONOMIX}, but"
        f" {installed_deconomix()} is installed: the slower stock engine was used.",
    )
