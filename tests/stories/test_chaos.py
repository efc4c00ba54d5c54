"""A bad night: the road to the provider breaks in every way, and all pictures come home, paid once, without hurry.

The long programme, about half an hour: `python -m pytest -n 0 -m slow tests/stories/test_chaos.py -s`.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos import RATES, Call, Chaos
from tests.stories.world import World, ended, gateway, jobs

AMPLIFICATION = 1.35
SLOWNESS = 3


@dataclass(frozen=True)
class Night:
    """What a night came to: times in seconds, `calls` per job beyond honest waiting."""

    seconds: float
    calls: float
    runs: list[int]
    chaos: Chaos


def through(root: Path, count: int, seed: int, rates: Mapping[Call, Mapping[str, float]]) -> Night:
    """One batch through a road of these faults, the same command until it ends well; all is judged but the time."""
    world = World(root)
    codes: list[int] = []
    with gateway(root / "gw", "--idempotency", "replay") as server, Chaos(server.url, seed, rates).serving() as chaos:
        profile = {"idempotency": "replay", "url_ttl": "10m"}
        limits = {"rate": "none", "in_flight": 64, "expert": {"polls_per_second": 100, "downloads": 8}}
        provider = {"base_url": chaos.origin, "profile": profile}
        world.write(jobs=jobs(count), provider=provider, limits=limits)
        began = time.monotonic()
        while not codes or codes[-1] == 75:
            done = ended(world.start("run", "m.yaml", XENODIA_API_KEY=server.key), patience=3600)
            codes.append(done.code)
            assert len(codes) < 9, done.text
        seconds = time.monotonic() - began
        assert codes[-1] == 0, done.text
        assert chaos.tally.early == []
        assert len(world.batch().whole()) == count
        tokens = Counter(paid["token"] for paid in server.paid())
        assert (len(tokens), set(tokens.values())) == (count, {1})
    asked = chaos.tally.requests.total() - chaos.tally.not_yet
    return Night(seconds, asked / (3 * count), codes, chaos)


def test_a_small_bad_night(tmp_path: Path) -> None:
    """100 jobs over a road that faults 30 of 100: all stored, each paid once, nobody early, few calls wasted."""
    often = {**RATES["submit"], "429 for all": 0.06}  # of a hundred submits one is then certain to meet it
    night = through(tmp_path, 100, 7, {**RATES, "submit": often})
    assert night.chaos.tally.faults.total() >= 20
    assert night.chaos.tally.faults["submit: 429 for all"] >= 1
    assert night.calls <= AMPLIFICATION, night.chaos.tally


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_bad_night(tmp_path: Path) -> None:
    """5,000 jobs likewise, and in at most three times the time that a clean road takes."""
    clean = through(tmp_path / "clean", 5000, 1, {})
    night = through(tmp_path / "night", 5000, 1, RATES)
    told = {
        "clean seconds": round(clean.seconds),
        "seconds": round(night.seconds),
        "calls where one was needed": round(night.calls, 3),
        "runs": night.runs,
        "requests": night.chaos.tally.requests,
        "faults": night.chaos.tally.faults,
    }
    print(json.dumps(told, indent=1))  # noqa: T201  # the figures of this programme
    assert night.calls <= AMPLIFICATION
    assert night.seconds <= SLOWNESS * clean.seconds
