"""Reference files for workers that have no file of this machine: shared once by hash, read from there by each job."""

from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import anyio

from batchgen.api import Order, wire
from batchgen.errors import Unfinished
from batchgen.job import FileReference, Job, UrlReference
from batchgen.manifest.references import read_reference
from batchgen.store.references import References


async def share(jobs: AsyncIterable[Job], root: Path, references: References) -> int:
    """Put the files that jobs refer to where every worker can read them, each once. Returns how many there are.

    Raises:
        OSError: the place failed.
    """
    shared: set[str] = set()
    async for job in jobs:
        for each in job.request.references:
            if isinstance(each, FileReference) and each.sha256 not in shared:
                with suppress(Unfinished):  # no longer what was planned: its jobs say so when they come to it
                    data = await anyio.to_thread.run_sync(read_reference, root, each)
                    shared.add(await references.put(data, each.media_type))
    return len(shared)


def shared_preparer(
    references: References, signed: Callable[[str], str | None] = lambda _: None
) -> Callable[[Job, str], Awaitable[Order]]:
    """Builds the order of a job from shared references; `signed` gives a URL with the signature that was not kept."""

    async def prepare(job: Job, token: str) -> Order:
        named = job.request.references
        urls = {
            each.url: whole
            for each in named
            if isinstance(each, UrlReference) and each.signed and (whole := signed(each.url))
        }
        files = {each.path: await _read(references, each) for each in named if isinstance(each, FileReference)}
        return wire.order(job, token, files=files, urls=urls)

    return prepare


async def _read(references: References, reference: FileReference) -> bytes:
    try:
        return await references.read(reference.sha256)
    except ConnectionError:
        raise
    except OSError as error:
        raise Unfinished(f"`{reference.path}`: {error.strerror or error}") from None
