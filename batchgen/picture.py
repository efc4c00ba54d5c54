"""What a file is, told by its first and last bytes alone; nothing here decodes, opens or trusts a name.

Three kinds are pictures to us: PNG, JPEG and WebP. Others are recognised well enough to be named in a message.
Every function takes any bytes whatever and never raises.
"""

import codecs
from dataclasses import dataclass, field
from typing import Final

HEAD_BYTES: Final = 256 * 1024
"""How much of a file's beginning is worth handing in: dimensions and animation are told before that."""

TAIL_BYTES: Final = 64 * 1024
"""How much of its end. The end marker may be followed by a trailer that still fits in here, and by no more."""

MAX_PIXELS: Final = 64 * 1024 * 1024
"""Width times height beyond which a picture is refused before it is decoded."""

EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
"""The media types that we take, and the extension that each gives a file."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"\0\0\0\0IEND\xaeB\x60\x82"
_JPEG: Final = b"\xff\xd8\xff"
_JPEG_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN: Final = 0xDA
_CONTROLS: Final = frozenset(range(32)) - set(b"\t\n\r\f\b\x1b")


@dataclass(frozen=True, slots=True)
class Picture:
    """A kind of picture that we take. Width and height in pixels, 0 where the bytes at hand do not tell them.

    `small` is its thumbnail as JPEG where it was decoded anyway, empty otherwise; what it is does not hang on that.
    """

    media_type: str
    extension: str
    width: int = 0
    height: int = 0
    small: bytes = field(default=b"", compare=False, repr=False)


def sniff(head: bytes) -> Picture | None:
    """What the first bytes of a file say it is; None when it is no picture that we take."""
    if head.startswith(_PNG):
        return _picture("image/png", *_png_size(head))
    if head.startswith(_JPEG):
        return _picture("image/jpeg", *_jpeg(head)[:2])
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _picture("image/webp", *_webp_size(head))
    return None


def describe(head: bytes) -> str:
    """The kind of file for a message: `a PNG picture`, `an HTML page`, `empty`."""
    if not head:
        return "empty"
    if found := sniff(head):
        return {"png": "a PNG picture", "jpg": "a JPEG picture", "webp": "a WebP picture"}[found.extension]
    return _other_binary(head) or _text(head) or "a file of an unknown kind"


def complete(head: bytes, tail: bytes, size: int) -> bool:
    """Whether a picture of `size` bytes has its end: PNG's IEND, JPEG's EOI after its first scan, RIFF's length."""
    found = sniff(head)
    match found.media_type if found else None:
        case "image/png":
            return tail.endswith(_PNG_END) or _PNG_END in tail[-TAIL_BYTES:]
        case "image/jpeg":
            return _jpeg_ends(head, tail[-TAIL_BYTES:], size)
        case "image/webp":
            return _number(head, 4, 4) + 8 <= size <= _number(head, 4, 4) + 8 + TAIL_BYTES
    return False


def flaw(head: bytes, tail: bytes, size: int) -> str | None:
    """Why a file of `size` bytes is refused, for a message; None when its structure is that of one whole picture.

    `head` are its first HEAD_BYTES and `tail` its last TAIL_BYTES; they overlap in a small file.
    """
    found = sniff(head)
    if found is None:
        return "it is empty" if not size else f"it is {describe(head)}, not a PNG, JPEG or WebP picture"
    if found.width * found.height > MAX_PIXELS:
        return f"it has {found.width} x {found.height} pixels, more than {MAX_PIXELS:,}"
    if animated(head):
        return f"it is {describe(head)} with several frames"
    if not complete(head, tail, size):
        return f"it is {describe(head)} that is cut off"
    return None


def animated(head: bytes) -> bool:
    """Whether the picture says that it has several frames."""
    if head.startswith(_PNG):
        return _png_animated(head)
    return head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8X" and bool(_number(head, 20, 1) & 2)


def _picture(media_type: str, width: int, height: int) -> Picture:
    return Picture(media_type, EXTENSIONS[media_type], width, height)


def _number(data: bytes, at: int, length: int) -> int:
    """A little-endian number; bytes that are not there count as 0."""
    return int.from_bytes(data[at : at + length], "little")


def _png_size(head: bytes) -> tuple[int, int]:
    if len(head) < 24 or head[12:16] != b"IHDR":
        return 0, 0
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _png_animated(head: bytes) -> bool:
    at = len(_PNG)
    while at + 8 <= len(head):
        kind = head[at + 4 : at + 8]
        if kind in {b"acTL", b"IDAT"}:
            return kind == b"acTL"
        at += 12 + int.from_bytes(head[at : at + 4], "big")
    return False


def _jpeg(head: bytes) -> tuple[int, int, int]:
    """Width, height, and where the first scan begins; 0 for what `head` does not reach."""
    width = height = 0
    at = 2
    while at + 4 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == _SCAN:
            return width, height, at
        if marker in _JPEG_SIZES and at + 9 <= len(head):
            height, width = int.from_bytes(head[at + 5 : at + 7], "big"), int.from_bytes(head[at + 7 : at + 9], "big")
        at += _jpeg_step(head, at)
    return width, height, 0


def _jpeg_step(head: bytes, at: int) -> int:
    marker = head[at + 1]
    if marker == 0xFF:  # a fill byte before the marker
        return 1
    if marker in _JPEG_BARE:
        return 2
    return 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))


def _jpeg_ends(head: bytes, tail: bytes, size: int) -> bool:
    # A preview inside the metadata has an end marker too; only one behind the first scan is the picture's own.
    scan = _jpeg(head)[2] or len(head)
    return b"\xff\xd9" in tail[max(0, scan - (size - len(tail))) :]


def _webp_size(head: bytes) -> tuple[int, int]:
    match head[12:16]:
        case b"VP8X" if len(head) >= 30:
            return _number(head, 24, 3) + 1, _number(head, 27, 3) + 1
        case b"VP8L" if len(head) >= 25 and head[20] == 0x2F:
            packed = _number(head, 21, 4)
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        case b"VP8 " if len(head) >= 30 and head[23:26] == b"\x9d\x01\x2a":
            return _number(head, 26, 2) & 0x3FFF, _number(head, 28, 2) & 0x3FFF
    return 0, 0


def _other_binary(head: bytes) -> str | None:
    if head[4:8] == b"ftyp" and head[8:12] in {b"avif", b"avis"}:
        return "an AVIF picture"
    if head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"mif1"}:
        return "a HEIC picture"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "a BMP picture"
    starts = {
        b"GIF8": "a GIF picture",
        b"II*\0": "a TIFF picture",
        b"MM\0*": "a TIFF picture",
        b"%PDF-": "a PDF file",
        b"PK\x03\x04": "a ZIP archive",
        b"\x1f\x8b": "a gzip file",
    }
    return next((name for start, name in starts.items() if head.startswith(start)), None)


def _text(head: bytes) -> str | None:
    sample = head[:1024]
    if not _CONTROLS.isdisjoint(sample):
        return None
    start = sample.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page"
    if start.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")):
        return "an SVG picture" if b"<svg" in start else "an XML file"
    if start.startswith((b"{", b"[")):
        return "a JSON text"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # a letter may be cut at the end
    except UnicodeDecodeError:
        return None
    return "a text file"
