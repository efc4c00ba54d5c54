"""The gates: how many at once, how many in a window, who waits for whom, and when nobody is there."""

from collections.abc import Awaitable, Callable

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.api.limits import Gates, Reach
from batchgen.api.pace import Pace, Pause, Timing, Window
from batchgen.api.places import Places, Slots
from batchgen.errors import Throttled, Unfinished
from batchgen.terms import Expert, Limits, Rate, Terms
from tests.api.clockwork import Clockwork

pytestmark = pytest.mark.anyio


async def never() -> None:
    raise AssertionError("nobody should be probed")


def gates(clockwork: Clockwork, terms: Terms | None = None, reach: Reach | None = None) -> Gates:
    return Gates(terms or Terms(), reach or Reach(clockwork.timing), never, clockwork.timing)


async def test_slots_hold_back_the_next_one() -> None:
    """With all slots held the next submit waits until one is given back."""
    slots, held = Slots(2, 8), 0

    async def hold() -> None:
        nonlocal held
        async with slots.held():
            held += 1
            await release.wait()

    release = anyio.Event()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(hold)
        await anyio.wait_all_tasks_blocked()
        assert held == 2
        release.set()
    assert held == 3


def test_slots_grow_by_one_per_window_of_successes() -> None:
    """After as many successes as there are slots there is one more, up to the most."""
    slots = Slots(4, 6)
    opened = []
    for _ in range(20):
        slots.taken()
        opened.append(slots.open)
    assert opened == [4] * 3 + [5] * 5 + [6] * 12


def test_slots_shrink_at_most_once_a_second() -> None:
    """A storm of 429 in one second cuts once, by 0.7; the next second cuts again; one slot stays."""
    clockwork = Clockwork()
    slots = Slots(8, 8, clockwork.timing)
    for _ in range(5):
        slots.throttled()
    assert slots.open == 5
    for _ in range(9):
        clockwork.now += 1
        slots.throttled()
    assert slots.open == 1


def test_a_throttle_forgets_the_successes_before_it() -> None:
    """Growth begins anew after a 429."""
    slots = Slots(2, 8, Clockwork().timing)
    slots.taken()
    slots.throttled()
    assert slots.open == 1
    slots.taken()
    assert slots.open == 2


def test_slots_stay_within_their_bounds() -> None:
    """Odd settings still give at least one slot and never more than the most."""
    assert Slots(0, 0).open == 1
    assert Slots(9, 3).open == 3


async def passes(clockwork: Clockwork, gate: Callable[[], Awaitable[None]], count: int, seconds: float) -> list[float]:
    """When each of `count` callers that come at once got through, within a time."""
    times: list[float] = []

    async def one() -> None:
        await gate()
        times.append(clockwork.now - 1000)

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
        await clockwork.pass_by(seconds)
        group.cancel_scope.cancel()
    return times


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 5), window=st.floats(0.5, 20), callers=st.integers(1, 12))
def test_no_window_holds_more_than_the_rate(count: int, window: float, callers: int) -> None:
    """Whatever the rate, no window of that length sees more passes, and nobody waits without need."""

    async def run() -> list[float]:
        clockwork = Clockwork()
        gate = Window(Rate(count, window), Pause(clockwork.timing), clockwork.timing)
        return await passes(clockwork, gate.passed, callers, window * 40)

    times = anyio.run(run)
    assert len(times) == callers
    for earlier, later in zip(times, times[count:], strict=False):
        assert later - earlier == pytest.approx(window)


async def test_no_rate_means_no_wait() -> None:
    """Without a rate everybody passes at once."""
    clockwork = Clockwork()
    assert await passes(clockwork, Window(None, Pause(clockwork.timing), clockwork.timing).passed, 5, 0) == [0] * 5


async def test_a_pause_holds_everybody_until_its_end() -> None:
    """Nobody passes before the end of a pause, a longer one prolongs it, a shorter one does not cut it."""
    clockwork = Clockwork()
    pause = Pause(clockwork.timing)
    window = Window(Rate(2, 10), pause, clockwork.timing)
    pause.hold(5)
    pause.hold(1)

    async def prolong() -> None:
        await clockwork.sleep(4)
        pause.hold(6)

    async with anyio.create_task_group() as group:
        group.start_soon(prolong)
        assert await passes(clockwork, window.passed, 3, 60) == [10, 10, 20]


async def test_polls_are_evenly_spaced_in_order() -> None:
    """Polls pass one by one at their pace, first come first served, and a rest is not saved up."""
    clockwork = Clockwork()
    pace = Pace(5, Pause(clockwork.timing), clockwork.timing)
    assert await passes(clockwork, pace.passed, 4, 2) == pytest.approx([0, 0.2, 0.4, 0.6])
    assert await passes(clockwork, pace.passed, 3, 2) == pytest.approx([2, 2.2, 2.4])


async def test_a_pause_of_polls_holds_whoever_already_waits_for_a_turn() -> None:
    """When a poll is throttled, nobody polls before the time it named, not even those whose turn was set before."""
    clockwork = Clockwork()
    pause = Pause(clockwork.timing)
    pace, seen = Pace(1, pause, clockwork.timing), []

    async def poll() -> None:
        await pace.passed()
        seen.append(clockwork.now - 1000)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(poll)
        await clockwork.pass_by(1)
        assert seen == [0, 1]
        pause.throttled(60)
        await clockwork.pass_by(100)
    assert seen[2:] == [61, 62]


async def test_a_host_of_pictures_that_is_busy_is_left_alone_by_all() -> None:
    """A time that one host of pictures named holds all downloads from it, and none from others."""
    clockwork = Clockwork()
    every = gates(clockwork)
    every.pictures_throttled("a.example", 7)
    times = {}

    async def download(host: str) -> None:
        async with every.download(host, 0):
            times[host] = clockwork.now - 1000

    async with anyio.create_task_group() as group:
        group.start_soon(download, "a.example")
        group.start_soon(download, "b.example")
        await clockwork.pass_by(10)
    assert times == {"a.example": 7, "b.example": 0}


def test_only_too_many_requests_cut_the_slots() -> None:
    """A server that is busy with others (503) makes everybody wait, and takes no slot away."""
    clockwork = Clockwork()
    terms = Terms(limits=Limits(expert=Expert(submit_slots=4)))
    every = gates(clockwork, terms)
    slots = every._of("m").slots
    every.throttled("m", Throttled(retry_after_seconds=9, too_many=False))
    assert (slots.open, every.pause.remaining_seconds) == (4, 9)
    every.throttled("m", Throttled(retry_after_seconds=9))
    assert slots.open == 2


@given(st.lists(st.one_of(st.none(), st.floats(0.5, 600)), min_size=1, max_size=12), st.floats(0, 1))
def test_a_pause_is_never_shorter_than_asked_for(asked: list[float | None], chance: float) -> None:
    """Jitter only lengthens what a server asks for, by a second at most; without a time it grows from 1 s to 20 s."""
    clockwork = Clockwork()
    pause = Pause(Timing(lambda: clockwork.now, clockwork.sleep, lambda: chance))
    for number, seconds in enumerate(asked):
        before = max(pause.remaining_seconds, 0.0)
        pause.throttled(seconds)
        held = pause.remaining_seconds
        assert held >= before
        if seconds is None:
            assert held <= max(before, min(2.0**number, 20)) + 1e-6
        else:
            assert seconds - 1e-6 <= held <= max(before, seconds + 1) + 1e-6


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.integers(1, 4))
def test_a_free_place_goes_to_whoever_is_due_first(due: list[float], count: int) -> None:
    """Beyond those who found a place free, places are given in order of what is due, and none is lost."""
    taken: list[float] = []

    async def all_of_them() -> None:
        places, release = Places(count), anyio.Event()

        async def take(at: float) -> None:
            async with places.held(at):
                taken.append(at)
                await release.wait()

        async with anyio.create_task_group() as group:
            for at in due:
                group.start_soon(take, at)
            await anyio.wait_all_tasks_blocked()
            release.set()

    anyio.run(all_of_them)
    assert taken[count:] == sorted(due[count:])
    assert len(taken) == len(due)


async def test_a_place_that_nobody_waits_for_any_more_is_not_lost() -> None:
    """Whoever gives up waiting for a place, also in the moment it is handed over, leaves it to the next."""
    places, got = Places(1), []

    async def take(name: str, scope: anyio.CancelScope) -> None:
        with scope:
            async with places.held(0):
                got.append(name)

    scopes = {name: anyio.CancelScope() for name in ("early", "late", "last")}
    async with anyio.create_task_group() as group, places.held(0):
        for name, scope in scopes.items():
            group.start_soon(take, name, scope)
        await anyio.wait_all_tasks_blocked()
        scopes["early"].cancel()
        await anyio.wait_all_tasks_blocked()
        scopes["late"].cancel()  # and is handed the place before it has woken
    assert got == ["last"]


async def lost(reach: Reach, calls: int) -> None:
    for _ in range(calls):
        reach.lost()


async def test_nine_silent_calls_are_bad_luck() -> None:
    """Up to nine calls without an answer nobody waits, and any answer starts the count anew."""
    reach = Reach(Clockwork().timing)
    told = gates(Clockwork(), reach=reach)
    await lost(reach, 9)
    await reach.ready(never)
    seen = [told.out_of_reach]
    await lost(reach, 1)
    assert [*seen, told.out_of_reach] == [False, True]
    reach.heard()
    await lost(reach, 9)
    await reach.ready(never)


async def test_silence_is_probed_by_one_until_it_ends() -> None:
    """After ten, everybody waits while one probes, at 2, 4, 8, 16, 30, 30 … seconds, and all go on together."""
    clockwork = Clockwork()
    reach = Reach(clockwork.timing)
    reach.heard()
    await lost(reach, 10)
    probes: list[float] = []

    async def probe() -> None:
        probes.append(clockwork.now - 1000)
        reach.heard() if len(probes) == 7 else reach.lost()

    assert await passes(clockwork, lambda: reach.ready(probe), 5, 300) == [90] * 5
    assert probes == [0, 2, 6, 14, 30, 60, 90]


async def test_an_answer_to_somebody_else_ends_the_probing() -> None:
    """A poll that is answered meanwhile opens the gate without another probe."""
    clockwork = Clockwork()
    reach = Reach(clockwork.timing)
    await lost(reach, 10)
    probes: list[float] = []

    async def probe() -> None:
        probes.append(clockwork.now)
        reach.lost()

    async with anyio.create_task_group() as group:
        group.start_soon(reach.ready, probe)
        await clockwork.settle()
        reach.heard()
        await clockwork.pass_by(2)
    assert len(probes) == 1


async def test_ten_minutes_of_silence_end_the_run() -> None:
    """A run that was answered once waits ten minutes for the next answer, then ends to be run again."""
    clockwork = Clockwork()
    reach = Reach(clockwork.timing)
    reach.heard()
    await lost(reach, 10)

    async def probe() -> None:
        reach.lost()

    ended: list[float] = []

    async def wait() -> None:
        with pytest.raises(Unfinished, match="out of reach"):
            await reach.ready(probe)
        ended.append(clockwork.now - 1000)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await clockwork.pass_by(700)
    assert len(ended) == 1
    assert 600 <= ended[0] <= 630


async def test_a_run_that_never_reached_the_server_ends_after_three_probes() -> None:
    """If nothing was ever answered three probes are enough, and everybody is told."""
    clockwork = Clockwork()
    reach = Reach(clockwork.timing)
    await lost(reach, 10)
    probes: list[float] = []

    async def probe() -> None:
        probes.append(clockwork.now - 1000)
        reach.lost()

    async def wait() -> None:
        with pytest.raises(Unfinished):
            await reach.ready(probe)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await clockwork.pass_by(60)
    assert probes == [0, 2, 6]
    with pytest.raises(Unfinished):
        await reach.ready(probe)


async def test_the_gates_of_a_submit_stand_in_a_row() -> None:
    """A submit holds a slot and has passed pause and window; a throttle cuts the slots and holds everybody."""
    clockwork = Clockwork()
    terms = Terms(limits=Limits(rate=Rate(2, 10), expert=Expert(submit_slots=4)))
    every = gates(clockwork, terms)

    async def submit() -> None:
        async with every.submit("m"):
            pass

    assert await passes(clockwork, submit, 4, 30) == [0, 0, 10, 10]
    every.throttled("m", Throttled(retry_after_seconds=100))
    assert await passes(clockwork, submit, 1, 200) == [130]
    every.throttled("m", Throttled())
    every.taken("m")
    assert await passes(clockwork, submit, 1, 0) == [230]


async def test_a_slot_is_given_back_when_a_wait_is_cancelled() -> None:
    """A submit that is cancelled at a later gate gives its slot back and keeps nobody waiting."""
    clockwork = Clockwork()
    every = gates(clockwork, Terms(limits=Limits(expert=Expert(submit_slots=1, submit_slots_most=1))))
    every.pause.hold(50)

    async def submit() -> None:
        async with every.submit("m"):
            pass

    assert await passes(clockwork, submit, 1, 10) == []
    assert await passes(clockwork, submit, 1, 60) == [50]


async def test_models_with_limits_of_their_own_have_their_own_gates() -> None:
    """A model with its own rate neither waits for the others nor they for it; a pause holds both."""
    clockwork = Clockwork()
    own = Limits(rate=Rate(1, 100), in_flight=1)
    every = gates(clockwork, Terms(limits=Limits(rate=Rate(1, 10)), models={"slow": own}))

    def through(model: str) -> Callable[[], Awaitable[None]]:
        async def submit() -> None:
            async with every.submit(model):
                pass

        return submit

    assert await passes(clockwork, through("slow"), 1, 0) == [0]
    assert await passes(clockwork, through("other"), 2, 20) == [0, 10]
    assert await passes(clockwork, through("slow"), 1, 200) == [100]
    every.throttled("other", Throttled(retry_after_seconds=30))
    assert await passes(clockwork, through("slow"), 1, 200) == [250]


async def test_places_in_flight_and_for_downloads_are_counted() -> None:
    """No more jobs of a model, and no more downloads, than there are places."""
    every = gates(Clockwork(), Terms(limits=Limits(in_flight=2, expert=Expert(downloads=3))))
    inside = {"job": 0, "download": 0}
    release = anyio.Event()

    async def job() -> None:
        await every.enter("m")
        inside["job"] += 1
        await release.wait()
        every.leave("m")

    async def download() -> None:
        async with every.download("cdn.example", 0):
            inside["download"] += 1
            await release.wait()

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(job)
            group.start_soon(download)
        await anyio.wait_all_tasks_blocked()
        assert inside == {"job": 2, "download": 3}
        release.set()


async def test_polls_and_submits_hear_that_nobody_is_there() -> None:
    """When the server is out of reach polls end like submits."""
    clockwork = Clockwork()
    reach = Reach(clockwork.timing)
    reach.heard()
    await lost(reach, 10)
    clockwork.now += 600
    every = gates(clockwork, reach=reach)
    with pytest.raises(Unfinished):
        await every.poll()
    with pytest.raises(Unfinished):
        async with every.submit("m"):
            pass


async def test_polls_pass_at_their_pace() -> None:
    """Polls are paced by the expert setting."""
    clockwork = Clockwork()
    every = gates(clockwork, Terms(limits=Limits(expert=Expert(polls_per_second=2))))
    assert await passes(clockwork, every.poll, 3, 5) == [0, 0.5, 1]


async def test_places_that_come_are_all_given() -> None:
    """When there are several more places at once, as many of those who wait get one."""
    places, got = Places(1), []

    async def take(name: str) -> None:
        async with places.held():
            got.append(name)
            await release.wait()

    release = anyio.Event()
    async with anyio.create_task_group() as group:
        for name in ("a", "b", "c", "d"):
            group.start_soon(take, name)
        await anyio.wait_all_tasks_blocked()
        places.count = 3
        await anyio.wait_all_tasks_blocked()
        assert got == ["a", "b", "c"]
        release.set()


async def test_a_gate_that_is_closed_keeps_no_slot() -> None:
    """Whoever cannot pass at once leaves the slot to others."""
    clockwork = Clockwork()
    limits = Limits(rate=Rate(1, 60), expert=Expert(submit_slots=2, submit_slots_most=2))
    every = gates(clockwork, Terms(limits=limits))
    first = every.submit("m")
    assert first.taken_now()
    for _ in range(3):
        second = every.submit("m")
        assert not second.taken_now()
        second.give()
    assert every._common.slots.take_now()
    assert not every._common.slots.take_now()
