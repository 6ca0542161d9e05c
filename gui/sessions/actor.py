"""Actor: who asks.

Every method of the manager takes one, so that accounts and groups can come later and change no
caller.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """Who asks: a user, from a browser.

    A protected session is unlocked for a browser, not for a user or for the program.

    Attributes
    ----------
    name : of the user (one local user for now).
    browser : which browser asks (its own cookie); "" for the program itself and the command line.
    """

    name: str = "local"
    browser: str = ""


LOCAL = Actor()
