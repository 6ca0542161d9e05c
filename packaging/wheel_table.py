"""Is there a wheel of every pinned package for the three systems and the three versions of Python?

    python packaging/wheel_table.py              compares constraints.txt with wheels.json
    python packaging/wheel_table.py --renew      makes wheels.json anew (asks the index; needs uv)

``dev.py lint`` compares, without a network. A package without a wheel has to be built where the
program is installed, which on Windows and macOS nobody can.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
PINS, RECORDED = ROOT / "constraints.txt", Path(__file__).resolve().parent / "wheels.json"
PYTHONS = ((3, 11), (3, 12), (3, 13))
SYSTEMS = ("Linux", "Windows", "macOS")
OLDEST_GLIBC, OLDEST_MACOS = 34, (14, 0)
"""2.34; the installers need no newer ones, nor does any file of theirs."""
PURE_SOURCE = {"autograd-gamma", "proxy-tools"}
"""Packages without a wheel that pip builds everywhere: a few modules of Python."""

Wheels = Mapping[str, Mapping[str, str]]
"""Package and version, as pinned -> name of a file -> its SHA-256."""


@dataclass(frozen=True)
class Target:
    """A system (of :data:`SYSTEMS`) and a version of Python."""

    system: str
    python: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.system}, Python {self.python[0]}.{self.python[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What markers ask for."""
        version = f"{self.python[0]}.{self.python[1]}"
        system, name, machine, os_name = {
            "Linux": ("linux", "Linux", "x86_64", "posix"),
            "Windows": ("win32", "Windows", "AMD64", "nt"),
            "macOS": ("darwin", "Darwin", "arm64", "posix"),
        }[self.system]
        return {
            "python_version": version,
            "python_full_version": f"{version}.9",
            "implementation_name": "cpython",
            "implementation_version": f"{version}.9",
            "platform_python_implementation": "CPython",
            "sys_platform": system,
            "platform_system": name,
            "platform_machine": machine,
            "platform_release": "",
            "platform_version": "",
            "os_name": os_name,
            "extra": "",
        }

    @property
    def tags(self) -> list[Tag]:
        """Of wheels that run there, the best first."""
        platforms = {
            "Linux": [
                *(f"manylinux_2_{minor}_x86_64" for minor in range(OLDEST_GLIBC, 4, -1)),
                *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
                "linux_x86_64",
            ],
            "Windows": ["win_amd64"],
            "macOS": list(mac_platforms(OLDEST_MACOS, "arm64")),
        }[self.system]
        return [
            *cpython_tags(self.python, platforms=platforms),
            *compatible_tags(self.python, f"cp{self.python[0]}{self.python[1]}", platforms),
        ]


TARGETS = [Target(system, python) for system in SYSTEMS for python in PYTHONS]


@dataclass(frozen=True)
class Pin:
    """marker : where it is installed, None for everywhere; hashes : that pip accepts"""

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]

    @property
    def key(self) -> str:
        return f"{self.name} {self.version}"

    def is_for(self, target: Target) -> bool:
        return self.marker is None or self.marker.evaluate(target.environment)


def pins(text: str) -> Iterator[Pin]:
    """Of constraints.txt."""
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        head = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+))?", block)
        if head:
            marker = Marker(head[3].strip()) if head[3] else None
            hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
            yield Pin(canonicalize_name(head[1]), head[2], marker, hashes)


def missing(pinned: Iterable[Pin], recorded: Wheels) -> list[str]:
    """A sentence for every pin and target without a file that pip would install there."""
    tags = {target: set(target.tags) for target in TARGETS}
    found = []
    for pin in pinned:
        files = recorded.get(pin.key)
        if files is None:
            found.append(f"{pin.key} is not in {RECORDED.name}: make it anew with --renew.")
            continue
        accepted = [name for name, digest in files.items() if digest in pin.hashes]
        for target in TARGETS:
            if pin.is_for(target) and not any(_runs(name, tags[target], pin) for name in accepted):
                found.append(f"{pin.key} has no wheel for {target}.")
    return found


def _runs(file: str, tags: set[Tag], pin: Pin) -> bool:
    if not file.endswith(".whl"):
        return pin.name in PURE_SOURCE
    return bool(parse_wheel_filename(file)[3] & tags)


def chosen(lock: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Of everything that an index offers for the pins (a pylock.toml): for each target the file
    that pip takes.
    """
    found: dict[str, dict[str, str]] = {}
    for package in lock["packages"]:
        digests = {
            _file_name(each["url"]): each["hashes"]["sha256"] for each in package.get("wheels", ())
        }
        wheels = {name: parse_wheel_filename(name)[3] for name in digests}
        best = {
            next((name for tag in target.tags for name, own in wheels.items() if tag in own), "")
            for target in TARGETS
        } - {""}
        files = {name: digests[name] for name in sorted(best)}
        if not files and "sdist" in package:
            sdist = package["sdist"]
            files = {_file_name(sdist["url"]): sdist["hashes"]["sha256"]}
        found[f"{canonicalize_name(package['name'])} {package['version']}"] = files
    return dict(sorted(found.items()))


def _file_name(url: str) -> str:
    return unquote(url.rpartition("/")[2])


def renew() -> None:
    """Ask the index that uv is set up for. Raises CalledProcessError, FileNotFoundError (no uv)."""
    with tempfile.TemporaryDirectory() as folder:
        given, lock = Path(folder) / "pins.txt", Path(folder) / "pylock.toml"
        given.write_text(
            "".join(
                f"{pin.name}=={pin.version}{f' ; {pin.marker}' if pin.marker else ''}\n"
                for pin in pins(PINS.read_text("utf-8"))
            ),
            "utf-8",
        )
        subprocess.run(
            [
                *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
                *("--fork-strategy", "fewest", "--extra", "dev", "--extra", "bundle"),
                *("pyproject.toml", "--constraints", str(given), "--format", "pylock.toml"),
                *("--output-file", str(lock)),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        record(tomllib.loads(lock.read_text("utf-8")))


def record(lock: Mapping[str, Any], path: Path = RECORDED) -> None:
    path.write_text(json.dumps(chosen(lock), indent=0) + "\n", "utf-8", newline="\n")


def main() -> int:
    cli = argparse.ArgumentParser(description="Wheels for all systems.")
    cli.add_argument("--renew", action="store_true", help="make wheels.json anew; needs uv")
    if cli.parse_args().renew:
        renew()
    found = missing(pins(PINS.read_text("utf-8")), json.loads(RECORDED.read_text("utf-8")))
    print("\n".join(found) or f"Every pin has a wheel for {len(TARGETS)} targets.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
