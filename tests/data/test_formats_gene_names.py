"""Spellings of gene names in files as their programs write them, brought to the symbols of the
other file: in bulk samples and in single cells.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.cli.repairs import load_repaired
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.validation.examine import examine
from gui.knowledge.human_genes import human_genes, make_r_name
from tests.data.repairing import repaired

SYMBOLS = [
    "CD3E",
    "CD4",
    "CD8A",
    "CD14",
    "CD19",
    "MS4A1",
    "GNLY",
    "NKG7",
    "HLA-A",
    "HLA-DRA",
    "EPCAM",
    "COL1A1",
    "NKX2-1",
    "KRT5",
    "TP63",
    "VWF",
    "PECAM1",
    "PTPRC",
    "NCAM1",
    "LYZ",
    "S100A8",
    "TRAC",
    "ACTB",
    "GAPDH",
    "EGFR",
    "ERBB2",
    "CRLF2",
    "CD99",
    "SEPTIN2",
    "SEPTIN9",
    "MARCHF1",
]
ENSEMBL = {s: e for e, s in sorted(human_genes().by_ensembl.items(), reverse=True)}
ENTREZ = {s: e for e, s in sorted(human_genes().by_entrez.items(), reverse=True)}
ALIASES = {"PTPRC": "CD45", "ERBB2": "HER2", "PECAM1": "CD31", "NCAM1": "CD56", "TP63": "TP73L"}
SERIALS = {"SEPTIN2": "44441", "SEPTIN9": "44448", "MARCHF1": "44256"}
RANDOM = np.random.default_rng(6)
N = len(SYMBOLS)
CELLS = pd.DataFrame(RANDOM.poisson(20, (N, 12)) + 1.0, SYMBOLS, [f"c{i}" for i in range(12)])
BULK = pd.DataFrame(np.rint(RANDOM.lognormal(6, 1, (N, 4))), SYMBOLS, ["P1", "P2", "P3", "P4"])


def write_cells(folder: Path, names: list[str]) -> Path:
    obs = pd.DataFrame({"cell_type": ["B", "T", "NK"] * 4}, index=CELLS.columns)
    made = anndata.AnnData(CELLS.T.to_numpy(), obs=obs, var=pd.DataFrame(index=names))
    made.write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def write_bulk(folder: Path, names: list[str], values: pd.DataFrame = BULK) -> Path:
    values.set_axis(names).to_csv(folder / "bulk.tsv", sep="\t", index_label="gene")
    return folder / "bulk.tsv"


def request_for(cells: Path, bulk: Path) -> LoadRequest:
    return LoadRequest(files={"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk)})


SPELLINGS: dict[str, Callable[[str], str]] = {
    "alias symbols": lambda s: ALIASES.get(s, s),
    "SYMBOL (id)": lambda s: f"{s} ({ENTREZ[s]})",
    "SYMBOL (id) through R": lambda s: f"{make_r_name(s)}..{ENTREZ[s]}.",
    "GRCh38_": lambda s: f"GRCh38_{s}",
    "GRCh38 of two species": lambda s: f"GRCh38______{s}",
    "hg19_": lambda s: f"hg19_{s}",
    "title case": str.capitalize,
    "date serials": lambda s: SERIALS.get(s, s),
    "bytes": lambda s: f"b'{s}'",
    "make.names": make_r_name,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("odd", ["bulk", "train"])
def test_every_spelling_is_brought_to_the_symbols_of_the_other_file(
    spelling: str, odd: str, tmp_path: Path
) -> None:
    spelled = [SPELLINGS[spelling](s) for s in SYMBOLS]
    cells = write_cells(tmp_path, spelled if odd == "train" else SYMBOLS)
    request = request_for(cells, write_bulk(tmp_path, spelled if odd == "bulk" else SYMBOLS))
    assert examine(request).proposed
    made = load_dataset(repaired(request))
    assert made.bulk is not None
    assert made.train is not None
    genes = list(made.train.matrix.genes)
    assert len(genes) == N
    # whichever names are kept, each gene has its own values
    shown = dict(zip(spelled, SYMBOLS, strict=True)) | {s: s for s in SYMBOLS}
    frame = made.bulk.matrix.frame()
    for gene in genes:
        assert frame.loc[gene].tolist() == BULK.loc[shown[gene]].tolist(), gene


Y_COPIES = {
    "GENCODE from 25 on": lambda e: f"{e}.14_PAR_Y",
    "GENCODE before 25": lambda e: e.replace("ENSG0", "ENSGR") + ".9",
}


@pytest.mark.parametrize("way", Y_COPIES)
def test_copies_on_the_y_chromosome_are_added_to_their_gene(way: str, tmp_path: Path) -> None:
    names = [f"{ENSEMBL[s]}.9" for s in SYMBOLS]
    names += [Y_COPIES[way](ENSEMBL[s]) for s in ("CRLF2", "CD99")]
    copies = BULK.loc[["CRLF2", "CD99"]] // 3
    bulk = write_bulk(tmp_path, names, pd.concat([BULK, copies]))
    made = load_dataset(repaired(request_for(write_cells(tmp_path, SYMBOLS), bulk)))
    assert made.bulk is not None
    wanted = BULK.copy()
    wanted.loc[["CRLF2", "CD99"]] += copies
    pd.testing.assert_frame_equal(
        made.bulk.matrix.frame().loc[SYMBOLS], wanted, check_names=False, check_dtype=False
    )


def test_genes_of_the_mouse_beside_those_of_man_stay_apart(tmp_path: Path) -> None:
    """Cell Ranger's reference of two species, for xenografts: GRCh38______ and mm10___."""
    names = [f"GRCh38______{s}" for s in SYMBOLS] + [f"mm10___{s.capitalize()}" for s in SYMBOLS]
    values = pd.concat([BULK, BULK * 5])
    request = request_for(write_cells(tmp_path, SYMBOLS), write_bulk(tmp_path, names, values))
    made = load_dataset(repaired(request))
    assert made.bulk is not None
    pd.testing.assert_frame_equal(
        made.bulk.matrix.frame().loc[SYMBOLS], BULK, check_names=False, check_dtype=False
    )


PROBES: dict[str, tuple[Callable[[int], str], str, str]] = {
    # GPL6947 and GPL10558, GPL6480 and GPL17077, GPL570 and GPL6244
    "Illumina": (lambda i: f"ILMN_{1_700_000 + i}", "ID\tSpecies\tSymbol\tEntrez_Gene_ID", "Ill"),
    "Agilent": (lambda i: f"A_23_P{100_000 + i}", "ID\tSPOT_ID\tGENE_SYMBOL\tGENE", "Agilent"),
    "Affymetrix": (lambda i: f"{200_000 + i}_s_at", "ID\tGB_ACC\tGene Symbol\tENTREZ", "Affy"),
}


@pytest.mark.parametrize("chip", PROBES)
@pytest.mark.parametrize("form", ["series matrix", "table"])
def test_probes_are_named_and_summed_by_the_table_of_their_chip(
    chip: str, form: str, tmp_path: Path
) -> None:
    probe, header, maker = PROBES[chip]
    names = [probe(i) for i in range(N)]
    rows = BULK.set_axis(names).to_csv(sep="\t", index_label="ID_REF")
    if form == "series matrix":
        rows = f'!Series_title\t"x"\n!series_matrix_table_begin\n{rows}!series_matrix_table_end\n'
    bulk = tmp_path / "GSE1.txt"
    bulk.write_text(rows)
    request = request_for(write_cells(tmp_path, SYMBOLS), bulk)
    found = examine(request)
    assert found.outcome == "refuse"
    assert maker in " ".join(x.message for x in found.findings if x.severity == "refusal")
    table = tmp_path / "GPL.txt"
    body = "".join(f"{p}\tx\t{s}\t{ENTREZ[s]}\n" for p, s in zip(names, SYMBOLS, strict=True))
    table.write_text(f"#ID = of the chip\n{header}\n{body}")
    made, _ = load_repaired(request, tables=[str(table)])
    assert made.bulk is not None
    np.testing.assert_array_equal(made.bulk.matrix.frame().loc[SYMBOLS], BULK)


@pytest.mark.parametrize(
    ("begin", "titles"),
    [
        ("ENSRNOG", "Gene stable ID,Human gene stable ID,Human gene name"),
        ("ENSDARG", "zebrafish,Human gene name"),
    ],
)
def test_another_species_is_brought_to_man_by_the_users_table(
    begin: str, titles: str, tmp_path: Path
) -> None:
    """As BioMart writes the orthologues."""
    names = [f"{begin}{2000 + i:011d}" for i in range(N)]
    request = request_for(write_cells(tmp_path, SYMBOLS), write_bulk(tmp_path, names))
    assert examine(request).outcome == "refuse"
    lines = [titles]
    for name, symbol in zip(names, SYMBOLS, strict=True):
        ids = f"{ENSEMBL[symbol]}," if titles.count(",") == 2 else ""
        lines.append(f"{name},{ids}{symbol}")
    (tmp_path / "mart_export.txt").write_text("\n".join(lines) + "\n")
    made, _ = load_repaired(request, tables=[str(tmp_path / "mart_export.txt")], proposed=True)
    assert made.bulk is not None
    np.testing.assert_array_equal(made.bulk.matrix.frame().loc[SYMBOLS], BULK)
