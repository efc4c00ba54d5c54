"""A folder as a place for the judge."""

import os
from pathlib import Path

from batchgen.store.decode import Check, Structure
from batchgen.store.disk import Disk
from batchgen.store.local import LocalShelf, LocalStore


class FolderPlace:
    """A real folder; each opened store is a new one, as in a new run."""

    def __init__(self, root: Path, *, check: Check | None = None, disk: Disk | None = None) -> None:
        self.root = root
        self.check = check or Structure()
        self.disk = disk

    def open(self) -> LocalStore:
        return LocalStore(self.root, self.check, disk=self.disk, max_bytes=200_000)

    def shelf(self) -> LocalShelf:
        return LocalShelf(self.root)

    def names(self) -> set[str]:
        return {
            os.path.relpath(os.path.join(folder, name), self.root)
            for folder, _, names in os.walk(self.root)
            for name in names
        }

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
