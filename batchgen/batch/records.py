"""A batch's journal, opened for reading or for a run, wherever it is kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from batchgen.errors import SettingsError
from batchgen.journal import Identity, lock
from batchgen.journal.record import SqliteRecord
from batchgen.journal.telling import SqlRecord
from batchgen.location import Location

if TYPE_CHECKING:
    from batchgen.journal.writing import SqlJournal  # who only reads loads nothing of what writes


def open_record(location: Location) -> SqlRecord:
    """A batch's journal for reading."""
    if not location.database:
        return SqliteRecord(str(location.journal))
    from batchgen.journal.postgres.record import PostgresRecord  # noqa: PLC0415 - an extra
    from batchgen.journal.postgres.target import target  # noqa: PLC0415

    return PostgresRecord(target(location.database, location.folder.name))


@asynccontextmanager
async def open_journal(
    location: Location, identity: Identity | None, *, verb: str, also_known_as: frozenset[str] = frozenset()
) -> AsyncIterator["SqlJournal"]:
    """Take a batch, make or prove its journal and begin a run.

    Raises:
        HeldElsewhere, Foreign, Damaged, JournalError: as the journal's own.
        SettingsError: it is to be kept in a database now, and there is one in a file already.
        OSError: the folder cannot be made or written.
    """
    if not location.database:
        from batchgen.journal import sqlite  # noqa: PLC0415 - readers need none of it

        path = str(location.journal)
        async with sqlite.open_journal(path, identity, verb=verb, also_known_as=also_known_as) as journal:
            yield journal
        return
    from batchgen.journal.postgres import journal as postgres  # noqa: PLC0415 - an extra
    from batchgen.journal.postgres.target import target  # noqa: PLC0415

    refuse_both(location)
    around = postgres.Surroundings(str(location.hidden))
    reached = target(location.database, location.folder.name)
    async with postgres.open_journal(reached, identity, around, verb=verb, also_known_as=also_known_as) as kept:
        location.remember()
        yield kept


def require_free(location: Location) -> None:
    """Make sure that no run holds the batch now; takes nothing.

    Raises:
        HeldElsewhere: one has it; says who, within a second.
    """
    if not location.database:
        lock.require_free(str(location.journal.parent))


def refuse_both(location: Location) -> None:
    """Make sure that a batch with a journal in a database has none in a file, which would know of other payments.

    Raises:
        SettingsError: it has.
    """
    if location.journal.exists():
        raise SettingsError(
            f"this batch has a journal in the file {location.journal}, which knows what was paid for; take `journal:`"
            " out of the manifest to go on with it, or give a new batch another name"
        )
