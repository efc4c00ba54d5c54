"""A run at the head of a cluster, as a program: `python -m tests.stories.cluster MANIFEST ADDRESS`."""

import json
import sys
from functools import partial
from pathlib import Path

import anyio

from batchgen.batch import Means, Observer, RunOptions, Unwatched, run
from batchgen.batch.ways import Ways
from batchgen.errors import BatchgenError
from batchgen.journal.sqlite import SqliteJournal
from batchgen.store.decode import Check
from batchgen.store.local import LocalStore
from tests.lent import Borrow, Lender


def local_store(folder: str, check: Check) -> LocalStore:
    """The store of every process."""
    return LocalStore(folder, check)


async def command(manifest: Path, address: str, observer: Observer, **options: object) -> int:
    """Carry a manifest's jobs at a cluster, the journal lent to its workers; says how it ended."""
    folder = manifest.parent / "outputs" / "story"
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra_attributes[anyio.abc.SocketAttribute.local_port]()
    async with listener, anyio.create_task_group() as group:

        def lend(journal: SqliteJournal) -> Ways:
            group.start_soon(listener.serve, Lender(journal).serve)
            return Ways(Borrow(port), partial(local_store, str(folder)), (str(folder),))

        given = RunOptions(str(manifest), dask=address, means=Means(ways=lend), **options)  # type: ignore[arg-type]
        try:
            ending = await run(given, observer)
            code, words = ending.exit_code, ending.reason
        except BatchgenError as error:
            code, words = error.exit_code, str(error)
        group.cancel_scope.cancel()
    sys.stdout.write(json.dumps({"code": code, "reason": words}) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(anyio.run(partial(command, Path(sys.argv[1]), sys.argv[2], Unwatched(), signals=True)))
