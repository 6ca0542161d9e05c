"""Gene names of every kind are recognised, brought to the names of another file, or left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gui.knowledge.gene_lists import AMBIGUOUS, FORMER, OF_ENSEMBL, SAME, UNKNOWN
from gui.knowledge.gene_names import (
    NameRule,
    common_target,
    convert,
    known_fraction,
    propose_rule,
    recognise,
)
from gui.knowledge.human_genes import human_genes, make_r_name
from gui.knowledge.identifiers import Kind

_TEXT = """
CD3E CD4 CD8A CD14 CD19 MS4A1 GNLY NKG7 HLA-A HLA-DRA HLA-DRB1 MT-CO1 MT-ND1 EPCAM
COL1A1 NKX2-1 KRT5 TP63 VWF PECAM1 FCGR3A LYZ S100A8 TRAC ACTB GAPDH EGFR ERBB2 TENT5C
C1orf112
"""
SYMBOLS = _TEXT.split()
GENES = human_genes()
ENSEMBL = {symbol: gene for gene, symbol in sorted(GENES.by_ensembl.items(), reverse=True)}
ENTREZ = {symbol: gene for gene, symbol in sorted(GENES.by_entrez.items(), reverse=True)}

FORMS: dict[str, tuple[Callable[[str], str], Kind]] = {
    "Ensembl": (lambda s: ENSEMBL[s], Kind.ENSEMBL),
    "Ensembl with version": (lambda s: f"{ENSEMBL[s]}.17", Kind.ENSEMBL),
    "Ensembl of a lifted annotation": (lambda s: f"{ENSEMBL[s]}.5_2", Kind.ENSEMBL),
    "Entrez": (lambda s: ENTREZ[s], Kind.ENTREZ),
    "Entrez as decimal": (lambda s: f"{ENTREZ[s]}.0", Kind.ENTREZ),
    "SYMBOL|id": (lambda s: f"{s}|{ENTREZ[s]}", Kind.SYMBOL),
    "SYMBOL (id)": (lambda s: f"{s} ({ENTREZ[s]})", Kind.SYMBOL),
    "SYMBOL (id) through R": (lambda s: f"{make_r_name(s)}..{ENTREZ[s]}.", Kind.SYMBOL),
    "SYMBOL_id": (lambda s: f"{s}_{ENTREZ[s]}", Kind.SYMBOL),
    "SYMBOL (Ensembl)": (lambda s: f"{s} ({ENSEMBL[s]})", Kind.ENSEMBL),
    "Ensembl|SYMBOL": (lambda s: f"{ENSEMBL[s]}.4|{s}", Kind.ENSEMBL),
    "Ensembl_SYMBOL": (lambda s: f"{ENSEMBL[s]}_{s}", Kind.ENSEMBL),
    "Ensembl-SYMBOL of Seurat": (lambda s: f"{ENSEMBL[s]}-{s}", Kind.ENSEMBL),
    "SYMBOL_Ensembl": (lambda s: f"{s}_{ENSEMBL[s]}.2", Kind.ENSEMBL),
    "bytes": (lambda s: f"b'{s}'", Kind.SYMBOL),
    "bytes in double quotes": (lambda s: f'b"{s}"', Kind.SYMBOL),
    "quotes": (lambda s: f'"{s}"', Kind.SYMBOL),
    "blanks": (lambda s: f" {s}\u00a0", Kind.SYMBOL),
    "GRCh38_": (lambda s: f"GRCh38_{s}", Kind.SYMBOL),
    "GRCh38______": (lambda s: f"GRCh38______{s}", Kind.SYMBOL),
    "hg19-": (lambda s: f"hg19-{s}", Kind.SYMBOL),
    "hg19_ with Ensembl": (lambda s: f"hg19_{ENSEMBL[s]}", Kind.ENSEMBL),
    "lower case": (str.lower, Kind.SYMBOL),
    "title case": (str.capitalize, Kind.SYMBOL),
    "make.names": (make_r_name, Kind.SYMBOL),
    "Brainarray with Entrez": (lambda s: f"{ENTREZ[s]}_at", Kind.ENTREZ),
    "Brainarray with Ensembl": (lambda s: f"{ENSEMBL[s]}_at", Kind.ENSEMBL),
    "GENCODE's transcripts": (
        lambda s: f"ENST00000456328.2|{ENSEMBL[s]}.5|OTTHUMG1.2|OTTHUMT2.1|{s}-202|{s}|16|lncRNA|",
        Kind.ENSEMBL,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_list_is_recognised_and_brought_to_symbols(form: str) -> None:
    spell, kind = FORMS[form]
    names = [spell(symbol) for symbol in SYMBOLS]
    found = recognise(names)
    assert (found.kind, found.species) == (kind, "human")
    assert found.known == 1
    proposed = propose_rule(names, SYMBOLS)
    assert list(proposed.names.new) == SYMBOLS
    assert proposed.after == len(SYMBOLS)
    # the saved rule does the same again
    assert list(convert(names, proposed.rule).new) == SYMBOLS


@given(
    st.lists(st.sampled_from(sorted(ENSEMBL.keys() & ENTREZ.keys())), min_size=25, unique=True),
    st.sampled_from(sorted(FORMS)),
)
@settings(max_examples=40, deadline=None)
def test_no_name_is_brought_to_another_gene(symbols: list[str], form: str) -> None:
    proposed = propose_rule([FORMS[form][0](symbol) for symbol in symbols], symbols)
    wrong = [
        (symbol, new)
        for symbol, new in zip(symbols, proposed.names.new, strict=True)
        if new != symbol and new in symbols
    ]
    assert not wrong


def test_symbols_stay_as_they_are_and_are_counted_as_current() -> None:
    proposed = propose_rule(SYMBOLS, SYMBOLS)
    assert proposed.names.changed == 0
    assert proposed.rule == NameRule()
    assert proposed.names.counts().sum() == len(SYMBOLS)


def test_former_symbols_follow_the_other_file_whichever_is_older() -> None:
    new, old = ["TENT5C", "CXCL8", "H2AZ1", "SEPTIN2"], ["FAM46C", "IL8", "H2AFZ", "SEPT2"]
    assert list(propose_rule(old, new).names.new) == new
    assert list(propose_rule(new, old).names.new) == old
    assert list(propose_rule([ENSEMBL[s] for s in new], old).names.new) == old
    assert list(propose_rule(old, ["CD3E"]).names.new) == old  # nothing to follow: nothing changes


def test_an_alias_of_two_genes_is_left_alone_and_counted() -> None:
    proposed = propose_rule(["TAZ", "CD3E"], ["TAFAZZIN", "WWTR1", "CD3E"])
    assert list(proposed.names.new) == ["TAZ", "CD3E"]
    assert proposed.names.counts()[AMBIGUOUS] == 1


def test_a_current_symbol_is_never_taken_for_the_alias_of_another_gene() -> None:
    assert "EIF4G2" in GENES.ambiguous["NAT1"].split()
    names = propose_rule(["NAT1"], ["EIF4G2", "SLC38A3"]).names
    assert list(names.new) == ["NAT1"]
    assert list(names.genes) == ["NAT1"]
    assert "alias of another gene" in names.ways[0]


def test_an_alias_beside_its_current_symbol_is_left_alone() -> None:
    proposed = propose_rule(["FAM46C", "TENT5C"], ["TENT5C"])
    assert list(proposed.names.new) == ["FAM46C", "TENT5C"]
    assert proposed.names.ways[0] == AMBIGUOUS
    two_aliases = propose_rule(["IL8", "SCYB8"], ["CXCL8"]).names
    assert list(two_aliases.new) == ["IL8", "SCYB8"]


def test_several_ids_of_one_gene_fall_together_and_are_named() -> None:
    ids = sorted(gene for gene, symbol in GENES.by_ensembl.items() if symbol == "HLA-DRA")
    assert len(ids) > 2
    names = convert([*ids, ENSEMBL["CD3E"]])
    assert names.together() == {"HLA-DRA": tuple(ids)}


def test_ids_stay_where_both_files_hold_them_and_only_versions_are_cut() -> None:
    cells = [ENSEMBL[s] for s in SYMBOLS]
    bulk = [f"{gene}.9" for gene in cells] + [f"{cells[0]}.9_PAR_Y", "ENSG99999999999.1"]
    lists = [recognise(cells), recognise(bulk)]
    assert common_target(lists) == "ensembl"
    names = propose_rule(bulk, cells, "ensembl").names
    assert list(names.new) == [*cells, cells[0], "ENSG99999999999"]
    assert names.together() == {cells[0]: (bulk[0], bulk[-2])}
    assert names.counts()[f"{OF_ENSEMBL}, version cut"] == len(cells) + 1
    beside = [f"{gene}|{symbol}" for gene, symbol in zip(cells, SYMBOLS, strict=True)]
    assert common_target([recognise(cells), recognise(beside)]) == "ensembl"
    assert list(propose_rule(beside, cells, "ensembl").names.new) == cells
    assert common_target([recognise(cells), recognise(SYMBOLS)]) == "symbol"


def test_made_up_ids_beside_symbols_do_not_overrule_them() -> None:
    # 1 .. 30 are Entrez IDs of other genes
    names = [f"{symbol}|{i}" for i, symbol in enumerate(SYMBOLS, start=1)] + ["?|2", "?|155060"]
    new = convert(names).new
    assert list(new[: len(SYMBOLS)]) == SYMBOLS
    assert list(new[-2:]) == ["?|2", "?|155060"]


def test_an_id_beside_an_unclear_name_says_which_gene_it_is() -> None:
    names = [f"{s}|{ENTREZ[s]}" for s in SYMBOLS]
    unclear = ["TAZ|6901", "?|7105", "|7105", "?|999999999"]
    assert list(convert(names + unclear).new)[-4:] == [
        "TAFAZZIN",
        "TSPAN6",
        "TSPAN6",
        "?|999999999",
    ]


def test_several_symbols_in_one_name_are_no_gene_unless_they_are_the_same() -> None:
    names = convert(["CD3E /// CD3D", "FAM46C /// TENT5C", "CD3E"])
    assert names.ways[0] == AMBIGUOUS
    assert list(names.genes) == ["", "TENT5C", "CD3E"]


def test_dates_and_their_serial_numbers_become_genes_again() -> None:
    cells = [*SYMBOLS, "SEPT2", "MARCH8", "DELEC1"]
    names = propose_rule([*SYMBOLS, "2-Sep", "8-Mar", "1-Dec", "1-Mar"], cells).names
    assert list(names.new)[-4:] == ["SEPT2", "MARCH8", "DELEC1", "1-Mar"]
    assert names.ways[-1] == AMBIGUOUS
    assert list(convert([*SYMBOLS, "44441", "44448"]).new)[-2:] == ["SEPTIN2", "SEPTIN9"]


@pytest.mark.parametrize(
    ("names", "kind", "species"),
    [
        (["1007_s_at", "1053_at", "117_at", "121_at", "AFFX-BioB-3_at"], Kind.AFFYMETRIX, ""),
        (["7892501", "7892502", "8180418", "7896740"], Kind.AFFYMETRIX, ""),
        (["TC0100006432.hg.1", "TC0100006433.hg.1"], Kind.AFFYMETRIX, ""),
        (["ILMN_1343291", "ILMN_1651209"], Kind.ILLUMINA, ""),
        (["A_23_P100001", "A_33_P3352970", "DarkCorner"], Kind.AGILENT, ""),
        (["ENST00000373020.9", "ENST00000494424"], Kind.TRANSCRIPT, ""),
        (["NM_000546.6", "XR_001737835"], Kind.TRANSCRIPT, ""),
        (["uc001aaa.3", "uc010nxq.1"], Kind.TRANSCRIPT, ""),
        (["ENSP00000362111", "ENSP00000409517.2"], Kind.PROTEIN, ""),
        (["P04637", "Q9Y6K9", "A0A024R1R8"], Kind.PROTEIN, ""),
        (["cg00000029", "cg00000108"], Kind.METHYLATION, ""),
        (["hsa-miR-21-5p", "hsa-let-7a-5p"], Kind.MICRO_RNA, ""),
        (["chr1:1000-2000", "chr2:3000-4000"], Kind.REGION, ""),
        (["chr1-1000-2000", "chrX-3000-4000"], Kind.REGION, ""),
        (["HGNC:1100", "HGNC:1101"], Kind.HGNC, ""),
        (["FBgn0000008", "FBgn0000014"], Kind.OTHER_SPECIES, ""),
        (["ENSMUSG00000000001.5", "ENSMUSG00000000003"], Kind.ENSEMBL, "mouse"),
        (["ENSRNOG00000000001", "ENSRNOG00000000007"], Kind.ENSEMBL, "rat"),
        (["Cd3e", "Cd4", "H2-Aa", "Ms4a1", "mt-Co1", "Gm10076"], Kind.SYMBOL, "mouse"),
        (["Cd3e", "Cd4", "Lyz2", "Ms4a1", "Actb", "Ptprc"], Kind.SYMBOL, "mouse"),
        (["0", "1", "2", "3", "4"], Kind.NUMBER, ""),
        (["2", "9", "10", "12", "13"], Kind.NUMBER, ""),
        (["sample one", "sample two"], Kind.UNKNOWN, ""),
        ([], Kind.UNKNOWN, ""),
    ],
)
def test_other_kinds_are_named_as_what_they_are(names: list[str], kind: Kind, species: str) -> None:
    found = recognise(names)
    assert (found.kind, found.species) == (kind, species)
    assert found.known == 0
    if found.kind not in (Kind.ENSEMBL, Kind.SYMBOL):
        assert found.advice.endswith(".")
    assert list(convert([n for n in names if "." not in n]).new) == [
        n for n in names if "." not in n
    ]


def test_mouse_symbols_are_no_human_ones_in_another_case() -> None:
    mouse = ["Cd3e", "Cd4", "H2-Aa", "Ms4a1", "Alb", "Gm10076", "C3"]
    names = propose_rule(mouse, SYMBOLS).names
    assert list(names.new) == mouse
    assert set(names.ways) == {UNKNOWN}
    assert list(propose_rule([f"mm10_{s}" for s in mouse], mouse).names.new) == mouse


def test_what_the_other_file_says_of_its_ids_counts_more_than_the_tables() -> None:
    names = ["ENSG00000111111.2", "ENSG00000222222.1"]
    own = {"ENSG00000111111": "CD3E", "ENSG00000222222": "GENE-OF-THIS-STUDY"}
    proposed = propose_rule(names, list(own.values()), known=own)
    assert list(proposed.names.new) == list(own.values())
    assert (proposed.before, proposed.after) == (0, 2)
    assert list(convert(names, proposed.rule).new) == list(own.values())


def test_names_that_both_files_have_stay_whatever_they_look_like() -> None:
    cells = ["GRCh38_CD3E", "CD4", "CD19"]
    names = propose_rule(["GRCh38_CD3E", "GRCh38_CD4"], cells).names
    assert list(names.new) == ["GRCh38_CD3E", "CD4"]
    assert names.ways[0] == SAME


def test_names_of_no_table_follow_the_other_file_through_r() -> None:
    cells = ["RP11-34P13.7", "my gene/1", "CD3E"]
    names = propose_rule(["RP11.34P13.7", "my.gene.1", "CD3E"], cells).names
    assert list(names.new) == cells


def test_the_list_to_save_has_every_name_once_with_its_way() -> None:
    table = propose_rule(["IL8", "CD3E", "nonsense"], ["CXCL8", "CD3E"]).names.table()
    assert list(table.columns) == ["name in the file", "name used", "way"]
    assert table.to_numpy().tolist() == [
        ["IL8", "CXCL8", FORMER],
        ["CD3E", "CD3E", "current symbol"],
        ["nonsense", "nonsense", UNKNOWN],
    ]


def test_the_fraction_of_known_names_tells_the_column_of_the_genes() -> None:
    assert known_fraction(SYMBOLS) == 1
    assert known_fraction(["protein_coding"] * 30) == 0
    assert known_fraction([str(i) for i in range(1, 400)]) == 0
    assert known_fraction(["chr1", "chr2", "+", "-"]) == 0


def test_hostile_names_are_read_in_no_time_and_left_alone() -> None:
    names = ["|" * 100_000, "ENSG" + "0" * 100_000, "(" * 50_000 + ")", "b'" * 50_000, "1" * 9_999]
    names += ["A_" * 10_000, "ENSG00000000003" + "_" * 50_000, "é\u0000\ud800"]
    assert list(convert(names).new) == names
