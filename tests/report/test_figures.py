"""What is said of a running batch."""

from dataclasses import replace

from batchgen.ledger import Money
from batchgen.report.figures import (
    Figures,
    Rates,
    as_json,
    forecast,
    one_line,
    outlook,
    rates,
)

HALF = Figures(
    total=50_000,
    counts={"queued": 600, "running": 22, "stored": 12_034, "failed": 2},
    stored_at_start=10_830,
    elapsed_seconds=3600,
    money=Money(spent=1_444_080_000, reserved=5, in_doubt=6),
)


def test_the_line_without_a_terminal() -> None:
    """The line of every minute says what is stored, running and failed, the money, the pace and the time left."""
    told = "12,034 of 50,000 stored · 22 running · 2 failed · $1,444.08 spent · 1,204/h · about 31 min left"
    assert one_line(HALF) == told


def test_doubts_are_in_the_line() -> None:
    """Payments in doubt are told, and what there is none of is left out."""
    told = one_line(replace(HALF, counts={"stored": 12_034, "in_doubt": 3}))
    assert "3 in doubt" in told
    assert "failed" not in told


def test_no_forecast_without_a_picture() -> None:
    """Before the first picture of this run nothing is promised, however many earlier runs stored."""
    assert forecast(replace(HALF, stored_at_start=12_034)) is None
    assert outlook(replace(HALF, elapsed_seconds=0)) == "no forecast yet"


def test_rates() -> None:
    """Calls per second are those between two snapshots, none when no time has passed."""
    later = replace(HALF, elapsed_seconds=3604, submits=6, polls=20, downloads=2)
    assert rates(HALF, later) == Rates(1.5, 5.0, 0.5)
    assert rates(HALF, HALF) == Rates()


def test_json() -> None:
    """The snapshot in JSON carries sums in USD and the forecast, or null."""
    found = as_json(HALF)
    assert (found["spent_usd"], found["per_hour"], found["seconds_left"]) == (1444.08, 1204.0, 1860)
    assert as_json(replace(HALF, elapsed_seconds=0))["per_hour"] is None
