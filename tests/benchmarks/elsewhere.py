"""What a picture costs where journal and pictures are elsewhere.

`python -m tests.benchmarks.elsewhere [JOBS [PICTURES]]`

CPU of who writes and of PostgreSQL itself, and bytes; servers of this machine, so the network costs nothing here.
"""

import io
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import numpy as np
import psutil
import psycopg
from PIL import Image

from batchgen.journal import Entry, Journal
from batchgen.lifecycle import Milestone, Stored
from batchgen.store import Slot
from batchgen.store.bucket import Bucket
from batchgen.store.decode import Decoder, Structure
from batchgen.store.objects import BucketStore
from tests.benchmarks.journal import LIFE, drafts
from tests.journal.postgres_desk import PostgresDesk
from tests.lives import asset
from tests.postgres import Cluster, cluster
from tests.s3 import s3_server

JOBS, PICTURES = 5_000, 100
CROWDS = (200, 10)
"""Jobs under way at a time: what is written at the same time shares a commit."""

UPLOADS = 16
"""Pictures under way at a time."""

WIDE, HIGH = 800, 640
"""Of noise, so that the file has 1.5 MB."""


@dataclass
class Spent:
    """Seconds of CPU: of this process, and of a server's processes."""

    here: float = 0.0
    there: float = 0.0


@contextmanager
def spending(server: psutil.Process) -> Iterator[Spent]:
    """What the block costs here and there."""
    spent = Spent()
    here, there = time.process_time(), used(server)
    yield spent
    spent.here, spent.there = time.process_time() - here, used(server) - there


def used(server: psutil.Process) -> float:
    """Seconds of CPU of a process and of all that it started."""
    return sum(sum(each.cpu_times()[:2]) for each in (server, *server.children(recursive=True)))


async def journal(count: int, crowd: int) -> None:
    """Bring so many jobs to their end in PostgreSQL, in three commits each, `crowd` of them at a time."""
    with cluster() as server, tempfile.TemporaryDirectory() as folder:
        process = psutil.Process(int(Path(server.folder, "data/postmaster.pid").read_text().split()[0]))
        desk = PostgresDesk(server.conninfo, folder)
        async with desk.open() as opened:
            empty = size(server)
            await opened.owe(drafts(count), "inputs")
            numbers = list(range(1, count + 1))
            before = size(server)
            with spending(process) as spent:
                async with anyio.create_task_group() as group:
                    for first in range(crowd):
                        group.start_soon(lives, opened, numbers[first::crowd])
            planned, whole = (before - empty) / count, (size(server) - empty) / count
            await opened.end(0, "made")
        print(f"a job in PostgreSQL, {crowd} at a time")
        print(f"                      {spent.here / count * 1000:.2f} ms of CPU at who writes")
        print(f"                      {spent.there / count * 1000:.2f} ms of CPU at the server")
        print(f"                      {whole / 1000:.1f} kB on its disk, {planned / 1000:.1f} of them when planned")


async def lives(opened: Journal, numbers: list[int]) -> None:
    """One job after another, from Started to Stored."""
    for number in numbers:
        stored = Stored(1, f"t{number}", 40_000, (asset(f"shoes/{number:07}.png"),))
        steps: list[list[Milestone]] = [[LIFE[0]], [LIFE[1]], [LIFE[2], stored]]
        position = 0
        for step in steps:
            await opened.append([Entry(number, position := position + 1, each) for each in step])


def size(server: Cluster) -> int:
    """Bytes of the database."""
    with psycopg.connect(server.conninfo) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


async def store(count: int) -> None:
    """Bring so many pictures to an object store."""
    file = io.BytesIO()
    Image.frombytes("RGB", (WIDE, HIGH), os.urandom(3 * WIDE * HIGH)).save(file, "PNG")
    data = file.getvalue()
    with tempfile.TemporaryDirectory() as folder, s3_server(Path(folder) / "s3") as server:
        server.bucket("pictures")
        bucket = BucketStore(Bucket("s3://pictures", server.store("pictures")), folder, Structure())
        await bucket.ready()
        limit = anyio.CapacityLimiter(UPLOADS)

        async def bring(number: int) -> None:
            async with limit:
                saved = await bucket.save(Slot(number, f"{number:07}"), pieces(data))
                await bucket.remove(saved.proof)

        began = time.process_time()
        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(bring, number)
        spent = time.process_time() - began
    print(f"a picture to S3       {spent / count * 1000:.1f} ms of CPU at who brings it, {len(data) / 1e6:.1f} MB")


async def decoded(name: str, data: bytes) -> None:
    """Judge a picture by decoding it, thumbnail included, as a run does before it is stored."""
    me, times = psutil.Process(), 20
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        async with Decoder() as decoder:
            await decoder.check(file.name)
            with spending(me) as spent:
                for _ in range(times):
                    await decoder.check(file.name)
    print(f"{name:21} {spent.there / times * 1000:.0f} ms of CPU to decode, {len(data) / 1e6:.1f} MB")


def painted(size: int, kind: str) -> bytes:
    """A picture with the grain of a photograph."""
    chance = np.random.default_rng(1)
    rough = Image.fromarray(chance.integers(0, 256, (size // 8, size // 8, 3), dtype=np.uint8))
    smooth = np.asarray(rough.resize((size, size))).astype(np.int16)
    grain = chance.integers(-6, 7, (size, size, 3))
    file = io.BytesIO()
    Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)).save(file, kind)
    return file.getvalue()


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """The data as they arrive."""
    for at in range(0, len(data), 65536):
        yield data[at : at + 65536]


if __name__ == "__main__":
    if os.environ.get("BATCHGEN_TEST_S3") or len(sys.argv) > 3:
        sys.exit(__doc__)
    jobs, pictures = (*map(int, sys.argv[1:]), *(JOBS, PICTURES)[len(sys.argv) - 1 :])
    for each in CROWDS:
        anyio.run(journal, jobs, each)
    anyio.run(store, pictures)
    for each, kind in ((1024, "PNG"), (2048, "JPEG")):
        anyio.run(decoded, f"a {kind} of {each} x {each}", painted(each, kind))
