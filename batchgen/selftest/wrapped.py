"""Journal, store, disk and provider with a moment before and after every call, and a note of what they promised."""

import inspect
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import apsw

from batchgen.api import Order, Provider, Receipt, Standing
from batchgen.job import Asset
from batchgen.journal import Caps, Entry, Progress
from batchgen.journal.writing import SqlJournal
from batchgen.label import Label
from batchgen.selftest.moments import Moments
from batchgen.selftest.platter import Platter
from batchgen.store import Saved, Slot, Store
from batchgen.store.disk import RealDisk
from batchgen.terms import Terms


@contextmanager
def around(moments: Moments, call: str) -> Iterator[None]:
    """A moment before a call and one after it."""
    moments.pass_by(f"before {call}")
    yield
    moments.pass_by(f"after {call}")


@dataclass(frozen=True, slots=True)
class MortalJournal:
    """A journal: every verb has its moments, and what `append` has acknowledged is noted."""

    journal: SqlJournal
    moments: Moments

    def __getattr__(self, name: str) -> Any:
        """Pass on; a verb that has to be awaited is one between two moments. `totals` changes nothing and has none."""
        found = getattr(self.journal, name)
        if name == "totals" or not inspect.iscoroutinefunction(found):
            return found

        async def verb(*given: Any, **named: Any) -> Any:
            with around(self.moments, f"journal.{name}"):
                return await found(*given, **named)

        return verb

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        """Pass on, a moment before each job."""
        async for progress in self.journal.unfinished(terms):
            self.moments.pass_by("before journal.unfinished")
            yield progress

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Pass on, between two moments, and note what is now promised to be durable."""
        kinds = "+".join(type(each.milestone).__name__ for each in entries)
        with around(self.moments, f"journal.append {kinds}"):
            await self.journal.append(entries, caps)
            for each in entries:
                self.moments.note(appended=[each.job, each.position, type(each.milestone).__name__])


@dataclass(frozen=True, slots=True)
class MortalStore:
    """A store; what it begins to save and what it has saved is noted."""

    store: Store
    moments: Moments

    async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
        """Pass on, between two moments."""
        with around(self.moments, "store.save"):
            self.moments.note(saving=[slot.job, slot.index])
            saved = await self.store.save(slot, chunks)
            self.moments.note(saved=[slot.job, slot.index])
            return saved

    async def find(self, job: int, stem: str, label: Label | None = None) -> tuple[Saved, ...]:
        """Pass on, between two moments."""
        with around(self.moments, "store.find"):
            return await self.store.find(job, stem, label)

    async def move(self, asset: Asset, stem: str) -> Saved:
        """Pass on, between two moments."""
        with around(self.moments, "store.move"):
            return await self.store.move(asset, stem)

    async def remove(self, name: str) -> None:
        """Pass on, between two moments."""
        with around(self.moments, "store.remove"):
            await self.store.remove(name)


@dataclass(frozen=True, slots=True)
class MortalProvider:
    """A provider."""

    provider: Provider
    moments: Moments

    async def submit(self, order: Order) -> Receipt:
        """Pass on, between two moments, and note what was bought."""
        with around(self.moments, "provider.submit"):
            receipt = await self.provider.submit(order)
            self.moments.note(bought=receipt.task_id)
            return receipt

    async def status(self, task_id: str) -> Standing:
        """Pass on, between two moments."""
        with around(self.moments, "provider.status"):
            return await self.provider.status(task_id)

    def download(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Pass on, a moment before and after, and one at every chunk."""
        return self._download(url)

    @asynccontextmanager
    async def _download(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        with around(self.moments, "provider.download"):
            async with self.provider.download(url) as chunks:
                yield self._chunks(chunks)

    async def _chunks(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.moments.pass_by("before provider.chunk")
            yield chunk


@dataclass(frozen=True, slots=True)
class MortalDisk(RealDisk):
    """The disk of the store."""

    moments: Moments

    def write(self, fd: int, data: bytes) -> None:
        """Pass on, between two moments."""
        with around(self.moments, "disk.write"):
            RealDisk.write(self, fd, data)

    def sync(self, fd: int) -> None:
        """Pass on, between two moments."""
        with around(self.moments, "disk.sync"):
            RealDisk.sync(self, fd)

    def link(self, source: str, target: str) -> None:
        """Pass on, between two moments."""
        with around(self.moments, "disk.link"):
            RealDisk.link(self, source, target)

    def sync_dir(self, path: str) -> None:
        """Pass on, between two moments."""
        with around(self.moments, "disk.sync_dir"):
            RealDisk.sync_dir(self, path)


def fsync(moments: Moments, platter: Platter) -> Callable[[int], None]:
    """An `os.fsync` that tells the platter: a sync that the program forgets is forgotten here too."""

    def sync(descriptor: int) -> None:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
        with around(moments, f"fsync {name if name in _KNOWN else 'other'}"):
            platter.synced(descriptor)

    return sync


_KNOWN = {"epoch.new", "report.json.part", "paid.jsonl", ".batchgen", "parts", "outputs"}


class MortalSqlite(apsw.VFS):
    """SQLite's files, as the default of this process: a moment at every write and sync, which the platter is told."""

    def __init__(self, moments: Moments, platter: Platter) -> None:
        self.moments, self.platter = moments, platter
        super().__init__("batchgen-selftest", "unix", makedefault=True)

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """Watch a file, unless it is a temporary one."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:
            return apsw.VFSFile("unix", name, flags)
        journal = flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL)
        return _MortalFile(self, path, flags, named=not journal or os.path.exists(path))

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        """Remove a name, durably if that is asked for."""
        self.moments.pass_by("before sqlite.delete")
        super().xDelete(filename, syncdir)
        if syncdir:
            self.platter.folder_synced(os.path.dirname(filename))


class _MortalFile(apsw.VFSFile):
    """A file of SQLite's. `named`: its name is not SQLite's to make durable, or already is."""

    def __init__(self, disk: MortalSqlite, path: str, flags: list[int], *, named: bool) -> None:
        self._disk, self._path, self._named = disk, path, named
        super().__init__("unix", path, flags)

    def xLock(self, level: int) -> None:  # noqa: N802
        try:
            super().xLock(level)
        except apsw.IOError as refused:  # a file open for reading cannot be locked for good; SQLite minds it no more
            raise apsw.BusyError("open for reading") from refused

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.moments.pass_by("before sqlite.write")
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.moments.pass_by("before sqlite.truncate")
        super().xTruncate(newsize)

    def xSync(self, _flags: int) -> None:  # noqa: N802
        with around(self._disk.moments, "sqlite.sync"):
            self._disk.platter.file_synced(self._path, self.xRead(self.xFileSize(), 0))
            if not self._named:  # with the first sync of a log that it has made, SQLite syncs its folder too
                self._named = True
                self._disk.platter.folder_synced(os.path.dirname(self._path))
