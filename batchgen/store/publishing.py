"""How pictures become durable, several together: proofs first, then names; a folder is synced once for all in it.

What happens to one of them is noted there, and touches none of the others. Blocks.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from batchgen.job import Asset
from batchgen.picture import Picture
from batchgen.store import Saved, Slot
from batchgen.store.child import structure, structure_of
from batchgen.store.folder import Folder
from batchgen.store.labels import Labels
from batchgen.store.names import PARTS, Proof, candidates, proof_name, stem_of
from batchgen.store.parts import Part, prove
from batchgen.store.thumbs import keep, place

SLOW_SECONDS: Final = 0.002
"""A disk whose sync takes so long is asked for several at once; for a faster one that would cost more than it saves."""

BESIDE: Final = 32
"""So many syncs are under way at once."""


@dataclass(slots=True, eq=False)
class Piece:
    """A picture on its way: a part that is to be finished, or one that is proven already.

    `picture` is what it was judged to be, None for its structure to be looked at. `name` is empty until it has one.
    """

    slot: Slot
    part: Part | None = None
    picture: Picture | None = None
    proof: Proof | None = None
    size: int = 0
    name: str = ""
    error: Exception | None = None

    @property
    def saved(self) -> Saved:
        """What became of it; raises what hindered it."""
        if self.error is not None:
            raise self.error
        picture, proof = self.picture, self.proof
        assert picture is not None
        assert proof is not None
        media, width, height = picture.media_type, picture.width, picture.height
        return Saved(Asset(self.name, self.size, proof.sha256, proof.received, media, width, height), proof_name(proof))


class Publisher:
    """Makes pictures durable in a folder; `proved` hears of every proof before it is made."""

    def __init__(self, folder: Folder, labels: Labels, proved: Callable[[Proof], None]) -> None:
        self._folder = folder
        self._labels = labels
        self._proved = proved
        self._syncs = Syncs()

    def keep(self, pieces: Sequence[Piece]) -> None:
        """Finish, judge, prove and publish parts."""
        _each(pieces, _write)
        self._syncs.finish([piece for piece in pieces if piece.error is None])
        _each(pieces, self._prove)
        proven = [piece for piece in pieces if piece.error is None]
        try:
            if proven:
                self._folder.disk.sync_dir(self._folder.path(PARTS))
        except OSError as error:
            _fail(proven, error)
        self.publish(pieces)

    def publish(self, pieces: Sequence[Piece]) -> None:
        """Give proven pictures their names, and tell beside them what is to be told there."""
        new: list[Piece] = []
        _each(pieces, lambda piece: self._name(piece, new))
        failed = self._folder.settle([piece.name for piece in new])
        for piece in pieces:
            if error := failed.get(piece.name):
                _fail([piece], error)
        _each(pieces, self._tell)

    def _prove(self, piece: Piece) -> None:
        """Name a finished and checked part for what it is."""
        part, slot = piece.part, piece.slot
        assert part is not None
        try:
            piece.picture = picture = piece.picture or _judged(part)
            received = part.digest.hexdigest()
            piece.part = whole = self._inscribed(part, slot, picture)
            part, piece.size = whole, whole.size
            piece.proof = Proof(slot.job, slot.index, slot.of, whole.digest.hexdigest(), received)
            self._proved(piece.proof)
            prove(self._folder, whole, piece.proof)
        except BaseException:
            part.discard()
            raise
        finally:
            part.whole = None

    def _inscribed(self, part: Part, slot: Slot, picture: Picture) -> Part:
        label = slot.label
        if label is None or not label.embed:
            return part
        return self._labels.inscribe(part, slot.job, label, picture)

    def _name(self, piece: Piece, new: list[Piece]) -> None:
        proof, picture = piece.proof, piece.picture
        assert proof is not None
        assert picture is not None
        names = candidates(stem_of(piece.slot), proof.sha256, picture.extension)
        piece.name, is_new = self._folder.place(proof_name(proof), names, proof.sha256)
        if is_new:
            new.append(piece)

    def _tell(self, piece: Piece) -> None:
        label = piece.slot.label
        self._remember(piece)
        if label is not None and label.sidecar:
            self._labels.put(piece.saved.asset, label)

    def _remember(self, piece: Piece) -> None:
        """Keep the picture small, if that was made."""
        if piece.picture is not None and piece.picture.small:
            keep(place(self._folder.root, piece.saved.asset.sha256), piece.picture.small)


class Prover(Publisher):
    """Makes pictures durable that get their names elsewhere: here they stay proofs, and are told the best of names."""

    def publish(self, pieces: Sequence[Piece]) -> None:
        """Say how each is to be named, and nothing else."""
        _each(pieces, self._choose)
        _each(pieces, self._remember)

    def _choose(self, piece: Piece) -> None:
        proof, picture = piece.proof, piece.picture
        assert proof is not None
        assert picture is not None
        piece.name = next(iter(candidates(stem_of(piece.slot), proof.sha256, picture.extension)))


class Syncs:
    """Makes written parts durable: one after another, and side by side once the disk is seen to take its time."""

    def __init__(self) -> None:
        self._beside = ThreadPoolExecutor(BESIDE, thread_name_prefix="sync")  # has no thread before it is needed
        self._slow = False

    def finish(self, pieces: Sequence[Piece]) -> None:
        """Sync and close the part of each."""
        waiting = deque(pieces)
        while waiting and not self._slow:
            self._finish(waiting.popleft())
        for done in [self._beside.submit(self._finish, piece) for piece in waiting]:
            done.result()

    def _finish(self, piece: Piece) -> None:
        began = time.monotonic()
        _each([piece], _finish)
        self._slow = time.monotonic() - began > SLOW_SECONDS


def _write(piece: Piece) -> None:
    with _discarded(piece) as part:
        part.write_rest()


def _finish(piece: Piece) -> None:
    with _discarded(piece) as part:
        part.finish()


@contextmanager
def _discarded(piece: Piece) -> Iterator[Part]:
    """Its part, of which nothing is left if this fails."""
    part = piece.part
    assert part is not None
    try:
        yield part
    except BaseException:
        part.discard()
        raise


def _each(pieces: Sequence[Piece], do: Callable[[Piece], None]) -> None:
    """Do something to every piece that nothing has hindered yet."""
    for piece in pieces:
        if piece.error is None:
            try:
                do(piece)
            except Exception as error:  # it belongs to whoever gave the piece
                piece.error = error


def _fail(pieces: Sequence[Piece], error: OSError) -> None:
    """To each an error of its own: they are raised in different places."""
    for piece in pieces:
        piece.error = OSError(error.errno, os.strerror(error.errno or 0), error.filename)


def _judged(part: Part) -> Picture:
    return structure(part.path) if part.whole is None else structure_of(part.whole)
