"""Gene sets: published numbers, gseapy to 1e-12, and what is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gui.errors import BadValues, DataError
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.over_representation import hypergeometric_p, over_representation
from gui.statistics.ranked_enrichment import (
    enrichment_scores,
    ranked_enrichment,
    ranking,
    running_sum,
)

GENES = [f"G{i}" for i in range(800)]


def random_sets(seed: int, count: int = 30) -> dict[str, set[str]]:
    rng = np.random.default_rng(seed)
    return {
        f"S{i:02}": set(rng.choice(GENES, rng.integers(3, 200), replace=False).tolist())
        for i in range(count)
    }


def scores(seed: int = 0) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(size=len(GENES)), GENES)


def test_three_of_300_against_40_of_30000() -> None:
    assert hypergeometric_p(np.array([3]), np.array([40]), 300, 30_000)[0] == pytest.approx(
        0.00744, abs=5e-6
    )


def test_hypergeometric_is_fishers_one_sided_test() -> None:
    chosen, sets = set(GENES[:90]), random_sets(1)
    table = over_representation(chosen, GENES, sets).table.set_index("set")
    for name, row in table.iterrows():
        a = row["overlap"]
        b = row["in_background"] - a
        square = [[a, b], [90 - a, 800 - 90 - b]]
        expected = stats.fisher_exact(square, alternative="greater").pvalue
        assert row["p"] == pytest.approx(expected, rel=1e-9)
        assert row["genes"] == tuple(sorted(chosen & sets[name]))
        assert row["fold"] == pytest.approx(a / (row["in_background"] * 90 / 800))


def test_over_representation_is_that_of_gseapy() -> None:
    gseapy = pytest.importorskip("gseapy")
    sets = random_sets(2)
    theirs = gseapy.enrich(
        gene_list=GENES[:120],
        gene_sets={name: sorted(genes) for name, genes in sets.items()},
        background=GENES,
        outdir=None,
        cutoff=1,
    ).results.set_index("Term")["P-value"]
    ours = over_representation(GENES[:120], GENES, sets, smallest=1).table.set_index("set")["p"]
    np.testing.assert_allclose(ours[theirs.index], theirs, rtol=0, atol=1e-12)


def test_sets_without_overlap_count_in_the_family() -> None:
    sets = {"hit": set(GENES[:12]), **{f"none{i}": set(GENES[400 + i : 420 + i]) for i in range(9)}}
    result = over_representation(GENES[:15], GENES, sets)
    table = result.table
    assert table["set"].iloc[0] == "hit"
    assert (table["p"].iloc[1:] == 1).all()
    np.testing.assert_allclose(table["p_adjusted"], benjamini_hochberg(table["p"]))
    assert table["p_adjusted"].iloc[0] == pytest.approx(10 * table["p"].iloc[0])


def test_background_is_the_genes_in_use_and_sizes_are_after_intersection() -> None:
    sets = {
        "nine": set(GENES[:9]) | {f"other{i}" for i in range(30)},
        "ten": set(GENES[:10]) | {"other"},
        "500": set(GENES[:500]),
        "501": set(GENES[:501]),
    }
    result = over_representation([*GENES[:20], "unknown"], GENES, sets)
    assert set(result.table["set"]) == {"ten", "500"}
    assert result.skipped == {"nine": 9, "501": 501}
    assert (result.genes, result.background) == (20, 800)
    ten = result.table.set_index("set").loc["ten"]
    assert (ten["size"], ten["in_background"], ten["overlap"]) == (11, 10, 10)
    assert any("2 sets have fewer than 10 or more than 500" in note for note in result.notes)
    assert any("1 of the chosen genes" in note for note in result.notes)
    with pytest.raises(DataError, match="None of the chosen genes"):
        over_representation(["ENSG0001"], GENES, sets)
    with pytest.raises(DataError, match="No gene set has 10 to 500"):
        over_representation(GENES[:20], GENES, {"nine": sets["nine"]})


def test_enrichment_scores_and_leading_edges_are_those_of_gseapy() -> None:
    gseapy = pytest.importorskip("gseapy")
    sets = random_sets(3)
    theirs = gseapy.prerank(
        rnk=scores(),
        gene_sets={name: sorted(genes) for name, genes in sets.items()},
        min_size=10,
        max_size=500,
        permutation_num=10,
        outdir=None,
        seed=1,
        threads=1,
    ).res2d.set_index("Term")
    ours = ranked_enrichment(scores(), sets, permutations=50).table.set_index("set")
    assert set(ours.index) == set(theirs.index)
    for name, row in theirs.iterrows():
        assert ours.loc[name, "es"] == pytest.approx(float(row["ES"]), abs=1e-12)
        assert set(ours.loc[name, "leading_edge"]) == set(row["Lead_genes"].split(";"))


def test_score_is_the_extreme_of_the_running_sum() -> None:
    ranked = ranking(scores(5))
    strength = ranked.abs().to_numpy()
    for genes in random_sets(4).values():
        curve = running_sum(ranked, genes)
        extreme = curve.curve[np.argmax(np.abs(curve.curve))]
        assert curve.es == pytest.approx(extreme, abs=1e-9) or abs(
            abs(curve.es) - abs(extreme)
        ) <= 1.0 / (len(GENES) - len(genes))
        assert curve.curve[-1] == pytest.approx(0, abs=1e-9)
        assert enrichment_scores(strength, curve.hits[None])[0] == curve.es


def test_sets_at_both_ends_come_first_with_their_sign_and_order() -> None:
    ranked = ranking(scores(6))
    sets = random_sets(5) | {"up": set(ranked.index[:40]), "down": set(ranked.index[-40:])}
    result = ranked_enrichment(scores(6), sets, permutations=300)
    table = result.table.set_index("set")
    assert set(table.index[:2]) == {"up", "down"}
    assert table.loc["up", "es"] == pytest.approx(1.0)
    assert table.loc["down", "nes"] < -1
    assert table.loc["down", "leading_edge"][0] == ranked.index[-1]
    assert table.loc["up", "leading_edge"][0] == ranked.index[0]
    assert 0 < table.loc["up", "fdr"] < 0.05
    assert (table["p"] > 0).all()
    assert (table["fdr"] <= 1).all()
    again = ranked_enrichment(scores(6), sets, permutations=300).table
    pd.testing.assert_frame_equal(again, result.table)


def test_random_sets_are_not_called() -> None:
    table = ranked_enrichment(scores(7), random_sets(6, 60), permutations=300).table
    assert (table["fdr"] < 0.05).sum() <= 1
    assert table["p"].between(0, 1).all()
    assert 0.2 < table["p"].median() < 0.8


def test_progress_is_reported_and_may_cancel() -> None:
    seen: list[float] = []
    ranked_enrichment(scores(), random_sets(7), permutations=20, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def cancel(done: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        ranked_enrichment(scores(), random_sets(7), permutations=20, progress=cancel)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.where(s.index != "G5"), "finite score"),
        (lambda s: pd.concat([s, s[:1]]), "G0 is ranked more than once"),
        (lambda s: s * 0, "same score"),
    ],
    ids=["gap", "gene twice", "constant"],
)
def test_scores_that_cannot_be_ranked_are_refused(change, message) -> None:
    with pytest.raises(BadValues, match=message):
        ranked_enrichment(change(scores()), random_sets(8))


def test_scores_shared_by_many_genes_are_said() -> None:
    result = ranked_enrichment(scores().round(1), random_sets(9), permutations=20)
    assert any("same score as another" in note for note in result.notes)
