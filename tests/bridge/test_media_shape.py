"""What a file is and how large its picture, by its first bytes."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.media_shape import Shape, shape_of


def png(width: int, height: int) -> bytes:
    header = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(header))
    )


def jpeg(width: int, height: int, orientation: int | None = None) -> bytes:
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + bytes(9)
    exif = b""
    if orientation is not None:
        tiff = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
        exif = b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
    return b"\xff\xd8" + exif + b"\xff\xdb\x00\x04\0\0" + frame


KNOWN = [
    (png(640, 480), Shape("image/png", 640, 480)),
    (b"GIF89a" + struct.pack("<HH", 12, 7), Shape("image/gif", 12, 7)),
    (jpeg(800, 600), Shape("image/jpeg", 800, 600)),
    (jpeg(800, 600, 1), Shape("image/jpeg", 800, 600)),
    (jpeg(800, 600, 6), Shape("image/jpeg", 600, 800)),
    (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x1f\x03\0\x57\x02\0", Shape("image/webp", 800, 600)),
    (b"RIFF\0\0\0\0WEBPVP8L" + bytes(5) + struct.pack("<I", 799 | 599 << 14), Shape("image/webp", 800, 600)),
    (
        b"RIFF\0\0\0\0WEBPVP8 " + bytes(7) + b"\x9d\x01\x2a" + struct.pack("<HH", 800, 600),
        Shape("image/webp", 800, 600),
    ),
    (b"\0\0\0\x20ftypisom", Shape("video/mp4")),
    (b"\0\0\0\x20ftypM4A ", Shape("audio/mp4")),
    (b"OggS\0", Shape("audio/ogg")),
    (b"%PDF-1.7", Shape("application/pdf")),
]


@pytest.mark.parametrize(("head", "shape"), KNOWN)
def test_is_seen(head: bytes, shape: Shape) -> None:
    assert shape_of(head) == shape


@pytest.mark.parametrize("head", [b"", b"hello", b"<html>", b"\xff\xd8", b"RIFF\0\0\0\0WAVE"])
def test_is_not_known(head: bytes) -> None:
    assert shape_of(head) is None


@given(st.sampled_from(KNOWN), st.binary(max_size=60), st.integers(0, 80))
def test_damage_never_fails(known: tuple[bytes, Shape], junk: bytes, cut: int) -> None:
    shape = shape_of(known[0][:cut] + junk)
    assert shape is None or (shape.width or 1) > 0
