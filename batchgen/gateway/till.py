"""The till: what each account has reserved, spent and running, and how fast it buys.

It is counted from the tasks when the gateway starts and kept in memory after that; one event loop, no waiting between
a look and its reservation, so two creates never spend the same money.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from batchgen.gateway.book import Book
from batchgen.gateway.refusal import Refusal, later
from batchgen.gateway.rules import Account
from batchgen.gateway.task import Ended, Task


@dataclass(slots=True)
class _Drawer:
    spent: int = 0
    reserved: int = 0
    running: int = 0
    recent: deque[float] = field(default_factory=deque)


class Till:
    """Money and limits of all accounts, in millionths of a USDC.

    Args:
        book: the rules of this moment.
        clock: unix seconds.
        spent: what ended tasks have cost, by owner.
        unfinished: tasks whose money is reserved.
    """

    def __init__(
        self, book: Book, clock: Callable[[], float], spent: Mapping[str, int], unfinished: Iterable[Task]
    ) -> None:
        self._book, self._clock = book, clock
        self._drawers = {owner: _Drawer(spent=amount) for owner, amount in spent.items()}
        self._open: dict[str, Task] = {}
        for task in unfinished:
            self._reserve(task)

    def balance(self, account: Account) -> int:
        """What an account has left; never below zero."""
        drawer = self._drawer(account.owner)
        return max(0, account.deposit_micro_usd - drawer.spent - drawer.reserved)

    @property
    def running(self) -> int:
        """How many tasks have not ended."""
        return len(self._open)

    def take(self, account: Account, task: Task) -> None:
        """Reserve the price of a new task.

        Raises:
            Refusal: 402 or 429, and nothing was reserved.
        """
        drawer, now = self._drawer(account.owner), self._clock()
        self._check_rate(account, drawer, now)
        if account.running is not None and drawer.running >= account.running:
            raise self._later("too_many_running", f"at most {account.running} tasks may run at once", 1)
        if task.price_micro_usd > self.balance(account):
            raise Refusal(402, "insufficient_balance", "the balance does not cover this picture; add funds")
        drawer.recent.append(now)
        self._reserve(task)

    def give_back(self, task: Task) -> None:
        """Undo the reservation of a task that was not sold after all."""
        if self._open.pop(task.id, None) is not None:
            drawer = self._release(task)
            if drawer.recent:
                drawer.recent.pop()

    def settle(self, ended: Ended) -> None:
        """Commit the price of a task that has a picture, release that of one that failed."""
        task = self._open.pop(ended.task_id, None)
        if task is not None:
            drawer = self._release(task)
            drawer.spent += 0 if ended.error else task.price_micro_usd

    def see(self, task: Task) -> Task:
        """The task, settled if it has ended: nobody is shown an end whose money is not where it belongs."""
        if task.ended_at is not None:
            self.settle(Ended(task.id, task.ended_at, error=task.error))
        return task

    def _drawer(self, owner: str) -> _Drawer:
        return self._drawers.setdefault(owner, _Drawer())

    def _reserve(self, task: Task) -> None:
        drawer = self._drawer(task.owner)
        drawer.reserved += task.price_micro_usd
        drawer.running += 1
        self._open[task.id] = task

    def _release(self, task: Task) -> _Drawer:
        drawer = self._drawer(task.owner)
        drawer.reserved -= task.price_micro_usd
        drawer.running -= 1
        return drawer

    def _check_rate(self, account: Account, drawer: _Drawer, now: float) -> None:
        """A sliding window: at most so many new tasks in any stretch of its length; a refusal does not count."""
        rate = account.rate
        while drawer.recent and (rate is None or drawer.recent[0] <= now - rate.seconds):
            drawer.recent.popleft()
        if rate is not None and len(drawer.recent) >= rate.count:
            # whoever waits this long is let in again
            wait = drawer.recent[len(drawer.recent) - rate.count] + rate.seconds - now
            raise self._later("rate_limited", f"at most {rate} new tasks; a refused one does not count", wait)

    def _later(self, code: str, message: str, seconds: float) -> Refusal:
        headers = later(max(1, math.ceil(seconds)), self._clock(), self._book.rules.retry_after)
        return Refusal(429, code, message, headers=headers)
