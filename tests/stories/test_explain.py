"""`batchgen explain` on a batch in which each job fared differently."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stories.world import World, at, gateway

TABLE = "sku,title,colour\n001,boot,red\n002,scarf,blue\n003,hat,green\n"
PROMPTS = {"packshot": "A {{ colour }} {{ title }}\non a white desk"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A catalogue of three, one stored, one refused, one in doubt; then a fourth row and a changed one."""
    root = tmp_path_factory.mktemp("explained")
    world = World(root)
    (root / "faults.yaml").write_text("faults: 1\nsubmit: [{at: 3, after: cut}]\ntasks: [{at: 2, task: refused}]\n")
    (root / "t.csv").write_text(TABLE)
    with gateway(root / "gw", "--faults", str(root / "faults.yaml")) as server:
        told = at(server)
        told["limits"]["in_flight"] = 1
        world.write(
            rows={"from": "t.csv", "id": "{{ sku }}"},
            defaults={"resolution": "1K", "channel_id": 3},
            prompts=PROMPTS,
            models={"draft": {"model": "nano-banana-pro", "output_format": "jpg", "channel_id": None}},
            references=["https://cdn.batchgen.invalid/a.png?X-Amz-Signature=SECRET"],
            **told,
        )
        done = world.type("run", "m.yaml", "--max-pictures", "9", "--max-usd", "9", XENODIA_API_KEY=server.key)
        assert world.batch().kinds() == {"Stored": 1, "JobFailed": 1, "InDoubt": 1}, done.text
    (root / "t.csv").write_text(TABLE.replace("red", "pink") + "004,sock,black\n")
    return world


def explained(world: World, *words: str) -> dict[str, Any]:
    """What is told of a job, as data."""
    done = world.type("explain", "--json", *words)
    assert done.code == 0, done.text
    assert "SECRET" not in done.out + done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.mark.parametrize(
    ("row", "state", "why"),
    [
        ("001", "stored", "done; the manifest asks for something else now (prompt): `run --redo changed` buys that"),
        ("002", "failed", "failed for good; `run --redo failed` tries again"),
        ("003", "in_doubt", "may have been paid: `batchgen resolve` decides, unless its token can still be asked"),
        ("004", None, "not owed yet: `batchgen run` buys it"),
    ],
)
def test_why_it_waits_or_will_run(world: World, row: str, state: str | None, why: str) -> None:
    """Each state says what will happen to the job next, or which command decides it."""
    found = explained(world, "m.yaml", f"{row}/packshot/draft")
    assert (found["state"], found["why"]) == (state, why)


def test_where_every_value_comes_from(world: World) -> None:
    """Each value that is sent has the place that set it, a dropped one too, and what nobody set is built in."""
    found = explained(world, "m.yaml", "001/packshot/draft")
    lines = (world.root / "m.yaml").read_text()

    def there(where: str) -> str:
        column = int(where.rpartition("column ")[2])
        return lines[column - 1 :].split(",")[0].strip(' "}]{[')

    seen = {each["field"]: (each["value"], each["where"]) for each in found["values"]}
    assert seen["aspect_ratio"] == ("1:1", "built in")
    assert (seen["model"][0], there(seen["model"][1])) == ("nano-banana-pro", "nano-banana-pro")
    assert (seen["resolution"][0], there(seen["resolution"][1])) == ("1K", "1K")
    assert (seen["channel_id"][0], there(seen["channel_id"][1])) == (None, "null")
    assert there(seen["prompt"][1]).startswith("A {{ colour }} {{ title }}")
    assert there(seen["reference"][1]).startswith("https://cdn.batchgen.invalid/a.png")
    assert found["prompt"] == "A pink boot\non a white desk"


def test_whose_picture_this_is(world: World) -> None:
    """A picture alone, wherever one stands, leads to its job, with its life and what the manifest says of it now."""
    picture = world.root / "outputs/story/001/packshot/draft.jpg"
    found = explained(world, str(picture))
    assert found["id"] == "001/packshot/draft"
    assert [each["milestone"] for each in found["life"]] == ["Planned", "Started", "Accepted", "Generated", "Stored"]
    assert found["life"][-1]["told"].startswith("001/packshot/draft.jpg, $")
    assert {each["field"] for each in found["values"]} >= {"model", "prompt", "reference"}
    assert explained(world, "outputs/story", str(picture))["id"] == found["id"]


def test_from_the_batch_folder_alone(world: World, tmp_path: Path) -> None:
    """With the manifest gone the journal still tells prompt, row and life, by id and by number."""
    kept, away = world.root / "m.yaml", tmp_path / "m.yaml"
    kept.rename(away)
    try:
        for name in ("002/packshot/draft", "002/packshot/draft@2"):
            found = explained(world, "outputs/story", name)
            assert (found["prompt"], found["values"]) == ("A blue scarf\non a white desk", [])
            assert found["life"][-1]["told"].startswith("refused: ")
        assert world.type("explain", "outputs/story", "002/packshot/draft@1").code == 2
    finally:
        away.rename(kept)


def test_text_for_people(world: World) -> None:
    """People read state, reason, values with their places, the row as written, the prompt and the life, 80 wide."""
    done = world.type("explain", "m.yaml", "003/packshot/draft")
    lines = done.out.splitlines()
    assert lines[0] == "003/packshot/draft: in doubt, job 3"
    assert max(map(len, lines)) <= 80
    for line in (
        "  axes           prompt: packshot, model: draft",
        "  row            4",
        "    colour               green",
    ):
        assert line in lines
    assert lines[lines.index("  prompt") + 1 :][:2] == ["    A green hat", "    on a white desk"]
    kinds = [line.split()[3] for line in lines if line.startswith("  20")]
    assert kinds == ["Planned", "Started", "InDoubt"]


def test_nobody_of_that_name(world: World) -> None:
    """An id that is neither owed nor asked for, and a file that is no picture of a batch, end with 2 and a sentence."""
    for words in (("m.yaml", "005/packshot/draft"), ("outputs/story", "004/packshot/drift"), ("m.yaml", "t.csv")):
        done = world.type("explain", *words)
        assert done.code == 2
        assert "is neither a job nor a picture of this batch" in done.text
        assert "next batchgen explain --help" in done.text  # the same command again would help nobody


def test_a_manifest_that_is_wrong_elsewhere(world: World) -> None:
    """A broken manifest is told, and the journal still answers."""
    kept = (world.root / "m.yaml").read_text()
    (world.root / "m.yaml").write_text(kept.replace('"rows"', '"rowz"', 1))
    try:
        done = world.type("explain", "m.yaml", "001/packshot/draft")
        assert done.code == 0, done.text
        assert "the manifest cannot be read" in done.out
        assert "Stored" in done.out
    finally:
        (world.root / "m.yaml").write_text(kept)


def test_whose_bytes_these_are(world: World, tmp_path: Path) -> None:
    """A picture that was copied away and renamed is known by its bytes, also by those of its damaged twin's name."""
    picture = world.root / "outputs/story/001/packshot/draft.jpg"
    away = tmp_path / "IMG_0001.jpeg"
    away.write_bytes(picture.read_bytes())
    found = explained(world, "outputs/story", str(away))
    assert (found["id"], found["picture"]) == ("001/packshot/draft", None)
    kept = picture.read_bytes()
    picture.write_bytes(kept[:-1])
    try:
        assert explained(world, "outputs/story", str(picture))["id"] == "001/packshot/draft"
    finally:
        picture.write_bytes(kept)


@pytest.mark.parametrize("name", ["001/draft", "PACKSHOT", "001/packshot/draf", "01/packshot/drift"])
def test_what_is_near(world: World, name: str) -> None:
    """An unknown id is answered with those that may have been meant, whether the batch or the manifest knows them."""
    done = world.type("explain", "m.yaml", name)
    assert (done.code, "near it are" in done.text, "001/packshot/draft" in done.text) == (2, True, True)
