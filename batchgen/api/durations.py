"""How long a model's tasks took, and from that when the next look at one of them pays; pure arithmetic.

A look costs something, and so does every second for which a finished picture lies unseen. The looks are those that cost
the least together if the next tasks take as long as the newest ones did, found backwards from the longest time.
"""

import math
import statistics
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Final

KEPT: Final = 256
"""So many tasks are remembered, the newest ones; a provider that changes its pace is followed soon."""

LEAST: Final = 8
"""Fewer tell nothing."""

PRICE: Final = 0.02
"""What a look costs, in usual durations of a task: between four and five looks at each, a tenth of its time late."""

FEW: Final = 0.02
LATER: Final = 0.04
"""Of the few that take longest each is looked at after so much of the time already waited: the end waits for them."""

SURPRISE: Final = 0.4
"""A task that was done at once when it was looked at may have been for long; it counts at most so much less."""

STRANGE: Final = 0.02
"""The share of tasks that may take a time of their own, whatever was seen."""

_GOLDEN: Final = (math.sqrt(5) - 1) / 2
_RATIO: Final = 1.05
_CELLS: Final = (-50, 50)
_FARTHEST: Final = 24
"""Times are told apart by a twentieth, from a twelfth of the usual one to twelve of them; a look is at most three times
as late as the one before, once it is there."""


def _bell(steps: range, width: float) -> tuple[float, ...]:
    heights = [math.exp(-((step / width) ** 2) / 2) for step in steps]
    return tuple(height / sum(heights) for height in heights)


_KERNEL: Final = _bell(range(-5, 6), 2.0)
_WIDE: Final = _bell(range(_CELLS[0], _CELLS[1] + 1), 1 / math.log(_RATIO))


class Durations:
    """The newest durations of one model, in seconds."""

    def __init__(self, known: Iterable[float] = ()) -> None:
        self._newest = deque(known, maxlen=KEPT)
        self._learned = 0
        self._looks: _Looks | None = None
        self._fresh = 0

    def __len__(self) -> int:
        return len(self._newest)

    def learn(self, waited_seconds: float, interval_seconds: float) -> None:
        """Remember a task that was done when it had been waited for so long, and not yet one interval before."""
        self._learned += 1
        share = self._learned * _GOLDEN % 1.0  # anywhere in between, and evenly, so that looks do not teach themselves
        late = share * min(interval_seconds, SURPRISE * waited_seconds)
        self._newest.append(max(waited_seconds - late, 0.0))
        self._fresh += 1

    def next_look(self, waited_seconds: float) -> float | None:
        """Seconds to the next look at a task that has been waited for so long; None when too little is known."""
        if len(self._newest) < LEAST:
            return None
        if self._looks is None or 8 * self._fresh >= len(self._newest):
            self._looks, self._fresh = _Looks(self._newest), 0
        return self._looks.after(waited_seconds)


class _Looks:
    """The best looks at tasks that take as long as these did."""

    def __init__(self, seconds: Sequence[float]) -> None:
        usual = statistics.median(seconds)
        self._times = [usual * _RATIO**cell for cell in range(_CELLS[0], _CELLS[1] + 2)]
        self._left = _left(self._times, seconds)
        self._next = _best(self._times, self._left, PRICE * usual)

    def after(self, waited: float) -> float:
        """Seconds from a task's age to the next look at it."""
        here = bisect_left(self._times, waited)
        if here >= len(self._times) - 1:
            return LATER * waited
        due = max(self._times[self._next[here]] - waited, 0.0)
        return min(due, LATER * waited) if self._left[here] < FEW else due


def _left(times: Sequence[float], seconds: Sequence[float]) -> list[float]:
    """The share of tasks that go on at each time: what was seen, smoothed, and a few that go their own way."""
    counts = [0.0] * (len(times) - 1)
    for each in seconds:
        counts[min(max(bisect_left(times, each) - 1, 0), len(counts) - 1)] += 1 / len(seconds)
    smooth = [0.0] * len(counts)
    for cell, count in enumerate(counts):
        if count:
            for step, weight in enumerate(_KERNEL, cell - len(_KERNEL) // 2):
                smooth[min(max(step, 0), len(counts) - 1)] += count * weight
    ended = [(1 - STRANGE) * seen + STRANGE * own for seen, own in zip(smooth, _WIDE, strict=True)]
    return [1.0, *(max(1 - share, 0.0) for share in accumulate(ended))]


def _best(times: Sequence[float], left: Sequence[float], price: float) -> list[int]:
    """For each time the next look, such that looks times their price and what lies unseen cost the least."""
    cells = zip(pairwise(times), pairwise(left), strict=True)
    area = [0.0, *accumulate((until - since) * (one + two) / 2 for (since, until), (one, two) in cells)]
    last = len(times) - 1
    cost, after = [0.0] * len(times), [last] * len(times)
    for here in range(last - 1, -1, -1):
        best = math.inf
        for to in range(here + 1, last + 1 if here == 0 else min(here + _FARTHEST, last) + 1):
            late = left[here] * (times[to] - times[here]) - (area[to] - area[here])
            if (total := price * left[here] + late + cost[to]) < best:
                best, after[here] = total, to
        cost[here] = best
    return after
