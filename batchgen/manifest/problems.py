"""What is wrong with a manifest: each problem with its place, its source line, and what to write instead."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from batchgen.errors import ManifestError

GROUP_ABOVE: Final = 20
"""From here on, problems of one cause are told as a few examples and a count."""

_SHOWN: Final = 3
_WIDTH: Final = 72
_VARYING: Final = re.compile(r"`[^`]*`|[0-9]+")
"""What differs between messages of one cause: names and numbers."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend; `line` and `column` count from 1 in characters, `source` is the line with secrets starred.

    `path` is the place as keys (`jobs[3].prompt`); `hint` a suggestion or the corrected line.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    source: str = ""

    def __str__(self) -> str:
        return "\n".join([f"{self.file}:{self.line}:{self.column}: {self.message}", *self._picture()])

    def _picture(self) -> Iterator[str]:
        gutter = " " * len(str(self.line))
        if self.source.strip():
            shown, caret = _window(self.source, self.column - 1)
            yield f"  {self.line} | {shown}"
            yield f"  {gutter} | {' ' * caret}^"
        if self.hint:
            yield f"  {gutter} = {self.hint}"


class ManifestProblems(ManifestError):
    """The manifest is wrong; mend the places named, nothing was sent."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(
            sorted(set(problems), key=lambda problem: (problem.line, problem.column, problem.message))
        )
        super().__init__("\n".join(_told(self.problems)))


def one_edit_away(word: str, known: Iterable[str]) -> str | None:
    """The known name that one insertion, deletion, replacement or swap makes of `word`; also another case of it."""
    return next((name for name in known if name != word and _near(word.casefold(), name.casefold())), None)


def _near(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1 or len(long) < 2:
        return False
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    rest, beyond = short[start:], long[start:]
    swapped = rest[:2] == beyond[:2][::-1] and rest[2:] == beyond[2:]
    return beyond[1:] in {rest, rest[1:]} or (len(short) == len(long) and swapped)


def _told(problems: tuple[Problem, ...]) -> Iterator[str]:
    """Each problem in full, and of a large group the first few with a count at the last of them."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(_cause(problem), []).append(problem)
    told: Counter[str] = Counter()
    large = {cause: group for cause, group in groups.items() if len(group) > GROUP_ABOVE}
    for problem in problems:
        group = large.get(_cause(problem), [problem])
        told[_cause(problem)] += 1
        if len(group) == 1 or told[_cause(problem)] <= _SHOWN:
            yield str(problem)
        elif told[_cause(problem)] == _SHOWN + 1:
            yield _rest(group[_SHOWN:])


def _cause(problem: Problem) -> str:
    return _VARYING.sub("", problem.message)


def _rest(group: list[Problem]) -> str:
    lines = ", ".join(str(problem.line) for problem in group[:10]) + (", …" if len(group) > 10 else "")
    return f"  … and {len(group):,} more of this kind, on lines {lines}"


def _window(line: str, index: int) -> tuple[str, int]:
    """The part of a long line around `index`, and the terminal column where the caret goes."""
    clean = "".join(char if char.isprintable() else " " for char in line)
    first = max(0, index - _WIDTH * 2 // 3) if len(clean) > _WIDTH else 0
    shown = clean[first : first + _WIDTH]
    return shown.rstrip(), sum(map(_cells, shown[: index - first]))


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
