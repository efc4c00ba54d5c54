"""From a shop's export to a bill, with two commands and nothing written by hand."""

import json
from pathlib import Path

import pytest

from tests.manifest.exports import PLAIN, SEMICOLONS, SHOPIFY, WOOCOMMERCE
from tests.stories.world import World


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        (SHOPIFY.encode(), {"linen-shirt/packshot/hero", "mug/packshot/hero"}),
        (SEMICOLONS.encode("cp1252"), {"gruen-tee/packshot/hero"}),
        (WOOCOMMERCE.encode(), {"chair/packshot/hero", "007/packshot/hero"}),
        (PLAIN.encode(), {"0001/packshot/hero", "0002/packshot/hero"}),
    ],
    ids=["shopify", "semicolons and cp1252", "woocommerce", "plain"],
)
def test_a_table_is_planned_at_once(data: bytes, ids: set[str], tmp_path: Path) -> None:
    """What `init` writes for a table plans without a change, one picture a product, SKUs with their zeros."""
    world = World(tmp_path)
    (world.root / "products.csv").write_bytes(data)
    begun = world.type("init", "products.csv")
    assert begun.code == 0, begun.err
    planned = world.type("plan", "--json")
    assert planned.code == 0, planned.err
    assert json.loads(planned.out)["to_buy"] == len(ids)
    told = world.type("plan").out
    assert all(each in told for each in ids)
