"""How often a task is asked for."""

import random
from itertools import pairwise
from math import exp
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.api import Waiting
from batchgen.api.cadence import Cadence, Look, experienced
from batchgen.api.durations import KEPT, LEAST, PRICE, Durations
from tests.benchmarks import looks

hints = st.none() | st.floats(1e-6, 1e9)
waits = st.floats(0, 1e6)
taken = st.lists(st.floats(0, 1e6), max_size=2 * KEPT)


def look(asked: int = 0, waited_seconds: float = 0.0) -> Look:
    """The look that is due next at a task of one model."""
    return Look("m", asked, waited_seconds)


def test_without_hints_it_is_one_two_four_and_then_eight_to_fifteen() -> None:
    """Steps double, then stay random between 8 and 15 seconds."""
    waiting = Waiting("waiting")
    assert [Cadence(chance=lambda: 0.0).delay(look(n), waiting) for n in range(6)] == [1, 2, 4, 8, 8, 8]
    assert [Cadence(chance=lambda: 1.0).delay(look(n), waiting) for n in range(6)] == [1, 2, 4, 15, 15, 15]


def test_a_sane_hint_is_followed() -> None:
    """A hint between half a second and a minute is followed exactly; others are not."""
    cadence = Cadence(chance=lambda: 0.0)
    assert [cadence.delay(look(9), Waiting("x", hint)) for hint in (0.5, 3, 60)] == [0.5, 3, 60]
    assert [cadence.delay(look(9), Waiting("x", hint)) for hint in (0.49, 60.1)] == [8, 8]


def test_the_first_look_comes_when_the_task_may_be_done_but_soon() -> None:
    """The first question comes after the time the server expects, at most 5 seconds; later ones ignore it."""
    cadence = Cadence()
    assert cadence.delay(look(0), Waiting("x", 2, 3)) == 3
    assert cadence.delay(look(0), Waiting("x", 2, 90)) == 5
    assert cadence.delay(look(1), Waiting("x", 2, 90)) == 2
    assert cadence.delay(look(0), Waiting("x", 2)) == 2


def test_the_local_gateway_may_hint_at_less() -> None:
    """Polls of the built-in gateway are free, so its short hints rule."""
    assert experienced({}, shortest_hint_seconds=0.01).delay(look(3), Waiting("x", 0.05)) == 0.05


@given(st.integers(0, 10_000), hints, hints, taken, waits)
def test_the_wait_is_bounded(
    asked: int, interval: float | None, eta: float | None, known: list[float], waited: float
) -> None:
    """Whatever a server hints or tasks taught: at most a minute, and after the first look at least half a second."""
    delay = experienced({"m": known}, shortest_hint_seconds=0.5).delay(look(asked, waited), Waiting("x", interval, eta))
    assert 0 < delay <= 60
    assert delay >= 0.5 or asked == 0


@given(st.lists(st.floats(0.1, 1e4), min_size=LEAST), st.floats(0.5, 60), st.integers(0, 20))
def test_what_was_learned_never_asks_sooner_than_the_server_wants(known: list[float], hint: float, asked: int) -> None:
    """A hint of the server is a floor under what its tasks have taught."""
    assert experienced({"m": known}, shortest_hint_seconds=0.5).delay(look(asked), Waiting("x", hint)) >= hint


@given(st.lists(st.floats(0, 1e6), min_size=LEAST, max_size=KEPT), waits)
def test_a_look_is_never_behind_all_that_was_seen(known: list[float], waited: float) -> None:
    """While some tasks took longer than this one has, the next look comes by three times the longest at the latest."""
    durations = Durations(known)
    due = durations.next_look(waited)
    assert due is not None
    assert due >= 0
    if waited < max(known):
        assert waited + due <= 3.3 * max(*known, sorted(known)[len(known) // 2] * 1.05**50)


@given(st.lists(st.floats(0.01, 1e4), min_size=LEAST, max_size=KEPT), st.floats(0, 1e4), st.floats(0.01, 100))
def test_time_has_no_unit(known: list[float], waited: float, factor: float) -> None:
    """A provider that is ten times as slow is asked ten times as rarely."""
    once = Durations(known).next_look(waited)
    scaled = Durations([factor * each for each in known]).next_look(factor * waited)
    if once is not None and scaled is not None and all(abs(each - waited) > 1e-6 * each for each in known):
        assert scaled == pytest.approx(factor * once, rel=1e-3, abs=1e-6)


def test_too_little_teaches_nothing() -> None:
    """Before eight tasks were seen the steps of an unknown provider hold, and other models teach nothing."""
    cadence = experienced({"other": [5.0] * 50}, shortest_hint_seconds=0.5)
    for _ in range(LEAST - 1):
        cadence.learn(look(1, 5.0), 1.0)
    assert cadence.delay(look(), Waiting("x")) == 1
    cadence.learn(look(1, 5.0), 1.0)
    assert cadence.delay(look(), Waiting("x")) > 3


def test_a_provider_that_grows_quick_is_followed() -> None:
    """When tasks are suddenly done ten times as fast, the first look soon comes earlier, though each is found late."""
    durations = Durations([50.0] * KEPT)
    for _ in range(2 * KEPT):
        due = durations.next_look(0.0)
        assert due is not None
        durations.learn(max(due, 5.0), due)
    due = durations.next_look(0.0)
    assert due is not None
    assert due < 25


def test_a_task_longer_than_all_others_is_asked_more_and_more_rarely() -> None:
    """Beyond all that was seen the waits grow with the time already waited, up to a minute."""
    cadence = Cadence(chance=lambda: 0.5, seen={"m": Durations([5.0] * 20)})
    waits = [cadence.delay(look(5, waited), Waiting("x")) for waited in (25, 50, 100, 10_000)]
    assert waits == [1.0, 2.0, 4.0, 60.0]


def polled(cadence: Cadence | None, seed: int) -> tuple[float, float]:
    """Looks and mean lateness of 500 tasks, lognormal around 5 seconds; without a cadence every second is one."""
    chance, count, late = random.Random(seed), 0, 0.0
    for _ in range(500):
        done, now, asked = 5 * chance.lognormvariate(0, 0.5), 0.0, 0
        while True:
            interval = 1.0 if cadence is None else cadence.delay(look(asked, now), Waiting("x"))
            now, asked = now + interval, asked + 1
            if now >= done:
                break
        if cadence is not None:
            cadence.learn(look(asked, now), interval)
        count, late = count + asked, late + now - done
    return count / 500, late / 500


@pytest.mark.parametrize("seed", range(5))
def test_learned_looks_are_fewer_and_no_later_than_every_second(seed: int) -> None:
    """From nothing known, tasks of about 5 seconds cost fewer looks than one a second, and are seen about as soon."""
    learned_looks, late = polled(Cadence(chance=random.Random(seed).random), seed)
    fixed_looks, fixed_late = polled(None, seed)
    assert learned_looks <= 0.75 * fixed_looks
    assert late <= 1.3 * fixed_late


def test_learned_looks_are_nearly_the_best_there_are() -> None:
    """Looks and lateness together cost hardly more than with the best schedule for the true law of the tasks."""
    known = [5 * exp(NormalDist(0, 0.5).inv_cdf((n + 0.5) / KEPT)) for n in range(KEPT)]
    durations, waited, learned = Durations(known), 0.0, list[int]()
    while waited < looks.STEPS * looks.STEP_SECONDS - 1:
        waited += durations.next_look(waited) or 0.0
        learned.append(round(waited / looks.STEP_SECONDS))
    learned[-1] = looks.STEPS
    price = PRICE * 5
    ours, best = looks.judged(learned), looks.judged(looks.best(price))
    assert price * ours.looks + ours.mean_seconds <= 1.03 * (price * best.looks + best.mean_seconds)


def test_a_rerun_begins_wise() -> None:
    """What an earlier run knew needs not be learned again: the very first task is not looked at four times early."""
    wise = experienced({"m": [5.0 + n / 100 for n in range(40)]}, shortest_hint_seconds=0.5)
    first = wise.delay(look(), Waiting("x"))
    assert first > 4
    assert all(later < first for _, later in pairwise([first, wise.delay(look(1, first), Waiting("x"))]))
