"""What may be paid twice, and what waits for a person when that is used up."""

import json
from pathlib import Path

import pytest

from tests.stories.world import World, at, gateway, jobs

PRICE_USD = 0.134


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path / "world")


def test_a_doubt_is_only_held_when_the_allowance_is_used_up(world: World, tmp_path: Path) -> None:
    """Of four doubts two are sent again, as is allowed; the others are held and listed, however often it is run."""
    faults = tmp_path / "faults.yaml"
    cuts = ", ".join(f"{{at: {number}, after: cut}}" for number in range(1, 5))
    faults.write_text(f"faults: 1\nsubmit: [{cuts}]\n")
    with gateway(tmp_path / "gw", "--faults", str(faults)) as server:
        allowance = {"resend_up_to_usd": round(2.5 * PRICE_USD, 3)}
        world.write(jobs=jobs(4), failures={"attempts": 9, "in_doubt": allowance}, **at(server))
        for _ in range(3):
            assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 3
            assert world.batch().kinds() == {"Stored": 2, "InDoubt": 2}
            assert sum(world.batch().resent().values()) == 2
            assert len(server.paid()) == 6
        status = json.loads(world.type("status", "m.yaml", "--json").out)
        assert status["in_doubt_usd"] == pytest.approx(4 * PRICE_USD)
        listed = world.type("resolve", "m.yaml", "--json").out.splitlines()
        assert len(listed) == 2
