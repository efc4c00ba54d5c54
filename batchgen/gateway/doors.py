"""Who may come in: host, origin, how many at once, and which credential."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from batchgen.gateway.refusal import Refusal

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Door:
    """ASGI middleware: a page in a browser, and a name that was bound to this address, stay outside."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], most_at_once: int) -> None:
        self._app, self._hosts, self._most, self._inside = app, hosts, most_at_once, 0

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
        if len(hosts) != 1 or host_name(hosts[0]) not in self._hosts:
            return Refusal(403, "host_not_allowed", "the Host header names no address of this gateway")
        if any(origin != f"{scope['scheme']}://{hosts[0]}" for origin in origins):
            return Refusal(403, "origin_not_allowed", "this gateway takes no requests from other origins")
        if self._inside >= self._most:
            return Refusal(503, "overloaded", "too many requests at once; try again", headers={"Retry-After": "1"})
        return None


class Credentials:
    """The credentials that are taken; kept as hashes, compared in constant time."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]

    def owner(self, authorization: str | None) -> str:
        """The hash of the credential in an Authorization header.

        Raises:
            Refusal: 401 when there is none, or another one.
        """
        scheme, _, given = (authorization or "").partition(" ")
        digest = hashlib.sha256(given.strip().encode("utf-8", "replace")).hexdigest()
        known = [hmac.compare_digest(digest, each) for each in self._digests]
        if scheme.lower() != "bearer" or not any(known):
            challenge = {"WWW-Authenticate": "Bearer"}
            raise Refusal(401, "invalid_credential", "send this gateway's key as a Bearer token", headers=challenge)
        return digest


def host_name(header: str) -> str:
    """The host of a Host header without its port, in lower case."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
