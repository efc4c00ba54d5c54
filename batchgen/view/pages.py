"""The pages and their parts: what an address asks for, asked of the journal and drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from batchgen.batch.explaining import Explained, explain
from batchgen.errors import BatchgenError
from batchgen.journal import Progress, Record, Selection
from batchgen.location import Location
from batchgen.report.cards import Card, card
from batchgen.report.thumbnails import Thumbnails
from batchgen.store import Shelf
from batchgen.view import told
from batchgen.view.asked import Asked, read
from batchgen.view.life import life_of
from batchgen.view.scene import Scene
from batchgen.view.stream import events as stream
from batchgen.view.watching import Watch

PAGE: Final = 60
"""Cards on a page of the wall: a browser never holds more, however many jobs there are."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page is made from. `where` are the words that name the batch in a command, as they were typed.

    `pictures` is where the pictures are, if not in the batch folder.
    """

    watch: Watch
    thumbs: Thumbnails
    location: Location
    source: str
    where: tuple[str, ...] = ()
    pictures: Shelf | None = None
    templates: Environment = field(default_factory=told.environment)
    shrinking: anyio.CapacityLimiter = field(default_factory=partial(anyio.CapacityLimiter, 2))

    async def ask(self, question: Callable[[Record], _T]) -> _T | None:
        """The journal's answer, None when there is none or it cannot be read; the page's figures say why."""
        try:
            return await self.watch.ask(question)
        except BatchgenError:
            return None

    def draw(self, template: str, **values: Any) -> str:
        """A page or a part of one."""
        commands = {
            "command": partial(_command, self.where),
            "folder": str(self.location.folder),
            "name": self.location.name,
        }
        return self.templates.get_template(template).render(**commands, **values)


@dataclass(frozen=True, slots=True)
class Wall:
    """A page of cards, the newest first, with the pages on either side of it."""

    asked: Asked
    cards: list[Card]
    older: Asked | None = None
    newer: Asked | None = None


def desk_of(request: Request) -> Desk:
    """The desk of the app that was asked."""
    found: Desk = request.app.state.desk
    return found


async def index(request: Request) -> Response:
    """The whole page."""
    desk, asked = desk_of(request), read(request.query_params)
    scene = await desk.watch.refresh()
    shown = await _wall(desk, asked)
    return HTMLResponse(desk.draw("index.html", scene=scene, wall=shown, asked=asked))


async def wall(request: Request) -> Response:
    """The wall alone."""
    desk, asked = desk_of(request), read(request.query_params)
    scene = await desk.watch.refresh()
    sought = request.headers.get("hx-source", "").endswith("#filter")
    headers = {"HX-Push-Url": f"/{asked.query}"} if sought else {}
    drawn = desk.draw("wall.html", scene=scene, wall=await _wall(desk, asked), asked=asked)
    return HTMLResponse(drawn, headers=headers)


async def events(request: Request) -> Response:
    """The figures, again and again; for pages without them only that something has come."""
    desk = desk_of(request)

    def draw(scene: Scene) -> str:
        return desk.draw("figures.html", scene=scene, streamed=True)

    headers = {"Cache-Control": "no-store"}
    drawn = None if request.query_params.get("only") == "grown" else draw
    return StreamingResponse(
        stream(desk.watch, drawn, request.query_params.get("seen", "")), media_type="text/event-stream", headers=headers
    )


async def runs(request: Request) -> Response:
    """All runs."""
    desk = desk_of(request)
    return HTMLResponse(desk.draw("runs.html", scene=await desk.watch.refresh(), asked=Asked()))


async def job(request: Request) -> Response:
    """One job's life."""
    desk, asked = desk_of(request), read(request.query_params)
    scene = await desk.watch.refresh()
    number = request.path_params["number"]
    found = await desk.ask(lambda record: life_of(record, number, asked))
    if found is None:
        return await not_found(request, Exception())
    template = "life.html" if "hx-request" in request.headers else "job.html"
    return HTMLResponse(desk.draw(template, scene=scene, life=found, asked=asked))


async def values(request: Request) -> Response:
    """Where each value of a job comes from; the manifest is read for it, which may take a while."""
    desk, number = desk_of(request), request.path_params["number"]
    found = await desk.ask(partial(one_job, number))
    if found is None:
        return await not_found(request, Exception())
    asked = partial(explain, desk.source, desk.location, f"{found.job.id}@{number}")
    try:
        explained: Explained | None = await anyio.to_thread.run_sync(asked, abandon_on_cancel=True)
    except BatchgenError:
        explained = None
    return HTMLResponse(desk.draw("values.html", explained=explained))


async def not_found(request: Request, _: Exception) -> Response:
    """There is no such page."""
    desk = desk_of(request)
    return HTMLResponse(desk.draw("lost.html", scene=desk.watch.scene, asked=Asked()), 404)


def one_job(number: int, record: Record) -> Progress | None:
    """One job, None when there is none of this number."""
    return next(iter(record.entries(Selection(numbers=frozenset({number})))), None)


async def _wall(desk: Desk, asked: Asked) -> Wall:
    found = await desk.ask(partial(_page, asked))
    return found or Wall(asked, [])


def _page(asked: Asked, record: Record) -> Wall:
    chosen = asked.selection()
    found = list(record.newest(chosen, PAGE + 1, asked.mark, newer=asked.newer))
    more, found = len(found) > PAGE, found[:PAGE]
    if asked.newer:
        found.reverse()
        if not more:  # the page before the second one is the first, whatever has come since
            asked = asked.first()
            found = list(record.newest(chosen, PAGE + 1))
            more, found = len(found) > PAGE, found[:PAGE]
    return Wall(
        asked,
        [card(each) for each in found],
        older=asked.at(found[-1].mark) if found and (more or asked.newer) else None,
        newer=asked.at(found[0].mark, newer=True) if found and asked.mark is not None else None,
    )


def _command(where: tuple[str, ...], verb: str, *more: str) -> str:
    return told.command(verb, where, *more)
