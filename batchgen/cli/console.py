"""The only door to the terminal: what comes from outside passes it harmless, and what breaks it stops nothing."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batchgen.cli.outlet import Outlet
from batchgen.report.plain import line, visible

__all__ = ["Console", "Voice", "visible"]

_COLOURS: Mapping[int, str] = {0: "32", 1: "33", 3: "33", 75: "33", 130: "33", 143: "33"}


@dataclass(frozen=True, slots=True)
class Voice:
    """How to speak: `json` for programs on stdout, `quiet` for nothing when all is well, `verbose` for the log."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False


class Console:
    """People's text on stdout, or on stderr while a program reads stdout; last lines on stderr always."""

    def __init__(self, voice: Voice, out: Outlet | None = None, err: Outlet | None = None) -> None:
        self.voice = voice
        self.out = out or Outlet(sys.stdout)
        self.err = err or Outlet(sys.stderr)

    @property
    def people(self) -> Outlet:
        """Where people read."""
        return self.err if self.voice.json else self.out

    @property
    def attended(self) -> bool:
        """Whether somebody is there to answer."""
        return self.err.isatty() and sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()

    def say(self, text: str = "") -> None:
        """Lines for people."""
        if not self.voice.quiet:
            self.people.write("".join(f"{visible(each)}\n" for each in text.split("\n")))

    def data(self, value: Mapping[str, Any]) -> bool:
        """One JSON line for programs; False when nobody reads it any more."""
        self.out.write(line(dict(value)))
        return self.out.broken is None

    def ask(self, question: str) -> bool:
        """Ask a person; anything but yes is no, and so is silence."""
        self.err.write(f"{visible(question)} [y/N] ")
        return self.attended and sys.stdin.readline().strip().lower() in {"y", "yes"}

    def complain(self, text: str) -> None:
        """Lines about what is wrong, told even when quiet was asked for."""
        self.err.write("".join(f"{visible(each)}\n" for each in text.split("\n")))

    def close(self, lines: Sequence[str], exit_code: int) -> int:
        """Say the last lines and hand the exit code on; nothing when all is well and quiet was asked for."""
        if not (self.voice.quiet and exit_code == 0):
            head, *rest = map(visible, lines)
            self.err.write("\n".join((self._underlined(head, exit_code), *rest)) + "\n")
        return exit_code

    def _underlined(self, head: str, exit_code: int) -> str:
        """Colour says nothing that the words do not."""
        if not self.err.coloured:
            return head
        return f"\x1b[{_COLOURS.get(exit_code, '31')}m{head}\x1b[0m"
