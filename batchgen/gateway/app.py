"""The gateway's routes; `create_app` needs an open state folder and paints while its lifespan lasts."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from batchgen.api import wire
from batchgen.gateway import answers
from batchgen.gateway.desk import Desk
from batchgen.gateway.doors import LOOPBACK_NAMES, Credentials, Door
from batchgen.gateway.files import FILES, MEDIA_TYPES, Signer
from batchgen.gateway.models import catalogue
from batchgen.gateway.options import Settings
from batchgen.gateway.painting import Paint, Studio, paint_elsewhere
from batchgen.gateway.refusal import Refusal, of_status
from batchgen.gateway.state import State
from batchgen.gateway.task import Task, standing
from batchgen.gateway.writer import Writer


@dataclass(frozen=True, slots=True)
class Tools:
    """What the routes hold."""

    state: State
    settings: Settings
    credentials: Credentials
    desk: Desk
    studio: Studio
    signer: Signer
    clock: Callable[[], float]

    def picture_url(self, request: Request, task: Task) -> str:
        """A fresh address of a task's picture, at the host that was asked."""
        return str(request.base_url).rstrip("/") + self.signer.path(task.picture, self.clock())


def create_app(
    state: State,
    credentials: tuple[str, ...],
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    paint: Paint = paint_elsewhere,
) -> FastAPI:
    """The gateway over an open state folder.

    Args:
        state: the open folder; closing it stays with the caller.
        credentials: the keys that are taken, each with tasks of its own.
        settings: mode, idempotency, pace, limits.
        clock: unix seconds; drives the state of every task.
        paint: paints one work into its file; in worker processes unless told otherwise.
    """
    writer = Writer(state)
    studio = Studio(state, writer, clock, paint)
    desk = Desk(state, writer, studio, settings, clock)
    signer = Signer(state.signing_key, settings.url_ttl_seconds)
    tools = Tools(state, settings, Credentials(credentials), desk, studio, signer, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(writer.run)
            group.start_soon(studio.run)
            for task in state.reading.unfinished():
                studio.ask(task)
            yield
            group.cancel_scope.cancel()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.tools = tools
    _add_routes(app)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Door, hosts=LOOPBACK_NAMES | settings.hosts, most_at_once=settings.most_requests)
    return app


def _add_routes(app: FastAPI) -> None:
    for path, route, method in (
        (wire.GENERATIONS, create, "POST"),
        (wire.TASKS + "{task_id}", poll, "GET"),
        (wire.MODELS, models, "GET"),
        (FILES + "{name}", picture, "GET"),
        ("/healthz", health, "GET"),
    ):
        app.add_api_route(path, route, methods=[method], response_model=None)


async def create(request: Request) -> Response:
    """Sell one picture."""
    tools = _tools(request)
    owner = tools.credentials.owner(request.headers.get(wire.AUTHORIZATION))
    task, as_task = await tools.desk.sell(request, owner)
    if as_task or tools.settings.mode == "task":
        return JSONResponse(answers.envelope(task), 202)
    task = await _waited(tools, task)
    if task.error:
        raise Refusal(502, "generation_failed", task.error.get("message", "the generation failed"))
    return JSONResponse(answers.finished(task, tools.picture_url(request, task)))


async def poll(request: Request, task_id: str) -> Response:
    """Show one task; those of another credential do not exist."""
    tools = _tools(request)
    owner = tools.credentials.owner(request.headers.get(wire.AUTHORIZATION))
    task = tools.state.reading.task(task_id)
    if task is None or task.owner != owner:
        raise Refusal(404, "task_not_found", "there is no such task")
    tools.studio.ask(task)
    now = standing(task, tools.clock())
    url = tools.picture_url(request, task) if now.state == "success" else None
    return JSONResponse(answers.resource(task, now, url))


async def models(request: Request) -> Response:
    """Show the catalogue, to anybody."""
    modes = ["task"] if _tools(request).settings.mode == "task" else ["sync", "task"]
    return JSONResponse(catalogue(modes))


async def picture(request: Request, name: str) -> Response:
    """Hand out one picture to whoever holds its signed address."""
    tools, query = _tools(request), request.query_params
    tools.signer.check(name, query.get("expires", ""), query.get("signature", ""), tools.clock())
    task = tools.state.reading.by_picture(name)
    if task is None or task.sha256 is None:
        raise Refusal(404, "file_not_found", "there is no such picture")
    headers = {"ETag": f'"{task.sha256}"', "X-Content-Type-Options": "nosniff", "Cache-Control": "private"}
    if task.sha256 in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    data = await anyio.to_thread.run_sync(_bytes, tools.state.picture(task.picture))
    return Response(data, headers=headers, media_type=MEDIA_TYPES[task.asked.file_format])


async def health() -> Response:
    """Say that it is up."""
    return JSONResponse({"status": "ok"})


def _tools(request: Request) -> Tools:
    tools: Tools = request.app.state.tools
    return tools


async def _waited(tools: Tools, task: Task) -> Task:
    while standing(task, tools.clock()).state not in {"success", "fail"}:
        tools.studio.ask(task)
        await tools.studio.ended(task.id)
        task = tools.state.reading.task(task.id) or task
        left = task.created_at + task.latency_seconds - tools.clock()
        await anyio.sleep(min(0.05, max(0.0, left)))
    return task


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise Refusal(404, "file_not_found", "this picture was removed from the gateway's folder") from None


async def _refused(_: Request, error: Any) -> Response:
    refusal = error if isinstance(error, Refusal) else of_status(error.status_code, error.detail)
    return refusal.response()


async def _broken(_: Request, __: Exception) -> Response:
    return Refusal(500, "internal_error", "the gateway broke; its log says where").response()
