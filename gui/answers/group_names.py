"""Names of compared groups in sentences, with their sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from gui.analyses.groups import GroupsResult
from gui.figures.text import shorten
from gui.text import number

MOST_NAMED = 4
"""Groups that are named; of more only the number is said."""
BARE = frozenset(
    {
        *("yes", "no", "y", "n", "true", "false", "ja", "nein"),
        *("positive", "negative", "pos", "neg", "+", "-"),
    }
)
"""Values that do not say of what they are."""


def who(result: GroupsResult) -> str:
    """The groups with their sizes: "control (9) and treated (12)"."""
    return sizes_text(result.sizes, len(result.design), partial(group_name, result))


def group_name(result: GroupsResult, name: str) -> str:
    """A group as a sentence names it: "treated", but "Responder yes" where the value alone says
    nothing.
    """
    bare = name.strip().casefold() in BARE or re.fullmatch(r"[-+]?\d+([.,]\d+)?", name.strip())
    return f"{shorten(result.variable)} {shorten(name)}" if bare else shorten(name)


def sizes_text(sizes: Mapping[str, int], samples: int, name: Callable[[str], str] = shorten) -> str:
    """Groups with their sizes, or their number where there are many.

    Parameters
    ----------
    sizes
        Group -> samples; empty along a number.
    name
        How a sentence names a group.
    """
    named = [f"{name(group)} ({n})" for group, n in sizes.items()]
    if not named:
        return f"{number(samples)} sample{'s' * (samples != 1)}"
    if len(named) > MOST_NAMED:
        return f"{len(named)} groups ({number(samples)} samples)"
    return f"{', '.join(named[:-1])} and {named[-1]}"
