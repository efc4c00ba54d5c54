"""Fetches references that came as addresses, if the gateway was told to; every hop is guarded.

The guarded download of batchgen's client is used, because what may be fetched must be decided in one place.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

import anyio

from batchgen.api import wire
from batchgen.api.network import Door, Network, Timeouts
from batchgen.api.pictures import Pictures, Resolve, resolve
from batchgen.errors import BatchgenError
from batchgen.guard import Policy
from batchgen.picture import sniff

SECONDS: Final = 15.0
_TIMEOUTS: Final = Timeouts(connect=5, picture_answer=10, picture=SECONDS)


class Fetcher:
    """Fetches reference pictures; an async context manager.

    Args:
        policy: which addresses may be asked.
        resolver: turns a host into addresses.
    """

    def __init__(self, policy: Policy, resolver: Resolve = resolve) -> None:
        door = Door(Network(timeouts=_TIMEOUTS))
        self._pictures = Pictures(door, policy, max_bytes=wire.REFERENCE_BYTES, resolver=resolver)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._pictures)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def fetch(self, urls: Sequence[str]) -> list[bytes | None]:
        """The pictures at these addresses in order, all at once; None where there is none to be had."""
        found: list[bytes | None] = [None] * len(urls)

        async def one(place: int, url: str) -> None:
            with anyio.move_on_after(SECONDS):
                found[place] = await self._picture(url)

        async with anyio.create_task_group() as group:
            for place, url in enumerate(urls):
                group.start_soon(one, place, url)
        return found

    async def _picture(self, url: str) -> bytes | None:
        try:
            async with self._pictures.download(url) as chunks:
                data = b"".join([chunk async for chunk in chunks])
        except BatchgenError:
            return None
        return None if sniff(data) is None else data
