"""Where there is nothing to show, the page says what to do next."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gui.engine.known_agreement import compare_with_known
from gui.engine.model import model_bytes
from gui.engine.params import DTDParams
from gui.engine.tasks import run_dtd
from gui.errors import MissingPart
from gui.sessions.manager import LOCAL
from tests.gui.upload_page import choose, session_of

GUI = Path(__file__).resolve().parents[2] / "gui"
GONE = {"display": "none"}


def empty_states() -> Iterator[tuple[str, list[ast.expr]]]:
    """Every call of ``empty_state`` in the program: where, and its arguments."""
    for path in sorted(GUI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "empty_state"
            ):
                yield (
                    f"{path.relative_to(GUI)}:{node.lineno}",
                    [*node.args, *[k.value for k in node.keywords]],
                )


def test_no_empty_state_is_without_a_word_on_what_to_do() -> None:
    found = dict(empty_states())
    assert len(found) > 8
    lacking = [
        where
        for where, (_, *rest) in found.items()
        if not rest or (isinstance(rest[0], ast.Constant) and len(str(rest[0].value).split()) < 4)
    ]
    assert lacking == []


def test_a_trained_model_alone_says_what_to_load_to_see_cells_and_compositions(
    tab: Any, tmp_path: Path
) -> None:
    from gui.data.example import make_example

    result = run_dtd(
        make_example().dataset,
        DTDParams(genes=60, iterations=3, train_mixtures=20, test_mixtures=20),
        progress=lambda *_a, **_k: None,
    )
    model = tmp_path / "small.dcxmodel"
    model.write_bytes(model_bytes(result))
    choose(tab, "model", model)
    tab.click("upload-load")
    assert session_of(tab).current("dtd") is not None
    tab.set({("upload-tabs", "value"): "types"})
    assert "load single cells" in tab.text("upload-type-words")
    tab.go("dtd")
    tab.set({("dtd-tabs", "value"): "composition"})
    assert tab.get("dtd-composition-nothing", "style") == {}
    assert tab.get("dtd-composition-there", "style") == GONE
    assert "load bulk samples on the Upload page" in tab.text("dtd-composition-nothing")


def test_a_composition_that_is_there_takes_the_place_of_the_words(tab: Any) -> None:
    from tests.gui.steps import SHORT
    from tests.gui.steps import run_dtd as start
    from tests.waiting import until

    tab.application.start()
    tab.click("upload-example")
    job = start(tab, SHORT)
    assert tab.application.runner.wait(job, 90).state == "done"
    until(lambda: session_of(tab).current("dtd"))
    tab.tick()
    tab.set({("dtd-tabs", "value"): "composition"})
    assert tab.get("dtd-composition-nothing", "style") == GONE
    assert tab.get("dtd-composition-there", "style") == {}


def test_steps_that_wait_for_findings_say_so(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "no_obs_columns.h5ad")
    assert "settled" in tab.text("upload-findings")
    assert "settled" in tab.text("upload-funnel-words")
    assert tab.get("upload-quality-none", "style") == {}
    assert "settled" in tab.text("upload-quality-none")


def test_a_comparison_that_cannot_be_made_names_the_page_where_it_is_mended() -> None:
    known = pd.DataFrame([[0.4, 0.6]], index=["B"], columns=["s1", "s2"])
    for estimated, pairs in ((known.set_axis(["a", "b"], axis=1), {"B": "B"}), (known, {})):
        with pytest.raises(MissingPart) as refused:
            compare_with_known(known, estimated, pairs)
        assert "Upload page" in str(refused.value.advice)


def test_the_job_list_says_where_a_job_is_started(tab: Any) -> None:
    assert "DTD page" in tab.text("dcx-jobs")
    assert tab.application.sessions.list_sessions(actor=LOCAL)
