"""Reads a pickle without running it: opcodes are turned into inert stand-ins, nothing is imported
and nothing is called.

``pickle.load`` runs whatever the file says. Here REDUCE, NEWOBJ and BUILD only note down what was
asked for; a name outside of the exact list ``ALLOWED`` and every opcode that a data file does not
need are refused. What a stand-in may become is decided in :mod:`gui.data.readers.dcx`, from buffers
whose lengths are checked.

A session of the predecessor holds page components and models of other packages too. There
(``anything``) every name may stand, for it is never looked up, and what is put into unknown objects
is dropped.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gui.errors import UnreadableFile, UnsafeFile

MAX_OPERATIONS = 3_000_000
"""About a microsecond each.

A frame needs one or two per name and one per value of an object array, none per number.
"""
MAX_MEMO = 2_000_000
MAX_STACK = 2_000_000
MAX_INDEX = 2**32
"""Of the memo. Larger ones only serve to make a dictionary slow: their hashes can collide."""

_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_INDEXES = ("pandas.core.indexes.base", "pandas")
ALLOWED: frozenset[tuple[str, str]] = frozenset(
    [
        ("utils.DeconomixFile", "DeconomixFile"),
        ("pandas.core.internals.managers", "BlockManager"),
        ("pandas._libs.internals", "_unpickle_block"),
    ]
    + [(module, "DataFrame") for module in ("pandas.core.frame", "pandas")]
    + [(module, name) for module in _NUMPY for name in ("_reconstruct", "scalar")]
    + [(module, "_frombuffer") for module in ("numpy.core.numeric", "numpy._core.numeric")]
    + [("numpy", "ndarray"), ("numpy", "dtype")]
    + [
        (module, name)
        for module in ("builtins", "__builtin__")
        for name in ("slice", "bytes", "bytearray")
    ]
    + [("_codecs", "encode"), ("pandas.core.indexes.base", "_new_Index")]
    + [(module, "Index") for module in _INDEXES]
    + [(module, "RangeIndex") for module in ("pandas.core.indexes.range", "pandas")]
    + [(module, "CategoricalIndex") for module in ("pandas.core.indexes.category", "pandas")]
    + [("pandas.core.indexes.numeric", f"{kind}Index") for kind in ("Int64", "UInt64", "Float64")]
    + [("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked")]
    + [(module, "Categorical") for module in ("pandas.core.arrays.categorical", "pandas")]
    + [(module, "CategoricalDtype") for module in ("pandas.core.dtypes.dtypes", "pandas")]
    + [("pandas.core.arrays.string_", "StringArray"), ("pandas.arrays", "StringArray")]
    + [("pandas.core.arrays.string_", "StringDtype"), ("pandas", "StringDtype")]
    + [(module, "NA") for module in ("pandas._libs.missing", "pandas")]
    + [("pandas.core.arrays.sparse.array", "SparseArray"), ("pandas.arrays", "SparseArray")]
    + [
        ("pandas.core.arrays.sparse.dtype", "SparseDtype"),
        ("pandas.core.dtypes.dtypes", "SparseDtype"),
        ("pandas", "SparseDtype"),
    ]
    + [("pandas._libs.sparse", "IntIndex"), ("pandas._libs.sparse", "BlockIndex")]
)


@dataclass(frozen=True)
class Name:
    """Stands for a class or function that the pickle names. It is never looked up."""

    module: str
    name: str


@dataclass(eq=False)
class PendingCall:
    """Stands for what the pickle asked to have made: ``what(*args)``, with BUILD's ``state``.

    Never made.
    """

    what: Name
    args: tuple[Any, ...]
    state: Any = None
    built: bool = field(default=False)


class _Mark:
    pass


_MARK = _Mark()


def shown(text: str) -> str:
    """A name from a hostile file, fit for a message: short and printable."""
    cut = text if len(text) <= 60 else text[:57] + "..."
    return "".join(c if c.isprintable() else "?" for c in cut)


class Interpreter:
    """One run over the opcodes of one file. anything : other names than ``ALLOWED`` may stand,
    inert like these.
    """

    def __init__(self, name: str, *, anything: bool = False) -> None:
        self._file, self._anything = name, anything
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def unsafe(self, what: str) -> UnsafeFile:
        return UnsafeFile(
            f"{self._file} {what}; nothing of it was run.",
            advice="Only open files from people you trust, and ask for the data as .h5ad or .csv.",
        )

    def damaged(self) -> UnreadableFile:
        return UnreadableFile(f"{self._file} is damaged or incomplete.")

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise self.damaged()
        return value

    def pop_mark(self) -> list[Any]:
        stack = self._stack
        at = len(stack) - 1
        while stack[at] is not _MARK:  # IndexError below the bottom is caught by the caller
            at -= 1
            if at < 0:
                raise self.damaged()
        items = stack[at + 1 :]
        del stack[at:]
        return items

    def top(self, kind: type) -> Any:
        value = self._stack[-1]
        if self._anything and type(value) is PendingCall:
            return kind()  # an unknown container; what is put into it is dropped
        if type(value) is not kind:
            raise self.unsafe("puts items into something that is no container")
        return value

    def name(self, module: Any, name: Any) -> Name:
        if type(module) is not str or type(name) is not str:
            raise self.unsafe("names a program part in a disguised way")
        if not self._anything and (module, name) not in ALLOWED:
            raise self.unsafe(f"asks for {shown(f'{module}.{name}')}, which no data file needs")
        return Name(module, name)

    def put(self, index: int, value: Any) -> None:
        if len(self._memo) >= MAX_MEMO or not 0 <= index < MAX_INDEX:
            raise self.unsafe("remembers more values than any data file does")
        self._memo[index] = value

    def set_items(self, target: dict[str, Any], items: list[Any]) -> None:
        if len(items) % 2:
            raise self.damaged()
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is str:
                target[key] = value
            elif not self._anything:  # other keys could be made to collide, and no frame needs them
                raise self.unsafe("uses a key that is not text")

    def wish(self) -> None:
        args, what = self.pop(), self.pop()
        if type(what) is not Name or type(args) is not tuple:
            raise self.unsafe("calls something that is not a known data type")
        self._stack.append(PendingCall(what, args))

    def build(self) -> None:
        state = self.pop()
        target = self._stack[-1]
        if type(target) is not PendingCall or target.built:
            raise self.unsafe("changes the inside of something that is no data")
        target.state, target.built = state, True

    def other(self, op: str) -> None:
        """What only unknown objects need: sets as lists, keyword arguments dropped."""
        if op == "EMPTY_SET":
            self._stack.append([])
        elif op == "ADDITEMS":
            values = self.pop_mark()
            self.top(list).extend(values)
        elif op == "FROZENSET":
            self._stack.append(tuple(self.pop_mark()))
        else:  # NEWOBJ_EX
            self.pop()
            self.wish()

    def run(self, data: bytes) -> Any:
        """The stand-in for the pickled object. Raises UnsafeFile or UnreadableFile."""
        try:
            return self._run(data)
        except (ValueError, IndexError, KeyError, EOFError, OverflowError, struct.error, TypeError):
            raise self.damaged() from None

    def _run(self, data: bytes) -> Any:
        stack, push = self._stack, self._stack.append
        argument: Any
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            op = opcode.name
            if count > MAX_OPERATIONS or len(stack) > MAX_STACK:
                raise self.unsafe("holds more operations than any data file needs")
            if op in _PUSH:
                push(_PUSH[op](argument))
            elif op == "MEMOIZE":
                self.put(len(self._memo), stack[-1])
            elif op in ("BINGET", "LONG_BINGET", "GET"):
                push(self._memo[int(argument)])
            elif op in ("BINPUT", "LONG_BINPUT", "PUT"):
                self.put(int(argument), stack[-1])
            elif op == "MARK":
                push(_MARK)
            elif op in _TUPLES:
                size = _TUPLES[op]
                items = tuple(self.pop() for _ in range(size))[::-1]
                push(items)
            elif op == "TUPLE":
                push(tuple(self.pop_mark()))
            elif op == "LIST":
                push(self.pop_mark())
            elif op == "DICT":
                fresh: dict[str, Any] = {}
                self.set_items(fresh, self.pop_mark())
                push(fresh)
            elif op == "APPEND":
                value = self.pop()
                self.top(list).append(value)
            elif op == "APPENDS":
                values = self.pop_mark()
                self.top(list).extend(values)
            elif op == "SETITEM":
                value, key = self.pop(), self.pop()
                self.set_items(self.top(dict), [key, value])
            elif op == "SETITEMS":
                values = self.pop_mark()
                self.set_items(self.top(dict), values)
            elif op == "GLOBAL":
                module, _, name = str(argument).partition(" ")
                push(self.name(module, name))
            elif op == "STACK_GLOBAL":
                name, module = self.pop(), self.pop()
                push(self.name(module, name))
            elif op in ("REDUCE", "NEWOBJ"):
                self.wish()
            elif op == "BUILD":
                self.build()
            elif op == "POP":
                stack.pop()
            elif op == "POP_MARK":
                self.pop_mark()
            elif op in ("PROTO", "FRAME"):
                continue
            elif self._anything and op in _OTHERS:
                self.other(op)
            elif op == "STOP":
                return self.pop()
            # extension registry, persistent ids, INST, OBJ, sets, out-of-band buffers: never in a
            # frame
            else:
                raise self.unsafe(f"uses the operation {op}, which no data file needs")
        raise self.damaged()


def _same(value: Any) -> Any:
    return value


_PUSH: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        _same,
    ),
    **dict.fromkeys(
        (
            "UNICODE",
            "SHORT_BINUNICODE",
            "BINUNICODE",
            "BINUNICODE8",
            "STRING",
            "SHORT_BINSTRING",
            "BINSTRING",
        ),
        _same,
    ),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"), _same),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_LIST": lambda _: [],
    "EMPTY_DICT": lambda _: {},
    "EMPTY_TUPLE": lambda _: (),
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_OTHERS = ("EMPTY_SET", "ADDITEMS", "FROZENSET", "NEWOBJ_EX")


def interpret(data: bytes, name: str, *, anything: bool = False) -> Any:
    """The pickle as inert stand-ins: Python numbers, text, bytes, lists, tuples, dicts with text
    keys, :class:`Name` and :class:`PendingCall`.

    anything : names outside of ``ALLOWED`` may stand too; keys that are no text are left out then
    Raises UnsafeFile (a forbidden name or operation, a limit) or UnreadableFile (damaged), both
    naming ``name``.
    """
    return Interpreter(name, anything=anything).run(data)
