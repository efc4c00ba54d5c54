"""Runs whose workers share no file with the machine that began them: all that they have is a server and a bucket."""
# ruff: noqa: ASYNC240  # a test may look at a folder

import os
import pickle
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from batchgen.batch import Unwatched
from batchgen.errors import SettingsError
from batchgen.lifecycle import Accepted
from batchgen.store.decode import Structure
from batchgen.terms import Rate
from tests.postgres import Cluster, cluster, missing
from tests.s3 import S3

if missing() and not os.environ.get("CI"):
    pytest.skip(missing(), allow_module_level=True)

import psycopg
from distributed import LocalCluster

from batchgen import watch
from batchgen.batch.outpost import tell_last
from batchgen.batch.reaching import reached
from batchgen.batch.storing import Keeping
from batchgen.batch.turns import Turns
from batchgen.batch.ways import Ways
from batchgen.engine import Post, Word
from batchgen.journal import Entry, unrecorded
from batchgen.journal.postgres.journal import Surroundings, open_journal
from batchgen.journal.postgres.rates import Rates, digest
from batchgen.journal.postgres.target import target
from tests.contracts.journal import ME
from tests.store.pictures import picture
from tests.stories.abroad import Abroad
from tests.stories.cluster import command
from tests.stories.warm import quick_gateway
from tests.stories.world import Gateway, World, at, ended, jobs

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster]:
    """A server in which `guarded` needs a password."""
    with cluster() as found:
        found.guard("guarded", "only-of-this-machine")
        yield found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Gateway]:
    """A provider that honours tokens."""
    with quick_gateway(tmp_path / "gateway", "replay") as found:
        yield found


@pytest.fixture
def abroad(
    tmp_path: Path, database: Cluster, s3: S3, server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Abroad]:
    """A batch to be carried by workers of which this machine is only the head."""
    found = Abroad(World(tmp_path / "world"), database.conninfo, s3, server)
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    yield found
    found.forget()


@pytest.fixture
async def workers() -> AsyncIterator[str]:
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


def asked(server: Gateway, count: int, **fields: Any) -> dict[str, Any]:
    """So many jobs at this provider."""
    return {"jobs": jobs(count, **fields), "output": {"check": "structure"}, **at(server, idempotency="replay")}


async def test_a_run_abroad(abroad: Abroad, workers: str) -> None:
    """Every job is bought once, its reference read from the bucket; a second run has nothing to do."""
    (abroad.world.root / "cup.png").write_bytes(picture(seed=3))
    manifest = abroad.write(**asked(abroad.server, 30, references=["cup.png"]))
    assert await command(manifest, workers, Unwatched(), store=abroad.store) == 0
    abroad.judge(30)
    assert await command(manifest, workers, Unwatched(), store=abroad.store) == 0
    abroad.judge(30)
    here = {path.name for path in abroad.batch.folder.rglob("*") if path.is_file()}
    assert not [name for name in here if name.endswith((".jpg", ".part"))]


async def test_caps_hold_abroad(abroad: Abroad, workers: str) -> None:
    """Workers that each write the journal themselves spend no more than the batch may cost."""
    budget = {"max_usd": 1, "prices": {"nano-banana-pro": 0.1}}
    manifest = abroad.write(**asked(abroad.server, 40), budget=budget)
    assert await command(manifest, workers, Unwatched(), store=abroad.store, max_pictures=100) == 4
    assert abroad.batch.kinds() == {"Stored": 10, "Planned": 30}
    assert len(abroad.server.paid()) == 10


async def test_several_processes_of_one_machine_write_the_server(abroad: Abroad) -> None:
    """With `--dask local`, too, each process writes the journal in PostgreSQL itself."""
    manifest = abroad.write(**asked(abroad.server, 12))
    words = ("run", str(manifest), "--store", abroad.store, "--dask", "local")
    done = await anyio.to_thread.run_sync(lambda: ended(abroad.world.start(*words, cwd=None, **abroad.environ), 300))
    assert done.code == 0, done.text
    abroad.judge(12)


async def test_two_runs_share_a_window(abroad: Abroad, tmp_path: Path) -> None:
    """Two batches that use one credential submit no more together than one of them may."""
    other = Abroad(World(tmp_path / "other"), abroad.conninfo, abroad.s3, abroad.server)
    credential = digest(abroad.server.url, abroad.server.key)
    count_all = Rates(abroad.conninfo, credential)
    await anyio.to_thread.run_sync(count_all.take, "", Rate(10**6, 3600), 1)  # so that nothing is forgotten meanwhile
    limits = {"rate": "20/2s", "expert": {"polls_per_second": 200}}
    runs = []
    for each in (abroad, other):
        manifest = each.write(**(asked(each.server, 30) | {"limits": limits}))
        runs.append(each.world.start("run", str(manifest), cwd=None, **each.environ))
    for run in runs:
        done = await anyio.to_thread.run_sync(ended, run, 300)
        assert done.code == 0, done.text
    query = """SELECT max(within), sum(count) FROM (SELECT count, sum(count) OVER (
        ORDER BY at RANGE BETWEEN interval '1999999 us' PRECEDING AND CURRENT ROW) AS within
        FROM batchgen.turns WHERE credential = %s) AS turns"""
    with psycopg.connect(abroad.conninfo) as by_hand:
        found = by_hand.execute(query, (credential,)).fetchone()
    assert found is not None
    most, turns = found
    assert most <= 20
    assert turns == 61
    await anyio.to_thread.run_sync(count_all.close)
    other.forget()


@pytest.fixture
async def ways(
    abroad: Abroad, database: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Ways]:
    """What a worker is told of a run that goes on, whose user has a password."""
    monkeypatch.setenv("PGPASSWORD", "only-of-this-machine")
    guarded = target(database.conninfo.replace("user=judge", "user=guarded"), abroad.name)
    async with open_journal(guarded, ME, Surroundings(str(tmp_path / "head")), verb="run") as journal:
        kept = Keeping(str(tmp_path / "head"), f"{abroad.store}/{abroad.name}")
        await kept.take(ME.batch_id)
        yield Ways(journal.joined(), kept, ME.batch_id, str(tmp_path / "head"), apart=True)


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ("PGPASSWORD", "PGPASSWORD, ~/.pgpass or PGSERVICE"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"),
    ],
)
async def test_what_a_worker_lacks_is_told(
    ways: Ways, monkeypatch: pytest.MonkeyPatch, lacking: str, named: str
) -> None:
    """A worker without a credential of server or bucket says which, and on which machine; nothing secret was sent."""
    sent = pickle.dumps(ways)
    for secret in ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "XENODIA_API_KEY"):
        assert os.environ[secret].encode() not in sent
    there = pickle.loads(sent)
    async with reached(there, Structure(), Path("/nowhere")) as found:
        assert await found.journal.reached(1) is None
    monkeypatch.delenv(lacking)
    with pytest.raises(SettingsError, match=f"at the worker on {os.uname().nodename}") as told:
        async with reached(there, Structure(), Path("/nowhere")):
            pass
    assert named in str(told.value)


async def test_another_place_of_the_same_name(ways: Ways, tmp_path: Path) -> None:
    """A worker that sees another folder or bucket than the head took brings no picture there."""
    for url in (f"file://{tmp_path}/elsewhere", f"{ways.kept.url}/beside"):
        other = replace(ways, kept=replace(ways.kept, url=url))
        with pytest.raises(SettingsError, match="not marked as its own"):
            async with reached(other, Structure(), Path("/nowhere")):
                pass


async def test_a_payment_that_no_journal_took(ways: Ways, caplog: pytest.LogCaptureFixture) -> None:
    """What a worker paid for and could not record is told to the head, and its folder stays; else it goes."""
    said: list[Word] = []
    async with reached(ways, Structure(), Path("/nowhere")) as found:
        assert os.path.isdir(found.hidden)
    assert not os.path.exists(found.hidden)
    async with reached(ways, Structure(), Path("/nowhere")) as found:
        unrecorded.keep(found.hidden, ways.batch_id, [Entry(1, 2, Accepted(1, "task-7", 40_000))])
        bench = SimpleNamespace(
            post=Post(said.append, 1.0), tally=watch.Tally(), turns=Turns(Post(said.append, 1.0)), at_hand=found
        )
        await tell_last(bench, apart=True)  # type: ignore[arg-type]
    [line] = said[-1]["paid"]
    assert "task-7" in line
    assert found.hidden in caplog.text
    shutil.rmtree(found.hidden)
