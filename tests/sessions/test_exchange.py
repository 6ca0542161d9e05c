"""What leaves the house: without cells, with pseudonyms.

No name is left anywhere in the file, and no result is shown as outdated.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gui.data.dataset import Bulk, Cells, Clinical, Dataset, KnownComposition, Matrix
from gui.data.normalize import scaled, type_means
from gui.engine.params import ADTDParams, ApplyParams, Params
from gui.engine.results import ADTDResult, ApplyResult, DTDResult, Run
from gui.sessions import file
from gui.sessions.cache import DCXCache
from gui.sessions.codec import StoredRecord
from gui.sessions.exchange import pseudonymised, without_cells
from gui.sessions.file import Origin, load, read_header, save
from gui.sessions.pseudonyms import NameScanner
from gui.sessions.snapshot import Snapshot
from tests.sessions.samples import ID, rich, same

SAMPLES = [f"Müller, A. 19{70 + k}" for k in range(4)]
EARLIER = ["an earlier patient", "Jürgen 12"]
BARCODES = [f"ACGTTGCA{k:04d}-1" for k in range(40)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


class NamedParams(Params):
    shown: str = ""


@dataclasses.dataclass(frozen=True)
class PluginResult:
    best: str
    table: pd.DataFrame


def named() -> Snapshot:
    """A session in which names stand in every place that can hold one."""
    base = rich()
    data = base.dataset
    assert data is not None
    assert data.train is not None
    assert data.bulk is not None
    samples = pd.Index(SAMPLES, name="sample")
    bulk = Bulk(
        Matrix(data.bulk.matrix.values, data.bulk.matrix.genes, samples),
        pd.DataFrame(
            {
                "group": pd.Categorical(["x", "y", "x", "y"]),
                "patient": SAMPLES,
                "pair": pd.Categorical([SAMPLES[0], SAMPLES[0], SAMPLES[1], SAMPLES[1]]),
                "comment": ["", f"twin of {SAMPLES[0]}", None, ""],
                "age": [40, 40, 41, 41],
                "text": pd.array(["as " + SAMPLES[2], "b", "b", None], dtype="string"),
            },
            index=samples,
        ),
    )
    obs = data.train.obs.set_axis(pd.Index(BARCODES)).assign(donor=(SAMPLES * 10), barcode=BARCODES)
    train = Cells(
        Matrix(data.train.matrix.values, data.train.matrix.genes, pd.Index(BARCODES)),
        data.train.labels,
        obs,
    )
    told = {"notes": (f"without {SAMPLES[1]}",), "warnings": (f"{SAMPLES[2]} looks odd.",)}
    source = dataclasses.replace(
        data.sources[0], name=f"{SAMPLES[3]}.h5ad", options={"keep": [SAMPLES[0]]}, **told
    )
    fresh = dataclasses.replace(
        data,
        train=train,
        bulk=bulk,
        sources=(source,),
        name=f"of {SAMPLES[0]}",
        description=f"{SAMPLES[1]}/{SAMPLES[2]}",
        author=SAMPLES[3],
    )
    made = dataclasses.replace(
        base.runs[0].provenance, training_id=fresh.training_id, bulk_id=fresh.bulk_id, inputs={}
    )
    after = dataclasses.replace(made, inputs={"dtd": "run0"})
    old = dataclasses.replace(after, bulk_id="0123456789abcdef")
    dtd, adtd = base.runs[0].result, base.runs[3].result
    shares = dtd.composition["bulk"].set_axis(samples, axis=1)
    by_sample = pd.Series([0.1, 0.2, 0.3, 0.4], index=samples, name=SAMPLES[0])
    dtd = dataclasses.replace(
        dtd,
        composition={**dtd.composition, "bulk": shares},
        naive={"bulk": shares},
        notes=(f"{SAMPLES[2]} fits poorly",),
    )
    adtd = dataclasses.replace(
        adtd,
        composition=shares,
        hidden=by_sample,
        hidden_interval=pd.DataFrame({"low": by_sample, "high": by_sample}),
    )
    applied = ApplyResult(
        shares.iloc[:, :2].set_axis(EARLIER, axis=1),
        shares.iloc[:, :2].set_axis(EARLIER, axis=1),
        (f"{EARLIER[0]} lacks genes",),
    )
    plain = {
        "worst": SAMPLES[1],
        "pairs": {SAMPLES[0]: (SAMPLES[1], 3)},
        "frame": pd.DataFrame(
            {SAMPLES[0]: [1.0, 2.0], f"{SAMPLES[1]} (raw)": [3.0, 4.0]}, index=["a", BARCODES[3]]
        ),
        "array": np.array([SAMPLES[0], "other"]),
        "levels": pd.Series(
            [1, 2], index=pd.MultiIndex.from_tuples([("k", SAMPLES[2]), ("k", SAMPLES[3])])
        ),
        "record": PluginResult(SAMPLES[0], pd.DataFrame({"who": SAMPLES})),
        "matrix": bulk.matrix,
    }
    when = base.created
    runs = (
        Run("run0", "dtd", "DTD", when, base.runs[0].params, dtd, made),
        Run("old", "apply", "Apply", when, ApplyParams(), applied, old),
        Run("adtd0", "adtd", f"ADTD without {SAMPLES[0]}", when, ADTDParams(), adtd, after),
        Run("plug", "cells", "Plug-in", when, NamedParams(shown=SAMPLES[0]), plain, after),
    )
    forms = {"adtd": {"shown": [SAMPLES[0]], "cell": BARCODES[0], f"of {SAMPLES[1]}": 1}}
    return dataclasses.replace(
        base,
        name=f"Trial {SAMPLES[0]}",
        dataset=fresh,
        runs=runs,
        chosen={r.kind: r.id for r in runs},
        forms=forms,
        notes=f"{SAMPLES[0]} and {SAMPLES[1]}.",
    )


def text_of(path: Path) -> str:
    """Everything that stands in a file, unpacked, as text in every coding a name may have there."""
    with zipfile.ZipFile(path) as archive:
        parts = [
            archive.read("header.json"),
            *(
                zstandard.decompress(archive.read(n))
                for n in archive.namelist()
                if n == "manifest" or n.startswith("o/")
            ),
        ]
    raw = b"\n".join(parts).decode("latin-1")
    wide = b"\n".join(parts).decode("utf-32", "ignore")
    return raw + re.sub(r"\\u[0-9a-f]{4}", lambda m: json.loads(f'"{m[0]}"'), raw) + wide


def outdated(snapshot: Snapshot) -> list[str | None]:
    session = DCXCache.from_snapshot(snapshot)
    return [session.outdated(run) for run in session.runs()]


def data_of(snapshot: Snapshot) -> Dataset:
    assert snapshot.dataset is not None
    return snapshot.dataset


# ------------------------------------------------------------------------------------ without cells


def test_without_cells_results_are_the_same_and_not_outdated(path: Path) -> None:
    snapshot = named()
    assert outdated(snapshot) == [None, "Computed from another bulk.", None, None]
    bare = without_cells(snapshot)
    session = DCXCache.from_snapshot(bare)
    assert (session.has("train"), session.has("bulk"), session.has("dtd")) == (False, True, True)
    assert outdated(bare) == outdated(snapshot)
    same(
        [snapshot.runs, data_of(snapshot).bulk, data_of(snapshot).reference],
        [bare.runs, data_of(bare).bulk, data_of(bare).reference],
    )
    assert bare.marks == ("recovered", "without cells")
    save(path, bare, expected_generation=None)
    assert read_header(path).contents["marks"] == "recovered, without cells"
    assert outdated(load(path)) == outdated(snapshot)
    left = text_of(path)
    # in a form and in a plug-in's table
    assert [barcode for barcode in BARCODES if barcode in left] == [BARCODES[0], BARCODES[3]]
    other = dataclasses.replace(data_of(bare), bulk=None, scale=None)
    # positive control: what is changed afterwards is other data
    assert other.training_id != data_of(snapshot).training_id
    assert without_cells(bare).marks == bare.marks


def test_the_mean_of_each_type_stays_where_there_was_no_reference() -> None:
    snapshot = rich()
    data = dataclasses.replace(data_of(snapshot), reference=None)
    bare = data_of(without_cells(dataclasses.replace(snapshot, dataset=data)))
    assert data.train is not None
    cells = data.train.matrix.frame().set_axis(data.train.labels, axis=1)
    assert bare.reference is not None
    pd.testing.assert_frame_equal(
        bare.reference.frame(), type_means(scaled(cells, data.scale)), check_names=False
    )
    assert (bare.types, bare.training_id) == (data.types, data.training_id)
    assert bare.source("reference") is not None
    empty = Snapshot(ID, "empty", snapshot.created, snapshot.modified)
    assert without_cells(empty).dataset is None


def test_removing_the_cells_of_a_session_that_lies_on_disk_reads_none_of_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.sessions.lazy.LARGE", 100)
    save(path, rich(), expected_generation=None)
    found = load(path, origin=Origin(path))
    save(path.with_name("bare"), without_cells(found), expected_generation=None)
    assert not any(m.loaded for m in data_of(found).parts().values())
    assert path.with_name("bare").stat().st_size < path.stat().st_size


# --------------------------------------------------------------------------------------- pseudonyms


def test_no_name_is_left_anywhere_in_the_file(path: Path) -> None:
    snapshot = named()
    save(path, snapshot, expected_generation=None)
    before = text_of(path)
    # positive control: the search finds them
    assert all(name in before for name in (*SAMPLES, *EARLIER, *BARCODES))
    made, names = pseudonymised(snapshot)
    path.unlink()
    save(path, made, expected_generation=None)
    after = text_of(path)
    assert [name for name in (*SAMPLES, *EARLIER, *BARCODES) if name in after] == []
    assert not {
        data_of(snapshot).training_id,
        data_of(snapshot).bulk_id,
        "0123456789abcdef",
        "ab" * 32,
    } & set(re.findall(r"[0-9a-f]{16,}", after))
    assert sorted(names["name"]) == sorted([*SAMPLES, *EARLIER, *BARCODES])
    assert list(names) == ["name", "pseudonym", "role"]
    assert made.marks == ("recovered", "pseudonyms")


def test_pseudonyms_are_the_same_everywhere_and_nothing_else_changes(path: Path) -> None:
    snapshot = named()
    made, names = pseudonymised(snapshot)
    table = dict(zip(names["name"], names["pseudonym"], strict=True))
    assert [table[s] for s in SAMPLES] == ["S0001", "S0002", "S0003", "S0004"]
    assert table[BARCODES[0]] == "C000001"
    assert set(names["role"]) == {"sample", "cell"}
    data, was = data_of(made), data_of(snapshot)
    assert data.bulk is not None
    assert was.bulk is not None
    assert data.bulk.samples == list(data.bulk.obs.index) == [table[s] for s in SAMPLES]
    same(
        [was.bulk.matrix.values, was.train.matrix.values, was.train.labels],
        [data.bulk.matrix.values, data.train.matrix.values, data.train.labels],
    )  # type: ignore[union-attr]
    same([was.reference, was.test.matrix], [data.reference, data.test.matrix])  # type: ignore[union-attr]
    dtd, applied, adtd, plug = (run.result for run in made.runs)
    assert isinstance(dtd, DTDResult)
    assert isinstance(adtd, ADTDResult)
    assert (
        list(dtd.composition["bulk"])
        == list(adtd.hidden.index)
        == list(adtd.hidden_interval.index)
        == data.bulk.samples
    )  # type: ignore[union-attr]
    assert list(applied.composition) == [table[s] for s in EARLIER]
    before = snapshot.runs[0].result
    same(before.composition["bulk"].to_numpy(), dtd.composition["bulk"].to_numpy())
    same(
        [before.gene_weights, before.reference, before.loss, before.composition["train"]],
        [dtd.gene_weights, dtd.reference, dtd.loss, dtd.composition["train"]],
    )
    assert (plug["worst"], plug["pairs"]) == ("S0002", {"S0001": ("S0002", 3)})
    assert list(plug["frame"]) == ["S0001", "S0002 (raw)"]
    assert list(plug["frame"].index) == ["a", "C000004"]
    assert plug["array"].tolist() == ["S0001", "other"]
    assert plug["levels"].index.tolist() == [("k", "S0003"), ("k", "S0004")]
    assert isinstance(plug["record"], StoredRecord)
    assert plug["record"].best == "S0001"
    assert made.runs[3].params == NamedParams(shown="S0001")
    assert (made.name, made.notes.split("\n")[0], made.runs[2].title) == (
        "Trial S0001",
        "S0001 and S0002.",
        "ADTD without S0001",
    )
    assert made.forms == {"adtd": {"shown": ["S0001"], "cell": "C000001", "of S0002": 1}}
    assert (data.name, data.description, data.author, data.sources[0].name) == (
        "of S0001",
        "S0002/S0003",
        "S0004",
        "S0004.h5ad",
    )
    assert (data.sources[0].notes, data.sources[0].warnings) == (
        ("without S0002",),
        ("S0003 looks odd.",),
    )
    save(path, made, expected_generation=None)
    same(made.dataset, load(path).dataset)


def test_nothing_is_shown_as_outdated_by_pseudonyms_nor_by_both_at_once(path: Path) -> None:
    snapshot = named()
    for made in (
        pseudonymised(snapshot)[0],
        pseudonymised(without_cells(snapshot))[0],
        without_cells(pseudonymised(snapshot)[0]),
    ):
        assert outdated(made) == outdated(snapshot)
    assert without_cells(pseudonymised(snapshot)[0]).marks == (
        "recovered",
        "pseudonyms",
        "without cells",
    )


def test_columns_that_tell_who_is_who_are_left_out_and_said() -> None:
    made, _ = pseudonymised(named())
    bulk, train = data_of(made).bulk, data_of(made).train
    assert bulk is not None
    assert train is not None
    assert list(bulk.obs) == ["group", "pair", "comment", "age", "text"]
    assert bulk.obs["pair"].tolist() == ["S0001", "S0001", "S0002", "S0002"]
    assert bulk.obs["comment"].tolist() == ["", "twin of S0001", None, ""]
    assert "barcode" not in train.obs
    assert "“patient” of the bulk samples" in made.notes
    assert "“barcode” of the training cells" in made.notes


def test_short_names_are_replaced_where_they_stand_alone_and_no_gene_or_type_is_renamed() -> None:
    base = rich()
    data = data_of(base)
    assert data.bulk is not None
    samples = pd.Index(["1", "G", "T cells of Eve", "NK"[:1]])
    bulk = Bulk(
        Matrix(data.bulk.matrix.values, data.bulk.matrix.genes, samples),
        pd.DataFrame(index=samples),
    )
    made, _ = pseudonymised(
        dataclasses.replace(
            base,
            dataset=dataclasses.replace(data, bulk=bulk),
            notes="G and 1, not 10 Good days of T cells of Eve",
        )
    )
    assert made.notes.split("\n")[0] == "S0002 and S0001, not 10 Good days of S0003"
    assert data_of(made).types == data.types
    same(data_of(made).reference, data.reference)
    same(
        [run.result.gene_weights for run in base.runs if run.kind == "adtd"],
        [run.result.gene_weights for run in made.runs if run.kind == "adtd"],
    )


def test_numbers_as_names_are_replaced_in_names_and_never_in_values() -> None:
    base = rich()
    data = data_of(base)
    assert data.bulk is not None
    samples = pd.Index([4711, 4712, 4713, 4714])
    bulk = Bulk(
        Matrix(data.bulk.matrix.values, data.bulk.matrix.genes, samples),
        pd.DataFrame({"n": [4711, 4711, 4712, 4712]}, index=samples),
    )
    result = {"of": pd.Series([4711, 2], index=[4711, 4712]), "text": "4713"}
    run = dataclasses.replace(base.runs[2], result=result)
    made, names = pseudonymised(
        dataclasses.replace(base, dataset=dataclasses.replace(data, bulk=bulk), runs=(run,))
    )
    assert data_of(made).bulk.samples == ["S0001", "S0002", "S0003", "S0004"]  # type: ignore[union-attr]
    assert (
        made.runs[0].result["of"].index.tolist(),
        made.runs[0].result["of"].tolist(),
        made.runs[0].result["text"],
    ) == (
        ["S0001", "S0002"],
        [4711, 2],
        "S0003",
    )
    assert names["name"].tolist()[:2] == ["4711", "4712"]


def test_clinical_tables_and_truth_are_kept_and_bear_pseudonyms(path: Path) -> None:
    base = named()
    data = base.dataset
    assert data is not None
    assert data.bulk is not None
    table = pd.DataFrame(
        {
            "OS.time": [10.5, 20, 30, np.nan],
            "OS": [1.0, 0, 1, 0],
            "stage": ["I", "II", "I", None],
            "insurance": list("wxyz"),
        },
        index=SAMPLES,
    )
    clinical = Clinical(table, "clinic.csv", "OS.time", "OS", "1", "days")
    shares = pd.DataFrame([[0.2] * 4, [0.8] * 4], index=["B cell", "NK"], columns=SAMPLES)
    whole = dataclasses.replace(
        base,
        dataset=dataclasses.replace(
            data, clinical=clinical, truth=KnownComposition(shares, "flow.csv", {"NK": "NK cells"})
        ),
    )
    save(path, whole, expected_generation=None)
    same(load(path).dataset, whole.dataset)
    made, names = pseudonymised(whole)
    assert made.dataset is not None
    assert made.dataset.bulk is not None
    kept, known = made.dataset.clinical, made.dataset.truth
    assert kept is not None
    assert known is not None
    assert (
        list(kept.table.index)
        == list(made.dataset.bulk.matrix.columns)
        == list(known.shares.columns)
    )
    # what tells who is who is left out, the times are not
    assert set(kept.table.columns) == {"OS.time", "OS", "stage"}
    assert (kept.time, kept.event, kept.unit, dict(known.pairs)) == (
        "OS.time",
        "OS",
        "days",
        {"NK": "NK cells"},
    )
    np.testing.assert_array_equal(kept.table["OS.time"].to_numpy(), table["OS.time"].to_numpy())
    assert set(SAMPLES) <= set(names["name"])


# -- many names
# --------------------------------------------------------------------------------------------------

LETTERS = st.text(alphabet="aAb_1 ß-", min_size=1, max_size=6)


@given(names=st.lists(LETTERS, max_size=8), text=st.text(alphabet="aAb_1 ß-", max_size=40))
def test_the_scanner_finds_what_an_alternation_of_all_names_finds(
    names: list[str], text: str
) -> None:
    """The longest name at each place; a short one only where it is a word of its own."""
    words = sorted(set(names), key=len, reverse=True)
    alternatives = [re.escape(w) if len(w) >= 4 else rf"(?<!\w){re.escape(w)}(?!\w)" for w in words]
    expected = re.sub("|".join(alternatives), lambda m: f"<{m[0]}>", text) if words else text
    found = NameScanner(names, words_below=4).replace(text, lambda name: f"<{name}>")
    assert found == expected


def test_the_work_of_finding_names_does_not_grow_with_their_number() -> None:
    """An alternation tries every name at every place: a thousand times as long."""
    text = "nothing of patient 99x was found, and patience helps. " * 200

    def seconds(names: int) -> float:
        scanner = NameScanner((f"patient {k}" for k in range(names)), words_below=4)
        best = float("inf")
        for _ in range(3):
            began = time.perf_counter()
            scanner.replace(text, str.upper)
            best = min(best, time.perf_counter() - began)
        return best

    assert seconds(20_000) < 10 * seconds(20)
