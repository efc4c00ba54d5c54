"""Calls to the API: each sent once, to one origin, and when it fails, how far it got."""

import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Final, Protocol, Self

import anyio
import httpx
from anyio.lowlevel import checkpoint_if_cancelled

from batchgen import __version__
from batchgen.api import Order, wire
from batchgen.api.carriers import Call, Carrier, Headers, Place, Reply, decoded, in_seconds, is_encoded
from batchgen.api.meaning import Broke, Phase
from batchgen.api.meaning import Call as Kind
from batchgen.api.network import SLOWEST_UPLOAD, Door
from batchgen.api.outcomes import REACH, Answer, of_break
from batchgen.api.places import Places
from batchgen.errors import BatchgenError, NotTaken, SettingsError
from batchgen.guard import is_loopback

REQUESTS: Final = 64
ANSWER_BYTES: Final = 1024 * 1024
HEADERS: Final = (
    (b"User-Agent", f"batchgen/{__version__}".encode("ascii")),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),
)

_AUTHORIZATION: Final = wire.AUTHORIZATION.encode("ascii")
_IDEMPOTENCY_KEY: Final = wire.IDEMPOTENCY_KEY.encode("ascii")

FAILURES: Final = (
    httpx.HTTPError,
    httpx.StreamError,
    OSError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
)
"""What the network can raise; a TLS record that does not verify comes through the library as a bare OSError."""


class Listener(Protocol):
    """Hears of every call to the API whether the server answered it."""

    def heard(self) -> None:
        """An answer came, whatever it said."""
        ...

    def lost(self) -> None:
        """A call ended without a whole answer."""
        ...


class Nobody:
    """A listener that does not care."""

    def heard(self) -> None:
        """Do nothing."""

    def lost(self) -> None:
        """Do nothing."""


class Transport:
    """Calls to one API origin, at most 64 at once over at most 20 connections; an async context manager.

    `origin` is scheme, host and port, a path prefix and a trailing `/v1` allowed.
    """

    def __init__(self, origin: str, door: Door, listener: Listener | None = None) -> None:
        self.origin = origin.rstrip("/").removesuffix("/v1").rstrip("/")
        self.host = httpx.URL(self.origin).host
        self._timeouts = door.network.timeouts
        self._listener = listener or Nobody()
        self._places = Places(REQUESTS)
        url = httpx.URL(self.origin)
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
            raise SettingsError(
                f"{self.host or 'the provider'}: the base URL must be https (http only on this machine)"
            )
        port = url.port or (443 if url.scheme == "https" else 80)
        host = url.raw_host.decode("ascii")
        self._place = Place(url.scheme, host, port, host)
        self._path = url.raw_path.rstrip(b"/")
        self._headers = ((b"Host", url.netloc), *HEADERS)
        proxy = door.network.proxy(url.scheme, url.host, port)
        self._submits = door.briefly(proxy) if door.network.keep_submits else door.once(proxy)
        self._polls = door.kept(proxy)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        with anyio.CancelScope(shield=True):
            await self._submits.aclose()
            await self._polls.aclose()

    async def post(self, order: Order, credential: str) -> Answer:
        """Send one create, once.

        Raises:
            NotTaken: no byte of it left, also when it is cancelled before that.
            OutcomeUnknown: a byte may have left and no whole answer came.
            Stop: the server's certificate is not trusted, or the proxy wants credentials.
        """
        upload = len(order.body)
        headers = (
            *self._headers,
            (_AUTHORIZATION, b"Bearer " + credential.encode("ascii")),
            (_IDEMPOTENCY_KEY, order.token.encode("ascii")),
            (b"Content-Type", order.content_type.encode("ascii")),
        )
        seconds = self._timeouts.submit + upload / SLOWEST_UPLOAD
        patience = self._timeouts.of(self._timeouts.answer, upload)
        call = Call("POST", self._place, self._target(wire.GENERATIONS), headers, patience, order.body)
        try:
            await checkpoint_if_cancelled()  # nothing else is heard of it before the first byte is out
            return await self._exchange(self._submits, call, seconds)
        except FAILURES as error:
            raise broken("submit", call.phase, error, self.host) from error
        except anyio.get_cancelled_exc_class() as cut_off:
            if call.phase != "unsent":
                raise
            raise NotTaken(f"{self.host}: {REACH['unsent']} (cut off while it connected)") from cut_off

    async def get(self, path: str, credential: str | None) -> Answer:
        """Ask for one free thing, once; without a credential it is asked anonymously.

        Raises:
            Unavailable: no whole answer came.
            Stop: the server's certificate is not trusted, or the proxy wants credentials.
        """
        headers: Headers = self._headers
        if credential is not None:
            headers = (*headers, (_AUTHORIZATION, b"Bearer " + credential.encode("ascii")))
        patience = self._timeouts.of(self._timeouts.poll_answer)
        call = Call("GET", self._place, self._target(path), headers, patience)
        try:
            return await self._exchange(self._polls, call, self._timeouts.poll)
        except FAILURES as error:
            raise broken("poll", "sent", error, self.host) from error

    def _target(self, path: str) -> bytes:
        return self._path + path.encode("ascii")

    async def _exchange(self, carrier: Carrier, call: Call, seconds: float) -> Answer:
        if not self._places.take_now():
            await self._places.take()
        try:
            call.patience = call.patience.until(in_seconds(seconds))
            return await self._send(carrier, call)
        except FAILURES:
            self._listener.lost()
            raise
        finally:
            self._places.give()

    async def _send(self, carrier: Carrier, call: Call) -> Answer:
        reply = await carrier.carry(call)
        self._listener.heard()
        try:
            body = await _read(reply, call.patience.deadline)
        except httpx.DecodingError:
            body = b""
        except FAILURES:
            if 200 <= reply.status < 300:
                raise
            body = b""  # a refusal is known by its status, whatever became of its words
        finally:
            await reply.aclose()
        return Answer(reply.status, reply.headers, body)


def broken(call: Kind, phase: Phase, error: BaseException, host: str) -> BatchgenError:
    """What to raise for a call that the network broke."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"the certificate of {host} is not trusted ({cause.verify_message})"
            return of_break(call, Broke(phase, "certificate"), words)
        if isinstance(cause, httpx.ProxyError) and str(cause).startswith("407"):
            return of_break(call, Broke(phase, "proxy credentials"), f"{host}: not reached")
    words = {"picture": "a picture could not be fetched", "poll": "no answer"}.get(call, REACH[phase])
    return of_break(call, Broke(phase), f"{host}: {words} ({why(error)})")


def why(error: BaseException) -> str:
    """A network failure in a few plain words of ours; what the library quotes of the wire is not repeated."""
    match error:
        case httpx.ConnectTimeout():
            return "no connection in time"
        case httpx.PoolTimeout():
            return "no free connection in time"
        case TimeoutError() | httpx.TimeoutException():
            return "no answer in time"
        case httpx.ProxyError():
            return f"the proxy said {str(error)[:3]}"
        case httpx.ConnectError():
            return next(filter(None, map(_system_words, _causes(error))), "no connection")
        case httpx.RemoteProtocolError() if "disconnected" in str(error):
            return "it hung up"
        case httpx.RemoteProtocolError():
            return "it does not speak HTTP properly, or stopped in the middle"
        case _:
            return _system_words(error) or "the connection broke"


def _system_words(error: BaseException) -> str:
    return (error.strerror or "")[:80] if isinstance(error, OSError) else ""


async def _read(reply: Reply, until: float) -> bytes:
    chunks: list[bytes] = []
    if is_encoded(reply):
        chunks = [chunk async for chunk in _bounded(decoded(reply, until))]
    while sum(map(len, chunks)) <= ANSWER_BYTES and (chunk := await reply.chunk(until)):
        chunks.append(chunk)
    body = b"".join(chunks)
    return body if len(body) <= ANSWER_BYTES else b""


async def _bounded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """So many of them that a body which is too long is known to be."""
    size = 0
    async for piece in pieces:
        yield piece
        size += len(piece)
        if size > ANSWER_BYTES:
            return


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from; the libraries below hide causes in `__context__`."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__]
            yield each
