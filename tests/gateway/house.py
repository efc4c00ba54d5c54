"""A gateway over loopback for tests: its clock is driven, its painter is quick."""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpx
from starlette.types import ASGIApp

from batchgen.gateway.app import create_app
from batchgen.gateway.book import Book, key_digest
from batchgen.gateway.options import Settings
from batchgen.gateway.painting import Paint, Work
from batchgen.gateway.rules import Account, Rules
from batchgen.gateway.serve import listen, origin, running
from batchgen.gateway.state import open_state, save_file

KEY, OTHER_KEY = "first-key", "second-key"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FIRST = Account("first", "first")
ACCOUNTS = {key_digest(KEY): FIRST, key_digest(OTHER_KEY): Account("second", "second")}
CREATE = {"model": "nano-banana-pro", "prompt": "a red cube", "async": True}
AT_ONCE = Settings(pace=0)
Before: TypeAlias = Callable[[ASGIApp], AbstractContextManager[ASGIApp]]


@dataclass
class Clock:
    """Unix seconds that stand still until told."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Painter:
    """Saves the same tiny picture each time and remembers its works; `hold` keeps it from finishing."""

    works: list[Work] = field(default_factory=list)
    failure: Exception | None = None
    hold: anyio.Event | None = None
    begun: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, work: Work) -> str:
        self.works.append(work)
        self.begun.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        await anyio.to_thread.run_sync(save_file, work.path, PNG)
        return hashlib.sha256(PNG).hexdigest()


@dataclass
class House:
    """A running gateway and a client that holds its key."""

    client: httpx.AsyncClient
    state_dir: Path
    clock: Clock
    painter: Painter
    book: Book

    async def create(self, body: Any = None, token: str | None = None, key: str = KEY) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} | ({"Idempotency-Key": token} if token is not None else {})
        return await self.client.post("/v1/images/generations", json=body or CREATE, headers=headers)

    async def multipart(self, data: dict[str, Any], files: list[tuple[str, Any]]) -> httpx.Response:
        return await self.client.post("/v1/images/generations", data=data, files=files)

    async def task(self, task_id: str, key: str = KEY) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/tasks/{task_id}", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def ended(self, task_id: str) -> dict[str, Any]:
        """Ask until the task has ended."""
        with anyio.fail_after(10):
            while True:
                task = await self.task(task_id)
                if task["state"] in {"success", "fail"}:
                    return task
                await anyio.sleep(0.005)

    async def bought(self, body: Any = None, token: str | None = None) -> dict[str, Any]:
        """Create a task and wait for its end."""
        answer = await self.create(body, token)
        assert answer.status_code == 202, answer.text
        return await self.ended(answer.json()["task_id"])

    def paid(self) -> list[str]:
        return (self.state_dir / "paid.jsonl").read_text().splitlines()


@asynccontextmanager
async def house(
    state_dir: Path,
    settings: Settings = AT_ONCE,
    *,
    clock: Clock | None = None,
    painter: Painter | None = None,
    paint: Paint | None = None,
    rules: Rules | None = None,
    before: Before = nullcontext,
) -> AsyncIterator[House]:
    """A gateway for as long as the context lasts; starting it again over the same folder is a restart.

    `before` puts something before the app.
    """
    book = Book(rules or Rules(ACCOUNTS))
    clock, painter = clock or Clock(), painter or Painter()
    state = open_state(str(state_dir), wait_seconds=0)
    try:
        app = create_app(state, book, settings, clock=clock, paint=paint or painter)
        with listen("127.0.0.1", 0) as listener, before(app) as stage:
            headers = {"Authorization": f"Bearer {KEY}"}
            async with (
                running(stage, listener),
                httpx.AsyncClient(base_url=origin(listener), headers=headers, trust_env=False) as client,
            ):
                yield House(client, state_dir, clock, painter, book)
    finally:
        state.close()
