"""A small simulated data set and copies of it with one fault each, as files: what tests of loading, findings and repairs choose from. Not a test.

150 training cells (25 of each of six types), 90 test cells and 8 bulk samples, 396 genes with real symbols. The bulk
holds a seventh type that the cells lack. Everything is drawn with one seed, so the files are the same every time.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
import numpy.typing as npt
import pandas as pd

SYMBOLS = Path(__file__).with_name("fixtures") / "tiny_pbmc68k" / "train.h5ad"
GENES, EACH, SEED = 396, 25, 2021
TYPES = ("B cells", "Monocytes", "NK cells", "T cells CD4 conv", "T cells CD8", "pDC")
MEASURED = (*TYPES[:-1], "Neutrophils", "Other")
"""Of the known compositions: the fractions of pDC are in "Other"."""
SAMPLES = ("pbmc_1", "pbmc_10", "pbmc_12", "pbmc_2", "pbmc_4", "pbmc_5", "pbmc_6", "pbmc_7")


@dataclass(frozen=True)
class Clean:
    """The data without a fault.

    train, test : cells x genes, linear, about 10 000 per cell; bulk : genes x samples, linear; known : samples x types,
    fractions that sum to 1
    """

    train: anndata.AnnData
    test: anndata.AnnData
    bulk: pd.DataFrame
    known: pd.DataFrame


def clean() -> Clean:
    """Simulate the data: Poisson counts around a profile of each type."""
    random = np.random.default_rng(SEED)
    symbols = [str(gene) for gene in anndata.read_h5ad(SYMBOLS, backed="r").var_names]
    genes = pd.Index([*[gene for gene in symbols if gene != "SEPT2"][: GENES - 1], "SEPT2"])
    common = random.gamma(0.8, 1.0, (GENES, 1))
    profiles = common * random.lognormal(0, 1, (GENES, len(TYPES) + 1)) + 0.02
    profiles /= profiles.sum(axis=0)

    def cells(each: int, prefix: str) -> anndata.AnnData:
        labels = np.repeat(TYPES, each)
        depth = random.lognormal(np.log(700), 0.7, len(labels))
        counts = random.poisson(profiles[:, np.repeat(np.arange(len(TYPES)), each)] * depth).T
        values = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 10_000
        names = [f"{prefix}_{number:03}" for number in range(len(labels))]
        obs = pd.DataFrame({"cell_type": pd.Categorical(labels)}, index=names)
        return anndata.AnnData(values.astype(np.float32), obs=obs, var=pd.DataFrame(index=genes))

    train, test = cells(EACH, "train"), cells(15, "test")
    fractions = random.dirichlet(np.full(len(TYPES) + 1, 3.0), len(SAMPLES))
    noise = random.lognormal(0, 0.2, (GENES, len(SAMPLES)))
    bulk = pd.DataFrame((profiles @ fractions.T * noise * 2e5).round(4), genes, SAMPLES)
    known = pd.DataFrame(fractions[:, [0, 1, 2, 3, 4, 6, 5]], SAMPLES, MEASURED).round(4)
    known["Other"] = (1 - known[list(MEASURED[:-1])].sum(axis=1)).round(4)
    return Clean(train, test, bulk, known.rename_axis("sample"))


Written = Callable[[Clean, Path], None]


def _cells(change: Callable[[Clean], anndata.AnnData]) -> Written:
    def write(data: Clean, path: Path) -> None:
        change(data).write_h5ad(path)

    return write


def _table(change: Callable[[pd.DataFrame], pd.DataFrame], separator: str = ",") -> Written:
    """A table of the bulk."""

    def write(data: Clean, path: Path) -> None:
        change(data.bulk).to_csv(path, sep=separator, index_label="gene")

    return write


def _known(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Written:
    return lambda data, path: change(data.known).to_csv(path)


def _logged(data: Clean) -> anndata.AnnData:
    made = data.train.copy()
    made.X = np.log1p(made.X)
    return made


def _equal_types(data: Clean) -> anndata.AnnData:
    """The cells of one type are those of another, a little louder."""
    made = data.train.copy()
    labels = made.obs["cell_type"].astype(str)
    made.X[(labels == TYPES[4]).to_numpy()] = made.X[(labels == TYPES[3]).to_numpy()] * np.float32(
        1.001
    )
    return made


def _layer_only(data: Clean) -> anndata.AnnData:
    made = anndata.AnnData(obs=data.train.obs, var=data.train.var)
    made.layers["counts"] = np.rint(data.train.X)
    return made


def _unlabelled(data: Clean) -> anndata.AnnData:
    return anndata.AnnData(
        data.train.X, obs=pd.DataFrame(index=data.train.obs_names), var=data.train.var
    )


def _ids(bulk: pd.DataFrame) -> list[str]:
    return [f"ENSG{number:011}" for number in range(100_000, 100_000 + len(bulk))]


def _renamed(names: Callable[[pd.DataFrame], list[str]]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda bulk: bulk.set_axis(names(bulk), axis=0)


def _of_excel(bulk: pd.DataFrame) -> list[str]:
    return ["2-Sep" if gene == "SEPT2" else str(gene) for gene in bulk.index]


def _doubled(bulk: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([bulk, bulk.iloc[:5]])


def _with_thousands(bulk: pd.DataFrame) -> pd.DataFrame:
    return bulk.map(lambda value: f"{value:,.1f}")


def _array(values: npt.NDArray[np.float64]) -> list[list[float]]:
    return [[float(value) for value in row] for row in values]


def _workbook(data: Clean, path: Path) -> None:
    """The data are on the second sheet."""
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "About"
    book.active.append(["Bulk samples of the study"])
    sheet = book.create_sheet("TPM")
    sheet.append(["gene", *data.bulk.columns])
    for gene, row in zip(data.bulk.index, _array(data.bulk.to_numpy()), strict=True):
        sheet.append([gene, *row])
    book.save(path)


def _latin1(data: Clean, path: Path) -> None:
    names = [f"Grün {sample}" for sample in data.bulk.columns]
    data.bulk.set_axis(names, axis=1).to_csv(path, index_label="gene", encoding="latin-1")


def _truncated(data: Clean, path: Path) -> None:
    whole = gzip.compress(data.bulk.to_csv(index_label="gene").encode())
    path.write_bytes(whole[: len(whole) // 2])


FILES: dict[str, Written] = {
    "clean_train.h5ad": _cells(lambda data: data.train),
    "clean_test.h5ad": _cells(lambda data: data.test),
    "clean_application.h5ad": _cells(lambda data: anndata.AnnData(data.bulk.T.astype(np.float32))),
    "clean_application.csv": _table(lambda bulk: bulk),
    "clean_truth.csv": _known(lambda known: known),
    "truth_percent.csv": _known(lambda known: known * 100),
    "truth_other_names.csv": _known(
        lambda known: known.rename(columns={"NK cells": "NK", "T cells CD8": "CD8+ T cells"})
    ),
    "test_without_pDC.h5ad": _cells(
        lambda data: data.test[data.test.obs["cell_type"] != "pDC"].copy()
    ),
    "log1p_train.h5ad": _cells(_logged),
    "two_identical_types.h5ad": _cells(_equal_types),
    "transposed_train.h5ad": _cells(lambda data: data.train.T.copy()),
    "no_obs_columns.h5ad": _cells(_unlabelled),
    "X_missing_layers_only.h5ad": _cells(_layer_only),
    "имя с пробелами (1) ü.h5ad": _cells(lambda data: data.train),
    "excel_dates.csv": _table(_renamed(_of_excel)),
    "application_ensembl.csv": _table(_renamed(_ids)),
    "application_ensembl_pipe_symbol.tsv": _table(
        _renamed(
            lambda bulk: [f"{i}|{gene}" for i, gene in zip(_ids(bulk), bulk.index, strict=True)]
        ),
        "\t",
    ),
    "application_dup_symbols.csv.gz": _table(_doubled),
    "genes_half_missing.csv": _table(lambda bulk: bulk.iloc[::2]),
    "genes_whitespace.csv": _table(_renamed(lambda bulk: [f" {gene} " for gene in bulk.index])),
    "samples_duplicated.csv": _table(
        lambda bulk: bulk.set_axis(["pbmc_1", "pbmc_1", "pbmc_2", "pbmc_2", *SAMPLES[4:]], axis=1)
    ),
    "samples_numeric.csv": _table(lambda bulk: bulk.set_axis([*"12345678"], axis=1)),
    "thousands_separator.csv": _table(_with_thousands),
    "latin1.csv": _latin1,
    "truncated.csv.gz": _truncated,
    "two_sheets.xlsx": _workbook,
}


def write(folder: Path) -> None:
    """Write all files."""
    data = clean()
    for name, file in FILES.items():
        file(data, folder / name)


def copy(folder: Path, name: str, to: Path) -> Path:
    """A copy of one file that a test may change."""
    return Path(shutil.copyfile(folder / name, to / name))
