"""A journal lent to other processes over a loopback socket, by the one process that may write its file.

It stands in for a database where none is to be had: the same contract, one writer, many who carry.
"""

import pickle
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from batchgen.errors import JournalError, NoHeadroom
from batchgen.job import Draft
from batchgen.journal import Caps, Choice, Comparison, Entry, Identity, Journal, Progress, Redo, Totals
from batchgen.terms import Terms

HEAD = struct.Struct("!I")


async def _send(stream: SocketStream, message: Any) -> None:
    data = pickle.dumps(message)
    await stream.send(HEAD.pack(len(data)) + data)


async def _receive(stream: BufferedByteReceiveStream) -> Any:
    (size,) = HEAD.unpack(await stream.receive_exactly(HEAD.size))
    return pickle.loads(await stream.receive_exactly(size))


class Lender:
    """Does for those who carry what they ask of a journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    async def serve(self, stream: SocketStream) -> None:
        """One borrower, one question after another, until it is gone."""
        incoming = BufferedByteReceiveStream(stream)
        try:
            async with stream:
                await _send(stream, (self.journal.identity, self.journal.run))
                while True:
                    verb, given = await _receive(incoming)
                    await _send(stream, await self._answer(verb, given))
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def _answer(self, verb: str, given: Any) -> tuple[str, Any]:
        try:
            return "done", await getattr(self.journal, verb)(*given)
        except NoHeadroom as full:
            return "full", (str(full), full.cap)
        except (JournalError, ValueError) as error:
            return "failed", error


@dataclass
class Borrowed:
    """The journal as those see it who only carry jobs."""

    identity: Identity
    run: int
    streams: list[tuple[SocketStream, BufferedByteReceiveStream]]
    free: anyio.Semaphore

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        await self._ask("append", entries, caps)

    async def reached(self, number: int) -> Progress | None:
        found: Progress | None = await self._ask("reached", number)
        return found

    async def totals(self) -> Totals:
        found: Totals = await self._ask("totals")
        return found

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        raise NotImplementedError

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        raise NotImplementedError
        yield  # type: ignore[unreachable]  # it makes this an iterator

    async def _ask(self, verb: str, *given: Any) -> Any:
        with anyio.CancelScope(shield=True):
            async with self.free:
                stream, incoming = pair = self.streams.pop()
                try:
                    await _send(stream, (verb, given))
                    how, value = await _receive(incoming)
                except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError) as gone:
                    raise JournalError("the journal is gone") from gone
                finally:
                    self.streams.append(pair)
        if how == "full":
            raise NoHeadroom(value[0], cap=value[1])
        if how == "failed":
            raise value
        return value


@dataclass(frozen=True)
class Borrow:
    """Opens the lent journal wherever it is called, and can be pickled."""

    port: int
    connections: int = 8

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Borrowed]:
        streams = []
        try:
            for _ in range(self.connections):
                stream = await anyio.connect_tcp("127.0.0.1", self.port)
                incoming = BufferedByteReceiveStream(stream)
                identity, run = await _receive(incoming)
                streams.append((stream, incoming))
            yield Borrowed(identity, run, streams, anyio.Semaphore(self.connections))
        finally:
            with anyio.CancelScope(shield=True):
                for stream, _ in streams:
                    await stream.aclose()
