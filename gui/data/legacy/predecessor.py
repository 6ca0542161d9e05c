"""Reads the predecessor's sessions: a folder of ``<id>.pkl`` and ``<id>.meta.json``, archived ones
in ``archive``.

Never unpickled.

The pickle holds page components and models of other packages beside the data; all of that stays
inert (:mod:`gui.data.readers.safe_pickle`), and only the frames, numbers and texts named here are
taken out of it. What was drawn is left behind: figures are drawn again from the numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.dataset import ROLES, Bulk, Cells, Dataset, Matrix, Role, Source
from gui.data.readers.dcx import (
    MAX_BYTES,
    DcxFile,
    Odd,
    array_of,
    file_of,
    frame_of,
    is_a,
    later_version,
    leaf,
    readable,
    state_of,
)
from gui.data.readers.safe_pickle import interpret
from gui.data.readers.sniff import first_bytes, looks_like
from gui.data.readers.watchdog import watched
from gui.data.validation.checks import check_matrix
from gui.errors import NoLabels, UnreadableFile
from gui.text import number, some

ARCHIVE = "archive"
MAX_META = 64 * 1024
MAX_LISTED = 10_000
MAX_STEPS = 1_000_000
"""Values of one training curve."""
SUFFIX, META = ".pkl", ".meta.json"
_ID = re.compile(r"[0-9]{8}#[0-9]{6}#[0-9a-f]{8}")
Part = Literal["train", "test", "bulk"]
WHAT = "a session of the earlier DeconomiX GUI"


@dataclass(frozen=True)
class Listed:
    """A session as its folder lists it. path : of the .pkl; created : None where the folder does
    not say it
    """

    path: Path
    id: str
    name: str
    created: datetime | None
    archived: bool
    size: int


@dataclass(frozen=True, eq=False)
class Trained:
    """A DTD model and what it gave; None or empty where the session does not hold it.

    reference : genes x cell types as used; weights : gamma by gene, float32; loss : (iterations,);
        correlation : iterations x cell types
    composition, truth : part -> cell types x mixtures; settings : the predecessor's own
        (train_n_mixtures, nIter, ...)
    """

    reference: pd.DataFrame
    weights: pd.Series
    loss: npt.NDArray[np.float64]
    correlation: pd.DataFrame
    composition: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    truth: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Adapted:
    """An ADTD model. composition : C, cell types x samples; hidden : by sample; profile : by gene;
    regulation : Delta, genes x cell types, or None.

    part : what was deconvolved; truth : where it is known; weights : by gene, as given (learned :
        whether they are those of DTD)
    settings : lambda1, lambda2, max_iterations; c_static, delta_static
    """

    part: Part
    composition: pd.DataFrame
    hidden: pd.Series
    profile: pd.Series
    regulation: pd.DataFrame | None
    reference: pd.DataFrame
    weights: pd.Series
    learned: bool
    truth: pd.DataFrame | None
    settings: Mapping[str, float]
    c_static: bool
    delta_static: bool


@dataclass(frozen=True, eq=False)
class OldSession:
    """What can be had of one session. id : "" if the predecessor would not have named it so; notes
    : what was left behind and why
    """

    id: str
    name: str
    created: datetime | None
    archived: bool
    dataset: Dataset
    dtd: Trained | None = None
    adtd: Adapted | None = None
    notes: tuple[str, ...] = ()


def list_sessions(folder: Path) -> list[Listed]:
    """The sessions in ``folder`` and its archive, oldest first.

    Opens only the small .meta.json. Raises UnreadableFile (no folder).
    """
    if not folder.is_dir():
        raise UnreadableFile(
            f"{folder.name} is no folder.",
            advice="Choose the folder that holds the .pkl files of the sessions.",
        )
    found = []
    for place in (folder, folder / ARCHIVE):
        for path in sorted(place.glob(f"*{SUFFIX}"))[:MAX_LISTED] if place.is_dir() else ():
            if path.is_file():
                found.append(listed(path))
    return sorted(
        found,
        key=lambda s: (s.created is None, s.created or datetime.min.replace(tzinfo=UTC), s.id),
    )


def listed(path: Path) -> Listed:
    """One session by its .pkl."""
    key = path.name.removesuffix(SUFFIX)
    meta = _meta(path.with_name(f"{key}{META}"))
    name, status = meta.get("name"), meta.get("status")
    archived = path.parent.name == ARCHIVE or status in ("archive", "archived")
    return Listed(
        path,
        key,
        name[:200] if isinstance(name, str) and name.strip() else key,
        _time(meta.get("created"), key),
        archived,
        path.stat().st_size,
    )


def _meta(path: Path) -> dict[str, Any]:
    """A damaged or missing one is empty: it only holds the name."""
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(MAX_META))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _time(text: Any, key: str) -> datetime | None:
    """The predecessor wrote local times without a zone; the id begins with the same time."""
    try:
        when = (
            datetime.fromisoformat(text)
            if isinstance(text, str)
            else datetime.strptime(key[:15], "%Y%m%d#%H%M%S")
        )
        return when.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_session(path: Path) -> OldSession:
    """Read ``<id>.pkl`` (and the ``.meta.json`` beside it) without running anything in it.

    Raises UnsafeFile (a limit), UnreadableFile (damaged, something else, no data in it), and what
    is wrong with the data: BadValues, BadNames.
    """
    name = path.name
    kind = looks_like(first_bytes(path, name))
    if kind != "a Python pickle":
        raise UnreadableFile(f"{name} is not {WHAT}; it looks like {kind}.")
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFile(f"{name} is larger than {MAX_BYTES / 2**30:.0f} GB.")
    about, data = listed(path), path.read_bytes()
    size = len(data)
    notes: list[str] = []
    with readable(name, WHAT):
        root = interpret(data, name, anything=True)
        del data
        state = state_of(root, "DCXCache")
        if not is_a(state.get("DeconomixFile"), "DeconomixFile"):
            raise Odd("it holds no data")
        file = file_of(state["DeconomixFile"], size)
        notes += [said for said in (later_version(state), file.later) if said]
        dtd = _trained(state, file, size, notes)
        adtd = _adapted(state, file, dtd, size, notes) if dtd is not None else None
    if state.get("ADTD_HPS_model") is not None:
        notes.append("The λ₂ search was not taken over; run it again.")
    inside = state.get("session_name")
    title = (
        about.name
        if about.name != about.id or not isinstance(inside, str) or not inside.strip()
        else inside[:200]
    )
    key = about.id if _ID.fullmatch(about.id) else ""
    return OldSession(
        key,
        title,
        about.created,
        about.archived,
        _dataset(file, title, name),
        dtd,
        adtd,
        tuple(notes),
    )


def read_session_task(dataset: object, params: Path, *, progress: object) -> OldSession:
    """:func:`read_session` as a task of the reading process."""
    with watched([params]):
        return read_session(params)


# -- data
# --------------------------------------------------------------------------------------------------


def _dataset(file: DcxFile, title: str, name: str) -> Dataset:
    """As the predecessor used it: unscaled. Raises what check_matrix raises, NoLabels."""
    matrices: dict[Role, Matrix] = {
        role: file.parts[role].matrix() for role in ROLES if role in file.parts
    }
    cells: dict[Role, Cells] = {}
    sources = []
    for role, matrix in matrices.items():
        check_matrix(matrix, role, name)
        part, notes = (
            file.parts[role],
            [
                f"{number(matrix.n_columns)} columns, {number(matrix.n_genes)} genes, from {WHAT};"
                " unscaled, as it used them."
            ],
        )
        if role in ("train", "test"):
            if None in part.columns or "" in part.columns:
                raise NoLabels(
                    f"In {name} some cells of {role} have no label.",
                    advice="Load the data from their original file.",
                )
            cells[role] = Cells(
                matrix, np.array(part.columns, dtype=object), pd.DataFrame(index=matrix.columns)
            )
        sources.append(Source(role, name, "dcx", description=part.description, notes=tuple(notes)))
    bulk = matrices.get("bulk")
    return Dataset(
        cells.get("train"),
        cells.get("test"),
        matrices.get("reference"),
        Bulk(bulk, pd.DataFrame(index=bulk.columns)) if bulk is not None else None,
        scale=None,
        name=title,
        description=file.description,
        author=file.author,
        sources=tuple(sources),
    )


# -- results
# --------------------------------------------------------------------------------------------------


def _table(node: Any, what: str, size: int) -> pd.DataFrame:
    values, rows, columns = frame_of(node, what, size)
    return pd.DataFrame(
        np.array(values),
        index=pd.Index(rows, dtype=object),
        columns=pd.Index(columns, dtype=object),
    )


def _numbers(node: Any) -> npt.NDArray[np.float64]:
    """A list of numbers: Python's, NumPy scalars, or arrays of one value as the engine collects
    them.
    """
    if type(node) is not list or len(node) > MAX_STEPS:
        raise Odd("a training curve is of an unknown kind")
    found = [
        array_of(v).reshape(-1).tolist() if is_a(v, "_reconstruct", "_frombuffer") else [leaf(v)]
        for v in node
    ]
    if any(len(v) != 1 or type(v[0]) not in (int, float) for v in found):
        raise Odd("a training curve is of an unknown kind")
    return np.array(found, dtype=np.float64).reshape(-1)


def _matches(
    frame: pd.DataFrame, rows: pd.Index | None, columns: pd.Index | None, what: str
) -> pd.DataFrame:
    """The frame in the order of these names (None: any).

    Odd if names are missing, double, or values are no finite numbers.
    """
    if not np.isfinite(frame.to_numpy(dtype=np.float64)).all():
        raise Odd(f"{what} holds values that are no numbers")
    for have, want in ((frame.index, rows), (frame.columns, columns)):
        if (
            not have.is_unique
            or have.hasnans
            or (want is not None and (len(have) != len(want) or not want.isin(have).all()))
        ):
            raise Odd(f"the names in {what} do not fit the data")
    return frame.reindex(index=rows, columns=columns)


def _settings(node: Any, names: tuple[str, ...]) -> dict[str, float]:
    state = node if type(node) is dict else getattr(node, "state", None)
    found = state if type(state) is dict else {}
    return {
        k: float(found[k])
        for k in names
        if type(found.get(k)) in (int, float) and abs(found[k]) < 1e300
    }


def _trained(
    state: Mapping[str, Any], file: DcxFile, size: int, notes: list[str]
) -> Trained | None:
    node = state.get("DTDmodel")
    if node is None:
        return None
    model = state_of(node, "DTD")
    if model.get("gamma") is None or "reference" not in file.parts:
        notes.append("DTD had not been run to its end; there is no result of it.")
        return None
    gamma = _table(model["gamma"], "gamma", size)
    _matches(gamma, None, None, "gamma")
    if gamma.shape[1] != 1 or not (gamma >= 0).all(axis=None):
        raise Odd("the gene weights are of an unknown kind")
    whole = file.parts["reference"].matrix().frame()
    genes = gamma.index
    if lacking := genes[~genes.isin(whole.index)].tolist():
        notes.append(
            f"DTD was run on other data than the session holds ({some(lacking)} are not in the"
            " reference); its result was not taken over."
        )
        return None
    reference = _matches(whole.loc[genes], genes, None, "the reference")
    types = reference.columns
    parts: tuple[tuple[str, str, str], ...] = (
        ("train", "DTD_C_train_est", "DTD_C_train"),
        ("test", "DTD_C_test_est", "DTD_C_test"),
        ("bulk", "DTD_C_appl_est", ""),
    )
    composition, truth = {}, {}
    for part, estimated, known in parts:
        if state.get(estimated) is None:
            continue
        found = _matches(_table(state[estimated], estimated, size), types, None, estimated)
        if part == "bulk":
            samples = (
                pd.Index(file.parts["bulk"].columns, dtype=object)
                if "bulk" in file.parts
                else pd.Index([])
            )
            if len(samples) != found.shape[1]:
                notes.append(
                    "The composition of the bulk belongs to another bulk than the session holds and"
                    " was not taken over."
                )
                continue
            found = found.set_axis(samples, axis=1)  # the engine numbers them
        elif state.get(known) is not None:
            true = _table(state[known], known, size)  # may hold types that the reference lacks
            truth[part] = _matches(true, None, found.columns, known)
            if not types.isin(true.index).all():
                raise Odd(f"the names in {known} do not fit the data")
        composition[part] = found
    loss = _numbers(model["losses"]) if model.get("losses") is not None else np.empty(0)
    curves = (
        array_of(model["all_corr"])
        if is_a(model.get("all_corr"), "_reconstruct", "_frombuffer")
        else np.empty((0, len(types)))
    )
    if curves.ndim != 2 or curves.shape[1] != len(types) or curves.dtype.kind != "f":
        raise Odd("a training curve is of an unknown kind")
    weights = pd.Series(gamma.iloc[:, 0].to_numpy(), index=genes, name="gene weights")
    correlation = pd.DataFrame(curves.astype(np.float64), columns=types)
    settings = _settings(
        state.get("DTD_config"),
        ("train_n_mixtures", "train_n_cells", "test_n_mixtures", "test_n_cells", "nIter"),
    )
    return Trained(reference, weights, loss, correlation, composition, truth, settings)


def _adapted(
    state: Mapping[str, Any], file: DcxFile, dtd: Trained, size: int, notes: list[str]
) -> Adapted | None:
    node = state.get("ADTDmodel")
    if node is None:
        return None
    model = state_of(node, "ADTD")
    if any(model.get(name) is None for name in ("C_est", "c_est", "x_est")):
        notes.append("ADTD had not been run to its end; there is no result of it.")
        return None
    genes, types = dtd.reference.index, dtd.reference.columns
    composition = _matches(_table(model["C_est"], "C_est", size), types, None, "C_est")
    hidden, profile = _table(model["c_est"], "c_est", size), _table(model["x_est"], "x_est", size)
    if hidden.shape != (1, composition.shape[1]) or profile.shape[1] != 1:
        raise Odd("the hidden background is of an unknown kind")
    if set(profile.index) != set(genes):
        notes.append("ADTD was run over other genes than DTD; its result was not taken over.")
        return None
    static = {name: model.get(name) is True for name in ("C_static", "Delta_static")}
    regulation = None
    if not static["Delta_static"] and model.get("Delta_est") is not None:
        regulation = _matches(
            _table(model["Delta_est"], "Delta_est", size), genes, types, "Delta_est"
        )
    part, samples = _part_of(array_of(model["Y"]), profile.index, state, file, size)
    if part is None or samples is None or len(samples) != composition.shape[1]:
        notes.append(
            "What ADTD was run on is not in the session any more; its result was not taken over."
        )
        return None
    used = array_of(model["gamma"]).reshape(-1)
    if used.shape != (len(genes),) or used.dtype.kind != "f":
        raise Odd("the gene weights are of an unknown kind")
    given = pd.Series(used, index=profile.index, name="gene weights").reindex(genes)
    learned = any(
        _alike(given.to_numpy(), dtd.weights.to_numpy() + offset)
        for offset in (1 / len(genes), 0.0)
    )
    truth = dtd.truth.get(part)
    return Adapted(
        part=part,
        composition=composition.set_axis(samples, axis=1),
        hidden=pd.Series(hidden.to_numpy(dtype=np.float64)[0], index=samples, name="hidden"),
        profile=_matches(profile, genes, None, "x_est").iloc[:, 0].rename("hidden"),
        regulation=regulation,
        reference=dtd.reference,
        weights=dtd.weights if learned else given,
        learned=learned,
        truth=truth if truth is not None and truth.shape[1] == len(samples) else None,
        settings=_settings(model, ("lambda1", "lambda2", "max_iterations")),
        c_static=static["C_static"],
        delta_static=static["Delta_static"],
    )


def _alike(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Equal but for one factor and the digits of float32."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return bool(
        a.sum() > 0 and b.sum() > 0 and np.allclose(a / a.sum(), b / b.sum(), rtol=1e-4, atol=1e-9)
    )


def _part_of(
    used: npt.NDArray[Any], genes: pd.Index, state: Mapping[str, Any], file: DcxFile, size: int
) -> tuple[Part | None, pd.Index | None]:
    """Which data ADTD was run on: the model holds them with columns of sum 1, and no word about
    where they came from.
    """
    for part, key in (
        ("bulk", "DTD_Y_appl"),
        ("test", "DTD_Y_test"),
        ("train", "DTD_Y_train"),
        ("bulk", ""),
    ):
        if key and state.get(key) is not None:
            frame = _table(state[key], key, size)
        elif not key and "bulk" in file.parts:
            frame = file.parts["bulk"].matrix().frame()
        else:
            continue
        if (
            not genes.isin(frame.index).all()
            or not frame.index.is_unique
            or frame.shape[1] != used.shape[-1]
        ):
            continue
        values = frame.loc[genes].to_numpy(dtype=np.float64)
        sums = values.sum(axis=0)
        if (
            used.shape == values.shape
            and (sums > 0).all()
            and np.allclose(used, values / sums, rtol=1e-5, atol=1e-9)
        ):
            samples = (
                pd.Index(file.parts["bulk"].columns, dtype=object)
                if part == "bulk" and "bulk" in file.parts
                else frame.columns
            )
            return cast(Part, part), samples
    return None, None
