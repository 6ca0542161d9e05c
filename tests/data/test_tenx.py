"""What Cell Ranger writes: the three files of versions 2 and 3, compressed or not, and the .h5 of
both.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy import io, sparse

from gui.data.load import CellChoice, FileChoice, LoadRequest, inspect_file, load_dataset
from gui.data.readers.file_kind import file_kind
from gui.data.readers.read import read_all
from gui.errors import BadNames, DataError, NoLabels, UnreadableFile, UnsafeFile

GENES = [f"GENE{i}" for i in range(28)] + ["TWIN", "TWIN"]
IDS = [f"ENSG{i:011d}" for i in range(30)]
BARCODES = [f"{'ACGT' * 3}{i:04d}-1" for i in range(40)]
TYPES = ["T" if i % 2 else "B" for i in range(40)]


@pytest.fixture
def counts() -> sparse.csc_matrix:
    made = np.random.default_rng(0).poisson(2.0, (30, 40)) * (
        np.arange(40) % 2 + 1 == np.arange(30)[:, None] % 2 + 1
    ) + np.eye(30, 40, dtype=int)
    return sparse.csc_matrix(made)


def write_folder(
    folder: Path,
    counts: sparse.csc_matrix,
    *,
    version: int = 3,
    packed: bool = True,
    before: str = "",
) -> Path:
    folder.mkdir(exist_ok=True)
    io.mmwrite(folder / "m.mtx", counts, field="integer")
    kinds = ["\tGene Expression" if version == 3 else ""] * 30
    texts = {
        f"{before}matrix.mtx": (folder / "m.mtx").read_text(),
        f"{before}barcodes.tsv": "".join(f"{b}\n" for b in BARCODES),
        f"{before}{'features' if version == 3 else 'genes'}.tsv": "".join(
            f"{i}\t{g}{k}\n" for i, g, k in zip(IDS, GENES, kinds, strict=True)
        ),
    }
    (folder / "m.mtx").unlink()
    for name, text in texts.items():
        (folder / f"{name}{'.gz' if packed else ''}").write_bytes(
            gzip.compress(text.encode()) if packed else text.encode()
        )
    return folder


def write_h5(path: Path, counts: sparse.csc_matrix, *, version: int = 3) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "GRCh38")
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(counts, key)
        group["shape"], group["barcodes"] = np.array(counts.shape), np.array(BARCODES, dtype="S")
        ids, names = np.array(IDS, dtype="S"), np.array(GENES, dtype="S")
        if version == 3:
            group["features/id"], group["features/name"] = ids, names
            group["features/feature_type"] = np.array(["Gene Expression"] * 30, dtype="S32")
        else:
            group["genes"], group["gene_names"] = ids, names
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(
        "barcode,sample,cell_type\n"
        + "".join(f"{b},s1,{t}\n" for b, t in zip(BARCODES, TYPES, strict=True))
    )
    return path


def read(path: Path, **options: object) -> Any:
    return read_all({"bulk": FileChoice(path=path, **options)})[0]["bulk"]


def every_form(tmp_path: Path, counts: sparse.csc_matrix) -> list[Path]:
    return [
        write_folder(tmp_path / "v3", counts),
        write_folder(tmp_path / "v2", counts, version=2, packed=False),
        write_folder(tmp_path / "geo", counts, before="GSM1_sample_") / "GSM1_sample_matrix.mtx.gz",
        write_folder(tmp_path / "any", counts) / "barcodes.tsv.gz",
        write_folder(tmp_path / "other", counts, version=2, packed=False) / "genes.tsv",
        write_h5(tmp_path / "v3.h5", counts),
        write_h5(tmp_path / "v2.h5ad", counts, version=2),
    ]


def test_every_form_gives_the_same_matrix_and_keeps_the_ensembl_ids(
    tmp_path: Path, counts: sparse.csc_matrix
) -> None:
    for path in every_form(tmp_path, counts):
        part = read(path)
        assert part.source.kind == "10x"
        assert part.matrix.values.format == "csc"
        np.testing.assert_array_equal(part.matrix.values.toarray(), counts.toarray())
        # duplicated symbols are left to be seen
        assert (list(part.matrix.genes), list(part.matrix.columns)) == (GENES, BARCODES)
        assert list(part.var["gene_ids"]) == IDS
        assert list(read(path, genes_column="id").matrix.genes) == IDS


def test_looking_tells_size_corner_and_forecast(tmp_path: Path, counts: sparse.csc_matrix) -> None:
    for path in every_form(tmp_path, counts):
        seen = inspect_file(path, "train")
        assert (seen.kind, seen.shape) == ("10x", (30, 40))
        np.testing.assert_array_equal(seen.preview.to_numpy(), counts.toarray()[:8, :6])
        assert seen.forecast.bytes > 0
        assert seen.forecast.refusal == ""


def test_cells_without_a_table_of_labels_are_refused_in_words(
    tmp_path: Path, counts: sparse.csc_matrix
) -> None:
    with pytest.raises(NoLabels, match="not their cell types"):
        load_dataset(
            LoadRequest(
                files={
                    "train": FileChoice(
                        path=write_folder(tmp_path / "v3", counts), genes_column="id"
                    )
                }
            )
        )


def test_a_table_of_labels_makes_them_training_cells(
    tmp_path: Path, counts: sparse.csc_matrix, labels: Path
) -> None:
    for path in every_form(tmp_path, counts):
        choice = FileChoice(path=path, labels=labels, genes_column="id")
        dataset = load_dataset(LoadRequest(files={"train": choice, "test": choice}))
        assert dataset.train.labels.tolist() == TYPES
        with pytest.raises(BadNames, match="TWIN occurs more than once"):
            load_dataset(LoadRequest(files={"train": FileChoice(path=path, labels=labels)}))


def test_a_choice_of_cells_and_genes_is_all_that_is_read(
    tmp_path: Path, counts: sparse.csc_matrix, labels: Path
) -> None:
    bulk = tmp_path / "bulk.csv"
    bulk.write_text("gene,S1\n" + "".join(f"{i},1\n" for i in IDS[5:12]))
    for path in every_form(tmp_path, counts):
        choice = FileChoice(
            path=path,
            labels=labels,
            genes_column="id",
            cells=CellChoice(per_label=3, seed=2),
            only_common=True,
        )
        part = read_all({"train": choice, "bulk": FileChoice(path=bulk)})[0]["train"]
        assert sorted(part.labels) == ["B"] * 3 + ["T"] * 3
        assert list(part.matrix.genes) == IDS[5:12]
        at = [BARCODES.index(b) for b in part.matrix.columns]
        np.testing.assert_array_equal(part.matrix.values.toarray(), counts.toarray()[5:12][:, at])
        assert len(part.var) == 7


@pytest.mark.parametrize(
    "text",
    [
        "barcode\tcell_type\n{rows}",
        "{rows}",  # without a header
        '"x";"louvain"\n{rows}',
        "cell_type\n{rows}",  # R: the corner is left out
    ],
)
def test_labels_are_found_in_the_usual_tables(
    tmp_path: Path, counts: sparse.csc_matrix, text: str
) -> None:
    delimiter = ";" if ";" in text else "\t"
    for ending in ("-1", ""):  # many tables leave the -1 of the barcodes out
        body = "".join(
            f'"{b.removesuffix("-1")}{ending}"{delimiter}"{t}"\n'
            for b, t in zip(BARCODES[:30], TYPES, strict=False)
        )
        (tmp_path / "l.txt").write_text(text.format(rows=body))
        part = read_all(
            {
                "train": FileChoice(
                    path=write_h5(tmp_path / "x.h5", counts), labels=tmp_path / "l.txt"
                )
            }
        )[0]["train"]
        assert part.labels.tolist() == TYPES[:30] + [None] * 10


def test_labels_of_other_cells_are_refused_with_an_example_of_both(
    tmp_path: Path, counts: sparse.csc_matrix
) -> None:
    (tmp_path / "l.csv").write_text("barcode,cell_type\nother_1,T\nother_2,B\n")
    with pytest.raises(NoLabels, match=r"other_1.*ACGT"):
        read_all(
            {
                "train": FileChoice(
                    path=write_h5(tmp_path / "x.h5", counts), labels=tmp_path / "l.csv"
                )
            }
        )


def test_antibodies_are_no_genes(tmp_path: Path, counts: sparse.csc_matrix) -> None:
    path = write_h5(tmp_path / "x.h5", counts)
    with h5py.File(path, "a") as file:
        file["matrix/features/feature_type"][-2:] = b"Antibody Capture"
    part = read(path)
    assert list(part.matrix.genes) == GENES[:28]
    assert "2 features that are no genes (Antibody Capture)" in part.source.notes[0]


def test_a_matrix_stored_cells_by_genes_is_turned(
    tmp_path: Path, counts: sparse.csc_matrix
) -> None:
    folder = write_folder(tmp_path / "v3", counts, packed=False)
    io.mmwrite(folder / "matrix.mtx", counts.T, field="integer")
    np.testing.assert_array_equal(read(folder).matrix.values.toarray(), counts.toarray())


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ("30 40 999999999999", "more than it can hold"),
        ("30 40 {fewer}", "declares"),
        ("2000000000 2000000000 {n}", "there are names of 30 genes"),
        ("31 40 {n}", "there are names of 30 genes"),
        ("30 40", "cannot be read"),
        ("30 -40 {n}", "cannot be read"),
    ],
)
def test_a_matrix_that_lies_about_its_size_is_refused(
    tmp_path: Path, counts: sparse.csc_matrix, sizes: str, says: str
) -> None:
    folder = write_folder(tmp_path / "v3", counts, packed=False)
    text = (folder / "matrix.mtx").read_text()
    (folder / "matrix.mtx").write_text(
        text.replace(f"30 40 {counts.nnz}", sizes.format(n=counts.nnz, fewer=counts.nnz - 1))
    )
    with pytest.raises(UnreadableFile, match=says):
        read(folder)


@pytest.mark.parametrize(
    "line",
    [
        "0 1 3",
        "31 1 3",
        "1 41 3",
        "1 x 3",
        "nan 1 3",
        "1e30 1 3",
        "1 1 3 4 5",
        "9" * 30 + " 1 1",
        "1" * 200_000,
    ],
)
def test_an_entry_outside_of_the_matrix_is_refused(
    tmp_path: Path, counts: sparse.csc_matrix, line: str
) -> None:
    folder = write_folder(tmp_path / "v3", counts, packed=False)
    lines = (folder / "matrix.mtx").read_text().splitlines()
    (folder / "matrix.mtx").write_text("\n".join([*lines[:-1], line]) + "\n")
    with pytest.raises(UnreadableFile):
        read(folder)


@pytest.mark.parametrize("damage", ["indices", "indptr", "shape", "huge", "external"])
def test_an_h5_that_contradicts_itself_is_refused(
    tmp_path: Path, counts: sparse.csc_matrix, damage: str
) -> None:
    path = write_h5(tmp_path / "x.h5", counts)
    with h5py.File(path, "a") as file:
        if damage == "indices":
            file["matrix/indices"][0] = 2_000_000
        elif damage == "indptr":
            file["matrix/indptr"][1] = 1_000_000
        elif damage == "shape":
            file["matrix/shape"][0] = 12
        elif damage == "huge":
            del file["matrix/data"]
            file["matrix"].create_dataset("data", shape=(2**40,), dtype=np.int32, chunks=(2**20,))
        else:
            del file["matrix/data"]
            file["matrix/data"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "data")
    with pytest.raises(UnsafeFile if damage in ("huge", "external") else UnreadableFile):
        read(path)


def test_missing_and_ambiguous_companions_are_refused_in_words(
    tmp_path: Path, counts: sparse.csc_matrix
) -> None:
    folder = write_folder(tmp_path / "v3", counts)
    (folder / "barcodes.tsv.gz").unlink()
    with pytest.raises(UnreadableFile, match="not all of"):
        read(folder)
    write_folder(folder, counts)
    write_folder(folder, counts, before="second_")
    with pytest.raises(UnreadableFile, match="more than one matrix"):
        read(folder)
    np.testing.assert_array_equal(
        read(folder / "second_matrix.mtx.gz").matrix.values.toarray(), counts.toarray()
    )
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableFile, match=r"No matrix\.mtx was found"):
        read(tmp_path / "empty")


def test_a_folder_cut_off_anywhere_is_refused(tmp_path: Path, counts: sparse.csc_matrix) -> None:
    folder = write_folder(tmp_path / "v3", counts)
    for name in ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"):
        whole = (folder / name).read_bytes()
        for percent in range(0, 100, 10):
            (folder / name).write_bytes(whole[: len(whole) * percent // 100])
            with pytest.raises(DataError):
                read(folder)
        (folder / name).write_bytes(whole)
    read(folder)  # positive control: whole again, it is read


def test_the_kind_is_told_by_what_is_inside(
    tmp_path: Path, counts: sparse.csc_matrix, dcx_file: Path, tiny_data: Path
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in (["gene", "a"], ["x", 1]):
        book.active.append(row)
    book.save(tmp_path / "book.csv")
    (tmp_path / "table.h5ad").write_text("gene\ta\nx\t1\n")
    (tmp_path / "packed.csv").write_bytes(gzip.compress(b"gene,a\nx,1\n"))
    (tmp_path / "packed.bin").write_bytes(gzip.compress(b"gene,a\nx,1\n"))
    (tmp_path / "model.txt").write_bytes(dcx_file.read_bytes())
    (tmp_path / "cells.dcx").write_bytes((tiny_data / "train.h5ad").read_bytes())
    write_h5(tmp_path / "tenx.h5ad", counts)
    found = {p.name: file_kind(p, p.name) for p in tmp_path.iterdir()}
    assert found == {
        "book.csv": "table", "table.h5ad": "table", "packed.csv": "table", "packed.bin": "table", "model.txt": "dcx", "cells.dcx": "h5ad", "tenx.h5ad": "10x"
    }  # fmt: skip
    for name in ("book.csv", "table.h5ad", "packed.csv", "packed.bin"):
        assert read(tmp_path / name).matrix.values.tolist() == [[1.0]]
    assert inspect_file(tmp_path / "cells.dcx", "train").shape == (765, 349)
    assert inspect_file(tmp_path / "model.txt", "bulk").shape == (765, 12)
