"""A quick PNG encoder for smooth pictures: one filter, the fastest deflate; half the time of a general one."""

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SOFTWARE: Final = b"Software\0batchgen rehearsal painter"
_UP: Final = 2
_ZLIB: Final = b"\x78\x01"
_ADLER: Final = 65521


def encode(picture: Image.Image, height: int | None = None) -> bytes:
    """An RGB image as a PNG file, 8 bits a channel; its metadata says that it is a rehearsal.

    With a `height` of up to twice the image's, each of its rows stands twice (the last perhaps once).
    """
    pixels = np.asarray(picture)
    given, width, _ = pixels.shape
    flat = pixels.reshape(given, width * 3)
    rows = np.empty((given, width * 3 + 1), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    tall = height or given
    body = _packed(rows) if tall == given else _packed_twice(rows, tall)
    header = struct.pack(">IIBBBBB", width, tall, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"tEXt", _SOFTWARE), _chunk(b"IDAT", body), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _packed(rows: NDArray[np.uint8]) -> bytes:
    deflate = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9)
    return deflate.compress(rows.data) + deflate.flush()


def _packed_twice(rows: NDArray[np.uint8], height: int) -> bytes:
    """Each row, then a row of no difference: that one is packed once, and its few bytes are set between the others."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, 7)
    still = bytes((_UP,)) + bytes(rows.shape[1] - 1)
    again = deflate.compress(still) + deflate.flush(zlib.Z_FULL_FLUSH)
    parts, check = [_ZLIB], 1
    for index, row in enumerate(rows):
        parts += (deflate.compress(row.data), deflate.flush(zlib.Z_FULL_FLUSH))
        check = zlib.adler32(row.data, check)
        if 2 * index + 1 < height:
            parts.append(again)
            check = _still(check, len(still))
    return b"".join([*parts, deflate.flush(), struct.pack(">I", check)])


def _still(check: int, length: int) -> int:
    """The Adler-32 after a filter byte and zeros, from the one before: both its sums by their law."""
    low, high = check & 0xFFFF, check >> 16
    return (high + length * (low + _UP)) % _ADLER << 16 | (low + _UP) % _ADLER


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
