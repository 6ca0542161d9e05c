"""Pseudonyms in place of the names of samples and cells, wherever these names are."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN, Bulk, Cells, Clinical, Dataset, Matrix, Source
from gui.engine.params import Params
from gui.engine.results import ADTDResult, ApplyResult, DTDResult
from gui.methods.method import MethodResult
from gui.sessions.codec import StoredRecord
from gui.sessions.snapshot import Snapshot

_SHORT = 4
"""Shorter names are replaced in texts only where they are words of their own."""
_WORD = re.compile(r"[^\s,;:()\[\]\"'“”]+")
_END = ""
"""Marks the end of a name in the tree of :class:`NameScanner`."""


class NameScanner:
    """Finds names in texts: at each place the longest one.

    The names are a tree of letters, so the work grows with the text, not with the number of names.

    words_below : names with fewer letters are found only as words of their own.
    """

    def __init__(self, names: Iterable[str], *, words_below: int = 0) -> None:
        self._words_below = words_below
        self._tree: dict[str, Any] = {}
        for name in names:
            node = self._tree
            for letter in name:
                node = node.setdefault(letter, {})
            if name:
                node[_END] = name

    def replace(self, text: str, replacement: Callable[[str], str]) -> str:
        """The text with every name in it replaced."""
        pieces, start, at = [], 0, 0
        while at < len(text):
            found = self._longest(text, at) if text[at] in self._tree else None
            if found is None:
                at += 1
                continue
            pieces += [text[start:at], replacement(found)]
            at += len(found)
            start = at
        return "".join([*pieces, text[start:]])

    def _longest(self, text: str, start: int) -> str | None:
        node, found = self._tree, None
        for at in range(start, len(text)):
            node = node.get(text[at])  # type: ignore[assignment]
            if node is None:
                break
            if _END in node and (
                at + 1 - start >= self._words_below or _is_word(text, start, at + 1)
            ):
                found = node[_END]
        return found


def _is_word(text: str, start: int, end: int) -> bool:
    """Whether no letter, digit or underscore is next to this part of a text."""
    return not any(c.isalnum() or c == "_" for c in text[start - 1 : start] + text[end : end + 1])


def _sample_names(snapshot: Snapshot) -> list[Any]:
    """Of the bulk, and of bulks that were analysed before it."""
    data = snapshot.dataset
    found: dict[Any, None] = dict.fromkeys(
        data.bulk.matrix.columns if data is not None and data.bulk is not None else ()
    )
    for run in snapshot.runs:
        frames: list[pd.DataFrame] = []
        if isinstance(run.result, DTDResult):
            frames = [
                part["bulk"]
                for part in (run.result.composition, run.result.naive)
                if "bulk" in part
            ]
        elif isinstance(run.result, ApplyResult | MethodResult) or (
            isinstance(run.result, ADTDResult) and getattr(run.params, "part", "bulk") == "bulk"
        ):
            frames = [run.result.composition]
        known = set(map(str, found))
        found.update(
            dict.fromkeys(
                name for frame in frames for name in frame.columns if str(name) not in known
            )
        )
    return list(found)


class Pseudonyms:
    """What every name becomes.

    Names of genes and cell types stay as they are, even where the name of a sample is a part of
    them.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        data = snapshot.dataset
        parts = data.parts() if data is not None else {}
        cells = [
            m.columns
            for role, m in parts.items()
            if role in ("train", "test") and not isinstance(m.columns, pd.RangeIndex)
        ]
        self.samples = _numbered("S", 4, _sample_names(snapshot))
        self.cells = {
            name: new
            for name, new in _numbered("C", 6, dict.fromkeys(x for c in cells for x in c)).items()
            if name not in self.samples
        }
        self._exact: dict[Any, str] = (
            {str(k): v for k, v in (*self.cells.items(), *self.samples.items())}
            | self.cells
            | self.samples
        )
        self._kept = {
            HIDDEN,
            *(g for m in parts.values() for g in m.genes),
            *(data.types if data is not None else ()),
        }
        self._kept |= (
            set(data.train.types) | set(data.test.types if data.test else ())
            if data is not None and data.train is not None
            else set()
        )
        self._scanner = NameScanner((str(s) for s in self.samples), words_below=_SHORT)

    def table(self) -> pd.DataFrame:
        rows = [
            (str(k), v, role)
            for role, found in (("sample", self.samples), ("cell", self.cells))
            for k, v in found.items()
        ]
        return pd.DataFrame(rows, columns=["name", "pseudonym", "role"])

    def text(self, text: str) -> str:
        """A text with every name in it replaced."""
        text = self._scanner.replace(text, self._exact.__getitem__)
        return (
            _WORD.sub(lambda match: self._exact.get(match[0], match[0]), text)
            if self.cells
            else text
        )

    def label(self, x: Any) -> Any:
        """A name, or a text in a table."""
        if isinstance(x, str):
            return self._exact[x] if x in self._exact else x if x in self._kept else self.text(x)
        return (
            self._exact.get(x, x)
            if isinstance(x, int | np.integer) and not isinstance(x, bool)
            else x
        )

    def index(self, index: pd.Index) -> pd.Index:
        if isinstance(index, pd.RangeIndex):
            return index
        names = [self.label(n) for n in index.names]
        if isinstance(index, pd.MultiIndex):
            return pd.MultiIndex.from_arrays(
                [self.index(index.get_level_values(k)) for k in range(index.nlevels)], names=names
            )
        if isinstance(index.dtype, pd.CategoricalDtype):
            return pd.Index(self.column(index.array), name=names[0])
        found = [self.label(x) for x in index]
        changed = any(new is not old for new, old in zip(found, index, strict=True))
        return pd.Index(found, dtype=object, name=names[0]) if changed else index.rename(names[0])

    def column(self, values: Any) -> Any:
        """The values of a column (pandas array or NumPy array)."""
        if isinstance(values, pd.Categorical):
            old = values.categories
            new = self.index(old)
            if new.is_unique:
                return values.rename_categories(new)
            return pd.Categorical(
                [self.label(x) for x in values], categories=new.unique(), ordered=values.ordered
            )
        if isinstance(values.dtype, pd.StringDtype):
            return pd.array([self.label(x) for x in values], dtype=values.dtype)
        plain = isinstance(values, np.ndarray | pd.arrays.NumpyExtensionArray)
        return self.array(np.asarray(values)) if plain else values

    def array(self, values: np.ndarray) -> np.ndarray:
        """Texts; a number is a value, not a name."""
        if values.dtype.kind not in "OU":
            return values
        found = np.empty(values.size, dtype=object)
        for k, x in enumerate(values.ravel().tolist()):
            found[k] = self.any(x)
        return (
            found.reshape(values.shape).astype(str)
            if values.dtype.kind == "U"
            else found.reshape(values.shape)
        )

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        index, columns = self.index(frame.index), self.index(frame.columns)
        if all(isinstance(kind, np.dtype) and kind.kind in "bfmM" for kind in frame.dtypes):
            made = frame.copy(deep=False)
        else:
            made = pd.DataFrame(
                {k: self.column(frame.iloc[:, k].array) for k in range(frame.shape[1])},
                index=frame.index,
            )
        made.index, made.columns, made.attrs = index, columns, self.any(dict(frame.attrs))
        return made

    def params(self, params: Params) -> Params:
        values = dict(params)
        changed = {k: new for k, v in values.items() if (new := self.any(v)) != v}
        return params.model_copy(update=changed) if changed else params

    def any(self, v: Any) -> Any:
        """Whatever a result or a form holds."""
        if isinstance(v, str):
            return self.label(v)
        if isinstance(v, StoredRecord):
            record = StoredRecord({k: self.any(x) for k, x in v.items()})
            record.origin = v.origin
            return record
        if isinstance(v, Mapping):
            return {self.label(k): self.any(x) for k, x in v.items()}
        if type(v) in (list, tuple):
            return type(v)(self.any(x) for x in v)
        if isinstance(v, pd.DataFrame):
            return self.frame(v)
        if isinstance(v, pd.Series):
            values = self.column(v.array)
            made = pd.Series(
                values, index=self.index(v.index), name=self.label(v.name), dtype=values.dtype
            )
            made.attrs = self.any(dict(v.attrs))
            return made
        if isinstance(v, pd.Index):
            return self.index(v)
        if isinstance(v, np.ndarray):
            return self.array(v)
        if isinstance(v, pd.api.extensions.ExtensionArray):
            return self.column(v)
        if isinstance(v, Params):
            return self.params(v)
        if isinstance(v, Matrix):
            return Matrix(v.values, v.genes, self.index(v.columns))
        if dataclasses.is_dataclass(v) and not isinstance(v, type):
            return self._record(v)
        return v

    def _record(self, v: Any) -> Any:
        """A record with pseudonyms; a plug-in's becomes what it would be when read from a file."""
        fields = {f.name: self.any(getattr(v, f.name)) for f in dataclasses.fields(v)}
        if type(v).__module__.startswith("gui."):
            return type(v)(**fields)
        record = StoredRecord(fields)
        record.origin = (type(v).__module__, type(v).__qualname__)
        return record

    def dataset(self, data: Dataset, left_out: list[str]) -> Dataset:
        """The data with pseudonyms.

        left_out : gets the columns that were dropped, in words.
        """
        cells: list[Cells | None] = []
        for part, noun in ((data.train, "training cells"), (data.test, "test cells")):
            if part is None:
                cells.append(None)
                continue
            matrix = self._matrix(part.matrix)
            cells.append(
                Cells(matrix, part.labels, self._obs(part.obs, matrix.columns, noun, left_out))
            )
        bulk = None
        if data.bulk is not None:
            matrix = self._matrix(data.bulk.matrix)
            bulk = Bulk(matrix, self._obs(data.bulk.obs, matrix.columns, "bulk samples", left_out))
        return dataclasses.replace(
            data,
            train=cells[0],
            test=cells[1],
            bulk=bulk,
            name=self.text(data.name),
            description=self.text(data.description),
            author=self.text(data.author),
            sources=tuple(self._source(source) for source in data.sources),
            aliases={},
            clinical=self._clinical(data, left_out),
            truth=(
                None
                if data.truth is None
                else dataclasses.replace(self.any(data.truth), name=self.text(data.truth.name))
            ),
        )

    def _clinical(self, data: Dataset, left_out: list[str]) -> Clinical | None:
        """Times and events stay, whatever their values: without them the table is of no use."""
        found = data.clinical
        if found is None:
            return None
        samples = found.table.index
        kept = [c for c in (found.time, found.event) if c in found.table.columns]
        names = pd.Index([self._exact.get(s, s) for s in samples], dtype=object)
        others = self._obs(found.table.drop(columns=kept), names, "clinical data", left_out)
        table = pd.concat([others, self.frame(found.table[kept]).set_axis(others.index)], axis=1)
        return dataclasses.replace(
            found,
            table=table,
            name=self.text(found.name),
            time=self.text(found.time),
            event=self.text(found.event),
        )

    def _matrix(self, matrix: Matrix) -> Matrix:
        if isinstance(matrix.columns, pd.RangeIndex) and not any(
            x in self._exact for x in matrix.columns
        ):
            return matrix
        return Matrix(
            matrix.values,
            matrix.genes,
            pd.Index(
                [self._exact[x] for x in matrix.columns], dtype=object, name=matrix.columns.name
            ),
        )

    def _obs(
        self, obs: pd.DataFrame, names: pd.Index, noun: str, left_out: list[str]
    ) -> pd.DataFrame:
        """Columns of different values left out; the rows are called as the cells or samples are."""
        alone = [
            k
            for k in range(obs.shape[1])
            if len(obs) > 1 and obs.iloc[:, k].nunique(dropna=False) == len(obs)
        ]
        left_out += [f"“{self.text(str(obs.columns[k]))}” of the {noun}" for k in alone]
        made = self.frame(obs.iloc[:, [k for k in range(obs.shape[1]) if k not in alone]])
        if not isinstance(obs.index, pd.RangeIndex):
            made.index = names.rename(obs.index.name)
        return made

    def _source(self, source: Source) -> Source:
        """Without the file's checksum, which would tell the file."""
        return dataclasses.replace(
            source,
            name=self.text(source.name),
            description=self.text(source.description),
            sha256="",
            options=self.any(source.options),
            notes=tuple(map(self.text, source.notes)),
            warnings=tuple(map(self.text, source.warnings)),
        )


def _numbered(letter: str, width: int, names: Iterable[Any]) -> dict[Any, str]:
    found = list(names)
    width = max(width, len(str(len(found))))
    return {name: f"{letter}{number:0{width}d}" for number, name in enumerate(found, 1)}
