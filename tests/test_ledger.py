"""Money: what each arrow does to it, and that sums of changes are the sums of lives."""

import itertools
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.ledger import Money, change
from batchgen.lifecycle import (
    Accepted,
    AttemptFailed,
    Generated,
    InDoubt,
    JobFailed,
    Milestone,
    Planned,
    Started,
    Stored,
)
from tests.lives import SINCE, asset, lives

PRICE, COST = 40_000, 39_000
PLANNED, STARTED = Planned(0), Started(1, "bg-x", PRICE, SINCE)
DOUBT = InDoubt(1, "bg-x", PRICE, SINCE, "no answer")
ACCEPTED, GENERATED = Accepted(1, "task", PRICE), Generated(1, "task", COST)
STORED = Stored(1, "task", COST, (asset(),))
FAILED, ENDED = AttemptFailed(1, "transient", "why", COST), JobFailed(1, "refused", "why", PRICE)

ARROWS: list[tuple[Milestone, Milestone, Money]] = [
    (PLANNED, STARTED, Money(reserved=PRICE, committed=PRICE)),
    (PLANNED, DOUBT, Money(in_doubt=PRICE, committed=PRICE)),
    (AttemptFailed(0, "transient", "why", COST), STARTED, Money(reserved=PRICE, committed=PRICE)),
    (AttemptFailed(0, "transient", "why", COST), DOUBT, Money(in_doubt=PRICE, committed=PRICE)),
    (STARTED, ACCEPTED, Money()),
    (STARTED, DOUBT, Money(reserved=-PRICE, in_doubt=PRICE)),
    (STARTED, PLANNED, Money(reserved=-PRICE, committed=-PRICE)),
    (STARTED, FAILED, Money(reserved=-PRICE, spent=COST, lost=COST)),
    (DOUBT, ACCEPTED, Money(in_doubt=-PRICE, reserved=PRICE)),
    (DOUBT, STARTED, Money(in_doubt=-PRICE, reserved=PRICE)),
    (DOUBT, Planned(1), Money(resent=PRICE)),
    (DOUBT, ENDED, Money()),
    (DOUBT, JobFailed(1, "dropped", "not billed", 0), Money(in_doubt=-PRICE)),
    (ACCEPTED, GENERATED, Money(reserved=-PRICE, spent=COST)),
    (ACCEPTED, FAILED, Money(reserved=-PRICE, spent=COST, lost=COST)),
    (ACCEPTED, JobFailed(1, "dropped", "never mind", PRICE), Money(reserved=-PRICE, in_doubt=PRICE)),
    (GENERATED, STORED, Money()),
    (GENERATED, FAILED, Money(lost=COST)),
    (FAILED, JobFailed(1, "refused", "why"), Money()),
    (ENDED, Planned(1), Money()),
    (ENDED, JobFailed(1, "dropped", "never mind", PRICE), Money()),
    (ENDED, JobFailed(1, "dropped", "not billed", 0), Money(in_doubt=-PRICE)),
    (STORED, Planned(1), Money()),
    (STORED, STORED, Money()),
    (STORED, GENERATED, Money()),
    (PLANNED, Started(1, "bg-x", None, SINCE), Money(unpriced=1)),
    (Started(1, "bg-x", None, SINCE), PLANNED, Money(unpriced=-1)),
    (Accepted(1, "task", None), GENERATED, Money(spent=COST, unpriced=-1)),
    (ACCEPTED, Generated(1, "task", None), Money(reserved=-PRICE, unpriced=1)),
    (InDoubt(1, "bg-x", None, SINCE, "no answer"), Planned(1), Money()),
]


@pytest.mark.parametrize(("before", "after", "expected"), ARROWS)
def test_every_arrow_moves_money_as_told(before: Milestone, after: Milestone, expected: Money) -> None:
    """Reserved at the start, spent at the cost told, in doubt for as long as nobody knows."""
    assert change(before, after) == expected


def _recounted(life: tuple[Milestone, ...]) -> Money:
    """The money of a life, read off its milestones one purchase at a time and never by differences."""
    money = Money()
    for index, milestone in enumerate(life):
        money += _for_good(life[index - 1] if index else None, milestone)
    match life[-1]:
        case Started(price_micro_usd=price) | Accepted(price_micro_usd=price):
            return money + Money(reserved=price or 0, unpriced=price is None)
        case InDoubt(price_micro_usd=price) | JobFailed(in_doubt_micro_usd=price):
            return money + Money(in_doubt=price or 0, unpriced=price is None)
        case _:
            return money


def _for_good(before: Milestone | None, after: Milestone) -> Money:
    """What stays in the books whatever follows."""
    kinds = (type(before), type(after))
    paid = getattr(after, "cost_micro_usd", None)
    left = getattr(before, "price_micro_usd", getattr(before, "in_doubt_micro_usd", None))
    price = getattr(after, "price_micro_usd", None) or 0
    if kinds in {(Planned, Started), (Planned, InDoubt), (AttemptFailed, Started), (AttemptFailed, InDoubt)}:
        return Money(committed=price)
    if kinds == (Started, Planned):
        return Money(committed=-(left or 0))
    if kinds == (InDoubt, Planned):
        return Money(in_doubt=left or 0, resent=left or 0, unpriced=left is None)
    if kinds == (JobFailed, Planned):
        return Money(in_doubt=left or 0, unpriced=left is None)
    if kinds == (Accepted, Generated):
        return Money(spent=paid or 0, unpriced=paid is None)
    if kinds in {(Accepted, AttemptFailed), (Started, AttemptFailed)}:
        return Money(spent=paid or 0, lost=paid or 0, unpriced=paid is None)
    if kinds == (Generated, AttemptFailed):
        return Money(lost=getattr(before, "cost_micro_usd", None) or 0)
    return Money()


@settings(max_examples=300)
@given(lives(longest=25))
def test_the_changes_of_a_life_add_up_to_a_recount(life: tuple[Milestone, ...]) -> None:
    """Totals kept by changes can never drift from what the milestones say."""
    summed = reduce(Money.__add__, (change(before, after) for before, after in itertools.pairwise(life)), Money())
    assert summed == _recounted(life)


@settings(max_examples=300)
@given(lives(longest=25))
def test_no_sum_but_the_committed_is_ever_negative(life: tuple[Milestone, ...]) -> None:
    """At no moment of a life are reserved, spent, in doubt or their parts below nothing."""
    money = Money()
    for before, after in itertools.pairwise(life):
        money += change(before, after)
        assert min(money.reserved, money.spent, money.in_doubt, money.lost, money.resent, money.unpriced) >= 0
        assert money.resent <= money.in_doubt
        assert money.committed >= 0


@settings(max_examples=300)
@given(lives(longest=25))
def test_a_price_stands_in_one_column_at_a_time(life: tuple[Milestone, ...]) -> None:
    """Reserved, spent and in doubt exclude each other: a milestone's price is exposed once, never twice."""
    money = Money()
    for before, after in itertools.pairwise(life):
        moved = change(before, after)
        money += moved
        price = getattr(after, "price_micro_usd", 0) or 0
        if isinstance(after, Started | Accepted):
            assert (money.reserved, moved.spent) == (price, 0)
        elif isinstance(after, InDoubt):
            assert money.reserved == 0
            assert money.in_doubt >= price
        else:
            assert money.reserved == 0
    assert money.exposed == money.reserved + money.spent + money.in_doubt


@given(st.lists(st.builds(Money, *[st.integers(-100, 100)] * 7)))
def test_money_adds_up_in_any_order(sums: list[Money]) -> None:
    """Sums are sums, field by field, and what is taken away is gone."""
    forwards = reduce(Money.__add__, sums, Money())
    assert forwards == reduce(Money.__add__, reversed(sums), Money())
    assert forwards + -forwards == Money()
    assert forwards.lost == sum(money.lost for money in sums)
