"""How a worker waits: it asks at least once, takes no passing trouble for failure, never gives up what is paid."""

import anyio
import pytest

from batchgen.api import NO_PICTURE, Offer, Receipt, Waiting
from batchgen.errors import Parked, TaskFailed, Unavailable
from batchgen.lifecycle import Accepted, Generated, JobFailed, Stored
from batchgen.terms import Limits, Terms
from tests.worker.rig import Rig, with_profile

pytestmark = pytest.mark.anyio


async def test_polls_follow_the_cadence() -> None:
    """Without hints the looks come 1, 2 and 4 seconds apart, then 8 to 15."""
    rig = Rig()
    rig.provider.statuses = [Waiting("generating")] * 4
    await rig.run()
    assert rig.clock.slept[:5] == [1.0, 2.0, 4.0, 11.5, 11.5]


async def test_no_answer_is_not_yet() -> None:
    """A poll that fails for the moment costs nothing but time."""
    rig = Rig()
    rig.provider.statuses = [Unavailable("502")] * 6
    assert (await rig.run())[0] == 0
    assert len(rig.provider.asked) == 7


async def test_a_throttled_poll_holds_all_polls() -> None:
    """After a poll is answered with a time to come back, no job polls before it."""
    rig = Rig(jobs=3)
    times: list[float] = []

    def slow() -> Unavailable:
        times.append(rig.clock())
        return Unavailable("429", answered=True, retry_after_seconds=50)

    def fine() -> Offer:
        times.append(rig.clock())
        return Offer((f"https://p.example/{len(times)}",), rig.clock(), 1)

    rig.provider.statuses = [slow, fine, fine, fine]
    assert (await rig.run())[0] == 0
    assert min(times[1:]) - times[0] >= 50


async def test_long_waiting_parks_and_the_next_run_asks_once_at_least() -> None:
    """A task that takes too long is left where it is; every later run looks at it before it gives up again."""
    rig = Rig(terms=Terms(limits=Limits(give_up_waiting_seconds=30)))
    rig.provider.statuses = [Waiting("generating")] * 100
    assert (await rig.run())[0] == 75
    assert rig.head() == Accepted(1, "task-1", 50_000)
    asked = len(rig.provider.asked)
    rig.terms = Terms(limits=Limits(give_up_waiting_seconds=0))
    assert (await rig.run())[0] == 75
    assert len(rig.provider.asked) == asked + 1
    rig.provider.statuses = []
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 1


async def test_unknown_task_just_created_is_asked_again() -> None:
    """A 404 right after the create is a replica that lags, not a loss."""
    rig = Rig()
    rig.provider.statuses = [TaskFailed("404", failure="expired", missing=True)] * 3
    assert (await rig.run())[0] == 0


async def test_unknown_task_of_old_is_gone() -> None:
    """A task unknown to the provider two minutes after its creation is paid for and lost, and not bought again."""
    rig = Rig()
    rig.provider.statuses = [TaskFailed("404", failure="expired", missing=True)] * 100
    assert (await rig.run())[0] == 1
    assert rig.head() == JobFailed(1, "expired", "404")
    assert rig.totals.money.lost == 50_000
    assert len(rig.provider.orders) == 1


async def test_unknown_task_within_its_promised_life_is_parked() -> None:
    """Where the provider promised to keep tasks for a day, a 404 after an hour is not yet taken for a loss."""
    rig = Rig(terms=with_profile(Terms(limits=Limits(give_up_waiting_seconds=300)), task_ttl_seconds=86_400))
    rig.provider.statuses = [TaskFailed("404", failure="expired", missing=True)] * 100
    assert (await rig.run())[0] == 75
    assert isinstance(rig.head(), Accepted)
    rig.clock.now += 86_400
    assert (await rig.run())[0] == 1
    assert isinstance(rig.head(), JobFailed)


async def test_forbidden_task_parks_that_job_alone() -> None:
    """A 403 on one poll leaves that job's milestone and stops nobody else."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=1)))
    rig.provider.statuses = [Parked("403: the task of another account")]
    code, reason = await rig.run()
    assert code == 75
    assert rig.head(1) == Accepted(1, "task-1", 50_000)
    assert isinstance(rig.head(2), Stored)
    assert "403" in reason or "not finished" in reason


async def test_success_without_a_picture_is_a_dead_offer() -> None:
    """A success that names no URL may still be on its way: it is asked on, keeps its place, and is lost after days."""
    rig = Rig()
    rig.provider.statuses = [Waiting(NO_PICTURE)] * 9
    assert (await rig.run())[0] == 0
    rig = Rig()
    rig.provider.statuses = [Waiting(NO_PICTURE)] * 999
    code, reason = await rig.run()
    assert (code, "offers no picture" in reason) == (75, True)
    assert isinstance(rig.head(), Generated)
    rig.clock.now += 3 * 86400
    assert (await rig.run())[0] == 1
    head = rig.head()
    assert isinstance(head, JobFailed)
    assert head.failure == "expired"


async def test_finished_create_answer_needs_no_poll() -> None:
    """A task that is finished in the answer to its create is fetched from there."""
    rig = Rig()
    rig.provider.submits = [Receipt("t", Offer(("https://p.example/a",), rig.clock(), 7))]
    assert (await rig.run())[0] == 0
    assert rig.provider.asked == []
    assert rig.totals.money.spent == 7


async def test_first_look_follows_the_hint() -> None:
    """The first look comes when the server expects the picture, but within five seconds."""
    rig = Rig()
    rig.provider.submits = [Receipt("t", Waiting("waiting", eta_seconds=40))]
    await rig.run()
    assert rig.clock.slept[0] == 5.0


async def test_a_job_that_is_put_off_keeps_its_place() -> None:
    """While a task goes on its job is in flight: of a model with one place nothing else is bought."""
    one = Limits(in_flight=1)
    rig = Rig(jobs=3, terms=Terms(models={"nano-banana-pro": one}))
    bought: list[int] = []

    def goes_on() -> Waiting:
        bought.append(len(rig.provider.orders))
        return Waiting("generating")

    rig.provider.statuses = [goes_on] * 4
    assert (await rig.run())[0] == 0
    assert bought == [1] * 4
    assert len(rig.provider.orders) == 3


async def test_what_is_put_off_costs_no_task() -> None:
    """A hundred jobs whose tasks all go on do not take a hundred tasks to wait."""
    rig = Rig(jobs=100)
    rig.provider.statuses = [Waiting("generating", interval_seconds=30)] * 100
    while_asleep: list[int] = []
    jump = rig.clock.sleep

    async def sleep(seconds: float) -> None:
        while_asleep.append(len(anyio.get_running_tasks()))
        await jump(seconds)

    rig.clock.sleep = sleep  # type: ignore[method-assign]  # of the clock, which is a fake already
    assert (await rig.run())[0] == 0
    assert len(rig.provider.asked) == 200
    assert min(while_asleep) < 50
