"""The journal in memory: the same contract with nothing on a disk; for tests, and to say in few words what it means.

A `Book` stands for the file: it outlives the run that writes it, and readers may look into it at any time.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio.lowlevel

import batchgen
from batchgen.errors import FailureClass, Foreign, HeldElsewhere, Superseded, TaskTaken
from batchgen.job import Draft, Job
from batchgen.journal import (
    EVERYTHING,
    STATES,
    Caps,
    Choice,
    Comparison,
    Entry,
    Identity,
    Mark,
    Progress,
    Redo,
    Run,
    Selection,
    State,
    Totals,
    Written,
    state_of,
)
from batchgen.journal.choosing import TO_BUY, UNDER_WAY, goes_on, selected
from batchgen.journal.codec import decode_milestone, decode_request, encode_milestone, encode_request
from batchgen.journal.effects import Effect, Used, bounded, effect, hold_to
from batchgen.journal.matching import Life, Match, Matching, match
from batchgen.ledger import Money
from batchgen.lifecycle import (
    Accepted,
    AttemptFailed,
    IllegalMilestone,
    JobFailed,
    Milestone,
    Planned,
    advance,
    inherit,
)
from batchgen.terms import Terms

FAILED = Selection(states=frozenset({"failed"}), standings=frozenset({"current"}))


@dataclass(slots=True, eq=False)
class Book:
    """What a file would hold; `identity` is None before the first run."""

    identity: Identity | None = None
    lives: list[Life] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    money: Money = field(default_factory=Money)
    days: Counter[str] = field(default_factory=Counter)
    held: bool = False
    redone: set[tuple[int, int, int]] = field(default_factory=set)

    def totals(self) -> Totals:
        """The figures, counted anew but for the money."""
        models: dict[str, dict[State, int]] = {}
        counts: dict[State, int] = dict.fromkeys(STATES, 0)
        kept = 0
        for life in self.lives:
            state = state_of(life.written[-1][0])
            kept += life.changed and life.standing == "current" and state == "stored"
            if life.standing == "current" or (life.standing, state) == ("replaced", "in_doubt"):
                counts[state] += 1
                models.setdefault(life.job.request.model, dict.fromkeys(STATES, 0))[state] += 1
        return Totals(counts, kept, self.money, models)

    def ordered(self) -> list[Life]:
        """Current jobs in the manifest's order, then the others."""
        return sorted(self.lives, key=lambda life: (life.standing != "current", life.place, life.job.number))


class MemoryRecord:
    """A Record over a book."""

    def __init__(self, book: Book) -> None:
        if book.identity is None:
            raise Foreign("There is no journal; nothing has been run there.")
        self._book, self._identity = book, book.identity

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        return self._identity

    @property
    def live(self) -> bool:
        """Whether a run holds the batch now."""
        return self._book.held

    @property
    def runs(self) -> Sequence[Run]:
        """All runs, the newest first."""
        return self._book.runs[::-1]

    def entries(self, selection: Selection = EVERYTHING) -> Iterator[Progress]:
        """The selected jobs with their newest milestone, as of now."""
        found = [life.progress() for life in self._book.ordered()]
        return (progress for progress in found if selected(progress, selection))

    def newest(
        self, selection: Selection, most: int, mark: Mark | None = None, *, newer: bool = False
    ) -> Sequence[Progress]:
        """The selected jobs by the time of their newest milestone."""
        found = sorted(self.entries(selection), key=lambda each: each.mark, reverse=not newer)
        return [each for each in found if mark is None or _beyond(each.mark, mark, newer=newer)][:most]

    def axes(self) -> Mapping[str, Sequence[str]]:
        """All axes of current jobs with their values."""
        found: dict[str, dict[str, None]] = {}
        for life in self._book.ordered():
            for name, value in life.axes.items() if life.standing == "current" else ():
                found.setdefault(name, {})[value] = None
        return {name: tuple(values) for name, values in found.items()}

    def totals(self) -> Totals:
        """The figures."""
        return self._book.totals()

    def failures(self) -> Mapping[tuple[FailureClass, str], int]:
        """How many current jobs failed for good, by class and reason."""
        failed = (each.milestone for each in self.entries(FAILED))
        return Counter((each.failure, each.reason) for each in failed if isinstance(each, JobFailed))

    def compare(self, drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None) -> Comparison:
        """What `owe` would do with these drafts."""
        return match(self._book.lives, drafts, redo, choice).comparison()

    def life(self, number: int) -> Sequence[Written]:
        """All milestones of a job."""
        written = self._book.lives[number - 1].written
        return [Written(position, *each) for position, each in enumerate(written)]


def _beyond(mark: Mark, other: Mark, *, newer: bool) -> bool:
    return mark > other if newer else mark < other


@asynccontextmanager
async def open_memory(
    book: Book, identity: Identity, *, verb: str, clock: Callable[[], float] = time.time
) -> AsyncIterator["MemoryJournal"]:
    """Begin a run on a book; without an `end` it was killed.

    Raises:
        HeldElsewhere: another run has it.
        Foreign: it is the book of another batch.
    """
    if book.held:
        raise HeldElsewhere
    if book.identity is not None and book.identity.name != identity.name:
        raise Foreign
    book.identity = book.identity or identity
    book.runs.append(
        Run(len(book.runs) + 1, verb, clock(), None, "memory", 0, "", batchgen.__version__, None, "", {}, 0, 0)
    )
    book.held = True
    try:
        yield MemoryJournal(book, book.identity, clock)
    finally:
        book.held = False


class MemoryJournal:
    """A Journal over a book, from `open_memory`."""

    def __init__(self, book: Book, identity: Identity, clock: Callable[[], float]) -> None:
        self._book, self._clock, self._identity = book, clock, identity
        self.run = len(book.runs)
        self.killed_before = self.run > 1 and book.runs[-2].ended is None

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        return self._identity

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        """Make the journal owe exactly this whole expansion."""
        await anyio.lowlevel.checkpoint()
        matching = match(self._book.lives, drafts, redo, choice)
        comparison = matching.comparison()
        self._apply(matching)
        if redo is not None:
            self._redo(matching, redo)
        self._book.identity = self._identity = replace(self._identity, inputs=inputs)
        return comparison

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        """The jobs to carry on, each once."""
        for kind in UNDER_WAY:
            for life in self._book.lives:
                if life.kind == kind and life.written[-1][1] != self.run:
                    progress = life.progress()
                    if goes_on(progress, terms, self._clock()):
                        yield progress
        for life in self._book.ordered():
            mine = life.written[-1][1] == self.run and len(life.written) > 1
            mine = mine and (self.run, life.job.number, len(life.written) - 1) not in self._book.redone
            if life.standing == "current" and life.kind in TO_BUY and not mine:
                yield life.progress()

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Record milestones of one job, all or none."""
        await anyio.lowlevel.cancel_shielded_checkpoint()
        book = self._book
        before = book.money, book.days.copy(), book.runs.copy()
        lengths = [(life, len(life.written)) for entry in entries for life in book.lives[entry.job - 1 : entry.job]]
        try:
            for entry in entries:
                self._record(entry, caps or Caps())
                if caps is not None and caps.own_task:
                    self._check_task(entry)
        except BaseException:
            book.money, book.days, book.runs = before
            for life, length in lengths:
                del life.written[length:]
            raise

    async def reached(self, number: int) -> Progress | None:
        """A job with its newest milestone."""
        await anyio.lowlevel.checkpoint()
        return self._book.lives[number - 1].progress() if 0 < number <= len(self._book.lives) else None

    async def totals(self) -> Totals:
        """The figures."""
        await anyio.lowlevel.checkpoint()
        return self._book.totals()

    async def end(self, exit_code: int, reason: str) -> None:
        """End this run in the journal."""
        counts = {str(state): n for state, n in self._book.totals().counts.items()}
        ended = replace(self._book.runs[-1], ended=self._clock(), exit_code=exit_code, reason=reason, counts=counts)
        self._book.runs[-1] = ended

    def _apply(self, matching: Matching) -> None:
        for each in matching.matches:
            if each.held is not None and each.held is not each.life:
                each.held.standing, each.held.changed = "replaced", False
        for life in matching.gone:
            life.standing, life.changed = "gone", False
        for place, each in enumerate(matching.matches):
            self._settle(place, each)

    def _redo(self, matching: Matching, redo: Redo) -> None:
        for each in matching.matches:
            life = each.life
            if each.again and life is not None and not isinstance(life.written[-1][0], Planned | AttemptFailed):
                reached = life.written[-1][0]
                known = inherit(reached)
                steps = [Planned(reached.attempt)] if known is reached else [known, Planned(reached.attempt)]
                for milestone in steps:
                    self._record(Entry(life.job.number, len(life.written), milestone), Caps())
                self._book.redone.add((self.run, life.job.number, len(life.written) - 1))
        self._book.runs[-1] = replace(self._book.runs[-1], redo=redo.words)

    def _settle(self, place: int, each: Match) -> None:
        draft, life = each.draft, each.life
        request = decode_request(encode_request(draft.request))
        if life is None:
            number = len(self._book.lives) + 1
            job = Job(number, draft.id, draft.fingerprint, draft.recipe, request, draft.path)
            begun: list[tuple[Milestone, int, float]] = [(Planned(0), self.run, self._clock())]
            self._book.lives.append(Life(job, place, begun, row=draft.row, axes=draft.axes))
            return
        life.place, life.standing, life.changed = place, "current", each.kept
        life.row, life.axes = draft.row, draft.axes
        if not each.kept:
            life.job = replace(life.job, id=draft.id, path=draft.path, request=request)

    def _record(self, entry: Entry, caps: Caps) -> None:
        if not 0 < entry.job <= len(self._book.lives):
            raise IllegalMilestone(f"There is no job {entry.job} in this journal")
        life = self._book.lives[entry.job - 1]
        if entry.position != len(life.written):
            raise Superseded
        before = life.written[-1][0]
        after = advance(before, _as_written(entry.milestone))
        what = effect(before, after)
        self._count(life, what)
        life.written.append((after, self.run, self._clock()))
        if bounded(before, after):
            hold_to(caps, after, self._used(what))

    def _check_task(self, entry: Entry) -> None:
        milestone = entry.milestone
        if not isinstance(milestone, Accepted) or milestone.task_id is None:
            return
        others = (one for life in self._book.lives if life.job.number != entry.job for one, *_ in life.written)
        if any(isinstance(one, Accepted) and one.task_id == milestone.task_id for one in others):
            raise TaskTaken

    def _count(self, life: Life, what: Effect) -> None:
        book = self._book
        book.money += what.money
        if what.begun:
            number = self.run if what.begun > 0 else _begun_by(life)
            book.days[what.day] += what.money.committed
            run = book.runs[number - 1]
            book.runs[number - 1] = replace(
                run, committed=run.committed + what.money.committed, started=run.started + what.begun
            )

    def _used(self, what: Effect) -> Used:
        money, run = self._book.money, self._book.runs[-1]
        return Used(money.exposed, self._book.days[what.day], run.committed, run.started, money.resent)


def _begun_by(life: Life) -> int:
    """The run that had begun the attempt now under way."""
    begun = next(
        position
        for position in range(len(life.written) - 1, 0, -1)
        if isinstance(life.written[position - 1][0], Planned | AttemptFailed)
    )
    return life.written[begun][1]


def _as_written(milestone: Milestone) -> Milestone:
    return decode_milestone(type(milestone).__name__, milestone.attempt, encode_milestone(milestone))
