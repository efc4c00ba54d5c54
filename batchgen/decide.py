"""What a person decides about payments in doubt, written down as milestones; buys nothing by itself."""

import getpass
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from batchgen.api.answers import Sold
from batchgen.errors import SettingsError
from batchgen.job import effective
from batchgen.journal import Entry, Journal, Progress, Record, Selection
from batchgen.lifecycle import (
    Accepted,
    AttemptFailed,
    Generated,
    InDoubt,
    JobFailed,
    Milestone,
    Planned,
    advance,
    inherit,
)

WAITING = Selection(states=frozenset({"in_doubt", "running"}))
"""Where payments in doubt are found: a Started that a killed run left behind still looks like running."""

ENDABLE = Selection(states=frozenset({"in_doubt", "running", "failed"}))


@dataclass(frozen=True, slots=True)
class Resend:
    """Buy it again; the old payment stays in doubt for ever."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Never mind; `not_billed` says that the provider did not charge for it."""

    not_billed: bool = False


@dataclass(frozen=True, slots=True)
class Paid:
    """It was paid, and this is its task."""

    task_id: str


Decision: TypeAlias = Resend | Drop | Paid


def doubtful(record: Record) -> list[Progress]:
    """The jobs whose submit may have been paid, with what is known of it; a Started found is shown as InDoubt."""
    return [replace(each, milestone=inherit(each.milestone)) for each in _in_doubt(record)]


def eligible(record: Record, decision: Decision, *, by_name: bool) -> list[Progress]:
    """The jobs that a decision can be about; a failed or waiting one is dropped only when it is named."""
    if isinstance(decision, Drop) and by_name:
        return list(record.entries(ENDABLE))
    return list(_in_doubt(record))


def _in_doubt(record: Record) -> Iterator[Progress]:
    return (each for each in record.entries(WAITING) if isinstance(inherit(each.milestone), InDoubt))


def meant(jobs: Iterable[Progress], names: Sequence[str]) -> list[Progress]:
    """The jobs that these ids or globs name, a replaced one as `ID@NUMBER`.

    Raises:
        SettingsError: a name matches none of them.
    """
    jobs = list(jobs)
    chosen: dict[int, Progress] = {}
    for name in names:
        hits = [each for each in jobs if name == address(each) or fnmatchcase(each.job.id, name)]
        if not hits:
            raise SettingsError(f"nothing to decide is named {name}; `batchgen resolve` lists what is")
        chosen |= {each.job.number: each for each in hits}
    return list(chosen.values())


def address(progress: Progress) -> str:
    """The name by which a person addresses this job: its id, or `ID@NUMBER` when it was replaced."""
    current = progress.standing == "current"
    return progress.job.id if current else f"{progress.job.id}@{progress.job.number}"


def check_paid(record: Record, progress: Progress, task_id: str, sold: Sold) -> None:
    """Make sure that a task is what this job bought, before it is taken for paid.

    Raises:
        SettingsError: it belongs to another job of the batch, or was asked for something else.
    """
    for each in record.entries():
        if each.job.number != progress.job.number and getattr(each.milestone, "task_id", None) == task_id:
            raise SettingsError(f"task {task_id} is the one of {address(each)}; nothing was decided")
    if not sold.is_for(effective(progress.job.request, progress.job.recipe)):
        raise SettingsError(f"task {task_id} was asked for something else than {address(progress)} asks for")


async def decide(journal: Journal, jobs: Iterable[Progress], decision: Decision) -> list[Progress]:
    """Write one decision for each of these jobs and return them as they stand now; all or none of a job's milestones.

    Raises:
        SettingsError: the decision does not fit what a job has reached.
    """
    return [await _decide(journal, each, decision) for each in jobs]


async def _decide(journal: Journal, progress: Progress, decision: Decision) -> Progress:
    entries: list[Entry] = []
    found = inherit(progress.milestone)
    begun = () if found is progress.milestone else (found,)
    for milestone in (*begun, *_decided(replace(progress, milestone=found), decision)):
        entries.append(progress.then(advance(progress.milestone, milestone)))
        progress = replace(progress, position=progress.position + 1, milestone=milestone)
    await journal.append(tuple(entries))
    return progress


def _decided(progress: Progress, decision: Decision) -> tuple[Milestone, ...]:
    match decision, progress.milestone:
        case Resend(), InDoubt(attempt=attempt):
            return (Planned(attempt),)
        case Paid(task_id=task_id), InDoubt(attempt=attempt, price_micro_usd=price):
            return (Accepted(attempt, task_id, price),)
        case Drop(), Generated(attempt=attempt, cost_micro_usd=cost):
            reason = f"dropped by {_who()}"
            return AttemptFailed(attempt, "dropped", reason, cost), JobFailed(attempt, "dropped", reason)
        case Drop(not_billed=free), (
            InDoubt(attempt=attempt, price_micro_usd=price)
            | Accepted(attempt=attempt, price_micro_usd=price)
            | JobFailed(attempt=attempt, in_doubt_micro_usd=price)
        ):
            return (JobFailed(attempt, "dropped", f"dropped by {_who()}", 0 if free else price),)
        case _:
            verb = type(decision).__name__.lower()
            raise SettingsError(f"{address(progress)} is not in doubt; there is nothing to decide with --{verb}")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "a person"
