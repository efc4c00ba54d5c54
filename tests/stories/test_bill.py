"""The bill before it is paid: what a plan says of a large catalogue, and what stops a run before it sends anything."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.test_bad_input import Counting, serving
from tests.stories.test_identity import TABLE, Shop
from tests.stories.world import World, gateway

MODELS: dict[str, Any] = {
    f"look{each}": {"model": "nano-banana-pro", "resolution": "1K" if each < 4 else "4K"} for each in range(7)
}


@pytest.fixture
def server() -> Iterator[Counting]:
    """A server that counts requests and sells nothing."""
    with serving() as counting:
        yield counting


@pytest.mark.parametrize("rows", [500, pytest.param(50_000, marks=pytest.mark.slow)])
def test_a_large_plan_says_all_before_any_request(rows: int, tmp_path: Path, server: Counting) -> None:
    """Cost by size, time and what holds it back, disk, and that the budget ends first; nothing is sent or written."""
    world = World(tmp_path)
    lines = (f"{number:05},Walking boot {number}" for number in range(rows))
    (world.root / "t.csv").write_text("\n".join(["sku,title", *lines]) + "\n")
    world.write(
        provider={"base_url": f"http://127.0.0.1:{server.server_port}", "api_key": "env:KEY"},
        rows={"from": "t.csv", "id": "{{ sku }}"},
        prompts={"packshot": "A {{ title }} on a white desk"},
        models=MODELS,
        limits={"rate": "15/10s", "in_flight": 100},
        budget={"max_usd": 45, "prices": {"nano-banana-pro": {"1K": 0.12, "4K": 0.24}}},
    )
    done = world.type("plan", "m.yaml", "--offline", KEY="k" * 20)
    assert done.code == 0, done.text
    assert f"{rows * 7:,} pictures for ${rows * (4 * 0.12 + 3 * 0.24):,.2f}" in done.text
    assert f"{rows * 4:,} x nano-banana-pro 1K at $0.12 (budget.prices)" in done.text
    assert f"{rows * 3:,} x nano-banana-pro 4K at $0.24 (budget.prices)" in done.text
    assert f"EXCEEDED: $45.00 left, ${rows * 1.2 - 45:,.2f} short" in done.text
    assert f"time about {'40 min' if rows == 500 else '3 days'}, held back by the rate 15/10s" in done.text
    assert "disk about " in done.text
    assert done.text.count("picture 0") == 3
    assert max(map(len, done.out.splitlines()[1:])) <= 80
    assert (server.posts, server.gets) == (0, 0)
    assert list((world.root / "outputs").iterdir()) == []


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A catalogue of three rows, bought once."""
    with gateway(tmp_path / "gw") as sells:
        yield Shop(tmp_path / "shop", sells)


def test_a_change_is_shown_with_old_and_new(shop: Shop) -> None:
    """A plan names each changed field with both values, of a long prompt the piece that differs, and buys nothing."""
    (shop.world.root / "t.csv").write_text(TABLE.replace("scarf", "shawl"))
    said = shop.world.type("plan", "m.yaml", XENODIA_API_KEY=shop.server.key)
    lines = [line.strip() for line in said.out.splitlines()]
    at = lines.index("002/packshot/draft")
    assert lines[at - 1].startswith("changed              1  kept as they were bought; --redo changed")
    assert lines[at + 1].startswith("prompt: ")
    assert ("scarf" in lines[at + 1], "shawl" in "".join(lines[at + 1 : at + 3])) == (True, True)
    assert "nothing to buy" in said.out


def test_another_table_is_planned_in_place_of_the_named_one(shop: Shop) -> None:
    """--rows plans and buys another table's rows under the manifest's rules, and what it lacks is gone, not lost."""
    (shop.world.root / "new.csv").write_text("sku,title,colour\n003,hat,green\n009,glove,red\n")
    said = shop.world.type("plan", "m.yaml", "--rows", "new.csv", "--json", "--offline")
    assert said.code == 0, said.text
    plan = json.loads(said.out)
    assert (plan["counts"]["new"], plan["counts"]["unchanged"], plan["counts"]["gone"]) == (1, 1, 2)
    assert shop.run("--rows", "new.csv").code == 0
    assert shop.bought() == 4
    assert len(list((shop.world.root / "outputs/story").rglob("draft.jpg"))) == 4


def test_only_knows_axes_and_states(shop: Shop) -> None:
    """A condition over an axis and a state chooses jobs; an unknown name is refused with its place and a suggestion."""
    (shop.world.root / "t.csv").write_text(TABLE + "004,sock,red,x\n")
    chosen = ("m.yaml", "--offline", "--json")
    for condition, count in (
        ("model == 'draft' and state == 'queued'", 1),
        ("model == 'hero'", 0),
        ("state == 'stored'", 0),
    ):
        said = shop.world.type("plan", *chosen, "--only", condition)
        assert said.code == 0, said.text
        plan = json.loads(said.out)
        assert plan["to_buy"] == count, condition
    refused = shop.world.type("plan", "m.yaml", "--offline", "--only", "colur == 'red'")
    assert refused.code == 2
    assert "--only at its character 1: `colur` is no name here; did you mean `colour`?" in refused.text


def test_a_plan_on_paper_names_each_thing_that_moved(shop: Shop) -> None:
    """A price, an option and a prompt that moved since are named, and nothing is sent; as it was, it is carried out."""
    (shop.world.root / "t.csv").write_text(TABLE + "004,sock,red,x\n")
    paper = str(shop.world.root / "plan.json")
    assert shop.world.type("plan", "m.yaml", "-o", paper, XENODIA_API_KEY=shop.server.key).code == 0
    kept = dict(shop.keys)
    shop.keys["budget"] = {"prices": {"nano-banana-pro": 0.5}}
    shop.save()
    refused = shop.run("--plan", paper)
    assert (refused.code, "nano-banana-pro 1K costs $0.50, planned was" in refused.text) == (2, True), refused.text
    shop.keys = kept
    shop.save()
    refused = shop.run("--plan", paper, "--sample", "1")
    assert (refused.code, "it was made with no options, not with --sample 1" in refused.text) == (2, True), refused.text
    (shop.world.root / "p.txt").write_text("Another {{ title }}\n")
    refused = shop.run("--plan", paper)
    assert (refused.code, "what is asked for has changed (p.txt)" in refused.text) == (2, True), refused.text
    assert shop.bought() == 3
