"""The Windows installer and the portable archive, from the built program.

Needs makensis (NSIS 3).

With DECONOMIX_GUI_SIGN set (a command that takes a file's name, such as ``signtool sign /fd sha256
/tr … /n …``) programs, installer and uninstaller are signed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import product

HERE = Path(__file__).resolve().parent

SIGN = "DECONOMIX_GUI_SIGN"


def make(dist: Path) -> list[Path]:
    """Both files, in ``dist``."""
    name = f"{product.PACKAGE}-{product.version()}-{product.machine()}"
    sign = os.environ.get(SIGN, "")
    if sign:
        for program in sorted(product.BUNDLE.glob("*.exe")):
            subprocess.run(f'{sign} "{program}"', shell=True, check=True)
    return [
        compiled(product.BUNDLE, dist / f"{name}-setup.exe", sign=sign),
        zipped(product.BUNDLE, dist / f"{name}-portable.zip"),
    ]


def compiled(
    source: Path,
    target: Path,
    *,
    sign: str = "",
    version: str | None = None,
    more: Sequence[str] = (),
) -> Path:
    """The installer ``target`` of the program in the folder ``source``.

    Raises CalledProcessError; a warning of makensis is an error.

    more : further options of makensis
    """
    version = version or product.version()
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) // 1024
    defined = {
        "VERSION": version,
        "NUMBERS": ".".join(map(str, product.numbers(version))),
        "SOURCE": str(source.resolve()),
        "TARGET": str(target.resolve()),
        "KILOBYTES": str(size),
        **({"SIGN": sign} if sign else {}),
    }
    options = [f"-D{key}={value}" for key, value in defined.items()]
    subprocess.run(
        ["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *options, *more, "installer.nsi"],
        cwd=HERE,
        check=True,
    )
    return target


def zipped(source: Path, target: Path) -> Path:
    """The program's folder, to be unpacked anywhere; times are those of the last commit."""
    when = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(
                    f"{product.NAME}/{path.relative_to(source).as_posix()}", when
                )
                entry.compress_type = zipfile.ZIP_DEFLATED
                with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as packed:
                    shutil.copyfileobj(file, packed, 2**20)
    return target
