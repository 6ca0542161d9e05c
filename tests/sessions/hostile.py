"""Builds session files that no program of ours writes: for the tests of what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

from gui.sessions import container


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(found: list[tuple[str, bytes]]) -> bytes:
    """A file as our writer lays it out, whatever the members are."""
    out = io.BytesIO()
    writer = container.Writer(out)
    for name, data in found:
        writer.add(name, data)
    writer.close()
    return out.getvalue()


def rebuilt(
    path: Path,
    *,
    header: Callable[[Any], Any] = lambda h: h,
    manifest: Callable[[Any], Any] = lambda m: m,
    objects: Callable[[dict[str, bytes]], dict[str, bytes]] = lambda o: o,
) -> bytes:
    """A plain session with parts changed and every checksum right: only what the parts say can give
    it away.
    """
    found = members(path)
    head = header(json.loads(found["header.json"]))
    content = json.loads(zstandard.decompress(found["manifest"]))
    content["header"] = head
    parts = objects({k: v for k, v in found.items() if k.startswith("o/")})
    for name, data in parts.items():
        info = content["objects"].setdefault(
            name, {"n": 1, "codec": "zstd", "sha256": "", "stored": ""}
        )
        # of a bomb it says what was said before
        if data[:4] == b"\x28\xb5\x2f\xfd" and 0 <= zstandard.frame_content_size(data) <= 2**26:
            raw = zstandard.decompress(data)
            info |= {"n": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        info["stored"] = hashlib.sha256(data).hexdigest()
    content = manifest(content)
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return pack(
        [
            ("mimetype", found["mimetype"]),
            ("header.json", json.dumps(head).encode()),
            *parts.items(),
            ("manifest", zstandard.compress(raw)),
        ]
    )


def end(data: bytes, count: int, size: int, start: int) -> bytes:
    """``data`` with another end record."""
    return data[:-22] + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, size, start, 0)


def stored(raw: bytes) -> tuple[str, dict[str, Any], bytes]:
    """An object that holds ``raw``: its name, what a manifest says of it, its bytes in the file."""
    packed, digest = (
        zstandard.ZstdCompressor(level=3, write_checksum=True).compress(raw),
        hashlib.sha256(raw).hexdigest(),
    )
    return (
        f"o/{digest[:32]}",
        {
            "n": len(raw),
            "codec": "zstd",
            "sha256": digest,
            "stored": hashlib.sha256(packed).hexdigest(),
        },
        packed,
    )


def with_result(path: Path, node: Any, *raws: bytes) -> bytes:
    """The plain session at ``path`` with one run, whose result is the node; the objects in it are
    those of ``raws``.
    """
    found = [stored(raw) for raw in raws]
    made = {"t": "record", "class": "Provenance", "fields": {"training_id": "", "bulk_id": ""}}
    when = {"t": "datetime", "v": "2026-11-22T12:00:00+00:00"}
    params = {"t": "params", "class": "Params", "fields": {}}
    fields = {
        "id": "r1",
        "kind": "x",
        "title": "T",
        "created": when,
        "params": params,
        "result": node,
        "provenance": made,
    }

    def put(manifest: Any) -> Any:
        manifest["session"]["fields"]["runs"] = {
            "t": "tuple",
            "items": [{"t": "record", "class": "Run", "fields": fields}],
        }
        manifest["objects"].update({name: info for name, info, _ in found})
        return manifest

    return rebuilt(
        path, manifest=put, objects=lambda o: o | {name: data for name, _, data in found}
    )
