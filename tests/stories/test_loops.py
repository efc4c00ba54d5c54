"""The event loop that a command runs on."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.stories.world import World, at, gateway, jobs


@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
def test_a_batch_is_bought_on_uvloop(tmp_path: Path) -> None:
    """Where uvloop is installed a batch over HTTP is bought on it, once; plans have no use for it."""
    world = World(tmp_path)
    with gateway(tmp_path / "gateway") as server:
        world.write(**at(server), jobs=jobs(12))
        planned = world.type("plan", "m.yaml", XENODIA_API_KEY=server.key, PYTHONPROFILEIMPORTTIME="1")
        done = world.type("run", "m.yaml", XENODIA_API_KEY=server.key, PYTHONPROFILEIMPORTTIME="1")
        again = world.type("run", "m.yaml", XENODIA_API_KEY=server.key)
        assert len(server.paid()) == 12
    assert (planned.code, done.code, again.code) == (0, 0, 0), planned.text + done.text + again.text
    assert ("| uvloop" in done.err, "uvloop" in planned.err) == (True, False)
    assert len(world.batch().whole()) == 12
