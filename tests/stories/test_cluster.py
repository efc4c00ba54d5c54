"""Whole runs at a cluster: what a machine promises, several keep."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from batchgen.batch import Unwatched
from tests.stories.cluster import command
from tests.stories.world import Gateway, World, at, gateway, jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that knows tokens."""
    with gateway(tmp_path / "gateway") as found:
        yield found


async def test_a_run_at_a_cluster(tmp_path: Path, server: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every job is bought once and its picture is there, and a second run has nothing to do."""
    monkeypatch.setenv("XENODIA_API_KEY", server.key)
    world = World(tmp_path / "world")
    manifest = world.write(jobs=jobs(30), **at(server, idempotency="replay"))
    async with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        asynchronous=True,
        dashboard_address=None,
    ) as cluster:
        assert await command(manifest, cluster.scheduler_address, Unwatched()) == 0
        assert await command(manifest, cluster.scheduler_address, Unwatched()) == 0
    batch = world.batch()
    assert batch.kinds() == {"Stored": 30}
    assert len(batch.whole()) == 30
    assert len(server.paid()) == 30
    assert batch.strays() == []
    assert json.loads((batch.folder / "report.json").read_text())
