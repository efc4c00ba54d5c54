"""Hundreds of SIGKILLs over one batch: nothing is lost, nothing corrupt, and every extra payment is listed."""

import collections
import hashlib
import json
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batchgen.manifest import schema
from tests.stories.warm import Starter, quick_gateway, wait_for, warm
from tests.stories.world import Gateway, World, at, jobs

KILLS = [
    pytest.param(20, id="20 kills", marks=[pytest.mark.timeout(900)]),
    pytest.param(500, id="500 kills", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
]


PRICE_USD = 0.134
"""What the gateway takes for one of these pictures."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path / "world")


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    """Somebody who types quickly."""
    with warm(tmp_path / "warm") as found:
        yield found


def manifest(server: Gateway, count: int, **profile: Any) -> dict[str, Any]:
    """So many small jobs at this gateway."""
    return {"jobs": jobs(count), "output": {"check": "structure"}, **at(server, **profile)}


def killed(starter: Starter, server: Gateway, world: World, kills: int, write: Callable[[int], object]) -> int:
    """Run the batch and kill it after some more payments until it was killed so often; the number of its jobs then.

    A run that came to its end before it was killed found too little to do: the batch grows.
    """
    chance, struck, count = random.Random(kills), 0, 4 * kills
    write(count)
    while struck < kills:
        run = starter.start(world, "run", "m.yaml", XENODIA_API_KEY=server.key)
        goal = payments(server) + chance.randint(1, 4)
        wait_for(lambda: payments(server) >= goal or not run.running())  # noqa: B023  # called in this turn only
        wait_for(lambda: False, chance.random() / 100)
        run.send(signal.SIGKILL)
        done = run.ended()
        if done.code == -signal.SIGKILL:
            struck += 1
        else:
            assert done.code in {0, 3}, done.text
            count += kills
            write(count)
    return count


def payments(server: Gateway) -> int:
    """How many pictures were paid for."""
    ledger = server.state / "paid.jsonl"
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def by_prompt(world: World, server: Gateway) -> dict[str, list[str]]:
    """The tasks that were paid for, by job id."""
    asked = json.loads((world.root / "m.yaml").read_text())["jobs"]
    names = {hashlib.sha256(job["prompt"].encode()).hexdigest(): job["id"] for job in asked}
    found = collections.defaultdict(list)
    for line in server.paid():
        found[names[line["prompt_sha256"]]].append(line["task_id"])
    return found


@pytest.mark.parametrize("kills", KILLS)
def test_killed_where_tokens_are_honoured(kills: int, world: World, starter: Starter, tmp_path: Path) -> None:
    """With tokens honoured: all stored and whole, none paid twice, nothing left behind."""
    with quick_gateway(tmp_path / "gw", "replay") as server:
        count = killed(
            starter, server, world, kills, lambda n: world.write(**manifest(server, n, idempotency="replay"))
        )
        assert starter.type(world, "run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        batch = world.batch()
        assert len(batch.whole()) == count
        assert batch.strays() == []
        assert sorted(map(len, by_prompt(world, server).values())) == [1] * count


@pytest.mark.parametrize("kills", KILLS)
def test_killed_where_nothing_is_promised(kills: int, world: World, starter: Starter, tmp_path: Path) -> None:
    """Without tokens none is paid twice; every doubt is listed, and a person resolves them all."""
    with quick_gateway(tmp_path / "gw", "none") as server:
        count = killed(starter, server, world, kills, lambda n: world.write(**manifest(server, n)))
        assert starter.type(world, "run", "m.yaml", XENODIA_API_KEY=server.key).code in {0, 3}
        batch, paid = world.batch(), by_prompt(world, server)
        assert all(len(tasks) == 1 for tasks in paid.values())
        assert batch.kinds().total() == count
        assert batch.kinds().keys() <= {"Stored", "InDoubt"}
        assert batch.strays() == []
        doubts = [
            json.loads(line)["id"] for line in starter.type(world, "resolve", "m.yaml", "--json").out.splitlines()
        ]
        assert doubts == [name for name, (kind, _) in batch.heads().items() if kind == "InDoubt"]
        assert doubts, "none of the kills met a payment"
        resent = resolved(starter, world, server, doubts, paid)
        code = starter.type(world, "run", "m.yaml", XENODIA_API_KEY=server.key).code
        dropped = [name for name, (kind, _) in batch.heads().items() if kind == "JobFailed"]
        assert code == 0 or dropped
        assert len(batch.whole()) == count - len(dropped)
        assert {name for name, tasks in by_prompt(world, server).items() if len(tasks) > 1} <= set(resent)


@pytest.mark.skipif(not hasattr(schema, "ResendTable"), reason="the manifest has no `resend_up_to_usd` yet")
@pytest.mark.parametrize("kills", KILLS)
def test_killed_where_sending_again_is_allowed(kills: int, world: World, starter: Starter, tmp_path: Path) -> None:
    """What is sent again is listed and within its sum; nobody is paid more often than that, and the rest waits."""
    with quick_gateway(tmp_path / "gw", "none") as server:
        batch, key = world.batch(), {"XENODIA_API_KEY": server.key}
        count = killed(starter, server, world, kills, lambda n: again_up_to(world, server, n, kills * 40))
        allowed = sum(batch.resent().values())
        again_up_to(world, server, count, allowed)
        assert starter.type(world, "run", "m.yaml", **key).code in {0, 3, 4}
        assert sum(batch.resent().values()) == allowed
        world.write(**manifest(server, count))
        assert starter.type(world, "run", "m.yaml", **key).code in {0, 3}
        resent = batch.resent()
        assert 0 < sum(resent.values()) == allowed
        assert all(len(tasks) <= 1 + resent[name] for name, tasks in by_prompt(world, server).items())
        assert batch.kinds().keys() <= {"Stored", "InDoubt"}
        assert len(batch.whole()) == batch.kinds()["Stored"] == count - batch.kinds()["InDoubt"]
        status = json.loads(starter.type(world, "status", "m.yaml", "--json").out)
        doubts = sum(resent.values()) + batch.kinds()["InDoubt"]
        assert status["in_doubt_usd"] == pytest.approx(doubts * PRICE_USD)


def again_up_to(world: World, server: Gateway, count: int, times: int) -> None:
    """Allow so many pictures to be paid twice."""
    policy = {"attempts": 9, "in_doubt": {"resend_up_to_usd": round(times * PRICE_USD, 3)}}
    world.write(failures=policy, **manifest(server, count))


def resolved(
    starter: Starter, world: World, server: Gateway, doubts: list[str], paid: dict[str, list[str]]
) -> list[str]:
    """Decide about every doubt: paid where the ledger knows the task, else dropped or sent again; those sent again."""
    key = {"XENODIA_API_KEY": server.key}
    known = [name for name in doubts if name in paid]
    for name in known[: len(known) // 2]:
        assert starter.type(world, "resolve", "m.yaml", "--paid", paid[name][0], name, **key).code == 0
    rest = [name for name in doubts if name not in known[: len(known) // 2]]
    again, dropped = rest[::2], rest[1::2]
    if again:
        assert starter.type(world, "resolve", "m.yaml", "--resend", *again, **key).code == 0
    if dropped:
        assert starter.type(world, "resolve", "m.yaml", "--drop", *dropped, **key).code == 0
    return again
