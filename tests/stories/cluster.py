"""A run at the head of a cluster, in this process."""

from pathlib import Path

from batchgen.batch import Observer, RunOptions, run
from batchgen.errors import BatchgenError


async def command(manifest: Path, address: str, observer: Observer, **options: object) -> int:
    """Carry a manifest's jobs at a cluster; says how it ended, as an exit code."""
    given = RunOptions(str(manifest), dask=address, **options)  # type: ignore[arg-type]
    try:
        return (await run(given, observer)).exit_code
    except BatchgenError as error:
        return error.exit_code
