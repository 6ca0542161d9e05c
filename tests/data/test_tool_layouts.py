"""Files of every tool that the guide and the issues of people name, in layouts of their own making:
with every proposal taken, the samples, genes and values are those that were written.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.validation.examine import examine
from gui.knowledge.human_genes import human_genes
from tests.data.repairing import repaired

HUMAN = human_genes()
IDS = {symbol: gene for gene, symbol in sorted(HUMAN.by_ensembl.items(), reverse=True)}
NUMBERS = {symbol: int(number) for number, symbol in sorted(HUMAN.by_entrez.items(), reverse=True)}
GENES = [s for s in sorted(IDS) if s.isalnum() and s in NUMBERS and s not in HUMAN.ambiguous][::180]
GENES = GENES[:90]
ENSEMBL = [IDS[gene] for gene in GENES]
ENTREZ = [NUMBERS[gene] for gene in GENES]
SAMPLES = [f"PT{i:02d}" for i in range(1, 6)]
RANDOM = np.random.default_rng(8)
PROFILES = RANDOM.lognormal(4, 1.8, (len(GENES), 2))
FRACTIONS = RANDOM.dirichlet([2, 2], 5).T
COUNTS = pd.DataFrame(RANDOM.poisson(PROFILES @ FRACTIONS * 20), GENES, SAMPLES)
COUNTS[RANDOM.random(COUNTS.shape) < 0.06] = 0
TPM = (COUNTS / COUNTS.sum() * 1e6).round(3)
LENGTHS = RANDOM.integers(400, 9000, len(GENES))
STARTS = RANDOM.integers(10**5, 10**8, len(GENES))
CHROMOSOMES = [f"chr{i % 22 + 1}" for i in range(len(GENES))]
TCGA = [f"TCGA-A{i}-40{i}0-01A-11R-A1-07" for i in range(5)]


@dataclass(frozen=True)
class Layout:
    """write : puts the file into a folder; values : what it holds; samples : how they are called;
    ids : whether the names are IDs, so that their symbols are a choice.
    """

    write: Callable[[Path], Path]
    values: pd.DataFrame
    samples: tuple[str, ...] = tuple(SAMPLES)
    ids: bool = False


LAYOUTS: dict[str, Layout] = {}


def layout(
    name: str, values: pd.DataFrame = COUNTS, samples: list[str] = SAMPLES, *, ids: bool = False
) -> Callable[[Callable[[Path], Path]], None]:
    def add(write: Callable[[Path], Path]) -> None:
        LAYOUTS[name] = Layout(write, values, tuple(samples), ids)

    return add


def saved(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def tsv(front: dict[str, object], values: pd.DataFrame | None = None, **options: object) -> str:
    table = pd.DataFrame(front)
    if values is not None:
        table = pd.concat([table, values.reset_index(drop=True)], axis=1)
    return str(table.to_csv(sep="\t", index=False, **options))


# -- programs that count reads -------------------------------------------------------------------


@layout("featureCounts")
def _(folder: Path) -> Path:
    lists = [";".join([c] * 3) for c in CHROMOSOMES]
    front = {"Geneid": GENES, "Chr": lists, "Start": [f"{s};{s + 9}" for s in STARTS]}
    front |= {"End": [f"{s + 5};{s + 90}" for s in STARTS], "Strand": "+;+", "Length": LENGTHS}
    values = COUNTS.rename(columns=lambda s: f"/scratch/run/{s}Aligned.sortedByCoord.out.bam")
    return saved(
        folder / "fc.txt", '# Program:featureCounts v2.0.6; Command:"x"\n' + tsv(front, values)
    )


@layout("Rsubread through write.csv")
def _(folder: Path) -> Path:
    front = {"": range(1, len(GENES) + 1), "GeneID": ENTREZ, "Chr": CHROMOSOMES, "Start": STARTS}
    front |= {"End": STARTS + 900, "Strand": "-", "Length": LENGTHS, "Symbol": GENES}
    values = COUNTS.rename(columns=lambda s: f"X.home.me.bam.{s}.bam")
    return saved(folder / "fc.csv", tsv(front, values).replace("\t", ","))


ODD_ROWS = ["__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned"]


@layout("HTSeq of several files without a header", samples=[f"column {i}" for i in range(2, 7)])
def _(folder: Path) -> Path:
    rest = pd.DataFrame(9, index=ODD_ROWS, columns=SAMPLES)
    return saved(folder / "c.txt", pd.concat([COUNTS, rest]).to_csv(sep="\t", header=False))


@layout("HTSeq with gene names", COUNTS[["PT01"]], ["PT01"])
def _(folder: Path) -> Path:
    lines = [f"{i}\t{g}\t{COUNTS.PT01[g]}" for i, g in zip(ENSEMBL, GENES, strict=True)]
    return saved(
        folder / "PT01.counts", "\n".join([*lines, *(f"{n}\t\t9" for n in ODD_ROWS)]) + "\n"
    )


@layout("STAR, reverse strand", COUNTS[["PT01"]], ["PT01"])
def _(folder: Path) -> Path:
    lines = [
        f"{n}\t5\t5\t5" for n in ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")
    ]
    lines += [f"{g}\t{n + n // 30}\t{n // 30}\t{n}" for g, n in COUNTS.PT01.items()]
    return saved(folder / "PT01_ReadsPerGene.out.tab", "\n".join(lines) + "\n")


@layout("RSEM isoforms", TPM[["PT01"]], ["PT01"])
def _(folder: Path) -> Path:
    front: dict[str, object] = {
        "transcript_id": [f"ENST{i:010d}{k}.1" for i in range(len(GENES)) for k in (0, 1)],
        "gene_id": [f"{gene}.3" for gene in ENSEMBL for _ in (0, 1)],
        "length": np.repeat(LENGTHS, 2),
        "effective_length": np.repeat(LENGTHS, 2) - 100,
        "expected_count": np.repeat(COUNTS.PT01.to_numpy(), 2) / 2,
        "TPM": np.repeat(TPM.PT01.to_numpy(), 2) / 2,
        "FPKM": np.repeat(TPM.PT01.to_numpy(), 2) / 5,
        "IsoPct": 50.0,
    }
    return saved(folder / "PT01.isoforms.results", tsv(front))


@layout("kallisto on GENCODE", TPM[["PT01"]], ["abundance"], ids=True)
def _(folder: Path) -> Path:
    targets = [
        f"ENST{i:011d}.1|{e}.5|OTTHUMG{i:011d}.2|OTTHUMT{i:011d}.1|{g}-201|{g}|900|protein_coding|"
        for i, (e, g) in enumerate(zip(ENSEMBL, GENES, strict=True))
    ]
    front = {"target_id": targets, "length": LENGTHS, "eff_length": LENGTHS - 99.5}
    front |= {"est_counts": COUNTS.PT01.to_numpy(), "tpm": TPM.PT01.to_numpy()}
    return saved(folder / "PT01" / "abundance.tsv", tsv(front))


@layout("salmon, a folder for each sample", TPM)
def _(folder: Path) -> Path:
    for s in SAMPLES:
        front = {"Name": GENES, "Length": LENGTHS, "EffectiveLength": LENGTHS - 150.5}
        front |= {"TPM": TPM[s].to_numpy(), "NumReads": COUNTS[s].to_numpy() + 0.0}
        saved(folder / "salmon" / s / "quant.genes.sf", tsv(front))
        saved(folder / "salmon" / s / "cmd_info.json", "{}")
    return folder / "salmon"


@layout("tximport as a table", TPM)
def _(folder: Path) -> Path:
    lengths = pd.DataFrame(
        LENGTHS[:, None] * RANDOM.uniform(0.9, 1.1, COUNTS.shape), GENES, SAMPLES
    )
    parts = [
        TPM.add_prefix("abundance."),
        COUNTS.add_prefix("counts."),
        lengths.add_prefix("length."),
    ]
    table = pd.concat(parts, axis=1).assign(countsFromAbundance="no")
    return saved(folder / "txi.csv", table.to_csv())


@layout("nf-core, transcripts", TPM)
def _(folder: Path) -> Path:
    half = TPM.loc[np.repeat(GENES, 2)] / 2
    front = {"tx": [f"ENST{i:011d}.1" for i in range(len(half))], "gene_id": np.repeat(ENSEMBL, 2)}
    return saved(folder / "salmon.merged.transcript_tpm.tsv", tsv(front, half))


@layout("StringTie", TPM[["PT01"]], ["PT01"])
def _(folder: Path) -> Path:
    front = {"Gene ID": [f"MSTRG.{i}" for i in range(len(GENES))], "Gene Name": GENES}
    front |= {"Reference": CHROMOSOMES, "Strand": "+", "Start": STARTS, "End": STARTS + 9}
    value = TPM.PT01.to_numpy()
    return saved(
        folder / "PT01_gene_abund.tab",
        tsv(front | {"Coverage": value / 7, "FPKM": value / 2, "TPM": value}),
    )


@layout("Cufflinks", TPM[["PT01"]], ["PT01"])
def _(folder: Path) -> Path:
    front = {"tracking_id": [f"XLOC_{i:06d}" for i in range(len(GENES))], "class_code": "-"}
    front |= {"gene_short_name": GENES, "locus": [f"{c}:1-9" for c in CHROMOSOMES], "length": "-"}
    value = TPM.PT01.to_numpy()
    front |= {"FPKM": value, "FPKM_conf_lo": value * 0.9, "FPKM_conf_hi": value * 1.1}
    return saved(folder / "PT01.genes.fpkm_tracking", tsv(front | {"FPKM_status": "OK"}))


# -- portals --------------------------------------------------------------------------------------


@layout("GDC, a folder with names of cases", TPM, [f"{i}f00aa11" for i in range(5)])
def _(folder: Path) -> Path:
    for i, s in enumerate(SAMPLES):
        front = {"gene_id": [f"{e}.9" for e in ENSEMBL], "gene_name": GENES, "gene_type": "x"}
        front |= {"unstranded": COUNTS[s].to_numpy(), "stranded_first": COUNTS[s].to_numpy() // 2}
        front |= {"stranded_second": COUNTS[s].to_numpy() // 2, "tpm_unstranded": TPM[s].to_numpy()}
        text = tsv(front).split("\n", 1)
        odd = "".join(f"{n}\t\t\t9\t9\t9\t\n" for n in ("N_unmapped", "N_noFeature"))
        saved(
            folder / "gdc" / f"{i}a-22" / f"{i}f00aa11.rna_seq.augmented_star_gene_counts.tsv",
            "# gene-model: GENCODE v36\n" + text[0] + "\n" + odd + text[1],
        )
    return folder / "gdc"


@layout("TCGA legacy", TPM[["PT01"]], ["unc"])
def _(folder: Path) -> Path:
    front = {"gene_id": [f"{g}|{n}" for g, n in zip(GENES, ENTREZ, strict=True)]}
    front |= {"raw_count": COUNTS.PT01.to_numpy(), "scaled_estimate": TPM.PT01.to_numpy() / 1e6}
    return saved(folder / "unc.rsem.genes.results", tsv(front | {"transcript_id": "uc001aaa.3"}))


@layout("Firehose, three columns a sample", TPM, TCGA)
def _(folder: Path) -> Path:
    kinds = ["raw_count", "scaled_estimate", "transcript_id"]
    lines = [["Hybridization REF", *np.repeat(TCGA, 3)], ["gene_id", *kinds * 5]]
    for g, n in zip(GENES, ENTREZ, strict=True):
        each = [[COUNTS[s][g], TPM[s][g] / 1e6, "uc1"] for s in SAMPLES]
        lines.append([f"{g}|{n}", *(str(v) for three in each for v in three)])
    return saved(folder / "RSEM_genes.data.txt", "\n".join("\t".join(row) for row in lines) + "\n")


@layout("Xena, log2(norm_count + 1)", samples=TCGA)
def _(folder: Path) -> Path:
    table = np.log2(COUNTS + 1).round(6).set_axis(TCGA, axis=1)
    return saved(folder / "HiSeqV2", table.to_csv(sep="\t", index_label="sample"))


@layout("Xena, log2(tpm + 0.001), turned", TPM)
def _(folder: Path) -> Path:
    table = np.log2(TPM + 0.001).round(6).T
    table.insert(0, "_primary_site", "Blood")
    return saved(folder / "denseDataOnlyDownload.tsv", table.to_csv(sep="\t", index_label="sample"))


@layout("cBioPortal with cytobands", TPM)
def _(folder: Path) -> Path:
    front = {"Hugo_Symbol": GENES, "Cytoband": "1p36.33", "Entrez_Gene_Id": ENTREZ}
    return saved(folder / "data_mrna_seq_tpm.txt", tsv(front, TPM))


@layout("DepMap with five columns of the models", TPM, [f"ACH-{i:06d}" for i in range(5)])
def _(folder: Path) -> Path:
    table = np.log2(TPM + 1).round(6).T.reset_index(drop=True)
    table.columns = pd.Index([f"{g} ({n})" for g, n in zip(GENES, ENTREZ, strict=True)])
    front = {"SequencingID": [f"CDS-{i}ab" for i in range(5)]}
    front |= {"ModelID": [f"ACH-{i:06d}" for i in range(5)], "IsDefaultEntryForModel": "Yes"}
    table = pd.concat([pd.DataFrame(front), table], axis=1)
    return saved(folder / "OmicsExpressionTPMLogp1.csv", table.to_csv())


@layout("GTEx, with an id in front", TPM)
def _(folder: Path) -> Path:
    front = {"id": range(len(GENES)), "Name": [f"{e}.4" for e in ENSEMBL], "Description": GENES}
    return saved(folder / "t.gct.gz", f"#1.2\n{len(GENES)}\t5\n" + tsv(front, TPM))


@layout("GCT 1.3 with annotation of samples", TPM)
def _(folder: Path) -> Path:
    head, rows = tsv({"id": ENSEMBL, "symbol": GENES}, TPM).split("\n", 1)
    size = f"#1.3\n{len(GENES)}\t5\t1\t1\n"
    return saved(folder / "t.gct", size + head + "\n" + "time\tna\t1\t2\t3\t4\t5\n" + rows)


@layout("counts by NCBI", samples=[f"GSM{i}" for i in range(5)], ids=True)
def _(folder: Path) -> Path:
    table = COUNTS.set_axis([f"GSM{i}" for i in range(5)], axis=1)
    return saved(folder / "GSE1_raw_counts_NCBI.tsv.gz", tsv({"GeneID": ENTREZ}, table))


@layout("recount3", samples=[f"SRR{i}" for i in range(5)], ids=True)
def _(folder: Path) -> Path:
    table = COUNTS.set_axis([f"SRR{i}" for i in range(5)], axis=1)
    head = "##annotation=G026\n##date.generated=2019-12-24\n"
    return saved(folder / "G026.gz", head + tsv({"gene_id": [f"{e}.2" for e in ENSEMBL]}, table))


@layout("a tar of GEO with a file for each sample", samples=[f"GSM{i}_PT{i}" for i in range(5)])
def _(folder: Path) -> Path:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for i, s in enumerate(SAMPLES):
            data = gzip.compress(tsv({"gene": GENES, "count": COUNTS[s].to_numpy()}).encode())
            info = tarfile.TarInfo(f"GSM{i}_PT{i}_counts.txt.gz")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return saved(folder / "GSE9_RAW.tar", out.getvalue())


# -- tables of people ------------------------------------------------------------------------------


@layout("counts and TPM by turns", TPM)
def _(folder: Path) -> Path:
    columns: dict[str, object] = {"Gene": GENES}
    for s in SAMPLES:
        columns |= {f"TPM {s}": TPM[s].to_numpy(), f"Counts {s}": COUNTS[s].to_numpy()}
    return saved(folder / "x.tsv", tsv(columns))


@layout("two rows of names", TPM)
def _(folder: Path) -> Path:
    head = ["\t".join(["", "Raw counts", *[""] * 4, "RPKM", *[""] * 4])]
    head.append("\t".join(["Gene", *SAMPLES, *SAMPLES]))
    body = [f"{g}\t" + "\t".join(map(str, [*COUNTS.loc[g], *TPM.loc[g]])) for g in GENES]
    return saved(folder / "x.txt", "\n".join(head + body) + "\n")


@layout("a core's table with everything behind")
def _(folder: Path) -> Path:
    table = COUNTS.assign(gene_name=GENES, gene_chr=CHROMOSOMES, gene_start=STARTS)
    table = table.assign(gene_length=LENGTHS, gene_biotype="protein_coding", tf_family="-")
    table.index = pd.Index(ENSEMBL, name="gene_id")
    return saved(folder / "gene_count.xls", table.to_csv(sep="\t"))


@layout("results of a test behind")
def _(folder: Path) -> Path:
    random = RANDOM.normal(0, 1, len(GENES))
    table = COUNTS.assign(logFC=random, logCPM=5 + random, F=random**2, PValue=0.3, FDR=0.4)
    return saved(folder / "edger.csv", table.to_csv())


@layout("decimal commas and semicolons", TPM)
def _(folder: Path) -> Path:
    return saved(folder / "x.csv", TPM.to_csv(sep=";", decimal=","))


@layout("thousands", TPM.round(2))
def _(folder: Path) -> Path:
    return saved(folder / "x.csv", TPM.map(lambda v: f"{v:,.2f}").to_csv())


@layout("one row for each gene and sample", TPM)
def _(folder: Path) -> Path:
    table = TPM.stack().reset_index().set_axis(["gene", "sample", "TPM"], axis=1)
    return saved(folder / "long.csv", table.to_csv(index=False))


@layout("a zip of a Mac")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr("__MACOSX/._c.csv", "\0\1")
        archive.writestr("data/c.csv", COUNTS.to_csv())
    return folder / "x.zip"


@layout("Excel's dates")
def _(folder: Path) -> Path:
    table = COUNTS.rename(index={GENES[0]: f" {GENES[0]} "})
    return saved(folder / "x.csv", table.to_csv())


@layout("names through R", samples=[f"X{i}.T" for i in range(5)])
def _(folder: Path) -> Path:
    return saved(folder / "x.csv", COUNTS.set_axis([f"X{i}.T" for i in range(5)], axis=1).to_csv())


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    values = RANDOM.poisson(np.repeat(PROFILES, 12, axis=1)) + 1.0
    obs = pd.DataFrame({"cell_type": np.repeat(["B", "T"], 12)}, index=[f"c{i}" for i in range(24)])
    anndata.AnnData(sparse.csr_matrix(values.T), obs, pd.DataFrame(index=GENES)).write_h5ad(path)
    return path


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_file_of_this_layout_gives_what_was_written(
    name: str, cells: Path, tmp_path: Path
) -> None:
    made = LAYOUTS[name]
    path = made.write(tmp_path)
    request = LoadRequest(files={"train": FileChoice(path=cells), "bulk": FileChoice(path=path)})
    found = examine(request)
    said = [x.message for x in found.findings if x.severity == "refusal"]
    # names of another kind are for the user to choose; everything else needs nothing but the repair
    assert (found.outcome == "refuse") == made.ids, said
    bulk = load_dataset(repaired(request)).bulk
    assert bulk is not None
    frame = bulk.matrix.frame()
    assert list(frame.columns) == list(made.samples)
    assert sorted(frame.index) == sorted(GENES)
    values = frame.loc[GENES].to_numpy()
    wanted = made.values.to_numpy()
    scale = values.sum(axis=0) / wanted.sum(axis=0)
    np.testing.assert_allclose(scale, scale[0], rtol=1e-3)
    np.testing.assert_allclose(values / scale, wanted, rtol=2e-3, atol=0.02)
