"""How long pictures took, and how they came in."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from batchgen.report.cards import Times
from batchgen.report.timings import BINS, Timings, at_share
from tests.report.made import run


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_share_lies_below(values: list[float], share: float) -> None:
    """At least that share of the values is not above the one that is named, and it is one of them."""
    found = at_share(sorted(values), share)
    assert found in values
    assert sum(each <= found for each in values) >= len(values) * share - 1e-9


def test_by_model() -> None:
    """Each model has its own times, the usual and the slowest."""
    timings = Timings()
    for seconds in (2.0, 4.0, 6.0, 100.0):
        timings.add("a", 1, Times(0.0, seconds))
    timings.add("b", 1, Times(0.0, 1.0))
    timings.add("b", 1, Times(None, None))
    a, b = timings.latencies()
    assert (a.model, a.pictures, a.quickest, a.median, a.tenth, a.slowest) == ("a", 4, 2.0, 4.0, 100.0, 100.0)
    assert (b.model, b.pictures) == ("b", 1)
    assert timings.median() == 4.0


def test_nothing_came() -> None:
    """Without pictures there is no time to tell."""
    timings = Timings()
    assert (timings.latencies(), timings.median(), timings.completions([run()])) == ((), None, None)


def test_the_night_between_two_runs_is_left_out() -> None:
    """Pictures are counted by the time that runs were going, and a mark says where a later run began."""
    runs = [replace(run(2), began=10_000.0, ended=10_100.0), replace(run(1), began=0.0, ended=100.0), run(3)]
    timings = Timings()
    for ready in (10.0, 20.0, 30.0):
        timings.add("a", 1, Times(0.0, ready))
    timings.add("a", 2, Times(10_000.0, 10_099.0))
    found = timings.completions(runs)
    assert found is not None
    assert (round(found.seconds, 6), found.pictures) == (200.0, 4)
    assert found.turns == ((2, 0.5),)
    assert sum(found.counts[: BINS // 2]) == 3


def test_a_killed_run_ends_with_its_last_picture() -> None:
    """A run without an end lasted as long as it stored."""
    timings = Timings()
    timings.add("a", 1, Times(0.0, 60.0))
    found = timings.completions([replace(run(1), began=0.0, ended=None, exit_code=None)])
    assert found is not None
    assert (round(found.seconds, 6), found.counts[-1]) == (60.0, 1)
