"""Draws the program's icons from its logo, into packaging/icons: ``python packaging/icons.py``.

Needs Qt; the results are kept in the repository.
"""

from __future__ import annotations

import io

import product

LOGO = product.ROOT / "resources" / "assets" / "icons" / "logo.svg"
SIZES = (16, 32, 48, 64, 128, 256, 512)
ROUND = 9 / 32
"""Of the logo's corners."""
PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path d="M12 4h28l14 14v42H12z" fill="#fff" stroke="#868e96" stroke-width="2"/>
<path d="M40 4v14h14" fill="none" stroke="#868e96" stroke-width="2"/></svg>"""
"""A sheet of paper, on which the logo lies: a session."""


def drawn(size: int, *, session: bool = False) -> bytes:
    """PNG of the program's icon, or of a session file's; size x size pixels."""
    from PySide6.QtCore import QBuffer, QByteArray, QRectF, Qt
    from PySide6.QtGui import QBrush, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    def empty(width: int) -> QImage:
        made = QImage(width, width, QImage.Format.Format_ARGB32)
        made.fill(Qt.GlobalColor.transparent)
        return made

    def painting(on: QImage) -> QPainter:
        painter = QPainter(on)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        return painter

    width = round(size * 0.5) if session else size
    logo = empty(width)
    painter = painting(logo)
    QSvgRenderer(str(LOGO)).render(painter, QRectF(0, 0, width, width))
    painter.end()
    picture = empty(size)
    painter = painting(picture)
    if session:
        QSvgRenderer(QByteArray(PAGE.encode())).render(painter, QRectF(0, 0, size, size))
        painter.translate(round(size * 0.25), round(size * 0.36))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(logo))
    # Qt's SVG knows no clip paths
    painter.drawRoundedRect(QRectF(0, 0, width, width), width * ROUND, width * ROUND)
    painter.end()
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return bytes(buffer.data().data())


def main() -> None:
    from PIL import Image

    product.ICONS.mkdir(exist_ok=True)
    for name, session in (("app", False), ("session", True)):
        pictures = [Image.open(io.BytesIO(drawn(size, session=session))) for size in SIZES]
        for size in (48, 128, 256):  # what Linux desktops ask for
            (product.ICONS / f"{name}-{size}.png").write_bytes(drawn(size, session=session))
        pictures[-2].save(
            product.ICONS / f"{name}.ico",
            append_images=pictures[:-2],
            sizes=[(p.width, p.height) for p in pictures[:-1]],
        )
        pictures[-1].save(product.ICONS / f"{name}.icns", append_images=pictures[:-1])


if __name__ == "__main__":
    main()
