"""The panel of a running batch."""

import os
import pty
from dataclasses import replace
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from batchgen.cli.outlet import Outlet
from batchgen.cli.panel import Panel, in_place, room_on
from batchgen.cli.screen import Screen, size_of
from batchgen.journal import STATES
from batchgen.ledger import Money
from batchgen.report.figures import Figures, ModelFigures
from batchgen.report.summary import FailureCount
from tests.terminal import Terminal

SMALL = Figures(total=8, counts={})
BUSY = Figures(
    total=50_000,
    counts={"queued": 27_955, "running": 10_000, "stored": 12_034, "failed": 11, "in_doubt": 6, "dropped": 2},
    elapsed_seconds=3600,
    in_flight=10_000,
    submits=5400,
    polls=18_000,
    downloads=1204,
    money=Money(spent=2_888_610_000, reserved=1_200_000_000, in_doubt=420_000),
    models=tuple(ModelFigures("a-model-with-a-very-long-name-" * 3 + str(n), 2500, 3000, 14) for n in range(4)),
    failures=tuple(FailureCount("bad_asset", f"{n} long reason " * 20, 7) for n in range(5)),
    note="paused: the server is busy " * 8,
    budget_micro_usd=4_500_000_000,
    free_bytes=48_200_000_000,
)
SNAPSHOTS = {
    "none asked for": Figures(total=0, counts={}),
    "begun": SMALL,
    "busy": BUSY,
    "wide": replace(BUSY, models=(ModelFigures("東京" * 30, 1, 1),), note="東京" * 50),
    "evil": replace(BUSY, note="\x1b[2J\n\n\u202e", failures=(FailureCount("refused", "a\nb\nc", 1),)),
    "one model": replace(SMALL, models=(ModelFigures("m", 1, 1),)),
}
SIZES = [(80, 24), (60, 24), (200, 60), (40, 12), (40, 10), (20, 10), (80, 16), (80, 20), (10, 3), (1, 1), (2, 2)]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def drawn(figures: Figures, width: int, height: int, *, title: str = "autumn", models: int = 4) -> list[str]:
    """The lines of one panel on a screen of this size, as wide as they come."""
    size = os.terminal_size((width, height))
    panel = Panel(Outlet(None), title, 15, lambda: size)
    room = room_on(size, models)
    return [Screen(Outlet(None), lambda: size)._line(line, room.width) for line in panel.drawn(figures, room)]


@pytest.mark.parametrize("size", SIZES)
def test_it_never_jumps(size: tuple[int, int]) -> None:
    """On a screen of one size every snapshot has the same number of lines, which fit it."""
    pages = {name: drawn(figures, *size) for name, figures in SNAPSHOTS.items()}
    heights = {len(lines) for lines in pages.values()}
    assert len(heights) == 1
    assert heights.pop() <= max(1, size[1] - 1)
    assert all(cell_len(each) <= max(1, min(80, size[0] - 1)) for lines in pages.values() for each in lines)


COUNTS = st.dictionaries(st.sampled_from(STATES), st.integers(0, 10**9))
MODELS = st.builds(ModelFigures, st.text(), st.integers(0, 10**6), st.integers(0, 10**9))
FAILURES = st.builds(FailureCount, st.just("refused"), st.text(), st.integers(0, 10**9))
FIGURES = st.builds(
    Figures,
    total=st.integers(0, 10**9),
    counts=COUNTS,
    elapsed_seconds=st.floats(0, 10**8),
    money=st.builds(Money, *[st.integers(0, 10**13)] * 7),
    models=st.lists(MODELS, max_size=6).map(tuple),
    failures=st.lists(FAILURES, max_size=6).map(tuple),
    note=st.text(),
    budget_micro_usd=st.none() | st.integers(0, 10**15),
    free_bytes=st.none() | st.integers(0, 10**15),
)

COUNTED = st.builds(Figures, total=st.integers(0, 10**9), counts=COUNTS)


@settings(max_examples=40, deadline=None)
@given(FIGURES, st.text(), st.integers(1, 200), st.integers(1, 70))
def test_no_figures_change_its_height(figures: Figures, title: str, width: int, height: int) -> None:
    """Whatever is to be told, the panel has as many lines as a screen of this size always gives it."""
    lines = drawn(figures, width, height, title=title)
    assert len(lines) == len(drawn(SMALL, width, height)) <= max(1, height - 1)
    assert all(cell_len(each) <= max(1, width - 1) for each in lines)
    assert all(category(sign) not in {"Cc", "Cf"} for each in lines for sign in each)


@settings(max_examples=25, deadline=None)
@given(st.lists(COUNTED | st.tuples(st.integers(4, 120), st.integers(2, 50)), min_size=1, max_size=6))
def test_no_frame_leaves_anything_behind(events: list[Figures | tuple[int, int]]) -> None:
    """After any figures and any changes of the terminal's size all that is seen is the newest frame, from the top."""
    terminal = Terminal()
    panel = Panel(terminal.outlet, "autumn", 1, terminal.size)
    for each in (SMALL, *events, BUSY):
        if isinstance(each, tuple):
            terminal.resize(*each)
        else:
            panel.show(replace(each, note="", models=(), failures=(), elapsed_seconds=1))
    fresh = Terminal(terminal.width, terminal.height)
    Panel(fresh.outlet, "autumn", 1, fresh.size).show(replace(BUSY, note="", models=(), failures=(), elapsed_seconds=1))
    shown = [each for each in terminal.seen if "per second" not in each]
    assert shown == [each for each in fresh.seen if "per second" not in each]
    panel.close()
    assert terminal.seen == [""]


def test_what_was_said_before_stays() -> None:
    """The lines above the panel stay where they are, and what comes after it stands where it stood."""
    terminal = Terminal()
    terminal.write("/abs/outputs/autumn\r\nrun 15 of this batch\r\n")
    panel = Panel(terminal.outlet, "autumn", 15, terminal.size)
    for figures in SNAPSHOTS.values():
        panel.show(replace(figures, models=BUSY.models))
        assert terminal.rows[:2] == ["/abs/outputs/autumn", "run 15 of this batch"]
        assert terminal.above == []
    panel.close()
    terminal.write("the end\r\n")
    assert terminal.seen == ["/abs/outputs/autumn", "run 15 of this batch", "the end"]


def test_what_others_wrote_is_not_painted_over() -> None:
    """A program that was suspended and goes on draws below what the shell wrote meanwhile."""
    terminal = Terminal(80, 60)
    panel = Panel(terminal.outlet, "autumn", 15, terminal.size)
    panel.show(SMALL)
    terminal.write("[1]+  Stopped\r\n$ fg\r\n")
    panel.leave()
    panel.show(SMALL)
    panel.show(BUSY)
    assert sum(each.startswith("autumn") for each in terminal.rows) == 2
    assert [each for each in terminal.rows if each.startswith(("[1]", "$"))] == ["[1]+  Stopped", "$ fg"]


def test_what_a_person_types_is_painted_over() -> None:
    """What the terminal echoes below the panel is gone with the next frame."""
    terminal = Terminal()
    panel = Panel(terminal.outlet, "autumn", 15, terminal.size)
    panel.show(SMALL)
    terminal.write("^C")
    panel.show(SMALL)
    assert not any("^C" in each for each in terminal.rows)


def test_what_it_says() -> None:
    """The panel names bar and forecast, states, calls, money, room, models and failures, and what it waits for."""
    figures = replace(BUSY, models=(*BUSY.models, ModelFigures("m", 1, 1)), note="paused: busy")
    lines = drawn(figures, 80, 24, models=5)
    text = "\n".join(lines)
    assert lines[0].startswith("autumn ")
    assert lines[0].endswith("run 15 · 1h 00m")
    assert " 24.1%  12,034 of 50,000" in lines[1]
    assert "12,034/h · about 3h 09m left" in lines[2]
    assert lines[3] == "  paused: busy"
    assert " ".join(lines[4].split()) == "queued 27,955 running 10,000 stored 12,034"
    assert " ".join(lines[5].split()) == "failed 11 in doubt 6 dropped 2"
    assert "$2,888.61 spent, $1,200.00 at risk, $0.42 in doubt" in text
    assert "$410.97 of $4,500.00 · 48.2 GB on the disk" in text
    assert "  and 2 more" in text
    assert text.count("bad asset") == 3


def test_the_table_of_models_goes_first() -> None:
    """With fewer lines the models go, then the causes, then the calls; bar, states and note stay longest."""
    told = {height: "\n".join(drawn(BUSY, 80, height)) for height in (24, 16, 11, 9, 7, 5)}
    assert {height for height, text in told.items() if "in flight" in text} == {24}
    assert {height for height, text in told.items() if "bad asset" in text} == {24, 16}
    assert {height for height, text in told.items() if "per second" in text} == {24, 16, 11}
    assert {height for height, text in told.items() if "money" in text} == {24, 16, 11, 9, 7}
    assert all(words in told[5] for words in ("━", "queued", "paused"))


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 99)), max_size=6), max_size=6))
def test_a_cause_keeps_its_line(history: list[list[tuple[str, int]]]) -> None:
    """The most frequent causes are shown, each on the line that it had in the frame before."""
    shown: list[FailureCount | None] = []
    for counts in history:
        causes = [FailureCount("refused", reason, jobs) for reason, jobs in dict(counts).items()]
        before = [each and each.reason for each in shown]
        shown = in_place(shown, causes, 3)
        assert len(shown) == 3
        now = [each and each.reason for each in shown]
        assert {each for each in now if each} == {each.reason for each in causes[:3]}
        for reason in set(before) & set(now) - {None}:
            assert before.index(reason) == now.index(reason)


def test_ten_thousand_in_flight_cost_nothing() -> None:
    """The panel's work does not grow with the jobs in flight: a frame is a few kilobytes, whatever they are."""
    terminal = Terminal()
    panel = Panel(terminal.outlet, "autumn", 15, terminal.size)
    panel.show(BUSY)
    panel.show(replace(BUSY, counts={**BUSY.counts, "running": 10**6}, in_flight=10**6))
    assert len(terminal.frames) == 2
    assert max(map(len, terminal.frames)) < 3000


def test_price_unknown() -> None:
    """A sum that nobody knows is not told as nothing."""
    assert "price unknown" in "\n".join(drawn(replace(SMALL, money=Money(unpriced=1)), 80, 24))


def test_calls_per_second_are_recent() -> None:
    """Calls per second are those of the last seconds, not of the whole run."""
    terminal = Terminal()
    panel = Panel(terminal.outlet, "a", 1, terminal.size)
    for second in range(101):
        panel.show(replace(SMALL, elapsed_seconds=float(second), submits=0 if second < 80 else (second - 80) * 2))
    assert any("2.0 submits" in each for each in terminal.rows)


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR the words are the same, without colour."""

    def shown() -> Terminal:
        terminal = Terminal()
        Panel(terminal.outlet, "a", 1, terminal.size).show(BUSY)
        return terminal

    coloured = shown()
    assert coloured.looks >= {"0", "1", "2", "31", "32", "33"}
    monkeypatch.setenv("NO_COLOR", "1")
    assert (shown().looks, shown().seen) == (set(), coloured.seen)


class Ascii(Terminal):
    """A terminal of long ago."""

    encoding = "ascii"


def test_a_terminal_without_our_signs() -> None:
    """Where the encoding lacks our signs others stand for them, and names are spelled out before they are measured."""
    terminal = Ascii()
    Panel(terminal.outlet, "東京" * 20, 1, terminal.size).show(replace(BUSY, models=SNAPSHOTS["wide"].models))
    text = "\n".join(terminal.seen)
    assert text.isascii()
    assert "====" in text
    assert r"\u6771\u4eac" in text
    assert "12,034/h , about" in text


def test_a_terminal_that_does_not_say_its_size() -> None:
    """Without a size, or with none of nothing, 80 by 24 is taken."""
    assert size_of(Outlet(None)) == (80, 24)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours):
        assert size_of(Outlet(terminal)) == (80, 24)


def test_a_broken_terminal_stops_nothing() -> None:
    """A terminal that goes away while the panel draws is no error."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        outlet = Outlet(terminal)
        panel = Panel(outlet, "a", 1)
        panel.show(SMALL)
        os.close(ours)
        panel.show(BUSY)
        panel.close()
        assert outlet.broken is not None
