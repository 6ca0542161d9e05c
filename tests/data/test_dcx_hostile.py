"""A hostile .dcx is refused and nothing in it runs. The same bytes do run under pickle.loads: that is the positive control."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.data.dcx import read_dcx
from gui.data.inert import interpret
from gui.errors import UnreadableFile, UnsafeFile


class Payload:
    """Asks to be rebuilt by calling ``function(*args)``."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.wish = function, args

    def __reduce__(self) -> Any:
        return self.wish


def payloads(marker: Path) -> dict[str, bytes]:
    """Pickles that create the folder ``marker`` when unpickled."""
    path = str(marker)
    code = f"__import__('os').mkdir({path!r})"
    text = path.encode()
    array = np.empty(1, dtype=object)
    array[0] = Payload(os.mkdir, path)
    return {
        "os.system": pickle.dumps(Payload(os.system, f"mkdir {path}")),
        "posix.mkdir": pickle.dumps(Payload(os.mkdir, path)),
        "eval": pickle.dumps(Payload(eval, code)),
        "exec": pickle.dumps(Payload(exec, code)),
        "protocol 0": pickle.dumps(Payload(os.mkdir, path), 0),
        "protocol 2": pickle.dumps(Payload(os.mkdir, path), 2),
        "inside a list": pickle.dumps([1, [2, Payload(os.mkdir, path)]]),
        "inside an object array": pickle.dumps(array),
        "pickle in a pickle": pickle.dumps(Payload(pickle.loads, pickle.dumps(Payload(os.mkdir, path)))),
        "INST": b"(S'" + text + b"'\niposix\nmkdir\n.",
        "OBJ": b"(cposix\nmkdir\nS'" + text + b"'\no.",
        "thrown away": b"cposix\nmkdir\n(S'" + text + b"'\ntR0N.",
    }


@pytest.mark.parametrize("name", sorted(payloads(Path("/x"))))
def test_code_in_a_file_is_refused_and_does_not_run(tmp_path: Path, name: str) -> None:
    marker = tmp_path / "ran"
    data = payloads(marker)[name]
    file = tmp_path / "hostile.dcx"
    file.write_bytes(data if data[:1] == b"\x80" else b"\x80\x04" + data)

    with pytest.raises(UnsafeFile, match="nothing of it was run"):
        read_dcx(file)
    assert not marker.exists()

    pickle.loads(file.read_bytes())  # noqa: S301  positive control: the same bytes do run here
    assert marker.exists()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def call(module: str, name: str, args: bytes) -> bytes:
    return text(module) + text(name) + b"\x93" + args + b"R"


def array(shape: bytes, dtype: str, data: bytes) -> bytes:
    """A NumPy array as protocol 4 writes it, with whatever shape and data it is told."""
    base = call("numpy._core.multiarray", "_reconstruct", text("numpy") + text("ndarray") + b"\x93K\x00\x85C\x01b\x87")
    kind = call("numpy", "dtype", text(dtype) + b"\x89\x88\x87") + b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return base + b"(K\x01" + shape + kind + b"\x89" + data + b"tb"


def buffer(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


def index(names: list[str]) -> bytes:
    items = b"](" + b"".join(map(text, names)) + b"e"
    data = array(b"K" + bytes([len(names)]) + b"\x85", "O8", items)
    return call(
        "pandas.core.indexes.base",
        "_new_Index",
        text("pandas.core.indexes.base") + text("Index") + b"\x93" + b"}(" + text("data") + data + text("name") + b"Nu\x86",
    )


def span(start: int, stop: int) -> bytes:
    return call("builtins", "slice", b"K" + bytes([start]) + b"K" + bytes([stop]) + b"K\x01\x87")


def block(values: bytes, where: bytes) -> bytes:
    return call("pandas._libs.internals", "_unpickle_block", values + where + b"K\x02\x87")


def dcx(blocks: list[bytes], columns: bytes, genes: bytes) -> bytes:
    manager = call("pandas.core.internals.managers", "BlockManager", b"(" + b"".join(blocks) + b"t](" + columns + genes + b"e\x86")
    frame = text("pandas.core.frame") + text("DataFrame") + b"\x93)\x81}" + text("_mgr") + manager + b"sb"
    return b"\x80\x04" + text("utils.DeconomixFile") + text("DeconomixFile") + b"\x93)\x81}" + text("Train") + frame + b"sb."


ROW = struct.pack("<3d", 1, 2, 3)
TWO, THREE = index(["T", "B"]), index(["g", "h", "i"])


def matrix(rows: int = 2, columns: int = 3, data: bytes = ROW + ROW) -> bytes:
    return array(b"K" + bytes([rows]) + b"K" + bytes([columns]) + b"\x86", "f8", buffer(data))


def huge_range(size: int) -> bytes:
    def number(n: int) -> bytes:
        raw = n.to_bytes(8, "little")
        return b"\x8a\x08" + raw

    parts = b"}(" + text("start") + number(0) + text("stop") + number(size) + text("step") + number(1) + text("name") + b"Nu"
    return call("pandas.core.indexes.base", "_new_Index", text("pandas.core.indexes.range") + text("RangeIndex") + b"\x93" + parts + b"\x86")


def test_the_hand_made_file_is_readable_when_it_does_not_lie(tmp_path: Path) -> None:
    file = tmp_path / "honest.dcx"
    file.write_bytes(dcx([block(matrix(), span(0, 2))], TWO, THREE))
    part = read_dcx(file).parts["train"]
    assert part.values.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert (part.columns, part.genes) == (["T", "B"], ["g", "h", "i"])


LIES = {
    "data shorter than the shape": dcx([block(matrix(2, 3, ROW), span(0, 2))], TWO, THREE),
    "data longer than the shape": dcx([block(matrix(2, 3, ROW * 3), span(0, 2))], TWO, THREE),
    "shape of 10^12": dcx([block(array(b"\x8a\x06\x00\x10\xa5\xd4\xe8\x00\x8a\x06\x00\x10\xa5\xd4\xe8\x00\x86", "f8", buffer(ROW)), span(0, 2))], TWO, THREE),
    "negative shape": dcx([block(array(b"J\xff\xff\xff\xffK\x03\x86", "f8", buffer(b"")), span(0, 2))], TWO, THREE),
    "fewer names than columns": dcx([block(matrix(), span(0, 2))], index(["T"]), THREE),
    "range of 10^12 names": dcx([block(matrix(), span(0, 2))], huge_range(10**12), THREE),
    "blocks over each other": dcx([block(matrix(), span(0, 2)), block(matrix(), span(0, 2))], index(list("abcd")), THREE),
    "a gap between blocks": dcx([block(matrix(), span(0, 2)), block(matrix(), span(1, 3))], index(list("abcd")), THREE),
    "a block outside": dcx([block(matrix(), span(5, 7))], TWO, THREE),
    "a block too wide for its place": dcx([block(matrix(), span(0, 1))], TWO, THREE),
    "blocks of different height": dcx([block(matrix(), span(0, 2)), block(matrix(1, 2, ROW[:16]), span(2, 3))], index(list("abc")), THREE),
    "an unknown number type": dcx([block(array(b"K\x02K\x03\x86", "V8", buffer(ROW + ROW)), span(0, 2))], TWO, THREE),
    "a list of names shorter than it claims": dcx([block(matrix(), span(0, 2))], array(b"K\x09\x85", "O8", b"]"), THREE),
    "no frame": b"\x80\x04K\x01.",
    "text only": b"\x80\x04" + text("hello") + b".",
}


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "lies.dcx"
    file.write_bytes(LIES[name])
    with pytest.raises(UnreadableFile) as refused:
        read_dcx(file)
    assert str(refused.value).endswith(".")


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


@pytest.mark.parametrize("name", sorted(ODD))
def test_operations_no_data_file_needs_are_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "odd.dcx"
    file.write_bytes(b"\x80\x04" + ODD[name])
    with pytest.raises(UnsafeFile):
        read_dcx(file)


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


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_impossible_claims_are_refused_without_taking_memory(tmp_path: Path, name: str) -> None:
    file = tmp_path / "damaged.dcx"
    file.write_bytes(b"\x80\x04" + DAMAGED[name])
    with pytest.raises(UnreadableFile):
        read_dcx(file)


def test_doubling_memo_entries_take_no_memory(tmp_path: Path) -> None:
    """Each line holds the previous one ten times: spelled out, 10^60 entries."""
    bomb = b"\x80\x04](K\x01e\x94" + b"".join(b"](" + b"h" + bytes([i]) + (b"h" + bytes([i])) * 9 + b"e\x94" for i in range(60)) + b"."
    file = tmp_path / "bomb.dcx"
    file.write_bytes(bomb)
    with pytest.raises(UnreadableFile):
        read_dcx(file)


def test_deep_nesting_does_not_crash(tmp_path: Path) -> None:
    for data in (
        b"]" * 100_000 + b"a" * 99_999,
        b")" + b"\x85" * 100_000,
        b"(" * 100_000 + b"t" * 100_000,
        text("numpy") + text("dtype") + b"\x93" + b")" + b"\x85" * 100_000 + b"R",
    ):
        file = tmp_path / "deep.dcx"
        file.write_bytes(b"\x80\x04" + data + b".")
        with pytest.raises(UnreadableFile):
            read_dcx(file)


def test_more_operations_than_any_file_needs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui.data.inert.MAX_OPERATIONS", 1000)
    with pytest.raises(UnsafeFile, match="more operations"):
        interpret(b"\x80\x04" + b"N0" * 1000 + b"N.", "f.dcx")
    monkeypatch.setattr("gui.data.inert.MAX_MEMO", 10)
    with pytest.raises(UnsafeFile, match="remembers more"):
        interpret(b"\x80\x04N" + b"\x94" * 20 + b".", "f.dcx")


def test_a_file_cut_off_anywhere_is_refused(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "predecessor" / "FULL.p0default.dcx").read_bytes()
    for percent in range(0, 100, 5):
        file = tmp_path / "cut.dcx"
        file.write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(UnreadableFile):
            read_dcx(file)


def test_flipped_bytes_never_escape_as_a_raw_exception(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "predecessor" / "catcols.p4.dcx").read_bytes()
    random, file, refused = np.random.default_rng(0), tmp_path / "flipped.dcx", 0
    for _ in range(300):
        data = bytearray(whole)
        for at in random.integers(0, 3000, 3):
            data[at] = random.integers(256)
        file.write_bytes(data)
        try:
            read_dcx(file)
        except UnreadableFile:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04rest", b"gene,a\nx,1\n", b"\x89HDF\r\n\x1a\nxx"])
def test_another_kind_of_file_is_named(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "other.dcx"
    file.write_bytes(data)
    with pytest.raises(UnreadableFile, match=r"empty|looks like"):
        read_dcx(file)


def test_the_sessions_of_the_predecessor_are_refused_too(shared_data: Path) -> None:
    for path in (shared_data / "predecessor" / "sessions" / "cache").glob("*.pkl"):
        with pytest.raises(UnsafeFile):
            read_dcx(path)
