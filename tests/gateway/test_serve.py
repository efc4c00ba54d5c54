"""The gateway as a process: it says where it is, dies when told, and survives being killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import psutil
import pytest
from anyio.abc import TaskGroup

from batchgen.errors import SettingsError
from batchgen.gateway.__main__ import main
from batchgen.gateway.options import Settings
from batchgen.gateway.serve import Ready, ServeOptions, listen, origin, serve
from batchgen.gateway.state import open_state
from tests.gateway.house import CREATE, Clock, house

pytestmark = pytest.mark.anyio

COMMAND = [sys.executable, "-m", "batchgen.gateway", "--port", "0", "--pace", "0"]


@contextmanager
def gateway(state_dir: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """A gateway in a process of its own and a client with its credential; killed at the end if still there."""
    command = [*COMMAND, "--state", str(state_dir), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        key = Path(ready["credential_file"]).read_text()
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=ready["url"], headers=headers, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.wait(10)
        process.stdin.close()
        process.stdout.close()


def create(client: httpx.Client, token: str) -> dict[str, Any]:
    answer = client.post("/v1/images/generations", json=CREATE, headers={"Idempotency-Key": token})
    assert answer.status_code == 202
    return dict(answer.json())


def painted(client: httpx.Client, task_id: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        task = dict(client.get(f"/v1/tasks/{task_id}").json())
        if task["state"] == "success":
            return task
        time.sleep(0.02)
    raise AssertionError("not painted in time")


def test_a_killed_gateway_comes_back_whole(tmp_path: Path) -> None:
    """After SIGKILL in the middle of selling, rows and list of sales agree, and every answered task is there."""
    with gateway(tmp_path) as (process, client):
        answered = [create(client, f"k{number}") for number in range(3)]
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with gateway(tmp_path) as (_, client):
        for number, before in enumerate(answered):
            assert create(client, f"k{number}") == before
            assert painted(client, before["task_id"])["billing"]["status"] == "committed"
    lines = [json.loads(line)["task_id"] for line in (tmp_path / "paid.jsonl").read_text().splitlines()]
    assert lines == [each["task_id"] for each in answered]


def test_killed_under_load_nothing_is_lost_or_sold_twice(tmp_path: Path) -> None:
    """SIGKILL while many clients buy: every accepted task is there afterwards, and every key has bought one task."""
    answered: dict[str, str] = {}
    tokens = [f"k{number}" for number in range(60)]
    with gateway(tmp_path) as (process, client), ThreadPoolExecutor(8) as pool:
        for done in as_completed([pool.submit(buy, client, token) for token in tokens]):
            answered.update(done.result())
            if len(answered) == 20:
                process.send_signal(signal.SIGKILL)
    assert 20 <= len(answered) < len(tokens)
    with gateway(tmp_path, "--pace", "1000") as (_, client):
        for token, task_id in answered.items():
            assert client.get(f"/v1/tasks/{task_id}").json()["task_id"] == task_id
            assert create(client, token)["task_id"] == task_id
        for token in tokens:
            create(client, token)
        spent = 10**15 - client.get("/v1/credits/balance").json()["balance_micro_usdc"]
    sold = [json.loads(line) for line in (tmp_path / "paid.jsonl").read_text().splitlines()]
    assert sorted(line["token"] for line in sold) == sorted(tokens)
    assert len({line["task_id"] for line in sold}) == len(tokens)
    assert spent == sum(line["price_micro_usd"] for line in sold)


def buy(client: httpx.Client, token: str) -> dict[str, str]:
    """The task that a token bought, or nothing when the gateway died."""
    try:
        return {token: create(client, token)["task_id"]}
    except httpx.TransportError:
        return {}


def test_a_picture_is_painted_for_real(tmp_path: Path) -> None:
    """The whole program paints, saves and hands out a PNG of the right size that is the same after a repaint."""
    from batchgen.picture import sniff

    with gateway(tmp_path) as (_, client):
        task = painted(client, create(client, "k")["task_id"])
        data = client.get(task["result"]["data"][0]["url"]).content
    found = sniff(data)
    assert found is not None
    assert (found.media_type, found.width, found.height) == ("image/png", 1024, 1024)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_soon_and_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with code 0 within two seconds though a connection is open, painters included."""
    with gateway(tmp_path) as (process, client):
        painted(client, create(client, "k")["task_id"])
        children = psutil.Process(process.pid).children()
        assert children
        with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as lingering:
            lingering.sendall(b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
            began = time.monotonic()
            process.send_signal(number)
            assert process.wait(10) == 0
            assert time.monotonic() - began < 5
        assert gone(children)


def test_it_vanishes_with_its_parent(tmp_path: Path) -> None:
    """Started with a pipe from its parent, it and its painters end when the parent is killed."""
    parent_code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)\n"
        "time.sleep(60)\n"
    )
    command = [*COMMAND, "--state", str(tmp_path), "--parent-pipe"]
    parent = subprocess.Popen([sys.executable, "-c", parent_code, *command], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    ready = json.loads(parent.stdout.readline())
    key = Path(ready["credential_file"]).read_text()
    with httpx.Client(base_url=ready["url"], headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
        painted(client, create(client, "k")["task_id"])
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 2
        parent.kill()
        parent.wait(10)
        parent.stdout.close()
        assert gone(family)


def test_it_does_not_end_with_standard_input_otherwise(tmp_path: Path) -> None:
    """Without the option the end of standard input means nothing."""
    with gateway(tmp_path) as (process, client):
        assert process.stdin is not None
        process.stdin.close()
        create(client, "k")
        assert process.poll() is None


async def test_serve_says_where_it_is_and_ends_on_a_signal(tmp_path: Path) -> None:
    """serve binds, reports origin and credential, answers with it, and returns on SIGTERM."""
    said: list[Ready] = []
    options = ServeOptions(str(tmp_path), port=0, credential="given", settings=Settings(pace=0))
    async with patient_group() as group:
        up = anyio.Event()

        def ready(where: Ready) -> None:
            said.append(where)
            up.set()

        group.start_soon(serve, options, ready)
        await up.wait()
        assert said[0].credential_file is None
        assert "given" not in repr(said[0])
        headers = {"Authorization": f"Bearer {said[0].credential}"}
        async with httpx.AsyncClient(base_url=said[0].url, headers=headers, trust_env=False) as client:
            assert (await client.get("/v1/tasks/x")).status_code == 404
        os.kill(os.getpid(), signal.SIGTERM)
    open_state(str(tmp_path), wait_seconds=0).close()


async def test_serve_ends_when_cancelled(tmp_path: Path) -> None:
    """A cancelled serve lets go of port and folder."""
    options = ServeOptions(str(tmp_path), port=0)
    async with patient_group() as group:
        up = anyio.Event()
        group.start_soon(serve, options, lambda _: up.set())
        await up.wait()
        group.cancel_scope.cancel()
    open_state(str(tmp_path), wait_seconds=0).close()


async def test_serve_ends_with_the_parents_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the parent writes is passed over; the end of its pipe ends the gateway."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        async with patient_group() as group:
            up = anyio.Event()
            options = ServeOptions(str(tmp_path), port=0, parent_pipe=True)
            group.start_soon(serve, options, lambda _: up.set())
            await up.wait()
            os.write(writing, b"hello")
            await anyio.sleep(0.02)
            with pytest.raises(Exception, match="another gateway"):
                open_state(str(tmp_path), wait_seconds=0)
            os.close(writing)
    open_state(str(tmp_path), wait_seconds=0).close()


async def test_only_this_machine_is_served_unless_asked_for(tmp_path: Path) -> None:
    """A host beyond loopback is refused, unless it is said to be meant."""
    for host in ("0.0.0.0", "192.0.2.1", "pictures.lan"):
        with pytest.raises(SettingsError, match="this machine alone"):
            await serve(ServeOptions(str(tmp_path), host=host, port=0), lambda _: None)
    with pytest.raises(SettingsError, match="cannot serve"):
        await serve(ServeOptions(str(tmp_path), host="192.0.2.1", port=0, exposed=True), lambda _: None)


def test_a_taken_port_is_named() -> None:
    """A port that somebody else has is a settings error that names it."""
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert origin(first) == f"http://127.0.0.1:{port}"
        with pytest.raises(SettingsError, match=str(port)):
            listen("127.0.0.1", port)


def test_the_command_tells_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of ours becomes its message and its exit code."""
    with listen("127.0.0.1", 0) as first:
        port = str(first.getsockname()[1])
        assert main(["--state", str(tmp_path), "--port", port]) == 2
    assert port in capsys.readouterr().err


def test_the_server_loads_no_painting_libraries() -> None:
    """Neither the app nor a worker's first look at the painter loads numpy or Pillow."""
    code = (
        "import sys, batchgen.gateway.serve, batchgen.gateway.painter, batchgen.gateway.__main__\n"
        "sys.exit(bool({'numpy', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_polls_do_not_wait_for_painting(tmp_path: Path) -> None:
    """While real pictures are painted in their processes, the event loop goes on answering."""
    from batchgen.gateway.painting import paint_elsewhere

    async with house(tmp_path, Settings(pace=1), clock=Clock(), paint=paint_elsewhere) as there:
        task_id = (await there.create(CREATE | {"resolution": "2K"})).json()["task_id"]
        began = anyio.current_time()
        for _ in range(20):
            await there.task(task_id)
        assert anyio.current_time() - began < 2
        there.clock.now += 10
        assert (await there.ended(task_id))["state"] == "success"


@asynccontextmanager
async def patient_group() -> AsyncIterator[TaskGroup]:
    """A task group that fails the test when it does not end by itself."""
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            yield group


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them have ended within five seconds."""
    return not psutil.wait_procs(processes, timeout=5)[1]
