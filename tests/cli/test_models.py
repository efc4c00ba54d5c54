"""`batchgen models`."""

import json

from batchgen.api.models import Catalogue, Rules
from tests.cli.desk import FakeDoors, typed

CATALOGUE = Catalogue(
    {
        "nano-banana-pro": Rules(
            "nano-banana-pro",
            {"aspect_ratio": ("1:1", "16:9"), "resolution": ()},
            references=8,
            channels=(1, 2),
            tiers={"1k_2k": 120_000, "4k": 240_000},
        ),
        "new\x1b": Rules("new\x1b", {}, flat=70_000, enabled=False),
        "free": Rules("free", {}, flat=0),
    },
    ("gpt-image-2 is not in the catalogue",),
)


def test_text() -> None:
    """Each model is told with what it takes and costs; unknown is unknown, and never $0.00."""
    said = typed("models", doors=FakeDoors(catalogue=CATALOGUE))
    assert said.stdout.splitlines() == [
        "gpt-image-2 is not in the catalogue",
        "nano-banana-pro",
        "  aspect ratio    1:1, 16:9",
        "  resolution      any",
        "  references      up to 8",
        "  channels        1, 2",
        "  price           $0.12 (1k_2k), $0.24 (4k)",
        "new\\x1b  (switched off by the provider)",
        "  references      none",
        "  price           $0.07",
        "free",
        "  references      none",
        "  price           unknown",
        "3 models",
    ]


def test_json() -> None:
    """With --json all models are one object."""
    found = json.loads(typed("models", "--json", doors=FakeDoors(catalogue=CATALOGUE)).stdout)
    assert found["models"][0]["prices_usd"] == {"1k_2k": 0.12, "4k": 0.24}
    assert found["models"][0]["parameters"] == {"aspect_ratio": ["1:1", "16:9"], "resolution": []}
    assert [each["price_usd"] for each in found["models"]] == [None, 0.07, None]
    assert found["warnings"] == ["gpt-image-2 is not in the catalogue"]
