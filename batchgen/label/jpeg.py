"""A JPEG with words in it: one APP1 segment of XMP behind JFIF and Exif, all else as it was (ISO 16684-3, 1.1.3).

A segment holds less than 64 KiB. What is longer is not cut in pieces, which few readers put together again.
"""

from typing import Final

from batchgen.label.xmp import Packets

_SIGNATURE: Final = b"http://ns.adobe.com/xap/1.0/\0"
_MOST: Final = 0xFFFF - 2 - len(_SIGNATURE)
_APP0, _APP1 = 0xE0, 0xE1
_SCAN: Final = 0xDA


def embedded(data: bytes, packets: Packets) -> tuple[bytes, str]:
    """The file with a packet; and what was left out of it, in words.

    Raises:
        ValueError: it is built in a way that we do not know, or has no room.
    """
    place, old = _places(data)
    start, end = old or (place, place)
    body = data[start + 4 + len(_SIGNATURE) : end] if old else b""
    packet, short = packets.packet(body, _MOST)
    words = _SIGNATURE + packet
    segment = b"\xff\xe1" + (len(words) + 2).to_bytes(2, "big") + words
    return data[:start] + segment + data[end:], short


def _places(data: bytes) -> tuple[int, tuple[int, int] | None]:
    """Where a packet goes, and where one stands already."""
    at = place = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # a fill byte before the marker
            at += 1
            continue
        if marker == _SCAN:
            return place, None
        if marker == _APP1 and data.startswith(_SIGNATURE, at + 4):
            return place, (at, end)
        if at == place and (marker == _APP0 or data.startswith(b"Exif\0", at + 4)):
            place = end
        at = end
    raise ValueError("a JPEG file is not built as it should be")
