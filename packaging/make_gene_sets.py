"""Make the gene sets and markers in resources/knowledge from the files that may be shipped.

    python packaging/make_gene_sets.py FOLDER

FOLDER : holds ``msigdb_hallmark_7.5.1_human.gmt``, ``reactome_wikipathways_7.5.1_human.gmt.gz``,
``go_bp_human.gmt.gz``, ``go_cc…``, ``go_mf…``, ``pegasus_<species>_<tissue>_cell_markers.json`` and
``besca_CellNames_scseqCMs6_sigs.gmt`` (``….mouse.gmt``)

Only facts are taken: names, identifiers and genes, no descriptions. The output is the same for the
same input: genes are sorted, and xz stores no time.
"""

from __future__ import annotations

import gzip
import json
import lzma
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "resources" / "knowledge"
SETS = {
    "hallmark": ("msigdb_hallmark_7.5.1_human.gmt", ""),
    "reactome": ("reactome_wikipathways_7.5.1_human.gmt.gz", "REACTOME_"),
    "wikipathways": ("reactome_wikipathways_7.5.1_human.gmt.gz", "WP_"),
    "go_bp": ("go_bp_human.gmt.gz", ""),
    "go_cc": ("go_cc_human.gmt.gz", ""),
    "go_mf": ("go_mf_human.gmt.gz", ""),
}
STATES = {"Inhibitory", "Cytokines", "Memory"}
"""Lists of pegasus that are states of a cell, not types."""
PEGASUS_NAMES = {
    "Plumonary neuroendocrine cell": "Pulmonary neuroendocrine cell",
    "Endothelial": "Endothelial cell",
    "Vascular endothelial cell": "Endothelial cell",
    "Mural": "Mural cell",
    "OPC": "Oligodendrocyte precursor cell",
    "T regulatory cell": "Regulatory T cell",
    "Treg": "Regulatory T cell",
    "CD4 Naive T cell": "Naive CD4 T cell",
    "CD8 Naive T cell": "Naive CD8 T cell",
    "CD4 TCM": "Central memory CD4 T cell",
    "CD4 TEM": "Effector memory CD4 T cell",
    "CD4 CTL": "Cytotoxic CD4 T cell",
    "CD8 TCM": "Central memory CD8 T cell",
    "CD8 TEM": "Effector memory CD8 T cell",
    "MAIT": "MAIT cell",
    "CD14+ Monocyte": "Classical monocyte",
    "CD16+ Monocyte": "Non-classical monocyte",
    "Patrolling monocyte": "Non-classical monocyte",
    "CD1C+ dendritic cell": "Type 2 dendritic cell",
    "CLEC9A+ dendritic cell": "Type 1 dendritic cell",
    "Conventional type 1 dendritic cell": "Type 1 dendritic cell",
    "Conventional type 2 dendritic cell": "Type 2 dendritic cell",
    "Germinal Center B cell": "Germinal center B cell",
    "ILC1": "Type 1 innate lymphoid cell",
    "ILC2": "Type 2 innate lymphoid cell",
    "Red blood cell": "Erythroid cell",
    "EC artery": "Arterial endothelial cell",
    "EC arterial": "Arterial endothelial cell",
    "EC vein": "Venous endothelial cell",
    "EC venous": "Venous endothelial cell",
    "EC bronchial vessel": "Bronchial endothelial cell",
    "EC general capillary": "Capillary endothelial cell",
    "EC lymphatic": "Lymphatic endothelial cell",
    "Lymphatic Endothelial cell": "Lymphatic endothelial cell",
    "Portal Vein endothelial cell": "Portal vein endothelial cell",
    "HsPC": "Hepatic stem or progenitor cell",
}
BESCA_NAMES = {
    "Bcell": "B cell",
    "Blymphocyte": "B cell",
    "Fibroblast": "Fibroblast",
    "Endothelial": "Endothelial cell",
    "Epithelial": "Epithelial cell",
    "Granulocyte": "Granulocyte",
    "MelMelanoma": "Melanoma cell",
    "MemBcell": "Memory B cell",
    "Myeloid": "Myeloid cell",
    "NKcell": "Natural killer cell",
    "NaiBcell": "Naive B cell",
    "Neutrophil": "Neutrophil",
    "Plasma": "Plasma cell",
    "CD4Tcell": "CD4 T cell",
    "CD8Tcell": "CD8 T cell",
    "Tcell": "T cell",
    "CD8Tcell_IL7Rmax": "IL7R-high T cell",
    "CD4Tcell_IL7Rmax": "IL7R-high T cell",
    "RegTcell": "Regulatory T cell",
    "cDC1": "Type 1 dendritic cell",
    "cDC2": "Type 2 dendritic cell",
    "cDC": "Dendritic cell",
    "NClassMonocyte": "Non-classical monocyte",
    "pDC": "Plasmacytoid dendritic cell",
    "Hematopoietic": "Leukocyte",
    "CD56dimNK": "CD56-dim NK cell",
    "CD56brightNK": "CD56-bright NK cell",
    "NaiCD4Tcell": "Naive CD4 T cell",
    "NaiCD8Tcell": "Naive CD8 T cell",
    "NaiTcell": "Naive T cell",
    "CMCD4Tcell": "Central memory CD4 T cell",
    "EMCD8Tcell": "Effector memory CD8 T cell",
    "EMCD4Tcell": "Effector memory CD4 T cell",
    "ClassMonocyte": "Classical monocyte",
    "Macrophage_MARCO": "MARCO macrophage",
    "Macrophage_MSR1": "MSR1 macrophage",
    "Macrophage_CXCL9": "CXCL9 macrophage",
    "Macrophage": "Macrophage",
    "gdTcell": "Gamma-delta T cell",
    "CytotoxCD4Tcell": "Cytotoxic CD4 T cell",
    "CytotoxCD8Tcell": "Cytotoxic CD8 T cell",
    "ExhCD8Tcell": "Exhausted CD8 T cell",
    "cDC_CCR7": "Migratory dendritic cell",
    "Langerhans": "Langerhans cell",
    "Monocyte": "Monocyte",
    "ExhBcell": "Activated B cell",
    "Hepatocyte": "Hepatocyte",
    "Erythrocyte": "Erythroid cell",
    "AlphaPancreatic": "Pancreatic alpha cell",
    "BetaPancreatic": "Pancreatic beta cell",
    "DeltaPancreatic": "Pancreatic delta cell",
    "PPcell": "Pancreatic PP cell",
    "EpsilonPancreatic": "Pancreatic epsilon cell",
    "PancreaticDuctal": "Pancreatic ductal cell",
    "PancreaticAcinar": "Pancreatic acinar cell",
    "PancStellate": "Pancreatic stellate cell",
    "PancreaticEndocrine": "Pancreatic endocrine cell",
    "Cholangiocyte": "Cholangiocyte",
    "EntericGlial": "Enteric glial cell",
    "Glial": "Peripheral glial cell",
    "Schwann": "Schwann cell",
    "Neural": "Neural crest-like cell",
    "Adipocyte": "Adipocyte",
    "Chondrocyte": "Chondrocyte",
    "HematoMultipotentPC": "Multipotent progenitor cell",
    "HematoStem": "Hematopoietic stem cell",
    "Basophil": "Basophil",
    "Eosinophil": "Eosinophil",
    "CommonLymphoidPC": "Common lymphoid progenitor",
    "ProBcell": "Pro B cell",
    "ImmaturecDC": "Immature dendritic cell",
    "Paneth": "Paneth cell",
    "InnateLymphoid": "Innate lymphoid cell",
    "ILC1": "Type 1 innate lymphoid cell",
    "ILC2": "Type 2 innate lymphoid cell",
    "ILC3": "Type 3 innate lymphoid cell",
    "EndothelialLymph": "Lymphatic endothelial cell",
    "VesselEndothelial": "Endothelial cell",
    "HEVEndothelial": "High endothelial venule cell",
    "Pericyte": "Pericyte",
    "Myofibroblast": "Myofibroblast",
    "InflamFibroblast": "Inflammatory fibroblast",
    "InflamMonocyte": "Inflammatory monocyte",
    "Enteroendocrine": "Enteroendocrine cell",
    "Goblet": "Goblet cell",
    "ImmatureGoblet": "Immature goblet cell",
    "Enterocyte": "Enterocyte",
    "ImmatureEnterocyte": "Immature enterocyte",
    "EnterocytePC": "Enterocyte progenitor cell",
    "FollicularBcell": "Follicular B cell",
    "GermCenterBcell": "Germinal center B cell",
    "Brush": "Tuft cell",
    "EpithelialStem": "Intestinal stem cell",
    "IgAPlasma": "IgA plasma cell",
    "IgGPlasma": "IgG plasma cell",
    "IgMPlasma": "IgM plasma cell",
    "McellGut": "Microfold cell",
    "Mast": "Mast cell",
    "ColorectalCancer": "Colorectal cancer cell",
    "T1Pneumocyte": "Alveolar type I cell",
    "T2Pneumocyte": "Alveolar type II cell",
    "Pneumocyte": "Alveolar epithelial cell",
    "Club": "Club cell",
    "CiliatedEpithelial": "Ciliated cell",
    "Basal": "Basal cell",
    "Ionocyte": "Ionocyte",
    "Mesothelial": "Mesothelial cell",
    "Platelet": "Platelet",
    "Th17CD4Tcell": "Th17 cell",
    "Microglia": "Microglia",
    "MAIT": "MAIT cell",
    "Keratinocyte": "Keratinocyte",
    "Melanocyte": "Melanocyte",
}
"""Name of besca's signature -> the type. Proliferating and other states of cells are left out."""


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")


def gmt(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    for line in text_of(path).splitlines():
        name, about, *genes = line.split("\t")
        yield name, about, sorted({gene.strip() for gene in genes if gene.strip()})


def write(name: str, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    (OUT / name).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def pegasus(path: Path) -> Iterator[tuple[str, str, str]]:
    """Type, gene and direction (+ or -) of every marker."""

    def walk(cell_type: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        name = cell_type["name"]
        if name not in STATES:
            for marker in cell_type["markers"]:
                for gene in marker["genes"]:
                    yield PEGASUS_NAMES.get(name, name), gene[:-1], gene[-1]
        for subtype in (cell_type.get("subtypes") or {}).get("cell_types", []):
            yield from walk(subtype)

    for cell_type in json.loads(text_of(path))["cell_types"]:
        yield from walk(cell_type)


def main(folder: Path) -> None:
    for key, (file, prefix) in SETS.items():
        rows = [row for row in gmt(folder / file) if row[0].startswith(prefix)]
        write(
            f"{key}.gmt.xz",
            (
                "\t".join([name, about if about.startswith("GO:") else "", *genes])
                for name, about, genes in rows
            ),
        )
    lists: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for path in sorted(folder.glob("pegasus_*_cell_markers.json")):
        species = path.name.split("_")[1]
        for name, gene, direction in pegasus(path):
            lists[species, name, gene, direction].add("pegasus")
    for species, end in (("human", ".gmt"), ("mouse", ".mouse.gmt")):
        for name, _about, genes in gmt(folder / f"besca_CellNames_scseqCMs6_sigs{end}"):
            for gene in genes if name in BESCA_NAMES else ():
                lists[species, BESCA_NAMES[name], gene, "+"].add("besca")
    rows = sorted((*key, " ".join(sorted(found))) for key, found in lists.items())
    header = ("species", "cell_type", "gene", "direction", "lists")
    write("markers.tsv.xz", ("\t".join(row) for row in [header, *rows]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
