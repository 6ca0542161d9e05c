"""The command: what it writes, what it refuses, and that a refusal leaves nothing behind."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.cli import analyze, output
from gui.engine import compute_settings

QUICK = ["--genes", "50", "--mixtures", "40", "--cells", "20", "--iterations", "20"]


def write(path: Path, genes, columns, values) -> Path:
    lines = [",".join(["gene", *map(str, columns)])] + [
        ",".join([str(g), *(f"{v:g}" for v in row)]) for g, row in zip(genes, values, strict=True)
    ]
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def files(tmp_path, dataset):
    """train, test and bulk of the small data as tables with repeated cell types in the header."""
    train, test, bulk = dataset.train, dataset.test, dataset.bulk.matrix
    return {
        "train": write(
            tmp_path / "train.csv", train.matrix.genes, train.labels, train.matrix.values
        ),
        "test": write(tmp_path / "test.csv.gz", test.matrix.genes, test.labels, test.matrix.values),
        "bulk": write(tmp_path / "bulk.csv", bulk.genes, bulk.columns, bulk.values),
    }


def run(files, out, *more: str, roles=("train", "test", "bulk")) -> int:
    given = [part for role in roles for part in (f"--{role}", str(files[role]))]
    return analyze.analyze([*given, *QUICK, *more, "--out", str(out)])


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, index_col=0)


def test_everything_is_written_and_recorded(files, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert (
        run(
            files,
            out,
            "--model",
            "deconomix+h,r",
            "--lambda2",
            "1e-8",
            "--seed",
            "5",
            "--bootstrap",
            "20",
        )
        == 0
    )
    written = {p.name for p in out.iterdir()}
    assert written == {
        "composition_bulk.csv",
        "composition_intervals.csv",
        "composition_test.csv",
        "gene_regulation.csv",
        "gene_weights.csv",
        "hidden_profile.csv",
        "metrics_test.csv",
        "run.json",
        "second_opinion.csv",
    }
    assert written <= set(analyze.FILES)
    bulk = read(out / "composition_bulk.csv")
    assert list(bulk.index) == ["T0", "T1", "T2", "T3", "hidden"]
    assert list(bulk.columns) == [f"sample {c}" for c in "ABCDEFGH"]
    np.testing.assert_allclose(bulk.sum(), 1, atol=1e-6)
    intervals = read(out / "composition_intervals.csv")
    assert list(intervals.columns) == [
        "cell_type",
        "fraction",
        "low",
        "high",
        "low_genes_only",
        "high_genes_only",
    ]
    assert list(intervals.index[:5]) == ["sample A"] * 5
    np.testing.assert_allclose(intervals["fraction"].to_numpy().reshape(8, 5).T, bulk, atol=1e-6)
    assert (
        (intervals["low"] <= intervals["low_genes_only"])
        & (intervals["high"] >= intervals["high_genes_only"])
    ).all()
    assert read(out / "composition_test.csv").shape == (4, 40)
    assert read(out / "gene_weights.csv").shape == (50, 1)
    assert read(out / "hidden_profile.csv").shape == (50, 1)
    assert read(out / "gene_regulation.csv").shape == (50, 4)
    assert {"cell_type", "pearson", "spearman", "rmse", "ccc"} <= set(
        read(out / "metrics_test.csv").columns
    )
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["parameters"]["model"] == "deconomix+h,r"
    assert record["parameters"]["lambda2"] == 1e-8
    assert record["parameters"]["bootstrap"] == 20
    assert any("95 % intervals from 20 bootstrap replicates" in text for text in record["warnings"])
    assert record["seeds"] == {"train_mixtures": 5, "test_mixtures": 6, "split": 5}
    assert record["versions"]["deconomix"] == "1.0.2"
    import hashlib

    hashes = {i["role"]: i["sha256"] for i in record["inputs"]}
    assert hashes["bulk"] == hashlib.sha256(files["bulk"].read_bytes()).hexdigest()
    assert isinstance(record["warnings"], list)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "Learning gene weights" in streams.err
    assert {p.name for p in tmp_path.iterdir()} == {
        "new",
        "train.csv",
        "test.csv.gz",
        "bulk.csv",
    }, "no temporary folder is left"


@pytest.mark.parametrize("model", ["deconomix", "deconomix+h"])
def test_the_second_opinion_is_written_and_named(files, tmp_path, capsys, model):
    out = tmp_path / "out"
    assert run(files, out, "--model", model) == 0
    table = read(out / "second_opinion.csv")
    assert list(table.columns) == [
        "cell_type",
        "estimate",
        "markers",
        "relative",
        "consensus",
        "contradicted",
    ]
    assert len(table) == 8 * 4
    values = table[["estimate", "relative", "consensus"]].groupby(level=0).sum()
    np.testing.assert_allclose(values, 1, atol=1e-6)
    often = table.groupby("cell_type")["contradicted"].mean() >= 0.5
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["contradicted"] == list(often.index[often])
    (answer,) = [t for t in record["summary"] if "hidden" in t or model == "deconomix"][:1]
    assert ("contradicted by two other estimates" in answer) == bool(record["contradicted"])
    assert f"Result: {answer}" in capsys.readouterr().err


def test_refined_tables_are_labelled_in_the_record(files, tmp_path, capsys):
    options = ("--model", "deconomix+h,r", "--lambda2", "1e-8")
    assert run(files, tmp_path / "plain", *options) == 0
    assert run(files, tmp_path / "refined", *options, "--refine") == 0
    plain, refined = (
        json.loads((tmp_path / name / "run.json").read_text(encoding="utf-8"))
        for name in ("plain", "refined")
    )
    assert plain["parameters"]["refine"] is False
    assert "optimum" not in plain
    assert refined["parameters"]["refine"] is True
    assert refined["optimum"]["loss_after"] < refined["optimum"]["loss_before"]
    assert max(refined["optimum"]["certificate"].values()) <= 1e-7
    assert any("differ from those published with deconomix" in text for text in refined["warnings"])
    assert "differ from those published with deconomix" in capsys.readouterr().err
    tables = {
        name: [read(tmp_path / folder / f"{name}.csv") for folder in ("plain", "refined")]
        for name in ("composition_bulk", "hidden_profile")
    }
    assert tables["composition_bulk"][0].equals(tables["composition_bulk"][1])
    assert not tables["hidden_profile"][0].equals(tables["hidden_profile"][1])


def test_search_takes_the_one_se_choice(files, tmp_path, monkeypatch):
    from gui.engine import params

    small = params.SearchParams(points=3, folds=3)
    monkeypatch.setattr(params.SearchParams, "parse", classmethod(lambda cls, **_: small))
    out = tmp_path / "out"
    assert run(files, out, "--model", "deconomix+h,r", "--lambda2", "search") == 0
    record = json.loads((out / "run.json").read_text())
    assert record["parameters"]["lambda2_searched"] is True
    assert record["parameters"]["lambda2"] == record["search"]["choices"]["one_se"]
    assert "Used: λ₂" in record["lambda2_advice"]
    assert len(record["search"]["mean"]) == 3
    assert "l_curve_corner" in record["search"]
    path = pd.read_csv(out / "lambda2_path.csv", index_col=0)
    assert list(path.columns) == ["misfit", "size", "supported", "stability"]
    assert list(path.index) == record["search"]["lambda2"]
    assert path["size"].iloc[0] > path["size"].iloc[-1]


@pytest.mark.slow
def test_recommended_is_hidden_background_with_intervals(files, tmp_path):
    by_name, by_hand = tmp_path / "name", tmp_path / "hand"
    assert run(files, by_name, "--recommended", "--bootstrap", "20") == 0
    assert run(files, by_hand, "--model", "deconomix+h", "--bootstrap", "20") == 0
    for name in ("composition_bulk.csv", "composition_intervals.csv", "hidden_profile.csv"):
        assert (by_name / name).read_bytes() == (by_hand / name).read_bytes()
    assert json.loads((by_name / "run.json").read_text())["parameters"]["model"] == "deconomix+h"


def test_recommended_with_a_model_is_refused(files, tmp_path, capsys):
    assert run(files, tmp_path / "no", "--recommended", "--model", "naive") == 2
    assert "Leave out --model" in capsys.readouterr().err


def test_without_test_cells_the_training_cells_are_split(files, tmp_path):
    out = tmp_path / "out"
    assert run(files, out, "--model", "deconomix+h", roles=("train", "bulk")) == 0
    record = json.loads((out / "run.json").read_text())
    assert not {"lambda2", "lambda2_searched"} & set(record["parameters"]), (
        "a model without gene regulation has none"
    )
    assert "refine" in record["parameters"]
    assert {i["role"]: i["kind"] for i in record["inputs"]}["test"] == "split"
    assert (out / "composition_test.csv").exists()


def test_without_bulk_the_test_mixtures_are_analysed(files, tmp_path):
    out = tmp_path / "out"
    assert run(files, out, "--model", "naive", roles=("train", "test")) == 0
    assert {p.name for p in out.iterdir()} == {
        "composition_test.csv",
        "gene_weights.csv",
        "metrics_test.csv",
        "run.json",
    }
    record = json.loads((out / "run.json").read_text())
    assert not {"lambda2", "refine", "iterations"} & set(record["parameters"])
    assert record["contradicted"] is None, "nothing was compared"


def test_second_run_replaces_the_first_and_touches_nothing_else(files, tmp_path):
    out = tmp_path / "out"
    assert run(files, out, "--model", "deconomix+h,r") == 0
    (out / "my notes.txt").write_text("keep")
    assert run(files, out, "--model", "naive") == 0
    assert {p.name for p in out.iterdir()} == {
        "composition_bulk.csv",
        "composition_test.csv",
        "gene_weights.csv",
        "metrics_test.csv",
        "second_opinion.csv",
        "run.json",
        "my notes.txt",
    }
    assert (read(out / "gene_weights.csv") == 1).all(axis=None)


def test_refused_second_run_leaves_the_first(files, tmp_path):
    out = tmp_path / "out"
    assert run(files, out, "--model", "naive") == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    assert run(files, out, "--genes", "1") == 2
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


# argument lists with {role} for the file; what the sentence must contain
REFUSED = [
    (["--bulk", "{bulk}"], "--train"),
    (["--train", "{train}", "--bulk", "{bulk}", "--model", "best"], "best"),
    (["--train", "{train}", "--gnes", "5"], "--gnes"),
    (["--train", "{train}", "--genes", "1"], "--genes is 1; allowed"),
    (["--train", "{train}", "--genes", "many"], "--genes"),
    (["--train", "{train}", "--mixtures", "0"], "pseudobulks"),
    (["--train", "{train}", "--iterations", "-3"], "Iterations"),
    (["--train", "{train}", "--seed", "-1"], "Seed"),
    (
        ["--train", "{train}", "--bulk", "{bulk}", "--model", "deconomix+h,r", "--lambda2", "high"],
        "lambda2",
    ),
    (
        ["--train", "{train}", "--bulk", "{bulk}", "--model", "deconomix+h,r", "--lambda2", "0"],
        "lambda2",
    ),
    (["--train", "{train}", "--model", "deconomix+h"], "--bulk"),
    (["--train", "{train}.missing"], "train.csv.missing"),
    (["--train", "{bulk}"], "bulk.csv"),
    (["--train", "{train}", "--bulk", "{negative}"], "negative.csv"),
    (["--train", "{train}", "--bulk", "{foreign}"], "no gene in common"),
    (["--train", "{twins}", "--test", "{test}"], "cannot be distinguished"),
    (["--train", "{train}", "--example"], "--example"),
    (["--train", "{train}", "--refine"], "--refine has no effect on deconomix"),
    (
        [
            "--train",
            "{train}",
            "--bulk",
            "{single}",
            "--model",
            "deconomix+h,r",
            "--lambda2",
            "search",
        ],
        "Folds",
    ),
    (["--train", "{train}", "--mixtures", "100000", "--cells", "100000"], "GB of memory"),
]


@pytest.mark.parametrize(("arguments", "named"), REFUSED, ids=[" ".join(a) for a, _ in REFUSED])
def test_bad_input_is_one_line_and_leaves_nothing(
    files, dataset, tmp_path, capsys, arguments, named
):
    bulk, train = dataset.bulk.matrix, dataset.train
    files["negative"] = write(tmp_path / "negative.csv", bulk.genes, bulk.columns, -bulk.values)
    files["foreign"] = write(
        tmp_path / "foreign.csv", [f"X{g}" for g in bulk.genes], bulk.columns, bulk.values
    )
    files["single"] = write(
        tmp_path / "single.csv", bulk.genes, bulk.columns[:1], bulk.values[:, :1]
    )
    twins = np.hstack([train.matrix.values, train.matrix.values[:, train.labels == "T1"]])
    files["twins"] = write(
        tmp_path / "twins.csv", bulk.genes, [*train.labels, *["twin"] * 30], twins
    )
    before = sorted(tmp_path.iterdir())
    out = tmp_path / "out"
    quick = [] if any(a in arguments for a in QUICK[::2]) else QUICK
    assert (
        analyze.analyze([*(a.format(**files) for a in arguments), *quick, "--out", str(out)]) == 2
    )
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1, streams.err
    assert named in streams.err
    assert "Traceback" not in streams.err
    assert not out.exists()
    assert sorted(tmp_path.iterdir()) == before


def test_repairs_that_check_proposes_are_applied_on_request_and_recorded(
    files, dataset, tmp_path, capsys
):
    bulk = dataset.bulk.matrix
    quoted = [f"b'{gene}'" for gene in bulk.genes]
    files = files | {"bulk": write(tmp_path / "bytes.csv", quoted, bulk.columns, bulk.values)}
    refused = run(files, tmp_path / "refused", "--model", "naive")
    assert refused == 2
    assert "no gene in common" in capsys.readouterr().err
    assert not (tmp_path / "refused").exists()
    out = tmp_path / "out"
    assert run(files, out, "--model", "naive", "--repair") == 0
    (repair,) = json.loads((out / "run.json").read_text())["repairs"]
    assert (repair["kind"], repair["role"]) == ("match_genes", "bulk")
    plain = files | {"bulk": tmp_path / "bulk.csv"}
    assert run(plain, tmp_path / "plain", "--model", "naive") == 0
    composition = read(out / "composition_bulk.csv")
    pd.testing.assert_frame_equal(composition, read(tmp_path / "plain" / "composition_bulk.csv"))


def test_a_folder_of_one_file_per_sample_is_analysed(files, dataset, tmp_path, capsys):
    bulk, folder = dataset.bulk.matrix, tmp_path / "run"
    folder.mkdir()
    for k in range(3):
        rows = [f"{g}\t{v:g}" for g, v in zip(bulk.genes, bulk.values[:, k], strict=True)]
        (folder / f"P{'abc'[k]}.htseq.counts").write_text("\n".join(rows) + "\n")
    out = tmp_path / "out"
    assert run(files | {"bulk": folder}, out, "--model", "naive") == 0
    found = read(out / "composition_bulk.csv")
    assert run(files, tmp_path / "table", "--model", "naive") == 0
    wanted = read(tmp_path / "table" / "composition_bulk.csv").iloc[:, :3]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert list(found.columns) == ["Pa", "Pb", "Pc"]
    (tmp_path / "empty").mkdir()
    capsys.readouterr()
    assert run(files | {"bulk": tmp_path / "empty"}, tmp_path / "none") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_out_is_required(files, capsys):
    assert analyze.analyze(["--train", str(files["train"])]) == 2
    assert "--out" in capsys.readouterr().err


def test_out_that_is_a_file_is_refused_before_anything_is_computed(files, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    assert run(files, tmp_path / "out") == 2
    assert (tmp_path / "out").read_text() == "mine"
    assert capsys.readouterr().err.count("\n") == 1


def test_failure_while_writing_leaves_nothing(files, tmp_path, capsys, monkeypatch):
    from gui.data import export

    def full(frame):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "csv_bytes", full)
    before = sorted(tmp_path.iterdir())
    assert run(files, tmp_path / "deep" / "out", "--model", "naive") == 2
    assert sorted(tmp_path.iterdir()) == before
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interruption_says_truly_what_is_in_the_folder(
    files, tmp_path, capsys, monkeypatch, when
):
    out = tmp_path / "out"
    assert run(files, out, "--model", "naive") == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    write_all = output.write_all

    def interrupted(*given):
        if when == "after":
            write_all(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(output, "write_all", interrupted)
    capsys.readouterr()
    assert run(files, out, "--model", "naive", "--seed", "2") == 130
    now = {p.name: p.read_bytes() for p in out.iterdir()}
    last = capsys.readouterr().err.splitlines()[-1]
    assert (now == before) is (when == "before")
    assert (
        last == "Interrupted."
        f" {'Nothing was written.' if when == 'before' else f'The results were written to {out}.'}"
    )


def test_what_a_kill_left_is_brought_back_and_said(files, tmp_path, capsys, monkeypatch):
    from gui.result_folder import BEFORE

    out = tmp_path / "out"
    assert run(files, out, "--model", "naive") == 0
    whole = {p.name: p.read_bytes() for p in out.iterdir()}
    (out / BEFORE).mkdir()
    for name in whole:
        (out / name).rename(out / BEFORE / name)
    (out / BEFORE / "files").write_text("\n".join(whole))
    (out / "gene_regulation.csv").write_text("of the analysis that was killed")
    capsys.readouterr()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(output, "write_all", interrupted)
    assert run(files, out, "--model", "naive") == 130
    assert {p.name: p.read_bytes() for p in out.iterdir()} == whole
    assert "the previous files were restored" in capsys.readouterr().err


def test_hostile_names_cannot_become_formulas(files, dataset, tmp_path):
    names = ["=1+1", *dataset.bulk.samples[1:]]
    files["bulk"] = write(
        tmp_path / "named.csv", dataset.bulk.matrix.genes, names, dataset.bulk.matrix.values
    )
    assert run(files, tmp_path / "out", "--model", "naive") == 0
    assert "'=1+1" in read(tmp_path / "out" / "composition_bulk.csv").columns


def test_example_prints_estimate_beside_truth(capsys):
    assert analyze.analyze(["--example"]) == 0
    out = capsys.readouterr().out
    for text in (
        "estimated",
        "true",
        "correlation",
        "Monocytes",
        "hidden (Neutrophils)",
        "Hidden fraction:",
        "Regulated genes in Monocytes:",
    ):
        assert text in out
    for line in out.splitlines()[3:9]:
        estimated, true, correlation = line.split()[-3:]
        assert abs(float(estimated.rstrip("%")) - float(true.rstrip("%"))) < 6, line
        assert float(correlation) > 0.95, line


def test_example_can_be_written_too(tmp_path):
    assert (
        analyze.analyze(
            ["--example", *QUICK, "--model", "deconomix", "--out", str(tmp_path / "out")]
        )
        == 0
    )
    assert (tmp_path / "out" / "composition_bulk.csv").exists()


def test_analyze_in_a_fresh_process_uses_one_blas_thread_and_keeps_stdout_clean(files, tmp_path):
    code = (
        "import sys\nfrom gui.cli.analyze import analyze\nassert 'numpy' not in sys.modules\ncode ="
        " analyze(sys.argv[1:])\nfrom threadpoolctl import threadpool_info\nimport torch\nassert"
        " all(p['num_threads'] == 1 for p in threadpool_info()), threadpool_info()\nassert"
        " torch.get_num_threads() == 1\nsys.exit(code)"
    )
    environment = os.environ | {
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
        "PYTHONPATH": str(Path(analyze.__file__).parents[2]),
    }
    arguments = [
        sys.executable,
        "-c",
        code,
        "--train",
        str(files["train"]),
        "--bulk",
        str(files["bulk"]),
        *QUICK,
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "Warning" not in done.stderr


def test_engine_cores_and_scheduler_are_those_of_the_configuration(files, tmp_path, capsys):
    """The option counts more than the file; a file with a mistake is one line and leaves
    nothing.
    """
    config = tmp_path / "config.toml"
    config.write_text('[compute]\nengine = "stock"\ncores = 2\n')
    assert run(files, tmp_path / "one", "--config", str(config)) == 0
    assert (
        compute_settings.get_compute_settings().engine,
        compute_settings.get_compute_settings().cores,
    ) == ("stock", 2)
    assert (
        json.loads((tmp_path / "one" / "run.json").read_text())["parameters"]["engine"] == "stock"
    )
    assert run(files, tmp_path / "two", "--config", str(config), "--engine", "fast") == 0
    assert json.loads((tmp_path / "two" / "run.json").read_text())["parameters"]["engine"] == "fast"
    config.write_text("[compute]\nengine = 1\n")
    assert run(files, tmp_path / "three", "--config", str(config)) == 2
    assert "config.toml" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "three").exists()


def test_cell_fractions_are_written_by_a_table_and_refused_without_counts(files, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(files, out, "--model", "deconomix+h", "--as-cells") == 2
    assert "cannot be measured" in capsys.readouterr().err
    assert not out.exists()
    table = tmp_path / "content.csv"
    table.write_text("cell type,RNA\nT0,1\nT1,1\nT2,2\nT3,4\n")
    assert run(files, out, "--model", "deconomix+h", "--rna-content", str(table)) == 0
    rna, cells = read(out / "composition_bulk.csv"), read(out / "composition_bulk_cells.csv")
    expected = rna.drop(index="hidden").div([1, 1, 2, 4], axis=0)
    np.testing.assert_allclose(cells, expected / expected.sum(), atol=1e-6)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["rna_content"]["source"] == "content.csv"
    assert record["rna_content"]["factors"]["T3"] == 2.0


def test_another_method_is_written_and_recorded_and_a_reference_alone_is_enough(
    files, tmp_path, capsys
):
    from gui.data.load import FileChoice, LoadRequest, load_dataset
    from gui.methods.least_squares import profiles_and_bulk

    common = ["--bulk", str(files["bulk"]), "--method", "relative"]
    out = tmp_path / "cells"
    assert analyze.analyze(["--train", str(files["train"]), *common, "--out", str(out)]) == 0
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert record["parameters"]["method"] == "relative"
    assert record["contradicted"] is None
    first = read(out / "composition_bulk.csv")
    assert np.allclose(first.sum(), 1.0)
    assert not (out / "gene_weights.csv").exists()
    roles = {role: FileChoice.parse(path=files[role], name=role) for role in ("train", "bulk")}
    profiles, _, _ = profiles_and_bulk(load_dataset(LoadRequest.parse(files=roles)), None)
    profiles.to_csv(tmp_path / "signature.csv")
    alone = ["--reference", str(tmp_path / "signature.csv")]
    assert analyze.analyze([*alone, *common, "--out", str(tmp_path / "alone")]) == 0
    assert "without single cells" in capsys.readouterr().err
    assert np.allclose(read(tmp_path / "alone" / "composition_bulk.csv"), first, atol=1e-6)
    refused = [*alone, "--bulk", str(files["bulk"]), "--out", str(tmp_path / "no")]
    assert analyze.analyze(refused) == 2
    assert "learns gene weights from single cells" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


PLUGIN = """
import pandas as pd
from gui.engine.params import Params, param
from gui.plugin import Method, method_result

class OwnParams(Params):
    genes: int | None = param(5, "Number of genes", "Used.", unit="genes", ge=2)
    seed: int = param(7, "Seed", "Used.", ge=0)

def own(dataset, params, *, progress):
    types = pd.Index(dataset.types)
    composition = pd.DataFrame(1 / len(types), index=types, columns=dataset.bulk.matrix.columns)
    reference = pd.DataFrame(1.0, index=dataset.bulk.matrix.genes, columns=types)
    return method_result(dataset, "own", "Own", composition, reference, opinion=False)

method = Method("own", "Own", "The same for every type.", own, OwnParams)
"""


def test_a_method_keeps_its_own_defaults_unless_an_option_is_given(files, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "own.py").write_text(PLUGIN, "utf-8")
    config = tmp_path / "config.toml"
    config.write_text(f"[folders]\nplugins = '{folder}'\n", "utf-8")

    def parameters(name: str, *more: str) -> dict:
        roles = [part for role in ("train", "bulk") for part in (f"--{role}", str(files[role]))]
        out = tmp_path / name
        command = [*roles, "--method", "own", "--config", str(config), *more, "--out", str(out)]
        assert analyze.analyze(command) == 0
        record = json.loads((out / "run.json").read_text("utf-8"))
        assert set(record["seeds"]) == {"split"}
        return {key: record["parameters"][key] for key in ("genes", "seed")}

    assert parameters("untouched") == {"genes": 5, "seed": 7}
    # one that equals the default of analyze counts as well
    assert parameters("given", "--genes", "1000", "--seed", "1") == {"genes": 1000, "seed": 1}
    assert parameters("all", "--genes", "0")["genes"] is None


@pytest.mark.parametrize(
    "option",
    [
        ["--lambda2", "search"],
        ["--engine", "stock"],
        ["--iterations", "5"],
        ["--mixtures", "10"],
        ["--cells", "5"],
        ["--refine"],
    ],
    ids=lambda option: option[0],
)
def test_an_option_that_says_nothing_to_a_method_is_refused(files, tmp_path, capsys, option):
    out = tmp_path / "out"
    roles = [part for role in ("train", "bulk") for part in (f"--{role}", str(files[role]))]
    assert analyze.analyze([*roles, "--method", "nnls", *option, "--out", str(out)]) == 2
    assert f"{option[0]} has no effect on --method nnls" in capsys.readouterr().err
    assert not out.exists()
