"""Trying a call again: the only room that knows tenacity, entered after the first failure.

It never catches what it was not told to, and never a cancellation; the last error comes out as it was raised.
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call is tried again: at most `tries` calls, none begun later than `total_seconds` after the first."""

    tries: int
    total_seconds: float
    base_seconds: float = 0.5
    cap_seconds: float = 20


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock (seconds, monotonic), sleep and chance (0 to 1), so that tests need not wait."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    chance: Callable[[], float] = random.random


REAL = Timing()


async def persist(
    call: Callable[[], Awaitable[T]],
    again_on: tuple[type[Exception], ...],
    patience: Patience,
    *,
    timing: Timing = REAL,
) -> T:
    """Await `call`, and again while it raises one of `again_on`.

    Between calls lies a random time up to `base * 2**n`, capped; an error's `retry_after_seconds` is a floor under it.

    Raises:
        Whatever the last call raised, unwrapped; at once when the time asked for would pass `total_seconds`.
    """
    began = timing.clock()
    try:
        return await call()
    except again_on as error:
        first = error
    return await _again(call, first, again_on, _Pace(patience, timing, began))


@dataclass(frozen=True, slots=True)
class _Pace:
    patience: Patience
    timing: Timing
    began: float

    def wait(self, state: RetryCallState) -> float:
        most = min(self.patience.cap_seconds, self.patience.base_seconds * 2.0 ** min(state.attempt_number - 1, 32))
        asked: float | None = None
        if state.outcome is not None:
            asked = getattr(state.outcome.exception(), "retry_after_seconds", None)
        return (asked or 0.0) + self.timing.chance() * most

    def stop(self, state: RetryCallState) -> bool:
        spent = self.timing.clock() - self.began + state.upcoming_sleep
        return state.attempt_number >= self.patience.tries or spent > self.patience.total_seconds


def _tell(state: RetryCallState) -> None:
    reason = state.outcome.exception() if state.outcome is not None else None
    logger.info("try %d failed, the next in %.1f s: %s", state.attempt_number, state.upcoming_sleep, reason)


async def _again(
    call: Callable[[], Awaitable[T]], first: Exception, again_on: tuple[type[Exception], ...], pace: _Pace
) -> T:
    failed = [first]

    async def attempt() -> T:
        if failed:
            raise failed.pop()  # the failure that led here counts as the first try, and is waited for like any other
        return await call()

    retrying = AsyncRetrying(
        sleep=pace.timing.sleep,
        wait=pace.wait,
        stop=pace.stop,
        retry=retry_if_exception_type(again_on),
        before_sleep=_tell,
        reraise=True,
    )
    return await retrying(attempt)
