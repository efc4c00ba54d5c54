"""What a worker makes of every outcome of a submit: nothing bought twice, nothing taken for bought that was not."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from batchgen.api import Offer, Order, Receipt, Waiting
from batchgen.errors import NotTaken, OutcomeUnknown, Parked, Rejected, Stop, TaskFailed, Throttled, Unfinished
from batchgen.job import Job, token
from batchgen.journal import Caps, Entry, Progress
from batchgen.lifecycle import Accepted, AttemptFailed, InDoubt, JobFailed, Milestone, Planned, Started, Stored
from batchgen.terms import Accept, Failures, Limits, Rate, Resend, StopAt, Terms
from batchgen.worker.tools import Tools
from tests.worker.rig import Rig, with_profile

pytestmark = pytest.mark.anyio

UNKNOWN = OutcomeUnknown("no answer", reach="request sent, no answer")


async def test_a_job_walks_all_the_way() -> None:
    """A job is started, accepted, generated and stored, and its cost is what the provider billed."""
    rig = Rig()
    assert await rig.run() == (0, "everything is there")
    assert rig.kinds() == ["Planned", "Started", "Accepted", "Generated", "Stored"]
    assert rig.pictures == ["job0.png"]
    assert rig.totals.money.spent == 40_000
    assert rig.totals.money.reserved == 0


async def test_every_step_and_try_can_be_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With logging on, each milestone and each failed try is told, and no prompt is."""
    caplog.set_level("INFO", logger="batchgen")
    rig = Rig()
    rig.provider.submits = [NotTaken("connection refused")]
    await rig.run()
    told = [record.getMessage() for record in caplog.records]
    assert told[1] == "try 1 failed, the next in 0.2 s: connection refused"
    assert [text for text in told if text.startswith("job0: ")] == [
        f"job0: {name}, attempt 1" for name in ("Started", "Accepted", "Generated", "Stored")
    ]
    assert "prompt 0" not in caplog.text


async def test_running_again_asks_nobody() -> None:
    """A finished batch is left alone: no submit, no poll, no download."""
    rig = Rig(jobs=3)
    await rig.run()
    rig.provider.orders.clear()
    assert await rig.run() == (0, "everything is there")
    assert rig.provider.orders == []
    assert len(rig.provider.fetched) == 3


async def test_started_is_durable_before_the_post() -> None:
    """When the POST leaves, the journal already holds its token and has reserved its price."""
    rig = Rig()
    seen = []

    def look() -> Receipt:
        seen.append((rig.kinds()[-1], rig.totals.money.reserved))
        return Receipt("t", Waiting("waiting"))

    rig.provider.submits = [look]
    await rig.run()
    assert seen == [("Started", 50_000)]


async def test_accepted_is_durable_before_the_first_poll() -> None:
    """The task id is in the journal before anything else happens with it."""
    rig = Rig()
    seen = []

    def look() -> Offer:
        seen.append(rig.head())
        return Offer(("https://pictures.example/a",), rig.clock(), 1)

    rig.provider.statuses = [look]
    await rig.run()
    assert seen == [Accepted(1, "task-1", 50_000)]


async def test_not_taken_burns_no_attempt_and_keeps_the_token() -> None:
    """A submit that provably never left is tried again under the same token, and then planned again."""
    rig = Rig(terms=Terms(failures=Failures(attempts=1)))
    rig.provider.submits = [NotTaken("refused")] * 4
    assert (await rig.run())[0] == 0
    assert rig.kinds() == ["Planned", "Started", "Planned", "Started", "Accepted", "Generated", "Stored"]
    assert len({order.token for order in rig.provider.orders}) == 1
    assert len(rig.provider.orders) == 5


async def test_throttled_waits_as_long_as_it_is_told() -> None:
    """After a 429 nothing is submitted before the time that the server named."""
    rig = Rig()
    rig.provider.submits = [Throttled("slow", retry_after_seconds=30)]
    began = rig.clock()
    assert (await rig.run())[0] == 0
    assert rig.clock() - began >= 30
    assert isinstance(rig.head(), Stored)


async def test_a_pause_holds_everybody() -> None:
    """One job's Retry-After that outlasts its patience keeps every other job from submitting."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=1, rate=None)))
    times: list[float] = []

    def slow() -> Throttled:
        times.append(rig.clock())
        return Throttled("slow", retry_after_seconds=200)

    def fine() -> Receipt:
        times.append(rig.clock())
        return Receipt(f"t{len(times)}", Waiting("waiting"))

    rig.provider.submits = [slow, fine, fine]
    assert (await rig.run())[0] == 0
    assert times[1] - times[0] >= 200


async def test_never_taken_is_parked_after_a_while() -> None:
    """A provider that takes nothing for as long as `give_up_waiting` leaves the job planned, and the run ends 75."""
    rig = Rig(terms=Terms(limits=Limits(give_up_waiting_seconds=60)))
    rig.provider.submits = [NotTaken("refused")] * 500
    code, reason = await rig.run()
    assert code == 75
    assert "refused" in reason
    assert rig.head() == Planned(0)


async def test_unknown_outcome_is_held() -> None:
    """Without a promise about tokens, a submit that went unanswered waits for a person and is never sent again."""
    rig = Rig()
    rig.provider.submits = [UNKNOWN]
    assert (await rig.run())[0] == 3
    assert isinstance(rig.head(), InDoubt)
    assert (await rig.run())[0] == 3
    assert len(rig.provider.orders) == 1
    assert rig.totals.money.in_doubt == 50_000


async def test_living_token_is_sent_again() -> None:
    """Where the provider replays tokens, an unanswered submit is sent again at once, byte for byte."""
    rig = Rig(terms=with_profile(Terms(), idempotency="replay"))
    rig.provider.submits = [UNKNOWN]
    assert (await rig.run())[0] == 0
    first, second = rig.provider.orders
    assert first == second
    assert rig.kinds()[1:5] == ["Started", "InDoubt", "Started", "Accepted"]
    assert rig.totals.money.spent == 40_000


async def test_two_doubts_in_a_run_are_left_to_the_next() -> None:
    """A token that goes unanswered twice waits for the next run, which exits 75 until then and then asks again."""
    rig = Rig(terms=with_profile(Terms(), idempotency="replay"))
    rig.provider.submits = [UNKNOWN, UNKNOWN]
    assert (await rig.run())[0] == 75
    assert len(rig.provider.orders) == 2
    assert (await rig.run())[0] == 0
    assert len({order.token for order in rig.provider.orders}) == 1


async def test_dead_token_is_held() -> None:
    """A token past nine tenths of its life is no protection any more: the job waits for a person."""
    rig = Rig(terms=with_profile(Terms(), idempotency="replay", token_ttl_seconds=100))
    rig.provider.submits = [UNKNOWN, UNKNOWN]
    await rig.run()
    rig.clock.now += 91
    assert (await rig.run())[0] == 3
    assert len(rig.provider.orders) == 2


async def test_reject_server_that_knows_the_token_is_held() -> None:
    """Where a known token is answered 409, the payment is known to exist and a person must name its task."""
    rig = Rig(terms=with_profile(Terms(), idempotency="reject", token_ttl_seconds=3600))
    rig.provider.submits = [UNKNOWN, OutcomeUnknown("409", reach="answered", known_paid=True)]
    assert (await rig.run())[0] == 3
    head = rig.head()
    assert isinstance(head, InDoubt)
    assert head.known_paid
    await rig.run()
    assert len(rig.provider.orders) == 2


async def test_started_found_after_a_crash_is_in_doubt() -> None:
    """A run that died between Started and the answer leaves a doubt, never a fresh submit."""
    rig = Rig()
    rig.provider.submits = [KeyboardInterrupt()]
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever a dying interpreter raises
        await rig.run()
    assert rig.kinds()[-1] == "Started"
    assert (await rig.run())[0] == 3
    assert isinstance(rig.head(), InDoubt)
    assert len(rig.provider.orders) == 1


async def test_started_found_is_sent_again_where_tokens_live() -> None:
    """The same death costs nothing where tokens are honoured: one token, one task."""
    rig = Rig(terms=with_profile(Terms(), idempotency="replay"))
    rig.provider.submits = [KeyboardInterrupt()]
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever a dying interpreter raises
        await rig.run()
    assert (await rig.run())[0] == 0
    assert len({order.token for order in rig.provider.orders}) == 1


async def test_resending_stays_within_its_sum() -> None:
    """A doubt is bought again only while the sum resent stays within what was allowed for it."""
    failures = Failures(attempts=3, in_doubt=Resend(60_000))
    rig = Rig(jobs=2, terms=Terms(failures=failures, limits=Limits(in_flight=1)))
    rig.provider.submits = [UNKNOWN, Receipt("a", Waiting("waiting")), UNKNOWN]
    assert (await rig.run())[0] == 3
    assert rig.totals.counts["stored"] == 1
    assert rig.totals.money.resent == 50_000


async def test_a_used_up_sum_holds_the_doubt_and_not_the_batch() -> None:
    """When the sum for resending is used up, doubts wait for a person and the other jobs are bought all the same."""
    terms = Terms(failures=Failures(in_doubt=Resend(10_000)), limits=Limits(in_flight=1))
    rig = Rig(jobs=4, terms=terms)
    rig.provider.submits = [UNKNOWN]
    assert (await rig.run())[0] == 3
    assert (rig.totals.counts["stored"], rig.totals.counts["in_doubt"]) == (3, 1)
    assert (await rig.run())[0] == 3
    assert len(rig.provider.orders) == 4


async def test_nothing_is_resent_once_the_run_stops_buying() -> None:
    """A doubt found by a run that may not buy any more is left as it is: nothing is counted as sent again."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=2, rate=None)))
    rig.provider.submits = [UNKNOWN, UNKNOWN]
    await rig.run()
    rig.terms = Terms(failures=Failures(in_doubt=Resend(1_000_000)), limits=Limits(in_flight=1))
    rig.provider.submits = [UNKNOWN, UNKNOWN, Stop("402")]
    assert (await rig.run())[0] == 4
    assert rig.totals.money.resent == 50_000
    assert rig.kinds(2)[-1] == "InDoubt"


@pytest.mark.parametrize(
    "refusal",
    [
        NotTaken("refused"),
        Throttled("slow", retry_after_seconds=5),
        Parked("403"),
        Stop("402"),
        Stop("401", credential=True),
    ],
)
async def test_a_doubt_stays_a_doubt_when_it_cannot_be_asked_about(refusal: Exception) -> None:
    """A token sent a second time and not taken proves nothing of the first time: price, token and age are kept."""
    terms = with_profile(Terms(limits=Limits(give_up_waiting_seconds=30)), idempotency="replay", token_ttl_seconds=1e6)
    rig = Rig(terms=terms)
    rig.provider.submits = [UNKNOWN, *[refusal] * 400]
    assert (await rig.run())[0] in {4, 75}
    first, last = rig.life()[2], rig.head()
    assert isinstance(first, InDoubt)
    assert last == first
    assert rig.totals.money.in_doubt == 50_000
    assert "Planned" not in rig.kinds()[1:]


async def test_nobody_submits_during_a_pause() -> None:
    """A 429 holds also those that had passed the gates before it came: they send nothing and burn no attempt."""
    rig = Rig(jobs=3, terms=Terms(limits=Limits(rate=None)))
    times: list[float] = []
    journaled, paused = anyio.Event(), anyio.Event()

    async def slow() -> Throttled:
        times.append(rig.clock())
        with anyio.move_on_after(1):
            await journaled.wait()
        return Throttled("slow", retry_after_seconds=40)

    def fine() -> Receipt:
        times.append(rig.clock())
        return Receipt(f"t{len(times)}", Waiting("waiting"))

    class Holding(Slow):
        async def append(self, entries: Any, caps: Any = None) -> None:
            await self.inner.append(entries, caps)
            if caps is not None and rig.provider.orders:
                journaled.set()
                while not paused.is_set():
                    if rig.tools.gates.pause.remaining_seconds > 0:
                        paused.set()
                    await anyio.lowlevel.checkpoint()

    rig.provider.submits = [slow, fine, fine, fine]
    rig.wrap_journal = Holding
    assert (await rig.run())[0] == 0
    assert journaled.is_set()
    assert min(times[1:]) - times[0] >= 40
    assert {milestone.attempt for n in (1, 2, 3) for milestone in rig.life(n)} == {0, 1}


async def test_a_bill_above_the_plan_stops_the_buying() -> None:
    """A picture billed above its planned price is kept, nothing more is bought, and the run ends 4 saying both."""
    rig = Rig(jobs=5, price=30_000, terms=Terms(limits=Limits(in_flight=1)))
    code, reason = await rig.run()
    assert code == 4
    assert "$0.0300" in reason
    assert "$0.0400" in reason
    assert len(rig.provider.orders) == 1
    assert rig.totals.counts["stored"] == 1


async def test_a_share_of_failures_stops_the_run() -> None:
    """When a tenth of at least twenty ended jobs have failed, whatever the reasons, nothing more is bought."""
    stop_at = StopAt(of_at_least=20)
    terms = Terms(failures=Failures(stop_at=stop_at), limits=Limits(in_flight=1, rate=None))
    rig = Rig(jobs=60, terms=terms)
    rig.provider.submits = [Receipt(f"t{n}", Waiting("waiting")) if n % 8 else Rejected(f"no {n}") for n in range(60)]
    code, reason = await rig.run()
    assert code == 4
    assert "stop_at" in reason
    assert len(rig.provider.orders) == 25
    rig = Rig(jobs=30, terms=Terms(failures=Failures(stop_at=None), limits=Limits(in_flight=1, rate=None)))
    rig.provider.submits = [Rejected("no")] * 30
    assert (await rig.run())[0] == 1


async def test_accepted_failures_end_well() -> None:
    """Failures within what the manifest accepts end the run with 0."""
    rig = Rig(jobs=3, terms=Terms(failures=Failures(accept=Accept(count=1))))
    rig.provider.submits = [Rejected("no")]
    assert (await rig.run())[0] == 0


async def test_refused_job_is_not_sent_again() -> None:
    """A request that the provider refuses fails for good, and the others go on."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=1)))
    rig.provider.submits = [Rejected("content policy", failure="refused")]
    assert (await rig.run())[0] == 1
    assert rig.head(1) == JobFailed(1, "refused", "content policy")
    assert isinstance(rig.head(2), Stored)
    assert (await rig.run())[0] == 1
    assert len(rig.provider.orders) == 2


async def test_twenty_same_refusals_stop_the_run() -> None:
    """Twenty refusals in a row with one reason mean that something is wrong with all of them."""
    rig = Rig(jobs=60, terms=Terms(limits=Limits(in_flight=1, rate=None)))
    rig.provider.submits = [Rejected("bad aspect_ratio")] * 60
    code, reason = await rig.run()
    assert code == 4
    assert "bad aspect_ratio" in reason
    assert len(rig.provider.orders) == 20


async def test_ten_doubts_in_a_row_stop_the_run() -> None:
    """Ten submits in a row without an answer are enough money at risk."""
    rig = Rig(jobs=60, terms=Terms(limits=Limits(in_flight=1, rate=None)))
    rig.provider.submits = [UNKNOWN] * 60
    code, _ = await rig.run()
    assert code == 4
    assert len(rig.provider.orders) == 10


async def test_out_of_funds_stops_buying_and_finishes_what_is_paid() -> None:
    """After a 402 nothing new is sent, tasks under way are brought home, and the run ends 4."""
    rig = Rig(jobs=5, terms=Terms(limits=Limits(in_flight=2, rate=None)))
    rig.provider.submits = [Receipt("paid", Waiting("waiting")), Stop("402: no funds")]
    code, reason = await rig.run()
    assert (code, reason) == (4, "402: no funds")
    assert rig.totals.counts["stored"] == 1
    assert rig.totals.counts["queued"] == 4
    assert rig.totals.money.reserved == 0
    assert len(rig.provider.orders) == 2


async def test_a_stop_is_obeyed_before_anything_is_recorded() -> None:
    """While the refused submit is still being written down, nobody else may begin one."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=1, rate=None)))
    rig.provider.submits = [Stop("402")]
    buying: list[bool] = []

    class Looking(Slow):
        async def append(self, entries: Any, caps: Any = None) -> None:
            if isinstance(entries[-1].milestone, Planned):
                buying.append(rig.halt.buying)
            await self.inner.append(entries, caps)

    rig.wrap_journal = Looking
    assert (await rig.run())[0] == 4
    assert buying == [False]


async def test_refused_credential_keeps_every_milestone() -> None:
    """After a 401 nobody is asked any more, no job fails, and the next run goes on."""
    rig = Rig(jobs=2, terms=Terms(limits=Limits(in_flight=1)))
    rig.provider.statuses = [Stop("401", credential=True)]
    assert (await rig.run())[0] == 4
    assert rig.head(1) == Accepted(1, "task-1", 50_000)
    assert len(rig.provider.orders) == 1
    assert (await rig.run())[0] == 0


async def test_forbidden_model_stops_that_model_alone() -> None:
    """A 403 on a submit ends that model's submits for this run with code 4, and wakes somebody."""
    rig = Rig(jobs=3, terms=Terms(limits=Limits(in_flight=1)))
    rig.provider.submits = [Parked("403: nano-banana-pro is not yours")] * 3
    code, reason = await rig.run()
    assert code == 4
    assert "403" in reason
    assert len(rig.provider.orders) == 1
    assert rig.totals.counts["queued"] == 3


async def test_allowance_of_pictures_is_kept() -> None:
    """A run that may buy two pictures starts two attempts and ends 75; the next goes on."""
    rig = Rig(jobs=5, caps=Caps(run_pictures=2), terms=Terms(limits=Limits(rate=None)))
    assert (await rig.run())[0] == 75
    assert len(rig.provider.orders) == 2
    assert rig.totals.counts["stored"] == 2
    assert (await rig.run())[0] == 75
    assert rig.totals.counts["stored"] == 4
    assert (await rig.run())[0] == 0


async def test_money_cap_is_kept_whoever_races() -> None:
    """With many workers, spent and reserved and in doubt never pass the cap."""
    rig = Rig(jobs=30, caps=Caps(batch=220_000), price=50_000, terms=Terms(limits=Limits(rate=None)))
    rig.provider.statuses = [Offer((f"https://p.example/{n}",), 1e6, 50_000) for n in range(30)]
    assert (await rig.run())[0] == 4
    assert len(rig.provider.orders) == 4
    assert rig.totals.money.exposed == 200_000


async def test_an_interrupted_submit_finishes_within_the_grace() -> None:
    """A run told to end waits for the POST under way, records the task, and leaves it to the next run."""
    rig = Rig()
    holding, release = anyio.Event(), anyio.Event()

    async def slow() -> Receipt:
        holding.set()
        await release.wait()
        return Receipt("late", Waiting("waiting"))

    rig.provider.submits = [slow]

    def interrupt(tools: Tools) -> None:
        tools.halt.stop_asking(130, "interrupted")
        release.set()

    assert await rig.run_until(holding, interrupt) == 130
    assert rig.head() == Accepted(1, "late", 50_000)
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 1


class Slow:
    """A journal that gives way to others before it records."""

    def __init__(self, journal: Any) -> None:
        self.inner = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def append(self, entries: Any, caps: Any = None) -> None:
        """Give way, then pass on."""
        await anyio.lowlevel.cancel_shielded_checkpoint()
        await self.inner.append(entries, caps)


async def test_a_submit_that_outlasts_the_grace_is_in_doubt() -> None:
    """When the grace is over, the POST under way is cut off and recorded as in doubt."""
    rig = Rig()
    holding = anyio.Event()

    async def endless() -> Receipt:
        holding.set()
        await anyio.sleep_forever()
        raise AssertionError

    rig.provider.submits = [endless]
    rig.wrap_journal = Slow

    def interrupt(tools: Tools) -> None:
        tools.shelter.expire(anyio.current_time())
        tools.halt.stop_asking(130, "interrupted")

    assert await rig.run_until(holding, interrupt) == 130
    head = rig.head()
    assert isinstance(head, InDoubt)
    assert "interrupted" in head.reach


async def test_stopping_wakes_whoever_waits_at_a_gate() -> None:
    """Workers that queue for a submit slot leave at once when the run stops buying, not one rate window later."""
    rig = Rig(jobs=50, terms=Terms(limits=Limits(rate=Rate(1, 3600))))
    rig.provider.submits = [Stop("402")]
    began = rig.clock()
    assert (await rig.run())[0] == 4
    assert rig.clock() - began < 3600 * 2
    assert len(rig.provider.orders) == 1


async def test_a_stopped_run_does_not_walk_through_what_is_left() -> None:
    """When the run stops buying, the jobs that were not begun are not even read."""
    rig = Rig(jobs=200, terms=Terms(limits=Limits(in_flight=1, rate=None)))
    rig.provider.submits = [Stop("402")]
    read = []

    class Counting(Slow):
        async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
            async for progress in self.inner.unfinished(terms):
                read.append(progress)
                yield progress

    rig.wrap_journal = Counting
    assert (await rig.run())[0] == 4
    assert len(read) <= 2


async def test_changed_reference_stays_planned() -> None:
    """A reference file that is not what was planned sends nothing, and the run ends 75."""
    rig = Rig()

    async def changed(*_: object) -> None:
        raise Unfinished("`a.png` has changed since it was planned; run again")

    code, reason = await rig.run(lambda tools: object.__setattr__(tools, "prepare", changed))
    assert code == 75
    assert "a.png" in reason
    assert rig.kinds() == ["Planned"]
    assert rig.provider.orders == []


async def test_sync_answer_keeps_no_query() -> None:
    """A server that answers with the picture itself is taken at its word, and no signed query is journaled."""
    rig = Rig()
    rig.provider.submits = [Receipt(None, Offer(("https://p.example/x.png?sig=secret",), rig.clock()))]
    assert (await rig.run())[0] == 0
    assert rig.provider.fetched == ["https://p.example/x.png?sig=secret"]
    assert rig.life()[2] == Accepted(1, None, 50_000, ("https://p.example/x.png",))
    assert rig.provider.asked == []
    assert rig.totals.money.spent == 50_000


async def test_transient_failure_is_attempted_again_under_a_new_token() -> None:
    """A passing failure of a task uses the next attempt, which has a token of its own."""
    rig = Rig()
    rig.provider.statuses = [TaskFailed("internal", failure="transient", cost_micro_usd=0)]
    assert (await rig.run())[0] == 0
    assert len({order.token for order in rig.provider.orders}) == 2
    assert isinstance(rig.life()[3], AttemptFailed)


async def test_attempts_end() -> None:
    """After the last attempt a job has failed for good, with the reason that the provider gave."""
    rig = Rig()
    rig.provider.statuses = [TaskFailed("internal", failure="transient", cost_micro_usd=0)] * 5
    assert (await rig.run())[0] == 1
    assert rig.head() == JobFailed(2, "transient", "internal")
    assert len(rig.provider.orders) == 2


async def test_failed_task_without_billing_counts_its_price() -> None:
    """When the server does not say what a failure cost, the reserved price counts, unless failures are free."""
    for free, lost in ((False, 100_000), (True, 0)):
        rig = Rig(terms=with_profile(Terms(), failed_is_free=free))
        rig.provider.statuses = [TaskFailed("internal", failure="transient")] * 2
        await rig.run()
        assert rig.totals.money.lost == lost
        assert rig.totals.money.spent == lost


@pytest.mark.parametrize("idempotency", ["none", "replay"])
async def test_a_task_of_another_job_is_no_answer(idempotency: Any) -> None:
    """A job that is answered with the task of another one is in doubt and waits for a person; nothing is sent again."""
    rig = Rig(jobs=2, terms=with_profile(Terms(limits=Limits(in_flight=1)), idempotency=idempotency))
    rig.provider.submits = [Receipt("same", Waiting("waiting"))] * 9
    assert (await rig.run())[0] == 3
    assert isinstance(rig.head(1), Stored)
    doubt = rig.head(2)
    assert isinstance(doubt, InDoubt)
    assert (doubt.reach, doubt.known_paid) == ("answered with the task of another job", True)
    assert (rig.totals.money.spent, rig.totals.money.in_doubt) == (40_000, 50_000)
    await rig.run()
    assert len(rig.provider.orders) == 2


async def cut_off(sent: bool) -> Rig:
    """A run whose grace ends in the middle of its only submit."""
    rig, holding = Rig(), anyio.Event()

    async def submit() -> Receipt:
        holding.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            if sent:
                raise
            raise NotTaken("not reached, nothing was sent") from None
        raise AssertionError

    def end(tools: Tools) -> None:
        tools.shelter.expire(anyio.current_time())
        tools.halt.stop_asking(143, "told to end")

    rig.provider.submits = [submit]
    assert await rig.run_until(holding, end) == 143
    return rig


async def test_a_submit_cut_off_while_it_connects_was_not_taken() -> None:
    """At the end of the grace a submit of which no byte has left is planned as before; nothing is in doubt."""
    rig = await cut_off(sent=False)
    assert rig.head() == Planned(0)
    assert rig.totals.money.exposed == 0
    assert (await rig.run())[0] == 0


async def test_a_submit_cut_off_after_it_was_sent_is_in_doubt() -> None:
    """At the end of the grace a submit that is waiting for its answer may have been paid."""
    rig = await cut_off(sent=True)
    assert isinstance(rig.head(), InDoubt)
    assert rig.totals.money.in_doubt == 50_000


class Copied:
    """A journal of which an old copy was put back after it had written all its jobs; notes what is written at once."""

    def __init__(self, journal: Any) -> None:
        self.journal, self.written = journal, list[list[str]]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.journal, name)

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        async for progress in self.journal.unfinished(terms):
            yield replace(progress, copied=True)

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        await self.journal.append(entries, caps)
        self.written.append([type(each.milestone).__name__ for each in entries])


async def test_an_attempt_that_an_old_copy_may_have_forgotten_is_in_doubt() -> None:
    """Where a copy's task has failed, the next attempt may have been paid for already: it is not begun again."""
    journals: list[Copied] = []

    def old_copy(journal: Any) -> Copied:
        journals.append(Copied(journal))
        return journals[-1]

    rig = Rig(wrap_journal=old_copy)
    rig.provider.statuses = [TaskFailed("internal", failure="transient")]
    copied_at = rig.clock()
    assert (await rig.run())[0] == 3
    assert len(rig.provider.orders) == 1
    assert journals[0].written == [["Started"], ["Accepted"], ["AttemptFailed", "InDoubt"]]
    doubt = rig.head()
    assert isinstance(doubt, InDoubt)
    assert (doubt.attempt, doubt.token) == (2, token(rig.identity.batch_id, 1, 2, rig.book.lives[0].job.fingerprint))
    assert doubt.since == copied_at


async def test_a_failure_for_good_ends_a_job_of_an_old_copy() -> None:
    """What would not be attempted again leaves no doubt behind it."""
    rig = Rig(wrap_journal=Copied)
    rig.provider.statuses = [TaskFailed("not allowed", failure="refused")]
    assert (await rig.run())[0] == 1
    assert rig.kinds()[-2:] == ["AttemptFailed", "JobFailed"]


async def test_a_submit_that_never_began_is_not_taken_whatever_was_sent_before() -> None:
    """A second attempt that meets the end of the grace before its POST is planned again, though the first was sent."""
    rig = Rig()

    class Ending(Copied):
        async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
            async for progress in self.journal.unfinished(terms):
                yield progress

        async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
            await self.journal.append(entries, caps)
            if isinstance(entries[-1].milestone, Started) and entries[-1].milestone.attempt == 2:
                rig.tools.shelter.expire(anyio.current_time())
                rig.halt.stop_asking(143, "told to end")

    rig.wrap_journal = Ending
    rig.provider.statuses = [TaskFailed("internal", failure="transient")]
    assert (await rig.run())[0] == 143
    assert len(rig.provider.orders) == 1
    assert rig.head() == Planned(1)
    assert rig.totals.money.in_doubt == 0


async def test_whoever_is_cancelled_before_the_gates_buys_nothing() -> None:
    """Open gates are passed without waiting, but not by a run that is being broken off."""
    rig = Rig()

    def breaking_off(tools: Tools) -> None:
        build = tools.prepare

        async def prepare(job: Job, token: str) -> Order:
            order = await build(job, token)
            scope.cancel()
            return order

        object.__setattr__(tools, "prepare", prepare)

    with anyio.CancelScope() as scope:
        await rig.run(breaking_off)
    assert scope.cancelled_caught
    assert not rig.provider.orders
    assert rig.kinds() == ["Planned"]


def overtaken(rig: Rig, then: Callable[[InDoubt], Milestone | None]) -> Any:
    """A submit that is answered after another runner took this one for dead: in doubt, and then what follows it."""

    async def answer() -> Receipt:
        started = rig.head()
        assert isinstance(started, Started)
        doubt = InDoubt(1, started.token, started.price_micro_usd, started.since, "found after a crash")
        for position, milestone in enumerate((doubt, then(doubt)), 2):
            if milestone is not None:
                await rig.tools.journal.append([Entry(1, position, milestone)])
        return Receipt("task-1", Waiting("waiting"))

    return answer


async def test_a_worker_that_wakes_brings_in_what_it_learnt() -> None:
    """A worker was frozen while its submit was on its way, and put in doubt by another: its answer ends the doubt."""
    rig = Rig()
    rig.provider.submits = [overtaken(rig, lambda _: None)]
    assert await rig.run() == (0, "everything is there")
    assert rig.kinds() == ["Planned", "Started", "InDoubt", "Accepted", "Generated", "Stored"]
    assert len(rig.provider.orders) == 1
    assert rig.totals.money.spent == 40_000
    assert rig.totals.money.in_doubt == 0


async def test_a_worker_that_wakes_lets_go_of_what_was_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    """When the other has sent the same token again, the worker that wakes lets go and says nothing."""
    rig = Rig()
    rig.provider.submits = [overtaken(rig, lambda was: Started(1, was.token, was.price_micro_usd, was.since))]
    await rig.run()
    assert rig.kinds() == ["Planned", "Started", "InDoubt", "Started"]
    assert not [each for each in caplog.records if each.levelname == "CRITICAL"]


async def test_a_worker_that_wakes_too_late_names_its_task(caplog: pytest.LogCaptureFixture) -> None:
    """When the doubt is already answered by a new attempt, the task that was paid for is named for a person."""
    rig = Rig()
    rig.provider.submits = [overtaken(rig, lambda _: Planned(1))]
    await rig.run()
    assert rig.kinds() == ["Planned", "Started", "InDoubt", "Planned"]
    assert "paid, and carried on by another runner: job job0 is task task-1" in caplog.text
    assert rig.totals.money.in_doubt == 50_000
