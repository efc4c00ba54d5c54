"""How work is cut for workers elsewhere: in shards, each with a seat of its own; pure."""

from dataclasses import dataclass, field
from math import ceil
from typing import Final, Generic

from batchgen.engine import Item

WAVES: Final = 32
"""A shard holds so many items for each that is carried at a time.

While its last ones wait for their tasks nothing takes the places of those that are done: of 8 waves that costs a third
of the time, of 32 a tenth (`python -m tests.benchmarks.cluster`).
"""

MOST_ITEMS: Final = 20_000
"""A shard whose worker is lost is walked through again by another, which reads of each item how far it had come."""


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
        threads = max(threads, 1)
        seats = self.most if threads > self.most else threads + spare(threads)
        if len(self.taken) >= seats:
            return None
        seat = next(each for each in range(len(self.taken) + 1) if each not in self.taken)
        self.taken[seat] = max(self.most // threads, 1)
        return seat, self.taken[seat]

    def leave(self, seat: int) -> None:
        """The shard of this seat is over."""
        self.taken.pop(seat, None)


def spare(threads: int) -> int:
    """How many shards wait beside those that are carried."""
    return 1 + threads // 4


def size(share: int, threads: int, expected: int | None, handed: int) -> int:
    """How many items the next shard takes, of so many expected and so many handed out.

    Towards the end it is ever fewer, so that all threads end together, but never fewer than a thread carries at a
    time: what waits for a provider is best carried at once.
    """
    whole = max(min(share * WAVES, MOST_ITEMS), share)
    if expected is None:
        return whole
    threads = max(threads, 1)
    least = max(min(share, ceil(expected / threads)), 1)
    return max(min(whole, ceil((expected - handed) / (2 * threads))), least)
