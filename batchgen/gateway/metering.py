"""Counts what was answered, for the access log and for Prometheus; sees no body, no query and no header."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchgen.api import wire
from batchgen.gateway.files import FILES

_LONGEST_PATH: Final = 200
_ROUTES: Final = {wire.TASKS: wire.TASKS + "{task_id}", FILES: FILES + "{name}"}
_KNOWN: Final = frozenset(
    {wire.GENERATIONS, wire.MODELS, wire.BALANCE, "/healthz", "/metrics", "/docs", "/openapi.json"}
)

logger = logging.getLogger("batchgen.gateway.access")


class Meter:
    """ASGI middleware around everything else: one line and one count for each answer."""

    def __init__(self, app: ASGIApp, counts: "Counts", timer: Callable[[], float] = time.perf_counter) -> None:
        self._app, self._counts, self._timer = app, counts, timer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and note how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._timer(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with suppress(ClientDisconnect):  # in the middle of its body: nobody is left to answer
                await self._app(scope, receive, noted)
        finally:
            self._counts.note(scope, status, self._timer() - began)


class Counts:
    """Answers and the seconds they took, by method, route and status; 0 is a client that was not answered."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log one answer."""
        method = scope["method"] if scope["method"] in {"GET", "POST", "HEAD", "OPTIONS"} else "other"
        path, route = scope["path"], route_of(scope["path"])
        self._answers[method, route, status] += 1
        self._seconds[method, route] += seconds  # type: ignore[assignment]  # a Counter adds floats as well
        if logger.isEnabledFor(logging.INFO):
            shown = quote(path[:_LONGEST_PATH], safe="/:@+,;=", errors="replace")[:_LONGEST_PATH]
            logger.info("%s %s %d %.1f ms", method, shown, status, seconds * 1000)

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """All of it in Prometheus' text format; `gauges` have their help and value by name."""
        lines = [
            "# HELP batchgen_gateway_requests_total Answers given.",
            "# TYPE batchgen_gateway_requests_total counter",
        ]
        for (method, route, status), count in sorted(self._answers.items()):
            labels = f'method="{method}",route="{route}",status="{status}"'
            lines.append(f"batchgen_gateway_requests_total{{{labels}}} {count}")
        lines += [
            "# HELP batchgen_gateway_request_seconds_total Time spent on answers.",
            "# TYPE batchgen_gateway_request_seconds_total counter",
        ]
        for (method, route), seconds in sorted(self._seconds.items()):
            lines.append(f'batchgen_gateway_request_seconds_total{{method="{method}",route="{route}"}} {seconds:.6f}')
        for name, (meaning, value) in gauges.items():
            full = f"batchgen_gateway_{name}"
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}", f"{full} {value:g}"]
        return "\n".join(lines) + "\n"


def route_of(path: str) -> str:
    """The route that a path belongs to; few, whatever is asked for."""
    if path in _KNOWN:
        return path
    return next((route for start, route in _ROUTES.items() if path.startswith(start)), "other")
