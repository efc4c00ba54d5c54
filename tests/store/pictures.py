"""Small pictures of every kind, made once."""

import functools
import io
import struct
import zlib

from PIL import Image

KINDS = ("PNG", "JPEG", "WEBP")
MEDIA = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
EXTENSION = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


@functools.cache
def picture(kind: str = "PNG", width: int = 48, height: int = 32, seed: int = 0, **options: object) -> bytes:
    """A noisy picture, so that it does not compress to nothing."""
    noise = bytes((x * 7919 + (x * x >> 5) + seed * 104729) & 0xFF for x in range(width * height * 3))
    file = io.BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(file, kind, **options)
    return file.getvalue()


def animation(kind: str) -> bytes:
    """Two frames in one file."""
    first, second = (Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 255))
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=[second], duration=100)
    return file.getvalue()


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A tiny PNG that says it is enormous; its structure is whole."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
