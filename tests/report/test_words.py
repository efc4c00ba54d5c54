"""Figures as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.ledger import Money
from batchgen.report.words import dollars, many, moment, owed, price_unknown, span, took, usd


@pytest.mark.parametrize(
    ("micro", "shown"),
    [
        (0, "$0.00"),
        (120_000, "$0.12"),
        (45_000, "$0.045"),
        (3_900, "$0.0039"),
        (10, "$0.0001"),
        (1_500_000, "$1.50"),
        (3_888_610_000, "$3,888.61"),
        (123_456_789, "$123.46"),
        (-70_000, "-$0.07"),
    ],
)
def test_usd(micro: int, shown: str) -> None:
    """Sums have two decimals, and up to four below 100 dollars where they matter; never nothing for something."""
    assert usd(micro) == shown


@given(st.integers(1, 10**12))
def test_usd_never_hides_money(micro: int) -> None:
    """A sum above nothing never reads as nothing."""
    assert float(usd(micro).replace("$", "").replace(",", "")) > 0


@given(st.integers(0, 10**13))
def test_dollars_are_exact(micro: int) -> None:
    """The number in JSON gives the micro-dollars back."""
    assert round(dollars(micro) * 1_000_000) == micro


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (59.7, "1 min"),
        (1860, "31 min"),
        (3599, "1h 00m"),
        (25_080, "6h 58m"),
        (300_000, "3 days"),
    ],
)
def test_span(seconds: float, shown: str) -> None:
    """Lengths of time are told in the unit that fits."""
    assert span(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "1 ms"), (0.0167, "17 ms"), (0.0994, "99 ms"), (0.0996, "0.1 s"), (8.44, "8.4 s"), (59.96, "1 min")],
)
def test_took(seconds: float, shown: str) -> None:
    """What was quick is told as exactly as what was slow, and nothing takes no time."""
    assert took(seconds) == shown


def test_moment() -> None:
    """Times are ISO 8601 in UTC."""
    assert moment(0) == "1970-01-01T00:00:00Z"


def test_many() -> None:
    """One is one, and thousands have a comma."""
    assert (many(1, "picture"), many(1200, "picture")) == ("1 picture", "1,200 pictures")


def test_owed_names_every_open_sum() -> None:
    """Money at risk, in doubt and unpriced is each told, and nothing when there is none."""
    assert owed(Money()) == ""
    told = owed(Money(reserved=120_000, in_doubt=70_000, unpriced=2))
    assert told == "$0.12 at risk, $0.07 in doubt, 2 at a price unknown"


def test_price_unknown() -> None:
    """Only when nothing at all is known of the price."""
    assert price_unknown(Money(unpriced=1))
    assert not price_unknown(Money(unpriced=1, spent=1))
    assert not price_unknown(Money())
