"""A cluster of real processes dies in every way it can: nothing is lost, and nothing is paid twice."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.machines import Machines, machines, until
from tests.stories.warm import quick_gateway
from tests.stories.world import Done, Gateway, World, at, ended, jobs

LONG = 300


class Stage:
    """A world, a gateway and a cluster."""

    def __init__(self, world: World, server: Gateway, cluster: Machines, count: int) -> None:
        self.world = world
        self.server = server
        self.cluster = cluster
        self.count = count
        self.manifest = world.write(jobs=jobs(count), **at(server, idempotency="replay"))

    def head(self) -> "subprocess.Popen[str]":
        """Begin a run at the cluster."""
        dask = ("--dask", self.cluster.address)
        return self.world.start("run", str(self.manifest), *dask, XENODIA_API_KEY=self.server.key)

    def stored(self) -> int:
        """How many pictures there are so far."""
        journal = self.world.batch().folder / ".batchgen/journal.db"
        return self.world.batch().kinds()["Stored"] if journal.exists() else 0

    def until_stored(self, share: float, head: "subprocess.Popen[str]") -> None:
        """Wait until so much of the batch is there, or the run has ended before that."""
        most = share * self.count
        until(lambda: self.stored() >= most or head.poll() is not None, f"{most:.0f} pictures are there", LONG)

    def finish(self) -> Done:
        """Run until all is there: a run that loses too many workers ends, and is gone on with by the next."""
        for _ in range(5):
            done = ended(self.head(), LONG)
            if done.code != 75:
                break
        return done

    def judge(self) -> None:
        """All pictures are there and whole, each job was paid for once, and the journal knows every task."""
        batch, tasks = self.world.batch(), self.world.batch().tasks()
        assert batch.kinds() == {"Stored": self.count}
        assert len(batch.whole()) == self.count
        assert all(len(each) == 1 for each in tasks.values())
        assert len(self.server.paid()) == self.count
        assert batch.strays() == []


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The stage, with as many jobs as the test says."""
    count = int(getattr(request, "param", 200))
    world = World(tmp_path / "world")
    with quick_gateway(tmp_path / "gateway", "replay") as server:
        patience = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s"}
        with machines(tmp_path / "cluster", XENODIA_API_KEY=server.key, **patience) as cluster:
            yield Stage(world, server, cluster, count)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", [200, pytest.param(2000, marks=pytest.mark.slow)], indirect=True)
def test_everything_dies_once(stage: Stage) -> None:
    """A worker is killed, then one with its nanny, then the scheduler; the run says so, and the next one ends it."""
    stage.cluster.start(3)
    head = stage.head()
    stage.until_stored(0.1, head)
    stage.cluster.kill_worker(0)
    stage.until_stored(0.3, head)
    stage.cluster.kill_machine(1)
    stage.until_stored(0.5, head)
    running = head.poll() is None
    stage.cluster.kill_scheduler()
    first = ended(head, LONG)
    if running and stage.stored() < stage.count:
        assert first.code == 75, first.text
        assert "run the same command again" in first.text
    stage.cluster.end()
    stage.cluster.start(2)
    done = stage.finish()
    assert done.code == 0, done.text
    stage.judge()


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.parametrize("stage", [120, 2000], indirect=True)
def test_a_worker_freezes_and_wakes(stage: Stage) -> None:
    """A worker that stands still is taken for dead, its jobs go on elsewhere, and it does no harm when it wakes."""
    stage.cluster.start(2)
    head = stage.head()
    stage.until_stored(0.1, head)
    frozen = stage.cluster.kill_worker(0, signal.SIGSTOP)
    stage.until_stored(0.6, head)
    if frozen is not None and frozen.is_running():
        frozen.send_signal(signal.SIGCONT)
    first = ended(head, LONG)
    assert first.code in {0, 75}, first.text
    done = stage.finish()
    assert done.code == 0, done.text
    stage.judge()
