"""`batchgen serve`."""

import json
import os
from pathlib import Path

import pytest

from batchgen.cli.serve import outputs
from tests.cli.desk import FakeDoors, typed


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
