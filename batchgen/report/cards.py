"""One job as people see it: the facts that a row, a card in the gallery and a page about it are made from."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from batchgen.errors import FailureClass
from batchgen.job import Asset, FileReference, InputRow, Reference, effective
from batchgen.journal import Place, Progress, State, Written, state_of
from batchgen.lifecycle import (
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

_SHOWN: Final = ("aspect_ratio", "resolution", "output_format", "channel_id")


@dataclass(frozen=True, slots=True)
class Times:
    """When the newest attempt was sent and when its picture was there, in unix seconds; None while it is not.

    A job's wait for a person or for the next run is in neither.
    """

    sent: float | None = None
    ready: float | None = None

    @property
    def seconds(self) -> float | None:
        """From sending to picture, None before there is one."""
        return None if self.sent is None or self.ready is None else max(0.0, self.ready - self.sent)


@dataclass(frozen=True, slots=True)
class Card:
    """A job with all that is known of it, but for its life step by step.

    `settings` are the fields that are sent besides model and prompt, with defaults; `price_micro_usd` is what the open
    attempt may cost and `cost_micro_usd` what was billed, None when unknown. `reason` is why it failed or is in doubt,
    as told from outside; `next_step` what will happen to it, or which command decides. `at` is the time of the newest
    milestone, `run` the run that wrote it.
    """

    id: str
    number: int
    state: State
    standing: Place
    changed: bool
    model: str
    prompt: str
    settings: Mapping[str, str]
    take: int
    axes: Mapping[str, str]
    row: InputRow | None
    references: tuple[Reference, ...]
    files: tuple[Asset, ...]
    attempts: int
    task_id: str | None
    price_micro_usd: int | None
    cost_micro_usd: int | None
    failure: FailureClass | None
    reason: str | None
    next_step: str
    run: int
    at: float
    times: Times = field(default_factory=Times)


def card(progress: Progress, life: Sequence[Written] = ()) -> Card:
    """A job as people see it; its times are told only with its life."""
    milestone, request = progress.milestone, progress.job.request
    sent = effective(request, progress.job.recipe)
    failure, reason = why(milestone)
    return Card(
        id=progress.job.id,
        number=progress.job.number,
        state=state_of(milestone),
        standing=progress.standing,
        changed=progress.changed,
        model=request.model,
        prompt=request.prompt,
        settings={name: str(sent[name]) for name in _SHOWN if name in sent},
        take=request.take,
        axes=progress.axes,
        row=progress.row,
        references=request.references,
        files=milestone.assets if isinstance(milestone, Stored) else (),
        attempts=milestone.attempt,
        task_id=getattr(milestone, "task_id", None),
        price_micro_usd=getattr(milestone, "price_micro_usd", None),
        cost_micro_usd=cost(milestone),
        failure=failure,
        reason=reason,
        next_step=next_step(progress),
        run=progress.run,
        at=progress.at,
        times=times(life),
    )


def why(milestone: Milestone) -> tuple[FailureClass | None, str | None]:
    """Class and reason of a failure; of a payment in doubt how far the request got."""
    match milestone:
        case JobFailed(failure=failure, reason=reason) | AttemptFailed(failure=failure, reason=reason):
            return failure, reason
        case InDoubt(reach=reach):
            return None, reach
        case _:
            return None, None


def cost(milestone: Milestone) -> int | None:
    """What the provider billed for the newest attempt, in micro-USD; None when it did not say, or not yet."""
    match milestone:
        case Stored(cost_micro_usd=known) | Generated(cost_micro_usd=known) | AttemptFailed(cost_micro_usd=known):
            return known
        case _:
            return None


def times(life: Sequence[Written]) -> Times:
    """When the newest attempt of a life was sent and its picture there."""
    sent: float | None = None
    ready: float | None = None
    attempt = 0
    for each in life:
        match each.milestone:
            case Started(attempt=number):
                if number != attempt:
                    sent, ready, attempt = each.at, None, number
            case Stored(attempt=number) if ready is None or number != attempt:
                ready = each.at
            case Planned():
                ready = None
    return Times(sent, ready)


def next_step(progress: Progress) -> str:
    """What will happen to a job next, or which command decides it."""
    match progress.milestone:
        case Planned(attempt=0):
            return "waits to be sent: `batchgen run` buys it"
        case Planned() | AttemptFailed(failure="transient"):
            return "will be attempted again by `batchgen run`"
        case Started():
            return "being sent, or cut off while it was; the next run finds out what it can"
        case InDoubt():
            return "may have been paid: `batchgen resolve` decides, unless its token can still be asked"
        case Accepted() | Generated():
            return "paid; the next run fetches it"
        case Stored():
            return "done"
        case JobFailed(failure="dropped"):
            return "dropped by a person, until its request changes"
        case JobFailed() | AttemptFailed():
            return "failed for good; `run --redo failed` tries again"


def remedy(state: State, failure: FailureClass | None) -> tuple[str, ...]:
    """The words of the command that goes on with jobs of one state, without the batch; empty when nothing is left."""
    match state, failure:
        case "failed", str(each):
            return ("run", "--redo", each)
        case "in_doubt", _:
            return ("resolve",)
        case "queued" | "running", _:
            return ("run",)
        case _:
            return ()


def redo(job_id: str) -> tuple[str, ...]:
    """The words of the command that does one job again, whatever signs its id has."""
    return ("run", "--redo", glob.escape(job_id))


def reference_name(reference: Reference) -> str:
    """A reference for people: its path, or its address without the query, which may be a key."""
    return reference.path if isinstance(reference, FileReference) else reference.url.partition("?")[0]
