"""The wire of the gateway: creates, polls, refusals, both contracts."""

import itertools
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from batchgen.api import wire
from batchgen.gateway.options import Settings
from batchgen.gateway.painter import Elsewhere, Sample, UnreadableReference
from batchgen.gateway.task import Stored
from tests.gateway.house import AT_ONCE, CREATE, KEY, OTHER_KEY, PNG, Clock, House, Painter, house

pytestmark = pytest.mark.anyio

LEGACY = Settings(mode="legacy", pace=0)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"error", "message", "type", "code"}
    assert body["code"] == code
    return body


async def test_a_create_becomes_a_task(tmp_path: Path) -> None:
    """A create is answered 202 with the documented envelope."""
    async with house(tmp_path) as there:
        answer = await there.create()
    assert answer.status_code == 202
    body = answer.json()
    assert body["object"] == "task"
    assert body["type"] == "image"
    assert body["state"] == "waiting"
    assert body["model"] == "nano-banana-pro"
    assert body["poll_url"] == f"/v1/tasks/{body['task_id']}"
    assert body["created_at"] == 1_000_000
    assert set(body) <= set(wire.TaskEnvelope.__annotations__)


async def test_a_task_in_task_mode_needs_no_async_flag(tmp_path: Path) -> None:
    """In task mode a create is a task whether or not it says so."""
    async with house(tmp_path) as there:
        assert (await there.create({"model": "nano-banana-pro", "prompt": "x"})).status_code == 202


async def test_the_clock_drives_a_task_through_its_states(tmp_path: Path) -> None:
    """A task waits, queues, is generated and succeeds as time goes on, and shows no picture before."""
    clock = Clock()
    async with house(tmp_path, Settings(pace=100), clock=clock) as there:
        task_id = (await there.create()).json()["task_id"]
        seen = [await there.task(task_id)]
        for seconds in (6, 15, 1):
            clock.now += seconds
            seen.append(await there.task(task_id))
        clock.now += 200
        last = await there.ended(task_id)
    states = [each["state"] for each in seen]
    assert states == sorted(states, key=wire.STATES.index)
    assert states[0] == "waiting"
    assert states[-1] != "success"
    assert all(each["result"] == {} and each["completed_at"] is None for each in seen)
    assert all(each["billing"]["status"] == "reserved" for each in seen)
    assert [each["updated_at"] for each in seen] == sorted(each["updated_at"] for each in seen)
    assert seen[0]["recommended_poll_interval_ms"] == 2000
    assert last["completed_at"] == last["updated_at"] >= 1_000_000 + 30


async def test_a_finished_task_shows_everything(tmp_path: Path) -> None:
    """A poll of a finished task has every documented field, its picture's address and its price."""
    async with house(tmp_path) as there:
        task = await there.bought(CREATE | {"aspect_ratio": "16:9", "resolution": "4K", "output_format": "jpg"})
    assert set(task) == set(wire.TaskResource.__annotations__) | set(wire.TaskEnvelope.__annotations__)
    assert task["state"] == "success"
    assert task["progress"] == 100
    assert task["error"] == {}
    assert task["request_id"].startswith("req_")
    assert task["request"] == {
        "prompt": "a red cube",
        "n": 1,
        "response_format": "url",
        "aspect_ratio": "16:9",
        "resolution": "4K",
        "output_format": "jpg",
    }
    assert len(task["result"]["data"]) == 1
    assert task["billing"] == {
        "status": "committed",
        "reserve_amount_micro_usdc": 240_000,
        "actual_amount_micro_usdc": 240_000,
        "released_amount_micro_usdc": 0,
    }


async def test_a_task_that_is_painted_late_is_still_generating(tmp_path: Path) -> None:
    """Time alone makes no picture: until the painter is done the task is generating."""
    painter = Painter(hold=anyio.Event())
    async with house(tmp_path, painter=painter) as there:
        task_id = (await there.create()).json()["task_id"]
        task = await there.task(task_id)
        assert task["state"] == "generating"
        assert 0 < task["progress"] < 100
        assert painter.hold is not None
        painter.hold.set()
        assert (await there.ended(task_id))["state"] == "success"
    assert len(painter.works) == 1


async def test_a_broken_painter_fails_the_task_and_costs_nothing(tmp_path: Path) -> None:
    """A painter that breaks makes a failed task whose money is released."""
    async with house(tmp_path, painter=Painter(failure=RuntimeError("no paint"))) as there:
        task = await there.bought()
    assert task["state"] == "fail"
    assert task["error"]["code"] == "500"
    assert task["result"] == {}
    assert task["billing"]["status"] == "released"
    assert task["billing"]["actual_amount_micro_usdc"] == 0
    assert task["billing"]["released_amount_micro_usdc"] == 134_000


async def test_a_reference_that_does_not_open_fails_the_task(tmp_path: Path) -> None:
    """A reference that looks like a picture and is none fails its task with 422."""
    async with house(tmp_path, painter=Painter(failure=UnreadableReference())) as there:
        answer = await there.multipart({"model": "nano-banana-pro", "prompt": "x"}, [("image[]", ("a.png", PNG))])
        task = await there.ended(answer.json()["task_id"])
    assert task["state"] == "fail"
    assert task["error"]["code"] == "422"


async def test_a_stranger_is_refused(tmp_path: Path) -> None:
    """Creates and polls without a valid credential are answered 401, before anything else of the request counts."""
    async with house(tmp_path) as there:
        there.client.headers.pop("Authorization")
        strangers = ({}, *({"Authorization": text} for text in ("Bearer wrong", "Bearer", f"Basic {KEY}", KEY)))
        for headers, path in itertools.product(strangers, (wire.GENERATIONS, "/v1/tasks/task_0")):
            answer = await there.client.request("POST" if path == wire.GENERATIONS else "GET", path, headers=headers)
            refused(answer, 401, "invalid_credential")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert there.paid() == []


async def test_tasks_of_another_credential_do_not_exist(tmp_path: Path) -> None:
    """A task is shown to the credential that bought it, and is unknown to all others."""
    async with house(tmp_path) as there:
        task_id = (await there.create()).json()["task_id"]
        headers = {"Authorization": f"Bearer {OTHER_KEY}"}
        refused(await there.client.get(f"/v1/tasks/{task_id}", headers=headers), 404, "task_not_found")
        refused(await there.client.get("/v1/tasks/task_unknown"), 404, "task_not_found")
        assert (await there.task(task_id))["task_id"] == task_id


@pytest.mark.parametrize(("settings", "modes"), [(AT_ONCE, ["task"]), (LEGACY, ["sync", "task"])])
async def test_the_catalogue_is_public_and_agrees_with_the_mode(
    tmp_path: Path, settings: Settings, modes: list[str]
) -> None:
    """/v1/models needs no credential, has every documented key, prices above zero and the request modes of today."""
    async with house(tmp_path, settings) as there:
        there.client.headers.pop("Authorization")
        document = (await there.client.get(wire.MODELS)).json()
    assert document["object"] == "list"
    cards = {card["id"]: card for card in document["data"]}
    assert set(cards) == {"nano-banana-pro", "gpt-image-2"}
    for card in cards.values():
        assert set(card) == set(wire.ModelCard.__annotations__)
        capabilities = card["capabilities"]
        assert capabilities["request_mode"] == modes
        assert [tier["id"] for tier in capabilities["pricing"]["tiers"]] == ["1k_2k", "4k"]
        assert all(tier["price_micro_usdc"] > 0 for tier in capabilities["pricing"]["tiers"])
    parameters = {each["name"]: each["enum"] for each in cards["gpt-image-2"]["capabilities"]["parameters"]}
    assert "output_format" not in parameters
    assert parameters["aspect_ratio"] == ["auto", "1:1", "9:16", "16:9", "4:3", "3:4"]
    assert cards["nano-banana-pro"]["capabilities"]["reference_input"]["max_items"] == 8


async def test_unknown_paths_and_methods_are_answered_in_json(tmp_path: Path) -> None:
    """What is not there is refused with the same body as everything else."""
    async with house(tmp_path) as there:
        refused(await there.client.get("/v1/nothing"), 404, "not_found")
        refused(await there.client.delete(wire.MODELS), 405, "method_not_allowed")
        refused(await there.client.get("/v1/models/"), 404, "not_found")
        assert (await there.client.delete(wire.MODELS)).headers["allow"] == "GET"
        assert (await there.client.get("/healthz")).json() == {"status": "ok"}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"prompt": None}, "invalid_field"),
    ({"prompt": ""}, "invalid_field"),
    ({"prompt": "x" * 20_001}, "invalid_field"),
    ({"prompt": 7}, "invalid_field"),
    ({"model": None}, "invalid_field"),
    ({"model": "dall-e"}, "model_not_found"),
    ({"n": 2}, "invalid_field"),
    ({"n": True}, "invalid_field"),
    ({"n": "1"}, "invalid_field"),
    ({"async": "true"}, "invalid_field"),
    ({"response_format": "b64_json"}, "invalid_field"),
    ({"channel_id": 99}, "invalid_field"),
    ({"aspect_ratio": "7:5"}, "invalid_aspect_ratio"),
    ({"resolution": "2k"}, "invalid_resolution"),
    ({"output_format": "jpeg"}, "invalid_output_format"),
    ({"image_input": "https://example.com/a.png"}, "invalid_field"),
    ({"image_input": ["data:image/png;base64,AAAA"]}, "invalid_image_input"),
    ({"image_input": ["https://example.com/a b.png"]}, "invalid_image_input"),
    ({"image_input": ["asset://1"]}, "invalid_image_input"),
    ({"image_input": ["http://[bad"]}, "invalid_image_input"),
    ({"image_input": ["https://example.com/a.png"] * 9}, "too_many_references"),
    ({"model": "gpt-image-2", "output_format": "png"}, "invalid_output_format"),
    ({"model": "gpt-image-2", "aspect_ratio": "21:9"}, "invalid_aspect_ratio"),
    ({"model": "gpt-image-2", "resolution": "2K"}, "invalid_resolution"),
    ({"model": "gpt-image-2", "resolution": "4K", "aspect_ratio": "auto"}, "invalid_resolution"),
    ({"model": "gpt-image-2", "resolution": "8K", "aspect_ratio": "16:9"}, "invalid_resolution"),
    ({"model": "gpt-image-2", "resolution": "4K", "aspect_ratio": "1:1"}, "invalid_resolution"),
    ({"model": "gpt-image-2", "image_input": ["https://example.com/a.png"] * 17}, "too_many_references"),
]


async def test_wrong_creates_are_refused_and_sell_nothing(tmp_path: Path) -> None:
    """Each rule of a field, of a model or across fields is a 400 that repeats none of the values."""
    async with house(tmp_path) as there:
        for change, code in BAD:
            fields = {**CREATE, "prompt": "secret words", **change}
            body = {name: value for name, value in fields.items() if value is not None}
            message = refused(await there.create(body), 400, code)["message"]
            assert "secret" not in message
            assert "example.com" not in message
        assert there.paid() == []


RIGHT: list[dict[str, Any]] = [
    {"model": "nano-banana-pro", "aspect_ratio": "auto", "resolution": "4K"},
    {"model": "nano-banana-pro", "aspect_ratio": "21:9", "channel_id": 1, "n": 1, "surprise": {"a": 1}},
    {"model": "gpt-image-2"},
    {"model": "gpt-image-2", "aspect_ratio": "1:1", "resolution": "2K"},
    {"model": "gpt-image-2", "aspect_ratio": "16:9", "resolution": "4K"},
    {"model": "gpt-image-2", "image_input": ["https://example.com/a.png"] * 16},
    {"model": "nano-banana-pro", "prompt": "\u732b \U0001f408 'quotes'\n\u0000 x"},
]


async def test_right_creates_are_sold(tmp_path: Path) -> None:
    """What the documentation allows is taken, fields that it does not know are passed over."""
    async with house(tmp_path) as there:
        for change in RIGHT:
            answer = await there.create({"prompt": "x", **change})
            assert answer.status_code == 202, answer.text
        assert len(there.paid()) == len(RIGHT)


async def test_bodies_that_are_no_creates_are_refused(tmp_path: Path) -> None:
    """Broken JSON, a list, endless nesting and other media types are refused."""
    async with house(tmp_path) as there:
        json_type = {"Content-Type": "application/json"}
        for content in (b"{", b"[]", b"\xff\xfe", b"[" * 200_000, b'{"prompt": "\\ud800", "model": "gpt-image-2"}'):
            answer = await there.client.post(wire.GENERATIONS, content=content, headers=json_type)
            assert answer.status_code == 400, content[:20]
        answer = await there.client.post(wire.GENERATIONS, content=b"x", headers={"Content-Type": "text/plain"})
        refused(answer, 415, "unsupported_media_type")
        broken = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = await there.client.post(wire.GENERATIONS, content=b"--y\r\nnonsense", headers=broken)
        assert answer.status_code == 400


async def half_sent(there: House, declared: int) -> bytes:
    """The first bytes of the answer to a create of which only one byte is ever sent."""
    head = (
        f"POST {wire.GENERATIONS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {declared}\r\n\r\n{{"
    )
    async with await anyio.connect_tcp("127.0.0.1", there.client.base_url.port or 0) as stream:
        await stream.send(head.encode())
        with anyio.fail_after(10):
            return await stream.receive()


async def test_large_bodies_are_cut_off(tmp_path: Path) -> None:
    """More than 1 MiB of JSON is refused, whether its length was declared or not."""

    async def dripping() -> Any:
        for _ in range(20):
            yield b" " * 64 * 1024

    async with house(tmp_path) as there:
        headers = {"Content-Type": "application/json"}
        assert (await half_sent(there, wire.JSON_BYTES + 1)).startswith(b"HTTP/1.1 413 ")
        answer = await there.client.post(wire.GENERATIONS, content=dripping(), headers=headers)
        refused(answer, 413, "body_too_large")


async def test_a_multipart_create_brings_files_and_urls(tmp_path: Path) -> None:
    """Files are taken in all four field names, URLs beside them, and scalars as plain text."""
    painter = Painter()
    async with house(tmp_path, painter=painter) as there:
        data = {
            "model": "gpt-image-2",
            "prompt": "x",
            "async": "true",
            "n": "1",
            "channel_id": "1",
            "image_input[]": ["https://samples.batchgen.invalid/red-shoe.png", "https://example.com/a?X-Amz-Date=1"],
        }
        names = ("image", "image[]", "image_input", "image_input[]")
        answer = await there.multipart(data, [(name, ("a.bin", PNG, "application/x")) for name in names])
        assert answer.status_code == 202, answer.text
        await there.ended(answer.json()["task_id"])
    references = painter.works[0].task.asked.references
    assert references[0] == Sample("red-shoe.png")
    assert isinstance(references[1], Elsewhere)
    assert len(references) == 6
    stored = references[2]
    assert isinstance(stored, Stored)
    assert references[2:] == (stored,) * 4
    assert (tmp_path / "references" / stored.sha256).read_bytes() == PNG
    assert painter.works[0].files == {stored.sha256: str(tmp_path / "references" / stored.sha256)}


async def test_the_clients_own_bodies_are_understood(tmp_path: Path) -> None:
    """What the client's encoder sends, as JSON and as multipart, is taken."""
    async with house(tmp_path) as there:
        for parts in ([], [wire.Part("image/png", PNG)]):
            kind, body = wire.encode_create({"model": "gpt-image-2", "prompt": "ü\r\n--x"}, [], parts, "token")
            answer = await there.client.post(wire.GENERATIONS, content=body, headers={"Content-Type": kind})
            assert answer.status_code == 202, answer.text
            assert (await there.task(answer.json()["task_id"]))["request"]["prompt"] == "ü\r\n--x"


async def test_wrong_multipart_creates_are_refused(tmp_path: Path) -> None:
    """A file of another kind, a file in a text field, a doubled field and text in a file field are refused."""
    scalars = {"model": "nano-banana-pro", "prompt": "x"}
    bomb = PNG[:16] + (60_000).to_bytes(4, "big") * 2 + PNG[24:]
    cases: list[tuple[dict[str, Any], list[tuple[str, Any]], str]] = [
        (scalars, [("image", ("a.png", b"GIF89a" + b"\0" * 20))], "invalid_image"),
        (scalars, [("image", ("a.png", b""))], "invalid_image"),
        (scalars, [("image", ("a.png", bomb))], "invalid_image"),
        (scalars, [("prompt2", ("a.png", PNG))], "invalid_field"),
        (scalars | {"n": ["1", "1"]}, [("image", ("a.png", PNG))], "invalid_field"),
        (scalars | {"n": "one"}, [("image", ("a.png", PNG))], "invalid_field"),
        (scalars | {"async": "maybe"}, [("image", ("a.png", PNG))], "invalid_field"),
        (scalars | {"image": "https://example.com"}, [("image[]", ("a.png", PNG))], "invalid_field"),
        (scalars, [("image", ("a.png", PNG))] * 9, "too_many_references"),
    ]
    async with house(tmp_path) as there:
        for data, files, code in cases:
            refused(await there.multipart(data, files), 400, code)
        assert (await there.multipart(scalars, [("image", ("a.png", PNG))] * 65)).status_code == 400
        assert there.paid() == []


async def test_a_file_over_thirty_mebibytes_is_refused(tmp_path: Path) -> None:
    """A reference of one byte more than allowed is refused, one of exactly the limit is taken."""
    full = PNG + b"\0" * (wire.REFERENCE_BYTES - len(PNG))
    async with house(tmp_path) as there:
        data = {"model": "nano-banana-pro", "prompt": "x"}
        refused(await there.multipart(data, [("image", ("a.png", full + b"\0"))]), 413, "file_too_large")
        assert (await there.multipart(data, [("image", ("a.png", full))])).status_code == 202


OUTSIDE = [
    ({"Host": "evil.example"}, "host_not_allowed"),
    ({"Host": "evil.example:8787"}, "host_not_allowed"),
    ({"Host": ""}, "host_not_allowed"),
    ({"Origin": "https://evil.example"}, "origin_not_allowed"),
    ({"Origin": "null"}, "origin_not_allowed"),
]


async def test_pages_and_rebound_names_stay_outside(tmp_path: Path) -> None:
    """Another Host, or an Origin of its own, is refused even with the right credential."""
    async with house(tmp_path) as there:
        for headers, code in OUTSIDE:
            refused(await there.client.get(wire.MODELS, headers=headers), 403, code)


async def test_too_many_requests_at_once_are_turned_away(tmp_path: Path) -> None:
    """Beyond the limit a request is answered 503 with a time, so that the client knows that nothing was bought."""
    painter = Painter(hold=anyio.Event())
    async with house(tmp_path, Settings(mode="legacy", pace=0, most_requests=1), painter=painter) as there:
        async with anyio.create_task_group() as group:
            group.start_soon(there.create, {"model": "nano-banana-pro", "prompt": "x"})
            await painter.begun.wait()
            answer = await there.create(CREATE)
            refused(answer, 503, "overloaded")
            assert answer.headers["Retry-After"] == "1"
            assert painter.hold is not None
            painter.hold.set()
        assert (await there.create(CREATE)).status_code == 202


async def test_a_body_that_does_not_arrive_is_given_up(tmp_path: Path) -> None:
    """A client that stops sending in the middle of its body is answered 408 and has bought nothing."""
    async with house(tmp_path, Settings(pace=0, body_seconds=0.02)) as there:
        answer = await half_sent(there, 100)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert there.paid() == []


async def test_names_of_this_machine_are_let_in(tmp_path: Path) -> None:
    """Loopback names with any port, names that were set, and the same origin are let in."""
    async with house(tmp_path, Settings(pace=0, hosts=frozenset({"pictures.lan"}))) as there:
        own = str(there.client.base_url).rstrip("/")
        for headers in ({"Host": "localhost:1"}, {"Host": "[::1]:80"}, {"Host": "Pictures.LAN"}, {"Origin": own}):
            assert (await there.client.get(wire.MODELS, headers=headers)).status_code == 200, headers


async def test_a_full_queue_asks_to_slow_down(tmp_path: Path) -> None:
    """When too many tasks wait, a create is refused with 429 and a time, and a known key is still answered."""
    painter = Painter(hold=anyio.Event())
    async with house(tmp_path, Settings(pace=0, most_waiting=1), painter=painter) as there:
        first = await there.create(token="a")
        answer = await there.create(token="b")
        refused(answer, 429, "queue_full")
        assert int(answer.headers["Retry-After"]) > 0
        assert (await there.create(token="a")).json() == first.json()
        assert len(there.paid()) == 1


async def test_the_legacy_contract_answers_with_the_picture(tmp_path: Path) -> None:
    """In legacy mode a create without async waits and is answered 200 with an address; with async it is a task."""
    async with house(tmp_path, LEGACY) as there:
        answer = await there.create({"model": "nano-banana-pro", "prompt": "x"})
        assert answer.status_code == 200
        body = answer.json()
        assert set(body) == {"created", "data"}
        assert (await there.client.get(body["data"][0]["url"])).content == PNG
        assert (await there.create(CREATE)).status_code == 202


async def test_the_legacy_contract_fails_with_502(tmp_path: Path) -> None:
    """In legacy mode a generation that fails is a 502 on the create."""
    async with house(tmp_path, LEGACY, painter=Painter(failure=RuntimeError())) as there:
        refused(await there.create({"model": "nano-banana-pro", "prompt": "x"}), 502, "generation_failed")


async def test_a_legacy_create_waits_for_the_clock_too(tmp_path: Path) -> None:
    """A sync answer comes no sooner than the task is done by the clock."""
    clock, answers = Clock(), []
    async with house(tmp_path, Settings(mode="legacy", pace=10), clock=clock) as there:

        async def buy() -> None:
            answers.append(await there.create({"model": "nano-banana-pro", "prompt": "x"}))

        async with anyio.create_task_group() as group:
            group.start_soon(buy)
            await there.painter.begun.wait()
            await anyio.sleep(0.03)
            assert answers == []
            clock.now += 20
    assert answers[0].status_code == 200


async def buy_together(there: House, count: int, token: str) -> list[httpx.Response]:
    answers = []

    async def buy() -> None:
        answers.append(await there.create(token=token))

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(buy)
    return answers


async def test_a_repeated_create_is_answered_as_before(tmp_path: Path) -> None:
    """Under replay the same key and body give the same answer and one sale, later and all at once."""
    async with house(tmp_path) as there:
        answers = await buy_together(there, 20, "k")
        there.clock.now += 5
        answers.append(await there.create(token="k"))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.text for answer in answers}) == 1
        assert len(there.paid()) == 1
        await there.ended(answers[0].json()["task_id"])
        assert len(there.painter.works) == 1


async def test_a_key_with_another_body_is_a_conflict(tmp_path: Path) -> None:
    """Under replay a known key with another body is a 409 and sells nothing."""
    async with house(tmp_path) as there:
        await there.create(token="k")
        refused(await there.create(CREATE | {"prompt": "another"}, token="k"), 409, "idempotency_conflict")
        assert len(there.paid()) == 1


async def test_keys_belong_to_a_credential(tmp_path: Path) -> None:
    """The same key of another credential buys its own task."""
    async with house(tmp_path) as there:
        first, second = await there.create(token="k"), await there.create(token="k", key=OTHER_KEY)
        assert first.json()["task_id"] != second.json()["task_id"]
        assert len(there.paid()) == 2


async def test_reject_refuses_a_known_key(tmp_path: Path) -> None:
    """Under reject a key buys once; every later create with it, even at the same moment, is a 409."""
    async with house(tmp_path, Settings(pace=0, idempotency="reject")) as there:
        statuses = sorted(answer.status_code for answer in await buy_together(there, 10, "k"))
        assert statuses == [202] + [409] * 9
        assert len(there.paid()) == 1


async def test_none_sells_again(tmp_path: Path) -> None:
    """Under none a key means nothing, and is still noted in the list of sales."""
    async with house(tmp_path, Settings(pace=0, idempotency="none")) as there:
        await buy_together(there, 3, "k")
        assert len(there.paid()) == 3
        assert all('"token":"k"' in line for line in there.paid())


async def test_creates_without_a_key_are_sold_each_time(tmp_path: Path) -> None:
    """Without a key there is nothing to recognise."""
    async with house(tmp_path) as there:
        for _ in range(2):
            await there.create()
        assert len(there.paid()) == 2


async def test_odd_keys_are_refused(tmp_path: Path) -> None:
    """A key is one value of 1 to 255 printable ASCII characters."""
    async with house(tmp_path) as there:
        for tokens in ([""], ["x" * 256], ["tab\there"], ["\u00fc"], ["a", "b"]):
            headers = [(b"Idempotency-Key", token.encode("latin-1")) for token in tokens]
            answer = await there.client.post(wire.GENERATIONS, json=CREATE, headers=headers)
            refused(answer, 400, "invalid_idempotency_key")
        assert (await there.create(token="x" * 255)).status_code == 202


async def test_an_unexpected_error_is_answered_without_details(tmp_path: Path) -> None:
    """When the gateway itself breaks, the answer is a plain 500 that tells nothing of the inside."""
    async with house(tmp_path) as there:
        await there.create()
        (tmp_path / "references").rmdir()
        answer = await there.multipart({"model": "gpt-image-2", "prompt": "secret"}, [("image", ("a.png", PNG))])
        body = refused(answer, 500, "internal_error")
        assert "references" not in body["message"]
        assert len(there.paid()) == 1
