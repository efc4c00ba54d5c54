"""Turns of submits where a run goes on in several processes: outposts ask, and the head counts one window for all.

Who was given a turn and is frozen then submits later: it is one submit, and was counted.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from batchgen.api.limits import Passing, Windows, windows_here
from batchgen.api.pace import REAL, Pause, Timing, Window
from batchgen.engine import Post, Word
from batchgen.terms import Rate, Terms

ASK_SECONDS: Final = 10.0
"""After so long an outpost asks for its turn again: what is said between processes may be lost."""

REMEMBERED: Final = 10_000
"""So many turns are known to have been given, should somebody ask for one of them again."""


class Turns:
    """Asks the head for the turns of submits: the head counts one window for all."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.name = uuid.uuid4().hex
        self.again_seconds = ASK_SECONDS
        self._number = 0
        self._waiting: dict[int, anyio.Event] = {}

    def window(self, model: str, rate: Rate | None, pause: Pause, timing: Timing) -> Passing:
        """The window of one model; without a rate there is nothing to ask for."""
        return Window(rate, pause, timing) if rate is None else _Turn(self, model, pause, timing)

    async def ask(self, model: str) -> None:
        """Wait until the head says go."""
        self._number += 1
        number, go = self._number, anyio.Event()
        self._waiting[number] = go
        try:
            while not go.is_set():
                self._post.say({"ask": model, "turn": [self.name, number]})
                with anyio.move_on_after(self.again_seconds):
                    await go.wait()
        finally:
            del self._waiting[number]

    def go(self, name: str, number: int) -> None:
        """The head says go to somebody."""
        if name == self.name and number in self._waiting:
            self._waiting[number].set()


@dataclass(frozen=True, slots=True)
class _Turn:
    turns: Turns
    model: str
    pause: Pause
    timing: Timing

    def passed_now(self) -> bool:
        return False  # only the head knows

    async def passed(self) -> None:
        await self.turns.ask(self.model)
        while (seconds := self.pause.remaining_seconds) > 0:
            await self.timing.sleep(seconds)


class Marshal:
    """Gives turns, at the head; `answer` says a word to one seat."""

    def __init__(
        self,
        terms: Terms,
        answer: Callable[[Word, int], None],
        timing: Timing = REAL,
        *,
        windows: Windows = windows_here,
    ) -> None:
        self.pause = Pause(timing)
        self._answer = answer
        rates = {"": terms.limits.rate, **{model: limits.rate for model, limits in terms.models.items()}}
        self._windows = {model: windows(model, rate, self.pause, timing) for model, rate in rates.items()}
        self._waiting: set[tuple[object, ...]] = set()
        self._given: dict[tuple[object, ...], None] = {}

    async def give(self, seat: int, model: str, turn: list[object]) -> None:
        """Wait for a turn, and say go to whoever asked for it; one that is asked for again is counted once."""
        asked = tuple(turn)
        if asked in self._waiting:
            return
        if asked not in self._given:
            self._waiting.add(asked)
            try:
                await self._windows.get(model, self._windows[""]).passed()
            finally:
                self._waiting.discard(asked)
            self._remember(asked)
        self._answer({"go": turn}, seat)

    def _remember(self, given: tuple[object, ...]) -> None:
        self._given[given] = None
        while len(self._given) > REMEMBERED:
            del self._given[next(iter(self._given))]
