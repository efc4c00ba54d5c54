"""A run whose jobs are carried in other processes: they are given ways to all that they share, and then the jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from batchgen.batch.command import Command
from batchgen.batch.experience import known_durations
from batchgen.batch.headquarters import carry_elsewhere
from batchgen.batch.referring import share
from batchgen.batch.storing import pictures_of
from batchgen.batch.ways import Ways, apart, shared_by
from batchgen.errors import SettingsError
from batchgen.job import Job
from batchgen.journal import Joining
from batchgen.journal.lent import lent
from batchgen.journal.writing import SqlJournal
from batchgen.lifecycle import Accepted, Generated


async def carry_at_cluster(command: Command) -> None:
    """Carry everything unfinished at the workers of a cluster, as far as it goes in this run.

    Raises:
        Unfinished: the cluster is gone.
        BatchgenError: a worker could not begin, or could not go on.
    """
    asked, dask = command.asked, command.options.dask
    assert dask is not None
    known = await anyio.to_thread.run_sync(known_durations, asked.location)
    async with _opened_elsewhere(command.journal) as joining:
        ways = _ways(command, joining, dask)
        if ways.apart:
            await _share_references(command, ways)
        await carry_elsewhere(command, dask, ways, known)


@asynccontextmanager
async def _opened_elsewhere(journal: SqlJournal) -> AsyncIterator[Joining]:
    """How other processes open the journal: themselves where they may, else through this one."""
    joining = journal.joined()
    if joining is not None:
        yield joining
        return
    async with lent(journal) as borrow:
        yield borrow


def _ways(command: Command, joining: Joining, dask: str) -> Ways:
    asked, location = command.asked, command.asked.location
    return Ways(
        joining,
        pictures_of(location, max_bytes=asked.manifest.terms.limits.expert.max_bytes),
        command.journal.identity.batch_id,
        str(location.hidden),
        (str(location.folder), str(location.journal.parent)),
        apart(dask, shared_by(asked, signed=False)),
    )


async def _share_references(command: Command, ways: Ways) -> None:
    """Put what jobs refer to beside the pictures, where workers on other machines read it."""
    try:
        await share(_to_be_sent(command), command.asked.manifest.root, ways.kept.references())
    except ConnectionError:
        raise
    except OSError as broken:
        raise SettingsError(f"{broken.strerror or broken}; mend that, references are shared there") from None


async def _to_be_sent(command: Command) -> AsyncIterator[Job]:
    async for progress in command.journal.unfinished(command.asked.manifest.terms):
        if not isinstance(progress.milestone, Accepted | Generated):
            yield progress.job
