"""The line under a request: a server protocol that hands it to the app, so that it can be cut for real."""

import asyncio
import socket
import struct
from functools import partial
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from batchgen.gateway.connections import Impatient, Patience

LINE: Final = "batchgen.line"
_AT_ONCE: Final = struct.pack("ii", 1, 0)


class Lined(Impatient):
    """A connection as always; the scope of each request holds its transport under `LINE`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the transport for the requests to come."""
        super().connection_made(transport)
        self.app = partial(_with_line, self.app, transport)


def lined(patience: Patience) -> type[Lined]:
    """The connections of a server with this patience."""
    return type("Connection", (Lined,), {"patience": patience})


async def _with_line(app: ASGIApp, line: asyncio.Transport, scope: Scope, receive: Receive, send: Send) -> None:
    await app({**scope, LINE: line}, receive, send)


async def end(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """End the connection of a request: closed after what was sent, or reset at once; then wait until it is gone."""
    line: asyncio.Transport = scope[LINE]
    if reset:
        held = line.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        line.abort()
    else:
        line.close()
    while (await receive())["type"] != "http.disconnect":
        pass
