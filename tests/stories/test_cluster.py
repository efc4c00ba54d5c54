"""Whole runs at a cluster in this process: what a machine promises, several keep."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from distributed import LocalCluster

from batchgen.batch import Observer, Unwatched
from batchgen.journal import Progress
from batchgen.lifecycle import Stored
from batchgen.report.figures import Figures
from tests.stories.cluster import command
from tests.stories.world import Batch, Gateway, World, at, ended, gateway, jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cluster() -> AsyncIterator[str]:
    """The address of a scheduler with three workers of one thread each."""
    async with LocalCluster(
        n_workers=3,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        asynchronous=True,
        dashboard_address="127.0.0.1:0",
    ) as found:
        yield found.scheduler_address


@contextmanager
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **faults: Any) -> Iterator[Gateway]:
    """A gateway that knows tokens and has these faults, its credential in the surroundings."""
    path = tmp_path / "faults.yaml"
    path.write_text(json.dumps({"faults": 1, **faults}))
    with gateway(tmp_path / "gateway", "--painter", "none", *(("--faults", str(path)) if faults else ())) as server:
        monkeypatch.setenv("XENODIA_API_KEY", server.key)
        yield server


class Watching(Observer):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.over: list[Progress] = []
        self.shown: list[Figures] = []

    def finished(self, progress: Progress) -> None:
        self.over.append(progress)

    def figures(self, figures: Figures) -> None:
        self.shown.append(figures)


def judge(batch: Batch, server: Gateway, count: int) -> None:
    """All pictures are there and whole, and each was paid for once."""
    assert batch.kinds() == {"Stored": count}
    assert len(batch.whole()) == count
    assert len(server.paid()) == count
    assert batch.strays() == []


async def test_a_run_at_a_cluster(tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every job is bought once, whoever looks sees it, and a second run has nothing to do."""
    with shop(tmp_path, monkeypatch) as server:
        world, watching = World(tmp_path / "world"), Watching()
        manifest = world.write(jobs=jobs(30), **at(server, idempotency="replay"))
        assert await command(manifest, cluster, watching) == 0
        judge(world.batch(), server, 30)
        assert await command(manifest, cluster, Unwatched()) == 0
        judge(world.batch(), server, 30)
    last = watching.shown[-1]
    assert (last.of("stored"), last.submits, last.total) == (30, 30, 30)
    assert last.downloads >= 30
    assert last.free_bytes
    seen = sorted(each.job.id for each in watching.over if isinstance(each.milestone, Stored))
    assert seen == [f"job{number:03}" for number in range(30)]


async def test_pictures_that_are_kept_elsewhere(tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers bring pictures to the place that `--store` names, and to no other."""
    with shop(tmp_path, monkeypatch) as server:
        world, place = World(tmp_path / "world"), tmp_path / "place"
        manifest = world.write(jobs=jobs(8), **at(server, idempotency="replay"))
        assert await command(manifest, cluster, Unwatched(), store=f"file://{place}") == 0
        assert world.batch().kinds() == {"Stored": 8}
        there = {path.name for path in (place / "story").glob("*.jpg")}
        assert there == {f"job{number:03}.jpg" for number in range(8)}
        assert not list(world.batch().folder.glob("*.jpg"))


async def test_one_worker_hears_of_the_end_and_all_stop(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the funds are used up, one 402 stops the workers that never saw one; what was bought is brought home."""
    with shop(tmp_path, monkeypatch, submit=[{"every": 1, "first": 9, "before": 402}]) as server:
        world = World(tmp_path / "world")
        manifest = world.write(jobs=jobs(60), **at(server, idempotency="replay"))
        assert await command(manifest, cluster, Unwatched()) == 4
        kinds = world.batch().kinds()
        assert kinds == {"Stored": 8, "Planned": 52}
        assert len(server.paid()) == 8


async def test_a_cap_holds_over_all_workers(tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many workers together spend no more than the batch may cost, and the run says so."""
    with shop(tmp_path, monkeypatch) as server:
        world = World(tmp_path / "world")
        budget = {"max_usd": 1, "prices": {"nano-banana-pro": 0.1}}
        manifest = world.write(jobs=jobs(40), budget=budget, **at(server, idempotency="replay"))
        assert await command(manifest, cluster, Unwatched(), max_pictures=100) == 4
        assert world.batch().kinds() == {"Stored": 10, "Planned": 30}
        assert len(server.paid()) == 10


async def test_too_many_failures_stop_all(tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are counted over all workers, and stop the run as they would on one machine."""
    with shop(tmp_path, monkeypatch, tasks=[{"every": 1, "task": "refused"}]) as server:
        world = World(tmp_path / "world")
        limits = {"in_flight": 6, "rate": "20/1s", "expert": {"polls_per_second": 200}}
        stop = {"stop_at": {"share": "50%", "of_at_least": 12}}
        keys = {**at(server, idempotency="replay"), "limits": limits, "failures": stop}
        manifest = world.write(jobs=jobs(400), **keys)
        assert await command(manifest, cluster, Unwatched()) == 4
        kinds = world.batch().kinds()
        assert kinds["JobFailed"] >= 12
        assert kinds["Planned"] > 0


@pytest.mark.slow  # on a machine with far too much work one submit has been seen to stay open beyond its end
async def test_a_run_that_is_cancelled_goes_on(tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled at its head, a run ends at every worker; the next one finishes it, and nothing is paid twice."""
    with shop(tmp_path, monkeypatch) as server:
        world = World(tmp_path / "world")
        manifest = world.write(jobs=jobs(80), **at(server, idempotency="replay"))
        enough = anyio.Event()

        class Waiting(Observer):
            def figures(self, figures: Figures) -> None:
                if figures.of("stored") >= 5:
                    enough.set()

        async with anyio.create_task_group() as group:
            group.start_soon(command, manifest, cluster, Waiting())
            with anyio.move_on_after(60):
                await enough.wait()
            group.cancel_scope.cancel()
        assert "Started" not in world.batch().kinds()
        assert await command(manifest, cluster, Unwatched()) == 0
        judge(world.batch(), server, 80)


async def test_a_worker_without_a_credential_says_so(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker needs the credential in its surroundings; without one the run ends, says so, and bought nothing."""
    with shop(tmp_path, monkeypatch) as server:
        world = World(tmp_path / "world")
        manifest = world.write(jobs=jobs(3), **at(server, idempotency="replay"))
        monkeypatch.delenv("XENODIA_API_KEY")
        given = {"XENODIA_API_KEY": server.key}
        assert await command(manifest, cluster, Unwatched(), environ=given) == 2
        assert server.paid() == []
        assert world.batch().kinds() == {"Planned": 3}


@pytest.mark.timeout(400)
async def test_in_several_processes_of_this_machine(tmp_path: Path) -> None:
    """`--dask local` rehearses in a process for each core; other machines are refused, and nothing is sent."""
    world = World(tmp_path / "world")
    world.write(jobs=jobs(8))
    rehearsal = ("run", "m.yaml", "--provider", "local")
    refused = await anyio.to_thread.run_sync(lambda: world.type(*rehearsal, "--dask", "tcp://192.0.2.7:8786"))
    assert refused.code == 2, refused.text
    assert "a file of this one" in refused.text
    done = await anyio.to_thread.run_sync(lambda: ended(world.start(*rehearsal, "--dask", "local"), 300))
    assert done.code == 0, done.text
    assert "Traceback" not in done.text
    assert world.batch("story.local").kinds() == {"Stored": 8}
    assert len(world.batch("story.local").whole()) == 8
