"""One run: what it was asked, what it writes and reads, who watches, and why it ends."""

from dataclasses import dataclass

from batchgen.batch.asked import Asked, Observer, RunOptions
from batchgen.halt import Halt
from batchgen.journal import Record
from batchgen.journal.writing import SqlJournal


@dataclass(frozen=True, slots=True)
class Command:
    """One run, for everybody who has a part in it."""

    asked: Asked
    journal: SqlJournal
    record: Record
    options: RunOptions
    observer: Observer
    halt: Halt
