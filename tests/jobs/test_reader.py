"""Files are read in a process of their own: whatever a damaged one does there, the program lives on."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gui.data.dataset import Dataset
from gui.data.examine import examine_task
from gui.data.load import FileChoice, Inspection, LoadRequest, inspect_task, load_task
from gui.errors import DataError, UnreadableFile
from gui.jobs.reader import Reader

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


def test_a_file_that_brings_the_process_down_is_said_and_the_next_is_read(reader: Reader, tasks: ModuleType) -> None:
    with pytest.raises(UnreadableFile, match=r"bad\.h5ad cannot be read"):
        reader(tasks.crash, None, name="bad.h5ad")
    assert reader(tasks.double, 4, name="good") == 8


def test_a_real_file_is_looked_into_and_loaded(reader: Reader, shared_data: Path) -> None:
    path = shared_data / "awkward_files" / "clean_train.h5ad"
    found = reader(inspect_task, (path, "train", path.name), name=path.name)
    assert isinstance(found, Inspection)
    loaded = reader(load_task, LoadRequest(files={"train": FileChoice(path=path)}), name=path.name)
    assert isinstance(loaded, Dataset)
    bulk = LoadRequest(files={"bulk": FileChoice(path=path.with_name("clean_application.csv"))})
    both = reader(load_task, bulk, name="bulk", dataset=loaded)
    assert both.bulk is not None
    assert both.training_id == loaded.training_id


def test_what_was_looked_at_is_held_until_it_is_loaded_or_a_session_is_locked(reader: Reader, tasks: ModuleType, shared_data: Path) -> None:
    request = LoadRequest(files={"train": FileChoice(path=shared_data / "awkward_files" / "clean_train.h5ad")})
    for let_go in (lambda: reader(load_task, request, name="a"), reader.forget):
        reader(examine_task, (request, 100), name="a")
        assert reader(tasks.held, None, name="a") == ["train"]
        let_go()
        assert reader(tasks.held, None, name="a") == []


def test_damaged_bytes_never_take_the_program_along(reader: Reader, shared_data: Path, tmp_path: Path) -> None:
    """Random bytes changed anywhere in an .h5ad: loaded, or refused in a sentence; the library that reads it may even crash."""
    good = (shared_data / "awkward_files" / "clean_train.h5ad").read_bytes()
    dice, said = random.Random(7), []
    for number in range(25):
        data = bytearray(good)
        for _ in range(dice.choice([1, 4, 40])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path = tmp_path / f"{number}.h5ad"
        path.write_bytes(data)
        try:
            assert isinstance(reader(load_task, LoadRequest(files={"train": FileChoice(path=path)}), name=path.name), Dataset)
        except DataError as error:
            said.append(str(error))
    assert said  # most of them were refused
    assert not any("Traceback" in text or "\n" in text for text in said)
