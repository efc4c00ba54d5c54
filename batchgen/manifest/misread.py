"""What can be wrong with a `where`, a `when` or a template: as it is written, or with a cell that it meets."""

from typing import Final

from batchgen.manifest.source import starred

_SHOWN: Final = 40


class Misread(ValueError):
    """A text in one of the two small languages is wrong; `offset` counts its characters from 0.

    `hint` is a suggestion, or empty.
    """

    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.hint = hint


class BadCell(ValueError):
    """A cell is not what an expression or a template needs; `column` is the name that was written there.

    The message does not say the row: whoever reads rows adds it.
    """

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def excerpt(cell: str) -> str:
    """A cell in one short line for a message, credentials and URL queries starred."""
    line = " ".join(starred(cell[: 4 * _SHOWN]).split())
    return line if len(line) <= _SHOWN and len(cell) <= 4 * _SHOWN else line[: _SHOWN - 1] + "…"
