"""What every place for references must do."""

import hashlib
from typing import Protocol

import pytest

from batchgen.store.references import References
from tests.store.pictures import picture


class Shelter(Protocol):
    """Where references are kept, and the way behind its back."""

    def open(self) -> References:
        """A place for references on it, as another process opens it."""
        ...

    def overwrite(self, sha256: str, data: bytes) -> None:
        """Put other bytes under a hash."""
        ...

    def count(self) -> int:
        """How many references there are."""
        ...


class ReferencesContract:
    """Inherit, and give a `shelter` fixture."""

    async def test_put_and_read(self, shelter: Shelter) -> None:
        """What one process keeps another reads, by its hash alone."""
        data = picture()
        sha256 = await shelter.open().put(data, "image/png")
        assert sha256 == hashlib.sha256(data).hexdigest()
        assert await shelter.open().read(sha256) == data

    async def test_once(self, shelter: Shelter) -> None:
        """The same bytes are kept once, however often they are put, and different ones beside each other."""
        for _ in range(2):
            await shelter.open().put(picture(seed=1), "image/png")
            await shelter.open().put(picture(seed=2), "image/png")
        assert shelter.count() == 2

    async def test_not_there(self, shelter: Shelter) -> None:
        """One that was never put is said to be missing."""
        with pytest.raises(FileNotFoundError, match="not in the store"):
            await shelter.open().read("0" * 64)

    async def test_changed(self, shelter: Shelter) -> None:
        """Bytes that are not those of the name are never handed out."""
        sha256 = await shelter.open().put(picture(), "image/png")
        shelter.overwrite(sha256, picture(seed=9))
        with pytest.raises(OSError, match="other bytes"):
            await shelter.open().read(sha256)
