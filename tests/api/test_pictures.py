"""Downloads: where they may go, how large, how slow."""

import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import anyio
import pytest
import trustme

from batchgen.api.measured import Meter, Patience
from batchgen.api.network import Door, Network, Timeouts
from batchgen.api.pictures import HOPS, Pictures, _joined, resolve
from batchgen.errors import BadAsset, Blocked, OfferExpired, Unavailable
from batchgen.guard import PUBLIC, Policy, check_url
from tests.api.stage import at, bring, patient
from tests.wire_server import Close, Read, Send, Stall, WireServer, head, reply

pytestmark = pytest.mark.anyio
HERE = Policy(loopback=True)


def leading(*addresses: str) -> Any:
    """A resolver that always gives these."""

    async def lead(host: str, port: int) -> Sequence[str]:
        return addresses

    return lead


def opened(policy: Policy = HERE, network: Network | None = None, **options: Any) -> Pictures:
    return Pictures(Door(network or Network()), policy, **{"max_bytes": 1000, **options})


async def fetch(pictures: Pictures, url: str) -> bytes:
    async with pictures, pictures.download(url) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://0/",
        "https://localhost/",
        "file:///etc/passwd",
    ],
)
async def test_forbidden_places_get_no_byte(url: str) -> None:
    """However an inner address is written, it is refused before a connection is made."""
    with pytest.raises(BadAsset):
        await fetch(opened(PUBLIC), url)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["fd00:ec2::254"], []])
async def test_a_name_that_leads_inside_is_refused(addresses: list[str]) -> None:
    """One bad answer of the resolver among good ones is enough."""
    with pytest.raises(BadAsset, match=r"cdn\.example"):
        await fetch(opened(PUBLIC, resolver=leading(*addresses)), "https://cdn.example/1.png?canary")


async def test_a_name_is_resolved_once_per_hop() -> None:
    """A resolver that changes its answer between question and connection gains nothing: it is asked once."""
    asked: list[str] = []

    async def changing(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async with WireServer() as server:
        server.then(reply(200, b"x"))
        assert await fetch(opened(resolver=changing), f"http://a.localhost:{server.port}/1.png") == b"x"
        assert server.requests[0].headers["host"] == f"a.localhost:{server.port}"
    assert asked == ["a.localhost"]


async def test_a_dead_address_gives_way_to_the_next() -> None:
    """If the first address does not take the connection, the next one of the same answer is asked."""
    async with WireServer() as server:
        server.then(reply(200, b"x"))
        resolver = leading("127.0.0.2", "127.0.0.1")
        assert await fetch(opened(resolver=resolver), f"http://localhost:{server.port}/1.png") == b"x"


async def test_the_system_resolves_names() -> None:
    """The resolver in use asks the system."""
    assert "127.0.0.1" in await resolve("127.0.0.1", 80)


@pytest.mark.parametrize(
    "location",
    [
        "https://169.254.169.254/meta-data",
        "https://cdn.example:22/",
        "file:///etc/passwd",
        "https://u:p@cdn.example/",
        "http://cdn.example/",
        "https://[::1/",
    ],
)
async def test_every_hop_is_judged(location: str) -> None:
    """A redirect leads nowhere where the first URL could not have led."""
    async with at(reply(302, headers={"Location": location})) as (server, client):
        with pytest.raises((BadAsset, Unavailable)) as caught:
            await bring(client, f"{server.origin}/1.png")
    assert len(server.requests) == 1
    assert "meta-data" not in str(caught.value)


async def test_a_redirect_may_be_relative_and_must_end() -> None:
    """Relative redirects are followed, five of them and not a sixth."""
    for hops, fits in ((HOPS, True), (HOPS + 1, False)):
        statuses = [301, 302, 303, 307, 308, 302][:hops]
        scripts = [reply(status, headers={"Location": f"{n}.png"}) for n, status in enumerate(statuses)]
        async with at(*scripts, reply(200, b"x")) as (server, client):
            if fits:
                assert await bring(client, f"{server.origin}/a/b.png") == b"x"
                assert server.requests[1].target == "/a/0.png"
            else:
                with pytest.raises(BadAsset, match="more than 5"):
                    await bring(client, f"{server.origin}/a/b.png")


async def test_a_redirect_without_an_address_ends() -> None:
    """A redirect that names nothing leads to itself and is given up."""
    async with at(*[reply(302)] * 9) as (server, client):
        with pytest.raises(BadAsset):
            await bring(client, f"{server.origin}/1.png")
        assert len(server.requests) == HOPS + 1


def test_a_location_that_cannot_be_joined_is_no_url() -> None:
    """What no parser understands becomes a text that no guard lets pass."""
    assert _joined("https://a.example/1", "2?x") == "https://a.example/2?x"
    with pytest.raises(BadAsset):
        check_url(_joined("https://a.example/1", "//[x"))


async def test_https_does_not_become_http() -> None:
    """A redirect from https to http is not followed, not even to this machine."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with ca.cert_pem.tempfile() as file:
        door = Door(Network(ca_file=file))
    async with WireServer() as plain, WireServer(context=context) as server:
        server.then(reply(302, headers={"Location": f"{plain.origin}/1.png"}))
        with pytest.raises(BadAsset, match="from https to http"):
            await fetch(Pictures(door, HERE, max_bytes=9), f"{server.origin}/1.png")
    assert not plain.connections


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
@pytest.mark.parametrize("declared", [True, False])
async def test_the_size_is_counted_on_the_wire(size: int, fits: bool, declared: bool) -> None:
    """A picture of the largest size passes, one byte more does not, announced or not."""
    body = b"x" * size
    script = reply(200, body) if declared else (Read(), Send(head(200) + body), Close())
    async with at(script, max_bytes=1000) as (server, client):
        if fits:
            assert await bring(client, f"{server.origin}/1.png") == body
        else:
            with pytest.raises(BadAsset, match="1000"):
                await bring(client, f"{server.origin}/1.png")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 204, 206, 600])
async def test_statuses_that_say_try_again(status: int) -> None:
    """A busy server, or an answer that was not asked for, is tried again after the time it names."""
    async with at((Read(), Send(head(status, {"Retry-After": "4", "Content-Length": "0"})))) as (server, client):
        with pytest.raises(Unavailable) as caught:
            await bring(client, f"{server.origin}/1.png")
    assert (caught.value.answered, caught.value.retry_after_seconds) == (True, 4.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_statuses_that_say_ask_again(status: int) -> None:
    """A refused URL is dead; the task gives a fresh one."""
    async with at(reply(status)) as (server, client):
        with pytest.raises(OfferExpired):
            await bring(client, f"{server.origin}/1.png?canary")


@pytest.mark.parametrize("before", [0, 110])
async def test_a_trickle_is_cut_off_when_its_time_is_over(before: int) -> None:
    """Less than 1 KiB a second over a window is cut off at its end, not when the next byte comes or never."""
    stall = (Read(), Send(head(200, {"Content-Length": "9999"}) + b"x" * before + b"y" * 50), Stall())
    async with at(stall, network=patient(slow_window=0.1)) as (server, client):
        began = time.monotonic()
        with pytest.raises(Unavailable, match="slower"):
            await bring(client, f"{server.origin}/1.png")
    assert 0.1 <= time.monotonic() - began < 5


async def test_a_steady_picture_is_taken_however_many_windows_it_needs() -> None:
    """A window that has brought its share makes way for the next one: time alone does not end a download."""
    now = [0.0]

    async def chunks() -> AsyncGenerator[bytes, None]:
        for _ in range(40):
            now[0] += 29
            yield b"x" * 30 * 1024

    timeouts = Timeouts(picture=1e6)
    meter = Meter("cdn.example", Patience(10**9, timeouts, lambda: now[0]), began=0, since=0)
    raw = chunks()
    while await meter.read(lambda _: anext(raw, b"")):
        assert meter.since == now[0]
    assert meter.size == 40 * 30 * 1024


async def test_a_picture_must_end() -> None:
    """A picture that takes more than its whole time is given up however fast it comes."""
    endless = (Read(), Send(head(200, {"Content-Length": "9999"}) + b"x" * 5000), Stall())
    async with at(endless, network=patient(picture=0.05)) as (server, client):
        with pytest.raises(Unavailable, match=r"more than 0\.05 s"):
            await bring(client, f"{server.origin}/1.png")


async def test_headers_that_trickle_are_given_up() -> None:
    """A head that comes byte by byte is given up after its time, whatever each single byte took."""
    async with WireServer() as server:
        server.then((Read(), Send(b"HTTP/1.1 200 OK\r\nX-Slow: "), Stall()))
        with pytest.raises(Unavailable, match="in time"):
            await fetch(opened(network=patient(connect=0.02, picture_answer=0.02)), f"{server.origin}/1.png")


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "127.1", "[::ffff:10.0.0.1]", "0"])
async def test_a_proxy_is_not_asked_for_an_inner_address(host: str) -> None:
    """Where a proxy resolves names, a host that is an address in any spelling is still judged here."""
    async with WireServer() as proxy:
        network = Network(proxies={"all": proxy.origin})
        with pytest.raises(Blocked):
            await fetch(opened(PUBLIC, network), f"https://{host}/latest/meta-data")
        assert proxy.connections == 0


async def test_a_slow_name_server_is_given_up() -> None:
    """A resolver that never answers is given up like a connection."""

    async def never(host: str, port: int) -> Sequence[str]:
        await anyio.sleep_forever()
        return []

    with pytest.raises(Unavailable, match="in time"):
        await fetch(opened(resolver=never, network=patient(connect=0.01)), "http://localhost/1.png")


async def test_a_download_can_be_left_early() -> None:
    """Leaving a download after its first bytes closes it and harms no later one."""
    async with at(reply(200, b"x" * 500_000), reply(200, b"y")) as (server, client):
        async with client.download(f"{server.origin}/1.png") as chunks:
            async for _ in chunks:
                break
        assert await bring(client, f"{server.origin}/2.png") == b"y"


async def test_an_error_of_the_reader_comes_through() -> None:
    """What goes wrong in the reader's own hands is not taken for the network's fault."""
    async with at(reply(200, b"x")) as (server, client):

        async def read() -> None:
            async with client.download(f"{server.origin}/1.png") as chunks:
                async for _ in chunks:
                    raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await read()
