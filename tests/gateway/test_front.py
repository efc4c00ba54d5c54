"""What stands beside the trade: health, badges, meters, the log, the manual for people, what is not played."""

import json
import logging
import re
from html.parser import HTMLParser
from pathlib import Path

import anyio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from batchgen.api import wire
from batchgen.gateway.front import NOT_PLAYED
from batchgen.gateway.metering import Counts, route_of
from tests.gateway.house import CREATE, KEY, House, house

pytestmark = pytest.mark.anyio


async def test_video_and_chat_are_clearly_not_played(tmp_path: Path) -> None:
    """The API's other endpoints are a 404 that says what is played instead."""
    async with house(tmp_path) as there:
        for path in NOT_PLAYED:
            answer = await there.client.post(path, json={"model": "veo3.1", "prompt": "x"})
            assert answer.status_code == 404
            assert answer.json()["code"] == "not_played_here"
            assert wire.GENERATIONS in answer.json()["message"]


async def test_the_badges_of_the_catalogue_are_there(tmp_path: Path) -> None:
    """Every picture address of the catalogue leads to a picture that cannot do harm; other brands are a 404."""
    async with house(tmp_path) as there:
        for card in (await there.client.get(wire.MODELS)).json()["data"]:
            answer = await there.client.get(card["brand_image_url"])
            assert answer.headers["content-type"] == "image/svg+xml"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.text.startswith("<svg")
        assert (await there.client.get("/v1/models/brands/acme/image")).status_code == 404


async def samples(there: House) -> dict[tuple[str, str], float]:
    """All metrics by name and labels, read by the library that nobody here wrote."""
    answer = await there.client.get("/metrics", headers={"Authorization": ""})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, json.dumps(sample.labels, sort_keys=True)): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_meters_count_what_was_answered(tmp_path: Path) -> None:
    """Prometheus reads the counts by method, route and status, and how many tasks there are; paths make no new ones."""
    async with house(tmp_path) as there:
        before = await samples(there)
        await there.bought()
        for number in range(5):
            await there.client.get(f"/v1/tasks/unknown-{number}")
            await there.client.get(f"/nowhere/{number}")
        after = await samples(there)

    def count(**labels: str) -> float:
        name = "batchgen_gateway_requests_total", json.dumps(labels, sort_keys=True)
        return after.get(name, 0) - before.get(name, 0)

    assert count(method="POST", route=wire.GENERATIONS, status="202") == 1
    assert count(method="GET", route="/v1/tasks/{task_id}", status="404") == 5
    assert count(method="GET", route="other", status="404") == 5
    gauges = {name: value for (name, labels), value in after.items() if labels == "{}"}
    assert gauges["batchgen_gateway_tasks"] == 1
    assert gauges["batchgen_gateway_tasks_running"] == 0
    assert gauges["batchgen_gateway_tasks_unpainted"] == 0
    assert any(name == "batchgen_gateway_request_seconds_total" and value > 0 for (name, _), value in after.items())


def test_every_path_has_one_of_few_routes() -> None:
    """Whatever is asked for, the counts stay as small as the number of routes."""
    asked = [
        "/v1/tasks/1",
        "/v1/tasks/2",
        "/files/x",
        "/files/y",
        "/",
        "/a",
        '/b"\n',
        "/healthz",
        "/v1/models/brands/x",
    ]
    assert {route_of(path) for path in asked} == {"/v1/tasks/{task_id}", "/files/{name}", "other", "/healthz"}


async def test_the_log_has_every_answer_and_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line an answer: method, path, status, time; no key, no query, no prompt, no forged line."""
    caplog.set_level(logging.INFO, "batchgen.gateway.access")
    async with house(tmp_path) as there:
        url = (await there.bought(CREATE | {"prompt": "a secret plan"}))["result"]["data"][0]["url"]
        await there.client.get(url)
        await there.client.get("/x%0d%0aforged%20line%1b[31m" + "y" * 500)
    lines = [record.getMessage() for record in caplog.records if record.name == "batchgen.gateway.access"]
    text = "\n".join(lines)
    assert re.match(r"POST /v1/images/generations 202 \d+\.\d ms$", lines[0])
    assert any(re.fullmatch(r"GET /files/[0-9a-f]{32}\.png 200 \d+\.\d ms", line) for line in lines)
    for secret in (KEY, "signature", "expires", "secret plan", "\x1b"):
        assert secret not in text
    assert all("\n" not in line and "\r" not in line and len(line) < 300 for line in lines)


async def test_a_request_without_an_answer_is_counted() -> None:
    """A client that went away before its answer is counted under 0."""
    counts = Counts()
    counts.note({"type": "http", "method": "BREW", "path": "/pot"}, 0, 0.5)
    assert 'method="other",route="other",status="0"} 1' in counts.text({})


class Tags(HTMLParser):
    """All tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def test_the_manual_for_people_needs_no_internet(tmp_path: Path) -> None:
    """/docs names every operation and loads nothing from anywhere: no script, no link but to this server."""
    async with house(tmp_path) as there:
        answer = await there.client.get("/docs", headers={"Authorization": ""})
        document = (await there.client.get("/openapi.json")).json()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    tags = Tags()
    tags.feed(answer.text)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags.found}
    assert [attributes["href"] for tag, attributes in tags.found if tag == "a"] == ["/openapi.json"]
    assert "http://" not in answer.text.replace("[hH][tT][tT][pP]", "")
    for path in document["paths"]:
        assert f"<code>{path}</code>" in answer.text


async def test_everything_beside_the_trade_is_public_but_money(tmp_path: Path) -> None:
    """Health, meters, catalogue and manual need no key; balance, tasks and creates do."""
    async with house(tmp_path) as there:
        there.client.headers.pop("Authorization")
        for path in ("/healthz", "/metrics", "/openapi.json", "/docs", wire.MODELS):
            assert (await there.client.get(path)).status_code == 200
        closed: list[httpx.Response] = [
            await there.client.get(wire.BALANCE),
            await there.client.get(wire.TASKS + "x"),
            await there.client.post(wire.GENERATIONS, json=CREATE),
        ]
        assert [answer.status_code for answer in closed] == [401] * 3


async def test_a_client_that_dies_in_the_middle_of_its_body(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted under 0, nothing is sold, and no traceback is logged."""
    head = f"POST {wire.GENERATIONS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    async with house(tmp_path) as there:
        url = there.client.base_url
        async with await anyio.connect_tcp(url.host, url.port or 80) as line:
            await line.send(head.encode())
        with anyio.fail_after(30):
            key = json.dumps({"method": "POST", "route": wire.GENERATIONS, "status": "0"}, sort_keys=True)
            while not (await samples(there)).get(("batchgen_gateway_requests_total", key)):  # noqa: ASYNC110  # it tells by its counts
                await anyio.sleep(0.01)
        await there.bought()
        assert len(there.paid()) == 1
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING] == []
