"""The edge cases that a client of this API must survive, one test each, over a real socket.

Numbers as in the list of thirty; 22, 25, 26 (whole program) and 30 are told by the worker's and the batch's tests.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

import pytest

from batchgen.api import Offer, Order, Receipt, Standing, Waiting, wire
from batchgen.api.client import Client
from batchgen.api.models import BUILT_IN, Catalogue
from batchgen.errors import (
    BadAsset,
    BatchgenError,
    OfferExpired,
    OutcomeUnknown,
    Parked,
    Stop,
    TaskFailed,
    Throttled,
    Unavailable,
)
from batchgen.job import FileReference, Request, UrlReference
from tests.api.stage import HASTY, KEY, at, bring, order
from tests.wire_server import (
    Close,
    Read,
    Reset,
    Script,
    Send,
    Stall,
    WireServer,
    head,
    json_reply,
    reply,
    task,
)

pytestmark = pytest.mark.anyio

URL = "https://cdn.example/1.png"
DONE = {"created": 1, "data": [{"url": URL}]}


async def submitted(script: Script, sent: Order | None = None) -> Receipt:
    async with at(script) as (_, client):
        return await client.submit(sent or order())


async def polled(*scripts: Script) -> list[Standing | BatchgenError]:
    """The outcomes of as many polls as there are scripts, of one client."""
    found: list[Standing | BatchgenError] = []
    async with at(*scripts) as (_, client):
        for _ in scripts:
            try:
                found.append(await client.status("task_1"))
            except BatchgenError as error:
                found.append(error)
    return found


async def state_of(document: Any) -> Standing:
    (found,) = await polled(json_reply(document))
    assert not isinstance(found, BatchgenError), found
    return found


async def failure_of(document: Any) -> TaskFailed:
    (found,) = await polled(json_reply(document))
    assert isinstance(found, TaskFailed), found
    return found


async def test_edge_01_a_sync_answer_although_a_task_was_asked_for() -> None:
    """A 200 with URLs is a finished picture, though `async: true` was sent."""
    async with at(json_reply(DONE)) as (server, client):
        receipt = await client.submit(order())
    assert server.requests[0].json["async"] is True
    assert receipt.task_id is None
    assert isinstance(receipt.standing, Offer)
    assert receipt.standing.urls == (URL,)


async def test_edge_02_a_task_although_none_was_asked_for() -> None:
    """A 202 with an envelope is a task, whatever the body asked for."""
    sent = Order("t", "nano-banana-pro", "application/json", b'{"model":"nano-banana-pro","prompt":"p"}')
    assert (await submitted(json_reply(task(), 202), sent)).task_id == "task_1"


async def test_edge_03_a_task_under_200() -> None:
    """The body decides, not the status: an envelope under 200 is a task, under any of its names."""
    for document in (
        task(),
        {"taskId": "task_1"},
        {"code": 200, "data": {"task_id": "task_1"}},
        {"data": {"taskId": "task_1"}},
    ):
        receipt = await submitted(json_reply(document, 200))
        assert receipt.task_id == "task_1"
        assert isinstance(receipt.standing, Waiting)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>ok</html>",
        b"[]",
        b"{}",
        b'{"data":[]}',
        b'{"data":[{"url":7}]}',
        b'{"task_id":""}',
        b"\xff",
        b"[" * 9000,
    ],
)
async def test_edge_04_a_success_that_says_nothing(body: bytes) -> None:
    """A 2xx with neither task nor URL, or not JSON at all, is in doubt and says how far it got."""
    with pytest.raises(OutcomeUnknown) as caught:
        await submitted(reply(200, body))
    assert caught.value.reach == "answer not understood"
    assert not caught.value.known_paid


async def test_edge_05_a_create_that_is_already_done() -> None:
    """A create answered with state success and its result needs no poll, and keeps its task."""
    receipt = await submitted(json_reply(task("success", result=DONE), 202))
    assert receipt.task_id == "task_1"
    assert isinstance(receipt.standing, Offer)


async def test_edge_05_a_create_that_has_already_failed() -> None:
    """A create answered with a failed task is a task all the same: it is paid, and its first poll says why."""
    receipt = await submitted(json_reply(task("fail", error={"message": "no"}), 202))
    assert receipt == Receipt("task_1", Waiting("waiting"))


@pytest.mark.parametrize(
    "task_id", ["0a9c3bd2-9b3c-4a5e-8f0e-111111111111", "a/b", "..", "a?b#c", "x y", "タスク", "%2F", "a" * 200]
)
async def test_edge_06_any_task_id_is_quoted(task_id: str) -> None:
    """Any id up to 200 bytes is kept as it is and asked for as one path segment."""
    async with at(json_reply(task(task_id=task_id), 202), json_reply(task("generating", task_id))) as (server, client):
        receipt = await client.submit(order())
        assert receipt.task_id == task_id
        await client.status(task_id)
    path = server.requests[1].target.removeprefix(wire.TASKS)
    assert "/" not in path
    assert "?" not in path
    assert unquote(path) == task_id


@pytest.mark.parametrize("task_id", ["a\nb", "\x00", "é" * 101, "\ud800"])
async def test_edge_06_an_id_that_cannot_be_kept_is_in_doubt(task_id: str) -> None:
    """An id with control characters or above 200 bytes leaves the payment in doubt."""
    with pytest.raises(OutcomeUnknown):
        await submitted(json_reply(task(task_id=task_id), 202))


@pytest.mark.parametrize("poll_url", [None, "https://evil.example/v1/tasks/task_1", "//evil.example/x", "/admin", 7])
async def test_edge_07_a_poll_url_is_never_followed(poll_url: object) -> None:
    """Polls go to the pinned origin and the task's own path, wherever the answer points."""
    async with WireServer() as elsewhere:
        bait = json_reply(task(poll_url=poll_url, location=elsewhere.origin), 202, {"Location": elsewhere.origin})
        async with at(bait, json_reply(task("generating"))) as (server, client):
            receipt = await client.submit(order())
            assert receipt.task_id is not None
            await client.status(receipt.task_id)
        assert server.requests[1].target == "/v1/tasks/task_1"
        assert not elsewhere.connections


@pytest.mark.parametrize(
    ("word", "done"),
    [
        ("SUCCESS", True),
        (" Completed ", True),
        ("succeeded", True),
        ("complete", True),
        ("Dreaming", False),
    ],
)
async def test_edge_08_states_in_other_words(word: str, done: bool) -> None:
    """Known words in any case and spacing count; an unknown one means still running."""
    found = await state_of(task(word, result=DONE))
    assert isinstance(found, Offer) is done


@pytest.mark.parametrize("word", ["FAIL", "failed", " error", "Errored"])
async def test_edge_08_failures_in_other_words(word: str) -> None:
    """The words for failure are known likewise."""
    assert (await failure_of(task(word))).failure == "transient"


async def test_edge_09_states_that_jump_and_go_back() -> None:
    """States may be skipped or go backwards, and progress may be anything."""
    found = await polled(
        *(
            json_reply(task(word, progress=progress))
            for word, progress in (("generating", 90), ("queuing", "x"), ("waiting", None))
        ),
        json_reply(task("success", result=DONE, progress=-1)),
    )
    assert [type(each) for each in found] == [Waiting, Waiting, Waiting, Offer]


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [
        (0, None),
        (-5, None),
        (10**400, None),
        ("1500", 1.5),
        (None, None),
        (2000, 2.0),
        (True, None),
        ([], None),
    ],
)
async def test_edge_10_odd_hints(hint: object, seconds: float | None) -> None:
    """A hint that is no positive number is as good as none."""
    assert await state_of(task(recommended_poll_interval_ms=hint)) == Waiting("waiting", seconds)


@pytest.mark.parametrize(
    "result", [{}, None, [], {"data": []}, {"data": [{}]}, {"data": [{"url": ""}]}, {"data": [{"url": "ftp://x/y"}]}]
)
async def test_edge_11_success_without_a_url(result: object) -> None:
    """A success that names no URL yet is still waited for, and the next answer counts."""
    first, second = await polled(json_reply(task("success", result=result)), json_reply(task("success", result=DONE)))
    assert first == Waiting("success without url")
    assert isinstance(second, Offer)


@pytest.mark.parametrize(
    ("result", "count"),
    [
        ({"data": [{"url": URL}, {"url": URL + "2"}]}, 2),
        ({"url": URL}, 1),
        ({"image_url": URL}, 1),
        ({"output": URL}, 1),
        ({"outputs": [URL, URL + "2", URL]}, 2),
        ({"result": {"url": URL}}, 1),
        ({"data": {"outputs": [{"url": URL}]}}, 1),
    ],
)
async def test_edge_12_several_pictures_and_other_shapes(result: object, count: int) -> None:
    """Every URL is kept, each once, in order, from every shape seen in the wild."""
    found = await state_of(task("success", result=result))
    assert isinstance(found, Offer)
    assert found.urls == (URL, URL + "2")[:count]


@pytest.mark.parametrize(
    ("error", "failure", "said"),
    [
        ({}, "transient", "no reason"),
        ("upstream timeout", "transient", "upstream timeout"),
        ({"code": 501, "message": "generation failed"}, "transient", "generation failed"),
        ({"code": "422", "message": "media file unavailable"}, "rejected", "media file unavailable"),
        ({"code": "content_policy_violation", "message": "no"}, "refused", "no"),
        ({"error": {"x": 1}, "message": "blocked by moderation"}, "refused", "blocked by moderation"),
        (None, "transient", "no reason"),
        (["x"], "transient", "no reason"),
    ],
)
async def test_edge_13_errors_in_any_shape(error: object, failure: str, said: str) -> None:
    """A failed task's error is read as object, text or nothing, and decides the class."""
    found = await failure_of(task("fail", error=error))
    assert found.failure == failure
    assert said in str(found)


async def test_edge_13_an_error_beside_a_running_state_is_ignored() -> None:
    """An error set while the task is still generating does not end it; a top-level message is read when it fails."""
    assert await state_of(task("generating", error={"message": "hm"})) == Waiting("generating")
    assert "too busy" in str(await failure_of(task("fail", error={}, message="too busy")))


@pytest.mark.parametrize(
    "document", [{"error": "bad_gateway", "message": "x"}, [], "x", {"error": {"message": "x"}}, None]
)
async def test_edge_14_an_error_body_under_200(document: object) -> None:
    """A poll answered by 200 without a state says nothing of the task."""
    (found,) = await polled(json_reply(document))
    assert isinstance(found, Unavailable)
    assert found.answered


async def test_edge_15_a_task_unknown_at_first() -> None:
    """A 404 says that the task is missing, so that a young one can be asked for again; 410 is final."""
    first, second, third = await polled(reply(404), json_reply(task()), reply(410))
    assert isinstance(first, TaskFailed)
    assert (first.missing, first.failure) == (True, "expired")
    assert isinstance(second, Waiting)
    assert isinstance(third, TaskFailed)
    assert (third.missing, third.failure) == (False, "expired")


async def test_edge_16_a_poll_of_another_accounts_task() -> None:
    """A 403 on a poll parks that job and not the run."""
    (found,) = await polled(reply(403))
    assert isinstance(found, Parked)


async def test_edge_17_a_credential_refused_in_mid_run() -> None:
    """A 401 ends the run for submits and polls alike, and says that no further call can succeed."""
    for call in ("submit", "status"):
        async with at(reply(401)) as (_, client):
            with pytest.raises(Stop) as caught:
                await (client.submit(order()) if call == "submit" else client.status("t"))
        assert caught.value.credential


async def test_edge_18_no_funds_in_mid_run() -> None:
    """A 402 stops submits; polls merely try again, and downloads never hear of it."""
    with pytest.raises(Stop) as caught:
        await submitted(json_reply({"payment": {"amount": "5"}}, 402))
    assert not caught.value.credential
    (found,) = await polled(reply(402))
    assert isinstance(found, Unavailable)


async def test_edge_19_throttled_submits() -> None:
    """A 429 is not taken; the wait is read as seconds, as a date against the server's own clock, or is unknown."""
    now = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    dated = {"Date": format_datetime(now, usegmt=True), "Retry-After": "Sat, 03 Feb 2001 04:05:26 GMT"}
    for headers, seconds in (({"Retry-After": "7"}, 7.0), (dated, 20.0), ({}, None), ({"retry-after": "1e9"}, 600.0)):
        with pytest.raises(Throttled) as caught:
            await submitted(reply(429, headers=headers))
        assert caught.value.retry_after_seconds == seconds


async def test_edge_19_throttled_polls() -> None:
    """A 429 on a poll is a poll without an answer that names its wait."""
    for found in await polled(*[reply(429, headers={"Retry-After": "3"})] * 5):
        assert isinstance(found, Unavailable)
        assert (found.answered, found.retry_after_seconds) == (True, 3.0)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524])
async def test_edge_20_html_from_a_gateway(status: int) -> None:
    """An HTML error keeps a poll going and leaves a submit in doubt, never sent again."""
    page = reply(status, b"<html>" + b"x" * 5000, {"Content-Type": "text/html"})
    (found,) = await polled(page)
    assert isinstance(found, Unavailable)
    with pytest.raises(OutcomeUnknown) as caught:
        await submitted(page)
    assert caught.value.reach == f"answered {status}"


@pytest.mark.parametrize("script", [(Read(), Close()), (Read(), Reset()), (Read(), Stall())])
async def test_edge_21_cut_after_the_body_was_sent(script: Script) -> None:
    """A request that was sent whole and never answered is in doubt and says exactly that."""
    async with at(script, network=HASTY) as (server, client):
        with pytest.raises(OutcomeUnknown) as caught:
            await client.submit(order())
    assert caught.value.reach == "request sent, no answer"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410, 418])
async def test_edge_23_an_expired_result_url(status: int) -> None:
    """A dead result URL asks for a fresh one."""
    async with at(reply(status)) as (server, client):
        with pytest.raises(OfferExpired):
            await bring(client, f"{server.origin}/1.png")


async def test_edge_24_a_truncated_picture() -> None:
    """A body shorter than announced is never taken for whole, in either framing."""
    short = (Read(), Send(head(200, {"Content-Length": "10"}) + b"12345"), Close())
    chunked = (Read(), Send(head(200, {"Transfer-Encoding": "chunked"}) + b"5\r\n12345\r\n"), Close())
    async with at(short, chunked) as (server, client):
        for _ in range(2):
            with pytest.raises(Unavailable):
                await bring(client, f"{server.origin}/1.png")


async def test_edge_24_odd_bodies_come_through_for_the_store_to_judge() -> None:
    """An HTML page or nothing at all under 200 is handed on; the bytes decide, never the headers."""
    async with at(reply(200, b"<html>", {"Content-Type": "image/png"}), reply(200, b"")) as (server, client):
        assert await bring(client, f"{server.origin}/1.png") == b"<html>"
        assert await bring(client, f"{server.origin}/1.jpg") == b""


async def test_edge_24_a_redirect_to_another_host_carries_nothing() -> None:
    """A redirected picture is fetched without credential, cookie or referrer, by an agent that looks like a browser."""
    async with WireServer() as other:
        other.then(reply(200, b"picture"))
        away = reply(302, headers={"Location": f"{other.origin}/real.png", "Set-Cookie": "a=b"})
        async with at(away) as (server, client):
            assert await bring(client, f"{server.origin}/1.png") == b"picture"
        headers, host = other.requests[0].headers, f"127.0.0.1:{other.port}"
    assert not {"authorization", "cookie", "referer", "idempotency-key"} & headers.keys()
    assert headers["user-agent"].startswith("Mozilla/5.0 (compatible; batchgen/")
    assert headers["host"] == host


def fields(request: Request) -> list[str]:
    return [problem.field for problem in Catalogue().check(request)]


def test_edge_26_requests_that_a_model_refuses() -> None:
    """What either model is known to refuse is found before anything is sent."""
    gpt, nano = "gpt-image-2", "nano-banana-pro"
    urls = tuple(UrlReference(f"https://a.example/{number}") for number in range(17))
    assert fields(Request(gpt, "p", aspect_ratio="auto", resolution="2K")) == ["resolution"]
    assert fields(Request(gpt, "p", resolution="2K")) == ["resolution"]
    assert fields(Request(gpt, "p", aspect_ratio="1:1", resolution="4K")) == ["resolution"]
    assert fields(Request(gpt, "p", output_format="png")) == ["output_format"]
    assert fields(Request(gpt, "p", references=urls)) == ["references"]
    assert fields(Request(gpt, "p", references=urls[:16])) == []
    assert fields(Request(nano, "p", references=urls[:9])) == ["references"]
    assert fields(Request(nano, "p", references=urls[:8])) == []
    jpeg, lower = Request(nano, "p", output_format="jpeg"), Request(nano, "p", resolution="2k")
    assert [each.suggestion for each in (*Catalogue().check(jpeg), *Catalogue().check(lower))] == ["jpg", "2K"]


def test_edge_27_reference_files() -> None:
    """A file of 30 MiB passes, one byte more does not; nor an empty one or another kind of file."""
    most = 30 * 1024 * 1024

    def with_file(size: int, kind: str) -> Request:
        return Request("nano-banana-pro", "p", references=(FileReference("a.png", "0" * 64, size, kind),))

    assert fields(with_file(most, "image/png")) == []
    assert fields(with_file(most + 1, "image/png")) == ["references"]
    assert fields(with_file(0, "image/png")) == ["references"]
    assert fields(with_file(9, "image/gif")) == ["references"]


@pytest.mark.parametrize(
    "url",
    ["data:image/png;base64,AA", "ftp://a.example/x", "asset://1", "https://a.example/a b", "https://", "http://[x"],
)
def test_edge_28_reference_urls(url: str) -> None:
    """A reference URL that the provider cannot fetch is refused here."""
    assert fields(Request("nano-banana-pro", "p", references=(UrlReference(url),))) == ["references"]


async def test_edge_29_catalogues_that_are_poor_or_missing() -> None:
    """Without a catalogue built-in rules hold with a warning; a short enum takes nothing away; disabled is refused."""
    cards: list[dict[str, Any]] = [
        {"id": "nano-banana-pro", "capabilities": {"parameters": [{"name": "aspect_ratio", "enum": ["1:1"]}]}},
        {"id": "gpt-image-2", "enabled": False},
    ]
    async with at(json_reply({"object": "list", "data": cards}), reply(500), (Read(), Close())) as (_, client):
        catalogue, broken, gone = [await client.models() for _ in range(3)]
    assert not catalogue.warnings
    assert not catalogue.check(Request("nano-banana-pro", "p", aspect_ratio="21:9"))
    assert [each.field for each in catalogue.check(Request("gpt-image-2", "p"))] == ["model"]
    for poor in (broken, gone):
        assert poor.rules == BUILT_IN
        assert "built-in rules" in poor.warnings[0]
    (unknown,) = catalogue.check(Request("nano-bananna-pro", "p"))
    assert (unknown.field, unknown.suggestion) == ("model", "nano-banana-pro")


@pytest.mark.parametrize("prompt", ['line\nbreak "quoted" \\ and \t tab', "猫とロボット 🎨", "lone \ud800 surrogate"])
@pytest.mark.parametrize("files", [(), (b"\x89PNG",)])
async def test_extra_odd_prompts_in_both_encodings(prompt: str, files: tuple[bytes, ...]) -> None:
    """Prompts with line ends, quotes, other scripts and broken characters are sent and taken."""
    async with at(json_reply(task(), 202)) as (server, client):
        assert (await client.submit(order(prompt, files=files))).task_id == "task_1"
    assert prompt.replace("\ud800", "\ufffd").encode() in server.requests[0].body or not files


async def test_extra_billing_of_every_kind() -> None:
    """Billing may be missing or odd; only a plain amount counts, also above what was reserved."""
    for amount, cost in (
        (70_000, 70_000),
        (0, 0),
        (None, None),
        ("70000", 70_000),
        (-1, None),
        (True, None),
        (1e300, None),
    ):
        found = await state_of(task("success", result=DONE, billing={"actual_amount_micro_usdc": amount}))
        assert isinstance(found, Offer)
        assert found.cost_micro_usd == cost


async def test_extra_an_answer_about_another_task() -> None:
    """A poll answered with another task's resource says nothing of this one."""
    (found,) = await polled(json_reply(task("success", "task_2", result=DONE)))
    assert isinstance(found, Unavailable)


async def test_extra_an_endless_answer() -> None:
    """An answer of more than 1 MiB is not read to its end: a poll tries again, a submit is in doubt."""
    most = 1024 * 1024
    start = b'{"task_id":"t","state":"waiting","pad":"'
    fits, big = (reply(200, start + b"a" * (size - len(start) - 2) + b'"}') for size in (most, most + 1))
    async with at(fits, big, big) as (_, client):
        assert await client.status("t") == Waiting("waiting")
        with pytest.raises(Unavailable):
            await client.status("t")
        with pytest.raises(OutcomeUnknown):
            await client.submit(order())


async def test_extra_a_client_elsewhere() -> None:
    """Headers in lower case, and an origin with a path prefix, work as well."""
    async with WireServer() as server:
        server.then((Read(), Send(b'HTTP/1.1 202 ok\r\ncontent-length: 15\r\n\r\n{"task_id":"t"}')))
        async with Client(f"{server.origin}/proxy/v1", lambda: KEY) as client:
            assert (await client.submit(order())).task_id == "t"
        assert server.requests[0].target == "/proxy/v1/images/generations"


async def test_edge_24_a_picture_in_an_encoding_not_asked_for() -> None:
    """A compressed picture is refused before it can unfold."""
    async with at(reply(200, b"x", {"Content-Encoding": "gzip"})) as (server, client):
        with pytest.raises(BadAsset):
            await bring(client, f"{server.origin}/1.png")
        assert server.requests[0].headers["accept-encoding"] == "identity"
