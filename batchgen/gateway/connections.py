"""Connections that waste time are closed: heads that do not arrive, answers that are not read, one too many.

A connection beyond the limit is still answered, 503 with a time, because a client that is answered so knows that
nothing was bought; far beyond it, it is cut.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from batchgen.gateway.refusal import Refusal

_FAR_BEYOND: Final = 1.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a head may take to arrive and an answer may go unread, in seconds; how many connections there may be."""

    head_seconds: float = 10.0
    unread_seconds: float = 60.0
    connections: int = 512


PATIENCE: Final = Patience()


class Impatient(H11Protocol):
    """One connection of uvicorn's, with deadlines of its own; see `protocol`."""

    patience = PATIENCE

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to wait for a head, or turn the connection away."""
        super().connection_made(transport)
        if len(self.connections) > self.patience.connections * _FAR_BEYOND:
            transport.abort()
            return
        if len(self.connections) > self.patience.connections:
            self.app = cast(ASGI3Application, overcrowded)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; those of a head count against its deadline."""
        super().data_received(data)
        if self._answering():
            self._head_timer = stopped(self._head_timer)
        elif self._head_timer is None and not self.transport.is_closing():
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all deadlines."""
        self._head_timer, self._unread_timer = stopped(self._head_timer), stopped(self._unread_timer)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        super().pause_writing()
        if self._unread_timer is None:
            self._expect_reading()

    def resume_writing(self) -> None:
        """The client has read on."""
        self._unread_timer = stopped(self._unread_timer)
        super().resume_writing()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.patience.head_seconds, self._give_up)

    def _expect_reading(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._unread_timer = self.loop.call_later(self.patience.unread_seconds, self._look_at_reader, waiting)

    def _look_at_reader(self, waiting: int) -> None:
        """A reader may be slow, as long as it reads."""
        self._unread_timer = None
        if self.transport.get_write_buffer_size() < waiting:
            self._expect_reading()
        else:
            self.transport.abort()

    def _give_up(self) -> None:
        self._head_timer = None
        if not self._answering():
            self.transport.abort()

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


def protocol(patience: Patience) -> type[Impatient]:
    """The connections of a server with this patience."""
    return type("Connection", (Impatient,), {"patience": patience})


async def overcrowded(scope: Scope, receive: Receive, send: Send) -> None:
    """The app of a connection too many: says that nothing was done, and hangs up."""
    headers = {"Retry-After": "1", "Connection": "close"}
    refusal = Refusal(503, "overloaded", "too many connections; try again", headers=headers)
    app: ASGIApp = refusal.response()
    await app(scope, receive, send)


def stopped(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """No timer any more."""
    if timer is not None:
        timer.cancel()
    return None
