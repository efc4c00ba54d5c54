"""A window that several runs share: each asks for all who wait with it, and none has more than it was given."""

import anyio
import pytest

from batchgen.api import Order
from batchgen.api.pace import Pause, Timing
from batchgen.batch.sharing import MOST_WAIT_SECONDS, Overheard, SharedWindow, Sharing
from batchgen.errors import Throttled
from batchgen.journal.postgres.rates import Given
from tests.worker.rig import Clock

pytestmark = pytest.mark.anyio


class Counter:
    """Gives `count` turns in each `seconds`, to whoever asks."""

    def __init__(self, count: int, seconds: float) -> None:
        self.clock = Clock()
        self.timing = Timing(self.clock, self.clock.sleep, lambda: 0.0)
        self.count, self.seconds = count, seconds
        self.asked: list[int] = []
        self.given: list[float] = []

    async def take(self, wanted: int) -> Given:
        """Some turns, or a time to wait."""
        self.asked.append(wanted)
        await anyio.lowlevel.checkpoint()
        late = [each for each in self.given if each > self.clock() - self.seconds]
        turns = min(wanted, self.count - len(late))
        if turns <= 0:
            return Given(0, late[0] + self.seconds - self.clock())
        self.given += [self.clock()] * turns
        return Given(turns)

    def window(self, pause: Pause | None = None) -> SharedWindow:
        """The window of one run."""
        return SharedWindow(self.take, pause or Pause(self.timing), self.timing)


async def test_two_runs_use_one_window() -> None:
    """Whoever waits gets its turn, nobody goes without one, and none is left over."""
    counter, went = Counter(5, 10), list[int]()
    windows = [counter.window() for _ in range(2)]

    async def submit(window: SharedWindow) -> None:
        await window.passed()
        went.append(len(counter.given))

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(submit, windows[number % 2])
    assert len(went) == len(counter.given) == 20
    assert all(given > place for place, given in enumerate(went))
    assert counter.given[-1] >= counter.given[0] + 30
    assert not windows[0].passed_now()


async def test_many_are_asked_for_at_once() -> None:
    """Whoever comes first asks for all who wait by then, so that the server is asked few times."""
    counter = Counter(100, 10)
    window = counter.window()
    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(window.passed)
    assert len(counter.asked) <= 2
    assert len(counter.given) == 50


async def test_a_long_wait_is_asked_about_again() -> None:
    """Nobody sleeps for as long as a window lasts without asking again."""
    counter = Counter(1, 60)
    window = counter.window()
    await window.passed()
    await window.passed()
    assert len(counter.asked) > 60 / MOST_WAIT_SECONDS


async def test_a_pause_holds_asking_and_going() -> None:
    """While the server asked to be left alone no turn is asked for, and none that was given is used."""
    counter = Counter(5, 10)
    pause = Pause(counter.timing)
    pause.hold(30)
    began = counter.clock()
    await counter.window(pause).passed()
    assert len(counter.given) == 1
    assert counter.given[0] >= began + 30


async def test_who_leaves_takes_nobodys_turn() -> None:
    """Whoever stops waiting is asked for no more, and the others get theirs."""
    counter, gate = Counter(1, 10), anyio.Event()

    async def slow(wanted: int) -> Given:
        await gate.wait()
        return await counter.take(wanted)

    window = SharedWindow(slow, Pause(counter.timing), counter.timing)
    async with anyio.create_task_group() as staying:
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(window.passed)
            await anyio.wait_all_tasks_blocked()
            staying.start_soon(window.passed)
            await anyio.wait_all_tasks_blocked()
            leaving.cancel_scope.cancel()
        gate.set()
    assert counter.asked == [1]


class Slow:
    """A provider that asks to be left alone."""

    async def submit(self, order: Order) -> None:
        """Never now."""
        raise Throttled("later", retry_after_seconds=7)

    async def status(self, task_id: str) -> str:
        """An echo."""
        return task_id


async def test_a_wish_to_be_left_alone_is_told_on() -> None:
    """What the provider asks of one is told to all; a run that shares nothing has its provider as it is."""
    heard: list[object] = []
    slow: object = Slow()
    provider = Overheard(slow, heard.append)  # type: ignore[arg-type]
    with pytest.raises(Throttled):
        await provider.submit(None)  # type: ignore[arg-type]
    assert heard == [7.0]
    assert str(await provider.status("task")) == "task"
    assert Sharing().overheard(slow) is slow  # type: ignore[arg-type]
    assert isinstance(Sharing(hold=heard.append).overheard(slow), Overheard)
