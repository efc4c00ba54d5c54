"""Faults that a gateway plays on purpose: what can go wrong, at which request, before or after it was served.

A script decides from the route, the number of the request on it, and a seed, and from nothing else: the same order
of requests meets the same faults.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Route: TypeAlias = Literal["submit", "poll", "models", "file"]


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends without an answer; `reset` as if the machine had gone, otherwise closed."""

    reset: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """Silence for this long, and then the connection ends."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """Another answer with this status; `retry_after` in seconds, sent as a date if `as_date`."""

    status: int
    retry_after: float | None = None
    as_date: bool = False


@dataclass(frozen=True, slots=True)
class Late:
    """The right answer, this much later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drip:
    """The right answer, its bytes spread over this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Crop:
    """Half of the body; a `whole` looking one claims that this was all, the other breaks off."""

    whole: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """A good status and a body of something else: noise, a page of HTML, or the answer about another task."""

    by: Literal["garbage", "html", "stranger"]


Fault: TypeAlias = Cut | Stall | Refuse | Late | Drip | Crop | Swap


@dataclass(frozen=True, slots=True)
class Played:
    """A fault and when it strikes: before the request is served, or after."""

    before: bool
    fault: Fault


@dataclass(frozen=True, slots=True)
class Mark:
    """What is wrong with a task: it fails, is refused, hangs, is unknown at first, or says a word nobody knows.

    `looks` is for how many polls, None for ever; what fails or is refused does so for ever.
    """

    kind: Literal["fails", "refused", "hangs", "missing", "strange"]
    looks: int | None = None


@dataclass(frozen=True, slots=True)
class When:
    """Which requests of a route, counted from 1: those named, every n-th, or a share; between first and last."""

    at: frozenset[int] = frozenset()
    every: int | None = None
    share: float = 0.0
    first: int = 1
    last: int | None = None

    def meets(self, number: int, chance: float) -> bool:
        """Whether this request is one of them; `chance` is its own number in 0..1."""
        if number < self.first or (self.last is not None and number > self.last):
            return False
        turn = self.every is not None and (number - self.first + 1) % self.every == 0
        return turn or number in self.at or chance < self.share


@dataclass(frozen=True, slots=True)
class Script:
    """All that will go wrong. Of the rules for a route the first that meets a request is played."""

    seed: int
    routes: Mapping[Route, tuple[tuple[When, Played], ...]]
    tasks: tuple[tuple[When, Mark], ...] = ()

    def fault(self, route: Route, number: int) -> Played | None:
        """What happens to the n-th request of a route."""
        rules = self.routes.get(route, ())
        return next((each for i, (when, each) in enumerate(rules) if self._meets(when, route, number, i)), None)

    def mark(self, number: int) -> Mark | None:
        """What is wrong with the task that the n-th submit buys."""
        rules = enumerate(self.tasks)
        return next((mark for i, (when, mark) in rules if self._meets(when, "task", number, i)), None)

    def _meets(self, when: When, kind: str, number: int, rule: int) -> bool:
        digest = hashlib.blake2b(f"{self.seed}/{kind}/{number}/{rule}".encode(), digest_size=8).digest()
        return when.meets(number, int.from_bytes(digest) / 2**64)
