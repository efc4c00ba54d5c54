"""The routes beside the trade: catalogue, balance, health, metrics, documentation, and what is not played here."""

from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from batchgen.gateway import manual, page
from batchgen.gateway.models import MODELS, catalogue
from batchgen.gateway.refusal import Refusal
from batchgen.gateway.routes import tools_of

NOT_PLAYED: Final = ("/v1/videos/generations", "/v1/video/generations", "/v1/chat/completions", "/v1/images/edits")
PROMETHEUS: Final = "text/plain; version=0.0.4"
SVG: Final = "image/svg+xml"
_BADGE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">'
    '<rect width="64" height="64" rx="12" fill="#245"/><text x="32" y="43" font-family="sans-serif"'
    ' font-size="32" text-anchor="middle" fill="#fff">{letter}</text></svg>'
)


async def models(request: Request) -> Response:
    """Show the catalogue, to anybody."""
    modes = ["task"] if tools_of(request).shop.settings.mode == "task" else ["sync", "task"]
    return JSONResponse(catalogue(modes))


async def brand(brand: str) -> Response:
    """Show the badge of a brand in the catalogue."""
    if brand not in {model.owner for model in MODELS.values()}:
        raise Refusal(404, "brand_not_found", "no model in /v1/models is of this brand")
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(_BADGE.format(letter=brand[0].upper()), headers=headers, media_type=SVG)


async def balance(request: Request) -> Response:
    """Show what an account has left."""
    tools = tools_of(request)
    return JSONResponse({"balance_micro_usdc": tools.shop.till.balance(tools.account(request))})


async def health() -> Response:
    """Say that it is up."""
    return JSONResponse({"status": "ok"})


async def metrics(request: Request) -> Response:
    """Show the counts, for Prometheus; nothing in them names an account or a task."""
    tools = tools_of(request)
    gauges = {
        "tasks": ("Tasks that are known.", tools.shop.state.reading.count()),
        "tasks_running": ("Tasks that have not ended.", tools.shop.till.running),
        "tasks_unpainted": ("Tasks that wait for a painter.", tools.shop.studio.backlog),
    }
    return PlainTextResponse(tools.counts.text(gauges), media_type=PROMETHEUS)


async def openapi(request: Request) -> Response:
    """Show what there is, for programs."""
    return JSONResponse(manual.document(tools_of(request).shop.settings.mode))


async def docs(request: Request) -> Response:
    """Show what there is, for people; the page loads nothing from anywhere."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(page.render(manual.document(tools_of(request).shop.settings.mode)), headers=headers)


async def not_played() -> Response:
    """Answer for endpoints that the API has and this gateway does not play."""
    raise Refusal(404, "not_played_here", "only images are played here: POST /v1/images/generations")
