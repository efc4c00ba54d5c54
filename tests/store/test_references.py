"""References in a folder, in memory and on a server that speaks S3, under one judge."""

import itertools
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import MemoryStore

from batchgen.store.bucket import Bucket
from batchgen.store.references import REFERENCES, BucketReferences, FolderReferences
from tests.contracts.references import ReferencesContract
from tests.s3 import S3

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]  # a server is started first

PREFIXES = itertools.count()


class FolderShelter:
    """A folder that holds references."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> FolderReferences:
        return FolderReferences(str(self.root))

    def overwrite(self, sha256: str, data: bytes) -> None:
        (self.root / REFERENCES / sha256).write_bytes(data)

    def count(self) -> int:
        return len(list((self.root / REFERENCES).iterdir()))


class BucketShelter:
    """A bucket that holds references."""

    def __init__(self, objects: Any) -> None:
        self.objects = objects

    def open(self) -> BucketReferences:
        return BucketReferences(Bucket("memory://judge", self.objects))

    def overwrite(self, sha256: str, data: bytes) -> None:
        obstore.put(self.objects, f"{REFERENCES}/{sha256}", data)

    def count(self) -> int:
        return len(obstore.list(self.objects, REFERENCES).collect())


class TestFolder(ReferencesContract):
    """Every promise, in a folder."""

    @pytest.fixture
    def shelter(self, tmp_path: Path) -> FolderShelter:
        return FolderShelter(tmp_path)


class TestMemory(ReferencesContract):
    """Every promise, in an object store in memory."""

    @pytest.fixture
    def shelter(self) -> BucketShelter:
        return BucketShelter(MemoryStore())


class TestS3(ReferencesContract):
    """Every promise, on a server that speaks S3."""

    @pytest.fixture
    def shelter(self, s3: S3) -> BucketShelter:
        return BucketShelter(s3.store("judges", f"references/{next(PREFIXES)}"))
