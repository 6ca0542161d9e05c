"""The form as one request: the same for looking at the files and for loading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from gui.data.dataset import Dataset, Matrix, Role, Source
from gui.data.load import CellChoice, FileChoice, LoadRequest
from gui.engine.model import read_model_task
from gui.engine.results import DTDResult
from gui.errors import DataError
from gui.files import REFERENCE, Upload
from gui.pages.upload.base import CHOICES, FORM, INDEX
from gui.pages.upload.repair_form import (
    REPAIRS_NOW,
    TOKENS_NOW,
    Entry,
    chosen_files,
    counting,
    repairs_of,
)
from gui.plugin import Context
from gui.sessions.references import LoadedReference, reference_task

SUFFIXES = (
    *(".gz", ".bz2", ".xz", ".zip", ".tgz", ".tar"),
    ".h5ad",
    ".h5mu",
    ".loom",
    ".rds",
    ".parquet",
    ".feather",
    ".h5Seurat",
    ".h5seurat",
    ".csv",
    ".tsv",
    ".txt",
    ".tab",
    ".xlsx",
    ".xlsm",
    ".gct",
    ".mtx",
    ".h5",
    ".dcxmodel",
    ".dcxreference",
    ".dcx",
)


@dataclass(frozen=True)
class Asked:
    """What the form asks for.

    files : of the parts, by role; repairs : switched on; base : what stands already and stays: the
    session's data where only the bulk is given, a trained model's reference, or a reference of the
    library; model : that model; library : whether it is of the library
    """

    files: Mapping[Role, FileChoice]
    repairs: tuple[Any, ...] = ()
    name: str = ""
    base: Dataset | None = None
    model: DTDResult | None = None
    tokens: Mapping[str, str] = field(default_factory=dict)
    library: bool = False

    @property
    def bulk_only(self) -> bool:
        return set(self.files) == {"bulk"} and self.model is None and not self.library

    @property
    def brings_base(self) -> bool:
        """Whether a chosen file takes the place of training data."""
        return self.base is not None and (self.model is not None or self.library)

    @property
    def names(self) -> str:
        """Of the files, for a sentence."""
        return ", ".join(choice.shown for choice in self.files.values())

    def request(
        self,
        *,
        scale: bool,
        share: float = 0.3,
        seed: int = 1,
        author: str = "",
        description: str = "",
    ) -> LoadRequest:
        """InvalidParameter if a value is not allowed."""
        if self.model is not None:
            scale = self.model.scale is not None
        return LoadRequest.parse(
            files=self.files,
            repairs=self.repairs,
            scale=scale,
            test_share=share,
            split_seed=seed,
            name=self.name,
            author=author,
            description=description,
        )


FORM_STATES = {"tokens": TOKENS_NOW, "options": CHOICES, "entries": REPAIRS_NOW, **FORM}
"""The states of a callback that loads: ``UploadForm(**values)``."""


@dataclass(frozen=True)
class UploadForm:
    """The whole form, as its controls show it.

    tokens : of the chosen files, in the order of ``PARTS``; options : role -> option -> value;
    entries : the repairs that are switched on; share : percent of the cells kept back for testing
    """

    tokens: Sequence[str | None]
    options: Mapping[str, Mapping[str, Any]]
    entries: Sequence[Entry] | None
    scale: bool
    share: Any
    seed: Any
    author: str | None
    description: str | None

    @property
    def files(self) -> dict[str, str]:
        """Role -> token of its file."""
        return chosen_files(self.tokens)

    @property
    def used(self) -> list[str]:
        """Tokens of all files that it reads: of the parts, their labels and their repairs."""
        files = self.files
        labels = [chosen["labels_token"] for chosen in self.options.values()]
        tables = [entry.get("table") for entry in counting(self.entries, files)]
        return [token for token in (*files.values(), *labels, *tables) if token]

    def values(self) -> dict[str, Any]:
        """``UploadForm(**form.values())`` is this form, without the repairs of other files."""
        return {**vars(self), "entries": counting(self.entries, self.files)}


def asked(
    ctx: Context,
    tokens: Sequence[str | None],
    options: Mapping[str, Mapping[str, Any]],
    entries: Sequence[Entry] | None,
) -> Asked:
    """From the values of the form; see :class:`UploadForm`.

    UnreadableFile if a file is gone; DataError if it is no model.
    """
    found = chosen_files(tokens)
    uploads = {role: ctx.uploads.get(token) for role, token in found.items()}
    files: dict[Role, FileChoice] = {}
    for role, upload in uploads.items():
        if role != "model":
            files[cast(Role, role)] = choice_of(ctx, upload, options[role], role)
    repairs = repairs_of(entries, found, ctx.uploads)
    if "model" in uploads:
        if set(files) - {"bulk"}:
            raise DataError(
                "A trained model or a reference of the library takes the place of training data.",
                advice="Choose only a bulk beside it.",
            )
        if is_reference(uploads["model"]):
            loaded = reference_of(ctx, uploads["model"])
            data = loaded.dataset
            return Asked(files, repairs, data.name, data, loaded.model, found, library=True)
        model: DTDResult = ctx.read(
            read_model_task, uploads["model"].path, name=uploads["model"].name
        )
        base = around_model(model, uploads["model"])
        return Asked(files, repairs, base.name, base, model, found)
    first = next((upload for role, upload in uploads.items() if role == "train"), None)
    current = ctx.session.dataset if set(files) == {"bulk"} else None
    return Asked(files, repairs, stem(first.name) if first else "", current, None, found)


def choice_of(ctx: Context, upload: Upload, options: Mapping[str, Any], role: str) -> FileChoice:
    """One file and how it is to be read. InvalidParameter if an option is not allowed."""
    labels = ctx.uploads.get(options["labels_token"]) if options.get("labels_token") else None
    each, column, without = options.get("cells"), options.get("genes"), options.get("without")
    return FileChoice.parse(
        path=upload.path,
        name=upload.path.name if upload.more else upload.name,
        more=upload.more,
        label_column=options.get("label") if labels is None else None,
        matrix=options.get("matrix"),
        keep_obs=tuple(options.get("keep") or ()),
        sheet=options.get("sheet"),
        # only of a bulk it is asked; the reader takes no notice where there is nothing to choose
        leave_out=tuple(without) if without is not None and role == "bulk" else None,
        labels=labels.path if labels else None,
        labels_name=labels.name if labels else "",
        genes_column=None if column in (None, "", INDEX) else column,
        cells=CellChoice.parse(per_label=each) if each not in (None, "") else None,
        only_common=bool(options.get("common")),
    )


def is_reference(upload: Upload) -> bool:
    """Whether the file is a reference of the library, not a trained model."""
    return upload.name.lower().endswith(REFERENCE.suffixes)


def reference_of(ctx: Context, upload: Upload) -> LoadedReference:
    """What a reference holds, read in the process that reads session files.

    UnreadableFile, DamagedSession, NewerSession.
    """
    found: LoadedReference = ctx.program.session_reader(
        reference_task, upload.path, name=upload.name
    )
    return found


def around_model(model: DTDResult, upload: Upload) -> Dataset:
    """A trained model as a dataset: no cells, its reference."""
    reference = Matrix(model.reference.to_numpy(), model.reference.index, model.reference.columns)
    source = Source(
        "reference",
        upload.name,
        "model",
        notes=("Trained model: reference and gene weights as saved.",),
    )
    return Dataset(
        train=None,
        test=None,
        reference=reference,
        scale=model.scale,
        name=stem(upload.name),
        sources=(source,),
    )


def stem(name: str) -> str:
    """File name without its endings."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name or "data"
