"""Runs the gateway: binds, opens its folder, serves until told to stop, and takes its painters along."""

import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import anyio
import anyio.to_thread
import uvicorn
from starlette.types import ASGIApp

from batchgen.errors import SettingsError
from batchgen.gateway.app import create_app
from batchgen.gateway.book import Book
from batchgen.gateway.config import Config, Limits
from batchgen.gateway.connections import PATIENCE, Patience
from batchgen.gateway.faults.line import lined
from batchgen.gateway.faults.load import load
from batchgen.gateway.faults.rehearsal import playing
from batchgen.gateway.options import Settings
from batchgen.gateway.painters import chosen
from batchgen.gateway.state import State, open_state
from batchgen.guard import is_loopback

_GRACE_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where and how to serve.

    `port` 0 takes any free one, as does `asset_port`; None hands out pictures where everything else is. `credential`
    None uses the state folder's own, unless `config` names accounts; `limits` are those of that one key. `config` is a
    file that is read again when it changes, its env:NAME keys from `environment`. `exposed` allows a host beyond this
    machine. `parent_pipe` ends the gateway when its standard input ends. `faults` names a faults file, or `storm`;
    `painter` is `builtin`, `none` or `module:attribute`.
    """

    state_dir: str
    host: str = "127.0.0.1"
    port: int = 8787
    asset_port: int | None = None
    credential: str | None = None
    config: str | None = None
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Settings = field(default_factory=Settings)
    exposed: bool = False
    parent_pipe: bool = False
    faults: str | None = None
    painter: str = "builtin"


@dataclass(frozen=True, slots=True)
class Ready:
    """The gateway is up: its origin, the key that it takes if it is one of its own, where its state lies."""

    url: str
    credential: str | None = field(repr=False)
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
    with ExitStack() as stack:
        ports = [options.port] if options.asset_port is None else [options.port, options.asset_port]
        listeners = [stack.enter_context(listen(options.host, port)) for port in ports]
        state = await anyio.to_thread.run_sync(open_state, options.state_dir)
        stack.callback(state.close)
        await _serve(options, state, listeners, ready)


async def _serve(
    options: ServeOptions, state: State, listeners: list[socket.socket], ready: Callable[[Ready], None]
) -> None:
    book, key, file = await anyio.to_thread.run_sync(_keys, options, state)
    asset_port = None if options.asset_port is None else int(listeners[-1].getsockname()[1])
    hosts = options.settings.hosts | {options.host.lower()}
    settings = replace(options.settings, hosts=hosts, asset_port=asset_port)
    stop = anyio.Event()
    script = None if options.faults is None else await anyio.to_thread.run_sync(load, options.faults)
    app = create_app(state, book, settings, paint=await chosen(options.painter))
    async with AsyncExitStack() as stack:
        stage = stack.enter_context(playing(app, script, state.folder))
        await stack.enter_async_context(running(stage, *listeners))
        group = await stack.enter_async_context(anyio.create_task_group())
        if threading.current_thread() is threading.main_thread():
            group.start_soon(_until_signal, stop)
        if options.parent_pipe:
            group.start_soon(_until_parent_ends, stop, sys.stdin.fileno())
        ready(Ready(origin(listeners[0]), key, state.folder, file))
        await stop.wait()
        group.cancel_scope.cancel()


def _keys(options: ServeOptions, state: State) -> tuple[Book, str | None, str | None]:
    """The book of accounts, the gateway's own key if it is taken, and the file in which it is kept."""
    named = options.config is not None and bool(Config(options.config, None, options.environment).read().accounts)
    own = options.credential is None and not named
    key = state.credential() if own else options.credential
    config = Config(options.config, key, options.environment, options.limits)
    return Book(config.read(), config.read_again), key, state.credential_file if own else None


@asynccontextmanager
async def running(app: ASGIApp, *listeners: socket.socket, patience: Patience = PATIENCE) -> AsyncIterator[None]:
    """An app served on listening sockets for as long as the context lasts; open requests get one second more."""
    config = uvicorn.Config(
        app,
        http=lined(patience),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(_run, server, list(listeners))
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


async def _run(server: uvicorn.Server, listeners: list[socket.socket]) -> None:
    # shielded: cut off in the middle, uvicorn would leave its lifespan, and so our painters, behind
    with anyio.CancelScope(shield=True):
        await server.serve(listeners)


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
