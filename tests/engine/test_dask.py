"""The workers of a Dask cluster under the judge: a scheduler and two workers of two threads each, in this process."""

import pytest
from distributed import Client

from batchgen.engine.dask import DaskEngine
from tests.contracts.engine import EngineContract, Makes

pytestmark = pytest.mark.anyio


@pytest.fixture
def make(client: Client) -> Makes:
    """Engines over that cluster."""
    return lambda most: DaskEngine(client, most)


class TestDaskEngine(EngineContract):
    """Every promise of an engine."""
