"""Batches to look at: a journal in a folder, and a desk over it without a server."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx
from PIL import Image

from batchgen.job import Asset, Draft, Request, draft
from batchgen.journal import Entry
from batchgen.journal.record import SqliteRecord
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, InDoubt, JobFailed, Milestone, Started, Stored
from batchgen.location import Location
from batchgen.report.thumbnails import Thumbnails
from batchgen.view.agreed import Agreed, reader
from batchgen.view.app import create_app
from batchgen.view.pages import Desk
from batchgen.view.watching import Batch, Watch
from tests.journal.desks import SqliteDesk

ORIGIN = "http://127.0.0.1:8780"
SINCE = 1_700_000_000.0


@dataclass
class Sight:
    """A batch folder with its journal, and a clock that the test moves."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / ".batchgen").mkdir(parents=True, exist_ok=True)
        self.journal = SqliteDesk(str(self.folder / ".batchgen"))
        self.now = SINCE
        self.opened = 0

    @property
    def location(self) -> Location:
        """Where it lives."""
        return Location(self.folder, "sight", Path(self.journal.path))

    @contextmanager
    def open(self, location: Location) -> Iterator[SqliteRecord]:
        """Its record; how often it was opened is counted."""
        self.opened += 1
        with SqliteRecord(str(location.journal)) as record:
            yield record

    def watch(self, source: str = "") -> Watch:
        """Somebody who watches it."""
        return Watch(
            Batch(self.location, self.open, reader(source) if source else lambda _: Agreed()), lambda: self.now
        )

    def spoil(self) -> None:
        """Put something else in the place of its journal."""
        Path(self.journal.path).write_bytes(b"no database" * 100)

    def picture(self, name: str, colour: str = "teal") -> Asset:
        """A picture in the batch folder."""
        data = io.BytesIO()
        Image.new("RGB", (64, 48), colour).save(data, "PNG")
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.getvalue())
        digest = sha256(data.getvalue()).hexdigest()
        return Asset(name, len(data.getvalue()), digest, digest, "image/png", 64, 48)

    async def run(
        self,
        drafts: list[Draft],
        lives: Mapping[str, list[Milestone]] | None = None,
        *,
        exit_code: int | None = 0,
        **more: list[Milestone],
    ) -> None:
        """A run that owes these and takes some of them, by id, along milestones; killed when it has no exit code."""
        async with self.journal.open() as journal:
            await journal.owe(drafts, "inputs")
            with SqliteRecord(self.journal.path) as record:
                owed = {each.job.id: each for each in record.entries()}
            for job_id, milestones in {**(lives or {}), **more}.items():
                for step, milestone in enumerate(milestones, start=1):
                    self.journal.now += 1
                    await journal.append([Entry(owed[job_id].job.number, owed[job_id].position + step, milestone)])
            if exit_code is not None:
                await journal.end(exit_code, "as told")


def asked(job_id: str, prompt: str = "a cube", **fields: str) -> Draft:
    """A job."""
    return draft(job_id, Request(fields.pop("model", "nano-banana-pro"), prompt, **fields), job_id)  # type: ignore[arg-type]


def begun(price: int = 40_000) -> list[Milestone]:
    """An attempt that was accepted."""
    return [Started(1, "bg-token", price, SINCE), Accepted(1, "task-1", price)]


def stored(*assets: Asset) -> list[Milestone]:
    """A life with a good end."""
    return [*begun(), Generated(1, "task-1", 40_000), Stored(1, "task-1", 40_000, assets)]


def refused(reason: str = "content policy") -> list[Milestone]:
    """A life with a bad one."""
    return [*begun(), AttemptFailed(1, "refused", reason, None), JobFailed(1, "refused", reason)]


def doubted() -> list[Milestone]:
    """A payment that may have happened."""
    return [Started(1, "bg-token", 40_000, SINCE), InDoubt(1, "bg-token", 40_000, SINCE, "no answer")]


@contextmanager
def looked_at(
    sight: Sight, source: str = "", where: tuple[str, ...] = ("m.yaml",)
) -> Iterator[tuple[httpx.AsyncClient, Desk]]:
    """A client of the pages of a batch; nothing listens anywhere."""
    with Thumbnails(sight.folder, 1) as thumbs:
        desk = Desk(sight.watch(source), thumbs, sight.location, source or str(sight.folder), where)
        yield httpx.AsyncClient(transport=httpx.ASGITransport(create_app(desk)), base_url=ORIGIN), desk
