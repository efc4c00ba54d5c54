"""One thread that writes, and group commit: what arrives while a commit is being made goes into the next.

Notes are taken one by one and written together before the commit; any other piece of work is a savepoint of its own.
So one refusal does not touch its neighbours. A commit that fails fails all of them, and nothing is written after it:
what the disk holds then is for the next run to read.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import anyio

from batchgen.errors import JournalError
from batchgen.journal.database import Connection
from batchgen.journal.transactions import Transactions
from batchgen.promised import Promised

Result = TypeVar("Result")
Work: TypeAlias = Callable[[Any], Result]

_MOST: Final = 512
"""Pieces of work in one commit; the others wait for the next."""

_LINGER_SECONDS: Final = 0.02
"""How long the first waits for company: nothing beside the seconds that a picture takes, and far fewer syncs."""


@dataclass(slots=True, eq=False)
class _Piece:
    work: Work[Any]
    over: Promised[Any]
    is_note: bool
    patient: bool
    value: Any = None
    error: Exception | None = None


class Notes(Protocol):
    """Where notes are kept between the beginning of a transaction and its end."""

    def begin(self, connection: Connection) -> None:
        """A transaction has begun."""
        ...

    def settle(self, connection: Connection) -> None:
        """Write what was noted: the transaction ends, or work comes that is to see it."""
        ...

    def forget(self) -> None:
        """Work went by that may have changed anything."""
        ...


class NoNotes:
    """None are taken."""

    def begin(self, connection: Connection) -> None:
        """Nothing."""

    def settle(self, connection: Connection) -> None:
        """Nothing."""

    def forget(self) -> None:
        """Nothing."""


@dataclass(slots=True, eq=False)
class Commits:
    """The writer's thread with its database; `after_commit` is called in it once others have their results.

    `lost` is asked after every commit, before anybody hears of it: a reason why nobody will ever find it, or nothing.
    """

    transactions: Transactions
    after_commit: Callable[[], None]
    lost: Callable[[], str] = lambda: ""
    notes: Notes = field(default_factory=NoNotes)
    _lingering: list[_Piece] = field(default_factory=list)
    _queue: "queue.SimpleQueue[list[_Piece] | None]" = field(default_factory=queue.SimpleQueue)
    _broken: JournalError | None = None
    _closed: bool = False
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
        self._thread.start()

    async def do(self, work: Work[Result]) -> Result:
        """Do a piece of work in a transaction, after what was noted before it.

        It is durable on return, which a cancellation does not hasten.

        Raises:
            JournalError: the commit failed, or an earlier one had, or the journal is closed.
            Exception: whatever the work raises; then nothing of it was recorded.
        """
        return await self._given(work, is_note=False, patient=False)

    async def do_patiently(self, work: Work[Result]) -> Result:
        """The same for work that can be done again when the database goes away in it, and comes back."""
        return await self._given(work, is_note=False, patient=True)

    async def note(self, work: Work[Result]) -> Result:
        """Let a piece of work leave its notes; written and durable on return, otherwise as `do`.

        It may read, and refuses before it notes anything.
        """
        return await self._given(work, is_note=True, patient=True)

    async def _given(self, work: Work[Result], *, is_note: bool, patient: bool) -> Result:
        if self._closed:
            raise JournalError("The journal is closed; this run has ended.")
        if not self._lingering:
            self._loop.call_later(_LINGER_SECONDS, self._hand_over)
        over: Promised[Result] = Promised(self._loop)
        self._lingering.append(_Piece(work, over, is_note, patient))
        return await over.wait()

    def _hand_over(self) -> None:
        """Give the thread what has gathered, and wake it once for all of it."""
        if self._lingering:
            self._queue.put(self._lingering)
            self._lingering = []

    @property
    def broken(self) -> bool:
        """Whether nothing more is written."""
        return self._broken is not None

    def _refuse(self, reason: JournalError) -> None:
        self._broken = reason
        self.transactions.roll_back()

    async def close(self) -> None:
        """End the thread after what it has been given, and close the connection."""
        self._closed = True
        self._hand_over()
        self._queue.put(None)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)
            await anyio.to_thread.run_sync(self.transactions.close)

    def _serve(self) -> None:
        pieces = self._gather()
        while pieces is not None:
            self._commit(pieces)
            with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody left to tell
                self._loop.call_soon_threadsafe(_deliver, pieces)
            if self._broken is None:
                self.after_commit()
            pieces = self._gather()

    def _gather(self) -> list[_Piece] | None:
        """Wait for work, and take all there is; nothing when it is time for a beat, None at the end."""
        try:
            first = self._queue.get(timeout=None if self.broken else self.transactions.beat_seconds)
        except queue.Empty:
            return []
        if first is None:
            return None
        pieces = list(first)
        while len(pieces) < _MOST:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._queue.put(None)  # the end comes after this commit
                break
            pieces += more
        return pieces

    def _commit(self, pieces: list[_Piece]) -> None:
        try:
            while self._broken is None and not self._committed(pieces):
                self.notes.forget()
            if self._broken is None and (gone := self.lost()):
                self._refuse(JournalError(gone))
        except JournalError as error:
            self._refuse(error)
        if self._broken is not None:
            for piece in pieces:
                piece.error = type(self._broken)(str(self._broken))

    def _committed(self, pieces: list[_Piece]) -> bool:
        """Do the work in one transaction; whether it was kept, else it is to be done again."""
        begun = False
        try:
            self.transactions.begin()
            begun = True
            self.notes.begin(self.transactions.connection)
            for piece in pieces:
                piece.error = None
                (self._note if piece.is_note else self._do)(piece)
            self.notes.settle(self.transactions.connection)
            self.transactions.commit()
        except Exception as error:  # told apart by whose it is
            return not self.transactions.mended(error, patient=not begun or all(piece.patient for piece in pieces))
        return True

    def _note(self, piece: _Piece) -> None:
        try:
            piece.value = piece.work(self.transactions.connection)
        except self.transactions.errors:
            raise
        except Exception as error:  # it belongs to whoever gave the work
            piece.error = error

    def _do(self, piece: _Piece) -> None:
        connection = self.transactions.connection
        self.notes.settle(connection)
        self.notes.forget()
        connection.execute("SAVEPOINT piece")
        try:
            piece.value = piece.work(connection)
        except self.transactions.errors:
            raise  # the database may have rolled the whole transaction back
        except Exception as error:  # it belongs to whoever gave the work
            piece.error = error
            connection.execute("ROLLBACK TO piece")
        connection.execute("RELEASE piece")


def _deliver(pieces: list[_Piece]) -> None:
    for piece in pieces:
        if piece.error is not None:
            piece.over.fail(piece.error)
        else:
            piece.over.bring(piece.value)
