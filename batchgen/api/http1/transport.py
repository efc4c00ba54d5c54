"""The seam: a request of httpx goes in, a response whose body is still to be read comes out."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from math import inf
from typing import Final

import httpx

from batchgen.api.http1.connection import Connection, Patience
from batchgen.api.http1.incoming import Incoming
from batchgen.api.http1.outgoing import Outgoing, has_body, of_request
from batchgen.api.http1.pool import Limits, Origin, Pool

_REPEATABLE: Final = {"GET", "HEAD"}


class Http1Transport(httpx.AsyncBaseTransport):
    """HTTP/1.1 to any number of origins, for many tasks at once.

    A request's extensions are httpx's: `timeout` with the seconds for `pool`, `connect` (TLS included), `write` and
    `read` (each for one wait), `sni_hostname` whose certificate is asked for, and `trace`, which hears
    `http11.send_request_headers.started` before the first byte leaves, `http11.send_request_body.complete` after the
    last one was handed over, and `http11.receive_response_headers.complete`.

    Args:
        context: how certificates are verified.
        limits: exchanges at once, idle connections, and for how long those are kept; 0 idle ones make every request
            have a connection of its own.
    """

    def __init__(self, context: ssl.SSLContext, limits: Limits) -> None:
        self._pool = Pool(context, limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and wait for the head of its answer.

        Raises:
            httpx.TransportError: whatever broke it.
        """
        patience = Patience(**request.extensions.get("timeout", {}))
        again = _repeatable(request)
        arriving = await self.ask(_origin(request), of_request(request), patience, method=request.method, again=again)
        return httpx.Response(
            arriving.incoming.status,
            headers=arriving.incoming.headers,
            stream=arriving,
            extensions={"http_version": arriving.incoming.version, "reason_phrase": arriving.incoming.reason},
        )

    async def ask(
        self, origin: Origin, outgoing: Outgoing, patience: Patience, *, method: str, again: bool
    ) -> "Arriving":
        """The same for a request that is bytes already, without any object of httpx; `again` if it may go out twice.

        Raises:
            httpx.TransportError: whatever broke it.
        """
        fresh = False
        while True:
            connection = await self._pool.take(origin, patience, fresh=fresh)
            fresh, incoming = not connection.served, Incoming(method)
            try:
                await connection.ask(outgoing, incoming, patience)
                return Arriving(connection, incoming, patience.read)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                if fresh or incoming.begun or not again:
                    raise
            fresh = True

    async def aclose(self) -> None:
        """Break off what still runs, and close all connections."""
        await self._pool.aclose()


class Arriving(httpx.AsyncByteStream):
    """An answer whose body is still to be read, once; to be closed in any case."""

    __slots__ = ("_connection", "_seconds", "incoming")

    def __init__(self, connection: Connection, incoming: Incoming, seconds: float | None) -> None:
        self._connection = connection
        self._seconds = seconds
        self.incoming = incoming

    async def chunk(self, until: float = inf) -> bytes:
        """The next bytes, none at the end.

        Raises:
            TimeoutError: there were none until this moment of the event loop's clock.
            httpx.TransportError: it broke.
        """
        incoming = self.incoming
        try:
            while not incoming.chunks and not incoming.ended:
                await self._connection.wait(self._seconds, until)
            return self._connection.take(incoming) if incoming.chunks else b""
        except BaseException as error:
            self._connection.leave(incoming)
            if isinstance(error, httpx.ReadTimeout) and until <= asyncio.get_running_loop().time():
                raise TimeoutError from error
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while chunk := await self.chunk():
                yield chunk
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Read no more of it."""
        self._connection.leave(self.incoming)

    async def aclose(self) -> None:
        """The same, as httpx calls it."""
        self.close()


def _origin(request: httpx.Request) -> Origin:
    url = request.url
    host = url.raw_host.decode("ascii")
    match url.scheme:
        case "https":
            return Origin(host, url.port or 443, request.extensions.get("sni_hostname") or host)
        case "http":
            return Origin(host, url.port or 80, None)
        case _:
            raise httpx.UnsupportedProtocol("only http and https are spoken here")


def _repeatable(request: httpx.Request) -> bool:
    """Whether sending it twice is harmless, and possible."""
    return request.method in _REPEATABLE and not has_body(request)
