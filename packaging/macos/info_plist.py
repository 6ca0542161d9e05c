"""What the .app tells macOS: which files it opens, and as what."""

from __future__ import annotations

from typing import Any

import product

UTI = f"{product.IDENTIFIER}.session"
DATA = {"DeconomiX dataset": ("dcx",), "AnnData": ("h5ad",), "Table": ("csv", "tsv", "xlsx")}
"""Files that are imported: the program offers itself for them and takes them from nobody."""


def contents() -> dict[str, Any]:
    """Beside what PyInstaller writes itself (name, executable, icon)."""
    session = {
        "CFBundleTypeName": product.FILE_TYPE,
        "CFBundleTypeRole": "Editor",
        "CFBundleTypeIconFile": "session.icns",
        "LSHandlerRank": "Owner",
        "LSItemContentTypes": [UTI],
    }
    others = [
        {
            "CFBundleTypeName": name,
            "CFBundleTypeRole": "Viewer",
            "LSHandlerRank": "Alternate",
            "CFBundleTypeExtensions": list(suffixes),
        }
        for name, suffixes in DATA.items()
    ]
    return {
        "CFBundleDisplayName": product.NAME,
        "CFBundleShortVersionString": product.version(),
        "CFBundleVersion": ".".join(map(str, product.numbers(product.version())[:3])),
        "CFBundleDocumentTypes": [session, *others],
        "UTExportedTypeDeclarations": [
            {
                "UTTypeIdentifier": UTI,
                "UTTypeDescription": product.FILE_TYPE,
                "UTTypeConformsTo": ["public.data", "public.archive"],
                "UTTypeIconFile": "session.icns",
                "UTTypeTagSpecification": {
                    "public.filename-extension": [product.SUFFIX.lstrip(".")],
                    "public.mime-type": [product.MIME],
                },
            }
        ],
        "LSApplicationCategoryType": "public.app-category.medical",
        "LSMinimumSystemVersion": "14.0",  # what torch's wheel is built for
        "LSArchitecturePriority": ["arm64"],
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": product.COPYRIGHT,
        # the window talks to the program's own server on 127.0.0.1
        "NSAppTransportSecurity": {"NSAllowsLocalNetworking": True},
    }
