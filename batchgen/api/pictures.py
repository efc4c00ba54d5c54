"""Bringing pictures home: from allowed addresses only, without credentials, within a size and a time.

A name is resolved once, all its addresses are judged, and the connection goes to one of those, so that no second
answer of a name server can lead elsewhere. A proxy resolves by itself; through it only the URL's text is judged.
"""

import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Self, TypeAlias
from urllib.parse import urljoin

import anyio
import httpx

from batchgen import __version__
from batchgen.api.carriers import Call, Place, Reply, header, in_seconds, is_encoded
from batchgen.api.meaning import Answered, Meaning, meaning
from batchgen.api.measured import Chunks, Meter, Patience
from batchgen.api.network import Door
from batchgen.api.outcomes import of_picture
from batchgen.api.transport import FAILURES, broken
from batchgen.errors import BadAsset, Blocked
from batchgen.guard import Policy, Target, check_addresses, check_literal, check_url, kind

HOPS: Final = 5
ADDRESSES: Final = 4
# hosts of pictures sit behind filters that refuse agents which do not look like a browser's
AGENT: Final = f"Mozilla/5.0 (compatible; batchgen/{__version__})"
HEADERS: Final = (
    (b"User-Agent", AGENT.encode("ascii")),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),
)

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as the system knows them; raises OSError."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Pictures:
    """The downloads of a run; an async context manager that opens no connection before it is asked."""

    def __init__(
        self,
        door: Door,
        policy: Policy,
        *,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        resolver: Resolve = resolve,
    ) -> None:
        self._network = door.network
        self._policy = policy
        self._patience = Patience(max_bytes, door.network.timeouts, clock)
        self._resolve = resolver
        proxies: tuple[str | None, ...] = (None, *dict.fromkeys(door.network.proxies.values()))
        self._carriers = {proxy: door.pinned(proxy) for proxy in proxies}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for carrier in self._carriers.values():
            await carrier.aclose()

    def download(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open one picture and give its bytes as they come; see the contract for what it raises."""
        return _Download(self, url)

    async def open(self, url: str) -> "Chunks":
        """Follow redirects by hand, every hop judged like the first, to bytes that must be closed."""
        began = self._patience.clock()
        reply, host = await self._follow(url)
        try:
            _check_head(reply, host, self._patience.max_bytes)
        except BaseException:
            await reply.aclose()
            raise
        return Chunks(reply, Meter(host, self._patience, began, since=self._patience.clock()))

    async def _follow(self, url: str) -> tuple[Reply, str]:
        target = check_url(url, self._policy)
        for _ in range(HOPS + 1):
            reply = await self._ask(target)
            if reply.status == 200 or meaning("picture", Answered(reply.status)) is not Meaning.FOLLOW:
                return reply, target.host
            await reply.aclose()
            url = _joined(url, header(reply.headers, b"location"))
            following = check_url(url, self._policy)
            if target.scheme == "https" and following.scheme == "http":
                raise Blocked(f"{target.host} redirects a picture from https to http; it is not followed")
            target = following
        raise Blocked(f"{target.host} redirects a picture more than {HOPS} times; it is not followed")

    async def _ask(self, target: Target) -> Reply:
        proxy = self._network.proxy(target.scheme, target.host, target.port)
        try:
            if proxy is not None:
                check_literal(target)
                return await self._send(target, target.host, proxy)
            return await self._ask_directly(target)
        except FAILURES as error:
            raise broken("picture", "unsent", error, target.host) from error

    async def _ask_directly(self, target: Target) -> Reply:
        *others, last = (await self._addresses(target))[:ADDRESSES]
        for address in others:
            try:
                return await self._send(target, address, None)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._send(target, last, None)

    async def _addresses(self, target: Target) -> tuple[str, ...]:
        """Where a host is; an address in its usual spelling is where it says."""
        if kind(target.host) != "forbidden":
            return check_addresses(target, (target.host,))
        with anyio.fail_after(self._patience.timeouts.connect):
            return check_addresses(target, await self._resolve(target.host, target.port))

    async def _send(self, target: Target, host: str, proxy: str | None) -> Reply:
        timeouts = self._patience.timeouts
        call = Call(
            "GET",
            Place(target.scheme, host, target.port, target.host),
            target.path.encode("ascii"),
            ((b"Host", _host_header(target)), *HEADERS),
            timeouts.of(timeouts.picture_answer).until(
                in_seconds(timeouts.connect + timeouts.picture_answer)  # headers may trickle, too
            ),
        )
        return await self._carriers[proxy].carry(call)


class _Download:
    """One picture from its opening to its closing."""

    __slots__ = ("_chunks", "_pictures", "_url")

    def __init__(self, pictures: Pictures, url: str) -> None:
        self._pictures = pictures
        self._url = url
        self._chunks: Chunks | None = None

    async def __aenter__(self) -> "Chunks":
        self._chunks = await self._pictures.open(self._url)
        return self._chunks

    async def __aexit__(self, *exc_info: object) -> None:
        if self._chunks is not None:
            await self._chunks.aclose()


def _check_head(reply: Reply, host: str, max_bytes: int) -> None:
    """Judge status and headers before a byte of the body is read."""
    if reply.status != 200:
        refusal = of_picture(reply.status, httpx.Headers(list(reply.headers)), host)
        if refusal is not None:
            raise refusal
    if is_encoded(reply):
        raise BadAsset(f"{host} sends a picture in an encoding that was not asked for")
    declared = header(reply.headers, b"content-length")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise BadAsset(f"{host} announces a picture of {declared[:20]} bytes; at most {max_bytes} are taken")


def _joined(url: str, location: str) -> str:
    """Where a redirect leads; an empty text, which no guard lets pass, when it cannot be told."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _host_header(target: Target) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    default = 443 if target.scheme == "https" else 80
    return (host if target.port == default else f"{host}:{target.port}").encode("ascii")
