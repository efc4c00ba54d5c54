"""A journal lent to other processes of this machine by the one run that may write it.

Whoever borrows it carries jobs: it appends and looks up, and neither plans nor ends anything. What comes is written
with everybody else's, in the commits of the lender; when that is gone, so is the journal. They speak over a socket in a
folder of this user alone, in Python's own objects, which is why nobody else may.
"""

import pickle
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import anyio
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream

from batchgen.errors import JournalError
from batchgen.job import Draft
from batchgen.journal import Caps, Choice, Comparison, Entry, Identity, Journal, Progress, Redo, Totals
from batchgen.lifecycle import IllegalMilestone
from batchgen.terms import Terms

CONNECTIONS: Final = 8
"""So many questions of one borrower are open at a time."""

LAST_SECONDS: Final = 1.0
"""How long the end of a loan waits for borrowers that are closing."""

_HEAD: Final = struct.Struct("!I")
_GONE: Final = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)


@asynccontextmanager
async def lent(journal: Journal) -> AsyncIterator["Borrow"]:
    """Lend a journal until the end of the block; what is yielded opens it in another process, and can be pickled."""
    folder = await anyio.to_thread.run_sync(tempfile.mkdtemp, None, "batchgen-")
    path, lender, failure = f"{folder}/journal", _Lender(journal), None
    try:
        async with await anyio.create_unix_listener(path) as listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, lender.serve)
            try:
                yield Borrow(path)
            except Exception as error:  # raised as it is, and not as one of a group
                failure = error
            with anyio.move_on_after(LAST_SECONDS):
                while lender.borrowers:  # noqa: ASYNC110  # they close when they have nothing more to ask
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(partial(shutil.rmtree, folder, ignore_errors=True))


@dataclass(frozen=True, slots=True)
class Borrow:
    """Opens the journal that is lent at this path.

    Raises:
        JournalError: nobody lends it there any more.
    """

    path: str

    def __call__(self, folder: str) -> AbstractAsyncContextManager["Borrowed"]:  # noqa: ARG002  # the lender has one
        """Open it here."""
        return _borrowed(self.path)


@dataclass(frozen=True, slots=True)
class _Line:
    stream: ByteStream
    incoming: BufferedByteReceiveStream

    async def send(self, message: Any) -> None:
        data = pickle.dumps(message)
        await self.stream.send(_HEAD.pack(len(data)) + data)

    async def receive(self) -> Any:
        (size,) = _HEAD.unpack(await self.incoming.receive_exactly(_HEAD.size))
        return pickle.loads(await self.incoming.receive_exactly(size))  # noqa: S301  # from a process of this user


@dataclass(slots=True)
class _Lender:
    journal: Journal
    borrowers: int = 0

    async def serve(self, stream: ByteStream) -> None:
        """One question after another, until the borrower is gone."""
        line = _Line(stream, BufferedByteReceiveStream(stream))
        self.borrowers += 1
        try:
            async with stream:
                await line.send((self.journal.identity, self.journal.run))
                while True:
                    await line.send(await self._answer(*await line.receive()))
        except _GONE:
            return
        finally:
            self.borrowers -= 1

    async def _answer(self, verb: str, given: tuple[Any, ...]) -> Any:
        ask = {"append": self.journal.append, "reached": self.journal.reached, "totals": self.journal.totals}[verb]
        try:
            return await ask(*given)  # type: ignore[operator]  # each verb with what it takes
        except (JournalError, IllegalMilestone) as refused:
            return refused


class Borrowed:
    """A Journal as those see it who carry jobs, from `Borrow`."""

    def __init__(self, lines: list[_Line], identity: Identity, run: int) -> None:
        self._lines = lines
        self._free = anyio.Semaphore(len(lines))
        self.identity = identity
        self.run = run

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Record milestones of one job, all or none; durable on return."""
        await self._ask("append", tuple(entries), caps)

    async def reached(self, number: int) -> Progress | None:
        """A job with its newest milestone."""
        found: Progress | None = await self._ask("reached", number)
        return found

    async def totals(self) -> Totals:
        """The figures, as of the last commit."""
        found: Totals = await self._ask("totals")
        return found

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        """Only the lender plans."""
        raise NotImplementedError

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:  # noqa: ARG002
        """Only the lender hands out."""
        raise NotImplementedError
        yield  # type: ignore[unreachable]  # it makes this an iterator

    async def _ask(self, verb: str, *given: Any) -> Any:
        with anyio.CancelScope(shield=True):  # a line is never left between question and answer
            async with self._free:
                line = self._lines.pop()
                try:
                    await line.send((verb, given))
                    answer = await line.receive()
                except _GONE as gone:
                    raise JournalError("The run that lends the journal is gone; run the same command again.") from gone
                finally:
                    self._lines.append(line)
        if isinstance(answer, Exception):
            raise answer
        return answer


@asynccontextmanager
async def _borrowed(path: str) -> AsyncIterator[Borrowed]:
    async with AsyncExitStack() as stack:
        lines, told = [], None
        try:
            for _ in range(CONNECTIONS):
                stream = await stack.enter_async_context(await anyio.connect_unix(path))
                lines.append(_Line(stream, BufferedByteReceiveStream(stream)))
                told = await lines[-1].receive()
        except (OSError, *_GONE) as gone:
            raise JournalError("The run that lent the journal is gone; run the same command again.") from gone
        assert told is not None
        yield Borrowed(lines, *told)
