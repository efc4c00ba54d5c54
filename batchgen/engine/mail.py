"""What the head of a run says to its outposts, over the topics of a Dask cluster.

An outpost may come to a seat at any time, and what is said to it before it listens is lost. So it says that it is
there until it is welcomed, with all that was said to everybody so far. However often it says so, one welcome waits to
be sent, and all that waits for the same listeners goes in one message: a head that is slow is asked no more than it can
answer.
"""

import math
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from distributed import Client

from batchgen.engine import Word
from batchgen.engine.apart import apart
from batchgen.engine.post import BEGIN, heard_at, several
from batchgen.errors import Unfinished


@dataclass(frozen=True, slots=True)
class _Welcome:
    seat: int


@dataclass(frozen=True, slots=True)
class _Letter:
    topics: tuple[str, ...]
    word: Word


_Post: TypeAlias = _Letter | _Welcome


@dataclass(slots=True, eq=False)
class Mail:
    """Letters of one run, known among the cluster's topics by its name, to whoever takes its seats."""

    client: Client
    name: str
    seats: set[int] = field(default_factory=set)
    _said: list[Word] = field(default_factory=list)
    _expected: set[int] = field(default_factory=set)
    _out: MemoryObjectSendStream[_Post] = field(init=False)
    _letters: MemoryObjectReceiveStream[_Post] = field(init=False)

    def __post_init__(self) -> None:
        self._out, self._letters = anyio.create_memory_object_stream[_Post](math.inf)

    def tell(self, word: Word) -> None:
        """Say something to everybody there is and will be."""
        self._said.append(word)
        self.tell_once(word)

    def tell_once(self, word: Word, seat: int | None = None) -> None:
        """Say something to everybody there is, or to whoever has this seat; it may be lost."""
        seats = sorted(self.seats) if seat is None else [seat]
        self._put(_Letter(tuple(heard_at(self.name, each) for each in seats), word))

    def welcome(self, seat: int) -> None:
        """Tell whoever came to a seat what was said so far, and that it may begin."""
        if seat not in self._expected:
            self._expected.add(seat)
            self._put(_Welcome(seat))

    async def deliver(self) -> None:
        """Send what there is to send, until cancelled; what cannot be sent is lost."""
        async for letter in self._letters:
            for topics, words in self._sorted([letter, *self._waiting()]).items():
                with suppress(Unfinished), reaching():
                    await apart(self.client.log_event(list(topics), several(words)))

    def close(self) -> None:
        """Nothing more is said."""
        self._out.close()
        self._letters.close()

    def _put(self, letter: _Post) -> None:
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):  # the run is over
            self._out.send_nowait(letter)

    def _waiting(self) -> Iterator[_Post]:
        with suppress(anyio.WouldBlock):
            while True:
                yield self._letters.receive_nowait()

    def _sorted(self, letters: list[_Post]) -> dict[tuple[str, ...], list[Word]]:
        """Who is to hear what, in the order in which it was said."""
        found: dict[tuple[str, ...], list[Word]] = {}
        for letter in letters:
            match letter:
                case _Letter(topics, word):
                    found.setdefault(topics, []).append(word)
                case _Welcome(seat):
                    self._expected.discard(seat)
                    found.setdefault((heard_at(self.name, seat),), []).extend((*self._said, BEGIN))
        return found


@contextmanager
def reaching() -> Iterator[None]:
    """What can go wrong between us and the cluster, in our words."""
    try:
        yield
    except (OSError, CancelledError) as gone:
        raise Unfinished(
            "the Dask scheduler is gone, and the run with it; what was done is kept: start it, and run the same "
            f"command again ({type(gone).__name__})"
        ) from gone
