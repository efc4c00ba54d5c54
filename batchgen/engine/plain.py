"""Work that has nothing to say, opened as an outpost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic

from batchgen.engine import Item, Later, Opener, Outpost, Post, Word, Work


@dataclass(frozen=True, slots=True)
class _Plain(Generic[Item]):
    work: Work[Item]

    async def carry(self, item: Item) -> Later[Item] | None:
        return await self.work.carry(item)

    def hear(self, word: Word) -> None:
        """Nobody listens."""


@asynccontextmanager
async def plain(opener: Opener[Item], _: Post) -> AsyncIterator[Outpost[Item]]:
    """Open the work here."""
    async with opener() as work:
        yield _Plain(work)
