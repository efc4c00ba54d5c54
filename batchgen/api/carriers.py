"""What carries a call: a request that is bytes goes in, an answer whose body is still to be read comes out.

Ours takes the bytes as they are; httpx's, which proxies need, gets them as its own objects. Both raise httpx's errors.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast

import anyio
import httpx

from batchgen.api.http1 import Http1Transport
from batchgen.api.http1.connection import Patience
from batchgen.api.http1.outgoing import Outgoing, of_bytes
from batchgen.api.http1.pool import Origin
from batchgen.api.http1.transport import Arriving
from batchgen.api.meaning import Phase

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

_REPEATABLE: Final = "GET"


class Place(NamedTuple):
    """Where a call goes: an address or a name, and the name whose certificate is to be shown."""

    scheme: str
    host: str
    port: int
    name: str

    @property
    def origin(self) -> Origin:
        """The same for our transport."""
        return Origin(self.host, self.port, self.name if self.scheme == "https" else None)


@dataclass(slots=True)
class Call:
    """One request. `headers` are all there are but for the body's length; `trail` tells how far it got."""

    method: str
    place: Place
    target: bytes
    headers: Headers
    patience: Patience
    body: bytes = b""
    trail: "Trail | Outgoing | None" = field(default=None, init=False)

    @property
    def phase(self) -> Phase:
        """How far it got."""
        return "unsent" if self.trail is None else _phase(self.trail)


@dataclass(slots=True)
class Trail:
    """How far a request got, told by the events of the request itself; a proxy's CONNECT before it does not count."""

    started: bool = False
    sent: bool = False
    answered: bool = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of one event."""
        match event.partition(".")[2]:
            case "send_request_headers.started" if info["request"].method != b"CONNECT":
                self.started = True
            case "send_request_body.complete":
                self.sent = self.started
            case "receive_response_headers.complete":
                self.answered = self.started

    @property
    def phase(self) -> Phase:
        """How far it got."""
        return _phase(self)


class Reply(Protocol):
    """An answer, to be closed in any case."""

    @property
    def status(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Headers:
        """The headers as they came."""
        ...

    async def chunk(self, until: float = inf) -> bytes:
        """The next bytes as they came over the wire, none at the end; raises TimeoutError, or httpx's errors."""
        ...

    async def aclose(self) -> None:
        """Read no more of it."""
        ...


class Carrier(Protocol):
    """Carries calls, many at once."""

    async def carry(self, call: Call) -> Reply:
        """Send a call once, and wait for the head of its answer; raises httpx's errors, or TimeoutError."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class Own:
    """Our transport."""

    def __init__(self, transport: Http1Transport) -> None:
        self._transport = transport

    async def carry(self, call: Call) -> Reply:
        """Send it as it is."""
        headers = call.headers
        if call.body:
            headers = (*headers, (b"Content-Length", b"%d" % len(call.body)))
        outgoing = call.trail = of_bytes((call.method.encode("ascii"), call.target), headers, call.body)
        origin, again = call.place.origin, call.method == _REPEATABLE
        return _Answer(await self._transport.ask(origin, outgoing, call.patience, method=call.method, again=again))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _Answer:
    """Of our transport."""

    __slots__ = ("_arriving", "chunk", "headers", "status")

    def __init__(self, arriving: Arriving) -> None:
        self._arriving = arriving
        self.chunk = arriving.chunk
        self.status, self.headers = arriving.incoming.status, arriving.incoming.headers

    async def aclose(self) -> None:
        """Read no more of it."""
        self._arriving.close()


class Stock:
    """httpx's own transport."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def carry(self, call: Call) -> Reply:
        """Send it as a request of httpx."""
        place, patience = call.place, call.patience
        trail = call.trail = Trail()
        timeouts = httpx.Timeout(connect=patience.connect, pool=patience.pool, write=patience.write, read=patience.read)
        request = httpx.Request(
            call.method,
            httpx.URL(scheme=place.scheme, host=place.host, port=place.port, raw_path=call.target),
            headers=list(call.headers),
            content=call.body or None,
            extensions={"trace": trail, "timeout": timeouts.as_dict(), "sni_hostname": place.name},
        )
        with anyio.fail_at(patience.deadline):
            return _Stocked(await self._transport.handle_async_request(request))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _Stocked:
    """An answer of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._raw = cast(AsyncGenerator[bytes, None], response.aiter_raw())
        self.status, self.headers = response.status_code, response.headers.raw

    async def chunk(self, until: float = inf) -> bytes:
        """The next bytes."""
        with anyio.fail_at(until):
            return await anext(self._raw, b"")

    async def aclose(self) -> None:
        """Read no more of it."""
        await self._raw.aclose()
        await self._response.aclose()


def header(headers: Headers, name: bytes) -> str:
    """What a header says, by its name in lower case; empty when there is none."""
    return b", ".join([value for each, value in headers if each.lower() == name]).decode("latin-1")


def is_encoded(reply: Reply) -> bool:
    """Whether the body says that it is compressed."""
    return header(reply.headers, b"content-encoding").strip().lower() not in {"", "identity"}


async def decoded(reply: Reply, until: float) -> AsyncIterator[bytes]:
    """The body of an answer without its encoding; raises httpx.DecodingError, and what `chunk` raises."""
    response = httpx.Response(reply.status, headers=list(reply.headers), stream=_Body(reply, until))
    async for chunk in response.aiter_bytes():
        yield chunk


class _Body(httpx.AsyncByteStream):
    def __init__(self, reply: Reply, until: float) -> None:
        self._reply = reply
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self._reply.chunk(self._until):
            yield chunk


def _phase(trail: Trail | Outgoing) -> Phase:
    if not trail.started:
        return "unsent"
    if trail.answered:
        return "answer begun"
    return "sent" if trail.sent else "sent in part"


def in_seconds(seconds: float) -> float:
    """A moment so far ahead, on the event loop's clock."""
    return asyncio.get_running_loop().time() + seconds
