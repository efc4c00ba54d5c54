"""Both transports before the same judges, and what is asked of ours alone."""

import asyncio
import socket
import ssl
from contextlib import suppress
from itertools import pairwise

import anyio
import httpx
import psutil
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchgen.api.http1 import Http1Transport, Limits
from batchgen.api.http1.dial import dial
from batchgen.api.http1.incoming import HEADERS, OVERHEAD_BYTES, Incoming
from tests.contracts.http import HALF_BODY, HALF_HEAD, LARGE, HttpContract, asked, drained, settled, time_flies
from tests.wire_server import Close, Read, ReadHead, Reset, Script, Send, Stall, WireServer, head, reply

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


def fed(*data: bytes, method: str = "GET", end: bool = False) -> Incoming:
    """An answer that was fed with these bytes."""
    incoming = Incoming(method)
    for each in data:
        incoming.feed(each)
    if end:
        incoming.close()
    return incoming


def seen(pieces: list[bytes]) -> tuple[object, ...]:
    """All that is to be known of an answer that came in these pieces and then ended; `...` where it was refused."""
    incoming = Incoming("GET")
    refused = False
    try:
        for each in pieces:
            incoming.feed(each)
        incoming.close()
    except httpx.RemoteProtocolError:
        refused = True
    told = (incoming.status, incoming.reason, tuple(incoming.headers)) if incoming.headed else ()
    return refused, told, () if refused else b"".join(incoming.chunks)


@pytest.mark.parametrize(
    "answer",
    [
        head(200, {"Content-Length": "2"})[:-2] + b"Content-Length: 3\r\n\r\nok",
        head(200, {"Content-Length": "2"})[:-2] + b"Content-Length: 2\r\n\r\nok",
        head(200, {"Content-Length": "2, 2"}),
        head(200, {"Content-Length": "-2"}),
        head(200, {"Content-Length": "+2"}),
        head(200, {"Content-Length": "0x2"}),
        head(200, {"Content-Length": "9" * 30}),
        head(200, {"Content-Length": "2", "Transfer-Encoding": "chunked"}),
        head(200, {"Transfer-Encoding": "chunked", "Content-Length": "2"}),
        head(200, {"Transfer-Encoding": "gzip, chunked"}) + b"2\r\nok\r\n0\r\n\r\n",
        head(200, {"Transfer-Encoding": "chunked, identity"}) + b"ok",
        head(200, {"Transfer-Encoding": "chunked"})[:-2] + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        head(200, {"Transfer-Encoding": "identity"}) + b"ok",
        head(200, {"Transfer-Encoding": "\x0bchunked"}),
        head(200, {"Content-Length ": "2"}),
        head(200, {"X": "a\r\n folded"}),
        head(200, {"X": "a\0b"}),
        head(200).replace(b"\r\n", b"\n"),
        head(101, {"Upgrade": "x", "Connection": "upgrade"}),
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        head(200, {"Transfer-Encoding": "chunked"}) + b"fffffffffffffffff\r\n",
        head(200, {"Transfer-Encoding": "chunked"}) + b"2\r\nokay\r\n",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(answer: bytes) -> None:
    """Lengths that contradict each other, odd codings, folded or broken lines: no answer, in one piece or in many."""
    for pieces in ([answer], [answer[place : place + 1] for place in range(len(answer))]):
        with pytest.raises(httpx.RemoteProtocolError):
            fed(*pieces, end=True)


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 " + b"x" * (OVERHEAD_BYTES + 1),
        head(200, {"X": "x" * OVERHEAD_BYTES})[:-2],
        b"HTTP/1.1 200 OK\r\n" + b"x" * (OVERHEAD_BYTES + 1),
        b"".join([b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * (HEADERS + 2)]),
        b"HTTP/1.1 103 Early\r\n\r\n" * 5000,
        head(200, {"Transfer-Encoding": "chunked"}) + b"1;" + b"x" * OVERHEAD_BYTES,
        head(200, {"Transfer-Encoding": "chunked"}) + b"0\r\n" + b"a: b\r\n" * 20_000,
    ],
    ids=["reason", "header", "name", "headers", "interim", "extension", "trailers"],
)
def test_nothing_but_a_body_may_be_long(flood: bytes) -> None:
    """Heads, interim answers, chunk lines and trailers without end are refused, however they come."""
    for size in (len(flood), 1000):
        with pytest.raises(httpx.RemoteProtocolError):
            fed(*[flood[start : start + size] for start in range(0, len(flood), size)])


def test_a_long_body_in_small_chunks_is_no_flood() -> None:
    """Lines between chunks count only since the last byte of the body."""
    chunks = b"1\r\nx\r\n" * 100_000
    incoming = fed(
        head(200, {"Transfer-Encoding": "chunked"}), *[chunks[n : n + 6000] for n in range(0, 600_000, 6000)]
    )
    assert incoming.held == 100_000


@pytest.mark.parametrize("stray", [b"x", b"HTTP/1.1 200 OK\r\n", head(200), b"\0"])
@pytest.mark.parametrize("more", [{}, {"Connection": "close"}])
@pytest.mark.parametrize("together", [True, False])
def test_what_follows_an_answer_ends_the_connection(stray: bytes, more: dict[str, str], together: bool) -> None:
    """Bytes behind the end belong to nobody, in the same piece or in the next; the answer itself stands."""
    answer = head(200, {"Content-Length": "2", **more}) + b"ok"
    incoming = fed(answer + stray) if together else fed(answer, stray)
    assert (incoming.ended, incoming.kept, list(incoming.chunks)) == (True, False, [b"ok"])


ANSWERS = st.sampled_from(
    [
        head(200, {"Content-Length": "5"}) + b"hello",
        head(200, {"Transfer-Encoding": "chunked"}) + b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
        head(200) + b"hello",
        head(103, {"Link": "x"}) + head(204),
        head(304, {"Content-Length": "7", "Empty": ""}),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An answer in which some bytes were replaced, lost or doubled."""
    data = bytearray(draw(ANSWERS))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3) | st.sampled_from([b"\r\n", b":"]))
    return bytes(data)


@given(damaged() | st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
@example(head(200) + b"hello", [1, 2, 3])
def test_an_answer_is_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    """Cut anywhere, an answer says the same, or is refused the same; nothing but the documented error comes out."""
    places = [0, *sorted({min(cut, len(data)) for cut in cuts}), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert seen([data]) == seen(pieces) == seen([data[place : place + 1] for place in range(len(data))])


@settings(max_examples=50)
@given(st.lists(damaged() | st.binary(max_size=50), max_size=3), st.sampled_from([Close(), Reset()]))
async def test_no_answer_makes_a_call_hang_or_crash(pieces: list[bytes], end: Close | Reset) -> None:
    """Whatever comes over the wire, a call ends with a response or with an error of the network, and soon."""
    script: Script = (Read(), *map(Send, pieces), end)
    async with WireServer() as server, ours() as transport:
        server.then(script, script)
        with anyio.fail_after(60):
            for _ in range(2):
                with suppress(httpx.TransportError):
                    await drained(await transport.handle_async_request(asked(server, "/", "POST", content=b"x")))


async def call(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> bytes:
    return await drained(await transport.handle_async_request(request))


async def test_bytes_that_nobody_asked_for_never_become_an_answer() -> None:
    """An answer forged behind another one is dropped with its connection."""
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    for behind in (forged, b"H", b"\r\n" + forged):
        async with WireServer() as server, ours() as transport:
            server.then((Read(), Send(head(200, {"Content-Length": "2"}) + b"ok" + behind)), reply(200, b"right"))
            assert await call(transport, asked(server)) == b"ok"
            assert await call(transport, asked(server)) == b"right"
        assert [request.connection for request in server.requests] == [1, 2]


async def test_bytes_that_come_late_are_nobodys() -> None:
    """What a server says on a connection that nobody uses ends it."""
    async with WireServer() as server, ours() as transport:
        server.then(reply(200, b"ok"), (Send(head(200, {"Content-Length": "6"}) + b"forged"),), reply(200, b"right"))
        assert await call(transport, asked(server)) == b"ok"
        while transport._pool._open:
            await checkpoint()
        assert await call(transport, asked(server)) == b"right"
        assert server.connections == 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_free_call_over_a_dead_connection_is_made_again(method: str) -> None:
    """A kept connection that dies under a free call, before a byte of the answer, is replaced: once, not twice."""
    gone: Script = (Read(), Close())
    async with WireServer() as server, ours() as transport:
        server.then(reply(), gone, reply(204), gone, gone)
        await call(transport, asked(server))
        response = await transport.handle_async_request(asked(server, "/", method))
        await response.aclose()
        assert (response.status_code, len(server.requests)) == (204, 3)
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
            await call(transport, asked(server))
        assert len(server.requests) == (5 if method == "GET" else 4)  # nothing tells where an answer to HEAD ends


@pytest.mark.parametrize(
    ("method", "script"),
    [
        ("POST", (Read(), Close())),
        ("POST", (Read(), Reset())),
        ("DELETE", (Read(), Close())),
        ("GET", (Read(), HALF_HEAD, Close())),
        ("GET", (Read(), HALF_BODY, Close())),
    ],
)
async def test_what_may_have_been_heard_is_never_sent_twice(method: str, script: Script) -> None:
    """Neither a paid call nor one whose answer has begun is repeated, on a kept connection either."""
    async with WireServer() as server, ours() as transport:
        server.then(reply(), script, reply())
        await call(transport, asked(server))
        with pytest.raises(httpx.TransportError):
            await call(transport, asked(server, "/", method))
        assert len(server.requests) == 2


async def test_a_connection_is_not_kept_for_ever() -> None:
    """An idle connection is ended when its time is over, also where another one is used before it."""
    async with WireServer() as server, ours(idle_seconds=30) as transport:
        server.then(reply(), reply(), reply())
        await call(transport, asked(server))
        with time_flies():
            await call(transport, asked(server, extensions={"timeout": {}}))
        assert [request.connection for request in server.requests] == [1, 2]


async def test_no_more_connections_are_kept_than_may_be() -> None:
    """Of many that come back at once only so many stay."""
    async with WireServer() as server, ours(idle=2) as transport:
        server.then(*[reply()] * 9)
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(call, transport, asked(server))
        await settled()
        assert len(transport._pool._open) <= 2
        before = server.connections
        await call(transport, asked(server))
        assert server.connections == before


async def test_a_server_that_speaks_first_is_not_sent_to() -> None:
    """A connection on which something came before anything was asked is given up, and the request is unsent."""
    from batchgen.api.carriers import Trail
    from batchgen.api.http1.connection import Connection, Patience
    from batchgen.api.http1.outgoing import of_request

    async with WireServer() as server:
        server.then((Send(b"HTTP/1.1 408 Too slow\r\n\r\n"), Stall()))
        over: list[Connection] = []
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(over.append), "127.0.0.1", server.port)
        while not over:
            await checkpoint()
        trail = Trail()
        with pytest.raises(httpx.ReadError):
            await connection.ask(of_request(asked(server, extensions={"trace": trail})), Incoming("GET"), Patience())
        assert trail.phase == "unsent"


async def test_an_answer_ends_the_sending() -> None:
    """Whoever answers before it has read everything, and reads no more, is not sent the rest."""
    early = Send(head(413, {"Content-Length": "2"}) + b"no")
    async with WireServer() as server, ours() as transport:
        server.then((ReadHead(), early, Stall()), reply())
        assert await call(transport, asked(server, "/", "POST", content=LARGE)) == b"no"
        await call(transport, asked(server))
        assert [request.connection for request in server.requests] == [1, 2]


async def test_a_handshake_that_is_cancelled_leaves_no_socket() -> None:
    """Its connection is closed on this side, and its place is free. The stock transport leaves the socket open."""
    async with WireServer() as server, ours(exchanges=1) as transport:
        server.then((Stall(),), reply())
        request = httpx.Request("POST", f"https://127.0.0.1:{server.port}/", content=b"x")
        ended = asyncio.ensure_future(transport.handle_async_request(request))
        while not server.connections:
            await checkpoint()
        await settled()
        ended.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ended
        await settled()
        assert [each for each in psutil.Process().net_connections() if each.raddr[1:] == (server.port,)] == []
        assert await call(transport, asked(server)) == b""


async def test_closing_breaks_off_what_still_runs() -> None:
    """A body that ends with its connection is not taken for whole because we closed it."""
    async with WireServer() as server:
        server.then((Read(), Send(head(200) + b"half"), Stall()))
        transport = ours()
        response = await transport.handle_async_request(asked(server))
        chunks = response.aiter_raw()
        assert await anext(chunks) == b"half"
        await transport.aclose()
        with pytest.raises(httpx.ReadError):
            await anext(chunks)
        await transport.aclose()


@pytest.mark.parametrize("announced", [2, 4])
async def test_a_body_must_be_as_long_as_it_says(announced: int) -> None:
    """Neither more nor less is sent than the headers announce."""
    async with WireServer() as server, ours() as transport:
        server.then((Stall(),))
        headers = {"Content-Length": str(announced)}
        with pytest.raises(httpx.LocalProtocolError):
            await call(transport, asked(server, "/", "POST", content=b"abc", headers=headers))


async def test_a_body_that_cannot_be_awaited_is_refused() -> None:
    """A synchronous stream would hold everybody up."""
    async with WireServer() as server, ours() as transport:
        with pytest.raises(httpx.LocalProtocolError):
            await call(transport, asked(server, "/", "POST", content=iter([b"x"])))
    assert not server.requests


@pytest.mark.parametrize("target", [b"/a b", b"/a\r\nX: y"])
async def test_a_target_cannot_end_its_line(target: bytes) -> None:
    """A request line has two spaces and one end."""
    async with WireServer() as server, ours() as transport:
        request = httpx.Request("GET", httpx.URL(server.origin))
        request.url = _Odd(request.url, target)  # type: ignore[assignment]
        with pytest.raises(httpx.LocalProtocolError):
            await call(transport, request)


class _Odd:
    """A URL whose target no parser would let pass."""

    def __init__(self, url: httpx.URL, target: bytes) -> None:
        self.scheme, self.raw_host, self.port, self.raw_path = url.scheme, url.raw_host, url.port, target


def leading(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Let every name lead to these."""
    found = [(socket.AF_INET6 if ":" in each[0] else socket.AF_INET, 1, 6, "", each) for each in addresses]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **more: found)


async def test_a_dead_address_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several addresses the first that answers is used."""
    async with WireServer() as server, ours() as transport:
        server.then(reply(200, b"x"))
        leading(monkeypatch, ("127.0.0.2", server.port), ("::1", server.port), ("127.0.0.1", server.port))
        request = httpx.Request("GET", f"http://two.example:{server.port}/")
        assert await call(transport, request) == b"x"


async def test_if_all_addresses_are_dead_the_first_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address takes the connection: that is a connection that was refused."""
    async with WireServer() as server:
        port = server.port
    leading(monkeypatch, ("127.0.0.2", port), ("127.0.0.1", port))
    async with ours() as transport:
        with pytest.raises(httpx.ConnectError) as caught:
            await call(transport, httpx.Request("GET", f"http://two.example:{port}/"))
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_a_silent_address_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one address says nothing the next is tried beside it, and the loser is let go."""
    loop = asyncio.get_running_loop()
    connect, silent = loop.sock_connect, asyncio.Event()

    async def maybe(connection: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "127.0.0.2":
            silent.set()
            await asyncio.Event().wait()
        await connect(connection, address)

    monkeypatch.setattr(loop, "sock_connect", maybe)
    async with WireServer() as server, ours() as transport:
        server.then(reply(200, b"x"))
        leading(monkeypatch, ("127.0.0.2", server.port), ("127.0.0.1", server.port))
        calling = asyncio.ensure_future(call(transport, httpx.Request("GET", f"http://two.example:{server.port}/")))
        await silent.wait()
        with time_flies():
            assert await calling == b"x"


async def test_of_two_that_win_at_once_one_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two connections that are made in the same moment are one too many."""
    loop = asyncio.get_running_loop()
    connect, both = loop.sock_connect, asyncio.Event()
    started: list[socket.socket] = []

    async def together(connection: socket.socket, address: tuple[str, int]) -> None:
        started.append(connection)
        await connect(connection, address)
        await both.wait()

    monkeypatch.setattr(loop, "sock_connect", together)
    async with WireServer() as server:
        leading(monkeypatch, ("127.0.0.1", server.port), ("127.0.0.1", server.port))
        dialling = asyncio.ensure_future(dial("two.example", server.port))
        with time_flies():
            while len(started) < 2:
                await checkpoint()
        await settled()
        both.set()
        winner = await dialling
        assert winner in started
        assert sorted(each.fileno() >= 0 for each in started) == [False, True]
        winner.close()


async def test_a_winner_that_comes_too_late_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is made in the moment of the cancellation is closed."""
    loop = asyncio.get_running_loop()
    connect, scope = loop.sock_connect, anyio.CancelScope()
    made: list[socket.socket] = []

    async def late(connection: socket.socket, address: tuple[str, int]) -> None:
        await connect(connection, address)
        made.append(connection)
        scope.cancel()

    monkeypatch.setattr(loop, "sock_connect", late)
    async with WireServer() as server:
        leading(monkeypatch, ("127.0.0.1", server.port), ("127.0.0.1", server.port))
        with scope:
            await dial("two.example", server.port)
        assert scope.cancelled_caught
        assert [each.fileno() for each in made] == [-1]
