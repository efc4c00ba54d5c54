"""One job from its prompt to its picture, with its neighbours in what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from batchgen.batch.explaining import lives
from batchgen.journal import Record, Selection, Written
from batchgen.report.cards import Card, card
from batchgen.view.asked import Asked


@dataclass(frozen=True, slots=True)
class Step:
    """A milestone as it is told: what it is called, what it says, and how long after the one before it came."""

    written: Written
    name: str
    told: str
    after_seconds: float | None


@dataclass(frozen=True, slots=True)
class Life:
    """A job with all its milestones; `older` and `newer` are the numbers of its neighbours on the wall."""

    card: Card
    steps: Sequence[Step]
    older: int | None
    newer: int | None


def life_of(record: Record, number: int, asked: Asked) -> Life | None:
    """All of one job, None when there is no such job."""
    found = next(iter(record.entries(Selection(numbers=frozenset({number})))), None)
    if found is None:
        return None
    chosen, life = asked.selection(), record.life(number)
    older, newer = (record.newest(chosen, 1, found.mark, newer=way) for way in (False, True))
    return Life(
        card(found, life),
        tuple(_steps(life)),
        older[0].job.number if older else None,
        newer[0].job.number if newer else None,
    )


def _steps(life: Sequence[Written]) -> list[Step]:
    steps: list[Step] = []
    for written, told in lives(life):
        after = written.at - steps[-1].written.at if steps else None
        steps.append(Step(written, type(written.milestone).__name__, told, after))
    return steps
