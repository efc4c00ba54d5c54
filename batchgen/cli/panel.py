"""A running batch as a panel that never jumps: as many lines at every moment, and none longer than the terminal."""

from collections import deque
from collections.abc import Iterator
from typing import IO, cast

from rich.console import Console as Screen
from rich.console import Group
from rich.live import Live
from rich.text import Text

from batchgen.cli.outlet import Outlet
from batchgen.report.figures import Figures, Rates, model_line, outlook, rates
from batchgen.report.plain import harmless
from batchgen.report.words import owed, price_unknown, span, usd

WIDTH = 80
_FIXED = 9
"""Lines that are always there; models and failures share what is left."""

_MOST_ROWS = 3
_PACE_SECONDS = 15.0
"""Calls per second are told over this long, so that they do not flicker."""


class Panel:
    """Draws snapshots of one run, each over the one before. `title` is the batch's name, `run` its number."""

    def __init__(self, err: Outlet, title: str, run: int, screen: Screen | None = None) -> None:
        self._screen = screen or Screen(file=cast(IO[str], err))
        self._title, self._run = title, run
        self._past: deque[Figures] = deque()
        self._live = Live(
            console=self._screen,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def show(self, figures: Figures) -> None:
        """Draw a snapshot."""
        self._past.append(figures)
        while figures.elapsed_seconds - self._past[0].elapsed_seconds > _PACE_SECONDS and len(self._past) > 2:
            self._past.popleft()
        if not self._live.is_started:
            self._live.start()
        self._live.update(self.drawn(figures), refresh=True)

    def close(self) -> None:
        """Take the panel away and give the cursor back; the last lines say it all again."""
        self._live.stop()

    def drawn(self, figures: Figures) -> Group:
        """A snapshot as lines; their number depends on the height of the terminal alone."""
        width = max(1, min(WIDTH, self._screen.width - 1))
        rows = max(0, min(_MOST_ROWS, (self._screen.height - 1 - _FIXED) // 2))
        pace = rates(self._past[0], figures) if self._past else Rates()
        lines = [
            self._head(figures, width),
            _bar(figures, width),
            Text(f"  {outlook(figures)}"),
            Text(),
            *_states(figures),
            Text(f"  per second   {_pace(pace)}"),
            Text(f"  money        {_money(figures)}"),
            *_padded(_models(figures, rows), rows),
            *_padded(_failures(figures, rows), rows),
            Text(f"  {harmless(figures.note)}", style="yellow"),
        ]
        for each in lines:
            each.no_wrap = True
            each.truncate(width, overflow="ellipsis")
        return Group(*lines)

    def _head(self, figures: Figures, width: int) -> Text:
        right = f"run {self._run} · {span(figures.elapsed_seconds)}"
        left = Text(harmless(self._title), style="bold")
        left.truncate(max(0, width - len(right) - 2), overflow="ellipsis", pad=True)
        return Text.assemble(left, "  ", right)


def _bar(figures: Figures, width: int) -> Text:
    share = figures.of("stored") / figures.total if figures.total else 1.0
    told = f" {share:6.1%}  {figures.of('stored'):,} of {figures.total:,}"
    room = max(4, width - len(told) - 2)
    full = min(room, int(share * room))
    return Text.assemble("  ", ("━" * full, "green"), ("─" * (room - full), "dim"), told)


def _states(figures: Figures) -> Iterator[Text]:
    yield Text(
        f"  jobs         {figures.of('queued'):,} queued · {figures.of('running'):,} running"
        f" · {figures.of('stored'):,} stored"
    )
    yield Text(
        f"               {figures.of('failed'):,} failed · {figures.of('in_doubt'):,} in doubt"
        f" · {figures.of('dropped'):,} dropped"
    )


def _pace(pace: Rates) -> str:
    return f"{pace.submits:.1f} submits · {pace.polls:.1f} polls · {pace.downloads:.1f} downloads"


def _money(figures: Figures) -> str:
    if price_unknown(figures.money):
        return "price unknown"
    risk = owed(figures.money)
    return f"{usd(figures.money.spent)} spent{', ' if risk else ''}{risk}"


def _models(figures: Figures, rows: int) -> list[Text]:
    shown = figures.models if len(figures.models) <= rows else figures.models[: max(0, rows - 1)]
    lines = []
    for each in shown:
        name = Text(f"  {harmless(each.model)}")
        name.truncate(24, overflow="ellipsis", pad=True)
        lines.append(Text.assemble(name, f" {model_line(each)}"))
    if rows and len(figures.models) > rows:
        lines.append(Text(f"  and {len(figures.models) - len(shown):,} more models"))
    return lines


def _failures(figures: Figures, rows: int) -> list[Text]:
    return [
        Text(f"  {each.failure.replace('_', ' '):<10} {each.jobs:>5,}  {harmless(each.reason)}", style="red")
        for each in figures.failures[:rows]
    ]


def _padded(lines: list[Text], rows: int) -> list[Text]:
    return lines + [Text() for _ in range(rows - len(lines))]
