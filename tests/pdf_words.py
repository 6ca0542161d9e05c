"""What a PDF is made of, unpacked: text that is text can be found in it."""

from __future__ import annotations

import base64
import re
import zlib


def unpacked_pdf(pdf: bytes) -> str:
    """All its streams."""
    texts = []
    for part in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        data = part.strip()
        if data.endswith(b"~>"):
            data = base64.a85decode(data[:-2])
        try:
            texts.append(zlib.decompress(data).decode("latin-1"))
        except zlib.error:
            texts.append(data.decode("latin-1"))
    return "\n".join(texts)
