"""Logarithms to any base with any offset are undone as they were taken, or said to be uncertain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Matrix
from gui.data.load import FileChoice, LoadRequest, read_parts
from gui.data.validation.examine import examine
from gui.data.validation.findings import Finding
from gui.data.validation.log_base import LogForm, log_floor, log_form
from gui.data.validation.repairs import UndoLog

LOGS = {"2": np.log2, "e": np.log, "10": np.log10}
RNG = np.random.default_rng(11)
EXPRESSED = np.exp(RNG.normal(3, 2.4, (700, 1)) + RNG.normal(0, 0.4, (700, 8)))
EXPRESSED[RNG.random((700, 8)) < 0.15] = 0
TPM = (EXPRESSED / EXPRESSED.sum(axis=0) * 1e6).round(2)
COUNTS = RNG.poisson(EXPRESSED * 40).astype(float)
FPKM = TPM * RNG.uniform(0.1, 0.4, 8)  # of no one sum, and not whole
GENES = pd.Index([f"G{i}" for i in range(700)])
SAMPLES = pd.Index([f"S{i}" for i in range(8)])
VALUES = {"tpm": TPM, "counts": COUNTS, "fpkm": FPKM}


def found(folder: Path, values: np.ndarray) -> Finding:
    frame = pd.DataFrame(values.round(5), GENES, SAMPLES)
    frame.to_csv(folder / "b.tsv", sep="\t", index_label="gene")
    request = LoadRequest(files={"bulk": FileChoice(path=folder / "b.tsv")})
    codes = ("log-values", "negative-log-values")
    (one,) = [x for x in examine(request).findings if x.code in codes]
    return one


def undone(finding: Finding, values: np.ndarray) -> np.ndarray:
    (first, *_) = [r for r in (finding.repair, *finding.alternatives) if isinstance(r, UndoLog)]
    return np.asarray(first.linear(values.round(5)))


@pytest.mark.parametrize("offset", [0.001, 0.01, 0.1, 0.5, 1, 5, "half"])
@pytest.mark.parametrize("base", LOGS)
@pytest.mark.parametrize("kind", VALUES)
def test_the_values_come_back_or_the_base_is_asked_for(
    kind: str, base: str, offset: float | str, tmp_path: Path
) -> None:
    linear = VALUES[kind]
    added = linear[linear > 0].min() / 2 if offset == "half" else float(offset)
    values = LOGS[base](linear + added)
    one = found(tmp_path, values)
    back = undone(one, values)
    exact = np.abs(back - linear).max() < 0.01 * linear.max()
    asked = one.repair is None and "do not tell the base for certain" in one.advice
    assert exact or asked
    if kind != "fpkm" or offset in (0.001, 0.01, 0.1, 5):
        assert exact
        assert one.repair is not None
    if asked:
        bases = {r.base for r in one.alternatives if isinstance(r, UndoLog)}
        assert bases == set(LOGS)


def tables(count: int, seed: int) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """Simulated tables: base, offset, genes x samples; of many sizes, units and roundings."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        genes, samples = int(rng.choice([120, 800, 3000])), int(rng.choice([5, 8, 20, 60]))
        profile = np.exp(rng.normal(2, rng.uniform(1.5, 3), (genes, 1)))
        profile = profile * np.exp(rng.normal(0, rng.uniform(0.2, 0.8), (genes, samples)))
        lengths = np.exp(rng.normal(7.6, 0.8, (genes, 1)))
        depth = np.exp(rng.normal(np.log(2e3), 0.6, samples)) * genes
        counts = rng.poisson(profile / profile.sum(axis=0) * depth).astype(float)
        rates = counts / lengths
        quartile = np.array([np.quantile(c[c > 0], 0.75) for c in counts.T])
        linear = {
            "counts": counts,
            "expected": counts * rng.uniform(0.95, 1, counts.shape),
            "fpkm": rates / depth * 1e9,
            "fpkm-uq": rates / quartile * 1e9,
            "tpm": rates / rates.sum(axis=0) * 1e6,
            "cpm": counts / counts.sum(axis=0) * 1e6,
            "size factors": counts / np.exp(rng.normal(0, 0.4, samples)),
        }[str(rng.choice(["counts", "expected", "fpkm", "fpkm-uq", "tpm", "cpm", "size factors"]))]
        decimals = int(rng.choice([2, 3, 6, 15]))
        keep = rng.random(genes) < rng.choice([0.3, 1, 1])
        base, offset = str(rng.choice(list(LOGS))), float(rng.choice([1, 1, 1, 0.1, 0.001]))
        values = LOGS[base](linear.round(decimals)[keep] + offset)
        names = [f"G{i}" for i in np.flatnonzero(keep)]
        yield base, offset, pd.DataFrame(values.round(int(rng.choice([3, 5, 15]))), index=names)


def test_no_base_is_certain_and_wrong_and_most_are_certain() -> None:
    said = {"right": 0, "wrong": 0, "open": 0}
    for base, _, frame in tables(180, seed=3):
        matrix = Matrix(frame.to_numpy(), frame.index, frame.columns)
        form = log_form(matrix, "bulk") if frame.min().min() >= 0 else log_floor(matrix)
        if form is None:
            continue
        outcome = ("right" if form.base == base else "wrong") if form.certain else "open"
        said[outcome] += 1
    assert said["wrong"] == 0
    assert said["right"] > 0.65 * sum(said.values()), said


@pytest.mark.parametrize("seed", range(6))
def test_fpkm_uq_in_base_e_is_never_taken_for_base_2(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.exp(rng.normal(4, 2.5, (800, 10))))
    linear = counts / np.exp(rng.normal(7.3, 0.9, (800, 1))) / np.quantile(counts, 0.75) * 1e9
    values = np.log(linear * rng.uniform(0.6, 1.6, 10) + 1)
    assert values.max() > 16.2  # 2 to that is plausible, too
    matrix = Matrix(values, pd.Index([f"G{i}" for i in range(800)]), pd.RangeIndex(10))
    assert not log_form(matrix, "bulk").certain


def test_a_name_tells_the_base_where_the_values_do_not() -> None:
    values = np.log2(FPKM * RNG.uniform(0.5, 2, FPKM.shape) + 1)
    matrix = Matrix(values, pd.Index([f"G{i}" for i in range(700)]), pd.RangeIndex(8))
    assert not log_form(matrix, "bulk", "expression.tsv").certain
    for name, base in (
        ("TCGA-BRCA.htseq_fpkm.tsv.gz", "2"),
        ("TCGA-BRCA.star_fpkm-uq.tsv", "2"),
        ("OmicsExpressionProteinCodingGenesTPMLogp1.csv", "2"),
        ("my_log10_fpkm.csv", "10"),
        ("pseudobulk_log1p.csv", "e"),
        ("fpkm_ln.csv", "e"),
    ):
        form = log_form(matrix, "bulk", name)
        assert (form.base, form.certain) == (base, True), name
    for name in ("clinical_lnk.csv", "genealogy.tsv", "catalog1.csv", "log2_or_log10.csv"):
        assert not log_form(matrix, "bulk", name).certain, name
    # the values say more than a name
    counts = Matrix(np.log(COUNTS + 1), matrix.genes, matrix.columns)
    assert log_form(counts, "bulk", "log2.csv") == LogForm("e", 1.0, certain=True)


def test_values_of_vst_and_arrays_are_proposed_in_base_2_and_said_to_be_approximate(
    tmp_path: Path,
) -> None:
    values = np.log2(FPKM * RNG.uniform(0.5, 2, FPKM.shape) + 40)
    one = found(tmp_path, values + RNG.normal(0, 0.05, values.shape))
    assert isinstance(one.repair, UndoLog)
    assert one.repair.base == "2"
    assert "do not tell the base" in one.advice
    assert "approximate" in one.advice


@pytest.mark.parametrize("name", ["matrix.log2.tsv", "TARGET-AML.htseq_fpkm-uq.tsv"])
def test_a_base_that_only_the_name_of_the_file_tells_is_said_to_be_from_there(name: str) -> None:
    matrix = Matrix(np.log2(FPKM * RNG.lognormal(0, 0.1, FPKM.shape) + 1), GENES, SAMPLES)
    assert log_form(matrix, "bulk", name) == LogForm("2", 1.0, True, by_name=True)
    assert not log_form(matrix, "bulk", "matrix.tsv").certain
    # of counts the values would tell it
    assert not log_form(matrix, "bulk", "htseq_counts_normalised.tsv").certain
    counts = Matrix(np.log2(COUNTS + 1), GENES, SAMPLES)
    assert log_form(counts, "bulk", name) == LogForm("2", 1.0, True)


def test_expressed_genes_alone_in_base_e_are_not_taken_for_stabilised_values() -> None:
    expressed = EXPRESSED[EXPRESSED.min(axis=1) > 5] * RNG.lognormal(0, 0.1, 8)
    genes = pd.Index([f"G{i}" for i in range(len(expressed))])
    for base, usual in (("e", False), ("2", True)):
        # as FPKM, and as VST of as many reads as there mostly are
        linear = expressed * (1 if base == "e" else 2.0**13 / expressed.max())
        values = LOGS[base](linear + (1 if base == "e" else 4))
        found = log_form(Matrix(values, genes, SAMPLES), "bulk")
        assert values.min() > 1.5
        assert (found.certain, found.usual) == (False, usual)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("base", LOGS)
@pytest.mark.parametrize("written", ["-Inf", "-inf"])  # by R and by pandas
def test_minus_infinity_is_the_logarithm_of_zero(
    kind: str, base: str, written: str, tmp_path: Path
) -> None:
    linear = VALUES[kind]
    with np.errstate(divide="ignore"):
        values = LOGS[base](linear)
    frame = pd.DataFrame(values.round(5), GENES, SAMPLES)
    text = frame.to_csv(sep="\t", index_label="gene").replace("-inf", written)
    (tmp_path / "b.tsv").write_text(text)
    request = LoadRequest(files={"bulk": FileChoice(path=tmp_path / "b.tsv")})
    findings = examine(request).findings
    assert "missing-values" not in {x.code for x in findings}, "no gene has to be left out"
    (one,) = [x for x in findings if x.code == "log-values"]
    assert "minus infinity is the logarithm of 0" in one.message
    back = undone(one, values)
    exact = np.abs(back - linear).max() < 0.01 * linear.max()
    assert exact or (one.repair is None and "do not tell the base for certain" in one.advice)
    if kind != "fpkm":
        assert exact
    # what the user may choose has no offset, and no choice keeps what is not finite
    for choice in (one.repair, *one.alternatives):
        assert choice is None or (isinstance(choice, UndoLog) and choice.offset == 0)


def test_gaps_beside_minus_infinity_are_still_gaps(tmp_path: Path) -> None:
    with np.errstate(divide="ignore"):
        values = np.log2(TPM)
    values[5, 2] = np.nan
    frame = pd.DataFrame(values, GENES, SAMPLES)
    frame.to_csv(tmp_path / "b.tsv", sep="\t", index_label="gene", na_rep="NA")
    files = {"bulk": FileChoice(path=tmp_path / "b.tsv")}
    findings = {x.code: x for x in examine(LoadRequest(files=files)).findings}
    gap, log = findings["missing-values"], findings["log-values"]
    assert "1 gene with missing values: G5" in gap.advice
    repairs = (gap.repair, log.repair)
    assert None not in repairs
    parts, _ = read_parts(LoadRequest(files=files, repairs=repairs))
    kept = np.delete(np.arange(700), 5)
    np.testing.assert_allclose(parts["bulk"].matrix.values, TPM[kept], rtol=1e-9, atol=1e-9)


def test_something_divided_by_zero_is_no_logarithm(tmp_path: Path) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log2(COUNTS[:, 1:] / COUNTS[:, :1])
    assert np.isposinf(values).any()
    assert np.isneginf(values).any()
    frame = pd.DataFrame(values, GENES, SAMPLES[1:])
    frame.to_csv(tmp_path / "b.tsv", sep="\t", index_label="gene")
    request = LoadRequest(files={"bulk": FileChoice(path=tmp_path / "b.tsv")})
    codes = {x.code for x in examine(request).findings}
    assert "missing-values" in codes
    assert "log-values" not in codes


def variance_stabilised(counts: np.ndarray, dispersion: float, extra_poisson: float) -> np.ndarray:
    """DESeq2's vst with a parametric fit of the dispersions (DESeq2 vignette; Anders and Huber
    2010): extra_poisson + 1 and the asymptotic dispersion are those of the fit.
    """
    a, q = dispersion, counts
    one = 1 + extra_poisson
    return np.log2((one + 2 * a * q + 2 * np.sqrt(a * q * (one + a * q))) / (4 * a))


@pytest.mark.parametrize(("dispersion", "extra"), [(0.05, 2.0), (0.3, 0.5), (0.01, 4.0)])
def test_variance_stabilised_counts_of_deseq2_come_near_the_counts(
    dispersion: float, extra: float, tmp_path: Path
) -> None:
    normalised = COUNTS / RNG.lognormal(0, 0.3, 8)
    values = variance_stabilised(normalised, dispersion, extra)
    one = found(tmp_path, values)
    assert isinstance(one.repair, UndoLog)
    assert one.repair.base == "2"
    assert "approximate" in one.advice
    assert "do not tell the base for certain" in one.advice
    back = undone(one, values)
    assert back[normalised == 0].max() < 1e-3 * back.max()
    near = normalised > 200 * (1 + extra) / (4 * dispersion)
    assert near.sum() > 100
    np.testing.assert_allclose(back[near], normalised[near], rtol=0.02)


@pytest.mark.parametrize("depth", [1.0, 0.02])
def test_regularised_logarithms_are_never_taken_for_linear(depth: float, tmp_path: Path) -> None:
    """As DESeq2's rlog: differences from the mean of a gene shrink where its counts are low."""
    logs = np.log2(RNG.poisson(COUNTS * depth) + 0.5)
    mean = logs.mean(axis=1, keepdims=True)
    shrunk = 1 / (1 + 4 / (COUNTS.mean(axis=1, keepdims=True) * depth + 1))
    one = found(tmp_path, mean + shrunk * (logs - mean))
    assert isinstance(one.repair, UndoLog)
    assert one.repair.base == "2"


def test_three_added_in_base_e_is_not_taken_for_stabilised_counts() -> None:
    linear = FPKM * RNG.uniform(0.5, 2, FPKM.shape) * 40
    form = log_form(Matrix(np.log(linear + 3), GENES, SAMPLES), "bulk")
    assert np.log(linear + 3).max() > 11.5
    assert not form.usual or form.base == "e"


@pytest.mark.parametrize("name", ["de.rnk", "sorted.tsv", "minus_log10_p.rnk"])
def test_a_ranking_of_genes_is_no_expression(name: str, tmp_path: Path) -> None:
    statistic = np.random.default_rng(2).normal(0, 1.7, 700).round(4)
    if name == "sorted.tsv":
        statistic = np.sort(statistic)[::-1]
    elif name != "de.rnk":
        statistic = np.abs(statistic)
    path = tmp_path / name
    path.write_text("".join(f"{g}\t{v}\n" for g, v in zip(GENES, statistic, strict=True)))
    findings = {
        x.code: x for x in examine(LoadRequest(files={"bulk": FileChoice(path=path)})).findings
    }
    assert findings["scaled-values"].severity == "refusal"
    assert "ranks the genes" in findings["scaled-values"].message
    assert findings["scaled-values"].repair is None
    assert "negative-log-values" not in findings


def test_a_sample_sorted_by_expression_is_no_ranking(tmp_path: Path) -> None:
    for values in (np.log2(TPM[:, 0] + 1), TPM[:, 0]):
        path = tmp_path / "b.tsv"
        rows = zip(GENES, np.sort(values)[::-1], strict=True)
        path.write_text("gene\tP1\n" + "".join(f"{g}\t{v:.4f}\n" for g, v in rows))
        codes = {
            x.code for x in examine(LoadRequest(files={"bulk": FileChoice(path=path)})).findings
        }
        assert "scaled-values" not in codes


def test_ratios_to_the_mean_of_a_gene_are_no_logarithms_of_expression(tmp_path: Path) -> None:
    """A sample without a gene has minus infinity there, and no sample plus infinity."""
    with np.errstate(divide="ignore"):
        values = np.log2(COUNTS / (COUNTS.mean(axis=1, keepdims=True) + 1e-9))
    assert np.isneginf(values).any()
    frame = pd.DataFrame(values, GENES, SAMPLES)
    frame.to_csv(tmp_path / "b.tsv", sep="\t", index_label="gene")
    request = LoadRequest(files={"bulk": FileChoice(path=tmp_path / "b.tsv")})
    findings = {x.code: x for x in examine(request).findings}
    assert "log-values" not in findings
    assert findings["scaled-values"].severity == "refusal"
