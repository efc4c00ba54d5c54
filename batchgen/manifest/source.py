"""The text of a manifest and the places in it; shows lines, never a credential or the query of a URL."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from batchgen.manifest.problems import Problem

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_SECRETS: Final = (
    re.compile(r"(?P<keep>)(?P<hide>\b(?:sk|pk|rk)[-_][\w-]{16,}|\beyJ[\w.-]{8,})"),
    re.compile(r"(?i)(?P<keep>\bbearer\s+)(?P<hide>[\w.~+/=-]{6,})"),
    re.compile(r"(?P<keep>\w:/*)(?P<hide>[^\s/@]+(?=@))"),
    re.compile(r"(?P<keep>://[^\s?\"']*\?)(?P<hide>[^\s\"'\]},]+)"),
    re.compile(
        r"(?i)(?P<keep>(?:^|[{,])[\s-]*[\"']?[\w-]*(?:key|token|secret|passw(?:or)?d|authorization)[\"']?\s*:\s*)"
        r"(?P<hide>(?![\"']?(?:env:|file:))\S.*)"
    ),
)


def starred(text: str) -> str:
    """The same text, as long as before, with whatever looks like a credential or a URL query starred out."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found["keep"] + "*" * len(found["hide"]), text)
    return text


@dataclass(frozen=True, slots=True)
class Source:
    """A manifest's text under the name that messages give it; positions are character indices from 0."""

    file: str
    text: str
    _starts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]
        object.__setattr__(self, "_starts", starts)

    def place(self, index: int) -> tuple[int, int]:
        """Line and column of an index, both from 1."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def index(self, line: int) -> int:
        """Where a line begins, from 1."""
        return self._starts[line - 1]

    def line(self, number: int) -> str:
        """The text of one line, from 1, without its end."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r\n")

    def named(self, index: int) -> str:
        """A place in words, for a message that names a second one."""
        return "line {}, column {}".format(*self.place(index))

    def problem(self, index: int, message: str, *, path: str = "", hint: str = "", secret: bool = False) -> Problem:
        """A problem at an index; a secret one does not show its line."""
        line, column = self.place(min(index, len(self.text)))
        shown = "" if secret else starred(self.line(line))
        return Problem(self.file, line, column, path, message, starred(hint), shown)
