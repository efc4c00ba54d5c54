"""A PNG with words in it: iTXt chunks right behind the header, every other chunk as it was (W3C PNG, 11.3.3.4).

The packet stands under the keyword that XMP has for PNG, the prompt also under `Description`, which any reader knows.
"""

from collections.abc import Iterator
from typing import Final
from zlib import crc32

from batchgen.label.xmp import Packets

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_XMP: Final = b"XML:com.adobe.xmp"
_PLAIN: Final = b"\0\0\0\0\0"
"""Behind a keyword: its end, not packed, no language, no translated keyword."""


def embedded(data: bytes, packets: Packets) -> tuple[bytes, str]:
    """The file with a packet; and what was left out of it, in words.

    Raises:
        ValueError: it is built in a way that we do not know.
    """
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise ValueError("a PNG file is not built as it should be")
    old, kept = b"", []
    for kind, start, end in chunks[1:]:
        body = data[start + 8 : end - 4]
        if kind == b"iTXt" and body.startswith(_XMP + b"\0"):
            if not body.startswith(_XMP + _PLAIN):
                raise ValueError("a picture has metadata of its own that cannot be added to")
            old = body[len(_XMP + _PLAIN) :]
        else:
            kept.append((start, end))
    packet, short = packets.packet(old)
    words = _text(_XMP, packet) + _text(b"Description", packets.description.encode("utf-8"))
    rest = [data[start:end] for start, end in kept]
    return b"".join([data[: chunks[0][2]], words, *rest, data[chunks[-1][2] :]]), short


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of every chunk up to the last; nothing behind one that is cut off."""
    at = len(_SIGNATURE) if data.startswith(_SIGNATURE) else len(data)
    while at + 12 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end


def _text(keyword: bytes, text: bytes) -> bytes:
    body = b"iTXt" + keyword + _PLAIN + text
    return (len(body) - 4).to_bytes(4, "big") + body + crc32(body).to_bytes(4, "big")
