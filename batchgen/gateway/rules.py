"""What a gateway agrees to with its customers, and may change while it runs: accounts, limits, lifetimes; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from batchgen.terms import LOCAL, Rate

BOTTOMLESS: Final = 10**15
"""The deposit of an account that nobody set one for, in millionths of a USDC: a thousand million dollars."""

RetryAfter: TypeAlias = Literal["seconds", "date", "none"]
"""How a refusal for now says when to come again."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer: `owner` is whose tasks it sees, `name` what the log calls it.

    `rate` and `running` limit new tasks, None is no limit; `models` are those it may buy, None is all.
    """

    owner: str
    name: str
    deposit_micro_usd: int = BOTTOMLESS
    rate: Rate | None = None
    running: int | None = None
    models: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Accounts by the sha256 of their keys, and how long things last, in seconds; None is for ever."""

    accounts: Mapping[str, Account] = field(default_factory=dict)
    token_ttl_seconds: float | None = None
    task_ttl_seconds: float | None = None
    file_ttl_seconds: float | None = None
    url_ttl_seconds: float = LOCAL.url_ttl_seconds or 600.0
    retry_after: RetryAfter = "seconds"


def over(since: float, ttl_seconds: float | None, now: float) -> bool:
    """Whether something that began then has lived its time."""
    return ttl_seconds is not None and now >= since + ttl_seconds
