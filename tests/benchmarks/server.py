"""A raw fast provider: `python -m tests.benchmarks.server --profile d0`. It prints its URL, and ends with its input.

One `write` an answer and no framework, so that whoever races against it is never held up; `GET /stats` says what CPU
it took itself, which the races hold against that claim.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import resource
import ssl
import statistics
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import httptools
import uvloop

MEDIAN_SECONDS, SIGMA, SEED = 5.0, 0.5, 20251122
ETA_SECONDS = 0.001
"""What a create of tasks that are ready at once says of itself, so that nobody waits for the first look."""


def durations(profile: str) -> Iterator[float]:
    """Seconds that one task after the other takes; every server and the computed ideal draw the same."""
    chance = random.Random(SEED)
    match profile:
        case "d0":
            return itertools.repeat(0.0)
        case "d1":
            return itertools.repeat(1.0)
        case "d5":
            return (MEDIAN_SECONDS * chance.lognormvariate(0.0, SIGMA) for _ in itertools.count())
        case "never":
            return itertools.repeat(1e9)
    raise ValueError(profile)


def ideal_seconds(profile: str, jobs: int, in_flight: int) -> float:
    """When the last of these tasks ends if each begins in the moment in which a place is free."""
    ends = [0.0] * in_flight
    for took in itertools.islice(durations(profile), jobs):
        earliest = min(range(in_flight), key=ends.__getitem__)
        ends[earliest] += took
    return max(ends)


def picture(size: int) -> bytes:
    """A valid PNG of about so many bytes: noise, stored and not packed."""
    width = 256
    height = max(1, (size - 100) // (3 * width + 1))
    noise = random.Random(SEED).randbytes(3 * width)
    rows = zlib.compress((b"\0" + noise) * height, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@dataclass(slots=True)
class Desk:
    """Tasks, and what was counted of them; `ready` is when each is done, `seen` how much later somebody knew."""

    profile: str
    size: int
    url: str = ""
    tasks: list[float] = field(default_factory=list)
    seen: dict[int, float] = field(default_factory=dict)
    polls: int = 0
    downloads: int = 0
    connections: int = 0
    most_connections: int = 0
    began_cpu: float = 0.0
    takes: Iterator[float] = field(init=False)
    image: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.takes = durations(self.profile)
        self.image = _answer(200, picture(self.size), "image/png")

    def create(self) -> bytes:
        """A new task."""
        number = len(self.tasks)
        self.tasks.append(time.monotonic() + next(self.takes))
        hint = f',"eta_hint_seconds":{ETA_SECONDS}' if self.profile == "d0" else ""
        body = (
            f'{{"task_id":"t{number}","object":"task","model":"gpt-image-2","type":"image","state":"waiting",'
            f'"created_at":1,"poll_url":"/v1/tasks/t{number}"{hint}}}'
        )
        return _answer(202, body.encode())

    def task(self, name: str) -> bytes:
        """Where a task stands."""
        number, now = int(name.removeprefix("t")), time.monotonic()
        self.polls += 1
        late = now - self.tasks[number]
        if late < 0:
            return _answer(200, f'{{"task_id":"{name}","object":"task","state":"generating","result":{{}}}}'.encode())
        self.seen.setdefault(number, late)
        body = (
            f'{{"task_id":"{name}","object":"task","state":"success","result":{{"created":1,"data":'
            f'[{{"url":"{self.url}/p/{name}.png"}}]}},"billing":{{"actual_amount_micro_usdc":40000}}}}'
        )
        return _answer(200, body.encode())

    def download(self) -> bytes:
        """The picture."""
        self.downloads += 1
        return self.image

    def stats(self) -> bytes:
        """What happened so far, and what it cost this process."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = {
            "submits": len(self.tasks),
            "polls": self.polls,
            "downloads": self.downloads,
            "most_connections": self.most_connections,
            "cpu_seconds": used.ru_utime + used.ru_stime - self.began_cpu,
            "delay_median": statistics.median(self.seen.values()) if self.seen else 0.0,
        }
        return _answer(200, json.dumps(told).encode())


class Line(asyncio.Protocol):
    """One connection; its requests are answered in order."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._url = b""
        self._write: Callable[[bytes], None] = lambda _: None
        self._close: Callable[[], None] = lambda: None
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        line = cast(asyncio.Transport, transport)  # uvloop's is none by its bases
        self._write, self._close = line.write, line.close
        self._desk.connections += 1
        self._desk.most_connections = max(self._desk.most_connections, self._desk.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        """One less."""
        self._desk.connections -= 1

    def data_received(self, data: bytes) -> None:
        """Parse it; the parser calls below."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._close()

    def on_url(self, url: bytes) -> None:
        """The path."""
        self._url += url

    def on_message_complete(self) -> None:
        """Answer."""
        path, self._url = self._url.decode(), b""
        self._write(self._answer(path))
        if not self._parser.should_keep_alive():
            self._close()

    def _answer(self, path: str) -> bytes:
        if path.startswith("/p/"):
            return self._desk.download()
        if path.startswith("/v1/tasks/"):
            return self._desk.task(path.rpartition("/")[2])
        match path:
            case "/v1/images/generations":
                return self._desk.create()
            case "/stats":
                return self._desk.stats()
        return _answer(200, b'{"object":"list","data":[]}')


def _answer(status: int, body: bytes, kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def serve(desk: Desk, certificate: str | None) -> None:
    """Serve until standard input ends, over TLS if there is a certificate with its key."""
    loop, context = asyncio.get_running_loop(), None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await loop.create_server(lambda: Line(desk), "127.0.0.1", 0, backlog=4096, ssl=context)
    scheme = "http" if context is None else "https"
    desk.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    used = resource.getrusage(resource.RUSAGE_SELF)
    desk.began_cpu = used.ru_utime + used.ru_stime
    print(desk.url, flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()


def main() -> None:
    """Read what to play, and play it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", default="d0")
    parser.add_argument("--size", type=int, default=200_000)
    parser.add_argument("--core", type=int)
    parser.add_argument("--certificate")
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    uvloop.run(serve(Desk(given.profile, given.size), given.certificate))


if __name__ == "__main__":
    main()
