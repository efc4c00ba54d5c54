"""Every manifest in the documents is planned and run, as somebody would who copies it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.stories.world import Gateway, World, gateway
from tests.test_house import BESIDE, examples


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all of them."""
    with gateway(tmp_path_factory.mktemp("gateway")) as one:
        yield one


@pytest.mark.parametrize(("name", "example"), examples(), ids=lambda text: text if len(text) < 20 else "")
def test_an_example_plans_and_runs(name: str, example: str, tmp_path: Path, server: Gateway) -> None:
    """With the files beside it that it speaks of, it plans, and makes every picture that it planned."""
    world = World(tmp_path)
    for file, data in BESIDE.items():
        (world.root / file).parent.mkdir(parents=True, exist_ok=True)
        (world.root / file).write_bytes(data)
        if file.endswith(".png"):
            Image.new("RGB", (64, 64), "red").save(world.root / file)
    (world.root / "m.yaml").write_text(example, encoding="utf-8")
    words = ("m.yaml", "--provider", server.url)
    planned = world.type("plan", *words, "--json", XENODIA_API_KEY=server.key)
    assert planned.code == 0, planned.text
    plan = json.loads(planned.out)
    assert plan["to_buy"] > 0
    done = world.type("run", *words, "--max-pictures", "999", "--max-usd", "99", XENODIA_API_KEY=server.key)
    assert done.code == 0, done.text
    assert f"{plan['to_buy']} picture" in done.text
