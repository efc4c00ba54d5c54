"""What one more milestone does to the figures of a batch, a day and a run, and which caps it meets; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from batchgen.errors import NoHeadroom
from batchgen.journal import Caps
from batchgen.ledger import Money, change
from batchgen.lifecycle import AttemptFailed, InDoubt, Milestone, Planned, Started


@dataclass(frozen=True, slots=True)
class Effect:
    """What an arrow changes: money, and the attempts begun on a UTC day (-1 when one is proven not taken)."""

    money: Money
    begun: int = 0
    day: str = ""


@dataclass(frozen=True, slots=True)
class Used:
    """What stands against the caps once a milestone is recorded; sums in micro-USD, `pictures` in attempts."""

    batch: int
    day: int
    run: int
    pictures: int
    resent: int


def effect(before: Milestone, after: Milestone) -> Effect:
    """What passing from one milestone to the next changes; the two must be a legal pair."""
    money = change(before, after)
    match before, after:
        case Planned() | AttemptFailed(), Started(since=since) | InDoubt(since=since):
            return Effect(money, 1, day_of(since))
        case Started(since=since), Planned():
            return Effect(money, -1, day_of(since))
        case _:
            return Effect(money)


def day_of(seconds: float) -> str:
    """The UTC day of a unix time, as YYYY-MM-DD."""
    return _day(int(seconds // 86_400))


@lru_cache(16)
def _day(since_1970: int) -> str:
    return (date(1970, 1, 1) + timedelta(since_1970)).isoformat()


def bounded(before: Milestone, after: Milestone) -> bool:
    """Whether caps speak of this arrow: a purchase is begun, or a payment in doubt is left behind for a new one."""
    match before, after:
        case (Planned() | AttemptFailed(), Started()) | (InDoubt(), Planned()):
            return True
        case _:
            return False


def hold_to(caps: Caps, after: Milestone, used: Used) -> None:
    """Refuse a bounded arrow that goes beyond a cap.

    Raises:
        NoHeadroom: names the cap.
    """
    for cap, limit, amount in _bounds(caps, after, used):
        if limit is not None and amount > limit:
            raise NoHeadroom(_sentence(cap, limit), cap=cap)


def _bounds(caps: Caps, after: Milestone, used: Used) -> Iterator[tuple[str, int | None, int]]:
    if isinstance(after, Planned):
        yield "resent", caps.resent, used.resent
        return
    yield "batch", caps.batch, used.batch
    yield "day", caps.day, used.day
    yield "run", caps.run, used.run
    yield "pictures", caps.run_pictures, used.pictures


def _sentence(cap: str, limit: int) -> str:
    if cap == "pictures":
        return f"This run may start {limit} pictures and has; run again to go on."
    usd = f"${limit / 1_000_000:.2f}"
    return {
        "batch": f"The next picture would go beyond the {usd} that this batch may cost; raise the budget to go on.",
        "day": f"The next picture would go beyond the {usd} of this UTC day; run again tomorrow.",
        "run": f"The next picture would go beyond the {usd} of this run; run again to go on.",
        "resent": f"Sending again would go beyond the {usd} allowed for payments in doubt; see `batchgen resolve`.",
    }[cap]
