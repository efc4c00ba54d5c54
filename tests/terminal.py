"""A terminal as a grid of cells: it obeys what our panel uses of a real one, and nothing else."""

import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from batchgen.cli.outlet import Outlet

_PIECE = re.compile(r"\x1b\[(\d*)(?:;\d+)*([ABHJKm])|([\r\n])|([^\x1b\r\n])")


@dataclass
class Terminal(io.TextIOBase):
    """`rows` is what can be seen, `above` what was scrolled away; wide characters take one cell here."""

    width: int = 80
    height: int = 24
    above: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    at: tuple[int, int] = (0, 0)
    frames: list[str] = field(default_factory=list)
    looks: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rows = [""] * self.height

    @property
    def outlet(self) -> Outlet:
        """What the program writes to."""
        return Outlet(self)  # type: ignore[arg-type]  # enough of a stream

    @property
    def size(self) -> Callable[[], os.terminal_size]:
        """Asked before every frame."""
        return lambda: os.terminal_size((self.width, self.height))

    def isatty(self) -> bool:
        """It is."""
        return True

    def resize(self, width: int, height: int) -> None:
        """Wrap what is wider than the new width, and show the end of it, as many terminals do."""
        whole = [each[begin : begin + width] for each in self.rows for begin in range(0, max(1, len(each)), width)]
        self.width, self.height = width, height
        while len(whole) > height and not whole[-1]:
            whole.pop()
        gone = max(0, len(whole) - height)
        self.above += whole[:gone]
        self.rows = [*whole[gone:], *[""] * (height - len(whole) + gone)]
        self.at = (min(self.at[0], height - 1), 0)

    def write(self, text: str) -> int:
        """Obey; what is not understood is an error."""
        self.frames.append(text)
        end = 0
        for piece in _PIECE.finditer(text):
            assert piece.start() == end, repr(text[end : piece.start()])
            end = piece.end()
            count, order, line, character = piece.groups()
            self._obey(int(count or (0 if order in {"J", "K"} else 1)), order) if order else self._put(line, character)
        assert end == len(text), repr(text[end:])
        return len(text)

    def _put(self, line: str | None, character: str | None) -> None:
        row, column = self.at
        if line == "\r":
            self.at = (row, 0)
        elif line:
            self.at = (row, column)
            self._down()
        else:
            assert column < self.width, "a line is wider than the terminal"
            self.rows[row] = f"{self.rows[row]:<{column}}"[:column] + str(character) + self.rows[row][column + 1 :]
            self.at = (row, column + 1)

    def _down(self) -> None:
        row, column = self.at
        if row + 1 < self.height:
            self.at = (row + 1, column)
            return
        self.above.append(self.rows.pop(0))
        self.rows.append("")

    def _obey(self, count: int, order: str) -> None:
        row, column = self.at
        match order:
            case "A":
                self.at = (max(0, row - count), column)
            case "B":
                self.at = (min(self.height - 1, row + count), column)
            case "H":
                self.at = (0, 0)
            case "K":
                self.rows[row] = "" if count == 2 else self.rows[row][:column]
            case "J":
                self.rows[row:] = [self.rows[row][:column], *[""] * (self.height - row - 1)]
            case _:
                self.looks.add(str(count))

    @property
    def seen(self) -> list[str]:
        """What can be seen, without empty rows below."""
        return "\n".join(each.rstrip() for each in self.rows).rstrip("\n").split("\n")
