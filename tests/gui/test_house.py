"""The repository's own promises: the two commands, the pinned versions, the contracts."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gui.app import create_app
from gui.config import Config
from tests.gui.steps import session_with, show

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pins() -> dict[str, str]:
    lines = [
        line.removesuffix("\\").strip()
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if line and line[0] not in "# "
    ]
    return {name.lower(): rest for name, rest in (line.split("==", 1) for line in lines)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def load_dev() -> Any:
    spec = importlib.util.spec_from_file_location("dev_under_test", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dev(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    return subprocess.run(
        [sys.executable, str(folder / "dev.py"), *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        timeout=60,
    )


def test_every_requirement_is_pinned() -> None:
    asked = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ]
    names = {
        normal(match[0])
        for match in (re.match(r"[A-Za-z0-9._-]+", line) for line in asked)
        if match
    }
    assert names
    assert not names - pins().keys(), "constraints.txt must be made anew; its head says how"
    assert pins()["torch"] == "2.13.0"
    assert pins()["deconomix"] == "1.0.2"


def test_pinned_versions_name_no_place_to_get_them_from() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    assert not re.search(r"://|^\s*-(?!-hash=sha256:[0-9a-f]{64}( \\)?$)|\+cpu", text, re.MULTILINE)
    assert all(
        re.search(rf"^{re.escape(name)}==.* \\\n    --hash=", text, re.MULTILINE | re.IGNORECASE)
        for name in pins()
    )
    assert all(
        "linux" in rest
        for name, rest in pins().items()
        if name.startswith(("nvidia-", "cuda-", "triton"))
    ), "CUDA only where torch asks for it"


def test_every_page_stands_in_the_contract_that_keeps_pages_apart() -> None:
    contracts = {
        contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]
    }
    folder = ROOT / "gui" / "pages"
    files = [
        path
        for path in folder.rglob("*.py")
        if re.search(r"^\w+(: Page)? = Page\(", path.read_text("utf-8"), re.MULTILINE)
    ]
    pages = {f"gui.pages.{path.relative_to(folder).parts[0].removesuffix('.py')}" for path in files}
    assert pages
    assert pages == set(contracts["pages-apart"]["modules"])


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other, however far around: what is left when those that import
    nothing that is left, and those that nothing left imports, are taken away again and again.
    """
    left = dict(imports)
    while True:
        imported = set().union(*left.values()) if left else set()
        ends = {m for m, used in left.items() if m not in imported or not used & left.keys()}
        if not ends:
            return [sorted(left)] if left else []
        left = {m: used - ends for m, used in left.items() if m not in ends}


SERVICES = ("app", "cli", "jobs", "program", "routes", "sessions", "settings", "shell")
"""What a page has through its context only."""


@pytest.mark.parametrize("key", ["groups", "survival", "genes", "compare", "robustness"])
def test_a_page_is_short_modules_that_ask_the_plugin_interface_for_services(key: str) -> None:
    modules = sorted((ROOT / "gui" / "pages" / key).glob("*.py"))
    assert modules
    for path in modules:
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= 250, f"{path.name}: {len(lines)} lines"
        rooms = {
            found[1]
            for line in lines
            if (found := re.match(r"\s*(?:from|import) gui\.(\w+)", line))
        }
        assert not rooms & set(SERVICES), path.name


def test_no_two_modules_import_each_other_however_far_around() -> None:
    import grimp

    graph = grimp.build_graph("gui", "desktop", exclude_type_checking_imports=False, cache_dir=None)
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    assert len(imports) > 250
    assert circles(imports) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_the_page_in_contributing_is_a_page(tmp_path: Path, open_tab: Callable[..., Any]) -> None:
    """As a reader does it: the code into a file of the plug-in folder, then start."""
    (code,) = re.findall(
        r"^```python\n(.*?)^```",
        (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    config = Config.for_tests(tmp_path)
    (config.plugins_folder / "cells.py").write_text(code, "utf-8")
    app = create_app(config)
    assert app.registry.errors == ()
    session = session_with(app, "Mine")
    tab = open_tab(app)
    show(tab, session.session_id)
    tab.go("cells")
    tab.set({("dcx-dark", "data"): True})
    bars = tab.get("cells-counts", "figure")["data"]
    counts = session.need_dataset().train.counts()
    assert sorted(name for bar in bars for name in bar.get("customdata") or ()) == sorted(
        counts.index
    )


def test_unknown_command_is_refused_with_the_list_of_commands() -> None:
    refused = dev(ROOT, "fly")
    assert refused.returncode == 2
    assert "dev.py run" in refused.stderr


def test_the_hooks_before_a_commit_are_the_linters_and_download_nothing() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    run = re.findall(r"entry: python3 dev\.py lint (\w+)$", hooks, re.MULTILINE)
    linters = re.search(
        r"linters: .*? = \{(.*?)\n    \}", (ROOT / "dev.py").read_text("utf-8"), re.DOTALL
    )
    assert linters is not None
    assert run == re.findall(r'^ +"(\w+)": ', linters[1], re.MULTILINE)
    assert re.findall(r"repo: (.*)", hooks) == ["local"]
    assert hooks.count("language: system") == hooks.count("entry: ") == len(run)


def test_an_unknown_linter_is_refused_with_the_list_of_linters() -> None:
    refused = dev(ROOT, "lint", "flake8")
    assert refused.returncode == 1
    assert (
        "there is no linter flake8; there are ruff, format, mypy, imports, wheels."
        in refused.stderr
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what dev.py reads, with a Python in .venv that only writes down what it was asked
    to do.
    """
    for name in ("dev.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(
        ROOT / "desktop", tmp_path / "desktop", ignore=shutil.ignore_patterns("__pycache__")
    )
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = {}.{}.0\n".format(*sys.version_info))
    python = binaries / "python"
    python.write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/asked"\nexit 0\n')
    python.chmod(0o755)
    return tmp_path


def asked(folder: Path) -> list[str]:
    log = folder / "asked"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def installed(folder: Path) -> str:
    """The pinned requirements that pip was given last."""
    return (folder / ".venv" / "dev-requirements.txt").read_text("utf-8")


needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in for .venv's Python is a shell script"
)


@needs_posix
def test_second_start_installs_nothing_and_a_changed_pin_does(house: Path) -> None:
    assert dev(house, "run", "--version").returncode == 0
    first = asked(house)
    assert (
        sum(
            "pip install" in line and line.endswith("--no-deps --no-build-isolation -e .")
            for line in first
        )
        == 1
    )
    assert sum("pip install" in line and "--require-hashes -r" in line for line in first) == 1
    assert first[-1] == "-m desktop --version"
    assert dev(house, "run", "--version").returncode == 0
    assert asked(house) == ["-m desktop --version"]
    with (house / "constraints.txt").open("a") as file:
        file.write("something==1\n")
    assert dev(house, "run", "--version").returncode == 0
    assert any("pip install" in line for line in asked(house))


@needs_posix
def test_tools_are_installed_for_tests_and_not_taken_away_by_a_run(house: Path) -> None:
    dev(house, "run", "--version")
    asked(house)
    assert dev(house, "test", "--fast").returncode == 0
    lines = asked(house)
    assert "pytest==" in installed(house)
    assert "not browser and not window" in lines[-1]
    dev(house, "run", "--version")
    assert asked(house) == ["-m desktop --version"]


@needs_posix
def test_tests_run_on_compiled_files_whatever_the_environment_says(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev(house, "run", "--version")
    python = house / ".venv" / "bin" / "python"
    python.write_text(
        f'#!/bin/sh\necho "${{PYTHONDONTWRITEBYTECODE:-compiled}}" >> "{house}/asked"\n'
    )
    asked(house)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    dev(house, "test", "--fast")
    assert asked(house)[-1] == "compiled"
    dev(house, "run", "--version")
    assert asked(house) == ["1"]


def test_folders_of_tests_lie_in_memory_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_dev()
    free, noexec = 1 << 20, getattr(os, "ST_NOEXEC", 8)
    disk = SimpleNamespace(f_flag=0, f_bavail=free, f_frsize=4096)
    monkeypatch.setattr(module, "LINUX", True)
    monkeypatch.setattr(module, "MEMORY", tmp_path)
    monkeypatch.setattr(module.os, "ST_NOEXEC", noexec, raising=False)
    monkeypatch.setattr(module.os, "statvfs", lambda _path: disk, raising=False)
    assert module.memory_folder() == tmp_path
    disk.f_flag = noexec  # as in most containers
    assert module.memory_folder() is None
    disk.f_flag, disk.f_bavail = 0, free - 1
    assert module.memory_folder() is None
    disk.f_bavail = free
    monkeypatch.setattr(module, "MEMORY", tmp_path / "none")
    assert module.memory_folder() is None


@needs_posix
def test_bundle_installs_its_tools_beside_those_for_tests_and_builds(house: Path) -> None:
    dev(house, "test", "--fast")
    asked(house)
    assert dev(house, "bundle", "--only-installer").returncode == 0
    lines = asked(house)
    assert "pyinstaller==" in installed(house)
    assert lines[-1].endswith("packaging/make_installer.py --only-installer")
    dev(house, "test", "--fast")
    assert len(asked(house)) == 1  # what tests need is still there


@needs_posix
def test_without_a_display_the_example_is_analysed_before_serving(house: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("Windows and macOS always have a display")
    assert dev(house, "run", "--port", "0").returncode == 0
    assert asked(house)[-2:] == ["-m desktop analyze --example", "-m desktop serve --port 0"]


@needs_posix
def test_failed_installation_is_tried_again(house: Path) -> None:
    python = house / ".venv" / "bin" / "python"
    working = python.read_text()
    python.write_text(working.replace("exit 0", "exit 1"))
    refused = dev(house, "run", "--version")
    assert refused.returncode == 1
    assert "could not be installed" in refused.stderr
    python.write_text(working)
    asked(house)
    assert dev(house, "run", "--version").returncode == 0
    assert any("-e ." in line for line in asked(house))


@needs_posix
def test_run_of_no_test_is_a_failure(house: Path) -> None:
    dev(house, "test", "--fast")
    python = house / ".venv" / "bin" / "python"
    python.write_text(python.read_text().replace("exit 0", "exit 5"))
    refused = dev(house, "test", "--fast")
    assert refused.returncode == 1
    assert "nothing was tested" in refused.stderr


def test_settings_of_tools_do_not_cause_an_installation(house: Path) -> None:
    module = load_dev()
    module.ROOT = house
    before = module.fingerprint()
    project = house / "pyproject.toml"
    text = project.read_text("utf-8")
    project.write_text(text.replace("line-length = 160", "line-length = 120"), "utf-8")
    assert module.fingerprint() == before
    project.write_text(text.replace("deconomix==1.0.2", "deconomix==1.0.4"), "utf-8")
    assert module.fingerprint() != before


@needs_posix
def test_pinned_requirements_are_those_of_the_program_and_one_extra_each_with_hashes(
    house: Path,
) -> None:
    module = load_dev()
    module.ROOT = house
    names = {
        extra: set(
            re.findall(r"^([\w.-]+)==", module.requirements(extra, small_torch=True), re.MULTILINE)
        )
        for extra in ("", "dev", "bundle")
    }
    assert {"numpy", "torch", "dash", "setuptools", "flask", "sympy", "anndata"} <= names[""]
    assert not {"pytest", "mypy", "pyinstaller", "distributed"} & names[""]
    assert {"pytest", "pluggy", "distributed", "dask"} <= names["dev"]
    assert names[""] < names["dev"]
    assert {"pyinstaller", "altgraph"} <= names["bundle"] - names[""]
    assert not [name for name in names["dev"] if name.startswith(("nvidia", "cuda", "triton"))]
    whole = set(
        re.findall(r"^([\w.-]+)==", module.requirements("", small_torch=False), re.MULTILINE)
    )
    assert "triton" in whole
    # nothing is pinned that nobody asks for
    assert {name.lower() for name in whole | names["dev"] | names["bundle"]} == pins().keys()
    for block in re.split(r"\n(?=\w)", module.requirements("dev", small_torch=False).strip()):
        assert block.count("--hash=sha256:") >= 1, block


@needs_posix
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "serves other files than those pinned",
        ),
        ("ERROR: Could not install packages due to an OSError", "see what pip says above"),
    ],
)
def test_an_index_with_other_files_is_refused_in_a_sentence(
    house: Path, said: str, sentence: str
) -> None:
    python = house / ".venv" / "bin" / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *--require-hashes*) echo "{said}" >&2; exit 1;; esac\nexit 0\n'
    )
    refused = dev(house, "run", "--version")
    assert refused.returncode == 1
    assert said in refused.stderr
    assert sentence in refused.stderr
    assert not (house / ".venv" / "dev-stamp").exists()
