"""The seam: a request of httpx goes in, a response whose body is still to be read comes out."""

import ssl
from collections.abc import AsyncIterator
from typing import Final

import httpx

from batchgen.api.http1 import outgoing
from batchgen.api.http1.connection import Connection
from batchgen.api.http1.incoming import Incoming
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
        origin = _origin(request)
        seconds = request.extensions.get("timeout", {})
        fresh = False
        while True:
            connection = await self._pool.take(origin, seconds, fresh=fresh)
            fresh, incoming = not connection.served, Incoming(request.method)
            try:
                await connection.ask(request, incoming)
                break
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                if fresh or incoming.begun or not _repeatable(request):
                    raise
            fresh = True
        return httpx.Response(
            incoming.status,
            headers=incoming.headers,
            stream=_Body(connection, incoming, seconds.get("read")),
            extensions={"http_version": incoming.version, "reason_phrase": incoming.reason},
        )

    async def aclose(self) -> None:
        """Break off what still runs, and close all connections."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a response; to be read once, and closed in any case."""

    def __init__(self, connection: Connection, incoming: Incoming, seconds: float | None) -> None:
        self._connection = connection
        self._incoming = incoming
        self._seconds = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        incoming = self._incoming
        try:
            while incoming.chunks or not incoming.ended:
                if incoming.chunks:
                    yield self._connection.take(incoming)
                else:
                    await self._connection.wait(self._seconds)
        except BaseException:
            self._connection.leave(incoming)
            raise

    async def aclose(self) -> None:
        self._connection.leave(self._incoming)


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
    return request.method in _REPEATABLE and not outgoing.has_body(request)
