"""A session folder of the predecessor is read without running anything: its data and results are
those of truth.npz.
"""

from __future__ import annotations

import json
import os
import pickle
import pickletools
import shutil
import sys
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.legacy.predecessor import list_sessions, read_session
from gui.data.readers.dcx import read_dcx
from gui.errors import DataError, UnreadableFile, UnsafeFile

ID = "20261122#092548#0dfe8418"


@pytest.fixture
def cache(shared_data: Path) -> Path:
    return shared_data / "predecessor" / "sessions" / "cache"


@pytest.fixture
def truth(cache: Path) -> dict[str, np.ndarray]:
    with np.load(cache.parent / "truth.npz", allow_pickle=False) as found:
        return dict(found)


@pytest.fixture
def write_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes an ``<id>.pkl`` as the predecessor does, with whatever attributes."""
    for module, name in (
        ("utils.DeconomixCache", "DCXCache"),
        ("utils.DeconomixFile", "DeconomixFile"),
        ("deconomix.methods", "DTD"),
    ):
        made = types.ModuleType(module)
        setattr(made, name, type(name, (), {"__module__": module}))
        monkeypatch.setitem(
            sys.modules, module.partition(".")[0], types.ModuleType(module.partition(".")[0])
        )
        monkeypatch.setitem(sys.modules, module, made)

    def thing(module: str, name: str, **attributes: Any) -> Any:
        found = getattr(sys.modules[module], name)()
        found.__dict__.update(attributes)
        return found

    def write(**attributes: Any) -> Path:
        names = [f"G{i}" for i in range(5)]
        train = pd.DataFrame(np.arange(20.0).reshape(5, 4) + 1, names, ["T", "B", "T", "B"])
        means = train.T.groupby(level=0).mean().T
        file = thing(
            "utils.DeconomixFile",
            "DeconomixFile",
            X_mat=means,
            Train=train,
            Test=None,
            Application=None,
            Description="d",
            Author="a",
        )
        dtd = attributes.pop("dtd", None)
        if dtd is not None:
            attributes["DTDmodel"] = thing("deconomix.methods", "DTD", **dtd)
        path = tmp_path / f"{ID}.pkl"
        path.write_bytes(
            pickle.dumps(
                thing("utils.DeconomixCache", "DCXCache", **({"DeconomixFile": file} | attributes)),
                4,
            )
        )
        return path

    return write


def test_gamma_composition_and_regulation_are_those_of_the_predecessor(
    cache: Path, truth: dict[str, np.ndarray]
) -> None:
    session = read_session(cache / f"{ID}.pkl")
    assert session.dtd is not None
    assert session.adtd is not None
    assert session.adtd.regulation is not None
    np.testing.assert_array_equal(session.dtd.weights.to_numpy()[:, None], truth["gamma"])
    assert session.dtd.weights.dtype == np.float32
    np.testing.assert_array_equal(session.adtd.composition, truth["C"])
    np.testing.assert_array_equal(session.adtd.regulation, truth["D"])


def test_data_parameters_and_curves_come_along(cache: Path) -> None:
    session = read_session(cache / f"{ID}.pkl")
    assert (session.id, session.name, session.archived, session.notes) == (
        ID,
        "Kohorte 7",
        False,
        (),
    )
    data, dtd, adtd = session.dataset, session.dtd, session.adtd
    assert {role: (m.n_genes, m.n_columns) for role, m in data.parts().items()} == {
        "train": (60, 120),
        "test": (60, 120),
        "reference": (60, 4),
        "bulk": (60, 30),
    }
    assert (data.types, data.scale, data.author) == (["B", "Mono", "NK", "T"], None, "a")
    assert dtd.settings == {
        "train_n_mixtures": 1000,
        "train_n_cells": 100,
        "test_n_mixtures": 1000,
        "test_n_cells": 100,
        "nIter": 1000,
    }
    assert dtd.correlation.shape == (15, 4)
    # the engine's loss is minus the sum of the correlations
    np.testing.assert_allclose(dtd.loss, -dtd.correlation.sum(axis=1), rtol=1e-5)
    assert set(dtd.composition) == set(dtd.truth) == {"train", "test"}
    np.testing.assert_allclose(dtd.truth["test"].sum(), 1.0)
    # C = (X^T G X)^-1 X^T G Y over the simulated mixtures: that the frames lie under the right
    # names shows in the fit
    assert dtd.composition["test"].T.corrwith(dtd.truth["test"].T).min() > 0.9
    assert (adtd.part, adtd.learned, adtd.c_static, adtd.delta_static) == (
        "test",
        True,
        False,
        False,
    )
    assert adtd.settings == {"lambda1": 1e-6, "lambda2": 1e-6, "max_iterations": 5}
    assert adtd.truth is dtd.truth["test"]
    np.testing.assert_allclose(adtd.composition.sum() + adtd.hidden, 1.0, atol=0.05)


def test_a_folder_lists_active_and_archived_sessions_without_opening_them(
    cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "archive").mkdir()
    for folder, key, name in (
        (tmp_path, ID, "Kohorte 7"),
        (tmp_path / "archive", "20250101#000000#00000000", "älter"),
    ):
        shutil.copy(cache / f"{ID}.pkl", folder / f"{key}.pkl")
        (folder / f"{key}.meta.json").write_text(
            json.dumps({"created": f"{key[:4]}-01-01T00:00:00", "name": name, "status": "active"}),
            encoding="utf-8",
        )
    (tmp_path / "broken.pkl").write_bytes(b"not read")
    (tmp_path / "broken.meta.json").write_text("[" * 50_000, encoding="utf-8")
    found = list_sessions(tmp_path)
    assert [(s.name, s.archived) for s in found] == [
        ("älter", True),
        ("Kohorte 7", False),
        ("broken", False),
    ]
    assert found[1].created == datetime(2026, 1, 1).astimezone(UTC)
    assert read_session(found[0].path).archived
    with pytest.raises(UnreadableFile, match="no folder"):
        list_sessions(tmp_path / "nowhere")


def test_without_its_meta_file_a_session_has_the_name_inside_and_the_time_of_its_id(
    cache: Path, tmp_path: Path
) -> None:
    shutil.copy(cache / f"{ID}.pkl", tmp_path / f"{ID}.pkl")
    session = read_session(tmp_path / f"{ID}.pkl")
    assert session.name == "Kohorte 7"
    assert session.created == datetime(2026, 11, 22, 9, 25, 48).astimezone(UTC)


class Payload:
    def __init__(self, *wish: Any) -> None:
        self.wish = wish

    def __reduce__(self) -> Any:
        return self.wish[0], tuple(self.wish[1:])


def test_code_among_the_page_components_stays_inert(write_session, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = write_session(
        DTDTab=[
            Payload(os.mkdir, str(marker)),
            {1, 2},
            {("key",): 1},
            Payload(eval, f"__import__('os').mkdir({str(marker)!r})"),
        ]
    )
    assert read_session(path).dataset.types == ["B", "T"]
    assert not marker.exists()
    # positive control: both payloads run, the second finds what the first has made
    with pytest.raises(FileExistsError):
        pickle.loads(path.read_bytes())  # noqa: S301
    assert marker.exists()


def test_what_stays_inert_in_a_session_is_still_refused_in_a_dcx(
    write_session, cache: Path
) -> None:
    with pytest.raises(UnsafeFile):
        read_dcx(write_session(DTDTab=Payload(os.getcwd)))
    with pytest.raises(UnsafeFile):
        read_dcx(cache / f"{ID}.pkl")


def frame(values: Any, names: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        np.asarray(values, dtype=np.float32),
        names or [f"G{i}" for i in range(len(values))],
        ["gene weights"],
    )


def test_results_that_do_not_fit_are_left_behind_and_said(write_session) -> None:
    assert "not been run to its end" in read_session(write_session(dtd={"gamma": None})).notes[0]
    assert (
        "other data"
        in read_session(write_session(dtd={"gamma": frame([[1], [2]], ["G0", "X9"])})).notes[0]
    )
    session = read_session(
        write_session(
            dtd={"gamma": frame([[1]] * 5), "losses": [np.float32(-1.5), np.array(-1.75), -2.0]}
        )
    )
    assert session.dtd.loss.tolist() == [-1.5, -1.75, -2.0]
    assert session.notes == ()


@pytest.mark.parametrize(
    "attributes",
    [
        {"DeconomixFile": None},
        {"DeconomixFile": {"X_mat": 1}},
        {"dtd": {"gamma": "text"}},
        {"dtd": {"gamma": frame([[1], [float("nan")], [1], [1], [1]])}},
        {"dtd": {"gamma": frame([[1], [-1], [1], [1], [1]])}},
        {"dtd": {"gamma": frame([[1]] * 5, ["G0", "G0", "G1", "G2", "G3"])}},
        {"dtd": {"gamma": frame([[1]] * 5), "losses": "text"}},
        {"dtd": {"gamma": frame([[1]] * 5), "losses": [np.ones(3)]}},
        {"dtd": {"gamma": frame([[1]] * 5), "all_corr": np.ones((3, 7))}},
        {
            "dtd": {"gamma": frame([[1]] * 5)},
            "DTD_C_train_est": pd.DataFrame(np.ones((2, 3)), ["X", "Y"]),
        },
        {"DTDmodel": 5},
    ],
)
def test_a_session_that_contradicts_itself_is_refused_in_a_sentence(
    write_session, attributes: dict[str, Any]
) -> None:
    with pytest.raises(
        DataError, match=r"cannot be read as a session of the earlier DeconomiX GUI: .*\."
    ):
        read_session(write_session(**attributes))


def test_a_session_cut_off_or_changed_anywhere_never_escapes_as_a_raw_exception(
    cache: Path, tmp_path: Path
) -> None:
    whole, file = (cache / f"{ID}.pkl").read_bytes(), tmp_path / f"{ID}.pkl"
    for percent in range(0, 100, 10):
        file.write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(UnreadableFile):
            read_session(file)
    starts = [at for op, _, at in pickletools.genops(whole) if op.name not in ("MEMOIZE", "BINGET")]
    random, refused = np.random.default_rng(0), 0
    for _ in range(80):
        data = bytearray(whole)
        for at in random.choice(starts, 3):
            data[int(at) + int(random.integers(0, 3))] = random.integers(256)
        file.write_bytes(data)
        try:
            read_session(file)
        except DataError:
            refused += 1
    assert refused > 20


def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / f"{ID}.pkl"
    file.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(UnreadableFile, match="looks like a ZIP"):
        read_session(file)


def test_a_session_of_a_later_version_is_refused_and_a_later_minor_one_is_said(
    cache: Path, tmp_path: Path
) -> None:
    data, present = (cache / f"{ID}.pkl").read_bytes(), b"__VERSION__\x94G\x3f\xf0\0\0\0\0\0\0"
    assert data.count(present) == 1
    path = tmp_path / f"{ID}.pkl"
    path.write_bytes(data.replace(present, b"__VERSION__\x94G\x40\0\0\0\0\0\0\0"))
    with pytest.raises(UnreadableFile, match=r"later version \(2\.0\)"):
        read_session(path)
    path.write_bytes(data.replace(present, b"__VERSION__\x94G\x3f\xf8\0\0\0\0\0\0"))
    assert any("version 1.5" in note for note in read_session(path).notes)
