"""Runs the page: binds a loopback address, serves until told to stop, and sends every page home first."""

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import anyio

from batchgen.batch.storing import pictures_of
from batchgen.errors import SettingsError
from batchgen.gateway.serve import listen, origin, running
from batchgen.location import Location
from batchgen.report.thumbnails import Thumbnails
from batchgen.view.agreed import reader
from batchgen.view.app import create_app
from batchgen.view.pages import Desk
from batchgen.view.watching import Batch, Open, Watch

HOST: Final = "127.0.0.1"
PORT: Final = 8780
"""Taken when it is free, so that a page that was left open finds its server again."""


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What to show. `source` is the manifest or batch folder, `where` the words that name the batch in a command.

    `port` None takes the usual one, or any free one; 0 any free one.
    """

    source: str
    location: Location
    where: tuple[str, ...] = ()
    port: int | None = None


async def serve(options: ViewOptions, open_record: Open, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM, SIGINT or cancellation; `ready` is given the page's address.

    Raises:
        SettingsError: the port is taken.
    """
    agreed = reader(options.source)
    watch = Watch(Batch(options.location, open_record, agreed))
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(options.port))
        pictures = pictures_of(options.location).asked() if options.location.kept_in() else None
        thumbs = stack.enter_context(Thumbnails(options.location.folder, pictures=pictures))
        desk = Desk(watch, thumbs, options.location, options.source, options.where, pictures)
        await stack.enter_async_context(running(create_app(desk), listener))
        group = await stack.enter_async_context(anyio.create_task_group())
        stop = anyio.Event()
        group.start_soon(watch.run)
        if threading.current_thread() is threading.main_thread():
            group.start_soon(_until_signal, stop)
        ready(origin(listener) + "/")
        await stop.wait()
        watch.end()
        group.cancel_scope.cancel()


def _listen(port: int | None) -> socket.socket:
    if port is not None:
        return listen(HOST, port)
    try:
        return listen(HOST, PORT)
    except SettingsError:
        return listen(HOST, 0)


async def _until_signal(stop: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stop.set()
