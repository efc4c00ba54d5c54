"""A raw scripted server on loopback: any status, header, body, cut, stall or reset, in any phase of an exchange.

A script is a tuple of steps; each request takes the next one. It records all that it received, and never waits on time.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias


@dataclass(frozen=True)
class ReadHead:
    """Read the request's headers."""


@dataclass(frozen=True)
class Read:
    """Read the whole request."""


@dataclass(frozen=True)
class Send:
    """Write these bytes as they are."""

    data: bytes


@dataclass(frozen=True)
class Stall:
    """Neither read nor write any more until the server is closed."""


@dataclass(frozen=True)
class Reset:
    """Break the connection (RST)."""


@dataclass(frozen=True)
class Close:
    """End the connection (FIN)."""


Step: TypeAlias = ReadHead | Read | Send | Stall | Reset | Close
Script: TypeAlias = tuple[Step, ...]


@dataclass
class Received:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    connection: int = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def head(status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """A status line with headers and nothing added."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def reply(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Script:
    """A whole answer, after the whole request was read."""
    return (Read(), Send(head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body))


def json_reply(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Script:
    """A whole JSON answer."""
    body = json.dumps(document).encode()
    return reply(status, body, {"Content-Type": "application/json", **(headers or {})})


def task(state: str = "waiting", task_id: str = "task_1", **more: object) -> dict[str, object]:
    """A task resource with little in it."""
    return {"task_id": task_id, "object": "task", "model": "nano-banana-pro", "type": "image", "state": state, **more}


@dataclass
class WireServer:
    """The server; an async context manager. `scripts` are used up in order, one per request."""

    scripts: deque[Script] = field(default_factory=deque)
    context: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    _arrival: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.context, backlog=300)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        for each in list(self._tasks):
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def origin(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def then(self, *scripts: Sequence[Step]) -> None:
        """What to do with the next requests."""
        self.scripts.extend(tuple(script) for script in scripts)

    def leave(self) -> None:
        """Take no more connections: the port refuses them, those that are there go on."""
        assert self._server is not None
        self._server.close()

    async def arrived(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        while len(self.requests) < count:
            self._arrival.clear()
            await self._arrival.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        self._tasks.add(this)
        this.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._serve(reader, writer, self.connections)
        except asyncio.CancelledError:
            pass  # the server is being closed
        finally:
            writer.close()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while True:
            early = bool(self.scripts) and not isinstance(self.scripts[0][0], Read | ReadHead)
            received = None if early else await _read_head(reader, connection)
            if received is not None:
                self.requests.append(received)
                self._arrival.set()
            script = self.scripts.popleft() if self.scripts else (Close(),)
            for step in script:
                if not await _take(step, received, reader, writer):
                    return


async def _read_head(reader: asyncio.StreamReader, connection: int) -> Received:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in lines[1:] if line)
    return Received(method, target, {name.lower(): value.strip() for name, value in pairs}, connection=connection)


async def _take(
    step: Step, received: Received | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Take one step; False ends the connection."""
    match step:
        case ReadHead():
            return True
        case Read():
            assert received is not None
            received.body = await reader.readexactly(int(received.headers.get("content-length", 0)))
            return True
        case Send(data=data):
            writer.write(data)
            await writer.drain()
            return True
        case Stall():
            await asyncio.Event().wait()
            return False
        case Reset():
            # an abort of a socket that does not linger is sent as RST
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        case Close():
            return False
