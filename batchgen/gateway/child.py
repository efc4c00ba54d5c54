"""The gateway as a child of a run: it starts with it, keeps its state beside the batch, and is gone with it.

It lives in a session of its own, so that a Ctrl-C reaches the run alone, which still has paid work to finish. It
ends when its standard input does, and that is closed however the run dies.
"""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from batchgen.errors import Unfinished

START_SECONDS = 30
END_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Child:
    """Where the gateway listens, the credential it takes, and the file that holds it."""

    url: str
    credential: str
    credential_file: str


@asynccontextmanager
async def child(state: Path) -> AsyncIterator[Child]:
    """Start a gateway over this state folder and stop it at the end.

    Raises:
        Unfinished: it did not come up; its last words are in `log` in the state folder.
    """
    await anyio.Path(state).mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "batchgen.gateway", "--state", str(state), "--port", "0", "--parent-pipe"]
    log = await anyio.to_thread.run_sync(os.open, state / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = await anyio.open_process(command, stderr=log, start_new_session=True)
    finally:
        os.close(log)
    try:
        yield await _ready(process, state)
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _ready(process: Process, state: Path) -> Child:
    assert process.stdout is not None
    line = ""
    with anyio.move_on_after(START_SECONDS):
        async for text in TextReceiveStream(process.stdout):
            line += text
            if "\n" in line:
                said = json.loads(line)
                key = await anyio.Path(said["credential_file"]).read_text()
                return Child(said["url"], key.strip(), said["credential_file"])
    raise Unfinished(f"the local gateway did not start; its log is {state / 'log'}")


async def _end(process: Process) -> None:
    assert process.stdin is not None
    await process.stdin.aclose()
    with anyio.move_on_after(END_SECONDS):
        await process.wait()
    if process.returncode is None:
        process.kill()
    await process.aclose()
