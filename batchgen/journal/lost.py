"""What a job is when nobody knows what became of it: in doubt, never planned; pure."""

from typing import Final, TypeAlias

from batchgen.job import token
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, InDoubt, Milestone, Planned, Started

_WAY: Final = {"Started": 0, "InDoubt": 0, "Accepted": 1, "Generated": 2, "Stored": 3}
"""How far the way of one attempt goes, by kind."""

_REACH: Final = "its record was damaged"

Name: TypeAlias = tuple[str, int, str]
"""Batch id, number and fingerprint: what a token is made from."""


PUT_BACK: Final = "an old copy of the journal was put back"
"""How far a request got that such a copy has forgotten: nobody knows."""


def may_have_been_sent(reached: Milestone, name: Name, reach: str, since: float) -> InDoubt | None:
    """The doubt about the next attempt of a job that waited to be sent; None when it did not wait.

    `since` is the earliest time at which its token may have been sent, so that it is not trusted for too long.
    """
    match reached:
        case Planned(attempt=attempt) | AttemptFailed(attempt=attempt, failure="transient"):
            batch_id, number, fingerprint = name
            key = token(batch_id, number, attempt + 1, fingerprint)
            return InDoubt(attempt + 1, key, None, since, reach)
        case _:
            return None


def after_a_loss(reached: Milestone | None, lost: int, kind: str, name: Name) -> list[Milestone]:
    """What to add to a life whose `lost` last milestones cannot be read; `kind` is what the newest was said to be.

    If so many were lost that another attempt may have followed, that one is in doubt too. A task that is known is asked
    again, which is free.
    """
    before = type(reached).__name__
    straight = lost == 1 or lost == _WAY.get(kind, 0) - _WAY.get(before, 0)
    match reached:
        case None:
            return [Planned(0), *_doubt(Planned(0), name)]
        case Planned() | AttemptFailed():
            return _doubt(reached, name)
        case Started(attempt=attempt):
            doubt = InDoubt(attempt, reached.token, reached.price_micro_usd, reached.since, _REACH)
            return [doubt] if straight else [doubt, Planned(attempt), *_doubt(Planned(attempt), name)]
        case InDoubt(attempt=attempt) if not straight:
            return [Planned(attempt), *_doubt(Planned(attempt), name)]
        case Accepted(attempt=attempt) | Generated(attempt=attempt) if not straight:
            failed = AttemptFailed(attempt, "transient", _REACH, None)
            return [failed, *_doubt(failed, name)]
        case _:
            return []


def _doubt(reached: Milestone, name: Name) -> list[Milestone]:
    doubt = may_have_been_sent(reached, name, _REACH, since=0.0)
    return [] if doubt is None else [doubt]
