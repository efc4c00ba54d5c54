"""A scheduler and two workers of two threads each, in the process of the tests."""

from collections.abc import AsyncIterator

import pytest
from distributed import Client, LocalCluster


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A cluster for one test."""
    async with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=2,
            processes=False,
            protocol="tcp",  # as between machines: everything is pickled
            host="127.0.0.1",
            asynchronous=True,
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        yield client
