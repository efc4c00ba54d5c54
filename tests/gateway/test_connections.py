"""Connections that waste time: slow heads, unread answers, one too many."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketStream
from starlette.types import Receive, Scope, Send

from batchgen.gateway.connections import Patience
from batchgen.gateway.serve import listen, running

pytestmark = pytest.mark.anyio

ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = 64 * 1024 * 1024


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once; /large with more than any buffer holds."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    body = b"x" * LARGE if scope["path"] == "/large" else b"ok"
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def server(patience: Patience) -> AsyncIterator[int]:
    with listen("127.0.0.1", 0) as listener:
        async with running(plain, listener, patience=patience):
            yield listener.getsockname()[1]


async def ended(line: SocketStream) -> bytes:
    """All that still comes, until the other side hangs up."""
    came = b""
    with anyio.fail_after(5):
        while True:
            try:
                came += await line.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return came


HASTY = Patience(head_seconds=0.04)


@pytest.mark.parametrize("begun", [b"", b"GET / HT", ASK[:-2]])
async def test_a_head_that_does_not_arrive_is_given_up(begun: bytes) -> None:
    """A connection that does not send a whole head in time is closed, whatever it has sent of it."""
    async with server(HASTY) as port, await anyio.connect_tcp("127.0.0.1", port) as line:
        if begun:
            await line.send(begun)
        assert await ended(line) == b""


async def test_a_head_that_drips_is_given_up() -> None:
    """Bytes that keep coming win no time: the deadline is of the whole head."""
    async with server(HASTY) as port, await anyio.connect_tcp("127.0.0.1", port) as line:
        with anyio.fail_after(5), pytest.raises((anyio.BrokenResourceError, anyio.ClosedResourceError)):
            await drip(line)


async def drip(line: SocketStream) -> None:
    while True:
        await line.send(b"x")
        await anyio.sleep(0.005)


async def test_a_second_head_has_a_deadline_too() -> None:
    """After an answer the connection may be used again, and a slow second head is given up."""
    async with server(HASTY) as port, await anyio.connect_tcp("127.0.0.1", port) as line:
        for _ in range(2):
            await line.send(ASK)
            assert (await line.receive()).startswith(b"HTTP/1.1 200")
        await line.send(b"GET / HT")
        assert b"HTTP/1.1" not in await ended(line)


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    """A client that asks for much and does not read is cut off; its neighbour is served meanwhile."""
    async with (
        server(Patience(unread_seconds=0.04)) as port,
        await anyio.connect_tcp("127.0.0.1", port) as line,
        await anyio.connect_tcp("127.0.0.1", port) as other,
    ):
        await line.send(ASK.replace(b" / ", b" /large "))
        await other.send(ASK)
        assert (await other.receive()).startswith(b"HTTP/1.1 200")
        for _ in range(4):
            await anyio.sleep(0.04)
        assert len(await ended(line)) < LARGE


async def test_a_slow_reader_that_reads_is_served() -> None:
    """The deadline is of standing still: an answer that takes far longer than it, read bit by bit, arrives whole."""
    async with server(Patience(unread_seconds=0.2)) as port, await anyio.connect_tcp("127.0.0.1", port) as line:
        await line.send(ASK.replace(b" / ", b" /large "))
        size, began = 0, anyio.current_time()
        with anyio.fail_after(30):
            while size < LARGE:
                size += len(await line.receive(2 * 1024 * 1024))
                await anyio.sleep(0.01)
        assert anyio.current_time() - began > 0.2


async def test_a_connection_too_many_is_answered() -> None:
    """Beyond the limit a connection is answered 503 with a time and closed; far beyond it is cut; then all is well."""
    async with server(Patience(connections=2)) as port:
        lines = [await anyio.connect_tcp("127.0.0.1", port) for _ in range(4)]
        for line in lines[:3]:
            await line.send(ASK)
        assert (await lines[0].receive()).startswith(b"HTTP/1.1 200")
        assert (await lines[1].receive()).startswith(b"HTTP/1.1 200")
        refused = await ended(lines[2])
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in refused.lower()
        assert await ended(lines[3]) == b""
        for line in lines:
            await line.aclose()
        async with await anyio.connect_tcp("127.0.0.1", port) as again:
            await again.send(ASK)
            assert (await again.receive()).startswith(b"HTTP/1.1 200")
