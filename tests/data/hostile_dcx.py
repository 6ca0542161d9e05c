"""Hostile .dcx files: what is in them asks for code to be run, lies, or costs a file little and its
reader much.
"""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np


class Payload:
    """Asks to be rebuilt by calling ``function(*args)``."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.wish = function, args

    def __reduce__(self) -> Any:
        return self.wish


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def call(module: str, name: str, args: bytes) -> bytes:
    return text(module) + text(name) + b"\x93" + args + b"R"


def array(shape: bytes, dtype: str, data: bytes) -> bytes:
    """A NumPy array as protocol 4 writes it, with whatever shape and data it is told."""
    base = call(
        "numpy._core.multiarray",
        "_reconstruct",
        text("numpy") + text("ndarray") + b"\x93K\x00\x85C\x01b\x87",
    )
    order, flags = ("|", b"K\x3f") if dtype == "O8" else ("<", b"K\x00")
    kind = (
        call("numpy", "dtype", text(dtype) + b"\x89\x88\x87")
        + b"(K\x03"
        + text(order)
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        + flags
        + b"tb"
    )
    return base + b"(K\x01" + shape + kind + b"\x89" + data + b"tb"


def buffer(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


def index(names: list[str]) -> bytes:
    items = b"](" + b"".join(map(text, names)) + b"e"
    data = array(b"K" + bytes([len(names)]) + b"\x85", "O8", items)
    return call(
        "pandas.core.indexes.base",
        "_new_Index",
        text("pandas.core.indexes.base")
        + text("Index")
        + b"\x93"
        + b"}("
        + text("data")
        + data
        + text("name")
        + b"Nu\x86",
    )


def span(start: int, stop: int) -> bytes:
    return call("builtins", "slice", b"K" + bytes([start]) + b"K" + bytes([stop]) + b"K\x01\x87")


def block(values: bytes, where: bytes) -> bytes:
    return call("pandas._libs.internals", "_unpickle_block", values + where + b"K\x02\x87")


def dcx(blocks: list[bytes], columns: bytes, genes: bytes) -> bytes:
    manager = call(
        "pandas.core.internals.managers",
        "BlockManager",
        b"(" + b"".join(blocks) + b"t](" + columns + genes + b"e\x86",
    )
    frame = (
        text("pandas.core.frame")
        + text("DataFrame")
        + b"\x93)\x81}"
        + text("_mgr")
        + manager
        + b"s"
        + text("_typ")
        + text("dataframe")
        + b"sb"
    )
    return (
        b"\x80\x04"
        + text("utils.DeconomixFile")
        + text("DeconomixFile")
        + b"\x93)\x81}"
        + text("Train")
        + frame
        + b"sb."
    )


ROW = struct.pack("<3d", 1, 2, 3)
TWO, THREE = index(["T", "B"]), index(["g", "h", "i"])


def matrix(rows: int = 2, columns: int = 3, data: bytes = ROW + ROW) -> bytes:
    return array(b"K" + bytes([rows]) + b"K" + bytes([columns]) + b"\x86", "f8", buffer(data))


def huge_range(size: int) -> bytes:
    def number(n: int) -> bytes:
        raw = n.to_bytes(8, "little")
        return b"\x8a\x08" + raw

    parts = (
        b"}("
        + text("start")
        + number(0)
        + text("stop")
        + number(size)
        + text("step")
        + number(1)
        + text("name")
        + b"Nu"
    )
    return call(
        "pandas.core.indexes.base",
        "_new_Index",
        text("pandas.core.indexes.range") + text("RangeIndex") + b"\x93" + parts + b"\x86",
    )


LIES = {
    "data shorter than the shape": dcx([block(matrix(2, 3, ROW), span(0, 2))], TWO, THREE),
    "data longer than the shape": dcx([block(matrix(2, 3, ROW * 3), span(0, 2))], TWO, THREE),
    "shape of 10^12": dcx(
        [
            block(
                array(
                    b"\x8a\x06\x00\x10\xa5\xd4\xe8\x00\x8a\x06\x00\x10\xa5\xd4\xe8\x00\x86",
                    "f8",
                    buffer(ROW),
                ),
                span(0, 2),
            )
        ],
        TWO,
        THREE,
    ),
    "negative shape": dcx(
        [block(array(b"J\xff\xff\xff\xffK\x03\x86", "f8", buffer(b"")), span(0, 2))], TWO, THREE
    ),
    "fewer names than columns": dcx([block(matrix(), span(0, 2))], index(["T"]), THREE),
    "range of 10^12 names": dcx([block(matrix(), span(0, 2))], huge_range(10**12), THREE),
    "blocks over each other": dcx(
        [block(matrix(), span(0, 2)), block(matrix(), span(0, 2))], index(list("abcd")), THREE
    ),
    "a gap between blocks": dcx(
        [block(matrix(), span(0, 2)), block(matrix(), span(1, 3))], index(list("abcd")), THREE
    ),
    "a block outside": dcx([block(matrix(), span(5, 7))], TWO, THREE),
    "a block too wide for its place": dcx([block(matrix(), span(0, 1))], TWO, THREE),
    "blocks of different height": dcx(
        [block(matrix(), span(0, 2)), block(matrix(1, 2, ROW[:16]), span(2, 3))],
        index(list("abc")),
        THREE,
    ),
    "an unknown number type": dcx(
        [block(array(b"K\x02K\x03\x86", "V8", buffer(ROW + ROW)), span(0, 2))], TWO, THREE
    ),
    "a list of names shorter than it claims": dcx(
        [block(matrix(), span(0, 2))], array(b"K\x09\x85", "O8", b"]"), THREE
    ),
    "no frame": b"\x80\x04K\x01.",
    "text only": b"\x80\x04" + text("hello") + b".",
}

ODD = {
    "extension registry": b"\x82\x01.",
    "persistent id": b"Pname\n.",
    "binary persistent id": b"K\x01Q.",
    "NEWOBJ_EX": text("pandas.core.frame") + text("DataFrame") + b"\x93)}\x92.",
    "BUILD on a class": text("pandas.core.frame") + text("DataFrame") + b"\x93}b.",
    "BUILD on a dict": b"}}b.",
    "a call of a result": text("numpy") + text("dtype") + b"\x93)R)R.",
    "a call without a tuple": text("numpy") + text("dtype") + b"\x93]R.",
    "a disguised name": b"K\x01K\x02\x93.",
    "a dotted name": text("numpy") + text("dtype.mro") + b"\x93.",
    "a neighbour of an allowed name": text("numpy") + text("load") + b"\x93.",
    "getattr": text("builtins") + text("getattr") + b"\x93.",
    "append to a tuple": b")K\x01a.",
    "items into a list": b"]K\x01K\x02s.",
    "a number as key": b"}K\x01K\x02s.",
    "a list as key": b"}]K\x02s.",
    "out-of-band buffer": b"\x97.",
}

DAMAGED = {
    "a text of 2^60 characters": b"\x8d" + struct.pack("<Q", 2**60) + b"abc.",
    "bytes of 2^63 - 1": b"\x8e" + struct.pack("<Q", 2**63 - 1) + b"abc.",
    "bytes of 4 GB": b"B\xff\xff\xff\xffabc.",
    "a number of 2 GB": b"\x8b\xff\xff\xff\x7fabc.",
    "a negative length": b"\x8b\xff\xff\xff\xffabc.",
    "an empty stack": b"R.",
    "a tuple without a mark": b"K\x01t.",
    "an unknown memo entry": b"h\x07.",
    "no end": b"K\x01",
    "only a mark": b"(.",
    "an unknown operation": b"\xfe.",
    "a decimal of 100 000 digits": b"I" + b"9" * 100_000 + b"\n.",
}


def number(n: int) -> bytes:
    raw = n.to_bytes((n.bit_length() + 8) // 8, "little", signed=True)
    return (
        b"\x8a" + bytes([len(raw)]) if len(raw) < 256 else b"\x8b" + struct.pack("<I", len(raw))
    ) + raw


def listed(items: bytes, size: int) -> bytes:
    """An Index of objects."""
    data = array(number(size) + b"\x85", "O8", b"](" + items + b"e")
    parts = b"}(" + text("data") + data + text("name") + b"Nu\x86"
    return call(
        "pandas.core.indexes.base",
        "_new_Index",
        text("pandas.core.indexes.base") + text("Index") + b"\x93" + parts,
    )


def sparse_column(length: int, index: bytes) -> bytes:
    """A SparseArray that claims ``length`` values and holds none."""
    empty = array(b"K\x00\x85", "f8", b"C\x00")
    kind = (
        text("pandas.core.dtypes.dtypes")
        + text("SparseDtype")
        + b"\x93)\x81}"
        + text("_fill_value")
        + b"K\x00sb"
    )
    state = (
        b"}("
        + text("_sparse_index")
        + index
        + text("_sparse_values")
        + empty
        + text("_dtype")
        + kind
        + b"ub"
    )
    return text("pandas.arrays") + text("SparseArray") + b"\x93)\x81" + state


def int_index(length: int) -> bytes:
    return call(
        "pandas._libs.sparse",
        "IntIndex",
        number(length) + array(b"K\x00\x85", "i4", b"C\x00") + b"\x86",
    )


def block_index(length: int, lengths: list[int]) -> bytes:
    raw = struct.pack(f"<{len(lengths)}q", *lengths)
    each = array(number(len(lengths)) + b"\x85", "i8", buffer(raw))
    return call("pandas._libs.sparse", "BlockIndex", number(length) + each + each + b"\x87")


def wide_span(start: int, stop: int) -> bytes:
    return call("builtins", "slice", number(start) + number(stop) + b"K\x01\x87")


def one_column(values: bytes, genes: bytes) -> bytes:
    return dcx([block(values, span(0, 1))], index(["T"]), genes)


def bombs() -> dict[str, bytes]:
    """Files of at most some MB that cost a careless reader minutes or gigabytes."""
    start, collide = b"\x80\x04", 2**61 - 1
    doubled = (
        b"](K\x01e\x94"
        + b"".join(b"](" + (b"h" + bytes([i])) * 10 + b"e\x94" for i in range(60))
        + b"."
    )
    shape = b"K\x02" + number(60_000) + b"\x86"
    # in the other byte order each use is a copy
    big = array(shape, "f8", buffer(bytes(2 * 60_000 * 8))).replace(text("<"), text(">"), 1)
    shared = [
        block(big + b"\x94", span(0, 2)),
        *(block(b"h\x00", wide_span(2 * i, 2 * i + 2)) for i in range(1, 4000)),
    ]
    letters = text("g" * 1_000_000) + b"\x94" + b"h\x00" * 199_999
    digits = number(10**4000) + b"\x94" + b"h\x00" * 299_999
    beyond = call(
        "numpy._core.multiarray",
        "scalar",
        call("numpy", "dtype", text("U1") + b"\x89\x88\x87")
        + buffer(b"\xff\xff\xff\x7f")
        + b"\x86",
    )
    scalar = call(
        "numpy._core.multiarray",
        "scalar",
        call("numpy", "dtype", text("U99999") + b"\x89\x88\x87")
        + buffer(bytes(4 * 99_999))
        + b"\x86",
    )
    nested = (
        text("builtins")
        + text("bytearray")
        + b"\x93\x94"
        + b"h\x00" * 4999
        + b"C\x01a"
        + b"\x85R" * 5000
    )
    name = text("numpy") + text("dtype") + b"\x93"
    return {
        "doubling memo entries": start + doubled,
        "memo numbers that collide": start
        + b"N"
        + b"".join(b"p%d\n" % (i * collide) for i in range(1, 60_000))
        + b".",
        "more memo entries than any file": start + b"N" + b"\x94" * 2_100_000 + b".",
        "operations that do nothing": start + b"N0" * 1_600_000 + b"N.",
        "400 000 wishes": start + name + b"\x940" + b"h\x00)R" * 400_000 + b".",
        "400 000 dictionaries": start + b"}\x8c\x01aNs" * 400_000 + b".",
        "nested lists": start + b"]" * 100_000 + b"a" * 99_999 + b".",
        "nested tuples": start + b")" + b"\x85" * 100_000 + b".",
        "nested marks": start + b"(" * 100_000 + b"t" * 100_000 + b".",
        "nested dictionaries": start + b"}" + (text("k") + b"}") * 100_000 + b"s" * 100_000 + b".",
        "nested wishes": start
        + name
        + b"\x94"
        + b"h\x00" * 99_999
        + b")R"
        + b"\x85R" * 99_999
        + b".",
        "nested arguments as a file": start
        + text("utils.DeconomixFile")
        + text("DeconomixFile")
        + b"\x93"
        + b")"
        + b"\x85" * 100_000
        + b"\x81}b.",
        "nested byte arrays": one_column(array(b"K\x01K\x01\x86", "f8", nested), index(["g"])),
        "the same values a thousand times": dcx(shared, huge_range(8000), huge_range(60_000)),
        "a sparse column of 2^28 values": one_column(
            sparse_column(2**28, int_index(2**28)), huge_range(2**28)
        ),
        "two thousand sparse columns of a million": dcx(
            [
                block(sparse_column(10**6, int_index(10**6)), wide_span(i, i + 1))
                for i in range(2000)
            ],
            huge_range(2000),
            huge_range(10**6),
        ),
        "sparse lengths whose sum wraps": one_column(
            sparse_column(9, block_index(9, [2**62] * 4)), huge_range(9)
        ),
        "sparse lengths below zero": one_column(
            sparse_column(9, block_index(9, [-5, 5])), huge_range(9)
        ),
        "no cells and 2^28 genes": dcx(
            [block(array(b"K\x00" + number(2**28) + b"\x86", "f8", b"C\x00"), span(0, 0))],
            huge_range(0),
            huge_range(2**28),
        ),
        "no genes and 2^28 cells": dcx(
            [block(array(number(2**28) + b"K\x00\x86", "f8", b"C\x00"), span(0, 0))],
            huge_range(2**28),
            huge_range(0),
        ),
        "no block and 2^60 genes": dcx([], huge_range(0), huge_range(2**60)),
        "one long name 200 000 times": one_column(matrix(1, 3, ROW), listed(letters, 200_000)),
        "one long number 300 000 times": one_column(matrix(1, 3, ROW), listed(digits, 300_000)),
        "one wide value a thousand times": one_column(
            matrix(1, 3, ROW), listed(scalar + b"\x94" + b"h\x00" * 999, 1000)
        ),
        "letters beyond Unicode": one_column(matrix(1, 3, ROW), listed(beyond * 3, 3)),
    }


def truncated(whole: bytes) -> dict[str, bytes]:
    """Cut off at every 5 %."""
    return {
        f"cut at {percent} %": whole[: len(whole) * percent // 100] for percent in range(0, 100, 5)
    }


def as_attribute(name: str, value: bytes) -> bytes:
    """A file with one attribute."""
    return (
        text("utils.DeconomixFile")
        + text("DeconomixFile")
        + b"\x93)\x81}"
        + text(name)
        + value
        + b"sb."
    )


def payloads(marker: Path) -> dict[str, bytes]:
    """Pickles that create the folder ``marker`` when unpickled (see :func:`unpickle`)."""
    path = str(marker)
    code = f"__import__('os').mkdir({path!r})"
    raw = path.encode()
    objects = np.empty(1, dtype=object)
    objects[0] = Payload(os.mkdir, path)
    ours = text("utils.DeconomixFile") + text("DeconomixFile") + b"\x93"
    posix = text("posix") + text("mkdir") + b"\x93"
    wish = posix + text(path) + b"\x85R"
    return {
        "os.system": pickle.dumps(Payload(os.system, f"mkdir {path}")),
        "posix.mkdir": pickle.dumps(Payload(os.mkdir, path)),
        "eval": pickle.dumps(Payload(eval, code)),
        "exec": pickle.dumps(Payload(exec, code)),
        "protocol 0": pickle.dumps(Payload(os.mkdir, path), 0),
        "protocol 2": pickle.dumps(Payload(os.mkdir, path), 2),
        "inside a list": pickle.dumps([1, [2, Payload(os.mkdir, path)]]),
        "inside an object array": pickle.dumps(objects),
        "pickle in a pickle": pickle.dumps(
            Payload(pickle.loads, pickle.dumps(Payload(os.mkdir, path)))
        ),
        "INST": b"(S'" + raw + b"'\niposix\nmkdir\n.",
        "OBJ": b"(cposix\nmkdir\nS'" + raw + b"'\no.",
        "thrown away": b"cposix\nmkdir\n(S'" + raw + b"'\ntR0N.",
        "protocol 1": pickle.dumps(Payload(os.mkdir, path), 1),
        "protocol 5": pickle.dumps(Payload(os.mkdir, path), 5),
        "remembered and called later": b"cposix\nmkdir\np7\n0g7\n" + text(path) + b"\x85R.",
        "a dotted name": text("shutil") + text("os.mkdir") + b"\x93" + text(path) + b"\x85R.",
        "getattr": call(
            "builtins", "getattr", text("shutil") + text("os") + b"\x93" + text("mkdir") + b"\x86"
        )
        + text(path)
        + b"\x85R.",
        "map": call(
            "builtins",
            "list",
            call("builtins", "map", posix + b"](" + text(path) + b"e\x86") + b"\x85",
        )
        + b".",
        "partial": call("functools", "partial", posix + text(path) + b"\x86") + b")R.",
        "a nested pickle in an object array": pickle.dumps(
            np.array(
                [Payload(pickle.loads, pickle.dumps(Payload(os.mkdir, path))), None], dtype=object
            )
        ),
        "a nested pickle in a bytearray": pickle.dumps(
            Payload(pickle.loads, bytearray(pickle.dumps(Payload(os.mkdir, path)))), 5
        ),
        "a state setter put on a class": ours
        + b"N}"
        + text("__setstate__")
        + posix
        + b"s\x86b"
        + text(path)
        + b"b.",
        "extension registry, 1 byte": b"\x82\xf0" + text(path) + b"\x85R.",
        "extension registry, 2 bytes": b"\x83\xf0\x00" + text(path) + b"\x85R.",
        "extension registry, 4 bytes": b"\x84\xf0\x00\x00\x00" + text(path) + b"\x85R.",
        "persistent id": b"P" + raw + b"\n.",
        "binary persistent id": text(path) + b"Q.",
        "instead of a frame": as_attribute("Train", wish),
        "instead of a description": as_attribute("Description", wish),
        "among the names": dcx(
            [block(matrix(), span(0, 2))], TWO, listed(wish + text("h") + text("i"), 3)
        ),
        "as block values": dcx([block(wish, span(0, 2))], TWO, THREE),
        "as data of an array": dcx(
            [block(array(b"K\x01K\x01\x86", "f8", wish), span(0, 1))], index(["T"]), index(["g"])
        ),
        "as a dictionary's key": b"}" + wish + b"Ns.",
        "behind an honest file": dcx([block(matrix(), span(0, 2))], TWO, THREE)[:-1] + wish + b"0.",
    }


# -- in a child process
# --------------------------------------------------------------------------------------------------
HARMLESS = (
    "open",
    "object.",
    "sys.",
    "gc.",
    "time.",
    "builtins.id",
    "fcntl.",
    "os.fspath",
    "cpython.",
)
"""Beginnings of the events that reading a file raises by itself; what is opened is looked at apart.
"""


class Open(pickle.Unpickler):
    """pickle.load as careless programs use it: persistent ids are answered too."""

    def persistent_load(self, pid: Any) -> Any:
        return os.mkdir(pid)


def watched(path: Path) -> list[str]:
    """From now on everything this process does beyond opening ``path`` is noted in the list."""
    import sys

    seen: list[str] = []

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if (event == "open" and args[0] != str(path) and args[0] != path) or not event.startswith(
            HARMLESS
        ):
            seen.append(f"{event} {args[:1]!r}"[:200])

    sys.addaudithook(watch)
    return seen


def unpickle(path: Path) -> dict[str, Any]:
    """The positive control: what happens when the file is unpickled."""
    import contextlib
    import copyreg
    import sys
    import types

    module = types.ModuleType("utils.DeconomixFile")
    module.DeconomixFile = type("DeconomixFile", (), {"__module__": "utils.DeconomixFile"})  # type: ignore[attr-defined]
    sys.modules.update({"utils": types.ModuleType("utils"), "utils.DeconomixFile": module})
    copyreg.add_extension("posix", "mkdir", 240)
    seen = watched(path)
    # what is made of the rest of the file does not matter
    with open(path, "rb") as file, contextlib.suppress(Exception):
        Open(file).load()
    return {"seen": seen}


def read(path: Path) -> dict[str, Any]:
    """Read with our reader and report: what it said, seconds of computing, megabytes taken, and
    what Python did beyond reading.
    """
    import resource
    import time

    from gui.data.readers.dcx import read_dcx
    from gui.errors import UnreadableFile

    seen = watched(path)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        read_dcx(path)
        said = ""
    except UnreadableFile as error:
        said = str(error)
    seconds = time.process_time() - start
    return {
        "said": said,
        "seconds": seconds,
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "seen": seen,
    }


def apart(function: Any, path: Path, memory: int | None = None) -> dict[str, Any]:
    """``function(path)`` in a fork of this process; what it returned, or how it ended. memory :
    bytes it may take beside what it has
    """
    import json
    import resource

    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        answer = {"raised": "ended"}
        try:
            os.close(ours)
            if memory is not None:
                pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
                limit = pages * resource.getpagesize() + memory
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            answer = function(path) or {}
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is reported
            answer = {"raised": repr(error)[:200]}
        finally:
            os.write(theirs, json.dumps(answer).encode())
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        text_ = pipe.read()
    status = os.waitpid(child, 0)[1]
    return (
        json.loads(text_)
        if text_ and status == 0
        else {"raised": f"the process ended with {status}"}
    )


def main(folder: Path) -> None:
    """Read every .dcx in ``folder``, one after the other, each in a process of its own; the reports
    go to stdout as JSON.
    """
    import json
    import sys

    import gui.data.readers.dcx

    honest = folder / "honest"
    honest.write_bytes(dcx([block(matrix(), span(0, 2))], TWO, THREE))
    gui.data.readers.dcx.read_dcx(honest)  # imports what is imported on first use
    paths = sorted(folder.glob("*.dcx"))
    found = {path.name: apart(read, path, 2**30) for path in paths}
    ran = {path.name: path.with_suffix(".ran").exists() for path in paths}
    control = {path.name: apart(unpickle, path) for path in sorted(folder.glob("payload-*.dcx"))}
    sys.stdout.write(
        json.dumps(
            {
                "read": found,
                "ran": ran,
                "control": {
                    n: {**r, "ran": (folder / n).with_suffix(".ran").exists()}
                    for n, r in control.items()
                },
            }
        )
    )


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]))
