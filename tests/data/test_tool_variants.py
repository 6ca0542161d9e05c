"""Older versions and other variants of what tools write: with every proposal taken, the samples,
genes and values are those that were written.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers.expression_table import read_table
from gui.data.validation.examine import examine
from gui.errors import NoLabels, UnreadableFile
from tests.data import test_tool_layouts as made
from tests.data.repairing import repaired
from tests.data.test_tool_layouts import COUNTS, ENSEMBL, ENTREZ, GENES, SAMPLES, TPM, saved, tsv

Maker = tuple[Callable[[Path], Path], pd.DataFrame, list[str]]
VARIANTS: dict[str, Maker] = {}
LENGTHS = made.LENGTHS


def variant(
    name: str, values: pd.DataFrame = COUNTS, samples: list[str] = SAMPLES
) -> Callable[[Callable[[Path], Path]], None]:
    def add(write: Callable[[Path], Path]) -> None:
        VARIANTS[name] = (write, values, samples)

    return add


# -- RSEM ------------------------------------------------------------------------------------------


@variant("RSEM genes with names from the GTF", TPM[["PT01"]], ["PT01"])
def _(folder: Path) -> Path:
    front: dict[str, object] = {
        "gene_id": [f"{e}_{g}" for e, g in zip(ENSEMBL, GENES, strict=True)],
        "transcript_id(s)": [f"ENST{i:011d},ENST{i + 500:011d}" for i in range(len(GENES))],
        "length": LENGTHS + 0.25,
        "effective_length": LENGTHS - 120.5,
        "expected_count": COUNTS.PT01.to_numpy() + 0.0,
        "TPM": TPM.PT01.to_numpy(),
        "FPKM": TPM.PT01.to_numpy() / 3,
    }
    return saved(folder / "PT01.genes.results", tsv(front))


@variant("RSEM isoforms of every sample", TPM)
def _(folder: Path) -> Path:
    for s in SAMPLES:
        front: dict[str, object] = {
            "transcript_id": [f"ENST{i:011d}{k}" for i in range(len(GENES)) for k in (0, 1)],
            "gene_id": np.repeat(GENES, 2),
            "length": np.repeat(LENGTHS, 2),
            "effective_length": np.repeat(LENGTHS, 2) - 99.0,
            "expected_count": np.repeat(COUNTS[s].to_numpy(), 2) / 2,
            "TPM": np.repeat(TPM[s].to_numpy(), 2) / 2,
            "FPKM": np.repeat(TPM[s].to_numpy(), 2) / 7,
            "IsoPct": 50.0,
        }
        saved(folder / "rsem" / f"{s}.isoforms.results", tsv(front))
    return folder / "rsem"


@variant("nf-core's merged genes of RSEM")
def _(folder: Path) -> Path:
    transcripts = [f"ENST{i:011d},ENST{i + 500:011d}" for i in range(len(GENES))]
    front = {"gene_id": ENSEMBL, "transcript_id(s)": transcripts}
    return saved(folder / "rsem.merged.gene_counts.tsv", tsv(front, COUNTS))


@variant("nf-core, counts scaled by length")
def _(folder: Path) -> Path:
    front = {"gene_id": [f"{e}.7" for e in ENSEMBL], "gene_name": GENES}
    return saved(folder / "salmon.merged.gene_counts_length_scaled.tsv", tsv(front, COUNTS))


# -- TCGA, GTEx, DepMap ----------------------------------------------------------------------------


@variant("TCGA legacy, normalised", TPM)
def _(folder: Path) -> Path:
    for s in SAMPLES:
        names = [f"{g}|{n}" for g, n in zip(GENES, ENTREZ, strict=True)]
        front = {"gene_id": ["?|100130426", *names], "normalized_count": [0.0, *TPM[s]]}
        saved(folder / "tcga" / f"unc.edu.{s}.rsem.genes.normalized_results", tsv(front))
    return folder / "tcga"


@variant("GDC before 2022, FPKM", TPM[["PT01"]], ["PT01"])
def _(folder: Path) -> Path:
    rows = [f"{e}.13\t{v}" for e, v in zip(ENSEMBL, TPM.PT01, strict=True)]
    return saved(folder / "PT01.FPKM.txt.gz", "\n".join(rows) + "\n")


@variant("Firehose, normalised", TPM, made.TCGA)
def _(folder: Path) -> Path:
    names = [f"{g}|{n}" for g, n in zip(GENES, ENTREZ, strict=True)]
    lines = ["\t".join(["Hybridization REF", *made.TCGA])]
    lines.append("\t".join(["gene_id", *["normalized_count"] * 5]))
    lines += [f"?|{i}\t0\t0\t0\t0\t0" for i in (100130426, 100133144)]
    lines += ["\t".join([n, *map(str, TPM.loc[g])]) for n, g in zip(names, GENES, strict=True)]
    return saved(folder / "OV.RSEM_genes_normalized__data.data.txt", "\n".join(lines) + "\n")


@variant("GTEx version 8", TPM, [f"GTEX-1117{c}-0226-SM-5GZZ7" for c in "FGHIJ"])
def _(folder: Path) -> Path:
    names = [f"GTEX-1117{c}-0226-SM-5GZZ7" for c in "FGHIJ"]
    front = {"Name": [f"{e}.5" for e in ENSEMBL], "Description": GENES}
    head = f"#1.2\n{len(GENES)}\t5\n"
    return saved(folder / "gene_tpm.gct.gz", head + tsv(front, TPM.set_axis(names, axis=1)))


@variant("CCLE at DepMap", TPM, [f"ACH-{i:06d}" for i in range(5)])
def _(folder: Path) -> Path:
    table = np.log2(TPM + 1).round(6).T.set_axis([f"ACH-{i:06d}" for i in range(5)])
    table.columns = pd.Index([f"{g} ({n})" for g, n in zip(GENES, ENTREZ, strict=True)])
    return saved(folder / "CCLE_expression.csv", table.to_csv())


# -- chips -----------------------------------------------------------------------------------------


def with_p_values(title: str, p_value: str) -> str:
    """Titles of the values and of the p-values behind each."""
    random = np.random.default_rng(1)
    titles, columns = ["ID_REF"], [GENES]
    for s in SAMPLES:
        titles += [title.format(s), p_value.format(s)]
        columns += [TPM[s].tolist(), random.random(len(GENES)).round(5).tolist()]
    rows = [titles, *zip(*columns, strict=True)]
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


@variant("GenomeStudio", TPM)
def _(folder: Path) -> Path:
    text = with_p_values("{}.AVG_Signal", "{}.Detection Pval")
    return saved(folder / "probe_profile.txt", text)


@variant("GEO's non-normalized table", TPM)
def _(folder: Path) -> Path:
    text = with_p_values("{}", "Detection Pval")
    return saved(folder / "GSE1_non-normalized.txt.gz", text)


# -- one file for each sample, packed --------------------------------------------------------------


def zipped(path: Path, files: dict[str, str]) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return saved(path, out.getvalue())


@variant("a zip of HTSeq's files")
def _(folder: Path) -> Path:
    odd = "".join(f"{n}\t9\n" for n in made.ODD_ROWS)
    files = {f"run/{s}.htseq.txt": COUNTS[s].to_csv(sep="\t", header=False) + odd for s in SAMPLES}
    return zipped(folder / "run.zip", files)


@variant("a zip of kallisto's folders", TPM)
def _(folder: Path) -> Path:
    front = {"target_id": GENES, "length": LENGTHS, "eff_length": LENGTHS - 99.5}
    files = {}
    for s in SAMPLES:
        beside = {"est_counts": COUNTS[s].to_numpy(), "tpm": TPM[s].to_numpy()}
        files[f"{s}/abundance.tsv"] = tsv(front | beside)
        files[f"{s}/run_info.json"] = "{}"
    return zipped(folder / "kallisto.zip", files)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    values = np.random.default_rng(2).poisson(np.repeat(made.PROFILES, 12, axis=1)) + 1.0
    obs = pd.DataFrame({"cell_type": np.repeat(["B", "T"], 12)}, index=[f"c{i}" for i in range(24)])
    anndata.AnnData(sparse.csr_matrix(values.T), obs, pd.DataFrame(index=GENES)).write_h5ad(path)
    return path


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_gives_what_was_written(name: str, cells: Path, tmp_path: Path) -> None:
    write, wanted, samples = VARIANTS[name]
    request = LoadRequest(
        files={"train": FileChoice(path=cells), "bulk": FileChoice(path=write(tmp_path))}
    )
    request = repaired(request)
    said = [x.message for x in examine(request).findings if x.severity == "refusal"]
    assert said == []
    bulk = load_dataset(request).bulk
    assert bulk is not None
    frame = bulk.matrix.frame()
    assert list(frame.columns) == samples
    values = frame.loc[GENES].to_numpy()
    scale = values.sum() / wanted.to_numpy().sum()
    np.testing.assert_allclose(values / scale, wanted, rtol=2e-3, atol=0.02)


# -- tables of cells -------------------------------------------------------------------------------

TYPES = np.repeat(["B cells", "T cells", "NK cells"], 8)
PROFILES = np.random.default_rng(3).lognormal(3, 1.5, (len(GENES), 3))
CELLS = np.random.default_rng(4).poisson(np.repeat(PROFILES, 8, axis=1))


@pytest.mark.parametrize(
    ("barcodes", "numbered"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_scadens_counts_and_cell_types(barcodes: bool, numbered: bool, tmp_path: Path) -> None:
    """Cells in rows; the types in the same order, alone or behind the numbers of the rows."""
    names = [f"AACC{i:04d}-1" for i in range(24)] if barcodes else range(24)
    counts = pd.DataFrame(CELLS.T, names, GENES)
    counts.to_csv(tmp_path / "pbmc_counts.txt", sep="\t")
    types = pd.DataFrame({"Celltype": TYPES})
    types.to_csv(tmp_path / "pbmc_celltypes.txt", sep="\t", index=numbered)
    choice = FileChoice(path=tmp_path / "pbmc_counts.txt", labels=tmp_path / "pbmc_celltypes.txt")
    request = LoadRequest(files={"train": choice})
    if barcodes and numbered:  # whose are the numbers?
        with pytest.raises(NoLabels, match="names like 0, the counts have AACC0000-1"):
            load_dataset(request)
        return
    data = load_dataset(request)
    assert data.train is not None
    assert data.test is not None
    for part in (data.train, data.test):
        frame = part.matrix.frame()
        for at, label in enumerate(part.labels):
            column = frame.iloc[:, at].to_numpy()
            (cell,) = np.flatnonzero((column[:, None] == CELLS).all(axis=0))
            assert TYPES[cell] == label


@pytest.mark.parametrize("quoted", [True, False])
def test_a_reference_of_cibersortx_written_by_r(quoted: bool, tmp_path: Path) -> None:
    """write.table of a data.frame: names made unique and syntactic, with or without quotes."""
    types = [t.replace(" ", ".") for t in dict.fromkeys(TYPES)]
    names = [f"{t}.{i}" if i else t for t in types for i in range(8)]
    mark = '"' if quoted else ""
    lines = ["\t".join(f"{mark}{n}{mark}" for n in ["GeneSymbol", *names])]
    lines += [
        "\t".join([f"{mark}{g}{mark}", *map(str, row)]) for g, row in zip(GENES, CELLS, strict=True)
    ]
    path = saved(tmp_path / "refsample.txt", "\n".join(lines) + "\n")
    data = load_dataset(LoadRequest(files={"train": FileChoice(path=path)}))
    assert sorted(data.types) == ["B.cells", "NK.cells", "T.cells"]


@pytest.mark.parametrize("lacking", [(3,), (2, 11, 12), (0, 5, 17), (8, 9)])
def test_cells_that_were_left_out_of_a_reference_since(
    lacking: tuple[int, ...], tmp_path: Path
) -> None:
    """R numbered the names before: B.cells.2 is followed by B.cells.4, or T.cells is not there."""
    types = [t.replace(" ", ".") for t in dict.fromkeys(TYPES)]
    names = [f"{t}.{i}" if i else t for t in types for i in range(8)]
    table = pd.DataFrame(CELLS, GENES, names).drop(columns=[names[i] for i in lacking])
    path = saved(tmp_path / "refsample.txt", table.to_csv(sep="\t"))
    data = load_dataset(LoadRequest(files={"train": FileChoice(path=path)}))
    assert sorted(data.types) == ["B.cells", "NK.cells", "T.cells"]


def test_kallistos_file_with_bootstraps_is_refused_with_the_table(tmp_path: Path) -> None:
    for name, groups in (("abundance.h5", ["bs0"]), ("PT01.h5", [])):
        with h5py.File(tmp_path / name, "w") as file:
            file["aux/ids"] = np.array([f"ENST{i:011d}.1" for i in range(40)], dtype="S20")
            file["aux/eff_lengths"] = file["est_counts"] = np.arange(40.0)
            for group in groups:
                file[f"bootstrap/{group}"] = np.arange(40.0)
        with pytest.raises(UnreadableFile, match="is kallisto's file") as refused:
            load_dataset(LoadRequest(files={"bulk": FileChoice(path=tmp_path / name)}))
        assert "abundance.tsv" in str(refused.value.advice)


def test_a_mixture_of_cibersortx_keeps_every_sample(tmp_path: Path) -> None:
    for corner in ("Gene", "GeneSymbol", "!Sample_title"):
        path = saved(tmp_path / "mixture.txt", TPM.to_csv(sep="\t", index_label=corner))
        table = read_table(path)
        np.testing.assert_array_equal(table.values, TPM)
        assert table.columns == SAMPLES
        assert table.genes == GENES
