"""One window for many processes: nobody submits without a turn, and turns are no more than the rate allows."""

from functools import partial

import anyio
import pytest

from batchgen.api.pace import Pause, Timing, Window
from batchgen.batch.turns import Marshal, Turns
from batchgen.engine import Post, Word
from batchgen.terms import Limits, Rate, Terms
from tests.worker.rig import Clock

pytestmark = pytest.mark.anyio

TERMS = Terms(limits=Limits(rate=Rate(5, 10)), models={"slow": Limits(rate=Rate(1, 10))})


class Exchange:
    """Outposts and a head that hear each other at once; `lost` words are never heard."""

    def __init__(self, outposts: int, lost: int = 0) -> None:
        self.clock = Clock()
        self.timing = Timing(self.clock, self.clock.sleep, lambda: 0.5)
        self.words: list[tuple[int, Word]] = []
        self.lost = lost
        self.given: list[float] = []
        self.turns = [Turns(Post(partial(self.hear, seat), 0.5)) for seat in range(outposts)]
        self.marshal = Marshal(TERMS, self.answer, self.timing)

    def hear(self, seat: int, word: Word) -> None:
        """An outpost says something."""
        self.words.append((seat, word))

    def answer(self, word: Word, seat: int) -> None:
        """The head says something to a seat."""
        self.given.append(self.clock())
        if self.lost:
            self.lost -= 1
        else:
            self.turns[seat].go(*word["go"])

    async def serve(self) -> None:
        """Give turns as they are asked for."""
        async with anyio.create_task_group() as group:
            while True:
                while self.words:
                    seat, word = self.words.pop(0)
                    group.start_soon(self.marshal.give, seat, word["ask"], word["turn"])
                await anyio.lowlevel.checkpoint()


async def passes(exchange: Exchange, model: str, each: int) -> list[float]:
    """When turns were given, if every outpost wants so many."""

    async def submit(turns: Turns) -> None:
        window = turns.window(model, TERMS.of(model).rate, Pause(exchange.timing), exchange.timing)
        for _ in range(each):
            await window.passed()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as serving:
            serving.start_soon(exchange.serve)
            async with anyio.create_task_group() as group:
                for turns in exchange.turns:
                    group.start_soon(submit, turns)
            serving.cancel_scope.cancel()
    return exchange.given


@pytest.mark.parametrize(("model", "rate"), [("any", 5), ("slow", 1)])
async def test_one_window_for_all(model: str, rate: int) -> None:
    """However many outposts ask, no window of time sees more submits than the rate of their model."""
    went = await passes(Exchange(3), model, 6)
    assert len(went) == 18
    assert all(went[index + rate] - went[index] >= 10 for index in range(len(went) - rate))


async def test_a_lost_answer_is_asked_for_again() -> None:
    """A turn whose answer never came is asked for anew, and nobody waits for ever."""
    exchange = Exchange(2, lost=2)
    for turns in exchange.turns:
        turns.again_seconds = 0.01
    assert len(await passes(exchange, "any", 2)) == 6


async def test_a_turn_that_is_asked_for_again_is_counted_once() -> None:
    """Whoever waits long and asks again and again takes one turn of the window, and leaves the others theirs."""
    exchange = Exchange(1)
    async with anyio.create_task_group() as group:
        for _ in range(5):
            for number in range(5):
                group.start_soon(exchange.marshal.give, 0, "any", ["somebody", number])
    assert exchange.clock() < 1_000_010
    assert len(set(exchange.given)) == 1
    await exchange.marshal.give(0, "any", ["somebody", 5])
    assert exchange.clock() >= 1_000_010


def test_without_a_rate_nobody_asks() -> None:
    """Where the manifest names no rate, outposts submit as they like."""
    exchange = Exchange(1)
    window = exchange.turns[0].window("any", None, Pause(exchange.timing), exchange.timing)
    assert isinstance(window, Window)


async def test_a_turn_of_somebody_else() -> None:
    """An answer that was meant for another outpost, or comes too late, gives nobody a turn."""
    exchange = Exchange(1)
    [turns] = exchange.turns
    running = len(anyio.get_running_tasks())
    async with anyio.create_task_group() as group:
        group.start_soon(turns.ask, "any")
        await anyio.wait_all_tasks_blocked()
        [(_, word)] = exchange.words
        name, number = word["turn"]
        turns.go("somebody", number)
        turns.go(name, number + 1)
        await anyio.wait_all_tasks_blocked()
        assert len(anyio.get_running_tasks()) > running
        turns.go(name, number)
    assert len(anyio.get_running_tasks()) == running
    turns.go(name, number)


async def test_a_pause_holds_a_turn_back() -> None:
    """A turn that was given before the server asked for a pause is used after it."""
    exchange = Exchange(1)
    pause = Pause(exchange.timing)
    pause.hold(30)
    window = exchange.turns[0].window("any", Rate(5, 10), pause, exchange.timing)
    async with anyio.create_task_group() as serving:
        serving.start_soon(exchange.serve)
        await window.passed()
        serving.cancel_scope.cancel()
    assert exchange.clock() >= 1_000_030
