"""A WebP with words in it: an XMP chunk behind the picture, and the extended header that announces it (RFC 9649)."""

from collections.abc import Iterator
from typing import Final

from batchgen.label.xmp import Packets

_HEAD: Final = 12
_HAS_XMP: Final = 0x04
_HAS_ALPHA: Final = 0x10


def embedded(data: bytes, packets: Packets) -> tuple[bytes, str]:
    """The file with a packet; and what was left out of it, in words.

    Raises:
        ValueError: it is built in a way that we do not know.
    """
    size = int.from_bytes(data[4:8], "little") + 8
    chunks = list(_chunks(data, size))
    if not chunks or data[:4] != b"RIFF":
        raise ValueError("a WebP file is not built as it should be")
    old, kept = b"", []
    for kind, start, end in chunks:
        if kind == b"XMP ":
            old = data[start:end]
        elif kind != b"VP8X":
            kept.append(_chunk(kind, data[start:end]))
    packet, short = packets.packet(old)
    body = b"".join([b"WEBP", _announced(data, chunks[0][0]), *kept, _chunk(b"XMP ", packet)])
    return b"RIFF" + len(body).to_bytes(4, "little") + body + data[size:], short


def _chunks(data: bytes, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind of every chunk, and start and end of what is in it."""
    at = _HEAD
    while at + 8 <= min(size, len(data)):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if end > min(size, len(data)):
            raise ValueError("a WebP file is not built as it should be")
        yield data[at : at + 4], at + 8, end
        at = end + end % 2


def _announced(data: bytes, first: bytes) -> bytes:
    """The extended header: the file's own, or one for a picture that had none."""
    match first:
        case b"VP8X":
            body = bytearray(data[_HEAD + 8 : _HEAD + 18])
            body[0] |= _HAS_XMP
            return _chunk(b"VP8X", bytes(body))
        case b"VP8L":
            packed = int.from_bytes(data[21:25], "little")
            width, height, alpha = packed & 0x3FFF, packed >> 14 & 0x3FFF, packed >> 28 & 1
        case b"VP8 ":
            width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
            width, height, alpha = width - 1, height - 1, 0
        case _:
            raise ValueError("a WebP file is not built as it should be")
    flags = _HAS_XMP | (_HAS_ALPHA if alpha else 0)
    return _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little"))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
