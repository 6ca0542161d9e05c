"""What the built program is made of: a list of parts (CycloneDX 1.6) and every part's licence, laid
beside it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import product

from gui.versions import licence

TEXTS = Path(__file__).resolve().parent / "licenses"
"""Licences whose packages say their name and bring no text."""
LICENCE_FILE = re.compile(r"(licen[sc]e|copying|notice|authors|copyright)[^/]*$", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    name: str
    version: str
    kind: str
    """pypi, deb, rpm or generic: the first word of its package URL."""
    licence: str = ""
    texts: list[Path] = field(default_factory=list)


def write(folder: Path, built: Path, listed: Path) -> None:
    """Lay the licences of what ``built`` (written by build.spec) names into ``folder``/licenses,
    and the list of parts at ``listed``.

    Ends with a sentence where a part says nothing about its licence: what cannot be handed on must
    not be packed.
    """
    found = list(everything(json.loads(built.read_text("utf-8"))))
    place = folder / "licenses"
    shutil.rmtree(place, ignore_errors=True)
    silent = [part.name for part in found if not lay(part, place / part.name)]
    if silent:
        raise SystemExit(
            f"These parts name no licence: {', '.join(silent)}. See packaging/parts.py."
        )
    shutil.copy2(product.ROOT / "LICENSE", place / f"{product.PACKAGE}.txt")
    listed.write_text(bill(found), "utf-8", newline="\n")
    shutil.copy2(listed, place / "parts.cdx.json")


def everything(built: dict[str, Any]) -> Iterator[Part]:
    """Python, its packages, and the files of the system that were packed with them."""
    # on Windows it lies at the top
    places = (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix))
    yield Part(
        "python",
        sys.version.split()[0],
        "generic",
        "PSF-2.0",
        [place / "LICENSE.txt" for place in places if (place / "LICENSE.txt").is_file()][:1],
    )
    for name in built["distributions"]:
        if name != product.PACKAGE:
            yield of_distribution(name)
    if sys.platform == "linux":
        yield from of_system([Path(source) for _, source in built["binaries"]])


def of_distribution(name: str) -> Part:
    found = metadata.distribution(name)
    inside = [
        Path(str(found.locate_file(path)))
        for path in found.files or []
        if LICENCE_FILE.search(path.name) and path.suffix not in (".py", ".pyc")
    ]
    return Part(
        name, found.version, "pypi", licence(name), [path for path in inside if path.is_file()]
    )


def of_system(sources: list[Path]) -> Iterator[Part]:
    """The system's packages (Debian's, Red Hat's) whose libraries were packed.

    Ends with a sentence where one belongs to none: nobody knows its licence.
    """
    # a Python of the system's is one of its packages
    own = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), product.ROOT} - {
        Path("/usr")
    }
    outside = sorted(
        {
            path.resolve()
            for path in sources
            if path.exists() and not any(path.resolve().is_relative_to(root) for root in own)
        }
    )
    owned = {path: of_debian(path) or of_red_hat(path) for path in outside}
    if nobodys := [str(path) for path, part in owned.items() if part is None]:
        raise SystemExit(
            f"These libraries belong to no package of the system: {', '.join(nobodys)}. See"
            " packaging/parts.py."
        )
    yield from {
        part.name: part for part in sorted(filter(None, owned.values()), key=lambda part: part.name)
    }.values()


def of_debian(path: Path) -> Part | None:
    # Debian 12 still lists files in /lib
    for shown in (str(path), f"/{str(path).removeprefix('/usr/')}"):
        if told := asked("dpkg-query", "-S", shown):
            name = told.split(": ")[0].split(":")[0]
            text = Path("/usr/share/doc") / name / "copyright"
            return Part(
                name,
                asked("dpkg-query", "-W", "-f", "${Version}\n", name).split("\n")[0],
                "deb",
                "",
                [text] if text.is_file() else [],
            )
    return None


def of_red_hat(path: Path) -> Part | None:
    told = asked("rpm", "-qf", "--qf", "%{NAME}\t%{VERSION}-%{RELEASE}\t%{LICENSE}\n", str(path))
    if not told:
        return None
    name, version, named = told.splitlines()[0].split("\t")
    texts = [
        text for text in sorted((Path("/usr/share/licenses") / name).glob("*")) if text.is_file()
    ]
    return Part(name, version, "rpm", named, texts)


def asked(program: str, *arguments: str) -> str:
    """What it says; "" where it is not there or does not know."""
    if shutil.which(program) is None:
        return ""
    told = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return told.stdout if told.returncode == 0 else ""


def lay(part: Part, place: Path) -> bool:
    """Its licence texts into ``place``; where it brings none, the one of the licence that it names.

    False where it says nothing.
    """
    texts = part.texts or [
        path for path in TEXTS.glob("*.txt") if path.stem in re.split(r"[^\w.-]+", part.licence)
    ]
    if not texts and not part.licence:
        return False
    place.mkdir(parents=True)
    for number, text in enumerate(texts):
        shutil.copyfile(
            text,
            place
            / (
                text.name
                if text.name not in {p.name for p in place.iterdir()}
                else f"{number}-{text.name}"
            ),
        )
    if not part.texts:
        (place / "LICENCE.txt").write_text(
            f"{part.name} {part.version} names as its licence: {part.licence}\n", "utf-8"
        )
    return True


def bill(found: list[Part]) -> str:
    from cyclonedx.factory.license import LicenseFactory
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion
    from packageurl import PackageURL

    licences = LicenseFactory()
    version = product.version()
    itself = Component(
        name=product.PACKAGE,
        version=version,
        type=ComponentType.APPLICATION,
        licenses=[licences.make_from_string("GPL-3.0-or-later")],
    )
    parts = [
        Component(
            name=part.name,
            version=part.version,
            bom_ref=f"{part.kind}/{part.name}",
            licenses=[licences.make_from_string(part.licence)] if part.licence else [],
            purl=PackageURL(
                part.kind, "debian" if part.kind == "deb" else None, part.name, part.version
            ),
        )
        for part in found
    ]
    bom = Bom(
        components=parts,
        serial_number=uuid.uuid5(
            uuid.NAMESPACE_URL,
            "|".join([version, *(f"{p.kind}/{p.name}@{p.version}" for p in found)]),
        ),
        metadata=BomMetaData(
            component=itself,
            timestamp=datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC),
        ),
    )
    bom.register_dependency(itself, parts)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
