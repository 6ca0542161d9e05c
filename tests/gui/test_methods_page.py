"""The page Methods: through the door, with the real worker; then Groups, report and a reopened file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.report import report
from tests.gui.steps import press, session_with, show
from tests.waiting import until

PLUGIN = """
import pandas as pd
from gui.plugin import Capability, Method, method_result

def equal(dataset, params, *, progress):
    samples = dataset.bulk.matrix.columns
    types = pd.Index(dataset.types)
    composition = pd.DataFrame(1 / len(types), index=types, columns=samples)
    reference = pd.DataFrame(1.0, index=dataset.bulk.matrix.genes, columns=types)
    hidden = pd.Series(0.0, index=samples)
    return method_result(
        dataset, "equal", "Equal parts", composition, reference, opinion=False, hidden=hidden
    )

method = Method("equal", "Equal parts", "The same for every type.", equal,
                capabilities=frozenset({Capability.HIDDEN}), needs="reference")
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    config = Config.for_tests(tmp_path_factory.mktemp("methods"))
    (config.plugins_folder / "equal_parts.py").write_text(PLUGIN, "utf-8")
    app = create_app(config)
    assert app.registry.errors == ()
    app.start()
    yield app
    app.stop()


def run_method(tab: Any, key: str) -> None:
    tab.go("method")
    tab.set({("method-choice", "value"): key})
    assert tab.get("method-run", "disabled") is False, tab.get("method-reason", "children")
    press(tab, "method-run")


def test_any_method_runs_from_the_page_and_its_fractions_are_compared(
    program: Application, open_tab: Callable[..., Any]
) -> None:
    session = session_with(program, "Mine")
    tab = open_tab(program)
    show(tab, session.session_id)
    assert not session.has("composition")
    for count, key in enumerate(("relative", "nnls", "equal"), 1):
        run_method(tab, key)
        until(lambda count=count: len(session.runs("method")) == count)
        assert session.current("method").result.method == key
        tab.set({("method-tabs", "value"): "opinion"})
        missing = tab.text("method-opinion-missing")
        assert ("is itself one of the other estimates" in missing) == (key == "relative")
        assert "Run it again" not in missing
    tab.go("method")
    assert "Equal parts" in tab.text("method-answer")
    assert "hidden background" in tab.text("method-whole")
    assert session.has("composition")
    tab.go("groups")
    labels = [option["label"] for option in tab.get("groups-source", "data")]
    assert len(labels) == 3
    assert any("Relative errors" in label for label in labels)
    html = report(session, "method").decode()
    assert "Equal parts" in html
    session.choose_run(session.runs("method")[0].id)
    html = report(session, "method").decode()
    assert "Lawson" in html
    assert "robust non-negative least squares" in html
