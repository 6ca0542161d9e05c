"""Files that can be read and yet do not hold what they seem to: truth values, clusters for types,
copies, a later version.

And good ones beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.cli.check import check
from gui.data.load import FileChoice, inspect_file
from gui.data.readers.labels import LabelColumn, look_of, name_rank, propose_column, read_labels
from gui.data.readers.read import read_all
from gui.data.validation.duplicates import cells_in_both, copied_cells, same_samples
from gui.data.validation.repairs import ChooseMatrix
from gui.errors import NoLabels

GENES = [f"G{i}" for i in range(80)]
TYPES = ("B cells", "NK cells", "T cells")


def counts(cells_per_type: int = 12, seed: int = 0) -> np.ndarray:
    """Cells x genes."""
    profile = np.random.default_rng(0).gamma(0.5, 4.0, (len(TYPES), len(GENES)))
    return np.random.default_rng(seed).poisson(np.repeat(profile, cells_per_type, axis=0)) + np.eye(
        len(TYPES) * cells_per_type, len(GENES)
    )


def single_cells(
    values: Any = None, obs: dict[str, Any] | None = None, **more: Any
) -> anndata.AnnData:
    values = counts() if values is None else values
    types = np.repeat(TYPES, values.shape[0] // len(TYPES))
    index = [f"c{i}" for i in range(values.shape[0])]
    return anndata.AnnData(
        values,
        obs=pd.DataFrame({"cell_type": types} if obs is None else obs, index=index),
        var=pd.DataFrame(index=GENES),
        **more,
    )


def bulk(samples: int = 5, seed: int = 1) -> pd.DataFrame:
    values = np.random.default_rng(seed).gamma(0.7, 200.0, (len(GENES), samples)).round(3)
    return pd.DataFrame(values, index=GENES, columns=[f"P{i}" for i in range(samples)])


@pytest.fixture
def found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, dict[str, str]]]:
    """``found(content, role, against)`` -> outcome, and code -> message of all but the notes."""

    def write(content: Any, name: str) -> Path:
        path = tmp_path / name
        if isinstance(content, anndata.AnnData):
            content.write_h5ad(path)
        elif isinstance(content, pd.DataFrame):
            content.to_csv(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            return Path(content)
        return path

    def look(
        content: Any, role: str = "train", *against: Any, name: str = ""
    ) -> tuple[str, dict[str, str]]:
        name = name or ("file.h5ad" if isinstance(content, anndata.AnnData) else "file.csv")
        others = [
            write(a, f"other{i}.h5ad" if isinstance(a, anndata.AnnData) else f"other{i}.csv")
            for i, a in enumerate(against)
        ]
        check(
            [
                str(write(content, name)),
                "--role",
                role,
                *(x for o in others for x in ("--against", str(o))),
                "--json",
            ]
        )
        answer = json.loads(capsys.readouterr().out)
        return answer["outcome"], {
            x["code"]: x["message"] for x in answer["findings"] if x["severity"] != "info"
        }

    return look


ACCEPT, WARN, REFUSE = "accept", "accept with a warning", "refuse"
Look = Callable[..., tuple[str, dict[str, str]]]


# -- values that measure nothing
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_truth_values_are_no_expression_in_any_form_and_place(
    form: Callable[[Any], Any], found: Look
) -> None:
    truth, real = form(counts() > 0), form(counts())
    outcome, said = found(single_cells(truth))
    assert (outcome, set(said)) == (REFUSE, {"boolean-values"})
    assert "True and False" in said["boolean-values"]
    only_layer = single_cells(None)
    only_layer.X, only_layer.layers["detected"] = None, truth
    assert found(only_layer)[0] == REFUSE
    for place in ("layer", "raw"):  # the counts stand beside: they are proposed, and that is said
        both = single_cells(truth)
        if place == "layer":
            both.layers["counts"] = real
        else:
            both.raw = single_cells(real)
        outcome, said = found(both)
        assert (outcome, set(said)) == (WARN, {"read-with-a-choice"})
    other = single_cells(real)
    other.layers["detected"] = truth
    assert found(other) == (ACCEPT, {})


def test_a_matrix_of_truth_values_that_was_chosen_is_refused_and_the_counts_are_offered(
    tmp_path: Path,
) -> None:
    from gui.data.validation.check_part import diagnose

    cells = single_cells(counts() > 0, layers={"counts": counts()})
    cells.write_h5ad(tmp_path / "cells.h5ad")
    part = read_all({"train": FileChoice(path=tmp_path / "cells.h5ad", matrix="X")})[0]["train"]
    fault = next(f for f in diagnose(part) if f.code == "boolean-values")
    assert fault.repair == ChooseMatrix(role="train", matrix="layer:counts")


@pytest.mark.parametrize("words", [("TRUE", "FALSE"), ("True", "False"), ("true", "false")])
@pytest.mark.parametrize("gaps", [False, True])
def test_truth_values_of_a_table_are_named_in_a_sentence(
    words: tuple[str, str], gaps: bool, found: Look
) -> None:
    table = bulk().gt(50).replace({True: words[0], False: words[1]})
    if gaps:
        table.iloc[3, :] = "NA"
    outcome, said = found(table, "bulk")
    assert outcome == REFUSE
    assert "TRUE and FALSE" in said["not-a-number"]
    assert "gene G0 in column P0" in said["not-a-number"]


def test_truth_values_of_a_workbook_and_of_a_dcx_are_no_expression(
    found: Look, tmp_path: Path
) -> None:
    bulk().gt(50).to_excel(tmp_path / "book.xlsx")
    assert "TRUE and FALSE" in found(tmp_path / "book.xlsx", "bulk")[1]["not-a-number"]
    from gui.data.readers.dcx import DcxFile, DcxPart
    from gui.data.readers.read import _dcx_part

    file = DcxFile({"bulk": DcxPart((bulk() > 50).to_numpy(), GENES, list("abcde"))})
    path = tmp_path / "x.dcx"
    path.write_bytes(b"")
    assert "boolean" in _dcx_part("bulk", file, FileChoice(path=path), "", said=True).traits


def test_zero_and_one_and_the_same_everywhere_are_said(found: Look) -> None:
    seen = (counts() > 0).astype(np.float32)
    for values in (
        seen,
        sparse.csr_matrix(seen),
        seen.astype(np.int8),
        np.log1p(seen / seen.sum(axis=1, keepdims=True) * 1e4),
    ):
        assert "detected-only" in found(single_cells(values))[1]
    assert set(found((bulk() > 50).astype(int), "bulk", single_cells())[1]) == {"detected-only"}
    outcome, said = found(bulk() * 0 + 5, "bulk", single_cells())
    assert (outcome, set(said)) == (REFUSE, {"constant-values"})


def test_shallow_counts_are_counts(found: Look) -> None:
    random = np.random.default_rng(0)
    assert (
        "detected-only"
        not in found(single_cells(sparse.csr_matrix(random.poisson(counts() / 15))))[1]
    )


# -- labels
# --------------------------------------------------------------------------------------------------

CODES = np.repeat([0, 1, 2], 12)


@pytest.mark.parametrize(
    "labels",
    [
        CODES,
        CODES.astype(float),
        CODES.astype(str),
        [f"{c}.0" for c in CODES],
        pd.Categorical(CODES),
        [f"Cluster {c}" for c in CODES],
        [f"c_{c}" for c in CODES],
    ],
)
def test_numbers_of_clusters_are_no_cell_types(labels: Any, found: Look) -> None:
    outcome, said = found(single_cells(obs={"cell_type": labels}))
    assert (outcome, set(said)) == (WARN, {"numbered-types"})
    assert "column cell_type" in said["numbered-types"]


def test_a_single_number_among_names_is_a_cluster_that_nobody_named(found: Look) -> None:
    labels = np.where(CODES == 1, "7", np.array(TYPES)[CODES])
    outcome, said = found(single_cells(obs={"cell_type": labels}))
    assert (outcome, set(said)) == (WARN, {"numbered-types"})
    assert "The cell type 7 of file.h5ad" in said["numbered-types"]


def test_numbers_for_the_types_of_a_reference_and_of_test_cells_are_said(found: Look) -> None:
    reference = pd.DataFrame(counts(1).T + 1, index=GENES, columns=["0", "1", "2"])
    assert set(found(reference, "reference")[1]) == {"numbered-types"}
    assert "numbered-types" in found(single_cells(obs={"cell_type": CODES}), "test")[1]


def test_names_with_numbers_in_them_are_names(found: Look) -> None:
    for names in (
        ("CD4", "CD8", "CD14"),
        ("Th1", "Th2", "Th17"),
        ("ILC2", "ILC3", "T cells 1"),
        ("5-HT neurons", "L2/3 IT", "G2M"),
    ):
        assert found(single_cells(obs={"cell_type": np.array(names)[CODES]})) == (ACCEPT, {}), names


ORDER = (
    *("cell_type", "CellType_final", "celltype.l2", "annotation_fine", "predicted.id", "leiden"),
    *(
        "donor",
        "predicted_doublet",
        "predicted.celltype.l2.score",
        "cell_type_ontology_term_id",
        "leiden_colors",
        "orig.ident",
        "n_counts",
        "Annotated_by",
    ),
)


def test_columns_that_are_called_like_types_come_before_clusterings() -> None:
    ranks = [name_rank(c) for c in ORDER]
    assert ranks[:6] == sorted(r for r in ranks[:6] if r is not None)
    assert ranks[6:] == [None] * 8
    clusterings = (
        "leiden",
        "Louvain",
        "seurat_clusters",
        "RNA_snn_res.0.8",
        "cluster",
        "leiden_res_0.5",
    )
    named = (
        "CELL-TYPE",
        "Cell Type",
        "cellType",
        "celltype_major",
        "CellType",
        "author_cell_type",
        "free_annotation",
        "majority_voting",
        "predicted_labels",
    )
    assert max(name_rank(c) for c in named) < min(name_rank(c) for c in clusterings)


@pytest.mark.parametrize(
    "clusters", ["leiden", "louvain", "seurat_clusters", "Cluster", "RNA_snn_res.0.8"]
)
@pytest.mark.parametrize(
    "named",
    [
        "CellType_final",
        "CELLTYPE",
        "cell.type.manual",
        "celltype.l2",
        "Annotation_2024",
        "predicted.id",
        "manual_annotation",
    ],
)
def test_the_column_of_names_is_proposed_whatever_stands_beside_it(
    named: str, clusters: str, tmp_path: Path
) -> None:
    for columns in ((clusters, named), (named, clusters)):
        obs = {
            c: pd.Categorical(CODES.astype(str)) if c == clusters else np.array(TYPES)[CODES]
            for c in columns
        }
        single_cells(obs={**obs, "donor": np.tile(["D1", "D2"], 18)}).write_h5ad(
            tmp_path / "cells.h5ad"
        )
        assert inspect_file(tmp_path / "cells.h5ad", "train").label_column == named


def test_what_a_column_holds_counts_more_than_its_name(tmp_path: Path) -> None:
    names = np.array(TYPES)[CODES]
    for obs, wanted in (
        # SeuratDisk turns factors into numbers
        ({"cell_type": CODES, "cell_type_chr": names}, "cell_type_chr"),
        ({"cell_type": ["PBMC"] * 36, "CellType_final": names}, "CellType_final"),
        ({"cell_type": [f"c{i} B" for i in range(36)], "annotation": names}, "annotation"),
        ({"leiden": names, "cell_type": CODES}, "leiden"),  # clusters that were renamed
        ({"type": np.tile(["tumour", "normal"], 18), "CellType": names}, "CellType"),
        (
            {
                "celltype.l1": names,
                "celltype.l2": names,
                "celltype.l3": names,
                "leiden": CODES.astype(str),
            },
            "celltype.l2",
        ),
        ({"leiden": CODES.astype(str), "donor": np.tile(["D1", "D2"], 18)}, "leiden"),
        # a group of the samples is no type, whatever its column is called
        ({"type": np.tile(["tumor", "normal"], 18), "cluster_name": names}, "cluster_name"),
        (
            {"annotation": np.tile(["Treated", "Untreated"], 18), "final_cluster": names},
            "final_cluster",
        ),
        ({"cell_type": np.tile(["Tumour", "Normal"], 18), "sex": ["male"] * 36}, "cell_type"),
    ):
        single_cells(obs=obs).write_h5ad(tmp_path / "cells.h5ad")
        assert inspect_file(tmp_path / "cells.h5ad", "train").label_column == wanted, list(obs)


def test_a_choice_between_columns_is_said_and_a_plain_one_is_not(found: Look) -> None:
    names = np.array(TYPES)[CODES]
    outcome, said = found(single_cells(obs={"leiden": CODES.astype(str), "CellType_final": names}))
    assert (outcome, set(said)) == (WARN, {"read-with-a-choice"})
    assert "the column CellType_final; leiden holds numbers" in said["read-with-a-choice"]
    assert found(single_cells(obs={"leiden": CODES.astype(str), "cell_type": names})) == (
        ACCEPT,
        {},
    )
    assert found(single_cells(obs={"cell_type": names, "celltype_fine": names})) == (ACCEPT, {})
    assert (
        "only one whose text repeats"
        in found(single_cells(obs={"donor": np.tile(["D1", "D2"], 18)}))[1]["read-with-a-choice"]
    )


def test_a_table_of_labels_follows_the_same_order(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "barcode,leiden,CellType_final\n"
        + "".join(f"c{i},{c},{TYPES[c]}\n" for i, c in enumerate(CODES))
    )
    table = read_labels(path, "labels.csv")
    assert table.proposed == "CellType_final"
    assert "leiden holds numbers" in table.notes[0]


def test_nothing_is_proposed_where_nothing_fits() -> None:
    assert (
        propose_column({"n_genes": "numbers", "donor": "names", "site": "names"}, ["donor", "site"])
        is None
    )
    assert propose_column({"leiden": "numbers"}) == LabelColumn("leiden")
    assert [
        look_of(["a"], 9),
        look_of(["1", "2"], 9),
        look_of(["a", "b"], 9),
        look_of(list("abcdefghi"), 9),
    ] == ["one", "numbers", "names", "many"]


@pytest.mark.parametrize("first", ["train", "test"])
def test_a_label_of_the_test_cells_only_is_said_whichever_file_is_looked_at(
    first: str, found: Look
) -> None:
    labels = np.array([*TYPES, "Mast cells"])[np.r_[CODES[:30], [3] * 6]]
    test = single_cells(counts(seed=5), obs={"cell_type": labels})
    outcome, said = (
        found(single_cells(), "train", test)
        if first == "train"
        else found(test, "test", single_cells())
    )
    assert outcome == WARN
    assert "Mast cells occurs only in the test cells" in said["foreign-test-type"]


@pytest.mark.parametrize("label", ["b cells", "B CELLS", " B cells ", "B  cells", "B-cells"])
def test_labels_that_differ_in_case_or_blanks_only_are_said_from_both_sides(
    label: str, found: Look
) -> None:
    test = single_cells(counts(seed=5), obs={"cell_type": np.array([label, *TYPES[1:]])[CODES]})
    for outcome, said in (
        found(single_cells(), "train", test),
        found(test, "test", single_cells()),
    ):
        assert (outcome, "alike-labels" in said) == (WARN, True)
        assert "foreign-test-type" not in said


def test_what_a_file_beside_the_training_cells_is_shows_in_its_types(found: Look) -> None:
    """A bulk is none of them, whatever its obs holds."""
    reference = pd.DataFrame(counts(1).T[:, :2] + 1, index=GENES, columns=TYPES[:2])
    assert "cells-in-both" in found(single_cells(), "train", single_cells())[1]
    # the reference lacks a type: noted
    assert found(single_cells(), "train", reference)[0] == ACCEPT
    samples = anndata.AnnData(
        bulk(8).to_numpy().T,
        obs=pd.DataFrame({"group": ["a", "b"] * 4}, index=[f"P{i}" for i in range(8)]),
        var=pd.DataFrame(index=GENES),
    )
    assert found(single_cells(), "train", samples, bulk()) == (ACCEPT, {})


# -- copies
# --------------------------------------------------------------------------------------------------


def test_identical_samples_are_said_also_up_to_a_factor_and_rounding(found: Look) -> None:
    for change in (
        lambda v: v,
        lambda v: 3 * v,
        lambda v: (v * 1.7).round(2),
        lambda v: v / v.sum(),
    ):
        table = bulk()
        table["copy"] = change(table["P2"])
        outcome, said = found(table, "bulk", single_cells())
        assert (outcome, set(said)) == (WARN, {"identical-samples"})
        assert "(P2 and copy)" in said["identical-samples"]


def test_several_groups_of_equal_samples_are_found(make: SimpleNamespace) -> None:
    table = bulk(6)
    table["a"], table["b"], table["c"] = table["P0"], 2 * table["P0"], table["P4"]
    assert same_samples(make.matrix(table, GENES, list(table.columns))) == [[0, 6, 7], [4, 8]]
    values = sparse.csc_matrix(table.to_numpy())
    from gui.data.dataset import Matrix

    assert same_samples(Matrix(values, table.index, table.columns)) == [[0, 6, 7], [4, 8]]


def test_replicates_and_samples_of_hardly_any_gene_are_no_copies(found: Look) -> None:
    table = bulk()
    deep = table["P1"] * 50
    table["replicate"] = np.random.default_rng(3).poisson(deep)
    table["zero"] = 0.0
    table.loc[GENES[0], "zero"] = 1.0
    table["one"] = table["zero"]
    assert "identical-samples" not in found(table, "bulk", single_cells())[1]


def test_a_single_sample_is_said_and_two_are_not(found: Look) -> None:
    outcome, said = found(bulk(1), "bulk", single_cells())
    assert (outcome, set(said)) == (WARN, {"single-sample"})
    assert found(bulk(2), "bulk", single_cells()) == (ACCEPT, {})


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_cells_that_were_put_together_twice_are_said_and_a_few_equal_ones_are_not(
    form: Callable[[Any], Any], found: Look
) -> None:
    values = counts()
    twice = np.repeat(values, 2, axis=0)
    outcome, said = found(single_cells(form(twice)))
    assert (outcome, set(said)) == (WARN, {"copied-cells"})
    assert "36 of 72 cells" in said["copied-cells"]
    values[1] = values[0]
    assert found(single_cells(form(values))) == (ACCEPT, {})


def test_test_cells_that_were_trained_on_are_counted_by_their_values(make: SimpleNamespace) -> None:
    train, test = counts().T, counts(seed=5).T
    test[:, :4] = train[:, 7:11] * 2.5  # normalised in another way
    one = make.matrix(train, GENES)
    assert cells_in_both(one, make.matrix(test[::-1], GENES[::-1])) == (4, 36)
    assert cells_in_both(one, make.matrix(test[20:], GENES[20:])) == (4, 36)
    assert cells_in_both(one, make.matrix(counts(seed=5).T, GENES)) == (0, 36)
    assert copied_cells(one) == (0, 36)


def test_of_large_data_some_cells_are_compared_and_copies_stay_together(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = counts(100).T
    monkeypatch.setattr("gui.data.validation.duplicates._MOST", values.size // 2)
    copies, compared = copied_cells(make.matrix(np.hstack([values, values])))
    assert (2 * copies, 30 < compared < 300) == (compared, True)
    both, compared = cells_in_both(make.matrix(values), make.matrix(values[:, ::-1]))
    assert (both, 20 < compared < 250) == (compared, True)


# -- gene names
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dates",
    [
        ["44621", "44805"],
        ["44256"],
        ["1-Mar", "44806.0"],
        ["Mar-03"],
        ["2021-03-03"],
        ["3/3/2021"],
        ["03.09.2021"],
        ["3-Sep-21"],
        ["Sep 3, 2021"],
    ],
)
def test_dates_as_gene_names_are_said_in_all_spellings(dates: list[str], found: Look) -> None:
    table = bulk()
    table.index = [*dates, *GENES[len(dates) :]]
    outcome, said = found(table, "bulk", single_cells())
    assert (outcome, set(said)) == (WARN, {"excel-dates"})
    for date in dates:
        assert date in said["excel-dates"]


@pytest.mark.parametrize(
    "ids",
    [["44621", "7157", "672", "1956", "5728"], ["100130426"], ["1-Dec-Z"], ["HLA-A"], ["LOC44621"]],
)
def test_other_numbers_and_names_are_no_dates(ids: list[str], found: Look) -> None:
    table = bulk()
    table.index = [*ids, *GENES[len(ids) :]]
    assert found(table, "bulk", single_cells()) == (ACCEPT, {})


# -- later versions
# --------------------------------------------------------------------------------------------------


def versioned(version: bytes) -> bytes:
    """A good .dcx of two types with its version as a pickled value."""
    from gui.data.dataset import Cells, Dataset, Matrix
    from gui.data.legacy.dcx_write import dcx_bytes

    columns = pd.Index(np.repeat(TYPES, 12), dtype=object)
    train = Cells(
        Matrix(20 * counts().T, pd.Index(GENES, dtype=object), columns),
        columns.to_numpy(),
        pd.DataFrame(index=columns),
    )
    made = dcx_bytes(Dataset(train, None))
    present = b"G\x3f\xf0\0\0\0\0\0\0"
    assert made.count(present) >= 1
    before, _, after = made.rpartition(present)
    assert before.endswith(b"__VERSION__\x94")
    return before + version + after


@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        *(
            (b"G\x3f\xf0\0\0\0\0\0\0", ACCEPT),
            (b"K\x01", ACCEPT),
            (b"X\x03\0\0\x001.0", ACCEPT),
            (b"N", ACCEPT),
            (b"X\x05\0\0\x000.9.1", ACCEPT),
        ),
        *((b"X\x03\0\0\x001.4", WARN), (b"K\x01K\x02\x86", WARN)),
        *(
            (b"G\x40\0\0\0\0\0\0\0", REFUSE),
            (b"K\x02", REFUSE),
            (b"X\x03\0\0\x002.0", REFUSE),
            (b"X\x06\0\0\x00v2.1.3", REFUSE),
            (b"K\x02K\x00\x86", REFUSE),
        ),
        *((b"X\x05\0\0\0later", REFUSE), (b"}", REFUSE), (b"G\x7f\xf8\0\0\0\0\0\0", REFUSE)),
    ],
)
def test_a_dcx_of_a_later_version_is_not_read_as_if_it_were_of_this_one(
    version: bytes, outcome: str, found: Look
) -> None:
    got, said = found(versioned(version), "train", name="file.dcx")
    assert got == outcome, said
    if outcome == WARN:
        assert set(said) == {"later-version"}
    if (
        outcome == REFUSE
        and version[:1] in b"GKX"
        and version[5:] != b"later"
        and version[1] != 0x7F
    ):
        assert "later version (2." in said["unreadable"]


def test_later_formats_of_anndata_cell_ranger_and_gct_are_said(found: Look, tmp_path: Path) -> None:
    path = tmp_path / "later.h5ad"
    single_cells().write_h5ad(path)
    assert found(path)[0] == ACCEPT
    with h5py.File(path, "r+") as file:
        file.attrs["encoding-version"] = "1.0.0"
    assert set(found(path)[1]) == {"later-version"}
    outcome, said = found(b"#1.4\n1\t1\nName\tDescription\tA\nG0\tx\t1\n", "bulk", name="later.gct")
    assert (outcome, "GCT file of version 1.4" in said["unreadable"]) == (REFUSE, True)
    table = sparse.csc_matrix(counts().T)
    with h5py.File(tmp_path / "later.h5", "w") as file:
        file.attrs["version"] = 3
        group = file.create_group("matrix")
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(table, key)
        group["shape"], group["barcodes"] = (
            table.shape,
            [f"b{i}".encode() for i in range(table.shape[1])],
        )
        for key in ("id", "name", "feature_type"):
            group[f"features/{key}"] = [
                b"Gene Expression" if key == "feature_type" else g.encode() for g in GENES
            ]
    assert "later-version" in found(tmp_path / "later.h5")[1]


# -- a table of cell types beside the counts
# -------------------------------------------------------------------------------------------------

BARCODES = ("AAACCTGAGC-1", "AAACCTGTCA-1", "TTTGTCATCT-2")


@pytest.mark.parametrize(
    ("in_table", "in_counts"),
    [
        (BARCODES, BARCODES),
        (BARCODES, [b.replace("-", ".") for b in BARCODES]),  # R's read.table
        ([b.replace("-", ".") for b in BARCODES], BARCODES),
        ([b[:-2] for b in BARCODES], BARCODES),
        ([b[:-2] for b in BARCODES], [b.replace("-", ".") for b in BARCODES]),
        ([f"PT1_{b}" for b in BARCODES], BARCODES),  # Seurat's merge
        (BARCODES, [f"run7:{b[:-2]}x" for b in BARCODES]),  # velocyto
        (["4_c-a", "4_c-b", "5_c-a"], ["X4_c.a", "X4_c.b", "X5_c.a"]),
    ],
)
def test_cells_are_found_by_the_spellings_that_programs_give_them(
    in_table: list[str], in_counts: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "cell,type\n" + "".join(f"{b},{t}\n" for b, t in zip(in_table, "BTN", strict=True))
    )
    table = read_labels(path, "labels.csv")
    assert list(table.of(pd.Index(in_counts), None, "labels.csv")) == list("BTN")


def test_cells_of_the_same_bases_are_never_given_each_others_type(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("cell,type\nAAACCTGAGC-1,B\nAAACCTGAGC-2,T\nTTTGTCATCT-1,N\n")
    table = read_labels(path, "labels.csv")
    found = table.of(pd.Index(["AAACCTGAGC", "TTTGTCATCT"]), None, "labels.csv")
    assert list(found) == [None, "N"]
    with pytest.raises(NoLabels, match="knows none of the cells"):
        table.of(pd.Index(["GGGGCCTGAGC-1"]), None, "labels.csv")
