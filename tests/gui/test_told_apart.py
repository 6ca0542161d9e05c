"""Thirty cell types told apart without colour: numbers on bars, symbols and dashes on lines and dots."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import HIDDEN
from gui.figures import composition, dtd
from gui.figures.agreement import agreement
from gui.figures.palette import (
    KNOWN,
    NUMBERED_FROM,
    PALETTE,
    colours,
    type_dash,
    type_number,
    type_symbol,
)

THIRTY = [names[0] for names in KNOWN]


def fractions(types: list[str], samples: int = 10) -> pd.DataFrame:
    made = np.random.default_rng(0).dirichlet(np.ones(len(types)), samples).T
    return pd.DataFrame(made, types, [f"s{i}" for i in range(samples)])


def test_thirty_types_have_thirty_numbers_and_symbols() -> None:
    assert len(PALETTE) == len(THIRTY) == 30
    assert sorted(map(type_number, PALETTE)) == list(range(1, 31))
    assert len(set(map(type_symbol, PALETTE))) == 30
    for names in (THIRTY, [f"cluster {i}" for i in range(30)]):
        found = colours(names)
        assert len({type_symbol(found[name]) for name in names}) == 30


def test_a_type_keeps_its_look_whichever_types_are_beside_it() -> None:
    alone = {name: colours([name])[name] for name in THIRTY}
    together = colours([*THIRTY, "cluster 1", "cluster 2"])
    for name in THIRTY:
        a, b = alone[name], together[name]
        assert (type_number(a), type_symbol(a), type_dash(a)) == (
            type_number(b),
            type_symbol(b),
            type_dash(b),
        )


def test_every_bar_of_many_types_carries_the_number_that_the_legend_names() -> None:
    types = [*THIRTY, HIDDEN]
    figure = composition.stacked(fractions(types), colours(types))
    bars = {bar.meta: bar for bar in figure.data if bar.type == "bar"}
    hidden = bars.pop(next(name for name in bars if "hidden" in name.lower()))
    assert hidden.text is None
    assert hidden.marker.pattern.shape == "/"
    numbers = {name: set(bar.text) - {""} for name, bar in bars.items()}
    assert len(set().union(*numbers.values())) == 30
    for name, bar in bars.items():
        (number,) = numbers[name]
        assert bar.name.split(" ")[0] == number == str(type_number(bar.marker.color))
    assert figure.layout.uniformtext.mode == "hide"
    entries = composition.legend_entries(fractions(types), colours(types))
    assert {text.split(" ")[0] for text, _, _ in entries[1:]} == set().union(*numbers.values())


def test_few_types_carry_no_numbers_and_thousands_of_bars_only_some() -> None:
    few = THIRTY[: NUMBERED_FROM - 1]
    assert all(bar.text is None for bar in composition.stacked(fractions(few), colours(few)).data)
    many = composition.stacked(fractions(THIRTY, 1000), colours(THIRTY)).data
    drawn = [sum(text != "" for text in bar.text) for bar in many if bar.text is not None]
    assert len(drawn) == 30
    assert 30 <= sum(drawn) <= composition.MOST_NUMBERS + 30


@pytest.mark.parametrize("count", [2, 30])
def test_lines_and_dots_have_a_symbol_for_each_type(count: int) -> None:
    types = THIRTY[:count]
    values = pd.DataFrame(np.random.default_rng(1).random((20, count)), columns=types)
    lines = dtd.loss(values, colours(types)).data[1:]
    points = pd.DataFrame(
        {
            "sample": ["a", "b"] * count,
            "cell_type": [name for name in types for _ in range(2)],
            "known": 0.1,
            "estimated": 0.2,
        }
    )
    dots = agreement(points, colours(types)).data[1:]
    for shown in (lines, dots):
        assert len({one.marker.symbol for one in shown}) == count
    assert {one.meta: one.marker.symbol for one in lines} == {
        one.meta: one.marker.symbol for one in dots
    }
