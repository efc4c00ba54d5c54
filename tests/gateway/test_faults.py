"""What rehearsed faults promise: the same ones again, at the requests that the file names, and cut for real."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.errors import SettingsError
from batchgen.gateway.faults import Mark, Played, Refuse, Script, When
from batchgen.gateway.faults.load import STORM, load
from batchgen.gateway.faults.rehearsal import playing
from batchgen.gateway.faults.schema import CallRule, FaultsFile, TaskRule
from tests.gateway.house import AT_ONCE, CREATE, House, house

pytestmark = pytest.mark.anyio

Stage = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A gateway that plays a faults file, given as its keys."""

    @asynccontextmanager
    async def open_stage(**keys: Any) -> AsyncIterator[House]:
        script = parse(json.dumps({"faults": 1, **keys}))
        async with house(tmp_path / "gw", AT_ONCE, before=lambda app: playing(app, script, str(tmp_path))) as running:
            yield running

    return open_stage


def parse(text: str) -> Script:
    return FaultsFile.model_validate(yaml.safe_load(text)).script()


def diary(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "faults.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


async def test_exactly_the_named_submit_is_accepted_and_cut(stage: Stage, tmp_path: Path) -> None:
    """The third submit is sold and its connection closed without an answer; the same token finds the task again."""
    async with stage(submit=[{"at": 3, "after": "cut"}]) as gateway:
        for number in (1, 2):
            assert (await gateway.create(token=f"t{number}")).status_code == 202
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await gateway.create(token="t3")
        assert len(gateway.paid()) == 3
        assert (await gateway.create(token="t3")).status_code == 202
        assert len(gateway.paid()) == 3
    began, played = diary(tmp_path)
    assert began["began"]
    assert (played["route"], played["number"], played["after"]) == ("submit", 3, "cut")


@pytest.mark.parametrize(("kind", "error"), [("cut", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
async def test_a_submit_cut_before_is_not_sold(stage: Stage, kind: str, error: type[Exception]) -> None:
    """A connection that ends before the request is served: a close or a reset on the wire, and nothing was sold."""
    async with stage(submit=[{"at": [1], "before": kind}]) as gateway:
        with pytest.raises(error):
            await gateway.create()
        assert gateway.paid() == []
        assert (await gateway.create()).status_code == 202


async def test_a_reset_after_is_sold(stage: Stage) -> None:
    """A reset after the request was served loses the answer and not the sale."""
    async with stage(submit=[{"every": 1, "after": "reset"}]) as gateway:
        with pytest.raises(httpx.ReadError):
            await gateway.create()
        assert len(gateway.paid()) == 1


async def test_refusals_say_when_to_come_again(stage: Stage) -> None:
    """A status is answered before anything is sold, with Retry-After in seconds or as a date."""
    rules = [
        {"at": 1, "before": 429, "retry_after": 2},
        {"at": 2, "before": 503, "retry_after": 2, "as_date": True},
        {"at": 3, "before": 500},
    ]
    async with stage(submit=rules) as gateway:
        answers = [await gateway.create() for _ in range(4)]
        assert [answer.status_code for answer in answers] == [429, 503, 500, 202]
        assert [answer.headers.get("retry-after", "")[-3:] for answer in answers] == ["2", "GMT", "", ""]
        assert answers[0].json()["code"] == "played_fault"
        assert len(gateway.paid()) == 1


async def test_polls_suffer(stage: Stage) -> None:
    """Polls are cut, refused, broken off, or answered by noise, a page, or another task; the next one is right."""
    kinds = ["truncated", "garbage", "html", "stranger", "short"]
    rules = [{"at": number, "after": kind} for number, kind in enumerate(kinds, 1)]
    async with stage(poll=rules) as gateway:
        task = (await gateway.create()).json()["task_id"]
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            await gateway.task(task)
        answers = [await gateway.client.get(f"/v1/tasks/{task}") for _ in range(4)]
        assert answers[0].content.startswith(bytes(range(9)))
        assert answers[1].headers["content-type"] == "text/html"
        assert answers[2].json()["task_id"] == f"other_{task}"
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
            answers[3].json()
        assert (await gateway.task(task))["task_id"] == task


async def test_files_suffer(stage: Stage) -> None:
    """A picture breaks off, ends early under a length that fits, expires or drips; the next time it is whole."""
    rules = [
        {"at": 1, "after": "truncated"},
        {"at": 2, "after": "short"},
        {"at": 3, "before": 410},
        {"at": 4, "after": "slow", "seconds": 0.01},
    ]
    async with stage(file=rules) as gateway:
        url = (await gateway.bought())["result"]["data"][0]["url"]
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            await gateway.client.get(url)
        short, gone, slow, whole = [await gateway.client.get(url) for _ in range(4)]
        assert short.status_code == 200
        assert len(short.content) == int(short.headers["content-length"]) == len(whole.content) // 2
        assert gone.status_code == 410
        assert slow.content == whole.content


async def test_silence_and_delay(stage: Stage) -> None:
    """A stalled request ends without an answer, a late one with the right one."""
    rules = [{"at": 1, "after": "stall", "seconds": 0.01}, {"at": 2, "before": "stall", "seconds": 0.01}]
    async with stage(submit=[*rules, {"at": 3, "after": "late", "seconds": 0.01}]) as gateway:
        for sold in (1, 1):
            with pytest.raises(httpx.RemoteProtocolError):
                await gateway.create()
            assert len(gateway.paid()) == sold
        assert (await gateway.create()).status_code == 202


async def test_models_suffer_and_nothing_else(stage: Stage) -> None:
    """A fault of one route leaves the others alone."""
    async with stage(models=[{"every": 1, "before": 503}]) as gateway:
        assert (await gateway.client.get("/v1/models")).status_code == 503
        assert (await gateway.client.get("/healthz")).status_code == 200
        assert (await gateway.bought())["state"] == "success"


@pytest.mark.parametrize(("kind", "word"), [("hangs", "generating"), ("strange", "finalizing")])
async def test_tasks_hang_and_speak_strangely(stage: Stage, kind: str, word: str) -> None:
    """A marked task says another state for as many looks as named, without a picture, and then the truth."""
    async with stage(tasks=[{"at": 1, "task": kind, "looks": 2}]) as gateway:
        task = (await gateway.create()).json()["task_id"]
        await anyio.wait_all_tasks_blocked()
        for _ in range(2):
            told = await gateway.task(task)
            assert (told["state"], told["result"]) == (word, {})
        assert (await gateway.ended(task))["result"]["data"]


async def test_tasks_appear_late(stage: Stage) -> None:
    """A task that is missing answers 404 at first, and is there afterwards."""
    async with stage(tasks=[{"at": 1, "task": "missing"}]) as gateway:
        task = (await gateway.create()).json()["task_id"]
        assert [(await gateway.client.get(f"/v1/tasks/{task}")).status_code for _ in range(3)] == [404, 404, 200]


async def test_a_failed_body_is_spared_the_next_time(stage: Stage, tmp_path: Path) -> None:
    """A failed task is not charged, a second attempt of the same body succeeds, and a replay changes nothing."""
    async with stage(tasks=[{"every": 1, "task": "fails"}]) as gateway:
        first = await gateway.bought(token="a")
        assert (first["state"], first["result"]) == ("fail", {})
        assert first["billing"]["actual_amount_micro_usdc"] == 0
        assert first["billing"]["status"] == "released"
        assert (await gateway.bought(token="b"))["state"] == "success"
        assert (await gateway.bought(token="a"))["state"] == "fail"
        assert (await gateway.bought({**CREATE, "prompt": "another"}, token="c"))["state"] == "fail"
    assert [line["number"] for line in diary(tmp_path) if "task" in line] == [1, 4]


async def test_a_refused_task_stays_refused(stage: Stage) -> None:
    """A task refused for its content says so, however often it is tried."""
    async with stage(tasks=[{"every": 1, "task": "refused"}]) as gateway:
        for _ in range(2):
            assert "policy" in (await gateway.bought())["error"]["code"]


@given(st.integers(0, 2**32), st.integers(1, 10_000))
@settings(max_examples=50)
def test_a_script_is_a_function_of_seed_route_and_number(seed: int, number: int) -> None:
    """The same seed meets the same faults, whatever happened on other routes before."""
    text = f"{{faults: 1, seed: {seed}, poll: [{{rate: 50%, before: cut}}], tasks: [{{rate: 50%, task: hangs}}]}}"
    one, two = parse(text), parse(text)
    assert one.fault("poll", number) == two.fault("poll", number)
    assert one.mark(number) == two.mark(number)
    assert one.fault("submit", number) is None


@given(st.integers(0, 2**32), st.sampled_from([1, 5, 20, 50]))
@settings(max_examples=10)
def test_rates_come_about(seed: int, percent: int) -> None:
    """Of 3,000 requests about the named share is struck."""
    script = parse(f"{{faults: 1, seed: {seed}, file: [{{rate: {percent}%, before: 500}}]}}")
    struck = sum(script.fault("file", number) is not None for number in range(1, 3001))
    assert abs(struck / 3000 - percent / 100) < 0.045


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 200))
def test_windows_bound_a_rule(every: int, first: int, length: int, number: int) -> None:
    """`every` counts from `first`, and nothing strikes outside of `first` to `last`."""
    when = When(every=every, first=first, last=first + length)
    assert when.meets(number, 0.0) == (first <= number <= first + length and (number - first + 1) % every == 0)


def test_the_first_rule_that_meets_a_request_is_played() -> None:
    """Of two rules for one request the upper one counts."""
    script = parse("{faults: 1, submit: [{at: 2, before: 500}, {every: 1, before: cut}]}")
    names = [str(script.fault("submit", number)) for number in (1, 2, 3)]
    assert ["Refuse" in name for name in names] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("faults: 1\nsubmit:\n  - {rate: 5, before: cut}\n", "f.yaml:3:6", "a share like 5%"),
        ("faults: 1\nsubmit:\n  - {rate: x%, before: cut}\n", "f.yaml:3:6", "a share like 5%"),
        ("faults: 1\npoll:\n  - {rate: 120%, before: cut}\n", "f.yaml:3:6", "less than or equal to 1"),
        ("faults: 1\npoll:\n  - {at: 1, before: 200}\n", "f.yaml:3:13", "400"),
        ("faults: 1\npoll:\n  - {at: 1, before: cut, after: cut}\n", "f.yaml:3:5", "either before or after"),
        ("faults: 1\npoll:\n  - {at: 1}\n", "f.yaml:3:5", "either before or after"),
        ("faults: 1\npoll:\n  - {at: 1, every: 2, before: cut}\n", "f.yaml:3:5", "exactly one of"),
        ("faults: 1\npoll:\n  - {at: 1, before: cut, seconds: 3}\n", "f.yaml:3:5", "seconds belong"),
        ("faults: 1\npoll:\n  - {at: 1, before: cut, retry_after: 3}\n", "f.yaml:3:5", "belong to a status"),
        ("faults: 1\npoll:\n  - {at: 1, before: 429, as_date: true}\n", "f.yaml:3:5", "needs retry_after"),
        ("faults: 1\nsubmit:\n  - {at: 1, after: stranger}\n", "f.yaml:1:1", "stranger belongs to poll"),
        ("faults: 1\ntasks:\n  - {at: 1, task: fails, looks: 2}\n", "f.yaml:3:5", "for ever"),
        ("faults: 1\ntasks:\n  - {at: 1, task: fails, tusk: 1}\n", "f.yaml:3:26", "not permitted"),
        ("faults: 1\nseed: [\n", "f.yaml:3:1", "not YAML"),
        ("faults: 2\n", "f.yaml:1:1", "1"),
        ("", "f.yaml", "faults: Field required"),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, place: str, word: str, tmp_path: Path) -> None:
    """What cannot be played is refused with file, line, column and a reason."""
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load(str(tmp_path / "f.yaml"))
    assert place + ":" in str(raised.value)
    assert word in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A faults file that cannot be read is named, and so is what to do."""
    with pytest.raises(SettingsError, match=r"none\.yaml could not be read"):
        load(str(tmp_path / "none.yaml"))


def test_the_documented_file_is_played() -> None:
    """The example of the rehearsal's page is a faults file, and every word that can be written stands on the page."""
    page = (Path(__file__).parent.parent.parent / "docs/rehearsal.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "faults: 1" in block]
    assert len(blocks) == 1
    script = parse(blocks[0])
    assert script.fault("submit", 220) == Played(before=True, fault=Refuse(500))
    for model in (FaultsFile, CallRule, TaskRule):
        for name, field in model.model_fields.items():
            for word in {name, *re.findall(r"'(\w+)'", str(field.annotation))} - {"int", "bool", "str", "float"}:
                assert re.search(rf"\b{word}\b", page), word


def test_the_storm_leaves_a_way_home() -> None:
    """The built-in storm strikes every route, and cuts its third submit after it was sold."""
    storm = load(STORM)
    assert {route for route, rules in storm.routes.items() if rules} == {"submit", "poll", "models", "file"}
    third = storm.fault("submit", 3)
    assert third is not None
    assert not third.before
    assert {mark.kind for _, mark in storm.tasks} == {"fails", "missing", "strange", "hangs"}
    assert Script(1, {}, ((When(at=frozenset({2})), Mark("hangs")),)).mark(2) == Mark("hangs")
