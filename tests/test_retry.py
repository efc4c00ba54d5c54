"""Trying again: how often, how long, and what is let through."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.errors import NotTaken, OutcomeUnknown, Throttled, Unavailable
from batchgen.retry import Patience, Timing, persist

pytestmark = pytest.mark.anyio


@dataclass
class Clockwork:
    """A clock that only sleeps move, and a chance that is always the same."""

    luck: float = 1.0
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()

    @property
    def timing(self) -> Timing:
        return Timing(lambda: self.now, self.sleep, lambda: self.luck)


def failing(*errors: BaseException) -> Callable[[], Awaitable[str]]:
    """A call that raises these one after another and then succeeds."""
    left = list(errors)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


async def test_a_success_waits_for_nothing() -> None:
    """A call that succeeds at once neither sleeps nor is repeated."""
    clockwork = Clockwork()
    assert await persist(failing(), (NotTaken,), Patience(3, 60), timing=clockwork.timing) == "done"
    assert clockwork.slept == []


async def test_waits_grow_to_their_cap() -> None:
    """With the worst luck waits double from the base to the cap."""
    clockwork = Clockwork()
    call = failing(*(NotTaken(str(number)) for number in range(8)))
    assert await persist(call, (NotTaken,), Patience(9, 1000), timing=clockwork.timing) == "done"
    assert clockwork.slept == [0.5, 1, 2, 4, 8, 16, 20, 20]


async def test_the_last_error_comes_out_as_it_is() -> None:
    """After the last try its own error is raised, unwrapped."""
    errors = [NotTaken("1"), NotTaken("2"), NotTaken("3")]
    with pytest.raises(NotTaken) as caught:
        await persist(failing(*errors, NotTaken("4")), (NotTaken,), Patience(3, 60), timing=Clockwork().timing)
    assert caught.value is errors[2]


@pytest.mark.parametrize("tries", [0, 1])
async def test_one_try_is_one_try(tries: int) -> None:
    """With one try nothing is repeated."""
    clockwork = Clockwork()
    with pytest.raises(NotTaken, match="first"):
        await persist(failing(NotTaken("first")), (NotTaken,), Patience(tries, 60), timing=clockwork.timing)
    assert clockwork.slept == []


async def test_what_was_not_named_is_let_through() -> None:
    """An error that was not named is raised at once, also as the second one."""
    for errors in ([OutcomeUnknown(reach="x")], [NotTaken(), OutcomeUnknown(reach="x")]):
        with pytest.raises(OutcomeUnknown):
            await persist(failing(*errors), (NotTaken,), Patience(9, 60), timing=Clockwork().timing)


async def test_a_time_that_was_asked_for_is_a_floor() -> None:
    """No try comes before the time that the server named."""
    clockwork = Clockwork(luck=0.0)
    call = failing(Throttled(retry_after_seconds=7), Unavailable(retry_after_seconds=3), NotTaken())
    assert await persist(call, (NotTaken, Unavailable), Patience(9, 60), timing=clockwork.timing) == "done"
    assert clockwork.slept == [7, 3, 0]


async def test_no_wait_goes_past_the_total() -> None:
    """A wait that would end after the total time is not begun; the error is raised at once."""
    clockwork = Clockwork()
    with pytest.raises(Throttled):
        await persist(failing(Throttled(retry_after_seconds=61)), (NotTaken,), Patience(9, 60), timing=clockwork.timing)
    assert clockwork.slept == []


async def test_a_cancellation_is_not_caught() -> None:
    """A cancelled call ends everything, also when it is a repeated one, and also while waiting."""
    for patience in (Patience(9, 1e9, base_seconds=0), Patience(9, 1e9, base_seconds=1000)):
        calls = 0

        async def call() -> None:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise NotTaken
            await anyio.sleep_forever()

        with anyio.move_on_after(0.01) as scope:
            await persist(call, (NotTaken,), patience)
        assert scope.cancelled_caught


@settings(deadline=None)
@given(
    st.integers(1, 12),
    st.floats(0, 200),
    st.floats(0, 1),
    st.lists(st.none() | st.floats(0.5, 60), max_size=14),
)
def test_the_bounds_hold(tries: int, total: float, luck: float, asked: list[float | None]) -> None:
    """Never more tries, never longer, never earlier than asked, and never longer than asked plus the cap."""
    clockwork = Clockwork(luck)
    calls: list[float] = []

    async def call() -> None:
        calls.append(clockwork.now)
        if len(calls) <= len(asked):
            raise Throttled(retry_after_seconds=asked[len(calls) - 1])

    async def run() -> None:
        try:
            await persist(call, (Throttled,), Patience(tries, total), timing=clockwork.timing)
        except Throttled:
            assert len(calls) <= len(asked)

    anyio.run(run)
    assert len(calls) <= tries
    assert calls[-1] - calls[0] <= total + 1e-9
    for wait, floor in zip(clockwork.slept, asked, strict=False):
        assert (floor or 0) <= wait <= (floor or 0) + 20 + 1e-9
