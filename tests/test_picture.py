"""The first and last bytes of a file, and what they say."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from batchgen.picture import (
    EXTENSIONS,
    HEAD_BYTES,
    MAX_PIXELS,
    TAIL_BYTES,
    Picture,
    animated,
    complete,
    describe,
    flaw,
    sniff,
)
from tests.store.pictures import EXTENSION, KINDS, MEDIA, animation, bomb, picture

CUTS = st.floats(0, 1, exclude_max=True)
STARTS = st.sampled_from(
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x20\0\0\0WEBP", b"<svg", b"{", b"BM", b"\0\0\0\x20ftypavif"]
)


def judged(data: bytes) -> str | None:
    return flaw(data[:HEAD_BYTES], data[-TAIL_BYTES:], len(data))


def with_preview(preview: bytes, body: bytes) -> bytes:
    """The JPEG with a preview inside its metadata."""
    segment = b"Exif\0\0" + preview
    return body[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + body[2:]


@pytest.mark.parametrize("kind", KINDS)
def test_kind_and_size(kind: str) -> None:
    """Each kind that we take is known by its bytes, with its dimensions."""
    found = sniff(picture(kind, 48, 32))
    assert found == Picture(MEDIA[kind], EXTENSION[kind], 48, 32)
    assert EXTENSIONS[found.media_type] == found.extension


@pytest.mark.parametrize(
    ("kind", "options"),
    [("WEBP", {"lossless": True}), ("WEBP", {"exif": b"Exif\0\0abc"}), ("JPEG", {"progressive": True})],
)
def test_variants(kind: str, options: dict[str, object]) -> None:
    """Lossless and extended WebP and progressive JPEG tell their size and are whole."""
    data = picture(kind, 50, 34, **options)
    found = sniff(data)
    assert found is not None
    assert (found.width, found.height) == (50, 34)
    assert judged(data) is None


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_size(kind: str) -> None:
    """A head too short for dimensions still tells the kind, with 0 for what it does not reach."""
    assert sniff(picture(kind)[:12]) == Picture(MEDIA[kind], EXTENSION[kind])


def test_jpeg_size_behind_metadata() -> None:
    """The size of a JPEG is found behind its metadata, and is not that of the preview inside."""
    data = with_preview(picture("JPEG", 16, 16), picture("JPEG", 48, 32))
    assert sniff(data) == Picture("image/jpeg", "jpg", 48, 32)
    filled = data[:2] + b"\xff" + data[2:]
    assert sniff(filled) == Picture("image/jpeg", "jpg", 48, 32)
    assert sniff(data[:2] + b"\xff\x01" + data[2:]) == Picture("image/jpeg", "jpg", 48, 32)


@pytest.mark.parametrize("kind", KINDS)
def test_whole(kind: str) -> None:
    """A whole picture has no flaw, and neither has one with a short trailer."""
    assert judged(picture(kind)) is None
    assert judged(picture(kind) + b"trailer") is None


@pytest.mark.parametrize("kind", KINDS)
@given(share=CUTS)
def test_cut(kind: str, share: float) -> None:
    """A picture cut anywhere is refused, down to one missing byte."""
    data = picture(kind)
    for end in (int(share * len(data)), len(data) - 1):
        assert judged(data[:end]) is not None
        assert not complete(data[:end], data[:end], end)


@given(share=CUTS)
def test_cut_with_preview(share: float) -> None:
    """The end of a preview is not taken for the end of the picture."""
    data = with_preview(picture("JPEG", 16, 16), picture("JPEG"))
    assert judged(data) is None
    assert judged(data[: int(share * len(data))]) is not None


def test_scan_beyond_the_head() -> None:
    """A JPEG with more metadata than the head holds is whole by its end, and cut without it."""
    data = picture("JPEG", 200, 200)
    for _ in range(6):
        data = with_preview(bytes(60_000), data)
    assert len(data) > HEAD_BYTES
    assert judged(data) is None
    assert judged(data[:-2]) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_long_trailer(kind: str) -> None:
    """More behind the end than a trailer may have is refused: it could be anything."""
    assert judged(picture(kind) + bytes(TAIL_BYTES + 20)) == f"it is {describe(picture(kind))} that is cut off"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_several_frames(kind: str) -> None:
    """An animation is refused as one."""
    assert animated(animation(kind))
    assert "several frames" in (judged(animation(kind)) or "")
    assert not animated(picture(kind))


def test_too_many_pixels() -> None:
    """A picture beyond the pixel limit is refused by its header, at the limit it is not."""
    assert "60000 x 60000 pixels" in (judged(bomb()) or "")
    assert judged(bomb(8192, MAX_PIXELS // 8192)) is None
    assert judged(bomb(8192, MAX_PIXELS // 8192 + 1)) is not None


def gif() -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4)).save(file, "GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "empty"),
        (picture("PNG"), "a PNG picture"),
        (picture("JPEG"), "a JPEG picture"),
        (picture("WEBP"), "a WebP picture"),
        (gif(), "a GIF picture"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "an AVIF picture"),
        (b"\0\0\0\x20ftypheic\0\0\0\0", "a HEIC picture"),
        (b"BM\x10\0\0\0\0\0\0\0", "a BMP picture"),
        (b"II*\0\x08\0\0\0", "a TIFF picture"),
        (b"%PDF-1.7\n%\xff\xff", "a PDF file"),
        (b"PK\x03\x04\0\0", "a ZIP archive"),
        (b"\n <!DOCTYPE HTML><html>", "an HTML page"),
        (b"\xef\xbb\xbf<html lang=de>", "an HTML page"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "an SVG picture"),
        (b"<SVG></SVG>", "an SVG picture"),
        (b"<?xml version='1.0'?><Error/>", "an XML file"),
        (b'{"error": "expired"}', "a JSON text"),
        (b"not found", "a text file"),
        (b"BMW is a text", "a text file"),
        ("ä".encode() * 3000, "a text file"),
        (b"x" + "ä".encode() * 3000, "a text file"),
        (b"\xc3\x28 broken", "a file of an unknown kind"),
        (b"\0\1\2\3", "a file of an unknown kind"),
    ],
)
def test_names(head: bytes, name: str) -> None:
    """What is not a picture of ours is called by its name, also in the refusal."""
    assert describe(head) == name
    if sniff(head) is None:
        assert name in (flaw(head, head, len(head)) or "")


@given(start=STARTS, rest=st.binary(max_size=200), tail=st.binary(max_size=40), size=st.integers(0, 2**40))
def test_any_bytes(start: bytes, rest: bytes, tail: bytes, size: int) -> None:
    """No bytes whatever raise, and what is called whole is a picture."""
    head = start + rest
    assert describe(head)
    assert animated(head) in {True, False}
    if complete(head, tail, size):
        assert sniff(head) is not None
    if sniff(head) is None:
        assert flaw(head, tail, size) is not None


@pytest.mark.parametrize("kind", KINDS)
@given(at=st.integers(0, 60), value=st.integers(0, 255))
def test_damaged_headers(kind: str, at: int, value: int) -> None:
    """A changed byte anywhere in the header raises nothing."""
    data = bytearray(picture(kind))
    data[at] = value
    assert isinstance(judged(bytes(data)), str | None)
    assert describe(bytes(data))
