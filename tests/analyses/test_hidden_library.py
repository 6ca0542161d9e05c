"""Types of the reference library beside the markers: agreement, or nothing in the library fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.gene_params import GenesParams
from gui.analyses.genes import GenesResult, run_genes
from gui.analyses.hidden_library import (
    AGREES_FROM,
    LIBRARY,
    Library,
    library_likeness,
    runner_up,
)
from gui.answers.genes import details, library_line, library_table, sentence
from gui.data.dataset import Bulk, Dataset, Matrix
from gui.data.example import HIDDEN_TYPE, make_example
from gui.data.profiles import type_profiles
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.second_opinion import scaled_columns
from gui.engine.simulation import simulate
from gui.engine.tasks import run_adtd, run_dtd
from gui.jobs.taskref import TaskRef
from gui.knowledge.cell_types import are_related
from gui.sessions.reference_library import ReferenceLibrary
from gui.sessions.references import reference_profiles
from tests.engine.test_second_opinion import SHARED, loaded

TINY = Path(__file__).resolve().parents[1] / "fixtures" / "tiny_pbmc68k"
GENES = GenesParams(sets=(), permutations=100)
GLIOMA = SHARED / "glioma_tirosh"
needs_glioma = pytest.mark.skipif(not GLIOMA.is_dir(), reason="shared test data not present")


def quiet(*_: Any, **__: Any) -> None: ...


def shipped(tmp_path: Path) -> Library:
    return ReferenceLibrary(tmp_path / "none").library()


def looked_at(data: Dataset, library: Library, genes: int | None = 1000) -> GenesResult:
    """The genes of a small run of ADTD."""
    small = DTDParams(genes=genes, iterations=150, train_mixtures=200, test_mixtures=20)
    dtd = run_dtd(data, small, progress=quiet)
    adtd = run_adtd(data, ADTDParams(max_iterations=300), progress=quiet, dtd=dtd)
    return run_genes(data, GENES, progress=quiet, adtd=adtd, library=library)


def mixed(data: Dataset, seed: int = 1) -> Bulk:
    """Pseudobulks of all test cells."""
    assert data.test is not None
    cells = scaled_columns(data.test.matrix.frame())
    cells.columns = pd.Index(data.test.labels.astype(str))
    types = sorted(set(cells.columns))
    drawn = simulate(cells, types, mixtures=20, cells_per_mixture=100, seed=seed)
    names = pd.Index([f"s{at}" for at in range(20)])
    return Bulk(
        Matrix(drawn.bulk.to_numpy(), drawn.bulk.index, names), pd.DataFrame(index=range(20))
    )


def without(data: Dataset, name: str) -> Dataset:
    """The data with a type that only the samples have."""
    assert data.train is not None
    return replace(
        data, train=data.train.where(data.train.labels != name), reference=None, bulk=mixed(data)
    )


# -- made-up profiles
# --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def profiles() -> pd.DataFrame:
    random = np.random.default_rng(0)
    types = ["B cells", "T cells", "Neutrophils", "Platelets"]
    return pd.DataFrame(random.gamma(0.5, size=(300, 4)), [f"G{n}" for n in range(300)], types)


def test_a_type_agrees_where_the_markers_name_it_too(profiles: pd.DataFrame) -> None:
    known, library = profiles[["B cells", "T cells"]], [("Mine", profiles)]
    hidden = profiles["Neutrophils"] + 0.3 * profiles["B cells"]
    table, notes = library_likeness(hidden, known, library, ["Neutrophil", "Monocyte"])
    assert list(table.columns) == LIBRARY
    assert table.index[0] == "Neutrophils"
    assert table["agrees"].tolist() == [True, False]
    assert table["explained"].iloc[0] == pytest.approx(1.0)
    assert set(table.index) == {"Neutrophils", "Platelets"}, "those of the run are left out"
    assert notes == []
    for marked in ([], ["Platelet"], ["Monocyte", "Neutrophil"]):
        table, _ = library_likeness(hidden, known, library, marked)
        assert not table["agrees"].any(), marked


def test_a_runner_up_as_good_or_a_small_part_is_no_agreement(profiles: pd.DataFrame) -> None:
    known, library = profiles[["B cells", "T cells"]], [("Mine", profiles)]
    both = profiles["Neutrophils"] + 1.1 * profiles["Platelets"]
    table, _ = library_likeness(both, known, library, ["Neutrophil"])
    assert table.index[0] == "Neutrophils"
    assert table["explained"].iloc[0] > AGREES_FROM
    assert not table["agrees"].any()
    noise = pd.Series(np.random.default_rng(1).gamma(0.5, size=300), profiles.index)
    table, _ = library_likeness(
        noise + 0.1 * profiles["Neutrophils"], known, library, ["Neutrophil"]
    )
    assert table["explained"].iloc[0] < AGREES_FROM
    assert not table["agrees"].any()


def test_the_same_type_of_another_reference_is_no_runner_up(profiles: pd.DataFrame) -> None:
    known = profiles[["B cells", "T cells"]]
    again = profiles[["Neutrophils"]].rename(columns={"Neutrophils": "Neutrophil granulocyte"})
    library = [("Mine", profiles), ("Yours", again)]
    table, _ = library_likeness(profiles["Neutrophils"], known, library, ["Neutrophil"])
    assert are_related(*map(str, table.index[:2]))
    assert runner_up(table) == 2
    assert table["agrees"].iloc[0]


def test_a_reference_with_few_of_the_genes_is_left_out_and_named(profiles: pd.DataFrame) -> None:
    known = profiles[["B cells", "T cells"]]
    table, notes = library_likeness(
        profiles["Neutrophils"], known, [("Small", profiles.iloc[:60])], ["Neutrophil"]
    )
    assert table.empty
    assert notes == [
        "The reference “Small” has 60 of 300 genes in use, too few to be compared with the hidden"
        " profile."
    ]


def test_a_reference_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.dcxreference").write_bytes(b"no session")
    files = (("Bad", tmp_path / "bad.dcxreference"), ("Gone", tmp_path / "gone"))
    found, notes = Library(TaskRef.of(reference_profiles), files).profiles()
    assert found == []
    assert ["“Bad”" in notes[0], "“Gone”" in notes[1]] == [True, True]


def test_the_profiles_of_a_reference_are_those_of_its_cells(tmp_path: Path) -> None:
    found, notes = shipped(tmp_path).profiles()
    assert notes == []
    by_name = dict(found)
    (name,) = [name for name in by_name if "68k" in name]
    data = loaded(TINY)
    assert data.train is not None
    assert set(by_name[name].columns) == set(type_profiles(data.train).columns)


# -- real ones
# --------------------------------------------------------------------------------------------------
def test_the_example_names_its_hidden_type_first_and_claims_nothing_of_the_library(
    tmp_path: Path,
) -> None:
    found = looked_at(make_example().dataset, shipped(tmp_path), None)
    assert found.likeness.profiles.index[0] == HIDDEN_TYPE
    assert sentence(found).index(HIDDEN_TYPE) > 0
    assert found.likeness.references.empty, "its made-up genes are in no reference"
    assert library_line(found.likeness) == ""
    assert any("too few to be compared" in note for note in found.notes)


def test_a_type_left_out_is_confirmed_by_the_library_of_its_own_cells(tmp_path: Path) -> None:
    found = looked_at(without(loaded(TINY), "CD14+ Monocyte"), shipped(tmp_path))
    assert found.likeness.markers.index[0] == "Monocyte"
    table = found.likeness.references
    assert table.index[0] == "CD14+ Monocyte"
    assert table["agrees"].tolist() == [True] + [False] * (len(table) - 1)
    said = details(found)[-1]
    assert said.startswith("Of the cell types in your reference library, CD14+ Monocyte")
    assert said.endswith("that agrees with the markers.")
    assert "by markers, Monocyte" in details(found)[-2], "the markers come first"
    assert list(library_table(found)["Agrees with the markers"][:2]) == ["yes", "no"]
    assert set(found.tables()["hidden_references"].columns) == set(LIBRARY)


@pytest.mark.slow
def test_no_type_left_out_leads_to_a_wrong_agreement(tmp_path: Path) -> None:
    """Over both shipped references, whole and without the one that the cells are from."""
    data = loaded(TINY)
    assert data.train is not None
    every = shipped(tmp_path)
    others = replace(every, files=tuple(f for f in every.files if "68k" not in f[0]))
    for name in sorted(set(data.train.labels.astype(str))):
        for library in (every, others):
            found = looked_at(without(data, name), library)
            table = found.likeness.references
            agreed = [str(t) for t in table.index[table["agrees"].astype(bool)]]
            assert all(are_related(t, name) for t in agreed), (name, agreed)
            markers = found.likeness.markers
            fits = [str(t) for t in markers.index[markers["fits"].astype(bool)]]
            assert not agreed or are_related(agreed[0], fits[0]), "never against the markers"
            if len(table) and not agreed:
                assert "nothing in the library fits" in library_line(found.likeness)


@needs_glioma
def test_regulatory_t_cells_are_no_answer_for_malignant_glioma_cells(tmp_path: Path) -> None:
    data = loaded(GLIOMA)
    found = looked_at(without(data, "Malignant"), shipped(tmp_path))
    assert found.likeness.profiles.index[0] == "Malignant", "from the test cells"
    table = found.likeness.references
    assert float(table["explained"].iloc[0]) > AGREES_FROM, "the trap is there"
    assert not table["agrees"].any()
    assert "nothing in the library fits" in library_line(found.likeness)
