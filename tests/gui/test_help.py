"""The user guide has an entry for everything there is to ask about, its links lead somewhere, its
search finds, and its plug-in runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config, Section
from gui.data.validation.findings import FINDINGS
from gui.files import EXPRESSION, MODEL, SESSION
from gui.pages.adtd.base import TABS as ADTD_TABS
from gui.pages.adtd.base import form as adtd_form
from gui.pages.adtd.base import search_form
from gui.pages.adtd.layout import sure
from gui.pages.compare.base import LOOKS as COMPARE_LOOKS
from gui.pages.dtd import form as dtd_form
from gui.pages.dtd.tabs import TABS as DTD_TABS
from gui.pages.genes.base import TABS as GENES_TABS
from gui.pages.genes.base import form as genes_form
from gui.pages.groups.base import form as groups_form
from gui.pages.groups.layout import LOOKS
from gui.pages.groups.regulation import form as regulation_form
from gui.pages.help import book
from gui.pages.help.book import Section as Part
from gui.pages.help.book import address, anchor, chapter, chapters, find, plain, sections
from gui.pages.robustness.base import form as robustness_form
from gui.pages.robustness.layout import LOOKS as ROBUSTNESS_LOOKS
from gui.pages.survival.base import TABS as SURVIVAL_TABS
from gui.pages.survival.base import form as survival_form
from gui.pages.upload.review import STEPS
from gui.pages.upload.view import TABS as UPLOAD_TABS
from gui.resources import resource
from gui.sessions.manager import LOCAL
from tests.gui.steps import press, session_with, show


def raw(key: str) -> str:
    return resource(f"help/{key}.md").read_text("utf-8")


def entries(key: str) -> dict[str, str]:
    """What a chapter explains -> how: headings with their text, and bold terms at the begin of a
    list item with theirs.
    """
    found = {part.heading: part.words for part in chapter(key).sections if part.heading}
    for line in re.findall(r"^- ((?:\*\*.+?\*\*(?:, )?)+.*)$", raw(key), re.MULTILINE):
        terms, _, words = line.partition(": ")
        found |= dict.fromkeys(re.findall(r"\*\*(.+?)\*\*", terms), plain(words))
        found |= dict.fromkeys(re.findall(r"\*\*(.+?)\*\*", words), plain(words))
    return found


def lacking(labels: Sequence[str], key: str, least: int = 4) -> list[str]:
    """Labels that the chapter does not explain, or in fewer words."""
    there = entries(key)
    return [label for label in labels if len(there.get(label, "").split()) < least]


def test_every_file_of_the_guide_is_a_chapter_with_a_title() -> None:
    assert {path.stem for path in resource("help").glob("*.md")} == set(book.ORDER)
    first = ["First steps", "Your data", "Where do I get my file from", "DTD", "ADTD"]
    assert [c.title for c in chapters()][:5] == first
    assert all(c.title and len(c.text) > 300 for c in chapters())
    assert len({c.title for c in chapters()}) == len(book.ORDER)


FORMS = {
    "dtd": (dtd_form, "dtd"),
    "adtd": (adtd_form, "adtd"),
    "search": (search_form, "adtd"),
    "sure": (sure.form, "uncertainty"),
    "genes": (genes_form, "genes"),
    "groups": (groups_form, "groups"),
    "regulation": (regulation_form, "groups"),
    "survival": (survival_form, "survival"),
    "robustness": (robustness_form, "robustness"),
}


@pytest.mark.parametrize(("form", "key"), FORMS.values(), ids=FORMS)
def test_every_parameter_on_the_pages_is_explained(form: Any, key: str) -> None:
    labels = [form.cls.model_fields[name].title for name in form.names]
    assert all(labels)
    assert lacking(labels, key) == []


def test_a_parameter_without_an_entry_is_found() -> None:
    """The positive control of the test above."""
    assert lacking(["Number of genes", "Number of wishes"], "dtd") == ["Number of wishes"]


def test_every_tab_with_a_figure_says_how_to_read_it() -> None:
    pages = {
        "DTD": DTD_TABS,
        "ADTD": ADTD_TABS,
        "Groups": LOOKS,
        "Survival": SURVIVAL_TABS,
        "Genes": GENES_TABS,
        "Compare": COMPARE_LOOKS,
        "Robustness": ROBUSTNESS_LOOKS,
        "Upload": {**STEPS, **UPLOAD_TABS},
    }
    labels = [
        f"{page}: {text}" for page, tabs in pages.items() for text in dict.fromkeys(tabs.values())
    ]
    assert len(labels) > 15
    assert lacking(labels, "figures", least=8) == []


def test_every_kind_of_file_and_every_finding_is_in_the_chapter_on_data() -> None:
    told = set(re.findall(r"`(\.[a-z0-9]+)`", raw("data")))
    assert set(EXPRESSION.suffixes) | set(MODEL.suffixes) <= told
    assert set(SESSION.suffixes) <= set(re.findall(r"`(\.[a-z0-9]+)`", raw("saving")))
    assert len(FINDINGS) > 40
    assert lacking(sorted({finding.title for finding in FINDINGS.values()}), "data") == []


def config_keys(model: type[Section], path: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from config_keys(kind, f"{path}.{name}" if path else name)
        else:
            yield path, name


def test_every_key_of_the_configuration_is_explained_under_its_section() -> None:
    parts = {part.heading.strip("[]"): part.words for part in chapter("settings").sections}
    keys = list(config_keys(Config))
    assert len(keys) > 15
    assert [
        f"[{section}] {key}" for section, key in keys if f"{key}:" not in parts.get(section, "")
    ] == []
    default = resource("default_config.toml").read_text("utf-8")
    assert {key for _, key in keys} == set(
        re.findall(r"^(?:# )?([a-z0-9_]+) =", default, re.MULTILINE)
    )


def test_every_link_of_the_guide_leads_to_a_chapter_and_a_heading_and_none_leaves_the_program() -> (
    None
):
    links = [(key, link) for key in book.ORDER for link in re.findall(r"\]\(([^)]*)\)", raw(key))]
    assert len(links) > 15
    known = {c.key: {part.anchor for part in c.sections} for c in chapters()}
    for key, link in links:
        parts = re.fullmatch(r"([a-z-]+)\.md(?:#([a-z0-9-]+))?", link)
        assert parts, f"{key}: {link}"
        assert (parts[2] or "") in known[parts[1]], f"{key}: {link}"
    # an address in an example is no link
    text = re.sub(r"```.*?```|`[^`\n]*`", "", " ".join(map(raw, book.ORDER)), flags=re.DOTALL)
    assert not re.search(r"https?://|www\.|<[a-z]+[ >]|!\[", text)


def test_a_link_between_files_leads_to_a_page_in_the_program() -> None:
    """The files can be read on the web, where a link names a file."""
    assert "](hidden.md#why-there-is-an-interval)" in raw("uncertainty")
    assert f"]({address('hidden', 'why-there-is-an-interval')})" in chapter("uncertainty").text
    assert not any(re.search(r"\]\([a-z-]+\.md", c.text) for c in chapters())


def test_anchors_of_a_chapter_are_told_apart_and_a_comment_in_code_is_no_heading() -> None:
    for c in chapters():
        anchors = [part.anchor for part in c.sections]
        assert len(anchors) == len(set(anchors)), c.key
    cut = sections(
        "before\n## One *two*\ntext `x`\n```python\n## no heading\n```\n###"
        " [Three](/help?chapter=dtd)\nend"
    )
    assert [(p.heading, p.anchor) for p in cut] == [
        ("", ""),
        ("One two", "one-two"),
        ("Three", "three"),
    ]
    assert cut[0] == Part("", "", "before")
    assert "no heading" in cut[1].words
    assert anchor("[sessions.cleanup]") == "sessions-cleanup"


def test_the_search_finds_all_words_in_any_case_headings_first() -> None:
    found = find("SEED")
    assert found[0].section.heading in ("Seed", "Seed of the split")
    assert any(f.chapter.key == "glossary" for f in found)
    both = find("hidden interval")
    assert both
    assert all("hidden" in f"{f.section.heading} {f.section.words}".lower() for f in both)
    assert all("".join(piece for piece, _ in f.excerpt).strip() for f in found)
    assert any(marked and piece.lower() == "seed" for f in found for piece, marked in f.excerpt)
    assert find("  ") == []
    assert find("xylophone") == []
    assert find("(") is not None  # not taken for a pattern


# -- the page
# --------------------------------------------------------------------------------------------------


def read(tab: Any, key: str = "", query: str = "") -> str:
    """Open the guide at a chapter; what is on screen."""
    tab.go("help")
    tab.set({("dcx-location", "search"): f"?chapter={key}" if key else ""})
    if query:
        tab.set({("help-query", "value"): query})
    return str(tab.text("help-text"))


def test_the_guide_opens_at_its_first_chapter_is_no_step_of_the_work_and_needs_nothing(
    tab: Any,
) -> None:
    assert "/help" not in tab.text("dcx-nav")
    assert chapters()[0].title in read(tab)
    assert '"aria-current": "page"' in tab.text("help-contents")
    assert "Number of genes" in read(tab, "dtd")
    assert chapters()[0].title in read(tab, "no-such-chapter")
    assert tab.notices == []


def test_the_start_page_is_the_first_step_of_the_work(tab: Any) -> None:
    tab.set({("dcx-location", "pathname"): "/"})
    assert tab.get("upload-load", "id") is not None


def test_the_search_field_lists_places_says_what_to_do_if_there_are_none_and_a_link_empties_it(
    tab: Any,
) -> None:
    shown = read(tab, query="lambda2")
    assert address("adtd", "lambda2") in shown
    assert "Nothing found for “xylophone”." in read(tab, query="xylophone")
    assert "Glossary" in tab.text("help-text")
    tab.set({("dcx-location", "search"): "?chapter=adtd"})
    assert tab.get("help-query", "value") == ""
    assert "Adaptive Digital Tissue Deconvolution" in tab.text("help-text")


def test_the_guide_can_be_read_while_the_session_is_locked(
    quick_passwords: None, application: Application, open_tab: Callable[..., Any]
) -> None:
    session = session_with(application, "Mine")
    tab = open_tab(application)
    show(tab, session.session_id)
    application.sessions.protect_session(session.session_id, "correct horse battery", actor=LOCAL)
    application.sessions.lock_session(session.session_id, actor=LOCAL)
    tab.tick()
    tab.go("dtd")
    assert "protected by a password" in tab.text("dcx-outlet")
    assert "First steps" in read(tab)


def test_the_question_mark_opens_a_menu_with_the_guide_the_tour_and_about(tab: Any) -> None:
    assert tab.get("dcx-help-guide", "href") == "/help"
    assert tab.get("dcx-help-tour", "id") is not None
    press(tab, "dcx-help-about")
    assert tab.get("dcx-about", "opened") is True
    assert "For research use only" in tab.text("dcx-about")


def test_the_plug_in_of_the_guide_runs(tmp_path: Path, open_tab: Callable[..., Any]) -> None:
    """As a reader does it: the code from the chapter into a file of the plug-in folder, then
    start.
    """
    code, method, _other_program = re.findall(
        r"^```python\n(.*?)^```", raw("plugins"), re.MULTILINE | re.DOTALL
    )
    config = Config.for_tests(tmp_path)
    (config.plugins_folder / "census.py").write_text(code, "utf-8")
    (config.plugins_folder / "equal.py").write_text(method, "utf-8")
    app = create_app(config)
    app.start()
    try:
        assert app.registry.errors == ()
        assert "equal" in {one.key for one in app.methods}
        session = session_with(app, "Mine")
        tab = open_tab(app)
        show(tab, session.session_id)
        assert "Census" in tab.text("dcx-nav")
        tab.go("census")
        press(tab, "census-go")
        job = app.runner.wait(app.runner.status()[-1].id, timeout=60)
        assert job.state == "done", job.error
        tab.tick()
        assert "B cells" in tab.text("census-out")
    finally:
        app.stop()


def test_a_question_without_an_end_is_looked_for_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done for it does not grow with it: never more words than MOST_WORDS, never more
    letters than MOST_ASKED.
    """
    asked: list[list[str]] = []
    excerpt = book._excerpt
    monkeypatch.setattr(
        book, "_excerpt", lambda text, words: asked.append(list(words)) or excerpt(text, words)
    )
    assert find("a " * 400_000) == find("a")
    find(" ".join(letter for letter in "aeionstrlcdmu" * 10_000))
    find("e" * 800_000)
    assert asked
    assert max(map(len, asked)) <= book.MOST_WORDS
    assert len(asked) <= 3 * book.MOST_FOUND
    asked.clear()
    monkeypatch.setattr(book, "MOST_ASKED", 10**9)  # the control: different words all count
    monkeypatch.setattr(book, "MOST_WORDS", 10**9)
    find("a " * 50 + "b c d e f g h i l m n o p r s t u v w y de en er es in on or re ti he th")
    assert max(map(len, asked)) > 20
