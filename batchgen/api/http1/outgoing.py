"""One request as bytes: its head, then its body as it is made. What could be read in two ways is refused."""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import Final

import httpx

PIECE_BYTES: Final = 256 * 1024
"""How much is handed to a socket at once."""


def head_of(request: httpx.Request) -> bytes:
    """The request's line and its headers.

    Raises:
        httpx.LocalProtocolError: something in them would end a line early.
    """
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%s: %s" % pair for pair in request.headers.raw]
    text = b"\r\n".join(lines) + b"\r\n\r\n"
    ends = len(lines) + 1
    if lines[0].count(b" ") != 2 or text.count(b"\n") != ends or text.count(b"\r") != ends or b"\0" in text:
        raise httpx.LocalProtocolError("a space, a line end or a zero byte where none may be")
    return text


def has_body(request: httpx.Request) -> bool:
    """Whether anything comes after the head."""
    return "Content-Length" in request.headers or "Transfer-Encoding" in request.headers


async def pieces(head: bytes, request: httpx.Request) -> AsyncGenerator[bytes | memoryview, None]:
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
                yield waiting
                for start in range(0, len(piece), PIECE_BYTES):
                    yield memoryview(piece)[start : start + PIECE_BYTES]
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
