"""Objects as R serialises them, written by rdata's own writer: for files as saveRDS makes them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rdata.parser import RData, RExtraInfo, RObject, RObjectInfo, RObjectType, RVersions
from rdata.unparser import unparse_data
from scipy import sparse

HEADER = 23
"""Bytes before the object: mark, three versions, and the encoding with its length."""


def r_object(
    kind: RObjectType, value: Any, attributes: dict[str, RObject] | None = None
) -> RObject:
    chain = None
    for key, each in reversed(list((attributes or {}).items())):
        tag = r_object(RObjectType.SYM, text_of(key))
        chain = RObject(
            RObjectInfo(RObjectType.LIST, False, False, True, 0, 0),
            (each, chain or r_object(RObjectType.NILVALUE, None)),
            None,
            tag,
            None,
        )
    is_object = "class" in (attributes or {})
    info = RObjectInfo(kind, is_object, chain is not None, False, 0, 0)
    return RObject(info, value, chain, None, None)


def text_of(value: str | None) -> RObject:
    info = RObjectInfo(RObjectType.CHAR, False, False, False, 8, 0)
    return RObject(info, None if value is None else value.encode(), None, None, None)


def texts(values: list[str]) -> RObject:
    return r_object(RObjectType.STR, [text_of(value) for value in values])


def integers(values: Any, attributes: dict[str, RObject] | None = None) -> RObject:
    return r_object(RObjectType.INT, np.asarray(values, dtype=np.int32), attributes)


def doubles(values: Any, attributes: dict[str, RObject] | None = None) -> RObject:
    return r_object(RObjectType.REAL, np.asarray(values, dtype=np.float64), attributes)


def listed(*values: RObject, attributes: dict[str, RObject] | None = None) -> RObject:
    return r_object(RObjectType.VEC, list(values), attributes)


def matrix(values: np.ndarray, rows: list[str], columns: list[str]) -> RObject:
    return doubles(
        values.ravel(order="F"),
        {"dim": integers(values.shape), "dimnames": listed(texts(rows), texts(columns))},
    )


def data_frame(columns: dict[str, RObject], rows: RObject) -> RObject:
    return listed(
        *columns.values(),
        attributes={
            "names": texts(list(columns)),
            "class": texts(["data.frame"]),
            "row.names": rows,
        },
    )


def factor(values: list[str]) -> RObject:
    levels = sorted(set(values))
    codes = [levels.index(v) + 1 for v in values]
    return integers(codes, {"levels": texts(levels), "class": texts(["factor"])})


def dgc_matrix(genes_by_cells: np.ndarray, rows: list[str], columns: list[str]) -> RObject:
    found = sparse.csc_matrix(genes_by_cells)
    return r_object(
        RObjectType.S4,
        None,
        {
            "i": integers(found.indices),
            "p": integers(found.indptr),
            "Dim": integers(found.shape),
            "Dimnames": listed(texts(rows), texts(columns)),
            "x": doubles(found.data),
            "factors": listed(),
            "class": r_object(
                RObjectType.STR, [text_of("dgCMatrix")], {"package": texts(["Matrix"])}
            ),
        },
    )


def saved(path: Path, item: RObject, pack: Callable[[bytes], bytes] = gzip.compress) -> Path:
    """As saveRDS does, version 3."""
    is_s4 = item.info.type is RObjectType.S4
    if is_s4:  # which rdata does not write: as a list of nothing, with R's flags in place of those
        item = RObject(replace(item.info, type=RObjectType.VEC), [], item.attributes, None, None)
    whole = RData(RVersions(3, 0x040301, 0x030500), RExtraInfo("UTF-8"), item)
    content = unparse_data(whole, file_type="rds", file_format="xdr")
    if is_s4:
        content = content[:HEADER] + b"\0\1\3\x19" + content[HEADER + 8 :]
    path.write_bytes(pack(content))
    return path
