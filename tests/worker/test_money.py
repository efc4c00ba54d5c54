"""Caps that cannot be broken: whatever is bought, billed, refused, left open or killed, over any number of runs."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.api import Offer, Order, Receipt, Waiting
from batchgen.errors import NotTaken, OutcomeUnknown, Rejected, Stop, TaskFailed, Throttled
from batchgen.job import Job
from batchgen.journal import Caps
from batchgen.journal.effects import day_of
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, Planned, Started
from batchgen.terms import Failures, Limits, Resend, Terms
from tests.worker.rig import FakeProvider, Rig, with_profile

pytestmark = pytest.mark.anyio

PRICES = st.integers(1, 90_000)
STEPS = ["taken", "taken", "taken", "unknown", "throttled", "unsent", "rejected", "402", "killed"]


@dataclass(frozen=True)
class Night:
    """What happens: how each submit ends after how many turns of the loop, and what a task comes to."""

    submits: list[tuple[str, int]]
    bills: list[float]
    fails: list[bool]


@dataclass
class Seller:
    """Sells by the script of a night; knows which submits are open, and which began after the first 402."""

    night: Night
    rig: Rig
    asked: int = 0
    open: int = 0
    open_at_402: int | None = None
    after_402: int = 0

    async def submit(self, order: Order) -> Receipt:
        """The next outcome, after some turns."""
        kind, turns = self.night.submits[self.asked % len(self.night.submits)]
        self.asked += 1
        task = f"task-{self.asked}"
        self.after_402 += self.open_at_402 is not None
        self.open += 1
        try:
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            return self._end(kind, task)
        finally:
            self.open -= 1

    def _end(self, kind: str, task: str) -> Receipt:
        match kind:
            case "taken":
                return Receipt(task, Waiting("waiting"))
            case "402":
                self.open_at_402 = self.open if self.open_at_402 is None else self.open_at_402
                raise Stop("402")
            case "killed":
                raise KeyboardInterrupt
        raise {
            "unknown": OutcomeUnknown("no answer", reach="request sent, no answer"),
            "throttled": Throttled("slow", retry_after_seconds=3),
            "unsent": NotTaken("refused"),
            "rejected": Rejected("no"),
        }[kind]

    def bill(self, price: int) -> int:
        """What a task is billed at, never above its price."""
        return int(price * self.night.bills[self.asked % len(self.night.bills)])


class Law:
    """A journal that proves the cap law with every word that is written to it."""

    def __init__(self, journal: Any, rig: Rig) -> None:
        self.inner, self.rig = journal, rig

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def append(self, entries: Any, caps: Any = None) -> None:
        """Pass on, then hold the figures against the caps."""
        await anyio.lowlevel.checkpoint()
        await self.inner.append(entries, caps)
        exposed, caps = exposure(self.rig), self.rig.caps
        assert exposed == self.rig.totals.money.exposed
        assert caps.batch is None or exposed <= caps.batch
        assert caps.day is None or committed_today(self.rig) <= caps.day


def exposure(rig: Rig) -> int:
    """What every attempt has cost or may have cost, counted from the milestones themselves."""
    attempts: dict[tuple[int, int], int] = {}
    for number, life in enumerate(rig.book.lives):
        for before, after in pairwise(each[0] for each in life.written):
            match before, after:
                case Planned() | AttemptFailed(), Started(attempt=attempt, price_micro_usd=int(price)):
                    attempts[number, attempt] = price
                case Started(attempt=attempt), Planned():
                    del attempts[number, attempt]
                case Accepted() | Started(), (
                    Generated(attempt=attempt, cost_micro_usd=int(cost))
                    | AttemptFailed(attempt=attempt, cost_micro_usd=int(cost))
                ):
                    attempts[number, attempt] = cost
    return sum(attempts.values())


def committed_today(rig: Rig) -> int:
    """The prices of this UTC day's attempts less those proven not taken, counted from the milestones themselves."""
    today, total = day_of(rig.clock()), 0
    for life in rig.book.lives:
        for before, after in pairwise(each[0] for each in life.written):
            match before, after:
                case Planned() | AttemptFailed(), Started(price_micro_usd=int(price), since=since):
                    total += price * (day_of(since) == today)
                case Started(price_micro_usd=int(price), since=since), Planned():
                    total -= price * (day_of(since) == today)
    return total


def a_night(seller: Seller, rig: Rig, prices: list[int]) -> Callable[[Any], None]:
    """Have this seller sell in a run, every job at a price of its own."""

    def price(job: Job) -> int:
        return prices[job.number % len(prices)]

    async def status(task_id: str) -> Offer:
        await anyio.lowlevel.checkpoint()
        cost = seller.bill(min(prices))
        if seller.night.fails[seller.asked % len(seller.night.fails)]:
            raise TaskFailed("no", failure="transient", cost_micro_usd=cost)
        return Offer((f"https://p.example/{task_id}",), rig.clock() + 9, cost)

    def tampered(tools: Any) -> None:
        provider = FakeProvider(rig.clock)
        provider.submit = seller.submit  # type: ignore[method-assign]
        provider.status = status  # type: ignore[method-assign]
        for name, value in (("provider", provider), ("price", price)):
            object.__setattr__(tools, name, value)

    return tampered


nights = st.builds(
    Night,
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 4)), min_size=1, max_size=12),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=4),
)


@settings(max_examples=80)
@given(
    night=nights,
    prices=st.lists(PRICES, min_size=1, max_size=5),
    batch=st.one_of(st.none(), st.integers(0, 400_000)),
    day=st.one_of(st.none(), st.integers(0, 300_000)),
    replays=st.booleans(),
    resend=st.integers(0, 200_000),
)
def test_no_cap_is_ever_broken(
    night: Night, prices: list[int], batch: int | None, day: int | None, replays: bool, resend: int
) -> None:
    """At every moment, over runs that are killed and begun again, spent, reserved and in doubt stay within the cap.

    The same holds for what a day commits to, and for what is sent again. From the first 402 on nothing is sent.
    """
    failures = Failures(attempts=3, in_doubt=Resend(resend), stop_at=None)
    terms = Terms(failures=failures, limits=Limits(in_flight=5, rate=None, give_up_waiting_seconds=40))
    rig = Rig(jobs=9, terms=with_profile(terms, idempotency="replay") if replays else terms)
    rig.caps = Caps(batch=batch, day=day)
    rig.wrap_journal = lambda journal: Law(journal, rig)

    async def several_runs() -> None:
        for number in range(4):
            seller = Seller(replace(night, submits=night.submits[number % len(night.submits) :] + night.submits), rig)
            with contextlib.suppress(BaseExceptionGroup, KeyboardInterrupt):
                await rig.run(a_night(seller, rig, prices))
            assert seller.after_402 == 0
            assert rig.totals.money.resent <= resend
            rig.clock.now += 9 * 3600

    anyio.run(several_runs)


async def test_open_submits_are_finished_after_a_402_and_no_other_begins() -> None:
    """When funds end, the POSTs that are open are waited for and recorded; nothing else is sent."""
    rig = Rig(jobs=40, terms=Terms(limits=Limits(in_flight=30, rate=None)))
    night = Night([("402", 60), ("taken", 90), ("taken", 90), ("taken", 90)], [1.0], [False])
    seller = Seller(night, rig)
    assert (await rig.run(a_night(seller, rig, [10])))[0] == 4
    assert seller.open_at_402 == 4
    assert (seller.asked, seller.after_402) == (4, 0)
    assert (rig.totals.counts["stored"], rig.totals.counts["queued"]) == (3, 37)
