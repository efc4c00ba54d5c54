"""Durations and rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.quantities import duration, duration_or_none, rate
from batchgen.terms import Rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("20m", 1200), ("4h", 14400), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25), ("2d", 172800)],
)
def test_durations(text: str, seconds: float) -> None:
    """A number and its unit, or several, are seconds."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "value", ["", "s", "5", "5 m", "m5", "-5m", "5M", "none", "0s", "999d", 5, True, None, [], "5m!", "\u0665m"]
)
def test_no_durations(value: object) -> None:
    """Anything else is refused with a sentence."""
    with pytest.raises(ValueError, match="duration"):
        duration(value)


@given(st.integers(1, 366), st.sampled_from(["s", "m", "h", "d"]))
def test_every_number_has_its_unit(number: int, unit: str) -> None:
    """A duration grows with its number by its unit."""
    assert duration(f"{number}{unit}") == number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("15/10s", Rate(15, 10)), ("20/1m", Rate(20, 60)), ("5/s", Rate(5, 1)), ("1/500ms", Rate(1, 0.5)), ("none", None)],
)
def test_rates(text: str, expected: Rate | None) -> None:
    """So many in a window, or none at all."""
    assert rate(text) == expected


@pytest.mark.parametrize(
    "value", ["", "15", "15/", "/10s", "0/10s", "-1/10s", "1.5/10s", "15/10", "a/b", 15, None, "1/0s"]
)
def test_no_rates(value: object) -> None:
    """Anything else is refused with a sentence."""
    with pytest.raises(ValueError, match=r"rate|duration"):
        rate(value)


def test_none_is_a_word() -> None:
    """`none` lifts a deadline, an empty value does not."""
    assert duration_or_none("none") is None
    with pytest.raises(ValueError, match="duration"):
        duration_or_none(None)
