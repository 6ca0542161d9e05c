"""Cut points as they are typed: one reading, and a question where there are two."""

from __future__ import annotations

import pytest

from gui.analyses.cut_values import cut_text, cut_values
from gui.errors import InvalidParameter


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", ()),
        ("5; 20 %", (5, 20)),
        ("50, 65", (50, 65)),
        ("5 20,", (5, 20)),
        ("0,5; 1,5", (0.5, 1.5)),
        ("0.5,1.5", (0.5, 1.5)),
        ("5,20,40", (5, 20, 40)),
        ("-1; 1e-3", (-1, 0.001)),
    ],
)
def test_what_can_be_read_in_one_way(text: str, values: tuple[float, ...]) -> None:
    assert cut_values(text) == values


@pytest.mark.parametrize("text", ["5,20", "0,5", "1,5; 2.5", "3 0,5"])
def test_what_may_be_one_number_or_two_is_asked(text: str) -> None:
    with pytest.raises(InvalidParameter, match="one number or two") as refused:
        cut_values(text)
    assert ";" in str(refused.value.advice)


@pytest.mark.parametrize("text", ["1,234.5", "1,234.5; 2", "5; 1,000,000", "10,200,300"])
def test_thousands_are_asked_about_and_not_cut_apart(text: str) -> None:
    with pytest.raises(InvalidParameter, match="one number or several") as refused:
        cut_values(text)
    grouped = next(piece for piece in text.split("; ") if "," in piece)
    assert refused.value.advice == (
        f"Write {grouped.replace(',', '')} for one, {grouped.replace(',', '; ')} for several."
    )


@pytest.mark.parametrize("text", ["0,5;1,5", "1.5; 2,5"])
def test_on_the_command_line_two_separators_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="Both commas and semicolons"):
        cut_values(text, commas_separate=True)


def test_on_the_command_line_a_comma_separates() -> None:
    assert cut_values("5,20", commas_separate=True) == (5, 20)


@pytest.mark.parametrize("text", ["five", "nan", "1; inf", "1.2.3"])
def test_what_is_not_a_number_is_said(text: str) -> None:
    with pytest.raises(InvalidParameter, match="is not a number"):
        cut_values(text)


def test_all_digits_come_back() -> None:
    values = (1234567.0, 0.123456789, 1 / 3)
    assert cut_values(cut_text(values)) == values
    assert cut_text((5.0, 0.5)) == "5; 0.5"
