"""New password: typed twice, with a hint of its strength.

The hint is estimated in the page (``assets/password.js``), so that nothing is sent while one types.
It is our own: zxcvbn would be one more dependency, and knows the words of one language only; length
and variety are what matters behind 256 MB of Argon2id for each guess.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html

from gui.errors import InvalidParameter
from gui.plugin import Page
from gui.sessions.crypto import MIN_PASSWORD

NO_RESET = "It cannot be reset: without it the session is lost."


class PasswordPair:
    """Two fields on one page.

    ``states`` are the State arguments of a callback, ``cleared`` its outputs that empty the fields
    (two times "").
    """

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self._first, self._second, self._hint, self._box = (
            str(getattr(page.id, f"{name}_{part}")) for part in ("one", "two", "hint", "box")
        )

    @property
    def box_id(self) -> str:
        """Its ``style`` shows or hides the whole."""
        return self._box

    @property
    def states(self) -> list[State]:
        return [State(self._first, "value"), State(self._second, "value")]

    @property
    def cleared(self) -> list[Output]:
        return [Output(i, "value", allow_duplicate=True) for i in (self._first, self._second)]

    def layout(self, label: str = "Password", *, hidden: bool = False) -> Any:
        return html.Div(
            dmc.Stack(
                [
                    dmc.Group(
                        [
                            dmc.PasswordInput(
                                id=self._first,
                                value="",
                                label=label,
                                placeholder=f"{MIN_PASSWORD} characters or more",
                                autoComplete="new-password",
                            ),
                            dmc.PasswordInput(
                                id=self._second,
                                value="",
                                label=f"{label} again",
                                autoComplete="new-password",
                            ),
                        ],
                        grow=True,
                        align="flex-end",
                    ),
                    dmc.Text("", id=self._hint, size="xs", mih=18, **{"aria-live": "polite"}),
                    dmc.Text(NO_RESET, size="sm", fw=600),
                ],
                gap=4,
            ),
            id=self._box,
            style={"display": "none"} if hidden else {},
        )

    def bind(self) -> None:
        """Record what fills the hint while one types."""
        self.page.clientside(
            "(one, two) => window.dash_clientside.dcx.password_hint(one, two)",
            Output(self._hint, "children"),
            Output(self._hint, "c"),
            Input(self._first, "value"),
            Input(self._second, "value"),
        )


def agreed(one: str | None, two: str | None) -> str:
    """The password, if it was typed twice the same. InvalidParameter."""
    if not one:
        raise InvalidParameter("Enter a password.", advice="Type it twice.")
    length = len(unicodedata.normalize("NFKC", one))
    if length < MIN_PASSWORD:
        raise InvalidParameter(
            f"The password has {length} characters.",
            advice=f"Use {MIN_PASSWORD} or more: a few unrelated words.",
        )
    if one != two:
        raise InvalidParameter("The two passwords differ.", advice="Type the same password twice.")
    return one
