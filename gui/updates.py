"""Updates without a network: an installer's file and, beside it, what its makers signed.

Nothing here asks anybody for anything.

The signature file ``<installer>.sig`` is text (``packaging/sign_update.py`` writes it): five lines
that say what was signed, and below them the Ed25519 signature over exactly these lines. It names
the file's SHA-256, so that an installer of any size is read once, and the version, so that nobody
passes an old one off as new. The public half of the key is set when the program is built (``dev.py
bundle --update-key``); a program without one installs no updates.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gui import __version__
from gui.errors import BadUpdate
from gui.files import FileKind
from gui.resources import resource

KEY = "update_key.pub"
HEAD = "deconomix-gui update 1"
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\DeconomiX-GUI"
"""Under this name the Windows installer keeps where the program is
(packaging/windows/installer.nsi).
"""
MOST_SIGNATURE = 4096
"""Bytes."""
CHUNK = 1 << 20
NOBODY_ELSE = "Ask whoever gave it to you for both files again, unchanged."


def kind() -> FileKind:
    """What is offered for choosing: the form of installer that this program was installed by."""
    if sys.platform in ("win32", "darwin"):
        suffix = ".exe" if sys.platform == "win32" else ".dmg"
    else:
        suffix = ".deb" if Path(sys.executable).is_relative_to("/usr") else ".tar.zst"
    return FileKind("Update", (suffix,), recent=False)


@dataclass(frozen=True)
class Update:
    """An installer that may be started: ``path`` is a copy that nobody else can write to, as its
    bytes were checked.
    """

    path: Path
    version: str
    older: bool
    """Than the program that runs."""


def key() -> bytes | None:
    """The public key that updates are signed with, 32 bytes; None in a program that was built
    without one.
    """
    try:
        return bytes.fromhex(resource(KEY).read_text("ascii").strip())
    except FileNotFoundError:
        return None


def statement(version: str, name: str, digest: str, system: str) -> bytes:
    """What is signed: digest, of the file, SHA-256 in hex; system, as ``sys.platform`` says it."""
    return f"{HEAD}\nversion {version}\nfile {name}\nsystem {system}\nsha256 {digest}\n".encode()


def examine(installer: Path, public: bytes, folder: Path) -> Update:
    """Copy the installer into ``folder``, which becomes private, and check the copy.

    Raises BadUpdate, and then leaves nothing there.
    """
    if not installer.name.lower().endswith(kind().suffixes):
        raise BadUpdate(
            f"“{installer.name}” is not what this program was installed by.",
            advice=f"Choose the file that ends in {kind().suffixes[0]}.",
        )
    version, name, system, digest = _signed(installer, public)
    if system != sys.platform:
        raise BadUpdate(
            f"“{installer.name}” is for another system.", advice="Choose the file for this system."
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        with (
            installer.open("rb") as source,
            open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy,
        ):
            found = hashlib.sha256()
            while part := source.read(CHUNK):
                found.update(part)
                copy.write(part)
        if found.hexdigest() != digest:
            raise BadUpdate(
                f"“{installer.name}” is not the file that was signed: it is damaged or was"
                " changed.",
                advice=NOBODY_ELSE,
            )
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise BadUpdate(
                f"“{installer.name}” could not be copied ({error.strerror}).",
                advice="Make room on the disk and try again.",
            ) from error
        raise
    return Update(folder / name, version, ordinal(version) < ordinal(__version__))


def _signed(installer: Path, public: bytes) -> tuple[str, str, str, str]:
    """Version, file name, system and SHA-256 that the signature beside the installer speaks of.

    BadUpdate unless the key's owner signed it.
    """
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    beside = installer.with_name(f"{installer.name}.sig")
    try:
        with beside.open("rb") as file:
            text = file.read(MOST_SIGNATURE + 1)
    except OSError as error:
        raise BadUpdate(
            f"The signature “{beside.name}” is not beside the installer.",
            advice="Put both files into one folder.",
        ) from error
    form = (
        rf"({re.escape(HEAD)}\nversion (\d+(?:\.\d+){{1,3}})\nfile ([\w.+-]{{1,200}})\nsystem"
        r" (\w+)\nsha256 ([0-9a-f]{64})\n)signature ([\w+/=]+)\n?"
    )
    # some mail programs change the ends of lines
    found = re.fullmatch(form.encode(), text.replace(b"\r\n", b"\n"))
    try:
        if found is None:
            raise BadSignatureError
        VerifyKey(public).verify(found[1], base64.b64decode(found[6], validate=True))
    except (BadSignatureError, ValueError, binascii.Error) as error:
        raise BadUpdate(
            f"“{installer.name}” is not signed by the makers of this program; it was not opened.",
            advice=NOBODY_ELSE,
        ) from error
    return found[2].decode(), found[3].decode(), found[4].decode(), found[5].decode()


def ordinal(version: str) -> tuple[int, ...]:
    """1.10 comes after 1.9 and is 1.10.0."""
    numbers = [int(part) for part in re.findall(r"\d+", version)][:4]
    return tuple([*numbers, 0, 0, 0, 0][:4])


def install(update: Update) -> str:
    """Start what was checked; returns what the user does now.

    BadUpdate where that does not work; the program stays as it is.
    """
    path = update.path
    try:
        if path.suffix == ".zst":
            _unpack_and_install(path)
            place = Path.home() / ".local" / "lib" / "deconomix-gui"  # as install.sh says
            if Path(sys.executable).is_relative_to(place):
                return (
                    f"Version {update.version} is installed. Close the program and start it again."
                )
            return (
                f"Version {update.version} is installed in {place} and in the menu. Close this"
                " program, which stays as it is, and start that one."
            )
        if sys.platform == "win32":
            # asks for rights where it needs them, which starting a process does not
            how = ("runas", "/ALLUSERS") if for_all_users() else ("open",)
            os.startfile(path, *how)  # type: ignore[attr-defined]
            return "The installer is open. Close this program before you go on in it."
        subprocess.Popen(
            [opener(), str(path)],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if sys.platform == "darwin":
            return (
                "The disk image is open. Close this program, then drag the new one into"
                " Applications."
            )
        by_hand = f"sudo apt install {shlex.quote(str(path))}"
        return (
            "The system's installer opens; start the program again when it is done. If nothing"
            f" opens, an administrator installs it with: {by_hand}"
        )
    except OSError as error:
        raise BadUpdate(
            f"The installer did not start ({error.strerror or type(error).__name__}).",
            advice=f"Open it yourself: {path}",
        ) from error


def for_all_users(registry: Any = None) -> bool:
    """On Windows: whether this program was installed for all users. registry : ``winreg`` (not run
    here: there is no Windows)
    """
    registry = registry or importlib.import_module("winreg")
    try:
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, UNINSTALL) as entry:
            place = Path(registry.QueryValueEx(entry, "InstallLocation")[0])
    except OSError:
        return False
    return Path(sys.executable).is_relative_to(place)


def tidy(folder: Path) -> None:
    """Delete the installer that was copied there, some 400 MB: when the program starts, what it was
    for is done.
    """
    shutil.rmtree(folder, ignore_errors=True)


def opener() -> str:
    """What opens a file as a double click does. OSError where there is none."""
    name = "open" if sys.platform == "darwin" else "xdg-open"
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(2, f"{name} is missing", name)
    return found


def _unpack_and_install(path: Path) -> None:
    """The archive for a user without rights: its own install.sh does it."""
    import zstandard

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as archive,
        ):
            # what its makers signed; links within it are its own
            archive.extractall(folder, filter="tar")
        scripts = list(Path(folder).glob("*/install.sh"))
        if not scripts:
            raise BadUpdate(f"“{path.name}” holds no installer.", advice=NOBODY_ELSE)
        done = subprocess.run(
            ["sh", str(scripts[0])],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise BadUpdate(
                f"The installer ended with an error ({done.returncode}); the program is as it was.",
                advice="Make room on the disk and try again.",
            )
