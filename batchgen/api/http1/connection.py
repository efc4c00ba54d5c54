"""One connection: a request is written and its answer read, one at a time, as fast as both sides take the bytes."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from math import inf
from typing import Final, NamedTuple, cast

import httpx

from batchgen.api.http1.incoming import Incoming
from batchgen.api.http1.outgoing import Outgoing, Pieces

HELD_BYTES: Final = 256 * 1024
"""How much of an answer is held for whoever reads it before the other side has to wait."""


class Patience(NamedTuple):
    """Seconds for each wait by what is waited for, None for ever.

    `deadline` on the event loop's clock ends whatever comes before the body of the answer.
    """

    connect: float | None = None
    pool: float | None = None
    write: float | None = None
    read: float | None = None
    deadline: float = inf

    def until(self, deadline: float) -> "Patience":
        """The same with this end."""
        return Patience(self.connect, self.pool, self.write, self.read, deadline)


class Connection(asyncio.Protocol):
    """A connection to one origin, made by the event loop.

    `over` is called when an exchange has ended, well or not, and again when the connection has: `usable` tells which.
    """

    def __init__(self, over: Callable[["Connection"], None]) -> None:
        self.served = self.gone = False
        self._over = over
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[bool] | None = None
        self._incoming: Incoming | None = None
        self._failure: httpx.HTTPError | None = None
        self._writing = self._full = self._paused = False

    @property
    def usable(self) -> bool:
        """Whether it is open and nobody uses it."""
        return self._incoming is None and self._transport is not None and not self._transport.is_closing()

    async def ask(self, outgoing: Outgoing, incoming: Incoming, patience: Patience) -> None:
        """Send a request, and wait until the head of its answer is there.

        Raises:
            httpx.TransportError: it broke, and with it the connection.
        """
        self._incoming, self._writing = incoming, True
        try:
            self._check()
            outgoing.started = True
            if outgoing.trace is not None:
                await outgoing.tell("send_request_headers.started")
            if await self._sent(outgoing, patience):
                self._writing = False
                outgoing.sent = True
                if outgoing.trace is not None:
                    await outgoing.tell("send_request_body.complete")
            while not incoming.headed:
                await self.wait(patience.read, patience.deadline)
            outgoing.answered = True
            if outgoing.trace is not None:
                await outgoing.tell("receive_response_headers.complete")
        except BaseException:
            self.leave(incoming)
            raise

    def take(self, incoming: Incoming) -> bytes:
        """The next piece of the body; there must be one."""
        chunk = incoming.take()
        if self._paused and self._incoming is incoming and incoming.held < HELD_BYTES:
            self._resume()
        return chunk

    async def wait(
        self, seconds: float | None, deadline: float = inf, late: type[httpx.TimeoutException] = httpx.ReadTimeout
    ) -> None:
        """Until something happens here; what, the caller has to see.

        Raises:
            httpx.TransportError: it broke, or nothing happened in time.
        """
        self._check()
        if deadline < inf:
            left = deadline - self._loop.time()
            seconds = left if seconds is None else min(seconds, left)
        waiter = self._waiter = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(max(seconds, 0), _expire, waiter)
        try:
            expired = await waiter
        finally:
            if timer is not None:
                timer.cancel()
            if self._waiter is waiter:  # the connection may already serve somebody else
                self._waiter = None
        if expired:
            raise late("nothing moved in time")

    def leave(self, incoming: Incoming) -> None:
        """Read no more of this answer."""
        if self._incoming is incoming:
            self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        self._failure = self._failure or httpx.ReadError("the connection was closed on this side")
        if self._transport is not None:
            self._transport.abort()
        self._wake()
        self._over(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=1, low=0)  # with 0 TLS pauses for nothing

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        incoming = self._incoming
        if incoming is None:
            self.abort()  # nobody has asked for anything
            return
        try:
            incoming.feed(data)
        except httpx.RemoteProtocolError as error:
            self._fail(error)
            return
        if incoming.ended:
            self._finish(incoming)
        elif incoming.held > HELD_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Called by the event loop; it would wait until everything is written."""
        incoming = self._incoming
        try:
            if incoming is not None:
                incoming.close()
        except httpx.RemoteProtocolError as error:
            self._failure = self._failure or error
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop, once."""
        self.gone = True
        if exc is None and self._failure is None:
            self.eof_received()
            return
        failure = httpx.WriteError if self._writing else httpx.ReadError
        self._fail(failure("the connection broke"), exc)

    def pause_writing(self) -> None:
        """Called by the event loop: something waits to be sent."""
        self._full = True

    def resume_writing(self) -> None:
        """Called by the event loop: all was handed to the system."""
        self._full = False
        self._wake()

    async def _sent(self, outgoing: Outgoing, patience: Patience) -> bool:
        """Send it; False if the answer came before the end of it."""
        if outgoing.pieces is None:
            return await self._written(outgoing.first, patience)
        return await self._sent_in_pieces(outgoing.pieces, patience)

    async def _sent_in_pieces(self, made: Pieces, patience: Patience) -> bool:
        async with aclosing(made()) as pieces:
            async for piece in pieces:
                if not await self._written(piece, patience):
                    return False
        return True

    async def _written(self, piece: bytes | memoryview, patience: Patience) -> bool:
        """Hand a piece to the system; False if the answer came instead."""
        if self._answered or self._transport is None:
            return False
        self._check()
        self._transport.write(piece)
        while self._full and not self._answered:
            await self.wait(patience.write, patience.deadline, httpx.WriteTimeout)
        return not self._full

    @property
    def _answered(self) -> bool:
        return self._incoming is not None and self._incoming.headed

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(False)

    def _fail(self, failure: httpx.HTTPError, cause: Exception | None = None) -> None:
        failure.__cause__ = cause or failure.__cause__
        self._failure = self._failure or failure
        self.abort()

    def _finish(self, incoming: Incoming) -> None:
        self._wake()
        if incoming.kept and not self._writing:
            self._incoming, self.served = None, True
            self._resume()
            self._over(self)
        else:
            self.abort()

    def _resume(self) -> None:
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


def _expire(waiter: "asyncio.Future[bool]") -> None:
    if not waiter.done():
        waiter.set_result(True)
