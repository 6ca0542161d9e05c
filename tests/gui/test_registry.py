"""Pages are found, ordered, and a broken one never stops the program."""

from __future__ import annotations

import importlib.util
import marshal
import os
import stat
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui import registry, source_file
from gui.app import create_app
from gui.config import Config
from gui.data.example import make_example
from gui.plugin import Page
from gui.registry import find_pages, in_order
from gui.sessions.manager import LOCAL

PLUGIN = '''
    """How many cells of each type: a page of one file."""

    from dash import Input, Output, html

    from gui.plugin import REVISION, Page

    page = Page("census", "Census", "Cells of each type", order=50, requires=("dataset",))


    def count(dataset, params, *, progress):
        progress("Counting", 0.5)
        return {"cells": dataset.train.counts()}


    @page.layout
    def layout(ctx):
        return html.Div([html.Button("Count", id=page.id.go), html.Div(id=page.id.out)])


    @page.callback(Input(page.id.go, "n_clicks"), prevent_initial_call=True)
    def go(ctx, clicks):
        ctx.jobs.submit(count, ctx.session_id)


    @page.callback(Output(page.id.out, "children"), REVISION)
    def show(ctx, revision):
        run = ctx.session.current("census")
        return "not yet" if run is None else ", ".join(f"{name}: {n}" for name, n in run.result["cells"].items())
'''


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")


def test_a_plug_in_file_becomes_a_page_and_its_task_runs_in_the_worker(
    tmp_path: Path, open_tab: Callable[..., Any]
) -> None:
    assert len(textwrap.dedent(PLUGIN).splitlines()) < 60
    config = Config.for_tests(tmp_path)
    write(config.plugins_folder, "census.py", PLUGIN)
    app = create_app(config)
    app.start()
    try:
        assert [p.key for p in app.registry.pages] == [
            "upload",
            "dtd",
            "adtd",
            "method",
            "groups",
            "census",
            "survival",
            "genes",
            "compare",
            "robustness",
            "sessions",
            "help",
        ]
        session = app.sessions.create_session("Mine", actor=LOCAL)
        tab = open_tab(app)
        tab.go("census")
        assert "needs data" in tab.text("dcx-outlet")  # typing the address leads to the same notice
        session.set_dataset(make_example().dataset, keep_runs=False)
        tab.set({("dcx-session", "data"): session.session_id})
        tab.click("census-go")
        job = app.runner.wait(app.runner.status()[-1].id, timeout=60)
        assert job.state == "done", job.error
        deadline = time.monotonic() + 10
        while session.current("census") is None and time.monotonic() < deadline:
            time.sleep(0.05)
        tab.tick()
        assert "B cells: " in tab.text("census-out")
    finally:
        app.stop()


def test_broken_plug_ins_are_named_and_the_program_starts(
    tmp_path: Path, open_tab: Callable[..., Any]
) -> None:
    config = Config.for_tests(tmp_path)
    folder = config.plugins_folder
    write(folder, "broken.py", "import a_module_that_is_nowhere\n")
    write(folder, "syntax.py", "def (\n")
    write(folder, "quits.py", "raise SystemExit(3)\n")
    write(folder, "empty.py", "x = 1\n")
    write(
        folder,
        "clash.py",
        'from gui.plugin import Page\npage = Page("dtd", "Mine", "x")\npage.layout(lambda ctx:'
        ' "x")\n',
    )
    write(
        folder,
        "badkey.py",
        'from gui.plugin import Page\npage = Page("Bad Key", "Mine", "x")\npage.layout(lambda ctx:'
        ' "x")\n',
    )
    write(
        folder, "nolayout.py", 'from gui.plugin import Page\npage = Page("nolayout", "Mine", "x")\n'
    )
    write(
        folder,
        "layoutfails.py",
        'from gui.plugin import Page\npage = Page("failing", "Mine", "x")\n@page.layout\ndef'
        ' layout(ctx):\n    raise ValueError("no")\n',
    )
    write(folder, "_ignored.py", "raise ValueError\n")
    app = create_app(config)
    try:
        assert [p.key for p in app.registry.pages] == [
            "upload",
            "dtd",
            "adtd",
            "method",
            "groups",
            "survival",
            "genes",
            "compare",
            "robustness",
            "sessions",
            "help",
        ]
        said = [str(e) for e in app.registry.errors]
        for name in (
            "broken.py",
            "syntax.py",
            "quits.py",
            "empty.py",
            "clash.py",
            "badkey.py",
            "nolayout.py",
            "Mine",
        ):
            assert any(name in text for text in said), name
        assert len(said) == 8
        shown = open_tab(app).text("dcx-notices", "sendNotifications")
        assert "broken.py" in shown
        assert "Traceback" not in shown
    finally:
        app.stop()


def test_a_page_comes_after_the_page_whose_results_it_needs() -> None:
    late = Page("late", "Late", "", order=99)
    early = Page("early", "Early", "", order=1, requires=("late",))
    other = Page("other", "Other", "", order=50)
    assert [p.key for p in in_order([early, other, late])] == ["other", "late", "early"]


def test_requirements_in_a_circle_do_not_hang() -> None:
    one, two = Page("one", "One", "", requires=("two",)), Page("two", "Two", "", requires=("one",))
    assert {p.key for p in in_order([one, two])} == {"one", "two"}


def test_without_a_plug_in_folder_the_built_in_pages_are_there(tmp_path: Path) -> None:
    found = find_pages(tmp_path / "nowhere")
    assert [p.key for p in found.pages] == [
        "upload",
        "dtd",
        "adtd",
        "method",
        "groups",
        "survival",
        "genes",
        "compare",
        "robustness",
        "sessions",
        "help",
    ]
    assert found.errors == ()


SMALL = """
from gui.plugin import Page

page = Page("small", "Small", "x")
page.layout(lambda ctx: "x")

def task(dataset, params, *, progress):
    return {"x": 1}
"""
posix = pytest.mark.skipif(os.name != "posix", reason="mode bits")


def cached(path: Path, code: str) -> None:
    """Beside the file, what Python would run in its place: compiled from other code, with the
    file's own time and size.
    """
    from importlib import _bootstrap_external as external

    found = path.stat()
    data = external._code_to_timestamp_pyc(  # type: ignore[attr-defined]
        compile(code, str(path), "exec"), int(found.st_mtime), found.st_size
    )
    assert marshal.loads(data[16:])
    place = Path(importlib.util.cache_from_source(str(path)))
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)


def load_as_python_does(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("where", ["server", "worker"])
def test_a_compiled_file_that_others_put_beside_a_plug_in_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    from gui.jobs import taskref

    folder, name = tmp_path / "plugins", f"small_{where}"
    write(folder, f"{name}.py", SMALL)
    cached(folder / f"{name}.py", SMALL + "import sys\nsys.foreign = True\n")
    monkeypatch.setattr(sys, "foreign", False, raising=False)

    def load() -> Any:
        sys.modules.pop(f"dcx_plugin_{name}", None)
        if where == "server":
            return find_pages(folder).page("small")
        return taskref.TaskRef(f"dcx_plugin_{name}", "task", str(folder / f"{name}.py")).load()

    assert load() is not None
    assert sys.foreign is False  # type: ignore[attr-defined]
    assert not Path(importlib.util.cache_from_source(str(folder / "other.py"))).exists()
    monkeypatch.setattr(registry, "load_source", load_as_python_does)  # the control
    monkeypatch.setattr(taskref, "load_source", load_as_python_does)
    load()
    assert sys.foreign is True  # type: ignore[attr-defined]
    sys.modules.pop(f"dcx_plugin_{name}", None)


def _link(folder: Path, file: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    file.rename(elsewhere / "y.py")
    file.symlink_to(elsewhere / "y.py")
    elsewhere.chmod(0o777)


def _linked_folder(folder: Path, file: Path) -> None:
    """The folder is a link in a place where all is well, to one in a place where it is not."""
    _link(folder, file)
    inner = folder.parent / "elsewhere" / "inner"
    inner.mkdir()
    file.unlink()
    folder.rmdir()
    folder.symlink_to("elsewhere/../elsewhere/inner")
    write(inner, "small.py", SMALL)


UNSAFE: dict[str, Callable[[Path, Path], object]] = {
    "file for all": lambda folder, file: file.chmod(0o666),
    "folder for all": lambda folder, file: folder.chmod(0o777),
    "folder for all, sticky": lambda folder, file: folder.chmod(0o1777),
    "folder above": lambda folder, file: folder.parent.chmod(0o777),
    "folder above that": lambda folder, file: folder.parent.parent.chmod(0o777),
    "link to a file": _link,
    "linked folder": _linked_folder,
}
if os.name == "posix" and os.geteuid() == 0:
    UNSAFE |= {
        "file of another user": lambda folder, file: os.chown(file, 65534, 0),
        "folder of another user": lambda folder, file: os.chown(folder, 65534, 0),
        "folder above of another user": lambda folder, file: os.chown(folder.parent, 65534, 0),
        "file of a group": lambda folder, file: (os.chown(file, 0, 100), file.chmod(0o664)),
        "folder of a group": lambda folder, file: (os.chown(folder, 0, 100), folder.chmod(0o775)),
        "folder above of a group": lambda folder, file: (
            os.chown(folder.parent, 0, 100),
            folder.parent.chmod(0o775),
        ),
        "a group without a name": lambda folder, file: (
            os.chown(file, 0, 54321),
            file.chmod(0o664),
        ),
    }


@posix
@pytest.mark.parametrize("change", UNSAFE.values(), ids=list(UNSAFE))
def test_a_plug_in_that_others_can_change_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, Path], object]
) -> None:
    folder = tmp_path / "above" / "here" / "plugins"
    write(folder, "small.py", SMALL)
    assert find_pages(folder).page("small") is not None  # the control
    change(folder, folder / "small.py")
    found = find_pages(folder)
    assert found.page("small") is None
    assert "other users of this computer can change" in str(found.errors[0])
    monkeypatch.setattr(source_file, "changeable_by_others", lambda path: iter(()))
    assert find_pages(folder).page("small") is not None  # the control: nothing else is in its way


@posix
def test_folders_like_tmp_and_groups_of_one_user_are_no_reason_to_leave_a_plug_in_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grp
    import pwd

    folder = tmp_path / "above" / "plugins"
    write(folder, "small.py", SMALL)
    folder.parent.chmod(0o1777)
    assert find_pages(folder).page("small") is not None
    user = pwd.getpwuid(os.geteuid())
    folder.chmod(0o775)
    own = grp.struct_group((user.pw_name, "x", folder.stat().st_gid, []))
    monkeypatch.setattr(grp, "getgrgid", lambda number: own)
    monkeypatch.setattr(
        pwd,
        "getpwuid",
        lambda number: pwd.struct_passwd(
            (user.pw_name, "x", user.pw_uid, own.gr_gid, "", "/", "/bin/sh")
        ),
    )
    assert find_pages(folder).page("small") is not None
    shared = grp.struct_group((user.pw_name, "x", own.gr_gid, ["colleague"]))
    monkeypatch.setattr(grp, "getgrgid", lambda number: shared)
    assert find_pages(folder).page("small") is None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o775


def test_a_link_in_a_circle_is_an_error_and_no_end(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "small.py").symlink_to(folder / "other.py")
    (folder / "other.py").symlink_to(folder / "small.py")
    assert len(find_pages(folder).errors) == 2


def test_where_mode_bits_say_nothing_plug_ins_are_loaded_and_the_log_says_that_nobody_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "plugins", "small.py", SMALL)
    caplog.set_level("INFO", "gui.registry")
    path = tmp_path / "plugins"
    monkeypatch.setattr(source_file, "knows_who_may_write", lambda: False)
    path.chmod(0o777)
    assert find_pages(path).page("small") is not None
    assert caplog.text.count("is not checked on this system") == 1


def test_a_layout_is_built_once_at_start_and_once_each_time_the_page_opens(
    tmp_path: Path, monkeypatch: Any, open_tab: Callable[..., Any]
) -> None:
    config = Config.for_tests(tmp_path)
    write(config.plugins_folder, "census.py", PLUGIN.replace(', requires=("dataset",)', ""))
    found, built = find_pages(config.plugins_folder), []

    def counting(key: str, layout: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def called(ctx: Any) -> Any:
            built.append((key, ctx.session.holds_data))
            return layout(ctx)

        return called

    for page in found.pages:
        monkeypatch.setattr(page, "layout_function", counting(page.key, page.layout_function))
    monkeypatch.setattr("gui.app.find_pages", lambda _folder: found)
    app = create_app(config)
    assert "census" in [key for key, _ in built]
    assert sorted(built) == sorted((page.key, False) for page in found.pages)
    tab = open_tab(app)
    for key in ("census", "sessions", "census"):
        built.clear()
        tab.go(key)
        assert [key for key, _ in built] == [key]
    app.stop()
