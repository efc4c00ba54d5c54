"""References beside the pictures, each once and by its hash, so that a worker elsewhere needs no file of this machine.

What is read is held against its hash: nobody buys a picture by a reference that was changed on the way.
"""

import errno
import hashlib
import os
from typing import Final, Protocol

import anyio

from batchgen.store.bucket import Bucket
from batchgen.store.names import HOME, checked

REFERENCES: Final = f"{HOME}/references"


class References(Protocol):
    """A place for references by their sha256, judged by tests/contracts/references.py."""

    async def put(self, data: bytes, media_type: str) -> str:
        """Keep a reference, durably, and say its hash; one that is there already is not sent again.

        Raises:
            OSError: the place failed.
        """
        ...

    async def read(self, sha256: str) -> bytes:
        """The bytes of a reference.

        Raises:
            FileNotFoundError: there is no such one.
            OSError: the place failed, or holds other bytes under this hash.
        """
        ...


class BucketReferences:
    """References in an object store."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def put(self, data: bytes, media_type: str) -> str:
        """Keep a reference; the store is asked first, so that its bytes travel once."""
        sha256 = _sha256(data)
        if await self._bucket.look(_place(sha256)) is None:
            await self._bucket.create(_place(sha256), data, media_type=media_type, sha256=sha256)
        return sha256

    async def read(self, sha256: str) -> bytes:
        """The bytes of a reference."""
        return _proven(sha256, await self._bucket.read(_place(sha256)))


class FolderReferences:
    """References in a folder that other machines see too."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    async def put(self, data: bytes, media_type: str) -> str:  # noqa: ARG002 - a file has none
        """Keep a reference, whole under its name or not at all."""
        sha256 = _sha256(data)
        path = os.path.join(self._folder, _place(sha256))
        if not await anyio.to_thread.run_sync(os.path.exists, path):
            await anyio.to_thread.run_sync(_write, path, data)
        return sha256

    async def read(self, sha256: str) -> bytes:
        """The bytes of a reference."""
        path = os.path.join(self._folder, _place(sha256))
        return _proven(sha256, await anyio.to_thread.run_sync(_read, path))


def _place(sha256: str) -> str:
    return checked(f"{REFERENCES}/{sha256}")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _proven(sha256: str, data: bytes | None) -> bytes:
    if data is None:
        raise FileNotFoundError(errno.ENOENT, "the reference is not in the store; run again where its file is", sha256)
    if _sha256(data) != sha256:
        raise OSError(errno.EIO, "the reference in the store has other bytes than its name says; remove it", sha256)
    return data


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.{os.urandom(4).hex()}.part"
    with open(part, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    above = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(above)
    finally:
        os.close(above)
