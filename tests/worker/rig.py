"""A worker with everything it holds, all in memory, driven by a clock that jumps."""

import hashlib
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import anyio

from batchgen.api import Offer, Order, Receipt, Standing, Waiting, cadence, limits, pace
from batchgen.brake import Brake
from batchgen.engine.local import LocalEngine
from batchgen.halt import Halt
from batchgen.job import Job, Request, draft
from batchgen.journal import Caps, Identity, Totals
from batchgen.journal.memory import Book, MemoryRecord, open_memory
from batchgen.lifecycle import Milestone
from batchgen.retry import Timing
from batchgen.store.memory import MemoryStore
from batchgen.terms import Terms
from batchgen.verdict import verdict
from batchgen.worker import Worker
from batchgen.worker.tools import Clocks, Tools


def png(width: int = 2, height: int = 1, colour: int = 90) -> bytes:
    """A whole PNG picture of one grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = (b"\0" + bytes([colour]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


@dataclass
class Clock:
    """Unix and monotonic time in one; sleeping moves it and takes none."""

    now: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Jump ahead."""
        self.slept.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()


Outcome = Any
"""A value to return, an exception to raise, or a callable that gives either (it may be async)."""


@dataclass
class FakeProvider:
    """Answers from scripts, the last word again and again; remembers every call."""

    clock: Clock
    submits: Sequence[Outcome] = ()
    statuses: Sequence[Outcome] = ()
    downloads: Sequence[Outcome] = ()
    orders: list[Order] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    async def submit(self, order: Order) -> Receipt:
        """The next scripted outcome; by default a task of its own."""
        self.orders.append(order)
        default = Receipt(f"task-{len(self.orders)}", Waiting("waiting"))
        return await _play(self.submits, len(self.orders), default)  # type: ignore[no-any-return]

    async def status(self, task_id: str) -> Standing:
        """The next scripted outcome; by default a picture at once."""
        self.asked.append(task_id)
        default = Offer((f"https://pictures.example/{task_id}?sig=secret",), self.clock(), 40_000)
        return await _play(self.statuses, len(self.asked), default)  # type: ignore[no-any-return]

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The next scripted outcome; by default a picture whose grey follows from the URL."""
        self.fetched.append(url)
        grey = hashlib.sha256(url.encode()).digest()[0]
        yield _chunks(await _play(self.downloads, len(self.fetched), png(colour=grey)))


async def _play(script: Sequence[Outcome], number: int, default: Outcome) -> Outcome:
    outcome = script[number - 1] if number <= len(script) else default
    if callable(outcome):
        outcome = outcome()
        if hasattr(outcome, "__await__"):
            outcome = await outcome
    if isinstance(outcome, BaseException):
        raise outcome
    await anyio.lowlevel.checkpoint()
    return outcome


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 20):
        yield data[start : start + 20]


@dataclass
class Rig:
    """A batch in memory and whoever sells to it; every `run` is a run of its own."""

    jobs: int = 1
    terms: Terms = field(default_factory=Terms)
    caps: Caps = field(default_factory=Caps)
    price: int | None = 50_000
    clock: Clock = field(default_factory=Clock)
    book: Book = field(default_factory=Book)
    files: dict[str, bytes] = field(default_factory=dict)
    wrap_store: Callable[[MemoryStore], Any] = lambda store: store
    wrap_journal: Callable[[Any], Any] = lambda journal: journal
    halt: Halt = field(init=False)
    tools: Tools = field(init=False)

    def __post_init__(self) -> None:
        self.provider = FakeProvider(self.clock)
        self.identity = Identity("ab" * 16, "rig", "rig.yaml", "loopback")

    async def run(self, tampered: Callable[[Tools], object] = lambda _: None) -> tuple[int, str]:
        """One run of everything unfinished; returns exit code and reason."""
        drafts = [draft(f"job{n}", Request("nano-banana-pro", f"prompt {n}"), f"job{n}") for n in range(self.jobs)]
        async with open_memory(self.book, self.identity, verb="run", clock=self.clock) as journal:
            await journal.owe(drafts, "inputs")
            self.halt = Halt()
            timing = pace.Timing(self.clock, self.clock.sleep, lambda: 0.5)
            reach = limits.Reach(timing)
            self.tools = Tools(
                provider=self.provider,
                journal=self.wrap_journal(journal),
                store=self.wrap_store(MemoryStore(self.files)),
                terms=self.terms,
                gates=limits.Gates(self.terms, reach, _no_probe, timing),
                cadence=cadence.Cadence(chance=lambda: 0.5),
                prepare=_prepare,
                halt=self.halt,
                clocks=Clocks(self.clock, Timing(self.clock, self.clock.sleep, lambda: 0.5)),
                caps=self.caps,
                price=lambda _: self.price,
                brake=Brake(self.terms.failures.stop_at),
            )
            tampered(self.tools)
            with self.halt.scope:
                engine = LocalEngine(self.terms.limits.in_flight, timing=self.tools.clocks.timing)
                await engine.run(partial(_open, Worker(self.tools)))
            code, reason = verdict(await journal.totals(), self.halt, self.terms.failures.accept)
            await journal.end(code, reason)
        return code, reason

    async def run_until(self, moment: anyio.Event, act: Callable[[Tools], None]) -> int:
        """One run in which something is done when the moment comes; returns its exit code."""

        async def wait(tools: Tools) -> None:
            await moment.wait()
            act(tools)

        async with anyio.create_task_group() as group:
            code, _ = await self.run(lambda tools: group.start_soon(wait, tools))
        return code

    def life(self, number: int = 1) -> list[Milestone]:
        """All milestones of a job."""
        return [written[0] for written in self.book.lives[number - 1].written]

    def kinds(self, number: int = 1) -> list[str]:
        """The names of all milestones of a job."""
        return [type(each).__name__ for each in self.life(number)]

    def head(self, number: int = 1) -> Milestone:
        """The newest milestone of a job."""
        return self.life(number)[-1]

    @property
    def totals(self) -> Totals:
        """The figures."""
        return MemoryRecord(self.book).totals()

    @property
    def pictures(self) -> list[str]:
        """The names of all files that are no parts."""
        return sorted(name for name in self.files if ".batchgen" not in name)


def with_profile(terms: Terms, **promises: Any) -> Terms:
    """The same terms with other promises of the provider."""
    return replace(terms, profile=replace(terms.profile, **promises))


@asynccontextmanager
async def _open(worker: Worker) -> AsyncIterator[Worker]:
    yield worker


async def _prepare(job: Job, token: str) -> Order:
    return Order(token, job.request.model, "application/json", job.request.prompt.encode())


async def _no_probe() -> None:
    return None
