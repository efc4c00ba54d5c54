"""A running batch as a panel that never jumps: on a terminal of one size every line keeps its place."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from batchgen.cli.outlet import Outlet
from batchgen.cli.screen import Ink, Screen
from batchgen.journal import STATES
from batchgen.report.figures import Figures, ModelFigures, Rates, outlook, rates
from batchgen.report.plain import cell, columns, harmless
from batchgen.report.summary import FailureCount
from batchgen.report.words import owed, price_unknown, span, usd, volume

WIDTH: Final = 80
CAUSES: Final = 3
"""So many causes of failures have a line, where there is room for tables."""

_LABEL: Final = 13
_TABLE: Final = 38
"""A table of models needs so many columns."""

_PACE_SECONDS: Final = 15.0
"""Calls per second are told over this long, so that they do not flicker."""

Line: TypeAlias = Sequence[Ink]


@dataclass(frozen=True, slots=True)
class Room:
    """What a terminal has room for: `width` columns, and of each part so many lines."""

    width: int
    lines: int
    models: int
    causes: int


class Panel:
    """Draws snapshots of one run, each over the one before. `title` is the batch's name, `run` its number."""

    def __init__(self, out: Outlet, title: str, run: int, size: Callable[[], os.terminal_size] | None = None) -> None:
        self._screen = Screen(out, size)
        self._spelled = out.spelled
        self._title, self._run = self._outside(title), run
        self._past: deque[Figures] = deque()
        self._causes: list[FailureCount | None] = []

    def show(self, figures: Figures) -> None:
        """Draw a snapshot."""
        self._past.append(figures)
        while figures.elapsed_seconds - self._past[0].elapsed_seconds > _PACE_SECONDS and len(self._past) > 2:
            self._past.popleft()
        room = room_on(self._screen.measure(), len(self._past[0].models))
        self._screen.paint(list(self.drawn(figures, room)), room.width)

    def close(self) -> None:
        """Take the panel away; the last lines say it all again."""
        self._screen.clear()

    def leave(self) -> None:
        """Somebody else wrote on the terminal: the next snapshot is drawn below that."""
        self._screen.leave()

    def drawn(self, figures: Figures, room: Room) -> Iterator[Line]:
        """A snapshot as lines; their number depends on the room alone."""
        core = list(self._core(figures, room.width))
        chosen = sorted(sorted(range(len(core)), key=lambda index: core[index][0])[: room.lines])
        yield from (core[index][1] for index in chosen)
        if room.models:
            yield from self._models(figures.models, room)
        if room.causes:
            yield from self._failures(figures, room)

    def _core(self, figures: Figures, width: int) -> Iterator[tuple[int, Line]]:
        """What is always told, with its rank: the last ones give way where there are too few lines."""
        pace = rates(self._past[0], figures) if self._past else Rates()
        yield 0, self._head(figures, width)
        yield 3, _bar(figures, width)
        yield 6, (Ink(f"  {outlook(figures)}"),)
        yield 2, (Ink(f"  {self._outside(figures.note)}", "yellow"),)
        yield from ((1 if place == 0 else 4, line) for place, line in enumerate(_states(figures, width)))
        yield 9, ()
        yield 5, _labelled("money", _money(figures))
        yield 7, _labelled("left", _left(figures))
        yield 8, _labelled("per second", _pace(pace))

    def _head(self, figures: Figures, width: int) -> Line:
        right = f"run {self._run} · {span(figures.elapsed_seconds)}"
        left = cell(self._title, max(0, width - columns(right) - 2))
        return Ink(left, "bold"), Ink(f"  {right}")

    def _models(self, models: Sequence[ModelFigures], room: Room) -> Iterator[Line]:
        named = room.width - 2 - sum(wide for _, wide in _columns(room.width))
        yield ()
        headings = "".join(f"{heading:>{wide}}" for heading, wide in _columns(room.width))
        yield (Ink(f"  {'model':<{named}}{headings}", "dim"),)
        shown = models if len(models) <= room.models else models[: room.models - 1]
        lines: list[Line] = [(Ink(f"  {self._model(each, named, room.width)}"),) for each in shown]
        if rest := models[len(shown) :]:
            lines.append((Ink(f"  and {len(rest):,} more", "dim"),))
        yield from _padded(lines, room.models)

    def _model(self, each: ModelFigures, named: int, width: int) -> str:
        told = {
            "in flight": f"{each.in_flight:,}",
            "stored": f"{each.stored:,}",
            "failed": f"{each.failed:,}",
            "takes": "" if each.seconds is None else span(each.seconds),
        }
        cells = "".join(f"{told[heading]:>{wide}}" for heading, wide in _columns(width))
        return f"{cell(self._outside(each.model), named - 1)} {cells}"

    def _failures(self, figures: Figures, room: Room) -> Iterator[Line]:
        self._causes = in_place(self._causes, figures.failures, room.causes)
        yield ()
        yield (Ink("  failed in this run" if figures.failures else "  nothing failed in this run", "dim"),)
        yield from _padded([self._cause(each) for each in self._causes], room.causes)

    def _cause(self, each: FailureCount | None) -> Line:
        if each is None:
            return ()
        reason = f" {each.jobs:>6,}  {self._outside(each.reason)}"
        return Ink(f"  {each.failure.replace('_', ' '):<11}", "red"), Ink(reason)

    def _outside(self, text: str) -> str:
        """Text from outside as it will stand on this terminal."""
        return self._spelled(harmless(text))


def room_on(size: os.terminal_size, models: int) -> Room:
    """How a terminal is used: what is always told first, then causes, and models with what is left.

    One line stays free for the cursor; on most terminals two more, for what was said before.
    """
    width = max(1, min(WIDTH, size.columns - 1))
    lines = max(1, size.lines - (3 if size.lines > 20 else 1))
    core = 8 + -(-len(STATES) // _per_row(width))
    causes = min(CAUSES, max(0, lines - core - 2))
    rows = min(lines - core - CAUSES - 4, models)
    fits = width >= _TABLE and rows >= min(models, 2)
    return Room(width, min(lines, core), rows if fits else 0, causes)


def in_place(
    shown: Sequence[FailureCount | None], causes: Sequence[FailureCount], lines: int
) -> list[FailureCount | None]:
    """The most frequent causes, each on the line that it had: a line changes only when its cause gives way."""
    newest = {(each.failure, each.reason): each for each in causes[:lines]}
    placed = [None if each is None else newest.pop((each.failure, each.reason), None) for each in shown[:lines]]
    placed += [None] * (lines - len(placed))
    coming = iter(newest.values())
    return [next(coming, None) if each is None else each for each in placed]


def _labelled(label: str, text: str, look: str = "") -> Line:
    return Ink(f"  {label:<{_LABEL - 2}}", "dim"), Ink(text, look)


def _bar(figures: Figures, width: int) -> Line:
    stored, total = figures.of("stored"), figures.total
    share = min(1.0, stored / total) if total else 1.0
    told = f" {share:6.1%}  {stored:>{len(f'{total:,}')},} of {total:,}"
    room = max(4, width - len(told) - 2)
    full = int(share * room)
    return Ink("  "), Ink("━" * full, "green"), Ink("─" * (room - full), "dim"), Ink(told)


def _per_row(width: int) -> int:
    """How many states stand side by side."""
    return 3 if width >= 68 else 2 if width >= 38 else 1


def _states(figures: Figures, width: int) -> Iterator[Line]:
    looks = {"failed": "red", "in_doubt": "yellow"}
    across = _per_row(width)
    label, number = (_LABEL - 2, 9) if across == 3 else (9, 7)
    for first in range(0, len(STATES), across):
        line = [Ink("  ")]
        for state in STATES[first : first + across]:
            count = figures.of(state)
            line += [
                Ink(f"{'' if len(line) == 1 else '   '}{state.replace('_', ' '):<{label}}", "dim"),
                Ink(f"{count:>{number},}", looks.get(state, "") if count else ""),
            ]
        yield line


def _pace(pace: Rates) -> str:
    return f"{pace.submits:.1f} submits · {pace.polls:.1f} polls · {pace.downloads:.1f} downloads"


def _money(figures: Figures) -> str:
    if price_unknown(figures.money):
        return "price unknown"
    risk = owed(figures.money)
    return f"{usd(figures.money.spent)} spent{', ' if risk else ''}{risk}"


def _left(figures: Figures) -> str:
    money = disk = ""
    if (budget := figures.budget_micro_usd) is not None:
        money = f"{usd(max(0, budget - figures.money.exposed))} of {usd(budget)}"
    if figures.free_bytes is not None:
        disk = f"{volume(figures.free_bytes)} on the disk"
    return " · ".join(filter(None, (money, disk)))


def _columns(width: int) -> tuple[tuple[str, int], ...]:
    """The columns of the table of models, each with its width; the name has what is left."""
    if width >= 60:
        return ("in flight", 12), ("stored", 11), ("failed", 9), ("takes", 10)
    return ("in flight", 11), ("stored", 9), ("takes", 8)


def _padded(lines: Sequence[Line], count: int) -> Iterator[Line]:
    yield from lines
    yield from (() for _ in range(count - len(lines)))
