"""`batchgen serve`."""

import json
import os
from pathlib import Path

import pytest

from batchgen.cli.serve import outputs
from batchgen.gateway.config import Limits
from batchgen.guard import PUBLIC
from batchgen.terms import Rate
from tests.cli.desk import FakeDoors, flat, typed


def test_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without options: port 8787, tasks, replay, state in the nearest outputs folder; its own key is told."""
    (tmp_path / "outputs").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    doors = FakeDoors()
    said = typed("serve", doors=doors)
    assert said.exit_code == 0
    options = doors.served[0]
    assert (options.port, options.settings.mode, options.settings.idempotency, options.credential) == (
        8787,
        "task",
        "replay",
        None,
    )
    assert options.state_dir == str(tmp_path / "outputs" / ".gateway")
    assert "listening on http://127.0.0.1:8787" in said.stdout
    assert "its key is made-key" in said.stdout
    assert "http://127.0.0.1:8787/docs" in said.stdout


def test_options_reach_the_gateway(tmp_path: Path) -> None:
    """Every option is handed on; a key that was handed in is not told."""
    doors = FakeDoors()
    words = ("--port", "0", "--mode", "legacy", "--idempotency", "reject", "--state", str(tmp_path))
    said = typed("serve", *words, "--api-key", "env:GATEWAY_KEY", doors=doors, GATEWAY_KEY=" secret-1 \n")
    options = doors.served[0]
    assert (options.port, options.settings.mode, options.settings.idempotency) == (0, "legacy", "reject")
    assert (options.state_dir, options.credential) == (str(tmp_path), "secret-1")
    assert "key" not in said.output.replace("secret-1", "LEAK")
    assert "secret-1" not in said.output


def test_a_key_in_a_file(tmp_path: Path) -> None:
    """file:PATH reads the key without its line end."""
    (tmp_path / "key").write_text("secret-2\n")
    doors = FakeDoors()
    typed("serve", "--api-key", f"file:{tmp_path / 'key'}", doors=doors)
    assert doors.served[0].credential == "secret-2"


@pytest.mark.parametrize(
    "source", ["sk_live_0123456789abcdef", "sk:0123456789abcdef", "env:", "file:", "file:/nowhere/key", "env:NOT_SET"]
)
def test_a_key_that_is_none(source: str) -> None:
    """A key itself, an unset variable and a missing file are refused, and a key is not said again."""
    doors = FakeDoors()
    said = typed("serve", "--api-key", source, doors=doors)
    assert said.exit_code == 2
    assert doors.served == []
    assert "0123456789" not in said.output


def test_json(tmp_path: Path) -> None:
    """With --json the address is one object, without the key, which people are told on stderr."""
    said = typed("serve", "--json", "--state", str(tmp_path))
    assert json.loads(said.stdout) == {"url": "http://127.0.0.1:8787", "state": str(tmp_path)}
    assert "made-key" in said.stderr


def test_outputs_beside_when_there_is_none(tmp_path: Path) -> None:
    """Where no folder upwards has outputs, they are beside."""
    if not any((each / "outputs").is_dir() for each in tmp_path.parents):
        assert outputs(str(tmp_path)) == os.path.join(tmp_path, "outputs")
    (tmp_path / "outputs").mkdir()
    assert outputs(str(tmp_path)) == str(tmp_path / "outputs")


def test_limits_and_places_reach_the_gateway(tmp_path: Path) -> None:
    """What is typed about money, pace, ports and names is handed on; nothing typed is no limit."""
    doors = FakeDoors()
    words = ("--balance", "0.50", "--rate", "20/10s", "--running", "3", "--asset-port", "0", "--config", "c.yaml")
    more = ("--host", "0.0.0.0", "--expose", "--allow-host", "Pictures.LAN", "--allow-host", "b", "--fetch-references")
    assert typed("serve", *words, *more, "--state", str(tmp_path), doors=doors).exit_code == 0
    assert typed("serve", "--state", str(tmp_path), doors=doors).exit_code == 0
    full, bare = doors.served
    assert (full.limits.balance_usd, full.limits.rate, full.limits.running) == (500_000, Rate(20, 10), 3)
    assert (full.asset_port, full.config, full.host, full.exposed) == (0, "c.yaml", "0.0.0.0", True)
    assert full.settings.hosts == {"pictures.lan", "b"}
    assert full.settings.fetch == PUBLIC
    assert bare.limits == Limits()
    assert (bare.asset_port, bare.config, bare.host, bare.exposed) == (None, None, "127.0.0.1", False)
    assert bare.settings.fetch is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate", "fast"), "--rate: 'fast' is no rate; write it as 20/10s"),
        (("--balance", "-1"), "--balance: '-1' is no amount of dollars"),
        (("--running", "0"), "--running"),
        (("--asset-port", "70000"), "--asset-port"),
    ],
)
def test_limits_that_are_none(words: tuple[str, str], said: str) -> None:
    """A limit that makes no sense is refused by its name before anything is served."""
    doors = FakeDoors()
    refused = typed("serve", *words, doors=doors)
    assert refused.exit_code == 2
    assert said in flat(refused.output)
    assert doors.served == []
