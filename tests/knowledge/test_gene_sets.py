"""Gene sets and markers that come with the program, and how a run's genes are found in them."""

from __future__ import annotations

import pytest

from gui.errors import UnreadableFile
from gui.knowledge.cell_types import are_related, is_kind_of
from gui.knowledge.common_names import GenesInUse
from gui.knowledge.gene_sets import SHIPPED, parse_gmt, shipped_sets, without_genes
from gui.knowledge.human_genes import human_genes
from gui.knowledge.markers import Markers, shipped_markers
from gui.resources import resource

COUNTS = {
    "hallmark": 50,
    "reactome": 1615,
    "wikipathways": 664,
    "go_bp": 6482,
    "go_cc": 794,
    "go_mf": 1246,
}


@pytest.mark.parametrize("key", COUNTS)
def test_every_collection_is_whole_and_says_where_it_is_from(key: str) -> None:
    found = shipped_sets(key)
    assert len(found.sets) == COUNTS[key]
    assert found.version
    assert found.licence.startswith("CC")
    assert "doi" in found.citation
    assert f"`{key}.gmt.xz`" in resource("knowledge/SOURCE.md").read_text("utf-8")


def test_the_sets_are_known_by_their_genes() -> None:
    sets = shipped_sets("hallmark").sets
    assert len(sets["HALLMARK_HYPOXIA"]) == 200
    assert "VEGFA" in sets["HALLMARK_HYPOXIA"]
    assert set(SHIPPED) == set(COUNTS)


def test_what_is_shipped_stays_small() -> None:
    sizes = [p.stat().st_size for p in resource("knowledge").iterdir()]
    assert sum(sizes) < 2_000_000


def test_a_gmt_file_of_any_origin_is_read() -> None:
    text = "A\thttp://x\tCD3E\tCD4\tCD3E\t\n\n# a remark\nB\t\tMS4A1,1.0\tCD19,0.5\nA\tagain\tX\n"
    assert parse_gmt(text, "x.gmt") == {
        "A": ("CD3E", "CD4"),
        "B": ("MS4A1", "CD19"),
        "A (line 5)": ("X",),
    }


def test_lines_without_genes_are_left_out_and_counted() -> None:
    text = "A\tx\tCD3E\x0bCD4\tLYZ\nEMPTY\tdescription\nALONE\nB\t\t\tMS4A1\r\nC\t\tCD19"
    found = parse_gmt(text, "x.gmt")
    assert found == {"A": ("CD3E\x0bCD4", "LYZ"), "B": ("MS4A1",), "C": ("CD19",)}
    assert without_genes(text, found) == 2


@pytest.mark.parametrize("text", ["", "only one column\n", "name\tdescription\n", "\n\n"])
def test_what_is_no_gmt_file_is_refused_with_what_it_should_be(text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"x\.gmt"):
        parse_gmt(text, "x.gmt")


def test_genes_are_found_by_symbol_former_symbol_and_ensembl_id() -> None:
    genes = human_genes()
    ensembl = next(e for e, symbol in genes.by_ensembl.items() if symbol == "CD3E")
    former = next(alias for alias, symbol in genes.by_alias.items() if symbol == "MS4A1")
    names = ["CD4", "GZMB", "LYZ", "NKG7", "CD79A", f"{ensembl}.12", former]
    in_use = GenesInUse.of(names)
    assert in_use.human
    assert in_use.match({"S": ["CD3E", "MS4A1", "CD4", "NOT_A_GENE"]}) == {
        "S": [f"{ensembl}.12", former, "CD4", "NOT_A_GENE"]
    }
    plain = GenesInUse.of(["MS4A1", "CD4", "LYZ", "NKG7"])
    assert plain.match({"S": [former]}) == {"S": ["MS4A1"]}


def test_genes_of_mouse_and_made_up_names_are_told() -> None:
    mouse = GenesInUse.of(["Cd3e", "Ms4a1", "Lyz2", "Gm12345", "Cd4", "1700001O22Rik", "Actb"])
    assert mouse.species == "mouse"
    assert "mouse" in mouse.sentence
    made_up = GenesInUse.of([f"HK{i:03d}" for i in range(50)])
    assert made_up.species == ""
    assert "known human genes" in made_up.sentence
    assert made_up.match({"S": ["HK001", "HK001", "CD4"]}) == {"S": ["HK001", "CD4"]}
    assert GenesInUse.of(["CD4", "LYZ"]).sentence == ""


def test_marker_lists_name_types_in_words_and_keep_directions() -> None:
    human, mouse = shipped_markers("human"), shipped_markers("mouse")
    assert {"CD79A", "MS4A1"} <= set(human.positive["B cell"])
    assert ("Cytotoxic CD4 T cell", "-", "Pegasus") in human.by_gene["CD8A"]
    assert "CD8A" not in human.positive["Cytotoxic CD4 T cell"]
    assert "Cd79a" in mouse.positive["B cell"]
    assert not any(name[0].islower() or "_" in name for name in human.positive)
    assert shipped_markers("zebrafish").table.empty
    both = human.table[(human.table["cell_type"] == "B cell") & (human.table["gene"] == "CD19")]
    assert list(both["source"]) == ["Besca, Pegasus"]


def test_markers_get_the_names_of_the_run_and_lists_are_joined() -> None:
    ensembl = next(e for e, symbol in human_genes().by_ensembl.items() if symbol == "CD79A")
    genes = GenesInUse.of([ensembl, "CD19", "LYZ", "CD4"])
    found = Markers.joined([shipped_markers("human"), shipped_markers("human")]).in_use(genes)
    assert sorted(found.positive["B cell"]) == sorted([ensembl, "CD19"])
    assert not found.table.duplicated().any()


@pytest.mark.parametrize(
    ("name", "of", "expected"),
    [
        ("B cell", "B cells", True),
        ("Naive B cell", "B-cells", True),
        ("Classical monocyte", "Monocytes", True),
        ("Natural killer cell", "NK cells", True),
        ("Regulatory T cell", "Treg", True),
        ("Naive CD4 T cell", "T cells CD4 conv", True),
        ("Microglia", "Microglia/Macrophage", True),
        ("Plasmacytoid dendritic cell", "pDC", True),
        ("Plasma cell", "pDC", False),
        ("Plasma cell", "B cells", False),
        ("T cell", "CD8 T cells", False),
        ("Pro B cell", "Monocytes", False),
        ("B cell", "", False),
        # Azimuth
        ("Dendritic cell", "DCs", True),
        ("Classical monocyte", "CD14 Mono", True),
        ("Non-classical monocyte", "CD16 Mono", True),
        ("Non-classical monocyte", "CD14 Mono", False),
        ("Non-classical monocyte", "Classical monocytes", False),
        ("CD14 Mono", "Monocyte", True),
        ("CD14 Mono", "Myeloid cells", True),
        ("Central memory CD4 T cell", "CD4 TCM", True),
        ("Effector memory CD8 T cell", "CD8 TEM", True),
        ("Effector memory CD4 T cell", "CD8 TEM", False),
        ("CD4 TCM", "CD4 T cell", True),
        ("CD8 Naive", "Naive T cell", True),
        ("CD4 CTL", "Cytotoxic CD4 T cell", True),
        ("Natural killer cell", "NK_CD56bright", False),
        ("NK_CD56bright", "CD56-bright NK cell", True),
        ("Erythroid cell", "Eryth", True),
        ("Hematopoietic stem cell", "HSPC", True),
        ("Gamma-delta T cell", "gdT", True),
        ("Type 1 dendritic cell", "cDC1", True),
        ("B memory", "B cell", True),
        ("Type 2 innate lymphoid cell", "ILC", True),
        # CellTypist
        ("Naive CD4 T cell", "Tcm/Naive helper T cells", True),
        ("T follicular helper cell", "Follicular helper T cells", True),
        ("Plasmacytoid dendritic cell", "DC", True),
        ("Platelet", "Megakaryocytes/platelets", True),
        ("Type 3 innate lymphoid cell", "ILC3", True),
        # LM22
        ("T cells CD4 memory resting", "CD4 T cell", True),
        ("Regulatory T cell", "T cells regulatory (Tregs)", True),
        ("T cells gamma delta", "Gamma-delta T cell", True),
        ("Macrophages M2", "M2 macrophage", True),
        ("Dendritic cells activated", "Dendritic cell", True),
        ("Eosinophils", "Eosinophil", True),
        # tissues and tumours
        ("CD4 T cell", "CD4Tconv", True),
        ("Exhausted CD8 T cell", "CD8Tex", True),
        ("Oligodendrocyte", "Oligo", True),
        ("Neutrophil", "PMN", True),
        ("Granulocyte", "PMN", False),
        ("PMN", "Granulocyte", True),
        ("Macrophage", "TAMs", True),
        ("Macrophage", "Macs", True),
        ("Fibroblast", "CAFs", True),
        ("GABAergic neuron", "Inhibitory neurons", True),
        ("T cell", "Lymphocytes", True),
        ("Lymphocytes", "T cell", False),
        ("Regulatory T cell", "CD4 T cells", False),
        ("CD8 T cell", "CD4 T cells", False),
        ("Natural killer cell", "T cells", False),
        ("Monocyte", "Macrophage", False),
    ],
)
def test_kinds_of_a_type_are_told_by_their_names(name: str, of: str, expected: bool) -> None:
    assert is_kind_of(name, of) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("T cell", "CD4 T cells", True),
        ("Naive B cell", "B cells", True),
        ("Regulatory T cell", "T cells CD4 conv", True),
        ("CD4 T cells", "Treg", True),
        ("Regulatory T cell", "CD8 T cells", False),
        ("B cell", "CD4 T cells", False),
    ],
)
def test_related_types_share_markers(one: str, other: str, expected: bool) -> None:
    assert are_related(one, other) is expected
    assert are_related(other, one) is expected
