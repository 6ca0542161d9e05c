"""A Snapshot <-> the manifest's tree: the classes that a session file holds, and their fields.

Classes are found in a table by name; a file cannot name another one. The names of classes and
fields are part of the format: whoever renames a class keeps its name in the table, and whoever
renames a field bumps the schema and writes a migration.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ConfigDict

from gui.analyses.registry import ANALYSES
from gui.data.dataset import Bulk, Cells, Clinical, Dataset, KnownComposition, Matrix, Source
from gui.engine.params import (
    ADTDParams,
    ApplyParams,
    BootstrapParams,
    DTDParams,
    Params,
    SearchParams,
)
from gui.engine.recommended import RecommendedParams
from gui.engine.results import (
    ADTDResult,
    ApplyResult,
    BootstrapResult,
    DTDResult,
    Provenance,
    Refinement,
    RNAContent,
    Run,
    SearchResult,
    SecondOpinion,
)
from gui.errors import InvalidParameter, SessionNotSaved
from gui.methods.method import MethodResult
from gui.methods.registry import STORED
from gui.sessions import lazy, objects
from gui.sessions.codec import Encoder, Node, Store, StoredRecord, Unsavable, damaged
from gui.sessions.decode import EXPECTED, Decoder, names_in
from gui.sessions.kinds import check_run
from gui.sessions.lazy import MatrixCopier, Origin, StoredValues, check_fingerprint, is_large
from gui.sessions.snapshot import PendingJob, Snapshot, checked

RECORDS: dict[str, type[Any]] = {
    "Snapshot": Snapshot,
    "PendingJob": PendingJob,
    "Dataset": Dataset,
    "Cells": Cells,
    "Bulk": Bulk,
    "Clinical": Clinical,
    "Truth": KnownComposition,
    "Matrix": Matrix,
    "Source": Source,
    "Run": Run,
    "Provenance": Provenance,
    "DTDResult": DTDResult,
    "ApplyResult": ApplyResult,
    "ADTDResult": ADTDResult,
    "Refinement": Refinement,
    "SecondOpinion": SecondOpinion,
    "RNAContent": RNAContent,
    "SearchResult": SearchResult,
    "BootstrapResult": BootstrapResult,
    "MethodResult": MethodResult,
    **{
        name: record
        for analysis in ANALYSES.values()
        for name, record in {analysis.result.__name__: analysis.result, **analysis.records}.items()
    },
}
"""Name in the file -> class. The names never change, whatever the classes are called."""
PARAMS: dict[str, type[Params]] = {
    "Params": Params,
    "DTDParams": DTDParams,
    "ADTDParams": ADTDParams,
    "SearchParams": SearchParams,
    "ApplyParams": ApplyParams,
    "BootstrapParams": BootstrapParams,
    **STORED,
    "RecommendedParams": RecommendedParams,
    **{analysis.params.__name__: analysis.params for analysis in ANALYSES.values()},
}
_NAMES: dict[type[Any], str] = {cls: name for name, cls in (*RECORDS.items(), *PARAMS.items())}


class StoredParams(Params):
    """Parameters of a plug-in that is not there any more: its fields, read only."""

    model_config = ConfigDict(frozen=True, extra="allow")
    _origin: tuple[str, str] = ("", "")


def to_tree(snapshot: Snapshot, store: Store, copier: MatrixCopier | None = None) -> Node:
    """The tree of a session; buffers go to ``store``, or are copied by ``copier``.

    SessionNotSaved names the run whose result cannot be stored, and why.
    """
    encode = Encoder(store, functools.partial(_record, copier=copier))
    try:
        runs = []
        for run in snapshot.runs:
            try:
                check_run(run)  # what is not read again is not written
                runs.append(encode(run))
            except ValueError as error:
                raise SessionNotSaved(
                    f"The result of “{run.title or run.kind}” cannot be kept: {error}.",
                    advice="Remove this run.",
                ) from None
            except Unsavable as error:
                raise SessionNotSaved(
                    f"The result of “{run.title or run.kind}” holds {error}, which a session file"
                    " cannot hold.",
                    advice=(
                        "Remove this run, or ask the page's author to return tables, arrays,"
                        " numbers and text."
                    ),
                ) from None
        tree = encode(dataclasses.replace(snapshot, runs=()))
    except Unsavable as error:
        raise SessionNotSaved(
            f"The session holds {error}, which a session file cannot hold."
        ) from None
    tree["fields"]["runs"] = {"t": "tuple", "items": runs}
    return tree


def from_tree(tree: Node, store: objects.StoredObjects, origin: Origin | None = None) -> Snapshot:
    """The session of a tree. DamagedSession.

    origin : large matrices are read from there when they are needed; None: now.
    """
    try:
        found = Decoder(
            store,
            functools.partial(_unrecord, store=store, origin=origin),
            room=lambda size: lazy.need_room(size, "This session needs"),
        )(tree)
        if not isinstance(found, Snapshot):
            raise damaged()
        return checked(found)
    except EXPECTED:
        raise damaged() from None


def part_of(node: Node, store: objects.StoredObjects) -> Any:
    """What a part of a tree holds that is no record. DamagedSession or one of EXPECTED."""
    return Decoder(store)(node)


def why_unsavable(value: Any) -> str | None:
    """What in a plug-in's result a session file cannot hold, as a noun; None if it can be saved."""

    class Nowhere:
        def put(self, data: memoryview) -> list[str]:
            return []

        def get(self, names: Any, length: int) -> bytearray:
            raise NotImplementedError

    try:
        Encoder(Nowhere(), _record)(value)
    except Unsavable as error:
        return str(error)
    return None


def _record(encode: Encoder, value: Any, copier: MatrixCopier | None = None) -> Node:
    cls = type(value)
    if cls is Matrix:
        return _matrix(encode, value, copier)
    if cls in _NAMES and not isinstance(value, Params):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        for name, hint in _hints(cls).items():
            if not _fits(fields[name], hint):
                raise Unsavable(f"a {type(fields[name]).__name__} as {name} of {cls.__name__}")
        return {
            "t": "record",
            "class": _NAMES[cls],
            "fields": {k: encode(v) for k, v in fields.items()},
        }
    if isinstance(value, Params):
        origin = (
            value._origin if isinstance(value, StoredParams) else (cls.__module__, cls.__qualname__)
        )
        known = cls in _NAMES
        values = {str(k): encode(v) for k, v in value.model_dump().items()}
        return (
            {"t": "params", "class": _NAMES[cls], "fields": values}
            if known
            else {"t": "params", "of": list(origin), "fields": values}
        )
    if isinstance(value, StoredRecord):
        return {
            "t": "plugin",
            "of": list(value.origin),
            "fields": {str(k): encode(v) for k, v in value.items()},
        }
    if dataclasses.is_dataclass(value):
        values = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"t": "plugin", "of": [cls.__module__, cls.__qualname__], "fields": values}
    raise Unsavable(f"a value of the kind {cls.__name__}")


def _matrix(encode: Encoder, matrix: Matrix, copier: MatrixCopier | None) -> Node:
    """With its fingerprint, so that what depends on the data is known without reading them."""
    for name in ("genes", "columns"):
        if not isinstance(getattr(matrix, name), pd.Index):
            raise Unsavable(f"a {type(getattr(matrix, name)).__name__} as {name} of Matrix")
    values = copier.values(encode, matrix) if copier is not None else encode(matrix.values)
    fields = {"values": values, "genes": encode(matrix.genes), "columns": encode(matrix.columns)}
    return {"t": "record", "class": "Matrix", "fields": fields, "fingerprint": matrix.fingerprint}


def _unmatrix(
    decode: Decoder, node: Node, store: objects.StoredObjects, origin: Origin | None
) -> Matrix:
    known, fields = node.get("fingerprint"), node["fields"]
    genes, columns, values = (
        decode.index(fields["genes"]),
        decode.index(fields["columns"]),
        fields["values"],
    )
    shape = decode.outline(values)
    if (
        set(fields) != {"values", "genes", "columns"}
        or shape != (len(genes), len(columns))
        or not (known is None or type(known) is str)
    ):
        raise damaged()
    if values["t"] == "sparse" and values["kind"] not in ("csc_matrix", "csc_array"):
        raise damaged()
    if origin is not None and is_large(node):
        for part in (
            (values[k] for k in ("data", "indices", "indptr"))
            if values["t"] == "sparse"
            else (values,)
        ):
            store.check(part["o"], part["n"])
        parts = {name: store.objects[name] for name in names_in(values)}
        return Matrix.kept(
            StoredValues(origin, values, parts, origin.session_key), genes, columns, known
        )
    matrix = Matrix(decode(values), genes, columns)
    if known is not None:
        check_fingerprint(known, matrix, matrix.values)
    return matrix.known_as(known)


def _unrecord(
    decode: Decoder, node: Node, *, store: objects.StoredObjects, origin: Origin | None
) -> Any:
    if node["t"] == "record" and node["class"] == "Matrix":
        return _unmatrix(decode, node, store, origin)
    kind, fields = node["t"], {name: decode(value) for name, value in node["fields"].items()}
    if kind == "record":
        cls = RECORDS[node["class"]]
        hints = _hints(cls)
        if not all(name in hints and _fits(value, hints[name]) for name, value in fields.items()):
            raise damaged()
        return cls(**fields)
    if kind == "params":
        return (
            PARAMS[node["class"]](**fields)
            if "class" in node
            else _plugin_params(_origin(node), fields)
        )
    if kind == "plugin":
        record = StoredRecord(fields)
        record.origin = _origin(node)
        return record
    raise damaged()


def _origin(node: Node) -> tuple[str, str]:
    module, name = node["of"]
    if not isinstance(module, str) or not isinstance(name, str):
        raise damaged()
    return module, name


def _plugin_params(origin: tuple[str, str], fields: dict[str, Any]) -> Params:
    """Parameters of a plug-in, of its own class if it is loaded and still takes them.

    Otherwise :class:`StoredParams`. Nothing is imported.
    """
    for cls in _subclasses(Params):
        if (cls.__module__, cls.__qualname__) == origin:
            try:
                return cls.parse(**fields)
            except (InvalidParameter, TypeError):
                break
    stored = StoredParams(**fields)
    stored._origin = origin
    return stored


def _subclasses(cls: type[Params]) -> Iterator[type[Params]]:
    for found in cls.__subclasses__():
        yield found
        yield from _subclasses(found)


_HINTS: dict[type[Any], dict[str, Any]] = {}


def _hints(cls: type[Any]) -> dict[str, Any]:
    """Field -> type of a record."""

    class AnySparse:  # scipy is not imported for a type hint
        csc_matrix = Any

    if cls not in _HINTS:
        found = typing.get_type_hints(cls, localns={"sparse": AnySparse})
        _HINTS[cls] = {f.name: found[f.name] for f in dataclasses.fields(cls)}
    return _HINTS[cls]


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is roughly what a field's type hint says: the pages rely on it."""
    if hint is Any:
        return True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, a) for a in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple | list) and all(_fits(x, arguments[0]) for x in value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(k, arguments[0]) and _fits(x, arguments[1]) for k, x in value.items()
        )
    if hint is float:
        return isinstance(value, int | float | np.integer | np.floating) and not isinstance(
            value, bool
        )
    if hint is int:
        return isinstance(value, int | np.integer) and not isinstance(value, bool)
    if isinstance(hint, type):
        return isinstance(value, hint)
    return True
