"""What the wizard shows: recognised parts, funnel, types, quality; conditions between parts; tables
kept with the dataset.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.data.dataset import Matrix
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.normalize import prepare
from gui.data.readers.read import read_all
from gui.data.samples.clinical import ClinicalChoice
from gui.data.samples.known_composition import KnownCompositionChoice
from gui.data.validation.examine import examine
from gui.data.validation.findings import FINDINGS, Place, of_notes
from gui.data.validation.heuristics import looks_transposed, scale_of
from gui.data.validation.log_base import log_form
from gui.errors import MissingPart
from tests.data.repairing import repaired


def request(folder: Path, train: str = "clean_train.h5ad", **files: str) -> LoadRequest:
    return LoadRequest(
        files={
            role: FileChoice(path=folder / name) for role, name in {"train": train, **files}.items()
        }
    )


def test_everything_the_wizard_shows_is_there(awkward: Path) -> None:
    found = examine(
        request(awkward, bulk="clean_application.csv", test="test_without_pDC.h5ad"),
        n_genes=100,
    )
    assert found.outcome == "accept with a warning"
    seen = found.parts["train"]
    assert (seen.genes, seen.columns, seen.kind, seen.preview.shape) == (396, 150, "h5ad", (8, 6))
    assert list(found.funnel.index) == ["read", "mapped", "shared", "expressed", "selected"]
    assert found.funnel["bulk"].tolist() == [396, 396, 396, 396, 100]
    assert found.types.loc["pDC"].tolist() == [25, 0]
    assert found.similarity.shape == (6, 6)
    np.testing.assert_allclose(np.diag(found.similarity), 1.0)
    assert len(found.quality["bulk"]) == 8
    assert set(found.quality["train"].columns) == {"sum", "genes", "label"}
    assert 0.3 < found.bulk_correlation <= 1
    assert len(found.previews) == len(found.findings)


@pytest.mark.parametrize("n_genes", [20, 100, 395, 396, 5000, None])
@pytest.mark.parametrize("scale", [True, False])
def test_the_funnel_ends_with_the_genes_that_the_analysis_uses(
    n_genes: int | None, scale: bool, awkward: Path
) -> None:
    wanted = request(awkward, bulk="clean_application.csv").model_copy(update={"scale": scale})
    assert examine(wanted, n_genes=n_genes).funnel.loc["selected", "train"] == len(
        prepare(load_dataset(wanted), n_genes=n_genes).genes
    )


def test_a_fault_of_one_file_does_not_hide_what_is_known_of_the_others(awkward: Path) -> None:
    found = examine(request(awkward, bulk="truncated.csv.gz"))
    assert found.outcome == "refuse"
    assert set(found.parts) == {"train"}
    assert [f.code for f in found.findings if f.severity == "refusal"] == ["unreadable"]
    assert not found.types.empty


def test_spelling_of_types_between_files_is_one_repair_for_all(
    make: SimpleNamespace, tmp_path: Path
) -> None:
    random, genes = np.random.default_rng(0), [f"G{i}" for i in range(30)]

    def cells(name: str, types: list[str]) -> FileChoice:
        values = (
            random.poisson(
                np.column_stack([np.where(np.arange(30) % 3 == i, 30.0, 3.0) for i in range(3)] * 4)
            )
            + 1.0
        )
        return FileChoice(path=make.csv(tmp_path / name, values, genes, types * 4))

    wanted = LoadRequest(
        files={
            "train": cells("a.csv", ["B cells", "NK", "T"]),
            "test": cells("b.csv", ["b-cell", "NK", "T"]),
        }
    )
    found = examine(wanted)
    assert [f.code for f in found.findings if f.severity != "info"] == ["alike-labels"]
    data = load_dataset(repaired(wanted))
    assert data.train.types == data.test.types == ["B cells", "NK", "T"]


def test_long_names_do_not_cut_the_similarity_of_types(
    make: SimpleNamespace, tmp_path: Path
) -> None:
    genes = [f"G{i}" for i in range(30)]
    long = ["CD8-positive alpha-beta memory T cell", "CD4-positive alpha-beta memory T cell"]
    profile = np.arange(1.0, 31.0)
    types = [profile, profile + np.arange(30) % 3, profile[::-1]]
    values = np.column_stack([p + i * (np.arange(30) == i) for i in range(4) for p in types])
    path = make.csv(tmp_path / "a.csv", values, genes, [*long, "platelet"] * 4)
    found = examine(LoadRequest(files={"train": FileChoice(path=path)}))
    said = next(f.message for f in found.findings if f.code == "alike-types")
    cut = " and ".join(f"{name[:29]}…" for name in sorted(long))
    assert re.search(rf": {re.escape(cut)} \(0\.99\d\d\); their fractions", said), said


def test_clinical_data_and_truth_are_loaded_and_follow_the_bulk(
    awkward: Path, tmp_path: Path
) -> None:
    folder = awkward
    wanted = request(awkward, bulk="clean_application.csv")
    names = list(pd.read_csv(folder / "clean_application.csv", index_col=0, nrows=1).columns)
    known = pd.read_csv(folder / "clean_truth.csv", index_col=0)
    clinic = tmp_path / "clinic.csv"
    clinic.write_text(
        "sample,OS_days,OS\n"
        + "".join(f"{n.replace('_', '-')},{i + 5},{i % 2}\n" for i, n in enumerate(names))
    )
    update = {
        "clinical": ClinicalChoice(path=clinic),
        "truth": KnownCompositionChoice(path=folder / "truth_percent.csv"),
    }
    data = load_dataset(wanted.model_copy(update=update))
    assert list(data.clinical.table.index) == list(data.truth.shares.columns) == names
    assert (data.clinical.time, data.clinical.event, data.clinical.unit) == (
        "OS_days",
        "OS",
        "days",
    )
    assert data.truth.shares.loc["NK cells", names[0]] == pytest.approx(
        known.loc[names[0], "NK cells"]
    )
    again = load_dataset(
        LoadRequest(files={"bulk": FileChoice(path=folder / "samples_numeric.csv")}), current=data
    )
    assert again.clinical is None
    assert again.truth is None
    same = load_dataset(
        LoadRequest(files={"bulk": FileChoice(path=folder / "clean_application.h5ad")}),
        current=data,
    )
    assert list(same.clinical.table.index) == same.bulk.samples
    with pytest.raises(MissingPart, match="no"):
        load_dataset(request(awkward).model_copy(update=update))


@given(seed=st.integers(0, 10_000), base=st.sampled_from(["2", "e"]), normalised=st.booleans())
def test_the_base_of_a_logarithm_is_found(seed: int, base: str, normalised: bool) -> None:
    random = np.random.default_rng(seed)
    values = random.poisson(
        random.gamma(0.5, 20, (120, 1)) * random.uniform(0.5, 2, (1, 12))
    ).astype(float)
    linear = values / values.sum(axis=0) * 10_000 if normalised else values
    logged = np.log1p(linear) / (np.log(2) if base == "2" else 1)
    matrix = Matrix(
        logged, pd.Index([f"G{i}" for i in range(120)]), pd.Index([f"c{i}" for i in range(12)])
    )
    assert scale_of(matrix) == "log"
    assert log_form(matrix, "train").base == base


def test_linear_values_of_any_size_are_not_taken_for_logarithms() -> None:
    random = np.random.default_rng(0)
    genes, columns = pd.Index([f"G{i}" for i in range(200)]), pd.Index(["a", "b", "c"])
    for values in (
        random.poisson(3, (200, 3)),
        random.gamma(1, 300, (200, 3)),
        random.gamma(1, 1e-9, (200, 3)),
    ):
        assert scale_of(Matrix(values.astype(float), genes, columns)) == "linear"
    shares = random.gamma(1, 1, (200, 3))
    assert scale_of(Matrix(1000 * shares / shares.sum(axis=0), genes, columns)) == "linear"
    centred = random.normal(0, 1, (200, 30))
    assert (
        scale_of(Matrix(centred - centred.mean(axis=1, keepdims=True), genes, pd.Index(range(30))))
        == "scaled"
    )


def test_a_table_with_genes_in_the_columns_is_recognised_even_alone() -> None:
    genes = ["ACTB", "GAPDH", "CD74", "LYZ", "NKG7", "XYZ1"]
    assert looks_transposed(Matrix(np.ones((2, 6)), pd.Index(["s1", "s2"]), pd.Index(genes)))
    assert not looks_transposed(Matrix(np.ones((6, 2)), pd.Index(genes), pd.Index(["s1", "s2"])))


@pytest.mark.parametrize(
    ("role", "name", "code", "severity"),
    [
        ("bulk", "two_sheets.xlsx", "read-with-a-choice", "warning"),
        ("bulk", "thousands_separator.csv", "read-with-a-choice", "warning"),
        ("train", "X_missing_layers_only.h5ad", "read-with-a-choice", "warning"),
        ("bulk", "genes_whitespace.csv", "blank-in-names", "info"),
        ("bulk", "latin1.csv", "note", "info"),
    ],
)
def test_what_a_reader_noted_has_its_kind_and_severity(
    role: str, name: str, code: str, severity: str, awkward: Path
) -> None:
    path = awkward / name
    part = read_all({role: FileChoice(path=path)})[0][role]
    found = of_notes(part.source.notes, part.traits, Place(name, role))
    assert [x.message for x in found] == list(part.source.notes)
    assert (code, severity) in {(x.code, x.severity) for x in found}
    alike = [f"{note} As chosen." for note in part.source.notes]
    # it is not the words that say it
    assert {x.code for x in of_notes(alike, part.traits, Place(name, role))} == {"note"}


def test_every_kind_of_finding_has_a_code_a_title_and_an_explanation() -> None:
    assert len(FINDINGS) > 40
    for code, cls in FINDINGS.items():
        assert code == cls.code
        assert cls.title
        assert cls.__doc__
