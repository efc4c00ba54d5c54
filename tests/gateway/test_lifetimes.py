"""How long tokens, tasks and files live, and what goes when they are over."""

import os
from pathlib import Path

import anyio
import apsw
import httpx
import pytest

from batchgen.api import wire
from batchgen.gateway.records import Records
from batchgen.gateway.rules import Rules
from batchgen.gateway.state import open_state
from tests.gateway.house import ACCOUNTS, CREATE, PNG, Clock, House, Painter, house

pytestmark = pytest.mark.anyio

DAY = 86_400


def living(**seconds: float) -> Rules:
    return Rules(ACCOUNTS, **{f"{name}_ttl_seconds": each for name, each in seconds.items()})  # type: ignore[arg-type]


async def status_of(there: House, task_id: str) -> int:
    return (await there.client.get(wire.TASKS + task_id)).status_code


async def test_a_token_buys_again_after_its_time(tmp_path: Path) -> None:
    """A key is answered as before while it lives, buys once more after that, and then lives again."""
    async with house(tmp_path, rules=living(token=DAY)) as there:
        first = (await there.create(token="k")).json()["task_id"]
        there.clock.now += DAY - 1
        assert (await there.create(token="k")).json()["task_id"] == first
        there.clock.now += 1
        second = (await there.create(CREATE | {"prompt": "another"}, token="k")).json()["task_id"]
        assert second != first
        there.clock.now += DAY - 1
        assert (await there.create(CREATE | {"prompt": "another"}, token="k")).json()["task_id"] == second
        assert (await there.create(token="k")).status_code == 409
        assert len(there.paid()) == 2
        assert (await there.task(first))["task_id"] == first


async def test_an_expired_token_is_sold_once_to_many(tmp_path: Path) -> None:
    """Creates that come together with a key that is over buy one task."""
    async with house(tmp_path, rules=living(token=DAY)) as there:
        await there.create(token="k")
        there.clock.now += 2 * DAY
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(there.create, None, "k")
        assert len(there.paid()) == 2


async def test_a_task_is_known_for_its_time(tmp_path: Path) -> None:
    """After its lifetime an ended task is a 404; one that still runs is not."""
    painter = Painter()
    async with house(tmp_path, rules=living(task=DAY), painter=painter) as there:
        ended = await there.bought()
        painter.hold = anyio.Event()
        running = (await there.create()).json()["task_id"]
        there.clock.now += DAY - 1
        assert await status_of(there, ended["task_id"]) == 200
        there.clock.now += 1
        assert await status_of(there, ended["task_id"]) == 404
        assert await status_of(there, running) == 200


async def test_a_file_is_kept_for_its_time(tmp_path: Path) -> None:
    """After its lifetime a picture is a 404 even at a fresh address, while its task is still told."""
    async with house(tmp_path, rules=living(file=DAY)) as there:
        task_id = (await there.bought())["task_id"]
        there.clock.now += DAY - 1
        assert (await there.client.get(await address(there, task_id))).content == PNG
        there.clock.now += 1
        assert (await there.client.get(await address(there, task_id))).status_code == 404


async def test_addresses_live_as_long_as_the_rules_say(tmp_path: Path) -> None:
    """The lifetime of an address is that of the rules when it was given."""
    async with house(tmp_path, rules=living(url=5)) as there:
        url = await address(there, (await there.bought())["task_id"])
        there.clock.now += 5
        assert (await there.client.get(url)).status_code == 200
        there.clock.now += 1
        assert (await there.client.get(url)).status_code == 410


async def test_what_is_over_is_swept_away(tmp_path: Path) -> None:
    """Files and rows that are over leave the disk; money, sales and what still lives stay."""
    clock = Clock(1_000_000_000.0)
    rules = living(file=DAY, task=2 * DAY)
    async with house(tmp_path, rules=rules, clock=clock) as there:
        await with_reference(there)
        before = (await there.client.get(wire.BALANCE)).json()
        reference = next((tmp_path / "references").iterdir())
        os.utime(reference, (clock.now, clock.now))
    assert files(tmp_path) == (1, 1)
    clock.now += DAY
    async with swept(tmp_path, rules, clock) as there:
        fresh = await there.bought()
        assert files(tmp_path) == (1, 0)
    clock.now += DAY
    async with swept(tmp_path, rules, clock) as there:
        assert rows(tmp_path) == [fresh["task_id"]]
        assert len(there.paid()) == 2
        spent = before["balance_micro_usdc"] - (await there.client.get(wire.BALANCE)).json()["balance_micro_usdc"]
        assert spent == 134_000


async def test_a_reference_that_is_still_needed_stays(tmp_path: Path) -> None:
    """The files of a task that is not painted yet outlive their time."""
    clock = Clock(1_000_000_000.0)
    async with house(tmp_path, rules=living(file=DAY), clock=clock, painter=Painter(hold=anyio.Event())) as there:
        await with_reference(there, wait=False)
    os.utime(next((tmp_path / "references").iterdir()), (clock.now, clock.now))
    clock.now += 2 * DAY
    async with swept(tmp_path, living(file=DAY), clock, Painter(hold=anyio.Event())):
        assert files(tmp_path)[1] == 1


async def test_for_ever_is_for_ever(tmp_path: Path) -> None:
    """Without lifetimes nothing is swept away and everything is still there after years."""
    clock = Clock(1_000_000_000.0)
    async with house(tmp_path, clock=clock) as there:
        task_id = (await there.bought(token="k"))["task_id"]
    clock.now += 3000 * DAY
    async with swept(tmp_path, Rules(ACCOUNTS), clock) as there:
        assert (await there.client.get(await address(there, task_id))).content == PNG
        assert (await there.create(token="k")).json()["task_id"] == task_id


async def test_a_folder_of_an_older_gateway_is_taken_over(tmp_path: Path) -> None:
    """A folder whose tasks lack what came later is completed when it is opened, and its keys still count."""
    async with house(tmp_path) as there:
        task_id = (await there.bought(token="k"))["task_id"]
    connection = apsw.Connection(str(tmp_path / "gateway.db"))
    connection.execute("ALTER TABLE tasks DROP COLUMN payload_sha256; DROP TABLE removed; DROP INDEX ended")
    connection.close()
    async with house(tmp_path) as there:
        assert (await there.create(token="k")).json()["task_id"] == task_id
        assert (await there.create(CREATE | {"prompt": "another"}, token="k")).status_code == 409


async def test_a_form_with_another_boundary_is_the_same_payload(tmp_path: Path) -> None:
    """A key with the same payload in another form, order or boundary is answered as before; other files conflict."""
    async with house(tmp_path) as there:
        data = {"prompt": "x", "model": "nano-banana-pro"}
        answers = [
            await there.client.post(
                wire.GENERATIONS, data=fields, files=[("image[]", (name, PNG))], headers={"Idempotency-Key": "k"}
            )
            for fields, name in ((data, "a.png"), (dict(reversed(data.items())), "b.png"))
        ]
        assert len({answer.json()["task_id"] for answer in answers}) == 1
        other = await there.client.post(
            wire.GENERATIONS, data=data, files=[("image[]", ("a.png", PNG + b"\0"))], headers={"Idempotency-Key": "k"}
        )
        assert other.status_code == 409
        assert len(there.paid()) == 1


def test_what_was_removed_stays_spent(tmp_path: Path) -> None:
    """Removed tasks add up by owner, whenever they are removed."""
    from batchgen.gateway.task import Ended, Remove
    from tests.gateway.test_state import task

    state = open_state(str(tmp_path), wait_seconds=0)
    for number in range(4):
        each = task(number)
        state.writing.write([each, Ended(each.id, float(number), sha256=None if number == 3 else "ff")])
    spent = state.reading.spent()
    for until in (0.0, 1.0, 1.0, 9.0):
        state.writing.write([Remove(until)])
        assert state.reading.spent() == spent
    assert state.reading.count() == 0
    state.close()


async def address(there: House, task_id: str) -> str:
    return str((await there.task(task_id))["result"]["data"][0]["url"])


async def with_reference(there: House, *, wait: bool = True) -> httpx.Response:
    data = {"model": "nano-banana-pro", "prompt": "x"}
    answer = await there.multipart(data, [("image[]", ("a.png", PNG))])
    if wait:
        await there.ended(answer.json()["task_id"])
    return answer


def swept(folder: Path, rules: Rules, clock: Clock, painter: Painter | None = None) -> "Swept":
    return Swept(folder, rules, clock, painter)


class Swept:
    """A gateway that has swept once, as it does when it begins."""

    def __init__(self, folder: Path, rules: Rules, clock: Clock, painter: Painter | None) -> None:
        self.folder = folder
        self.house = house(folder, rules=rules, clock=clock, painter=painter)

    async def __aenter__(self) -> House:
        there = await self.house.__aenter__()
        await there.client.get("/healthz")
        await anyio.sleep(0.05)
        return there

    async def __aexit__(self, *exc_info: object) -> None:
        await self.house.__aexit__(None, None, None)


def files(folder: Path) -> tuple[int, int]:
    return len(list((folder / "pictures").iterdir())), len(list((folder / "references").iterdir()))


def rows(folder: Path) -> list[str]:
    records = Records(str(folder / "gateway.db"))
    try:
        return [task.id for task in records.all()]
    finally:
        records.close()
