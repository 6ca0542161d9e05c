"""``analyze`` gives the numbers of the reference pipeline on real data: stock deconomix in its
plainest form.

With the stock engine its very numbers.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.cli import analyze as commands

OPTIONS = ["--genes", "300", "--mixtures", "200", "--iterations", "100", "--seed", "3"]
CASES = [(model, False) for model in commands.MODELS] + [("deconomix+h,r", True)]
TOLERANCE = 1e-6
STOCK = ["--engine", "stock"]
# one process for all models: importing torch takes longer than the analysis
REFERENCE = """
import sys
sys.path.insert(0, sys.argv[1])
import reference_pipeline as pipeline
folder, out, options = sys.argv[2], sys.argv[3], sys.argv[5:]
for case in sys.argv[4].split(";"):
    model, own = case.split("/")
    sys.argv = ["reference", folder, f"{out}/{case.replace('/', '_')}", "--model", model, *options, *(["--use-reference"] if own == "1" else [])]
    pipeline.main()
"""


@pytest.fixture(scope="module")
def real(shared_data) -> Path:
    folder, pipeline = (
        shared_data / "pbmc_hao_finotello",
        shared_data.parent / "reference_pipeline.py",
    )
    if not folder.is_dir() or not pipeline.is_file():
        pytest.skip(f"{folder} or {pipeline} is missing")
    return folder


@pytest.fixture(scope="module")
def expected(real, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("reference")
    cases = ";".join(f"{model}/{int(own)}" for model, own in CASES)
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [
        sys.executable,
        "-c",
        REFERENCE,
        str(real.parents[1]),
        str(real),
        str(out),
        cases,
        *OPTIONS,
    ]
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        cwd=out,
        env=os.environ | one_thread | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    return out


@pytest.mark.parametrize(("model", "own_reference"), CASES)
def test_analyze_equals_the_reference_pipeline(
    real, expected, tmp_path, capsys, model, own_reference
):
    files = [
        "--train",
        str(real / "train.h5ad"),
        "--test",
        str(real / "test.h5ad"),
        "--bulk",
        str(real / "application.h5ad"),
    ]
    files += ["--reference", str(real / "reference.h5ad")] if own_reference else []
    assert (
        commands.analyze(
            [*files, "--model", model, *OPTIONS, *STOCK, "--out", str(tmp_path / "out")]
        )
        == 0
    ), capsys.readouterr().err
    wanted = {
        p.name: p
        for p in (expected / f"{model}_{int(own_reference)}").glob("*.csv")
        if p.name != "truth_test.csv"
    }
    assert len(wanted) == {"naive": 3, "deconomix": 3, "deconomix+h": 4, "deconomix+h,r": 5}[model]
    for name, path in wanted.items():
        reference, ours = (
            pd.read_csv(p, index_col=0, float_precision="round_trip")
            for p in (path, tmp_path / "out" / name)
        )
        assert list(ours.index) == list(reference.index), name
        assert list(ours.columns) == list(reference.columns), name
        if name == "gene_weights.csv":
            assert ours.equals(reference), (
                "the same float32 to the last digit: large weights would miss the tolerance"
                " otherwise"
            )
        np.testing.assert_allclose(ours, reference, rtol=0, atol=TOLERANCE, err_msg=name)


def test_analyze_with_the_fast_engine_is_the_reference_pipeline_where_nothing_is_learned(
    real, expected, tmp_path, capsys
):
    """Short runs on few mixtures, as here, are where stock's float32 shows most: DTD itself is
    compared in test_fast_dtd.py.
    """
    files = [
        "--train",
        str(real / "train.h5ad"),
        "--test",
        str(real / "test.h5ad"),
        "--bulk",
        str(real / "application.h5ad"),
    ]
    assert (
        commands.analyze([*files, "--model", "naive", *OPTIONS, "--out", str(tmp_path / "out")])
        == 0
    ), capsys.readouterr().err
    for name in ("gene_weights.csv", "composition_bulk.csv", "composition_test.csv"):
        reference, ours = (
            pd.read_csv(p / name, index_col=0, float_precision="round_trip")
            for p in (expected / "naive_0", tmp_path / "out")
        )
        np.testing.assert_allclose(ours, reference, rtol=0, atol=TOLERANCE, err_msg=name)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["parameters"]["engine"] == "fast"


def test_another_seed_gives_other_numbers(real, expected, tmp_path):
    """The control: the comparison above can fail."""
    files = [
        "--train",
        str(real / "train.h5ad"),
        "--test",
        str(real / "test.h5ad"),
        "--bulk",
        str(real / "application.h5ad"),
    ]
    assert (
        commands.analyze(
            [
                *files,
                "--model",
                "deconomix",
                *OPTIONS[:-1],
                "4",
                *STOCK,
                "--out",
                str(tmp_path / "out"),
            ]
        )
        == 0
    )
    reference = pd.read_csv(expected / "deconomix_0" / "gene_weights.csv", index_col=0)
    ours = pd.read_csv(tmp_path / "out" / "gene_weights.csv", index_col=0)
    assert not np.allclose(ours, reference, rtol=0, atol=TOLERANCE)
