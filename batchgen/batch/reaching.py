"""The journal and the pictures of a batch as a worker reaches them, on the machine of the run or on another."""

import logging
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio

from batchgen.api import Order
from batchgen.batch.asked import nothing
from batchgen.batch.referring import shared_preparer
from batchgen.batch.seller import preparer
from batchgen.batch.ways import Ways
from batchgen.errors import SettingsError
from batchgen.job import Job
from batchgen.journal import Journal, unrecorded
from batchgen.store import Store
from batchgen.store.decode import Check

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reached:
    """What is at hand here. `prepare` builds the order of a job, and `folders` are those that must not fill up.

    `hidden` is where payments stand that the journal does not take any more.
    """

    journal: Journal
    store: Store
    prepare: Callable[[Job, str], Awaitable[Order]]
    hidden: str
    folders: tuple[str, ...]


@asynccontextmanager
async def reached(ways: Ways, check: Check, root: Path) -> AsyncIterator[Reached]:
    """Open journal and store here; references are read below `root`, or on another machine from beside the pictures.

    Raises:
        SettingsError: this process lacks something; the message names its host.
        JournalError: the run has ended.
    """
    async with AsyncExitStack() as stack:
        if not ways.apart:
            journal = await stack.enter_async_context(ways.journal(ways.hidden))
            store = await anyio.to_thread.run_sync(ways.kept.store, check)
            yield Reached(journal, store, preparer(root, nothing), ways.hidden, ways.folders)
            return
        folder = await stack.enter_async_context(_scratch())
        with at_worker():
            kept = replace(ways.kept, folder=folder)
            await kept.require_ours(ways.batch_id)
            store = await anyio.to_thread.run_sync(kept.store, check)
            await store.ready()
            journal = await stack.enter_async_context(ways.journal(folder))
        yield Reached(journal, store, shared_preparer(kept.references()), folder, (folder,))


@contextmanager
def at_worker() -> Iterator[None]:
    """What this process lacks is told with its host."""
    try:
        yield
    except SettingsError as lacking:
        raise SettingsError(f"at the worker on {socket.gethostname()}: {lacking}") from None
    except OSError as broken:
        raise SettingsError(
            f"at the worker on {socket.gethostname()}: {broken.strerror or type(broken).__name__}"
        ) from None


@asynccontextmanager
async def _scratch() -> AsyncIterator[str]:
    """A folder of this machine for pictures on their way; it goes with them, unless a payment stands in it."""
    folder = await anyio.to_thread.run_sync(partial(tempfile.mkdtemp, prefix="batchgen-"))
    try:
        yield folder
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_remove, folder)


def _remove(folder: str) -> None:
    if unrecorded.lines(folder):
        logger.critical("what was paid for and could not be recorded stands in %s/%s", folder, unrecorded.NAME)
    else:
        shutil.rmtree(folder, ignore_errors=True)
