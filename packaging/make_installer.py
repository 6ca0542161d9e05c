"""Builds the program for the system that this runs on, and its installer: ``python3 dev.py bundle``
sets up and calls it.

    --only-installer       the program was built before and has not changed
    --update-key FILE      the public half (hex or base64 of 32 bytes) of the key that signs
        updates; without it no update can be installed from within

What comes out lies in dist/: the program as a folder, the installer, a portable archive, the list
of parts (CycloneDX) and SHA256SUMS.
The same source, pins and machine give the same files: times are those of the last commit, orders
are sorted.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import parts
import product

HERE = Path(__file__).resolve().parent

DIST, BUILD = product.ROOT / "dist", product.ROOT / "build"
MB = 1_000_000
MOST_INSTALLED, MOST_DOWNLOAD = 1300 * MB, 400 * MB
"""The budget: above it the build has failed."""


WITH_DEBUG_SYMBOLS = (
    "libpython*.so*",
    "numcodecs/*.so",
    "zstandard/*.so",
    "kiwisolver/*.so",
    "fontTools/*/*.so",
)
"""60 MB of them.

Not all libraries: those that were patched to find their own ones are destroyed by strip.
"""


def main() -> int:
    cli = argparse.ArgumentParser(prog="dev.py bundle")
    cli.add_argument("--only-installer", action="store_true")
    cli.add_argument("--update-key", type=Path)
    wanted = cli.parse_args()
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(last_change()))
    # or sets in the compiled modules have another order each time
    os.environ["PYTHONHASHSEED"] = "0"
    if not wanted.only_installer:
        keep_update_key(wanted.update_key)
        build_program()
        parts.write(
            product.BUNDLE,
            BUILD / "parts.json",
            DIST / f"{product.PACKAGE}-{product.version()}-{product.machine()}.cdx.json",
        )
    installed = report(product.BUNDLE)
    made = installers()
    for path in made:
        say(f"{path.name:60s} {path.stat().st_size / MB:8.1f} MB")
    write_sums(made)
    return within_budget(installed, made)


def say(text: str) -> None:
    print(text, flush=True)


def last_change() -> int:
    """Seconds of the last commit; of the source's newest file where there is none, or no git."""
    try:
        found = subprocess.run(
            ["git", "log", "-1", "--format=%ct"],
            cwd=product.ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
    except OSError:  # there is no git
        found = ""
    return (
        int(found)
        if found
        else int(max(path.stat().st_mtime for path in (product.ROOT / "gui").rglob("*.py")))
    )


def keep_update_key(path: Path | None) -> None:
    """Puts the key where build.spec takes it from. Ends with a sentence where it is none."""
    kept = BUILD / "update_key.pub"
    BUILD.mkdir(exist_ok=True)
    kept.unlink(missing_ok=True)
    if path is None:
        return
    text = path.read_text("ascii").strip()
    try:
        key = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SystemExit(f"{path} holds no Ed25519 public key: 32 bytes, as hex or base64.")
    kept.write_text(f"{key.hex()}\n", "ascii")


def build_program() -> None:
    shutil.rmtree(product.BUNDLE, ignore_errors=True)
    if sys.platform == "win32":
        sys.path.insert(0, str(HERE / "windows"))
        import version_info

        (BUILD / "version_info.txt").write_text(version_info.contents(), "utf-8")
    command = [
        sys.executable,
        "-m",
        "PyInstaller",
        "--noconfirm",
        "--clean",
        "--log-level",
        "WARN",
        "--distpath",
        DIST,
        "--workpath",
        BUILD / "pyinstaller",
    ]
    subprocess.run([*map(str, command), "build.spec"], cwd=product.ROOT, check=True)
    if sys.platform.startswith("linux"):
        # Qt makes this folder where it may; one that is there already goes when the program is
        # removed
        (product.BUNDLE / "_internal" / "PySide6" / "Qt" / "resources" / "locales").mkdir(
            exist_ok=True
        )
        for pattern in WITH_DEBUG_SYMBOLS:
            for path in product.BUNDLE.glob(f"_internal/{pattern}"):
                subprocess.run(["strip", "--strip-debug", str(path)], check=True)


def report(folder: Path) -> int:
    """Says how large the program is and which parts make it so; returns bytes."""
    sizes: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            inside = path.relative_to(folder).parts
            part = (
                inside[1]
                if inside[0] == "_internal" and len(inside) > 2
                else inside[0]
                if len(inside) == 1
                else "shared libraries and others"
            )
            sizes[part] = sizes.get(part, 0) + path.stat().st_size
    total = sum(sizes.values())
    for part, size in sorted(sizes.items(), key=lambda item: -item[1])[:15]:
        say(f"{part:60s} {size / MB:8.1f} MB")
    say(f"{'installed':60s} {total / MB:8.1f} MB")
    return total


def installers() -> list[Path]:
    """Of this system: the installer first, then what needs no installing."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    sys.path.insert(0, str(HERE / system))
    if system == "windows":
        import make_setup as maker
    elif system == "macos":
        import make_dmg as maker
    else:
        import make_deb as maker
    return maker.make(DIST)


def write_sums(made: list[Path]) -> None:
    """SHA256SUMS of what is handed out, and one of every file in the program beside it."""
    outer = sorted([*made, *DIST.glob(f"*-{product.machine()}.cdx.json")])
    # there it was signed after it was built
    program = DIST / f"{product.NAME}.app" if sys.platform == "darwin" else product.BUNDLE
    inner = sorted(path for path in program.rglob("*") if path.is_file() and not path.is_symlink())
    for name, files, base in (
        ("SHA256SUMS", outer, DIST),
        (f"{product.PACKAGE}-{product.version()}-{product.machine()}.files.sha256", inner, program),
    ):
        lines = [f"{digest(path)}  {path.relative_to(base).as_posix()}\n" for path in files]
        # sha256sum takes a carriage return for a part of the file's name
        (DIST / name).write_text("".join(lines), "utf-8", newline="\n")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def within_budget(installed: int, made: list[Path]) -> int:
    """Exit code: 1 with a sentence where something has become too large."""
    too_large = (
        [f"the installed program has {installed / MB:.0f} MB"] if installed > MOST_INSTALLED else []
    )
    too_large += [
        f"{path.name} has {path.stat().st_size / MB:.0f} MB"
        for path in made
        if path.stat().st_size > MOST_DOWNLOAD
    ]
    if too_large:
        say(
            f"Too large: {', '.join(too_large)}. Allowed are {MOST_INSTALLED // MB} MB installed"
            f" and {MOST_DOWNLOAD // MB} MB to download; see build.spec."
        )
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
