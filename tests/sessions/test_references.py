"""The library of references: what is kept of the data, exchanged as one file, and what fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Clinical, Dataset, Matrix
from gui.data.example import make_example
from gui.engine.params import DTDParams
from gui.engine.reference_fit import ReferenceFit, reference_fit
from gui.engine.results import DTDResult
from gui.engine.tasks import run_dtd
from gui.errors import (
    DamagedSession,
    DataError,
    InvalidParameter,
    MissingPart,
    UnreadableFile,
)
from gui.resources import resource
from gui.sessions import file, reference_library
from gui.sessions.actor import Actor
from gui.sessions.manager import LOCAL
from gui.sessions.reference_library import ReferenceLibrary
from gui.sessions.references import (
    MARK,
    fits_task,
    make_reference,
    read_reference,
)
from gui.sessions.snapshot import Snapshot


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    data = make_example().dataset
    patients = pd.DataFrame({"name": [f"Mrs Miller {i}" for i in range(len(data.bulk.samples))]})
    return replace(data, clinical=Clinical(patients, "patients.csv"))


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> DTDResult:
    params = DTDParams(genes=60, iterations=5, train_mixtures=30, test_mixtures=30)
    return run_dtd(dataset, params, progress=lambda *_, **__: None)


@pytest.fixture
def library(tmp_path: Path) -> ReferenceLibrary:
    return ReferenceLibrary(tmp_path / "references")


def test_a_reference_gives_its_cells_back(dataset: Dataset, library: ReferenceLibrary) -> None:
    made = make_reference(
        dataset, "Blood", source="A paper", licence="CC0", note="no platelets", per_type=None
    )
    one = library.keep(made, actor=LOCAL)
    assert (one.name, one.source, one.licence, one.note) == (
        "Blood",
        "A paper",
        "CC0",
        "no platelets",
    )
    assert one.holds == "760 cells of 5 types, 300 genes"
    found = read_reference(one.path)
    assert found.model is None
    for part in ("train", "test"):
        before, after = getattr(dataset, part), getattr(found.dataset, part)
        np.testing.assert_array_equal(after.matrix.frame().to_numpy(), before.matrix.values)
        assert list(after.matrix.genes) == list(before.matrix.genes)
        assert after.labels.tolist() == before.labels.tolist()
    assert found.dataset.scale == dataset.scale


def test_nothing_of_the_samples_and_no_name_of_a_cell_is_in_it(
    dataset: Dataset, model: DTDResult, library: ReferenceLibrary
) -> None:
    one = library.keep(
        make_reference(dataset, "Blood", source="A paper", licence="", model=model), actor=LOCAL
    )
    found = read_reference(one.path)
    assert found.dataset.bulk is found.dataset.clinical is found.dataset.truth is None
    assert list(found.dataset.train.obs.columns) == []
    assert not set(found.dataset.train.matrix.columns) & set(dataset.train.matrix.columns)
    assert found.model.composition == {}
    assert all(source.role != "bulk" for source in found.dataset.sources)
    assert one.licence == "not known"


def test_the_gene_weights_are_kept_to_the_bit(
    dataset: Dataset, model: DTDResult, library: ReferenceLibrary
) -> None:
    one = library.keep(
        make_reference(dataset, "B", source="s", licence="l", model=model), actor=LOCAL
    )
    assert "with gene weights" in one.holds
    found = read_reference(one.path).model
    np.testing.assert_array_equal(found.gene_weights.to_numpy(), model.gene_weights.to_numpy())
    pd.testing.assert_frame_equal(found.reference, model.reference, check_names=False)


def test_few_cells_of_each_type_are_the_same_ones_each_time_and_it_is_said(
    dataset: Dataset,
) -> None:
    first, again = (
        make_reference(dataset, "B", source="s", licence="l", per_type=20).dataset for _ in "ab"
    )
    assert first.train.counts().max() == 20
    assert first.train.counts().index.tolist() == dataset.train.counts().index.tolist()
    assert first.training_id == again.training_id
    (note,) = [n for n in first.source("train").notes if "At most 20 cells" in n]
    assert "of 380" in note


def test_names_are_unique_and_change(dataset: Dataset, library: ReferenceLibrary) -> None:
    made = make_reference(dataset, "Blood", source="s", licence="l", per_type=5)
    one = library.keep(made, actor=LOCAL)
    with pytest.raises(DataError, match="already"):
        library.keep(replace(made, name="blood"), actor=LOCAL)
    renamed = library.rename(one.key, "Ä / ..\\..: blood", actor=LOCAL)
    assert renamed.name == "Ä / ..\\..: blood"
    assert renamed.path.parent == library.folder
    assert read_reference(renamed.path).dataset.name == renamed.name
    assert [each.name for each in library.list() if not each.shipped] == [renamed.name]
    again = library.rename(renamed.key, "BLOOD", actor=LOCAL)
    assert library.rename(again.key, "Blood", actor=LOCAL).name == "Blood"
    library.delete(library.named("blood").key, actor=LOCAL)
    assert all(each.shipped for each in library.list())
    with pytest.raises(MissingPart):
        library.get(one.key)


@pytest.mark.parametrize(("name", "source"), [("  ", "s"), ("B", " ")])
def test_name_and_source_are_asked_for(dataset: Dataset, name: str, source: str) -> None:
    with pytest.raises(InvalidParameter):
        make_reference(dataset, name, source=source, licence="l")


def test_a_file_goes_from_one_library_to_another(
    dataset: Dataset, library: ReferenceLibrary, tmp_path: Path
) -> None:
    one = library.keep(
        make_reference(dataset, "Blood", source="s", licence="l", per_type=5), actor=LOCAL
    )
    other = ReferenceLibrary(tmp_path / "other")
    added = other.add(one.path, read_reference(one.path).dataset.name, actor=LOCAL)
    assert added.path.read_bytes() == one.path.read_bytes()
    with pytest.raises(DataError, match="already"):
        other.add(one.path, "Blood", actor=LOCAL)


def test_a_session_is_no_reference(dataset: Dataset, tmp_path: Path) -> None:
    made = make_reference(dataset, "Blood", source="s", licence="l", per_type=5)
    path = tmp_path / "x.dcxreference"
    file.save(path, replace(made, marks=()), expected_generation=None)
    with pytest.raises(UnreadableFile, match="is a session"):
        read_reference(path)
    # and one with samples in it is none that this program made
    path.unlink()
    with_bulk = replace(made, dataset=replace(made.dataset, bulk=dataset.bulk))
    file.save(path, with_bulk, expected_generation=None)
    with pytest.raises(UnreadableFile, match="not a reference"):
        read_reference(path)


def test_every_changed_byte_is_found(
    dataset: Dataset, library: ReferenceLibrary, tmp_path: Path
) -> None:
    one = library.keep(
        make_reference(dataset, "B", source="s", licence="l", per_type=5), actor=LOCAL
    )
    data = one.path.read_bytes()
    bad = tmp_path / "bad.dcxreference"
    for place in np.linspace(0, len(data) - 1, 25).astype(int):
        changed = bytearray(data)
        changed[place] ^= 0x10
        bad.write_bytes(changed)
        with pytest.raises(DamagedSession):
            read_reference(bad)


def test_damaged_and_foreign_files_are_left_out_of_the_list(library: ReferenceLibrary) -> None:
    library.folder.mkdir(parents=True)
    (library.folder / "reference-x.dcxreference").write_bytes(b"PK\3\4 nothing")
    (library.folder / "notes.txt").write_text("not mine")
    assert all(one.shipped for one in library.list())


def test_what_fits_best_comes_first(dataset: Dataset, library: ReferenceLibrary) -> None:
    right = library.keep(make_reference(dataset, "Right", source="s", licence="l"), actor=LOCAL)
    other = np.random.default_rng(1).permutation(dataset.train.matrix.n_genes)
    shuffled = Matrix(
        dataset.train.matrix.values[other], dataset.train.matrix.genes, dataset.train.matrix.columns
    )
    wrong = library.keep(
        make_reference(
            replace(dataset, train=replace(dataset.train, matrix=shuffled), reference=None),
            "Wrong",
            source="s",
            licence="l",
        ),
        actor=LOCAL,
    )
    few = Matrix(
        dataset.train.matrix.values,
        pd.Index([f"x{g}" if i > 40 else g for i, g in enumerate(dataset.train.matrix.genes)]),
        dataset.train.matrix.columns,
    )
    foreign = library.keep(
        make_reference(
            replace(dataset, train=replace(dataset.train, matrix=few), test=None, reference=None),
            "Foreign",
            source="s",
            licence="l",
        ),
        actor=LOCAL,
    )
    every = (right, wrong, foreign, *(one for one in library.list() if one.shipped))
    bulk = Dataset(None, None, None, dataset.bulk)
    found = fits_task(bulk, {one.key: one.path for one in every}, progress=None)
    assert found[right.key].error < 0.2 < found[wrong.key].error
    assert found[right.key].fraction == 1
    assert found[foreign.key].common == 41
    best = sorted(every, key=lambda one: found[one.key].order)
    assert [one.key for one in best[:3]] == [right.key, wrong.key, foreign.key]
    shipped = [found[one.key] for one in every if one.shipped]
    assert all(fit.error is None and "common" in fit.obstacle for fit in shipped)


def test_a_reference_that_is_gone_does_not_stop_the_others(
    dataset: Dataset, tmp_path: Path
) -> None:
    bulk = Dataset(None, None, None, dataset.bulk)
    found = fits_task(bulk, {"gone": tmp_path / "gone.dcxreference"}, progress=None)
    assert found["gone"].error is None
    assert found["gone"].obstacle


def test_two_references_come_with_the_program(library: ReferenceLibrary) -> None:
    shipped = [one for one in library.list() if one.shipped]
    assert len(shipped) == 2
    about = (resource("references/SOURCE.md")).read_text("utf-8")
    for one in shipped:
        assert one.licence == "BSD-3-Clause"
        assert one.source
        assert one.path.name in about
        assert one.size < 3_000_000
        loaded = read_reference(one.path)
        assert loaded.dataset.test is not None
        with pytest.raises(DataError, match="comes with the program"):
            library.delete(one.key, actor=LOCAL)
    blood = library.named("Blood cells (PBMC, Hao 2021)")
    assert "neutrophils" in blood.note
    assert "erythrocytes" in blood.note


def test_a_fit_of_another_kind_of_profile(dataset: Dataset) -> None:
    """Profiles without cells can be tried as well."""
    fit = reference_fit(Dataset(None, None, dataset.reference, None), dataset.bulk)
    assert fit.error is not None
    assert fit.error < 0.2
    assert ReferenceFit(0, 0).fraction == 0
    assert MARK


def test_a_reference_with_tables_of_samples_or_a_foreign_model_is_refused(
    dataset: Dataset, model: DTDResult, tmp_path: Path
) -> None:
    made = make_reference(dataset, "Blood", source="A paper", licence="", model=model)
    assert made.dataset is not None
    assert made.dataset.train is not None
    train = made.dataset.train
    renamed = replace(train, labels=np.array([f"{x} 2" for x in train.labels], dtype=object))
    cases = {
        "good": made.dataset,
        "clinical": replace(made.dataset, clinical=dataset.clinical),
        "types": replace(made.dataset, train=renamed, test=None, reference=None),
        "genes": replace(
            made.dataset,
            train=replace(train, matrix=train.matrix.take(train.matrix.genes[:5])),
            test=None,
            reference=None,
        ),
    }
    for name, data in cases.items():
        path = tmp_path / f"{name}.dcxreference"
        file.save(path, replace(made, dataset=data), expected_generation=None)
        if name == "good":
            assert read_reference(path).model is not None
            continue
        with pytest.raises(UnreadableFile, match="not a reference that this program made"):
            read_reference(path)


BROWSERS = Actor(browser="one"), Actor(browser="another")


def test_on_a_server_only_who_added_a_reference_renames_and_deletes_it(
    dataset: Dataset, tmp_path: Path
) -> None:
    owner, other = BROWSERS
    made = make_reference(dataset, "Blood", source="s", licence="l", per_type=5)
    shared = ReferenceLibrary(tmp_path / "shared", shared=True)
    one = shared.keep(made, actor=owner)
    for stranger in (other, LOCAL):  # LOCAL: no browser at all
        with pytest.raises(DataError, match="Somebody else"):
            shared.rename(one.key, "Mine", actor=stranger)
        with pytest.raises(DataError, match="Somebody else"):
            shared.delete(one.key, actor=stranger)
        assert not shared.may_change(one, stranger)
    one = shared.rename(one.key, "Blood 2", actor=owner)
    assert shared.may_change(one, owner)
    # after a restart browsers sign in anew, so nobody is who added it
    again = ReferenceLibrary(shared.folder, shared=True)
    with pytest.raises(DataError, match="Somebody else"):
        again.delete(one.key, actor=owner)
    shared.delete(one.key, actor=owner)
    # the name that is free again, and the file that it gets, are those of who takes them now
    one = shared.add(_file_of(made, tmp_path), "Blood 2", actor=other)
    with pytest.raises(DataError, match="Somebody else"):
        shared.delete(one.key, actor=owner)
    # control: on one's own computer everything is one's own
    alone = ReferenceLibrary(shared.folder)
    alone.delete(one.key, actor=owner)


def _file_of(made: Snapshot, folder: Path) -> Path:
    path = folder / "given.dcxreference"
    file.save(path, made, expected_generation=None)
    return path


def test_a_full_library_still_renames(
    dataset: Dataset, library: ReferenceLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_reference(dataset, "Blood", source="s", licence="l", per_type=5)
    one = library.keep(made, actor=LOCAL)
    monkeypatch.setattr(reference_library, "MOST", len(library.list()))
    for name in ("Marrow", "Spleen"):
        one = library.rename(one.key, name, actor=LOCAL)
        assert one.name == name
    with pytest.raises(DataError, match="references already"):
        library.keep(replace(made, name="One more"), actor=LOCAL)
