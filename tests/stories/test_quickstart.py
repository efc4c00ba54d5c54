"""The manifests that come with the project, run as a newcomer would."""

import json
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.stories.world import HERE, Done, World

MANIFESTS = sorted((HERE / "manifests").glob("*.yaml"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world with a copy of the manifests."""
    shutil.copytree(HERE / "manifests", tmp_path / "manifests")
    return World(tmp_path)


def test_there_are_manifests() -> None:
    """The three manifests that the README speaks of are there."""
    assert {path.stem for path in MANIFESTS} >= {"quickstart", "references", "grid"}


def test_quickstart_twice(world: World, tmp_path: Path) -> None:
    """The quickstart makes its eight pictures in under 20 s; run again, even from elsewhere, it asks nobody."""
    began = time.monotonic()
    first = world.type("run", "manifests/quickstart.yaml")
    assert (first.code, "8 pictures in" in first.text) == (0, True), first.text
    assert time.monotonic() - began < 20
    batch = world.batch("quickstart.local")
    assert len(batch.whole()) == 8
    assert batch.strays() == []
    gateway = batch.folder / ".batchgen/gateway"
    before = {path: path.stat().st_mtime_ns for path in gateway.rglob("*")}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = world.type("run", str(world.root / "manifests/quickstart.yaml"), cwd=elsewhere)
    assert again.code == 0
    assert {path: path.stat().st_mtime_ns for path in gateway.rglob("*")} == before
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_manifest_runs(path: Path, world: World) -> None:
    """Every manifest plans without writing anything, runs to its end, and its rows are exported."""
    planned = world.type("plan", f"manifests/{path.name}", "--json")
    assert planned.code == 0, planned.text
    assert list((world.root / "outputs").iterdir()) == []
    count = json.loads(planned.out)["to_buy"]
    assert world.type("run", f"manifests/{path.name}", "-q") == Done(0, "", "")
    batch = world.batch(f"{path.stem}.local")
    assert len(batch.whole()) == count
    rows = [json.loads(line) for line in world.type("export", f"manifests/{path.name}", "-o", "-").out.splitlines()]
    assert {row["path"] for row in rows} == batch.whole()
    for row in rows:
        with Image.open(batch.folder / row["path"]) as picture:
            assert picture.size == (row["width"], row["height"])


def test_pictures_have_the_shape_that_was_asked_for(world: World) -> None:
    """Ratios and resolutions of the quickstart are exact."""
    world.type("run", "manifests/quickstart.yaml")
    done = world.type("export", "manifests/quickstart.yaml", "-o", "-")
    rows = [json.loads(line) for line in done.out.splitlines()]
    shapes = {row["id"]: (row["width"], row["height"]) for row in rows}
    for name, (wide, high) in {"neon-city": (21, 9), "waves": (9, 16), "robot": (1, 1)}.items():
        width, height = shapes[name]
        assert abs(width * high - height * wide) <= max(wide, high)
        assert max(width, height) >= 1024


def test_references_change_nothing_but_what_they_are(world: World) -> None:
    """A freshly signed URL and a renamed file buy nothing; new bytes in it are a change that waits."""
    world.type("run", "manifests/references.yaml")
    manifest = world.root / "manifests/references.yaml"
    text = manifest.read_text()
    (world.root / "manifests/refs/sneaker.png").rename(world.root / "manifests/refs/shoe.png")
    manifest.write_text(text.replace("refs/sneaker.png", "refs/shoe.png").replace("Signature=0000", "Signature=9999"))
    plan = json.loads(world.type("plan", "manifests/references.yaml", "--json").out)
    assert plan["to_buy"] == 0
    assert plan["counts"]["unchanged"] == 5
    Image.new("RGB", (64, 64), "red").save(world.root / "manifests/refs/shoe.png")
    plan = json.loads(world.type("plan", "manifests/references.yaml", "--json").out)
    assert (plan["to_buy"], plan["counts"]["changed"]) == (0, 4)
    done = world.type("run", "manifests/references.yaml", "--json")
    assert done.code == 0
    assert json.loads(world.type("status", "manifests/references.yaml", "--json").out)["kept"] == 4
