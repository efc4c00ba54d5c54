"""What a cell of a table means: text always, absent when blank, and a number only when it is written as one."""

import re
from typing import Final

from batchgen.manifest.misread import BadCell, excerpt

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_LONGEST: Final = 300
"""Characters of a number."""


def is_blank(cell: str) -> bool:
    """Whether a cell is absent: empty, or nothing but blanks."""
    return not cell or cell.isspace()


def read_number(text: str) -> int | float | None:
    """The number that a text is, blanks around it aside, or None. `1.5` and `2e3` are numbers; `1,5` and `1'000` not.

    Whole numbers are exact, whatever their length.
    """
    text = text.strip()
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def number(cell: str, column: str) -> int | float:
    """The number in a cell.

    Raises:
        BadCell: it is none.
    """
    found = read_number(cell)
    if found is None:
        comma = "; a decimal point is a point, and thousands have no mark" if re.search(r"[0-9],[0-9]", cell) else ""
        raise BadCell(column, f"`{column}` is `{excerpt(cell)}`, which is no number{comma}")
    return found
