"""Tables of the user: csv, tsv, jsonl and parquet, each also packed; one record at a time, every cell text.

A cell is kept as it is written; one of nothing but blanks counts as absent. Rows are numbered as a spreadsheet shows
them, the header being row 1; the lines of a jsonl and the rows of a parquet file count from 1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from batchgen.manifest.misread import Misread
from batchgen.manifest.tables import encodings, separators
from batchgen.manifest.tables.columnar import Columnar
from batchgen.manifest.tables.objects import Objects
from batchgen.manifest.tables.opening import HEAD, check_head, opened, reading
from batchgen.manifest.tables.records import BadRow, OtherEncoding, Record, TableError
from batchgen.manifest.tables.separated import Separated, hinted
from batchgen.manifest.tables.text import TextFile
from batchgen.manifest.vocabulary import Names

__all__ = ["BadRow", "OtherEncoding", "Record", "Table", "TableError", "open_table"]

_KINDS: Final = {
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    ".parquet": "parquet",
}
_WORKBOOKS: Final = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be read, as often as one likes.

    `separator` and `encoding` are None where there is none; `unread` are columns of lists or structures, which no cell
    can hold; `unit` is what its numbers count: row or line.
    """

    name: str
    names: Names
    separator: str | None
    encoding: str | None
    unread: tuple[str, ...]
    unit: str
    _records: Callable[[], Iterator[Record | BadRow]] = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The headers, in order."""
        return self.names.columns

    @property
    def said(self) -> str:
        """What it was taken for, in a few words."""
        parts = [f"{len(self.columns)} columns" if len(self.columns) > 1 else "1 column"]
        if self.separator:
            parts.append(f"parted by {separators.KNOWN.get(self.separator, repr(self.separator))}")
        if self.encoding:
            parts.append("UTF-8" if self.encoding == encodings.DEFAULT else self.encoding)
        return ", ".join(parts)

    def records(self) -> Iterator[Record | BadRow]:
        """Every record once, and in its place every row that is none.

        Raises:
            TableError: the table cannot be read on.
        """
        return self._records()

    def index(self, column: str) -> int:
        """Where a column stands, from 0, by its header or its slug. Misread when there is none."""
        if column in self.columns:
            return self.columns.index(column)
        for header, slug in self.names.slugs.items():
            if slug == column:
                return self.columns.index(header)
        self.names.check_column(column, 0)
        raise Misread(f"no column is named `{column}`", 0)


def open_table(
    path: Path, *, separator: str | None = None, encoding: str | None = None, name: str | None = None
) -> Table:
    """Look at a table: its kind by its name, its separator and columns by its first record.

    `separator` and `encoding` as the functions of those names give them; `name` is what messages call it.

    Raises:
        TableError: it is no table, or its header is wrong.
    """
    name = name or path.name
    kind, packed = _kind(path.name, name)
    if kind == "parquet":
        columnar = Columnar(path, name, packed)
        columns, unread = columnar.header()
        return Table(name, Names(columns), None, None, unread, "row", columnar.records)
    head = _head(path, name, packed=packed, encoding=encoding)
    file = TextFile(path, name, packed, encoding or encodings.DEFAULT)
    if kind == "jsonl":
        objects = Objects(file)
        keys = objects.columns()
        return Table(name, Names(keys), None, file.encoding, objects.header()[1], "line", objects.records)
    separated = _separated(file, head, separator)
    _, columns = separated.header()
    _check_separator(separated, columns, head)
    return Table(name, Names(columns), separated.separator, file.encoding, (), "row", separated.records)


def _kind(file: str, name: str) -> tuple[str, bool]:
    bare = file.lower()
    packed = bare.endswith(".gz")
    ending = Path(bare.removesuffix(".gz")).suffix
    if ending in _WORKBOOKS:
        raise TableError(f"`{name}` is a workbook; batchgen reads tables of text", "save it as CSV UTF-8")
    if ending == ".json":
        raise TableError(f"`{name}` is one JSON text", "write one object a line, and name it .jsonl")
    if ending not in _KINDS:
        raise TableError(f"`{name}` is no table", "tables are .csv, .tsv, .jsonl and .parquet, each also with .gz")
    return _KINDS[ending], packed


def _head(path: Path, name: str, *, packed: bool, encoding: str | None) -> str:
    with reading(name), opened(path, name, packed=packed) as stream:
        head = stream.read(HEAD)
    if not head:
        raise TableError(f"`{name}` is empty")
    check_head(head, name)
    encodings.check_marks(head, name, encoding)
    return head.decode(encoding or encodings.DEFAULT, errors="replace").lstrip("\ufeff")


def _separated(file: TextFile, head: str, separator: str | None) -> Separated:
    hint = hinted(head)
    rest = head.partition("\n")[2] if hint else head
    return Separated(file, separator or hint or separators.found(rest) or ",", skipped=hint is not None)


def _check_separator(table: Separated, columns: tuple[str, ...], head: str) -> None:
    other = separators.found(head)
    if len(columns) == 1 and other not in {None, table.separator}:
        raise TableError(
            f"`{table.file.name}` has one column when parted by {table.separator!r}",
            f"its header holds {separators.KNOWN[str(other)]}: leave `separator` away",
        )
