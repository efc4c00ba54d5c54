"""Durations and rates as people write them: `90s`, `20m`, `1h30m`, `15/10s`, `none`."""

import math
import re
from decimal import Decimal
from typing import Final

from batchgen.terms import Accept, Rate

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|[smhd])")
_PERCENT: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,4})?%")
_LONGEST: Final = 366 * 86400.0


def duration(value: object) -> float:
    """Seconds; ValueError with a sentence when it is no duration."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"a duration needs its unit: {value:g}s, {value:g}m or {value:g}h")  # noqa: TRY004 (pydantic's way)
    if not isinstance(value, str) or not value or _PART.sub("", value):
        raise ValueError("this is not a duration; write 90s, 20m or 4h")
    seconds = math.fsum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
    if not 0 < seconds <= _LONGEST:
        raise ValueError("a duration lies above zero and within 366 days")
    return seconds


def duration_or_none(value: object) -> float | None:
    """Seconds, None for the word `none`."""
    return None if value == "none" else duration(value)


def rate(value: object) -> Rate | None:
    """So many in any window of a time, None for the word `none`."""
    if value == "none":
        return None
    count, _, window = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not re.fullmatch(r"[0-9]{1,6}", count) or not int(count) or not window:
        raise ValueError("this is not a rate; write 15/10s (15 in any 10 seconds) or none")
    return Rate(int(count), duration(window if window[0].isdigit() else "1" + window))


def share(value: object) -> float:
    """A percentage as a part of one."""
    text = value if isinstance(value, str) else ""
    if not _PERCENT.fullmatch(text) or float(text[:-1]) > 100:
        raise ValueError("this is no share; write 1% or 0.5%")
    return float(Decimal(text[:-1]) / 100)


def count_or_share(value: object) -> Accept:
    """A number, or a percentage of all."""
    if isinstance(value, str):
        return Accept(share=share(value))
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("this is neither a number nor a share; write 20 or 1%")
    return Accept(count=value)


def micro_usd(dollars: float) -> int:
    """An amount of money, exact to the sixth digit."""
    return round(Decimal(str(dollars)) * 1_000_000)
