"""The journal in a SQLite file: one run writes it under a lock, the disk has every milestone before it is believed."""

import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio
import apsw

from batchgen.journal import (
    Identity,
    lock,
    opening,
    running,
    unrecorded,
)
from batchgen.journal.database import Connection
from batchgen.journal.filesystem import require_locks
from batchgen.journal.proof import prove
from batchgen.journal.reading import reading
from batchgen.journal.recording import Recorder
from batchgen.journal.schema import Machine, connect_to_read, read_identity
from batchgen.journal.transactions import SqliteTransactions
from batchgen.journal.writing import Begun, SqlJournal

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Opened:
    path: str
    lock: int
    writer: apsw.Connection
    reader: apsw.Connection
    begun: Begun
    files: tuple[tuple[int, int] | None, ...]


@asynccontextmanager
async def open_journal(
    path: str,
    identity: Identity | None,
    *,
    verb: str,
    also_known_as: frozenset[str] = frozenset(),
    machine: Machine | None = None,
) -> AsyncIterator["SqliteJournal"]:
    """Take the batch's lock, make or prove its journal and begin a run; without an `end` the run was killed.

    `identity` is whose journal it must be; a new one is made with its batch id, an old one keeps its own. None takes
    a journal as it is. `also_known_as` are other names of the provider.

    Raises:
        HeldElsewhere: another run has it.
        Foreign: of another batch or provider, a newer format, or an older copy of itself.
        Damaged: something in it is not as it was written; nothing was changed.
        OSError: the folder cannot be made or written.
    """
    machine = machine or Machine()
    prove = partial(opening.opened, identity=identity, also_known_as=also_known_as, machine=machine)
    journal = SqliteJournal(await anyio.to_thread.run_sync(partial(_open, path, prove, machine, verb)))
    try:
        yield journal
    finally:
        await journal.close()


class SqliteJournal(SqlJournal):
    """A Journal over a file, from `open_journal`."""

    def __init__(self, opened: _Opened) -> None:
        self._opened = opened
        writer = opened.writer
        super().__init__(opened.begun, SqliteTransactions(writer), Recorder(partial(writer.pragma, "data_version")))

    def _looked_up(self, read: Callable[[Connection], Result]) -> Result:
        with reading(self._opened.path):
            return read(self._opened.reader)

    def _prove(self, connection: Connection) -> None:
        assert connection is self._opened.writer
        prove(self._opened.writer, self._opened.path)

    def _let_go(self) -> None:
        self._opened.reader.close()

    def _free(self) -> None:
        os.close(self._opened.lock)

    def _lost(self) -> str:
        # SQLite goes on writing to files that nobody can find any more, and says that all is well.
        if running.files(self._opened.path) == self._opened.files:
            return ""
        return f"{self._opened.path} was removed or replaced while this run wrote it; put it back and run again."


def _open(path: str, prove: Callable[[str], opening.Opened], machine: Machine, verb: str) -> _Opened:
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if machine.network(folder):
        require_locks(folder)
    with ExitStack() as undo:
        held = lock.take(folder, machine.clock())
        undo.callback(os.close, held)
        unrecorded.keep_room(folder)
        found = prove(path)
        undo.callback(found.connection.close)
        with reading(path):
            run, killed = running.begin(found.connection, verb, machine.clock())
            identity = read_identity(found.connection, path)
            brought = running.bring_in(found.connection, folder, identity, float(machine.clock()))
            reader = connect_to_read(path, machine)
        undo.pop_all()
    begun = Begun(identity, run, killed, found.milestones + brought, found.proven, folder, machine.clock)
    return _Opened(path, held, found.connection, reader, begun, running.files(path))
