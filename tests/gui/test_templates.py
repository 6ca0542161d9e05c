"""Templates on the pages DTD and ADTD: saved, applied, given away, taken in, deleted. Twice each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gui.sessions.templates import read_template
from tests.gui.steps import press, session_with, show


def each(page: str, part: str, key: str) -> dict[str, Any]:
    return {"page": page, "part": part, "index": key}


def save(tab: Any, page: str, name: str) -> None:
    press(tab, f"{page}-templates-open")
    tab.set({(f"{page}-template-name", "value"): name})
    press(tab, f"{page}-template-save")


@pytest.fixture
def page(tab: Any, application: Any) -> Any:
    show(tab, session_with(application, "one").session_id)
    tab.go("dtd")
    return tab


def test_parameters_are_saved_and_applied_on_both_pages(page: Any, application: Any) -> None:
    tab = page
    tab.set({("dtd-genes", "value"): 321, ("dtd-run-on-bulk", "checked"): False})
    save(tab, "dtd", "Blood")
    tab.set({("dtd-genes", "value"): 77, ("dtd-seed", "value"): 5})
    save(tab, "dtd", "Other")
    keys = {one.name: key for key, one in application.templates.list()}
    assert "Number of genes 321, Run on bulk off" in tab.text("dtd-template-list")
    other = session_with(application, "two")
    show(tab, other.session_id)
    tab.go("dtd")
    for name, genes in (("Blood", 321), ("Other", 77), ("Blood", 321)):
        press(tab, "dtd-templates-open")
        press(tab, each("dtd", "template-apply", keys[name]))
        assert tab.get("dtd-genes", "value") == genes
        assert other.form("dtd")["genes"] == genes
        assert tab.get("dtd-templates", "opened") is False
    assert tab.get("dtd-run-on-bulk", "checked") is False
    assert tab.get("dtd-seed", "value") == 1
    # what the template says of ADTD is kept for that page
    assert other.form("adtd")["model"] == "h"


def test_a_template_travels_as_a_file(page: Any, application: Any, tmp_path: Path) -> None:
    tab = page
    tab.set({("dtd-genes", "value"): None})
    save(tab, "dtd", "All genes / ü")
    ((key, made),) = application.templates.list()
    press(tab, "dtd-templates-open")
    press(tab, each("dtd", "template-export", key))
    ((name, data),) = tab.downloaded()
    assert name.endswith(".json")
    assert read_template(data) == made
    assert made.dtd is not None
    assert made.dtd.genes is None
    press(tab, each("dtd", "template-delete", key))
    assert application.templates.list() == []
    for number in range(2):
        path = tmp_path / f"{number}.json"
        path.write_bytes(data)
        token = application.uploads.adopt(path).token
        tab.set({("dtd-template-file-token", "data"): token})
        assert [one for _, one in application.templates.list()] == [made]
    assert any("is added" in n for n in tab.notices)
    assert any("a template “All genes / ü” already" in n for n in tab.notices)
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"format": "x"}))
    tab.set({("dtd-template-file-token", "data"): application.uploads.adopt(bad).token})
    assert any("not a template of parameters" in n for n in tab.notices)


def test_what_cannot_be_saved_is_said(page: Any, application: Any) -> None:
    tab = page
    save(tab, "dtd", "  ")
    tab.set({("dtd-iterations", "value"): 0})
    save(tab, "dtd", "Blood")
    assert any("has no name" in n for n in tab.notices)
    assert any("Iterations" in n for n in tab.notices)
    assert application.templates.list() == []


def test_on_a_server_with_other_users_nobody_deletes_a_template(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(page, "dtd", "Blood")
    assert "template-delete" in page.text("dtd-template-list")
    monkeypatch.setattr("gui.components.templates.alone", lambda ctx: False)
    press(page, "dtd-templates-open")
    assert "template-apply" in page.text("dtd-template-list")
    assert "template-delete" not in page.text("dtd-template-list")
