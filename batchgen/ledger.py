"""What a milestone does to money; pure, so that the journal's totals can be proven by adding them up again.

All sums are micro-USD. The law: spent + reserved + in doubt never exceeds a cap at the known price.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
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
    return _change(type(before).__name__, _amount(before), type(after).__name__, _amount(after))


def _amount(milestone: Milestone) -> int | None:
    """The one sum that a milestone speaks of."""
    match milestone:
        case Started(price_micro_usd=amount) | Accepted(price_micro_usd=amount) | InDoubt(price_micro_usd=amount):
            return amount
        case Generated(cost_micro_usd=amount) | AttemptFailed(cost_micro_usd=amount):
            return amount
        case JobFailed(in_doubt_micro_usd=amount):
            return amount
        case Planned() | Stored():
            return None


@lru_cache(4096)
def _change(before: str, old: int | None, after: str, new: int | None) -> Money:
    """The same by kinds and sums, since a batch has many pictures and few prices."""
    return _arrow((before, after), old, new) + _weight(after, new) + -_weight(before, old)


def _weight(kind: str, price: int | None) -> Money:
    """The money that hangs on a job while this is its newest milestone and leaves with it."""
    match kind:
        case "Started" | "Accepted":
            return Money(reserved=price or 0, unpriced=price is None)
        case "InDoubt" | "JobFailed":
            return Money(in_doubt=price or 0, unpriced=price is None)
        case _:
            return _NOTHING


def _arrow(kinds: tuple[str, str], old: int | None, new: int | None) -> Money:
    """What an arrow adds for good."""
    match kinds:
        case "Planned" | "AttemptFailed", "Started" | "InDoubt":
            return Money(committed=new or 0)
        case "Started", "Planned":
            return Money(committed=-(old or 0))
        case "InDoubt", "Planned":
            return Money(in_doubt=old or 0, resent=old or 0, unpriced=old is None)
        case "JobFailed", "Planned":
            return Money(in_doubt=old or 0, unpriced=old is None)
        case "Accepted", "Generated":
            return Money(spent=new or 0, unpriced=new is None)
        case "Accepted" | "Started", "AttemptFailed":
            return Money(spent=new or 0, lost=new or 0, unpriced=new is None)
        case "Generated", "AttemptFailed":
            return Money(lost=old or 0)
        case _:
            return _NOTHING
