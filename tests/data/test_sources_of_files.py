"""What the guide's chapter "Where do I get my file from" leads to loads: a small file of each
layout goes through the functions of the Upload page.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import io as sparse_io
from scipy import sparse

from gui.data.dataset import Bulk, Dataset
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.samples.clinical import ClinicalChoice
from gui.data.samples.sample_tables import ClinicalSeen, see_clinical
from gui.data.validation.examine import examine, with_proposed_repairs
from gui.data.validation.repairs_genes import MapGenes
from gui.errors import DataError, UnreadableFile
from gui.knowledge.human_genes import human_genes
from gui.resources import resource
from tests.data.cell_formats import dgc_matrix as dgc_group
from tests.data.r_objects import dgc_matrix, saved

CHAPTER = resource("help/sources.md").read_text("utf-8")
GENES = sorted({s for s in human_genes().by_ensembl.values() if s.isalpha()})[:480:4]
IDS = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
ENSEMBL = [f"{IDS[gene]}.{i % 9 + 1}" for i, gene in enumerate(GENES)]
ENTREZ = {symbol: str(number) for number, symbol in human_genes().by_entrez.items()}
RANDOM = np.random.default_rng(12)
PROFILES = RANDOM.lognormal(4, 1.4, (len(GENES), 2))
TYPES = ["B cell"] * 8 + ["T cell"] * 8
CELLS = RANDOM.poisson(np.repeat(PROFILES, 8, axis=1) / 10) + 1
COUNTS = RANDOM.poisson(PROFILES @ RANDOM.dirichlet([1, 1], 4).T) + 1
SAMPLES = ["P01", "P02", "P07", "P11"]


def table(*rows: Sequence[object], separator: str = "\t") -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def packed(files: dict[str, bytes], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def write(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" and data[:1] != b"\x1f" else data)
    return path


@pytest.fixture
def cells(tmp_path: Path) -> FileChoice:
    rows = [(gene, *row) for gene, row in zip(GENES, CELLS, strict=True)]
    return FileChoice(path=write(tmp_path / "cells.tsv", table(("gene", *TYPES), *rows)))


@pytest.fixture
def bulk(tmp_path: Path) -> FileChoice:
    rows = [(gene, *row) for gene, row in zip(GENES, COUNTS, strict=True)]
    return FileChoice(path=write(tmp_path / "bulk.tsv", table(("gene", *SAMPLES), *rows)))


def load(train: FileChoice, bulk: FileChoice, *repairs: Any) -> Dataset:
    """As on the Upload page where every proposal is taken; nothing may be left to settle."""
    request = LoadRequest(files={"train": train, "bulk": bulk}, repairs=repairs)
    request = with_proposed_repairs(request)
    left = [x for x in examine(request).findings if x.severity == "refusal"]
    assert left == []
    return load_dataset(request)


def assert_bulk(dataset: Dataset, values: np.ndarray = COUNTS, tolerance: float = 1e-6) -> Bulk:
    assert dataset.bulk is not None
    frame = dataset.bulk.matrix.frame()
    assert set(frame.index) == set(GENES)
    np.testing.assert_allclose(frame.loc[GENES].to_numpy(), values, rtol=tolerance)
    return dataset.bulk


def load_table(text: str, name: str, folder: Path, cells: FileChoice) -> Dataset:
    return load(cells, FileChoice(path=write(folder / name, text)))


def patients(path: Path, dataset: Dataset) -> ClinicalSeen:
    assert dataset.bulk is not None
    choice = ClinicalChoice(path=path, name=path.name)
    return see_clinical(choice, [str(s) for s in dataset.bulk.samples])


def named_in_the_guide(*names: str) -> None:
    """The files that are tried here are those that the chapter names."""
    for name in names:
        assert name in CHAPTER, name


# -- a core facility
# --------------------------------------------------------------------------------------------------


def test_merged_genes_of_nfcore(tmp_path: Path, cells: FileChoice) -> None:
    rows = [(IDS[g], g, *row) for g, row in zip(GENES, COUNTS, strict=True)]
    text = table(("gene_id", "gene_name", *SAMPLES), *rows)
    for name in ("salmon.merged.gene_counts.tsv", "salmon.merged.gene_tpm.tsv"):
        named_in_the_guide(name)
        made = assert_bulk(load_table(text, name, tmp_path, cells))
        assert list(made.samples) == SAMPLES


def test_a_table_of_featurecounts(tmp_path: Path, cells: FileChoice) -> None:
    named_in_the_guide("featureCounts")
    place = ("chr1;chr1", "100;900", "300;990", "+;+", 290)
    rows = [(e, *place, *row) for e, row in zip(ENSEMBL, COUNTS, strict=True)]
    header = ("Geneid", "Chr", "Start", "End", "Strand", "Length")
    names = [f"/scratch/run/{s}.sorted.bam" for s in SAMPLES]
    text = '# Program:featureCounts v2.0.6; Command:"featureCounts" "-p"\n'
    made = load_table(text + table((*header, *names), *rows), "counts.txt", tmp_path, cells)
    assert_bulk(made)


def test_one_file_per_sample_of_star(tmp_path: Path, cells: FileChoice) -> None:
    named_in_the_guide("ReadsPerGene.out.tab")
    folder = tmp_path / "star"
    folder.mkdir()
    for k, sample in enumerate(SAMPLES):
        above = [(f"N_{what}", 9, 9, 9) for what in ("unmapped", "multimapping", "noFeature")]
        rows = [(e, v + v // 80, v // 80, v) for e, v in zip(ENSEMBL, COUNTS[:, k], strict=True)]
        write(folder / f"{sample}_ReadsPerGene.out.tab", table(*above, *rows))
    made = assert_bulk(load(cells, FileChoice(path=folder)))
    assert list(made.samples) == SAMPLES


def test_a_workbook_with_a_title_and_annotation(tmp_path: Path, cells: FileChoice) -> None:
    rows = [(g, "protein coding", *row) for g, row in zip(GENES, COUNTS, strict=True)]
    frame = pd.DataFrame([("Gene", "Biotype", *SAMPLES), *rows])
    frame.loc[-1] = ["Project 2231, counts", *[None] * 5]
    path = tmp_path / "project.xlsx"
    frame.sort_index().to_excel(path, header=False, index=False)
    assert_bulk(load(cells, FileChoice(path=path)))


def test_fold_changes_alone_are_no_expression(tmp_path: Path, cells: FileChoice) -> None:
    rows = [(g, 50.0 + i, 0.3 - i / 99, 0.2, 1.5, 0.01, 0.04) for i, g in enumerate(GENES)]
    header = ("gene", "baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj")
    path = write(tmp_path / "deseq2.tsv", table(header, *rows))
    with pytest.raises(DataError, match="holds no sample"):
        load_dataset(LoadRequest(files={"train": cells, "bulk": FileChoice(path=path)}))


# -- GEO
# --------------------------------------------------------------------------------------------------


def test_counts_by_ncbi(tmp_path: Path, cells: FileChoice) -> None:
    named_in_the_guide("_raw_counts_GRCh38.p13_NCBI.tsv.gz")
    known = [g in ENTREZ for g in GENES]
    rows = [(ENTREZ.get(g, 0), *r) for g, r in zip(GENES, COUNTS, strict=True) if g in ENTREZ]
    text = table(("GeneID", *[f"GSM10{k}" for k in range(4)]), *rows)
    made = load_table(text, "GSE1_raw_counts_GRCh38.p13_NCBI.tsv.gz", tmp_path, cells)
    assert made.bulk is not None
    found = made.bulk.matrix.frame().loc[[g for g in GENES if g in ENTREZ]]
    assert len(found) > 0.9 * len(GENES)
    np.testing.assert_array_equal(found.to_numpy(), COUNTS[known])


def test_the_archive_of_a_series(tmp_path: Path, cells: FileChoice) -> None:
    named_in_the_guide("GSE…_RAW.tar")
    files = {
        f"GSM10{k}_{sample}.counts.txt.gz": gzip.compress(
            table(*zip(GENES, COUNTS[:, k], strict=True)).encode()
        )
        for k, sample in enumerate(SAMPLES)
    }
    path = write(tmp_path / "GSE1_RAW.tar", packed(files, "w"))
    made = assert_bulk(load(cells, FileChoice(path=path)))
    assert all(sample in name for sample, name in zip(SAMPLES, made.samples, strict=True))


def test_a_series_matrix_of_a_chip_with_the_table_of_its_platform(
    tmp_path: Path, cells: FileChoice
) -> None:
    named_in_the_guide("_series_matrix.txt.gz", "Download full table")
    probes = [f"{200_000 + i}_s_at" for i in range(len(GENES))]
    logs = np.log2(COUNTS + 1).round(6)
    rows = [(f'"{p}"', *row) for p, row in zip(probes, logs, strict=True)]
    header = ('"ID_REF"', *[f'"GSM10{k}"' for k in range(4)])
    text = '!Series_title\t"Blood"\n!series_matrix_table_begin\n' + table(header, *rows)
    path = write(tmp_path / "GSE1_series_matrix.txt.gz", text + "!series_matrix_table_end\n")
    platform = "#ID = probe set\n#Gene Symbol = symbol\n" + table(
        ("ID", "GB_ACC", "Gene Symbol"),
        *((p, f"U{i}", g) for i, (p, g) in enumerate(zip(probes, GENES, strict=True))),
    )
    annotation = write(tmp_path / "GPL570-55999.txt", platform)
    mapping = MapGenes(role="bulk", by="table", table=annotation)
    assert_bulk(load(cells, FileChoice(path=path), mapping), tolerance=1e-3)


def test_an_empty_series_matrix_says_where_the_values_are(
    tmp_path: Path, cells: FileChoice
) -> None:
    text = '!Series_title\t"x"\n!series_matrix_table_begin\n"ID_REF"\t"GSM1"\n'
    path = write(tmp_path / "GSE2_series_matrix.txt", text + "!series_matrix_table_end\n")
    with pytest.raises(UnreadableFile) as refused:
        load_dataset(LoadRequest(files={"train": cells, "bulk": FileChoice(path=path)}))
    assert "supplementary" in f"{refused.value} {refused.value.advice}".lower()


# -- TCGA
# --------------------------------------------------------------------------------------------------


def test_a_cart_of_the_gdc_and_its_sample_sheet(tmp_path: Path, cells: FileChoice) -> None:
    named_in_the_guide("gdc_download_", "Sample Sheet", "File Name")
    codes = [f"{k}a3f0c1e-77b2-4d1a-9c55-0f2e8d6b4a1{k}" for k in range(4)]
    files: dict[str, bytes] = {"MANIFEST.txt": b"id\tfilename\tmd5\tsize\tstate\n"}
    for k, code in enumerate(codes):
        header = ("gene_id", "gene_name", "gene_type", "unstranded", "stranded_first")
        above = [(f"N_{what}", "", "", 5, 5, "", "") for what in ("unmapped", "noFeature")]
        rows = [
            (e, g, "protein_coding", 7 * v, 3 * v, v, 2 * v)
            for e, g, v in zip(ENSEMBL, GENES, COUNTS[:, k], strict=True)
        ]
        text = "# gene-model: GENCODE v36\n" + table(
            (*header, "tpm_unstranded", "fpkm_unstranded"), *above, *rows
        )
        name = f"{code}.rna_seq.augmented_star_gene_counts.tsv"
        files[f"{code[::-1]}/{name}"] = text.encode()
    path = write(tmp_path / "gdc_download_20260101.tar.gz", packed(files, "w:gz"))
    made = load(cells, FileChoice(path=path))
    assert_bulk(made, COUNTS[:, [codes.index(str(s)) for s in made.bulk.samples]])  # type: ignore[union-attr]
    columns = ("File ID", "File Name", "Project ID", "Case ID", "Sample ID", "Sample Type")
    ending = ".rna_seq.augmented_star_gene_counts.tsv"
    rows_of = [
        (code[::-1], code + ending, "TCGA-OV", f"TCGA-0{k}-1", f"TCGA-0{k}-1-01A", "Primary Tumor")
        for k, code in enumerate(codes)
    ]
    seen = patients(write(tmp_path / "gdc_sample_sheet.tsv", table(columns, *rows_of)), made)
    assert seen.kept is not None
    assert seen.sample_column == "File Name"
    assert list(seen.kept.table.loc[codes, "Case ID"]) == [f"TCGA-0{k}-1" for k in range(4)]


@pytest.mark.parametrize(
    ("name", "offset"), [("TCGA-OV.star_tpm.tsv.gz", 1.0), ("TcgaTargetGtex_gene_tpm.gz", 0.001)]
)
def test_a_dataset_of_xena_and_its_survival(
    name: str, offset: float, tmp_path: Path, cells: FileChoice
) -> None:
    named_in_the_guide("star_tpm.tsv.gz", "OS.time")
    barcodes = [f"TCGA-0{k}-1492-01A" for k in range(4)]
    values = COUNTS * (RANDOM.uniform(size=COUNTS.shape) > 0.1)  # with zeros, as such tables have
    logs = np.log2(values + offset).round(6)
    rows = [(e, *row) for e, row in zip(ENSEMBL, logs, strict=True)]
    made = load_table(table(("Ensembl_ID", *barcodes), *rows), name, tmp_path, cells)
    assert made.bulk is not None
    found = made.bulk.matrix.frame().loc[GENES].to_numpy()
    np.testing.assert_allclose(found, values, rtol=1e-3, atol=0.01)
    lines = [(b, k % 2, b[:12], 100 + k) for k, b in enumerate(barcodes)]
    header = ("sample", "OS", "_PATIENT", "OS.time")
    seen = patients(write(tmp_path / "TCGA-OV.survival.tsv", table(header, *lines)), made)
    assert seen.kept is not None
    assert (seen.kept.time, seen.kept.event, seen.kept.event_value) == ("OS.time", "OS", "1")
    assert list(seen.kept.table["OS.time"]) == [100, 101, 102, 103]


def test_a_study_of_cbioportal_and_its_patients(tmp_path: Path, cells: FileChoice) -> None:
    named_in_the_guide("data_mrna_seq_v2_rsem.txt", "data_clinical_patient.txt", "OS_STATUS")
    barcodes = [f"TCGA-A{k}-0001-01" for k in range(4)]
    rows = [(g, 900 + i, *row) for i, (g, row) in enumerate(zip(GENES, COUNTS, strict=True))]
    rows += [("", 100_130_426, 1, 2, 3, 4)]
    text = table(("Hugo_Symbol", "Entrez_Gene_Id", *barcodes), *rows)
    made = load_table(text, "data_mrna_seq_v2_rsem.txt", tmp_path, cells)
    assert list(assert_bulk(made).samples) == barcodes
    above = (
        "#Patient\tStatus\tMonths\n#Patient\tStatus\tMonths\n#STRING\tSTRING\tNUMBER\n#1\t1\t1\n"
    )
    lines = [(b[:12], ("0:LIVING", "1:DECEASED")[k % 2], 12.5 + k) for k, b in enumerate(barcodes)]
    content = above + table(("PATIENT_ID", "OS_STATUS", "OS_MONTHS"), *lines)
    seen = patients(write(tmp_path / "data_clinical_patient.txt", content), made)
    assert seen.kept is not None
    assert (seen.kept.time, seen.kept.unit) == ("OS_MONTHS", "months")
    assert (seen.kept.event, seen.kept.event_value) == ("OS_STATUS", "1:DECEASED")
    assert list(seen.kept.table["OS_MONTHS"]) == [12.5, 13.5, 14.5, 15.5]


# -- single cells
# --------------------------------------------------------------------------------------------------


def assert_cells(dataset: Dataset) -> None:
    """Counts of all cells, training and test, under the symbols of the bulk."""
    assert dataset.train is not None
    assert dataset.test is not None
    parts = (dataset.train, dataset.test)
    assert sorted(dataset.types) == ["B cell", "T cell"]
    assert sum(part.matrix.n_columns for part in parts) == len(TYPES)
    total = sum(part.matrix.frame().loc[GENES].sum(axis=1).to_numpy() for part in parts)
    np.testing.assert_allclose(total, CELLS.sum(axis=1))
    assert_bulk(dataset)


BARCODES = [f"AAACCTG{k:02}-1" for k in range(len(TYPES))]


def logs_of_cells() -> np.ndarray:
    return np.log1p(CELLS.T / CELLS.sum(axis=0)[:, None] * 1e4).astype(np.float32)


def test_a_dataset_of_cellxgene(tmp_path: Path, bulk: FileChoice) -> None:
    named_in_the_guide("**Expression is in**: raw", "`cell_type`")
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(TYPES),
            "cell_type_ontology_term_id": pd.Categorical(["CL:1"] * 8 + ["CL:2"] * 8),
            "disease": pd.Categorical(["normal"] * 16),
        },
        index=BARCODES,
    )
    var = pd.DataFrame(
        {"feature_name": pd.Categorical(GENES), "feature_is_filtered": [False] * len(GENES)},
        index=[IDS[g] for g in GENES],
    )
    raw = anndata.AnnData(sparse.csr_matrix(CELLS.T.astype(np.float32)), obs=obs, var=var)
    made = anndata.AnnData(sparse.csr_matrix(logs_of_cells()), obs=obs, var=var)
    made.raw = raw
    made.write_h5ad(tmp_path / "local.h5ad")
    choice = FileChoice(path=tmp_path / "local.h5ad", matrix="raw", label_column="cell_type")
    assert_cells(load(choice, bulk))
    assert_cells(load(FileChoice(path=tmp_path / "local.h5ad"), bulk))  # as it is proposed


def test_a_seurat_object_written_as_a_10x_folder(tmp_path: Path, bulk: FileChoice) -> None:
    named_in_the_guide("write10xCounts", 'version = "3"', 'write.csv(types, "cell_types.csv"')
    folder = tmp_path / "cells"
    folder.mkdir()
    matrix = io.BytesIO()
    sparse_io.mmwrite(matrix, sparse.coo_matrix(CELLS), field="integer")
    write(folder / "matrix.mtx.gz", matrix.getvalue())
    write(folder / "barcodes.tsv.gz", table(*((b,) for b in BARCODES)))
    # gene.symbol is gene.id where it is not given
    write(folder / "features.tsv.gz", table(*((g, g, "Gene Expression") for g in GENES)))
    rows = [(f'"{b}"', f'"{t}"') for b, t in zip(BARCODES, TYPES, strict=True)]
    labels = table(('"barcode"', '"cell_type"'), *rows, separator=",")
    types = write(tmp_path / "cell_types.csv", labels)
    assert_cells(load(FileChoice(path=folder / "matrix.mtx.gz", labels=types), bulk))


def test_the_counts_of_a_seurat_object_saved_by_r(tmp_path: Path, bulk: FileChoice) -> None:
    named_in_the_guide('saveRDS(counts, "counts.rds")', 'write.csv(types, "cell_types.csv"')
    path = saved(tmp_path / "counts.rds", dgc_matrix(CELLS, GENES, BARCODES))
    rows = [(f'"{b}"', f'"{t}"') for b, t in zip(BARCODES, TYPES, strict=True)]
    labels = table(('"barcode"', '"cell_type"'), *rows, separator=",")
    types = write(tmp_path / "cell_types.csv", labels)
    assert_cells(load(FileChoice(path=path, labels=types), bulk))


def test_a_seurat_object_saved_by_seuratdisk(tmp_path: Path, bulk: FileChoice) -> None:
    named_in_the_guide('SeuratDisk::SaveH5Seurat(obj, "cells.h5Seurat")')
    with h5py.File(tmp_path / "cells.h5Seurat", "w") as file:
        file.attrs["active.assay"] = "RNA"
        file["cell.names"] = np.array(BARCODES, dtype=object)
        file["assays/RNA/features"] = np.array(GENES, dtype=object)
        dgc_group(file["assays/RNA"], "counts", CELLS.T)
        file["meta.data/cell_type/levels"] = np.array(sorted(set(TYPES)), dtype=object)
        file["meta.data/cell_type/values"] = [sorted(set(TYPES)).index(t) + 1 for t in TYPES]
    assert_cells(load(FileChoice(path=tmp_path / "cells.h5Seurat"), bulk))


def test_the_lines_for_scanpy_run_and_their_file_loads(
    tmp_path: Path, bulk: FileChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", CHAPTER, re.MULTILINE | re.DOTALL)
    obs = pd.DataFrame({"leiden": ["0", "1"] * 8, "cell_type": TYPES}, index=BARCODES)
    var = pd.DataFrame({"highly_variable": [True] * len(GENES)}, index=GENES)
    adata = anndata.AnnData(logs_of_cells(), obs=obs, var=var)
    adata.layers["counts"] = sparse.csr_matrix(CELLS.T.astype(np.float32))
    monkeypatch.chdir(tmp_path)
    exec(code, {"adata": adata})
    assert_cells(load(FileChoice(path=tmp_path / "cells.h5ad"), bulk))
    adata.write_h5ad(tmp_path / "whole.h5ad")
    assert_cells(load(FileChoice(path=tmp_path / "whole.h5ad", matrix="layer:counts"), bulk))


def test_every_source_of_the_chapter_is_tried_here() -> None:
    headings = re.findall(r"^## (.+)$", CHAPTER, re.MULTILINE)
    assert headings == [
        *("A core facility", "GEO", "TCGA and other projects of the GDC", "UCSC Xena"),
        *("cBioPortal", "CELLxGENE", "Seurat", "Scanpy"),
    ]
