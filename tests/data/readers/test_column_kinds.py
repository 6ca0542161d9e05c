"""Of the columns that tools write into one table, the samples are found and the rest is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gui.data.readers.column_kinds import classify_columns, is_summary_row
from gui.knowledge.human_genes import human_genes

GENES = sorted(s for s in human_genes().by_ensembl.values() if s.isalpha())[:1500:5]
ENSEMBL = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
ENTREZ = {symbol: gene for gene, symbol in human_genes().by_entrez.items()}
N = len(GENES)


def samples(count: int, *, whole: bool = False, seed: int = 1) -> dict[str, np.ndarray]:
    """Expression of a few samples of one tissue: a tenth is zero."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(4, 2, N)
    made = {}
    for k in range(count):
        values = np.exp(mean + rng.normal(0, 0.5, N)) * (rng.random(N) > 0.1)
        made[f"PT{k + 1:02}"] = np.rint(values) if whole else values.round(4)
    return made


def other_columns(seed: int = 2) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    start = rng.integers(10_000, 240_000_000, N)
    length = np.exp(rng.normal(7.7, 0.8, N)).astype(int) + 60
    probability = rng.random(N).round(4)
    return {
        "Ensembl": [f"{ENSEMBL[g]}.{i % 20}" for i, g in enumerate(GENES)],
        "Entrez": np.array([float(ENTREZ.get(g, 10_000 + i)) for i, g in enumerate(GENES)]),
        "Chr": [f"chr{i % 22 + 1}" for i in range(N)],
        "Start": start.astype(float),
        "End": (start + length).astype(float),
        "Strand": ["+-"[i % 2] for i in range(N)],
        "Length": length.astype(float),
        "biotype": ["protein_coding" if i % 3 else "lncRNA" for i in range(N)],
        "p": probability,
        "fold": rng.normal(0, 2, N).round(4),
    }


OTHER = other_columns()


def classified(table: dict[str, object], stem: str = "PT09", **options: object):
    return classify_columns(list(table), list(table.values()), stem, **options)


def genes_and(*parts: dict[str, object]) -> dict[str, object]:
    made: dict[str, object] = {"gene": GENES}
    for part in parts:
        made |= part
    return made


TABLES: dict[str, tuple[dict[str, object], list[str], dict[str, str]]] = {
    "featureCounts": (
        {"Geneid": GENES}
        | {name: OTHER[name] for name in ("Chr", "Start", "End", "Strand", "Length")}
        | {f"/scratch/a/{k}.sorted.bam": v for k, v in samples(5, whole=True).items()},
        ["PT01", "PT02", "PT03", "PT04", "PT05"],
        {
            "Start": "places in the genome",
            "End": "places in the genome",
            "Length": "lengths of the genes",
        },
    ),
    "featureCounts through R": (
        {"Geneid": GENES, "Length": OTHER["Length"]}
        | {f"X.scratch.a.{k}Aligned.sortedByCoord.out.bam": v for k, v in samples(4).items()},
        ["PT01", "PT02", "PT03", "PT04"],
        {"Length": "lengths of the genes"},
    ),
    "cBioPortal": (
        {"Hugo_Symbol": GENES, "Entrez_Gene_Id": OTHER["Entrez"], **samples(3)},
        ["PT01", "PT02", "PT03"],
        {"Entrez_Gene_Id": "identifiers"},
    ),
    "DESeq2 behind the counts": (
        genes_and(
            samples(4, whole=True),
            dict.fromkeys(("log2FoldChange", "lfcSE", "stat"), OTHER["fold"]),
            {"baseMean": np.abs(OTHER["fold"]) * 90, "pvalue": OTHER["p"], "padj": OTHER["p"]},
        ),
        ["PT01", "PT02", "PT03", "PT04"],
        dict.fromkeys(
            ("log2FoldChange", "lfcSE", "stat", "baseMean", "pvalue", "padj"), "results of a test"
        ),
    ),
    "limma in front of them, its short names too": (
        genes_and(
            dict.fromkeys(("logFC", "AveExpr", "t", "B"), OTHER["fold"]),
            dict.fromkeys(("P.Value", "adj.P.Val"), OTHER["p"]),
            samples(4),
        ),
        ["PT01", "PT02", "PT03", "PT04"],
        dict.fromkeys(("logFC", "AveExpr", "t", "B", "P.Value", "adj.P.Val"), "results of a test"),
    ),
    "several contrasts": (
        genes_and(
            samples(3),
            {"KO_vs_WT.log2FoldChange": OTHER["fold"], "padj_KO_vs_WT": OTHER["p"]},
            {"FDR (KO/WT)": OTHER["p"], "P-value(KO vs. WT)": OTHER["p"]},
        ),
        ["PT01", "PT02", "PT03"],
        {
            "KO_vs_WT.log2FoldChange": "results of a test",
            "padj_KO_vs_WT": "results of a test",
            "FDR (KO/WT)": "results of a test",
            "P-value(KO vs. WT)": "results of a test",
        },
    ),
    "GenomeStudio": (
        {"TargetID": GENES}
        | {
            f"{k}.{what}": value if what == "AVG_Signal" else OTHER["p"]
            for k, value in samples(3).items()
            for what in ("AVG_Signal", "Detection Pval")
        },
        ["PT01", "PT02", "PT03"],
        {f"PT0{k}.Detection Pval": "detection p-values" for k in (1, 2, 3)},
    ),
    "RSEM": (
        {
            "gene_id": GENES,
            "transcript_id(s)": [f"ENST{i:011}" for i in range(N)],
            "length": OTHER["Length"],
            "effective_length": OTHER["Length"] - 30,
            "expected_count": samples(3)["PT01"],
            "TPM": samples(3)["PT02"],
            "FPKM": samples(3)["PT03"],
        },
        ["PT09"],
        {
            "length": "lengths of the genes",
            "effective_length": "lengths of the genes",
            "expected_count": "another measure of the same samples",
            "FPKM": "another measure of the same samples",
        },
    ),
    "salmon": (
        {
            "Name": GENES,
            "Length": OTHER["Length"],
            "EffectiveLength": OTHER["Length"],
            "TPM": samples(2)["PT01"],
            "NumReads": samples(2)["PT02"],
        },
        ["PT09"],
        {
            "Length": "lengths of the genes",
            "EffectiveLength": "lengths of the genes",
            "NumReads": "another measure of the same samples",
        },
    ),
    "GDC": (
        {
            "gene_id": OTHER["Ensembl"],
            "gene_name": GENES,
            "gene_type": OTHER["biotype"],
            **dict.fromkeys(
                ("unstranded", "stranded_first", "tpm_unstranded", "fpkm_uq_unstranded"),
                samples(1)["PT01"],
            ),
        },
        ["PT09"],
        dict.fromkeys(
            ("unstranded", "stranded_first", "fpkm_uq_unstranded"),
            "another measure of the same samples",
        ),
    ),
    "a core facility's counts and FPKM of each sample": (
        genes_and(
            {f"{k}_count": v for k, v in samples(3).items()},
            {f"{k}_fpkm": v for k, v in samples(3, seed=5).items()},
            {
                "gene_chr": OTHER["Chr"],
                "gene_start": OTHER["Start"],
                "gene_length": OTHER["Length"],
            },
        ),
        ["PT01", "PT02", "PT03"],
        {f"PT0{k}_count": "another measure of the same samples" for k in (1, 2, 3)}
        | {"gene_start": "places in the genome", "gene_length": "lengths of the genes"},
    ),
    "tximport": (
        genes_and(
            {f"abundance.{k}": v for k, v in samples(2).items()},
            {f"counts.{k}": v for k, v in samples(2).items()},
            {f"length.{k}": OTHER["Length"] for k in samples(2)},
        ),
        ["PT01", "PT02"],
        {f"counts.PT0{k}": "another measure of the same samples" for k in (1, 2)}
        | {f"length.PT0{k}": "lengths of the genes" for k in (1, 2)},
    ),
}


@pytest.mark.parametrize("tool", TABLES)
def test_the_samples_of_a_tool_are_found_and_the_rest_is_named(tool: str) -> None:
    table, wanted, left_out = TABLES[tool]
    found = classified(table)
    assert list(found.sample_names) == wanted
    assert dict(found.left_out) == left_out
    assert list(table.values())[found.genes] is GENES


@given(
    st.lists(st.sampled_from(["Entrez", "Start", "Length", "p", "fold"]), unique=True),
    st.lists(st.sampled_from(["Ensembl", "Chr", "Strand", "biotype"]), unique=True),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_columns_without_a_telling_name_are_known_by_their_values(
    numeric: list[str], text: list[str], random
) -> None:
    columns = {f"column {name}": OTHER[name] for name in numeric + text}
    columns |= samples(5) | {"names": GENES}
    order = list(columns)
    random.shuffle(order)
    table = {name: columns[name] for name in order}
    found = classified(table)
    assert list(found.sample_names) == [name for name in order if name.startswith("PT")]
    assert order[found.genes] == "names"
    assert set(found.left_out) == {f"column {name}" for name in numeric}


@pytest.mark.parametrize("name", ["Total", "all of them"])
def test_a_total_is_no_sample_whatever_its_name(name: str) -> None:
    of = samples(4)
    found = classified(genes_and(of, {name: sum(of.values())}))
    assert list(found.sample_names) == list(of)
    assert found.left_out == {name: "totals of the samples"}


def test_means_over_the_samples_are_no_sample() -> None:
    of = samples(4)
    found = classified({"gene": GENES, "of all": np.mean(list(of.values()), axis=0), **of})
    assert list(found.sample_names) == list(of)


@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers_in_front_are_no_sample(first: int) -> None:
    table = {"": np.arange(first, first + N, dtype=float), "Gene.symbol": GENES, **samples(3)}
    found = classified(table)
    assert found.genes == 1
    assert list(found.sample_names) == list(samples(3))


def test_numbers_that_name_the_genes_stay_where_nothing_else_does() -> None:
    found = classified({"GeneID": OTHER["Entrez"], **samples(3)})
    assert found.genes == 0
    assert list(found.sample_names) == list(samples(3))


def test_of_transcripts_the_column_of_their_genes_is_taken() -> None:
    table = {
        "transcript_id": [f"ENST{i:011}" for i in range(N)],
        "gene_id": [GENES[i // 4] for i in range(N)],
        **samples(3),
    }
    assert classified(table).genes == 1


def test_samples_are_kept_although_one_failed_or_is_of_another_tissue() -> None:
    of = samples(6)
    of["PT03"] = np.zeros(N)
    of["PT05"] = samples(1, seed=9)["PT01"]
    found = classified(genes_and(of))
    assert list(found.sample_names) == list(of)
    assert not found.left_out


@pytest.mark.parametrize(
    "names", [["T", "B", "NK", "Mono"], ["1", "2", "3", "4"], ["N1", "N2", "T1", "T2"], ["F", "M"]]
)
def test_short_names_are_samples_where_no_test_is_near(names: list[str]) -> None:
    of = dict(zip(names, samples(len(names)).values(), strict=True))
    assert list(classified(genes_and(of)).sample_names) == names


def test_what_the_user_says_are_samples_are_samples() -> None:
    table = genes_and(samples(3), {"Length": OTHER["Length"]})
    found = classified(table, keep=frozenset({"PT02", "Length"}))
    assert list(found.sample_names) == ["PT02", "Length"]


def test_a_table_of_results_alone_holds_no_sample() -> None:
    found = classified(genes_and({"logFC": OTHER["fold"], "FDR": OTHER["p"]}))
    assert not found.samples
    assert len(found.left_out) == 2


def test_rows_that_count_reads_of_no_gene_are_known() -> None:
    rows = ["__no_feature", "__alignment_not_unique", "N_unmapped", "N_noFeature", "no_feature"]
    assert all(map(is_summary_row, rows))
    assert not any(map(is_summary_row, ["NO66", "AMBIGUOUS", "N4BP2", "CD3E", ""]))


@pytest.mark.parametrize("odd", [{"PT03_counts"}, {"PT01_counts", "other"}])
def test_two_measures_are_never_samples_beside_each_other(odd: set[str]) -> None:
    names = ["PT01_TPM", "PT02_TPM", "PT01_counts", *sorted(odd - {"PT01_counts"})]
    values = dict(zip(names, samples(len(names)).values(), strict=True))
    found = classified(genes_and(values))
    assert list(found.sample_names) == ["PT01", "PT02"]
    assert set(found.left_out) == set(names[2:])
    assert "left out" in found.notes[0]


def test_bounds_of_a_measure_are_no_samples() -> None:
    names = ["q1_FPKM", "q1_conf_lo", "q1_conf_hi", "q2_FPKM", "q2_conf_lo", "q2_conf_hi"]
    values = dict(zip(names, samples(6).values(), strict=True))
    found = classified(genes_and(values))
    assert [names[i - 1] for i in found.samples] == ["q1_FPKM", "q2_FPKM"]


def test_a_germinal_centre_is_a_type_and_a_percentage_is_not() -> None:
    types = dict(zip(["GC", "Naive", "Memory"], samples(3).values(), strict=True))
    assert list(classified(genes_and(types)).sample_names) == ["GC", "Naive", "Memory"]
    content = {"GC": np.linspace(31, 68, N)}
    assert list(classified(genes_and(samples(3), content)).sample_names) == list(samples(3))


def test_a_long_name_takes_no_long_time() -> None:
    """With a separator at every second character: 10^12 steps, if it were cut at each."""
    names = ["a_" * 500_000 + end for end in ("x", "y")]
    found = classified(genes_and(dict(zip(names, samples(2).values(), strict=True))))
    assert list(found.sample_names) == names


def test_cells_of_another_type_are_no_annotation() -> None:
    """Counts of cells of two types, with one added to each."""
    random = np.random.default_rng(12)
    profiles = random.lognormal(2, 1.4, (N, 2))
    cells = {f"B{i}": random.poisson(profiles[:, 0]) + 1.0 for i in range(8)}
    cells |= {f"T{i}": random.poisson(profiles[:, 1]) + 1.0 for i in range(8)}
    assert list(classified(genes_and(cells)).sample_names) == list(cells)


@pytest.mark.parametrize(
    ("counts", "tpm"),
    [
        ("read_count_{}", "TPM_{}"),  # BGI
        ("{}_read_count", "{}_TPM"),
        ("{}.expected_count", "{}.FPKM"),  # RSEM's tables put together
        ("raw_counts.{}", "norm_counts.{}"),
        ("{} - Read count", "{} - RPKM"),
    ],
)
def test_a_measure_of_several_words_before_or_behind_the_sample_is_one(
    counts: str, tpm: str
) -> None:
    both: dict[str, object] = {}
    for sample, values in samples(4).items():
        both[counts.format(sample)] = np.rint(values * 20)
        both[tpm.format(sample)] = values
    found = classified(genes_and(both))
    assert found.sample_names == ("PT01", "PT02", "PT03", "PT04")
    assert set(found.left_out) == {counts.format(s) for s in found.sample_names}
    assert set(found.left_out.values()) == {"another measure of the same samples"}


@pytest.mark.parametrize(
    ("low", "high", "mean"),
    [
        ("Min Count", "Max Count", "Avg Count"),  # nSolver
        ("Lowest", "Highest", "Avg counts"),
        ("lower end", "upper end", "Mean.expression"),
    ],
)
@pytest.mark.parametrize("front", [True, False])
def test_the_highest_and_lowest_value_of_the_samples_are_no_samples(
    low: str, high: str, mean: str, front: bool
) -> None:
    own = samples(5, whole=True)
    table = np.column_stack(list(own.values()))
    beside = {low: table.min(axis=1), high: table.max(axis=1), mean: table.mean(axis=1)}
    found = classified(genes_and(beside, own) if front else genes_and(own, beside))
    assert found.sample_names == tuple(own)
    assert set(found.left_out.values()) == {"totals of the samples"}


def test_deep_shallow_and_repeated_samples_are_samples() -> None:
    own = samples(6, whole=True)
    deep = {"deep": own["PT01"] * 50, "shallow": np.floor(own["PT02"] / 200), "zero": np.zeros(N)}
    again = {"PT01 again": own["PT01"].copy(), "deep again": deep["deep"].copy()}
    found = classified(genes_and(own, deep, again))
    assert set(found.sample_names) >= {*own, "deep", "shallow", *again}


def test_a_distance_to_a_gene_is_no_sample() -> None:
    """SeqMonk writes the distance of a probe to its feature: 0 for all genes."""
    for name in ("Distance", "Distance to TSS"):
        found = classified(genes_and({name: np.zeros(N)}, samples(4)))
        assert found.sample_names == ("PT01", "PT02", "PT03", "PT04")
        assert found.left_out[name] == "annotation of the genes"


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("front", [True, False])
def test_a_column_of_yes_and_no_is_no_sample(share: float, front: bool) -> None:
    flag = {"Housekeeping": (np.random.default_rng(3).random(N) < share).astype(float)}
    own = samples(4)
    found = classified(genes_and(flag, own) if front else genes_and(own, flag))
    assert found.sample_names == tuple(own)
    assert found.left_out == {"Housekeeping": "annotation of the genes"}
