"""A running batch in one frozen snapshot, and what can be said of its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batchgen.journal import State
from batchgen.ledger import Money
from batchgen.report.summary import FailureCount
from batchgen.report.words import dollars, span, usd


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """One model's share; `seconds` is the usual time from submit to picture, None while unknown."""

    model: str
    in_flight: int
    stored: int
    seconds: float | None = None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Where a run stands. `submits`, `polls` and `downloads` count since the run began; times in seconds.

    `stored_at_start` is what earlier runs had stored; `note` is one line such as "paused: the server is busy";
    `failures` are those of this run. `budget_micro_usd` is what the batch may cost, None without a bound;
    `free_bytes` is the room where pictures land, None while nobody has looked.
    """

    total: int
    counts: Mapping[State, int]
    stored_at_start: int = 0
    elapsed_seconds: float = 0.0
    in_flight: int = 0
    submits: int = 0
    polls: int = 0
    downloads: int = 0
    money: Money = field(default_factory=Money)
    models: tuple[ModelFigures, ...] = ()
    failures: tuple[FailureCount, ...] = ()
    note: str = ""
    budget_micro_usd: int | None = None
    free_bytes: int | None = None

    def of(self, state: State) -> int:
        """The number of jobs in one state."""
        return self.counts.get(state, 0)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Pictures an hour at this run's pace so far, and the seconds that the rest would take at it."""

    per_hour: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls per second between two snapshots."""

    submits: float = 0.0
    polls: float = 0.0
    downloads: float = 0.0


def forecast(figures: Figures) -> Forecast | None:
    """What the run's pace so far promises; None before its first picture."""
    stored = figures.of("stored") - figures.stored_at_start
    if stored <= 0 or figures.elapsed_seconds <= 0:
        return None
    per_second = stored / figures.elapsed_seconds
    return Forecast(per_second * 3600, (figures.of("queued") + figures.of("running")) / per_second)


def rates(earlier: Figures, later: Figures) -> Rates:
    """The calls per second from one snapshot to a later one."""
    seconds = later.elapsed_seconds - earlier.elapsed_seconds
    if seconds <= 0:
        return Rates()
    return Rates(
        (later.submits - earlier.submits) / seconds,
        (later.polls - earlier.polls) / seconds,
        (later.downloads - earlier.downloads) / seconds,
    )


def outlook(figures: Figures) -> str:
    """The forecast in words: pace and time left."""
    promised = forecast(figures)
    if promised is None:
        return "no forecast yet"
    return f"{promised.per_hour:,.0f}/h · about {span(promised.seconds_left)} left"


def one_line(figures: Figures) -> str:
    """Where the run stands, as the line that is printed where there is no panel."""
    parts = [
        f"{figures.of('stored'):,} of {figures.total:,} stored",
        f"{figures.of('running'):,} running",
        f"{figures.of('failed'):,} failed" if figures.of("failed") else "",
        f"{figures.of('in_doubt'):,} in doubt" if figures.of("in_doubt") else "",
        f"{usd(figures.money.spent)} spent" if figures.money.spent else "",
        outlook(figures),
    ]
    return " · ".join(filter(None, parts))


def as_json(figures: Figures) -> dict[str, Any]:
    """The snapshot as a line of `run --json` carries it."""
    promised = forecast(figures)
    return {
        "total": figures.total,
        "counts": dict(figures.counts),
        "in_flight": figures.in_flight,
        "submits": figures.submits,
        "polls": figures.polls,
        "downloads": figures.downloads,
        "spent_usd": dollars(figures.money.spent),
        "reserved_usd": dollars(figures.money.reserved),
        "in_doubt_usd": dollars(figures.money.in_doubt),
        "budget_usd": None if figures.budget_micro_usd is None else dollars(figures.budget_micro_usd),
        "free_bytes": figures.free_bytes,
        "per_hour": None if promised is None else round(promised.per_hour, 1),
        "seconds_left": None if promised is None else round(promised.seconds_left),
        "elapsed_seconds": round(figures.elapsed_seconds, 1),
        "note": figures.note,
    }
