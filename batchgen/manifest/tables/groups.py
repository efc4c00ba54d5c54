"""Rows that belong together: one product with its variants and pictures, as shops export it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

from batchgen.manifest.cells import is_blank
from batchgen.manifest.expression import Expression
from batchgen.manifest.misread import BadCell, excerpt
from batchgen.manifest.tables import BadRow, Record, Table, TableError
from batchgen.manifest.tables.seen import Seen

MOST: Final = 10_000
"""Records of one group."""


_LISTED: Final = re.compile(r"\s*,\s*(?=https?://)")


class Keys:
    """What the cells of a record answer to: every header, and every slug that is a column's own."""

    def __init__(self, table: Table) -> None:
        slugs = table.names.slugs
        extra = [at for at, header in enumerate(table.columns) if slugs.get(header, header) != header]
        self._names = (*table.columns, *(slugs[table.columns[at]] for at in extra))
        self._pick = itemgetter(*range(len(table.columns)), *extra)
        self.is_single = len(self._names) == 1

    def mapping(self, cells: Sequence[str]) -> dict[str, str]:
        """A record's cells by name."""
        picked = self._pick(cells)
        return dict(zip(self._names, (picked,) if self.is_single else picked, strict=True))


class Group:
    """One record, or several of one key. `number` is the first one's row, `key` what they share."""

    __slots__ = ("_keys", "_table", "_values", "key", "records")

    def __init__(self, table: Table, keys: Keys, records: list[Record], key: str = "") -> None:
        self.records = records
        self.key = key
        self._table = table
        self._keys = keys
        self._values: dict[str, str] | None = None

    @property
    def number(self) -> int:
        """The row of the first record."""
        return self.records[0].number

    @property
    def values(self) -> Mapping[str, str]:
        """The first record's cells, by header and by slug, as written; a blank one counts as absent."""
        if self._values is None:
            self._values = self._keys.mapping(self.records[0].cells)
        return self._values

    @property
    def cells(self) -> Mapping[str, str]:
        """The first record's cells by header alone."""
        return dict(zip(self._table.columns, self.records[0].cells, strict=True))

    def all(self, column: str) -> list[str]:
        """Every cell of a column that is not blank, record by record; by header or slug.

        A cell that lists several addresses of the web, as shops write pictures, is as many cells.
        """
        at = self._table.index(column)
        cells = [record.cells[at] for record in self.records if not is_blank(record.cells[at])]
        return [part for cell in cells for part in (_LISTED.split(cell) if cell.count("://") > 1 else (cell,))]

    def matches(self, condition: Expression) -> bool:
        """Whether a condition holds for one of the records: a product is taken when one of its rows fits.

        Raises:
            BadCell: a cell is no number where one is needed; the message names the row if it is not the first.
        """
        if condition.matches(self.values):
            return True
        for record in self.records[1:]:
            try:
                if condition.matches(self._keys.mapping(record.cells)):
                    return True
            except BadCell as error:
                raise BadCell(error.column, f"{error} (row {record.number})") from None
        return False

    def bad(self, reason: str, row_id: str = "") -> BadRow:
        """This group as a row that cannot be used."""
        return BadRow(self.number, reason, row_id or self.key, self.records[0].cells)


def groups(table: Table, *, group_by: str | None = None, fill_down: Sequence[str] = ()) -> Iterator[Group | BadRow]:
    """The groups of a table in order, each record its own without `group_by`; rows that are none in between.

    Records of one key stand together; a blank key goes on with the one above. Blank cells of the columns of
    `fill_down` are filled from the group's first record, or without `group_by` from the record above. A bad row makes
    its whole group bad: part of a product is not bought.

    Raises:
        TableError: a key comes back after another one, or the table cannot be read on.
        Misread: there is no such column; before any row is read.
    """
    filled = [table.index(column) for column in fill_down]
    keys = Keys(table)
    if group_by is None:
        return _singles(table, keys, filled)
    return _Grouping(table, keys, table.index(group_by), filled).groups()


def _singles(table: Table, keys: Keys, filled: list[int]) -> Iterator[Group | BadRow]:
    above = [""] * len(filled)
    for record in table.records():
        if isinstance(record, BadRow):
            yield record
            continue
        if filled:
            record = _filled(record, filled, above)  # noqa: PLW2901  # the same record, completed
            above = [record.cells[at] for at in filled]
        yield Group(table, keys, [record])


def _filled(record: Record, columns: list[int], above: list[str]) -> Record:
    if not any(is_blank(record.cells[at]) for at in columns):
        return record
    cells = list(record.cells)
    for at, cell in zip(columns, above, strict=True):
        if is_blank(cells[at]):
            cells[at] = cell
    return Record(record.number, cells)


class _Grouping:
    """Gathers the records of one key after the other; `bad` is what spoils the group at hand."""

    def __init__(self, table: Table, keys: Keys, key_at: int, filled: list[int]) -> None:
        self._table = table
        self._keys = keys
        self._key_at = key_at
        self._filled = filled
        self._seen = Seen()
        self._key = ""
        self._records: list[Record] = []
        self._bad: BadRow | None = None

    def groups(self) -> Iterator[Group | BadRow]:
        for record in self._table.records():
            key = self._key_of(record)
            if key and key != self._key:
                yield from self._finished()
                self._begin(key, record)
            elif not self._key and isinstance(record, Record):
                column = self._table.columns[self._key_at]
                yield BadRow(record.number, f"`{column}` is empty, and no row above has one", "", record.cells)
                continue
            self._add(record)
        yield from self._finished()

    def _key_of(self, record: Record | BadRow) -> str:
        """Its key; a bad row of which too little is known goes with the rows above."""
        width = len(self._table.columns)
        is_known = isinstance(record, Record) or len(record.cells) >= width
        return record.cells[self._key_at].strip() if is_known else ""

    def _begin(self, key: str, record: Record | BadRow) -> None:
        before = self._seen.row(key, record.number)
        if before is not None:
            unit, column = self._table.unit, self._table.columns[self._key_at]
            raise TableError(
                f"{unit}s {before} and {record.number} have one `{column}`, `{excerpt(key)}`, and others stand between",
                f"sort the table by `{column}`: the rows of one group stand together",
            )
        self._key = key

    def _add(self, record: Record | BadRow) -> None:
        if isinstance(record, BadRow):
            self._bad = self._bad or record
            return
        if self._records and self._filled:
            first = self._records[0].cells
            record = _filled(record, self._filled, [first[at] for at in self._filled])
        if len(self._records) == MOST:
            column = self._table.columns[self._key_at]
            raise TableError(f"more than {MOST:,} rows have `{excerpt(self._key)}` as their `{column}`")
        self._records.append(record)

    def _finished(self) -> Iterator[Group | BadRow]:
        if self._bad is not None:
            yield BadRow(self._bad.number, self._bad.reason, self._key or self._bad.id, self._bad.cells)
        elif self._records:
            yield Group(self._table, self._keys, self._records, self._key)
        self._records, self._bad, self._key = [], None, ""
