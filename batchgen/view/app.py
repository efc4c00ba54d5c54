"""The page's server put together: who may come in, what every answer says of itself, and which address is what."""

from importlib.resources import files
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchgen.gateway.doors import LOOPBACK_NAMES, Door, Rooms
from batchgen.view import pages, pictures
from batchgen.view.pages import Desk

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing from anywhere else, and nothing that a text could bring along."""

HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

STATIC: Final = {
    "htmx.min.js": "text/javascript",
    "hx-sse.min.js": "text/javascript",
    "view.js": "text/javascript",
    "view.css": "text/css",
    "icon.svg": "image/svg+xml",
}

_MOST_AT_ONCE: Final = 200


class Guarded:
    """ASGI middleware: every answer carries the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add them."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._app(scope, receive, sending)


def create_app(desk: Desk) -> Starlette:
    """The server of one batch's pages; it answers GET alone, and only to this machine's own names."""
    routes = [
        Route("/", pages.index),
        Route("/wall", pages.wall),
        Route("/events", pages.events),
        Route("/runs", pages.runs),
        Route("/jobs/{number:int}", pages.job),
        Route("/jobs/{number:int}/values", pages.values),
        Route("/thumbs/{number:int}/{index:int}/{sha256}", pictures.thumb),
        Route("/pictures/{number:int}/{index:int}/{sha256}", pictures.picture),
        Route("/references/{number:int}/{index:int}/{sha256}", pictures.reference),
        Route("/static/{name}", static),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guarded), Middleware(Door, rooms=Rooms(LOOPBACK_NAMES, _MOST_AT_ONCE))],
        exception_handlers={404: pages.not_found},
    )
    app.state.desk = desk
    return app


async def static(request: Request) -> Response:
    """One of the files that the pages are made with."""
    name = request.path_params["name"]
    if name == "base.css":
        return FileResponse(str(files("batchgen.report.look") / "base.css"), media_type="text/css")
    if name not in STATIC:
        return Response(status_code=404)
    place = str(files("batchgen.view") / "static" / name)
    return FileResponse(place, media_type=STATIC[name], headers={"Cache-Control": "no-cache"})
