"""Signals at any time, and two runs at once: the run ends within its grace, and nothing is bought twice."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.warm import Command, Starter, quick_gateway, wait_for, warm
from tests.stories.world import Gateway, World, at, jobs

GRACE_SECONDS = 5
TIMES = [
    pytest.param(10, id="10 signals"),
    pytest.param(200, id="200 signals", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
]
STARTS = [
    pytest.param(20, id="20 starts"),
    pytest.param(1000, id="1000 starts", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
]
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 143}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path / "world")


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    """Somebody who types quickly."""
    with warm(tmp_path / "warm") as found:
        yield found


@pytest.mark.parametrize("times", TIMES)
def test_signals_at_any_time(times: int, world: World, starter: Starter, tmp_path: Path) -> None:
    """Whenever a signal comes, once or twice, the run ends in its grace; nothing is in doubt, nothing bought twice."""
    chance = random.Random(times)
    with quick_gateway(tmp_path / "gw", "none") as server:
        world.write(jobs=jobs(6 * times), output={"check": "structure"}, **at(server))
        key = {"XENODIA_API_KEY": server.key}
        for _ in range(times):
            run = starter.start(world, "run", "m.yaml", "--grace", f"{GRACE_SECONDS}s", **key)
            wait_for(lambda: False, chance.random() / 4)
            number = chance.choice(list(CODES))
            run.send(number)
            began = time.monotonic()
            if number == signal.SIGINT and chance.random() < 0.5:
                wait_for(lambda: False, chance.random() / 50)
                run.send(number)
            done = run.ended()
            assert time.monotonic() - began < GRACE_SECONDS
            assert done.code in {0, 3, CODES[number], -number}, done.text  # minus: it had not begun to listen
        assert starter.type(world, "run", "m.yaml", **key).code in {0, 3}
        kinds = world.batch().kinds()
        assert kinds.total() == 6 * times
        assert kinds.keys() <= {"Stored", "InDoubt"}
        assert kinds["Stored"] == len(world.batch().whole())
        assert len(server.paid()) == len({line["prompt_sha256"] for line in server.paid()})


def test_a_signal_while_nobody_answers(world: World, starter: Starter, tmp_path: Path) -> None:
    """While it waits to try again, a run ends within its grace too; afterwards it goes on with another server."""
    with quick_gateway(tmp_path / "gw", "replay") as server:
        world.write(jobs=jobs(120), output={"check": "structure"}, **at(server, idempotency="replay"))
        run = starter.start(world, "run", "m.yaml", "--grace", f"{GRACE_SECONDS}s", XENODIA_API_KEY=server.key)
        wait_for(lambda: len(server.paid()) > 5)
        server.process.kill()
        wait_for(lambda: False, 0.5)
        run.send(signal.SIGTERM)
        began = time.monotonic()
        done = run.ended()
        assert time.monotonic() - began < GRACE_SECONDS
        assert done.code == 143, done.text
    with quick_gateway(tmp_path / "gw", "replay") as server:
        world.write(jobs=jobs(120), output={"check": "structure"}, **at(server, idempotency="replay"))
        assert starter.type(world, "run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        assert len(world.batch().whole()) == len(server.paid()) == 120


@pytest.mark.parametrize("starts", STARTS)
def test_two_runs_at_once(starts: int, world: World, starter: Starter, tmp_path: Path) -> None:
    """However two runs meet, one does the work, the other says who holds the batch, and each picture is paid once."""
    chance, held = random.Random(starts), 0
    with quick_gateway(tmp_path / "gw", "none") as server:
        for begin in range(0, starts, 10):
            worlds = [World(world.root / str(number)) for number in range(begin, begin + 10)]
            pairs = [pair(starter, here, server, chance) for here in worlds]
            for first, second in pairs:
                done = [first.ended(), second.ended()]
                assert {each.code for each in done} <= {0, 75}, [each.text for each in done]
                assert 0 in {each.code for each in done}
                for loser, winner in ((done[0], second), (done[1], first)):
                    if loser.code == 75:
                        held += 1
                        assert f"process {winner.pid}" in loser.text
        assert len(server.paid()) == 3 * starts
        assert len({line["prompt_sha256"] for line in server.paid()}) == 3 * starts
    assert held > 0


def pair(starter: Starter, here: World, server: Gateway, chance: random.Random) -> tuple[Command, Command]:
    """Two runs of one fresh batch, the second a moment after the first."""
    batch = [{**job, "prompt": f"{job['prompt']} of {here.root.name}"} for job in jobs(3)]
    here.write(jobs=batch, output={"check": "structure"}, **at(server))
    first = starter.start(here, "run", "m.yaml", XENODIA_API_KEY=server.key)
    wait_for(lambda: False, chance.random() / 20)
    return first, starter.start(here, "run", "m.yaml", XENODIA_API_KEY=server.key)
