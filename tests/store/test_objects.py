"""Object stores under the judge of all stores, and what only they must do."""

import itertools
from pathlib import Path

import pytest

from tests.contracts.store import StoreContract
from tests.s3 import S3
from tests.store.buckets import BucketPlace, memory_place

pytestmark = pytest.mark.anyio

PREFIXES = itertools.count()


class TestInMemory(StoreContract):
    """Every promise of a store, on an object store in memory."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> BucketPlace:
        return memory_place(tmp_path)


class TestS3(StoreContract):
    """Every promise of a store, on a server that speaks S3."""

    @pytest.fixture
    def place(self, s3: S3, tmp_path: Path) -> BucketPlace:
        prefix = f"judge/{next(PREFIXES)} ä"
        return BucketPlace(s3.store("judges", prefix), tmp_path, f"s3://judges/{prefix}")
