"""Reading tables: what a spreadsheet or a shop writes comes out cell by cell, and what is broken is told by its row."""

import gzip
import io
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from time import process_time

import pyarrow  # type: ignore[import-untyped]  # pyarrow has no types
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from batchgen.manifest.tables import BadRow, Record, TableError, encodings, open_table, separators
from batchgen.manifest.tables.records import MOST
from tests.manifest.tabling import read, table

QUICK = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("data", "said", "first"),
    [
        ("a,b\n1,2\n", "2 columns, parted by commas, UTF-8", ["1", "2"]),
        ("a;b, c\n1,5;2\n", "2 columns, parted by semicolons, UTF-8", ["1,5", "2"]),
        ("a\tb\n1\t2\n", "2 columns, parted by tabs, UTF-8", ["1", "2"]),
        ("a|b\n1|2\n", "2 columns, parted by bars, UTF-8", ["1", "2"]),
        ("a\n1,2\n", "1 column, parted by commas, UTF-8", "it has 2 cells, and there are 1 columns"),
        ('"a;b;c",d\n1,2\n', "2 columns, parted by commas, UTF-8", ["1", "2"]),
        ("Name;Price, net;Stock, pcs\nx;9,50;3\n", "3 columns, parted by semicolons, UTF-8", ["x", "9,50", "3"]),
        ("A;B, C\nx;1\n", "2 columns, parted by semicolons, UTF-8", ["x", "1"]),
        ("sep=;\r\na;b\r\n1;2\r\n", "2 columns, parted by semicolons, UTF-8", ["1", "2"]),
        ('"sep=|"\na|b\n1|2\n', "2 columns, parted by bars, UTF-8", ["1", "2"]),
        ("\ufeffa,b\r\n1,2\r\n", "2 columns, parted by commas, UTF-8", ["1", "2"]),
        ("a,b\r1,2\r", "2 columns, parted by commas, UTF-8", ["1", "2"]),
        ("a,b,,\n1,2,,\n", "2 columns, parted by commas, UTF-8", ["1", "2"]),
        ('a,b\n1," x ""y"", z "\n', "2 columns, parted by commas, UTF-8", ["1", ' x "y", z ']),
        ('a,b\n1,"x\r\ny\rz"\r\n', "2 columns, parted by commas, UTF-8", ["1", "x\ny\nz"]),
        ("a,b\n007,😀\n", "2 columns, parted by commas, UTF-8", ["007", "😀"]),
        ('a,b\n6" pipe,1\n', "2 columns, parted by commas, UTF-8", ['6" pipe', "1"]),
        ("\n , \na,b\n1,2\n", "2 columns, parted by commas, UTF-8", ["1", "2"]),
    ],
)
def test_a_table_is_taken_for_what_it_is(tmp_path: Path, data: str, said: str, first: object) -> None:
    """The separator is found and said, quotes respected; cells come as they were written, line ends as line feeds."""
    assert table(tmp_path, data).said == said
    assert read(tmp_path, data)[0][1] == first


def test_headers_are_trimmed(tmp_path: Path) -> None:
    """Blanks around a header and line breaks inside are no part of it, and each column answers to its slug."""
    found = table(tmp_path, '" Variant\nSKU ",Größe,ID\n1,2,3\n')
    assert found.columns == ("Variant SKU", "Größe", "ID")
    assert dict(found.names.slugs) == {"Variant SKU": "variant_sku", "Größe": "größe", "ID": "id"}
    assert [found.index(name) for name in ("Variant SKU", "variant_sku", "größe")] == [0, 0, 1]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    """The header is row 1; blank rows count and are passed over; a cell of many lines is still in one row."""
    data = 'a,b\n1,"x\ny\nz"\n\n , \n,\n2,3\n'
    assert read(tmp_path, data) == [(2, ["1", "x\ny\nz"]), (6, ["2", "3"])]


def test_rows_of_another_width(tmp_path: Path) -> None:
    """Cells missing at the end are empty, blank ones too many are dropped; a full one too many makes the row bad."""
    assert read(tmp_path, "a,b,c\n1\n1,2\n1,2,3,,\n1,2,3,4\n1,2,3\n") == [
        (2, ["1", "", ""]),
        (3, ["1", "2", ""]),
        (4, ["1", "2", "3"]),
        (5, "it has 4 cells, and there are 3 columns"),
        (6, ["1", "2", "3"]),
    ]


def test_a_bad_quote_harms_its_row_alone(tmp_path: Path) -> None:
    """A row whose quotes do not work is bad, and the next one is read; it is kept as its line."""
    rows = list(table(tmp_path, 'a,b\n1,"x" y\n2,z\n3,"never').records())
    assert [each.number for each in rows] == [2, 3, 4]
    first, _, last = rows
    assert isinstance(first, BadRow)
    assert isinstance(last, BadRow)
    assert first.reason.startswith("text follows a closing quote")
    assert list(first.cells) == ['1,"x" y']
    assert last.reason.startswith("it opens a quote that is never closed")


@pytest.mark.parametrize("tail", ["", '"y\n4,z\n'])
def test_a_quote_that_swallows_rows(tmp_path: Path, tail: str) -> None:
    """A quote that runs over other rows ends the reading, and the row where it opened is named."""
    with pytest.raises(TableError, match=r"row 3 of `t.csv` \(line 3\) opens a quote") as caught:
        read(tmp_path, f'a,b\n1,w\n2,"x\n3,{tail}')
    assert "written twice" in caught.value.hint


def test_nul(tmp_path: Path) -> None:
    """A NUL makes its row bad, and no other."""
    assert read(tmp_path, "a,b\n1,x\0\n2,y\n") == [(2, "it holds a NUL character"), (3, ["2", "y"])]


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"", "`t.csv` is empty", ""),
        (b"\n\n", "`t.csv` is empty", ""),
        (b"a,,b\n", "column B of `t.csv` has no header", "name it"),
        (b"a,b, a\n", "columns A and C of `t.csv` are both named `a`", "rename"),
        (b"a,b\0\n", "header of column B of `t.csv` holds a NUL", ""),
        (b",".join(b"c%d" % at for at in range(5000)), "5,000 columns", ""),
        (b'a,"b\n1,2\n', "a quote that is never closed", "written twice"),
        (b"PK\x03\x04", "workbook", "CSV UTF-8"),
        (b"\x1f\x8b\x08", "packed with gzip", ".gz"),
        (b"PAR1", "parquet", ".parquet"),
        (b"\r\n <!DOCTYPE html>", "web page", "login"),
        ("a;b\n1;2".encode("utf-16"), "it is UTF-16", "encoding: utf-16"),
        ("a;b\n1;2".encode("utf-16-be"), "looks like UTF-16", "utf-16-le"),
        ("Titel;Größe\n".encode("cp1252"), "row 1, column `B`: the byte 0xf6", "should read `Größe`"),
        ('T,U\nx,1\n"a\nb",Schön da\n'.encode("cp1252"), "row 3, column `U`: the byte 0xf6", "should read `Schön`"),
        (b"T\nx\x81y\n", "row 2, column `T`: the byte 0x81 is not UTF-8", "such as cp1252"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, data: bytes, message: str, hint: str) -> None:
    """A file that is no table, or in another encoding, is refused with the sentence that mends it."""
    with pytest.raises(TableError) as caught:
        read(tmp_path, data)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.xlsx", "is a workbook"),
        ("t.ods", "is a workbook"),
        ("t.json", "one JSON text"),
        ("t.md", "is no table"),
        ("t", "is no table"),
    ],
)
def test_names_that_are_no_table(tmp_path: Path, name: str, message: str) -> None:
    """A file is known by the end of its name."""
    with pytest.raises(TableError, match=message):
        table(tmp_path, "a\n", name)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """No file, a folder, and a pipe that would block for ever are refused at once."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name, message in (("gone", "does not exist"), ("pipe", "no regular file"), ("folder", "is a folder")):
        with pytest.raises(TableError, match=message):
            open_table(tmp_path / f"{name}.csv")
    with pytest.raises(TableError, match="cannot be read"):
        open_table(Path("a\0.csv"))


def test_encodings_that_are_named(tmp_path: Path) -> None:
    """A table in the encoding that the manifest names is read in it; one that is otherwise is told."""
    text = 'Titel;Größe\n"Schön";5\n'
    for name in ("cp1252", "latin-1", "macintosh", "utf-16", "utf-8", "CP850"):
        data = text.encode(name)
        assert read(tmp_path, data, encoding=encodings.encoding(name)) == [(2, ["Schön", "5"])]
    with pytest.raises(TableError, match="says of itself that it is UTF-8"):
        table(tmp_path, text.encode("utf-8-sig"), encoding="cp1252")
    with pytest.raises(TableError, match="byte 0xff is not ascii"):
        read(tmp_path, b"a\n\xff\n", encoding="ascii")
    for wrong in ("rot13", "idna", "base64", "unicode_escape", "", "a\0"):
        with pytest.raises(ValueError, match="no encoding of text"):
            encodings.encoding(wrong)


def test_separators_that_are_named(tmp_path: Path) -> None:
    """A separator is a character or its name; one that the header does not hold is refused when another is there."""
    assert read(tmp_path, "a:b\n1:2\n", separator=separators.separator(":")) == [(2, ["1", "2"])]
    assert [separators.separator(word) for word in ("tab", "\t", "Semicolon", "pipe", "^")] == [
        "\t",
        "\t",
        ";",
        "|",
        "^",
    ]
    with pytest.raises(TableError, match="one column when parted by ','") as caught:
        table(tmp_path, "a;b\n1;2\n", separator=",")
    assert "semicolons" in caught.value.hint
    for wrong in ("ab", "a", '"', "", "\n"):
        with pytest.raises(ValueError, match="one character"):
            separators.separator(wrong)


def test_gzip(tmp_path: Path) -> None:
    """A packed table reads as it does unpacked; a torn one is told."""
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 20_000)
    assert len(read(tmp_path, packed, "t.csv.gz")) == 20_000
    for torn in (packed[:-9], b"a,b\n1,2\n", packed[:40] + b"\xff" * 40 + packed[80:]):
        with pytest.raises(TableError, match="damaged or cut off"):
            read(tmp_path, torn, "t.csv.gz")


BOMB = """
import sys, time
from pathlib import Path
from batchgen.manifest.tables import open_table, TableError
try:
    for _ in open_table(Path(sys.argv[1])).records(): pass
except TableError as error:
    print(error)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, time.process_time(), sep="\\n")
"""


@pytest.mark.parametrize(
    ("head", "line", "times", "said"),
    [
        (b"a,b\n1,", b"x" * 1_000_000, 100, "a record of more than"),
        (b'a,b\n1,"', b"x\n" * 500_000, 100, "a record of more than"),
        (b"a\n", b"\0" * 1_000_000, 100, "looks like UTF-16"),
        (b"a\n", (b"x" * 99 + b"\n") * 10_000, 80, "far more than a table would"),
    ],
)
def test_a_bomb_is_put_down(tmp_path: Path, head: bytes, line: bytes, times: int, said: str) -> None:
    """A cell of 100 MB, or a file that unpacks to far more than it is, ends early and in little memory."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(head) + gzip.compress(line) * times)
    done = subprocess.run([sys.executable, "-c", BOMB, path], capture_output=True, text=True, check=True)
    message, megabytes, seconds = done.stdout.splitlines()
    assert said in message
    assert int(megabytes) < 150
    assert float(seconds) < 8


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """A table is read in the same memory however long it is, and quickly."""
    row = ",".join(f"cell {at}" for at in range(20)) + "\n"
    (tmp_path / "t.csv").write_text("".join(f"c{at}," for at in range(20))[:-1] + "\n" + row * 100_000)
    found = open_table(tmp_path / "t.csv")
    sum(1 for _, each in zip(range(1000), found.records(), strict=False))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, process_time()
    assert sum(isinstance(each, Record) for each in found.records()) == 100_000
    assert process_time() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000


def test_json_lines(tmp_path: Path) -> None:
    """Objects become rows: numbers keep their digits, null and missing keys are empty, later keys are columns too."""
    data = '{"a": 1.50, "b": "x", "c": true}\n\n{"b": null, "d": 12345678901234567890, "a": "ä"}\r\n'
    found = table(tmp_path, data, "t.jsonl")
    assert found.columns == ("a", "b", "c", "d")
    assert (found.unit, found.separator) == ("line", None)
    assert read(tmp_path, data, "t.jsonl") == [
        (1, ["1.50", "x", "true", ""]),
        (3, ["ä", "", "", "12345678901234567890"]),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nope", "no JSON object"),
        ("[1]", "no object"),
        ("7", "no object"),
        ("[" * 100_000, "no JSON object"),
        ('{"a": 1, "a": 2}', "a key stands twice"),
        ('{"a": [1]}', "`a` holds a list"),
        ('{"a": {}}', "`a` holds a list or an object"),
        ('{"a": "\\u0000"}', "half a character"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a": ' + "1" * 10_000, "no JSON object"),
    ],
)
def test_lines_that_are_no_object(tmp_path: Path, line: str, reason: str) -> None:
    """A line that cannot be a row is bad by itself, and the next one is read."""
    ((_, first), (number, told), (_, last)) = read(tmp_path, f'{{"a": "1"}}\n{line}\n{{"a": 2}}\n', "t.ndjson")
    assert (first, number, last) == (["1"], 2, ["2"])
    assert reason in str(told)


def test_keys_that_hold_lists_are_no_columns(tmp_path: Path) -> None:
    """A key whose first value is a list or an object is left out and named, and the rows stay good."""
    data = '{"a": 1, "tags": ["x"], "maybe": null}\n{"a": 2, "tags": null, "maybe": {}}\n'
    found = table(tmp_path, data, "t.jsonl")
    assert (found.columns, found.unread) == (("a",), ("tags", "maybe"))
    assert read(tmp_path, data, "t.jsonl") == [(1, ["1"]), (2, ["2"])]


def test_a_key_that_comes_late(tmp_path: Path) -> None:
    """A key that none of the first thousand objects has is a mistake in its line, not a silent loss."""
    rows = read(tmp_path, '{"a": 1}\n' * 1000 + '{"a": 1, "b": 2}\n', "t.jsonl")
    assert rows[-1] == (1001, "its key `b` stands in none of the first 1,000 lines")


@pytest.mark.parametrize(
    ("data", "said"), [(b"[\n1\n]", "no object"), (b'{" a": 1}', "blanks"), (b'{"a":"\xff"}', "UTF-8")]
)
def test_json_lines_that_are_none(tmp_path: Path, data: bytes, said: str) -> None:
    """A file without objects, with names that no column can have, or in another encoding is refused."""
    with pytest.raises(TableError, match=said):
        read(tmp_path, data, "t.jsonl")


def columnar(**columns: Sequence[object]) -> bytes:
    """A parquet file."""
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file, row_group_size=2)
    return file.getvalue()


def test_parquet(tmp_path: Path) -> None:
    """Plain columns become text as people write it, lists are left out and named, and packed ones read the same."""
    data = columnar(
        s=["x", None, "ä\n"],
        i=[1, 2, None],
        f=[1.0, 2.5, None],
        b=[True, False, None],
        d=[date(2024, 1, 2)] * 3,
        t=[datetime(2024, 1, 2, 3)] * 3,  # noqa: DTZ001  # parquet's own plain time
        m=[Decimal("1.50")] * 3,
        l=[[1]] * 3,
    )
    found = table(tmp_path, data, "t.parquet")
    assert (found.columns, found.unread) == (("s", "i", "f", "b", "d", "t", "m"), ("l",))
    rows = read(tmp_path, data, "t.parquet")
    assert rows[0] == (1, ["x", "1", "1.0", "true", "2024-01-02", "2024-01-02T03:00:00", "1.50"])
    assert rows[2] == (3, ["ä\n", "", "", "", "2024-01-02", "2024-01-02T03:00:00", "1.50"])
    assert read(tmp_path, gzip.compress(data), "t.parquet.gz") == rows
    assert read(tmp_path, columnar(s=["a\0", "b"]), "t.parquet")[0] == (1, "`s` holds a NUL character")


def test_parquet_that_is_none(tmp_path: Path) -> None:
    """A damaged file, and one of which no column can be a cell, are refused."""
    good = columnar(s=["x"] * 1000)
    for data, said in (
        (b"", "no parquet file"),
        (good[:-9], "no parquet file"),
        (good[:10] + b"\xff" * 60 + good[70:], "damaged below its row"),
        (columnar(l=[[1]]), "no column of plain values"),
        (columnar(**{" a": [1]}), "blanks around its name"),
    ):
        with pytest.raises(TableError, match=said):
            read(tmp_path, data, "t.parquet")


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the one command that installs it is told."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TableError, match="needs pyarrow") as caught:
        table(tmp_path, b"", "t.parquet")
    assert caught.value.hint == "pip install 'batchgen[parquet]'"


GOOD = {
    "t.csv": b'a,b\n1,"x\ny"\n2,z\n',
    "t.tsv": b"a\tb\n1\t2\n",
    "t.jsonl": b'{"a": 1, "b": "x"}\n{"a": 2}\n',
    "t.parquet": columnar(a=["x", "y"], b=[1, 2]),
}
GOOD |= {f"{name}.gz": gzip.compress(data) for name, data in GOOD.items()}


@given(st.sampled_from(sorted(GOOD)), st.binary(max_size=60), st.integers(0, 400), st.integers(0, 60))
@example("t.csv", b"\xff\xfe", 0, 0)
@example("t.csv", b'"', 4, 0)
@example("t.csv", b"sep=", 0, 100)
@example("t.csv", b"sep=;\n", 0, 100)
@example("t.jsonl", b'{"\\ud800": 1}\n', 0, 100)
@QUICK
def test_any_bytes(tmp_path: Path, name: str, put: bytes, at: int, cut: int) -> None:
    """Whatever a file holds, it gives records as wide as its header, bad rows, or the one error; never a traceback."""
    data = GOOD[name][:at] + put + GOOD[name][at + cut :]
    with suppress(TableError):
        found = table(tmp_path, data, name)
        assert found.said
        for each in found.records():
            if isinstance(each, Record):
                assert len(each.cells) == len(found.columns)
                assert sum(map(len, each.cells)) <= MOST
            else:
                assert each.reason


@given(st.text(max_size=60), st.sampled_from(["utf-8-sig", "cp1252", "utf-16", "ascii"]), st.sampled_from([None, ";"]))
@QUICK
def test_any_text(tmp_path: Path, text: str, encoding: str, separator: str | None) -> None:
    """The same for text, in whatever encoding it is said to be."""
    with suppress(TableError):
        found = table(tmp_path, text.encode("utf-8", "surrogatepass"), encoding=encoding, separator=separator)
        assert all(each.number > 1 for each in found.records())


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6), st.sampled_from([",", ";", "\t", "|"]), st.booleans()
)
@QUICK
def test_what_a_spreadsheet_writes_is_read(tmp_path: Path, rows: list[list[str]], separator: str, crlf: bool) -> None:
    """Any cells, quoted as the standard says, come back as they were, in rows with the right numbers."""
    quoted = [separator.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows]
    end = "\r\n" if crlf else "\n"
    data = end.join([separator.join("abc"), *quoted, ""])
    expected = [(at, row) for at, row in enumerate(rows, start=2) if "".join(row).strip()]
    assert read(tmp_path, data) == expected
