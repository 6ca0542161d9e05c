"""Fixtures for every room. Nothing heavy is imported here: a single fast test stays fast."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# a submission is judged by the same examples each time; at home they are new ones
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
ROOT = Path(__file__).resolve().parent.parent
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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run side by side (`dev.py test`): what needs Chromium in one process, what needs a screen in
    another; of the rest every file in one.

    pytest-xdist 3.8 has `--dist loadgroup` for that, but writes the group into the name of the
    test, where pytest 9.2 no longer keeps it.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByRoom(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            if file.startswith("tests/browser/"):
                return "browser"
            return "screen" if file.startswith(("tests/desktop/", "tests/endurance/")) else file

    return ByRoom(config, log)


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
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The developer's own configuration, plug-ins and logs are neither read nor written by a test,
    nor by what it starts.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.delenv("DECONOMIX_GUI_CONFIG", raising=False)
        yield
