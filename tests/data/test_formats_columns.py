"""Columns and values that are none of a sample's expression, as tools and portals write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from gui.data.load import FileChoice, LoadRequest
from gui.data.readers.column_names import is_known_of_genes, said_of_genes
from gui.data.readers.expression_table import Table, read_table
from gui.data.readers.labels import propose_column
from gui.data.validation.examine import Examination, examine
from gui.data.validation.findings import GeneLengths
from gui.knowledge.human_genes import human_genes

GENES = sorted(human_genes().symbols)[4000:4200]
SAMPLES = [f"PT{i:02d}" for i in range(1, 6)]
RANDOM = np.random.default_rng(3)
PROFILE = RANDOM.lognormal(3, 2, (len(GENES), 1))
VALUES = RANDOM.poisson(PROFILE * RANDOM.lognormal(0, 0.3, (len(GENES), 5)))
COUNTS = pd.DataFrame(VALUES, index=GENES, columns=SAMPLES)
LENGTHS = RANDOM.integers(300, 9000, len(GENES))
STARTS = RANDOM.integers(10**5, 10**8, len(GENES))


def written(path: Path, table: pd.DataFrame, **options: object) -> Table:
    table.to_csv(path, sep="\t", index=False, **options)
    return read_table(path)


def with_columns(columns: dict[str, object], values: pd.DataFrame = COUNTS) -> pd.DataFrame:
    front = pd.DataFrame({"Symbol": GENES} | columns)
    return pd.concat([front, values.reset_index(drop=True)], axis=1)


def assert_samples(table: Table, values: pd.DataFrame = COUNTS) -> None:
    assert table.columns == SAMPLES
    assert table.genes == GENES
    np.testing.assert_allclose(table.values, values.to_numpy())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Chromosome/scaffold name", "places in the genome"),
        ("Gene start (bp)", "places in the genome"),
        ("Transcript length (including UTRs and CDS)", "lengths of the genes"),
        ("bp_length", "lengths of the genes"),
        ("NCBI gene (formerly Entrezgene) ID", "identifiers"),
        ("Gene % GC content", "annotation of the genes"),
        ("Mol. weight [kDa]", "annotation of the genes"),
        ("Number of exons", "annotation of the genes"),
        ("Exon 2 KO", None),
        ("start", None),
        ("Chr1", None),
        ("length of stay", None),
        ("GC", None),
    ],
)
def test_a_name_of_several_words_says_what_it_is_of_the_genes(name: str, says: str | None) -> None:
    assert said_of_genes(name) == says
    assert is_known_of_genes(name) or says is None


def test_the_columns_of_biomart_are_no_samples(tmp_path: Path) -> None:
    columns = {
        "Gene stable ID": [f"ENSG{i:011d}" for i in range(len(GENES))],
        "NCBI gene (formerly Entrezgene) ID": np.arange(len(GENES)) * 7 + 12.0,
        "Chromosome/scaffold name": np.arange(len(GENES)) % 22 + 1,
        "Gene start (bp)": STARTS,
        "Gene % GC content": RANDOM.uniform(30, 60, len(GENES)).round(2),
    }
    table = written(tmp_path / "mart_export.txt", with_columns(columns))
    assert_samples(table)
    assert set(table.left_out) == set(columns) - {"Gene stable ID"}


OF_EVERY_GENE = {
    "a chromosome": np.arange(len(GENES)) % 22 + 1,
    "exons": RANDOM.integers(1, 30, len(GENES)),
    "a weight": RANDOM.uniform(8, 240, len(GENES)).round(2),
    "a level": np.arange(len(GENES)) % 2 + 1,
}


@pytest.mark.parametrize("kind", OF_EVERY_GENE)
@pytest.mark.parametrize("place", [0, 5])
def test_numbers_that_every_gene_has_are_no_sample_whatever_they_are_called(
    kind: str, place: int, tmp_path: Path
) -> None:
    table = COUNTS.reset_index(names="Symbol")
    table.insert(1 + place, "V2", OF_EVERY_GENE[kind])
    read = written(tmp_path / "counts.tsv", table)
    assert_samples(read)
    assert read.left_out == {"V2": "annotation of the genes"}
    assert "V2" in read.traits["columns-left-out"]


def test_a_column_without_any_value_is_left_out_and_said(tmp_path: Path) -> None:
    read = written(tmp_path / "c.tsv", with_columns({"score": [np.nan] * len(GENES)}))
    assert_samples(read)
    assert "score (no values)" in read.traits["columns-left-out"]


@pytest.mark.parametrize(
    "places", [[f"{s}..{s + 900}" for s in STARTS], ["12.03.2020"] * len(GENES)]
)
def test_places_and_dates_are_text_and_refuse_no_file(places: list[str], tmp_path: Path) -> None:
    assert_samples(written(tmp_path / "c.tsv", with_columns({"Region": places})))


def test_text_among_the_numbers_of_an_annotation_refuses_no_file(tmp_path: Path) -> None:
    ids = [str(i + 5) if i % 9 else "100 /// 7" for i in range(len(GENES))]
    assert_samples(written(tmp_path / "c.tsv", with_columns({"Entrez_Gene_Id": ids})))


def test_clc_writes_several_measures_of_each_sample(tmp_path: Path) -> None:
    columns: dict[str, object] = {"Chromosome": np.arange(len(GENES)) % 22 + 1}
    for sample in SAMPLES:
        columns[f"{sample} (GE) - Total gene reads"] = COUNTS[sample].to_numpy()
        columns[f"{sample} (GE) - RPKM"] = COUNTS[sample].to_numpy() / LENGTHS
        columns[f"{sample} (GE) - TPM"] = COUNTS[sample].to_numpy() * 3.5
    table = pd.DataFrame({"Name": GENES} | columns)
    assert_samples(written(tmp_path / "clc.txt", table), COUNTS * 3.5)


@pytest.mark.parametrize("study", ["laml_tcga", "brca_metabric"])
def test_a_download_of_cbioportal_names_the_samples_and_not_the_study(
    study: str, tmp_path: Path
) -> None:
    table = COUNTS.T.reset_index(names="SAMPLE_ID")
    table.insert(0, "STUDY_ID", study)
    read = written(tmp_path / "mRNA Expression.txt", table)
    assert read.samples_in_rows
    assert_samples(read.transposed())


@pytest.mark.parametrize(
    "form",
    ["{}_norm", "norm_{}", "log2({})", "{}.log2", "{}_vst", "{} (RPKM)", "{}_log2TPM", "raw_{}"],
)
@pytest.mark.parametrize("mixed", [False, True])
def test_a_sample_and_what_was_made_of_it_are_one_sample(
    form: str, mixed: bool, tmp_path: Path
) -> None:
    more = (COUNTS * 0.5).rename(columns=form.format)
    table = pd.concat([COUNTS, more], axis=1)
    if mixed:
        table = table[[c for pair in zip(SAMPLES, more.columns, strict=True) for c in pair]]
    read = written(tmp_path / "c.tsv", table.reset_index(names="gene"))
    taken = COUNTS * 0.5 if "RPKM" in form else COUNTS
    assert_samples(read, taken)
    assert set(read.left_out) == set(SAMPLES if "RPKM" in form else more.columns)
    assert "left out" in read.traits["measure"]


def test_normal_tissue_called_norm_is_a_sample(tmp_path: Path) -> None:
    other = pd.DataFrame(RANDOM.permutation(VALUES, axis=0), GENES, [f"{s}_norm" for s in SAMPLES])
    table = pd.concat([COUNTS, other], axis=1)
    read = written(tmp_path / "c.tsv", table.reset_index(names="gene"))
    assert read.columns == list(table.columns)


def test_names_that_end_alike_are_samples_where_no_other_is_called_so(tmp_path: Path) -> None:
    table = COUNTS.set_axis(["A_raw", "B_raw", "A_norm", "B_norm", "C"], axis=1)
    read = written(tmp_path / "c.tsv", table.reset_index(names="gene"))
    assert read.columns == list(table.columns)


@pytest.mark.parametrize("name", ["n_expressed", "Number of samples", "num_detected"])
def test_in_how_many_samples_a_gene_was_found_is_no_sample(name: str, tmp_path: Path) -> None:
    counted = (COUNTS > 0).sum(axis=1).to_numpy()
    read = written(tmp_path / "c.tsv", with_columns({name: counted}))
    assert_samples(read)


# -- what is no expression at all ------------------------------------------------------------------


def seen(path: Path, values: pd.DataFrame) -> Examination:
    values.to_csv(path, sep="\t")
    return examine(LoadRequest(files={"bulk": FileChoice(path=path)}))


def codes(found: Examination) -> set[str]:
    return {x.code for x in found.findings if x.severity == "refusal"}


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_lengths_of_the_genes_are_no_expression(spread: float, tmp_path: Path) -> None:
    """As salmon.merged.gene_lengths.tsv of nf-core holds them."""
    noise = RANDOM.uniform(1 - spread, 1 + spread, COUNTS.shape)
    lengths = pd.DataFrame(LENGTHS[:, None] * noise, index=GENES, columns=SAMPLES)
    assert codes(seen(tmp_path / "gene_lengths.tsv", lengths)) >= {"gene-lengths"}


def test_replicates_of_deep_counts_are_no_lengths(tmp_path: Path) -> None:
    deep = RANDOM.poisson(np.repeat(PROFILE * 400, 5, axis=1)) + 1.0
    found = seen(tmp_path / "c.tsv", pd.DataFrame(deep, index=GENES, columns=SAMPLES))
    assert "gene-lengths" not in codes(found)


@pytest.mark.parametrize("to", ["mean", "first"])
def test_ratios_to_other_samples_are_no_expression(to: str, tmp_path: Path) -> None:
    """log2 fold changes against a control or against the mean: no logarithm that can be undone."""
    table = COUNTS + 1.0
    base = table.mean(axis=1) if to == "mean" else table[SAMPLES[0]]
    kept = SAMPLES if to == "mean" else SAMPLES[1:]
    found = seen(tmp_path / "ratios.tsv", np.log2(table.div(base, axis=0))[kept])
    assert codes(found) & {"scaled-values"}
    assert found.outcome == "refuse"


@pytest.mark.parametrize("samples", [2, 3, 5])
def test_scaled_columns_and_few_centred_samples_are_no_logarithms(
    samples: int, tmp_path: Path
) -> None:
    log = np.log2(COUNTS + 1).iloc[:, :samples]
    by_column = (log - log.mean()) / log.std()
    by_row = log.sub(log.mean(axis=1), axis=0)
    ranks = log.rank(axis=1, method="first")
    normal = pd.DataFrame(norm.ppf((ranks - 0.5) / samples), GENES, SAMPLES[:samples])
    for values in (by_column, by_row, normal):
        found = seen(tmp_path / "z.tsv", values)
        assert codes(found) & {"scaled-values"}
        assert not [r for r in found.proposed if r.kind == "undo_log"]


def test_logarithms_of_small_counts_per_million_are_undone(tmp_path: Path) -> None:
    found = seen(tmp_path / "cpm.tsv", np.log2((COUNTS + 0.5) / (COUNTS.sum() + 1) * 1e6))
    assert "scaled-values" not in codes(found)


def test_an_unusual_offset_is_taken_off_again(tmp_path: Path) -> None:
    found = seen(tmp_path / "log.tsv", np.log2(COUNTS + 0.03125).round(5))
    (undo,) = [r for r in found.proposed if r.kind == "undo_log"]
    assert (undo.base, undo.offset) == ("2", 0.03125)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "form", ["{}-1", "S1_{}", "{}-1-donor2", "donor2_{}-1", "{}"], ids=lambda f: f.format("N")
)
def test_single_cells_chosen_as_bulk_are_said(form: str, tmp_path: Path) -> None:
    names = [form.format("".join(RANDOM.choice(list("ACGT"), 16))) for _ in range(5)]
    found = seen(tmp_path / "cells.tsv", COUNTS.set_axis(names, axis=1))
    assert "cells-as-bulk" in {x.code for x in found.findings}
    assert "cells-as-bulk" not in {x.code for x in seen(tmp_path / "b.tsv", COUNTS).findings}


@pytest.mark.parametrize(
    ("begin", "species"), [("ENSMUSG", "mouse"), ("ENSRNOG", "rat"), ("ENSDARG", "zebrafish")]
)
def test_ids_of_another_species_are_said_to_be_so(begin: str, species: str, tmp_path: Path) -> None:
    cells = tmp_path / "cells.tsv"
    COUNTS.set_axis(["B", "T", "B", "T", "B"], axis=1).to_csv(cells, sep="\t")
    bulk = tmp_path / "bulk.tsv"
    COUNTS.set_axis([f"{begin}{i + 2000:011d}" for i in range(len(GENES))]).to_csv(bulk, sep="\t")
    files = {"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk)}
    found = examine(LoadRequest(files=files))
    assert f"look like {species} genes" in " ".join(x.message for x in found.findings)


@pytest.mark.parametrize("name", ["cell_subtype", "cellPopulation", "Cell.Subset", "population"])
def test_a_column_called_like_kinds_of_cells_is_one_of_types(name: str) -> None:
    others = dict.fromkeys(["sample_type", "tissue", "batch"], "names")
    proposed = propose_column(others | {name: "names"})  # type: ignore[arg-type]
    assert proposed is not None
    assert proposed.name == name


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("name", ["GeneSize(bp)", "L"])
def test_lengths_beside_few_samples_are_none(samples: int, name: str, tmp_path: Path) -> None:
    table = COUNTS.iloc[:, :samples].reset_index(names="Geneid")
    table.insert(1, name, LENGTHS)
    read = written(tmp_path / "c.tsv", table)
    assert read.columns == SAMPLES[:samples]
    assert read.left_out == {name: "lengths of the genes"}


def test_two_samples_of_different_tissue_are_both_kept(tmp_path: Path) -> None:
    other = RANDOM.permutation(VALUES[:, 0]) * 7
    table = COUNTS.iloc[:, :1].assign(other=other).reset_index(names="Geneid")
    assert written(tmp_path / "c.tsv", table).columns == ["PT01", "other"]


@pytest.mark.parametrize("low", [0.0, 4.0])
def test_logarithms_of_the_same_quantiles_are_logarithms(low: float, tmp_path: Path) -> None:
    """Normalised arrays have equal sums on a log scale."""
    log = np.log2(COUNTS * 40 + 1) + low
    values = np.sort(log.to_numpy(), axis=0).mean(axis=1)
    ranks = log.rank(method="first").astype(int) - 1
    found = seen(tmp_path / "q.tsv", pd.DataFrame(values[ranks], GENES, SAMPLES))
    assert "log-values" in {x.code for x in found.findings}


def test_small_values_of_one_sum_are_no_logarithms(tmp_path: Path) -> None:
    values = RANDOM.gamma(3, 2, COUNTS.shape)
    found = seen(
        tmp_path / "s.tsv", pd.DataFrame(values / values.sum(axis=0) * 900, GENES, SAMPLES)
    )
    assert "log-values" not in {x.code for x in found.findings}


def named(columns: list[str], values: pd.DataFrame = COUNTS) -> pd.DataFrame:
    table = values.iloc[:, : len(columns)].set_axis(columns, axis=1)
    return pd.concat([pd.DataFrame({"Symbol": GENES}), table.reset_index(drop=True)], axis=1)


@pytest.mark.parametrize(
    "samples",
    [
        ["N_sample_1", "T_sample_1", "N_sample_2", "T_sample_2"],
        ["count_sample_A", "count_sample_B", "count_sample_C"],
        ["Naive_count", "GC_count", "PB_count"],
        ["Naive", "GC_total", "PB_total", "MBC"],
        ["Start", "PT02", "Stop", "Level", "Size"],
    ],
)
def test_samples_may_be_called_like_something_else(samples: list[str], tmp_path: Path) -> None:
    table = written(tmp_path / "bulk.tsv", named(samples))
    assert table.columns == samples
    np.testing.assert_array_equal(table.values, COUNTS.to_numpy()[:, : len(samples)])


@pytest.mark.parametrize("mark", ["norm", "LN"])
def test_normal_tissue_and_lymph_nodes_are_samples(mark: str, tmp_path: Path) -> None:
    samples = ["P1", f"P1_{mark}", "P2", f"P2_{mark}"]
    sparse = COUNTS.mul(np.arange(len(GENES)) % 3 == 0, axis=0)
    table = written(tmp_path / "bulk.tsv", named(samples, sparse))
    assert table.columns == samples


def test_a_sample_of_a_panel_that_is_unlike_the_others_is_one(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    panel = pd.DataFrame(
        random.permuted(np.tile(np.rint(random.lognormal(9, 2, (60, 1)) + 300), (1, 3)), axis=0)
    )
    panel[1] = panel[0] + random.integers(0, 9, 60)
    table = pd.concat([pd.DataFrame({"Symbol": GENES[:60]}), panel], axis=1)
    read = written(tmp_path / "bulk.tsv", table.set_axis(["Symbol", *SAMPLES[:3]], axis=1))
    assert read.columns == SAMPLES[:3]
    other = written(tmp_path / "other.tsv", table.set_axis(["Symbol", *"ABC"], axis=1))
    assert other.left_out == {"C": "identifiers"}


def test_of_two_strands_the_one_with_the_reads_is_taken(tmp_path: Path) -> None:
    both = pd.concat(
        [
            COUNTS.add_suffix("_sense"),
            (COUNTS // 20).add_suffix("_antisense"),
        ],
        axis=1,
    )
    front = pd.DataFrame({"Symbol": GENES})
    table = written(tmp_path / "a.tsv", pd.concat([front, both.reset_index(drop=True)], axis=1))
    assert_samples(table)


def test_a_single_sample_keeps_its_name_without_a_corner(tmp_path: Path) -> None:
    path = tmp_path / "bulk.tsv"
    path.write_text(
        "PT07\n" + "".join(f"{g}\t{v}\n" for g, v in zip(GENES, VALUES[:, 0], strict=True))
    )
    assert read_table(path).columns == ["PT07"]


def test_replicates_on_a_panel_are_no_lengths(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    counts = random.poisson(random.lognormal(7.5, 2, (len(GENES), 1)) * np.ones(3)) + 1
    path = tmp_path / "bulk.tsv"
    pd.DataFrame(counts, GENES, SAMPLES[:3]).to_csv(path, sep="\t")
    seen = examine(LoadRequest(files={"bulk": FileChoice(path=path, name="bulk.tsv")}))
    assert not any(isinstance(x, GeneLengths) for x in seen.findings)
