"""Blocking work that comes piece by piece, done in a thread for all the pieces that came within a few milliseconds."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from batchgen.promised import Promised

LINGER_SECONDS: Final = 0.005
"""How long the first waits for company: nothing beside the seconds that a picture takes."""

MOST: Final = 32
"""So many are done by one thread, one after another; more of them take more threads."""

Piece = TypeVar("Piece")


class Together(Generic[Piece]):
    """`work` is called in a thread with pieces; it notes in each what became of it, and raises nothing."""

    def __init__(self, work: Callable[[Sequence[Piece]], None]) -> None:
        self._work = work
        self._waiting: list[tuple[Piece, Promised[None]]] = []

    async def done(self, piece: Piece, *, alone: bool = False) -> None:
        """Have a piece done, at once if it need not wait for others; a cancellation does not hasten it."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_later(0 if alone else LINGER_SECONDS, self._hand_over)
        over: Promised[None] = Promised(loop)
        self._waiting.append((piece, over))
        await over.wait()

    def _hand_over(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), MOST):
            self._begin(waiting[start : start + MOST])

    def _begin(self, group: list[tuple[Piece, Promised[None]]]) -> None:
        pieces = [piece for piece, _ in group]
        running = asyncio.get_running_loop().run_in_executor(None, self._work, pieces)

        def end(ended: "asyncio.Future[None]") -> None:
            error = ended.exception()
            for _, over in group:
                if error is not None:
                    over.fail(error)
                else:
                    over.bring(None)

        running.add_done_callback(end)
