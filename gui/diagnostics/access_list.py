"""Who may read a folder on Windows, from its access list."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

SYSTEM = {"SY", "BA", "CO", "OW", "LA", "DA", "EA", "S-1-5-18", "S-1-5-32-544", "S-1-3-0"}
"""Windows itself, administrators, and the owner: they may read every file anyway."""
NAMES = {
    **dict.fromkeys(("WD", "S-1-1-0"), "everybody"),
    **dict.fromkeys(("AU", "S-1-5-11"), "everybody who signs in"),
    **dict.fromkeys(("BU", "S-1-5-32-545"), "all users of this computer"),
    **dict.fromkeys(("IU", "S-1-5-4"), "whoever sits at this computer"),
    **dict.fromkeys(("BG", "S-1-5-32-546"), "guests"),
    **dict.fromkeys(("DU", "AN"), "all users of the domain"),
}
READING = {"FA", "FR", "GA", "GR", "CC"}
READ_DATA, GENERIC = 0x1, 0x9000_0000
"""FILE_READ_DATA; GENERIC_ALL or GENERIC_READ."""
SDDL_REVISION, FILE_OBJECT, DACL = 1, 1, 4


def other_readers(sddl: str, user: str) -> list[str]:
    """Whom an access list lets read, beside the user, Windows and administrators.

    Parameters
    ----------
    sddl
        Its text, such as ``D:PAI(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)``.
    user
        The user's SID.
    """
    _, found, access = sddl.partition("D:")
    if not found or access.startswith("NO_ACCESS_CONTROL"):
        return ["everybody"]
    access = access.partition("S:")[0] if ")S:" in access else access
    readers = []
    for entry in access.split("(")[1:]:
        kind, _flags, rights, _, _, who, *_ = entry.partition(")")[0].split(";")
        who = who.upper()
        if kind not in ("A", "OA", "XA") or not _reads(rights) or who in SYSTEM | {user.upper()}:
            continue
        if who.endswith(("-512", "-519")) and who.startswith("S-1-5-21-"):
            continue  # administrators of the domain
        readers.append(NAMES.get(who, who))
    return sorted(set(readers))


def _reads(rights: str) -> bool:
    if rights.lower().startswith("0x"):
        return bool(int(rights, 16) & (READ_DATA | GENERIC))
    return bool(READING & {rights[i : i + 2].upper() for i in range(0, len(rights), 2)})


def sddl_of(folder: Path, windll: Any = None) -> str:
    """The access list of a folder, as text. OSError. Windows only (not run here)."""
    windll = windll or ctypes.windll  # type: ignore[attr-defined,unused-ignore]
    advapi, kernel = windll.advapi32, windll.kernel32
    descriptor, text = ctypes.c_void_p(), ctypes.c_wchar_p()
    code = advapi.GetNamedSecurityInfoW(
        ctypes.c_wchar_p(str(folder)),
        FILE_OBJECT,
        DACL,
        *(None, None, None, None),
        ctypes.byref(descriptor),
    )
    if code:
        raise OSError(code, "the access list cannot be read")
    try:
        if not advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor, SDDL_REVISION, DACL, ctypes.byref(text), None
        ):
            raise OSError("the access list cannot be put into words")
        return text.value or ""
    finally:
        if text.value is not None:
            kernel.LocalFree(text)
        kernel.LocalFree(descriptor)


def user_sid() -> str:
    """The SID of whoever runs this program. OSError, CalledProcessError. Windows only.

    It comes last, after the user's name, whose letters are in a code page of the console.
    """
    answer = subprocess.run(
        ["whoami", "/user", "/fo", "csv", "/nh"], capture_output=True, check=True
    ).stdout.decode("ascii", "replace")
    found = answer.replace('"', " ").replace(",", " ").split()
    if not found or not found[-1].startswith("S-1-"):
        raise OSError("Windows did not say who runs this program")
    return found[-1]
