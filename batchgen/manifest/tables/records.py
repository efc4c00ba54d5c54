"""What a table gives: records, rows that are none, and the error that ends the reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST: Final = 4 * 1024 * 1024
"""Characters of one record, all its cells together."""

WIDEST: Final = 4096
"""Columns of a table."""


class TableError(ValueError):
    """A table cannot be read on; the message names it and, where there is one, the row. `hint` says what mends it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class OtherEncoding(TableError):
    """A table is in another encoding than it is read in; `likely` is which, empty when nobody knows."""

    def __init__(self, message: str, hint: str, likely: str = "") -> None:
        super().__init__(message, hint)
        self.likely = likely


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its cells in the order of the columns, as written. `number` is the row that a spreadsheet shows."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why; the others can. `id` is its key or id as far as it is known.

    `cells` are its cells as they were; fewer than there are columns when they could not be told apart.
    """

    number: int
    reason: str
    id: str = ""
    cells: Sequence[str] = ()
