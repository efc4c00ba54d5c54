"""The gates that a worker passes: slots, rate, pauses, the pace of polls, downloads, and whether anybody answers.

All gates are first come, first served, and none is entered after a submit has been journaled.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeAlias

import anyio

from batchgen.api.pace import REAL, Pace, Pause, Timing, Window
from batchgen.api.places import Places, Slots
from batchgen.errors import Throttled, Unfinished
from batchgen.terms import Limits, Rate, Terms

SILENT_CALLS: Final = 10
SILENT_SECONDS: Final = 600.0
FIRST_PROBES: Final = 3
PROBE_SECONDS: Final = (2.0, 30.0)


class Reach:
    """Whether the server is there: after 10 calls in a row without an answer everybody waits while it is probed.

    It is the client's listener. Nobody else keeps such a count.
    """

    def __init__(self, timing: Timing = REAL) -> None:
        self._timing = timing
        self._probing = anyio.Lock()
        self._silent = 0
        self._probes = 0
        self._since: float | None = None
        self._ever = False

    @property
    def silent(self) -> bool:
        """Whether so many calls in a row went unanswered that everybody waits for a probe."""
        return self._silent >= SILENT_CALLS

    def heard(self) -> None:
        """A call was answered."""
        self._silent, self._since, self._ever = 0, None, True

    def lost(self) -> None:
        """A call was not answered."""
        self._silent += 1
        if self._since is None:
            self._since = self._timing.clock()

    async def ready(self, probe: Callable[[], Awaitable[object]]) -> None:
        """Return at once while the server answers, else when a probe has been answered; `probe` tells heard and lost.

        Raises:
            Unfinished: no answer for 10 minutes, or none to 3 probes of a run that was never answered.
        """
        if not self.silent:
            return
        async with self._probing:
            pause = PROBE_SECONDS[0]
            while self.silent:
                self._give_up()
                await probe()
                self._probes += 1
                if self.silent:
                    self._give_up()
                    await self._timing.sleep(pause)
                    pause = min(pause * 2, PROBE_SECONDS[1])

    def _give_up(self) -> None:
        silent = self._timing.clock() - self._since if self._since is not None else 0.0
        if silent >= SILENT_SECONDS or (not self._ever and self._probes >= FIRST_PROBES):
            raise Unfinished(
                f"the provider is out of reach: {self._silent} calls in a row without an answer, the first "
                f"{silent:.0f} s ago; check the network and run the same command again"
            )


class Passing(Protocol):
    """Where a submit waits for its turn under a rate."""

    def passed_now(self) -> bool:
        """Pass if it is known here that nobody has to wait."""
        ...

    async def passed(self) -> None:
        """Wait for one's turn."""
        ...


@dataclass(frozen=True, slots=True)
class _Lane:
    """The submit gates of one model, or of all models without limits of their own."""

    slots: Slots
    window: Passing
    in_flight: Places


class Passage:
    """The way of one submit through all gates, to a slot that it holds; an async context manager, or step by step."""

    __slots__ = ("_held", "_lane", "_ready", "_silent")

    def __init__(self, lane: _Lane, ready: Callable[[], Awaitable[None]], *, silent: bool) -> None:
        self._lane = lane
        self._ready = ready
        self._silent = silent
        self._held = False

    def taken_now(self) -> bool:
        """Pass if there is nothing at all to be waited for."""
        lane = self._lane
        if self._silent or not lane.slots.take_now():
            return False
        if not lane.window.passed_now():
            lane.slots.give()
            return False
        self._held = True
        return True

    async def take(self) -> None:
        """Wait until every gate is passed; raises Unfinished when the server is out of reach."""
        await self._lane.slots.take()
        self._held = True
        await self._ready()
        await self._lane.window.passed()

    def give(self) -> None:
        """Give the slot back, if it is held."""
        if self._held:
            self._held = False
            self._lane.slots.give()

    async def __aenter__(self) -> None:
        try:
            await self.take()
        except BaseException:
            self.give()
            raise

    async def __aexit__(self, *exc_info: object) -> None:
        self.give()


Windows: TypeAlias = Callable[[str, Rate | None, Pause, Timing], Passing]
"""Makes the window of a model with limits of its own, or by the name `` that of all others."""


def windows_here(_: str, rate: Rate | None, pause: Pause, timing: Timing) -> Window:
    """Windows that count the submits of this process: all there are, when it is the only one."""
    return Window(rate, pause, timing)


class Gates:
    """All gates of a run. Models with limits of their own pass theirs; pauses and silence concern everybody."""

    def __init__(
        self,
        terms: Terms,
        reach: Reach,
        probe: Callable[[], Awaitable[object]],
        timing: Timing = REAL,
        *,
        windows: Windows = windows_here,
    ) -> None:
        self.pause = Pause(timing)
        self._poll_pause = Pause(timing)
        self._picture_pauses: dict[str, Pause] = {}
        self._reach = reach
        self._probe = probe
        self._timing = timing
        self._windows = windows
        self._common = self._lane("", terms.limits)
        self._lanes = {model: self._lane(model, limits) for model, limits in terms.models.items()}
        self._pace = Pace(terms.limits.expert.polls_per_second, self._poll_pause, timing)
        self._downloads = Places(terms.limits.expert.downloads)

    @property
    def out_of_reach(self) -> bool:
        """Whether everybody waits because the server does not answer."""
        return self._reach.silent

    async def enter(self, model: str) -> None:
        """Wait for one of the model's places in flight, for a job to hold, whoever carries it, until it leaves."""
        await self._of(model).in_flight.take()

    def leave(self, model: str) -> None:
        """Give the place back."""
        self._of(model).in_flight.give()

    def submit(self, model: str) -> Passage:
        """The way through every gate before a submit."""
        ready = partial(self._reach.ready, self._probe)
        return Passage(self._of(model), ready, silent=self._reach.silent)

    async def poll(self) -> None:
        """Wait for one's turn to poll; raises Unfinished when the server is out of reach."""
        if self._reach.silent:
            await self._reach.ready(self._probe)
        await self._pace.passed()

    @asynccontextmanager
    async def download(self, host: str, due: float) -> AsyncIterator[None]:
        """Hold one of the places for downloads; whose offer dies first comes first, and no host is asked in a pause."""
        pause = self._picture_pauses.get(host)
        while pause is not None and (seconds := pause.remaining_seconds) > 0:
            await self._timing.sleep(seconds)
        async with self._downloads.held(due):
            yield

    def taken(self, model: str) -> None:
        """A submit of this model was taken."""
        self._of(model).slots.taken()
        self.pause.eased()

    def throttled(self, model: str, slow: Throttled) -> None:
        """A submit of this model was throttled: fewer slots if we sent too much, and everybody waits."""
        if slow.too_many:
            self._of(model).slots.throttled()
        self.pause.throttled(slow.retry_after_seconds)

    def polls_throttled(self, seconds: float) -> None:
        """A poll was answered with a time to come back: nobody polls before."""
        self._poll_pause.throttled(seconds)

    def pictures_throttled(self, host: str, seconds: float) -> None:
        """A host of pictures named a time to come back: nobody asks it before."""
        self._picture_pauses.setdefault(host, Pause(self._timing)).throttled(seconds)

    def _of(self, model: str) -> _Lane:
        return self._lanes.get(model, self._common)

    def _lane(self, model: str, limits: Limits) -> _Lane:
        expert = limits.expert
        return _Lane(
            Slots(expert.submit_slots, expert.submit_slots_most, self._timing),
            self._windows(model, limits.rate, self.pause, self._timing),
            Places(limits.in_flight),
        )
