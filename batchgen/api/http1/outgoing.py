"""One request as bytes: its head, then its body as it is made. What could be read in two ways is refused."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import Any, Final, TypeAlias

import httpx

PIECE_BYTES: Final = 256 * 1024
"""How much is handed to a socket at once."""

Pieces: TypeAlias = Callable[[], AsyncGenerator[bytes | memoryview, None]]
Trace: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[None]]


class Outgoing:
    """A request, and how far it got: `started` before its first byte leaves, `sent` when the system took the last one.

    `answered` says that the head of its answer is there. `first` goes out at once; where `pieces` makes more of it,
    those are all of it.
    """

    __slots__ = ("answered", "first", "pieces", "request", "sent", "started", "trace")

    def __init__(self, first: bytes, pieces: Pieces | None = None) -> None:
        self.first = first
        self.pieces = pieces
        self.request: httpx.Request | None = None
        self.trace: Trace | None = None
        self.started = self.sent = self.answered = False

    async def tell(self, event: str) -> None:
        """Tell whoever wants to know, in httpx's words; to be asked only if somebody does."""
        assert self.trace is not None
        await self.trace(f"http11.{event}", {"request": self.request})


def of_bytes(line: tuple[bytes, bytes], headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> Outgoing:
    """A request of a method, a target, headers that say how long the body is, and the body.

    Raises:
        httpx.LocalProtocolError: something in them would end a line early.
    """
    head = _head(*line, headers)
    if len(body) < PIECE_BYTES:
        return Outgoing(head + body)
    return Outgoing(head, partial(_slices, head, body))


def of_request(request: httpx.Request) -> Outgoing:
    """A request of httpx, whose body is made as it is sent.

    Raises:
        httpx.LocalProtocolError: something in its head would end a line early.
    """
    head = _head(request.method.encode("ascii"), request.url.raw_path, request.headers.raw)
    outgoing = Outgoing(head, partial(_pieces, head, request) if has_body(request) else None)
    outgoing.request, outgoing.trace = request, request.extensions.get("trace")
    return outgoing


def has_body(request: httpx.Request) -> bool:
    """Whether anything comes after the head."""
    return "Content-Length" in request.headers or "Transfer-Encoding" in request.headers


def _head(method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    lines = [b"%s %s HTTP/1.1" % (method, target), *[b"%s: %s" % pair for pair in headers]]
    text = b"\r\n".join(lines) + b"\r\n\r\n"
    ends = len(lines) + 1
    if lines[0].count(b" ") != 2 or text.count(b"\n") != ends or text.count(b"\r") != ends or b"\0" in text:
        raise httpx.LocalProtocolError("a space, a line end or a zero byte where none may be")
    return text


async def _slices(head: bytes, body: bytes) -> AsyncGenerator[bytes | memoryview, None]:
    yield head
    for start in range(0, len(body), PIECE_BYTES):
        yield memoryview(body)[start : start + PIECE_BYTES]


async def _pieces(head: bytes, request: httpx.Request) -> AsyncGenerator[bytes | memoryview, None]:
    """What goes over the wire; the head comes with the first of the body.

    Raises:
        httpx.LocalProtocolError: the body is longer or shorter than the headers say.
    """
    waiting = head
    async with aclosing(_body(request)) as body:
        async for piece in body:
            if len(piece) < PIECE_BYTES:
                yield waiting + piece
            else:
                async for each in _slices(waiting, piece):
                    if each:
                        yield each
            waiting = b""
    if waiting:
        yield waiting


async def _body(request: httpx.Request) -> AsyncGenerator[bytes, None]:
    stream = request.stream
    if not isinstance(stream, AsyncIterable):
        raise httpx.LocalProtocolError("the body of a request must be an asynchronous stream")
    if "Transfer-Encoding" in request.headers:
        async for piece in stream:
            if piece:
                yield b"%x\r\n%s\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"
        return
    left = int(request.headers.get("Content-Length", 0))
    async for piece in stream:
        left -= len(piece)
        if left < 0:
            break
        if piece:
            yield piece
    if left:
        raise httpx.LocalProtocolError("a body of another length than its headers say")
