"""What a transport under httpx's seam must do, and what it must say when it cannot; judged over real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import httpx
import pytest
import trustme
from anyio.lowlevel import checkpoint

from batchgen.api.carriers import Trail
from batchgen.api.meaning import Phase
from tests.wire_server import Close, Read, ReadHead, Reset, Script, Send, Stall, Step, WireServer, head, reply

LARGE = b"\x89" * (24 * 1024 * 1024)
GARBAGE = Send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
HALF_HEAD = Send(b"HTTP/1.1 200 OK\r\nContent-Le")
HALF_BODY = Send(head(200, {"Content-Length": "400"}) + b"half")
HALF_CHUNKS = Send(head(200, {"Transfer-Encoding": "chunked"}) + b"4\r\nhalf\r\n")
PATIENCE = {"connect": 60.0, "pool": 60.0, "write": 60.0, "read": 60.0}

T = TypeVar("T")


@dataclass
class Broken:
    """How a call ended."""

    error: Exception
    phase: Phase


@contextmanager
def time_flies() -> Iterator[None]:
    """The event loop's clock runs a minute ahead with every look at it, so that every patience ends at once."""
    loop: Any = asyncio.get_running_loop()
    real, ahead = loop.time, 0.0

    def time() -> float:
        nonlocal ahead
        ahead += 60
        return float(real() + ahead)

    loop.time = time
    try:
        yield
    finally:
        loop.time = real


async def drained(response: httpx.Response) -> bytes:
    """The whole body, and the response closed."""
    try:
        return b"".join([chunk async for chunk in response.aiter_raw()])
    finally:
        await response.aclose()


def asked(server: WireServer, path: str = "/", method: str = "GET", **options: Any) -> httpx.Request:
    """A request to this server."""
    extensions = {"timeout": PATIENCE, **options.pop("extensions", {})}
    return httpx.Request(method, server.origin + path, extensions=extensions, **options)


async def settled(rounds: int = 50) -> None:
    """Let everything run that need not wait."""
    for _ in range(rounds):
        await checkpoint()


class HttpContract:
    """The judges of every transport: inherit, and say how one is opened."""

    pytestmark = pytest.mark.anyio

    def open(self, context: ssl.SSLContext, *, exchanges: int, idle: int) -> httpx.AsyncBaseTransport:
        """A transport with at most so many requests at once, which keeps so many idle connections."""
        raise NotImplementedError

    @asynccontextmanager
    async def at(
        self, *scripts: Script, exchanges: int = 20, idle: int = 20
    ) -> AsyncIterator[tuple[WireServer, httpx.AsyncBaseTransport]]:
        async with WireServer() as server:
            server.then(*scripts)
            async with self.open(ssl.create_default_context(), exchanges=exchanges, idle=idle) as transport:
                yield server, transport

    async def call(self, transport: httpx.AsyncBaseTransport, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = await transport.handle_async_request(request)
        return response, await drained(response)

    async def broken(self, transport: httpx.AsyncBaseTransport, request: httpx.Request) -> Broken:
        """Make a call that must break."""
        trail = Trail()
        request.extensions["trace"] = trail
        with pytest.raises((httpx.TransportError, OSError)) as caught:
            await self.call(transport, request)
        return Broken(caught.value, trail.phase)

    async def impatient(self, call: Awaitable[T], ready: Awaitable[object]) -> T:
        """What becomes of a call if time runs out once something has happened."""
        pending = asyncio.ensure_future(call)
        await ready
        with time_flies():
            return await pending

    # What a response is.

    async def test_an_answer_is_a_response_whose_body_is_still_to_be_read(self) -> None:
        """Status, reason, version and headers come first, the bytes when they are asked for, and once."""
        async with self.at(reply(201, b"body", {"X-One": "1", "x-two": "2"})) as (server, transport):
            response = await transport.handle_async_request(asked(server, "/a%20b?c=d"))
            assert (response.status_code, response.http_version) == (201, "HTTP/1.1")
            assert response.extensions["reason_phrase"] == b"Whatever"
            assert (response.headers["x-one"], response.headers["X-Two"]) == ("1", "2")
            assert isinstance(response.stream, httpx.AsyncByteStream)
            assert await response.aread() == b"body"
            assert response.is_closed
            (request,) = server.requests
            assert (request.method, request.target) == ("GET", "/a%20b?c=d")
            assert request.headers["host"] == f"127.0.0.1:{server.port}"

    @pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
    async def test_a_body_arrives_as_it_was_given(self, size: int) -> None:
        """A body of any size comes whole, in both directions."""
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        async with self.at(reply(200, body)) as (server, transport):
            _, answered = await self.call(transport, asked(server, "/", "POST", content=body))
        assert server.requests[0].body == body
        assert answered == body

    async def test_a_form_with_files_is_sent_as_it_is_made(self) -> None:
        """A multipart stream of httpx is an ordinary body."""
        files = {"file": ("a.png", b"p" * 100_000, "image/png")}
        async with self.at(reply()) as (server, transport):
            await self.call(transport, asked(server, "/", "POST", files=files, data={"prompt": "x"}))
        assert server.requests[0].body.count(b"p" * 100_000) == 1
        assert server.requests[0].headers["content-type"].startswith("multipart/form-data")

    async def test_a_body_without_a_length_is_sent_in_chunks(self) -> None:
        """A stream of unknown length is framed by chunks."""

        async def pieces() -> AsyncIterator[bytes]:
            yield b"abc"
            yield b""
            yield b"defg"

        expected = b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        raw: list[bytes] = []

        async def listen(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                while not b"".join(raw).endswith(b"0\r\n\r\n"):
                    raw.append(await stream.receive())
                await stream.send(head(200, {"Content-Length": "0"}))

        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/"
        transport = self.open(ssl.create_default_context(), exchanges=1, idle=1)
        async with listener, transport, anyio.create_task_group() as group:
            group.start_soon(listener.serve, listen)
            request = httpx.Request("POST", url, content=pieces(), extensions={"timeout": PATIENCE})
            await self.call(transport, request)
            group.cancel_scope.cancel()
        assert b"".join(raw).partition(b"\r\n\r\n")[2] == expected

    @pytest.mark.parametrize(
        ("method", "answer", "body"),
        [
            ("GET", head(200, {"Content-Length": "4"}) + b"body", b"body"),
            (
                "GET",
                head(200, {"Transfer-Encoding": "chunked"}) + b"2;x=y\r\nbo\r\n2\r\ndy\r\n0\r\nX: y\r\n\r\n",
                b"body",
            ),
            ("GET", head(200) + b"body", b"body"),
            ("GET", b"HTTP/1.0 200 OK\r\n\r\nbody", b"body"),
            ("GET", b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nbody", b"body"),
            ("HEAD", head(200, {"Content-Length": "4"}), b""),
            ("HEAD", head(200, {"Transfer-Encoding": "chunked"}), b""),
            ("GET", head(204), b""),
            ("GET", head(304, {"Content-Length": "4"}), b""),
            ("POST", b"HTTP/1.1 100 Go on\r\n\r\n" + head(103, {"Link": "x"}) + head(200) + b"body", b"body"),
        ],
    )
    async def test_an_answer_ends_where_its_head_says(self, method: str, answer: bytes, body: bytes) -> None:
        """By length, by chunks, with the connection, or at once; interim answers are passed over."""
        async with self.at((Read(), Send(answer), Close())) as (server, transport):
            response, found = await self.call(transport, asked(server, "/", method))
        assert found == body
        assert "link" not in response.headers

    async def test_an_answer_may_come_byte_by_byte(self) -> None:
        """However the network cuts an answer, it is the same."""
        answer = head(200, {"Content-Length": "4", "X-Long": "x" * 50}) + b"body"
        steps = [Send(answer[place : place + 1]) for place in range(len(answer))]
        async with self.at((Read(), *steps)) as (server, transport):
            response, body = await self.call(transport, asked(server))
        assert (response.headers["x-long"], body) == ("x" * 50, b"body")

    @pytest.mark.parametrize("status", [301, 307, 401, 407, 500])
    async def test_every_status_is_an_answer(self, status: int) -> None:
        """No redirect is followed, nothing is asked again, no cookie is kept."""
        told = {"Location": "/elsewhere", "Set-Cookie": "a=b", "WWW-Authenticate": "Basic"}
        async with self.at(reply(status, b"x", told), reply()) as (server, transport):
            response, _ = await self.call(transport, asked(server, "/", "POST", content=b"x"))
            assert response.status_code == status
            assert len(server.requests) == 1
            await self.call(transport, asked(server))
        assert "cookie" not in server.requests[1].headers

    async def test_nothing_is_unpacked(self) -> None:
        """The bytes of the wire are given as they are, whatever encoding they claim to have."""
        async with self.at(reply(200, b"not gzip", {"Content-Encoding": "gzip"})) as (server, transport):
            assert (await self.call(transport, asked(server)))[1] == b"not gzip"

    # How far a request got.

    @pytest.mark.parametrize(
        ("script", "error", "phase"),
        [
            ((Read(), Reset()), httpx.ReadError, "sent"),
            ((Read(), Close()), httpx.RemoteProtocolError, "sent"),
            ((Read(), GARBAGE), httpx.RemoteProtocolError, "sent"),
            ((Read(), HALF_HEAD, Reset()), httpx.ReadError, "sent"),
            ((Read(), HALF_HEAD, Close()), httpx.RemoteProtocolError, "sent"),
            ((Read(), HALF_HEAD, Send(b"x" * 200_000), Stall()), httpx.RemoteProtocolError, "sent"),
            ((Read(), HALF_BODY, Reset()), httpx.ReadError, "answer begun"),
            ((Read(), HALF_BODY, Close()), httpx.RemoteProtocolError, "answer begun"),
            ((Read(), HALF_CHUNKS, Reset()), httpx.ReadError, "answer begun"),
            ((Read(), HALF_CHUNKS, Close()), httpx.RemoteProtocolError, "answer begun"),
            ((Read(), HALF_CHUNKS, Send(b"zz\r\n"), Stall()), httpx.RemoteProtocolError, "answer begun"),
            ((Read(), HALF_CHUNKS, Send(b"-1\r\n"), Stall()), httpx.RemoteProtocolError, "answer begun"),
        ],
    )  # fmt: skip
    async def test_what_breaks_after_sending_says_so(self, script: Script, error: type[Exception], phase: str) -> None:
        """A request that was sent whole is never called less, and an answer that began is told from one that did not.

        A reset that overtakes what was sent before it is seen one phase earlier.
        """
        async with self.at(script) as (server, transport):
            found = await self.broken(transport, asked(server, "/", "POST", content=b"paid"))
        assert type(found.error) is error
        assert found.phase == phase or (Reset() in script and found.phase == "sent")
        assert len(server.requests) == 1

    @pytest.mark.parametrize("fault", [Reset(), Close()])
    async def test_what_breaks_while_sending_says_so(self, fault: Step) -> None:
        """A large body that was cut is neither unsent nor sent."""
        async with self.at((ReadHead(), fault)) as (server, transport):
            found = await self.broken(transport, asked(server, "/", "POST", content=LARGE))
        assert isinstance(found.error, httpx.TransportError)
        assert found.phase == "sent in part"

    async def test_a_refused_connection_was_not_sent_over(self) -> None:
        """Nobody at the port."""
        async with WireServer() as server:
            request = asked(server, "/", "POST", content=b"x")
        async with self.open(ssl.create_default_context(), exchanges=1, idle=1) as transport:
            found = await self.broken(transport, request)
        assert (type(found.error), found.phase) == (httpx.ConnectError, "unsent")

    async def test_a_name_that_nobody_knows_was_not_sent_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A failing name server."""

        def fail(*args: object, **more: object) -> None:
            raise OSError(-2, "Name or service not known")

        monkeypatch.setattr("socket.getaddrinfo", fail)
        request = httpx.Request("POST", "http://nobody.example/", content=b"x", extensions={"timeout": PATIENCE})
        async with self.open(ssl.create_default_context(), exchanges=1, idle=1) as transport:
            found = await self.broken(transport, request)
        assert (type(found.error), found.phase) == (httpx.ConnectError, "unsent")

    async def test_a_scheme_that_is_not_http_is_refused(self) -> None:
        """Only http and https are spoken."""
        async with self.open(ssl.create_default_context(), exchanges=1, idle=1) as transport:
            found = await self.broken(transport, httpx.Request("GET", "ftp://127.0.0.1/"))
        assert (type(found.error), found.phase) == (httpx.UnsupportedProtocol, "unsent")

    @pytest.mark.parametrize("value", ["a\r\nX-Forged: b", "a\nb", "a\0b"])
    async def test_a_header_cannot_end_its_line(self, value: str) -> None:
        """What would be read as another header is refused here."""
        async with self.at(reply()) as (server, transport):
            with pytest.raises(httpx.LocalProtocolError):
                await self.call(transport, asked(server, "/", headers={"X-One": value}))
        assert not server.requests

    async def test_an_answer_while_the_body_is_sent_counts(self) -> None:
        """Whoever refuses a large body before reading it is heard."""
        early = Send(head(413, {"Content-Length": "2"}) + b"no")
        async with self.at((ReadHead(), early, Read()), reply()) as (server, transport):
            response, body = await self.call(transport, asked(server, "/", "POST", content=LARGE[:3_000_000]))
            assert (response.status_code, body) == (413, b"no")
            assert (await self.call(transport, asked(server)))[0].status_code == 200

    # Patience.

    async def test_a_server_that_says_nothing_is_given_up(self) -> None:
        """No answer in time, after the request was sent whole."""
        async with self.at((Read(), Stall())) as (server, transport):

            async def read() -> None:
                while not (server.requests and server.requests[0].body):
                    await checkpoint()
                await settled()

            found = await self.impatient(self.broken(transport, asked(server, "/", "POST", content=b"x")), read())
        assert (type(found.error), found.phase) == (httpx.ReadTimeout, "sent")

    async def test_a_server_that_does_not_read_is_given_up(self) -> None:
        """The body cannot be sent in time."""
        async with self.at((ReadHead(), Stall())) as (server, transport):
            call = self.broken(transport, asked(server, "/", "POST", content=LARGE))
            found = await self.impatient(call, server.arrived(1))
        assert (type(found.error), found.phase) == (httpx.WriteTimeout, "sent in part")

    async def test_a_body_that_stops_is_given_up(self) -> None:
        """The next bytes do not come in time."""
        async with self.at((Read(), HALF_BODY, Stall())) as (server, transport):
            response = await transport.handle_async_request(asked(server))
            chunks = response.aiter_raw()
            assert await anext(chunks) == b"half"
            with pytest.raises(httpx.ReadTimeout), time_flies():
                await anext(chunks)
            await response.aclose()

    async def test_a_handshake_that_stops_is_given_up(self) -> None:
        """A server that never speaks TLS: nothing was sent."""
        async with self.at((Stall(),)) as (server, transport):
            url = f"https://127.0.0.1:{server.port}/"
            request = httpx.Request("POST", url, content=b"x", extensions={"timeout": PATIENCE})

            async def connected() -> None:
                while not server.connections:
                    await checkpoint()

            found = await self.impatient(self.broken(transport, request), connected())
        assert (type(found.error), found.phase) == (httpx.ConnectTimeout, "unsent")

    async def test_what_finds_no_free_connection_was_not_sent(self) -> None:
        """At most so many at once; whoever waits too long has sent nothing, and its place is not lost."""
        async with self.at((Read(), Stall()), reply(), exchanges=1) as (server, transport):
            first = asyncio.ensure_future(self.call(transport, asked(server)))
            await server.arrived(1)
            hasty = asked(server, "/", "POST", content=b"x", extensions={"timeout": {**PATIENCE, "pool": 0.001}})
            found = await self.broken(transport, hasty)
            assert (type(found.error), found.phase) == (httpx.PoolTimeout, "unsent")
            waiting = asyncio.ensure_future(self.call(transport, asked(server)))
            gone = asyncio.ensure_future(self.call(transport, asked(server)))
            await settled()
            assert server.connections == 1
            for each in (gone, first):
                each.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await each
            assert (await waiting)[0].status_code == 200

    # Connections.

    async def test_connections_are_kept_and_reused(self) -> None:
        """Requests in a row share a connection, also after an answer without a body."""
        async with self.at(reply(), reply(204), reply(200, b"x" * 100_000), reply()) as (server, transport):
            for _ in range(4):
                await self.call(transport, asked(server))
        assert server.connections == 1

    async def test_connections_are_not_kept_if_none_may_be(self) -> None:
        """Without idle connections every request has one of its own."""
        async with self.at(reply(), reply(), idle=0) as (server, transport):
            for _ in range(2):
                await self.call(transport, asked(server, "/", "POST", content=b"x"))
        assert [request.connection for request in server.requests] == [1, 2]

    @pytest.mark.parametrize(
        "first",
        [
            reply(200, b"x", {"Connection": "close"}),
            (Read(), Send(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")),
            (*reply(), Close()),
        ],
    )
    async def test_a_connection_that_ends_is_not_used_again(self, first: Script) -> None:
        """What a server closes serves no further request, and none fails for it."""
        async with self.at(first, reply(200, b"right")) as (server, transport):
            await self.call(transport, asked(server))
            while server._tasks and Close() in first:
                await checkpoint()
            await anyio.sleep(0.02)  # httpx looks whether something has come; it must have
            assert (await self.call(transport, asked(server)))[1] == b"right"
        assert [request.connection for request in server.requests] == [1, 2]

    async def test_a_response_that_is_left_early_costs_only_its_connection(self) -> None:
        """Closing a response before its end leaves nothing behind for the next request."""
        async with self.at(reply(200, b"x" * 3_000_000), reply(200, b"y"), exchanges=1) as (server, transport):
            response = await transport.handle_async_request(asked(server))
            await response.aclose()
            assert (await self.call(transport, asked(server)))[1] == b"y"

    async def test_many_at_once_get_their_own_answers(self) -> None:
        """No answer goes to another request."""
        async with self.at(exchanges=8) as (server, transport):
            server.then(*[(Read(), *reply(200, str(number).encode())[1:]) for number in range(60)])
            found: list[bytes] = []

            async def one() -> None:
                found.append((await self.call(transport, asked(server)))[1])

            async with anyio.create_task_group() as group:
                for _ in range(60):
                    group.start_soon(one)
        assert sorted(map(int, found)) == list(range(60))
        assert server.connections <= 8

    @pytest.mark.parametrize(
        "script", [(Stall(),), (ReadHead(), Stall()), (Read(), HALF_HEAD, Stall()), (Read(), HALF_BODY, Stall())]
    )
    async def test_whatever_is_cancelled_leaves_nothing_behind(self, script: Script) -> None:
        """A call cancelled in any phase gives its place free, and the next one is served."""
        async with self.at(script, reply(), exchanges=1) as (server, transport):
            call = asyncio.ensure_future(self.call(transport, asked(server, "/", "POST", content=LARGE[:9_000_000])))
            while not server.connections:
                await checkpoint()
            if script != (Stall(),):
                await server.arrived(1)
            await settled()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert (await self.call(transport, asked(server)))[0].status_code == 200

    async def test_a_reader_that_pauses_makes_the_server_wait(self) -> None:
        """An answer that nobody reads is not heaped up here, and comes whole when it is read again."""
        sent, pieces = 0, 64

        async def talk(stream: anyio.abc.SocketStream) -> None:
            nonlocal sent
            async with stream:
                await stream.receive()
                await stream.send(head(200, {"Content-Length": str(pieces << 20)}))
                for _ in range(pieces):
                    await stream.send(bytes(1 << 20))
                    sent += 1

        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/"
        transport = self.open(ssl.create_default_context(), exchanges=1, idle=1)
        async with listener, transport, anyio.create_task_group() as group:
            group.start_soon(listener.serve, talk)
            response = await transport.handle_async_request(httpx.Request("GET", url, extensions={"timeout": PATIENCE}))
            before = -1
            while sent > before:
                before = sent
                await settled(500)
            assert sent < pieces / 2
            assert len(await drained(response)) == pieces << 20
            group.cancel_scope.cancel()

    async def test_a_server_that_pauses_makes_the_sender_wait(self) -> None:
        """A body that nobody takes is not made in advance."""
        made = 0

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal made
            for _ in range(64):
                made += 1
                yield bytes(1 << 20)

        async with self.at((ReadHead(), Stall())) as (server, transport):
            call = asyncio.ensure_future(self.call(transport, asked(server, "/", "POST", content=pieces())))
            await server.arrived(1)
            before = -1
            while made > before:
                before = made
                await settled(500)
            assert made < 32
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    # TLS.

    async def test_a_certificate_must_be_for_the_name_that_is_asked(self) -> None:
        """The name is the host's, or the one that goes with a pinned address; another one is never sent to."""
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("cdn.example").configure_cert(context)
        with authority.cert_pem.tempfile() as file:
            trusting = ssl.create_default_context(cafile=file)
        async with WireServer(context=context) as server, self.open(trusting, exchanges=2, idle=0) as transport:
            server.then(reply(200, b"x" * 3_000_000))
            pinned = {"sni_hostname": "cdn.example"}
            body = b"y" * 1_000_000
            _, found = await self.call(transport, asked(server, "/", "POST", content=body, extensions=pinned))
            assert len(found) == 3_000_000
            assert server.requests[0].body == body
            for request in (asked(server), asked(server, extensions={"sni_hostname": "evil.example"})):
                refused = await self.broken(transport, request)
                assert refused.phase == "unsent"
                assert isinstance(refused.error, httpx.ConnectError)
                assert "certificate" in repr(_cause(refused.error)).lower()
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        ("script", "phase"),
        [
            ((Read(), Close()), "sent"),
            ((Read(), Reset()), "sent"),
            ((Read(), HALF_BODY, Close()), "answer begun"),
            ((ReadHead(), Reset()), "sent in part"),
        ],
    )
    async def test_what_breaks_behind_tls_says_how_far_it_got(self, script: Script, phase: Phase) -> None:
        """The same holds where everything is encrypted."""
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        with authority.cert_pem.tempfile() as file:
            trusting = ssl.create_default_context(cafile=file)
        async with WireServer(context=context) as server, self.open(trusting, exchanges=1, idle=1) as transport:
            server.then(script, reply())
            body = LARGE if phase == "sent in part" else b"x"
            found = await self.broken(transport, asked(server, "/", "POST", content=body))
            assert isinstance(found.error, httpx.TransportError)
            assert found.phase == phase
            assert (await self.call(transport, asked(server)))[0].status_code == 200

    async def test_what_does_not_speak_tls_was_not_sent_to(self) -> None:
        """Garbage instead of a handshake."""
        async with self.at((GARBAGE, Close())) as (server, transport):
            url = f"https://127.0.0.1:{server.port}/"
            request = httpx.Request("POST", url, content=b"x", extensions={"timeout": PATIENCE})
            found = await self.broken(transport, request)
        assert found.phase == "unsent"


def _cause(error: BaseException) -> BaseException:
    """The first of all causes."""
    inner = error.__cause__ or error.__context__
    return error if inner is None else _cause(inner)
