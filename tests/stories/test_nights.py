"""A batch that is run every night: its exit codes are the documented ones, and never turn green by themselves."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.stories.test_people import CATALOGUE
from tests.stories.world import Done, World, jobs
from tests.wire_server import Close, Read, Script, WireServer, json_reply, reply, task
from tests.worker.rig import png

pytestmark = pytest.mark.anyio

REFUSED = 12


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


AWAY = "http://127.0.0.1:1"
"""Nobody is there."""


def catalogue_of(world: World, origin: str, names: list[str]) -> None:
    """The night's manifest: these jobs, one at a time."""
    wanted = [{**job, "id": name} for name, job in zip(names, jobs(len(names)), strict=True)]
    limits = {"rate": "none", "in_flight": 1, "expert": {"polls_per_second": 100}}
    world.write(jobs=wanted, provider={"base_url": origin, "api_key": "env:KEY"}, limits=limits)


def bought(server: WireServer, name: str) -> tuple[Script, ...]:
    """A task that is taken, ready at once, and fetched."""
    offer = task("success", name, result={"data": [{"url": f"{server.origin}/{name}.png"}]})
    return (json_reply(task(task_id=name), 202), json_reply(offer), reply(200, png()))


def no(number: int) -> Script:
    """A refusal for good, each with words of its own."""
    return json_reply({"error": {"code": "content_policy_violation", "message": f"no {number}"}}, 400)


async def test_twelve_refusals_over_seven_nights(world: World) -> None:
    """Seven nights end 4, 1, 1, 3, 75, 1, 0: no funds, refused, still refused, in doubt, away, refused, dropped."""
    codes: list[int] = []
    refused = [f"bad{n:02}" for n in range(REFUSED)]

    async def night(*names: str, away: bool = False) -> Done:
        catalogue_of(world, AWAY if away else server.origin, [*refused, *names])
        done = await anyio.to_thread.run_sync(lambda: world.type("run", "m.yaml", KEY="k" * 20))
        codes.append(done.code)
        assert f"exit {done.code}" in done.text or done.code == 0
        return done

    def posts() -> int:
        return sum(each.method == "POST" for each in server.requests)

    async def decided(*words: Any) -> None:
        done = await anyio.to_thread.run_sync(lambda: world.type("resolve", "m.yaml", *words, KEY="k" * 20))
        assert done.code == 0, done.text

    async with WireServer() as server:
        server.then(CATALOGUE, json_reply({"error": "payment_required", "message": "top up"}, 402))
        await night("one")
        server.then(CATALOGUE, *[no(n) for n in range(REFUSED)], *bought(server, "one"))
        await night("one")
        sent = posts()
        server.then(CATALOGUE)
        await night("one")
        assert posts() == sent, "a night with nothing new buys nothing"
        server.scripts.clear()
        server.then(CATALOGUE, (Read(), Close()))
        await night("one", "two")
        await decided("--drop", "two", "--not-billed")
        await night("one", "two", "three", away=True)
        server.then(CATALOGUE, *bought(server, "three"))
        await night("one", "two", "three")
        await decided("--drop", "bad*")
        sent = posts()
        await night("one", "two", "three")
    assert codes == [4, 1, 1, 3, 75, 1, 0]
    assert posts() == sent
    report = json.loads((world.batch().folder / "report.json").read_text())
    assert (report["counts"]["stored"], report["counts"]["dropped"]) == (2, REFUSED + 1)
