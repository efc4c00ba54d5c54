"""The peers of the race: how a careful person writes the same job by hand, with httpx and with aiohttp.

`python -m tests.benchmarks.peers N URL FOLDER` does jobs and prints what they took. N is httpx, A aiohttp on uvloop
with a log without fsync, B the same without any log, X httpx's own pool with nothing but downloads behind it.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import aiohttp
import httpx
import uvloop

from tests.benchmarks.measure import Work, measured

KEY = {"Authorization": "Bearer " + "k" * 20}
Write = Callable[[bytes], object]


@dataclass
class Log:
    """One line for each step, flushed and never synced; None keeps nothing."""

    file: IO[str] | None

    def note(self, **what: str) -> None:
        """Write a line."""
        if self.file is not None:
            self.file.write(json.dumps(what) + "\n")
            self.file.flush()


class Target:
    """A picture that is being written: hashed as it comes, renamed when it is whole."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.png"
        self._part = folder / f"{name}.part"
        self._file = self._part.open("wb")
        self._digest = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._file.write(chunk)
        self._digest.update(chunk)

    def keep(self) -> str:
        """Give it its name."""
        self._file.close()
        self._part.rename(self._path)
        return self._digest.hexdigest()


class WithHttpx:
    """A careful person's httpx."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(30, pool=None), headers=KEY)

    async def submit(self, body: dict[str, object], token: str) -> str:
        """The id of a new task."""
        answer = await self._client.post(
            f"{self._url}/v1/images/generations", json=body, headers={"Idempotency-Key": token}
        )
        answer.raise_for_status()
        return str(answer.json()["task_id"])

    async def poll(self, task: str) -> str | None:
        """The URL of the picture, None while there is none."""
        answer = await self._client.get(f"{self._url}/v1/tasks/{task}")
        answer.raise_for_status()
        told = answer.json()
        return str(told["result"]["data"][0]["url"]) if told["state"] == "success" else None

    async def fetch(self, url: str, write: Write) -> None:
        """Its bytes."""
        async with self._client.stream("GET", url) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                write(chunk)

    async def close(self) -> None:
        """Done."""
        await self._client.aclose()


class WithAiohttp:
    """A careful person's aiohttp."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = aiohttp.ClientSession(headers=KEY, connector=aiohttp.TCPConnector(limit=256))

    async def submit(self, body: dict[str, object], token: str) -> str:
        """The id of a new task."""
        url = f"{self._url}/v1/images/generations"
        async with self._client.post(url, json=body, headers={"Idempotency-Key": token}) as answer:
            answer.raise_for_status()
            return str((await answer.json())["task_id"])

    async def poll(self, task: str) -> str | None:
        """The URL of the picture, None while there is none."""
        async with self._client.get(f"{self._url}/v1/tasks/{task}") as answer:
            answer.raise_for_status()
            told = await answer.json()
        return str(told["result"]["data"][0]["url"]) if told["state"] == "success" else None

    async def fetch(self, url: str, write: Write) -> None:
        """Its bytes."""
        async with self._client.get(url) as answer:
            answer.raise_for_status()
            async for chunk in answer.content.iter_any():
                write(chunk)

    async def close(self) -> None:
        """Done."""
        await self._client.close()


async def race(client: WithHttpx | WithAiohttp, work: Work, folder: Path, log: Log) -> None:
    """Do all jobs, so many at once."""
    places = asyncio.Semaphore(work.in_flight)

    async def job(number: int) -> None:
        name = f"job-{number:06}"
        body: dict[str, object] = {"model": "gpt-image-2", "prompt": f"A shoe on a rock, number {number}", "n": 1}
        task = await client.submit(body, name)
        log.note(job=name, state="submitted", task=task)
        while (url := await client.poll(task)) is None:
            await asyncio.sleep(work.poll_seconds)
        log.note(job=name, state="ready")
        target = Target(folder, name)
        await client.fetch(url, target.write)
        log.note(job=name, state="stored", sha256=target.keep())

    async def placed(number: int) -> None:
        try:
            await job(number)
        finally:
            places.release()

    async with asyncio.TaskGroup() as group:
        for number in range(work.jobs):
            await places.acquire()
            group.create_task(placed(number))
    await client.close()


def main() -> None:
    """Run one peer in this process."""
    peer, url, where = sys.argv[1:4]
    work, folder = Work.read(), Path(where)

    async def whole() -> None:
        client = WithHttpx(url) if peer == "N" else WithAiohttp(url)
        with open(os.devnull if peer == "B" else folder / "log.jsonl", "w") as file:
            await race(client, work, folder, Log(None if peer == "B" else file))

    run: Callable[[Awaitable[None]], object] = asyncio.run if peer == "N" else uvloop.run  # type: ignore[assignment]
    measured(lambda: run(whole()), work)


if __name__ == "__main__":
    main()
