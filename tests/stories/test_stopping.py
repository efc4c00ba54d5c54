"""Being told to stop: within the grace whatever a run is waiting for, and whoever has stopped listening."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.stories.test_people import CATALOGUE, one_job
from tests.stories.world import HERE, Done, World, ended
from tests.wire_server import Close, Read, Script, Send, Stall, WireServer, head, json_reply, reply, task

pytestmark = pytest.mark.anyio

KEY = "k" * 20
GRACE = 4


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


async def done(process: subprocess.Popen[str]) -> Done:
    """A command's end, while servers of this process answer."""
    return await anyio.to_thread.run_sync(ended, process)


def ready(server: WireServer, path: str = "/1.png") -> Script:
    """A poll that is answered with a picture at this server."""
    return json_reply(task("success", result={"data": [{"url": f"{server.origin}{path}"}]}))


SLOW_PICTURE = (Read(), Send(head(200, {"Content-Length": "900000"}) + b"\x89PNG"), Stall())

WAITS: dict[str, Any] = {
    "a 429 that names ten minutes": lambda _: [reply(429, headers={"Retry-After": "600"})],
    "a 429 that names nothing": lambda _: [reply(429)] * 40,
    "nobody at the port": lambda _: [],
    "an answer to the POST": lambda _: [(Read(), Stall())],
    "a task that is not done": lambda _: [json_reply(task(), 202), *[json_reply(task("generating"))] * 40],
    "a poll that stalls": lambda _: [json_reply(task(), 202), (Read(), Stall())],
    "a throttled poll": lambda _: [json_reply(task(), 202), reply(429, headers={"Retry-After": "600"})],
    "a picture that trickles": lambda server: [json_reply(task(), 202), ready(server), SLOW_PICTURE],
    "a busy host of pictures": lambda server: [
        json_reply(task(), 202),
        ready(server),
        reply(503, headers={"Retry-After": "600"}),
    ],
}


@pytest.mark.parametrize("wait", WAITS)
async def test_it_ends_within_the_grace_whatever_it_waits_for(wait: str, world: World) -> None:
    """SIGTERM ends a run with 143 within its grace, in back-off too; what is left resumes, nothing is lost."""
    async with WireServer() as server:
        one_job(world, server)
        scripts = WAITS[wait](server)
        server.then(CATALOGUE, *scripts)
        run = world.start("run", "m.yaml", "--grace", f"{GRACE}s", KEY=KEY)
        await server.arrived(2 if scripts else 1)
        if not scripts:
            server.leave()
        await anyio.sleep(0.5)
        began = time.monotonic()
        run.send_signal(signal.SIGTERM)
        said = await done(run)
    assert time.monotonic() - began < GRACE
    assert said.code == 143, said.text
    assert "safe to run again: yes" in said.text
    assert set(world.batch().kinds()) <= {"Planned", "InDoubt", "Accepted"}
    if wait != "an answer to the POST":
        assert world.batch().kinds()["InDoubt"] == 0


async def test_an_interrupt_of_the_whole_family_finishes_the_post(world: World) -> None:
    """Ctrl-C reaches every process at a terminal; still the POST under way is waited for, and its task recorded."""
    async with WireServer() as server:
        one_job(world, server)
        server.then(CATALOGUE, (Read(), Stall()))
        run = world.start("run", "m.yaml", "--grace", "20s", KEY=KEY)
        await server.arrived(2)
        os.killpg(run.pid, signal.SIGINT)
        await anyio.sleep(0.3)
        assert run.poll() is None
        run.kill()
        await done(run)
    assert world.batch().kinds() == {"Started": 1}


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both", "pipe"])
async def test_a_closed_output_never_stops_a_run(closed: str, world: World) -> None:
    """A run whose output nobody takes any more, or never took, buys what it was to buy."""
    redirect = {"stdout": ">&-", "stderr": "2>&-", "both": ">&- 2>&-", "pipe": "2>&1 | true"}[closed]
    command = f"{sys.executable} -m batchgen run m.yaml --json -v {redirect}"
    refused = json_reply({"error": {"code": "bad_request", "message": "no"}}, 400)
    async with WireServer() as server:
        one_job(world, server)
        server.then(CATALOGUE, refused, (Read(), Close()))
        environ = {**os.environ, "PYTHONPATH": str(HERE), "KEY": KEY}

        def run() -> int:
            return subprocess.run(
                ["bash", "-c", f"set -o pipefail; {command}"],
                cwd=world.root,
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=60,
            ).returncode

        assert await anyio.to_thread.run_sync(run) == 1
    assert world.batch().kinds() == {"JobFailed": 1}
