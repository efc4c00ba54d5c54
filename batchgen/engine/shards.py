"""How work is cut for workers elsewhere: in shards, each with a seat of its own; pure."""

from dataclasses import dataclass, field
from math import ceil
from typing import Final, Generic

from batchgen.engine import Item

WAVES: Final = 8
"""A shard holds so many items for each that is carried at a time: its first and last moments then weigh little."""

MOST_ITEMS: Final = 1000
"""What is lost with a worker is carried on by another one shard at a time."""


@dataclass(frozen=True, slots=True)
class Shard(Generic[Item]):
    """Items for one thread of one worker, `share` of them at a time. A seat is the address of whoever carries them."""

    seat: int
    share: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the carrying of a shard ended, at which worker; without an error all items were carried."""

    worker: str
    seconds: float
    error: Exception | None = None


@dataclass(slots=True)
class Seats:
    """Who may carry how much: `most` items at a time in all, shared out among as many threads as there are.

    A few shards more than there are threads wait at the cluster, so that no thread is ever idle and a cluster that
    can grow sees that there is work.
    """

    most: int
    taken: dict[int, int] = field(default_factory=dict)

    def take(self, threads: int) -> tuple[int, int] | None:
        """A free seat and its share, None when there is none for so many threads."""
        threads = min(max(threads, 1), self.most)
        if len(self.taken) >= threads + spare(threads):
            return None
        seat = next(each for each in range(len(self.taken) + 1) if each not in self.taken)
        self.taken[seat] = self.most // threads
        return seat, self.taken[seat]

    def leave(self, seat: int) -> None:
        """The shard of this seat is over."""
        self.taken.pop(seat, None)


def spare(threads: int) -> int:
    """How many shards wait beside those that are carried."""
    return 1 + threads // 4


def size(share: int, threads: int, left: int | None) -> int:
    """How many items the next shard takes; towards the end of the work, where known, ever fewer."""
    whole = max(min(share * WAVES, MOST_ITEMS), share)
    if left is None:
        return whole
    return max(min(whole, ceil(left / (2 * max(threads, 1)))), share, 1)
