"""Small pictures: what they keep, what they leave behind, and what becomes of files that are none."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from batchgen.job import Asset
from batchgen.report.shrink import answer, shrink
from batchgen.report.thumbnails import Thumbnails
from batchgen.store.small import GROUND, SIDE
from batchgen.store.thumbs import place, shard, tidy
from tests.stories.world import HERE


def put(folder: Path, name: str, data: bytes) -> Asset:
    """A stored picture."""
    (folder / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return Asset(name, len(data), digest, digest, "image/png", 1, 1)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def small(data: bytes) -> Image.Image:
    """A thumbnail, decoded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(("size", "wanted"), [((900, 450), (256, 128)), ((100, 60), (100, 60)), ((3, 1200), (1, 256))])
def test_size(tmp_path: Path, kind: str, size: tuple[int, int], wanted: tuple[int, int]) -> None:
    """The longest side is at most SIDE, the shape stays, and nothing is made larger."""
    path = tmp_path / "a"
    path.write_bytes(encoded(Image.new("RGB", size, "red"), kind))
    made = small(shrink(str(path)))
    assert (made.size, made.format, max(made.size) <= SIDE) == (wanted, "JPEG", True)
    red, green, _ = made.getpixel((0, 0))  # type: ignore[misc]
    assert (red > 200, green < 60) == (True, True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_stands_upright_and_tells_nothing(tmp_path: Path, kind: str) -> None:
    """A picture that is marked as lying is put upright, and no metadata is left in its thumbnail."""
    image = Image.new("RGB", (800, 400), "blue")
    image.paste("red", (0, 0, 400, 400))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "SECRET"
    path = tmp_path / "a"
    path.write_bytes(encoded(image, kind, exif=exif))
    data = shrink(str(path))
    made = small(data)
    assert made.size == (128, 256)
    top, bottom = made.getpixel((64, 20)), made.getpixel((64, 236))
    assert (top[0] > 200, bottom[2] > 200) == (True, True)  # type: ignore[index]
    assert (b"SECRET" in data, dict(made.getexif())) == (False, {})


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_what_is_not_opaque_gets_a_ground(tmp_path: Path, mode: str) -> None:
    """What shows through is grey, as no page is."""
    image = Image.new("RGBA", (300, 300), (255, 0, 0, 0))
    path = tmp_path / "a.png"
    if mode == "P":
        flat = Image.new("P", (300, 300), 0)
        flat.info["transparency"] = 0
        path.write_bytes(encoded(flat, "PNG", transparency=0))
    else:
        path.write_bytes(encoded(image.convert(mode) if mode == "LA" else image, "PNG"))
    seen = small(shrink(str(path))).getpixel((5, 5))
    assert all(abs(one - other) < 6 for one, other in zip(seen, GROUND, strict=True))  # type: ignore[arg-type]


def test_each_is_made_once(tmp_path: Path) -> None:
    """A thumbnail is kept by its picture's hash, and found again though the picture is gone."""
    asset = put(tmp_path, "a.png", encoded(Image.new("RGB", (400, 400), "red"), "PNG"))
    with Thumbnails(tmp_path, 1) as thumbnails:
        made = thumbnails.get(asset)
        assert made.problem == ""
        kept = Path(thumbnails.place(asset))
        assert kept == tmp_path.resolve() / ".batchgen/thumbs" / shard(asset.sha256)
        assert [path.name for path in kept.parent.iterdir()] == [kept.name]
        (tmp_path / "a.png").unlink()
        assert thumbnails.get(asset) == made


@pytest.mark.parametrize("torn", [b"", b"\xff\xd8\xff\xe0half of one", bytes(900), bytes(900) + b"\xff\xd9"])
def test_a_torn_one_is_made_again(tmp_path: Path, torn: bytes) -> None:
    """What a power cut left of a thumbnail is never shown, and a whole one takes its place."""
    asset = put(tmp_path, "a.png", encoded(Image.new("RGB", (400, 400), "red"), "PNG"))
    with Thumbnails(tmp_path, 1) as thumbnails:
        made = thumbnails.get(asset)
        Path(thumbnails.place(asset)).write_bytes(torn)
        assert thumbnails.get(asset) == made
        assert Path(thumbnails.place(asset)).read_bytes() == made.data


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """Tidying takes what was being written, wherever the thumbnail would have gone, and leaves every thumbnail."""
    asset = put(tmp_path, "a.png", encoded(Image.new("RGB", (400, 400), "red"), "PNG"))
    target = place(str(tmp_path), asset.sha256)
    killed = (
        f"import os; os.replace = lambda *_: os._exit(9)\nfrom batchgen.store.thumbs import put; put({target!r}, b'x')"
    )
    assert subprocess.run([sys.executable, "-c", killed], check=False, env={"PYTHONPATH": str(HERE)}).returncode == 9
    with Thumbnails(tmp_path, 1) as thumbnails:
        made = thumbnails.get(asset)
        files = [each for each in (tmp_path / ".batchgen/thumbs").rglob("*") if each.is_file()]
        assert len(files) == 2
        tidy(str(tmp_path))
        assert [each for each in files if each.exists()] == [Path(target)]
        assert thumbnails.get(asset) == made
    tidy(str(tmp_path / "none"))


def bomb() -> bytes:
    """A few bytes that say they are 30,000 by 30,000 pixels."""
    data = bytearray(encoded(Image.new("L", (8, 8)), "PNG"))
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"<html>", "not a PNG, JPEG or WebP picture"),
        (encoded(Image.new("RGB", (400, 400), "red"), "PNG")[:-20], "cut off"),
        (bomb(), "pixels, more than"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40) + b"\0\0\0\0IEND\xaeB`\x82", "does not decode"),
    ],
)
def test_what_is_no_picture_gets_a_placeholder(tmp_path: Path, data: bytes, told: str) -> None:
    """A file that is broken, or would be huge, is a placeholder that says why; the next one is made all the same."""
    bad = put(tmp_path, "bad.png", data)
    good = put(tmp_path, "good.png", encoded(Image.new("RGB", (40, 40), "red"), "PNG"))
    with Thumbnails(tmp_path, 1) as thumbnails:
        found = [made for _, made in thumbnails.each([bad, good])]
    assert told in found[0].problem
    assert (found[0].media_type, found[1].problem) == ("image/svg+xml", "")
    assert not os.path.exists(tmp_path / ".batchgen/thumbs" / shard(bad.sha256))


def test_what_is_not_there_gets_a_placeholder(tmp_path: Path) -> None:
    """A missing file, another one of its name, a link and a name that leads away are never read."""
    data = encoded(Image.new("RGB", (40, 40), "red"), "PNG")
    (tmp_path / "batch").mkdir()
    outside = put(tmp_path, "outside.png", data)
    asset = put(tmp_path / "batch", "a.png", data)
    (tmp_path / "batch/link.png").symlink_to(tmp_path / "outside.png")
    os.mkfifo(tmp_path / "batch/pipe.png")
    named = [
        Asset(name, outside.size, f"{at}" * 64, "", "image/png", 1, 1)
        for at, name in enumerate(("none.png", "../outside.png", "link.png", "pipe.png", "/etc/passwd"))
    ]
    (tmp_path / "batch/a.png").write_bytes(data + b"more")
    with Thumbnails(tmp_path / "batch", 2) as thumbnails:
        assert all(made.problem for _, made in thumbnails.each([*named, asset]))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where thumbnails cannot be kept they are made all the same."""
    asset = put(tmp_path, "a.png", encoded(Image.new("RGB", (40, 40), "red"), "PNG"))
    (tmp_path / ".batchgen").mkdir()
    (tmp_path / ".batchgen/thumbs").write_text("in the way")
    with Thumbnails(tmp_path, 1) as thumbnails:
        assert (thumbnails.get(asset).problem, thumbnails.get(asset).data[:2]) == ("", b"\xff\xd8")


def test_a_process_that_dies_is_replaced(tmp_path: Path) -> None:
    """A picture that ends the process that makes it small is a placeholder, and the next gets a new process."""
    asset = put(tmp_path, "a.png", encoded(Image.new("RGB", (40, 40), "red"), "PNG"))
    with Thumbnails(tmp_path, 1) as thumbnails:
        assert thumbnails.get(asset).problem == ""
        shrinker = thumbnails._idle.get()
        assert shrinker is not None
        shrinker._process.kill()
        shrinker._process.wait()
        thumbnails._idle.put(shrinker)
        other = put(tmp_path, "b.png", encoded(Image.new("RGB", (41, 40), "red"), "PNG"))
        assert thumbnails.get(other).problem == "the picture could not be read"
        assert thumbnails.get(other).problem == ""


def test_answers_are_one_line_and_the_bytes(tmp_path: Path) -> None:
    """The process answers with how many bytes follow, or with what is wrong."""
    path = tmp_path / "a"
    path.write_bytes(encoded(Image.new("RGB", (4, 4)), "PNG"))
    head, _, data = answer(b'"%s"\n' % os.fsencode(path)).partition(b"\n")
    assert head == b'{"bytes": %d}' % len(data)
    assert answer(b'"/nowhere/at/all"\n') == b'{"bad": "No such file or directory"}\n'
