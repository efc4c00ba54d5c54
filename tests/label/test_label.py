"""Words in pictures: what goes in comes out again, and nothing else of a file is another than before."""

import hashlib
import io
import struct
import xml.etree.ElementTree as ET
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchgen.job import Asset, FileReference, Job, Request, UrlReference, fingerprint
from batchgen.label import Label, embedded, facts_of, read, read_sidecar, sidecar
from batchgen.picture import sniff
from tests.store.pictures import KINDS, MEDIA, picture

DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
OURS = "{urn:batchgen:picture:1#}"
PROMPTS = [
    "A red shoe",
    "赤い靴、白い背景",
    "حذاء أحمر على صخرة",
    "לחם 🍞 'on' \"a\" <table> & more ]]>",
    "line one\nline two\r\nline three\rtab\there",
    "controls \x00 \x01 \x1b[31m \x7f \u2028 \ufffe and a lone \ud800",
    "a long one " * 2000,
    "",
]


def facts(prompt: str, **more: Any) -> dict[str, Any]:
    """What is told of a picture by this prompt."""
    request = Request("nano-banana-pro", prompt, resolution="1K", **more)
    return facts_of(Job(7, "shoe/front", fingerprint(request), 1, request, "shoe/front"), "autumn", "task-9")


def packet(data: bytes) -> bytes:
    """The packet that Pillow finds in a picture."""
    found = Image.open(io.BytesIO(data)).info
    text = found.get("xmp") or found["XML:com.adobe.xmp"]
    return text.encode() if isinstance(text, str) else bytes(text)


def described(data: bytes) -> ET.Element:
    """Our description, read by a real XML parser."""
    return ET.fromstring(packet(data)).findall(f".//{RDF}Description")[-1]


def pixels(data: bytes) -> bytes:
    """Every pixel."""
    return Image.open(io.BytesIO(data)).convert("RGBA").tobytes()


def plain(prompt: str) -> str:
    """The prompt as XML can hold it."""
    return "".join(each if _fits(each) else "\ufffd" for each in prompt)


def _fits(each: str) -> bool:
    if each < " ":
        return each in "\t\n\r"
    return not "\ud800" <= each <= "\udfff" and each not in "\ufffe\uffff"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_round_trip(kind: str, prompt: str) -> None:
    """Every prompt comes back exactly from every kind of picture, by us, by Pillow and by an XML parser."""
    before, told = picture(kind), facts(prompt)
    after, short = embedded(before, MEDIA[kind], told)
    assert short == ""
    assert read(after) == told
    assert pixels(after) == pixels(before)
    assert sniff(after) == sniff(before)
    found = described(after)
    assert found.findtext(f"{DC}description/{RDF}Alt/{RDF}li") == plain(prompt)
    assert [found.findtext(f"{OURS}{name}") for name in ("id", "model", "batch", "task_id")] == [
        *("shoe/front", "nano-banana-pro", "autumn", "task-9")
    ]
    assert (found.findtext("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType") or "").endswith(
        "/trainedAlgorithmicMedia"
    )


@settings(max_examples=60)
@given(st.text(), st.sampled_from(KINDS))
def test_any_prompt(prompt: str, kind: str) -> None:
    """Whatever a prompt holds, the picture stays whole and tells it exactly."""
    after, _ = embedded(picture(kind), MEDIA[kind], facts(prompt))
    assert read(after) == facts(prompt)
    assert described(after).findtext(f"{DC}description/{RDF}Alt/{RDF}li") == plain(prompt)


def test_png_is_otherwise_the_same() -> None:
    """Every chunk of a PNG is there as before and in order; new are text chunks behind the header, with right sums."""
    before = picture("PNG")
    after, _ = embedded(before, "image/png", facts("赤"))
    assert after.startswith(before[:33])
    assert after.endswith(before[33:])
    image = Image.open(io.BytesIO(after))
    image.load()
    assert image.text["Description"] == "赤"  # type: ignore[attr-defined]
    at = 33
    while at < len(after) - len(before) + 33:
        (length,) = struct.unpack(">I", after[at : at + 4])
        assert after[at + 4 : at + 8] == b"iTXt"
        body = after[at + 4 : at + 8 + length]
        assert struct.unpack(">I", after[at + 8 + length : at + 12 + length]) == (zlib.crc32(body),)
        at += 12 + length
    assert at == len(after) - len(before) + 33


def test_jpeg_keeps_jfif_and_exif_in_front() -> None:
    """The packet of a JPEG stands behind JFIF and Exif, and without it the file is as it was."""
    exif = Image.Exif()
    exif[0x010E] = "of a camera"
    before = picture("JPEG", exif=exif.tobytes())
    after, _ = embedded(before, "image/jpeg", facts("p"))
    at = after.index(b"http://ns.adobe.com/xap/1.0/\0") - 4
    assert 0 < after.index(b"Exif\0\0") < at
    length = 2 + int.from_bytes(after[at + 2 : at + 4], "big")
    assert after[:at] + after[at + length :] == before
    assert Image.open(io.BytesIO(after)).getexif()[0x010E] == "of a camera"


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}])
def test_webp_of_every_build(options: dict[str, Any]) -> None:
    """Lossy, lossless and extended WebP files get a packet, and all sizes in them are right."""
    for width in (48, 49):
        before = picture("WEBP", width=width, **options)
        after, _ = embedded(before, "image/webp", facts("p"))
        assert int.from_bytes(after[4:8], "little") + 8 == len(after)
        assert (after[12:16], after[20] & 0x04) == (b"VP8X", 0x04)
        assert (read(after) or {})["prompt"] == "p"
        assert Image.open(io.BytesIO(after)).size == (width, 32)
        assert pixels(after) == pixels(before)


def test_webp_keeps_its_alpha() -> None:
    """A lossless WebP with a transparent corner is transparent there afterwards."""
    image = Image.new("RGBA", (9, 7), (10, 20, 30, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True, exact=True)
    after, _ = embedded(file.getvalue(), "image/webp", facts("p"))
    assert after[20] & 0x10
    assert Image.open(io.BytesIO(after)).convert("RGBA").tobytes() == image.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_twice(kind: str) -> None:
    """A picture that is labelled again has the newer words, once."""
    once, _ = embedded(picture(kind), MEDIA[kind], facts("first"))
    twice, _ = embedded(once, MEDIA[kind], facts("second"))
    assert (read(twice) or {})["prompt"] == "second"
    assert b"first" not in packet(twice)


THEIRS = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
    b"<xmp:CreatorTool>their painter</xmp:CreatorTool></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)


@pytest.mark.parametrize("kind", KINDS)
def test_their_own_packet_is_added_to(kind: str) -> None:
    """What the provider's own packet says stays said, and is not said a second time by us."""
    options: dict[str, Any] = {"xmp": THEIRS}
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", THEIRS.decode())
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, kind, **options)
    after, short = embedded(file.getvalue(), MEDIA[kind], facts("p"))
    text = packet(after)
    assert (short, text.count(b"CreatorTool>")) == ("", 2)
    assert b"their painter" in text
    assert described(after).findtext(f"{OURS}id") == "shoe/front"


@pytest.mark.parametrize("theirs", [THEIRS.decode().encode("utf-16"), b"<no/>"])
def test_a_packet_that_cannot_be_added_to_is_left(theirs: bytes) -> None:
    """A picture whose own metadata we do not understand stays as it is, and that is said."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "JPEG", xmp=theirs)
    after, short = embedded(file.getvalue(), "image/jpeg", facts("p"))
    assert after == file.getvalue()
    assert "of its own" in short


def test_what_a_jpeg_has_no_room_for() -> None:
    """A prompt beyond the 64 KiB of a segment is left out of a JPEG, which says so and tells the rest; PNG has room."""
    told = facts("x" * 40_000)
    after, short = embedded(picture("JPEG"), "image/jpeg", told)
    assert "too long" in short
    found = read(after) or {}
    assert (found["left_out"], found["id"], found.get("prompt")) == (["prompt", "references"], "shoe/front", None)
    assert embedded(picture("PNG"), "image/png", told)[1] == ""
    many = tuple(FileReference(f"{n}.png", "a" * 64, 1, "image/png") for n in range(1000))
    assert "too long" in embedded(picture("JPEG"), "image/jpeg", facts("p", references=many))[1]
    full = facts("p") | {"id": "y" * 70_000}
    assert embedded(picture("JPEG"), "image/jpeg", full) == (
        picture("JPEG"),
        "there is no room for what would be written into the picture",
    )


def test_builds_that_we_do_not_know() -> None:
    """A packed packet in a PNG and a WebP of an unknown kind stay as they are, which is said; fill bytes do no harm."""
    packed = b"iTXtXML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(THEIRS)
    chunk = struct.pack(">I", len(packed) - 4) + packed + struct.pack(">I", zlib.crc32(packed))
    png = picture("PNG")[:33] + chunk + picture("PNG")[33:]
    webp = picture("WEBP").replace(b"VP8 ", b"VP9 ", 1)
    for data, media_type in ((png, "image/png"), (webp, "image/webp")):
        after, short = embedded(data, media_type, facts("p"))
        assert (after, bool(short)) == (data, True)
    jpeg = picture("JPEG")
    filled = jpeg[:20] + b"\xff" + jpeg[20:]
    assert (jpeg[2:4], jpeg[20]) == (b"\xff\xe0", 0xFF)
    after, short = embedded(filled, "image/jpeg", facts("p"))
    assert ((read(after) or {})["id"], short) == ("shoe/front", "")


def test_a_jpeg_up_to_its_last_byte() -> None:
    """A packet that fills a segment to its last byte is written whole, and what is longer is left out."""
    before = picture("JPEG")
    room = 0xFFFF + 2 - (len(embedded(before, "image/jpeg", facts(""))[0]) - len(before))
    prompt = "x" * (room // 2)  # it is told twice
    after, short = embedded(before, "image/jpeg", facts(prompt))
    assert (short, (read(after) or {})["prompt"]) == ("", prompt)
    assert 0xFFFF + 1 <= len(after) - len(before) <= 0xFFFF + 2
    assert Image.open(io.BytesIO(after)).size == (48, 32)
    assert "too long" in embedded(before, "image/jpeg", facts(prompt + "x"))[1]


@given(st.sampled_from(KINDS), st.data())
def test_torn_files_are_left_alone(kind: str, data: st.DataObject) -> None:
    """A file that is cut or has a wrong byte is labelled or left as it is, and never an error."""
    whole = bytearray(picture(kind))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    after, short = embedded(cut, MEDIA[kind], facts("p"))
    assert (after == cut) == bool(short)


def test_what_is_told_of_references() -> None:
    """A file is told by path and hash, a URL without user, query and fragment; nothing else of a request is secret."""
    references = (
        FileReference("shots/a.png", "a" * 64, 5, "image/png"),
        UrlReference("https://me:secret@cdn.example.com:8/a.png?sig=secret#x"),
    )
    found = facts("p", references=references)
    assert found["references"] == [
        {"path": "shots/a.png", "sha256": "a" * 64},
        {"url": "https://cdn.example.com:8/a.png"},
    ]
    assert found["parameters"] == {"aspect_ratio": "1:1", "resolution": "1K", "output_format": "png"}


def test_what_is_beside() -> None:
    """A sidecar has the facts, the account, and what the file is, in letters; what cannot be seen is escaped."""
    asset = Asset("a.png", 5, "a" * 64, "b" * 64, "image/png", 3, 2)
    label = Label(facts("赤\x1b\u202e\ud800"), {"cost_usd": 0.12})
    text = sidecar(label, asset)
    assert "赤\\u001b\\u202e\\ud800" in text.decode("utf-8")
    found = read_sidecar(text) or {}
    assert (found["prompt"], found["cost_usd"], found["sha256"], found["sha256_received"]) == (
        *("赤\x1b\u202e\ud800", 0.12, "a" * 64, "b" * 64),
    )
    for other in (b"", b"{}", b"[1]", b'{"prompt": "of another tool"}', b"\xff", b"[" * 100_000):
        assert read_sidecar(other) is None
    assert read(hashlib.sha256(b"").digest()) is None
