"""What has happened: every milestone of every job, in order, durable; judged by tests/contracts/journal.py.

It is the only record. `milestones` is insert-only with key (job, position): of two runners on one job, one wins.
Beside it, in the same transaction, stand each job's newest milestone and the totals; both can be derived again.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from batchgen.errors import FailureClass
from batchgen.job import Draft, InputRow, Job
from batchgen.ledger import Money
from batchgen.lifecycle import AttemptFailed, InDoubt, JobFailed, Milestone, Planned, Stored
from batchgen.terms import Terms

Place: TypeAlias = Literal["current", "replaced", "gone"]
"""Whether a job belongs to the manifest as it stands, was superseded by an edit, or left it."""

State: TypeAlias = Literal["queued", "running", "stored", "failed", "in_doubt", "dropped"]
"""What people see (docs/life-of-a-job.md)."""

Kind: TypeAlias = Literal["new", "changed", "unchanged", "renamed", "gone"]
"""How the manifest differs from the journal, job by job."""

STATES: tuple[State, ...] = ("queued", "running", "stored", "failed", "in_doubt", "dropped")


def state_of(milestone: Milestone) -> State:
    """The word people see for a newest milestone. A Started is running here; after a killed run it is in doubt."""
    match milestone:
        case Stored():
            return "stored"
        case InDoubt():
            return "in_doubt"
        case JobFailed(failure="dropped"):
            return "dropped"
        case JobFailed():
            return "failed"
        case Planned() | AttemptFailed():
            return "queued"
        case _:
            return "running"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: `job` is the job's number, `position` counts from 0 within the job."""

    job: int
    position: int
    milestone: Milestone


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the order of newest milestones: when one was written, in unix seconds, and the number of its job."""

    at: float
    job: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A job and the newest thing known of it; `at` in unix seconds, `run` the number of the run that wrote it.

    `row` and `axes` are what the job was made from; only a Record tells them. `copied`: an old copy of the journal was
    put back since, so that what followed may be forgotten; only a Journal tells it.
    """

    job: Job
    position: int
    milestone: Milestone
    at: float
    run: int
    standing: Place = "current"
    changed: bool = False
    row: InputRow | None = None
    axes: Mapping[str, str] = field(default_factory=dict)
    copied: bool = False

    @property
    def mark(self) -> Mark:
        """Where it stands in the order of newest milestones."""
        return Mark(self.at, self.job.number)

    def then(self, milestone: Milestone) -> Entry:
        """The entry that would record `milestone` next."""
        return Entry(self.job.number, self.position + 1, milestone)

    def moved(self, entry: Entry, at: float) -> "Progress":
        """The same job once this entry is recorded."""
        return Progress(
            self.job,
            entry.position,
            entry.milestone,
            at,
            self.run,
            self.standing,
            self.changed,
            self.row,
            self.axes,
        )


@dataclass(frozen=True, slots=True)
class Written:
    """A milestone with its place in a job's life, the run that wrote it, and when, in unix seconds."""

    position: int
    milestone: Milestone
    run: int
    at: float


@dataclass(frozen=True, slots=True)
class Caps:
    """What may not be exceeded, checked inside the transaction of a Started; None means no cap. Sums in micro-USD.

    `batch`, `day` (UTC) and `resent` bound money; `run` the money, `run_pictures` the attempts this run starts.
    `own_task` refuses an Accepted whose task another job has already.
    """

    batch: int | None = None
    day: int | None = None
    run: int | None = None
    run_pictures: int | None = None
    resent: int | None = None
    own_task: bool = field(default=False, kw_only=True)

    @property
    def bounding(self) -> bool:
        """Whether any sum is bounded."""
        return (self.batch, self.day, self.run, self.run_pictures, self.resent) != (None,) * 5


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs are meant; an empty field means no restriction. `globs` match ids, `*` crosses slashes.

    `run` means jobs whose newest milestone that run wrote, `axes` those made from these values, `text` those that have
    it in their id or prompt, in capitals or not; `misplaced` those whose picture lies under another name than the
    manifest gives it, `beside` those where it only goes on with `~` after that, because a file was in the way.
    """

    states: frozenset[State] = frozenset()
    standings: frozenset[Place] = frozenset()
    globs: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()
    misplaced: bool = False
    beside: bool = False
    run: int | None = None
    models: frozenset[str] = frozenset()
    axes: Mapping[str, str] = field(default_factory=dict, hash=False)
    text: str = ""


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Run:
    """One writing of this batch; `ended` and `exit_code` are None while it runs or when it was killed.

    `verb` is the command that wrote, `counts` the jobs by state at its end, `committed` the price in micro-USD and
    `started` the number of the attempts it began. `redo` is what it was told to do again, `prices` what a picture
    cost in micro-USD as it knew it, by a name of its own for each model and size.
    """

    number: int
    verb: str
    began: float
    ended: float | None
    host: str
    pid: int
    user: str
    version: str
    exit_code: int | None
    reason: str
    counts: Mapping[str, int]
    committed: int
    started: int
    redo: str = ""
    prices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Totals:
    """The batch in figures; `counts` are jobs by state, of the manifest as it stands plus replaced ones in doubt."""

    counts: Mapping[State, int]
    kept: int
    money: Money
    models: Mapping[str, Mapping[State, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A field in which a job differs from what was bought; of long texts only the pieces that differ."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One job of a comparison; `was` is the earlier id of a renamed job, `changes` the fields of a changed one."""

    kind: Kind
    id: str
    reason: str
    was: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Manifest against journal: counts, the number of jobs still to buy, and the first few of each kind.

    `shapes` are the jobs to buy by the number that a Scratch gives to their shape, `redone` those of them that a
    person asked for again, `skipped` those that nobody chose to work on now.
    """

    counts: Mapping[Kind, int]
    to_buy: int
    examples: Mapping[Kind, tuple[Difference, ...]]
    shapes: Mapping[int, int] = field(default_factory=dict)
    redone: int = 0
    skipped: int = 0


class Choice(Protocol):
    """Which jobs are to be worked on, of all that are owed."""

    def __call__(self, job_id: str, state: State, row: InputRow | None, axes: Mapping[str, str]) -> bool:
        """Whether this one is."""
        ...


@dataclass(frozen=True, slots=True)
class Redo:
    """What a person asks to be done again. `words` are as asked; `decided` that an earlier run has carried it out.

    `changed` are jobs whose request is another one now, `classes` those that failed so, `in_doubt` payments to be
    sent again. `globs` name stored, failed and changed jobs by id; `picks` stored ones by id, each with the attempt
    that was judged: a newer picture is not done again.
    """

    words: str
    decided: bool = False
    changed: bool = False
    classes: frozenset[FailureClass] = frozenset()
    in_doubt: bool = False
    globs: tuple[str, ...] = ()
    picks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose journal this is: `batch_id` of 128 random bits as hex, `provider` as an origin or `local`.

    `inputs` is the digest of the inputs of the last whole expansion, empty before the first.
    """

    batch_id: str
    name: str
    manifest: str
    provider: str
    inputs: str = ""


class Record(Protocol):
    """The journal as readers see it: takes no lock, writes nothing, may be open while a run writes."""

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        ...

    @property
    def live(self) -> bool:
        """Whether a run holds the batch now; if none does, a run without an end was killed."""
        ...

    @property
    def runs(self) -> Sequence[Run]:
        """All runs, the newest first."""
        ...

    def entries(self, selection: Selection = EVERYTHING) -> Iterator[Progress]:
        """The selected jobs with their newest milestone, current ones in the manifest's order, then the others."""
        ...

    def newest(
        self, selection: Selection, most: int, mark: Mark | None = None, *, newer: bool = False
    ) -> Sequence[Progress]:
        """The first `most` of the selected jobs by the time of their newest milestone, the newest first.

        After a `mark` those that are older; `newer` turns round, and gives those that came after it, the oldest first.
        """
        ...

    def axes(self) -> Mapping[str, Sequence[str]]:
        """All axes of current jobs with their values, in the order in which the manifest first names them."""
        ...

    def totals(self) -> Totals:
        """The figures, as of one moment."""
        ...

    def failures(self) -> Mapping[tuple[FailureClass, str], int]:
        """How many current jobs failed for good, by class and reason; dropped ones did not fail."""
        ...

    def compare(self, drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None) -> Comparison:
        """What `owe` would do with these drafts, which are a whole expansion. Changes nothing."""
        ...

    def life(self, number: int) -> Sequence[Written]:
        """All milestones of a job, the first one first."""
        ...


class Journal(Protocol):
    """The journal as the one run sees it that holds its lock."""

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        ...

    @property
    def run(self) -> int:
        """The number of the run that holds it."""
        ...

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        """Make the journal owe exactly this whole expansion, in one transaction: all or nothing, callable twice.

        Per draft, in order: a job of the same id and fingerprint is *unchanged* (one that was replaced or gone comes
        back if it has its picture, has money on its way, or nothing else of that id is current); a current job of the
        same id and another fingerprint is *changed*: kept as it is if it was ever bought (Started, Accepted,
        Generated, InDoubt, Stored), else replaced at once; a gone id and a new id of equal fingerprint, paired in
        order, are the *same job renamed*; the rest are *new* and *gone*. `inputs` is the digest of the manifest and
        its files.

        In the same transaction `redo` is carried out on the jobs that `choice` names, and its words are kept with the
        run: changed ones are replaced by their new request, the others become Planned again.
        """
        ...

    def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        """The jobs that somebody has to carry on, each once per run, paid work first.

        Order: Generated, Accepted, Started found from an earlier run, InDoubt that the terms let go on, then current
        Planned and AttemptFailed jobs in the manifest's order. Jobs that are replaced or gone appear only while their
        money is open. Jobs whose newest milestone this run wrote itself are not handed out again, but for those that
        `owe` planned or found to be done again.
        """
        ...

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Record milestones of one job, all or none; durable on return, shared with other callers' commits.

        What was begun is recorded and returned from; a cancellation waits until then.

        Raises:
            Superseded: (job, position) exists already; nothing of this call was recorded, others are not concerned.
            NoHeadroom: a cap would be exceeded; likewise.
            TaskTaken: caps ask for a task of one's own, and another job was Accepted with this one; likewise.
            lifecycle.IllegalMilestone: likewise.
            JournalError: the commit failed; nothing that waited for it was recorded and the run must end.
        """
        ...

    async def reached(self, number: int) -> Progress | None:
        """A job with its newest milestone, as of the last commit of whoever writes; None where there is no such job."""
        ...

    async def totals(self) -> Totals:
        """The figures, as of the last commit."""
        ...


Joining: TypeAlias = Callable[[str], AbstractAsyncContextManager[Journal]]
"""Opens the journal of a run that goes on in another process, which gives a folder of its own; can be pickled.

What is opened appends and looks up, and neither plans nor hands out nor ends.
"""
