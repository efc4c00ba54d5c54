"""Waiting for what comes in any case: a cancellation does not hasten it, and costs only when there is one."""

import asyncio
from math import inf
from typing import Generic, TypeVar, cast

import anyio

Result = TypeVar("Result")


class Promised(Generic[Result]):
    """A result that is brought in the event loop where one task waits for it, once."""

    __slots__ = ("_error", "_loop", "_over", "_result", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] = loop.create_future()
        self._over = False
        self._result: Result | None = None
        self._error: BaseException | None = None

    def bring(self, result: Result) -> None:
        """Let the task that waits go on with a result."""
        self._result = result
        self._end()

    def fail(self, error: BaseException) -> None:
        """Let it go on with an error."""
        self._error = error
        self._end()

    async def wait(self) -> Result:
        """Wait for it, whatever is being cancelled; the cancellation is heard of at the next wait."""
        try:
            await self._waiter
        except asyncio.CancelledError:
            if anyio.current_effective_deadline() > -inf:  # of the task itself: no scope holds that up
                raise
            with anyio.CancelScope(shield=True):
                await self._rest()
        if self._error is not None:
            raise self._error
        return cast(Result, self._result)

    async def _rest(self) -> None:
        while not self._over:
            self._waiter = self._loop.create_future()
            await self._waiter

    def _end(self) -> None:
        self._over = True
        if not self._waiter.done():
            self._waiter.set_result(None)
