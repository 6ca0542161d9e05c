"""Every error has its words; an unknown one shows no traceback."""

from __future__ import annotations

import inspect

from gui import errors, notify


def all_errors() -> list[type[errors.DeconomixError]]:
    return [
        c
        for _, c in inspect.getmembers(errors, inspect.isclass)
        if issubclass(c, errors.DeconomixError)
    ]


def test_every_error_class_is_in_the_table() -> None:
    assert set(all_errors()) == set(notify.TABLE)


def test_the_errors_own_advice_wins_over_the_tables() -> None:
    assert (
        notify.sentence(errors.NoCommonGenes("No gene is shared"))
        == f"No gene is shared. {notify.TABLE[errors.NoCommonGenes].advice}"
    )
    assert (
        notify.sentence(errors.NoCommonGenes("No gene is shared.", advice="Map them"))
        == "No gene is shared. Map them."
    )
    assert (
        notify.sentence(errors.NoCommonGenes("No gene is shared.", advice=""))
        == "No gene is shared."
    )


def test_an_unexpected_error_keeps_its_text_to_the_log() -> None:
    said = notify.sentence(KeyError("patient Miller"))
    assert "Miller" not in said
    assert "KeyError" not in said


def test_a_subclass_speaks_through_its_ancestor() -> None:
    class Special(errors.BadValues):
        """Not in the table."""

    assert notify.words(Special("x")) is notify.TABLE[errors.BadValues]
