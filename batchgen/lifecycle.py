"""The life of a job: which milestone may follow which, and what the newest one calls for.

Two rules. Everything that decides a job's next state lives here, and nothing here reads a clock, a file or a
socket. The table below and the diagram in docs/life-of-a-job.md prove each other in tests/test_house.py.

A job's life is an append-only list of milestones; the newest one is its state, because it carries enough to go
on from. Prices and costs are in micro-USD; None means unknown, which reserves nothing and is counted as unpriced.
Times are unix seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from batchgen.errors import FailureClass
from batchgen.job import Asset
from batchgen.terms import TOKEN_LIFE, Hold, Profile, Resend, Terms


@dataclass(frozen=True, slots=True)
class Planned:
    """Owed, nothing sent; `attempt` is the last number used up, 0 at first."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Started:
    """This process is about to send; `since` is when this token was first sent."""

    attempt: int
    token: str
    price_micro_usd: int | None
    since: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """Paid, at the provider. A sync answer has no task but `urls`, kept without their query."""

    attempt: int
    task_id: str | None
    price_micro_usd: int | None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generated:
    """The picture exists at the provider and is to be fetched."""

    attempt: int
    task_id: str | None
    cost_micro_usd: int | None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """The picture is here, durable, under its final name."""

    attempt: int
    task_id: str | None
    cost_micro_usd: int | None
    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The payment may have happened. `reach` is how far the request got; `known_paid` that the provider says so."""

    attempt: int
    token: str
    price_micro_usd: int | None
    since: float
    reach: str
    known_paid: bool = False


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The attempt is over and gave no picture; `cost_micro_usd` is what it cost all the same."""

    attempt: int
    failure: FailureClass
    reason: str
    cost_micro_usd: int | None


@dataclass(frozen=True, slots=True)
class JobFailed:
    """No further attempt without a person; `in_doubt_micro_usd` is the price left in doubt, 0 when none."""

    attempt: int
    failure: FailureClass
    reason: str
    in_doubt_micro_usd: int | None = 0


Milestone: TypeAlias = Planned | Started | Accepted | Generated | Stored | InDoubt | AttemptFailed | JobFailed

FOLLOWS: Final[Mapping[type[Milestone], Mapping[type[Milestone], str]]] = {
    Planned: {Started: "next", InDoubt: "next"},
    Started: {Accepted: "same", InDoubt: "same", Planned: "back", AttemptFailed: "same"},
    InDoubt: {Accepted: "same", Started: "same", Planned: "same", JobFailed: "same"},
    Accepted: {Generated: "same", AttemptFailed: "same", JobFailed: "same"},
    Generated: {Stored: "same", AttemptFailed: "same"},
    AttemptFailed: {Started: "next", JobFailed: "same", InDoubt: "next"},
    JobFailed: {Planned: "same", JobFailed: "same"},
    Stored: {Planned: "same", Stored: "same", Generated: "same"},
}
"""What may follow what, and how the attempt number moves along that arrow."""

_MOVES: Final = {"same": 0, "next": 1, "back": -1}


class IllegalMilestone(RuntimeError):
    """A milestone was about to be recorded out of order; this is a bug, and nothing was recorded."""


def advance(reached: Milestone, milestone: Milestone) -> Milestone:
    """Return `milestone` if it may follow `reached`.

    Raises:
        IllegalMilestone: no such arrow, a wrong attempt number, or a token that changed within its attempt.
    """
    move = FOLLOWS[type(reached)].get(type(milestone))
    if move is None or milestone.attempt != reached.attempt + _MOVES[move]:
        raise IllegalMilestone(f"{_name(reached)} cannot be followed by {_name(milestone)}")
    if isinstance(reached, InDoubt | Started) and isinstance(milestone, InDoubt | Started):
        kept = (milestone.token, milestone.since, milestone.price_micro_usd)
        if kept != (reached.token, reached.since, reached.price_micro_usd):
            raise IllegalMilestone(f"{_name(milestone)} does not keep token, since and price of {_name(reached)}")
    if isinstance(reached, JobFailed) and isinstance(milestone, JobFailed) and milestone.failure != "dropped":
        raise IllegalMilestone(f"{_name(reached)} can only be dropped")
    return milestone


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a new attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class StartAgain:
    """Send the same attempt again under the same living token; nothing new is reserved."""

    doubt: InDoubt


@dataclass(frozen=True, slots=True)
class Submit:
    """Send the POST that Started announced."""

    started: Started


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Leave the old payment in doubt for ever and plan a new attempt, within the sum allowed for it."""

    doubt: InDoubt
    up_to_micro_usd: int


@dataclass(frozen=True, slots=True)
class Await:
    """Ask for the task until it is done."""

    accepted: Accepted


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring the picture home."""

    generated: Generated


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No attempt is left, or this failure is not attempted again."""

    failed: AttemptFailed


@dataclass(frozen=True, slots=True)
class Wait:
    """In doubt, and only a person may decide."""

    doubt: InDoubt


Step: TypeAlias = Start | StartAgain | Submit | SendAgain | Await | Fetch | GiveUp | Wait


def next_step(reached: Milestone, terms: Terms, now: float) -> Step | None:
    """What the newest milestone calls for; None when the job's life is over."""
    match reached:
        case Planned(attempt=attempt):
            return Start(attempt + 1)
        case Started():
            return Submit(reached)
        case InDoubt():
            return _resolve(reached, terms, now)
        case Accepted():
            return Await(reached)
        case Generated():
            return Fetch(reached)
        case AttemptFailed(attempt=attempt, failure="transient") if attempt < terms.failures.attempts:
            return Start(attempt + 1)
        case AttemptFailed():
            return GiveUp(reached)
        case Stored() | JobFailed():
            return None
        case _:
            assert_never(reached)


def inherit(reached: Milestone) -> Milestone:
    """What a milestone found in the journal really is: nobody saw how far a Started without an outcome got."""
    if isinstance(reached, Started):
        return InDoubt(
            reached.attempt, reached.token, reached.price_micro_usd, reached.since, reach="interrupted before an answer"
        )
    return reached


def token_lives(doubt: InDoubt, profile: Profile, now: float) -> bool:
    """Whether the provider still knows this token, so that sending it again cannot pay twice."""
    if profile.idempotency == "none" or doubt.known_paid:
        return False
    if profile.token_ttl_seconds is None:
        return profile.idempotency == "replay"
    return doubt.since <= now < doubt.since + TOKEN_LIFE * profile.token_ttl_seconds


def _resolve(doubt: InDoubt, terms: Terms, now: float) -> Step:
    if token_lives(doubt, terms.profile, now):
        return StartAgain(doubt)
    priced = doubt.price_micro_usd is not None  # what a sum cannot count it cannot bound
    match terms.failures.in_doubt:
        case Resend(limit) if doubt.attempt < terms.failures.attempts and priced and not doubt.known_paid:
            return SendAgain(doubt, limit)
        case Hold() | Resend():
            return Wait(doubt)


def _name(milestone: Milestone) -> str:
    return f"{type(milestone).__name__}({milestone.attempt})"
