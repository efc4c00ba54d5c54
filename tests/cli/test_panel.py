"""The panel of a running batch."""

import io
import os
import pty
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console as Screen

from batchgen.cli.outlet import Outlet
from batchgen.cli.panel import Panel
from batchgen.journal import STATES
from batchgen.ledger import Money
from batchgen.report.figures import Figures, ModelFigures
from batchgen.report.summary import FailureCount

SMALL = Figures(total=8, counts={})
BUSY = Figures(
    total=50_000,
    counts={"queued": 27_955, "running": 10_000, "stored": 12_034, "failed": 11, "in_doubt": 6, "dropped": 2},
    elapsed_seconds=3600,
    in_flight=10_000,
    submits=5400,
    polls=18_000,
    downloads=1204,
    money=Money(spent=3_888_610_000, reserved=1_200_000_000, in_doubt=420_000, unpriced=3),
    models=tuple(ModelFigures("a-model-with-a-very-long-name-" * 3 + str(n), 2500, 3000, 14) for n in range(4)),
    failures=tuple(FailureCount("bad_asset", "a long reason " * 20, 7) for _ in range(5)),
    note="paused: the server is busy " * 8,
)
SNAPSHOTS = {
    "none asked for": Figures(total=0, counts={}),
    "begun": SMALL,
    "busy": BUSY,
    "wide": replace(BUSY, models=(ModelFigures("東京" * 30, 1, 1),), note="東京" * 50),
    "evil": replace(BUSY, note="\x1b[2J\n\n\u202e", failures=(FailureCount("refused", "a\nb\nc", 1),)),
    "one model": replace(SMALL, models=(ModelFigures("m", 1, 1),)),
}


def drawn(figures: Figures, width: int, height: int, title: str = "autumn") -> list[str]:
    """The lines of one panel on a screen of this size."""
    screen = Screen(file=io.StringIO(), record=True, width=width, height=height, force_terminal=True)
    screen.print(Panel(Outlet(None), title, 15, screen).drawn(figures))
    return screen.export_text().splitlines()


@pytest.mark.parametrize("size", [(80, 24), (60, 24), (200, 60), (40, 12), (20, 10), (80, 16)])
def test_it_never_jumps(size: tuple[int, int]) -> None:
    """On a screen of one size every snapshot has the same number of lines, which fit it."""
    pages = {name: drawn(figures, *size) for name, figures in SNAPSHOTS.items()}
    heights = {len(lines) for lines in pages.values()}
    assert len(heights) == 1
    assert heights.pop() <= size[1]
    assert all(cell_len(each) < size[0] for lines in pages.values() for each in lines)
    assert all(cell_len(each) <= 80 for lines in pages.values() for each in lines)


MODELS = st.builds(ModelFigures, st.text(), st.integers(0, 10**6), st.integers(0, 10**9))
FAILURES = st.builds(FailureCount, st.just("refused"), st.text(), st.integers(0, 10**9))


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        Figures,
        total=st.integers(0, 10**9),
        counts=st.dictionaries(st.sampled_from(STATES), st.integers(0, 10**9)),
        elapsed_seconds=st.floats(0, 10**8),
        money=st.builds(Money, *[st.integers(0, 10**13)] * 7),
        models=st.lists(
            st.builds(ModelFigures, st.text(), st.integers(0, 10**6), st.integers(0, 10**9)), max_size=6
        ).map(tuple),
        failures=st.lists(
            st.builds(FailureCount, st.just("refused"), st.text(), st.integers(0, 10**9)), max_size=6
        ).map(tuple),
        note=st.text(),
    ),
    st.text(),
)
def test_no_figures_change_its_height(figures: Figures, title: str) -> None:
    """Whatever is to be told, the panel keeps its 15 lines at 80 by 24."""
    assert len(drawn(figures, 80, 24, title)) == 15


def test_what_it_says() -> None:
    """The panel names bar and forecast, states, calls, money, models and failures, and what it waits for."""
    figures = replace(BUSY, models=(*BUSY.models, ModelFigures("m", 1, 1)), note="paused: busy")
    lines = drawn(figures, 80, 24)
    text = "\n".join(lines)
    assert lines[0].startswith("autumn ")
    assert lines[0].endswith("run 15 · 1h 00m")
    assert " 24.1%  12,034 of 50,000" in lines[1]
    assert "12,034/h · about 3h 09m left" in text
    assert "27,955 queued · 10,000 running · 12,034 stored" in text
    assert "11 failed · 6 in doubt · 2 dropped" in text
    assert "$3,888.61 spent, $1,200.00 at risk, $0.42 in doubt" in text
    assert "2,500 in flight, 3,000 pictures stored" in text
    assert "  and 3 more models" in text
    assert text.count("bad asset") == 3
    assert lines[-1] == "  paused: busy"


def test_price_unknown() -> None:
    """A sum that nobody knows is not told as nothing."""
    assert "price unknown" in "\n".join(drawn(replace(SMALL, money=Money(unpriced=1)), 80, 24))


def test_calls_per_second_are_recent() -> None:
    """Calls per second are those of the last seconds, not of the whole run."""
    screen = Screen(file=io.StringIO(), width=80, height=24, force_terminal=True)
    panel = Panel(Outlet(None), "a", 1, screen)
    for second in range(101):
        panel.show(replace(SMALL, elapsed_seconds=float(second), submits=0 if second < 80 else (second - 80) * 2))
    panel.close()
    shown = screen.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "2.0 submits" in shown.split("per second")[-1]


def test_a_broken_terminal_stops_nothing() -> None:
    """A terminal that goes away while the panel draws is no error."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        outlet = Outlet(terminal)
        panel = Panel(outlet, "a", 1, Screen(file=outlet, force_terminal=True, width=80, height=24))  # type: ignore[arg-type]
        panel.show(SMALL)
        os.close(ours)
        panel.show(BUSY)
        panel.close()
        assert outlet.broken is not None
