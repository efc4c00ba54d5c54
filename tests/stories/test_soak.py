"""A long batch takes no more memory and no more open files than a short one.

The long programme, about ten minutes: `python -m pytest -n 0 -m slow tests/stories/test_soak.py -s`.
"""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.stories.world import World, ended
from tests.wire_server import _read_head, head
from tests.worker.rig import png

COUNT = 20_000
MEMORY_BYTES = 8 * 1024 * 1024
OPEN_FILES = 5


class Quick:
    """A provider that paints nothing: every task is done at once, every picture the same."""

    def __init__(self) -> None:
        self.sold = 0
        self.origin = ""

    @contextmanager
    def serving(self) -> Iterator["Quick"]:
        """Serve in a thread until the end of the block."""
        ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=500)
            self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            ready.set()
            await stop.wait()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server.close()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                asked = await _read_head(reader, 0)
                await reader.readexactly(int(asked.headers.get("content-length", 0)))
                status, body = self._answer(asked.method, asked.target)
                writer.write(head(status, {"Content-Length": str(len(body))}) + body)
                await writer.drain()
        writer.close()

    def _answer(self, method: str, target: str) -> tuple[int, bytes]:
        name = target.rpartition("/")[2]
        if method == "POST":
            self.sold += 1
            return 202, json.dumps({"task_id": f"t{self.sold}", "state": "waiting", "eta_hint_seconds": 0.01}).encode()
        if target.startswith("/v1/tasks/"):
            url = f"{self.origin}/{name}.png"
            return 200, json.dumps({"task_id": name, "state": "success", "result": {"data": [{"url": url}]}}).encode()
        return 200, b'{"data": []}' if target.startswith("/v1/") else png()


@dataclass(frozen=True)
class Sample:
    """What a run holds when so many pictures were sold; memory in bytes, of it and its children."""

    sold: int
    memory: int
    files: int


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_thousand_jobs_hold_no_more_than_few(tmp_path: Path) -> None:
    """Memory and open files of a run of 20,000 jobs are as flat in its last third as in its first."""
    samples = soaked(tmp_path, COUNT)
    early = [each for each in samples if COUNT * 0.25 < each.sold <= COUNT * 0.5]
    late = [each for each in samples if each.sold > COUNT * 0.75]
    memory = [statistics.median(each.memory for each in part) for part in (early, late)]
    files = [statistics.median(each.files for each in part) for part in (early, late)]
    print(json.dumps({"memory MiB": [round(each / 2**20, 1) for each in memory], "open files": files}))  # noqa: T201
    assert memory[1] - memory[0] < MEMORY_BYTES
    assert abs(files[1] - files[0]) <= OPEN_FILES


def soaked(root: Path, count: int) -> list[Sample]:
    """Run so many jobs and look at the process now and then."""
    world, samples = World(root), []
    with Quick().serving() as provider:
        wanted = [
            {"id": f"j{number:06}", "model": "nano-banana-pro", "prompt": f"cube {number}"} for number in range(count)
        ]
        limits = {
            "rate": "none",
            "in_flight": 64,
            "expert": {"polls_per_second": 2000, "submit_slots": 16, "downloads": 16},
        }
        world.write(jobs=wanted, provider={"base_url": provider.origin}, limits=limits, output={"check": "structure"})
        run = world.start("run", "m.yaml", "-q", XENODIA_API_KEY="k" * 20)
        process = psutil.Process(run.pid)
        while run.poll() is None and provider.sold < count:
            with suppress(psutil.NoSuchProcess):
                family = [process, *process.children(recursive=True)]
                memory = sum(each.memory_info().rss for each in family)
                samples.append(Sample(provider.sold, memory, sum(each.num_fds() for each in family)))
            time.sleep(0.25)
        done = ended(run, patience=3600)
    assert done.code == 0, done.text
    assert world.batch().kinds() == {"Stored": count}
    return samples
