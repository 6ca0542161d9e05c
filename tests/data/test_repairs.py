"""Each repair does what its name says, shows it before, and can be undone by leaving it out of the
request.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from gui.data.dataset import Matrix, Source
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers.part import Part
from gui.data.validation.examine import examine, preview
from gui.data.validation.registry import KINDS, in_order, repair_part
from gui.data.validation.repairs import (
    ChooseMatrix,
    DropEmpty,
    DropGaps,
    FilterColumns,
    KeepValues,
    RenameSamples,
    Transpose,
    UndoLog,
)
from gui.data.validation.repairs_genes import CleanNames, MapGenes, MergeGenes, RestoreDates
from gui.data.validation.repairs_matching import MatchGenes
from gui.data.validation.repairs_types import (
    DropTypes,
    MapTypes,
    MapTypesByTable,
    plain_label,
    same_labels,
)
from gui.errors import BadNames, BadValues
from gui.knowledge.excel_dates import date_of, dates_in, restore_dates
from tests.data.repairing import repaired


def part(
    values: Any,
    genes: Any = None,
    columns: Any = None,
    labels: Any = None,
    role: Any = "bulk",
    var: pd.DataFrame | None = None,
) -> Part:
    stored = values if sparse.issparse(values) else np.asarray(values, dtype=float)
    genes = pd.Index(
        [f"G{i}" for i in range(stored.shape[0])] if genes is None else genes, dtype=object
    )
    columns = pd.Index(
        [f"S{i}" for i in range(stored.shape[1])] if columns is None else columns, dtype=object
    )
    return Part(
        Matrix(stored, genes, columns),
        None if labels is None else np.array(labels, dtype=object),
        pd.DataFrame(index=columns),
        Source(role, "file.csv", "csv"),
        var=var,
    )


def dense(found: Part) -> np.ndarray:
    return found.matrix.frame().to_numpy()


tables = st.integers(1, 7).flatmap(
    lambda rows: st.tuples(
        st.lists(st.sampled_from("ABCD"), min_size=rows, max_size=rows),
        st.integers(1, 5).flatmap(
            lambda width: st.lists(
                st.lists(st.integers(0, 1000), min_size=width, max_size=width),
                min_size=rows,
                max_size=rows,
            )
        ),
    )
)


@given(table=tables, compressed=st.booleans())
def test_summing_duplicated_genes_keeps_the_column_sums_and_every_name_once(
    table: tuple[list[str], list[list[int]]], compressed: bool
) -> None:
    genes, values = table
    given_part = part(
        sparse.csc_matrix(np.array(values, dtype=float)) if compressed else values, genes
    )
    made, _ = MergeGenes(role="bulk").apply(given_part)
    assert made.matrix.genes.is_unique
    assert set(made.matrix.genes) == set(genes)
    np.testing.assert_array_equal(made.matrix.sums(), given_part.matrix.sums())
    expected = pd.DataFrame(values, index=genes).groupby(level=0, sort=False).sum()
    np.testing.assert_array_equal(
        made.matrix.frame().loc[expected.index].to_numpy(), expected.to_numpy()
    )


@given(table=tables)
def test_keeping_the_larger_takes_whole_rows_of_the_file(
    table: tuple[list[str], list[list[int]]],
) -> None:
    genes, values = table
    made, _ = MergeGenes(role="bulk", how="larger").apply(part(values, genes))
    for gene, row in zip(made.matrix.genes, dense(made), strict=True):
        rivals = [v for g, v in zip(genes, values, strict=True) if g == gene]
        assert list(row) in rivals
        assert sum(row) == max(map(sum, rivals))


@given(table=tables, compressed=st.booleans())
def test_transposing_twice_gives_the_part_back(
    table: tuple[list[str], list[list[int]]], compressed: bool
) -> None:
    genes, values = table
    before = part(sparse.csc_matrix(np.array(values, dtype=float)) if compressed else values, genes)
    once, _ = Transpose(role="bulk").apply(before)
    again, _ = Transpose(role="bulk").apply(once)
    assert list(once.matrix.genes) == list(before.matrix.columns)
    assert list(again.matrix.genes) == genes
    assert list(again.matrix.columns) == list(before.matrix.columns)
    np.testing.assert_array_equal(dense(again), dense(before))
    assert again.matrix.is_sparse == before.matrix.is_sparse


@given(
    values=st.lists(st.lists(st.floats(0, 1e6), min_size=2, max_size=2), min_size=1, max_size=6),
    base=st.sampled_from(["2", "e", "10"]),
    zero=st.booleans(),
)
def test_undoing_a_logarithm_gives_the_values_back(
    values: list[list[float]], base: Any, zero: bool
) -> None:
    linear = np.array(values)
    width = {"2": np.log(2), "e": 1.0, "10": np.log(10)}[base]
    logged = np.log1p(linear) / width if not zero else np.log(linear + 0.01) / width
    made, _ = UndoLog(role="bulk", base=base, offset=0 if zero else 1).apply(part(logged))
    np.testing.assert_allclose(dense(made), linear + (0.01 if zero else 0), rtol=1e-9, atol=1e-9)
    if not zero:
        compressed, _ = UndoLog(role="bulk", base=base).apply(part(sparse.csc_matrix(logged)))
        assert compressed.matrix.is_sparse
        np.testing.assert_allclose(dense(compressed), linear, rtol=1e-9, atol=1e-9)


def test_undoing_the_wrong_logarithm_says_so_instead_of_giving_infinity() -> None:
    with pytest.raises(BadValues, match="too large"):
        UndoLog(role="bulk", base="10").apply(part([[400.0, 1.0]]))


@given(names=st.lists(st.sampled_from(["P", "P_2", "Q", "P_3"]), min_size=1, max_size=8))
def test_renamed_samples_are_unique_and_the_first_keeps_its_name(names: list[str]) -> None:
    made = RenameSamples.names(pd.Index(names, dtype=object))
    assert len(set(made)) == len(names)
    assert [
        m for m, first in zip(made, ~pd.Index(names).duplicated(), strict=True) if first
    ] == list(dict.fromkeys(names))


def test_gaps_and_empty_rows_are_left_out_and_named() -> None:
    found = part([[1, np.nan], [0, 0], [2, 3]], ["A", "B", "C"])
    made, said = DropGaps(role="bulk").apply(found)
    assert list(made.matrix.genes) == ["B", "C"]
    assert "1 gene with missing values left out: A" in said
    made, said = DropEmpty(role="bulk").apply(made)
    assert list(made.matrix.genes) == ["C"]
    assert said == "1 gene left out, zero everywhere: B."
    cells = part(sparse.csc_matrix(np.array([[1.0, 0], [0, 0]])), labels=["T", "B"], role="train")
    made, said = DropEmpty(role="train", of="columns").apply(cells)
    assert (list(made.matrix.columns), list(made.labels), len(made.obs)) == (["S0"], ["T"], 1)
    assert said == "1 cell left out, zero everywhere."
    made, said = FilterColumns(role="bulk", min_sum=2, max_sum=50, min_genes=2).apply(
        part([[1, 40, 9], [1, 20, 0]])
    )
    assert list(made.matrix.columns) == ["S0"]
    assert "2 samples left out" in said


@pytest.mark.parametrize(
    ("text", "date"),
    [
        *(
            (text, (9, 2))
            for text in (
                "2-Sep",
                "Sep-02",
                "02. Sep",
                "2006-09-02 00:00:00",
                "2021/9/2",
                "2-Sep-21",
                "02 September 2021",
                "Sep 2, 2021",
                "2-set",
            )
        ),
        *(
            (text, (3, 1))
            for text in (
                "1-Mrz",
                "1. März",
                "1-mars",
                "Mar/01",
                "2021-03-01T00:00:00",
                "2021-03-01T00:00:00.000Z",
            )
        ),
        *(("1-Dez", (12, 1)), ("4-Okt", (10, 4)), ("1-Jan", (1, 1))),
    ],
)
def test_dates_of_excel_are_read_in_its_spellings(text: str, date: tuple[int, int]) -> None:
    assert date_of(text) == date


@pytest.mark.parametrize(
    "gene",
    [
        "SEPT2",
        "HLA-DRA",
        "MARCH1",
        "DEC1",
        "99-Sep",
        "7SK",
        "2-Sepx",
        "APR-1",
        "JUN-1",
        "1.1.1.1",
        "5-HT",
        "100130426",
        "7157",
        "44600",
        "Nkx2-5",
    ],
)
def test_genes_are_not_taken_for_dates(gene: str) -> None:
    assert restore_dates([gene, "TP53"], []) == {}


@pytest.mark.parametrize(
    ("names", "dates"),
    [
        # days since 1900
        (
            ["44621", "44805", "44256.0", "ACTB"],
            {"44621": (3, 1), "44805": (9, 1), "44256.0": (3, 1)},
        ),
        # since 1904, as Excel for the Mac counted
        (["43159", "43343"], {"43159": (3, 1), "43343": (9, 1)}),
        # Entrez IDs, one of which happens to be a day
        (["44621", "7157", "672", "100130426", "1956", "5728"], {}),
        (
            ["9/2/2021", "3/11/21", "12/1/2021"],
            {"9/2/2021": (9, 2), "3/11/21": (3, 11), "12/1/2021": (12, 1)},
        ),
        (
            ["2/9/2021", "11/3/2021", "3-9-2021"],
            {"2/9/2021": (9, 2), "11/3/2021": (3, 11), "3-9-2021": (9, 3)},
        ),
        (["02.09.2021", "03.09.2021"], {"02.09.2021": (9, 2), "03.09.2021": (9, 3)}),
        (["3/9/2021"], {"3/9/2021": None}),  # March the ninth or the third of September
    ],
)
def test_what_a_name_means_can_depend_on_the_other_names(
    names: list[str], dates: dict[str, tuple[int, int] | None]
) -> None:
    assert dates_in(names) == dates


def test_two_spellings_of_one_date_are_two_genes_that_cannot_be_told_apart() -> None:
    assert restore_dates(["1-Mar", "2021-03-01", "44805"], ["MARC1", "MARCH1", "SEPT1"]) == {
        "1-Mar": "",
        "2021-03-01": "",
        "44805": "SEPT1",
    }
    assert restore_dates(["3/9/2021", "1-Jan"], []) == {"3/9/2021": "", "1-Jan": ""}


def test_dates_become_the_symbol_that_the_other_files_use() -> None:
    assert restore_dates(["2-Sep", "A"], ["SEPT2"]) == {"2-Sep": "SEPT2"}
    assert restore_dates(["2-Sep", "A"], ["SEPTIN2"]) == {"2-Sep": "SEPTIN2"}
    assert restore_dates(["2-Sep"], []) == {"2-Sep": "SEPTIN2"}
    assert restore_dates(["5-Mar"], ["MARCH5"]) == {"5-Mar": "MARCH5"}
    assert restore_dates(["1-Mar"], ["MARC1"]) == {"1-Mar": "MARC1"}
    assert restore_dates(["1-Mar"], ["MARC1", "MARCH1"]) == {"1-Mar": ""}
    assert restore_dates(["1-Mar", "MARC1"], ["MARC1", "MARCH1"]) == {"1-Mar": "MARCH1"}
    # one is MARC1, the other MARCH1
    assert restore_dates(["1-Mar", "1-Mar"], ["MARC1", "MARCH1"]) == {"1-Mar": ""}
    made, said = RestoreDates(role="bulk", names={"1-Mar": "", "2-Sep": "SEPT2"}).apply(
        part([[1], [2], [3]], ["1-Mar", "2-Sep", "A"])
    )
    assert list(made.matrix.genes) == ["SEPT2", "A"]
    assert "2-Sep to SEPT2" in said
    assert "1-Mar" in said


def test_names_are_cleaned_and_mapped_by_table_names_and_column(tmp_path: Path) -> None:
    ids = ["ENSG00000115523.4", "ENSG00000112306.1", "ENSG00000999999.2"]
    made, _ = CleanNames(role="bulk").apply(part([[1], [2], [3]], [ids[0], " A ", '"B"']))
    assert list(made.matrix.genes) == ["ENSG00000115523", "A", "B"]
    table = tmp_path / "map.tsv"
    table.write_text(
        "gene_id\tbiotype\tgene_name\nENSG00000115523\tpc\tGNLY\nENSG00000112306\tpc\tRPS12\n"
    )
    order = MapGenes(role="bulk", by="table", table=table, table_name="map.tsv")
    made, said = order.apply(part([[1], [2], [3]], ids))
    assert list(made.matrix.genes) == ["GNLY", "RPS12"]
    assert said == "2 of 3 genes renamed; 1 without a new name left out."
    assert str(tmp_path) not in json.dumps(order.record())
    assert len(order.record()["sha256"]) == 64
    made, _ = MapGenes(role="bulk", by="names").apply(
        part([[1], [2]], ["ENSG00000115523|GNLY", "ENSG00000112306|RPS12"])
    )
    assert list(made.matrix.genes) == ["GNLY", "RPS12"]
    var = pd.DataFrame({"symbol": ["GNLY", None]}, index=["0", "1"])
    made, _ = MapGenes(role="bulk", by="column", column="symbol", keep_unknown=True).apply(
        part([[1], [2]], ["0", "1"], var=var)
    )
    assert list(made.matrix.genes) == ["GNLY", "1"]


def test_labels_of_one_type_are_recognised_and_negative_markers_are_not() -> None:
    assert same_labels(["B cell", "B cells", "B cells", "b-cells", "T"]) == {
        "B cell": "B cells",
        "b-cells": "B cells",
    }
    assert same_labels(["CD4+ T", "CD4- T", "CD4 T"]) == {}
    assert same_labels(["Mono", "mono "], ["mono "]) == {"Mono": "mono "}
    assert plain_label("T_cells.CD4") == plain_label("t cell CD4")
    assert plain_label("Bus") != plain_label("Bu")


def test_types_are_renamed_merged_left_out_and_dropped(tmp_path: Path) -> None:
    cells = part(np.ones((2, 5)), labels=["A1", "A2", "B", "C", None], role="train")
    made, said = MapTypes(names={"A1": "A", "A2": "A", "C": ""}).apply(cells)
    assert list(made.labels) == ["A", "A", "B", None]
    assert said == "Cell types of the training cells: A1 to A and A2 to A; left out C."
    reference = part([[1.0, 3, 9]], columns=["A1", "A2", "B"], role="reference")
    made, _ = MapTypes(names={"A1": "A", "A2": "A"}).apply(reference)
    assert list(made.matrix.columns) == ["A", "B"]
    assert dense(made).tolist() == [[2.0, 9.0]]
    table = tmp_path / "coarse.csv"
    table.write_text("fine,coarse\nA1,A\nA2,A\n")
    made, _ = MapTypesByTable(table=table).apply(cells)
    assert list(made.labels) == ["A", "A", "B", "C", None]
    made, said = DropTypes(min_cells=2).apply(
        part(np.ones((2, 3)), labels=["T", "T", "B"], role="train")
    )
    assert list(made.labels) == ["T", "T"]
    assert "B" in said


EACH = [
    *(
        UndoLog(role="bulk", base="2"),
        DropGaps(role="bulk"),
        DropEmpty(role="bulk"),
        FilterColumns(role="bulk", min_sum=3),
        Transpose(role="bulk"),
    ),
    *(
        RenameSamples(role="bulk"),
        CleanNames(role="bulk"),
        RestoreDates(role="bulk", names={"2-Sep": "SEPT2"}),
        MergeGenes(role="bulk"),
    ),
    *(
        MapGenes(role="bulk", by="names"),
        MergeGenes(role="bulk", how="larger"),
        DropEmpty(role="bulk", of="columns"),
    ),
]


@pytest.mark.parametrize(
    "repair", EACH, ids=lambda r: f"{r.kind}-{getattr(r, 'how', '')}{getattr(r, 'of', '')}"
)
def test_each_repair_is_stored_as_json_previewed_and_leaves_what_it_is_given_alone(
    repair: Any,
) -> None:
    given_part = part(
        [[1, 2, np.nan], [0, 0, 0], [3, 1, 0], [3, 1, 0]],
        ["2-Sep", "B", "ID1|C", "ID1|C"],
        ["P", "P", "Q"],
    )
    before = dense(given_part).copy()
    shown = repair.preview(given_part)
    assert (
        1 <= len(shown) <= 8
        or repair.kind in ("clean_names", "filter_columns")
        or getattr(repair, "of", "") == "columns"
    )
    repair.apply(given_part)
    np.testing.assert_array_equal(dense(given_part), before)
    request = LoadRequest(files={}, repairs=(repair,))
    assert LoadRequest.model_validate_json(request.model_dump_json()) == request
    assert repair.title()


def frozen(values: Any, role: str) -> Part:
    """A part none of whose arrays can be written to."""
    labels = None if role == "bulk" else ["B", "b", "T", "T", None]
    columns = ["P", "P", "Q", "R", "S"] if role == "bulk" else ["B", "b", "T", "NK", "DC"]
    genes = ["2-Sep", "ENSG00000000001.3", " ID1|C", "D", "D", "E"]
    made = part(
        values,
        genes,
        columns,
        labels if role == "train" else None,
        role,
        pd.DataFrame({"symbol": list("UVWXYZ")}, index=genes),
    )
    stored: Any = made.matrix.values
    for array in (
        (stored.data, stored.indices, stored.indptr) if sparse.issparse(stored) else (stored,)
    ):
        array.setflags(write=False)
    if made.labels is not None:
        made.labels.setflags(write=False)
    return made


def contents(of: Part) -> list[Any]:
    stored: Any = of.matrix.values
    arrays = (stored.data, stored.indices, stored.indptr) if sparse.issparse(stored) else (stored,)
    names = [
        list(of.matrix.genes),
        list(of.matrix.columns),
        None if of.labels is None else list(of.labels),
    ]
    return [*(a.tobytes() for a in arrays), *names, of.obs.to_csv(), of.var.to_csv(), of.source]


@pytest.mark.parametrize("compressed", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("role", ["train", "bulk", "reference"])
def test_no_repair_of_any_kind_writes_to_what_it_is_given(
    role: Any, compressed: bool, tmp_path: Path
) -> None:
    """The parts as read are held and repaired again and again (gui.data.readers.read_cache)."""
    table = tmp_path / "table.csv"
    table.write_text("old,new\nB,b\nT,t\nD,d\nE,e\n")
    repairs = [
        *(
            ChooseMatrix(role=role, matrix="X"),
            Transpose(role=role),
            Transpose(role=role, label_column="symbol"),
            DropGaps(role=role),
            KeepValues(role=role),
        ),
        *(
            CleanNames(role=role),
            RestoreDates(role=role, names={"2-Sep": "SEPT2"}),
            RestoreDates(role=role, names={"2-Sep": ""}),
            RenameSamples(role=role),
        ),
        *(
            UndoLog(role=role, base=base, offset=offset)
            for base in ("2", "e", "10")
            for offset in (0, 1)
        ),
        *(
            MergeGenes(role=role),
            MergeGenes(role=role, how="larger"),
            DropEmpty(role=role),
            DropEmpty(role=role, of="columns"),
        ),
        *(
            MapGenes(role=role, by="names"),
            MatchGenes(role=role, column="symbol"),
            MapGenes(role=role, by="column", column="symbol"),
            MapGenes(role=role, by="table", table=table, keep_unknown=True),
        ),
        *(
            MapTypes(names={"B": "b", "T": ""}),
            MapTypesByTable(table=table),
            DropTypes(min_cells=2),
        ),
        FilterColumns(role=role, min_sum=3, max_sum=90, min_genes=2),
    ]
    assert {type(r) for r in repairs} == set(KINDS)
    values = np.array(
        [
            [1, 2, 0, 4, 5],
            [0, 0, 0, 0, 0],
            [3, 1, 0, 1, 2],
            [3, 1, 0, 1, 1],
            [2, 2, 0, 1, 9],
            [np.nan, 3, 0, 1, 1],
        ],
        dtype=np.float32,
    )
    given_part = frozen(sparse.csc_matrix(values) if compressed else values, role)
    before = contents(given_part)
    for repair in repairs:
        if repair.fits(role):
            repair.apply(given_part)
            repair.preview(given_part)
            assert contents(given_part) == before, repair


def test_repairs_are_applied_in_the_order_that_makes_sense_whatever_was_clicked_first() -> None:
    logged = part(np.log2(np.array([[3.0], [4.0], [9.0]]) + 1), ["A", "A", "B"])
    clicked = (MergeGenes(role="bulk"), UndoLog(role="bulk", base="2"))
    assert [r.kind for r in in_order(clicked)] == ["undo_log", "merge_genes"]
    made, said = repair_part(logged, clicked)
    np.testing.assert_allclose(dense(made), [[7.0], [9.0]])
    assert len(said) == 2
    assert [r["kind"] for r in made.source.options["repairs"]] == ["undo_log", "merge_genes"]
    assert len({cls.model_fields["kind"].default for cls in KINDS}) == len(KINDS)


def test_a_repair_is_kept_in_the_provenance_and_undone_by_leaving_it_out(
    make: SimpleNamespace, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    genes, labels = [f"G{i}" for i in range(12)], ["B", "NK", "T"] * 5
    profile = {
        t: np.where(np.arange(12) % 3 == i, 20.0, 2.0) for i, t in enumerate(("B", "NK", "T"))
    }
    train = make.csv(
        tmp_path / "t.csv",
        random.poisson(np.column_stack([profile[t] for t in labels])) + 1.0,
        genes,
        labels,
    )
    bulk = make.csv(
        tmp_path / "b.csv", random.poisson(50, (13, 3)) + 1.0, [*genes, "G0"], ["P1", "P2", "P3"]
    )
    request = LoadRequest(files={"train": FileChoice(path=train), "bulk": FileChoice(path=bulk)})
    with pytest.raises(BadNames, match="G0"):
        load_dataset(request)
    found = examine(request)
    at = [f.code for f in found.findings].index("duplicated-genes")
    assert found.outcome == "accept with a warning"
    assert found.previews[at].loc[0, "gene"] == "G0"
    pd.testing.assert_frame_equal(preview(request, found.findings[at].repair), found.previews[at])
    mended = repaired(request)
    data = load_dataset(mended)
    assert data.source("bulk").options["repairs"] == [
        {"kind": "merge_genes", "role": "bulk", "how": "sum"}
    ]
    assert any("summed up: G0" in n for n in data.source("bulk").notes)
    assert examine(mended).outcome == "accept"
    assert examine(mended).funnel.loc["read", "bulk"] == 13
    assert examine(mended).funnel.loc[
        ["mapped", "shared", "expressed", "selected"], "bulk"
    ].tolist() == [12, 12, 12, 12]
    with pytest.raises(BadNames, match="G0"):
        load_dataset(mended.model_copy(update={"repairs": ()}))


def test_another_matrix_of_the_file_is_read_where_it_is_chosen(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(20, (9, 60)).astype(np.float32) + np.repeat(
        np.eye(60)[:3] * 90, 3, axis=0
    ).astype(np.float32)
    scaled = (counts - counts.mean(axis=0)) / (counts.std(axis=0) + 1e-6)
    made = anndata.AnnData(
        scaled,
        obs=pd.DataFrame({"cell_type": list("AAABBBCCC")}, index=[f"c{i}" for i in range(9)]),
    )
    made.var_names = [f"G{i}" for i in range(60)]
    made.layers["counts"] = counts
    path = tmp_path / "scaled.h5ad"
    made.write_h5ad(path)
    request = LoadRequest(files={"train": FileChoice(path=path, matrix="X")})
    found = examine(request)
    fault = next(f for f in found.findings if f.code == "scaled-values")
    assert fault.repair.record() == {
        "kind": "choose_matrix",
        "role": "train",
        "matrix": "layer:counts",
    }
    data = load_dataset(request.model_copy(update={"repairs": (fault.repair,)}))
    both = np.hstack([data.train.matrix.frame().to_numpy(), data.test.matrix.frame().to_numpy()])
    assert both.sum() == counts.sum()
