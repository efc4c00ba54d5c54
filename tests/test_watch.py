"""A run as it is told of while it goes."""

import pytest

from batchgen.journal import STATES, Totals
from batchgen.ledger import Money
from batchgen.report.figures import ModelFigures
from batchgen.watch import FAILURES, Start, Tally, figures

pytestmark = pytest.mark.anyio


async def test_figures_come_from_totals_and_calls() -> None:
    """Counts and money are the journal's, calls and times the run's, by model too; the causes the commonest ones."""
    counts = dict.fromkeys(STATES, 0)
    models = {"b": {**counts, "stored": 3, "failed": 2}, "a": {**counts, "running": 4}}
    totals = Totals({**counts, "stored": 3, "failed": 2, "running": 4}, 0, Money(spent=5), models)
    tally = Tally(submits=9, polls=8, downloads=7, free_bytes=10**9, seconds={"b": 14.0})
    for number in range(FAILURES + 2):
        tally.failures["refused", f"why {number}"] = number + 1
    found = figures(totals, tally=tally, start=Start(0.0, 1, 4_000_000), note="paused")
    assert found.models == (ModelFigures("a", 4, 0, None, 0), ModelFigures("b", 0, 3, 14.0, 2))
    assert (found.total, found.in_flight, found.stored_at_start, found.money) == (9, 4, 1, Money(spent=5))
    assert (found.submits, found.polls, found.downloads, found.note) == (9, 8, 7, "paused")
    assert (found.budget_micro_usd, found.free_bytes) == (4_000_000, 10**9)
    assert [each.jobs for each in found.failures] == list(range(FAILURES + 2, 2, -1))
