"""The reference library on the Upload page, through the door."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.data.example import make_example
from gui.engine.results import Provenance, Run
from gui.engine.tasks import run_dtd
from gui.server_settings import Server
from gui.sessions import file
from gui.sessions.manager import LOCAL
from gui.sessions.references import make_reference, read_reference
from tests.engine.test_recommended import PARAMS
from tests.gui.steps import session_with, show
from tests.gui.test_adtd_page import Kept
from tests.gui.upload_page import choose, session_of


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    app = create_app(Config.for_tests(tmp_path_factory.mktemp("library")), Kept())
    app.start()
    yield app
    app.stop()


def fresh(program: Application) -> str:
    name = program.sessions.free_name("Study", actor=LOCAL)
    return program.sessions.create_session(name, actor=LOCAL).session_id


@pytest.fixture
def opened(program: Application, open_tab: Callable[..., Any]) -> Any:
    for one in program.references.list():
        if not one.shipped:
            program.references.delete(one.key, actor=LOCAL)
    tab = open_tab(program)
    show(tab, fresh(program))
    tab.go("upload")
    return tab


@pytest.fixture
def bulk(tmp_path: Path) -> Path:
    """The example's samples as a table."""
    matrix = make_example().dataset.bulk.matrix
    path = tmp_path / "samples.csv"
    pd.DataFrame(matrix.values, matrix.genes, matrix.columns).to_csv(path)
    return path


def part(name: str, key: str) -> str:
    return json.dumps(
        {"index": key, "page": "upload", "part": f"reference-{name}"}, separators=(",", ":")
    )


def listed(tab: Any) -> str:
    return tab.text("upload-library-list")


def save_as_reference(tab: Any, name: str, **values: Any) -> None:
    tab.click("upload-saved-reference-open")
    assert tab.get("upload-saved-reference", "opened") is True
    tab.set({("upload-saved-reference-name", "value"): name})
    for field, value in values.items():
        prop = "checked" if field == "weights" else "value"
        tab.set({(f"upload-saved-reference-{field}", prop): value})
    tab.click("upload-saved-reference-save")
    assert tab.get("upload-saved-reference", "opened") is False, tab.notices


def test_the_present_data_become_a_reference_that_serves_another_bulk(
    program: Application, opened: Any, bulk: Path
) -> None:
    tab = opened
    session = session_with(program, "With data")
    data = session.need_dataset()
    result = run_dtd(data, PARAMS.dtd(), progress=lambda *_, **__: None)
    origin = Provenance(data.training_id, data.bulk_id)
    session.add_run(Run("d", "dtd", "DTD", session.created, PARAMS.dtd(), result, origin))
    show(tab, session.session_id)
    tab.click("upload-saved-reference-open")
    assert tab.get("upload-saved-reference-source", "value")  # filled: one click is enough
    save_as_reference(tab, "Mine", licence="CC0", weights=True)
    assert "is in the reference library" in str(tab.notices)
    # into an empty session, with a bulk of its own
    show(tab, fresh(program))
    tab.click("upload-library-open")
    assert "Mine" in listed(tab)
    assert "with gene weights" in listed(tab)
    assert "Hao" in listed(tab)
    (one,) = [one for one in program.references.list() if not one.shipped]
    choose(tab, "bulk", bulk)
    tab.click(part("use", one.key))
    assert tab.get("upload-library", "opened") is False
    assert tab.get("upload-load", "disabled") is False, tab.get("upload-reason", "children")
    tab.click("upload-load")
    found = session_of(tab)
    loaded = found.need_dataset()
    assert loaded.train.matrix.n_columns == data.train.matrix.n_columns
    assert loaded.bulk.matrix.n_columns == data.bulk.matrix.n_columns
    assert found.current("dtd") is not None  # its gene weights came along
    assert "Licence: CC0" in loaded.description


def test_a_reference_without_weights_is_loaded_as_training_data(
    program: Application, opened: Any, bulk: Path
) -> None:
    tab = opened
    made = make_reference(make_example().dataset, "Cells", source="s", licence="l")
    one = program.references.keep(made, actor=LOCAL)
    tab.click("upload-library-open")
    tab.click(part("use", one.key))
    assert "Ready to load the reference" in tab.text("upload-review-answer")
    choose(tab, "bulk", bulk)
    assert "Ready to load" in tab.text("upload-review-answer")
    tab.click("upload-load")
    found = session_of(tab)
    assert found.need_dataset().train is not None
    assert found.need_dataset().bulk is not None
    assert found.current("dtd") is None
    assert "recommended settings" in tab.text("upload-next-step")


def test_which_fits_the_chosen_bulk_is_shown_best_first(
    program: Application, opened: Any, bulk: Path
) -> None:
    tab = opened
    tab.click("upload-library-open")
    tab.click("upload-library-fit")
    assert "no bulk samples" in str(tab.notices)
    made = make_reference(make_example().dataset, "Zzz last by name", source="s", licence="l")
    program.references.keep(made, actor=LOCAL)
    choose(tab, "bulk", bulk)
    tab.click("upload-library-fit")
    text = listed(tab)
    assert "fits best" in text
    assert text.index("Zzz last by name") < text.index("Hao")
    assert "No gene name in common" in text
    assert "300 of its 300 genes" in text
    assert re.search(r"20 samples at \d\d:\d\d:\d\d", tab.text("upload-library-said")), (
        "tried once more, it says so"
    )


def test_rename_export_add_and_delete_twice(
    program: Application, opened: Any, tmp_path: Path
) -> None:
    tab = opened
    made = make_reference(make_example().dataset, "First", source="s", licence="l", per_type=5)
    one = program.references.keep(made, actor=LOCAL)
    tab.click("upload-library-open")
    for name in ("Second", "Third"):
        tab.click(part("rename", one.key))
        tab.set({(part("new-name", one.key), "value"): name})
        tab.click(part("named", one.key))
        assert name in listed(tab)
        one = program.references.named(name)
    tab.click(part("export", one.key))
    data = program.files.saved[  # type: ignore[attr-defined]
        "Third.dcxreference"
    ]
    copy = tmp_path / "from a friend.dcxreference"
    copy.write_bytes(data)
    assert read_reference(copy).dataset.name == "Third"
    for _ in "ab":
        tab.click(part("delete", one.key))
        assert "for good" in listed(tab)
        tab.click(part("keep", one.key))
        assert "for good" not in listed(tab)
        tab.click(part("delete", one.key))
        tab.click(part("gone", one.key))
        assert "Third" not in listed(tab)
        tab.set({("upload-library-file-path", "value"): str(copy)})
        tab.set({("upload-library-file-path", "n_submit"): 1})
        assert "Third" in listed(tab)
        one = program.references.named("Third")


@pytest.mark.parametrize("what", ["a session", "rubbish"])
def test_what_is_no_reference_is_refused_and_not_copied(
    program: Application, opened: Any, tmp_path: Path, what: str
) -> None:
    tab = opened
    path = tmp_path / "x.dcxreference"
    if what == "rubbish":
        path.write_bytes(b"PK\3\4" + bytes(1000))
    else:
        made = make_reference(make_example().dataset, "S", source="s", licence="l", per_type=5)
        file.save(path, replace(made, marks=()), expected_generation=None)
    tab.click("upload-library-open")
    tab.set({("upload-library-file-path", "value"): str(path)})
    tab.set({("upload-library-file-path", "n_submit"): 1})
    assert len(program.references.list()) == 2
    assert tab.errors
    choose(tab, "model", path)
    assert not tab.get("upload-model-token", "data")


def test_a_file_that_was_changed_in_the_library_is_never_parsed_by_the_server(
    program: Application, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renaming reads the whole file: in the reading process, and only there."""
    made = make_reference(make_example().dataset, "First", source="s", licence="l", per_type=5)
    one = program.references.keep(made, actor=LOCAL)
    opened.click("upload-library-open")
    here: list[Path] = []

    def load(path: Path, **_: Any) -> Any:
        here.append(path)
        raise AssertionError("the server parsed a reference")

    monkeypatch.setattr(file, "load", load)
    for name in ("Second", "Third"):
        opened.click(part("rename", one.key))
        opened.set({(part("new-name", one.key), "value"): name})
        opened.click(part("named", one.key))
        assert name in listed(opened)
        one = program.references.named(name)
    assert here == []
    data = bytearray(one.path.read_bytes())
    data[len(data) // 2] ^= 0x10
    one.path.write_bytes(data)
    opened.click(part("rename", one.key))
    opened.set({(part("new-name", one.key), "value"): "Fourth"})
    opened.click(part("named", one.key))
    assert "Fourth" not in listed(opened)
    assert any("damaged" in notice for notice in opened.notices)
    assert [each.name for each in program.references.list() if not each.shipped] == ["Third"]


def test_on_a_server_others_see_a_reference_and_no_button_that_changes_it(
    tmp_path: Path, open_tab: Callable[..., Any]
) -> None:
    settings = Server(
        allow_remote=True, public_url="https://dcx.example.org", trusted_proxy="127.0.0.1"
    )
    config = Config.for_tests(tmp_path).model_copy(update={"server": settings})
    app = create_app(config, Kept())
    app.start()
    try:
        tabs = [open_tab(app) for _ in "ab"]
        for tab in tabs:
            tab.go("upload")
        tab, other = tabs
        show(tab, fresh(app))
        tab.go("upload")
        tab.click("upload-example")
        save_as_reference(tab, "Mine", source="s", licence="l")
        one = app.references.named("Mine")
        buttons = (part("rename", one.key), part("delete", one.key))
        for each, whose in ((tab, True), (other, False)):
            each.click("upload-library-open")
            assert "Mine" in listed(each)
            assert [bool(each.get(button, "id")) for button in buttons] == [whose, whose]
        # and a request that no button sends is refused
        other.values.update({(key, "id"): json.loads(key) for key in buttons})
        other.values.update({(key, "n_clicks"): 1 for key in (part("gone", one.key),)})
        other.values[part("gone", one.key), "id"] = json.loads(part("gone", one.key))
        other.click(part("gone", one.key))
        assert any("Somebody else" in notice for notice in other.notices)
        assert app.references.named("Mine").path.exists()
    finally:
        app.stop()
