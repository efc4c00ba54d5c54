"""`batchgen export`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgen.errors import SettingsError
from batchgen.journal import EVERYTHING, Progress, Selection
from tests.cli.desk import FakeDoors, flat, typed
from tests.report.made import FakeRecord, stored


class Breaking(FakeRecord):
    """A record that breaks behind its last job."""

    def entries(self, selection: Selection = EVERYTHING) -> Iterator[Progress]:
        """Its jobs, and then the news that it is damaged."""
        yield from super().entries(selection)
        raise SettingsError("something is wrong with it")


THREE = FakeRecord([stored(f"p{n}", number=n) for n in range(3)])


def test_to_stdout() -> None:
    """`-o -` prints a JSON line per picture and nothing else, even when quiet."""
    for words in (("-o", "-"), ("-o", "-", "-q"), ("-o", "-", "--json")):
        said = typed("export", "autumn.yaml", *words, doors=FakeDoors(THREE))
        assert said.exit_code == 0
        assert [json.loads(each)["id"] for each in said.stdout.splitlines()] == ["p0", "p1", "p2"]
        assert said.stderr == ""


def test_to_a_file(tmp_path: Path) -> None:
    """A file is written whole, replaces an older one, and is named with its number of rows."""
    target = tmp_path / "pictures.jsonl"
    target.write_text("old")
    said = typed("export", "-o", str(target), doors=FakeDoors(THREE))
    assert said.stdout == f"3 rows in {target}\n"
    assert [json.loads(each)["id"] for each in target.read_text().splitlines()] == ["p0", "p1", "p2"]
    assert os.listdir(tmp_path) == ["pictures.jsonl"]


def test_to_a_file_for_a_program(tmp_path: Path) -> None:
    """With --json the answer is one object."""
    said = typed("export", "--json", "-o", str(tmp_path / "a.jsonl"), doors=FakeDoors(THREE))
    assert json.loads(said.stdout) == {"v": 1, "rows": 3, "file": str(tmp_path / "a.jsonl")}


@pytest.mark.parametrize("name", ["a.xlsx", "a"])
def test_other_kinds_of_file(name: str) -> None:
    """Other kinds of file are refused with those that there are."""
    said = typed("export", "-o", name, doors=FakeDoors(THREE))
    assert said.exit_code == 2
    assert "name a .jsonl, .csv or .parquet file" in flat(said.stderr)


def test_tables(tmp_path: Path) -> None:
    """The ending chooses the kind of file, and the options reach it."""
    words = ("--base-url", "https://cdn.example.com/a", "--run", "1")
    for name, start in (("a.CSV", b"id,state,path,"), ("a.parquet", b"PAR1"), ("a.jsonl", b'{"id":"p0"')):
        said = typed("export", "-o", str(tmp_path / name), *words, doors=FakeDoors(THREE))
        assert said.exit_code == 0, said.output
        written = (tmp_path / name).read_bytes()
        assert written.startswith(start)
        assert b"https://cdn.example.com/a/p2.png" in written or name == "a.parquet"  # which is packed
    assert sorted(os.listdir(tmp_path)) == ["a.CSV", "a.jsonl", "a.parquet"]


def test_wide_lines(tmp_path: Path) -> None:
    """`--wide` makes a line per input row of any kind of file, and of stdout."""
    said = typed("export", "-o", "-", "--wide", doors=FakeDoors(THREE))
    first = {"id": "p0", "missing": 0, "row": None, "pictures": {"picture": "p0.png"}}
    assert json.loads(said.stdout.splitlines()[0]) == first
    assert typed("export", "-o", str(tmp_path / "a.csv"), "--wide", doors=FakeDoors(THREE)).exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == b"id,missing,picture\r\np0,0,p0.png\r\np1,0,p1.png\r\np2,0,p2.png\r\n"


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    """A file that cannot be finished leaves the older one whole, and nothing beside it."""
    (tmp_path / "a.csv").write_text("old")
    said = typed("export", "-o", str(tmp_path / "a.csv"), doors=FakeDoors(Breaking([stored("p")])))
    assert (said.exit_code, (tmp_path / "a.csv").read_text(), os.listdir(tmp_path)) == (2, "old", ["a.csv"])


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is not there is told with what to do."""
    said = typed("export", "-o", str(tmp_path / "no" / "a.jsonl"), doors=FakeDoors(THREE))
    assert said.exit_code == 2
    assert "could not be written" in flat(said.stderr)


def test_an_empty_file(tmp_path: Path) -> None:
    """A batch without jobs gives an empty file."""
    said = typed("export", "-o", str(tmp_path / "a.jsonl"), doors=FakeDoors(FakeRecord()))
    assert said.stdout.startswith("0 rows in")
    assert (tmp_path / "a.jsonl").read_text() == ""


def test_no_batch_yet() -> None:
    """A batch that was never run is an error that says what begins one."""
    said = typed("export", "-o", "-", doors=FakeDoors(exists=False))
    assert said.exit_code == 2
    assert "`batchgen run` begins one" in said.stderr


CODE = """
import sys
from batchgen.cli import program
from tests.cli.desk import FakeDoors
from tests.report.made import FakeRecord, stored
record = FakeRecord([stored(f"p{n}", number=n) for n in range(5000)])
program.main(sys.argv[1:], obj=FakeDoors(record))
"""


def test_a_reader_that_leaves_is_no_error() -> None:
    """`export -o - | head -1` ends quietly with exit 0."""
    words = [sys.executable, "-c", CODE, "export", "-o", "-"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"id":"p0"')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_full_disk_behind_stdout_is_an_error() -> None:
    """Rows that could not be written are not passed over in silence."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", CODE, "export", "-o", "-"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert b"stdout could not be written" in done.stderr
