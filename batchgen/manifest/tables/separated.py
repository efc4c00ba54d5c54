"""CSV and TSV: records of quoted cells, read by the standard library, with every oddity told by its row."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

from batchgen.manifest.misread import excerpt
from batchgen.manifest.tables import encodings, header
from batchgen.manifest.tables.opening import reading
from batchgen.manifest.tables.records import MOST, BadRow, Record, TableError
from batchgen.manifest.tables.text import Lines, TextFile

_HINT_LINE: Final = "sep="


@dataclass(frozen=True, slots=True)
class Separated:
    """A file of separated cells. `skipped` says whether a first line that names the separator is passed over."""

    file: TextFile
    separator: str
    skipped: bool = False

    def header(self) -> tuple[int, tuple[str, ...]]:
        """The row that names the columns, and their names. TableError when there are none."""
        with reading(self.file.name), closing(self.file.lines()) as lines:
            try:
                for row, cells in enumerate(self._reader(lines), start=1):
                    lines.size = 0
                    if not _is_blank(cells):
                        return row, header.columns(cells, self.file.name)
            except UnicodeError:
                raise self._undecoded() from None
            except csv.Error:
                raise TableError(
                    f"the header of `{self.file.name}` has a quote that is never closed",
                    "a quote inside a cell is written twice",
                ) from None
        raise TableError(f"`{self.file.name}` is empty")

    def records(self) -> Iterator[Record | BadRow]:
        """Its records below the header, and the rows that are none; blank rows are passed over.

        Raises:
            TableError: the encoding is another one, or a quote swallows more than its row.
        """
        row, columns = self.header()
        with reading(self.file.name), closing(self.file.lines()) as lines:
            try:
                reader = self._reader(lines)
                for _ in range(row):
                    next(reader)
                yield from _Body(self, columns, row, lines).records(reader)
            except UnicodeError:
                raise self._undecoded() from None

    def _reader(self, lines: Lines, *, strict: bool = True) -> Iterator[list[str]]:
        csv.field_size_limit(max(csv.field_size_limit(), MOST))
        if self.skipped:
            next(lines)
        return csv.reader(lines, delimiter=self.separator, strict=strict)

    def _undecoded(self) -> TableError:
        """The same file again, to say where it is not of its encoding."""
        with reading(self.file.name), closing(self.file.lines("surrogateescape")) as lines:
            headers: Sequence[str] = ()
            with suppress(UnicodeError, csv.Error):
                for row, cells in enumerate(self._reader(lines, strict=False), start=1):
                    lines.size = 0
                    at = next((at for at, cell in enumerate(cells) if encodings.is_strange(cell)), None)
                    if at is not None:
                        column = excerpt(headers[at]) if at < len(headers) else header.letters(at)
                        place = f"`{self.file.name}`, row {row}, column `{column}`"
                        return encodings.strange(cells[at], place, self.file.encoding)
                    headers = headers or ([] if _is_blank(cells) else cells)
        return TableError(f"`{self.file.name}` is not {self.file.encoding}", "save it as CSV UTF-8")


@dataclass(slots=True)
class _Body:
    """The records below a header, as they come."""

    table: Separated
    columns: tuple[str, ...]
    row: int
    lines: Lines

    def records(self, reader: Iterator[list[str]]) -> Iterator[Record | BadRow]:
        lines, width = self.lines, len(self.columns)
        while True:
            lines.size, start = 0, lines.count
            self.row += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._broken(start, str(error))
                continue
            if not (cells and cells[0].strip()) and _is_blank(cells):
                continue
            if len(cells) != width or lines.nul:
                yield self._fitted(cells)
            else:
                yield Record(self.row, cells)

    def _fitted(self, cells: list[str]) -> Record | BadRow:
        """A record that is too short, or too long by blank cells, made fit; NULs and cells without a column are bad."""
        width = len(self.columns)
        if self.lines.nul:
            self.lines.nul = False
            return BadRow(self.row, "it holds a NUL character", "", cells)
        if _is_blank(cells[width:]):
            return Record(self.row, (cells + [""] * width)[:width])
        return BadRow(self.row, f"it has {len(cells)} cells, and there are {width} columns", "", cells)

    def _broken(self, start: int, error: str) -> BadRow:
        """A record whose quotes do not close; one that ends on its own line harms no other and is kept as that line."""
        name = self.table.file.name
        hint = "a quote inside a cell is written twice"
        if self.lines.count - start > 1:
            where = f"row {self.row} of `{name}` (line {start + 1 + self.table.skipped})"
            raise TableError(f"{where} opens a quote that is not closed where a cell ends", hint)
        never = error.startswith("unexpected end")
        reason = "it opens a quote that is never closed" if never else "text follows a closing quote"
        return BadRow(self.row, f"{reason}; {hint}", "", (self.lines.last.rstrip("\n"),))


def _is_blank(cells: Sequence[str]) -> bool:
    return not "".join(cells).strip()


def hinted(head: str) -> str | None:
    """The separator that a first line such as `sep=;` names, as spreadsheets write it."""
    line = head.splitlines()[0].strip('"') if head.startswith((_HINT_LINE, f'"{_HINT_LINE}')) else ""
    return line[len(_HINT_LINE) :] if len(line) == len(_HINT_LINE) + 1 else None
