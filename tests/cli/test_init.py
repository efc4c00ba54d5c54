"""`batchgen init`."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.desk import flat, typed
from tests.manifest.exports import SEMICOLONS, SHOPIFY


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


def test_a_table(tmp_path: Path) -> None:
    """A table becomes a manifest of its rows; what it was taken for is told, and the command that shows the bill."""
    (tmp_path / "Shop Export.csv").write_text(SHOPIFY, newline="")
    said = typed("init", "Shop Export.csv")
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        str(tmp_path / "batchgen.yaml"),
        "  from         a Shopify export, 2 to paint; 20 columns, parted by commas, UTF-8",
        "  next         batchgen plan",
    ]
    manifest = yaml.safe_load((tmp_path / "batchgen.yaml").read_text())
    assert (manifest["name"], manifest["rows"]["from"]) == ("shop-export", "Shop Export.csv")


def test_a_table_of_windows(tmp_path: Path) -> None:
    """A table that is not UTF-8 is read in its likely encoding, which the manifest then names."""
    (tmp_path / "ärtikel.csv").write_bytes(SEMICOLONS.encode("cp1252"))
    assert typed("init", "ärtikel.csv").exit_code == 0
    manifest = yaml.safe_load((tmp_path / "batchgen.yaml").read_text())
    assert (manifest["name"], manifest["rows"]["encoding"]) == ("rtikel", "cp1252")


@pytest.mark.parametrize(
    ("table", "data", "said"),
    [
        ("gone.csv", None, "does not exist"),
        ("t.xlsx", b"", "is a workbook"),
        ("t.csv", b"a,a\n1,2\n", "both named `a`"),
        ("t.csv", b'a,b\n1,"x\ny', "opens a quote"),
        ("t.csv", b"a\nx\x81\n", "is not UTF-8"),
        ("../t.csv", None, "outside this folder"),
    ],
)
def test_no_table(tmp_path: Path, table: str, data: bytes | None, said: str) -> None:
    """What cannot be read is told in words, and nothing is written."""
    if data is not None:
        (tmp_path / table).write_bytes(data)
    told = typed("init", table)
    assert told.exit_code == 2
    assert said in flat(told.stderr)
    assert not (tmp_path / "batchgen.yaml").exists()


def test_a_table_never_over_a_file(tmp_path: Path) -> None:
    """A manifest that is there stays as it is, whatever the table."""
    (tmp_path / "batchgen.yaml").write_text("mine")
    (tmp_path / "t.csv").write_text("a\n1\n")
    assert typed("init", "t.csv").exit_code == 2
    assert (tmp_path / "batchgen.yaml").read_text() == "mine"


def test_json(tmp_path: Path) -> None:
    """With --json the answer names the file."""
    assert json.loads(typed("init", "--json").stdout) == {"v": 1, "file": str(tmp_path / "batchgen.yaml")}
