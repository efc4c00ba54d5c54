"""The rows that a catalogue is made of: chosen, named, counted; bad ones are left out or told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from batchgen.job import InputRow
from batchgen.manifest import names
from batchgen.manifest.expression import Expression
from batchgen.manifest.faults import Faulty
from batchgen.manifest.findings import Findings, ProblemSink
from batchgen.manifest.load import Document
from batchgen.manifest.misread import BadCell, excerpt
from batchgen.manifest.places import Path, at
from batchgen.manifest.schema import RowsTable, SkipTable
from batchgen.manifest.tables import BadRow, Table, TableError
from batchgen.manifest.tables.groups import Group, groups
from batchgen.manifest.template import Template
from batchgen.manifest.texts import Texts
from batchgen.manifest.vocabulary import Names
from batchgen.terms import Accept

_FROM: Final[Path] = ("rows", "from")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row, or a group of rows, that is wanted. `values` answer to headers and slugs, `cells` are a whole column's.

    A catalogue without a table is made of one row that has no `input`.
    """

    input: InputRow | None
    values: Mapping[str, str]
    cells: Callable[[str], Sequence[str]]


class Rows:
    """The rows of one manifest, in one pass. What is wrong with `id` and `where` is told at once.

    `usable` counts the rows that made their jobs; whoever makes them counts.
    """

    def __init__(self, table: Table, keys: RowsTable, texts: Texts, problems: ProblemSink) -> None:
        self.usable = 0
        self._bad = 0
        self._table = table
        self._keys = keys
        self._document: Document = texts.document
        self._problems = problems
        self._bound = keys.on_bad_row.skip if isinstance(keys.on_bad_row, SkipTable) else Accept()
        self._kept = Findings()
        columns = Names(table.columns)
        self._where: Expression | None = None
        if keys.where is not None:
            self._where = texts.condition(("rows", "where"), keys.where, columns)
        self._id: str | Template | None = None
        if keys.id is not None:
            self._id = texts.template(("rows", "id"), keys.id, columns)
        for index, column in enumerate(keys.fill_down):
            texts.header(("rows", "fill_down", index), column)
        if keys.group_by is not None:
            texts.header(("rows", "group_by"), keys.group_by)
        problems.opened(table)

    def wanted(self) -> Iterator[Row]:
        """The rows that `where` lets through, in order. A table that cannot be read on is a problem, and ends them."""
        try:
            for group in groups(self._table, group_by=self._keys.group_by, fill_down=self._keys.fill_down):
                if isinstance(group, BadRow):
                    self._refuse(group, _FROM)
                elif (row := self._row(group)) is not None:
                    yield row
        except TableError as error:
            self._problems.problem(at(self._document, _FROM).problem(str(error), hint=error.hint))

    def refuse(self, row: InputRow, fault: Faulty) -> None:
        """Count a row that makes no job."""
        self._refuse(BadRow(row.number, str(fault), row.id, tuple(row.cells.values())), fault.path)

    def check(self) -> None:
        """Say, at the end, whether too many rows were bad or too few were usable."""
        rows, keys = self.usable + self._bad, self._keys
        if self._bound.allows(self._bad, rows):
            if self._bad:
                self._problems.note(f"{self._bad:,} of {rows:,} rows are bad and left out")
        elif isinstance(keys.on_bad_row, SkipTable):
            message = f"{self._bad:,} of {rows:,} rows are bad, more than the {self._bound} that may be left out"
            self._problems.problem(at(self._document, ("rows", "on_bad_row")).problem(message))
        if not self._bound.allows(self._bad, rows):
            self._kept.hand_on(self._problems)
        if self.usable < keys.at_least:
            message = f"the table has {self.usable:,} usable rows, and {keys.at_least:,} are the least that is expected"
            self._problems.problem(at(self._document, ("rows", "at_least")).problem(message))
        elif not rows:
            message = "no row is left: `where` holds for none" if keys.where else "the table has no rows"
            path: Path = ("rows", "where") if keys.where else _FROM
            self._problems.problem(at(self._document, path).problem(message))

    def _row(self, group: Group) -> Row | None:
        row_id, path = group.key, ("rows", "where")
        try:
            if self._where is not None and not group.matches(self._where):
                return None
            path = ("rows", "id")
            row_id = self._id_of(group)
            names.job_id(row_id)
        except BadCell as error:
            self._refuse(group.bad(str(error)), path)
        except ValueError as error:
            self._refuse(group.bad(f"`{excerpt(row_id)}`: {error}"), path)
        else:
            return Row(InputRow(group.number, row_id, group.cells), group.values, group.all)
        return None

    def _id_of(self, group: Group) -> str:
        match self._id:
            case None:
                return group.key
            case str():
                return self._id
            case Template():
                return self._id.render(group.values).strip()

    def _refuse(self, row: BadRow, path: Path) -> None:
        self._bad += 1
        self._problems.reject(row)
        name = f"{self._table.unit} {row.number}" + (f" (`{excerpt(row.id)}`)" if row.id else "")
        self._kept.problem(at(self._document, path).problem(f"{name}: {row.reason}", row=row.number))
