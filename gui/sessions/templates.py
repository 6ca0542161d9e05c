"""Templates: the parameters of DTD and ADTD under a name, kept by the program and shared as a file.

A file is small JSON: ``{"format": "deconomix-gui template", "version": 1, "name": "…", "dtd":
{…}, "adtd": {…}}``; one of the two may be missing. It holds no data and no names of samples.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gui import atomic
from gui.data.readers.watchdog import watched
from gui.engine.params import ADTDParams, DTDParams, Params
from gui.errors import InvalidParameter, UnreadableFile
from gui.sessions.rules import MAX_NAME, plain

FORMAT, VERSION, SUFFIX = "deconomix-gui template", 1, ".json"
FOLDER = "templates"
LARGEST = 20_000
"""Bytes of a file: the largest that the program writes is a tenth of it."""
MOST = 100
"""Templates that are kept at most."""
STEPS: Mapping[str, type[Params]] = {"dtd": DTDParams, "adtd": ADTDParams}


@dataclass(frozen=True)
class ParameterTemplate:
    """Parameters under a name; None for a step that it says nothing about."""

    name: str
    dtd: DTDParams | None = None
    adtd: ADTDParams | None = None

    def params(self, step: str) -> Params | None:
        return self.dtd if step == "dtd" else self.adtd

    def packed(self) -> bytes:
        """The file; the same bytes for the same template."""
        found: dict[str, Any] = {"format": FORMAT, "version": VERSION, "name": self.name}
        for step in STEPS:
            if (params := self.params(step)) is not None:
                found[step] = params.model_dump(mode="json")
        return (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def make_template(
    name: str, dtd: DTDParams | None = None, adtd: ADTDParams | None = None
) -> ParameterTemplate:
    """InvalidParameter: there is no name, or a long one."""
    shown = plain(name)
    if not shown:
        raise InvalidParameter("The template has no name.", advice="Give it a name.")
    if len(shown) > MAX_NAME:
        raise InvalidParameter(f"The name is longer than {MAX_NAME} characters.")
    return ParameterTemplate(shown, dtd, adtd)


def read_template(raw: bytes) -> ParameterTemplate:
    """A template file, checked: every parameter is known, of its type and within its limits.

    Raises
    ------
    UnreadableFile
        With what is wrong with it.
    """
    if len(raw) > LARGEST:
        raise _no_template("It is too large.")
    try:
        found = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _no_template("It is not JSON.") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _no_template("It is of another kind.")
    if type(found.get("version")) is not int or found["version"] < 1:
        raise _no_template("Its version is missing.")
    if found["version"] > VERSION:
        raise UnreadableFile(
            "This template was saved by a newer version of this program.",
            advice="Update the program, or have it saved again.",
        )
    unknown = set(found) - {"format", "version", "name", *STEPS}
    if unknown or not isinstance(found.get("name"), str) or not set(STEPS) & set(found):
        raise _no_template("Its parts are not those of a template.")
    steps = {step: _checked(step, found[step]) for step in STEPS if step in found}
    try:
        return make_template(found["name"], **steps)  # type: ignore[arg-type]
    except InvalidParameter as error:
        raise _no_template(str(error)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _checked(step: str, values: Any) -> Params:
    """Of exactly these types: no text where a number belongs."""
    cls = STEPS[step]
    if not isinstance(values, dict):
        raise _no_template(f"What it says about {step.upper()} is not a list of parameters.")
    try:
        return cls.model_validate(values, strict=True)
    except ValidationError as error:
        where = error.errors()[0]["loc"]
        name = str(where[0])[:60] if where else ""
        title = cls.model_fields[name].title if name in cls.model_fields else f"“{name}”"
        raise _no_template(f"{title} of {step.upper()} is not a value that it may have.") from None


def _no_template(why: str) -> UnreadableFile:
    return UnreadableFile(
        f"This file is not a template of parameters. {why}",
        advice="Export the template again from the program that it comes from.",
    )


def read_template_file(path: Path) -> ParameterTemplate:
    """UnreadableFile: it is not there, or no template."""
    try:
        with atomic.reading(path) as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise UnreadableFile(
            f"The template cannot be read ({atomic.explanation(error)}).",
            advice="Check the file and its permissions.",
        ) from None
    return read_template(raw)


def template_task(dataset: object, path: Path, *, progress: object) -> ParameterTemplate:
    """:func:`read_template_file` as a task of the reading process."""
    with watched([path]):
        return read_template_file(path)


class TemplateLibrary:
    """The templates that the program keeps, one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def list(self) -> list[tuple[str, ParameterTemplate]]:
        """(key, template) by name; files that are none are left out."""
        found = []
        try:
            paths = sorted(self.folder.glob(f"*{SUFFIX}"))
        except OSError:
            paths = []
        for path in paths[: 2 * MOST]:
            try:
                found.append((path.name.removesuffix(SUFFIX), read_template_file(path)))
            except UnreadableFile:
                continue
        return sorted(found, key=lambda one: one[1].name.casefold())

    def get(self, key: str) -> ParameterTemplate:
        """UnreadableFile: there is none."""
        found = next((one for name, one in self.list() if name == key), None)
        if found is None:
            raise UnreadableFile("The template is gone.", advice="Choose another one.")
        return found

    def add(self, template: ParameterTemplate) -> str:
        """Keep it and return its key.

        Raises
        ------
        InvalidParameter
            There is one of this name, there are too many, or it cannot be written.
        """
        there = self.list()
        if template.name.casefold() in {one.name.casefold() for _, one in there}:
            raise InvalidParameter(
                f"There is a template “{template.name}” already.",
                advice="Take another name, or delete that one first.",
            )
        if len(there) >= MOST:
            raise InvalidParameter(
                f"There are {MOST} templates, as many as are kept.", advice="Delete one first."
            )
        digest = hashlib.blake2b(template.name.casefold().encode("utf-8"), digest_size=8)
        key = digest.hexdigest()
        try:
            atomic.private_folder(self.folder)
            with atomic.replacing(self.folder / f"{key}{SUFFIX}") as file:
                file.write(template.packed())
        except OSError as error:
            raise InvalidParameter(
                f"The template could not be kept ({atomic.explanation(error)}).",
                advice="Check the program's data folder.",
            ) from None
        return key

    def delete(self, key: str) -> None:
        """Remove it, if it is there."""
        if key in {name for name, _ in self.list()}:
            atomic.remove(self.folder / f"{key}{SUFFIX}")
