"""The disk image with the .app, from the built program.

Runs on macOS only (codesign, hdiutil, notarytool).

DECONOMIX_GUI_SIGN       identity of a "Developer ID Application" certificate; without it the .app
    is signed ad hoc, which Apple silicon asks for
DECONOMIX_GUI_NOTARISE   name of a keychain profile made by ``xcrun notarytool store-credentials``;
    without it nothing is notarised
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import product

HERE = Path(__file__).resolve().parent

MACH_O = (bytes.fromhex("cffaedfe"), bytes.fromhex("cafebabe"))
"""How a file with code begins: for one processor, and for several."""
WAITS = (2, 5, 10, 20)
"""Seconds between the attempts."""
SIGN, NOTARISE = "DECONOMIX_GUI_SIGN", "DECONOMIX_GUI_NOTARISE"


def make(dist: Path) -> list[Path]:
    """The .dmg, in ``dist``. Raises CalledProcessError."""
    app = dist / f"{product.NAME}.app"
    resources = app / "Contents" / "Resources"
    shutil.copyfile(product.ICONS / "session.icns", resources / "session.icns")
    shutil.copytree(product.BUNDLE / "licenses", resources / "licenses", dirs_exist_ok=True)
    sign(app, os.environ.get(SIGN, "-"))
    image = dist / f"{product.PACKAGE}-{product.version()}-{product.machine()}.dmg"
    image.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=dist) as folder:
        # keeps links and attributes, which copying in Python does not
        run("ditto", app, Path(folder) / app.name)
        (Path(folder) / "Applications").symlink_to("/Applications")
        insist(
            "hdiutil",
            "create",
            "-volname",
            product.NAME,
            "-srcfolder",
            folder,
            "-format",
            "ULMO",
            "-ov",
            image,
        )
    if os.environ.get(SIGN):
        run("codesign", "--sign", os.environ[SIGN], "--timestamp", image)
    if os.environ.get(NOTARISE):
        run(
            "xcrun",
            "notarytool",
            "submit",
            image,
            "--keychain-profile",
            os.environ[NOTARISE],
            "--wait",
        )
        run("xcrun", "stapler", "staple", image)
    return [image]


def sign(app: Path, identity: str) -> None:
    """Everything inside first, then the whole: what is signed from the outside only is refused."""
    options = ["--force", "--sign", identity]
    if identity != "-":
        options += [
            "--timestamp",
            "--options",
            "runtime",
            "--entitlements",
            HERE / "entitlements.plist",
        ]
    inside = [
        path
        for path in sorted(app.rglob("*"), reverse=True)
        if is_code(path) and path.parent != app / "Contents" / "MacOS"
    ]
    for start in range(0, len(inside), 100):
        run("codesign", *options, *inside[start : start + 100])
    run("codesign", *options, app)
    run("codesign", "--verify", "--deep", "--strict", app)


def is_code(path: Path) -> bool:
    """A program or library, whatever it is called: Apple refuses an .app with a single one that is
    not signed.
    """
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in MACH_O


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)


def insist(*command: object) -> None:
    """Run a command up to five times: hdiutil says “Resource busy” while Spotlight or a virus
    scanner looks into the image that it is making. Raises the last CalledProcessError.
    """
    for seconds in WAITS:
        try:
            run(*command)
            return
        except subprocess.CalledProcessError:
            time.sleep(seconds)
    run(*command)


if __name__ == "__main__":
    make(product.ROOT / "dist")
