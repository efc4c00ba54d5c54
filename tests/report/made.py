"""Jobs, milestones and a record made up for tests of what is told of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from batchgen.errors import FailureClass
from batchgen.job import Asset, Draft, Job, Request
from batchgen.journal import (
    EVERYTHING,
    STATES,
    Choice,
    Comparison,
    Identity,
    Mark,
    Place,
    Progress,
    Redo,
    Run,
    Selection,
    State,
    Totals,
    Written,
    state_of,
)
from batchgen.journal.facets import View
from batchgen.ledger import Money
from batchgen.lifecycle import InDoubt, JobFailed, Milestone, Stored


def progress(
    milestone: Milestone, job_id: str = "cube", *, number: int = 1, prompt: str = "a cube", standing: Place = "current"
) -> Progress:
    """A job that has reached a milestone."""
    job = Job(number, job_id, "f" * 64, 1, Request("nano-banana-pro", prompt), job_id)
    return Progress(job, 3, milestone, at=1_700_000_000.0, run=2, standing=standing)


def asset(name: str = "cube.png") -> Asset:
    """A stored picture."""
    return Asset(name, 12_345, "a" * 64, "b" * 64, "image/png", 1024, 576)


def stored(job_id: str = "cube", cost: int | None = 120_000, number: int = 1) -> Progress:
    """A job whose picture is there."""
    return progress(Stored(1, "task-1", cost, (asset(f"{job_id}.png"),)), job_id, number=number)


def failed(job_id: str, failure: FailureClass = "refused", reason: str = "content policy", number: int = 1) -> Progress:
    """A job that failed for good."""
    return progress(JobFailed(2, failure, reason), job_id, number=number)


def with_model(found: Progress, model: str) -> Progress:
    """The same job with another model."""
    return replace(found, job=replace(found.job, request=replace(found.job.request, model=model)))


def doubted(job_id: str, *, price: int | None = 70_000, number: int = 1, standing: Place = "current") -> Progress:
    """A job whose payment is in doubt since 2023."""
    doubt = InDoubt(1, "bg-token", price, 1_700_000_000.0, "request sent, no answer")
    return progress(doubt, job_id, number=number, standing=standing)


def run(number: int = 1, *, ended: float | None = 1_700_025_080.0, exit_code: int | None = 0) -> Run:
    """A run of 25,080 seconds."""
    return Run(
        number=number,
        verb="run",
        began=1_700_000_000.0,
        ended=ended,
        host="here",
        pid=1,
        user="me",
        version="0.1.0",
        exit_code=exit_code,
        reason="everything is there" if exit_code == 0 else "",
        counts={"stored": 8},
        committed=0,
        started=8,
    )


@dataclass
class FakeRecord:
    """A record of these jobs and runs."""

    jobs: Sequence[Progress] = ()
    runs: Sequence[Run] = (run(),)
    money: Money = field(default_factory=Money)
    name: str = "autumn"
    live: bool = False
    asked: list[Selection] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        """Its name is all that matters here."""
        return Identity("0" * 32, self.name, "batchgen.yaml", "local")

    def entries(self, selection: Selection = EVERYTHING) -> Iterator[Progress]:
        """Select by state, standing and glob."""
        self.asked.append(selection)
        for each in self.jobs:
            if selection.states and state_of(each.milestone) not in selection.states:
                continue
            if selection.standings and each.standing not in selection.standings:
                continue
            if selection.globs and not any(fnmatchcase(each.job.id, glob) for glob in selection.globs):
                continue
            yield each

    def totals(self) -> Totals:
        """Count them as the journal does."""
        counts: dict[State, int] = dict.fromkeys(STATES, 0)
        for each in self.jobs:
            if each.standing == "current" or isinstance(each.milestone, InDoubt):
                counts[state_of(each.milestone)] += 1
        kept = sum(each.changed for each in self.jobs)
        models: dict[str, dict[State, int]] = {}
        for each in self.jobs:
            if each.standing == "current":
                by_state = models.setdefault(each.job.request.model, dict.fromkeys(STATES, 0))
                by_state[state_of(each.milestone)] += 1
        return Totals(counts, kept, self.money, models)

    def failures(self) -> Mapping[tuple[FailureClass, str], int]:
        """Count them as the journal does."""
        current = (each.milestone for each in self.jobs if each.standing == "current")
        failed = (each for each in current if isinstance(each, JobFailed) and each.failure != "dropped")
        return Counter((each.failure, each.reason) for each in failed)

    def newest(
        self, selection: Selection, most: int, mark: Mark | None = None, *, newer: bool = False
    ) -> Sequence[Progress]:
        """Nobody asks."""
        raise NotImplementedError

    def axes(self) -> Mapping[str, Sequence[str]]:
        """Nobody asks."""
        raise NotImplementedError

    def compare(self, drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None) -> Comparison:
        """Not asked for here."""
        raise NotImplementedError

    def columns(self) -> Sequence[str]:
        """The headers of all rows, as they come."""
        return tuple(dict.fromkeys(name for each in self.jobs if each.row for name in each.row.cells))

    def views(self) -> Sequence[View]:
        """The views of all jobs, as they come."""
        found = [View(each.axes, each.job.request.take) for each in self.jobs]
        return tuple({each.name: each for each in found}.values())

    def life(self, number: int) -> Sequence[Written]:
        """The newest milestone alone."""
        return [
            Written(each.position, each.milestone, each.run, each.at) for each in self.jobs if each.job.number == number
        ]
