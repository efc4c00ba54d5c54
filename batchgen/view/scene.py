"""What the page shows at one moment, read from the journal and frozen; one scene serves all who look."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final, TypeAlias

from batchgen.errors import FailureClass
from batchgen.journal import Mark, Record, Run, Selection, State
from batchgen.report.cards import remedy, times
from batchgen.report.figures import Figures, ModelFigures, outlook
from batchgen.report.summary import Summary, summary
from batchgen.report.words import many, price_unknown
from batchgen.view.agreed import Agreed
from batchgen.view.asked import Chosen

SEEN: Final = 40
"""So many of the newest pictures tell how long one takes now."""

RECENT_SECONDS: Final = 300.0
"""How far back the pace of calls reaches."""

_STORED: Final = Selection(states=frozenset({"stored"}), standings=frozenset({"current"}))
_ALL: Final = Selection(standings=frozenset({"current"}))


BAR: Final[tuple[State, ...]] = ("stored", "running", "in_doubt", "failed", "dropped")
WIDE: Final = 1000.0

REASONS: Final = 4
"""Of each class of failure so many reasons are shown."""

Share: TypeAlias = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why pictures are missing: a class of failure, with its jobs by reason, and the words of the command for it."""

    name: str
    state: State
    jobs: int
    reasons: tuple[tuple[str, int], ...]
    remedy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """How far a batch had come: `stored` and `begun` count pictures and attempts, `at` in unix seconds."""

    at: float
    run: int
    stored: int
    begun: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A batch at one moment; `number` grows with every one that differs, and is 0 before the first.

    `trouble` says why there is nothing to see, `agreed` what the manifest says. `newest` is the place of the newest
    milestone of all, `a_minute` are the pictures of late, and `at` is the time of looking, in unix seconds.
    """

    number: int = 0
    summary: Summary | None = None
    figures: Figures = field(default_factory=lambda: Figures(0, {}))
    axes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    runs: Sequence[Run] = ()
    newest: Mark | None = None
    agreed: Agreed = field(default_factory=Agreed)
    a_minute: float = 0.0
    trouble: str = ""
    at: float = 0.0

    def tally(self, state: Chosen) -> int:
        """The number of jobs in one state, or in all."""
        return self.figures.total if state == "all" else self.figures.of(state)

    @property
    def seen(self) -> str:
        """The newest milestone as a word, by which a page says what it was drawn from."""
        return "" if self.newest is None else f"{self.newest.at!r}_{self.newest.job}"

    @property
    def outlook(self) -> str:
        """Pace and time left, in words."""
        return outlook(self.figures)

    @property
    def price_unknown(self) -> bool:
        """Whether a sum of money would say too much."""
        return price_unknown(self.figures.money)

    @property
    def spoken(self) -> str:
        """How the batch stands, for who listens: other words only when something has changed that is worth them."""
        done = self.figures.of("stored") * 20 // max(1, self.figures.total) * 5
        open_ends = [
            many(self.figures.of("failed"), "job") + " failed" if self.figures.of("failed") else "",
            many(self.figures.of("in_doubt"), "payment") + " in doubt" if self.figures.of("in_doubt") else "",
        ]
        return ", ".join(filter(None, [f"{done}% of the pictures are stored", *open_ends]))

    @property
    def bar(self) -> list[Share]:
        """The states of all jobs but the queued ones, side by side."""
        return shares([(state, self.figures.of(state)) for state in BAR], self.figures.total)

    @property
    def purse(self) -> list[Share]:
        """What of the budget is spent, reserved and in doubt, side by side."""
        money = self.figures.money
        parts = [("spent", money.spent), ("reserved", money.reserved), ("in_doubt", money.in_doubt)]
        return shares(parts, self.agreed.budget_micro_usd or 0)

    @property
    def causes(self) -> list[Cause]:
        """Why pictures are missing, the most frequent class first, and payments in doubt."""
        found: dict[FailureClass, list[tuple[str, int]]] = {}
        for each in self.figures.failures:
            found.setdefault(each.failure, []).append((each.reason, each.jobs))
        causes = [
            Cause(name, "failed", sum(jobs for _, jobs in reasons), tuple(reasons[:REASONS]), remedy("failed", name))
            for name, reasons in found.items()
        ]
        if doubts := self.figures.of("in_doubt"):
            said = "no answer to the submit: each may have been paid for"
            causes.append(Cause("in_doubt", "in_doubt", doubts, ((said, doubts),), remedy("in_doubt", None)))
        return sorted(causes, key=lambda each: -each.jobs)


def shares(parts: Sequence[tuple[str, int]], whole: int) -> list[Share]:
    """Parts of a whole that is `WIDE`: each with its name, its left edge and its width."""
    found: list[Share] = []
    left = 0.0
    for name, amount in parts:
        width = min(amount / whole * WIDE, WIDE - left) if whole else 0.0
        if width:
            found.append((name, round(left, 2), round(width, 2)))
            left += width
    return found


@dataclass(frozen=True, slots=True)
class Past:
    """What was seen before: samples of the run that goes on, the oldest first."""

    samples: tuple[Sample, ...] = ()

    def then(self, sample: Sample) -> "Past":
        """The past with one sample more; those of other runs, and old ones, are forgotten."""
        kept = [each for each in self.samples if each.run == sample.run and sample.at - each.at < RECENT_SECONDS]
        return Past((*kept[-200:], sample))

    @property
    def a_minute(self) -> float:
        """Pictures a minute over what is remembered."""
        if len(self.samples) < 2:
            return 0.0
        first, last = self.samples[0], self.samples[-1]
        return (last.stored - first.stored) / max(last.at - first.at, 1.0) * 60


def read_scene(record: Record, folder: str, now: float, past: Past) -> tuple[Scene, Past]:
    """Read a batch's scene, without its number, its axes and what was agreed."""
    found, runs = summary(record, folder), record.runs
    newest = record.newest(_ALL, 1)
    sample = Sample(now, runs[0].number if runs else 0, found.of("stored"), runs[0].started if runs else 0)
    past = past.then(sample)
    figures = _figures(record, found, runs, past)
    scene = Scene(
        summary=found,
        figures=figures,
        runs=runs,
        newest=newest[0].mark if newest else None,
        a_minute=past.a_minute if found.live else 0.0,
        at=now,
    )
    return scene, past


def _figures(record: Record, found: Summary, runs: Sequence[Run], past: Past) -> Figures:
    """The panel's figures; a run that is over has no pace. Calls leave no milestone, and are not known here."""
    begun, stored = _beginning(runs, past)
    now = past.samples[-1].at
    return Figures(
        total=found.total,
        counts=found.counts,
        stored_at_start=stored if found.live else found.of("stored"),
        elapsed_seconds=max(0.0, now - begun),
        in_flight=found.of("running"),
        money=found.money,
        models=tuple(_models(record)),
        failures=found.failures,
    )


def _beginning(runs: Sequence[Run], past: Past) -> tuple[float, int]:
    """When a run began and what was stored then: as the run before it ended, else as this page first saw it."""
    first = past.samples[0]
    if not runs:
        return first.at, first.stored
    if len(runs) == 1:
        return runs[0].began, 0
    if runs[1].ended is not None and "stored" in runs[1].counts:
        return runs[0].began, runs[1].counts["stored"]
    return first.at, first.stored


def _models(record: Record) -> Iterator[ModelFigures]:
    seconds: dict[str, list[float]] = {}
    for each in record.newest(_STORED, SEEN):
        took = times(record.life(each.job.number)).seconds
        if took is not None:
            seconds.setdefault(each.job.request.model, []).append(took)
    for model, counts in sorted(record.totals().models.items()):
        took = median(seconds[model]) if model in seconds else None
        yield ModelFigures(model, counts.get("running", 0), counts.get("stored", 0), took)
