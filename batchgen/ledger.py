"""What a milestone does to money; pure, so that the journal's totals can be proven by adding them up again.

All sums are micro-USD. The law: spent + reserved + in doubt never exceeds a cap at the known price.
"""

from dataclasses import dataclass, fields
from operator import add, attrgetter, neg
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Money:
    """A sum or a change, in micro-USD; `unpriced` counts attempts that cost money nobody knows.

    `reserved`, `spent` and `in_doubt` exclude each other. `lost` (paid, no picture) is part of spent, `resent` (sent
    again as a new attempt) is part of in doubt. `committed` is the price of all attempts started and not proven
    untaken, what a run or a day is measured by.
    """

    reserved: int = 0
    spent: int = 0
    in_doubt: int = 0
    lost: int = 0
    resent: int = 0
    committed: int = 0
    unpriced: int = 0

    def __add__(self, other: "Money") -> "Money":
        return Money(*map(add, _amounts(self), _amounts(other)))

    def __neg__(self) -> "Money":
        return Money(*map(neg, _amounts(self)))

    @property
    def exposed(self) -> int:
        """What a cap is held against."""
        return self.spent + self.reserved + self.in_doubt


_amounts = attrgetter(*(each.name for each in fields(Money)))
_NOTHING: Final = Money()


def change(before: Milestone, after: Milestone) -> Money:
    """What passing from one milestone to the next does to money; the two must be a legal pair."""
    return _arrow(before, after) + _weight(after) + -_weight(before)


def _weight(milestone: Milestone) -> Money:
    """The money that hangs on a job while this is its newest milestone and leaves with it."""
    match milestone:
        case Started(price_micro_usd=price) | Accepted(price_micro_usd=price):
            return Money(reserved=price or 0, unpriced=price is None)
        case InDoubt(price_micro_usd=price) | JobFailed(in_doubt_micro_usd=price):
            return Money(in_doubt=price or 0, unpriced=price is None)
        case Planned() | Generated() | Stored() | AttemptFailed():
            return _NOTHING


def _arrow(before: Milestone, after: Milestone) -> Money:
    """What an arrow adds for good."""
    match before, after:
        case Planned() | AttemptFailed(), Started(price_micro_usd=price) | InDoubt(price_micro_usd=price):
            return Money(committed=price or 0)
        case Started(price_micro_usd=price), Planned():
            return Money(committed=-(price or 0))
        case InDoubt(price_micro_usd=price), Planned():
            return Money(in_doubt=price or 0, resent=price or 0, unpriced=price is None)
        case JobFailed(in_doubt_micro_usd=price), Planned():
            return Money(in_doubt=price or 0, unpriced=price is None)
        case Accepted(), Generated(cost_micro_usd=cost):
            return Money(spent=cost or 0, unpriced=cost is None)
        case Accepted() | Started(), AttemptFailed(cost_micro_usd=cost):
            return Money(spent=cost or 0, lost=cost or 0, unpriced=cost is None)
        case Generated(cost_micro_usd=cost), AttemptFailed():
            return Money(lost=cost or 0)
        case _:
            return _NOTHING
