"""The example is the same every time and holds what it says."""

from __future__ import annotations

import numpy as np
import pytest

from gui.data.dataset import HIDDEN
from gui.data.example import make_example
from gui.data.normalize import prepare


def test_the_example_is_the_same_every_time() -> None:
    assert make_example().dataset.dataset_id == make_example().dataset.dataset_id


def test_one_type_is_missing_from_the_reference_and_present_elsewhere() -> None:
    example = make_example()
    data = example.dataset
    assert example.hidden_type not in data.types
    assert example.hidden_type in set(data.train.types) & set(data.test.types)
    assert example.regulated_type in data.types
    assert len(data.types) == 5
    assert data.bulk.matrix.n_columns == 20
    assert set(data.bulk.obs["group"]) == {"control", "treated"}


def test_truth_sums_to_one_and_names_hidden_as_the_results_do() -> None:
    example = make_example()
    assert list(example.truth.index) == [*example.dataset.types, HIDDEN]
    assert list(example.truth.columns) == example.dataset.bulk.samples
    np.testing.assert_allclose(example.truth.sum(), 1.0)
    assert example.truth.loc[HIDDEN].min() > 0


def test_the_example_passes_all_checks_and_its_bulk_is_what_the_truth_makes_of_the_profiles() -> (
    None
):
    example = make_example()
    prepared = prepare(example.dataset)
    assert prepared.notes == ()
    assert 200 < len(prepared.genes) < 500
    cells = example.dataset.test
    profiles = np.column_stack(
        [
            cells.where(cells.labels == t).matrix.values.mean(axis=1)
            for t in [*example.dataset.types, example.hidden_type]
        ]
    )
    made = (profiles / profiles.sum(axis=0)) @ example.truth.to_numpy()
    still = ~prepared.genes.isin(example.regulated)
    bulk = example.dataset.bulk.matrix.values
    assert (
        np.corrcoef(np.log(made[still].ravel()), np.log((bulk / bulk.sum(axis=0))[still].ravel()))[
            0, 1
        ]
        > 0.98
    )


@pytest.mark.slow
def test_the_engine_finds_the_hidden_share_and_the_regulated_genes() -> None:
    from gui.engine.params import ADTDParams, DTDParams
    from gui.engine.tasks import run_adtd, run_dtd

    example = make_example()
    dtd = run_dtd(example.dataset, DTDParams(), progress=lambda *_, **__: None)
    found = run_adtd(
        example.dataset,
        ADTDParams(model="h,r", lambda2=1e-7),
        progress=lambda *_, **__: None,
        dtd=dtd,
    )
    truth = example.truth
    assert np.corrcoef(found.hidden, truth.loc[HIDDEN])[0, 1] > 0.95
    assert abs(found.hidden.mean() - truth.loc[HIDDEN].mean()) < 0.05
    assert np.abs(found.composition - truth.loc[found.composition.index]).mean().mean() < 0.04
    change = (
        np.log2(found.gene_regulation.clip(lower=1e-3))
        .abs()
        .stack()
        .nlargest(len(example.regulated))
    )
    hits = {(gene, example.regulated_type) for gene in example.regulated} & set(change.index)
    assert len(hits) >= 11


@pytest.mark.slow
def test_a_first_user_sees_what_gene_weights_are_good_for() -> None:
    from gui.engine.params import DTDParams
    from gui.engine.tasks import run_dtd

    metrics = run_dtd(make_example().dataset, DTDParams(), progress=lambda *_, **__: None).metrics
    mean = metrics[metrics["part"] == "test"].groupby("method")["pearson"].mean()
    assert mean["dtd"] > 0.94
    assert mean["dtd"] - mean["naive"] > 0.1
