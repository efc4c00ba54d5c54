"""What a journal of many jobs costs: `python -m tests.benchmarks.journal [JOBS]`. Seconds of CPU, and megabytes."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial

import anyio
import apsw

from batchgen.job import Draft, Request, draft
from batchgen.journal.codec import encode_milestone
from batchgen.journal.owing import RECOUNT
from batchgen.journal.record import SqliteRecord
from batchgen.lifecycle import Accepted, Generated, JobFailed, Milestone, Started, Stored
from batchgen.report.summary import summary
from tests.journal.desks import SqliteDesk
from tests.lives import asset

FAILED = 100
"""One job in so many has failed."""

LIFE = (Started(1, "bg-1", 40_000, 0.0), Accepted(1, "t", 40_000), Generated(1, "t", 40_000))
"""The middle of every job's life; it is the same for all of them."""


def drafts(count: int) -> Iterator[Draft]:
    """Different jobs."""
    for number in range(count):
        name = f"shoes/{number:07}"
        yield draft(name, Request("nano-banana-pro", f"A shoe on a rock by the sea, number {number}"), name)


def live(connection: apsw.Connection, run: int) -> None:
    """Bring every job to its end, set by set; one in a hundred has failed."""
    rest = f"number % {FAILED} > 0"
    stored = Stored(1, "t", 40_000, (asset("shoes/0000000.png"),))
    for position, (milestone, where) in enumerate(
        [
            *((each, "true") for each in LIFE),
            (stored, rest),
            (JobFailed(1, "refused", "content policy"), f"NOT {rest}"),
        ],
        start=1,
    ):
        reach(connection, min(position, len(LIFE) + 1), milestone, where=where, run=run)
    connection.execute("DELETE FROM totals WHERE standing <> ''")
    connection.execute(
        f"INSERT INTO totals SELECT model, standing, what, amount, seal(model, standing, what, amount) FROM ({RECOUNT})"
    )


def reach(connection: apsw.Connection, position: int, milestone: Milestone, *, where: str, run: int) -> None:
    """Append one milestone to many jobs, and make it their newest."""
    kind, body = type(milestone).__name__, encode_milestone(milestone)
    state = {"Stored": "stored", "JobFailed": "failed"}.get(kind, "running")
    connection.execute(
        f"""INSERT INTO milestones SELECT number, ?1, ?2, 0.0, ?3, 1, ?4, seal(number, ?1, ?2, 0.0, ?3, 1, ?4)
        FROM jobs WHERE {where}""",
        (position, run, kind, body),
    )
    connection.execute(
        f"UPDATE jobs SET head = ?1, kind = ?2, state = ?3, run = ?4 WHERE {where}", (position, kind, state, run)
    )


async def made(desk: SqliteDesk, count: int) -> None:
    """A finished batch."""
    async with desk.open() as journal:
        await journal.owe(drafts(count), "inputs")
        await journal._commits.do(partial(live, run=journal.run))
        journal._milestones += count * 4
        await journal.end(1, "made")


async def opened(desk: SqliteDesk, *, ended: bool) -> None:
    """Open for writing; without an end the next opening finds a killed run."""
    async with desk.open() as journal:
        if ended:
            await journal.end(0, "opened")


async def unchanged(desk: SqliteDesk, count: int) -> None:
    """The same expansion once more."""
    async with desk.open() as journal:
        await journal.owe(drafts(count), "inputs")
        await journal.end(0, "owed")


def status(desk: SqliteDesk) -> None:
    """What `status` reads."""
    with SqliteRecord(desk.path) as record:
        summary(record, desk.folder)


def command(desk: SqliteDesk) -> str:
    """`batchgen status`, from the start of the interpreter to its end."""
    words = [sys.executable, "-m", "batchgen", "status", desk.folder, "--journal", desk.path, "--json"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def read(desk: SqliteDesk) -> None:
    """What `export` reads."""
    with SqliteRecord(desk.path) as record:
        for _ in record.entries():
            pass


def measured(what: str, work: Callable[[], object]) -> None:
    """Do it and print what it took."""
    wall, cpu = time.perf_counter(), spent()
    work()
    print(f"{what:<34} {spent() - cpu:8.2f} s cpu {time.perf_counter() - wall:8.2f} s", flush=True)


def spent() -> float:
    """Seconds of CPU so far, of commands too."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main() -> None:
    """Measure a journal of the size that was asked for."""
    count = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        desk = SqliteDesk(folder)
        measured(f"make {count:,} jobs", lambda: anyio.run(made, desk, count))
        print(f"{'size':<34} {os.path.getsize(desk.path) / count / 1024:8.2f} KiB per job")
        measured("status", lambda: status(desk))
        measured("batchgen status, as a command", lambda: command(desk))
        measured("open after an end", lambda: anyio.run(partial(opened, desk, ended=False)))
        measured("open after a kill", lambda: anyio.run(partial(opened, desk, ended=True)))
        measured("owe the same again", lambda: anyio.run(unchanged, desk, count))
        measured("read every job", lambda: read(desk))
    print(f"{'peak memory':<34} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


if __name__ == "__main__":
    main()
