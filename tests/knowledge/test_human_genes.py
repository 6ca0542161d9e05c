"""The gene tables that come with the program."""

from __future__ import annotations

from gui.knowledge.human_genes import HumanGenes, human_genes, make_r_name
from gui.resources import resource


def test_an_alias_is_no_current_symbol_and_has_one_meaning() -> None:
    genes = human_genes()
    assert len(genes.by_ensembl) > 48_000
    assert len(genes.by_alias) > 60_000
    assert genes.symbols.isdisjoint(genes.by_alias)
    assert genes.by_alias.keys().isdisjoint(genes.ambiguous)
    assert not any(" " in symbol for symbol in genes.by_alias.values())
    assert all(len(symbols.split()) > 1 for symbols in genes.ambiguous.values())


def test_mitochondrial_genes_have_the_symbols_that_data_have() -> None:
    genes = human_genes()
    assert genes.by_ensembl["ENSG00000198804"] == "MT-CO1"
    assert genes.by_entrez["4513"] == "MT-CO2"
    assert "COX2" in genes.ambiguous  # of PTGS2 too
    assert {"MT-CYB", "MT-ATP6", "MT-ND4L", "MT-RNR2"} <= genes.symbols


def test_the_tables_are_read_once_and_only_when_asked_for() -> None:
    assert human_genes() is human_genes()


def test_r_names_that_two_genes_would_have_stand_for_neither() -> None:
    genes = HumanGenes(frozenset({"A-B", "A_B", "C-D", "A/B"}), {}, {}, {}, {})
    assert genes.by_r_name == {"C.D": "C-D"}
    assert make_r_name("7SK") == "X7SK"
    assert make_r_name("HLA-DRB1") == "HLA.DRB1"


def test_source_and_licence_lie_beside_the_tables() -> None:
    said = resource("knowledge/SOURCE.md").read_text(encoding="utf-8")
    for table in resource("knowledge").glob("*.gz"):
        assert f"`{table.name}`" in said
    assert "Artistic-2.0" in said
