"""A bad night: everything goes wrong that `--faults storm` knows, and in the end everything is there, paid for once.

The long form plays 1,000 jobs in a few minutes: `python -m pytest -n 0 -m slow tests/stories/test_storm.py`.
"""

import collections
import json
from pathlib import Path

import pytest

from tests.stories import world
from tests.stories.world import Gateway, World, at, ended, gateway, jobs

RUNS = 8


def failed_on_purpose(server: Gateway) -> set[str]:
    """The tasks that were made to fail: sold, and given back."""
    lines = [json.loads(line) for line in (server.state / "faults.jsonl").read_text().splitlines()]
    return {line["task_id"] for line in lines if line.get("task") == "fails"}


def faults_played(server: Gateway) -> collections.Counter[str]:
    """How many faults struck each route, and the tasks."""
    lines = [json.loads(line) for line in (server.state / "faults.jsonl").read_text().splitlines()]
    return collections.Counter(line.get("route", "task") for line in lines if "number" in line)


def weathered(place: World, state: Path, count: int) -> Gateway:
    """A batch that is run until it is done; every run but the last may only say "again"."""
    with gateway(state, "--faults", "storm", "--painter", "none", "--pace", "0.3") as server:
        place.write(jobs=jobs(count), **at(server, idempotency="replay", failed_is_free=True))
        codes = []
        for _ in range(RUNS):
            done = ended(place.start("run", "m.yaml", XENODIA_API_KEY=server.key))
            codes.append(done.code)
            assert done.code in {0, 75}, done.text
            if done.code == 0:
                break
        assert codes[-1] == 0
        return server


def judge(place: World, server: Gateway, count: int) -> None:
    """Everything is stored and whole, and the gateway's own ledger knows one payment for each."""
    batch = place.batch()
    assert batch.kinds() == {"Stored": count}
    assert len(batch.whole()) == count
    assert batch.strays() == []
    kept = collections.Counter(
        paid["prompt_sha256"] for paid in server.paid() if paid["task_id"] not in failed_on_purpose(server)
    )
    assert len(kept) == count
    assert set(kept.values()) == {1}


def test_a_small_storm(tmp_path: Path) -> None:
    """Sixty jobs in the storm end stored and whole, each paid for once, though faults struck every route."""
    place = World(tmp_path)
    server = weathered(place, tmp_path / "gw", 60)
    judge(place, server, 60)
    assert faults_played(server).keys() >= {"submit", "poll", "file"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_long_storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand jobs in the storm end stored and whole, each paid for once."""
    monkeypatch.setattr(world, "PATIENCE", 900)
    place = World(tmp_path)
    server = weathered(place, tmp_path / "gw", 1000)
    judge(place, server, 1000)
    assert faults_played(server).total() > 200
