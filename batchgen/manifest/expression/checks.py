"""The comparisons of an expression as quick functions of a row."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from batchgen.manifest.cells import number

Cells: TypeAlias = Mapping[str, str]
Check: TypeAlias = Callable[[Cells, Cells], bool]
"""Given the names that stand alone, and the columns that `row['…']` reaches."""

Order: TypeAlias = Callable[[int | float, int | float], bool]

ORDERS: Final[Mapping[str, Callable[..., bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell by its name, which stands alone or in `row['…']`."""

    name: str
    in_row: bool

    def reader(self) -> Callable[[Cells, Cells], str]:
        """What reads it without blanks around it; an absent one is the empty text."""
        name = self.name
        if self.in_row:
            return lambda _, row: (row.get(name) or "").strip()
        return lambda values, _: (values.get(name) or "").strip()


def text_is(cell: Cell, text: str) -> Check:
    """The cell is this text."""
    read, text = cell.reader(), text.strip()
    return lambda values, row: read(values, row) == text


def text_ordered(cell: Cell, sign: str, text: str) -> Check:
    """The cell stands before or after this text, character by character; an absent one does neither."""
    read, order = cell.reader(), ORDERS[sign]

    def check(values: Cells, row: Cells) -> bool:
        found = read(values, row)
        return bool(found) and order(found, text)

    return check


def number_is(cell: Cell, sign: str, wanted: float) -> Check:
    """The cell, read as a number, compares so; an absent one never does, not even with !=."""
    read, name = cell.reader(), cell.name
    order: Order = {**ORDERS, "==": operator.eq, "!=": operator.ne}[sign]

    def check(values: Cells, row: Cells) -> bool:
        found = read(values, row)
        return bool(found) and order(number(found, name), wanted)

    return check


def cells_equal(one: Cell, other: Cell) -> Check:
    """Both cells hold the same text."""
    first, second = one.reader(), other.reader()
    return lambda values, row: first(values, row) == second(values, row)


def cells_ordered(one: Cell, sign: str, other: Cell) -> Check:
    """Both cells, read as numbers, stand in this order; an absent one in none."""
    first, second, order = one.reader(), other.reader(), ORDERS[sign]

    def check(values: Cells, row: Cells) -> bool:
        left, right = first(values, row), second(values, row)
        return bool(left and right) and order(number(left, one.name), number(right, other.name))

    return check


def contains(cell: Cell, part: str) -> Check:
    """The cell holds this text somewhere."""
    read = cell.reader()
    return lambda values, row: part in read(values, row)


def is_among(cell: Cell, wanted: tuple[str | int | float, ...]) -> Check:
    """The cell is one of these; it is read as a number only where it is compared with one."""
    read, name = cell.reader(), cell.name
    texts = frozenset(each.strip() for each in wanted if isinstance(each, str))
    numbers = frozenset(each for each in wanted if not isinstance(each, str))

    def check(values: Cells, row: Cells) -> bool:
        found = read(values, row)
        return found in texts or bool(numbers and found and number(found, name) in numbers)

    return check


def negated(check: Check) -> Check:
    """The opposite."""
    return lambda values, row: not check(values, row)


def all_of(checks: tuple[Check, ...]) -> Check:
    """Every one, asked from the left until one fails."""
    if len(checks) == 2:
        first, second = checks
        return lambda values, row: first(values, row) and second(values, row)
    return lambda values, row: all(check(values, row) for check in checks)


def any_of(checks: tuple[Check, ...]) -> Check:
    """At least one, asked from the left until one holds."""
    if len(checks) == 2:
        first, second = checks
        return lambda values, row: first(values, row) or second(values, row)
    return lambda values, row: any(check(values, row) for check in checks)
