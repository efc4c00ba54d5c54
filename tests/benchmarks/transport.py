"""What one request costs its client: `python -m tests.benchmarks.transport [--quick]`. CPU, not time.

A raw server on one core answers; each arm is a fresh process on another, and the arms take turns. `ours` is our
transport asked directly, as the program does; `stock` is httpx's, asked directly; `client` is `httpx.AsyncClient`.
"""

import argparse
import asyncio
import json
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import trustme

from batchgen.api.http1 import Http1Transport, Limits

ARMS = ("ours", "stock", "client", "aiohttp")
SMALL = b'{"task_id": "task_1", "state": "waiting", "model": "nano-banana-pro", "padding": "%s"}' % (b"x" * 116)
LARGE_BYTES = 5 * 1000 * 1000
SECONDS = {"connect": 30.0, "pool": 600.0, "write": 30.0, "read": 60.0}
ROUNDS = ((1, 3000), (50, 6000), (500, 6000))
STREAMS, DOWNLOADS = 8, 160

Ask = Callable[[str], Awaitable[int]]
"""Ask for a path and read the answer to its end; how long it was."""


class Raw(asyncio.Protocol):
    """Answers whatever it is asked without looking twice."""

    def __init__(self, large: bytes) -> None:
        self._large = large
        self._small = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SMALL), SMALL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(self._large if data.startswith(b"GET /large") else self._small)


async def serve(folder: Path, *, tls: bool) -> None:
    context = None
    if tls:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE_BYTES + b"x" * LARGE_BYTES
    server = await asyncio.get_running_loop().create_server(
        lambda: Raw(large), "127.0.0.1", 0, ssl=context, backlog=2000
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def asker(arm: str, origin: str, context: ssl.SSLContext, many: int) -> AsyncIterator[Ask]:
    async with AsyncExitStack() as stack:
        stock = httpx.Limits(max_connections=100, max_keepalive_connections=20)
        match arm:
            case "ours":
                direct: httpx.AsyncBaseTransport = Http1Transport(context, Limits(many, many, 30.0))
                yield asking(await stack.enter_async_context(direct), origin)
            case "stock":
                direct = httpx.AsyncHTTPTransport(verify=context, limits=stock, trust_env=False)
                yield asking(await stack.enter_async_context(direct), origin)
            case "client":
                client = httpx.AsyncClient(verify=context, limits=stock, trust_env=False, timeout=600)
                await stack.enter_async_context(client)

                async def ask(path: str) -> int:
                    async with client.stream("GET", origin + path) as response:
                        return sum([len(chunk) async for chunk in response.aiter_raw()])

                yield ask
            case _:
                import aiohttp

                connector = aiohttp.TCPConnector(limit=many, ssl=context)
                session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))

                async def ask_session(path: str) -> int:
                    async with session.get(origin + path) as answer:
                        return sum([len(chunk) async for chunk in answer.content.iter_any()])

                yield ask_session


def asking(transport: httpx.AsyncBaseTransport, origin: str) -> Ask:
    urls = {path: httpx.URL(origin + path) for path in ("/small", "/large")}

    async def ask(path: str) -> int:
        request = httpx.Request("GET", urls[path], extensions={"timeout": SECONDS})
        response = await transport.handle_async_request(request)
        try:
            return sum([len(chunk) async for chunk in response.aiter_raw()])
        finally:
            await response.aclose()

    return ask


async def measure(arm: str, origin: str, folder: Path, divisor: int) -> dict[str, float]:
    """CPU microseconds per request by how many were in flight, and megabytes per second of CPU."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem") if origin.startswith("https") else None)
    found: dict[str, float] = {}
    for many, most in ROUNDS:
        count = max(many, most // divisor // (10 if arm in {"stock", "client"} and many > 1 else 1))
        async with asker(arm, origin, context, many) as ask:
            await spread(ask, "/small", many, many)
            found[f"c={many}"] = await spread(ask, "/small", many, count) / count * 1e6
    async with asker(arm, origin, context, STREAMS) as ask:
        count = DOWNLOADS // divisor
        found["MB/s"] = count * LARGE_BYTES / 1e6 / await spread(ask, "/large", STREAMS, count)
    return found


async def spread(ask: Ask, path: str, many: int, count: int) -> float:
    """The CPU seconds that so many requests take, so many at once."""
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            assert await ask(path) in {len(SMALL), LARGE_BYTES}

    before = cpu()
    async with asyncio.TaskGroup() as group:
        for _ in range(many):
            group.create_task(work())
    return cpu() - before


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def pin(core: int) -> None:
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def arms(arguments: argparse.Namespace, folder: Path) -> dict[str, list[dict[str, float]]]:
    """Let all arms take turns."""
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in arguments.arms}
    here = [sys.executable, "-m", "tests.benchmarks.transport", "--folder", str(folder)]
    tls = ["--tls"] if arguments.tls else []
    server = subprocess.Popen([*here, "--serve", *tls], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        origin = f"{'https' if arguments.tls else 'http'}://127.0.0.1:{server.stdout.readline().strip()}"
        for _ in range(1 if arguments.quick else 5):
            for arm in arguments.arms:
                options = ["--arm", arm, "--origin", origin, "--divisor", "5" if arguments.quick else "1"]
                if arguments.uvloop:
                    options.append("--uvloop")
                told = subprocess.run([*here, *options], stdout=subprocess.PIPE, text=True, check=True)
                found[arm].append(json.loads(told.stdout))
    finally:
        server.terminate()
        server.wait()
    return found


def table(found: dict[str, list[dict[str, float]]]) -> str:
    names = [f"c={many}" for many, _ in ROUNDS] + ["MB/s"]
    lines = ["| | " + " | ".join([f"{name}, us" for name in names[:-1]] + ["5 MB, MB per CPU s"]) + " |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for arm, runs in found.items():
        medians = (statistics.median(run[name] for run in runs) for name in names)
        lines.append(f"| {arm} | " + " | ".join(f"{median:.0f}" for median in medians) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--tls", action="store_true", help="with a certificate of our own")
    parser.add_argument("--uvloop", action="store_true", help="the clients on uvloop")
    parser.add_argument("--arms", nargs="*", default=ARMS, choices=ARMS)
    for hidden in ("--arm", "--origin", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--divisor", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        pin(-1)
        asyncio.run(serve(Path(arguments.folder), tls=arguments.tls))
    elif arguments.arm:
        pin(0)
        runner = asyncio.Runner(loop_factory=uv if arguments.uvloop else None)
        with runner:
            folder = Path(arguments.folder)
            print(json.dumps(runner.run(measure(arguments.arm, arguments.origin, folder, arguments.divisor))))
    else:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            print(table(arms(arguments, Path(place))))
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)


def uv() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
