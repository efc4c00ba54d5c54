"""Stands before the gateway and plays a script: counts the requests of each route and breaks those that it names."""

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final, TypeAlias

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from batchgen.api import wire
from batchgen.gateway.faults import Crop, Cut, Drip, Fault, Late, Mark, Played, Refuse, Route, Script, Stall, Swap
from batchgen.gateway.faults.diary import Diary
from batchgen.gateway.faults.line import end
from batchgen.gateway.faults.marks import Marked
from batchgen.gateway.faults.recorded import Recorded, bought, served
from batchgen.gateway.files import FILES
from batchgen.gateway.refusal import Refusal

Sleep: TypeAlias = Callable[[float], Awaitable[None]]

_DRIPS: Final = 20
_HTML: Final = b"<!doctype html><html><title>502</title><body><h1>Bad gateway</h1></body></html>"
_NOISE: Final = bytes(range(256)) * 3


class Player:
    """An ASGI app before the gateway's; what it played is in its diary.

    Its server must hand it the line: see `line`. A body whose task was made to fail is spared the next time, so that a
    second attempt finds its picture.
    """

    def __init__(self, app: ASGIApp, script: Script, diary: Diary, sleep: Sleep = anyio.sleep) -> None:
        self._app, self._script, self._diary, self._sleep = app, script, diary, sleep
        self._count: Counter[Route] = Counter()
        self._marked: dict[str, Marked | None] = {}
        self._failed: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or break it."""
        route = _route(scope)
        if route is None:
            await self._app(scope, receive, send)
            return
        self._count[route] += 1
        number = self._count[route]
        played = self._script.fault(route, number)
        if played is not None:
            self._diary.note(route, number, played)
        if played is not None and played.before:
            await self._instead(played.fault, scope, receive, send)
            return
        await self._serve(route, number, played, (scope, receive, send))

    async def _serve(self, route: Route, number: int, played: Played | None, call: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = call
        mark = self._script.mark(number) if route == "submit" else None
        marked = self._marked.get(_task_of(scope)) if route == "poll" else None
        if played is None and mark is None and marked is None and (route != "submit" or not self._script.tasks):
            await self._app(scope, receive, send)
            return
        if route == "submit":
            answer, digest = await bought(self._app, scope, receive)
            self._sell(number, mark, answer, digest)
        else:
            answer = await served(self._app, scope, receive)
        if marked is not None:
            answer = marked.answer(answer)
        if played is None:
            await answer.send(send)
        else:
            await self._after(played.fault, answer, call)

    def _sell(self, number: int, mark: Mark | None, answer: Recorded, body: str) -> None:
        """Remember what is wrong with a task; one that was sold before keeps what it had."""
        task = answer.document().get("task_id")
        if not isinstance(task, str) or task in self._marked:
            return
        if mark is not None and mark.kind == "fails" and body in self._failed:
            mark = None
        self._marked[task] = None if mark is None else Marked(mark)
        if mark is not None:
            self._failed.add(body)
            self._diary.note_task(number, mark, task)

    async def _instead(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """What comes instead of serving the request."""
        match fault:
            case Refuse():
                await _refused(fault)(scope, receive, send)
            case Stall(seconds):
                await self._sleep(seconds)
                await end(scope, receive, reset=False)
            case fault:
                await end(scope, receive, reset=isinstance(fault, Cut) and fault.reset)

    async def _after(self, fault: Fault, answer: Recorded, call: tuple[Scope, Receive, Send]) -> None:
        """What becomes of an answer that was made."""
        scope, receive, send = call
        match fault:
            case Late(seconds):
                await self._sleep(seconds)
                await answer.send(send)
            case Drip(seconds):
                await self._drip(answer, seconds, send)
            case Crop(whole=True):
                await answer.saying(answer.body[: len(answer.body) // 2]).send(send)
            case Crop():
                await answer.send(send, most=len(answer.body) // 2)
                await end(scope, receive, reset=False)
            case Swap(by):
                await _swapped(answer, by).send(send)
            case other:
                await self._instead(other, scope, receive, send)

    async def _drip(self, answer: Recorded, seconds: float, send: Send) -> None:
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        size = max(1, len(answer.body) // _DRIPS)
        for start in range(0, len(answer.body), size):
            await self._sleep(seconds / _DRIPS)
            part = answer.body[start : start + size]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _route(scope: Scope) -> Route | None:
    if scope["type"] != "http":
        return None
    match scope["method"], scope["path"]:
        case "POST", wire.GENERATIONS:
            return "submit"
        case "GET", wire.MODELS:
            return "models"
        case "GET", str(path) if path.startswith(wire.TASKS):
            return "poll"
        case "GET", str(path) if path.startswith(FILES):
            return "file"
        case _:
            return None


def _task_of(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(wire.TASKS)


def _swapped(answer: Recorded, by: str) -> Recorded:
    match by:
        case "html":
            return answer.saying(_HTML, b"text/html")
        case "stranger":
            document = answer.document()
            return answer.saying(json.dumps({**document, "task_id": f"other_{document.get('task_id')}"}).encode())
        case _:
            return answer.saying(_NOISE)


def _refused(fault: Refuse) -> ASGIApp:
    headers: dict[str, str] = {}
    if fault.retry_after is not None:
        after = fault.retry_after
        headers["Retry-After"] = formatdate(time.time() + after, usegmt=True) if fault.as_date else f"{after:g}"
    return Refusal(fault.status, "played_fault", "this fault is being rehearsed", headers=headers).response()
