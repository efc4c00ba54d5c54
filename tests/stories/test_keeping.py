"""Between runs: pictures are lost, journals damaged, put back, pruned; nothing is paid twice."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.world import Gateway, World, at, gateway, jobs


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for all of these stories."""
    with gateway(tmp_path_factory.mktemp("gateway")) as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, server: Gateway) -> World:
    """A finished batch of four pictures."""
    world = World(tmp_path)
    world.write(jobs=jobs(4), **at(server))
    assert run(world, server).code == 0
    return world


def run(world: World, server: Gateway, *words: str):  # type: ignore[no-untyped-def]  # what `type` gives
    """Type a command that may need the key."""
    return world.type(*(words or ("run", "m.yaml", "--max-pictures", "4")), XENODIA_API_KEY=server.key)


def test_lost_pictures_are_fetched_again(world: World, server: Gateway) -> None:
    """One is deleted, one damaged inside: sizes find the first, reading both; repair brings both back for nothing."""
    paid, folder = len(server.paid()), world.batch().folder
    first, second, *_ = sorted(folder.glob("*.jpg"))
    first.unlink()
    damaged = bytearray(second.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    second.write_bytes(damaged)
    told = run(world, server, "verify", "m.yaml", "--json")
    assert (told.code, [each["flaw"] for each in json.loads(told.out)["damaged"]]) == (1, ["missing"])
    told = run(world, server, "verify", str(folder), "--read-data", "--json")
    assert (told.code, [each["flaw"] for each in json.loads(told.out)["damaged"]]) == (1, ["missing", "content"])
    told = run(world, server, "verify", "m.yaml", "--read-data", "--repair", "--json")
    assert (told.code, json.loads(told.out)["fetched"]) == (0, 2)
    assert len(world.batch().whole()) == 4
    assert (folder / ".batchgen/damaged" / f"2.{second.name}").read_bytes() == damaged
    assert len(server.paid()) == paid


def test_a_damaged_journal_is_refused_and_repaired(world: World, server: Gateway) -> None:
    """Every verb ends with 5; repair makes it whole, and the run that follows buys nothing."""
    paid, folder = len(server.paid()), world.batch().folder
    path = folder / ".batchgen/journal.db"
    connection = sqlite3.connect(path)
    connection.execute("UPDATE jobs SET kind = 'Planned', state = 'queued', head = 0 WHERE number = 2")
    connection.commit()
    connection.close()
    for words in (("verify", "m.yaml"), ("export", "m.yaml", "-o", "-")):
        assert run(world, server, *words).code == 5
    told = run(world, server, "verify", "m.yaml", "--repair")
    assert (told.code, "was damaged" in told.out) == (0, True)
    assert run(world, server).code == 0
    assert (len(server.paid()), world.batch().kinds()) == (paid, {"Stored": 4})


def test_an_old_copy_goes_on_with_doubts(world: World, server: Gateway) -> None:
    """It is refused; accepted, what may have been bought since is in doubt and not bought again."""
    path = world.batch().folder / ".batchgen/journal.db"
    world.write(jobs=jobs(6), **at(server))
    shutil.copy(path, world.root / "copy")
    assert run(world, server, "run", "m.yaml", "--max-pictures", "6").code == 0
    paid = len(server.paid())
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    shutil.copy(world.root / "copy", path)
    refused = run(world, server)
    assert (refused.code, "--accept-old-copy" in refused.text) == (5, True)
    assert run(world, server, "verify", "m.yaml", "--accept-old-copy").code == 0
    assert len(server.paid()) == paid


def test_two_journals_do_not_share_a_folder(world: World, server: Gateway) -> None:
    """The second is refused before it buys anything."""
    paid = len(server.paid())
    told = run(world, server, "run", "m.yaml", "--max-pictures", "4", "--journal", str(world.root / "other.db"))
    assert (told.code, "another journal" in told.text) == (5, True)
    assert len(server.paid()) == paid


def test_what_is_not_asked_for_is_pruned(world: World, server: Gateway) -> None:
    """It is listed, kept until told, removed once with its thumbnail; asked for again it is bought, nothing else is."""
    folder = world.batch().folder
    thumbs = folder / ".batchgen/thumbs"
    world.write(jobs=jobs(3), **at(server))
    assert run(world, server).code == 0
    listed = run(world, server, "prune", "m.yaml", "--json")
    [row] = [json.loads(line) for line in listed.out.splitlines()]
    assert (row["standing"], row["removed"], (folder / row["path"]).exists()) == ("gone", False, True)
    assert len(list(thumbs.rglob("*.jpg"))) == 4
    assert run(world, server, "prune", "m.yaml", "--delete").code == 0
    assert not (folder / row["path"]).exists()
    assert len(list(thumbs.rglob("*.jpg"))) == 3
    assert "0 pictures" in run(world, server, "prune", "m.yaml", "--delete").out
    assert run(world, server, "verify", "m.yaml").code == 0
    paid = len(server.paid())
    world.write(jobs=jobs(4), **at(server))
    (thumbs / "0123abcd.part").touch()  # as whoever was killed while writing one leaves it
    assert run(world, server).code == 0
    assert len(server.paid()) == paid + 1
    assert [each.suffix for each in thumbs.rglob("*") if each.is_file()] == [".jpg"] * 4


def test_the_doctor_says_what_is_wrong(world: World, server: Gateway) -> None:
    """All is well with a key; without one it says so with the code of a run; a key is never shown."""
    well = run(world, server, "doctor", "m.yaml", "--json")
    parts = {json.loads(line)["part"]: json.loads(line) for line in well.out.splitlines()}
    assert well.code == 0
    assert set(parts) == {"versions", "disk", "files", "journal", "network", "key", "provider", "clock"}
    assert server.key not in well.text
    assert world.type("doctor", "m.yaml").code == 2
    refused = world.type("doctor", "m.yaml", XENODIA_API_KEY="no-such-key")
    assert (refused.code, "no-such-key" in refused.text) == (4, False)
