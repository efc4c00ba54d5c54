"""A batch whose journal lies in PostgreSQL, from the first run to the last reader."""

import os
from pathlib import Path

import pytest

from tests.postgres import drop, missing, server, url
from tests.stories.world import World

if missing() and not os.environ.get("CI"):
    pytest.skip(missing(), allow_module_level=True)

import psycopg

JOBS = [{"id": f"job-{number}", "prompt": f"picture {number}", "model": "nano-banana-pro"} for number in range(5)]


HOLDER = 'UPDATE "batchgen_story.local".holder SET '


def test_a_batch_lives_in_a_database(tmp_path: Path) -> None:
    """Every reader finds it, another machine's run is named, and once that one is dead the next goes on."""
    with server() as conninfo, psycopg.connect(conninfo, autocommit=True) as by_hand:
        drop(conninfo, "batchgen_story.local")
        world = World(tmp_path)
        keys = {"provider": "local", "journal": url(conninfo)}
        manifest = str(world.write(**keys, jobs=JOBS[:2]))
        first = world.type("run", manifest)
        assert first.code == 0, first
        manifest = str(world.write(**keys, jobs=JOBS))
        by_hand.execute(HOLDER + "held = true, pid = 4711, host = 'elsewhere', beat = clock_timestamp(), lease = 3600")
        held = world.type("run", manifest)
        assert (held.code, "process 4711" in held.text, "on elsewhere" in held.text) == (75, True, True), held
        by_hand.execute(HOLDER + "beat = clock_timestamp() - interval '2 hours'")
        again = world.type("run", manifest)
        assert again.code == 0, again
        assert not (tmp_path / "outputs/story.local/.batchgen/journal.db").exists()
        for words in (["status", manifest], ["verify", manifest], ["status", "outputs/story.local"]):
            told = world.type(*words)
            assert (told.code, "5 of 5" in told.text) == (0, True), told
        drop(conninfo, "batchgen_story.local")
