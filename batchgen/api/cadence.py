"""How often a task is asked for: as its model's tasks have taught, never sooner than the server asks.

Before anything is learned: the server's hint where it is sane, else 1, 2, 4 and then 8 to 15 seconds. It reads no clock
and does not wait; when to stop asking is the worker's to decide.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from batchgen.api import Waiting
from batchgen.api.durations import Durations

FIRST_LOOK_SECONDS: Final = 5.0
STEPS: Final = (1.0, 2.0, 4.0)
LATER: Final = (8.0, 15.0)

JITTER: Final = 0.1
"""The share by which a learned wait is longer or shorter at random, so that jobs begun together do not ask together."""


@dataclass(frozen=True, slots=True)
class Look:
    """The look that is due next: at which model's task, how often it was asked, how long ago it was bought."""

    model: str
    asked: int
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class Cadence:
    """When to ask next. Hints outside the two bounds are not followed; `chance` gives 0 to 1, `seen` grows."""

    shortest_hint_seconds: float = 0.5
    longest_hint_seconds: float = 60
    chance: Callable[[], float] = random.random
    seen: dict[str, Durations] = field(default_factory=dict)

    def delay(self, look: Look, waiting: Waiting) -> float:
        """Seconds until the next question about a task that is not done."""
        hint, eta = self._hint(waiting), waiting.eta_seconds if look.asked == 0 else None
        learned = self._learned(look)
        if learned is not None:
            return max(hint or 0.0, learned if eta is None else min(eta, learned))
        if eta is not None:
            return min(eta, FIRST_LOOK_SECONDS)
        if hint is not None:
            return hint
        if look.asked < len(STEPS):
            return STEPS[look.asked]
        return LATER[0] + self.chance() * (LATER[1] - LATER[0])

    def learn(self, look: Look, interval_seconds: float) -> None:
        """Remember that a task was done at this look, which came one interval after the one before."""
        self.seen.setdefault(look.model, Durations()).learn(look.waited_seconds, interval_seconds)

    def _learned(self, look: Look) -> float | None:
        durations = self.seen.get(look.model)
        due = None if durations is None else durations.next_look(look.waited_seconds)
        if due is None:
            return None
        due *= 1 + JITTER * (2 * self.chance() - 1)
        return min(max(due, self.shortest_hint_seconds), self.longest_hint_seconds)

    def _hint(self, waiting: Waiting) -> float | None:
        hint = waiting.interval_seconds
        if hint is None or not self.shortest_hint_seconds <= hint <= self.longest_hint_seconds:
            return None
        return hint


def experienced(known: Mapping[str, Iterable[float]], *, shortest_hint_seconds: float) -> Cadence:
    """A cadence that begins with what earlier runs have seen, in seconds by model."""
    seen = {model: Durations(each) for model, each in known.items()}
    return Cadence(shortest_hint_seconds=shortest_hint_seconds, seen=seen)


REMOTE_HINT_SECONDS: Final = 0.5
LOCAL_HINT_SECONDS: Final = 0.01
"""The shortest hints that are followed: of a server, and of the built-in gateway, whose polls cost nothing."""
