"""What every engine must do."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.engine import Engine, Later, Opener, Work

Makes = Callable[[int], Engine]


WORKS: dict[int, "Watched"] = {}
NUMBERS = count()


@dataclass(frozen=True)
class Recall:
    """Opens a work of this process by its number, so that the opener can be pickled."""

    number: int

    def __call__(self) -> AbstractAsyncContextManager[Work[int]]:
        return WORKS[self.number].open()


class Watched:
    """Work that keeps count of what an engine does with it, in whatever threads."""

    def __init__(self, count: int, carry: Callable[["Watched", int], Any] | None = None) -> None:
        self.count = count
        self.number = next(NUMBERS)
        WORKS[self.number] = self
        self.opened = 0
        self.now = 0
        self.guard = threading.Lock()
        self.begun: list[int] = []
        self.done: list[int] = []
        self.cancelled: list[int] = []
        self.failed: list[int] = []
        self.handed = 0
        self.most = 0
        self.most_ahead = 0
        self.closed = 0
        self.items_closed = False
        self.left_with: BaseException | None = None
        self._carry = carry

    async def items(self) -> AsyncIterator[int]:
        try:
            for item in range(self.count):
                self.handed += 1
                yield item
                self.most_ahead = max(self.most_ahead, self.handed - len(self.begun))
        finally:
            self.items_closed = True

    async def carry(self, item: int) -> Later[int] | None:
        with self.guard:
            if item not in self.begun:
                self.begun.append(item)
                self.now += 1
            self.most = max(self.most, self.now)
        try:
            if self._carry:
                later: Later[int] | None = await self._carry(self, item)
                if later is not None:
                    return later
            else:
                await anyio.lowlevel.checkpoint()
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.001)
            self._leave(item, self.cancelled)
            raise
        except BaseException:
            self._leave(item, self.failed)
            raise
        self._leave(item, self.done)
        return None

    def _leave(self, item: int, among: list[int]) -> None:
        with self.guard:
            among.append(item)
            self.now -= 1

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Work[int]]:
        with self.guard:
            self.opened += 1
        try:
            yield self
        except BaseException as error:
            self.left_with = error
            raise
        finally:
            with self.guard:
                self.closed += 1

    @property
    def opener(self) -> Opener[int]:
        return Recall(self.number)


class Trouble(Exception):
    """What a carry raises here."""


class EngineContract:
    """Inherit, and give a `make` fixture that builds an engine for so many items at a time."""

    @pytest.mark.parametrize("count", [0, 1, 3, 50])
    @pytest.mark.parametrize("most", [1, 3, 1000])
    async def test_each_once(self, make: Makes, count: int, most: int) -> None:
        """Every item is carried once, never more at a time than the engine was made for."""
        work = Watched(count)
        await make(most).run(work.opener)
        assert sorted(work.begun) == list(range(count))
        assert sorted(work.done) == list(range(count))
        assert work.most <= most
        assert work.closed == work.opened >= 1
        assert work.items_closed

    async def test_all_at_once(self, make: Makes) -> None:
        """As many items are carried at once as the engine was made for, when there are enough."""

        async def carry(work: Watched, _: int) -> None:
            while work.most < 4:  # noqa: ASYNC110  # whoever is waited for may be on another event loop
                await anyio.sleep(0.001)

        work = Watched(100, carry)
        with anyio.fail_after(30):
            await make(4).run(work.opener)
        assert work.most == 4
        assert len(work.done) == 100

    async def test_put_off(self, make: Makes) -> None:
        """What is put off is carried on, as it is then and as often as it asks; who is due sooner comes sooner."""
        carried: list[int] = []

        async def carry(_: Watched, item: int) -> Later[int] | None:
            carried.append(item)
            return Later(item, 0.002 * (3 - item)) if carried.count(item) < 3 else None

        work = Watched(3, carry)
        with anyio.fail_after(20):
            await make(3).run(work.opener)
        assert sorted(carried) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert sorted(work.done) == [0, 1, 2]

    async def test_failure(self, make: Makes) -> None:
        """The first exception of a carry is raised with its words, after the others were cancelled and have ended."""

        async def carry(work: Watched, item: int) -> None:
            if work.begun.index(item) == 3:
                raise Trouble("first")
            await anyio.sleep_forever()

        work = Watched(100, carry)
        with anyio.fail_after(30), pytest.raises(Trouble, match="first"):
            await make(4).run(work.opener)
        assert sorted(work.cancelled) == sorted(set(work.begun) - set(work.failed))
        assert len(work.failed) == 1
        assert work.done == []
        assert work.most == 4
        assert work.closed == work.opened
        assert work.items_closed

    async def test_failure_while_others_end(self, make: Makes) -> None:
        """A second exception, raised while the first ends the run, does not take its place."""

        async def carry(work: Watched, item: int) -> None:
            if work.begun.index(item) == 1:
                raise Trouble("first")
            try:
                await anyio.sleep_forever()
            except BaseException as error:
                raise Trouble("second") from error

        work = Watched(50, carry)
        with anyio.fail_after(30), pytest.raises(Trouble, match="first"):
            await make(2).run(work.opener)

    async def test_items_fail(self, make: Makes) -> None:
        """An exception of the items is raised as it is, too."""

        class Broken(Watched):
            async def items(self) -> AsyncIterator[int]:
                yield 0
                raise Trouble("items")

        work = Broken(1)
        with pytest.raises(Trouble, match="items"):
            await make(3).run(work.opener)
        assert work.closed == work.opened

    async def test_opening_fails(self, make: Makes) -> None:
        """When the work cannot be opened, that is raised and nothing is carried."""

        work = Watched(1)

        @asynccontextmanager
        async def opener() -> AsyncIterator[Work[int]]:
            if not work.handed:
                raise Trouble("closed")
            yield work

        with pytest.raises(Trouble, match="closed"):
            await make(3).run(opener)
        assert work.begun == []

    async def test_cancelled(self, make: Makes) -> None:
        """Cancelling the run cancels every carry, waits until each has ended, and closes the work."""

        async def carry(_: Watched, item: int) -> None:
            await anyio.sleep_forever()

        work = Watched(100, carry)
        async with anyio.create_task_group() as group:
            group.start_soon(make(5).run, work.opener)
            with anyio.fail_after(30):
                while work.now < 4:  # noqa: ASYNC110
                    await anyio.sleep(0.001)
            group.cancel_scope.cancel()
        assert sorted(work.cancelled) == sorted(work.begun)
        assert work.now == 0
        assert work.closed == work.opened
        assert work.items_closed

    async def test_twice(self, make: Makes) -> None:
        """One engine runs one work after another."""
        engine = make(2)
        for _ in range(2):
            work = Watched(5)
            await engine.run(work.opener)
            assert len(work.done) == 5


class OneLoopContract(EngineContract):
    """What an engine promises beside, whose workers all stand on the event loop of the run."""

    async def test_in_order(self, make: Makes) -> None:
        """Items are begun in the order in which they were handed out, and the work is opened once."""
        work = Watched(50)
        await make(3).run(work.opener)
        assert work.begun == list(range(50))
        assert work.opened == 1

    async def test_never_ahead(self, make: Makes) -> None:
        """An item is asked for only when a worker is free to carry it."""
        gate = anyio.Event()

        async def carry(_: Watched, item: int) -> None:
            if item < 3:
                await gate.wait()

        work = Watched(30, carry)
        async with anyio.create_task_group() as group:
            group.start_soon(make(3).run, work.opener)
            await anyio.wait_all_tasks_blocked()
            assert (work.handed, work.begun) == (3, [0, 1, 2])
            gate.set()
        assert len(work.done) == 30
        assert work.most_ahead <= 1

    async def test_first_failure(self, make: Makes) -> None:
        """The very exception of a carry is raised, and the work sees it."""
        trouble = Trouble("first")

        async def carry(work: Watched, item: int) -> None:
            if item == 3:
                await anyio.wait_all_tasks_blocked()
                raise trouble
            await anyio.sleep_forever()

        work = Watched(100, carry)
        with pytest.raises(Trouble) as raised:
            await make(4).run(work.opener)
        assert raised.value is trouble
        assert sorted(work.cancelled) == [0, 1, 2]
        assert work.begun == [0, 1, 2, 3]
        assert work.left_with is trouble

    async def test_cancelled_at_rest(self, make: Makes) -> None:
        """Nothing more is handed out than was carried when the run was cancelled."""

        async def carry(_: Watched, item: int) -> None:
            await anyio.sleep_forever()

        work = Watched(100, carry)
        async with anyio.create_task_group() as group:
            group.start_soon(make(5).run, work.opener)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert sorted(work.cancelled) == [0, 1, 2, 3, 4]
        assert work.handed == 5

    async def test_put_off_counts_as_carried(self, make: Makes) -> None:
        """An item that is put off keeps its place: nothing further is begun for it."""
        carried: list[int] = []

        async def carry(work: Watched, item: int) -> Later[int] | None:
            carried.append(item)
            assert item < 2 or len(work.done) >= item - 1
            return Later(item, 0.001) if carried.count(item) < 2 else None

        work = Watched(10, carry)
        with anyio.fail_after(20):
            await make(2).run(work.opener)
        assert work.most == 2
        assert len(work.done) == 10

    async def test_cancelled_while_put_off(self, make: Makes) -> None:
        """Cancelling the run does not wait for what is put off."""

        full = anyio.Event()

        async def carry(work: Watched, item: int) -> Later[int]:
            if len(work.begun) == 5:
                full.set()
            return Later(item, 3600)

        work = Watched(100, carry)
        async with anyio.create_task_group() as group:
            group.start_soon(make(5).run, work.opener)
            await full.wait()
            group.cancel_scope.cancel()
        assert work.closed == 1
        assert work.items_closed

    async def test_failure_after_put_off(self, make: Makes) -> None:
        """An exception of what was carried on is raised as it is, and ends the others."""
        trouble = Trouble("later")
        carried: list[int] = []

        async def carry(work: Watched, item: int) -> Later[int]:
            carried.append(item)
            if carried.count(item) == 2:
                raise trouble
            return Later(item, 0.001 if item == 3 else 3600)

        work = Watched(100, carry)
        with pytest.raises(Trouble) as raised, anyio.fail_after(20):
            await make(4).run(work.opener)
        assert raised.value is trouble
        assert work.closed == 1

    async def test_slow_items(self, make: Makes) -> None:
        """While the items make a worker wait, those that have one carry on."""
        first = anyio.Event()

        class Slow(Watched):
            async def items(self) -> AsyncIterator[int]:
                yield 0
                await first.wait()
                yield 1

        async def carry(_: Watched, item: int) -> None:
            first.set()

        work = Slow(2, carry)
        with anyio.fail_after(5):
            await make(2).run(work.opener)
        assert work.done == [0, 1]


def scripts() -> st.SearchStrategy[tuple[int, list[int]]]:
    """Workers, and for how many turns each item takes; -1 fails."""
    return st.tuples(st.integers(1, 6), st.lists(st.integers(-1, 4), max_size=20))


def judge_script(make: Makes) -> Callable[[], None]:
    """The law for any course of events: nothing twice, nothing lost, never too many, the first failure."""

    @settings(max_examples=60, deadline=None)
    @given(script=scripts())
    def law(script: tuple[int, list[int]]) -> None:
        workers, turns = script

        left = list(turns)

        async def carry(_: Watched, item: int) -> Later[int] | None:
            for _turn in range(turns[item]):
                await anyio.lowlevel.checkpoint()
            if turns[item] < 0:
                raise Trouble(str(item))
            left[item] -= 1
            return None if left[item] < 0 or item % 2 else Later(item, 0)

        work = Watched(len(turns), carry)
        try:
            anyio.run(make(workers).run, work.opener)
        except Trouble as error:
            assert str(error) in {str(item) for item, turn in enumerate(turns) if turn < 0}  # noqa: PT017
        else:
            assert sorted(work.done) == list(range(len(turns)))
        assert work.begun == list(range(len(work.begun)))
        assert work.most <= workers
        assert work.closed == 1

    return law
