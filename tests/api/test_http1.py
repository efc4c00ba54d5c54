"""Both transports before the same judges, and what is asked of ours alone."""

import asyncio
import ssl

import anyio
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchgen.api.http1 import Http1Transport, Limits
from batchgen.api.http1.incoming import HEADERS, OVERHEAD_BYTES, Incoming
from tests.contracts.http import HALF_BODY, HttpContract, asked, drained, settled, time_flies
from tests.wire_server import Close, Read, Reset, Script, Send, Stall, WireServer, head, reply

pytestmark = pytest.mark.anyio


def ours(*, exchanges: int = 20, idle: int = 20, idle_seconds: float = 30.0) -> Http1Transport:
    return Http1Transport(ssl.create_default_context(), Limits(exchanges, idle, idle_seconds))


class TestOwn(HttpContract):
    """Our transport."""

    def open(self, context: ssl.SSLContext, *, exchanges: int, idle: int) -> httpx.AsyncBaseTransport:
        return Http1Transport(context, Limits(exchanges, idle, 30.0))


class TestStock(HttpContract):
    """httpx's."""

    def open(self, context: ssl.SSLContext, *, exchanges: int, idle: int) -> httpx.AsyncBaseTransport:
        limits = httpx.Limits(max_connections=exchanges, max_keepalive_connections=idle)
        return httpx.AsyncHTTPTransport(verify=context, limits=limits, trust_env=False)
