"""Figures as people read them: sums of money, counts, spans of time."""

from datetime import UTC, datetime
from typing import Final

from batchgen.ledger import Money
from batchgen.report.plain import visible

MICRO: Final = 1_000_000


def usd(micro_usd: int) -> str:
    """A sum such as `$3,888.61`; below 100 dollars with up to four decimals where they matter."""
    amount = abs(micro_usd) / MICRO
    digits = f"{amount:,.2f}"
    if amount < 100 and micro_usd % 10_000:
        whole, _, fraction = f"{max(amount, 0.0001):,.4f}".partition(".")
        digits = f"{whole}.{fraction.rstrip('0'):0<2}"
    return f"{'-' if micro_usd < 0 else ''}${digits}"


def dollars(micro_usd: int) -> float:
    """A sum as the number that JSON carries, exact to a micro-dollar."""
    return round(micro_usd / MICRO, 6)


def span(seconds: float) -> str:
    """A length of time such as `6h 58m`, `31 min` or `45 s`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours}h {minutes % 60:02}m" if hours < 48 else f"{round(minutes / 1440):,} days"


def took(seconds: float) -> str:
    """How long something took, however quick it was: `40 ms`, `8.4 s`, `2 min`."""
    if seconds < 0.0995:
        return f"{max(1, round(seconds * 1000))} ms"
    return f"{seconds:.1f} s" if seconds < 59.95 else span(seconds)


def volume(size: int) -> str:
    """So many bytes as `48.2 GB`."""
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{max(1, round(size / 1000))} kB" if size else "nothing"


def moment(unix_seconds: float) -> str:
    """A time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def many(count: int, noun: str) -> str:
    """A count with its noun: `1 picture`, `8 pictures`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def price_unknown(money: Money) -> bool:
    """Whether nothing is known of what was paid, so that a sum would say too much."""
    return money.unpriced > 0 and money.exposed == 0


def owed(money: Money) -> str:
    """What may still be paid beyond what is spent, empty when nothing."""
    parts = [
        f"{usd(money.reserved)} at risk" if money.reserved else "",
        f"{usd(money.in_doubt)} in doubt" if money.in_doubt else "",
        f"{money.unpriced:,} at a price unknown" if money.unpriced else "",
    ]
    return ", ".join(filter(None, parts))


def first_lines(folder: str, run: int, *, new: bool, store: str = "") -> str:
    """Where the batch lives, and its pictures if elsewhere, whole however long; and which run of it this is."""
    pictures = f"\npictures in {visible(store)}" if store else ""
    return f"{visible(folder)}{pictures}\n{'new batch' if new else f'run {run} of this batch'}"
