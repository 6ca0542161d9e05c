"""The analysis of genes on made results: what is called, tested, marked and compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.gene_enrichment import LISTED
from gui.analyses.gene_markers import (
    ABSENT_DOWN,
    ABSENT_UP,
    GAIN,
    LOSS,
    OTHER_DOWN,
    OTHER_UP,
    verdict_of,
)
from gui.analyses.gene_params import GenesParams, regulation_calls
from gui.analyses.genes import GenesResult, run_genes
from gui.answers.genes import family_sentence, looks_like, sentence, shown_tables, sources
from gui.data.dataset import Cells, Dataset, Matrix
from gui.engine.regulation import regulation_of
from gui.engine.results import ADTDResult, BootstrapResult, Provenance, Run
from gui.errors import InvalidParameter, MissingPart
from gui.knowledge.gene_sets import shipped_sets
from gui.knowledge.human_genes import human_genes
from gui.knowledge.own_files import OwnFiles
from gui.sessions.file import file_name, load, save
from gui.sessions.kinds import check_run
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.over_representation import hypergeometric_p
from tests.sessions.samples import ID, WHEN, tiny

TYPES = ["B cells", "Monocytes"]
HYPOXIA = list(shipped_sets("hallmark").sets["HALLMARK_HYPOXIA"][:40])
NO_DATA = Dataset(None, None, None, None)
SETTING = GenesParams(permutations=200)


def genes() -> list[str]:
    """400 human genes: 40 of a set, markers, and others."""
    markers = ["CD79A", "CD19", "MS4A1", "LYZ", "FCN1", "CD14", "VCAN", "S100A8", "PPBP", "PF4"]
    markers += ["GP9", "ACRBP"]
    others = [g for g in sorted(human_genes().symbols) if g.isalpha() and g not in HYPOXIA]
    return [*HYPOXIA, *markers, *[g for g in others if g not in markers][: 400 - 52]]


@pytest.fixture
def result() -> ADTDResult:
    names = pd.Index(genes(), dtype=object)
    rng = np.random.default_rng(0)
    reference = pd.DataFrame(rng.lognormal(0, 1, (400, 2)), index=names, columns=TYPES)
    reference.loc[["CD79A", "CD19", "MS4A1"], "B cells"] *= 20
    delta = pd.DataFrame(2.0 ** rng.normal(0, 0.1, (400, 2)), index=names, columns=TYPES)
    delta.loc[HYPOXIA[:25], "Monocytes"] = 4.0
    delta.loc["FCN1", "Monocytes"] = 4.0
    delta.loc["CD14", "Monocytes"] = 0.1
    delta.loc["CD79A", "Monocytes"] = 8.0
    delta.loc["MS4A1", "Monocytes"] = 0.2
    support = pd.DataFrame(0.5, index=names, columns=TYPES)
    support.loc[HYPOXIA[24], "Monocytes"] = 0.01
    hidden = reference.mean(axis=1)
    hidden.loc[["PPBP", "PF4", "GP9", "ACRBP"]] *= 60
    samples = ["s1", "s2"]
    return ADTDResult(
        composition=pd.DataFrame(0.4, index=TYPES, columns=samples),
        hidden=pd.Series(0.2, index=samples),
        hidden_profile=hidden / hidden.sum(),
        gene_regulation=delta,
        gene_weights=pd.Series(1.0, index=names),
        reference=reference,
        loss=np.array([1.0]),
        support=support,
    )


def nothing(*_: Any, **__: Any) -> None:
    """Progress that nobody sees."""


def analysed(result: ADTDResult, params: GenesParams = SETTING, **more: Any) -> GenesResult:
    found = run_genes(more.pop("dataset", NO_DATA), params, progress=nothing, adtd=result, **more)
    assert found.fits()
    return found


def test_only_supported_and_stable_regulation_counts(result: ADTDResult) -> None:
    table = regulation_of(result, "Monocytes")
    assert table.loc[HYPOXIA[0], "log2"] == 2.0
    assert not table.loc[HYPOXIA[24], "supported"]
    assert table["expression"].sum() == pytest.approx(10_000)
    calls = regulation_calls(result, SETTING)
    up = calls[(calls["cell_type"] == "Monocytes") & (calls["call"] > 0)]["gene"]
    assert set(up) == {*HYPOXIA[:24], "FCN1", "CD79A"}
    every = regulation_calls(result, SETTING.model_copy(update={"supported": False}))
    assert (every["call"] != 0).sum() == (calls["call"] != 0).sum() + 1
    stable = pd.DataFrame(1.0, index=result.reference.index, columns=TYPES)
    stable.loc["FCN1", "Monocytes"] = 0.9
    frame = pd.DataFrame(0.1, index=[*TYPES, "hidden"], columns=["s1", "s2"])
    sure = BootstrapResult(frame, frame, frame, frame, frame, 20, sign_stability=stable)
    held = regulation_calls(result, SETTING, sure)
    assert (held["call"] != 0).sum() == (calls["call"] != 0).sum() - 1
    assert analysed(result, bootstrap=sure).regulated.loc["Monocytes", "up"] == 25


def test_the_raised_set_comes_first_against_the_genes_in_use(result: ADTDResult) -> None:
    found = analysed(result)
    best = found.over.iloc[found.over["p"].argmin()]
    assert (best["cell_type"], best["direction"]) == ("Monocytes", "up")
    assert (best["collection"], best["set"]) == ("Hallmark", "HALLMARK_HYPOXIA")
    assert (best["overlap"], best["size"]) == (24, 200)
    background = int(found.regulated.loc["Monocytes", "background"])
    assert background == 399
    expected = hypergeometric_p(np.array([24]), np.array([best["in_background"]]), 26, background)[
        0
    ]
    assert best["p"] == pytest.approx(expected)
    assert set(best["genes"].split(", ")) == set(HYPOXIA[:24])
    ranked = found.ranked[found.ranked["cell_type"] == "Monocytes"].iloc[0]
    assert ranked["set"] == "HALLMARK_HYPOXIA"
    assert ranked["fdr"] < 0.05
    assert ranked["nes"] > 0
    assert set(HYPOXIA[:24]) <= set(ranked["leading_edge"].split(", "))
    assert "never the genome" in family_sentence(found, SETTING)
    assert "CC BY 4.0" in sources(found.collections)[0]


def test_the_false_discovery_rate_counts_every_test_of_the_run(
    result: ADTDResult, tmp_path: Path
) -> None:
    own = OwnFiles(tmp_path)
    names = genes()
    sets = {f"S{i}": tuple(names[i * 10 : i * 10 + 12]) for i in range(30)}
    key = own.keep("mine.gmt", "a", "", sets=sets).key
    params = GenesParams(sets=(key,), folder=str(tmp_path), permutations=100)
    found = analysed(result, params)
    # both directions of the type with regulation; tests without overlap count, though not listed
    assert found.family == 2 * 30
    listed = found.over.sort_values("p")
    p = np.concatenate([listed["p"], np.ones(found.family - len(listed))])
    np.testing.assert_allclose(listed["p_adjusted"], benjamini_hochberg(p)[: len(listed)])
    assert "mine.gmt" in sources(found.collections)[0]


def test_sets_are_counted_before_the_list_is_cut(result: ADTDResult, tmp_path: Path) -> None:
    names = genes()
    many = LISTED + 50
    sets = {f"S{i}": tuple(HYPOXIA[:20] + names[60 + i : 62 + i]) for i in range(many)}
    key = OwnFiles(tmp_path).keep("many.gmt", "a", "", sets=sets).key
    found = analysed(result, GenesParams(sets=(key,), folder=str(tmp_path), permutations=100))
    assert found.regulated.loc["Monocytes", "over"] == many
    assert len(found.over) <= 2 * LISTED
    assert f"{many} gene sets over-represented" in sentence(found)
    assert any("The tables list the 200 best gene sets" in note for note in found.notes)
    assert any("50 more" in note or "100 more" in note for note in found.notes)


def test_two_files_of_one_name_are_both_tested(result: ADTDResult, tmp_path: Path) -> None:
    own = OwnFiles(tmp_path)
    first = own.keep("my · best.gmt", "a", "", sets={"S": tuple(HYPOXIA[:25])}).key
    second = own.keep("my · best.gmt", "b", "", sets={"S": tuple(genes()[60:90])}).key
    params = GenesParams(sets=(first, second), folder=str(tmp_path), permutations=100)
    found = analysed(result, params)
    assert found.family == 4
    assert list(found.collections["name"]) == ["my · best.gmt", "my · best.gmt (2)"]
    assert list(found.collections["tested"]) == [1, 1]
    best = found.over.iloc[found.over["p"].argmin()]
    assert (best["collection"], best["set"], best["overlap"]) == ("my · best.gmt", "S", 24)


def test_a_ranking_without_differences_or_with_many_ties_is_said(result: ADTDResult) -> None:
    delta = result.gene_regulation
    assert delta is not None
    flat = delta.copy()
    flat["B cells"] = 1.0
    found = analysed(replace(result, gene_regulation=flat))
    assert any("same regulation in B cells" in note for note in found.notes)
    assert not any("No gene set has" in note for note in found.notes)
    floor = delta.copy()
    floor.loc[genes()[100:200], "Monocytes"] = 0.0
    found = analysed(replace(result, gene_regulation=floor))
    (note,) = [note for note in found.notes if "the order of the reference" in note]
    assert "In Monocytes" in note
    assert "log2 -10" in note


def test_sources_name_versions_and_licences_of_marker_lists(result: ADTDResult) -> None:
    found = analysed(result)
    table = found.tables()["gene_sets"]
    shipped = table[table["kind"] == "markers"].iloc[0]
    assert "BSD-3-Clause" in shipped["licence"]
    assert "10.1093/nargab/lqab102" in shipped["citation"]
    assert table.loc["hallmark", "sets"] == 50
    captions = [caption for caption in shown_tables(found) if "arkers" in caption]
    assert len(captions) == 2
    assert all("GPL-3.0" in caption for caption in captions)


def test_markers_say_whether_the_direction_fits(result: ADTDResult) -> None:
    found = analysed(result).markers.set_index("gene")
    assert found.loc["FCN1", "verdict"] == GAIN
    assert found.loc["CD14", "verdict"] == LOSS
    assert found.loc["CD79A", "verdict"] == OTHER_UP
    assert found.loc["MS4A1", "verdict"] == OTHER_DOWN
    assert "B cell" in found.loc["CD79A", "marker_of"]
    assert bool(found.loc["FCN1", "own"])
    assert not bool(found.loc["CD79A", "own"])


@pytest.mark.parametrize(
    ("run_type", "gene", "log2", "verdict"),
    [
        ("T cells CD4 conv", "CD3E", 2.0, GAIN),
        ("T cells CD8", "CD3E", -2.0, LOSS),
        ("CD4 T cells", "CD3E", 2.0, GAIN),
        ("Memory B cells", "MS4A1", 2.0, GAIN),
        ("CD14 Mono", "CD14", 2.0, GAIN),
        ("Monocytes", "CD3E", 2.0, OTHER_UP),
        ("T cells", "NOT_T", 2.0, ABSENT_UP),
        ("CD8 T cells", "NOT_T", -2.0, ABSENT_DOWN),
        ("Monocytes", "NOT_T", 2.0, OTHER_UP),
    ],
)
def test_a_marker_of_the_family_or_of_a_subtype_is_its_own(
    run_type: str, gene: str, log2: float, verdict: str
) -> None:
    said = {
        "CD3E": [("T cell", "+", "a")],
        "MS4A1": [("B cell", "+", "a")],
        "CD14": [("Classical monocyte", "+", "a")],
        "NOT_T": [("T cell", "-", "a"), ("Naive CD8 T cell", "-", "a")],
    }
    _, own, found, _ = verdict_of(run_type, said[gene], log2)
    assert found == verdict
    assert own is (verdict not in (OTHER_UP, OTHER_DOWN))


def test_the_hidden_profile_is_told_by_its_markers(result: ADTDResult) -> None:
    found = analysed(result)
    assert found.likeness.profiles.empty
    assert found.likeness.markers.index[0] == "Platelet"
    assert "by its markers most like Platelet" in sentence(found)
    assert "no known profile fits; by markers, Platelet" in looks_like(found.likeness, TYPES)
    assert "next:" in looks_like(found.likeness, TYPES)
    renamed = replace(
        result,
        gene_regulation=None,
        support=None,
        reference=result.reference.rename(columns={"B cells": "Platelets"}),
    )
    there = analysed(renamed)
    assert "which the reference has as Platelets" in looks_like(there.likeness, there.types)
    assert there.regulated.empty


@pytest.mark.parametrize("regulated", [True, False], ids=["h,r", "h"])
def test_solutions_with_the_same_fit_look_like_the_same(
    result: ADTDResult, regulated: bool
) -> None:
    """x' = (x + (Delta X) b) / (1 + sum b) leaves every residual as it is."""
    delta = result.gene_regulation
    assert delta is not None
    delta = delta.copy()
    delta.loc[["PPBP", "PF4", "GP9", "ACRBP"], "Monocytes"] = 30.0
    run = replace(result, gene_regulation=delta if regulated else None, support=None)
    used = run.reference / run.reference.sum() * (delta if regulated else 1.0)
    rng = np.random.default_rng(5)
    other = pd.DataFrame(rng.lognormal(0, 1, (400, 2)), index=used.index, columns=["X", "Y"])
    data = Dataset(cells_of(pd.concat([run.reference, other], axis=1)), None, None, None)
    x = other["X"] / other["X"].sum()
    found = []
    for b in (0.0, 1.0, 3.0):
        moved = replace(run, hidden_profile=(x + used["Monocytes"] * b) / (1 + b))
        found.append(analysed(moved, GenesParams(sets=()), dataset=data).likeness)
    assert found[0].markers["fits"].sum() == 0
    for one in found[1:]:
        pd.testing.assert_frame_equal(one.markers, found[0].markers, rtol=1e-6)
        np.testing.assert_allclose(one.profiles["explained"], found[0].profiles["explained"])


def cells_of(profiles: pd.DataFrame) -> Cells:
    """Ten equal cells of each type."""
    labels = np.repeat(profiles.columns.to_numpy(dtype=object), 10)
    names = pd.Index([f"c{i}" for i in range(len(labels))], dtype=object)
    matrix = Matrix(np.repeat(profiles.to_numpy(), 10, axis=1), profiles.index, names)
    return Cells(matrix, labels, pd.DataFrame(index=names))


def test_nothing_known_fits_is_an_answer(result: ADTDResult) -> None:
    rng = np.random.default_rng(5)
    others = pd.DataFrame(
        rng.lognormal(0, 1, (400, 2)), index=result.reference.index, columns=["X", "Y"]
    )
    profile = pd.Series(rng.lognormal(0, 1, 400), index=result.reference.index)
    unknown = replace(result, hidden_profile=profile / profile.sum())
    data = Dataset(cells_of(pd.concat([result.reference, others], axis=1)), None, None, None)
    found = analysed(unknown, GenesParams(sets=(), markers=()), dataset=data)
    assert list(found.likeness.profiles["fits"]) == [False, False]
    assert "nothing known fits" in sentence(found)
    assert "15 % are needed" in looks_like(found.likeness, TYPES)
    known = replace(result, hidden_profile=others["Y"] / others["Y"].sum())
    found = analysed(known, GenesParams(sets=(), markers=()), dataset=data)
    assert found.likeness.profiles.index[0] == "Y"
    assert found.likeness.profiles["explained"].iloc[0] > 0.9
    assert "most like Y" in sentence(found)
    alone = analysed(unknown, GenesParams(sets=(), markers=()))
    assert "no known type to compare with" in looks_like(alone.likeness, TYPES)


def test_an_empty_hidden_profile_and_a_run_without_regulation_are_said(result: ADTDResult) -> None:
    bare = replace(
        result, gene_regulation=None, support=None, hidden_profile=result.hidden_profile * 0
    )
    found = analysed(bare)
    assert any("no gene regulation" in note for note in found.notes)
    assert found.over.empty
    assert found.ranked.empty
    assert "nothing known fits" in sentence(found)
    assert list(found.tables()) == ["gene_sets"]
    assert shown_tables(found) == {}


def test_what_cannot_be_done_is_refused(result: ADTDResult, tmp_path: Path) -> None:
    with pytest.raises(MissingPart):
        run_genes(NO_DATA, SETTING, progress=nothing)
    with pytest.raises(InvalidParameter, match="kegg"):
        analysed(result, GenesParams(sets=("kegg",)))
    with pytest.raises(MissingPart):
        analysed(result, GenesParams(sets=("own:gone",), folder=str(tmp_path)))
    with pytest.raises(InvalidParameter):
        analysed(result, GenesParams(smallest=50, largest=20))


def test_genes_under_ensembl_ids_are_found_too(result: ADTDResult) -> None:
    ids = {symbol: ensembl for ensembl, symbol in human_genes().by_ensembl.items()}
    names = pd.Index([ids.get(g, g) for g in result.reference.index], dtype=object)
    renamed = replace(
        result,
        reference=result.reference.set_axis(names),
        gene_regulation=result.gene_regulation.set_axis(names),  # type: ignore[union-attr]
        support=result.support.set_axis(names),  # type: ignore[union-attr]
        hidden_profile=result.hidden_profile.set_axis(names),
        gene_weights=result.gene_weights.set_axis(names),
    )
    plain, found = analysed(result), analysed(renamed)
    pd.testing.assert_frame_equal(
        found.over.drop(columns="genes"), plain.over.drop(columns="genes")
    )
    assert found.likeness.markers.index[0] == "Platelet"


def test_a_result_is_kept_in_a_session_file_and_comes_back(
    result: ADTDResult, tmp_path: Path
) -> None:
    params = GenesParams(folder=str(tmp_path), sets=("hallmark", "go_bp"), permutations=100)
    found = analysed(result, params)
    run = Run("r", "genes", "Genes", WHEN, params, found, Provenance("t", "b"))
    path = tmp_path / file_name(ID)
    save(path, tiny(runs=(run,)), expected_generation=None)
    (back,) = load(path).runs
    check_run(back)
    for name, table in found.tables().items():
        pd.testing.assert_frame_equal(back.result.tables()[name], table, check_dtype=False)
    assert back.params == params.model_copy(update={"folder": ""})
    assert str(tmp_path) not in repr(back.params)
    torn = replace(run, result=replace(found, calls=found.calls.iloc[:, :1]))
    with pytest.raises(ValueError, match="does not fit together"):
        check_run(torn)
