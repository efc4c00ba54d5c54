"""Runs the gateway: binds, opens its folder, serves until told to stop, and takes its painters along."""

import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import anyio
import anyio.to_thread
import uvicorn
from fastapi import FastAPI

from batchgen.errors import SettingsError
from batchgen.gateway.app import create_app
from batchgen.gateway.options import Settings
from batchgen.gateway.state import State, open_state
from batchgen.guard import is_loopback

_GRACE_SECONDS: Final = 1
_MOST_CONNECTIONS: Final = 1024


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where and how to serve.

    `port` 0 takes any free one. `credential` None uses the state folder's own. `exposed` allows a host beyond this
    machine. `parent_pipe` ends the gateway when its standard input ends.
    """

    state_dir: str
    host: str = "127.0.0.1"
    port: int = 8787
    credential: str | None = None
    settings: Settings = field(default_factory=Settings)
    exposed: bool = False
    parent_pipe: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """The gateway is up: its origin, the credential it takes, where its state lies."""

    url: str
    credential: str = field(repr=False)
    state_dir: str
    credential_file: str | None


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process with the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def serve(options: ServeOptions, ready: Callable[[Ready], None]) -> None:
    """Serve until SIGTERM, SIGINT, the end of the parent's pipe, or cancellation; ends within about two seconds.

    Raises:
        SettingsError: the address cannot be bound, or is not of this machine alone.
        HeldElsewhere: another gateway uses the state folder.
    """
    if not options.exposed and not is_loopback(options.host):
        raise SettingsError(f"{options.host} is not this machine alone; serve on 127.0.0.1, or say that you mean it")
    with listen(options.host, options.port) as listener:
        state = await anyio.to_thread.run_sync(open_state, options.state_dir)
        try:
            await _serve(options, state, listener, ready)
        finally:
            state.close()


async def _serve(options: ServeOptions, state: State, listener: socket.socket, ready: Callable[[Ready], None]) -> None:
    file = None if options.credential is not None else state.credential_file
    credential = options.credential
    if credential is None:
        credential = await anyio.to_thread.run_sync(state.credential)
    settings = replace(options.settings, hosts=options.settings.hosts | {options.host.lower()})
    stop = anyio.Event()
    async with running(create_app(state, (credential,), settings), listener), anyio.create_task_group() as group:
        if threading.current_thread() is threading.main_thread():
            group.start_soon(_until_signal, stop)
        if options.parent_pipe:
            group.start_soon(_until_parent_ends, stop, sys.stdin.fileno())
        ready(Ready(origin(listener), credential, state.folder, file))
        await stop.wait()
        group.cancel_scope.cancel()


@asynccontextmanager
async def running(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    """An app served on a listening socket for as long as the context lasts; open requests get one second more."""
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(_run, server, listener)
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await anyio.sleep(0.005)
            yield
        finally:
            server.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        SettingsError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named because asyncio turns Nagle's algorithm off only then: 40 ms an answer otherwise
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot serve on {host} port {port}: {error.strerror}; choose another one") from None
    return listener


def origin(listener: socket.socket) -> str:
    """The origin that a client uses to reach a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    # shielded: cut off in the middle, uvicorn would leave its lifespan, and so our painters, behind
    with anyio.CancelScope(shield=True):
        await server.serve([listener])


async def _until_signal(stop: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stop.set()


async def _until_parent_ends(stop: anyio.Event, pipe: int) -> None:
    while True:
        await anyio.wait_readable(pipe)
        if not os.read(pipe, 4096):
            stop.set()
            return
