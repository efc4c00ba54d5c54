"""Where the work runs: one verb, judged by tests/contracts/engine.py.

An engine knows nothing of pictures or money. It opens the work where its workers are, hands each item to `carry`,
and ends when all are carried or the work says stop. Here an item is carried once; across processes it is once for
each process that died of it or was lost, and the journal makes that once. An item that can only wait is put off: it
costs no worker.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Later(Generic[Item_co]):
    """What a carry returns for an item that can do nothing for so many seconds: it is to be carried on then, as it is.

    Until then it counts as carried, though nobody does.
    """

    item: Item_co
    seconds: float


class Work(Protocol[Item]):
    """What an engine is given to do."""

    def items(self) -> AsyncIterator[Item]:
        """What there is to carry, in order; asked for one at a time, never ahead of a free worker."""
        ...

    async def carry(self, item: Item) -> Later[Item] | None:
        """Carry one item as far as it goes, or put it off. An exception means the whole work has failed."""
        ...


Opener: TypeAlias = Callable[[], AbstractAsyncContextManager[Work[Item]]]
"""Opens the work where it is called; a cluster engine needs one that can be pickled."""

Word: TypeAlias = Mapping[str, Any]
"""What the head of a work and its outposts say to each other while it goes; made of JSON's kinds of values."""

Say: TypeAlias = Callable[[Word], None]


class Outpost(Protocol[Item]):
    """The work as it is opened in another process, where items come from the head."""

    async def carry(self, item: Item) -> Later[Item] | None:
        """Carry one item as far as it goes, or put it off. An exception means the whole work has failed."""
        ...

    def hear(self, word: Word) -> None:
        """Take what the head says, which may come twice; called from the event loop of the outpost."""
        ...


@dataclass(frozen=True, slots=True)
class Post:
    """Where an outpost is opened: what it says comes to the head, from any thread.

    `share` is its part of all that is carried at a time, above 0 and up to 1.
    """

    say: Say
    share: float


Away: TypeAlias = Callable[[Post], AbstractAsyncContextManager[Outpost[Item]]]
"""Opens an outpost where it is called, and can be pickled."""


class Engine(Protocol):
    """A place with workers."""

    async def run(self, opener: Opener[Item]) -> None:
        """Carry every item once, and on when it was put off; never more at a time than the engine was built for.

        The first exception of a `carry` cancels the others and is raised as it is. Cancelling `run` cancels every
        carry and waits for them.
        """
        ...
