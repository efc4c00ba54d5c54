"""Whom a run speaks to, and how."""

import json
from pathlib import Path

import pytest

from batchgen.batch.seller import network_of
from batchgen.manifest.load import load
from batchgen.manifest.provider import Remote
from batchgen.settings import surroundings


@pytest.mark.parametrize(("idempotency", "kept"), [("replay", True), ("reject", False), ("none", False)])
def test_creates_share_connections_only_under_replayed_tokens(tmp_path: Path, idempotency: str, kept: bool) -> None:
    """A create may go where a doubt could arise only if the same token may simply be sent once more."""
    path = tmp_path / "m.yaml"
    written = {
        "batchgen": 1,
        "name": "one",
        "provider": {
            "base_url": "https://api.example",
            "api_key": "env:KEY",
            "profile": {"idempotency": idempotency},
        },
        "prompts": {"shoe": "A shoe"},
        "models": {"draft": {"model": "gpt-image-2"}},
    }
    path.write_text(json.dumps(written))
    manifest = load(str(path))
    assert isinstance(manifest.provider, Remote)
    assert network_of(manifest, manifest.provider, surroundings({})).keep_submits is kept
