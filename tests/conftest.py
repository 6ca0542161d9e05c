"""Fixtures for every room. Nothing heavy is imported here: a single fast test stays fast."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import order

# How many examples hypothesis tries is said here alone, never by a test. "ci": few, and the same
# ones each time; "thorough" (`dev.py test --slow`, every night): many, and new ones.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("DECONOMIX_GUI_HYPOTHESIS", "ci"))
ROOT = Path(__file__).resolve().parent.parent
IMPORTED_ONCE = (
    "anndata",
    "gui.data.load",
    "gui.engine.dtd",
    "gui.engine.tasks",
    "gui.jobs.worker",
    "gui.sessions.parsing",
    "scipy.sparse",
)
"""What the program's processes import before they say that they are ready."""
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a name that is another one in each process: the processes of `dev.py test` must all
    collect the same tests.
    """
    changing = [item.nodeid for item in items if re.search(r" at 0x[0-9a-f]+", item.nodeid)]
    if changing:
        raise pytest.UsageError(
            "these tests are named after an address in memory; give their parameters"
            f" ids:\n{chr(10).join(changing)}"
        )
    order.longest_first(items)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the table of durations anew, if that is asked for."""
    if os.environ.get(order.RENEW):
        order.renew(report for reports in terminalreporter.stats.values() for report in reports)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run side by side (`dev.py test`): every file in one process, and what needs a screen in one
    together, for a screen has one focus.

    pytest-xdist 3.8 has `--dist loadgroup` for that, but writes the group into the name of the
    test, where pytest 9.2 no longer keeps it.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return order.scope_of(nodeid)

    return ByFile(config, log)


TINY = ROOT / "tests" / "fixtures" / "tiny_pbmc68k"
"""Real data in the repository: see SOURCE.md in the folder."""
SHARED = Path(os.environ.get("DECONOMIX_GUI_SHARED") or ROOT.parent / "shared") / "data"
"""Larger real data, not in the repository: optional."""
LARGER = [folder for folder in (SHARED / "pbmc_hao_finotello",) if folder.is_dir()]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The larger data sets; a test that asks for them is skipped where there are none."""
    if not SHARED.is_dir():
        pytest.skip(
            f"the larger data sets are not at {SHARED}; DECONOMIX_GUI_SHARED can name the folder"
            " that holds data/"
        )
    return SHARED


@pytest.fixture(scope="session")
def tiny_data() -> Path:
    """Real data in the repository: train, test, reference and application, as .h5ad."""
    return TINY


@pytest.fixture(scope="session", params=[TINY, *LARGER], ids=lambda folder: folder.name)
def real_data(request: pytest.FixtureRequest) -> Path:
    """As ``tiny_data``, and each of the larger data sets that is there."""
    folder: Path = request.param
    return folder


@pytest.fixture(scope="session")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of small files with one fault each; a test that changes one copies it first."""
    from tests import awkward_files

    folder = tmp_path_factory.mktemp("awkward")
    awkward_files.write(folder)
    return folder


@pytest.fixture(scope="session")
def dcx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``.dcx`` file with every part of ``tiny_data``, as written for the earlier DeconomiX GUI."""
    from gui.data.legacy.dcx_write import dcx_bytes
    from gui.data.load import FileChoice, LoadRequest, load_dataset

    names = {"train": "train", "test": "test", "reference": "reference", "bulk": "application"}
    files = {role: FileChoice(path=TINY / f"{name}.h5ad") for role, name in names.items()}
    path = tmp_path_factory.mktemp("dcx") / "pbmc.dcx"
    data = load_dataset(LoadRequest.parse(files=files))
    path.write_bytes(dcx_bytes(data, author="me"))
    return path


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The system's Chromium or Chrome, for playwright's `executable_path`.

    `dev.py test` says which and fails where there is none.
    """
    named = os.environ.get("DECONOMIX_GUI_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium or Chrome is installed")
    return Path(found)


@pytest.fixture(scope="session", autouse=True)
def _as_on_windows() -> Iterator[None]:
    """With DECONOMIX_GUI_FAKE_WINDOWS set, this process sees its files as on Windows."""
    if not os.environ.get("DECONOMIX_GUI_FAKE_WINDOWS"):
        yield
        return
    from tests.platforms.windows_files import windows_files

    with windows_files():
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The developer's own configuration, plug-ins and logs are neither read nor written by a test,
    nor by what it starts.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.delenv("DECONOMIX_GUI_CONFIG", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _workers_start_warm(_own_home: None) -> Iterator[None]:
    """The program's processes are new ones for every test, but what they import is loaded once.

    tests/jobs starts them as the program does, and so does every test that runs the program as a
    process of its own.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        yield
        return
    multiprocessing.set_forkserver_preload(list(IMPORTED_ONCE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gui.jobs.process.START_METHOD", "forkserver")
        yield


@pytest.fixture(scope="module")
def spawned_processes() -> Iterator[None]:
    """The program's processes start as on every user's computer, with nothing imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gui.jobs.process.START_METHOD", "spawn")
        yield
