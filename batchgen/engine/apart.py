"""Waiting for Dask without disturbing it: what is cancelled is our waiting, and never what Dask is about.

Its calls answer a cancellation with one of their own, which no cancel scope knows for its own, and it would end more
than was meant.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Result = TypeVar("Result")


async def apart(asked: Awaitable[Result]) -> Result:
    """Wait for something that goes on to its end even if nobody waits for it any more."""
    task = asyncio.ensure_future(asked)
    task.add_done_callback(_seen)
    return await asyncio.shield(task)


def _seen(task: "asyncio.Future[Result]") -> None:
    """Take notice of how it ended, as nobody else may."""
    if not task.cancelled():
        task.exception()
