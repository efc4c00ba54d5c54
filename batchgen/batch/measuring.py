"""How much room the disk of a batch has while its run goes on."""

from typing import Final

import anyio

from batchgen.store.space import free_bytes
from batchgen.watch import Tally

FREE_EVERY_SECONDS: Final = 5


async def measure(folder: str, tally: Tally) -> None:
    """Note what is free for the batch folder, again and again, until cancelled."""
    while True:
        tally.free_bytes = await anyio.to_thread.run_sync(free_bytes, folder)
        await anyio.sleep(FREE_EVERY_SECONDS)
