"""Pictures in a folder of this machine: written as a part, synced, checked, named for what they are, then linked.

The part named by its hash is the proof that a picture is whole, checked and durable. Whatever a crash or a power cut
leaves, `find` needs nothing but that name.
"""

import os
import posixpath
import stat
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import replace
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
from batchgen.store.names import PARTS, Proof, candidates, checked_stem, proof_name, stem_of
from batchgen.store.parts import Part, proof_of, prove, proven, scan, whole_set
from batchgen.store.thumbs import keep, place
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


class LocalStore(LocalShelf):
    """A folder of pictures as the one run sees it that holds the batch."""

    def __init__(
        self, root: str | os.PathLike[str], check: Check, *, disk: Disk | None = None, max_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(root, disk)
        self._check = check
        self._max_bytes = max_bytes
        self._labels = Labels(self._folder)
        self._limiter = CapacityLimiter(_THREADS)
        self._scanning, self._removing = anyio.Lock(), anyio.Lock()
        self._leaving: dict[str, OSError | None] = {}
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
        part = Part(self._folder, slot.job)
        try:
            await self._receive(part, chunks)
            if isinstance(self._check, Structure):
                check = self._check
                return await self._run(lambda: self._keep(slot, part, check))
            await self._run(part.finish)
            picture = await self._check.check(part.path)
            return await self._run(lambda: self._proven(slot, part, picture))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._run(part.discard)
            raise

    async def find(self, job: int, stem: str, label: Label | None = None) -> tuple[Saved, ...]:
        """The pictures that an interrupted run had saved for this job, published now; else empty."""
        checked_stem(stem)
        parts = await self._known_parts()
        if not (names := parts.get(job)):
            return ()
        found = await self._run(lambda: proven(self._folder, names))
        parts[job] = {proof_name(proof) for proof, _ in found}
        return await self._run(
            lambda: tuple(
                self._publish(proof, picture, self._size(proof), stem, label) for proof, picture in whole_set(found)
            )
        )

    async def move(self, asset: Asset, stem: str) -> Saved:
        """Give a picture another name, durably; `proof` is the old name, unless another file has it by now."""
        name = checked_stem(stem) + posixpath.splitext(asset.name)[1]
        is_left = await self._run(lambda: self._move(asset, name))
        return Saved(replace(asset, name=name), asset.name if is_left else "")

    async def remove(self, name: str) -> None:
        """Remove one name, and the sidecar of ours beside it; nothing happens if it is not there."""
        leaving = self._leaving
        leaving[name] = None
        async with self._removing:  # whoever comes first removes for all who came meanwhile
            if leaving is self._leaving:
                self._leaving = {}
                with anyio.CancelScope(shield=True):
                    await self._run(lambda: self._remove_each(leaving))
        if (failed := leaving[name]) is not None:
            raise failed
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

    def _keep(self, slot: Slot, part: Part, check: Structure) -> Saved:
        """All that follows the last byte."""
        part.finish()
        return self._proven(slot, part, check.check_here(part.path, part.whole))

    def _proven(self, slot: Slot, part: Part, picture: Picture) -> Saved:
        """Name a checked part for what it is, then give the picture its name."""
        received = part.digest.hexdigest()
        whole = self._inscribed(part, slot, picture)
        proof = Proof(slot.job, slot.index, slot.of, whole.digest.hexdigest(), received)
        assert self._parts is not None
        self._parts.setdefault(slot.job, set()).add(proof_name(proof))
        try:
            prove(self._folder, whole, proof)
        except BaseException:
            whole.discard()
            raise
        return self._publish(proof, picture, whole.size, slot.stem, slot.label)

    def _inscribed(self, part: Part, slot: Slot, picture: Picture) -> Part:
        label = slot.label
        if label is None or not label.embed:
            return part
        return self._labels.inscribe(part, slot.job, label, picture)

    def _size(self, proof: Proof) -> int:
        size = self.stat(proof_name(proof))
        if size is None:
            raise FileNotFoundError(f"{proof_name(proof)} was removed while it was being published")
        return size

    def _publish(self, proof: Proof, picture: Picture, size: int, stem: str, label: Label | None) -> Saved:
        source = proof_name(proof)
        stem = stem_of(Slot(proof.job, stem, proof.index, proof.of))
        name = self._folder.publish(source, candidates(stem, proof.sha256, picture.extension), proof.sha256)
        asset = Asset(name, size, proof.sha256, proof.received, picture.media_type, picture.width, picture.height)
        if picture.small:
            keep(place(self._folder.root, asset.sha256), picture.small)
        if label is not None and label.sidecar:
            self._labels.put(asset, label)
        return Saved(asset, source)

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

    def _remove_each(self, names: dict[str, OSError | None]) -> None:
        """Remove names, and note beside each what hindered it."""
        for name in names:
            try:
                self._remove(name)
            except OSError as error:
                names[name] = error

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
