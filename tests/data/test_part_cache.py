"""Looking at files again reads only what has changed, and what is held is what reading anew would
give.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from gui.data import load as loading
from gui.data.dataset import Source
from gui.data.load import CellChoice, FileChoice, LoadRequest, load_dataset
from gui.data.readers import dcx, part, read
from gui.data.readers.read_cache import PartCache, size_of
from gui.data.validation import examine as looking
from gui.data.validation.examine import Examination, examine
from gui.data.validation.repairs import ChooseMatrix, FilterColumns
from gui.data.validation.repairs_types import MapTypes
from gui.errors import UnreadableFile
from tests.data.repairing import repaired

FILTER = FilterColumns(role="train", min_genes=3)
RENAME = MapTypes(names={"pDC": "plasmacytoid"})


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The names of the files that were read since the last call."""
    names: list[str] = []

    def counted(reader: Callable[..., Any], name_of: Callable[..., str]) -> Callable[..., Any]:
        def read(*args: Any) -> Any:
            names.append(name_of(*args))
            return reader(*args)

        return read

    monkeypatch.setattr(
        read, "_read_one", counted(read._read_one, lambda role, choice, *rest: choice.path.name)
    )
    monkeypatch.setattr(read, "read_dcx", counted(dcx.read_dcx, lambda path, name: path.name))

    def since() -> list[str]:
        found = names.copy()
        names.clear()
        return found

    return since


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> PartCache:
    """What the tasks hold, as in a new reading process."""
    held = PartCache()
    monkeypatch.setattr(looking, "PROCESS_CACHE", held)
    monkeypatch.setattr(loading, "PROCESS_CACHE", held)
    return held


@pytest.fixture
def wanted(awkward: Path, tmp_path: Path) -> LoadRequest:
    names = {"train": "clean_train.h5ad", "bulk": "clean_application.csv"}
    for name in names.values():
        shutil.copyfile(awkward / name, tmp_path / name)
    return LoadRequest(
        files={role: FileChoice(path=tmp_path / name) for role, name in names.items()}
    )


def changed(request: LoadRequest, role: str | None = None, /, **update: Any) -> LoadRequest:
    """The request, or one file of it, with other values."""
    if role is None:
        return request.model_copy(update=update)
    return request.model_copy(
        update={"files": {**request.files, role: request.files[role].model_copy(update=update)}}
    )


def look(request: LoadRequest) -> Examination:
    return looking.examine_task(None, (request, 100), progress=None)


def same(one: Examination, other: Examination) -> None:
    assert [x.as_json() for x in one.findings] == [x.as_json() for x in other.findings]
    assert one.funnel.equals(other.funnel)
    assert one.types.equals(other.types)
    assert one.similarity.equals(other.similarity)
    assert one.bulk_against.equals(other.bulk_against)


def test_repairs_names_and_scale_read_no_file_again_and_say_the_same(
    wanted: LoadRequest, here: PartCache, reads: Callable[[], list[str]]
) -> None:
    look(wanted)
    assert reads() == ["clean_train.h5ad", "clean_application.csv"]
    for request in (
        changed(wanted, repairs=(FILTER,)),
        changed(wanted, repairs=(FILTER, RENAME)),
        changed(wanted, scale=False),
        wanted,
    ):
        found = look(request)
        assert reads() == []
        same(found, examine(request, n_genes=100))
        assert len(reads()) == 2  # the control: without anything held
    looking.preview_task(None, (wanted, RENAME), progress=None)
    assert reads() == []


def test_one_file_read_otherwise_reads_that_file_only(
    wanted: LoadRequest, here: PartCache, reads: Callable[[], list[str]]
) -> None:
    look(wanted)
    reads()
    other = changed(wanted, "train", label_column="cell_type", cells=CellChoice(per_label=5))
    same(look(other), examine(other, n_genes=100))
    # the first by looking, the others by the control
    assert reads() == ["clean_train.h5ad", "clean_train.h5ad", "clean_application.csv"]
    look(changed(other, repairs=(ChooseMatrix(role="train", matrix="X"),)))
    assert reads() == ["clean_train.h5ad"]  # this repair takes effect on reading
    look(changed(other, files={"train": other.files["train"]}))
    assert reads() == ["clean_train.h5ad"]  # back to the matrix that is proposed
    look(other)
    assert reads() == ["clean_application.csv"]  # only the last request is held


def test_a_file_that_changed_on_disk_is_read_again(
    wanted: LoadRequest, here: PartCache, reads: Callable[[], list[str]], tmp_path: Path
) -> None:
    look(wanted)
    reads()
    bulk = wanted.files["bulk"].path
    before = bulk.stat()
    text = bulk.read_text()
    head, first, *rest = text.splitlines(keepends=True)
    bulk.write_text(head + "XXXX" + first[first.index(",") :] + "".join(rest))
    assert look(wanted).funnel.loc["shared", "bulk"] == 395
    assert reads() == ["clean_application.csv"]
    bulk.write_text(text)
    os.utime(bulk, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # the same size, another time
    look(wanted)
    assert reads() == ["clean_application.csv"]
    bulk.unlink()
    found = look(wanted)
    assert [x.code for x in found.findings if x.severity == "refusal"] == ["unreadable"]
    assert set(found.parts) == {"train"}
    assert reads() == []


def test_a_table_of_labels_that_changed_on_disk_is_read_again(
    make: SimpleNamespace, tmp_path: Path, here: PartCache, reads: Callable[[], list[str]]
) -> None:
    cells, labels = (
        make.csv(tmp_path / "cells.csv", np.ones((4, 4)), list("WXYZ"), ["c1", "c2", "c3", "c4"]),
        tmp_path / "labels.csv",
    )
    labels.write_text("cell,type\nc1,A\nc2,A\nc3,B\nc4,B\n")
    request = LoadRequest(files={"train": FileChoice(path=cells, labels=labels)})
    assert list(look(request).types.index) == ["A", "B"]
    labels.write_text("cell,type\nc1,A\nc2,A\nc3,CC\nc4,CC\n")
    assert list(look(request).types.index) == ["A", "CC"]
    assert reads() == ["cells.csv"] * 2


def test_a_broken_file_does_not_have_the_others_read_again(
    wanted: LoadRequest, here: PartCache, reads: Callable[[], list[str]]
) -> None:
    wanted.files["bulk"].path.write_bytes(b"\x89HDF\r\n\x1a\n")
    for expected in (["clean_train.h5ad", "clean_application.csv"], ["clean_application.csv"]):
        found = look(wanted)
        assert [x.code for x in found.findings if x.severity == "refusal"] == ["unreadable"]
        assert set(found.parts) == {"train"}
        assert reads() == expected
    with pytest.raises(UnreadableFile, match="clean_application"):
        loading.load_task(None, wanted, progress=None)


def test_files_that_are_read_together_are_held_together(
    wanted: LoadRequest, here: PartCache, reads: Callable[[], list[str]]
) -> None:
    """Only the common genes: what is read of one file depends on the other."""
    common = changed(wanted, "train", only_common=True)
    same(look(common), examine(common, n_genes=100))
    reads()
    look(changed(common, repairs=(FILTER,)))
    assert reads() == []
    alone = changed(common, files={"train": common.files["train"]})
    same(look(alone), examine(alone, n_genes=100))
    assert len(reads()) == 2
    common.files["bulk"].path.write_bytes(b"")
    look(common)
    look(alone)
    # with the broken file it was read alone, which is not held
    assert reads()[-1] == "clean_train.h5ad"


def test_a_dcx_fills_what_no_file_is_given_for(
    dcx_file: Path, tmp_path: Path, here: PartCache, reads: Callable[[], list[str]]
) -> None:
    whole = LoadRequest(files={"train": FileChoice(path=dcx_file)})
    found = look(whole)
    assert len(found.parts) > 1
    look(changed(whole, scale=False))
    assert reads() == [dcx_file.name]
    bulk = changed(whole, files={**whole.files, "bulk": FileChoice(path=dcx_file)})
    same(look(bulk), examine(bulk, n_genes=100))
    assert (
        loading.load_task(None, whole, progress=None).dataset_id == load_dataset(whole).dataset_id
    )


def test_loading_uses_up_what_looking_has_read(
    wanted: LoadRequest, here: PartCache, reads: Callable[[], list[str]]
) -> None:
    request = changed(wanted, repairs=(FILTER, RENAME))
    look(request)
    assert len(reads()) == 2
    data = loading.load_task(None, request, progress=None)
    assert reads() == []
    fresh = load_dataset(request)
    assert (data.dataset_id, data.sources) == (fresh.dataset_id, fresh.sources)
    reads()
    look(request)
    assert len(reads()) == 2  # nothing was held any more


def test_what_is_too_large_is_not_held(wanted: LoadRequest, reads: Callable[[], list[str]]) -> None:
    fits = PartCache()
    size = sum(map(size_of, fits.read(wanted.files).parts.values()))
    reads()
    for limit, expected in ((size, []), (size - 1, ["clean_train.h5ad", "clean_application.csv"])):
        held = PartCache(limit)
        examine(wanted, held=held)
        assert len(reads()) == 2
        examine(wanted, held=held)
        assert reads() == expected


def test_the_size_counts_dense_and_sparse_arrays(make: SimpleNamespace) -> None:
    dense = make.matrix(np.ones((1000, 50)))
    compressed = type(dense)(sparse.csc_matrix(dense.values), dense.genes, dense.columns)
    empty = part.Part(dense, None, part.no_obs(dense), Source("bulk", "a", "csv"))
    assert 1000 * 50 * 8 < size_of(empty) < 1000 * 50 * 8 + 200_000
    # int32 indices beside the values
    assert (
        size_of(part.Part(compressed, None, empty.obs, empty.source)) - size_of(empty)
        == 4 * 1000 * 50 + 4 * 51
    )


def test_mending_reads_once_and_leaves_what_is_held_alone(
    awkward: Path, reads: Callable[[], list[str]]
) -> None:
    folder, held = awkward, PartCache()
    request = LoadRequest(
        files={
            "train": FileChoice(path=folder / "log1p_train.h5ad"),
            "bulk": FileChoice(path=folder / "excel_dates.csv"),
        }
    )
    mended = repaired(request)
    assert len(mended.repairs) > 1
    assert len(reads()) == 2
    before = {
        role: part.matrix.fingerprint_with(part.matrix.values)
        for role, part in held.read(request.files).parts.items()
    }
    examine(mended, held=held)
    assert {
        role: part.matrix.fingerprint_with(part.matrix.values)
        for role, part in held.read(request.files).parts.items()
    } == before
