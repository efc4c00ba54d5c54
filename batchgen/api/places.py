"""How many at once: slots that grow with success and shrink with 429, and places given to whoever is due first."""

import heapq
import itertools
from typing import Final

import anyio

from batchgen.api.pace import REAL, Timing

CUT: Final = 0.7
CUT_EVERY_SECONDS: Final = 1.0


class Places:
    """So many places, given to whoever is due first; equal ones in order of asking. A free one costs no waiting."""

    def __init__(self, count: int) -> None:
        self._count = max(count, 1)
        self._held = 0
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, anyio.Event]] = []

    @property
    def count(self) -> int:
        """How many there are; those held beyond a smaller number are not taken away."""
        return self._count

    @count.setter
    def count(self, count: int) -> None:
        self._count = max(count, 1)
        self._hand_on()

    def held(self, due: float = 0.0) -> "Held":
        """Wait for a place and hold it: an async context manager."""
        return Held(self, due)

    def take_now(self) -> bool:
        """Take a place if one is free, before anybody has to wait."""
        if self._held >= self._count:
            return False
        self._held += 1
        return True

    async def take(self, due: float = 0.0) -> None:
        """Wait for a place; to be given back."""
        if self.take_now():
            return
        turn = anyio.Event()
        entry = (due, next(self._order), turn)
        heapq.heappush(self._waiting, entry)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.give()
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def give(self) -> None:
        """Give a place back."""
        self._held -= 1
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting and self.take_now():
            heapq.heappop(self._waiting)[2].set()


class Held:
    """A place, from when it is there to the end of what it is for."""

    __slots__ = ("_due", "_places")

    def __init__(self, places: Places, due: float) -> None:
        self._places = places
        self._due = due

    async def __aenter__(self) -> None:
        await self._places.take(self._due)

    async def __aexit__(self, *exc_info: object) -> None:
        self._places.give()


class Slots(Places):
    """How many submits are under way at once: one more after a full window of successes, fewer after a 429."""

    def __init__(self, start: int, most: int, timing: Timing = REAL) -> None:
        self._most = max(most, 1)
        super().__init__(min(start, self._most))
        self._timing = timing
        self._successes = 0
        self._cut_at: float | None = None

    @property
    def open(self) -> int:
        """How many there are now."""
        return self.count

    def taken(self) -> None:
        """A submit was taken."""
        self._successes += 1
        if self._successes >= self.open:
            self._successes = 0
            self.count = min(self.open + 1, self._most)

    def throttled(self) -> None:
        """A submit was answered with 429; several in one second count once."""
        now = self._timing.clock()
        self._successes = 0
        if self._cut_at is None or now - self._cut_at >= CUT_EVERY_SECONDS:
            self._cut_at = now
            self.count = int(self.open * CUT)
