"""Signs installers for “Install an update…”.

python packaging/sign_update.py --new-key NAME                         makes NAME.key (keep it
    secret) and NAME.pub (dev.py bundle --update-key NAME.pub)
python packaging/sign_update.py --key NAME.key --version 1.2.0 --system linux|win32|darwin
    FILE...      writes FILE.sig beside each
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
from pathlib import Path

from nacl.signing import SigningKey

from gui.updates import statement


def main() -> None:
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--new-key", type=Path)
    cli.add_argument("--key", type=Path)
    cli.add_argument("--version")
    cli.add_argument("--system", choices=["linux", "win32", "darwin"])
    cli.add_argument("files", nargs="*", type=Path)
    wanted = cli.parse_args()
    if wanted.new_key:
        new_key(wanted.new_key)
    elif not (wanted.key and wanted.version and wanted.system and wanted.files):
        cli.error("--key, --version, --system and at least one file are needed")
    else:
        key = SigningKey(bytes.fromhex(wanted.key.read_text("ascii").strip()))
        for path in wanted.files:
            sign(path, key, wanted.version, wanted.system)


def new_key(name: Path) -> None:
    key = SigningKey.generate()
    secret = os.open(name.with_suffix(".key"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(secret, "w", encoding="ascii") as file:
        file.write(f"{bytes(key).hex()}\n")
    name.with_suffix(".pub").write_text(f"{bytes(key.verify_key).hex()}\n", "ascii")


def sign(path: Path, key: SigningKey, version: str, system: str) -> Path:
    """Writes ``<path>.sig``; returns it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    signed = statement(version, path.name, digest, system)
    beside = path.with_name(f"{path.name}.sig")
    beside.write_bytes(
        signed + b"signature " + base64.b64encode(key.sign(signed).signature) + b"\n"
    )
    return beside


if __name__ == "__main__":
    main()
