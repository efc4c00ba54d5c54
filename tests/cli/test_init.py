"""`batchgen init`."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.desk import flat, typed


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_writes_a_manifest(tmp_path: Path) -> None:
    """A commented manifest is written that rehearses two pictures, and the command that runs it is told."""
    said = typed("init")
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [str(tmp_path / "batchgen.yaml"), "  next         batchgen run"]
    text = (tmp_path / "batchgen.yaml").read_text()
    manifest = yaml.safe_load(text)
    assert (manifest["batchgen"], manifest["provider"]) == (1, "local")
    assert [each["id"] for each in manifest["jobs"]] == ["cube", "harbour"]
    assert text.count("#") > 5


def test_never_over_a_file(tmp_path: Path) -> None:
    """A manifest that is there stays as it is."""
    (tmp_path / "batchgen.yaml").write_text("mine")
    said = typed("init")
    assert said.exit_code == 2
    assert "is there already" in flat(said.stderr)
    assert (tmp_path / "batchgen.yaml").read_text() == "mine"


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written that is told, with what to do."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setenv("PWD", str(tmp_path / "gone"))
    assert typed("init").exit_code == 2


def test_a_table_is_not_yet_there(tmp_path: Path) -> None:
    """A table is refused in words, and nothing is written."""
    said = typed("init", "products.csv")
    assert said.exit_code == 2
    assert "not yet" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_json(tmp_path: Path) -> None:
    """With --json the answer names the file."""
    assert json.loads(typed("init", "--json").stdout) == {"v": 1, "file": str(tmp_path / "batchgen.yaml")}
