"""What goes up to an object store is announced there first, by a small object that is removed once it is recorded.

So a machine that never saw a picture's part still finds the picture, whoever bought it and died.
"""

import json
import posixpath
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from batchgen.errors import SettingsError
from batchgen.picture import EXTENSIONS, Picture
from batchgen.store import Slot
from batchgen.store.bucket import Bucket
from batchgen.store.names import HOME, Proof, candidates, checked_stem, proof_name, stem_of
from batchgen.store.parts import proof_of

PROOFS: Final = f"{HOME}/proofs"
"""Where announcements are, by job."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A picture of `size` bytes, and the stem that it goes under."""

    proof: Proof
    stem: str
    picture: Picture
    size: int

    def names(self) -> list[str]:
        """Where it may be, the best first."""
        stem = stem_of(Slot(self.proof.job, self.stem, self.proof.index, self.proof.of))
        return list(candidates(stem, self.proof.sha256, self.picture.extension))


class Announcements:
    """The announcements in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def make(self, coming: Coming) -> None:
        """Announce a picture, durably; one that was announced under another stem is announced anew."""
        name, text = _place(proof_name(coming.proof)), _text(coming)
        if await self._bucket.create(name, text, media_type="application/json"):
            return
        if await self._bucket.read(name) != text:
            await self._bucket.remove(name)
            await self._bucket.create(name, text, media_type="application/json")

    async def of(self, job: int) -> AsyncIterator[Coming]:
        """What is announced for a job; what cannot be read is removed."""
        for name in await self._bucket.names(f"{PROOFS}/{job}"):
            coming = _coming(name, await self._bucket.read(name) or b"")
            if coming is None:
                await self._bucket.remove(name)
            elif coming.proof.job == job:
                yield coming

    async def remove(self, proof: str) -> None:
        """Remove the announcement of a proof, if there is one."""
        await self._bucket.remove(_place(proof))

    async def all(self) -> list[tuple[int, str]]:
        """The job and proof of every announcement."""
        proofs = (proof_of(name) for name in await self._bucket.names(PROOFS))
        return [(proof.job, proof_name(proof)) for proof in proofs if proof is not None]


def _place(proof: str) -> str:
    found = proof_of(proof)
    assert found is not None
    return f"{PROOFS}/{found.job}/{posixpath.basename(proof)}"


def _text(coming: Coming) -> bytes:
    picture = coming.picture
    said = {
        "stem": coming.stem,
        "size": coming.size,
        "media_type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
    }
    return json.dumps(said).encode("ascii")


def _coming(name: str, text: bytes) -> Coming | None:
    """What an object says is coming; None when it is no announcement."""
    proof = proof_of(name)
    try:
        said = json.loads(text)
    except ValueError:
        return None
    match said:
        case {
            "stem": str(stem),
            "size": int(size),
            "media_type": str(kind),
            "width": int(width),
            "height": int(height),
        } if proof is not None and kind in EXTENSIONS:
            try:
                return Coming(proof, checked_stem(stem), Picture(kind, EXTENSIONS[kind], width, height), size)
            except SettingsError:
                return None
    return None
