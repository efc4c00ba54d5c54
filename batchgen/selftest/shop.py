"""The built-in gateway with a quick brush: in a process of its own, or inside the life that may lose it."""

import hashlib
import os
import socket
import struct
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import anyio

from batchgen.gateway.app import create_app
from batchgen.gateway.book import Book, key_digest
from batchgen.gateway.options import Settings
from batchgen.gateway.painting import Work
from batchgen.gateway.rules import Account, Rules
from batchgen.gateway.serve import listen, origin, running
from batchgen.gateway.state import open_state, save_file
from batchgen.gateway.task import seed
from batchgen.terms import Idempotency

SIDE = 8


@dataclass(frozen=True, slots=True)
class Shop:
    """A gateway to be opened: its folder, its listening socket, what it does with a token, the credential it takes."""

    state: Path
    listener: socket.socket
    idempotency: Idempotency
    credential: str

    @property
    def url(self) -> str:
        """Its origin."""
        return origin(self.listener)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve as long as the context lasts."""
        state = open_state(str(self.state), wait_seconds=0)
        settings = Settings(idempotency=self.idempotency, pace=0)
        book = Book(Rules({key_digest(self.credential): Account("selftest", "selftest")}))
        try:
            async with running(create_app(state, book, settings, paint=_paint), self.listener.dup()):
                yield
        finally:
            state.close()


def shop(state: Path, idempotency: Idempotency, credential: str) -> Shop:
    """A gateway on a free port of this machine, not open yet."""
    return Shop(state, listen("127.0.0.1", 0), idempotency, credential)


def in_a_process(shop: Shop) -> tuple[int, int]:
    """Open a shop in a forked process; it closes when the pipe does. Returns the process and our end of the pipe."""
    theirs, ours = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        os.close(ours)
        os.fsync = lambda _: None  # type: ignore[assignment]  # this machine loses nothing, and need not wait
        anyio.run(_until_closed, shop, theirs)
    finally:
        sys.stderr.flush()
        os._exit(0)


async def _until_closed(shop: Shop, pipe: int) -> None:
    async with shop.open():
        await anyio.wait_readable(pipe)


def without() -> nullcontext[None]:
    """No shop of one's own."""
    return nullcontext()


async def _paint(work: Work) -> str:
    data = picture(seed(work.task.id))
    save_file(work.path, data)
    return hashlib.sha256(data).hexdigest()


def picture(number: int) -> bytes:
    """A small PNG that differs with the number."""
    colours = hashlib.shake_256(str(number).encode()).digest(SIDE * SIDE * 3)
    rows = b"".join(b"\0" + colours[at : at + SIDE * 3] for at in range(0, len(colours), SIDE * 3))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
