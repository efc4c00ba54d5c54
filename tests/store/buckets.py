"""Object stores as places for the judge."""

from pathlib import Path
from typing import Any

import obstore
from obstore.store import MemoryStore

from batchgen.store.announced import PROOFS
from batchgen.store.bucket import Bucket
from batchgen.store.decode import Structure
from batchgen.store.names import PARTS
from batchgen.store.objects import BucketShelf, BucketStore
from tests.store.places import FolderPlace


class BucketPlace:
    """A bucket with the batch folder beside it; each opened store is a new one, as in a new run.

    The judge sees parts and announcements as what they are to it: proofs.
    """

    def __init__(self, store: Any, folder: Path, url: str = "memory://judge") -> None:
        self.objects = store
        self.folder = FolderPlace(folder)
        self.url = url

    def open(self) -> BucketStore:
        return BucketStore(Bucket(self.url, self.objects), self.folder.root, Structure(), max_bytes=200_000)

    def shelf(self) -> BucketShelf:
        return BucketShelf(Bucket(self.url, self.objects))

    def elsewhere(self, folder: Path) -> "BucketPlace":
        """The same bucket, seen from a machine that has no part of it."""
        return BucketPlace(self.objects, folder, self.url)

    def objects_there(self) -> set[str]:
        """The names of all objects."""
        return {each["path"] for each in obstore.list(self.objects).collect()}

    def names(self) -> set[str]:
        there = {_seen(name) for name in self.objects_there()}
        return there | self.folder.names()

    def read(self, name: str) -> bytes:
        return bytes(obstore.get(self.objects, name).bytes())

    def write(self, name: str, data: bytes) -> None:
        if name.startswith(f"{PARTS}/"):
            self.folder.write(name, data)
        else:
            obstore.put(self.objects, name, data)


def _seen(name: str) -> str:
    return f"{PARTS}/{name.rsplit('/', 1)[-1]}" if name.startswith(f"{PROOFS}/") else name


def memory_place(folder: Path) -> BucketPlace:
    """A new object store in memory."""
    return BucketPlace(MemoryStore(), folder)
