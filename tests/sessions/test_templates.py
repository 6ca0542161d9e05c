"""Templates of parameters: written, read back, and refused where they are not what they claim."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gui.engine.params import ADTDParams, DTDParams
from gui.errors import InvalidParameter, UnreadableFile
from gui.sessions.templates import (
    LARGEST,
    MOST,
    TemplateLibrary,
    make_template,
    read_template,
    read_template_file,
)

DTD = DTDParams(genes=None, iterations=20, seed=7)
ADTD = ADTDParams(model="h,r", lambda2=1.5e-9)
GOOD: dict[str, Any] = json.loads(make_template("Blood", DTD, ADTD).packed())


def test_a_template_comes_back_as_it_was_saved() -> None:
    for made in (
        make_template(" Blood,  ü\u202e 血 ", DTD, ADTD),
        make_template("only DTD", DTD),
        make_template("only ADTD", None, ADTD),
    ):
        assert read_template(made.packed()) == made
    assert make_template(" Blood,  ü\u202e 血 ").name == "Blood, ü 血"


BAD: dict[str, Any] = {
    "no JSON": b"{",
    "bytes": b"\xff\xfe{}",
    "a list": b"[]",
    "deep": b"[" * (LARGEST - 1),
    "large": b" " * (LARGEST + 1),
    "another format": GOOD | {"format": "deconomix-gui session"},
    "no version": {k: v for k, v in GOOD.items() if k != "version"},
    "a version that is a word": GOOD | {"version": "1"},
    "a version that is a truth": GOOD | {"version": True},
    "a later version": GOOD | {"version": 2},
    "a part that is none": GOOD | {"search": {}},
    "no step": {k: v for k, v in GOOD.items() if k not in ("dtd", "adtd")},
    "a name that is a number": GOOD | {"name": 5},
    "no name": GOOD | {"name": " \u202e"},
    "a long name": GOOD | {"name": "N" * 121},
    "a step that is a list": GOOD | {"dtd": []},
    "a parameter that is none": GOOD | {"dtd": {"gene": 5}},
    "a text where a number is": GOOD | {"dtd": {"iterations": "20"}},
    "a fraction where a whole number is": GOOD | {"dtd": {"iterations": 20.5}},
    "a truth where a number is": GOOD | {"dtd": {"iterations": True}},
    "beyond its limits": GOOD | {"dtd": {"iterations": 0}},
    "an unknown model": GOOD | {"adtd": {"model": "best"}},
    "a negative λ₂": GOOD | {"adtd": {"lambda2": -1.0}},
    "not a number": json.dumps(GOOD).replace("1.5e-09", "NaN").encode(),
    "infinite": json.dumps(GOOD).replace("1.5e-09", "Infinity").encode(),
    "a name twice": json.dumps(GOOD).replace('"name"', '"version": 1, "name"').encode(),
}


@pytest.mark.parametrize("what", BAD.values(), ids=BAD)
def test_what_is_no_template_is_refused_in_a_sentence(what: Any, tmp_path: Path) -> None:
    raw = what if isinstance(what, bytes) else json.dumps(what).encode()
    path = tmp_path / "x.json"
    path.write_bytes(raw)
    with pytest.raises(UnreadableFile) as refused:
        read_template_file(path)
    assert str(refused.value).endswith(".")
    assert refused.value.advice
    library = TemplateLibrary(tmp_path)
    assert library.list() == []
    library.add(make_template("mine", DTD))
    assert [one.name for _, one in library.list()] == ["mine"]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_template_file(tmp_path / "none.json")


def test_the_library_keeps_names_apart_and_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = TemplateLibrary(tmp_path / "templates")
    assert library.list() == []
    one = library.add(make_template("b", DTD))
    two = library.add(make_template("A", None, ADTD))
    assert [key for key, _ in library.list()] == [two, one]
    with pytest.raises(InvalidParameter, match="already"):
        library.add(make_template("B"))
    library.delete("../../b")
    library.delete(one)
    library.delete(one)
    with pytest.raises(UnreadableFile, match="gone"):
        library.get(one)
    assert library.get(two).adtd == ADTD
    monkeypatch.setattr("gui.sessions.templates.MOST", 1)
    assert MOST == 100
    with pytest.raises(InvalidParameter, match="as many as are kept"):
        library.add(make_template("c"))
