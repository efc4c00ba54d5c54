"""How often a task is asked for."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.api import Waiting
from batchgen.api.cadence import LOCAL, Cadence

hints = st.none() | st.floats(1e-6, 1e9)


def test_without_hints_it_is_one_two_four_and_then_eight_to_fifteen() -> None:
    """Steps double, then stay random between 8 and 15 seconds."""
    waiting = Waiting("waiting")
    assert [Cadence(chance=lambda: 0.0).delay(n, waiting) for n in range(6)] == [1, 2, 4, 8, 8, 8]
    assert [Cadence(chance=lambda: 1.0).delay(n, waiting) for n in range(6)] == [1, 2, 4, 15, 15, 15]


def test_a_sane_hint_is_followed() -> None:
    """A hint between half a second and a minute is followed exactly; others are not."""
    cadence = Cadence(chance=lambda: 0.0)
    assert [cadence.delay(9, Waiting("x", hint)) for hint in (0.5, 3, 60)] == [0.5, 3, 60]
    assert [cadence.delay(9, Waiting("x", hint)) for hint in (0.49, 60.1)] == [8, 8]


def test_the_first_look_comes_when_the_task_may_be_done_but_soon() -> None:
    """The first question comes after the time the server expects, at most 5 seconds; later ones ignore it."""
    cadence = Cadence()
    assert cadence.delay(0, Waiting("x", 2, 3)) == 3
    assert cadence.delay(0, Waiting("x", 2, 90)) == 5
    assert cadence.delay(1, Waiting("x", 2, 90)) == 2
    assert cadence.delay(0, Waiting("x", 2)) == 2


def test_the_local_gateway_may_hint_at_less() -> None:
    """Polls of the built-in gateway are free, so its short hints rule."""
    assert LOCAL.delay(3, Waiting("x", 0.05)) == 0.05


@given(st.integers(0, 10_000), hints, hints)
def test_the_wait_is_bounded(asked: int, interval: float | None, eta: float | None) -> None:
    """Whatever a server hints, a wait is never above a minute, and after the first look never under half a second."""
    delay = Cadence().delay(asked, Waiting("x", interval, eta))
    assert 0 < delay <= 60
    assert delay >= 0.5 or asked == 0
