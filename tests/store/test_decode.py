"""Decoding, and the processes that do it."""

import io
import json
import os
import resource
import signal
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from PIL import Image

from batchgen.errors import BadAsset
from batchgen.picture import HEAD_BYTES, Picture
from batchgen.store import Slot, child
from batchgen.store.child import READY, answer, decode, serve, structure
from batchgen.store.decode import Decoder, Structure
from batchgen.store.thumbs import KEPT, whole
from batchgen.store.thumbs import place as thumbs_place
from tests.contracts.store import REFUSED, finals, save
from tests.store.pictures import EXTENSION, KINDS, MEDIA, animation, bomb, picture
from tests.store.places import FolderPlace

pytestmark = pytest.mark.anyio

CUTS = [share / 20 for share in range(20)]


@pytest.fixture
async def decoder() -> AsyncIterator[Decoder]:
    async with Decoder(processes=1) as decoder:
        yield decoder


def pid(decoder: Decoder) -> int:
    """The one idle process."""
    (decoding,) = decoder._idle
    return decoding.process.pid


def with_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with a chunk more, behind its header."""
    chunk = len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    return data[:33] + chunk + data[33:]


def alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def environment(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


async def test_behind_a_store(tmp_path: Path, decoder: Decoder) -> None:
    """A store with a decoder saves every kind and finds it again, as without one."""
    place = FolderPlace(tmp_path / "batch", check=decoder)
    for job, kind in enumerate(KINDS):
        saved = await save(place.open(), picture(kind), Slot(job, "a"))
        assert await place.open().find(job, "a") == (saved,)
    assert finals(place) == {"a.png", "a.jpg", "a.webp"}


@pytest.mark.parametrize("kind", KINDS)
async def test_good(tmp_path: Path, decoder: Decoder, kind: str) -> None:
    """A good picture is known with its size, by structure and by decoding."""
    path = tmp_path / "x.part"
    path.write_bytes(picture(kind, 50, 34))
    expected = Picture(MEDIA[kind], EXTENSION[kind], 50, 34)
    assert await decoder.check(str(path)) == expected
    assert await Structure().check(str(path)) == expected


async def test_refused(tmp_path: Path, decoder: Decoder) -> None:
    """What is no whole picture is refused with a reason, and the process goes on."""
    path = tmp_path / "x.part"
    path.write_bytes(picture())
    await decoder.check(str(path))
    before = pid(decoder)
    for data in REFUSED.values():
        path.write_bytes(data)
        for check in (decoder, Structure()):
            with pytest.raises(BadAsset, match="the download is not a whole picture: it "):
                await check.check(str(path))
    assert pid(decoder) == before


def cut_short(kind: str, data: bytes, size: int) -> bytes:
    """The first bytes of a picture, mended so that the structure is whole again."""
    match kind:
        case "PNG":
            return data[:size] + data[-12:]
        case _:
            size -= size % 2
            return data[:4] + (size - 8).to_bytes(4, "little") + data[8:size]


@pytest.mark.parametrize("kind", KINDS)
def test_truncated(tmp_path: Path, kind: str) -> None:
    """A picture cut anywhere is refused."""
    data = picture(kind, 96, 64)
    path = tmp_path / "x.part"
    for share in CUTS:
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(BadAsset):
            decode(str(path))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_truncated_inside(tmp_path: Path, kind: str) -> None:
    """A picture cut anywhere is refused by decoding even when its structure was mended."""
    data = picture(kind, 96, 64)
    path = tmp_path / "x.part"
    for share in CUTS[2:]:
        path.write_bytes(cut_short(kind, data, int(share * (len(data) - 40))))
        assert structure(str(path)).width == 96
        with pytest.raises(BadAsset, match="does not decode"):
            decode(str(path))


def test_second_picture(tmp_path: Path) -> None:
    """A JPEG with a second picture behind it is a JPEG."""
    path = tmp_path / "x.part"
    first, second = (Image.new("RGB", (16, 16), shade) for shade in ("red", "blue"))
    first.save(path, "MPO", save_all=True, append_images=[second])
    assert decode(str(path)) == Picture("image/jpeg", "jpg", 16, 16)


def test_frames_told_late(tmp_path: Path) -> None:
    """An animation whose first bytes do not tell is refused by decoding."""
    path = tmp_path / "x.part"
    path.write_bytes(with_chunk(animation("PNG"), b"prVt", bytes(HEAD_BYTES)))
    assert structure(str(path)).width == 8
    with pytest.raises(BadAsset, match="several frames"):
        decode(str(path))


def test_size_behind_long_metadata(tmp_path: Path) -> None:
    """Dimensions that lie beyond the head are found all the same, and the pixel limit holds there too."""
    data = picture("JPEG", 48, 32)
    segment = b"\xff\xe2" + (60_002).to_bytes(2, "big") + bytes(60_000)
    path = tmp_path / "x.part"
    path.write_bytes(data[:2] + segment * 6 + data[2:])
    assert structure(str(path)) == decode(str(path)) == Picture("image/jpeg", "jpg", 48, 32)
    huge = data.replace((32).to_bytes(2, "big") + (48).to_bytes(2, "big"), b"\xff\xff\xff\xff", 1)
    path.write_bytes(huge[:2] + segment * 6 + huge[2:])
    with pytest.raises(BadAsset, match="65535 x 65535"):
        structure(str(path))


def test_bomb_is_not_decoded(tmp_path: Path) -> None:
    """A picture that says it is enormous is refused by its header, before any of it is decoded."""
    path = tmp_path / "x.part"
    path.write_bytes(bomb())
    before = sum(os.times()[:2])
    with pytest.raises(BadAsset, match="60000 x 60000"):
        decode(str(path))
    assert sum(os.times()[:2]) - before < 0.5


async def test_unreadable(tmp_path: Path, decoder: Decoder) -> None:
    """A file that cannot be read is an error of the place, not a bad picture."""
    with pytest.raises(FileNotFoundError):
        await decoder.check(str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        await Structure().check(str(tmp_path / "missing"))


async def test_odd_paths(tmp_path: Path, decoder: Decoder) -> None:
    """Any path reaches the process as it is."""
    for name in ("a b", 'quote"', "new\nline", "\u00e9\u202e", os.fsdecode(b"\xff\xfe")):
        (tmp_path / name).write_bytes(picture())
        assert (await decoder.check(str(tmp_path / name))).width == 48


async def test_apart_from_the_terminal(tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is out of reach of Ctrl-C, sees no credential, and has limits on memory, time and files."""
    monkeypatch.setenv("XENODIA_API_KEY", "canary")
    (tmp_path / "x").write_bytes(picture())
    await decoder.check(str(tmp_path / "x"))
    process = pid(decoder)
    assert os.getsid(process) == os.getpgid(process) == process
    assert b"canary" not in environment(process)
    assert resource.prlimit(process, resource.RLIMIT_AS)[0] < 3 * 1024**3
    assert resource.prlimit(process, resource.RLIMIT_CPU)[0] < 60
    assert resource.prlimit(process, resource.RLIMIT_FSIZE)[0] == 0


async def test_dies_of_a_picture(tmp_path: Path, decoder: Decoder) -> None:
    """A process that dies of its work is a bad picture, and the next one is decoded by another."""
    (tmp_path / "x").write_bytes(picture())
    await decoder.check(str(tmp_path / "x"))
    os.kill(pid(decoder), signal.SIGSEGV)
    with pytest.raises(BadAsset, match="ends the decoder"):
        await decoder.check(str(tmp_path / "x"))
    assert (await decoder.check(str(tmp_path / "x"))).width == 48


async def test_killed_from_outside(tmp_path: Path) -> None:
    """A process killed by somebody else is no judgement: the picture is tried again, then the place has failed."""
    (tmp_path / "x").write_bytes(picture())
    async with Decoder(processes=2) as decoder:
        await both(decoder, str(tmp_path / "x"))
        first, second = (decoding.process.pid for decoding in decoder._idle)
        os.kill(second, signal.SIGKILL)
        assert (await decoder.check(str(tmp_path / "x"))).width == 48
        assert decoder._idle[0].process.pid == first
        await both(decoder, str(tmp_path / "x"))
        for decoding in list(decoder._idle):
            os.kill(decoding.process.pid, signal.SIGKILL)
        with pytest.raises(ChildProcessError, match="killed twice"):
            await decoder.check(str(tmp_path / "x"))
        assert (await decoder.check(str(tmp_path / "x"))).width == 48


async def both(decoder: Decoder, path: str) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(decoder.check, path)
        group.start_soon(decoder.check, path)


async def test_cancelled(tmp_path: Path, decoder: Decoder) -> None:
    """A cancelled check ends its process, and the next check gets its own answer, not the old one."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "x").write_bytes(picture())
    await decoder.check(str(tmp_path / "x"))
    before = pid(decoder)
    with anyio.move_on_after(0.02) as scope:
        await decoder.check(str(tmp_path / "pipe"))
    assert scope.cancelled_caught
    assert decoder._idle == []
    assert not alive(before)
    assert (await decoder.check(str(tmp_path / "x"))).width == 48


async def test_does_not_start(tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that does not start is an error of the place, and says what to try."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ChildProcessError, match=r"does not start .*/bin/false"):
        await decoder.check(str(tmp_path / "x"))


async def test_cancelled_start(tmp_path: Path, decoder: Decoder) -> None:
    """A check that is cancelled while its process starts leaves none behind."""
    (tmp_path / "x").write_bytes(picture())
    with anyio.move_on_after(0.01) as scope:
        await decoder.check(str(tmp_path / "x"))
    assert scope.cancelled_caught
    assert decoder._idle == []
    assert (await decoder.check(str(tmp_path / "x"))).width == 48


async def test_all_ended(tmp_path: Path) -> None:
    """No process is left when the decoder is closed."""
    (tmp_path / "x").write_bytes(picture())
    async with Decoder(processes=1) as decoder:
        await decoder.check(str(tmp_path / "x"))
        process = pid(decoder)
    assert not alive(process)


@pytest.mark.parametrize("kind", KINDS)
async def test_small_ones_come_with_it(tmp_path: Path, decoder: Decoder, kind: str) -> None:
    """A picture that was decoded has its thumbnail beside the journal, whole, by the hash of the stored file."""
    place = FolderPlace(tmp_path / "batch", check=decoder)
    asset = (await save(place.open(), picture(kind, 600, 300), Slot(7, "a"))).asset
    kept = whole(thumbs_place(str(place.root), asset.sha256))
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.format, image.size) == ("JPEG", (256, 128))
    assert kept == (await decoder.check(str(place.root / asset.name))).small


async def test_small_ones_are_wanted_not_needed(tmp_path: Path, decoder: Decoder) -> None:
    """Where no thumbnail can be kept the picture is stored all the same, and nothing of it is left."""
    place = FolderPlace(tmp_path / "batch", check=decoder)
    place.write(KEPT, b"a file is in the way")
    saved = await save(place.open(), picture(), Slot(7, "a"))
    assert place.names() == {saved.asset.name, saved.proof, KEPT}


def test_a_picture_that_cannot_be_made_small(tmp_path: Path) -> None:
    """A picture whose thumbnail fails is a good picture without one."""
    path = tmp_path / "x.part"
    Image.new("I;16", (300, 300)).save(path, "PNG")
    assert decode(str(path)).small[:2] == b"\xff\xd8"

    class Broken:
        """A decoded picture of which nothing can be made."""

        mode = "unheard of"

    assert child._small(Broken()) == b""  # type: ignore[arg-type]


async def test_damaged_inside(tmp_path: Path, decoder: Decoder) -> None:
    """Damage that leaves the structure whole is found by decoding, and the file does not stay."""
    data = bytearray(picture("PNG", 200, 200))
    data[len(data) // 2] ^= 0xFF
    place = FolderPlace(tmp_path / "batch", check=decoder)
    with pytest.raises(BadAsset, match="does not decode"):
        await save(place.open(), bytes(data), Slot(7, "a"))
    assert place.names() == set()


def test_answers(tmp_path: Path) -> None:
    """The process answers each request with one line: a picture, a refusal or an error of the file.

    Behind that of a picture come as many bytes as it says.
    """

    def asked(path: Path) -> dict[str, object]:
        reply = answer(json.dumps(str(path)).encode())
        line, _, behind = reply.partition(b"\n")
        result: dict[str, object] = json.loads(line)
        assert len(behind) == result.get("small", 0)
        return result

    (tmp_path / "x").write_bytes(picture())
    told = {"picture": ["image/png", "png", 48, 32], "small": len(decode(str(tmp_path / "x")).small)}
    assert asked(tmp_path / "x") == told
    assert asked(tmp_path / "missing")["errno"] == 2
    (tmp_path / "x").write_bytes(b"")
    assert "empty" in str(asked(tmp_path / "x")["bad"])


def test_unexpected_errors(tmp_path: Path) -> None:
    """Whatever a decoder raises is a bad picture."""
    path = tmp_path / "x"
    text = zlib.compress(bytes(2 * 1024 * 1024))
    path.write_bytes(with_chunk(picture("PNG"), b"zTXt", b"Comment\0\0" + text))
    with pytest.raises(BadAsset, match=r"does not decode \(ValueError\)"):
        decode(str(path))
    data = bytearray(picture("PNG"))
    data[24] = 77  # a bit depth that does not exist
    path.write_bytes(data)
    with pytest.raises(BadAsset, match="does not decode"):
        decode(str(path))


def test_serves_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process says when it is ready, sets its limits, and ends with its requests."""
    limits: list[int] = []
    monkeypatch.setattr(resource, "setrlimit", lambda kind, _: limits.append(kind))
    (tmp_path / "x").write_bytes(picture())
    replies = io.BytesIO()
    serve(io.BytesIO(json.dumps(str(tmp_path / "x")).encode() + b"\n"), replies)
    ready, reply = replies.getvalue().splitlines(keepends=True)[:2]
    assert ready == READY
    assert b"image/png" in reply
    assert {resource.RLIMIT_AS, resource.RLIMIT_CPU} <= set(limits)
