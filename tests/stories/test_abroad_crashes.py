"""Workers, scheduler and database server die while a batch is carried abroad: nothing is lost, nothing paid twice."""

import bisect
import hashlib
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster, cluster, missing
from tests.s3 import S3
from tests.stories.machines import Machines, machines, until
from tests.stories.warm import quick_gateway
from tests.stories.world import Done, World, at, ended, jobs

if missing() and not os.environ.get("CI"):
    pytest.skip(missing(), allow_module_level=True)

from tests.stories.abroad import Abroad

pytestmark = pytest.mark.timeout(1800)

LONG = 900
PRICE_USD = 0.134
ON_THE_WAY = 24
"""So many submits may have been given their turn and wait for the journal: the slots of all workers."""


class Stage:
    """A batch, a cluster of machines and a database server, all to be hurt."""

    def __init__(self, abroad: Abroad, cluster: Machines, database: Cluster, count: int) -> None:
        self.abroad = abroad
        self.cluster = cluster
        self.database = database
        self.count = count

    def ask(self, tokens: str, rate: str = "none") -> None:
        """Write the manifest: the budget is what the pictures cost, and not a cent more."""
        keys = at(self.abroad.server, idempotency=tokens)
        self.rate = rate
        keys["limits"] |= {"rate": rate, "in_flight": 48}
        keys["limits"]["expert"] |= {"submit_slots": 8, "submit_slots_most": 16}
        budget = {"max_usd": round(self.count * PRICE_USD, 3), "prices": {"nano-banana-pro": PRICE_USD}}
        self.manifest = self.abroad.write(jobs=jobs(self.count), output={"check": "structure"}, budget=budget, **keys)

    def head(self) -> "subprocess.Popen[str]":
        """Begin a run at the cluster."""
        words = ("--dask", self.cluster.address, "--store", self.abroad.store, "--max-pictures", str(2 * self.count))
        return self.abroad.world.start("run", str(self.manifest), *words, cwd=None, **self.abroad.environ)

    def stored(self) -> int:
        """How many pictures there are so far."""
        try:
            return self.abroad.batch.kinds()["Stored"]
        except Exception:  # not yet there, or just being started again
            return 0

    def until_stored(self, share: float, head: "subprocess.Popen[str]") -> None:
        """Wait until so much of the batch is there, or the run has ended before that."""
        most = share * self.count
        until(lambda: self.stored() >= most or head.poll() is not None, f"{most:.0f} pictures are there", LONG)

    def restart_server(self) -> None:
        """Let the database server crash, and start it again."""
        self.database.stop("immediate")
        self.database.start()

    def finish(self) -> Done:
        """Run until all is there: a run that loses too much ends, and is gone on with by the next."""
        for _ in range(6):
            done = ended(self.head(), LONG)
            if done.code not in {75, 5}:
                break
        return done

    def judge(self) -> None:
        """Nothing is lost, nothing was paid twice, and all that there is agrees with the journal."""
        self.abroad.judge(self.count)
        words = ("verify", str(self.manifest), "--store", self.abroad.store)
        said = ended(self.abroad.world.start(*words, cwd=None, **self.abroad.environ), LONG)
        assert said.code == 0, said.text

    def judge_rate(self) -> None:
        """No more came than a window allows, as seen from the provider: half of it leaves room for delays."""
        count, seconds = (int(each.rstrip("s")) for each in self.rate.split("/"))
        assert self.most_at_once(seconds / 2) <= count + ON_THE_WAY

    def most_at_once(self, seconds: float) -> int:
        """The most submits that reached the provider in any window of this length."""
        times = sorted(float(paid["at"]) for paid in self.abroad.server.paid())
        return max(bisect.bisect_left(times, each + seconds) - place for place, each in enumerate(times))


@pytest.fixture
def stage(tmp_path: Path, s3: S3, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The stage, with as many jobs and such tokens as the test says."""
    count, tokens = getattr(request, "param", (150, "replay"))
    with quick_gateway(tmp_path / "gateway", tokens) as server, cluster() as database:
        abroad = Abroad(World(tmp_path / "world"), database.conninfo, s3, server)
        patience = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s"}
        with machines(tmp_path / "cluster", **abroad.environ, **patience) as made:
            yield Stage(abroad, made, database, count)


def programme(*sizes: tuple[int, str]) -> pytest.MarkDecorator:
    """So many jobs, with such tokens; the long ones are marked."""
    marks = {True: [pytest.mark.slow], False: []}
    given = [pytest.param(each, marks=marks[each[0] > 500], id=f"{each[0]}-{each[1]}") for each in sizes]
    return pytest.mark.parametrize("stage", given, indirect=True)


@programme((120, "replay"), (2000, "replay"))
def test_everything_dies_once(stage: Stage) -> None:
    """A worker, a machine, the database server and the scheduler are killed; the next run ends the batch."""
    stage.ask("replay", "60/5s" if stage.count < 500 else "100/5s")
    stage.cluster.start(3)
    head = stage.head()
    stage.until_stored(0.1, head)
    stage.cluster.kill_worker(0)
    stage.until_stored(0.25, head)
    stage.restart_server()
    stage.until_stored(0.4, head)
    stage.cluster.kill_machine(1)
    stage.until_stored(0.6, head)
    stage.cluster.kill_scheduler()
    first = ended(head, LONG)
    assert first.code in {0, 75}, first.text[-700:]
    stage.cluster.end()
    stage.cluster.start(2)
    done = stage.finish()
    assert done.code == 0, done.text
    stage.judge()
    stage.judge_rate()


@pytest.mark.slow
@programme((2000, "replay"))
def test_a_worker_stands_still_for_a_minute(stage: Stage) -> None:
    """A worker that is frozen in the middle of everything keeps nobody waiting, and does no harm when it wakes."""
    stage.ask("replay", "100/5s")
    stage.cluster.start(3)
    head = stage.head()
    stage.until_stored(0.1, head)
    before = stage.stored()
    frozen = stage.cluster.kill_worker(0, signal.SIGSTOP)
    with pytest.raises(AssertionError):
        until(lambda: head.poll() is not None, "a minute is over", 60)
    assert stage.stored() > before
    if frozen is not None and frozen.is_running():
        frozen.send_signal(signal.SIGCONT)
    first = ended(head, LONG)
    assert first.code in {0, 75}, first.text[-700:]
    done = stage.finish()
    assert done.code == 0, done.text
    stage.judge()
    stage.judge_rate()


@pytest.mark.slow
@programme((2000, "replay"))
def test_the_server_is_started_again_five_times(stage: Stage) -> None:
    """However often the database server crashes, the run waits for it and goes on."""
    stage.ask("replay", "100/5s")
    stage.cluster.start(3)
    head = stage.head()
    for share in (0.1, 0.25, 0.4, 0.55, 0.7):
        stage.until_stored(share, head)
        stage.restart_server()
    first = ended(head, LONG)
    assert first.code == 0, first.text
    stage.judge()
    stage.judge_rate()


@pytest.mark.slow
@programme((2000, "replay"))
def test_the_head_dies(stage: Stage) -> None:
    """When the head is killed its workers stop by themselves; the batch is held for half a minute, and then goes on."""
    stage.ask("replay")
    stage.cluster.start(3)
    head = stage.head()
    stage.until_stored(0.3, head)
    head.kill()
    ended(head, LONG)
    refused = ended(stage.head(), LONG)
    assert refused.code in {0, 75}, refused.text
    until(lambda: ended(stage.head(), LONG).code == 0, "the batch is not held any more, and carried to its end", LONG)
    stage.judge()


@pytest.mark.slow
@programme((2000, "none"))
def test_where_nothing_is_promised(stage: Stage) -> None:
    """Without tokens nothing is paid twice either, and every payment that may have happened is listed."""
    stage.ask("none")
    stage.cluster.start(3)
    head = stage.head()
    for share, which in ((0.1, 0), (0.3, 1), (0.5, 2)):
        stage.until_stored(share, head)
        stage.cluster.kill_worker(which)
    stage.until_stored(0.7, head)
    stage.cluster.kill_machine(0)
    ended(head, LONG)
    done = stage.finish()
    assert done.code in {0, 3}, done.text
    batch = stage.abroad.batch
    assert batch.kinds().keys() <= {"Stored", "InDoubt"}
    assert batch.kinds().total() == stage.count
    assert len(batch.whole()) == batch.kinds()["Stored"]
    assert batch.strays() == []
    paid = Counter(each["prompt_sha256"] for each in stage.abroad.server.paid())
    assert set(paid.values()) == {1}
    listed = ended(stage.abroad.world.start("resolve", str(stage.manifest), "--json", cwd=None, **stage.abroad.environ))
    doubts = {json.loads(line)["id"] for line in listed.out.splitlines()}
    assert doubts == {name for name, (kind, _) in batch.heads().items() if kind == "InDoubt"}
    known = set().union(*batch.tasks().values())
    orphans = {each["prompt_sha256"] for each in stage.abroad.server.paid() if each["task_id"] not in known}
    asked = {hashlib.sha256(each["prompt"].encode()).hexdigest(): each["id"] for each in jobs(stage.count)}
    assert {asked[each] for each in orphans} <= doubts
