"""Legal lives for tests: every milestone that may follow another, with any figures."""

from dataclasses import dataclass

from hypothesis import strategies as st

from batchgen.errors import FailureClass
from batchgen.job import Asset
from batchgen.lifecycle import (
    FOLLOWS,
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

SINCE = 1_700_000_000.0
FAILURES: tuple[FailureClass, ...] = ("transient", "refused", "rejected", "expired", "bad_asset", "dropped")


@dataclass(frozen=True)
class Figures:
    """What a milestone may carry; `price` and `cost` in micro-USD, None for unknown."""

    price: int | None = 40_000
    cost: int | None = 39_000
    since: float = SINCE
    failure: FailureClass = "transient"


def asset(name: str = "a.png") -> Asset:
    """Some stored file."""
    return Asset(name, 3, "0" * 64, "1" * 64, "image/png", 2, 1)


def successor(reached: Milestone, kind: type[Milestone], figures: Figures = Figures()) -> Milestone:
    """The milestone of a kind that may follow `reached`; what must be kept is kept."""
    attempt = reached.attempt + {"same": 0, "next": 1, "back": -1}[FOLLOWS[type(reached)][kind]]
    if isinstance(reached, Started | InDoubt):
        token, price, since = reached.token, reached.price_micro_usd, reached.since
    else:
        token, price, since = f"bg-{attempt}", figures.price, figures.since
    failure = "dropped" if isinstance(reached, JobFailed) else figures.failure
    made: dict[type[Milestone], Milestone] = {
        Planned: Planned(attempt),
        Started: Started(attempt, token, price, since),
        Accepted: Accepted(attempt, f"task-{attempt}", price),
        Generated: Generated(attempt, f"task-{attempt}", figures.cost),
        Stored: Stored(attempt, f"task-{attempt}", figures.cost, (asset(),)),
        InDoubt: InDoubt(attempt, token, price, since, "request sent, no answer"),
        AttemptFailed: AttemptFailed(attempt, failure, "why", figures.cost),
        JobFailed: JobFailed(attempt, failure, "why", price if isinstance(reached, InDoubt) else 0),
    }
    return made[kind]


AMOUNTS = st.none() | st.integers(0, 10**9)
FIGURES = st.builds(
    Figures, AMOUNTS, AMOUNTS, st.sampled_from([SINCE, SINCE + 86_400.0, SINCE + 5.5]), st.sampled_from(FAILURES)
)


@st.composite
def lives(draw: st.DrawFn, longest: int = 14) -> tuple[Milestone, ...]:
    """A legal life from its first Planned on."""
    life: list[Milestone] = [Planned(0)]
    for _ in range(draw(st.integers(0, longest))):
        kind = draw(st.sampled_from(sorted(FOLLOWS[type(life[-1])], key=lambda kind: kind.__name__)))
        life.append(successor(life[-1], kind, draw(FIGURES)))
    return tuple(life)
