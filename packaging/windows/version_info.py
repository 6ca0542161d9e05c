"""The version resource of the Windows programs: what Explorer shows under Properties, Details."""

from __future__ import annotations

import product


def contents() -> str:
    """In the form that PyInstaller reads."""
    four = product.numbers(product.version())
    strings = {
        "CompanyName": product.PUBLISHER,
        "FileDescription": product.NAME,
        "FileVersion": product.version(),
        "InternalName": product.PACKAGE,
        "LegalCopyright": product.COPYRIGHT,
        "OriginalFilename": f"{product.NAME}.exe",
        "ProductName": product.NAME,
        "ProductVersion": product.version(),
    }
    table = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in strings.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={four}, prodvers={four}, mask=0x3F, flags=0,"
        " OS=0x40004, fileType=1, subtype=0, date=(0,"
        f" 0)),\nkids=[StringFileInfo([StringTable('040904B0', [{table}])]),"
        " VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n"
    )
