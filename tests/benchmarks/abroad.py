"""How fast 1, 2 and 3 workers carry a batch, against one process: `python -m tests.benchmarks.abroad [JOBS]`.

All arms use the same gateway, PostgreSQL (which syncs) and object store, on this machine: where its cores are fewer
than the processes, the clock says more of it than of them, and the CPU of a picture is what can be carried over. There
are 600 jobs if nothing else is said.
"""

import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.postgres import cluster
from tests.s3 import S3, s3_server
from tests.stories.abroad import Abroad
from tests.stories.machines import Machines, machines
from tests.stories.warm import quick_gateway
from tests.stories.world import Gateway, World, at, ended, jobs

LONG = 3600
SPAN = "SELECT max(at) - min(at) FROM milestones WHERE kind IN ('Started', 'Stored')"


@dataclass(frozen=True)
class Stage:
    """What all arms stand on."""

    home: Path
    conninfo: str
    s3: S3
    server: Gateway


def used(made: Machines) -> float:
    """CPU of all workers so far."""
    found = [each for nanny in made.nannies if (each := made.worker(nanny)) is not None]
    return sum(sum(each.cpu_times()[:2]) for each in found)


def head_used() -> float:
    """CPU of all commands that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def arm(stage: Stage, workers: int, count: int) -> float:
    """One batch by so many workers, 0 for the process that was asked; pictures a second, and the row of a table."""
    abroad = Abroad(World(stage.home / f"{workers}-{time.monotonic_ns()}"), stage.conninfo, stage.s3, stage.server)
    limits = {"limits": {"rate": "none", "in_flight": 96, "expert": {"polls_per_second": 1000}}}
    provider = at(stage.server, idempotency="replay") | limits
    manifest = abroad.write(jobs=jobs(count), output={"check": "structure"}, **provider)
    words = ["run", str(manifest), "--store", abroad.store]
    with machines(abroad.world.root / "cluster", **abroad.environ) as made:
        if workers:
            made.start(workers)
            words += ["--dask", made.address]
        before = head_used()
        process = abroad.world.start(*words, cwd=None, **abroad.environ)
        began = 0.0
        while process.poll() is None and not (began := used(made) if workers else 1.0):
            time.sleep(0.2)  # the workers are there once they have used anything
        done = ended(process, LONG)
        carried = used(made) - began if workers else 0.0
        assert done.code == 0, done.text
    seconds = float(abroad.batch._rows(SPAN)[0][0])
    head = head_used() - before
    print(
        f"| {workers or 'this process'} | {count / seconds:6.1f} | {1000 * head / count:6.1f} "
        f"| {1000 * carried / count:6.1f} |",
        flush=True,
    )
    abroad.forget()
    return count / seconds


def main(count: int) -> None:
    """All arms, one after the other."""
    real = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB", "max_connections": "100"}
    with tempfile.TemporaryDirectory() as folder, cluster(real) as database:
        home = Path(folder)
        (home / "s3").mkdir()
        with s3_server(home / "s3") as s3, quick_gateway(home / "gateway", "replay") as server:
            stage = Stage(home, database.conninfo, s3, server)
            print(f"{psutil.cpu_count()} cores, {count} jobs\n")
            print("| workers | pictures/s | ms of CPU a picture: the command | the workers |\n|---|---|---|---|")
            alone = arm(stage, 0, count)
            for workers in (1, 2, 3):
                print(f"    {arm(stage, workers, count) / alone:.2f} of one process")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 600)
