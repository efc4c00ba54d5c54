"""A faulty road to a gateway: an HTTP proxy on loopback that plays seeded faults and remembers what was asked when.

It stands in a thread of its own, so that whole programs can be run against it. Every request takes one roll of dice of
its kind of call; what it hands through is counted by what the gateway answered.
"""

import asyncio
import contextlib
import email.utils
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from tests.wire_server import Close, Read, Received, Reset, Send, Step, _read_head, _take, head

Call: TypeAlias = Literal["submit", "poll", "picture"]

LATE_SECONDS: Final = 0.4
"""A request is not early if it may have left before the answer that forbade it was read."""

RATES: Final[Mapping[Call, Mapping[str, float]]] = {
    "submit": {
        "429 for all": 0.015,
        "503 with a time": 0.005,
        "reset before": 0.02,
        "cut before": 0.02,
        "500 before": 0.015,
        "cut after": 0.03,
        "502 after": 0.015,
        "half an answer": 0.015,
        "HTML": 0.01,
    },
    "poll": {"429 for all": 0.002, "500": 0.01, "reset": 0.01, "half an answer": 0.01, "HTML": 0.01, "wrong id": 0.01},
    "picture": {
        "429 for all": 0.002,
        "403": 0.015,
        "404": 0.015,
        "410": 0.01,
        "half a picture": 0.03,
        "HTML": 0.02,
        "slow": 0.02,
        "502": 0.006,
    },
}
"""How often each fault is played; together they are met by 30 of 100 jobs."""


@dataclass
class Tally:
    """What was asked and answered; `early` are requests that came before a time that had been named."""

    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    not_yet: int = 0
    early: list[str] = field(default_factory=list)


@dataclass
class _Shut:
    """A time before which nobody may ask, told at a moment."""

    told: float = 0.0
    until: float = 0.0


class Chaos:
    """The proxy before a gateway at `upstream`; `rates` empty makes it a clean road."""

    def __init__(self, upstream: str, seed: int, rates: Mapping[Call, Mapping[str, float]] = RATES) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._rates = rates
        self._chance = random.Random(seed)
        self._shut: dict[Call, _Shut] = {"submit": _Shut(), "poll": _Shut(), "picture": _Shut()}
        self.tally = Tally()
        self.origin = ""

    @contextmanager
    def serving(self) -> Iterator["Chaos"]:
        """Serve in a thread until the end of the block."""
        ready: threading.Event = threading.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=500)
            self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._stop = asyncio.Event()
            ready.set()
            await self._stop.wait()
            server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(self._stop.set)
            thread.join(10)
            loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                while await self._exchange(reader, writer):
                    pass
            finally:
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = await _read_head(reader, 0)
        call = kind(asked)
        if call is None:
            await _take(Read(), asked, reader, writer)
            writer.write(await self._forward(asked))
            await writer.drain()
            return False
        self.tally.requests[call] += 1
        fault = self._fault(call)
        if fault is not None:
            self.tally.faults[f"{call}: {fault}"] += 1
        road = _Road(self, call, asked, reader, writer)
        for step in await road.played(fault):
            if not await _take(step, asked, reader, writer):
                return False
        return False

    def _fault(self, call: Call) -> str | None:
        """What happens to this request; while a call is shut it is answered with the time that is left."""
        shut, now = self._shut[call], time.time()
        if now < shut.until:
            if now > shut.told + LATE_SECONDS:
                self.tally.early.append(f"{call} {shut.until - now:.2f} s early")
            return "429 for all"
        roll = self._chance.random()
        for name, rate in self._rates.get(call, {}).items():
            if roll < rate:
                return name
            roll -= rate
        return None

    def wait(self, call: Call) -> dict[str, str]:
        """The headers that shut a call for a while, in both forms in turn, and the time kept."""
        shut, now = self._shut[call], time.time()
        if now < shut.until:
            return {"Retry-After": f"{shut.until - now + 0.01:.2f}"}
        shut.told = now
        if self._chance.random() < 0.5:
            shut.until = now + 1.0
            return {"Retry-After": "1"}
        shut.until = int(now) + 2.0
        return {
            "Date": email.utils.formatdate(int(now), usegmt=True),
            "Retry-After": email.utils.formatdate(int(now) + 2, usegmt=True),
        }

    async def _forward(self, asked: Received) -> bytes:
        """The gateway's whole answer to a request."""
        reader, writer = await asyncio.open_connection(*self._upstream)
        kept = {name: value for name, value in asked.headers.items() if name not in {"connection", "content-length"}}
        kept |= {"connection": "close", "content-length": str(len(asked.body))}
        lines = [f"{asked.method} {asked.target} HTTP/1.1", *(f"{name}: {value}" for name, value in kept.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + asked.body)
        try:
            return await reader.read()
        finally:
            writer.close()


@dataclass
class _Road:
    """One request and what becomes of it."""

    chaos: Chaos
    call: Call
    asked: Received
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def played(self, fault: str | None) -> tuple[Step, ...]:
        """The steps that play a fault."""
        if fault == "reset before":
            return (Reset(),)
        await _take(Read(), self.asked, self.reader, self.writer)
        match fault:
            case "429 for all":
                return self._said(429, self.chaos.wait(self.call))
            case "503 with a time":
                return self._said(503, self.chaos.wait(self.call))
            case "cut before":
                return (Close(),)
            case "reset":
                return (Reset(),)
            case "500 before" | "500" | "502" | "403" | "404" | "410":
                return self._said(int(fault[:3]), {})
            case "HTML":
                return self._said(200, {"Content-Type": "text/html"}, b"<html>one moment please</html>")
        return self._through(fault, await self.chaos._forward(self.asked))

    def _through(self, fault: str | None, answer: bytes) -> tuple[Step, ...]:
        """The steps that play what goes wrong with an answer of the gateway."""
        match fault:
            case "cut after":
                return (Close(),)
            case "502 after":
                return self._said(502, {}, b"<html>bad gateway</html>")
            case "half an answer" | "half a picture":
                return (Send(answer[: max(len(answer) // 2, answer.find(b"\r\n\r\n") + 5)]), Close())
            case "wrong id":
                return (Send(answer.replace(b'"task_id":"', b'"task_id":"x', 1)), Close())
            case "slow":
                return (*(Send(answer[at : at + 8192]) for at in range(0, len(answer), 8192)), Close())
        if self.call == "poll" and waiting(answer):
            self.chaos.tally.not_yet += 1
        return (Send(answer), Close())

    def _said(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> tuple[Step, ...]:
        return (Send(head(status, {"Content-Length": str(len(body)), **headers}) + body), Close())


def kind(asked: Received) -> Call | None:
    """Which call a request is, None for the catalogue."""
    if asked.method == "POST":
        return "submit"
    if asked.target.startswith("/v1/tasks/"):
        return "poll"
    return None if asked.target.startswith("/v1/") else "picture"


def waiting(answer: bytes) -> bool:
    """Whether a poll was honestly answered with "not yet"."""
    try:
        said = json.loads(answer.partition(b"\r\n\r\n")[2])
    except ValueError:
        return False
    return bool(said.get("state") not in {"success", "fail", None})
