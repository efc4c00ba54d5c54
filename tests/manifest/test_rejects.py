"""`rejects.csv`."""

import csv
import os
from pathlib import Path

import pytest

from batchgen.manifest.rejects import NAME, Rejects
from batchgen.manifest.tables import BadRow, open_table
from tests.manifest.tabling import read, table

COLUMNS = ("sku", "name")


def test_a_table_to_mend(tmp_path: Path) -> None:
    """Each bad row stands there with its number, its id and the reason, then as it was, and a spreadsheet reads it."""
    with Rejects(tmp_path / NAME, COLUMNS, separator=";") as rejects:
        rejects.add(BadRow(7, "`name` is empty", "007", ("007", "")))
        rejects.add(BadRow(9, "it has 3 cells, and there are 2 columns", "", ("=1+1", 'a;"b"\nc', "😀")))
    assert rejects.count == 2
    raw = (tmp_path / NAME).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfrow;id;reason;sku;name\r\n")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines(keepends=True), delimiter=";"))
    assert rows[1:] == [
        ["7", "007", "`name` is empty", "007", ""],
        ["9", "", "it has 3 cells, and there are 2 columns", "=1+1", 'a;"b"\nc', "😀"],
    ]
    assert open_table(tmp_path / NAME).columns == ("row", "id", "reason", *COLUMNS)


@pytest.mark.parametrize("id_", ["=cmd()", "+1", "-1", "@x", "\t=1"])
def test_no_formula_in_our_columns(tmp_path: Path, id_: str) -> None:
    """What we write in columns of our own is never a formula, whatever it was made of."""
    with Rejects(tmp_path / NAME, COLUMNS) as rejects:
        rejects.add(BadRow(2, f"{id_} is wrong", id_, ()))
    ((_, cells),) = read(tmp_path, (tmp_path / NAME).read_bytes())
    assert isinstance(cells, list)
    assert cells[1:3] == [f"'{id_}", f"'{id_} is wrong"]


def test_nothing_bad_leaves_nothing(tmp_path: Path) -> None:
    """Without bad rows there is no file, and the one of an earlier run goes."""
    (tmp_path / NAME).write_text("old")
    with Rejects(tmp_path / NAME, COLUMNS):
        pass
    assert list(tmp_path.iterdir()) == []


def test_it_appears_whole_and_private(tmp_path: Path) -> None:
    """Until it is finished the old file stands; what a run of anybody else could read is nothing."""
    (tmp_path / NAME).write_text("old")
    with Rejects(tmp_path / NAME, COLUMNS) as rejects:
        rejects.add(BadRow(2, "why"))
        assert (tmp_path / NAME).read_text() == "old"
    assert os.stat(tmp_path / NAME).st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


def test_bad_rows_of_a_table_go_through(tmp_path: Path) -> None:
    """What the readers give up on is written, NULs and half characters included."""
    found = table(tmp_path, 'a,b\n1,x\0\n2,"y" z\n3,4,5\n')
    with Rejects(tmp_path / NAME, found.columns) as rejects:
        for each in found.records():
            if isinstance(each, BadRow):
                rejects.add(each)
        rejects.add(BadRow(9, "half", "\ud800"))
    assert rejects.count == 4
