"""Files are read in a process of their own: whatever a damaged one does there, the program lives
on.
"""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gui.data.dataset import Dataset
from gui.data.load import FileChoice, Inspection, LoadRequest, inspect_task, load_task
from gui.data.validation.examine import examine_task
from gui.errors import DataError, UnreadableFile
from gui.jobs.reader import Reader
from tests.conftest import ROOT

TASKS = Path(__file__).with_name("reading_for_tests.py")


@pytest.fixture(scope="module")
def tasks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reading_for_tests", TASKS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    found = Reader()
    yield found
    found.stop()


def test_a_result_and_an_error_come_back_as_they_are(reader: Reader, tasks: ModuleType) -> None:
    assert reader(tasks.double, 21, name="a") == 42
    assert reader(tasks.double, None, name="a") is None
    with pytest.raises(UnreadableFile, match=r"a\.csv is empty") as caught:
        reader(tasks.refuse, "a.csv", name="a")
    assert caught.value.advice == "Choose another."


def test_a_file_that_brings_the_process_down_is_said_and_the_next_is_read(
    reader: Reader, tasks: ModuleType
) -> None:
    with pytest.raises(UnreadableFile, match=r"bad\.h5ad cannot be read"):
        reader(tasks.crash, None, name="bad.h5ad")
    assert reader(tasks.double, 4, name="good") == 8


def test_a_real_file_is_looked_into_and_loaded(reader: Reader, awkward: Path) -> None:
    path = awkward / "clean_train.h5ad"
    found = reader(inspect_task, (path, "train", path.name), name=path.name)
    assert isinstance(found, Inspection)
    loaded = reader(load_task, LoadRequest(files={"train": FileChoice(path=path)}), name=path.name)
    assert isinstance(loaded, Dataset)
    bulk = LoadRequest(files={"bulk": FileChoice(path=path.with_name("clean_application.csv"))})
    both = reader(load_task, bulk, name="bulk", dataset=loaded)
    assert both.bulk is not None
    assert both.training_id == loaded.training_id


def test_what_was_looked_at_is_held_until_it_is_loaded_or_a_session_is_locked(
    reader: Reader, tasks: ModuleType, awkward: Path
) -> None:
    request = LoadRequest(files={"train": FileChoice(path=awkward / "clean_train.h5ad")})
    for let_go in (lambda: reader(load_task, request, name="a"), reader.forget):
        reader(examine_task, (request, 100), name="a")
        assert reader(tasks.held, None, name="a") == ["train"]
        let_go()
        assert reader(tasks.held, None, name="a") == []


def test_damaged_bytes_never_take_the_program_along(
    reader: Reader, awkward: Path, tmp_path: Path
) -> None:
    """Random bytes changed anywhere in an .h5ad: loaded, or refused in a sentence; the library that
    reads it may even crash.
    """
    good = (awkward / "clean_train.h5ad").read_bytes()
    dice, said = random.Random(7), []
    for number in range(25):
        data = bytearray(good)
        for _ in range(dice.choice([1, 4, 40])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path = tmp_path / f"{number}.h5ad"
        path.write_bytes(data)
        try:
            assert isinstance(
                reader(
                    load_task, LoadRequest(files={"train": FileChoice(path=path)}), name=path.name
                ),
                Dataset,
            )
        except DataError as error:
            said.append(str(error))
    assert said  # most of them were refused
    assert not any("Traceback" in text or "\n" in text for text in said)


SCRIPT = """
import sys, multiprocessing, os
print("begun as", __name__, flush=True)
if __name__ == "__mp_main__":
    os._exit(3)  # else it would read, too
from contextlib import nullcontext
from pathlib import Path
from gui.data.load import inspect_task
from gui.jobs import process
from gui.jobs.reader import Reader
if sys.argv[2] == "control":
    process._without_main = nullcontext
reader = Reader()
try:
    reader(inspect_task, (Path(sys.argv[1]), "bulk", "bulk.csv"), name="bulk.csv")
finally:
    reader.stop()
"""


@pytest.mark.parametrize("control", [False, True], ids=["mended", "control"])
def test_a_script_without_a_guard_reads_and_begins_once(tmp_path: Path, control: bool) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "bulk.csv").write_text("gene,s1,s2\nTP53,1,2\nBRCA1,2,3\nEGFR,4,5\n")
    asked = [
        sys.executable,
        str(tmp_path / "script.py"),
        str(tmp_path / "bulk.csv"),
        "control" if control else "",
    ]
    done = subprocess.run(
        asked,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ("begun as __mp_main__" in done.stdout) is control, done.stdout + done.stderr
    assert (done.returncode == 0) is not control, done.stderr
