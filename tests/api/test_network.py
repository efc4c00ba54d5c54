"""Certificates, proxies and logs: what the door lets through."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from batchgen.api import Waiting, wire
from batchgen.api.client import Client
from batchgen.api.network import Door, Network, Timeouts
from batchgen.api.pictures import Pictures
from batchgen.errors import BatchgenError, NotTaken, OutcomeUnknown, SettingsError, Stop, Unavailable
from batchgen.guard import Policy
from tests.api.stage import KEY, at, bring, order
from tests.wire_server import Close, Read, Send, Stall, WireServer, head, json_reply, reply, task

pytestmark = pytest.mark.anyio


@dataclass
class Authority:
    """A certificate authority and the file that trusts it."""

    ca: trustme.CA
    file: str

    def context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with ExitStack() as stack:
        ca = trustme.CA()
        yield Authority(ca, stack.enter_context(ca.cert_pem.tempfile()))


async def test_a_trusted_certificate_is_taken(authority: Authority) -> None:
    """A certificate of the authority in the named file works."""
    async with WireServer(context=authority.context("127.0.0.1")) as server:
        server.then(json_reply(task(), 202))
        async with Client(server.origin, lambda: KEY, network=Network(ca_file=authority.file)) as client:
            assert (await client.submit(order())).task_id == "task_1"


@pytest.mark.parametrize("names", ["127.0.0.1", "other.example"])
async def test_a_certificate_that_is_not_trusted_stops_the_run(authority: Authority, names: str) -> None:
    """An unknown authority or a wrong name ends the run before anything is sent, for submits and polls."""
    network = Network() if names == "127.0.0.1" else Network(ca_file=authority.file)
    server = WireServer(context=authority.context(names))
    async with server, Client(server.origin, lambda: KEY, network=network) as client:
        with pytest.raises(Stop, match=r"certificate of 127\.0\.0\.1"):
            await client.submit(order())
        with pytest.raises(Stop):
            await client.status("t")
        with pytest.raises(Stop):
            await client.probe()
    assert not server.requests


async def test_a_pinned_picture_shows_its_own_certificate(authority: Authority) -> None:
    """A name pinned to an address is asked for by its own name, and its certificate must be for that name."""

    async def pinned(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    door = Door(Network(ca_file=authority.file))
    async with WireServer(context=authority.context("cdn.example")) as server:
        server.then(*[reply(200, b"picture")] * 2)
        policy = Policy(loopback=True, private_hosts=frozenset({"cdn.example", "evil.example"}))
        async with Pictures(door, policy, max_bytes=99, resolver=pinned) as pictures:
            async with pictures.download(f"https://cdn.example:{server.port}/1.png") as chunks:
                assert [chunk async for chunk in chunks] == [b"picture"]
            # the same address under another name: no connection of the first may serve it
            with pytest.raises(Unavailable, match=r"certificate of evil\.example"):
                async with pictures.download(f"https://evil.example:{server.port}/1.png"):
                    pass
        host = f"cdn.example:{server.port}"
    assert [request.headers["host"] for request in server.requests] == [host]


async def test_a_submit_through_a_proxy_that_refuses_was_not_sent() -> None:
    """A proxy that cannot reach the provider took nothing; its CONNECT is not the POST."""
    async with WireServer() as proxy:
        proxy.then(*[(Read(), Send(head(502)), Close())] * 2, (Read(), Close()), (Read(), Send(head(407)), Close()))
        network = Network(proxies={"https": f"http://user:canary@127.0.0.1:{proxy.port}"})
        async with Client("https://api.example", lambda: KEY, network=network) as client:
            with pytest.raises(NotTaken, match="the proxy said 502") as caught:
                await client.submit(order())
            assert "canary" not in str(caught.value)
            with pytest.raises(Unavailable):
                await client.status("t")
            with pytest.raises(NotTaken):
                await client.submit(order())
            with pytest.raises(Stop, match="user name"):
                await client.submit(order())
    assert {request.method for request in proxy.requests} == {"CONNECT"}
    assert {request.target for request in proxy.requests} == {"api.example:443"}
    assert not any("idempotency-key" in request.headers or KEY in str(request.headers) for request in proxy.requests)


async def test_a_submit_through_a_proxy_that_breaks_later_is_in_doubt(authority: Authority) -> None:
    """Behind a working tunnel the same rules hold: a POST that was sent and cut is in doubt."""
    async with WireServer(context=authority.context("api.example")) as server:
        server.then((Read(), Close()))

        async def tunnel(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                await stream.receive()
                await stream.send(b"HTTP/1.1 200 ok\r\n\r\n")
                async with (
                    await anyio.connect_tcp("127.0.0.1", server.port) as inner,
                    anyio.create_task_group() as group,
                ):
                    group.start_soon(_pump, stream, inner)
                    await _pump(inner, stream)
                    group.cancel_scope.cancel()

        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        network = Network(proxies={"all": f"http://127.0.0.1:{port}"}, ca_file=authority.file)
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, tunnel)
            async with Client("https://api.example", lambda: KEY, network=network) as client:
                with pytest.raises(OutcomeUnknown) as caught:
                    await client.submit(order())
            group.cancel_scope.cancel()
    assert caught.value.reach == "request sent, no answer"
    assert server.requests[0].headers["idempotency-key"] == "bg-token"


async def _pump(source: object, sink: object) -> None:
    try:
        while True:
            await sink.send(await source.receive())  # type: ignore[attr-defined]
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass


async def test_loopback_never_goes_through_a_proxy() -> None:
    """A provider on this machine is asked directly, whatever proxies are set."""
    async with WireServer() as proxy:
        everywhere = Network(
            proxies={"http": f"http://127.0.0.1:{proxy.port}", "all": f"http://127.0.0.1:{proxy.port}"}
        )
        async with at(json_reply(task()), network=everywhere) as (server, client):
            await client.status("task_1")
        assert len(server.requests) == 1
        assert not proxy.connections


async def test_a_picture_through_a_proxy_is_resolved_there() -> None:
    """Through a proxy nothing is resolved here, but the text of the URL is judged all the same."""

    async def never(host: str, port: int) -> list[str]:
        raise AssertionError("resolved here")

    async with WireServer() as proxy:
        proxy.then((Read(), Send(head(502)), Close()))
        door = Door(Network(proxies={"https": f"http://127.0.0.1:{proxy.port}"}))
        async with Pictures(door, Policy(), max_bytes=99, resolver=never) as pictures:
            with pytest.raises(Unavailable, match="the proxy said 502"):
                async with pictures.download("https://cdn.example/1.png?X-Sig=canary"):
                    pass
            with pytest.raises(BatchgenError, match="port 22"):
                async with pictures.download("https://cdn.example:22/1.png"):
                    pass
    assert [request.target for request in proxy.requests] == ["cdn.example:443"]


@pytest.mark.parametrize("proxy", ["ftp://proxy", "not a url", "socks5://127.0.0.1:9", "http://[::1"])
def test_a_proxy_of_no_use_is_an_error_of_the_settings(proxy: str) -> None:
    """A proxy that cannot be used is named as what it is, without its text."""
    with pytest.raises(SettingsError) as caught:
        Client("https://api.example", lambda: KEY, network=Network(proxies={"https": proxy}))
    assert proxy not in str(caught.value)


def test_a_certificate_file_of_no_use_is_an_error_of_the_settings(tmp_path: Path) -> None:
    """A certificate file that is missing or empty is refused by name."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (str(empty), str(tmp_path / "missing.pem")):
        with pytest.raises(SettingsError, match="SSL_CERT_FILE"):
            Door(Network(ca_file=path))


@pytest.mark.parametrize(
    ("rule", "spared"),
    [
        ("*", True),
        ("api.example", True),
        (".example", True),
        ("example", True),
        ("*.example", True),
        ("API.EXAMPLE", True),
        ("api.example:443", True),
        ("api.example:8443", False),
        ("pi.example", False),
        ("", False),
        (" ", False),
        ("10.0.0.0/8", False),
    ],
)
def test_no_proxy_rules_for_names(rule: str, spared: bool) -> None:
    """A rule spares a host, its subdomains, a port or everything."""
    network = Network(proxies={"https": "http://p:1"}, no_proxy=(rule,))
    assert (network.proxy("https", "api.example", 443) is None) is spared


@pytest.mark.parametrize(
    ("rule", "spared"), [("10.0.0.0/8", True), ("10.1.2.3", True), ("11.0.0.0/8", False), ("fc00::/7", False)]
)
def test_no_proxy_rules_for_addresses(rule: str, spared: bool) -> None:
    """A rule may name an address or a network."""
    network = Network(proxies={"https": "http://p:1"}, no_proxy=(rule,))
    assert (network.proxy("https", "10.1.2.3", 443) is None) is spared


@given(
    st.sampled_from(["localhost", "127.0.0.1", "127.9.9.9", "::1", "a.localhost"]), st.sampled_from(["http", "https"])
)
def test_no_rule_sends_loopback_through_a_proxy(host: str, scheme: str) -> None:
    """No loopback host is ever proxied."""
    assert Network(proxies={"all": "http://p:1", scheme: "http://p:2"}).proxy(scheme, host, 80) is None


def test_large_uploads_get_more_time() -> None:
    """A body may take as long as a slow line needs, on top of the usual patience."""
    timeout = Timeouts(write=30).of(5, upload_bytes=64 * 1024 * 60)
    assert (timeout.write, timeout.read) == (90, 5)


async def test_the_library_logs_no_url(caplog: pytest.LogCaptureFixture) -> None:
    """Even at the lowest level nothing of a URL's query or a header is logged."""
    with caplog.at_level(logging.DEBUG):
        async with at(reply(200, b"x"), json_reply(task())) as (server, client):
            async with client.download(f"{server.origin}/1.png?X-Sig=canary") as chunks:
                assert [chunk async for chunk in chunks] == [b"x"]
            await client.status("task_1")
    assert "canary" not in caplog.text
    assert KEY not in caplog.text


async def test_a_submit_cancelled_before_it_was_sent_was_not_taken() -> None:
    """Cut off before its first byte could leave, a submit says so instead of leaving a doubt."""
    async with at() as (server, client):
        with anyio.CancelScope() as scope:
            scope.cancel()
            with pytest.raises(NotTaken, match="nothing was sent"):
                await client.submit(order())
        assert server.requests == []


async def test_a_submit_cancelled_after_it_was_sent_stays_cancelled() -> None:
    """Cut off while it waits for the answer, a submit claims nothing."""
    said: list[BaseException] = []
    async with at((Read(), Stall())) as (server, client), anyio.create_task_group() as group:

        async def submit() -> None:
            try:
                await client.submit(order())
            except BaseException as error:
                said.append(error)
                raise

        group.start_soon(submit)
        while not server.requests:  # noqa: ASYNC110  # a socket sets no event of ours
            await anyio.sleep(0.005)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert [type(each) for each in said] == [anyio.get_cancelled_exc_class()]


@pytest.mark.parametrize("transport", ["own", "stock"])
async def test_either_transport_carries_all_calls(transport: Literal["own", "stock"], authority: Authority) -> None:
    """Over ours and over httpx's a submit has a connection of its own, polls share one, pictures come from theirs."""
    network = Network(ca_file=authority.file, transport=transport)
    async with WireServer(context=authority.context("127.0.0.1")) as server:
        server.then(json_reply(task(), 202), json_reply(task()), json_reply(task(), 202), json_reply(task()))
        server.then(*[reply(200, b"x" * 300_000)] * 2)
        async with Client(server.origin, lambda: KEY, network=network) as client:
            for _ in range(2):
                assert (await client.submit(order())).task_id == "task_1"
                assert await client.status("task_1") == Waiting("waiting")
            for _ in range(2):
                assert await bring(client, f"{server.origin}/1.png") == b"x" * 300_000
    submits = [request for request in server.requests if request.method == "POST"]
    polls = [request.connection for request in server.requests if request.target == wire.task_path("task_1")]
    assert [request.connection for request in submits] == [1, 3]
    assert polls == [2, 2]
    for request in server.requests:
        assert request.headers["user-agent"].count("batchgen/") == 1
        assert request.headers["accept-encoding"] == "identity"


async def test_a_create_goes_over_a_kept_connection_only_where_that_is_allowed() -> None:
    """A connection that the server may be ending is no place for a payment, unless its token makes a doubt safe."""
    for network, connections in ((Network(), 3), (Network(keep_submits=True), 1)):
        async with WireServer() as server:
            server.then(*[reply(202, b'{"task_id": "t"}')] * 3)
            async with Client(server.origin, lambda: KEY, network=network) as client:
                for _ in range(3):
                    await client.submit(order())
            assert len({request.connection for request in server.requests}) == connections


async def test_a_create_that_a_dead_connection_swallowed_is_in_doubt_and_not_sent_again() -> None:
    """A kept connection that ends after a create was written to it leaves a doubt: nothing here repeats a payment."""
    async with WireServer() as server:
        server.then(reply(202, b'{"task_id": "t"}'), (Read(), Close()))
        async with Client(server.origin, lambda: KEY, network=Network(keep_submits=True)) as client:
            await client.submit(order())
            with pytest.raises(OutcomeUnknown):
                await client.submit(order())
        assert len(server.requests) == 2


async def test_a_call_has_an_end_however_long_each_wait_may_be() -> None:
    """The whole of a call is limited too: a server that keeps its answer back is left when that time is over."""
    network = Network(timeouts=Timeouts(poll=0.02, submit=0.02, poll_answer=600, answer=600))
    async with WireServer() as server:
        server.then((Read(), Stall()), (Read(), Stall()))
        async with Client(server.origin, lambda: KEY, network=network) as client:
            with anyio.fail_after(60):
                with pytest.raises(Unavailable, match="in time"):
                    await client.status("t")
                with pytest.raises(OutcomeUnknown, match="in time"):
                    await client.submit(order())
