"""Who may come in: which host, which origin, which port for what, and how many at once."""

from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from batchgen.gateway.files import FILES
from batchgen.gateway.refusal import Refusal, of_status

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the door lets in: Host names, how many requests at once, and the port of pictures if it is another."""

    hosts: frozenset[str]
    most_at_once: int
    asset_port: int | None = None


class Door:
    """ASGI middleware: a page in a browser, and a name that was bound to this address, stay outside."""

    def __init__(self, app: ASGIApp, rooms: Rooms) -> None:
        self._app, self._rooms, self._inside = app, rooms, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal.response()(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1

    def _refusal(self, scope: Scope) -> Refusal | None:
        hosts, origins = _header(scope, b"host"), _header(scope, b"origin")
        if len(hosts) != 1 or host_name(hosts[0]) not in self._rooms.hosts:
            return Refusal(403, "host_not_allowed", "the Host header names no address of this gateway")
        if any(origin != f"{scope['scheme']}://{hosts[0]}" for origin in origins):
            return Refusal(403, "origin_not_allowed", "this gateway takes no requests from other origins")
        if not self._right_port(scope):
            return of_status(404, "")
        if self._inside >= self._rooms.most_at_once:
            return Refusal(503, "overloaded", "too many requests at once; try again", headers={"Retry-After": "1"})
        return None

    def _right_port(self, scope: Scope) -> bool:
        """Where pictures have a port of their own, that port has nothing else and the other one has none."""
        port = self._rooms.asset_port
        return port is None or (scope["server"][1] == port) == scope["path"].startswith(FILES)


def host_name(header: str) -> str:
    """The host of a Host header without its port, in lower case."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
