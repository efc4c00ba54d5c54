"""The store in memory under the judge."""

import pytest

from batchgen.store import Shelf, Store
from batchgen.store.memory import MemoryStore
from tests.contracts.store import StoreContract

pytestmark = pytest.mark.anyio


class Dictionary:
    """A place that is a dictionary."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def open(self) -> Store:
        return MemoryStore(self.files, max_bytes=200_000)

    def shelf(self) -> Shelf:
        return MemoryStore(self.files)

    def names(self) -> set[str]:
        return set(self.files)

    def read(self, name: str) -> bytes:
        return self.files[name]

    def write(self, name: str, data: bytes) -> None:
        self.files[name] = data


class TestMemoryStore(StoreContract):
    """Every promise of a store."""

    @pytest.fixture
    def place(self) -> Dictionary:
        return Dictionary()
