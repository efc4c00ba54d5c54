"""The one writer: everything that arrives while a commit is being made goes into the next one."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from batchgen.gateway.state import State
from batchgen.gateway.task import Ended, Forget, Order, Remove, Task


@dataclass(eq=False, slots=True)
class _Slip:
    order: Order
    done: anyio.Event = field(default_factory=anyio.Event)
    kept: Task | None = None
    failure: Exception | None = None


class Writer:
    """Makes tasks and their ends durable, in groups; `run` must be running. `settle` hears of each end after that."""

    def __init__(self, state: State, settle: Callable[[Ended], None] = lambda _: None) -> None:
        self._state, self._settle = state, settle
        self._waiting: list[_Slip] = []
        self._wake = anyio.Event()

    async def accept(self, task: Task) -> Task:
        """Sell a task: its row, then its line in paid.jsonl, both durable on return.

        Returns the task that holds the idempotency key: this one, or the one that was sold for the key before.
        """
        kept = await self._hand_in(task)
        assert kept is not None
        return kept

    async def end(self, ended: Ended) -> None:
        """Note how a task ended, durable on return."""
        await self._hand_in(ended)
        self._settle(ended)

    async def note(self, order: Forget | Remove) -> None:
        """Forget a key, or remove old tasks, durable on return."""
        await self._hand_in(order)

    async def run(self) -> None:
        """Commit group after group, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            group, self._waiting = self._waiting, []
            with anyio.CancelScope(shield=True):
                await self._commit(group)

    async def _hand_in(self, order: Order) -> Task | None:
        slip = _Slip(order)
        self._waiting.append(slip)
        self._wake.set()
        await slip.done.wait()
        if slip.failure is not None:
            raise slip.failure
        return slip.kept

    async def _commit(self, group: list[_Slip]) -> None:
        try:
            kept = await anyio.to_thread.run_sync(self._write, [slip.order for slip in group])
            for slip, task in zip(group, kept, strict=True):
                slip.kept = task
        except Exception as failure:
            for slip in group:
                slip.failure = failure
        for slip in group:
            slip.done.set()

    def _write(self, orders: list[Order]) -> list[Task | None]:
        kept = self._state.writing.write(orders)
        # the row stands before the line: a crash between them is mended from the rows
        self._state.paid.append([task for task in kept if task is not None and any(task is each for each in orders)])
        return kept
