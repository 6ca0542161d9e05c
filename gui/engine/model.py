"""Trained model as a file (``.dcxmodel``): JSON inside gzip, no pickle.

It holds the reference, the gene weights, the gene list and the scale.

No pickle.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from gui import jsonscan
from gui.data.readers.watchdog import watched
from gui.engine.metrics import COLUMNS
from gui.engine.params import DTDParams
from gui.engine.results import DTDResult
from gui.errors import InvalidParameter, UnreadableFile, UnsafeFile

SUFFIX = ".dcxmodel"
FORMAT = "deconomix-gui model"
SCHEMA = 1
MAX_FILE = 64 * 2**20
MAX_CONTENT = 128 * 2**20
MAX_NESTED = 1_000_000
"""Opening brackets, names included."""
MAX_SMALL = 64 * 1024
"""Of the parameters."""
MAX_GENES, MAX_TYPES, MAX_NAME = 200_000, 1_000, 1_000
_KEYS = {
    "format",
    "schema",
    "genes",
    "types",
    "reference",
    "weights",
    "weights_dtype",
    "scale",
    "params",
}


def model_bytes(result: DTDResult) -> bytes:
    """The trained model inside a DTD run: what :func:`read_model` reads.

    The same run always gives the same bytes.
    """
    content = {
        "format": FORMAT,
        "schema": SCHEMA,
        "genes": [str(g) for g in result.genes],
        "types": [str(t) for t in result.reference.columns],
        # one list per cell type; repr of a float reads back to the same bits
        "reference": [
            result.reference.iloc[:, k].astype(float).tolist()
            for k in range(result.reference.shape[1])
        ],
        "weights": result.gene_weights.astype(float).tolist(),
        "weights_dtype": "float32" if result.gene_weights.dtype == np.float32 else "float64",
        "scale": result.scale,
        "params": None if result.params is None else result.params.model_dump(mode="json"),
    }
    return gzip.compress(
        json.dumps(content, allow_nan=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        ),
        mtime=0,
    )


def read_model(data: bytes) -> DTDResult:
    """Read a model written by :func:`model_bytes`: a DTDResult without loss and metrics.

    Everything is checked: kind, schema, names, lengths, finite non-negative numbers, sizes.

    Raises
    ------
    UnreadableFile
        Not a model, damaged, newer.
    UnsafeFile
        Exceeds a limit.
    """
    try:
        content = _members(_unpack(data))
        form, schema = _small(content, "format"), _small(content, "schema")
    except (ValueError, RecursionError):  # JSON and Unicode errors are ValueErrors
        _damaged()
    if form != FORMAT:
        raise UnreadableFile("This file is not a DeconomiX model.")
    if type(schema) is not int or schema < 1:
        _damaged()
    if schema > SCHEMA:
        raise UnreadableFile(
            "This model was saved by a newer version of this program.",
            advice="Update the program and open the model again.",
        )
    if set(content) != _KEYS:
        _damaged()
    try:
        return _model(content)
    except (ValueError, RecursionError):
        _damaged()


def _model(content: Mapping[str, bytes]) -> DTDResult:
    genes, types = _names(content["genes"], MAX_GENES), _names(content["types"], MAX_TYPES)
    if len(types) < 2 or len(genes) < len(types):
        _damaged()
    columns: list[np.ndarray] = []
    for column in jsonscan.parts(content["reference"]):
        if len(columns) == len(types):
            _damaged()
        columns.append(_numbers(column, len(genes)))
    if len(columns) != len(types):
        _damaged()
    reference = pd.DataFrame(
        np.column_stack(columns), index=pd.Index(genes), columns=pd.Index(types)
    )
    dtype = _small(content, "weights_dtype")
    if dtype not in ("float32", "float64"):
        _damaged()
    with np.errstate(over="ignore"):
        weights = _numbers(content["weights"], len(genes)).astype(dtype)
    if not np.isfinite(weights).all() or not weights.any() or not (reference.sum(axis=0) > 0).all():
        _damaged()
    empty = pd.DataFrame(columns=reference.columns, dtype=float)
    return DTDResult(
        reference=reference,
        gene_weights=pd.Series(weights, index=reference.index, name="gene weights"),
        loss=np.empty(0),
        correlation=empty,
        composition={},
        naive={},
        truth={},
        metrics=pd.DataFrame(columns=COLUMNS),
        scale=_scale(content["scale"]),
        params=_params(_small(content, "params")),
    )


def _damaged() -> NoReturn:
    raise UnreadableFile("This model file is damaged.", advice="Save the model again.") from None


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not numbers of a model")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _unpack(data: bytes) -> bytes:
    if len(data) > MAX_FILE:
        raise UnsafeFile(f"This file is larger than a model may be ({MAX_FILE // 2**20} MB).")
    if data[:2] != b"\x1f\x8b":
        raise UnreadableFile("This file is not a DeconomiX model.")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        raw = unpacker.decompress(data, MAX_CONTENT + 1)
    except zlib.error:
        _damaged()
    if len(raw) > MAX_CONTENT:
        raise UnsafeFile(
            f"This file unpacks to more than a model may hold ({MAX_CONTENT // 2**20} MB)."
        )
    if not unpacker.eof or unpacker.unused_data:
        _damaged()
    if raw.count(b"[") + raw.count(b"{") > MAX_NESTED:
        raise UnsafeFile("This file is nested more deeply than any model.")
    return raw


def _members(raw: bytes) -> dict[str, bytes]:
    """Key -> what stands under it, as it is written."""
    found: dict[str, bytes] = {}
    for member in jsonscan.parts(raw if raw[:64].lstrip()[:1] == b"{" else b"{}"):
        key, _, value = member.partition(b":")
        name = key.strip().strip(b'"').decode("ascii", "replace")
        if name in found or len(found) == len(_KEYS):
            _damaged()
        found[name] = value
    return found


def _small(content: Mapping[str, bytes], key: str) -> Any:
    """A single value or the parameters; None where there is none."""
    raw = content.get(key, b"null")
    if len(raw) > MAX_SMALL:
        _damaged()
    return json.loads(
        raw.decode("utf-8", "surrogatepass"),
        parse_constant=_no_constant,
        object_pairs_hook=_no_repeats,
    )


def _names(raw: bytes, limit: int) -> list[str]:
    if jsonscan.structure(raw).brackets != 1:
        _damaged()
    found: list[str] = []
    for names in jsonscan.items(raw):
        found += names
        if len(found) > limit:
            raise UnsafeFile(f"This model holds more names than it may ({limit}).")
        if not all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in names):
            _damaged()
    if not found or len(set(found)) != len(found):
        _damaged()
    return found


def _numbers(raw: bytes, length: int) -> np.ndarray:
    if raw.count(b"[") + raw.count(b"{") != 1:
        _damaged()
    found, at = np.empty(length, dtype=np.float64), 0
    for values in jsonscan.items(raw):
        if at + len(values) > length or not all(type(v) in (float, int) for v in values):
            _damaged()
        try:
            found[at : at + len(values)] = values
        except OverflowError:
            _damaged()
        at += len(values)
    if at != length or not np.isfinite(found).all() or (found < 0).any():
        _damaged()
    return found


def _scale(raw: bytes) -> float | None:
    if len(raw) > MAX_SMALL:
        _damaged()
    if raw.strip() == b"null":
        return None
    return float(found[0]) if (found := _numbers(b"[" + raw + b"]", 1))[0] > 0 else _damaged()


def _params(value: Any) -> DTDParams | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        _damaged()
    try:
        return DTDParams.parse(**value)
    except (InvalidParameter, TypeError):
        _damaged()


def read_model_task(dataset: object, params: Path, *, progress: object) -> DTDResult:
    """:func:`read_model` as a task of the reading process.

    Parameters
    ----------
    params
        The file.
    """
    with watched([params]), params.open("rb") as file:
        return read_model(file.read(MAX_FILE + 1))
