"""What the pictures of earlier runs tell the next one about how long a task takes."""

import itertools

from batchgen.api.durations import KEPT
from batchgen.batch.records import open_record
from batchgen.journal import Record, Selection
from batchgen.lifecycle import Accepted
from batchgen.location import Location

_STORED = Selection(states=frozenset({"stored"}))


def known_durations(location: Location) -> dict[str, list[float]]:
    """What the journal of a batch tells, as `durations`; blocks."""
    with open_record(location) as record:
        return durations(record)


def durations(record: Record) -> dict[str, list[float]]:
    """Seconds from a task's acceptance to its picture, by model; of some pictures, and with their downloads."""
    seconds: dict[str, list[float]] = {}
    for each in itertools.islice(record.entries(_STORED), KEPT):
        life = record.life(each.job.number)
        accepted = [written.at for written in life if isinstance(written.milestone, Accepted)]
        if accepted:
            seconds.setdefault(each.job.request.model, []).append(max(life[-1].at - accepted[-1], 0.0))
    return seconds
