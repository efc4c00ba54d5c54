"""What a gateway costs under a rehearsal: `python -m tests.benchmarks.gateway`.

Painting is off. One submit to eight polls go over kept connections, 5,000 tasks are alive; the server's CPU comes from
the kernel, and so is not disturbed by what else the machine does. The latencies are.
"""

import http.client
import itertools
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.stories.world import Gateway, gateway

ALIVE, ROUNDS, CLIENTS = 5000, 500, 4
BODY = {"model": "nano-banana-pro", "prompt": "a red cube on a table", "output_format": "jpg", "async": True}


class Client:
    """One kept connection."""

    def __init__(self, server: Gateway) -> None:
        parts = urlsplit(server.url)
        assert parts.hostname is not None
        self._line = http.client.HTTPConnection(parts.hostname, parts.port)
        self._headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
        self.polls: list[float] = []
        self.submits: list[float] = []

    def submit(self, number: int) -> str:
        """Buy one task."""
        began = time.perf_counter()
        headers = {**self._headers, "Idempotency-Key": f"bench-{number}"}
        self._line.request("POST", "/v1/images/generations", json.dumps(BODY), headers)
        answer = self._line.getresponse()
        document = json.loads(answer.read())
        self.submits.append(time.perf_counter() - began)
        assert answer.status == 202, document
        return str(document["task_id"])

    def poll(self, task: str) -> None:
        """Ask for one task."""
        began = time.perf_counter()
        self._line.request("GET", f"/v1/tasks/{task}", headers=self._headers)
        answer = self._line.getresponse()
        answer.read()
        self.polls.append(time.perf_counter() - began)
        assert answer.status == 200


def mixed(client: Client, numbers: Iterator[int], tasks: list[str]) -> None:
    """One submit to eight polls, again and again."""
    for turn in range(ROUNDS):
        tasks.append(client.submit(next(numbers)))
        for step in range(8):
            client.poll(tasks[(turn * 8 + step) * 37 % len(tasks)])


def at_once(clients: list[Client], work: Iterator[threading.Thread]) -> None:
    """Run one thread for each client, to the end."""
    threads = list(work)
    assert len(threads) == len(clients)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Fill the gateway, then measure the mix."""
    with (
        tempfile.TemporaryDirectory() as place,
        gateway(Path(place) / "gw", "--painter", "none", "--pace", "200") as server,
    ):
        numbers, tasks = itertools.count(), list[str]()
        clients = [Client(server) for _ in range(CLIENTS)]

        def fill(client: Client) -> None:
            tasks.extend(client.submit(next(numbers)) for _ in range(ALIVE // CLIENTS))

        at_once(clients, (threading.Thread(target=fill, args=(each,)) for each in clients))
        process = psutil.Process(server.process.pid)
        before = process.cpu_times()
        at_once(clients, (threading.Thread(target=mixed, args=(each, numbers, tasks)) for each in clients))
        after = process.cpu_times()
        memory = process.memory_info().rss
    cpu = after.user + after.system - before.user - before.system
    polls = sorted(itertools.chain.from_iterable(each.polls for each in clients))
    requests = CLIENTS * ROUNDS * 9
    print(f"{requests} requests, 1 submit to 8 polls, {ALIVE} tasks alive before them")
    print(f"server CPU a request   {1000 * cpu / requests:.2f} ms   (bound 1)")
    print(f"poll median            {1000 * statistics.median(polls):.1f} ms")
    print(f"poll p99               {1000 * polls[int(len(polls) * 0.99)]:.1f} ms   (bound 50)")
    print(f"server memory          {memory / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
