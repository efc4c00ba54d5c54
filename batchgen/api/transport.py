"""Calls to the API: each sent once, to one origin, and when it fails, how far it got."""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol, Self

import anyio
import httpx

from batchgen import __version__
from batchgen.api import Order, wire
from batchgen.api.meaning import Broke, Call, Phase
from batchgen.api.network import SLOWEST_UPLOAD, Door
from batchgen.api.outcomes import REACH, Answer, of_break
from batchgen.errors import BatchgenError, NotTaken, SettingsError
from batchgen.guard import is_loopback

REQUESTS: Final = 64
ANSWER_BYTES: Final = 1024 * 1024
URLS: Final = 2048
"""So many are remembered in parts: taking one apart costs a third of a poll, and a task is asked for many times."""
HEADERS: Final = {"User-Agent": f"batchgen/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}

FAILURES: Final = (
    httpx.HTTPError,
    httpx.StreamError,
    OSError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
)
"""What the network can raise; a TLS record that does not verify comes through the library as a bare OSError."""


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
        if not self.started:
            return "unsent"
        if self.answered:
            return "answer begun"
        return "sent" if self.sent else "sent in part"


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
        self._limiter = anyio.CapacityLimiter(REQUESTS)
        url = httpx.URL(self.origin)
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
            raise SettingsError(
                f"{self.host or 'the provider'}: the base URL must be https (http only on this machine)"
            )
        proxy = door.network.proxy(url.scheme, url.host, url.port or 443)
        self._url = lru_cache(URLS)(lambda path: httpx.URL(self.origin + path))
        self._submits = door.once(proxy)
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
        trail, upload = Trail(), len(order.body)
        headers = {
            **HEADERS,
            wire.AUTHORIZATION: f"Bearer {credential}",
            wire.IDEMPOTENCY_KEY: order.token,
            "Content-Type": order.content_type,
        }
        request = httpx.Request(
            "POST",
            self._url(wire.GENERATIONS),
            content=order.body,
            headers=headers,
            extensions={"trace": trail, "timeout": self._timeouts.of(self._timeouts.answer, upload).as_dict()},
        )
        try:
            return await self._exchange(self._submits, request, self._timeouts.submit + upload / SLOWEST_UPLOAD)
        except FAILURES as error:
            raise broken("submit", trail.phase, error, self.host) from error
        except anyio.get_cancelled_exc_class() as cut_off:
            if trail.phase != "unsent":
                raise
            raise NotTaken(f"{self.host}: {REACH['unsent']} (cut off while it connected)") from cut_off

    async def get(self, path: str, credential: str | None) -> Answer:
        """Ask for one free thing, once; without a credential it is asked anonymously.

        Raises:
            Unavailable: no whole answer came.
            Stop: the server's certificate is not trusted, or the proxy wants credentials.
        """
        headers = HEADERS if credential is None else {**HEADERS, wire.AUTHORIZATION: f"Bearer {credential}"}
        extensions = {"timeout": self._timeouts.of(self._timeouts.poll_answer).as_dict()}
        request = httpx.Request("GET", self._url(path), headers=headers, extensions=extensions)
        try:
            return await self._exchange(self._polls, request, self._timeouts.poll)
        except FAILURES as error:
            raise broken("poll", "sent", error, self.host) from error

    async def _exchange(self, carrier: httpx.AsyncBaseTransport, request: httpx.Request, seconds: float) -> Answer:
        async with self._limiter:
            try:
                with anyio.fail_after(seconds):
                    return await self._send(carrier, request)
            except FAILURES:
                self._listener.lost()
                raise

    async def _send(self, carrier: httpx.AsyncBaseTransport, request: httpx.Request) -> Answer:
        response = await carrier.handle_async_request(request)
        self._listener.heard()
        try:
            body = await _read(response)
        except httpx.DecodingError:
            body = b""
        except FAILURES:
            if response.is_success:
                raise
            body = b""  # a refusal is known by its status, whatever became of its words
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body)


def broken(call: Call, phase: Phase, error: BaseException, host: str) -> BatchgenError:
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


async def _read(response: httpx.Response) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > ANSWER_BYTES:
            return b""
        chunks.append(chunk)
    return b"".join(chunks)


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
