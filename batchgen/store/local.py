"""Pictures in a folder of this machine: written as a part, synced, checked, named for what they are, then linked.

The part named by its hash is the proof that a picture is whole, checked and durable. Whatever a crash or a power cut
leaves, `find` needs nothing but that name.
"""

import os
import posixpath
import stat
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from batchgen.job import Asset
from batchgen.label import Label
from batchgen.picture import Picture
from batchgen.store import Saved, Slot
from batchgen.store.child import refusal
from batchgen.store.decode import Check, Structure
from batchgen.store.disk import Disk, RealDisk
from batchgen.store.folder import Folder
from batchgen.store.labels import Labels
from batchgen.store.names import PARTS, Proof, checked_stem, proof_name, stem_of
from batchgen.store.parts import Part, proof_of, proven, scan, whole_set
from batchgen.store.publishing import Piece, Publisher
from batchgen.store.together import Together
from batchgen.terms import Expert

MAX_BYTES: Final = Expert().max_bytes

_HELD_BYTES: Final = 1024 * 1024
"""So much of a picture is held in memory before a thread writes it: most are written, checked and linked in one go."""

_THREADS: Final = 8

Result = TypeVar("Result")


class LocalShelf:
    """A folder of pictures as readers see it. Blocks."""

    def __init__(self, root: str | os.PathLike[str], disk: Disk | None = None) -> None:
        self._folder = Folder(os.path.realpath(root), disk or RealDisk())

    def stat(self, name: str) -> int | None:
        """Size in bytes, None when there is no such file."""
        try:
            found = os.lstat(self._folder.path(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def open(self, name: str) -> BinaryIO:
        """The bytes of a picture; FileNotFoundError when there is no such file."""
        return self._folder.open(name)


@dataclass(slots=True, eq=False)
class _Leaving:
    """A name to be removed, and what hindered it."""

    name: str
    error: Exception | None = None


class LocalStore(LocalShelf):
    """A folder of pictures as the one run sees it that holds the batch."""

    publisher: type[Publisher] = Publisher
    """What becomes of a picture in the folder."""

    def __init__(
        self, root: str | os.PathLike[str], check: Check, *, disk: Disk | None = None, max_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(root, disk)
        self._check = check
        self._max_bytes = max_bytes
        self._labels = Labels(self._folder)
        self._limiter = CapacityLimiter(_THREADS)
        self._scanning = anyio.Lock()
        self._publisher = self.publisher(self._folder, self._labels, self._proved)
        self._keeping = Together(self._publisher.keep)
        self._removing = Together(self._remove_each)
        self._saving = 0
        self._parts: dict[int, set[str]] | None = None  # by job: what a killed run left, and this one's proofs

    async def ready(self) -> None:
        """Create the folder and prove that pictures can be written and linked in it.

        Raises:
            SettingsError: they cannot; the message names the folder.
        """
        await self._run(self._folder.probe)
        await self._known_parts()

    async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
        """Write, check and publish one picture.

        After an OSError that came behind the check the proof may have stayed; `find` then publishes it.

        Raises:
            BadAsset: the bytes are not a whole picture of a kind we take; nothing is left behind.
            SettingsError: the stem leads out of the folder, or there are no hard links.
            OSError: the place failed; nothing is left under the final name.
        """
        checked_stem(stem_of(slot))
        await self._known_parts()
        piece, part = Piece(slot), Part(self._folder, slot.job)
        self._saving += 1
        try:
            await self._receive(part, chunks)
            if not isinstance(self._check, Structure):  # which is looked at together with the rest
                await self._run(part.finish)
                part.whole = None
                piece.picture = await self._check.check(part.path)
            piece.part = part
            await self._keeping.done(piece, alone=self._saving == 1)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._run(part.discard)
            raise
        finally:
            self._saving -= 1
        return piece.saved

    async def find(self, job: int, stem: str, label: Label | None = None) -> tuple[Saved, ...]:
        """The pictures that an interrupted run had saved for this job, published now; else empty."""
        checked_stem(stem)
        parts = await self._known_parts()
        if not (names := parts.get(job)):
            return ()
        found = await self._run(lambda: proven(self._folder, names))
        parts[job] = {proof_name(proof) for proof, _ in found}
        return await self._run(lambda: self._found(whole_set(found), Slot(job, stem, label=label)))

    async def move(self, asset: Asset, stem: str) -> Saved:
        """Give a picture another name, durably; `proof` is the old name, unless another file has it by now."""
        name = checked_stem(stem) + posixpath.splitext(asset.name)[1]
        is_left = await self._run(lambda: self._move(asset, name))
        return Saved(replace(asset, name=name), asset.name if is_left else "")

    async def remove(self, name: str) -> None:
        """Remove one name, and the sidecar of ours beside it; nothing happens if it is not there."""
        leaving = _Leaving(name)
        await self._removing.done(leaving, alone=not self._saving)
        if leaving.error is not None:
            raise leaving.error
        if self._parts and (proof := proof_of(name)):
            self._forget(self._parts, proof.job, name)

    async def tell(self, asset: Asset, label: Label) -> None:
        """Put a sidecar beside a picture, in place of one of ours that tells of another."""
        await self._run(lambda: self._labels.put(asset, label))

    async def sweep(self, is_stored: Callable[[int], bool]) -> int:
        """Remove what a killed run left and nobody needs: torn parts, and proofs of jobs that are stored.

        To be called before the first `save`. `is_stored` is asked once per job, and true for every job that no longer
        waits for a picture: an old proof would be found as the picture of a new attempt. Returns how many were removed.
        """
        parts = await self._known_parts()
        needless = [
            (job, name)
            for job, names in parts.items()
            for stored in (is_stored(job),)
            for name in names
            if stored or not proof_of(name)
        ]
        await self._run(lambda: self._remove_all(name for _, name in needless))
        for job, name in needless:
            self._forget(parts, job, name)
        return len(needless)

    async def _receive(self, part: Part, chunks: AsyncIterable[bytes]) -> None:
        async for chunk in chunks:
            part.hold(chunk)
            if part.size > self._max_bytes:
                raise refusal(f"it has more than {self._max_bytes:,} bytes")
            if part.held_bytes >= _HELD_BYTES:
                await self._run(part.write)

    def _proved(self, proof: Proof) -> None:
        assert self._parts is not None
        self._parts.setdefault(proof.job, set()).add(proof_name(proof))

    def _found(self, proven: Sequence[tuple[Proof, Picture]], slot: Slot) -> tuple[Saved, ...]:
        """Publish what lies there as proofs."""
        pieces = [
            Piece(replace(slot, index=proof.index, of=proof.of), None, picture, proof, self._size(proof))
            for proof, picture in proven
        ]
        self._publisher.publish(pieces)
        return tuple(piece.saved for piece in pieces)

    def _size(self, proof: Proof) -> int:
        size = self.stat(proof_name(proof))
        if size is None:
            raise FileNotFoundError(f"{proof_name(proof)} was removed while it was being published")
        return size

    def _move(self, asset: Asset, name: str) -> bool:
        """Whether the old name is the picture's still, if anything's; in its place there may be another one by now."""
        is_left = self._move_picture(asset, name)
        if name != asset.name:
            self._labels.move(asset, name)
        return is_left

    def _move_picture(self, asset: Asset, name: str) -> bool:
        if self._folder.adopt(name, asset.sha256):
            return name != asset.name and self._folder.digest(asset.name) in {None, asset.sha256}
        if self._folder.digest(asset.name) != asset.sha256:
            raise FileNotFoundError(f"the picture is neither under {asset.name} nor under {name}")
        self._folder.publish(asset.name, [name], asset.sha256)
        return name != asset.name

    def _remove(self, name: str) -> None:
        if not name.startswith(f"{PARTS}/"):
            self._labels.remove(name)
        self._folder.remove(name)

    def _remove_each(self, leaving: Sequence[_Leaving]) -> None:
        """Remove names, and note beside each what hindered it."""
        for each in leaving:
            try:
                self._remove(each.name)
            except Exception as error:  # it belongs to whoever gave the name
                each.error = error

    def _remove_all(self, names: Iterable[str]) -> None:
        for name in names:
            self._folder.remove(name)

    @staticmethod
    def _forget(parts: dict[int, set[str]], job: int, name: str) -> None:
        names = parts.get(job, set())
        names.discard(name)
        if not names:
            parts.pop(job, None)

    async def _known_parts(self) -> dict[int, set[str]]:
        if self._parts is None:
            async with self._scanning:
                if self._parts is None:
                    self._parts = await self._run(lambda: scan(self._folder))
        return self._parts

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await to_thread.run_sync(work, limiter=self._limiter)
