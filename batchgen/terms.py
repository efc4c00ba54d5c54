"""What the provider and the user agreed to, frozen for a run; and the one table of defaults."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, TypeAlias

Idempotency: TypeAlias = Literal["none", "replay", "reject"]
"""What a provider does with a token it has seen: ignore it, answer as before, or answer 409."""

TOKEN_LIFE: Final = 0.9
"""The share of `token_ttl` for which a token is trusted: clocks differ and keys are pruned early."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider promises. Times in seconds; None means unknown (for `token_ttl_seconds`: for ever).

    The default is the Xenodia image API, whose pages promise none of it for images.
    """

    idempotency: Idempotency = "none"
    token_ttl_seconds: float | None = None
    url_ttl_seconds: float | None = None
    task_ttl_seconds: float | None = None
    failed_is_free: bool = False


XENODIA: Final = Profile()
LOCAL: Final = Profile(idempotency="replay", url_ttl_seconds=600, failed_is_free=True)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` submits in any window of `seconds`."""

    count: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds:g}s"


@dataclass(frozen=True, slots=True)
class Hold:
    """A payment in doubt waits for a person."""


@dataclass(frozen=True, slots=True)
class Resend:
    """A payment in doubt is sent again as a new attempt while the sum resent stays within this."""

    up_to_micro_usd: int


InDoubtPolicy: TypeAlias = Hold | Resend


@dataclass(frozen=True, slots=True)
class Accept:
    """How many jobs may fail in a batch that still counts as finished: a number, or a share from 0 to 1 of all."""

    count: int = 0
    share: float = 0.0

    def allows(self, failed: int, jobs: int) -> bool:
        """Whether so many failures of so many jobs are still a success."""
        return failed <= max(self.count, math.floor(self.share * jobs + 1e-9))

    def __str__(self) -> str:
        return f"{self.share * 100:g}%" if self.share else str(self.count)


@dataclass(frozen=True, slots=True)
class StopAt:
    """When failures stop a run: so many in a row with one reason, or a share of at least so many finished jobs."""

    in_a_row: int = 20
    share: float = 0.10
    of_at_least: int = 200


@dataclass(frozen=True, slots=True)
class Failures:
    """How often a job is attempted, what failures are accepted, when they stop a run; `stop_at` None means never."""

    attempts: int = 2
    accept: Accept = field(default_factory=Accept)
    stop_at: StopAt | None = field(default_factory=StopAt)
    in_doubt: InDoubtPolicy = field(default_factory=Hold)


@dataclass(frozen=True, slots=True)
class Price:
    """What one picture of a model costs, in micro-USD: `flat`, or by tier, named as the provider does (`1k_2k`)."""

    flat_micro_usd: int | None = None
    tiers_micro_usd: Mapping[str, int] = field(default_factory=dict)

    def of(self, resolution: str | None) -> int | None:
        """The price at a resolution, None when this says nothing about it; without one, that of 1K."""
        wanted = (resolution or "1K").lower()
        tiers = (price for name, price in self.tiers_micro_usd.items() if wanted in name.lower().split("_"))
        return next(tiers, self.flat_micro_usd)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a batch may cost, in micro-USD; None means no bound. `prices` by model win over the provider's list."""

    max_micro_usd: int | None = None
    max_micro_usd_per_day: int | None = None
    max_micro_usd_per_picture: int | None = None
    ask_above_micro_usd: int = 20_000_000
    prices: Mapping[str, Price] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expert:
    """Settings that hardly anybody needs; sizes in bytes."""

    submit_slots: int = 4
    submit_slots_most: int = 8
    polls_per_second: float = 5
    downloads: int = 8
    max_bytes: int = 64 * 1024 * 1024
    submit_tries: int = 3
    poll_tries: int = 8
    download_tries: int = 40


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once and how long; None means no limit."""

    in_flight: int = 100
    rate: Rate | None = Rate(15, 10)
    deadline_seconds: float | None = None
    give_up_waiting_seconds: float = 20 * 60
    expert: Expert = field(default_factory=Expert)


LOCAL_LIMITS: Final = Limits(rate=None, expert=Expert(polls_per_second=50))
"""The built-in gateway needs no rate and answers polls for nothing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """All that a worker obeys; `models` holds the limits of those models that have their own."""

    profile: Profile = XENODIA
    failures: Failures = field(default_factory=Failures)
    limits: Limits = field(default_factory=Limits)
    budget: Budget = field(default_factory=Budget)
    models: Mapping[str, Limits] = field(default_factory=dict)

    def of(self, model: str) -> Limits:
        """The limits of one model."""
        return self.models.get(model, self.limits)


def defaults() -> Iterator[tuple[str, str]]:
    """Name and default of every setting, as the documentation prints them."""
    tables = (("provider.profile", Profile()), ("failures", Failures()), ("limits", Limits()), ("budget", Budget()))
    for prefix, value in tables:
        yield from _rows(prefix, value)


def _rows(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    for each in fields(value):
        inner, name = getattr(value, each.name), f"{prefix}.{each.name}"
        if isinstance(inner, Expert | StopAt):
            yield from _rows(name, inner)
        else:
            yield name.removesuffix("_seconds").replace("_micro_usd", "_usd"), _shown(each.name, inner)


def _shown(name: str, value: Any) -> str:
    match value:
        case None | {}:
            return "none"
        case _ if name.endswith("_seconds"):
            return f"{value // 60:g}m" if value % 60 == 0 else f"{value:g}s"
        case _ if "_micro_usd" in name:
            return f"{value / 1e6:g}"
        case float() if name == "share":
            return f"{value * 100:g}%"
        case _:
            return str(value).lower().removesuffix("()")
