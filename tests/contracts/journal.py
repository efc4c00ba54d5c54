"""What every Journal and its Record must hold to; inherit JournalContract and say how to open one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, cast

import anyio
import pytest

from batchgen.errors import Damaged, FailureClass, Foreign, HeldElsewhere, NoHeadroom, Superseded, TaskTaken
from batchgen.job import Draft, FileReference, InputRow, Request, UrlReference, draft
from batchgen.journal import Caps, Entry, Identity, Journal, Kind, Mark, Progress, Record, Redo, Selection, State
from batchgen.ledger import Money
from batchgen.lifecycle import (
    Accepted,
    AttemptFailed,
    Generated,
    IllegalMilestone,
    InDoubt,
    JobFailed,
    Milestone,
    Planned,
    Started,
    Stored,
)
from batchgen.terms import Failures, Profile, Resend, Terms
from tests.lives import SINCE, Figures, asset, successor

ME = Identity("ab" * 16, "catalogue", "batchgen.yaml", "local")
RESEND = Terms(failures=Failures(3, in_doubt=Resend(10**9)))
ON_THE_WAY = (Started, Accepted, Generated, InDoubt)


class OpenJournal(Journal, Protocol):
    """A journal as its opener hands it out."""

    @property
    def killed_before(self) -> bool:
        """Whether the run before has no end."""
        ...

    async def end(self, exit_code: int, reason: str) -> None:
        """End the run."""
        ...


class Desk(Protocol):
    """Where one journal lies; it can be opened again and again, a run after the other."""

    now: float

    def open(self, identity: Identity = ME) -> AbstractAsyncContextManager[OpenJournal]:
        """Begin a run; leaving it without an `end` is a crash."""
        ...

    def record(self) -> AbstractContextManager[Record]:
        """Look into it."""
        ...


def manifest(prompts: Mapping[str, str]) -> list[Draft]:
    """A job per id, which is its path too; equal prompts are equal pictures."""
    return [draft(job_id, Request("nano-banana-pro", prompt), job_id) for job_id, prompt in prompts.items()]


async def handed_out(journal: Journal, terms: Terms = Terms()) -> list[Progress]:  # noqa: B008
    """All that the journal would hand to workers."""
    return [progress async for progress in journal.unfinished(terms)]


async def walk(
    journal: Journal,
    progress: Progress,
    *kinds: type[Milestone],
    figures: Figures = Figures(),  # noqa: B008
) -> Progress:
    """Carry a job along these arrows, each appended on its own."""
    for kind in kinds:
        milestone = successor(progress.milestone, kind, figures)
        await journal.append([progress.then(milestone)])
        progress = replace(progress, position=progress.position + 1, milestone=milestone)
    return progress


async def owed(journal: Journal, *ids: str) -> list[Progress]:
    """Owe some jobs and return them."""
    await journal.owe(manifest({job_id: job_id for job_id in ids}), "inputs")
    return await handed_out(journal)


PATHS: dict[str, tuple[type[Milestone], ...]] = {
    "Planned": (),
    "Started": (Started,),
    "Accepted": (Started, Accepted),
    "Generated": (Started, Accepted, Generated),
    "Stored": (Started, Accepted, Generated, Stored),
    "InDoubt": (Started, InDoubt),
    "AttemptFailed": (Started, AttemptFailed),
    "JobFailed": (Started, AttemptFailed, JobFailed),
}
BOUGHT = ("Started", "Accepted", "Generated", "Stored", "InDoubt")
NEVER_BOUGHT = ("Planned", "AttemptFailed", "JobFailed")


@dataclass(frozen=True)
class Line:
    """A job as the tests compare it."""

    id: str
    number: int
    standing: str
    changed: bool
    kind: str


def lines(record: Record, selection: Selection = Selection()) -> list[Line]:  # noqa: B008
    """All selected jobs of a record, shortly."""
    return [
        Line(each.job.id, each.job.number, each.standing, each.changed, type(each.milestone).__name__)
        for each in record.entries(selection)
    ]


def counted(counts: Mapping[Kind, int]) -> dict[str, int]:
    """The kinds that occur at all."""
    return {kind: count for kind, count in counts.items() if count}


@pytest.mark.anyio
class JournalContract:
    """Inherit this, and give a fixture `desk`."""

    # -- what is appended

    async def test_a_milestone_is_there_after_a_crash(self, desk: Desk) -> None:
        """Whatever `append` has returned from is the newest milestone for the next run, with its run and time."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            desk.now += 7
            await walk(journal, job, Started, Accepted)
        async with desk.open() as journal:
            [found] = await handed_out(journal)
            assert (found.position, found.milestone) == (2, Accepted(1, "task-1", 40_000))
            assert (found.run, found.at) == (1, desk.now)
            assert found.job == job.job

    async def test_every_kind_of_milestone_comes_back_as_it_went(self, desk: Desk) -> None:
        """With unknown prices, odd words and all."""
        odd = Figures(price=None, cost=None, failure="bad_asset")
        written: dict[str, Milestone] = {}
        async with desk.open() as journal:
            for job in await owed(journal, *PATHS):
                last = await walk(journal, job, *PATHS[job.job.id], figures=odd)
                written[job.job.id] = last.milestone
            [job] = [each for each in await handed_out(journal) if each.job.id == "Planned"]
            reason = "sp\u00e4t \ud800 \x1b[31m \u2028 '\"\n"
            await walk(journal, job, Started)
            await journal.append([Entry(job.job.number, 2, AttemptFailed(1, "refused", reason, None))])
            written["Planned"] = AttemptFailed(1, "refused", reason, None)
        with desk.record() as record:
            assert {each.job.id: each.milestone for each in record.entries()} == written

    async def test_of_two_runners_on_one_milestone_one_wins(self, desk: Desk) -> None:
        """The other one is superseded and has recorded nothing."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await journal.append([job.then(Started(1, "bg-1", 40_000, SINCE))])
            with pytest.raises(Superseded):
                await journal.append([job.then(Started(1, "bg-other", 40_000, SINCE))])
            assert (await journal.totals()).money == Money(reserved=40_000, committed=40_000)
        with desk.record() as record:
            assert next(record.entries()).milestone == Started(1, "bg-1", 40_000, SINCE)

    async def test_one_job_as_it_stands(self, desk: Desk) -> None:
        """One job is told by its number with what is newest of it, and where there is none, so is that."""
        async with desk.open() as journal:
            a, b = await owed(journal, "a", "b")
            b = await walk(journal, b, Started, Accepted)
            found = await journal.reached(b.job.number)
            assert found is not None
            assert (found.job, found.position, found.milestone) == (b.job, b.position, b.milestone)
            assert found.run == journal.run
            untouched = await journal.reached(a.job.number)
            assert untouched is not None
            assert untouched.milestone == Planned(0)
            assert [await journal.reached(number) for number in (0, 3)] == [None, None]

    async def test_a_task_belongs_to_one_job(self, desk: Desk) -> None:
        """Asked to make sure of it, a journal refuses a task that any other job ever had, in whatever run."""
        own = Caps(own_task=True)
        async with desk.open() as journal:
            a, b, c = await owed(journal, "a", "b", "c")
            await walk(journal, a, Started, Accepted, Generated, Stored)
            c = await walk(journal, c, Started)
            b = await walk(journal, b, Started)
            await journal.append([c.then(Accepted(1, "task-c", 1))], own)
            await journal.end(75, "")
        async with desk.open() as journal:
            with pytest.raises(TaskTaken):
                await journal.append([b.then(Accepted(1, "task-1", 40_000))], own)
            assert (await journal.totals()).counts["running"] == 2
            await journal.append([b.then(Accepted(1, "task-b", 40_000))], own)
            await journal.end(75, "")
        with desk.record() as record:
            assert [each.milestone for each in record.entries()][1] == Accepted(1, "task-b", 40_000)

    @pytest.mark.parametrize("position", [-1, 0, 2, 9])
    async def test_a_milestone_out_of_its_place_is_superseded(self, desk: Desk, position: int) -> None:
        """Only the place after the newest one is free."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            with pytest.raises(Superseded):
                await journal.append([Entry(job.job.number, position, Started(1, "bg-1", 1, SINCE))])
            assert (await journal.totals()).counts["queued"] == 1

    async def test_an_illegal_milestone_is_refused(self, desk: Desk) -> None:
        """A picture cannot be stored before it was bought, nor a job be that is none."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            with pytest.raises(IllegalMilestone):
                await journal.append([job.then(Stored(0, None, 0, (asset(),)))])
            for number in (0, job.job.number + 1):
                with pytest.raises(IllegalMilestone):
                    await journal.append([Entry(number, 1, Started(1, "bg-1", 1, SINCE))])
            assert (await journal.totals()).money == Money()

    async def test_several_milestones_of_one_job_go_together(self, desk: Desk) -> None:
        """In order, and all of them."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            paid = await walk(journal, job, Started, Accepted)
            generated = Generated(1, "task-1", 39_000)
            stored = Stored(1, "task-1", 39_000, (asset(),))
            await journal.append([paid.then(generated), Entry(job.job.number, 4, stored)])
            assert (await journal.totals()).money == Money(spent=39_000, committed=40_000)
        with desk.record() as record:
            assert [(each.position, each.milestone) for each in record.entries()] == [(4, stored)]

    async def test_of_several_milestones_all_or_none_are_recorded(self, desk: Desk) -> None:
        """When the second is refused the first is not there either, nor its money."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            paid = await walk(journal, job, Started, Accepted)
            before = await journal.totals()
            bad = Entry(job.job.number, 4, Planned(1))
            with pytest.raises(IllegalMilestone):
                await journal.append([paid.then(Generated(1, "task-1", 39_000)), bad])
            assert await journal.totals() == before
            await walk(journal, paid, Generated)
        with desk.record() as record:
            assert record.runs[0].started == 1

    async def test_one_refusal_does_not_touch_its_neighbours(self, desk: Desk) -> None:
        """Of many at once, the stale, the illegal and the unaffordable fail and all others are recorded."""
        outcomes: Counter[str] = Counter()

        async def append(entry: Entry, caps: Caps) -> None:
            try:
                await journal.append([entry], caps)
                outcomes["recorded"] += 1
            except (Superseded, IllegalMilestone, NoHeadroom) as error:
                outcomes[type(error).__name__] += 1

        async with desk.open() as journal:
            jobs = await owed(journal, *map(str, range(40)))
            async with anyio.create_task_group() as group:
                for index, job in enumerate(jobs):
                    started = Started(1, "bg-1", 40_000, SINCE)
                    entry = [job.then(started), replace(job.then(started), position=5), job.then(Planned(0))][index % 3]
                    group.start_soon(append, entry, Caps(batch=10 * 40_000))
            assert outcomes == {"recorded": 10, "NoHeadroom": 4, "Superseded": 13, "IllegalMilestone": 13}
            assert (await journal.totals()).money == Money(reserved=400_000, committed=400_000)

    async def test_the_query_of_a_result_is_never_kept(self, desk: Desk) -> None:
        """A sync answer's addresses are kept without what may open them."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            started = await walk(journal, job, Started)
            await journal.append([started.then(Accepted(1, None, 1, ("https://cdn.test/a.png?sig=secret#x",)))])
        with desk.record() as record:
            assert next(record.entries()).milestone == Accepted(1, None, 1, ("https://cdn.test/a.png",))

    async def test_a_cancelled_append_is_still_finished(self, desk: Desk) -> None:
        """What was begun is recorded and returned from; the cancellation waits."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            returned = False
            with anyio.CancelScope() as scope:
                scope.cancel()
                await journal.append([job.then(Started(1, "bg-1", 40_000, SINCE))])
                returned = True
            assert returned
        with desk.record() as record:
            assert next(iter(record.entries())).position == 1

    # -- caps

    @pytest.mark.parametrize(
        ("caps", "cap", "exit_code"),
        [
            (Caps(batch=79_999), "batch", 4),
            (Caps(day=79_999), "day", 75),
            (Caps(run=79_999), "run", 75),
            (Caps(run_pictures=1), "pictures", 75),
        ],
    )
    async def test_a_cap_is_never_exceeded(self, desk: Desk, caps: Caps, cap: str, exit_code: int) -> None:
        """What fits to the last micro-USD is bought, one more is not, and says which cap it met."""
        exact = Caps(*(getattr(caps, name) + (name != "run_pictures") if getattr(caps, name) else None
                       for name in ("batch", "day", "run", "run_pictures")))  # fmt: skip
        async with desk.open() as journal:
            first, second = await owed(journal, "a", "b")
            await journal.append([first.then(Started(1, "bg-1", 40_000, SINCE))], caps)
            entry = second.then(Started(1, "bg-1", 40_000, SINCE))
            with pytest.raises(NoHeadroom) as refused:
                await journal.append([entry], caps)
            assert (refused.value.cap, refused.value.exit_code) == (cap, exit_code)
            assert (await journal.totals()).money.reserved == 40_000
            if cap != "pictures":
                await journal.append([entry], exact)

    async def test_the_cap_of_the_batch_holds_all_that_may_have_been_paid(self, desk: Desk) -> None:
        """Spent, reserved and in doubt together, over all runs."""
        async with desk.open() as journal:
            jobs = await owed(journal, "a", "b", "c", "d")
            await walk(journal, jobs[0], Started, Accepted, Generated)
            await walk(journal, jobs[1], Started, InDoubt)
        async with desk.open() as journal:
            await walk(journal, jobs[2], Started)
            entry = jobs[3].then(Started(1, "bg-1", 40_000, SINCE))
            with pytest.raises(NoHeadroom):
                await journal.append([entry], Caps(batch=158_999))
            await journal.append([entry], Caps(batch=159_000))

    async def test_the_cap_of_a_day_ends_with_the_utc_day(self, desk: Desk) -> None:
        """What another day's submits committed does not count."""
        async with desk.open() as journal:
            first, second = await owed(journal, "a", "b")
            await walk(journal, first, Started, Accepted, Generated)
            tomorrow = Started(1, "bg-1", 40_000, SINCE + 86_400)
            await journal.append([second.then(tomorrow)], Caps(day=40_000))

    async def test_the_caps_of_a_run_end_with_it(self, desk: Desk) -> None:
        """The next run has its own allowance, and each run's share stands in its row."""
        caps = Caps(run=40_000, run_pictures=1)
        async with desk.open() as journal:
            first, second = await owed(journal, "a", "b")
            await journal.append([first.then(Started(1, "bg-1", 40_000, SINCE))], caps)
        async with desk.open() as journal:
            await journal.append([second.then(Started(1, "bg-1", 30_000, SINCE))], caps)
        with desk.record() as record:
            assert [(run.number, run.committed, run.started) for run in record.runs] == [(2, 30_000, 1), (1, 40_000, 1)]

    async def test_what_was_not_taken_is_given_back(self, desk: Desk) -> None:
        """To the batch, the run, its pictures, and the day on which it was begun."""
        caps = Caps(batch=40_000, day=40_000, run=40_000, run_pictures=1)
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            for _ in range(3):
                await journal.append([job.then(Started(1, "bg-1", 40_000, SINCE))], caps)
                job = replace(job, position=job.position + 1, milestone=Started(1, "bg-1", 40_000, SINCE))
                job = await walk(journal, job, Planned)
            assert (await journal.totals()).money == Money()
        with desk.record() as record:
            assert (record.runs[0].committed, record.runs[0].started) == (0, 0)

    async def test_what_was_not_taken_is_given_back_to_the_run_that_had_begun_it(self, desk: Desk) -> None:
        """A later run that learns it neither gains an allowance nor falls below nothing."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            job = await walk(journal, job, Started, Planned, Started, InDoubt)
        async with desk.open() as journal:
            await walk(journal, job, Started, Planned)
        with desk.record() as record:
            assert [(run.committed, run.started) for run in record.runs] == [(0, 0), (0, 0)]

    async def test_sending_the_same_attempt_again_meets_no_cap(self, desk: Desk) -> None:
        """It was reserved when it was begun; nothing new is bought."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            doubt = await walk(journal, job, Started, InDoubt)
            entry = doubt.then(Started(1, "bg-1", 40_000, SINCE))
            await journal.append([entry], Caps(batch=1, day=1, run=1, run_pictures=0, resent=0))

    async def test_what_is_sent_anew_is_bounded(self, desk: Desk) -> None:
        """The sum left in doubt by sending again stays within what was allowed for it."""
        async with desk.open() as journal:
            first, second = [await walk(journal, job, Started, InDoubt) for job in await owed(journal, "a", "b")]
            await journal.append([first.then(Planned(1))], Caps(resent=79_999, batch=1))
            with pytest.raises(NoHeadroom) as refused:
                await journal.append([second.then(Planned(1))], Caps(resent=79_999))
            assert (refused.value.cap, refused.value.exit_code) == ("resent", 3)
            await journal.append([second.then(Planned(1))], Caps(resent=80_000))
            assert (await journal.totals()).money == Money(in_doubt=80_000, resent=80_000, committed=80_000)

    async def test_an_unknown_price_reserves_nothing_and_is_counted(self, desk: Desk) -> None:
        """Caps in money cannot bound it; the number of pictures can."""
        async with desk.open() as journal:
            first, second = await owed(journal, "a", "b")
            caps = Caps(batch=0, day=0, run=0, run_pictures=1)
            await journal.append([first.then(Started(1, "bg-1", None, SINCE))], caps)
            assert (await journal.totals()).money == Money(unpriced=1)
            with pytest.raises(NoHeadroom):
                await journal.append([second.then(Started(1, "bg-1", None, SINCE))], caps)

    # -- what is owed

    async def test_owing_twice_changes_nothing(self, desk: Desk) -> None:
        """The second time all are unchanged, with the same numbers."""
        drafts = manifest({"a": "x", "b": "y"})
        async with desk.open() as journal:
            first = await journal.owe(drafts, "one")
            before = await handed_out(journal)
            second = await journal.owe(iter(drafts), "two")
            assert (counted(first.counts), first.to_buy) == ({"new": 2}, 2)
            assert (counted(second.counts), second.to_buy) == ({"unchanged": 2}, 2)
            assert await handed_out(journal) == before
            assert journal.identity == replace(ME, inputs="two")
        with desk.record() as record:
            assert record.identity.inputs == "two"
            assert record.compare(drafts) == second

    @pytest.mark.parametrize("kind", BOUGHT)
    async def test_a_changed_job_that_was_bought_is_kept(self, desk: Desk, kind: str) -> None:
        """Nothing is bought for it; it stays current and is marked, until its request is as before again."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS[kind])
            said = await journal.owe(manifest({"a": "other"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"changed": 1}, 0)
            assert said.examples["changed"][0].reason.startswith("prompt changed; the picture asked for before is kept")
            again = await journal.owe(manifest({"a": "third"}), "inputs")
            assert counted(again.counts) == {"changed": 1}
            with desk.record() as record:
                assert lines(record) == [Line("a", 1, "current", True, kind)]
                assert record.totals().kept == (kind == "Stored")
                assert next(record.entries()).job.request.prompt == "a"
            back = await journal.owe(manifest({"a": "a"}), "inputs")
            assert (counted(back.counts), back.to_buy) == ({"unchanged": 1}, 0)
        with desk.record() as record:
            assert lines(record) == [Line("a", 1, "current", False, kind)]
            assert record.totals().kept == 0

    @pytest.mark.parametrize("kind", NEVER_BOUGHT)
    async def test_a_changed_job_that_was_never_bought_is_replaced(self, desk: Desk, kind: str) -> None:
        """At once, by a job that is to be bought; the old one is let go."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS[kind])
            said = await journal.owe(manifest({"a": "other"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"changed": 1}, 1)
            assert "never bought" in said.examples["changed"][0].reason
            assert [each.job.request.prompt for each in await handed_out(journal)] == ["other"]
            with desk.record() as record:
                assert lines(record) == [
                    Line("a", 2, "current", False, "Planned"),
                    Line("a", 1, "replaced", False, kind),
                ]
            again = await journal.owe(manifest({"a": "other"}), "inputs")
            assert counted(again.counts) == {"unchanged": 1}

    @pytest.mark.parametrize("kind", NEVER_BOUGHT)
    async def test_a_job_edited_back_finds_its_old_row(self, desk: Desk, kind: str) -> None:
        """No third row is made, and what had failed stays failed."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS[kind])
            await journal.owe(manifest({"a": "other"}), "inputs")
            said = await journal.owe(manifest({"a": "a"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"changed": 1}, kind != "JobFailed")
        with desk.record() as record:
            assert lines(record) == [Line("a", 1, "current", False, kind), Line("a", 2, "replaced", False, "Planned")]

    async def test_a_job_edited_back_finds_its_picture(self, desk: Desk) -> None:
        """It takes the place of what was asked for in between, bought or not."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS["AttemptFailed"])
            await journal.owe(manifest({"a": "other"}), "inputs")
            [other] = await handed_out(journal)
            await walk(journal, other, *PATHS["Stored"])
            await journal.owe(manifest({}), "inputs")
            said = await journal.owe(manifest({"a": "a"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"unchanged": 1}, 1)
            said = await journal.owe(manifest({"a": "other"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"unchanged": 1}, 0)
        with desk.record() as record:
            current, replaced = lines(record)
            assert current == Line("a", 2, "current", False, "Stored")
            assert replaced == Line("a", 1, "replaced", False, "AttemptFailed")

    @pytest.mark.parametrize("kind", PATHS)
    async def test_a_renamed_job_is_the_same_job(self, desk: Desk, kind: str) -> None:
        """Number, life and money stay; only id and path are new."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS[kind])
            before = await journal.totals()
            said = await journal.owe(manifest({"b": "a"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"renamed": 1}, kind in {"Planned", "AttemptFailed"})
            assert (said.examples["renamed"][0].id, said.examples["renamed"][0].was) == ("b", "a")
            assert await journal.totals() == before
        with desk.record() as record:
            assert lines(record) == [Line("b", 1, "current", False, kind)]
            assert next(record.entries()).job.path == "b"

    async def test_equal_pictures_are_renamed_in_order(self, desk: Desk) -> None:
        """Of three gone and two new ones with one fingerprint, the first goes to the first; the third is gone."""
        async with desk.open() as journal:
            await journal.owe(manifest({"a": "x", "b": "x", "c": "x", "d": "y"}), "inputs")
            said = await journal.owe(manifest({"e": "x", "d": "y", "f": "x"}), "inputs")
            assert counted(said.counts) == {"renamed": 2, "unchanged": 1, "gone": 1}
            assert [(each.was, each.id) for each in said.examples["renamed"]] == [("a", "e"), ("b", "f")]
        with desk.record() as record:
            assert [(line.id, line.number, line.standing) for line in lines(record)] == [
                ("e", 1, "current"), ("d", 4, "current"), ("f", 2, "current"), ("c", 3, "gone"),
            ]  # fmt: skip

    async def test_equal_pictures_under_two_ids_are_two_jobs(self, desk: Desk) -> None:
        """Nothing is shared between jobs that the manifest names both."""
        async with desk.open() as journal:
            said = await journal.owe(manifest({"a": "x", "b": "x"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"new": 2}, 2)
            assert [each.job.id for each in await handed_out(journal)] == ["a", "b"]

    async def test_two_jobs_that_swap_their_pictures_are_changed(self, desk: Desk) -> None:
        """An id that stays is never a rename."""
        async with desk.open() as journal:
            await journal.owe(manifest({"a": "x", "b": "y"}), "inputs")
            said = await journal.owe(manifest({"a": "y", "b": "x"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"changed": 2}, 2)

    @pytest.mark.parametrize("kind", PATHS)
    async def test_a_gone_job_comes_back_as_it_was(self, desk: Desk, kind: str) -> None:
        """Leaving the manifest loses nothing; open money is carried on meanwhile, and nothing is bought."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS[kind])
            said = await journal.owe([], "inputs")
            assert (counted(said.counts), said.to_buy) == ({"gone": 1}, 0)
            assert sum((await journal.totals()).counts.values()) == 0
        async with desk.open() as journal:
            under_way = kind in {"Accepted", "Generated", "Started"}
            assert [each.standing for each in await handed_out(journal)] == ["gone"] * under_way
            said = await journal.owe(manifest({"a": "a"}), "inputs")
            assert (counted(said.counts), said.to_buy) == ({"unchanged": 1}, kind in {"Planned", "AttemptFailed"})
        with desk.record() as record:
            assert lines(record) == [Line("a", 1, "current", False, kind)]

    async def test_a_picture_that_moves_is_not_bought_again(self, desk: Desk) -> None:
        """A new path is kept for unchanged jobs, and makes the stored one misplaced until it is moved."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            paid = await walk(journal, job, *PATHS["Generated"])
            stored = Stored(1, "task-1", 39_000, (asset("a.png"),))
            await journal.append([paid.then(stored)])
            with desk.record() as record:
                assert lines(record, Selection(misplaced=True)) == []
            request = job.job.request
            said = await journal.owe([draft("a", request, "hero/a.v2")], "inputs")
            assert (counted(said.counts), said.to_buy) == ({"unchanged": 1}, 0)
            with desk.record() as record:
                assert [line.id for line in lines(record, Selection(misplaced=True))] == ["a"]
            for position, name in enumerate(["hero/a.v2~1.png", "hero/a.v2.png"], 5):
                await journal.append([Entry(1, position, replace(stored, assets=(asset(name),)))])
                with desk.record() as record:
                    assert lines(record, Selection(misplaced=True)) == []
                    assert len(lines(record, Selection(beside=True))) == ("~" in name)
            await journal.owe([draft("a", request, "hero/a")], "inputs")
            with desk.record() as record:
                assert [line.id for line in lines(record, Selection(misplaced=True))] == ["a"]

    async def test_the_order_is_the_manifests(self, desk: Desk) -> None:
        """Reordering rows buys nothing and changes what comes first."""
        async with desk.open() as journal:
            await owed(journal, "a", "b", "c")
            await journal.owe(manifest({"c": "c", "x": "x", "a": "a", "b": "b"}), "inputs")
            assert [each.job.id for each in await handed_out(journal)] == ["c", "x", "a", "b"]
        with desk.record() as record:
            assert [line.id for line in lines(record)] == ["c", "x", "a", "b"]

    async def test_the_input_row_and_axes_of_a_job_come_back(self, desk: Desk) -> None:
        """As the last expansion gave them, also for a job that is kept as it was bought, and cells in their order."""
        row = InputRow(2, "shoe", {"SKU": "007", "a b": "x\ny", "Title": ""})
        drafts = [replace(each, row=row, axes={"view": each.id}) for each in manifest({"a": "x", "b": "y"})]
        async with desk.open() as journal:
            await journal.owe([*drafts, *manifest({"c": "z"})], "inputs")
            [job, *_] = await handed_out(journal)
            await walk(journal, job, *PATHS["Stored"])
        with desk.record() as record:
            found = [(each.row, each.axes) for each in record.entries()]
            assert [(each.number, each.id, list(each.cells.items())) for each, _ in found[:2] if each] == [
                (2, "shoe", [("SKU", "007"), ("a b", "x\ny"), ("Title", "")])
            ] * 2
            assert [axes for _, axes in found] == [{"view": "a"}, {"view": "b"}, {}]
            assert found[2][0] is None
        other = InputRow(3, "shoe", {"SKU": "7"})
        async with desk.open() as journal:
            await journal.owe([replace(manifest({"a": "changed"})[0], row=other, axes={"view": "c"})], "inputs")
        with desk.record() as record:
            first, *gone = record.entries()
            assert first.changed
            assert first.row is not None
            assert (first.row.number, first.row.cells, first.axes) == (3, {"SKU": "7"}, {"view": "c"})
            assert [each.row.cells["SKU"] if each.row else None for each in gone] == ["007", None]

    async def test_two_drafts_of_one_id_are_refused_whole(self, desk: Desk) -> None:
        """Nothing of such an expansion is owed, and the journal goes on."""
        async with desk.open() as journal:
            await owed(journal, "a")
            twice = [*manifest({"b": "b"}), *manifest({"c": "c"}), *manifest({"b": "other"})]
            with pytest.raises(ValueError, match="same id"):
                await journal.owe(twice, "worse")
            assert [each.job.id for each in await handed_out(journal)] == ["a"]
            assert journal.identity.inputs == "inputs"

    async def test_an_expansion_that_breaks_off_owes_nothing(self, desk: Desk) -> None:
        """All or nothing, whatever the manifest raises halfway."""

        def broken() -> Iterable[Draft]:
            yield from manifest({"b": "b"})
            raise RuntimeError("row 2")

        async with desk.open() as journal:
            await owed(journal, "a")
            with pytest.raises(RuntimeError, match="row 2"):
                await journal.owe(broken(), "worse")
            assert [each.job.id for each in await handed_out(journal)] == ["a"]

    async def test_a_comparison_changes_nothing(self, desk: Desk) -> None:
        """It says what owing would do, before and after, word for word."""
        async with desk.open() as journal:
            for job in await owed(journal, *PATHS):
                await walk(journal, job, *PATHS[job.job.id])
            edited = {f"{name}2" if name == "Stored" else name: name for name in PATHS if name != "Accepted"}
            edited |= {"Planned": "other", "InDoubt": "other", "new": "new"}
            with desk.record() as record:
                before = lines(record), record.totals()
                foretold = record.compare(manifest(edited))
                assert (lines(record), record.totals()) == before
            assert await journal.owe(manifest(edited), "inputs") == foretold
            assert counted(foretold.counts) == {"new": 1, "changed": 2, "unchanged": 4, "renamed": 1, "gone": 1}
            assert foretold.to_buy == 3

    async def test_a_request_comes_back_without_signatures(self, desk: Desk) -> None:
        """References in order, with what opens a private one left out and said so; a moved file is found again."""
        private = "https://cdn.test/a.png?w=1&X-Amz-Signature=secret"
        file = FileReference("refs/a.png", "c" * 64, 10, "image/png")
        request = Request("gpt-image-2", "p", resolution="2K", references=(UrlReference(private), file), take=2)
        async with desk.open() as journal:
            await journal.owe([draft("a", request, "a")], "inputs")
            [job] = await handed_out(journal)
            assert job.job.request == replace(
                request, references=(UrlReference("https://cdn.test/a.png?w=1", signed=True), file)
            )
            moved = replace(request, references=(UrlReference(private), replace(file, path="new/a.png")))
            said = await journal.owe([draft("a", moved, "a")], "inputs")
            assert counted(said.counts) == {"unchanged": 1}
            [job] = await handed_out(journal)
            assert job.job.request.references[1] == replace(file, path="new/a.png")

    async def test_a_new_recipe_makes_no_picture_changed(self, desk: Desk) -> None:
        """A release that names the same request otherwise finds what was bought by the older recipe."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS["Stored"])
            newer = [replace(each, fingerprint="e" * 64, recipe=2) for each in manifest({"a": "a", "b": "b"})]
            said = await journal.owe(newer, "inputs")
            assert (counted(said.counts), said.to_buy) == ({"unchanged": 1, "new": 1}, 1)
            edited = [replace(each, fingerprint="d" * 64, recipe=2) for each in manifest({"a": "other"})]
            assert counted((await journal.owe(edited, "inputs")).counts) == {"changed": 1, "gone": 1}

    # -- what is done again

    @pytest.mark.parametrize(
        ("redo", "wanted"),
        [
            (Redo("failed", classes=frozenset({"refused", "transient"})), {"JobFailed"}),
            (Redo("rejected", classes=frozenset({"rejected"})), set()),
            (Redo("in_doubt", in_doubt=True), {"InDoubt", "Started"}),
            (Redo("S*", globs=("S*",)), {"Stored"}),
            (Redo("*", globs=("*",)), {"Stored", "JobFailed"}),
            (Redo("picks", picks={"Stored": 1}), {"Stored"}),
            (Redo("picks", picks={"Stored": 2, "JobFailed": 1}), set()),
            (Redo("*", decided=True, globs=("*",)), set()),
        ],
    )
    async def test_what_a_person_wants_again_is_planned_again(self, desk: Desk, redo: Redo, wanted: set[str]) -> None:
        """Exactly that, foretold by a comparison; it is handed out in the same run, and one attempt further."""
        async with desk.open() as journal:
            for job in await owed(journal, *PATHS):
                await walk(journal, job, *PATHS[job.job.id])
        drafts = manifest({name: name for name in PATHS})
        with desk.record() as record:
            foretold = record.compare(drafts, redo)
        async with desk.open() as journal:
            assert await journal.owe(drafts, "inputs", redo) == foretold
            assert (foretold.redone, foretold.to_buy) == (len(wanted), len(wanted) + 2)
            handed = {each.job.id: each for each in await handed_out(journal)}
            again = {name for name, each in handed.items() if isinstance(each.milestone, Planned)} - {"Planned"}
            assert again == wanted
            assert all(handed[name].milestone.attempt == 1 for name in wanted)
            for name in wanted:
                await walk(journal, handed[name], Started, Planned)
            assert not wanted & {each.job.id for each in await handed_out(journal)}
        with desk.record() as record:
            assert [run.redo for run in record.runs] == [redo.words, ""]

    async def test_what_is_on_its_way_is_done_again_by_nobody(self, desk: Desk) -> None:
        """A glob that names everything leaves alone what is paid or in doubt."""
        async with desk.open() as journal:
            for job in await owed(journal, *PATHS):
                await walk(journal, job, *PATHS[job.job.id])
        async with desk.open() as journal:
            await journal.owe(manifest({name: name for name in PATHS}), "inputs", Redo("*", globs=("*",)))
        with desk.record() as record:
            kinds = {line.id: line.kind for line in lines(record)}
        assert {name for name, kind in kinds.items() if kind == "Planned"} == {"Planned", "Stored", "JobFailed"}

    @pytest.mark.parametrize("kind", BOUGHT)
    async def test_changed_pictures_are_replaced_when_a_person_says_so(self, desk: Desk, kind: str) -> None:
        """The new request is a job of its own; the old one is carried to its end and kept; told once is enough."""
        redo = Redo("changed", changed=True)
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS[kind])
            assert (await journal.owe(manifest({"a": "b"}), "inputs")).to_buy == 0
            said = await journal.owe(manifest({"a": "b"}), "inputs", redo)
            assert (counted(said.counts), said.to_buy, said.redone) == ({"changed": 1}, 1, 1)
            assert (await journal.owe(manifest({"a": "b"}), "inputs", redo)).redone == 0
        with desk.record() as record:
            assert lines(record) == [Line("a", 2, "current", False, "Planned"), Line("a", 1, "replaced", False, kind)]
            assert next(record.entries()).job.request.prompt == "b"

    async def test_only_what_is_chosen_is_bought_or_done_again(self, desk: Desk) -> None:
        """The others are planned all the same; the choice sees id, state, row and axes."""
        row = InputRow(2, "r", {"vendor": "Acme"})
        drafts = [replace(each, row=row, axes={"view": each.id}) for each in manifest({"a": "a", "b": "b", "c": "c"})]
        seen: list[tuple[str, str, str, str]] = []

        def choice(job_id: str, state: State, row: InputRow | None, axes: Mapping[str, str]) -> bool:
            seen.append((job_id, state, row.cells["vendor"] if row else "", axes["view"]))
            return job_id != "a"

        async with desk.open() as journal:
            first = await journal.owe(drafts, "inputs", choice=choice)
            assert (counted(first.counts), first.to_buy, first.skipped) == ({"new": 3}, 2, 1)
            assert seen == [(name, "queued", "Acme", name) for name in "abc"]
            for job in await handed_out(journal):
                await walk(journal, job, *PATHS["Stored"])
        async with desk.open() as journal:
            said = await journal.owe(drafts, "inputs", Redo("*", globs=("*",)), choice)
            assert (said.to_buy, said.redone, said.skipped) == (2, 2, 1)
        assert {state for _, state, _, _ in seen[3:]} == {"stored"}

    async def test_a_life_is_told_from_its_beginning(self, desk: Desk) -> None:
        """Every milestone of a job with its place, run and time."""
        async with desk.open() as journal:
            _, job = await owed(journal, "a", "b")
            await walk(journal, job, Started, Accepted)
        with desk.record() as record:
            assert [(each.position, type(each.milestone).__name__, each.run) for each in record.life(2)] == [
                (0, "Planned", 1), (1, "Started", 1), (2, "Accepted", 1),
            ]  # fmt: skip
            assert [len(record.life(number)) for number in (1, 2)] == [1, 3]

    # -- what is handed out

    async def test_paid_work_comes_before_new_work(self, desk: Desk) -> None:
        """Generated, Accepted, Started, what the terms let go on, then what is to be bought in the manifest's order."""
        wanted = ["Generated", "Accepted", "Started", "InDoubt", "Planned", "AttemptFailed"]
        async with desk.open() as journal:
            for job in await owed(journal, *PATHS):
                await walk(journal, job, *PATHS[job.job.id])
        async with desk.open() as journal:
            assert [each.job.id for each in await handed_out(journal, RESEND)] == wanted
            assert [each.job.id for each in await handed_out(journal)] == [w for w in wanted if w != "InDoubt"]

    async def test_what_this_run_wrote_is_not_handed_out_again(self, desk: Desk) -> None:
        """A job that a worker of this run moved, forwards or back, is that worker's."""
        async with desk.open() as journal:
            for job in await owed(journal, *PATHS):
                await walk(journal, job, *PATHS[job.job.id])
            jobs = {each.job.id: each for each in await handed_out(journal, RESEND)}
            assert list(jobs) == ["Planned"]
            await walk(journal, jobs["Planned"], Started, Planned)
            assert await handed_out(journal, RESEND) == []

    async def test_no_job_is_handed_out_twice_while_workers_move_it(self, desk: Desk) -> None:
        """However its milestones change between two pages, in every rank."""
        ids = [str(number) for number in range(450)]
        kinds = list(PATHS)
        async with desk.open() as journal, anyio.create_task_group() as group:
            for index, job in enumerate(await owed(journal, *ids)):
                group.start_soon(walk, journal, job, *PATHS[kinds[index % len(kinds)]])
        async with desk.open() as journal:
            seen: Counter[str] = Counter()
            async for job in journal.unfinished(RESEND):
                seen[job.job.id] += 1
                match job.milestone:
                    case Generated() | InDoubt() | Started():
                        await walk(
                            journal, job, AttemptFailed if isinstance(job.milestone, Generated | Started) else Planned
                        )
                    case Accepted():
                        await walk(journal, job, Generated)
                    case _ if int(job.job.id) % 3:
                        await walk(journal, job, Started, Planned)
            assert set(seen.values()) == {1}
            assert len(seen) == sum(kinds[number % len(kinds)] not in {"Stored", "JobFailed"} for number in range(450))

    async def test_of_a_job_let_go_only_open_money_is_carried(self, desk: Desk) -> None:
        """Nothing is bought for it: a doubt whose token lives is cleared up, one to be sent anew is left alone."""
        async with desk.open() as journal:
            for job in await owed(journal, *PATHS):
                await walk(journal, job, *PATHS[job.job.id])
            await journal.owe([], "inputs")
        living = replace(RESEND, profile=Profile("replay"))
        async with desk.open() as journal:
            assert [each.job.id for each in await handed_out(journal, RESEND)] == ["Generated", "Accepted", "Started"]
            assert [each.job.id for each in await handed_out(journal, living)][-1] == "InDoubt"

    async def test_a_doubt_is_handed_out_while_its_token_lives(self, desk: Desk) -> None:
        """By the clock of the moment it is read."""
        terms = Terms(profile=Profile("reject", token_ttl_seconds=100))
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, Started, InDoubt, figures=Figures(since=desk.now))
        desk.now += 89
        async with desk.open() as journal:
            assert len(await handed_out(journal, terms)) == 1
            desk.now += 1
            assert await handed_out(journal, terms) == []

    # -- what readers see

    async def test_the_totals_follow_every_milestone(self, desk: Desk) -> None:
        """Jobs by the words for people, overall and by model; money to the micro-USD."""
        async with desk.open() as journal:
            drafts = manifest({name: name for name in PATHS})
            other = draft("other", Request("gpt-image-2", "x"), "other")
            await journal.owe([*drafts, other], "inputs")
            for job in await handed_out(journal):
                await walk(journal, job, *PATHS.get(job.job.id, ()))
            totals = await journal.totals()
            expected = {"queued": 3, "running": 3, "stored": 1, "failed": 1, "in_doubt": 1, "dropped": 0}
            assert totals.counts == expected
            assert totals.models == {
                "nano-banana-pro": {**expected, "queued": 2},
                "gpt-image-2": {**dict.fromkeys(expected, 0), "queued": 1},
            }
            assert totals.money == Money(
                reserved=80_000, spent=156_000, in_doubt=40_000, lost=78_000, committed=7 * 40_000
            )
        with desk.record() as record:
            assert record.totals() == totals

    async def test_failures_are_counted_by_cause(self, desk: Desk) -> None:
        """Current jobs that failed for good, by class and reason; not dropped ones, nor those that are gone."""
        ends = {"a": "refused", "b": "refused", "c": "rejected", "d": "dropped", "gone": "refused"}
        async with desk.open() as journal:
            await owed(journal, *ends, "stored")
            for job in await handed_out(journal):
                started = await walk(journal, job, Started)
                if job.job.id == "stored":
                    await walk(journal, started, Accepted, Generated, Stored)
                    continue
                failure = cast(FailureClass, ends[job.job.id])
                failed = await walk(journal, started, AttemptFailed, figures=Figures(failure="transient"))
                price = 40_000 if job.job.id == "b" else 0
                await journal.append([failed.then(JobFailed(1, failure, f"why {failure}", price))])
            await journal.owe(manifest({name: name for name in (*ends, "stored") if name != "gone"}), "inputs")
        with desk.record() as record:
            assert record.failures() == {("refused", "why refused"): 2, ("rejected", "why rejected"): 1}

    async def test_pictures_kept_are_counted_as_they_come_and_go(self, desk: Desk) -> None:
        """A changed job counts as kept from its picture on, until it is done again or edited back."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            job = await walk(journal, job, Started, Accepted)
            await journal.owe(manifest({"a": "other"}), "inputs")
            assert (await journal.totals()).kept == 0
            job = await walk(journal, job, Generated, Stored)
            assert (await journal.totals()).kept == 1
            await walk(journal, job, Planned)
            assert (await journal.totals()).kept == 0

    async def test_a_replaced_job_in_doubt_is_still_counted(self, desk: Desk) -> None:
        """Its payment is a person's business; a gone one and other replaced ones are not counted."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            await walk(journal, job, *PATHS["Planned"])
            await journal.owe(manifest({"a": "b"}), "inputs")
            [second] = await handed_out(journal)
            await walk(journal, second, Started, InDoubt)
            await journal.owe(manifest({}), "inputs")
            assert sum((await journal.totals()).counts.values()) == 0
            await journal.owe(manifest({"a": "a"}), "inputs")
            [first] = await handed_out(journal)
            await walk(journal, first, *PATHS["Stored"])
            await journal.owe(manifest({"a": "b"}), "inputs")
            await journal.owe(manifest({"a": "a"}), "inputs")
            counts = (await journal.totals()).counts
            assert {state: count for state, count in counts.items() if count} == {"stored": 1, "in_doubt": 1}

    async def test_a_selection_means_what_it_says(self, desk: Desk) -> None:
        """By state, standing, number and glob, alone and together."""
        async with desk.open() as journal:
            jobs = await owed(journal, "shoe/front", "shoe/back", "hat/front", "hat[1]")
            await walk(journal, jobs[0], *PATHS["Stored"])
            await walk(journal, jobs[1], Started, InDoubt, JobFailed, figures=Figures(failure="dropped"))
            await journal.owe([draft(job.job.id, job.job.request, job.job.path) for job in jobs[:3]], "inputs")
        with desk.record() as record:

            def ids(**selection: object) -> list[str]:
                return [line.id for line in lines(record, Selection(**selection))]  # type: ignore[arg-type]

            assert ids() == ["shoe/front", "shoe/back", "hat/front", "hat[1]"]
            assert ids(states=frozenset({"stored", "dropped"})) == ["shoe/front", "shoe/back"]
            assert ids(states=frozenset({"failed"})) == []
            assert ids(standings=frozenset({"gone"})) == ["hat[1]"]
            assert ids(globs=("*front",)) == ["shoe/front", "hat/front"]
            assert ids(globs=("hat/*", "shoe/b*")) == ["shoe/back", "hat/front"]
            assert ids(globs=("HAT*",)) == []
            assert ids(numbers=frozenset({2, 4})) == ["shoe/back", "hat[1]"]
            assert ids(numbers=frozenset(range(2, 2000)), globs=("*front",)) == ["hat/front"]
            assert ids(states=frozenset({"stored"}), numbers=frozenset({2})) == []

    async def test_a_selection_knows_model_axes_and_text(self, desk: Desk) -> None:
        """By model, by value of an axis, and by text in id or prompt whatever its capitals; `newest` knows the same."""
        drafts = [
            replace(draft("A1", Request("nano-banana-pro", "Grüße an 北京"), "a"), axes={"view": "front", 'a"b': "x"}),
            replace(draft("b2", Request("gpt-image-2", 'a "CAT" 100%\nof_it'), "b"), axes={"view": "back"}),
            replace(draft("c3", Request("gpt-image-2", "a dog"), "c"), axes={"view": "front"}),
        ]
        async with desk.open() as journal:
            await journal.owe(drafts, "inputs")
        with desk.record() as record:

            def ids(**selection: object) -> list[str]:
                chosen = Selection(**selection)  # type: ignore[arg-type]
                found = [line.id for line in lines(record, chosen)]
                assert sorted(each.job.id for each in record.newest(chosen, 9)) == found
                return found

            assert ids(models=frozenset({"gpt-image-2"})) == ["b2", "c3"]
            assert ids(axes={"view": "front"}) == ["A1", "c3"]
            assert ids(axes={"view": "front", 'a"b': "x"}) == ["A1"]
            assert ids(axes={"view": "fron"}) == ids(axes={"front": "view"}) == []
            assert ids(text="GRÜSSE") == ids(text="北京") == ids(text="a1") == ["A1"]
            assert ids(text='"cat"') == ids(text="100%\nOF_") == ["b2"]
            assert ids(text="a%") == ids(text="a_d") == []
            assert ids(text="a", models=frozenset({"gpt-image-2"}), axes={"view": "front"}) == ["c3"]
            assert record.axes() == {"view": ("front", "back"), 'a"b': ("x",)}

    async def test_the_newest_come_first_a_page_at_a_time(self, desk: Desk) -> None:
        """Pages by mark miss none and repeat none, both ways round; a job that goes on moves to the front at once."""
        async with desk.open() as journal:
            jobs = await owed(journal, "a", "b", "c", "d", "e")
            with desk.record() as record:

                def page(most: int, mark: Mark | None = None, **more: bool) -> list[Progress]:
                    return list(record.newest(Selection(standings=frozenset({"current"})), most, mark, **more))

                def ids(found: list[Progress]) -> str:
                    return "".join(each.job.id for each in found)

                assert ids(page(9)) == "edcba"
                desk.now += 5
                await walk(journal, jobs[1], *PATHS["Stored"])
                await walk(journal, jobs[3], Started)
                first = page(2)
                assert (ids(first), first[0].at) == ("db", desk.now)
                assert first[1].milestone == next(iter(record.entries(Selection(numbers=frozenset({2}))))).milestone
                second = page(2, first[-1].mark)
                assert ids(second) == "ec"
                assert ids(page(9, second[-1].mark)) == "a"
                assert ids(page(9, second[-1].mark, newer=True)) == "ebd"
                assert ids(page(1, first[0].mark, newer=True)) == ""
                await journal.owe(manifest({each: each for each in "acde"}), "inputs")
                assert ids(page(9)) == "deca"
                assert [each.job.id for each in record.newest(Selection(states=frozenset({"stored"})), 9)] == ["b"]
                assert [each.job.id for each in record.newest(Selection(standings=frozenset({"gone"})), 9)] == ["b"]
                await journal.owe(manifest({each: each for each in "abcde"}), "inputs")
                assert ids(page(9)) == "dbeca"

    async def test_a_reader_sees_each_commit_while_a_run_writes(self, desk: Desk) -> None:
        """Neither waits for the other."""
        async with desk.open() as journal:
            [job] = await owed(journal, "a")
            with desk.record() as record:
                assert record.totals().counts["queued"] == 1
                await walk(journal, job, Started)
                assert record.totals().counts["running"] == 1
                assert lines(record)[0].kind == "Started"

    # -- runs

    async def test_a_run_without_an_end_was_killed(self, desk: Desk) -> None:
        """Each run has a row; an end, if any, says how it ended and what there was."""
        async with desk.open() as journal:
            assert (journal.run, journal.killed_before) == (1, False)
            await owed(journal, "a")
            desk.now += 60
            await journal.end(75, "deadline")
        async with desk.open() as journal:
            assert (journal.run, journal.killed_before) == (2, False)
        async with desk.open() as journal:
            assert (journal.run, journal.killed_before) == (3, True)
            with desk.record() as record:
                assert record.live is True
        with desk.record() as record:
            assert record.live is False
            newest, killed, first = record.runs
            assert (newest.number, killed.ended, killed.exit_code) == (3, None, None)
            assert (first.ended, first.exit_code, first.reason) == (first.began + 60, 75, "deadline")
            assert first.counts["queued"] == 1
            assert first.verb

    async def test_one_run_at_a_time(self, desk: Desk) -> None:
        """A second one is turned away at once, and the first goes on."""
        async with desk.open() as journal:
            with pytest.raises(HeldElsewhere):
                async with desk.open():
                    pytest.fail("two runs hold one batch")
            await owed(journal, "a")
        async with desk.open() as journal:
            assert journal.run == 2

    async def test_another_batch_is_turned_away(self, desk: Desk) -> None:
        """A journal belongs to one name; its batch id is the first run's for ever."""
        async with desk.open():
            pass
        with pytest.raises(Foreign):
            async with desk.open(replace(ME, name="other")):
                pytest.fail("another batch's journal was opened")
        async with desk.open(replace(ME, batch_id="cd" * 16)) as journal:
            assert journal.identity.batch_id == ME.batch_id

    async def test_there_is_nothing_to_read_before_the_first_run(self, desk: Desk) -> None:
        """Reading never makes a journal."""
        for _ in range(2):
            with pytest.raises((Foreign, Damaged)), desk.record():
                pytest.fail("a journal appeared")
