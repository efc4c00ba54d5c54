"""Pictures in an object store: received and checked in the batch folder, and only then visible under their name.

The part that proves a picture stays on this machine until its Stored is recorded, and what goes up is announced there
first, so that another machine recognises it too. No object is ever written over.
"""

import errno
import hashlib
import os
import posixpath
from collections.abc import AsyncIterable, Callable
from dataclasses import replace
from typing import BinaryIO

from batchgen.job import Asset
from batchgen.label import Label
from batchgen.picture import EXTENSIONS, Picture
from batchgen.store import Saved, Slot
from batchgen.store.announced import Announcements, Coming
from batchgen.store.beside import Sidecars
from batchgen.store.bucket import Bucket
from batchgen.store.decode import Check
from batchgen.store.disk import Disk
from batchgen.store.local import MAX_BYTES, LocalStore
from batchgen.store.names import PARTS, Proof, checked, checked_stem, proof_name
from batchgen.store.parts import proof_of, proven, whole_set
from batchgen.store.publishing import Prover


class BucketShelf:
    """An object store of pictures as readers see it. Blocks."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def stat(self, name: str) -> int | None:
        """Size in bytes, None when there is no such object."""
        return self._bucket.size(name)

    def open(self, name: str) -> BinaryIO:
        """The bytes of a picture; FileNotFoundError when there is no such object."""
        return self._bucket.open(name)


class ListedShelf:
    """The same as it was when looked at, or first asked: one listing for whoever looks at every picture. Blocks."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._sizes: dict[str, int] | None = None

    def look(self) -> dict[str, int]:
        """List what there is, unless that was done before."""
        if self._sizes is None:
            self._sizes = self._bucket.sizes()
        return self._sizes

    def stat(self, name: str) -> int | None:
        """Size in bytes, None when there was no such object."""
        return self.look().get(checked(name))

    def open(self, name: str) -> BinaryIO:
        """The bytes of a picture; FileNotFoundError when there was no such object."""
        if self.stat(name) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self._bucket.open(name)


class BucketStore(LocalStore):
    """An object store as the one run sees it that holds the batch; `root` is the batch folder, where parts are."""

    publisher = Prover

    def __init__(
        self,
        bucket: Bucket,
        root: str | os.PathLike[str],
        check: Check,
        *,
        disk: Disk | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        super().__init__(root, check, disk=disk, max_bytes=max_bytes)
        self._bucket = bucket
        self._announcements = Announcements(bucket)
        self._sidecars = Sidecars(bucket)

    def stat(self, name: str) -> int | None:
        """Size in bytes, None when there is no such object. Blocks."""
        return self._bucket.size(name)

    def open(self, name: str) -> BinaryIO:
        """The bytes of a picture; FileNotFoundError when there is no such object. Blocks."""
        return self._bucket.open(name)

    async def ready(self) -> None:
        """Prove that parts can be written here and objects there, none over another.

        Raises:
            SettingsError: they cannot; the message names the place.
        """
        await super().ready()
        await self._bucket.probe()

    async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
        """Write, check and publish one picture.

        Raises:
            BadAsset: the bytes are not a whole picture of a kind we take; nothing is left behind.
            SettingsError: the stem leads out of the place.
            OSError: the folder or the store failed; what was proven by then `find` publishes.
        """
        return await self._sent_up(await super().save(slot, chunks), slot.stem, slot.label)

    async def find(self, job: int, stem: str, label: Label | None = None) -> tuple[Saved, ...]:
        """The pictures that an interrupted run had saved for this job, here or on a machine that is gone."""
        checked_stem(stem)
        here = await self._proven_here(job)
        there = {coming.proof: coming async for coming in self._announcements.of(job) if coming.proof not in here}
        names = {proof: await self._where(coming) for proof, coming in there.items()}
        for proof in [proof for proof, name in names.items() if not name]:  # announced, and never came
            await self._announcements.remove(proof_name(proof))
            del there[proof]
        whole = whole_set([*here.items(), *((proof, coming.picture) for proof, coming in there.items())])
        return tuple(
            [
                await self._recorded(_saved(there[proof], names[proof]), label)
                if proof in there
                else await self._sent_up(await self._pending(proof, stem, picture), stem, label)
                for proof, picture in whole
            ]
        )

    async def move(self, asset: Asset, stem: str) -> Saved:
        """Give a picture another name, by a copy through this machine: few stores copy only where nothing is."""
        name = checked_stem(stem) + posixpath.splitext(asset.name)[1]
        if name == asset.name:
            return await self._unmoved(asset)
        if await self._digest(name) != asset.sha256:
            data = await self._bucket.read(asset.name)
            if data is None or hashlib.sha256(data).hexdigest() != asset.sha256:
                raise FileNotFoundError(f"the picture is neither under {asset.name} nor under {name}")
            if not await self._created(name, data, asset):
                raise FileExistsError(errno.EEXIST, "another object holds this name; move it away", name)
        await self._sidecars.move(asset, name)
        is_left = await self._digest(asset.name) in {None, asset.sha256}
        return Saved(replace(asset, name=name), asset.name if is_left else "")

    async def remove(self, name: str) -> None:
        """Remove one name, and the sidecar of ours beside it; nothing happens if it is not there."""
        if checked(name).startswith(f"{PARTS}/"):
            if proof_of(name):
                await self._announcements.remove(name)
            await super().remove(name)
            return
        await self._sidecars.remove(name)
        await self._bucket.remove(name)

    async def tell(self, asset: Asset, label: Label) -> None:
        """Put a sidecar beside a picture, in place of one of ours that tells of another."""
        await self._sidecars.put(asset, label)

    async def sweep(self, is_stored: Callable[[int], bool]) -> int:
        """Remove what a killed run left and nobody needs, here and there. Returns how many were removed."""
        removed = await super().sweep(is_stored)
        announced = await self._announcements.all()
        needless = {job: is_stored(job) for job in {job for job, _ in announced}}
        for job, proof in announced:
            if needless[job]:
                await self._announcements.remove(proof)
                removed += 1
        return removed

    async def _pending(self, proof: Proof, stem: str, picture: Picture) -> Saved:
        size = await self._run(lambda: os.stat(self._folder.path(proof_name(proof))).st_size)
        coming = Coming(proof, stem, picture, size)
        return _saved(coming, coming.names()[0])

    async def _proven_here(self, job: int) -> dict[Proof, Picture]:
        parts = await self._known_parts()
        if not (names := parts.get(job)):
            return {}
        found = await self._run(lambda: proven(self._folder, names))
        parts[job] = {proof_name(proof) for proof, _ in found}
        return dict(found)

    async def _sent_up(self, saved: Saved, stem: str, label: Label | None) -> Saved:
        """Announce a picture that is proven here, then give it the best name that is free or holds the same bytes."""
        coming = _coming(saved, stem)
        data = await self._run(lambda: _read(self._folder.path(saved.proof)))
        await self._announcements.make(coming)
        for name in coming.names():
            if await self._created(name, data, saved.asset):
                return await self._recorded(_saved(coming, name), label)
        raise FileExistsError(errno.EEXIST, "other objects hold this name; move them away", saved.asset.name)

    async def _created(self, name: str, data: bytes, asset: Asset) -> bool:
        """Whether an object of this name now has those bytes; False when it is another one."""
        made = await self._bucket.create(name, data, media_type=asset.media_type, sha256=asset.sha256)
        return made or await self._digest(name) == asset.sha256

    async def _recorded(self, saved: Saved, label: Label | None) -> Saved:
        if label is not None and label.sidecar:
            await self._sidecars.put(saved.asset, label)
        return saved

    async def _where(self, coming: Coming) -> str:
        """The name that an announced picture came to have; empty when it did not come."""
        for name in coming.names():
            if await self._digest(name) == coming.proof.sha256:
                return name
        return ""

    async def _unmoved(self, asset: Asset) -> Saved:
        if await self._digest(asset.name) != asset.sha256:
            raise FileNotFoundError(f"the picture is not under {asset.name}")
        return Saved(asset)

    async def _digest(self, name: str) -> str | None:
        """The hash of an object, from its metadata or else of its bytes; None when there is none."""
        seen = await self._bucket.look(name)
        if seen is None:
            return None
        if seen.sha256:
            return seen.sha256
        data = await self._bucket.read(name)
        return None if data is None else hashlib.sha256(data).hexdigest()


def _coming(saved: Saved, stem: str) -> Coming:
    asset, proof = saved.asset, proof_of(saved.proof)
    assert proof is not None
    kind = asset.media_type
    return Coming(proof, stem, Picture(kind, EXTENSIONS[kind], asset.width, asset.height), asset.size)


def _saved(coming: Coming, name: str) -> Saved:
    proof, picture = coming.proof, coming.picture
    asset = Asset(name, coming.size, proof.sha256, proof.received, picture.media_type, picture.width, picture.height)
    return Saved(asset, proof_name(proof))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
