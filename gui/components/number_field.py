"""Fields for numbers: every number that is typed on a page is typed into one of these two.

A decimal is typed with a point or a comma and read by :func:`gui.text.parse_number`. A whole number
takes neither: a mark between thousands changes nothing.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc

from gui.errors import InvalidParameter
from gui.text import exact, parse_number

LARGEST = 1e300
"""A number in a form is smaller: what is larger may be none."""


def whole_number_field(**properties: Any) -> Any:
    """A field for a whole number; its value is an int, or "" where it is empty."""
    return dmc.NumberInput(**{"allowDecimal": False, **properties})


def decimal_field(value: Any = "", **properties: Any) -> Any:
    """A field for any number; its value is the text as typed, for :func:`typed_number`.

    Parameters
    ----------
    value
        A number, or the text as it was typed; what is neither (a session file may hold anything)
        is left out.
    """
    return dmc.TextInput(
        **{
            "value": shown_number(value),
            "debounce": 400,
            "inputProps": {"inputMode": "decimal"},
            **properties,
        }
    )


def is_number(value: Any) -> bool:
    """Whether a field can show it as a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def shown_number(value: Any) -> str:
    """The value as a decimal field shows it, with every digit; "" for what is none."""
    if isinstance(value, str):
        return value
    return exact(value) if is_number(value) else ""


def typed_number(value: Any, title: str) -> float | None:
    """The number in a decimal field; None where it is empty.

    Raises
    ------
    InvalidParameter
        It is no number, or may be one of two; the sentence begins with the title.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        return parse_number(str(value))
    except InvalidParameter as error:
        raise InvalidParameter(f"{title}: {error}", advice=error.advice) from None
