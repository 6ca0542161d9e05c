"""Kinds of files that people have, with files of their own making: what is read, and what is said."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import openpyxl
import pandas as pd
import pytest
from scipy import sparse

from gui.cli.check import check
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers.expression_table import read_table
from gui.data.validation.examine import Examination, examine
from gui.knowledge.human_genes import human_genes
from tests.data.repairing import repaired

GENES = sorted(human_genes().symbols)[2000:2160]
SAMPLES = [f"PT{i:02d}" for i in range(1, 7)]
RANDOM = np.random.default_rng(17)
PROFILES = RANDOM.lognormal(4, 1.6, (len(GENES), 3))
VALUES = (PROFILES @ RANDOM.dirichlet([2, 2, 2], 6).T).round(3)
VALUES[RANDOM.random(VALUES.shape) < 0.05] = 0
BULK = pd.DataFrame(VALUES, index=GENES, columns=SAMPLES)
CELLS = RANDOM.poisson(np.repeat(PROFILES, 20, axis=1)).astype(float)
TYPES = np.repeat(["B cells", "T cells", "Monocytes"], 20)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cells(tmp_path_factory.mktemp("cells") / "cells.h5ad")


def write_cells(path: Path, values: np.ndarray = CELLS, labels: object = TYPES) -> Path:
    obs = pd.DataFrame({"cell_type": labels}, index=[f"c{i}" for i in range(values.shape[1])])
    anndata.AnnData(sparse.csr_matrix(values.T), obs=obs, var=pd.DataFrame(index=GENES)).write_h5ad(
        path
    )
    return path


def looked_at(cells: Path, bulk: Path) -> tuple[LoadRequest, Examination]:
    request = LoadRequest(files={"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk)})
    return request, examine(request)


def codes(found: Examination) -> set[str]:
    return {x.code for x in found.findings if x.severity != "info"}


# -- scale -----------------------------------------------------------------------------------------

LOGARITHMS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, float]] = {
    "log2(FPKM-UQ + 1) of GDC at Xena": (lambda x: np.log2(x * 40_000 + 1), "2", 1),
    "log2(norm_count + 1)": (lambda x: np.log2(x + 1), "2", 1),
    "log2(x + 0.001) of TOIL": (lambda x: np.log2(x + 0.001).round(4), "2", 0.001),
    "log2(x + 0.5)": (lambda x: np.log2(x + 0.5).round(4), "2", 0.5),
    "log10(x + 0.01)": (lambda x: np.log10(x + 0.01).round(4), "10", 0.01),
}


@pytest.mark.parametrize("kind", LOGARITHMS)
def test_logarithms_with_any_offset_are_undone(kind: str, cells: Path, tmp_path: Path) -> None:
    change, base, offset = LOGARITHMS[kind]
    path = tmp_path / "bulk.tsv"
    change(BULK).to_csv(path, sep="\t")
    request, found = looked_at(cells, path)
    assert codes(found) & {"log-values", "negative-log-values"}
    (undo,) = [r for r in found.proposed if r.kind == "undo_log"]
    assert (undo.base, undo.offset) == (base, offset)  # type: ignore[attr-defined]
    made = load_dataset(repaired(request)).bulk
    assert made is not None
    frame = made.matrix.frame().loc[GENES]
    scale = float(frame.to_numpy().sum() / BULK.to_numpy().sum())
    np.testing.assert_allclose(frame / scale, BULK, rtol=2e-2, atol=0.05)
    assert (frame[BULK == 0].fillna(0) < 1e-3 * scale).all(axis=None)


@pytest.mark.parametrize("low", [0.0, 4.2])
def test_what_cannot_be_undone_exactly_is_said_to_be_approximate(
    low: float, cells: Path, tmp_path: Path
) -> None:
    """VST and rlog give zero counts a value well above 0."""
    path = tmp_path / "vst.tsv"
    np.log2(BULK + 2**low).to_csv(path, sep="\t")
    _, found = looked_at(cells, path)
    (said,) = [x.advice for x in found.findings if x.code == "log-values"]
    assert ("approximate" in said) == (low > 0)


def test_most_values_may_be_the_lowest_one(cells: Path, tmp_path: Path) -> None:
    few = BULK.where(BULK.quantile(0.8) < BULK, 0.0)
    path = tmp_path / "bulk.tsv"
    np.log2(few + 0.001).round(4).to_csv(path, sep="\t")
    _, found = looked_at(cells, path)
    assert "negative-log-values" in codes(found)


def test_means_of_counts_are_no_logarithms(cells: Path, tmp_path: Path) -> None:
    heavy = RANDOM.lognormal(-3, 2.0, BULK.shape)
    path = tmp_path / "bulk.tsv"
    pd.DataFrame(heavy / heavy.max() * 20, index=GENES, columns=SAMPLES).to_csv(path, sep="\t")
    assert "log-values" not in codes(looked_at(cells, path)[1])


@pytest.mark.parametrize("top", [1, 100])
def test_ranks_are_refused(top: int, cells: Path, tmp_path: Path) -> None:
    path = tmp_path / "percentiles.tsv"
    (BULK.rank(pct=True) * top).to_csv(path, sep="\t")
    _, found = looked_at(cells, path)
    assert found.outcome == "refuse"
    assert "ranks" in " ".join(x.message for x in found.findings)


def test_few_whole_numbers_in_many_cells_are_said_to_be_bins(tmp_path: Path) -> None:
    genes = sorted(human_genes().symbols)[:260]
    binned = RANDOM.integers(0, 4, (60, len(genes))).astype(float)
    obs = pd.DataFrame({"cell_type": TYPES}, index=[f"c{i}" for i in range(60)])
    path = tmp_path / "bins.h5ad"
    anndata.AnnData(binned, obs=obs, var=pd.DataFrame(index=genes)).write_h5ad(path)
    assert "coded-values" in codes(examine(LoadRequest(files={"train": FileChoice(path=path)})))


# -- columns ---------------------------------------------------------------------------------------


def test_columns_named_before_the_sample_are_no_samples(tmp_path: Path) -> None:
    """Illumina's GenomeStudio writes AVG_Signal-PT01, or PT01.AVG_Signal."""
    frame = pd.DataFrame({"ID_REF": GENES})
    for sample in SAMPLES:
        frame[f"AVG_Signal-{sample}"] = BULK[sample].to_numpy()
        frame[f"Detection-{sample}"] = RANDOM.random(len(GENES)).round(3)
        frame[f"BEAD_STDERR-{sample}"] = RANDOM.random(len(GENES)) * 9
        frame[f"Avg_NBEADS-{sample}"] = RANDOM.integers(5, 30, len(GENES))
    frame.to_csv(tmp_path / "non_normalized.txt", sep="\t", index=False)
    table = read_table(tmp_path / "non_normalized.txt")
    assert table.columns == SAMPLES
    np.testing.assert_array_equal(table.values, VALUES)


@pytest.mark.parametrize(
    "names", [["mean_control", "mean_treated", "ratio"], ["A_mean", "A_sd", "avg.B"]]
)
def test_means_of_groups_are_no_samples(names: list[str], tmp_path: Path) -> None:
    frame = BULK.copy()
    for i, name in enumerate(names):
        frame[name] = BULK.iloc[:, i : i + 3].mean(axis=1)
    frame.to_csv(tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    assert table.columns == SAMPLES
    assert set(table.left_out) == set(names)


@pytest.mark.parametrize("names", [["sd_1", "sd_2", "ST_3"], ["SE 1", "sem_2", "MEAN7"]])
def test_short_codes_of_samples_stay(names: list[str], tmp_path: Path) -> None:
    frame = BULK.rename(columns=dict(zip(SAMPLES, names, strict=False)))
    frame.to_csv(tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").columns[:3] == names


def test_footnotes_below_a_table_are_no_genes(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [["gene", *SAMPLES], *zip(GENES, *VALUES.T.tolist(), strict=True)]:
        sheet.append(list(row))
    sheet.append([])
    sheet.append(["* TPM: transcripts per million."])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.genes == GENES
    assert any("hold" in note and "no values" in note for note in table.notes)


@pytest.mark.parametrize("measures", [["TPM"], ["raw_read_count", "normalized_read_count"]])
def test_a_row_for_every_gene_and_sample(measures: list[str], tmp_path: Path) -> None:
    """The Human Protein Atlas and ICGC write such tables; summed they would be one sample."""
    rows = [
        [f"X{i}", gene, sample, *[VALUES[i, k] * 3**m for m in range(len(measures))]]
        for k, sample in enumerate(SAMPLES)
        for i, gene in enumerate(GENES)
    ]
    RANDOM.shuffle(rows)
    frame = pd.DataFrame(rows, columns=["project", "Gene name", "Sample", *measures])
    frame.to_csv(tmp_path / "long.tsv", sep="\t", index=False)
    table = read_table(tmp_path / "long.tsv")
    made = pd.DataFrame(table.values, index=table.genes, columns=table.columns)
    np.testing.assert_allclose(made.loc[GENES, SAMPLES], BULK)
    assert "row for every gene and sample" in " ".join(table.notes)


def test_raw_is_proposed_where_it_has_many_more_genes(tmp_path: Path) -> None:
    obs = pd.DataFrame({"cell_type": TYPES}, index=[f"c{i}" for i in range(60)])
    whole = anndata.AnnData(CELLS.T, obs=obs, var=pd.DataFrame(index=GENES))
    few = whole[:, :40].copy()
    few.raw = whole
    few.write_h5ad(tmp_path / "hvg.h5ad")
    request = LoadRequest(files={"train": FileChoice(path=tmp_path / "hvg.h5ad")})
    assert "X holds only 40 genes" in " ".join(x.message for x in examine(request).findings)
    train = load_dataset(request).train
    assert train is not None
    assert train.matrix.n_genes == len(GENES)


# -- sheets and archives ---------------------------------------------------------------------------


def write_sheets(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def rows_of(frame: pd.DataFrame, form: Callable[[float], object] = float) -> list[list[object]]:
    return [["gene", *frame.columns]] + [
        [gene, *map(form, row)]
        for gene, row in zip(frame.index, frame.to_numpy().tolist(), strict=True)
    ]


def test_numbers_as_text_with_decimal_commas_in_a_sheet(tmp_path: Path) -> None:
    rows = rows_of(BULK, lambda v: f"{v:.3f}".replace(".", ","))
    table = read_table(write_sheets(tmp_path / "t.xlsx", {"A": rows}))
    np.testing.assert_allclose(table.values, VALUES, atol=1e-9)


def test_the_sheet_with_genes_comes_before_that_of_the_samples(tmp_path: Path) -> None:
    about: list[list[object]] = [["sample", "age", "RIN"], *[[s, 50, 7.5] for s in SAMPLES]]
    path = write_sheets(tmp_path / "t.xlsx", {"samples": about, "TPM": rows_of(BULK)})
    table = read_table(path)
    assert table.sheet == "TPM"
    assert table.genes == GENES
    assert read_table(path, sheet="samples").genes == SAMPLES  # if it is asked for


def test_a_workbook_in_a_zip_is_read(cells: Path, tmp_path: Path) -> None:
    inner = write_sheets(tmp_path / "inner.xlsx", {"A": rows_of(BULK)})
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.write(inner, "Supplement/Table S1.xlsx")
        archive.writestr("__MACOSX/Supplement/._Table S1.xlsx", b"\0\5\x16\7")
    request, found = looked_at(cells, tmp_path / "t.zip")
    assert found.outcome == "accept with a warning"
    made = load_dataset(request).bulk
    assert made is not None
    np.testing.assert_allclose(made.matrix.frame().loc[GENES], BULK)


# -- cell types ------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("Unknown", "Doublet"), ("nan", "unassigned"), ("low quality",)])
def test_cells_of_no_known_type_are_proposed_to_be_left_out(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    labels = TYPES.astype(object).copy()
    for i, word in enumerate(words):
        labels[i::11] = word
    path = write_cells(tmp_path / "cells.h5ad", labels=labels)
    request = LoadRequest(files={"train": FileChoice(path=path)})
    found = examine(request)
    assert "unclear-types" in codes(found)
    train = load_dataset(repaired(request)).train
    assert train is not None
    assert sorted(train.types) == ["B cells", "Monocytes", "T cells"]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("mark", [".", "_", " "])
def test_cells_that_are_counted_by_type(first: int, mark: str, tmp_path: Path) -> None:
    names = [
        f"{t}{mark}{i + first}" for t in ("B cells", "T cells", "Monocytes") for i in range(20)
    ]
    frame = pd.DataFrame(CELLS, index=GENES, columns=names)
    frame.to_csv(tmp_path / "ref.txt", sep="\t")
    train = load_dataset(LoadRequest(files={"train": FileChoice(path=tmp_path / "ref.txt")})).train
    assert train is not None
    assert sorted(train.types) == ["B cells", "Monocytes", "T cells"]


def test_types_without_names_of_cells_are_taken_in_order(tmp_path: Path) -> None:
    """Scaden's pair: counts.txt with numbered rows, celltypes.txt with one column."""
    pd.DataFrame(CELLS.T, columns=GENES).to_csv(tmp_path / "x_counts.txt", sep="\t")
    labels = tmp_path / "x_celltypes.txt"
    labels.write_text("Celltype\n" + "\n".join(TYPES) + "\n")
    choice = FileChoice(path=tmp_path / "x_counts.txt", labels=labels)
    train = load_dataset(LoadRequest(files={"train": choice})).train
    assert train is not None
    assert sorted(train.types) == ["B cells", "Monocytes", "T cells"]
    labels.write_text("Celltype\n" + "\n".join(TYPES[:-1]) + "\n")
    found = examine(LoadRequest(files={"train": choice}))
    assert found.outcome == "refuse"
    assert "59 cell types" in found.findings[0].message


def test_a_signature_matrix_as_training_cells_is_offered_as_reference(tmp_path: Path) -> None:
    frame = pd.DataFrame(PROFILES, index=GENES, columns=["B cells", "T cells", "Monocytes"])
    frame.to_csv(tmp_path / "LM3.txt", sep="\t")
    found = examine(LoadRequest(files={"train": FileChoice(path=tmp_path / "LM3.txt")}))
    assert found.outcome == "refuse"
    assert found.findings[0].code == "signature-matrix"
    assert "Choose it as Reference X" in found.findings[0].advice


# -- what is said ----------------------------------------------------------------------------------


def test_check_says_what_was_recognised(
    cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = BULK.copy()
    frame.insert(0, "Length", RANDOM.integers(300, 9000, len(GENES)))
    frame.to_csv(tmp_path / "bulk.tsv", sep="\t", index_label="Geneid")
    assert check([str(tmp_path / "bulk.tsv"), "--role", "bulk", "--against", str(cells)]) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if "Recognised" in x]
    for words in ("column Geneid", "6 samples: PT01 to PT06", "Length", "column sums"):
        assert words in line


def test_tximports_and_recount3s_tables(cells: Path, tmp_path: Path) -> None:
    txi = pd.DataFrame(index=GENES)
    for what, factor in (("abundance", 1.0), ("counts", 3.0), ("length", 100.0)):
        for sample in SAMPLES:
            txi[f"{what}.{sample}"] = BULK[sample] * factor + (7.5 if what == "length" else 0)
    txi["countsFromAbundance"] = "no"
    txi.to_csv(tmp_path / "txi.csv")
    table = read_table(tmp_path / "txi.csv")
    assert table.columns == SAMPLES
    np.testing.assert_array_equal(table.values, VALUES)
    text = "##annotation=G026\n##date.generated=2020-01-01\n"
    text += BULK.round().astype(int).to_csv(sep="\t", index_label="gene_id")
    (tmp_path / "sra.gene_sums.SRP1.G026").write_text(text)
    table = read_table(tmp_path / "sra.gene_sums.SRP1.G026")
    assert table.columns == SAMPLES
    np.testing.assert_array_equal(table.values, VALUES.round())
