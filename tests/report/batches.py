"""Whole batches on the disk without a run: owed by a manifest, their pictures written, their lives recorded."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import anyio
from PIL import Image

from batchgen.batch.asked import RunOptions, asked
from batchgen.errors import FailureClass
from batchgen.expansion import expanded
from batchgen.job import Asset
from batchgen.journal import Entry, Journal, Progress, Selection
from batchgen.journal.record import SqliteRecord
from batchgen.journal.schema import Machine
from batchgen.journal.sqlite import open_journal
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, InDoubt, JobFailed, Milestone, Started, Stored
from batchgen.picture import sniff

PRICE = 134_000
COLOURS = ("red", "gold", "green", "blue", "white", "grey")

Fate = Callable[[int], "bytes | FailureClass | None"]
"""What becomes of the n-th job: its picture, why it failed, or None for a payment in doubt."""


@dataclass
class Clock:
    """A clock that moves whenever it is read."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        """A quarter of a second later each time."""
        self.now += 0.25
        return self.now


@cache
def picture(number: int, side: int = 48) -> bytes:
    """A small JPEG, another one for each number."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), COLOURS[number % len(COLOURS)]).save(out, "JPEG")
    return out.getvalue() + b"%d" % number


def manifest(root: Path, rows: int, **keys: Any) -> Path:
    """A manifest of a table with so many rows, each seen from two sides."""
    (root / "outputs").mkdir(parents=True, exist_ok=True)
    lines = (f"{number:05},{COLOURS[number % len(COLOURS)]},{number}.50" for number in range(rows))
    (root / "t.csv").write_text("sku,colour,price\n" + "".join(f"{line}\n" for line in lines))
    path = root / "m.yaml"
    told = {
        "batchgen": 1,
        "name": "autumn",
        "provider": "local",
        "rows": {"from": "t.csv", "id": "{{ sku }}"},
        "prompts": {
            "front": "A {{ colour }} boot from the front, number {{ sku }}",
            "side": "A {{ colour }} boot seen from its left side, number {{ sku }}",
        },
        "models": {"pro": {"model": "nano-banana-pro", "output_format": "jpg"}},
        **keys,
    }
    path.write_text(json.dumps(told))
    return path


def build(path: Path, fate: Fate = picture) -> Path:
    """Bring every job of a manifest to its end; returns the batch folder.

    In a thread of its own, since a browser's event loop may be running in this one.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, _build, path, fate).result()


async def _build(path: Path, fate: Fate) -> Path:
    read = asked(RunOptions(str(path)))
    folder = read.location.folder
    with expanded(read.manifest) as expansion:
        async with open_journal(
            str(read.location.journal), read.identity(), verb="run", machine=Machine(Clock())
        ) as journal:
            await journal.owe(expansion.scratch, expansion.inputs)
            with SqliteRecord(str(read.location.journal)) as record:
                todo = list(record.entries(Selection(states=frozenset({"queued"}))))
            for first in range(0, len(todo), 500):
                async with anyio.create_task_group() as group:
                    for each in todo[first : first + 500]:
                        group.start_soon(journal.append, list(_life(folder, each, fate(each.job.number - 1))))
            exit_code, reason = await _verdict(journal)
            await journal.end(exit_code, reason)
    return folder


async def _verdict(journal: Journal) -> tuple[int, str]:
    counts = (await journal.totals()).counts
    if counts["failed"]:
        return 1, "some pictures failed for good"
    return (3, "some payments are in doubt") if counts["in_doubt"] else (0, "everything is there")


def _life(folder: Path, progress: Progress, fate: "bytes | FailureClass | None") -> Iterator[Entry]:
    for position, milestone in enumerate(_milestones(folder, progress, fate), start=progress.position + 1):
        yield Entry(progress.job.number, position, milestone)


def _milestones(folder: Path, progress: Progress, fate: "bytes | FailureClass | None") -> Iterator[Milestone]:
    token, task = f"bg-{progress.job.number}", f"task_{progress.job.number}"
    yield Started(1, token, PRICE, 0.0)
    if fate is None:
        yield InDoubt(1, token, PRICE, 0.0, "request sent, no answer")
        return
    yield Accepted(1, task, PRICE)
    if isinstance(fate, bytes):
        yield Generated(1, task, PRICE)
        yield Stored(1, task, PRICE, (written(folder, progress.job.path, fate),))
        return
    yield AttemptFailed(1, fate, "the provider's content policy said no", 0)
    yield JobFailed(1, fate, "the provider's content policy said no")


def written(folder: Path, stem: str, data: bytes) -> Asset:
    """A picture in the batch folder."""
    found = sniff(data)
    assert found is not None
    name = f"{stem}.{found.extension}"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return Asset(name, len(data), digest, digest, found.media_type, found.width, found.height)
