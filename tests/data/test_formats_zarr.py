"""Single cells in zarr stores, as folders and as ZIP files, of format 2 and 3, against the .h5ad of
the same cells.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
import zarr

from gui.data.dataset import Role
from gui.data.readers.file_kind import read_from
from gui.data.readers.inspection import inspect_file
from gui.data.readers.options import CellChoice, FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.errors import UnreadableFile, UnsafeFile
from tests.data import cell_formats as made

pytestmark = [
    pytest.mark.filterwarnings("ignore:Writing zarr v2:UserWarning"),
    pytest.mark.filterwarnings("ignore:zarr v3 autosharding:UserWarning"),
    pytest.mark.filterwarnings("ignore:Consolidated metadata is:UserWarning"),
]


def part_of(path: Path, role: Role = "train", **choice: Any) -> Part:
    return read_all({role: FileChoice(path=path, **choice)})[0][role]


def dense(part: Part) -> np.ndarray:
    values = part.matrix.values
    return np.asarray(values if isinstance(values, np.ndarray) else values.toarray())


@pytest.fixture(params=[2, 3], ids=["v2", "v3"])
def version(request: pytest.FixtureRequest) -> Iterator[int]:
    before = anndata.settings.zarr_write_format
    anndata.settings.zarr_write_format = request.param
    yield request.param
    anndata.settings.zarr_write_format = before


def store(folder: Path, data: anndata.AnnData | None = None) -> Path:
    (data or made.anndata_of_cells()).write_zarr(folder / "cells.zarr", chunks=None)
    return folder / "cells.zarr"


def zipped(path: Path, inside: str = "", how: int = zipfile.ZIP_STORED) -> Path:
    target = path.with_name("cells.zarr.zip")
    with zipfile.ZipFile(target, "w", how) as archive:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                archive.write(file, inside + file.relative_to(path).as_posix())
    return target


def metadata(path: Path, array: str, version: int) -> tuple[Path, dict[str, Any]]:
    file = path / array / (".zarray" if version == 2 else "zarr.json")
    return file, json.loads(file.read_text())


@pytest.mark.parametrize("role", ["train", "bulk"])
@pytest.mark.parametrize("form", ["folder", "zip", "zip-of-folder", "deflated"])
def test_the_numbers_names_and_labels_are_those_of_the_h5ad(
    form: str, role: Role, version: int, tmp_path: Path
) -> None:
    data = made.anndata_of_cells()
    data.layers["log"] = made.LOGS
    data.write_h5ad(tmp_path / "same.h5ad")
    path = store(tmp_path, data)
    if form != "folder":
        how = zipfile.ZIP_DEFLATED if form == "deflated" else zipfile.ZIP_STORED
        path = zipped(path, "cells.zarr/" if form == "zip-of-folder" else "", how)
    part, same = part_of(path, role), part_of(tmp_path / "same.h5ad", role)
    np.testing.assert_array_equal(dense(part), dense(same))
    assert list(part.matrix.genes) == list(same.matrix.genes)
    assert list(part.matrix.columns) == list(same.matrix.columns)
    assert part.source.kind == "zarr"
    assert len(part.source.sha256) == 64
    if role == "train":
        assert list(part.labels) == made.TYPES  # type: ignore[arg-type]
    found = inspect_file(path, role)
    assert found.shape == (made.N_GENES, made.N_CELLS)
    assert found.matrices == ("X", "layer:log")
    np.testing.assert_array_equal(found.preview.to_numpy(), made.COUNTS.T[:8, :6])


def test_chosen_cells_are_those_of_the_h5ad(version: int, tmp_path: Path) -> None:
    data = made.anndata_of_cells()
    data.X = made.COUNTS
    data.write_h5ad(tmp_path / "same.h5ad")
    choice = CellChoice(per_label=4, keep=("T cell", "B cell"))
    part = part_of(store(tmp_path, data), cells=choice)
    same = part_of(tmp_path / "same.h5ad", cells=choice)
    np.testing.assert_array_equal(dense(part), dense(same))
    assert list(part.matrix.columns) == list(same.matrix.columns)


def test_the_part_with_genes_of_mudata_and_the_table_of_spatialdata_are_read(
    version: int, tmp_path: Path
) -> None:
    for top, other in (("mod/rna", "mod/prot"), ("tables/table", "images/x")):
        place = tmp_path / top.replace("/", "_") / "m.zarr"
        for key in (top, other):
            (place / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(store(tmp_path), place / key)
        mark = {"zarr_format": version} | ({"node_type": "group"} if version == 3 else {})
        for folder in (place, place / top.partition("/")[0]):
            name = ".zgroup" if version == 2 else "zarr.json"
            (folder / name).write_text(json.dumps(mark))
        np.testing.assert_array_equal(dense(part_of(place)), made.COUNTS.T)


def test_shards_are_read(tmp_path: Path) -> None:
    before = anndata.settings.zarr_write_format
    anndata.settings.zarr_write_format = 3
    try:
        path = store(tmp_path)
    finally:
        anndata.settings.zarr_write_format = before
    group = zarr.open_group(path, mode="r+", use_consolidated=False)
    values = np.asarray(group["X/data"][()])  # type: ignore[index]
    attributes = dict(group["X/data"].attrs)
    length = -(-len(values) // 8) * 8
    del group["X/data"]
    made_array = group["X"].create_array(
        "data", shape=(len(values),), chunks=(length // 8,), shards=(length // 2,), dtype="f4"
    )
    made_array[:] = values
    made_array.attrs.update(attributes)
    np.testing.assert_array_equal(dense(part_of(path)), made.COUNTS.T)


def test_a_store_of_something_else_is_refused_and_not_called_damaged(
    version: int, tmp_path: Path
) -> None:
    path = store(tmp_path)
    shutil.rmtree(path / "obs")
    for given in (path, zipped(path)):
        with pytest.raises(UnreadableFile, match="not of AnnData") as refused:
            part_of(given)
        assert "damaged" not in str(refused.value)


def test_a_store_in_a_tar_is_refused_with_the_way_out(version: int, tmp_path: Path) -> None:
    path = store(tmp_path)
    with tarfile.open(tmp_path / "c.tar", "w") as archive:
        archive.add(path, "cells.zarr")
    with pytest.raises(UnreadableFile, match="zarr store") as refused:
        part_of(tmp_path / "c.tar")
    assert "as a .zip file" in str(refused.value.advice)
    assert "damaged" not in str(refused.value)


@pytest.mark.parametrize("codec", ["pickle", "zfpy", "made-up"])
@pytest.mark.parametrize("packed", [False, True])
def test_codecs_that_run_code_or_are_unknown_are_refused_by_name(
    codec: str, packed: bool, version: int, tmp_path: Path
) -> None:
    path = store(tmp_path)
    file, node = metadata(path, "obs/_index", version)
    if version == 2:
        node["filters"] = [{"id": codec}]
    else:
        node["codecs"] = [{"name": f"numcodecs.{codec}"}]
    file.write_text(json.dumps(node))
    if codec == "pickle":
        touched = tmp_path / "touched"
        for chunk in (path / "obs/_index").rglob("*"):
            if chunk.is_file() and chunk != file:
                chunk.write_bytes(b"cos\nsystem\n(S'touch " + os.fsencode(touched) + b"'\ntR.")
    with pytest.raises(UnreadableFile, match=codec) as refused:
        part_of(zipped(path) if packed else path)
    assert "damaged" not in str(refused.value)
    assert "sound" in str(refused.value)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("what", ["shape", "chunk", "many-chunks"])
@pytest.mark.parametrize("array", ["X/data", "obs/n"])
def test_arrays_that_declare_more_than_they_hold_are_refused(
    what: str, array: str, version: int, tmp_path: Path
) -> None:
    path = store(tmp_path)
    file, node = metadata(path, array, version)
    if what == "shape":
        node["shape"] = [10**12]
    size = {"shape": node["shape"][0], "chunk": 10**12, "many-chunks": 1}[what]
    if what == "many-chunks":
        node["shape"] = [30_000_000]
    if what != "shape":
        if version == 2:
            node["chunks"] = [size]
        else:
            node["chunk_grid"]["configuration"]["chunk_shape"] = [size]
    file.write_text(json.dumps(node))
    with pytest.raises(UnsafeFile, match="declares far more"):
        part_of(path)


def test_links_out_of_a_store_are_refused(version: int, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 100)
    path = store(tmp_path)
    chunk = next(f for f in (path / "X/data").rglob("*") if f.is_file() and f.name in ("0", "c"))
    chunk.unlink()
    chunk.symlink_to(secret)
    with pytest.raises(UnsafeFile, match="other files"):
        part_of(path)
    chunk.unlink()
    (path / "loop").symlink_to(path)
    with pytest.raises(UnsafeFile, match="other files"):
        part_of(path)


def test_missing_values_of_a_sparse_matrix_are_not_read_as_zeros(
    version: int, tmp_path: Path
) -> None:
    path = store(tmp_path)
    chunk = next(f for f in (path / "X/data").rglob("*") if f.is_file() and f.name == "0")
    chunk.unlink()
    with pytest.raises(UnreadableFile, match="1 of 1 files with the values of a matrix"):
        part_of(path)


@pytest.mark.parametrize("file", [".zattrs", "zarr.json"])
def test_a_bomb_in_a_zip_is_refused(file: str, tmp_path: Path) -> None:
    path = zipped(store(tmp_path))
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"obs/extra/{file}", "w") as member,
    ):
        for _ in range(70):
            member.write(b" " * (1 << 20))
    with pytest.raises(UnsafeFile, match="declares far more"):
        part_of(path)


def test_checking_a_store_leaves_nothing_behind(tmp_path: Path) -> None:
    before = anndata.settings.zarr_write_format
    anndata.settings.zarr_write_format = 2  # with Blosc, which makes a lock
    path = store(tmp_path)
    anndata.settings.zarr_write_format = before
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "check", path, "--role", "train"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("accept")
    assert "leaked" not in done.stderr


def test_every_file_of_a_store_counts_for_its_hash(version: int, tmp_path: Path) -> None:
    path = store(tmp_path)
    files = read_from(FileChoice(path=path))
    assert {f.relative_to(path).as_posix() for f in files} == {
        f.relative_to(path).as_posix() for f in path.rglob("*") if f.is_file()
    }
    before = part_of(path).source.sha256
    with zipfile.ZipFile(zipped(path)) as archive:  # the same content in another form is another
        assert len(archive.namelist()) == len(files)
    assert part_of(path).source.sha256 == before
