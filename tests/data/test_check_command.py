"""``deconomix-gui check``: roles, dcx and session files, exit codes, and never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.cli.check import check
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.normalize import prepare
from gui.data.validation.examine import examine


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, dict[str, Any], str]:
    code = check([*map(str, argv), "--json"])
    shown = capsys.readouterr()
    return code, json.loads(shown.out) if shown.out else {}, shown.err


def test_dcx_and_session_files_need_no_role(
    dcx_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, answer, _ = run(capsys, dcx_file)
    assert (code, answer["outcome"]) in ((0, "accept"), (0, "accept with a warning"))
    session = Path(__file__).parents[1] / "fixtures" / "session-1.1.dcxsession"
    code, answer, _ = run(capsys, session)
    assert (code, answer["outcome"]) == (0, "accept")
    protected = Path(__file__).parents[1] / "fixtures" / "session-1.1-protected.dcxsession"
    code, answer, _ = run(capsys, protected, "--role", "bulk")
    assert (code, answer["outcome"]) == (0, "accept with a warning")
    damaged = tmp_path / "half.dcxsession"
    damaged.write_bytes(session.read_bytes()[: session.stat().st_size // 2])
    code, answer, _ = run(capsys, damaged)
    assert (code, answer["outcome"]) == (2, "refuse")


def test_wrong_options_are_said_on_stderr_with_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, make: object
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("gene,A\nG,1\n")
    for argv in (
        [str(path)],
        [str(path), "--role", "king"],
        [str(path), "--role", "bulk", "--against", str(tmp_path / "none.csv")],
    ):
        code, answer, said = run(capsys, *argv)
        assert (code, answer) == (2, {})
        assert said.startswith("deconomix-gui: ")
        assert "Traceback" not in said
    code, answer, _ = run(capsys, tmp_path / "none.csv", "--role", "bulk")
    assert (code, answer["outcome"]) == (2, "refuse")


RUBBISH = [
    b"",
    b"\x00" * 50,
    b"\xff\xfe",
    b"PK\x03\x04rubbish",
    b"\x89HDF\r\n\x1a\n",
    b"\x80\x05.",
    b"a,b\n",
    b"\x1f\x8b\x08\x00",
    b"g;1,5\n",
]


@pytest.mark.parametrize("role", ["train", "test", "reference", "bulk", "clinical", "truth"])
@pytest.mark.parametrize("content", RUBBISH)
def test_rubbish_of_any_role_is_refused_and_never_a_traceback(
    role: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    code, answer, said = run(capsys, path, "--role", role)
    assert (code, answer["outcome"], said) == (2, "refuse", "")
    assert "caused an unexpected error" not in json.dumps(answer)
    assert all(str(tmp_path) not in f["message"] for f in answer["findings"])


def test_an_unknown_error_is_a_sentence_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*args: object, **options: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("gui.data.readers.read_cache.read_all", burst)
    path = tmp_path / "a.csv"
    path.write_text("gene,A\nG,1\n")
    code, answer, said = run(capsys, path, "--role", "bulk")
    assert (code, answer["outcome"], said) == (2, "refuse", "")
    assert "RuntimeError" in answer["findings"][0]["message"]
    assert "secret" not in json.dumps(answer)


def test_the_command_line_knows_it_and_speaks_plainly(awkward: Path) -> None:
    file = awkward / "имя с пробелами (1) ü.h5ad"
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "check", str(file), "--role", "train"],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines()[0] == "accept"


@pytest.fixture
def cells() -> anndata.AnnData:
    random = np.random.default_rng(0)
    profile = random.gamma(0.5, 4.0, (3, 80))
    labels = [t for t in ("A", "B", "C") for _ in range(12)]
    values = random.poisson(np.repeat(profile, 12, axis=0)).astype(np.float64) + np.eye(36, 80)
    obs = pd.DataFrame({"cell_type": labels}, index=[f"c{i}" for i in range(36)])
    return anndata.AnnData(values, obs=obs, var=pd.DataFrame(index=[f"G{i}" for i in range(80)]))


def test_variants_of_the_same_content_give_identical_results(
    cells: anndata.AnnData, tmp_path: Path
) -> None:
    """dtype, sparse format, order of genes, separator, encoding: the same numbers and the same
    findings.
    """
    bulk = pd.DataFrame(
        np.random.default_rng(1).poisson(30, (80, 4)),
        index=cells.var_names,
        columns=["Aä", "B", "C", "D"],
    )
    bulk.to_csv(tmp_path / "bulk.csv")
    cells.write_h5ad(tmp_path / "base.h5ad")
    trains = {"base.h5ad": None}
    for name, change in {
        "csr": lambda v: sparse.csr_matrix(v),
        "csc": lambda v: sparse.csc_matrix(v),
        "float32": lambda v: v.astype(np.float32),
        "int64": lambda v: v.astype(np.int64),
        "uint16": lambda v: sparse.csr_matrix(v.astype(np.uint16)),
    }.items():
        made = cells.copy()
        made.X = change(np.asarray(cells.X))
        made.write_h5ad(tmp_path / f"{name}.h5ad")
        trains[f"{name}.h5ad"] = None
    shuffled = bulk.sample(frac=1, random_state=3)
    shuffled.to_csv(tmp_path / "order.csv")
    bulk.to_csv(tmp_path / "semicolon.txt", sep=";")
    bulk.to_csv(tmp_path / "tab.tsv.gz", sep="\t")
    bulk.to_csv(tmp_path / "latin.csv", encoding="latin-1")
    bulk.to_csv(tmp_path / "utf16.csv", encoding="utf-16")
    bulk.to_csv(tmp_path / "bom.csv", encoding="utf-8-sig")
    bulk.to_csv(tmp_path / "old.csv", lineterminator="\r")
    bulk.to_excel(tmp_path / "book.xlsx")
    bulks = [
        "bulk.csv",
        "order.csv",
        "semicolon.txt",
        "tab.tsv.gz",
        "latin.csv",
        "utf16.csv",
        "bom.csv",
        "old.csv",
        "book.xlsx",
    ]

    def request(train: str, mixed: str) -> LoadRequest:
        return LoadRequest(
            files={
                "train": FileChoice(path=tmp_path / train),
                "bulk": FileChoice(path=tmp_path / mixed),
            }
        )

    expected = prepare(load_dataset(request("base.h5ad", "bulk.csv")), n_genes=40)
    codes = {
        f.code for f in examine(request("base.h5ad", "bulk.csv")).findings if f.severity != "info"
    }
    for train, mixed in [(t, "bulk.csv") for t in trains] + [("base.h5ad", b) for b in bulks]:
        wanted = request(train, mixed)
        got = prepare(load_dataset(wanted), n_genes=40)
        assert expected.genes.equals(got.genes), (train, mixed)
        np.testing.assert_array_equal(
            expected.reference.to_numpy(), got.reference.to_numpy(), err_msg=train
        )
        np.testing.assert_array_equal(expected.bulk.to_numpy(), got.bulk.to_numpy(), err_msg=mixed)
        assert list(got.bulk.columns) == list(expected.bulk.columns), mixed
        assert {f.code for f in examine(wanted).findings if f.severity != "info"} == codes, (
            train,
            mixed,
        )


def test_who_asks_waits_for_the_reading_process_only(awkward: Path) -> None:
    """The process that prints the answer loads no library of data beside the one that reads."""
    code = (
        "import sys\n"
        "from gui.cli.check import check\n"
        f"code = check([{str(awkward / 'clean_train.h5ad')!r}, '--role', 'train'], apart=True)\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'h5py', 'pydantic'}\n"
        "print(code, sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "accept"
    assert done.stdout.splitlines()[-1] == "0 []"
