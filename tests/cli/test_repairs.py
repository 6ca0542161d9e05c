"""``analyze`` applies what ``check`` proposes, what a file lists, and tables of gene names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gui.cli.check import check
from gui.cli.repairs import by_table, load_repaired, read_repairs
from gui.data.load import FileChoice, LoadRequest
from gui.data.readers.read import read_all
from gui.data.validation.repairs import UndoLog
from gui.errors import BadValues, InvalidParameter
from gui.knowledge.human_genes import human_genes

_TEXT = """
CD3E CD4 CD8A CD14 CD19 MS4A1 GNLY NKG7 HLA-A HLA-DRA EPCAM COL1A1 KRT5 TP63 VWF PECAM1 FCGR3A LYZ
"""
SYMBOLS = _TEXT.split()
IDS = {s: e for e, s in sorted(human_genes().by_ensembl.items(), reverse=True)}
RANDOM = np.random.default_rng(8)
PROFILES = RANDOM.lognormal(3, 1, (len(SYMBOLS), 2))
CELLS = RANDOM.poisson(np.repeat(PROFILES, 6, axis=1)) + 1.0
BULK = (PROFILES @ RANDOM.dirichlet([1, 1], 4).T).round(3) + 1.0


def write(path: Path, genes: list[str], columns: list[str], values: np.ndarray) -> Path:
    lines = ["\t".join(["gene", *columns])]
    lines += ["\t".join([g, *map(str, r)]) for g, r in zip(genes, values.tolist(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    return write(tmp_path / "cells.tsv", SYMBOLS, ["B"] * 6 + ["T"] * 6, CELLS)


@pytest.fixture
def bulk(tmp_path: Path) -> Path:
    """log2(x + 1) of genes called by Ensembl IDs with versions."""
    genes = [f"{IDS[s]}.7" for s in SYMBOLS]
    return write(tmp_path / "bulk.tsv", genes, ["P1", "P2", "P3", "P4"], np.log2(BULK + 1))


def request_for(cells: Path, bulk: Path) -> LoadRequest:
    return LoadRequest(files={"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk)})


def test_what_check_prints_can_be_given_to_analyze(
    cells: Path, bulk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # IDs against symbols: a choice, which the list of repairs settles
    assert check([str(bulk), "--role", "bulk", "--against", str(cells), "--json"]) == 2
    printed = tmp_path / "check.json"
    printed.write_text(capsys.readouterr().out)
    (repair,) = read_repairs(printed)
    assert repair.kind == "match_genes"
    dataset, applied = load_repaired(request_for(cells, bulk), chosen=[printed], as_is=True)
    assert applied == (repair,)
    assert dataset.bulk is not None
    assert set(SYMBOLS) == set(dataset.bulk.matrix.genes)
    alone = tmp_path / "list.json"
    alone.write_text(json.dumps(json.loads(printed.read_text())["repairs"]))
    assert read_repairs(alone) == [repair]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"findings": []}', "holds no list of repairs"),
        ('["undo_log"]', "holds no list of repairs"),
        ('[{"kind": "match_genes", "role": "bulk"}, {"kind": "?"}]', "Repair 2 .* is not known"),
    ],
)
def test_a_file_that_lists_no_repairs_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "repairs.json"
    path.write_text(text)
    with pytest.raises(InvalidParameter, match=says):
        read_repairs(path)


def test_a_missing_file_of_repairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="There is no file"):
        read_repairs(tmp_path / "none.json")


def test_a_table_of_gene_names_is_used_for_the_file_that_needs_it(
    cells: Path, tmp_path: Path
) -> None:
    own = [f"probe_{i}" for i in range(len(SYMBOLS))]
    bulk = write(tmp_path / "probes.tsv", own, ["P1", "P2", "P3", "P4"], BULK)
    table = tmp_path / "chip.csv"
    rows = (f"{p},{s}" for p, s in zip(own, SYMBOLS, strict=True))
    table.write_text("\n".join(["probe,gene symbol", *rows]) + "\n")
    request = request_for(cells, bulk)
    for text in (str(table), f"bulk={table}"):
        dataset, (repair,) = load_repaired(request, tables=[text])
        assert repair.role == "bulk"
        assert dataset.bulk is not None
        np.testing.assert_allclose(dataset.bulk.matrix.frame().loc[SYMBOLS].to_numpy(), BULK)
    parts = read_all(request.files)[0]
    with pytest.raises(InvalidParameter, match="--map is for test"):
        by_table(f"test={table}", parts)
    with pytest.raises(InvalidParameter, match="There is no file"):
        by_table(str(tmp_path / "none.csv"), parts)
    other = tmp_path / "other.csv"
    other.write_text("a,b\nx,y\nz,w\n")
    with pytest.raises(InvalidParameter, match="holds no names"):
        by_table(str(other), parts)


def test_values_that_look_logarithmic_are_not_analysed_without_being_told(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    genes = [f"G{i}" for i in range(80)]
    cells = write(tmp_path / "c.tsv", genes, ["B", "T"] * 5, random.poisson(9, (80, 10)) + 1.0)
    values = np.log2(random.poisson(random.lognormal(5, 2, (80, 4))) + 1)
    bulk = write(tmp_path / "b.tsv", genes, ["P1", "P2", "P3", "P4"], values)
    request = request_for(cells, bulk)
    with pytest.raises(BadValues, match="look log-transformed") as refused:
        load_repaired(request)
    assert "--repair" in str(refused.value.advice)
    linear, _ = load_repaired(request, proposed=True)
    kept, _ = load_repaired(request, as_is=True)
    assert linear.bulk is not None
    assert kept.bulk is not None
    np.testing.assert_allclose(kept.bulk.matrix.frame().to_numpy(), values)
    np.testing.assert_allclose(linear.bulk.matrix.frame().to_numpy(), 2**values - 1, rtol=1e-9)


def test_a_base_that_the_values_do_not_tell_is_asked_for_and_can_be_given(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    genes = [f"G{i}" for i in range(80)]
    cells = write(tmp_path / "c.tsv", genes, ["B", "T"] * 5, random.poisson(9, (80, 10)) + 1.0)
    values = np.log(random.lognormal(5, 2, (80, 4)) + 1).round(4)
    bulk = write(tmp_path / "b.tsv", genes, ["P1", "P2", "P3", "P4"], values)
    request = request_for(cells, bulk)
    for proposed in (False, True):
        with pytest.raises(BadValues, match="look log-transformed") as refused:
            load_repaired(request, proposed=proposed)
        assert "--log-base 2, e or 10" in str(refused.value.advice)
    for text, proposed in (("e", False), ("bulk=e", True), ("E", True)):
        made, repairs = load_repaired(request, proposed=proposed, log_bases=[text])
        assert made.bulk is not None
        assert [r.base for r in repairs if isinstance(r, UndoLog)] == ["e"]
        np.testing.assert_allclose(made.bulk.matrix.frame().to_numpy(), np.expm1(values))
    for text in ("3", "bulk=", "cells=2", ""):
        with pytest.raises(InvalidParameter, match="no base of a logarithm"):
            load_repaired(request, log_bases=[text])


def test_a_base_that_is_given_counts_more_than_the_proposed_one(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    genes = [f"G{i}" for i in range(80)]
    cells = write(tmp_path / "c.tsv", genes, ["B", "T"] * 5, random.poisson(9, (80, 10)) + 1.0)
    values = np.log2(random.poisson(random.lognormal(5, 2, (80, 4))) + 1)
    bulk = write(tmp_path / "b.tsv", genes, ["P1", "P2", "P3", "P4"], values)
    for given, base in ((["e"], "e"), ([], "2")):
        _, repairs = load_repaired(request_for(cells, bulk), proposed=True, log_bases=given)
        assert [r.base for r in repairs if isinstance(r, UndoLog)] == [base]


def test_values_that_a_file_of_repairs_says_are_linear_are_analysed_as_they_are(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(1)
    genes = [f"G{i}" for i in range(80)]
    cells = write(tmp_path / "c.tsv", genes, ["B", "T"] * 5, random.poisson(9, (80, 10)) + 1.0)
    values = np.log(random.lognormal(5, 2, (80, 4)) + 1).round(4)
    bulk = write(tmp_path / "b.tsv", genes, ["P1", "P2", "P3", "P4"], values)
    chosen = tmp_path / "repairs.json"
    chosen.write_text('[{"kind": "keep_values", "role": "bulk"}]', encoding="utf-8")
    data, repairs = load_repaired(request_for(cells, bulk), chosen=[chosen])
    assert data.bulk is not None
    assert [repair.kind for repair in repairs] == ["keep_values"]
    np.testing.assert_allclose(data.bulk.matrix.frame().to_numpy(), values)
