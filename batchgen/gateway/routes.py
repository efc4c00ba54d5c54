"""The routes that sell, show and hand out."""

from dataclasses import dataclass

import anyio
import anyio.to_thread
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from batchgen.api import wire
from batchgen.gateway import answers
from batchgen.gateway.desk import Desk, Shop
from batchgen.gateway.doors import host_name
from batchgen.gateway.files import MEDIA_TYPES, Signer, read_picture
from batchgen.gateway.metering import Counts
from batchgen.gateway.refusal import Refusal
from batchgen.gateway.rules import Account, over
from batchgen.gateway.task import Task, standing


@dataclass(frozen=True, slots=True)
class Tools:
    """What the routes hold."""

    shop: Shop
    desk: Desk
    signer: Signer
    counts: Counts

    def account(self, request: Request) -> Account:
        """Whose request it is; a Refusal of 401 otherwise."""
        return self.shop.book.account(request.headers.get(wire.AUTHORIZATION))

    def task(self, task_id: str) -> Task | None:
        """A task that is still known; failed and finished ones are only for their time."""
        task = self.shop.state.reading.task(task_id)
        if task is None or self._over(task, self.shop.book.rules.task_ttl_seconds):
            return None
        return self.shop.till.see(task)

    def picture(self, name: str) -> Task | None:
        """The task of a picture that is painted and still kept."""
        task = self.shop.state.reading.by_picture(name)
        if task is None or task.sha256 is None or self._over(task, self.shop.book.rules.file_ttl_seconds):
            return None
        return task

    def picture_url(self, request: Request, task: Task) -> str:
        """A fresh address of a task's picture, at the host that was asked."""
        host, port = request.headers["host"], self.shop.settings.asset_port
        if port is not None:
            name = host_name(host)
            host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        expires = int(self.shop.clock() + self.shop.book.rules.url_ttl_seconds)
        return f"{request.url.scheme}://{host}{self.signer.path(task.picture, expires)}"

    def _over(self, task: Task, ttl_seconds: float | None) -> bool:
        return task.ended_at is not None and over(task.ended_at, ttl_seconds, self.shop.clock())


def tools_of(request: Request) -> Tools:
    """The tools of the app that a request came to."""
    tools: Tools = request.app.state.tools
    return tools


async def create(request: Request) -> Response:
    """Sell one picture."""
    tools = tools_of(request)
    task, as_task = await tools.desk.sell(request, tools.account(request))
    if as_task or tools.shop.settings.mode == "task":
        return JSONResponse(answers.envelope(task), 202)
    task = await _waited(tools, task)
    if task.error:
        raise Refusal(502, "generation_failed", task.error.get("message", "the generation failed"))
    return JSONResponse(answers.finished(task, tools.picture_url(request, task)))


async def poll(request: Request, task_id: str) -> Response:
    """Show one task; those of another account do not exist."""
    tools = tools_of(request)
    account, task = tools.account(request), tools.task(task_id)
    if task is None or task.owner != account.owner:
        raise Refusal(404, "task_not_found", "there is no such task")
    tools.shop.studio.ask(task)
    now = standing(task, tools.shop.clock())
    url = tools.picture_url(request, task) if now.state == "success" else None
    return JSONResponse(answers.resource(task, now, url))


async def picture(request: Request, name: str) -> Response:
    """Hand out one picture, or a part of it, to whoever holds its signed address."""
    tools, query, asked = tools_of(request), request.query_params, request.headers
    tools.signer.check(name, query.get("expires", ""), query.get("signature", ""), tools.shop.clock())
    task = tools.picture(name)
    if task is None:
        raise Refusal(404, "file_not_found", "there is no such picture, or no longer")
    etag = f'"{task.sha256}"'
    headers = {
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private",
        "Accept-Ranges": "bytes",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if _named(asked.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    wanted = asked.get("range") if asked.get("if-range", etag) == etag else None
    data, part = await anyio.to_thread.run_sync(read_picture, tools.shop.state.picture(task.picture), wanted)
    if part is not None:
        headers["Content-Range"] = part.content_range
    media_type = MEDIA_TYPES[task.asked.file_format]
    return Response(data, 200 if part is None else 206, headers, media_type)


def _named(if_none_match: str, etag: str) -> bool:
    names = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return etag in names or names == ["*"]


async def _waited(tools: Tools, task: Task) -> Task:
    shop = tools.shop
    while standing(task, shop.clock()).state not in {"success", "fail"}:
        shop.studio.ask(task)
        await shop.studio.ended(task.id)
        task = shop.state.reading.task(task.id) or task
        left = task.created_at + task.latency_seconds - shop.clock()
        await anyio.sleep(min(0.05, max(0.0, left)))
    return task
