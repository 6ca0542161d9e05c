"""The .deb and the relocatable .tar.zst, from the built program."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import product

from desktop.toolkit import LIBRARIES

HERE = Path(__file__).resolve().parent

RENAMED = ("libasound2", "libglib2.0-0")
"""These have another name since Debian 13 and Ubuntu 24.04 (64-bit time)."""
SYSTEMS = {
    "2.34": "Red Hat Enterprise Linux 9, Ubuntu 22.04, Debian 12, Fedora 35",
    "2.35": "Ubuntu 22.04, Debian 12, Fedora 36",
    "2.36": "Debian 12, Ubuntu 22.10, Fedora 37",
    "2.39": "Debian 13, Ubuntu 24.04, Fedora 40",
}
"""The first ones with a glibc.

Older than 2.34 cannot be reached: Qt's wheels (6.12) are built for that, torch's (2.13.0) for 2.28.
"""
DESCRIPTION = """\
Finds out which cell types a bulk RNA-seq sample is made of, what part of it
 no reference explains, and which genes are regulated, without programming.
 Works without a network. For research use only."""


def make(dist: Path) -> list[Path]:
    """Both files, in ``dist``."""
    needed = glibc(product.BUNDLE)
    name = f"{product.PACKAGE}-{product.version()}-{product.machine()}"
    with tempfile.TemporaryDirectory(dir=dist) as folder:
        deb = make_deb(
            Path(folder),
            dist / f"{product.PACKAGE}_{product.version()}_{architecture()}.deb",
            needed,
        )
    with tempfile.TemporaryDirectory(dir=dist) as folder:
        archive = make_archive(Path(folder) / name, dist / f"{name}.tar.zst", needed)
    return [deb, archive]


def architecture() -> str:
    return subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()


def glibc(folder: Path) -> str:
    """The newest version of glibc that a file in ``folder`` asks for, as "2.36"."""
    found: set[tuple[int, ...]] = {(2, 17)}
    for path in folder.rglob("*"):
        if (
            path.is_symlink()
            or not path.is_file()
            or not (".so" in path.name or os.access(path, os.X_OK))
        ):
            continue
        told = subprocess.run(
            ["objdump", "-p", str(path)], capture_output=True, text=True, check=False
        ).stdout
        found |= {ordinal(version) for version in re.findall(r"\bGLIBC_(\d+\.\d+)\b", told)}
    return ".".join(map(str, max(found)))


def ordinal(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def depends(folder: Path, needed: str) -> list[str]:
    """The packages whose libraries the program loads and does not bring."""
    brought = {path.name for path in folder.rglob("*.so*")}
    lacking = sorted({package for library, package in LIBRARIES.items() if library not in brought})
    return [
        f"libc6 (>= {needed})",
        *(f"{name}t64 | {name}" if name in RENAMED else name for name in lacking),
    ]


def share(place: Path) -> None:
    """What a desktop looks at, into ``place`` (/usr/share, or a user's): menu entry, file type,
    icons, description.
    """
    date = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC).date().isoformat()
    for source, target in (
        (f"{product.IDENTIFIER}.desktop", "applications"),
        (f"{product.PACKAGE}.xml", "mime/packages"),
        (f"{product.IDENTIFIER}.metainfo.xml", "metainfo"),
    ):
        (place / target).mkdir(parents=True, exist_ok=True)
        text = (
            (HERE / source)
            .read_text("utf-8")
            .replace("@VERSION@", product.version())
            .replace("@DATE@", date)
        )
        (place / target / source).write_text(text, "utf-8")
    for size in (48, 128, 256):
        for icon, target in (
            ("app", f"apps/{product.PACKAGE}.png"),
            ("session", f"mimetypes/{product.MIME.replace('/', '-')}.png"),
        ):
            path = place / "icons" / "hicolor" / f"{size}x{size}" / target
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(product.ICONS / f"{icon}-{size}.png", path)


def launcher(path: Path, program: str, needed: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    enough = next(
        (systems for version, systems in SYSTEMS.items() if ordinal(version) >= ordinal(needed)),
        "a system with it",
    )
    text = (
        (HERE / "launcher.sh")
        .read_text("utf-8")
        .replace("@PROGRAM@", program)
        .replace("@GLIBC@", needed)
        .replace("@SYSTEMS@", enough)
    )
    path.write_text(text, "utf-8")
    path.chmod(0o755)


def make_deb(root: Path, target: Path, needed: str) -> Path:
    library = root / "usr" / "lib" / product.PACKAGE
    shutil.copytree(product.BUNDLE, library / "app", symlinks=True)
    launcher(library / product.PACKAGE, f"app/{product.PACKAGE}", needed)
    (root / "usr" / "bin").mkdir()
    (root / "usr" / "bin" / product.PACKAGE).symlink_to(
        f"../lib/{product.PACKAGE}/{product.PACKAGE}"
    )
    share(root / "usr" / "share")
    papers = root / "usr" / "share" / "doc" / product.PACKAGE
    papers.mkdir(parents=True)
    (papers / "copyright").write_text(
        f"{product.NAME}: GPL-3.0-or-later, see /usr/share/common-licenses/GPL-3.\n"
        f"Its parts and their licences: /usr/lib/{product.PACKAGE}/app/licenses.\n",
        "utf-8",
    )
    (papers / "changelog.gz").write_bytes(
        gzip.compress((product.ROOT / "CHANGELOG.md").read_bytes(), mtime=0)
    )
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    root.chmod(0o755)
    size = sum(
        path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink()
    )
    control = {
        "Package": product.PACKAGE,
        "Version": product.version(),
        "Architecture": architecture(),
        "Maintainer": f"{product.PUBLISHER} <noreply@deconomix.invalid>",
        "Installed-Size": str(size // 1024),
        "Depends": ", ".join(depends(product.BUNDLE, needed)),
        "Recommends": "shared-mime-info, desktop-file-utils, xdg-utils",
        "Section": "science",
        "Priority": "optional",
        "Description": f"{product.SUMMARY}\n {DESCRIPTION}",
    }
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        "".join(f"{key}: {value}\n" for key, value in control.items()), "utf-8"
    )
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z12", "--build", str(root), str(target)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return target


def make_archive(root: Path, target: Path, needed: str) -> Path:
    import zstandard

    root.mkdir()
    shutil.copytree(product.BUNDLE, root / "app", symlinks=True)
    launcher(root / product.PACKAGE, f"app/{product.PACKAGE}", needed)
    shutil.copy2(HERE / "install.sh", root / "install.sh")
    share(root / "share")
    compressor = zstandard.ZstdCompressor(level=12, threads=-1)
    with (
        target.open("wb") as file,
        compressor.stream_writer(file) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in ordered(root):
            archive.add(
                path, path.relative_to(root.parent).as_posix(), recursive=False, filter=anonymous
            )
    return target


def ordered(root: Path) -> Iterable[Path]:
    return [root, *sorted(root.rglob("*"))]


def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's, and as old as the last commit."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(os.environ["SOURCE_DATE_EPOCH"])
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
