"""Pictures in memory, under the same rules: for tests of those who use a store, and for nothing that must last."""

import hashlib
import io
import posixpath
from collections.abc import AsyncIterable
from dataclasses import replace
from typing import BinaryIO

from batchgen.job import Asset
from batchgen.picture import HEAD_BYTES, TAIL_BYTES, Picture, flaw, sniff
from batchgen.store import Saved, Slot
from batchgen.store.child import refusal
from batchgen.store.local import MAX_BYTES
from batchgen.store.names import PARTS, Proof, candidates, checked, checked_stem, proof_name, read_part, stem_of
from batchgen.store.parts import proof_of, whole_set


class MemoryStore:
    """A store, and its shelf, on a dictionary; whoever keeps `files` can open a store on them again."""

    def __init__(self, files: dict[str, bytes] | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self.files: dict[str, bytes] = {} if files is None else files
        self._max_bytes = max_bytes
        self._parts: dict[int, set[str]] = {}
        for name in self.files:
            self._remember(name)

    async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
        """Check and publish one picture; by its structure, nothing is decoded."""
        checked_stem(stem_of(slot))
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            if len(data) > self._max_bytes:
                raise refusal(f"it has more than {self._max_bytes:,} bytes")
        picture = _judge(bytes(data))
        proof = Proof(slot.job, slot.index, slot.of, hashlib.sha256(data).hexdigest())
        self.files[proof_name(proof)] = bytes(data)
        self._remember(proof_name(proof))
        return self._publish(proof, slot.stem, picture)

    async def find(self, job: int, stem: str) -> tuple[Saved, ...]:
        """The pictures that had been saved for this job, published now; else empty."""
        checked_stem(stem)
        found: list[tuple[Proof, Picture]] = []
        for name in sorted(self._parts.get(job, ())):
            proof = proof_of(name)
            if proof and self._digest(name) == proof.sha256:
                found.append((proof, _judge(self.files[name])))
            else:
                await self.remove(name)
        return tuple(self._publish(proof, stem, picture) for proof, picture in whole_set(found))

    async def move(self, asset: Asset, stem: str) -> Saved:
        """Give a picture another name; `proof` is the old one."""
        name = checked_stem(stem) + posixpath.splitext(asset.name)[1]
        if self._digest(name) != asset.sha256:
            if self._digest(asset.name) != asset.sha256:
                raise FileNotFoundError(f"the picture is neither under {asset.name} nor under {name}")
            if name in self.files:
                raise FileExistsError(f"another file holds {name}")
            self.files[name] = self.files[asset.name]
        is_left = name != asset.name and self._digest(asset.name) in {None, asset.sha256}
        return Saved(replace(asset, name=name), asset.name if is_left else "")

    async def remove(self, name: str) -> None:
        """Remove one name; nothing happens if it is not there."""
        self.files.pop(checked(name), None)
        for names in self._parts.values():
            names.discard(name)

    def stat(self, name: str) -> int | None:
        """Size in bytes, None when there is no such file."""
        return len(self.files[name]) if checked(name) in self.files else None

    def open(self, name: str) -> BinaryIO:
        """The bytes of a picture; FileNotFoundError when there is no such file."""
        if checked(name) not in self.files:
            raise FileNotFoundError(name)
        return io.BytesIO(self.files[name])

    def _publish(self, proof: Proof, stem: str, picture: Picture) -> Saved:
        source = proof_name(proof)
        stem = stem_of(Slot(proof.job, stem, proof.index, proof.of))
        for name in candidates(stem, proof.sha256, picture.extension):
            if self._digest(name) in {None, proof.sha256}:
                self.files[name] = self.files[source]
                kind = picture.media_type
                size = len(self.files[name])
                return Saved(Asset(name, size, proof.sha256, proof.sha256, kind, picture.width, picture.height), source)
        raise FileExistsError(f"other files hold every name for {stem}")

    def _digest(self, name: str) -> str | None:
        return hashlib.sha256(self.files[name]).hexdigest() if name in self.files else None

    def _remember(self, name: str) -> None:
        if not name.startswith(f"{PARTS}/"):
            return
        match read_part(posixpath.basename(name)):
            case Proof(job=job) | int(job):
                self._parts.setdefault(job, set()).add(name)


def _judge(data: bytes) -> Picture:
    """What the bytes are.

    Raises:
        BadAsset: not one whole picture of a kind we take.
    """
    reason = flaw(data[:HEAD_BYTES], data[-TAIL_BYTES:], len(data))
    found = sniff(data)
    if reason or not found:
        raise refusal(reason or "it is no picture")
    return found
