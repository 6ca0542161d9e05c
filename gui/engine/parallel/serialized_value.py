"""SerializedValue: the same bytes and memory layout in every process."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from typing import Any

from gui.errors import JobError
from gui.jobs import wire


class SerializedValue:
    """A packed value.

    Arrays are never copied on packing; whoever opens it finds them contiguous, aligned and
    read-only.

    That also holds for a parcel that is opened where it was packed: sums depend on the memory
    layout in their last digits.
    """

    def __init__(self, parts: wire.Packed) -> None:
        self.parts = parts
        self._lock = threading.Lock()
        self._opened: tuple[Any] | None = None

    @classmethod
    def of(cls, value: Any) -> SerializedValue:
        """JobError if it holds something that is not data."""
        try:
            return cls(wire.pack(value))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - pickle raises many kinds
            raise JobError(
                "A part of this step cannot be handed to another process"
                f" ({type(error).__name__}).",
                advice="A task may take and return data only: no functions, files or connections.",
            ) from None

    def open(self) -> Any:
        """The value; the same one each time, for all that share it."""
        with self._lock:
            if self._opened is None:
                self._opened = (wire.unpack(self.parts, read_only=True),)
            return self._opened[0]

    def take(self) -> Any:
        """Return the value for its only owner, who may change it.

        Arrays that were read-only stay read-only.
        """
        return wire.unpack(self.parts)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        parts = (
            [pickle.PickleBuffer(_without_view(part)) for part in self.parts]
            if protocol >= 5
            else [bytes(part) for part in self.parts]
        )
        return _arrived, (parts,)

    def __sizeof__(self) -> int:
        return 1000 + sum(memoryview(part).nbytes for part in self.parts)


def _without_view(part: Any) -> Any:
    """The same bytes, but not behind a memoryview.

    A network library makes memoryviews of what it sends and drops them in circles of tasks. Where
    one refers to another, the garbage collector of Python 3.11.0 to 3.11.7, 3.12.0 and 3.12.1 ends
    the process (https://github.com/python/cpython/issues/77894).
    """
    if not isinstance(part, memoryview):
        return part
    import numpy as np  # later than the number of its threads is set

    return np.frombuffer(part, np.uint8)


def _arrived(parts: Sequence[Any]) -> SerializedValue:
    # Copied: what a network library hands over may begin at any address, and NumPy adds up numbers
    # that are not aligned in another order.
    return SerializedValue([bytearray(part) for part in parts])
