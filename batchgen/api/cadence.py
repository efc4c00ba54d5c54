"""How often a task is asked for: the server's hint where it is sane, else 1, 2, 4 and then 8 to 15 seconds.

It reads no clock and does not wait; when to stop asking is the worker's to decide.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from batchgen.api import Waiting

FIRST_LOOK_SECONDS: Final = 5.0
STEPS: Final = (1.0, 2.0, 4.0)
LATER: Final = (8.0, 15.0)


@dataclass(frozen=True, slots=True)
class Cadence:
    """When to ask next. Hints outside the two bounds are not followed; `chance` gives 0 to 1."""

    shortest_hint_seconds: float = 0.5
    longest_hint_seconds: float = 60
    chance: Callable[[], float] = random.random

    def delay(self, asked: int, waiting: Waiting) -> float:
        """Seconds until the next question, when a task has been asked for `asked` times since it was bought."""
        hint = waiting.interval_seconds
        if asked == 0 and waiting.eta_seconds is not None:
            return min(waiting.eta_seconds, FIRST_LOOK_SECONDS)
        if hint is not None and self.shortest_hint_seconds <= hint <= self.longest_hint_seconds:
            return hint
        if asked < len(STEPS):
            return STEPS[asked]
        return LATER[0] + self.chance() * (LATER[1] - LATER[0])


LOCAL: Final = Cadence(shortest_hint_seconds=0.01)
"""For the built-in gateway, whose hints may be short because its polls cost nothing."""
