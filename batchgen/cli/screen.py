"""The foot of a terminal, painted over and over in place: no frame leaves anything of the one before."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from batchgen.cli.outlet import Outlet
from batchgen.report.plain import fit

_USUAL: Final = os.terminal_size((80, 24))

_CODES: Final = {"": "", "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


@dataclass(frozen=True, slots=True)
class Ink:
    """A piece of a line in one look; colour says nothing that the words do not."""

    text: str
    look: str = ""


def size_of(out: Outlet) -> os.terminal_size:
    """How large a terminal is; 80 by 24 when it does not say."""
    try:
        found = os.get_terminal_size(out.fileno())
    except OSError:
        return _USUAL
    return found if found.columns and found.lines else _USUAL


class Screen:
    """Paints lines below what stands on a terminal already. `size` is asked before every frame.

    The cursor is never hidden and nothing else about the terminal is changed: a killed program leaves it as it was.
    """

    def __init__(self, out: Outlet, size: Callable[[], os.terminal_size] | None = None) -> None:
        self._out = out
        self._ask = size or (lambda: size_of(out))
        self._size = self._ask()
        self._painted = 0

    def measure(self) -> os.terminal_size:
        """Ask the size before a frame; when it has changed, the last one is wiped away, wherever it went."""
        now = self._ask()
        if now != self._size and self._painted:
            self._wipe(now)
        self._size = now
        return now

    def paint(self, lines: Sequence[Sequence[Ink]], width: int) -> None:
        """Paint a frame over the last one; every line is cut to `width` columns, which are fewer than there are."""
        body = "".join(f"{self._line(line, width)}\x1b[K\r\n" for line in lines)
        self._out.write(f"{self._up()}{body}\x1b[J")
        self._painted = len(lines)

    def clear(self) -> None:
        """Take the last frame away; what comes next stands in its place."""
        if self._painted:
            self._out.write(f"{self._up()}\x1b[J")
        self._painted = 0

    def leave(self) -> None:
        """Somebody else has written here: leave the last frame as it is, and begin below."""
        self._painted = 0

    def _up(self) -> str:
        return f"\r\x1b[{self._painted}A" if self._painted else "\r"

    def _wipe(self, now: os.terminal_size) -> None:
        # A terminal that was resized has wrapped and moved what it showed, each in its own way. Row after row, as some
        # keep a screen that is cleared at once in their history.
        self._out.write("\x1b[H" + "\x1b[2K\x1b[B" * now.lines + "\x1b[H")
        self._painted = 0

    def _line(self, line: Sequence[Ink], width: int) -> str:
        kept, shown, end = fit("".join(each.text for each in line), width), [], 0
        for each in line:
            begin, end = end, end + len(each.text)
            shown.append(self._inked(kept[begin:end], each.look))
        return "".join(shown)

    def _inked(self, text: str, look: str) -> str:
        return f"\x1b[{_CODES[look]}m{text}\x1b[0m" if look and text and self._out.coloured else text
