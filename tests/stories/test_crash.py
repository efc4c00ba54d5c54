"""Crashes: whatever kills a run, the same command goes on, nothing is lost, and nothing is paid twice unnamed."""

import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.stories.world import Batch, Gateway, World, at, ended, gateway, jobs

COUNT = 40
KILLS = 6


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


def accepted(server: Gateway) -> int:
    """How many tasks have been paid for."""
    return len(server.paid())


def killed_again_and_again(world: World, server: Gateway, kills: int) -> None:
    """Start the batch, kill it when some more tasks were paid for, and again; then let it end."""
    chance = random.Random(kills)
    for _ in range(kills):
        goal = accepted(server) + chance.randint(1, COUNT // kills)
        run = world.start("run", "m.yaml", XENODIA_API_KEY=server.key)
        deadline = time.monotonic() + 20
        while run.poll() is None and accepted(server) < goal and time.monotonic() < deadline:
            time.sleep(chance.random() / 50)
        run.send_signal(signal.SIGKILL)
        run.communicate()


def test_edge_22_killed_where_tokens_are_honoured(world: World, tmp_path: Path) -> None:
    """Killed six times at random with tokens honoured: all stored and whole, no stray part, each job paid once."""
    with gateway(tmp_path / "gw", "--idempotency", "replay") as server:
        world.write(jobs=jobs(COUNT), **at(server, idempotency="replay"))
        killed_again_and_again(world, server, KILLS)
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        batch = world.batch()
        assert len(batch.whole()) == COUNT
        assert batch.strays() == []
        assert len(server.paid()) == COUNT
        assert all(len(tasks) == 1 for tasks in batch.tasks().values())


def test_edge_22_killed_where_nothing_is_promised(world: World, tmp_path: Path) -> None:
    """Killed six times with no promise about tokens: every job is stored or in doubt, and none has two tasks."""
    with gateway(tmp_path / "gw", "--idempotency", "none") as server:
        world.write(jobs=jobs(COUNT), **at(server))
        killed_again_and_again(world, server, KILLS)
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code in {0, 3}
        batch = world.batch()
        assert batch.kinds().keys() <= {"Stored", "InDoubt"}
        assert batch.kinds().total() == COUNT
        assert len(batch.whole()) == batch.kinds()["Stored"]
        assert batch.strays() == []
        assert all(len(tasks) == 1 for tasks in batch.tasks().values())
        orphans = {paid["task_id"] for paid in server.paid()} - set().union(*batch.tasks().values())
        assert len(orphans) <= batch.kinds()["InDoubt"]


def test_a_rehearsal_finds_its_tasks_again(world: World) -> None:
    """`provider: local` killed in the middle: its gateway is gone at once, and the next run finds every task."""
    world.write(provider="local", jobs=jobs(12), limits={"in_flight": 6})
    batch = world.batch("story.local")
    for _ in range(2):
        run = world.start("run", "m.yaml")
        family = wait_for_tasks(batch, run)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
    done = world.type("run", "m.yaml")
    assert done.code == 0, done.text
    assert len(batch.whole()) == 12
    ledger = (batch.folder / ".batchgen/gateway/paid.jsonl").read_text().splitlines()
    assert len(ledger) == 12


def wait_for_tasks(batch: Batch, run: subprocess.Popen[str]) -> list[psutil.Process]:
    """Wait until a run has bought something more; returns its children and theirs."""
    ledger = batch.folder / ".batchgen/gateway/paid.jsonl"
    before = ledger.stat().st_size if ledger.exists() else 0
    deadline = time.monotonic() + 20
    while run.poll() is None and (not ledger.exists() or ledger.stat().st_size == before):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return psutil.Process(run.pid).children(recursive=True) if run.poll() is None else []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_edge_30_signals_leave_a_journal_that_resumes(
    number: signal.Signals, code: int, world: World, tmp_path: Path
) -> None:
    """A signal ends the run within its grace with its own code; nothing is in doubt, and the rest resumes."""
    with gateway(tmp_path / "gw", "--pace", "2") as server:
        world.write(jobs=jobs(20), **at(server))
        run = world.start("run", "m.yaml", "--grace", "10s", XENODIA_API_KEY=server.key)
        deadline = time.monotonic() + 20
        while accepted(server) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        began = time.monotonic()
        run.send_signal(number)
        done = ended(run)
        assert time.monotonic() - began < 10
        assert done.code == code
        assert "safe to run again: yes" in done.text
        assert f"exit {code}" in done.text
        batch = world.batch()
        assert batch.kinds()["Started"] == batch.kinds()["InDoubt"] == 0
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        assert len(server.paid()) == 20


def test_edge_25_two_runs_of_one_batch(world: World, tmp_path: Path) -> None:
    """Of two runs of one batch the second ends with 75 and says who holds it; nothing is bought twice."""
    with gateway(tmp_path / "gw", "--pace", "3") as server:
        world.write(jobs=jobs(8), **at(server))
        first = world.start("run", "m.yaml", XENODIA_API_KEY=server.key)
        deadline = time.monotonic() + 20
        while accepted(server) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        second = world.type("run", "m.yaml", XENODIA_API_KEY=server.key)
        assert second.code == 75
        assert f"process {first.pid}" in second.text
        assert ended(first).code == 0
        assert len(server.paid()) == 8


def test_edge_25_the_same_prompt_twice(world: World, tmp_path: Path) -> None:
    """Two jobs with the same request are two pictures; ids that fall together on some file system are refused."""
    with gateway(tmp_path / "gw") as server:
        twins = [{"id": name, "model": "gpt-image-2", "prompt": "the same"} for name in ("a", "b")]
        world.write(jobs=twins, **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        assert len(world.batch().whole()) == len(server.paid()) == 2
        world.write(jobs=[{**twins[0], "id": "A"}, twins[0]], **at(server))
        done = world.type("plan", "m.yaml", XENODIA_API_KEY=server.key)
        assert done.code == 2
