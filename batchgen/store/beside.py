"""Sidecars in an object store: put beside a picture, moved and removed with it; what is none of ours is left alone."""

import logging

from batchgen.job import Asset
from batchgen.label import LONGEST_SIDECAR, SUFFIX, Label, read_sidecar, sidecar
from batchgen.store.bucket import Bucket

_JSON = "application/json"

logger = logging.getLogger(__name__)


class Sidecars:
    """The sidecars in a bucket; what a picture cannot have beside it is told once."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._told: set[str] = set()

    async def put(self, asset: Asset, label: Label) -> None:
        """Put a sidecar beside a picture, in place of one of ours that tells of another."""
        await self._put(asset.name, sidecar(label, asset))

    async def move(self, asset: Asset, name: str) -> None:
        """Put the sidecar that a picture has beside its new name too."""
        text = await self._read(asset.name)
        found = read_sidecar(text)
        if found is not None and found.get("sha256") == asset.sha256:
            await self._put(name, text)

    async def remove(self, name: str) -> None:
        """Remove the sidecar beside a name, if it is one of ours."""
        if read_sidecar(await self._read(name)) is not None:
            await self._bucket.remove(name + SUFFIX)

    async def _put(self, name: str, text: bytes) -> None:
        target = name + SUFFIX
        if await self._bucket.create(target, text, media_type=_JSON):
            return
        seen, there = await self._bucket.look(target), await self._read(name)
        if there == text:
            return
        ours = seen is not None and read_sidecar(there) is not None
        if not (ours and seen and await self._bucket.replace(target, text, seen, _JSON)) and target not in self._told:
            self._told.add(target)
            logger.warning("%s is no file of batchgen's, and was left alone; the journal has what it would say", target)

    async def _read(self, name: str) -> bytes:
        """The bytes of what lies beside a picture; empty when there is nothing, or too much."""
        seen = await self._bucket.look(name + SUFFIX)
        if seen is None or seen.size > LONGEST_SIDECAR:
            return b""
        return await self._bucket.read(name + SUFFIX) or b""
