"""Phase x fault x call: what the transport says of every way in which an exchange can break."""

import anyio
import pytest

from batchgen.api import Waiting
from batchgen.api.client import Client
from batchgen.api.limits import Reach
from batchgen.api.network import SLOWEST_UPLOAD
from batchgen.errors import NotTaken, OutcomeUnknown, Unavailable
from tests.api.stage import HASTY, KEY, at, bring, order, patient
from tests.wire_server import Close, Read, ReadHead, Reset, Script, Send, Stall, WireServer, head, json_reply, task

pytestmark = pytest.mark.anyio

GARBAGE = Send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
PART = "request sent in part"
WHOLE = "request sent, no answer"
CUT = "answer cut off"

HEADERS = Send(b"HTTP/1.1 202 Accepted\r\nContent-Le")
BODY = Send(head(202, {"Content-Length": "400"}) + b'{"task_id": "task_1"')
CHUNK = Send(head(202, {"Transfer-Encoding": "chunked"}) + b'15\r\n{"task_id": "task_1"}\r\n')

MATRIX: dict[str, tuple[Script, str]] = {
    "answer, reset": ((Read(), Reset()), WHOLE),
    "answer, close": ((Read(), Close()), WHOLE),
    "answer, stall": ((Read(), Stall()), WHOLE),
    "answer, garbage": ((Read(), GARBAGE), WHOLE),
    "headers, reset": ((Read(), HEADERS, Reset()), WHOLE),
    "headers, close": ((Read(), HEADERS, Close()), WHOLE),
    "headers, stall": ((Read(), HEADERS, Stall()), WHOLE),
    "headers, endless": ((Read(), HEADERS, Send(b"x" * 200_000), Stall()), WHOLE),
    "body, reset": ((Read(), BODY, Reset()), CUT),
    "body, close": ((Read(), BODY, Close()), CUT),
    "body, stall": ((Read(), BODY, Stall()), CUT),
    "chunks, close": ((Read(), CHUNK, Close()), CUT),
    "chunks, garbage": ((Read(), CHUNK, Send(b"zz\r\n"), Close()), CUT),
}
LARGE = b"\x89" * (24 * 1024 * 1024)


@pytest.mark.parametrize("cell", MATRIX)
async def test_a_submit_that_breaks_is_in_doubt_and_says_where(cell: str) -> None:
    """A submit that breaks after its first byte is in doubt, with the phase, and is not sent again."""
    script, reach = MATRIX[cell]
    async with at(script, network=HASTY) as (server, client):
        with pytest.raises(OutcomeUnknown) as caught:
            await client.submit(order())
    assert (caught.value.reach, caught.value.known_paid) == (reach, False)
    assert len(server.requests) == 1


@pytest.mark.parametrize("cell", MATRIX)
async def test_a_poll_that_breaks_can_be_repeated(cell: str) -> None:
    """A poll that breaks anywhere is merely unavailable, and the next one is answered."""
    async with at(MATRIX[cell][0], json_reply(task()), network=HASTY) as (_, client):
        with pytest.raises(Unavailable) as caught:
            await client.status("task_1")
        assert not caught.value.answered
        await client.status("task_1")


@pytest.mark.parametrize("cell", MATRIX)
async def test_a_download_that_breaks_can_be_repeated(cell: str) -> None:
    """A download that breaks anywhere is unavailable, whatever had come before."""
    script = tuple(
        Send(step.data.replace(b"202", b"200")) if isinstance(step, Send) else step for step in MATRIX[cell][0]
    )
    async with at(script, network=HASTY) as (server, client):
        with pytest.raises(Unavailable):
            await bring(client, f"{server.origin}/1.png")


@pytest.mark.parametrize("fault", [Reset(), Close(), Stall()])
async def test_a_large_submit_cut_while_it_is_sent(fault: Reset | Close | Stall) -> None:
    """A body that could not be sent whole is in doubt as sent in part."""
    network = patient(write=0.2 - len(LARGE) / SLOWEST_UPLOAD)
    async with at((ReadHead(), fault), network=network) as (_, client):
        with pytest.raises(OutcomeUnknown) as caught:
            await client.submit(order(files=(LARGE,)))
    assert caught.value.reach == PART


async def test_a_large_submit_has_the_time_its_size_needs() -> None:
    """The patience for writing grows with the body, so that a slow line does not make a payment doubtful."""
    body = LARGE[: 4 * 1024 * 1024]
    async with at(json_reply(task(), 202), network=patient(write=30 - len(body) / SLOWEST_UPLOAD)) as (_, client):
        assert (await client.submit(order(files=(body,)))).task_id == "task_1"


async def test_an_answer_while_the_body_is_sent_counts() -> None:
    """A server that refuses a large body before it has read it is believed."""
    early = Send(head(413, {"Content-Length": "0"}))
    async with at((ReadHead(), early, Read())) as (_, client):
        with pytest.raises(Exception, match="answered 413"):
            await client.submit(order(files=(LARGE[:3_000_000],)))


async def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    """Nobody at the port: the submit was not taken, the poll unavailable."""
    async with WireServer() as server:
        origin = server.origin
    async with Client(origin, lambda: KEY) as client:
        with pytest.raises(NotTaken) as caught:
            await client.submit(order())
        assert not caught.value.answered
        with pytest.raises(Unavailable):
            await client.status("task_1")
        with pytest.raises(Unavailable):
            await bring(client, f"{origin}/1.png")


async def test_a_name_that_is_not_known_proves_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing name server: the submit was not taken."""

    def fail(*args: object, **more: object) -> None:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", fail)
    async with Client("https://api.example", lambda: KEY) as client:
        with pytest.raises(NotTaken, match="nothing was sent"):
            await client.submit(order())
        with pytest.raises(Unavailable):
            await bring(client, "https://cdn.example/1.png")


async def test_a_handshake_that_stalls_proves_that_nothing_was_sent() -> None:
    """A server that accepts and never speaks TLS: the submit was not taken."""
    async with WireServer() as server:
        server.then((Stall(),), (Stall(),))
        origin = server.origin.replace("http://", "https://")
        async with Client(origin, lambda: KEY, network=patient(connect=0.05)) as client:
            with pytest.raises(NotTaken, match="no connection in time"):
                await client.submit(order())


async def test_no_free_connection_proves_that_nothing_was_sent() -> None:
    """A submit that found every connection busy was not taken."""
    stalls: list[Script] = [(Read(), Stall())] * 20
    async with at(*stalls, network=patient(pool=0.02)) as (server, client), anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(client.submit, order())
        await server.arrived(20)
        with pytest.raises(NotTaken, match="no free connection"):
            await client.submit(order())
        group.cancel_scope.cancel()


async def test_the_time_limit_of_a_whole_submit_leaves_it_in_doubt() -> None:
    """A submit is given up after its whole time even when every single read is quick enough."""
    async with at((Read(), Stall()), network=patient(submit=0.03)) as (_, client):
        with pytest.raises(OutcomeUnknown) as caught:
            await client.submit(order())
    assert caught.value.reach == WHOLE


async def test_a_cancelled_submit_is_not_swallowed() -> None:
    """Cancelling a submit cancels it: no error of ours takes the place of the cancellation."""
    async with at((Read(), Stall())) as (server, client):
        with anyio.move_on_after(10) as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(client.submit, order())
                await server.arrived(1)
                group.cancel_scope.cancel()
        assert not scope.cancelled_caught


async def test_a_refusal_whose_words_are_cut_off_is_still_a_refusal() -> None:
    """A status that proves something is believed even when the body after it breaks."""
    cut = (Read(), Send(head(429, {"Content-Length": "400", "Retry-After": "2"}) + b"{"), Reset())
    async with at(cut) as (_, client):
        with pytest.raises(NotTaken, match="answered 429"):
            await client.submit(order())


async def test_an_answer_behind_an_answer_is_nobodys() -> None:
    """Bytes beyond an answer's announced end are not taken for the answer to a later submit."""
    smuggled = head(202, {"Content-Length": "20"}) + b'{"task_id":"forged"}'
    extra = (Read(), Send(head(200, {"Content-Length": "20"}) + b'{"state":"waiting" }' + smuggled))
    twice = (Read(), Send(head(202, {"Content-Length": "20"}) + b'{"task_id":"task_1"}' + smuggled))
    async with at(extra, twice, json_reply(task(task_id="task_2"), 202)) as (_, client):
        assert await client.status("task_1") == Waiting("waiting")
        assert (await client.submit(order())).task_id == "task_1"
        assert (await client.submit(order())).task_id == "task_2"


async def test_informational_answers_are_passed_over() -> None:
    """1xx answers before the real one change nothing."""
    flood = Send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)
    async with at((Read(), flood, *json_reply(task(), 202)[1:])) as (_, client):
        assert (await client.submit(order())).task_id == "task_1"


async def test_every_submit_has_a_connection_of_its_own() -> None:
    """No submit goes over a connection that had another use before, and which might be closing."""
    async with at(*[json_reply(task())] * 2, *[json_reply(task(), 202)] * 2) as (server, client):
        await client.status("task_1")
        await client.status("task_1")
        await client.submit(order())
        await client.submit(order())
    assert [request.connection for request in server.requests] == [1, 1, 2, 3]


async def test_a_stale_connection_is_noticed_by_polls() -> None:
    """A connection that the server has closed meanwhile is replaced without a failed poll."""
    async with at((*json_reply(task()), Close()), json_reply(task())) as (server, client):
        await client.status("task_1")
        await client.status("task_1")
    assert [request.connection for request in server.requests] == [1, 2]


async def test_connections_are_reused() -> None:
    """Polls in a row share one connection."""
    async with at(*[json_reply(task())] * 5) as (server, client):
        for _ in range(5):
            await client.status("task_1")
    assert server.connections == 1


async def test_the_listener_hears_of_every_call() -> None:
    """Any answer is a sign of life; a call without one is not."""
    reach = Reach()
    heard: list[str] = []
    reach.heard = lambda: heard.append("heard")  # type: ignore[method-assign]
    reach.lost = lambda: heard.append("lost")  # type: ignore[method-assign]
    failing = json_reply(task(), 500, {"Connection": "close"})  # a kept connection that dies is tried again
    async with at(failing, (Read(), Close()), json_reply(task()), listener=reach) as (_, client):
        for _ in range(2):
            with pytest.raises(Unavailable):
                await client.status("task_1")
        await client.status("task_1")
    assert heard == ["heard", "lost", "heard"]
