"""Pictures that tell what they are, over a batch's whole life: killed, done again, renamed, verified, pruned."""

import hashlib
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.stories.warm import quick_gateway, wait_for, warm
from tests.stories.world import Gateway, World, at, gateway, jobs

pytestmark = pytest.mark.timeout(600)  # a dozen commands, each of which a busy machine may take long to start

LABELS = {"embed": True, "sidecar": "json"}
PROMPT = "赤い靴 <&> \u202e حذاء\n'line' \x1b[31mtwo"


def beside(picture: Path) -> dict[str, Any]:
    """What the sidecar of a picture says."""
    found: dict[str, Any] = json.loads(picture.with_name(picture.name + ".json").read_text())
    return found


def sha256(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(world: World, server: Gateway, *words: str) -> None:
    """Run the batch to its end."""
    done = world.type("run", "m.yaml", "--max-pictures", "9", *words, XENODIA_API_KEY=server.key)
    assert done.code == 0, done.text


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """A gateway."""
    with gateway(tmp_path / "gw") as server:
        yield server


def test_a_whole_life(tmp_path: Path, server: Gateway) -> None:
    """A picture's words go where it goes: done again, renamed, kept beside, repaired, and in the end pruned."""
    world = World(tmp_path / "w")
    (first,) = jobs(1, prompt=PROMPT)
    world.write(jobs=[first], output=LABELS, **at(server))
    run(world, server)
    folder = world.batch().folder
    picture = folder / "job000.jpg"
    told = beside(picture)
    (task,) = server.paid()
    assert (told["prompt"], told["id"], told["task_id"], told["batch"]) == (PROMPT, "job000", task["task_id"], "story")
    assert (told["sha256"], told["attempt"]) == (sha256(picture), 1)
    assert told["sha256"] != told["sha256_received"]
    with Image.open(picture) as image:
        assert b"dc:description" in image.info["xmp"]
    assert server.key.encode() not in picture.read_bytes() + (folder / "job000.jpg.json").read_bytes()

    run(world, server, "--redo", "job000")
    assert beside(folder / "job000.was-1.jpg")["sha256"] == told["sha256"] == sha256(folder / "job000.was-1.jpg")
    assert beside(picture)["attempt"] == 2
    _explained(world, folder, tmp_path)

    world.write(jobs=[{**first, "id": "new/name"}], output=LABELS, **at(server))
    run(world, server)
    moved = folder / "new/name.jpg"
    assert beside(moved)["sha256"] == sha256(moved)
    assert not picture.exists()
    assert not picture.with_name("job000.jpg.json").exists()

    sidecar = moved.with_name("name.jpg.json")
    sidecar.write_text(sidecar.read_text().replace(sha256(moved), "0" * 64))
    damaged = world.type("verify", "m.yaml", "--json")
    assert (damaged.code, [each["flaw"] for each in json.loads(damaged.out)["damaged"]]) == (1, ["sidecar"])
    assert world.type("verify", "m.yaml", "--repair", XENODIA_API_KEY=server.key).code == 0
    assert (beside(moved)["sha256"], beside(moved)["prompt"]) == (sha256(moved), PROMPT)

    world.write(jobs=[{**first, "id": "other", "prompt": "another"}], output=LABELS, **at(server))
    run(world, server)
    assert world.type("prune", "m.yaml", "--delete").code == 0
    assert not moved.exists()
    assert not sidecar.exists()
    assert len(server.paid()) == 3


def _explained(world: World, folder: Path, elsewhere: Path) -> None:
    """Whose a picture is, is known by an earlier one, by either sidecar, and where its batch is not, by its words."""
    for name in ("job000.jpg", "job000.was-1.jpg", "job000.jpg.json", "job000.was-1.jpg.json"):
        done = world.type("explain", "--json", str(folder / name))
        told = json.loads(done.out)
        earlier = "this is the picture of attempt 1; that of attempt 2 has its place" if "was" in name else None
        assert (told["id"], told["picture"]) == ("job000", earlier)
    copy = elsewhere / "copy.jpg"
    copy.write_bytes((folder / "job000.jpg").read_bytes() + b"touched")
    assert json.loads(world.type("explain", "m.yaml", str(copy), "--json").out)["id"] == "job000"
    done = world.type("explain", str(copy), cwd=elsewhere)
    assert (done.code, "the picture of job000 in the batch story; name that batch" in done.text) == (2, True)
    done = world.type("explain", str(world.root / "m.yaml"), cwd=elsewhere)
    assert (done.code, "lies in no batch" in done.text) == (2, True)


def test_killed_while_labelling(tmp_path: Path) -> None:
    """Killed again and again, every picture ends with its words inside and beside, nothing left over or paid twice."""
    world, count = World(tmp_path / "w"), 12
    with warm(tmp_path / "warm") as starter, quick_gateway(tmp_path / "gw", "replay") as server:
        output = {"check": "structure", **LABELS}
        world.write(jobs=jobs(count), output=output, **at(server, idempotency="replay"))
        folder = world.batch().folder
        for number in range(6):
            command = starter.start(world, "run", "m.yaml", XENODIA_API_KEY=server.key)
            goal = number * 2
            wait_for(lambda: len(list(folder.rglob("*.jpg"))) >= goal or not command.running())  # noqa: B023
            command.send(signal.SIGKILL)
            command.ended()
        done = starter.type(world, "run", "m.yaml", XENODIA_API_KEY=server.key)
        assert done.code == 0, done.text
        assert len(server.paid()) == count
    names = world.batch().whole()
    assert len(names) == count
    for name in names:
        assert beside(folder / name)["sha256"] == sha256(folder / name)
        assert b"batchgen:record" in (folder / name).read_bytes()
    assert set(world.batch().strays()) == {f"{name}.json" for name in names}
