"""The connections to all origins: a kept one is taken from the top of a stack, a new one is dialled."""

import asyncio
import ssl
from collections import deque
from typing import NamedTuple

import anyio
import httpx

from batchgen.api.http1.connection import Connection, Patience
from batchgen.api.http1.dial import dial


class Origin(NamedTuple):
    """Where a connection leads; `name` is whose certificate was shown, None without TLS."""

    host: str
    port: int
    name: str | None


class Limits(NamedTuple):
    """How many exchanges at once, how many idle connections beside them, and how long one of those is kept."""

    exchanges: int
    idle: int
    idle_seconds: float


class Pool:
    """Lends connections, each to one exchange at a time."""

    def __init__(self, context: ssl.SSLContext, limits: Limits) -> None:
        self._context = context
        self._limits = limits
        self._permits = anyio.Semaphore(limits.exchanges, fast_acquire=True)
        self._idle: dict[Origin, deque[tuple[float, Connection]]] = {}
        self._lent: dict[Connection, Origin] = {}
        self._open: set[Connection] = set()
        self._changed = anyio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def take(self, origin: Origin, patience: Patience, *, fresh: bool) -> Connection:
        """A connection, a new one if it must be `fresh`; it comes back by itself when its exchange is over.

        Raises:
            httpx.PoolTimeout, httpx.ConnectTimeout, httpx.ConnectError: there is none to be had.
        """
        await self._permit(patience)
        try:
            connection = None if fresh else self._kept(origin)
            if connection is None:
                connection = await self._dial(origin, patience)
        except BaseException:
            self._permits.release()
            raise
        self._lent[connection] = origin
        return connection

    async def aclose(self) -> None:
        """End all connections, and wait until their sockets are closed: a moment, which no cancellation cuts short."""
        for connection in list(self._open):
            connection.abort()
        with anyio.CancelScope(shield=True):
            while self._open:
                self._changed = anyio.Event()
                await self._changed.wait()

    async def _permit(self, patience: Patience) -> None:
        try:
            self._permits.acquire_nowait()
        except anyio.WouldBlock:
            try:
                with anyio.fail_at(_end(patience.pool, patience)):
                    await self._permits.acquire()
            except TimeoutError as error:
                raise httpx.PoolTimeout("all connections are in use") from error

    def _kept(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            since, connection = idle.pop()
            if connection.usable and not self._stale(since):
                return connection
            connection.abort()
        self._idle.pop(origin, None)
        return None

    async def _dial(self, origin: Origin, patience: Patience) -> Connection:
        loop = asyncio.get_running_loop()
        context = None if origin.name is None else self._context
        try:
            with anyio.fail_at(_end(patience.connect, patience)):
                connected = await dial(origin.host, origin.port)
                _, connection = await loop.create_connection(
                    lambda: Connection(self._back), sock=connected, ssl=context, server_hostname=origin.name
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, ValueError, OverflowError) as error:
            raise httpx.ConnectError("no connection") from error
        if not connection.gone:
            self._open.add(connection)
        return connection

    def _back(self, connection: Connection) -> None:
        """An exchange or a connection is over."""
        if connection.gone:
            self._open.discard(connection)
            self._changed.set()
        origin = self._lent.pop(connection, None)
        if origin is None:
            return
        self._permits.release()
        if not connection.usable:
            return
        if len(self._open) - len(self._lent) > self._limits.idle:
            connection.abort()
            return
        idle = self._idle.setdefault(origin, deque())
        idle.append((self._now(), connection))
        while idle and (self._stale(idle[0][0]) or not idle[0][1].usable):
            idle.popleft()[1].abort()

    def _stale(self, since: float) -> bool:
        return self._now() - since > self._limits.idle_seconds

    def _now(self) -> float:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()


def _end(seconds: float | None, patience: Patience) -> float:
    """When a wait of so many seconds is over, on the loop's clock."""
    return patience.deadline if seconds is None else min(anyio.current_time() + seconds, patience.deadline)
