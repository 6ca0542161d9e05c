"""Single cells as .h5ad files have them: where the names of genes and of types stand, and cells
without a type; and values on every scale, said as what they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers.inspection import inspect_file
from gui.data.readers.read import read_all
from gui.data.validation.examine import examine
from gui.data.validation.recognised import recognised
from gui.knowledge.human_genes import human_genes
from tests.data.repairing import repaired

GENES = sorted({s for s in human_genes().by_ensembl.values() if s.isalpha()})[:480:4]
IDS = {s: e for e, s in sorted(human_genes().by_ensembl.items(), reverse=True)}
N = len(GENES)
RANDOM = np.random.default_rng(9)
PROFILES = RANDOM.lognormal(2, 1.5, (N, 3))
TYPES = np.repeat(["B cells", "T cells", "NK cells"], 12)
COUNTS = RANDOM.poisson(np.repeat(PROFILES, 12, axis=1)).T.astype(np.float32)
COUNTS[:, 0] += 1
LENGTHS = np.exp(RANDOM.normal(7.6, 0.8, (N, 1)))
DEEP = RANDOM.poisson(PROFILES @ RANDOM.dirichlet([2, 2, 2], 6).T * 90).astype(float)
DEEP[RANDOM.random(DEEP.shape) < 0.08] = 0


def written(folder: Path, obs: dict[str, Any] | None = None, **given: Any) -> Path:
    cells = pd.DataFrame(
        {"cell_type": TYPES} if obs is None else obs, index=[f"c{i}" for i in range(36)]
    )
    var = given.pop("var", pd.DataFrame(index=GENES))
    made = anndata.AnnData(given.pop("values", sparse.csr_matrix(COUNTS)), obs=cells, var=var)
    for name, values in given.items():
        made.layers[name] = values
    made.write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def bulk_of(folder: Path, values: np.ndarray = DEEP, names: list[str] = GENES) -> Path:
    table = pd.DataFrame(values, names, [f"P{i}" for i in range(values.shape[1])])
    table.to_csv(folder / "bulk.tsv", sep="\t", index_label="gene")
    return folder / "bulk.tsv"


# -- names of the genes ----------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["gene_symbols", "gene_symbol", "feature_name", "gene_name"])
@pytest.mark.parametrize("index", ["numbers", "Ensembl"])
def test_symbols_that_only_var_has(column: str, index: str, tmp_path: Path) -> None:
    names = [str(i) for i in range(N)] if index == "numbers" else [IDS[g] for g in GENES]
    cells = written(tmp_path, var=pd.DataFrame({column: GENES}, index=names))
    files = {"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk_of(tmp_path))}
    made = load_dataset(repaired(LoadRequest(files=files)))
    assert made.bulk is not None
    assert made.train is not None
    shared = [g for g in made.train.matrix.genes if g in set(made.bulk.matrix.genes)]
    assert sorted(shared) == sorted(GENES)
    np.testing.assert_array_equal(made.bulk.matrix.frame().loc[GENES], DEEP)


# -- types of the cells ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "Unknown",
        "unknown cells",
        "Doublet",
        "doublets",
        "unassigned",
        "Unassigned",
        "NA",
        "Low quality",
    ],
)
def test_a_word_that_is_no_type_is_proposed_to_be_left_out(word: str, tmp_path: Path) -> None:
    labels = TYPES.astype(object)
    labels[::9] = word
    request = LoadRequest(
        files={"train": FileChoice(path=written(tmp_path, {"cell_type": labels}))}
    )
    found = examine(request)
    assert {"unclear-types", "labels-missing"} & {x.code for x in found.findings}
    assert sorted(load_dataset(repaired(request)).types) == sorted(set(TYPES))


LEVELS: dict[str, list[str]] = {
    "Azimuth": ["predicted.celltype.l1", "predicted.celltype.l2", "predicted.celltype.l3"],
    "Tabula": ["broad_cell_class", "cell_type", "free_annotation"],
    "levels": ["annotation_level_1", "annotation_level_2", "annotation_level_3"],
}


@pytest.mark.parametrize("atlas", LEVELS)
def test_every_level_of_an_annotation_is_offered_with_its_number_of_types(
    atlas: str, tmp_path: Path
) -> None:
    coarse = np.where(TYPES == "B cells", "B", "T/NK")
    fine = np.array([f"{t} {i % 2}x" for i, t in enumerate(TYPES)])
    names = LEVELS[atlas]
    path = written(tmp_path, dict(zip(names, [coarse, TYPES, fine], strict=True)))
    seen = inspect_file(path, "train")
    assert {name: seen.obs[name] for name in names} == dict(zip(names, (2, 3, 6), strict=True))
    assert seen.label_column in names
    for name, values in zip(names, (coarse, TYPES, fine), strict=True):
        part = read_all({"train": FileChoice(path=path, label_column=name)})[0]["train"]
        assert list(part.labels) == list(values)


@pytest.mark.parametrize("form", ["integers", "categories"])
@pytest.mark.parametrize("text", ["cell_type_chr", "CellType", "annotation"])
def test_codes_of_a_factor_beside_its_text(form: str, text: str, tmp_path: Path) -> None:
    """SeuratDisk's Convert leaves the numbers of a factor."""
    codes: Any = pd.factorize(TYPES)[0]
    codes = codes if form == "integers" else pd.Categorical(codes.astype(str))
    path = written(tmp_path, {"seurat_clusters": codes, text: TYPES})
    part = read_all({"train": FileChoice(path=path)})[0]["train"]
    assert list(part.labels) == list(TYPES)


@pytest.mark.parametrize("chosen", ["X", "layer:counts", "layer:spliced"])
def test_each_layer_is_said_with_what_it_holds(chosen: str, tmp_path: Path) -> None:
    logs = np.log1p(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4)
    path = written(tmp_path, values=logs, counts=COUNTS, spliced=np.rint(COUNTS * 0.7))
    part = read_all({"train": FileChoice(path=path, matrix=chosen)})[0]["train"]
    said = recognised(part)["Values"]
    assert f"from {chosen.replace('layer:', 'layer ')} (not from" in said
    assert ("logarithms" if chosen == "X" else "counts") in said
    proposed = read_all({"train": FileChoice(path=path)})[0]["train"]
    assert proposed.source.options["matrix"] == "layer:counts"


# -- units and scales ------------------------------------------------------------------------------

RATES = DEEP / LENGTHS
UNITS: dict[str, tuple[np.ndarray, str]] = {
    "counts": (DEEP, "counts"),
    "TPM": (RATES / RATES.sum(axis=0) * 1e6, "TPM"),
    "CPM": (DEEP / DEEP.sum(axis=0) * 1e6, "CPM"),
    "FPKM": (RATES / DEEP.sum(axis=0) * 1e9, "linear"),
    "log2(TPM + 1)": (np.log2(RATES / RATES.sum(axis=0) * 1e6 + 1), "log2(x + 1)"),
    "log2(TPM + 0.001)": (np.log2(RATES / RATES.sum(axis=0) * 1e6 + 0.001), "log2(x + 0.001)"),
    "ln(counts + 1)": (np.log1p(DEEP), "ln(x + 1)"),
    "log10(counts + 1)": (np.log10(DEEP + 1), "log10(x + 1)"),
    "z-scores": (
        (DEEP - DEEP.mean(axis=1, keepdims=True)) / DEEP.std(axis=1, keepdims=True),
        "scaled",
    ),
}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("few", [False, True])
def test_the_unit_is_said(unit: str, few: bool, tmp_path: Path) -> None:
    values, said = UNITS[unit]
    path = bulk_of(tmp_path, values.round(5)[:, : 3 if few else 6])
    part = read_all({"bulk": FileChoice(path=path)})[0]["bulk"]
    assert said in recognised(part)["Values"].replace("\u00a0", " ")
