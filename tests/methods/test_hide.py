"""HIDE: against hide-deconv 0.4.2, its layers, and the page's view of them.

``fixtures/hide/oracle.json`` holds what ``hide_deconv.models.HIDE`` (MIT) gives on :func:`problem`:
losses of 40 iterations, the weights of the first six genes, and the composition.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.cli.analyze import analyze
from gui.data.dataset import Cells, Dataset, Matrix
from gui.data.example import make_example
from gui.engine.fast import weights as dtd
from gui.errors import EngineFailed, InvalidParameter
from gui.methods.cell_type_layers import FINEST, layers_of
from gui.methods.hide import HideParams, estimate, mean_one, optimise, run_hide
from gui.methods.registry import BUILT_IN, Capability

ORACLE = Path(__file__).resolve().parents[1] / "fixtures" / "hide" / "oracle.json"
SMALL = {"genes": 100, "iterations": 20, "mixtures": 40}


def silent(*_: object, **__: object) -> None:
    """A progress that nobody watches."""


def problem() -> dict[str, Any]:
    random = np.random.default_rng(5)
    X = random.lognormal(0, 1, (30, 5))
    coarse = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1.0]])
    coarsest = np.array([[1, 1, 1, 1, 0], [0, 0, 0, 0, 1.0]])
    truth = random.dirichlet([2] * 5, 25).T
    bulk = (X @ truth) * random.lognormal(0, 0.2, (30, 25))
    sums = [np.eye(5), coarse, coarsest]
    designs = [X @ (part.T / part.sum(axis=1)) @ part for part in sums]
    start = random.uniform(0.001, 0.1, (3, 30))
    return {"designs": designs, "sums": sums, "bulk": bulk, "truth": truth, "start": start}


@pytest.mark.parametrize("layers", [1, 3])
def test_it_equals_hide_deconv(layers: int) -> None:
    expected = json.loads(ORACLE.read_text("utf-8"))[str(layers)]
    given = problem()
    designs = given["designs"][:layers]
    roots, losses = optimise(
        designs,
        given["sums"][:layers],
        bulk=given["bulk"],
        truth=given["truth"],
        start=given["start"][:layers],
        iterations=40,
        watch=silent,
    )
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-12)
    weights = mean_one(roots)
    np.testing.assert_allclose(weights[:, :6], expected["weights"], rtol=1e-11)
    found = estimate(designs, weights, given["bulk"])
    np.testing.assert_allclose(found, expected["composition"], atol=1e-12)


def test_with_one_layer_the_estimate_is_that_of_dtd() -> None:
    given = problem()
    weights = mean_one(given["start"][:1])
    one = estimate(given["designs"][:1], weights, given["bulk"])
    other = dtd.composition(given["designs"][0], given["bulk"], weights[0])
    assert np.abs(one - other).max() < 5e-15


def test_equal_types_end_in_a_sentence() -> None:
    given = problem()
    same = given["designs"][0].copy()
    same[:, 1] = same[:, 0]
    same[:, 2] = np.nan
    with pytest.raises(EngineFailed, match="too alike"):
        estimate([same], np.ones((1, 30)), given["bulk"])


@pytest.fixture(scope="module")
def example() -> Dataset:
    return make_example().dataset


GROUPS = "Lymphocytes = B cells, T cells, NK cells; Myeloid = Monocytes, Dendritic cells"


def test_coarse_fractions_are_the_sums_of_the_fine_ones(example: Dataset) -> None:
    found = run_hide(example, HideParams(layers=GROUPS, **SMALL), progress=silent)
    assert list(found.layers) == ["groups", FINEST]
    coarse, fine = found.layers["groups"], found.layers[FINEST]
    assert fine is found.composition
    for name in coarse.index:
        members = [t for t, own in found.parents["groups"].items() if own == name]
        np.testing.assert_allclose(coarse.loc[name], fine.loc[members].sum(), atol=1e-14)
    np.testing.assert_allclose(coarse.sum(), 1.0)
    assert found.gene_weights is not None
    np.testing.assert_allclose(found.gene_weights.mean(), 1.0)
    assert found.second_opinion is not None
    assert found.fits()
    again = run_hide(example, HideParams(layers=GROUPS, **SMALL), progress=silent)
    pd.testing.assert_frame_equal(again.composition, found.composition, check_exact=True)
    method = BUILT_IN["hide"]
    assert method.can(Capability.LAYERS)
    assert method.can(Capability.WEIGHTS)


def test_layers_are_in_order_whatever_their_columns_are_called(example: Dataset) -> None:
    assert example.train is not None
    labels = pd.Series(example.train.labels.astype(str))
    major = labels.where(labels == "B cells", "rest").to_numpy()
    minor = labels.where(labels.isin(["B cells", "T cells"]), "others").to_numpy()
    obs = example.train.obs.assign(**{FINEST: major, "minor": minor})
    data = replace(example, train=replace(example.train, obs=obs))
    found = run_hide(data, HideParams(layers=f"{FINEST}, minor", **SMALL), progress=silent)
    assert list(found.layers) == [f"{FINEST} (column)", "minor", FINEST], "coarsest first"
    assert [len(frame) for frame in found.layers.values()] == [2, 3, 5]
    assert found.layers[FINEST] is found.composition


def test_the_page_shows_every_layer(example: Dataset) -> None:
    from gui.pages.method import base

    found = run_hide(example, HideParams(**SMALL), progress=silent)
    assert "grouped by the similarity" in " ".join(found.notes)

    class Session:
        dataset = example

        def current(self, _kind: str) -> Any:
            return type("Run", (), {"result": found, "name": "", "title": "HIDE", "kind": "method"})

        def outdated(self, _run: Any) -> str:
            return "outdated"

    coarse = base.composition_of(Session(), "layer:0")  # type: ignore[arg-type]
    assert coarse is not None
    assert coarse.frame is found.layers["groups by similarity"]
    assert base.composition_of(Session(), "layer:1") is None  # type: ignore[arg-type]


def cells_with(obs: pd.DataFrame, labels: list[str]) -> Cells:
    matrix = Matrix(np.ones((1, len(labels))), pd.Index(["g"]), pd.Index(range(len(labels))))
    return Cells(matrix, np.array(labels, dtype=object), obs)


def test_layers_come_from_columns_of_the_cells() -> None:
    labels = ["a", "a", "b", "c", "d"]
    obs = pd.DataFrame(
        {
            "major": ["X", "X", "X", "Y", "Y"],
            "minor": ["P", "P", "Q", "R", "R"],
            "donor": ["1", "2", "1", "1", "1"],
            "gaps": ["X", "X", None, "Y", "Y"],
        }
    )
    cells, reference = cells_with(obs, labels), pd.DataFrame(1.0, index=["g"], columns=list("abcd"))
    found, notes = layers_of("major, minor", cells, reference)
    assert [layer.name for layer in found] == ["minor", "major"], "finest of them first"
    assert found[1].matrix(list("abcd")).tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    assert notes == []
    for text, said in (
        ("donor", "has 1 and 2"),
        ("gaps", "has none"),
        ("lane", "no column “lane”; they have major"),
        ("a = a, b; b = c", "d is in no group"),
        ("x = a, b; y = b, c, d", "“b” is in two groups"),
        ("x = a, b, c, d", "it must have fewer, and at least two"),
        ("x = a; y = b; z = c; w = d", "it must have fewer"),
        ("x = a, nobody", "no cell type “nobody”"),
        ("=a", "no group"),
    ):
        with pytest.raises(InvalidParameter, match=said.replace("(", ".")):
            layers_of(text, cells, reference)


def test_similar_types_are_grouped_and_too_few_are_refused() -> None:
    random = np.random.default_rng(1)
    base = random.lognormal(0, 2, (200, 2))
    own = np.column_stack([base[:, k] * random.lognormal(0, 0.1, 200) for k in (0, 0, 1, 1, 1)])
    reference = pd.DataFrame(own, columns=list("abcde"))
    (layer,), notes = layers_of("", cells_with(pd.DataFrame(index=range(1)), ["a"]), reference)
    assert set(layer.names) == {"a + b", "c + d + e"}
    assert "a + b; c + d + e" in notes[0]
    with pytest.raises(InvalidParameter, match="too few"):
        layers_of("", cells_with(pd.DataFrame(index=range(1)), ["a"]), reference[["a", "b", "c"]])


def test_types_that_are_all_alike_are_not_grouped() -> None:
    column = np.random.default_rng(1).lognormal(0, 2, 50)
    reference = pd.DataFrame(dict.fromkeys("abcd", column))
    with pytest.raises(InvalidParameter, match="too alike"):
        layers_of("", cells_with(pd.DataFrame(index=range(1)), ["a"]), reference)


@pytest.mark.parametrize("options", [(), ("--model", "naive"), ("--method", "deconomix")])
def test_layers_without_hide_are_refused(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert analyze(["--example", "--layers", "A = B cells", *options]) == 2
    assert "--layers has no effect without --method hide" in capsys.readouterr().err
