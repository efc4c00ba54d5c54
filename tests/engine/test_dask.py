"""The workers of a Dask cluster under the judge: a scheduler and two workers of two threads each, in this process."""

from collections.abc import AsyncIterator

import pytest
from distributed import Client, LocalCluster

from batchgen.engine.dask import DaskEngine
from tests.contracts.engine import EngineContract, Makes

pytestmark = pytest.mark.anyio


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
            dashboard_address=None,
        ) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        yield client


@pytest.fixture
def make(client: Client) -> Makes:
    """Engines over that cluster."""
    return lambda most: DaskEngine(client, most)


class TestDaskEngine(EngineContract):
    """Every promise of an engine."""
