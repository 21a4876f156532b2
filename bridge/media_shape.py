"""What a file is and how large its picture, read from its first bytes: PNG, JPEG, GIF, WebP, and a few more by their names only.

Sources: PNG (RFC 2083), GIF89a, JPEG (ITU T.81 section B.1), WebP (RFC 9649), ISO base media file format ("ftyp"), Ogg (RFC 3533), PDF.
"""

from dataclasses import dataclass
from typing import Literal

_Order = Literal["big", "little"]
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG's markers that begin a frame: they say its size."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The media type; width and height in pixels, ``None`` for what has none or hides them."""

    media_type: str
    width: int | None = None
    height: int | None = None


def shape_of(head: bytes) -> Shape | None:
    """What begins with ``head``; ``None`` where it is nothing we know. Never fails."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _sized("image/png", head[16:20], head[20:24], "big")
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _sized("image/gif", head[6:8], head[8:10], "little")
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    return _by_name(head)


def _by_name(head: bytes) -> Shape | None:
    if head[4:8] == b"ftyp":
        audio = head[8:11] == b"M4A"
        picture = head[8:12] in (b"avif", b"avis")
        return Shape("image/avif" if picture else "audio/mp4" if audio else "video/mp4")
    known = {b"OggS": "audio/ogg", b"%PDF": "application/pdf", b"fLaC": "audio/flac", b"ID3": "audio/mpeg"}
    return next((Shape(kind) for begin, kind in known.items() if head.startswith(begin)), None)


def _jpeg(head: bytes) -> Shape:
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if marker in _FRAMES:
            shape = _sized("image/jpeg", head[place + 7 : place + 9], head[place + 5 : place + 7], "big")
            turned = _turned(head[:place])
            return Shape(shape.media_type, shape.height, shape.width) if turned else shape
        place += 2 + int.from_bytes(head[place + 2 : place + 4], "big")
    return Shape("image/jpeg")


def _turned(head: bytes) -> bool:
    """Whether a photograph lies on its side: its orientation (EXIF 2.3, tag 0x0112) is 5 to 8."""
    start = head.find(b"Exif\0\0")
    if start < 0:
        return False
    tiff = head[start + 6 :]
    order: _Order = "little" if tiff.startswith(b"II") else "big"

    def number(place: int, length: int) -> int:
        return int.from_bytes(tiff[place : place + length], order)

    entries = number(4, 4)
    for entry in range(entries + 2, entries + 2 + 12 * min(number(entries, 2), 64), 12):
        if number(entry, 2) == 0x0112:
            return 5 <= number(entry + 8, 2) <= 8
    return False


def _webp(head: bytes) -> Shape:
    chunk = head[12:16]
    if chunk == b"VP8X" and len(head) >= 30:
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        return Shape("image/webp", width, height)
    if chunk == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return Shape("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if chunk == b"VP8 " and len(head) >= 30:
        width, height = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return Shape("image/webp", width or None, height or None)
    return Shape("image/webp")


def _sized(media_type: str, width: bytes, height: bytes, order: _Order) -> Shape:
    if not width or not height:
        return Shape(media_type)
    wide, high = (int.from_bytes(raw, order) for raw in (width, height))
    return Shape(media_type, wide or None, high or None)
