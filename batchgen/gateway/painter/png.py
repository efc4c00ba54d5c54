"""A quick PNG encoder for smooth pictures: one filter, the fastest deflate; half the time of a general one."""

import struct
import zlib
from typing import Final

import numpy as np
from PIL import Image

_SOFTWARE: Final = b"Software\0batchgen rehearsal painter"
_UP: Final = 2


def encode(picture: Image.Image) -> bytes:
    """An RGB image as a PNG file, 8 bits a channel; its metadata says that it is a rehearsal."""
    pixels = np.asarray(picture)
    height, width, _ = pixels.shape
    flat = pixels.reshape(height, width * 3)
    rows = np.empty((height, width * 3 + 1), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    deflate = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9)
    body = deflate.compress(rows.data) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"tEXt", _SOFTWARE), _chunk(b"IDAT", body), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
