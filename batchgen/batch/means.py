"""What a run goes through to the outside; a rehearsal of crashes hands in its own, everybody else the real thing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from batchgen.api import Provider
from batchgen.api.cadence import Cadence
from batchgen.journal.writing import SqlJournal
from batchgen.store import Store
from batchgen.store.disk import Disk, RealDisk

Same = TypeVar("Same")


def _itself(given: Same) -> Same:
    return given


@dataclass(frozen=True, slots=True)
class Means:
    """The disk, and what may stand around journal, store and provider; `cadence` None is the provider's own."""

    disk: Disk = field(default_factory=RealDisk)
    cadence: Cadence | None = None
    journal: Callable[[SqlJournal], SqlJournal] = _itself
    store: Callable[[Store], Store] = _itself
    provider: Callable[[Provider], Provider] = _itself
