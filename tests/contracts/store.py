"""What every store must do, judged by reading and writing behind its back."""

import hashlib
from collections.abc import AsyncIterator
from typing import BinaryIO, Protocol

import anyio
import pytest

from batchgen.errors import BadAsset, SettingsError
from batchgen.job import Asset
from batchgen.label import Label, read, read_sidecar
from batchgen.store import Saved, Shelf, Slot, Store
from tests.store.pictures import EXTENSION, KINDS, MEDIA, animation, bomb, picture

PARTS = ".batchgen/parts"

BAD_NAMES = [
    "",
    "/etc/x",
    "..",
    ".",
    "../x",
    "a/../../x",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "x" * 250,
    "\ud800",
    ".batchgen/x",
    ".BATCHGEN/parts/x",
]

REFUSED = {
    "empty": b"",
    "html": b"<!doctype html><html><body>This link has expired",
    "json": b'{"error": {"code": "expired"}}',
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    "gif": b"GIF89a\1\0\1\0\0\0\0;",
    "animated png": animation("PNG"),
    "animated webp": animation("WEBP"),
    "bomb": bomb(),
    **{f"half {kind}": picture(kind)[: len(picture(kind)) // 2] for kind in KINDS},
    **{f"{kind} but a byte": picture(kind)[:-1] for kind in KINDS},
}


class Place(Protocol):
    """Where a store keeps things, and the way behind its back."""

    def open(self) -> Store:
        """A store on this place, as the next run opens it."""
        ...

    def shelf(self) -> Shelf:
        """The same place as readers see it."""
        ...

    def names(self) -> set[str]:
        """The names of all files, parts included."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes under a name."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a file there."""
        ...


async def chunks(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """The data in pieces, with an empty one in front."""
    yield b""
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def broken(data: bytes) -> AsyncIterator[bytes]:
    """A download that ends in an error."""
    yield data
    raise ConnectionResetError("peer went away")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def finals(place: Place) -> set[str]:
    """The names outside our own folder."""
    return {name for name in place.names() if not name.startswith(".batchgen/")}


def read_all(file: BinaryIO) -> bytes:
    with file:
        return file.read()


async def save(store: Store, data: bytes, slot: Slot) -> Saved:
    return await store.save(slot, chunks(data))


FACTS = {"batchgen": 1, "batch": "b", "id": "a", "model": "m", "prompt": "赤\x1b", "fingerprint": "f", "task_id": None}
BESIDE = Label(FACTS, {"attempt": 1}, sidecar=True)
INSIDE = Label(FACTS, embed=True)
BOTH = Label(FACTS, embed=True, sidecar=True)
STALE = b'{"batchgen": 1, "fingerprint": "f", "sha256": "of a picture that is gone"}'


def told(place: Place, name: str) -> dict[str, object]:
    """What stands beside a picture."""
    return read_sidecar(place.read(f"{name}.json")) or {}


class StoreContract:
    """Inherit, and give a `place` fixture."""

    @pytest.mark.parametrize("kind", KINDS)
    async def test_save(self, place: Place, kind: str) -> None:
        """A saved picture lies whole under its stem with the extension of its bytes, and its asset says what it is."""
        data = picture(kind, 48, 32)
        saved = await save(place.open(), data, Slot(7, "shoes/red 1"))
        name = f"shoes/red 1.{EXTENSION[kind]}"
        assert saved.asset == Asset(name, len(data), sha256(data), sha256(data), MEDIA[kind], 48, 32)
        assert place.read(name) == data
        assert finals(place) == {name}

    async def test_proof(self, place: Place) -> None:
        """The proof stays until it is removed, which leaves the picture alone and can be done twice."""
        store = place.open()
        saved = await save(store, picture(), Slot(7, "a"))
        assert saved.proof in place.names()
        for _ in range(2):
            await store.remove(saved.proof)
            assert place.names() == {"a.png"}

    @pytest.mark.parametrize("what", REFUSED)
    async def test_refused(self, place: Place, what: str) -> None:
        """What is not one whole picture is refused, and nothing is left behind."""
        store = place.open()
        with pytest.raises(BadAsset, match="not a whole picture"):
            await save(store, REFUSED[what], Slot(7, "a"))
        assert place.names() == set()
        assert await store.find(7, "a") == ()

    async def test_too_large(self, place: Place) -> None:
        """More bytes than allowed are refused while they come, however many there are."""

        async def endless() -> AsyncIterator[bytes]:
            yield picture()
            while True:
                yield bytes(1024 * 1024)

        with pytest.raises(BadAsset, match="more than"):
            await place.open().save(Slot(7, "a"), endless())
        assert place.names() == set()

    async def test_broken_download(self, place: Place) -> None:
        """An error of the download is raised as it is, and nothing is left behind."""
        with pytest.raises(ConnectionResetError, match="went away"):
            await place.open().save(Slot(7, "a"), broken(picture()))
        assert place.names() == set()

    async def test_foreign_file(self, place: Place) -> None:
        """A file that is not ours is never written over: the picture gets a name beside it, and keeps to it."""
        place.write("a.png", b"mine")
        store = place.open()
        saved = await save(store, picture(), Slot(7, "a"))
        beside = f"a~{sha256(picture())[:8]}.png"
        assert saved.asset.name == beside
        assert place.read("a.png") == b"mine"
        assert place.read(beside) == picture()
        assert await place.open().find(7, "a") == (saved,)
        assert finals(place) == {"a.png", beside}

    async def test_all_names_taken(self, place: Place) -> None:
        """When every name is held by foreign files the save fails and none of them changes."""
        digest = sha256(picture())
        taken = {"a.png", f"a~{digest[:8]}.png", f"a~{digest[:16]}.png"}
        for name in taken:
            place.write(name, b"mine")
        with pytest.raises(FileExistsError):
            await save(place.open(), picture(), Slot(7, "a"))
        assert {place.read(name) for name in taken} == {b"mine"}
        assert finals(place) == taken

    async def test_same_bytes_adopted(self, place: Place) -> None:
        """The same bytes under the name are adopted, no second copy appears."""
        place.write("a.png", picture())
        saved = await save(place.open(), picture(), Slot(7, "a"))
        assert saved.asset.name == "a.png"
        assert finals(place) == {"a.png"}

    async def test_saved_twice(self, place: Place) -> None:
        """Saving the same picture again gives the same answer and leaves the same names."""
        store = place.open()
        first = await save(store, picture(), Slot(7, "a"))
        names = place.names()
        assert await save(store, picture(), Slot(7, "a")) == first
        assert place.names() == names

    async def test_two_jobs_of_one_name(self, place: Place) -> None:
        """Two jobs that end up at one stem both keep their picture."""
        store = place.open()
        first, second = picture(seed=1), picture(seed=2)
        saved = [await save(store, first, Slot(1, "a")), await save(store, second, Slot(2, "a"))]
        assert [place.read(each.asset.name) for each in saved] == [first, second]

    async def test_find(self, place: Place) -> None:
        """After a crash behind `save` the picture is recognised, again and again, until its proof is removed."""
        saved = await save(place.open(), picture(), Slot(7, "a/b"))
        store = place.open()
        assert await store.find(7, "a/b") == (saved,)
        assert await store.find(7, "a/b") == (saved,)
        await store.remove(saved.proof)
        assert await store.find(7, "a/b") == ()
        assert await place.open().find(7, "a/b") == ()
        assert place.names() == {"a/b.png"}

    async def test_find_in_the_same_run(self, place: Place) -> None:
        """A picture saved by this very store is found too."""
        store = place.open()
        assert await store.find(7, "a") == ()
        saved = await save(store, picture(), Slot(7, "a"))
        assert await store.find(7, "a") == (saved,)

    async def test_find_publishes(self, place: Place) -> None:
        """A crash between the proof and the final name is healed: the picture is published now."""
        data = picture("JPEG", 40, 30)
        proof = f"{PARTS}/.7.{sha256(data)}.part"
        place.write(proof, data)
        (saved,) = await place.open().find(7, "new/stem")
        assert saved == Saved(Asset("new/stem.jpg", len(data), sha256(data), sha256(data), "image/jpeg", 40, 30), proof)
        assert place.read("new/stem.jpg") == data

    async def test_find_under_another_stem(self, place: Place) -> None:
        """When the stem has changed since, the picture is published under the new one."""
        await save(place.open(), picture(), Slot(7, "old"))
        (saved,) = await place.open().find(7, "new")
        assert saved.asset.name == "new.png"
        assert place.read("new.png") == picture()

    async def test_torn(self, place: Place) -> None:
        """A torn part is no picture: it is removed, whatever its name says."""
        for name in (f".7.{sha256(picture())}.part", ".7.0123456789abcdef.part"):
            place.write(f"{PARTS}/{name}", picture()[:-1])
        assert await place.open().find(7, "a") == ()
        assert place.names() == set()

    async def test_changed_proof(self, place: Place) -> None:
        """A part that is a whole picture, but not the one of its name, is no proof."""
        place.write(f"{PARTS}/.7.{sha256(picture(seed=1))}.part", picture(seed=2))
        assert await place.open().find(7, "a") == ()
        assert place.names() == set()

    async def test_find_keeps_to_its_job(self, place: Place) -> None:
        """Looking for one job neither takes nor removes the parts of another, nor files of others."""
        theirs = {f"{PARTS}/.77.0123456789abcdef.part", f"{PARTS}/.17.{sha256(b'x')}.part", f"{PARTS}/notes.txt"}
        for name in theirs:
            place.write(name, b"whatever")
        assert await place.open().find(7, "a") == ()
        assert place.names() == theirs

    async def test_several(self, place: Place) -> None:
        """The pictures of one task are found when all are there, in order; before that none is, and none is lost."""
        data = [picture(kind) for kind in KINDS]
        saved = []
        for index in (3, 1, 2):
            assert await place.open().find(7, "a") == ()
            saved.append(await save(place.open(), data[index - 1], Slot(7, "a", index, 3)))
        assert await place.open().find(7, "a") == (saved[1], saved[2], saved[0])
        assert finals(place) == {"a.png", "a-2.jpg", "a-3.webp"}

    async def test_move(self, place: Place) -> None:
        """A moved picture lies under the new name, and under the old one until that is removed; callable twice."""
        store = place.open()
        asset = (await save(store, picture(), Slot(7, "a"))).asset
        for _ in range(2):
            moved = await store.move(asset, "b/c")
            assert moved.asset.name == "b/c.png"
            assert moved.proof == "a.png"
            assert place.read("a.png") == place.read("b/c.png") == picture()
        await store.remove(moved.proof)
        assert await place.open().move(asset, "b/c") == moved
        assert finals(place) == {"b/c.png"}

    async def test_move_leaves_a_newcomer_alone(self, place: Place) -> None:
        """A picture moved before, whose old name another file has since: it is no name of it any more."""
        store = place.open()
        asset = (await save(store, picture(), Slot(7, "a"))).asset
        moved = await store.move(asset, "beside")
        await store.remove(moved.proof)
        place.write("a.png", b"another")
        assert await store.move(asset, "beside") == Saved(moved.asset)
        assert place.read("a.png") == b"another"

    async def test_move_nowhere(self, place: Place) -> None:
        """Moving a picture to where it is changes nothing and leaves nothing to remove."""
        store = place.open()
        asset = (await save(store, picture(), Slot(7, "a"))).asset
        assert await store.move(asset, "a") == Saved(asset)
        assert finals(place) == {"a.png"}

    async def test_move_onto_another(self, place: Place) -> None:
        """A picture is never moved over another file."""
        place.write("b.png", b"mine")
        store = place.open()
        asset = (await save(store, picture(), Slot(7, "a"))).asset
        with pytest.raises(FileExistsError):
            await store.move(asset, "b")
        assert place.read("b.png") == b"mine"
        assert place.read("a.png") == picture()

    async def test_move_what_is_gone(self, place: Place) -> None:
        """A picture that is under neither name, or no longer itself, is not moved."""
        store = place.open()
        asset = (await save(store, picture(), Slot(7, "a"))).asset
        await store.remove("a.png")
        with pytest.raises(FileNotFoundError):
            await store.move(asset, "b")
        place.write("a.png", b"somebody changed it")
        with pytest.raises(FileNotFoundError):
            await store.move(asset, "b")
        assert finals(place) == {"a.png"}

    @pytest.mark.parametrize("stem", BAD_NAMES)
    async def test_bad_stems(self, place: Place, stem: str) -> None:
        """A stem that is no name inside the place is refused by every verb before anything is written."""
        store = place.open()
        asset = (await save(store, picture(), Slot(7, "a"))).asset
        before = place.names()
        with pytest.raises(SettingsError):
            await save(store, picture(), Slot(8, stem))
        with pytest.raises(SettingsError):
            await store.find(7, stem)
        with pytest.raises(SettingsError):
            await store.move(asset, stem)
        assert place.names() == before

    @pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../../b", ""])
    async def test_bad_names(self, place: Place, name: str) -> None:
        """Nothing outside the place can be removed."""
        with pytest.raises(SettingsError):
            await place.open().remove(name)

    async def test_many_at_once(self, place: Place) -> None:
        """Many jobs saved at once, some with one stem, all end up whole and found."""
        store = place.open()
        found: dict[int, Saved] = {}

        async def one(job: int) -> None:
            found[job] = await save(store, picture(seed=job), Slot(job, f"d{job % 3}/{job % 20}"))

        async with anyio.create_task_group() as group:
            for job in range(40):
                group.start_soon(one, job)
        assert {place.read(found[job].asset.name) == picture(seed=job) for job in range(40)} == {True}
        assert len(finals(place)) == 40

    @pytest.mark.parametrize("kind", KINDS)
    async def test_embedded(self, place: Place, kind: str) -> None:
        """A label that is to be embedded is in the file; the asset has the hash of that, and of what was received."""
        data, name = picture(kind), f"a.{EXTENSION[kind]}"
        saved = await save(place.open(), data, Slot(7, "a", label=INSIDE))
        stored = place.read(name)
        assert read(stored) == FACTS
        assert saved.asset == Asset(name, len(stored), sha256(stored), sha256(data), MEDIA[kind], 48, 32)
        assert finals(place) == {name}
        assert await place.open().find(7, "a", INSIDE) == (saved,)

    async def test_embedded_twice(self, place: Place) -> None:
        """A picture that comes again with the same label is the same file, and takes no second name."""
        saved = [await save(place.open(), picture(), Slot(7, "a", label=BOTH)) for _ in range(2)]
        assert saved[0] == saved[1]
        assert finals(place) == {"a.png", "a.png.json"}

    async def test_beside(self, place: Place) -> None:
        """A sidecar lies beside the picture, tells its hashes, and leaves the picture as it was received."""
        saved = await save(place.open(), picture(), Slot(7, "a/b", label=BESIDE))
        assert place.read("a/b.png") == picture()
        found = told(place, "a/b.png")
        assert (found["prompt"], found["attempt"], found["sha256"]) == ("赤\x1b", 1, saved.asset.sha256)
        await place.open().remove(saved.proof)
        assert place.names() == {"a/b.png", "a/b.png.json"}

    async def test_find_puts_it_beside(self, place: Place) -> None:
        """A crash between picture and sidecar is healed: what is found gets the sidecar that is asked for."""
        saved = await save(place.open(), picture(), Slot(7, "a", label=INSIDE))
        for _ in range(2):
            assert await place.open().find(7, "a", BOTH) == (saved,)
            assert told(place, "a.png")["sha256_received"] == sha256(picture())

    async def test_a_file_of_others_beside(self, place: Place) -> None:
        """A file that is no sidecar of ours is left alone, by saving, moving and removing."""
        for name in ("a.png.json", "b.png.json"):
            place.write(name, b'{"of": "another tool"}')
        store = place.open()
        saved = await save(store, picture(), Slot(7, "a", label=BESIDE))
        moved = await store.move(saved.asset, "b")
        await store.remove(moved.proof)
        await store.remove("b.png")
        assert finals(place) == {"a.png.json", "b.png.json"}
        assert place.read("a.png.json") == place.read("b.png.json") == b'{"of": "another tool"}'

    async def test_a_stale_one_beside(self, place: Place) -> None:
        """A sidecar of ours whose picture is gone gives way to that of the picture that comes in its place."""
        place.write("a.png.json", STALE)
        saved = await save(place.open(), picture(seed=2), Slot(8, "a", label=BESIDE))
        assert told(place, "a.png")["sha256"] == saved.asset.sha256

    async def test_it_moves_along(self, place: Place) -> None:
        """A sidecar goes where its picture goes, callable twice, and leaves with it."""
        store = place.open()
        saved = await save(store, picture(), Slot(7, "a", label=BOTH))
        await store.remove(saved.proof)
        for _ in range(2):
            moved = await store.move(saved.asset, "b/c.was-1")
            assert told(place, "b/c.was-1.png")["sha256"] == saved.asset.sha256
        await store.remove(moved.proof)
        assert finals(place) == {"b/c.was-1.png", "b/c.was-1.png.json"}
        await store.remove("b/c.was-1.png")
        assert finals(place) == set()

    async def test_what_is_beside_a_newcomer_stays(self, place: Place) -> None:
        """Moving a picture leaves alone the sidecar of another one that has its old name since."""
        store = place.open()
        asset = (await save(store, picture(), Slot(7, "a", label=BESIDE))).asset
        moved = await store.move(asset, "beside")
        await store.remove(moved.proof)
        other = (await save(store, picture(seed=1), Slot(8, "a", label=BESIDE))).asset
        assert await store.move(asset, "beside") == Saved(moved.asset)
        assert told(place, "a.png")["sha256"] == other.sha256
        assert told(place, "beside.png")["sha256"] == asset.sha256

    async def test_shelf(self, place: Place) -> None:
        """A shelf reads what is there, says None or FileNotFoundError for what is not, and never leaves the place."""
        store = place.open()
        await save(store, picture(), Slot(7, "a/b"))
        shelf = place.shelf()
        assert shelf.stat("a/b.png") == len(picture())
        assert read_all(shelf.open("a/b.png")) == picture()
        for name in ("a", "a/c.png", "x/y.png", "a/b.png/c"):
            assert shelf.stat(name) is None
            with pytest.raises(FileNotFoundError):
                shelf.open(name)
        for name in ("../x", "/etc/passwd"):
            with pytest.raises(SettingsError):
                shelf.stat(name)
            with pytest.raises(SettingsError):
                shelf.open(name)
