"""What a person decides about payments in doubt becomes milestones, and money follows."""

from typing import Any

import pytest

from batchgen import decide as decisions
from batchgen.api.answers import Sold
from batchgen.decide import Decision, Drop, Paid, Resend
from batchgen.errors import OfferExpired, OutcomeUnknown, Rejected, SettingsError
from batchgen.journal import Progress
from batchgen.journal.memory import MemoryRecord, open_memory
from batchgen.lifecycle import Accepted, InDoubt, JobFailed, Planned, Stored
from batchgen.terms import Limits, Terms
from tests.worker.rig import Rig

pytestmark = pytest.mark.anyio

UNKNOWN = OutcomeUnknown("no answer", reach="request sent, no answer")


async def doubtful(jobs: int = 1) -> Rig:
    """A batch in which every submit went unanswered."""
    rig = Rig(jobs=jobs, terms=Terms(limits=Limits(in_flight=1, rate=None)))
    rig.provider.submits = [UNKNOWN] * jobs
    assert (await rig.run())[0] == 3
    return rig


async def decided(rig: Rig, decision: Decision, *names: str) -> list[Progress]:
    """Decide about these jobs, or about all."""
    async with open_memory(rig.book, rig.identity, verb="resolve", clock=rig.clock) as journal:
        jobs = decisions.eligible(MemoryRecord(rig.book), decision, by_name=bool(names))
        chosen = decisions.meant(jobs, names) if names else jobs
        done = await decisions.decide(journal, chosen, decision)
        await journal.end(0, "decided")
    return done


async def test_listed_with_price_and_reach() -> None:
    """A payment in doubt is listed with its price, when it was sent, and how far it got."""
    rig = await doubtful()
    (each,) = decisions.doubtful(MemoryRecord(rig.book))
    assert isinstance(each.milestone, InDoubt)
    assert each.milestone.price_micro_usd == 50_000
    assert each.milestone.reach == "request sent, no answer"


async def test_a_picture_that_cannot_be_had_may_be_dropped() -> None:
    """A job whose picture is ready and cannot be fetched is dropped by name; what was paid for it counts as lost."""
    rig = Rig()
    rig.provider.downloads = [OfferExpired("410")] * 99
    assert (await rig.run())[0] == 75
    await decided(rig, Drop(), "job0")
    head = rig.head()
    assert isinstance(head, JobFailed)
    assert (head.failure, rig.kinds()[-2:]) == ("dropped", ["AttemptFailed", "JobFailed"])
    money = rig.totals.money
    assert (money.spent, money.lost, money.in_doubt) == (40_000, 40_000, 0)
    await rig.run()
    assert len(rig.provider.orders) == 1


async def test_resend_buys_again_and_keeps_the_doubt() -> None:
    """Sent again, a job gets a new token; the old payment stays in doubt in the figures for ever."""
    rig = await doubtful()
    await decided(rig, Resend())
    assert rig.head() == Planned(1)
    assert (await rig.run())[0] == 0
    assert len({order.token for order in rig.provider.orders}) == 2
    money = rig.totals.money
    assert (money.spent, money.in_doubt, money.resent) == (40_000, 50_000, 50_000)


async def test_paid_adopts_the_task() -> None:
    """A payment that a person has found is carried on from its task, without another submit."""
    rig = await doubtful()
    await decided(rig, Paid("task-of-yours"), "job0")
    assert rig.head() == Accepted(1, "task-of-yours", 50_000)
    assert (await rig.run())[0] == 0
    assert rig.provider.asked == ["task-of-yours"]
    assert len(rig.provider.orders) == 1


@pytest.mark.parametrize(("free", "left"), [(False, 50_000), (True, 0)])
async def test_drop_ends_a_job(free: bool, left: int) -> None:
    """A dropped job is neither missing nor failed; its money stays in doubt unless it was not billed."""
    rig = await doubtful()
    await decided(rig, Drop(not_billed=free))
    assert rig.totals.money.in_doubt == left
    assert rig.totals.counts["dropped"] == 1
    assert await rig.run() == (0, "everything is there")
    assert len(rig.provider.orders) == 1


async def test_a_task_of_another_job_is_refused() -> None:
    """A task that another job of the batch holds, or that was asked for something else, is not taken for paid."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=1, rate=None)))
    rig.provider.submits = [UNKNOWN]
    assert (await rig.run())[0] == 3
    record = MemoryRecord(rig.book)
    (doubt,) = decisions.doubtful(record)
    right = Sold({"prompt": "prompt 0", "model": "nano-banana-pro"})
    with pytest.raises(SettingsError, match="the one of job1"):
        decisions.check_paid(record, doubt, "task-2", right)
    with pytest.raises(SettingsError, match="something else"):
        decisions.check_paid(record, doubt, "task-9", Sold({"prompt": "prompt 1"}))
    decisions.check_paid(record, doubt, "task-9", right)
    decisions.check_paid(record, doubt, "task-9", Sold({}))


async def test_drop_ends_a_failed_or_waiting_job_when_named() -> None:
    """Named, a failed job and a parked task can be dropped too; without a name only doubts are."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=1, give_up_waiting_seconds=0)))
    rig.provider.submits = [Rejected("bad")]

    async def no_answer(*_: Any) -> Any:
        from batchgen.api import Waiting

        return Waiting("generating")

    rig.provider.statuses = [no_answer] * 5
    assert (await rig.run())[0] == 75
    assert await decided(rig, Drop()) == []
    done = await decided(rig, Drop(), "job*")
    assert [type(each.milestone) for each in done] == [JobFailed, JobFailed]
    assert rig.totals.counts["dropped"] == 2
    assert rig.totals.money.in_doubt == 50_000


async def test_a_started_of_a_killed_run_is_decided_about() -> None:
    """A Started that a killed run left is listed as in doubt, becomes so first, and is then decided about."""
    rig = Rig()
    rig.provider.submits = [KeyboardInterrupt()]
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever a dying interpreter raises
        await rig.run()
    assert len(decisions.doubtful(MemoryRecord(rig.book))) == 1
    await decided(rig, Resend(), "job0")
    assert rig.kinds() == ["Planned", "Started", "InDoubt", "Planned"]


async def test_a_wrong_name_is_refused() -> None:
    """A name that means no doubtful job decides nothing."""
    rig = await doubtful(2)
    with pytest.raises(SettingsError, match="job9"):
        await decided(rig, Resend(), "job0", "job9")
    assert rig.totals.counts["in_doubt"] == 2


async def test_what_is_not_in_doubt_is_refused() -> None:
    """A decision about a job that is stored says that there is nothing to decide."""
    rig = Rig()
    await rig.run()
    assert isinstance(rig.head(), Stored)
    async with open_memory(rig.book, rig.identity, verb="resolve", clock=rig.clock) as journal:
        with pytest.raises(SettingsError, match="nothing to decide"):
            await decisions.decide(journal, MemoryRecord(rig.book).entries(), Resend())


async def test_a_replaced_job_has_an_address_of_its_own() -> None:
    """A replaced job in doubt is named by its id and number, so that it is not taken for its successor."""
    rig = await doubtful()
    (each,) = decisions.doubtful(MemoryRecord(rig.book))
    assert decisions.address(each) == "job0"
    rig.book.lives[0].standing = "replaced"
    (each,) = decisions.doubtful(MemoryRecord(rig.book))
    assert decisions.address(each) == "job0@1"
    assert decisions.meant([each], ["job0@1"]) == [each]
