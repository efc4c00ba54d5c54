"""A journal against a small model of it, through any sequence of expansions, milestones, refusals and crashes."""

import asyncio
import itertools
from abc import abstractmethod
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from batchgen.errors import NoHeadroom, Superseded
from batchgen.job import Draft, Request, draft
from batchgen.journal import Caps, Entry, state_of
from batchgen.journal.effects import day_of
from batchgen.ledger import Money, change
from batchgen.lifecycle import (
    FOLLOWS,
    Accepted,
    AttemptFailed,
    Generated,
    IllegalMilestone,
    InDoubt,
    Milestone,
    Planned,
    Started,
    Stored,
)
from tests.contracts.journal import RESEND, Desk, OpenJournal
from tests.lives import FIGURES, Figures, successor

Result = TypeVar("Result")
KINDS = sorted(FOLLOWS, key=lambda kind: kind.__name__)
PREDECESSORS: tuple[Milestone, ...] = (
    Planned(1),
    Started(1, "bg-1", 1, 0.0),
    InDoubt(1, "bg-1", 1, 0.0, "no answer"),
    Accepted(1, "task", 1),
    Generated(1, "task", 1),
    AttemptFailed(1, "refused", "why", 0),
)
CAPS = st.builds(
    Caps, *[st.none() | st.integers(0, 3 * 10**9)] * 3, run_pictures=st.none() | st.integers(0, 9), resent=st.none()
) | st.builds(Caps, resent=st.integers(0, 10**9))
ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from(["", "2"])),
    unique_by=lambda row: row[0],
    max_size=3,
)


@dataclass(eq=False)
class Row:
    """A job as the model knows it."""

    number: int
    draft: Draft
    place: int
    life: list[tuple[Milestone, int]]
    standing: str = "current"
    changed: bool = False

    @property
    def head(self) -> Milestone:
        """The newest milestone."""
        return self.life[-1][0]

    @property
    def bought(self) -> bool:
        """Whether money was or may have been spent on it."""
        return isinstance(self.head, Started | Accepted | Generated | InDoubt | Stored)


@dataclass
class Model:
    """What a journal means, in lists; figures are counted from scratch."""

    rows: list[Row] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)

    def owe(self, drafts: Sequence[Draft]) -> None:
        """Owe these and nothing else."""
        current = {row.draft.id: row for row in self.rows if row.standing == "current"}
        ids = {each.id for each in drafts}
        leaving = sorted((row for row in current.values() if row.draft.id not in ids), key=lambda row: row.place)
        chosen = [self._chosen(each, current.get(each.id), leaving) for each in drafts]
        for row in current.values():
            row.standing, row.changed = ("replaced" if row.draft.id in ids else "gone"), False
        for place, (each, found) in enumerate(zip(drafts, chosen, strict=True)):
            row = found or Row(len(self.rows) + 1, each, place, [(Planned(0), len(self.ended))])
            if found is None:
                self.rows.append(row)
            row.standing, row.place = "current", place
            row.changed = row.draft.fingerprint != each.fingerprint
            row.draft = row.draft if row.changed else each

    def _chosen(self, each: Draft, now: Row | None, leaving: list[Row]) -> Row | None:
        key = (each.id, each.fingerprint)
        same = next((row for row in self.rows if (row.draft.id, row.draft.fingerprint) == key), None)
        if same is not None and (same is now or now is None or same.bought):
            return same
        if now is not None:
            return now if now.bought else same
        renamed = next((row for row in leaving if row.draft.fingerprint == each.fingerprint), None)
        if renamed is not None:
            leaving.remove(renamed)
        return renamed

    def money(self) -> Money:
        """All changes of all lives."""
        pairs = [pair for row in self.rows for pair in itertools.pairwise(milestone for milestone, _ in row.life)]
        return reduce(Money.__add__, itertools.starmap(change, pairs), Money())

    def begun(self) -> Iterator[tuple[int, str, int]]:
        """Run, UTC day and price of each attempt begun and not given back."""
        for row in self.rows:
            open_attempts: list[tuple[int, str, int]] = []
            for (before, _), (after, run) in itertools.pairwise(row.life):
                if isinstance(before, Planned | AttemptFailed) and isinstance(after, Started | InDoubt):
                    open_attempts.append((run, day_of(after.since), after.price_micro_usd or 0))
                if isinstance(before, Started) and isinstance(after, Planned):
                    open_attempts.pop()
            yield from open_attempts

    def counts(self) -> dict[str, int]:
        """Jobs by state, those that count."""
        counts = dict.fromkeys(("queued", "running", "stored", "failed", "in_doubt", "dropped"), 0)
        for row in self.rows:
            state = state_of(row.head)
            counts[state] += row.standing == "current" or (row.standing == "replaced" and state == "in_doubt")
        return counts

    def met(self, caps: Caps, before: Milestone, after: Milestone) -> bool:
        """Whether a cap forbids what the model holds now, after that arrow."""
        money, begun, run = self.money(), list(self.begun()), len(self.ended)
        match before, after:
            case InDoubt(), Planned():
                return caps.resent is not None and money.resent > caps.resent
            case ((Planned() | AttemptFailed()), Started(since=since)):
                day = sum(price for _, on, price in begun if on == day_of(since))
                mine = [price for number, _, price in begun if number == run]
                sums = [
                    (caps.batch, money.exposed),
                    (caps.day, day),
                    (caps.run, sum(mine)),
                    (caps.run_pictures, len(mine)),
                ]
                return any(cap is not None and amount > cap for cap, amount in sums)
            case _:
                return False

    def unfinished(self) -> list[int]:
        """The numbers of the jobs to hand out now, in order, under terms that send again."""
        run = len(self.ended)
        found: list[int] = []
        for kind in (Generated, Accepted, Started, InDoubt):
            waiting = (row for row in self.rows if isinstance(row.head, kind) and row.life[-1][1] != run)
            found.extend(row.number for row in waiting if not self._waits(row))
        for row in sorted(self.rows, key=lambda row: row.place):
            fresh = row.life[-1][1] != run or len(row.life) == 1
            if row.standing == "current" and isinstance(row.head, Planned | AttemptFailed) and fresh:
                found.append(row.number)
        return found

    @staticmethod
    def _waits(row: "Row") -> bool:
        """Whether a payment in doubt is not sent again: too often tried, of no known price, or asked for no longer."""
        match row.head:
            case InDoubt(attempt=attempt, price_micro_usd=price):
                return row.standing != "current" or attempt >= 3 or price is None
            case _:
                return False


class JournalMachine(RuleBasedStateMachine):
    """Inherit this and say where the journal lies."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.desk = self.make_desk()
        self.model = Model()
        self.enter()

    @abstractmethod
    def make_desk(self) -> Desk:
        """A fresh place."""

    def teardown(self) -> None:
        """Leave as after a crash."""
        self.do(self.context.__aexit__(None, None, None))
        self.runner.close()

    def enter(self) -> None:
        """Begin a run."""
        self.context: AbstractAsyncContextManager[OpenJournal] = self.desk.open()
        self.journal = self.do(self.context.__aenter__())
        self.model.ended.append(False)

    def do(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end."""
        return self.runner.run(coroutine)

    def row(self, pick: int) -> Row:
        """Some job."""
        return self.model.rows[pick % len(self.model.rows)]

    @rule(rows=ROWS)
    def owe(self, rows: list[tuple[str, str, str]]) -> None:
        """The manifest is edited in any way."""
        drafts = [draft(job_id, Request("m", prompt), job_id + suffix) for job_id, prompt, suffix in rows]
        with self.desk.record() as record:
            foretold = record.compare(drafts)
        assert self.do(self.journal.owe(drafts, str(rows))) == foretold
        self.model.owe(drafts)
        assert foretold.to_buy == sum(
            row.standing == "current" and isinstance(row.head, Planned | AttemptFailed) for row in self.model.rows
        )

    @precondition(lambda self: self.model.rows)
    @rule(pick=st.integers(0, 99), way=st.integers(0, 99), figures=FIGURES, caps=CAPS | st.none())
    def go_on(self, pick: int, way: int, figures: Figures, caps: Caps | None) -> None:
        """A job takes a legal step, if the caps allow it."""
        row = self.row(pick)
        kinds = sorted(FOLLOWS[type(row.head)], key=lambda kind: kind.__name__)
        before, after = row.head, successor(row.head, kinds[way % len(kinds)], figures)
        entry = Entry(row.number, len(row.life), after)
        row.life.append((after, len(self.model.ended)))
        if caps is not None and self.model.met(caps, before, after):
            with pytest.raises(NoHeadroom):
                self.do(self.journal.append([entry], caps))
            row.life.pop()
        else:
            self.do(self.journal.append([entry], caps))

    @precondition(lambda self: any(isinstance(row.head, Accepted) for row in self.model.rows))
    @rule(figures=FIGURES, torn=st.booleans())
    def arrive(self, figures: Figures, torn: bool) -> None:
        """A picture is generated and stored in one go, or neither."""
        row = next(row for row in self.model.rows if isinstance(row.head, Accepted))
        generated = successor(row.head, Generated, figures)
        last = Planned(9) if torn else successor(generated, Stored, figures)
        entries = [Entry(row.number, len(row.life), generated), Entry(row.number, len(row.life) + 1, last)]
        if torn:
            with pytest.raises(IllegalMilestone):
                self.do(self.journal.append(entries))
        else:
            self.do(self.journal.append(entries))
            row.life += [(generated, len(self.model.ended)), (last, len(self.model.ended))]

    @precondition(lambda self: self.model.rows)
    @rule(pick=st.integers(0, 99), off=st.sampled_from([-2, -1, 1, 5]))
    def be_late(self, pick: int, off: int) -> None:
        """Another runner writes what is not its turn."""
        row = self.row(pick)
        kind = next(iter(FOLLOWS[type(row.head)]))
        with pytest.raises(Superseded):
            self.do(self.journal.append([Entry(row.number, len(row.life) + off, successor(row.head, kind))]))

    @precondition(lambda self: self.model.rows)
    @rule(pick=st.integers(0, 99), kind=st.sampled_from(KINDS))
    def break_the_law(self, pick: int, kind: type[Milestone]) -> None:
        """A milestone comes out of order."""
        row = self.row(pick)
        off = 7 if kind in FOLLOWS[type(row.head)] else 0
        example = next(each for each in PREDECESSORS if kind in FOLLOWS[type(each)])
        bad = replace(successor(example, kind), attempt=row.head.attempt + off)
        with pytest.raises(IllegalMilestone):
            self.do(self.journal.append([Entry(row.number, len(row.life), bad)]))

    @rule(ended=st.booleans(), later=st.sampled_from([0.0, 60.0, 86_400.0]))
    def reopen(self, ended: bool, later: float) -> None:
        """The run ends, or dies, and the next begins."""
        if ended:
            self.do(self.journal.end(0, "done"))
            self.model.ended[-1] = True
        self.do(self.context.__aexit__(None, None, None))
        self.desk.now += later
        self.enter()
        assert self.journal.killed_before is not ended

    @rule()
    def hand_out(self) -> None:
        """Workers ask what there is to do."""

        async def numbers() -> list[int]:
            return [progress.job.number async for progress in self.journal.unfinished(RESEND)]

        assert self.do(numbers()) == self.model.unfinished()

    @invariant()
    def figures_agree(self) -> None:
        """The totals are those of a recount, and so are the shares of the runs."""
        totals = self.do(self.journal.totals())
        assert (totals.money, totals.counts) == (self.model.money(), self.model.counts())
        kept = [row for row in self.model.rows if row.changed and row.standing == "current"]
        assert totals.kept == sum(isinstance(row.head, Stored) for row in kept)
        begun = list(self.model.begun())
        with self.desk.record() as record:
            for run in record.runs:
                mine = [price for number, _, price in begun if number == run.number]
                assert (run.committed, run.started) == (sum(mine), len(mine))
                assert (run.ended is not None) is self.model.ended[run.number - 1]

    @invariant()
    def jobs_agree(self) -> None:
        """Every job stands where the model has it."""
        with self.desk.record() as record:
            found = {
                (each.job.number, each.job.id, each.job.path, each.standing, each.changed, each.milestone, each.run)
                for each in record.entries()
            }
        assert found == {
            (row.number, row.draft.id, row.draft.path, row.standing, row.changed, *row.life[-1])
            for row in self.model.rows
        }


MACHINE = settings(max_examples=60, stateful_step_count=30, deadline=None)
# A file is too slow to shrink over; what concerns no file fails in memory too, and is shrunk there.
ON_DISK = settings(MACHINE, phases=[Phase.generate], max_examples=25)
