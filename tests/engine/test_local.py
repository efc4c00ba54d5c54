"""The workers of this process under the judge."""

from collections.abc import AsyncIterator

import anyio
import pytest

from batchgen.engine import Later, Work
from batchgen.engine.local import LocalEngine
from tests.contracts.engine import Makes, OneLoopContract, Trouble, Watched, judge_script

pytestmark = pytest.mark.anyio


class TestLocalEngine(OneLoopContract):
    """Every promise of an engine."""

    @pytest.fixture
    def make(self) -> Makes:
        return LocalEngine


def test_any_course() -> None:
    """Whatever the order of events, nothing is carried twice or lost, and a failure is one that happened."""
    judge_script(LocalEngine)()


def test_no_workers() -> None:
    """An engine without workers would never end, and is refused."""
    with pytest.raises(ValueError, match="needs a worker"):
        LocalEngine(0)


async def test_no_more_tasks_than_needed() -> None:
    """Ten thousand workers for two items at once are three tasks, not ten thousand."""
    tasks: list[int] = []
    gate = anyio.Event()

    async def carry(work: Watched, item: int) -> None:
        tasks.append(len(anyio.get_running_tasks()))
        if len(work.begun) == 2:
            gate.set()
        await gate.wait()

    before = len(anyio.get_running_tasks())
    await LocalEngine(10_000).run(Watched(2, carry).opener)
    assert max(tasks) <= before + 3


async def test_plain_iterator() -> None:
    """Items may come from any asynchronous iterator, not only from a generator."""

    class Three:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> "Three":
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    class Plain(Watched):
        def items(self) -> AsyncIterator[int]:
            return Three()

    work: Work[int] = Plain(3)
    assert isinstance(work, Plain)
    await LocalEngine(2).run(work.opener)
    assert sorted(work.done) == [0, 1, 2]


async def test_failure_outranks_cancellation() -> None:
    """A carry that fails while the run is being cancelled is heard: its milestone may be lost."""

    async def carry(_: Watched, item: int) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise Trouble("the journal did not take it")

    with pytest.raises(Trouble, match="journal"), anyio.move_on_after(0.01):
        await LocalEngine(1).run(Watched(1, carry).opener)


async def test_begun_at_once() -> None:
    """Only so many are carried at once that were never put off; of those that were there is no such bound."""
    at_once, most, again = 0, {1: 0, 2: 0}, anyio.Event()

    async def carry(work: Watched, item: int) -> Later[int] | None:
        nonlocal at_once
        turn = 2 if item in put_off else 1
        at_once += 1
        most[turn] = max(most[turn], at_once)
        if turn == 1:
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
        elif at_once == 20:
            again.set()
        else:
            await again.wait()
        at_once -= 1
        put_off.add(item)
        return Later(item, 0.05) if turn == 1 else None

    put_off: set[int] = set()
    work = Watched(20, carry)
    with anyio.fail_after(20):
        await LocalEngine(1000, begun=3).run(work.opener)
    assert most[2] == 20
    assert most[1] <= 3
    assert len(work.done) == 20
