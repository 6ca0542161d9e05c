"""Numbers as people type them: with a point or a comma, wherever a number is typed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application
from gui.cli.options import parser as analyze_parser
from gui.engine.params import Params
from gui.errors import InvalidParameter
from gui.text import exact, parse_number
from tests.gui.steps import press, show
from tests.sessions import samples

ROOT = Path(__file__).resolve().parents[2]
FIELDS = "components/number_field.py"
NO_NUMBER = ("is not a number", "may be one number or another", "allowed: a number")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("0,5", 0.5),
        (" 0,125 ", 0.125),
        (",5", 0.5),
        ("-3,25", -3.25),
        ("\u22123,25", -3.25),
        ("12,5", 12.5),
        ("1234,567", 1234.567),
        ("1e-9", 1e-9),
        ("1,5e-9", 1.5e-9),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1.000.000,25", 1000000.25),
        ("1.125", 1.125),
        ("0,000", 0.0),
    ],
)
def test_a_point_and_a_comma_are_the_same(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["1,000", "-12,500", "999,999", "1,000,000"])
def test_what_may_be_a_thousand_or_one_is_refused_with_both_ways_to_write_it(text: str) -> None:
    with pytest.raises(InvalidParameter, match="may be one number or another") as refused:
        parse_number(text)
    assert str(refused.value.advice).startswith(f"Write {text.replace(',', '')}")
    assert refused.value.advice.endswith(".")


@pytest.mark.parametrize(
    "text",
    ["", "five", "1,2,3", "1.2.3", "1,5,e3", "nan", "inf", "1e999", "1_000", "٣", "1.23,4.5"],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="is not a number"):
        parse_number(text)


def test_what_a_field_shows_is_read_as_the_same_number() -> None:
    for value in (1e-9, 1 / 3, 0.05, 12.5, 1000.0, 1000.5, 123456.789, 1e20, 0.001, 1.125):
        assert parse_number(exact(value)) == value


def _every_class(of: type[Params] = Params) -> Iterator[type[Params]]:
    for cls in of.__subclasses__():
        yield cls
        yield from _every_class(cls)


def _parsed(cls: type[Params], name: str, value: Any) -> Any:
    try:
        return getattr(cls.parse(**{name: value}), name)
    except InvalidParameter as error:
        return str(error).partition(" is ")[0]


def test_every_parameter_that_is_a_number_is_read_with_a_comma() -> None:
    found = []
    for cls in set(_every_class()):
        for name, field in cls.model_fields.items():
            kinds = getattr(field.annotation, "__args__", (field.annotation,))
            if float in kinds and str not in kinds:
                found.append(f"{cls.__name__}.{name}")
                for text, value in (("0,25", 0.25), ("12,5", 12.5), ("1,5e-3", 1.5e-3)):
                    assert _parsed(cls, name, text) == _parsed(cls, name, value), (cls, name, text)
                with pytest.raises(InvalidParameter, match="“1,000”") as refused:
                    cls.parse(**{name: "1,000"})
                assert "Write 1000 or 1.000" in str(refused.value.advice)
    assert {"ADTDParams.lambda2", "SearchParams.smallest", "GenesParams.fold"} <= set(found)


def _calls() -> Iterator[tuple[str, str, ast.Call]]:
    for path in sorted([*(ROOT / "gui").rglob("*.py"), *(ROOT / "desktop").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                where = path.relative_to(ROOT / "gui") if "gui" in path.parts else path
                yield str(where), ast.unparse(node.func), node


def test_no_number_is_typed_but_into_the_two_fields_made_for_it() -> None:
    fields = {where for where, function, _ in _calls() if function.endswith("NumberInput")}
    assert fields == {FIELDS}
    others = [w for w, f, _ in _calls() if f in ("dcc.Input", "dmc.Slider", "dmc.RangeSlider")]
    assert others == []
    options = [
        where
        for where, function, call in _calls()
        if function.endswith("add_argument")
        for keyword in call.keywords
        if keyword.arg == "type" and ast.unparse(keyword.value) == "float"
    ]
    assert options == []


def test_every_number_on_every_page_takes_a_comma(
    application: Application, open_tab: Callable[[Application], Any]
) -> None:
    tab = open_tab(application)
    show(tab, samples.filled(application.sessions).session_id)
    decimals: dict[str, list[str]] = {}
    for page in [p.key for p in application.registry.pages if p.listed]:
        tab.go(page)
        whole = [key for key, prop in tab.values if prop == "allowDecimal"]
        # a mark in a whole number is dropped where it is typed: 1,000 and 1.000 are a thousand
        assert all(tab.get(key, "allowDecimal") is False for key in whole)
        numbers = [
            key
            for key, prop in list(tab.values)
            if prop == "inputProps" and tab.get(key, prop) == {"inputMode": "decimal"}
        ]
        decimals[page] = numbers
        for key in numbers:
            for text in ("12,5", "0,25"):
                tab.set({(key, "value"): text})
                said = [n for n in tab.notices if any(words in n for words in NO_NUMBER)]
                assert said == [], (page, key)
                shown = tab.get(key, "value")
                assert shown == text, (page, key)
    assert {page for page, found in decimals.items() if found} >= {"upload", "adtd", "genes"}
    assert sum(map(len, decimals.values())) >= 12, decimals


def test_a_comma_in_the_fraction_kept_back_is_that_fraction(tab: Any) -> None:
    for text, refused in (("82,5", True), ("1,000", True), ("", True), ("12,5", False)):
        tab.go("upload")
        tab.set({("upload-share", "value"): text, ("upload-train-token", "data"): "none"})
        tab.set({("upload-load", "disabled"): False})
        del tab.notices[:]
        press(tab, "upload-load")
        assert any("Kept back for testing" in n for n in tab.notices) is refused, tab.notices


@pytest.mark.parametrize("text", ["0,05", "0.05"])
def test_an_option_takes_a_comma(text: str) -> None:
    asked = analyze_parser().parse_args(["--out", "x", "--fdr", text])
    assert asked.fdr == 0.05
    with pytest.raises(InvalidParameter, match="Argument --fdr: “1,000” may be one number"):
        analyze_parser().parse_args(["--out", "x", "--fdr", "1,000"])
