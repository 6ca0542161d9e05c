"""Parts that call their genes differently are brought together by one proposal, which is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.data.validation.examine import Examination, examine
from gui.data.validation.registry import repair_part
from gui.data.validation.repairs import UndoLog
from gui.data.validation.repairs_matching import MatchGenes
from gui.knowledge.human_genes import human_genes
from tests.data.repairing import repaired

_TEXT = """
CD3E CD4 CD8A CD14 CD19 MS4A1 GNLY NKG7 HLA-A HLA-DRA MT-CO1 MT-ND1 EPCAM COL1A1 NKX2-1 KRT5 TP63
VWF PECAM1 FCGR3A LYZ S100A8 TRAC ACTB GAPDH EGFR ERBB2 TENT5C CXCL8 SEPTIN2
"""
SYMBOLS = _TEXT.split()
ENSEMBL = {s: e for e, s in sorted(human_genes().by_ensembl.items(), reverse=True)}
ENTREZ = {s: e for e, s in sorted(human_genes().by_entrez.items(), reverse=True)}
RANDOM = np.random.default_rng(3)
COUNTS = RANDOM.poisson(20, (len(SYMBOLS), 12)) + 1.0
BULK = np.rint(RANDOM.lognormal(6, 1, (len(SYMBOLS), 4)))


def write_cells(path: Path, genes: list[str], var: dict[str, list[str]] | None = None) -> Path:
    obs = pd.DataFrame({"cell_type": ["B", "T", "NK"] * 4}, index=[f"cell{i}" for i in range(12)])
    data = anndata.AnnData(COUNTS.T, obs=obs, var=pd.DataFrame(var or {}, index=genes))
    data.write_h5ad(path)
    return path


def write_bulk(path: Path, genes: list[str], values: Any = BULK) -> Path:
    frame = pd.DataFrame(values, index=genes, columns=[f"PT{i}" for i in range(values.shape[1])])
    frame.to_csv(path, index_label="gene", sep="\t")
    return path


def request_for(cells: Path, bulk: Path) -> LoadRequest:
    return LoadRequest(files={"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk)})


def codes(found: Examination) -> list[str]:
    return [x.code for x in found.findings if x.severity != "info"]


def brought_together(request: LoadRequest) -> pd.DataFrame:
    """The bulk over the genes of the cells, after everything that is proposed."""
    dataset = load_dataset(repaired(request))
    assert dataset.bulk is not None
    assert dataset.train is not None
    bulk = dataset.bulk.matrix.frame()
    return bulk.loc[[g for g in dataset.train.matrix.genes if g in bulk.index]]


NAMES = {
    "Ensembl with version": [f"{ENSEMBL[s]}.12" for s in SYMBOLS],
    "Entrez": [ENTREZ[s] for s in SYMBOLS],
    "SYMBOL|id": [f"{s}|{ENTREZ[s]}" for s in SYMBOLS],
    "Ensembl|SYMBOL": [f"{ENSEMBL[s]}|{s}" for s in SYMBOLS],
    "bytes": [f"b'{s}'" for s in SYMBOLS],
    "prefix": [f"hg19_{s}" for s in SYMBOLS],
    "lower case": [s.lower() for s in SYMBOLS],
    "R": [s.replace("-", ".") for s in SYMBOLS],
    "former symbols": [
        {"TENT5C": "FAM46C", "CXCL8": "IL8", "SEPTIN2": "SEPT2"}.get(s, s) for s in SYMBOLS
    ],
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("odd", ["bulk", "train"])
def test_one_proposal_brings_the_names_together(kind: str, odd: str, tmp_path: Path) -> None:
    names = {"train": SYMBOLS, "bulk": SYMBOLS} | {odd: NAMES[kind]}
    cells = write_cells(tmp_path / "cells.h5ad", names["train"])
    request = request_for(cells, write_bulk(tmp_path / "bulk.tsv", names["bulk"]))
    found = examine(request)
    proposed = [r for r in found.proposed if isinstance(r, MatchGenes)]
    assert len(proposed) == len(found.proposed) == 1
    chosen = request.model_copy(update={"repairs": found.proposed})
    assert not {"no-common-genes", "gene-names", "version-suffixes"} & set(codes(examine(chosen)))
    dataset = load_dataset(chosen)
    assert dataset.bulk is not None
    assert dataset.train is not None
    bulk = dataset.bulk.matrix.frame()
    np.testing.assert_array_equal(bulk.loc[list(dataset.train.matrix.genes)].to_numpy(), BULK)


OTHER_KIND = ("Ensembl with version", "Entrez", "Ensembl|SYMBOL")
"""Names that begin with another kind of identifier than the symbols of the other file."""


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("odd", ["bulk", "train"])
def test_names_of_another_kind_are_a_choice_and_decoration_is_none(
    kind: str, odd: str, tmp_path: Path
) -> None:
    names = {"train": SYMBOLS, "bulk": SYMBOLS} | {odd: NAMES[kind]}
    cells = write_cells(tmp_path / "cells.h5ad", names["train"])
    request = request_for(cells, write_bulk(tmp_path / "bulk.tsv", names["bulk"]))
    found = examine(request)
    assert found.outcome == ("refuse" if kind in OTHER_KIND else "accept with a warning")
    assert any(isinstance(repair, MatchGenes) for repair in found.proposed)
    assert examine(repaired(request)).outcome != "refuse"


@pytest.mark.parametrize("odd", ["bulk", "train"])
def test_made_up_ids_are_told_by_their_form(odd: str, tmp_path: Path) -> None:
    """With the gene's true ID for a third of them, so that a repair can be proposed."""
    ids = [ENSEMBL[s] if i % 3 else f"ENSG{90000000000 + i}" for i, s in enumerate(SYMBOLS)]
    names = {"train": SYMBOLS, "bulk": SYMBOLS} | {odd: ids}
    cells = write_cells(tmp_path / "cells.h5ad", names["train"])
    request = request_for(cells, write_bulk(tmp_path / "bulk.tsv", names["bulk"]))
    assert examine(request).outcome == "refuse"
    assert len(brought_together(request)) == 20


def test_a_file_with_both_kinds_in_columns_needs_no_choice(tmp_path: Path) -> None:
    ids = [ENSEMBL[s] for s in SYMBOLS]
    cells = write_cells(tmp_path / "cells.h5ad", ids, {"feature_name": SYMBOLS})
    request = request_for(cells, write_bulk(tmp_path / "bulk.tsv", SYMBOLS))
    assert examine(request).outcome == "accept with a warning"
    np.testing.assert_array_equal(brought_together(request).to_numpy(), BULK)


def test_versions_on_both_sides_are_cut_and_the_ids_stay(tmp_path: Path) -> None:
    ids = [ENSEMBL[s] for s in SYMBOLS]
    cells = write_cells(tmp_path / "cells.h5ad", [f"{gene}.3" for gene in ids])
    request = request_for(cells, write_bulk(tmp_path / "bulk.tsv", [f"{gene}.15" for gene in ids]))
    assert list(brought_together(request).index) == ids


def test_a_column_of_the_file_counts_where_it_fits_better(tmp_path: Path) -> None:
    # made-up IDs, which no table knows
    ids = [f"ENSG009900{i:05}" for i in range(len(SYMBOLS))]
    cells = write_cells(tmp_path / "cells.h5ad", ids, {"feature_name": SYMBOLS})
    request = request_for(cells, write_bulk(tmp_path / "bulk.tsv", SYMBOLS))
    assert list(brought_together(request).index) == SYMBOLS
    cells = write_cells(tmp_path / "other.h5ad", SYMBOLS, {"gene_ids": ids})
    request = request_for(cells, write_bulk(tmp_path / "ids.tsv", [f"{gene}.1" for gene in ids]))
    assert list(brought_together(request).index) == SYMBOLS


def test_rows_of_one_gene_are_added_up_for_counts_and_said(tmp_path: Path) -> None:
    ids = sorted(e for e, s in human_genes().by_ensembl.items() if s == "HLA-DRA")[:2]
    names = [ids[0] if s == "HLA-DRA" else ENSEMBL[s] for s in SYMBOLS]
    values = np.vstack([BULK, BULK[:1] * 3])
    request = request_for(
        write_cells(tmp_path / "cells.h5ad", SYMBOLS),
        write_bulk(tmp_path / "bulk.tsv", [*names, ids[1]], values),
    )
    found = examine(request)
    said = " ".join(f"{x.message} {x.advice}" for x in found.findings)
    assert "Several rows are of one gene (1 gene)" in said
    at = SYMBOLS.index("HLA-DRA")
    bulk = brought_together(request)
    np.testing.assert_array_equal(bulk.loc["HLA-DRA"], BULK[at] + BULK[0] * 3)
    assert any(
        "2 rows of 1 genes (HLA-DRA) were added up" in text
        for text in examine(repaired(request)).done
    )


def part_of(path: Path) -> Part:
    return read_all({"bulk": FileChoice(path=path)})[0]["bulk"]


def test_logarithms_are_added_up_after_they_are_undone_or_not_at_all(tmp_path: Path) -> None:
    values = np.tile(BULK, (3, 1)) + 2.0
    names = [f"{ENSEMBL[s]}.{copy}" for copy in (1, 2, 3) for s in SYMBOLS]
    part = part_of(write_bulk(tmp_path / "log.tsv", names, np.log2(values + 1)))
    match = MatchGenes(role="bulk")
    undone, _ = repair_part(part, (match, UndoLog(role="bulk", base="2")))
    np.testing.assert_allclose(undone.matrix.frame().loc["CD3E"], 3 * (BULK[0] + 2), rtol=1e-9)
    kept, said = repair_part(part, (match,))
    np.testing.assert_allclose(kept.matrix.frame().loc["CD3E"], np.log2(BULK[0] + 3), rtol=1e-12)
    assert "must not be added" in said[0]


def test_mouse_cells_and_mouse_bulk_are_matched_by_their_own_symbols(tmp_path: Path) -> None:
    mouse = [s.capitalize() if s.isalnum() else f"Gm{i}" for i, s in enumerate(SYMBOLS)]
    cells = write_cells(tmp_path / "cells.h5ad", mouse)
    found = examine(request_for(cells, write_bulk(tmp_path / "bulk.tsv", mouse)))
    assert not found.proposed
    assert "no-common-genes" not in codes(found)
    human = examine(request_for(cells, write_bulk(tmp_path / "human.tsv", SYMBOLS)))
    assert "no-common-genes" in codes(human)
    assert human.outcome == "refuse"
    assert "mouse" in next(x for x in human.findings if x.code == "no-common-genes").message


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([f"{200_000 + i}_s_at" for i in range(30)], "Affymetrix probe sets"),
        ([f"ILMN_{1_700_000 + i}" for i in range(30)], "Illumina probes"),
        ([f"A_23_P{100_000 + i}" for i in range(30)], "Agilent probes"),
        ([f"ENST{i:011}.2" for i in range(30)], "transcript IDs"),
        ([f"NM_{100_000 + i}" for i in range(30)], "transcript IDs"),
        ([f"cg{i:08}" for i in range(30)], "methylation probes"),
    ],
)
def test_what_is_no_gene_name_is_refused_as_what_it_is(
    names: list[str], says: str, tmp_path: Path
) -> None:
    cells = write_cells(tmp_path / "cells.h5ad", SYMBOLS)
    found = examine(request_for(cells, write_bulk(tmp_path / "bulk.tsv", names)))
    fault = next(x for x in found.findings if x.code == "no-common-genes")
    assert says in fault.message
    assert fault.repair is None
    assert len(fault.advice) > 20
    assert found.outcome == "refuse"


def test_equal_names_need_no_repair_whatever_they_are(tmp_path: Path) -> None:
    for at, names in enumerate([SYMBOLS, NAMES["SYMBOL|id"], [f"G{i}" for i in range(30)]]):
        cells = write_cells(tmp_path / f"cells{at}.h5ad", names)
        found = examine(request_for(cells, write_bulk(tmp_path / f"bulk{at}.tsv", names)))
        assert not found.proposed


def test_the_repair_is_kept_with_the_request_and_says_which_tables_it_used(tmp_path: Path) -> None:
    cells = write_cells(tmp_path / "cells.h5ad", NAMES["former symbols"])
    request = repaired(request_for(cells, write_bulk(tmp_path / "bulk.tsv", SYMBOLS)))
    (repair,) = request.repairs
    record = repair.record()
    assert record["renamed"] == {"TENT5C": "FAM46C", "CXCL8": "IL8", "SEPTIN2": "SEPT2"}
    assert "Ensembl" in record["tables"]
    assert LoadRequest.model_validate_json(request.model_dump_json()).repairs == (repair,)


def test_dates_have_a_repair_of_their_own_and_are_no_reason_for_another(tmp_path: Path) -> None:
    cells = write_cells(tmp_path / "cells.h5ad", NAMES["former symbols"])
    names = ["2-Sep" if s == "SEPT2" else s for s in NAMES["former symbols"]]
    found = examine(request_for(cells, write_bulk(tmp_path / "bulk.tsv", names)))
    assert [r.kind for r in found.proposed] == ["restore_dates"]
    both = [{"SEPT2": "2-Sep", "IL8": "CXCL8"}.get(s, s) for s in NAMES["former symbols"]]
    request = request_for(cells, write_bulk(tmp_path / "both.tsv", both))
    assert {r.kind for r in examine(request).proposed} == {"match_genes", "restore_dates"}
    assert list(brought_together(request).index) == NAMES["former symbols"]


def test_a_bulk_beside_loaded_data_is_brought_to_their_names(tmp_path: Path) -> None:
    cells = write_cells(tmp_path / "cells.h5ad", SYMBOLS)
    loaded = load_dataset(request_for(cells, write_bulk(tmp_path / "old.tsv", SYMBOLS)))
    path = write_bulk(tmp_path / "bulk.tsv", NAMES["Ensembl with version"])
    request = LoadRequest(files={"bulk": FileChoice(path=path)})
    found = examine(request, current=loaded)
    (repair,) = found.proposed
    assert (repair.kind, repair.role) == ("match_genes", "bulk")
    chosen = request.model_copy(update={"repairs": found.proposed})
    replaced = load_dataset(chosen, current=loaded)
    assert replaced.bulk is not None
    assert list(replaced.bulk.matrix.genes) == SYMBOLS
