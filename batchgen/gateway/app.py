"""The gateway put together; `create_app` needs an open state folder and paints while its lifespan lasts."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from batchgen.api import wire
from batchgen.gateway import front, routes
from batchgen.gateway.book import Book
from batchgen.gateway.desk import Desk, Shop
from batchgen.gateway.doors import LOOPBACK_NAMES, Door, Rooms
from batchgen.gateway.fetching import Fetcher
from batchgen.gateway.files import FILES, Signer
from batchgen.gateway.metering import Counts, Meter
from batchgen.gateway.options import Settings
from batchgen.gateway.painting import Paint, Studio, paint_elsewhere
from batchgen.gateway.refusal import Refusal, of_status
from batchgen.gateway.routes import Tools
from batchgen.gateway.state import State
from batchgen.gateway.sweeping import Sweeper
from batchgen.gateway.till import Till
from batchgen.gateway.writer import Writer

ROUTES = (
    (wire.GENERATIONS, routes.create, "POST"),
    (wire.TASKS + "{task_id}", routes.poll, "GET"),
    (FILES + "{name}", routes.picture, "GET"),
    (wire.MODELS, front.models, "GET"),
    (wire.MODELS + "/brands/{brand}/image", front.brand, "GET"),
    (wire.BALANCE, front.balance, "GET"),
    ("/healthz", front.health, "GET"),
    ("/metrics", front.metrics, "GET"),
    ("/openapi.json", front.openapi, "GET"),
    ("/docs", front.docs, "GET"),
)


def create_app(
    state: State,
    book: Book,
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    paint: Paint = paint_elsewhere,
) -> FastAPI:
    """The gateway over an open state folder.

    Args:
        state: the open folder; closing it stays with the caller.
        book: the accounts whose keys are taken, and the rules of this moment.
        settings: mode, idempotency, pace, limits of the server.
        clock: unix seconds; drives the state of every task.
        paint: paints one work into its file; in worker processes unless told otherwise.
    """
    till = Till(book, clock, state.reading.spent(), state.reading.unfinished())
    writer = Writer(state, till.settle)
    studio = Studio(state, writer, clock, paint)
    fetcher = Fetcher(settings.fetch) if settings.fetch else None
    shop = Shop(state, writer, studio, till, book, settings, clock, fetcher)
    counts = Counts()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if fetcher is not None:
                await stack.enter_async_context(fetcher)
            group = await stack.enter_async_context(anyio.create_task_group())
            for run in (writer.run, studio.run, book.watch, Sweeper(shop).run):
                group.start_soon(run)
            for task in state.reading.unfinished():
                studio.ask(task)
            yield
            group.cancel_scope.cancel()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.tools = Tools(shop, Desk(shop), Signer(state.signing_key), counts)
    _furnish(app, Rooms(LOOPBACK_NAMES | settings.hosts, settings.most_requests, settings.asset_port), counts)
    return app


def _furnish(app: FastAPI, rooms: Rooms, counts: Counts) -> None:
    for path, route, method in ROUTES:
        app.add_api_route(path, route, methods=[method], response_model=None)
    for path in front.NOT_PLAYED:
        app.add_api_route(path, front.not_played, methods=["POST"], response_model=None)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Door, rooms=rooms)
    app.add_middleware(Meter, counts=counts)


async def _refused(_: Request, error: Exception) -> Response:
    match error:
        case Refusal():
            return error.response()
        case HTTPException():
            return of_status(error.status_code, error.detail, error.headers).response()
        case _:
            raise error


async def _broken(_: Request, __: Exception) -> Response:
    return Refusal(500, "internal_error", "the gateway broke; its log says where").response()
