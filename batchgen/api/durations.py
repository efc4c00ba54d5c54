"""How long a model's tasks took, and from that when the next look at one of them pays; pure arithmetic.

A look costs something, and so does every second for which a finished picture lies unseen. The next look is due when
what would lie unseen is worth it: the chance that the task ended since the last look, times the time since then.
"""

import statistics
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from typing import Final

KEPT: Final = 256
"""So many tasks are remembered, the newest ones; a provider that changes its pace is followed soon."""

LEAST: Final = 8
"""Fewer tell nothing."""

PRICE: Final = 0.04
"""What a look costs, in usual durations of a task: about five looks at each, a tenth of its time late."""

LATER: Final = 0.1
"""The next look at a task that takes longer than any before, in proportion to the time already waited."""

SURPRISE: Final = 0.2
"""A task that was done at once when it was looked at may have been for long; it counts at most so much less."""


class Durations:
    """The newest durations of one model, in seconds."""

    def __init__(self, known: Iterable[float] = ()) -> None:
        self._newest = deque(known, maxlen=KEPT)
        self._sorted: list[float] | None = None

    def __len__(self) -> int:
        return len(self._newest)

    def learn(self, waited_seconds: float, interval_seconds: float) -> None:
        """Remember a task that was done when it had been waited for so long, and not yet one interval before."""
        late = min(interval_seconds / 2, SURPRISE * waited_seconds)
        self._newest.append(max(waited_seconds - late, 0.0))
        self._sorted = None

    def next_look(self, waited_seconds: float) -> float | None:
        """Seconds to the next look at a task that has been waited for so long; None when too little is known."""
        if len(self._newest) < LEAST:
            return None
        if self._sorted is None:
            self._sorted = sorted(self._newest)
        first, last = bisect_right(self._sorted, waited_seconds), len(self._sorted)
        price = PRICE * statistics.median(self._sorted)
        for end in range(first, last):  # everything up to this one may end before the look
            due = max(self._sorted[end] - waited_seconds, price * (last - first) / (end - first + 1))
            if end + 1 == last or due < self._sorted[end + 1] - waited_seconds:
                return due
        return LATER * waited_seconds
