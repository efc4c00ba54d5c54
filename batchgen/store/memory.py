"""Pictures in memory, under the same rules: for tests of those who use a store, and for nothing that must last."""

import hashlib
import io
import posixpath
from collections.abc import AsyncIterable
from dataclasses import replace
from typing import BinaryIO

from batchgen.job import Asset
from batchgen.label import SUFFIX, Label, embedded, read_sidecar, sidecar
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
        stored = bytes(data)
        if slot.label is not None and slot.label.embed:
            stored, _ = embedded(stored, picture.media_type, slot.label.facts)
        proof = Proof(slot.job, slot.index, slot.of, _sha256(stored), _sha256(data))
        self.files[proof_name(proof)] = stored
        self._remember(proof_name(proof))
        return self._publish(proof, slot.stem, picture, slot.label)

    async def find(self, job: int, stem: str, label: Label | None = None) -> tuple[Saved, ...]:
        """The pictures that had been saved for this job, published now; else empty."""
        checked_stem(stem)
        found: list[tuple[Proof, Picture]] = []
        for name in sorted(self._parts.get(job, ())):
            proof = proof_of(name)
            if proof and self._digest(name) == proof.sha256:
                found.append((proof, _judge(self.files[name])))
            else:
                await self.remove(name)
        return tuple(self._publish(proof, stem, picture, label) for proof, picture in whole_set(found))

    async def move(self, asset: Asset, stem: str) -> Saved:
        """Give a picture another name; `proof` is the old one."""
        name = checked_stem(stem) + posixpath.splitext(asset.name)[1]
        if self._digest(name) != asset.sha256:
            if self._digest(asset.name) != asset.sha256:
                raise FileNotFoundError(f"the picture is neither under {asset.name} nor under {name}")
            if name in self.files:
                raise FileExistsError(f"another file holds {name}")
            self.files[name] = self.files[asset.name]
        if name != asset.name:
            self._move_sidecar(asset, name)
        is_left = name != asset.name and self._digest(asset.name) in {None, asset.sha256}
        return Saved(replace(asset, name=name), asset.name if is_left else "")

    async def remove(self, name: str) -> None:
        """Remove one name, and the sidecar of ours beside it; nothing happens if it is not there."""
        self.files.pop(checked(name), None)
        if read_sidecar(self.files.get(name + SUFFIX, b"")) is not None:
            del self.files[name + SUFFIX]
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

    def _move_sidecar(self, asset: Asset, name: str) -> None:
        text = self.files.get(asset.name + SUFFIX, b"")
        found = read_sidecar(text)
        if found is not None and found.get("sha256") == asset.sha256:
            self._put(name, text)

    def _put(self, name: str, text: bytes) -> None:
        there = self.files.get(name + SUFFIX)
        if there is None or read_sidecar(there) is not None:
            self.files[name + SUFFIX] = text

    def _publish(self, proof: Proof, stem: str, picture: Picture, label: Label | None) -> Saved:
        source = proof_name(proof)
        stem = stem_of(Slot(proof.job, stem, proof.index, proof.of))
        for name in candidates(stem, proof.sha256, picture.extension):
            if self._digest(name) in {None, proof.sha256}:
                self.files[name] = self.files[source]
                kind, received = picture.media_type, proof.received
                size = len(self.files[name])
                asset = Asset(name, size, proof.sha256, received, kind, picture.width, picture.height)
                if label is not None and label.sidecar:
                    self._put(name, sidecar(label, asset))
                return Saved(asset, source)
        raise FileExistsError(f"other files hold every name for {stem}")

    def _digest(self, name: str) -> str | None:
        return _sha256(self.files[name]) if name in self.files else None

    def _remember(self, name: str) -> None:
        if not name.startswith(f"{PARTS}/"):
            return
        match read_part(posixpath.basename(name)):
            case Proof(job=job) | int(job):
                self._parts.setdefault(job, set()).add(name)


def _sha256(data: bytes | bytearray) -> str:
    return hashlib.sha256(data).hexdigest()


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
