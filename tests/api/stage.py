"""What the tests of the client share: an order, short patience where a test stalls, and a client at a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from batchgen.api import Order, wire
from batchgen.api.client import Client
from batchgen.api.network import Network, Timeouts
from tests.wire_server import Script, WireServer

KEY = "sk_xeno_canary_0123456789"
PROMPT = "a canary prompt that nobody may repeat"
HASTY = Network(timeouts=Timeouts(answer=0.04, poll_answer=0.04, picture_answer=0.04, write=0.04))


def patient(**seconds: float) -> Network:
    return Network(timeouts=Timeouts(**seconds))


def order(prompt: str = PROMPT, *, files: tuple[bytes, ...] = (), token: str = "bg-token") -> Order:
    fields = {"model": "nano-banana-pro", "prompt": prompt}
    content_type, body = wire.encode_create(fields, [], [wire.Part("image/png", data) for data in files], token)
    return Order(token, "nano-banana-pro", content_type, body)


@asynccontextmanager
async def at(*scripts: Script, **options: Any) -> AsyncIterator[tuple[WireServer, Client]]:
    """A client talking to a server that follows these scripts."""
    async with WireServer() as server:
        server.then(*scripts)
        async with Client(server.origin, lambda: KEY, **options) as client:
            yield server, client


async def bring(client: Client, url: str) -> bytes:
    """The bytes of one picture."""
    async with client.download(url) as chunks:
        return b"".join([chunk async for chunk in chunks])
