"""What is wrong with a manifest: each problem with its place, its source line, and what to write instead."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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

    `path` is the place as keys (`jobs[3].prompt`); `hint` a suggestion or the corrected line. `row` is the spreadsheet
    row of the table that it concerns, 0 for none.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    source: str = ""
    row: int = 0

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
    """The manifest is wrong; mend the places named, nothing was sent.

    `more` counts, by cause, problems that were found and not kept.
    """

    def __init__(self, problems: Iterable[Problem], more: Mapping[str, int] | None = None) -> None:
        self.problems = tuple(sorted(set(problems), key=_in_order))
        super().__init__("\n".join(_told(self.problems, more or {})))


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


def cause(problem: Problem) -> str:
    """What problems of one kind have in common: the message without names and numbers."""
    return _VARYING.sub("", problem.message)


def _in_order(problem: Problem) -> tuple[int, int, int, str]:
    return problem.line, problem.column, problem.row, problem.message


def _told(problems: tuple[Problem, ...], more: Mapping[str, int]) -> Iterator[str]:
    """Each problem in full, and of a large group the first few with a count at the last of them."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(cause(problem), []).append(problem)
    told: Counter[str] = Counter()
    for problem in problems:
        kind = cause(problem)
        group, beyond = groups[kind], more.get(kind, 0)
        told[kind] += 1
        if len(group) + beyond <= GROUP_ABOVE or told[kind] <= _SHOWN:
            yield str(problem)
        elif told[kind] == _SHOWN + 1:
            yield _rest(group[_SHOWN:], beyond)


def _rest(group: list[Problem], beyond: int) -> str:
    rows = all(problem.row for problem in group)
    numbers = list(dict.fromkeys(problem.row or problem.line for problem in group))
    listed = ", ".join(f"{number}" for number in numbers[:10]) + (", …" if len(numbers) > 10 or beyond else "")
    return f"  … and {len(group) + beyond:,} more of this kind, {'in rows' if rows else 'on lines'} {listed}"


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
