"""The folder of parts: pictures being written, and proofs of those that are whole. Blocks."""

import contextlib
import hashlib
import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from batchgen.errors import BadAsset
from batchgen.picture import Picture
from batchgen.store.child import structure
from batchgen.store.folder import Folder
from batchgen.store.names import PARTS, Proof, new_part, proof_name, read_part


@dataclass(slots=True)
class Part:
    """A picture that is being written, hashed as it goes to the disk; chunks are held until somebody may block.

    `size` counts what was held and written, `held_bytes` what still waits; `whole` are all its bytes, if they were
    never more than could be held.
    """

    folder: Folder
    job: int
    path: str = ""
    fd: int = -1
    size: int = 0
    held_bytes: int = 0
    whole: bytes | None = None
    digest: Any = field(default_factory=hashlib.sha256)
    _held: list[bytes] = field(default_factory=list)

    def hold(self, chunk: bytes) -> None:
        """Take a chunk; the only thing here that never blocks."""
        self._held.append(chunk)
        self.size += len(chunk)
        self.held_bytes += len(chunk)

    def write(self) -> None:
        """Append what is held to a file that nobody else has."""
        if not self.path:
            self.path = self.folder.path(new_part(self.job))
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            self.fd = os.open(self.path, flags, 0o666)  # the user's umask decides, as for any new file
        held, self._held, self.held_bytes = b"".join(self._held), [], 0
        self.folder.disk.write(self.fd, held)
        self.digest.update(held)
        self.whole = held if len(held) == self.size else None

    def write_rest(self) -> None:
        """Write the rest, once."""
        if self._held or not self.path:
            self.write()

    def finish(self) -> None:
        """Write the rest, make all durable, close the file, once; after an error it is only good for `discard`."""
        if self.path and self.fd < 0:
            return
        self.write_rest()
        self.folder.disk.sync(self.fd)
        self._close()

    def discard(self) -> None:
        """Remove what there is of it."""
        with contextlib.suppress(OSError):
            self._close()
        if self.path:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def _close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


def scan(folder: Folder) -> dict[int, set[str]]:
    """The names of all parts that lie there, by job; creates the folder durably."""
    folder.create()
    folder.make(PARTS)
    parts: dict[int, set[str]] = {}
    for filename in os.listdir(folder.path(PARTS)):
        match read_part(filename):
            case Proof(job=job) | int(job):
                parts.setdefault(job, set()).add(f"{PARTS}/{filename}")
    return parts


def prove(folder: Folder, part: Part, proof: Proof) -> None:
    """Give a finished and checked part the name that proves it; durable once the folder of parts is synced."""
    os.replace(part.path, folder.path(proof_name(proof)))


def proven(folder: Folder, names: Iterable[str]) -> list[tuple[Proof, Picture]]:
    """Those parts whose bytes are what their names say; the others are removed."""
    found = []
    for name in sorted(names):
        proof = proof_of(name)
        if proof and folder.digest(name) == proof.sha256:
            with contextlib.suppress(BadAsset):
                found.append((proof, structure(folder.path(name))))
                continue
        folder.remove(name)
    return found


def whole_set(found: Iterable[tuple[Proof, Picture]]) -> list[tuple[Proof, Picture]]:
    """One picture for every number of one task, in order; empty when some are missing."""
    sets: dict[int, dict[int, tuple[Proof, Picture]]] = {}
    for proof, picture in found:
        sets.setdefault(proof.of, {})[proof.index] = proof, picture
    for of, numbers in sets.items():
        if numbers.keys() == set(range(1, of + 1)):
            return [numbers[index] for index in range(1, of + 1)]
    return []


def proof_of(name: str) -> Proof | None:
    """What a name in the folder of parts proves, if anything."""
    found = read_part(posixpath.basename(name))
    return found if isinstance(found, Proof) else None
