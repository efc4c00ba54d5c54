"""How long a run will take, what holds it back, and how much disk it needs; from what the journal has seen."""

import itertools
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from batchgen.job import Request, effective
from batchgen.journal import Record, Selection
from batchgen.lifecycle import Started, Stored
from batchgen.store.space import free_bytes
from batchgen.terms import Limits, Terms

GUESSED_SECONDS: Final = 45.0
SUBMIT_SECONDS: Final = 1.0
"""What a submit holds its slot for, when nobody has measured it."""

GUESSED_BYTES: Final[Mapping[str, int]] = {"1K": 1_700_000, "2K": 6_000_000, "4K": 20_000_000}
JOURNAL_BYTES: Final = 2500
"""Of the journal, by job."""

SEEN: Final = 60
"""So many stored pictures tell how the next ones will be."""

_STORED: Final = Selection(states=frozenset({"stored"}))


@dataclass(frozen=True, slots=True)
class Experience:
    """What earlier runs have seen: seconds from submit to picture, and bytes, by model."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    size: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run needs. `reason` says what holds it back, `guessed` that no picture has been seen yet.

    Bytes are those of pictures and journal, and what is free where they go.
    """

    seconds: float = 0
    reason: str = ""
    guessed: bool = True
    needed_bytes: int = 0
    free_bytes: int | None = None

    @property
    def fits(self) -> bool:
        """Whether there is room; a guess counts for a quarter."""
        needed = self.needed_bytes / 4 if self.guessed else self.needed_bytes
        return self.free_bytes is None or needed <= self.free_bytes


def experience(record: Record | None) -> Experience:
    """What the first stored pictures of a batch tell; nothing before there is any."""
    if record is None:
        return Experience()
    seconds: dict[str, list[float]] = {}
    sizes: dict[str, list[int]] = {}
    for each in itertools.islice(record.entries(_STORED), SEEN):
        if isinstance(each.milestone, Stored):
            model = each.job.request.model
            sizes.setdefault(model, []).append(sum(asset.size for asset in each.milestone.assets))
            began = [written.at for written in record.life(each.job.number) if isinstance(written.milestone, Started)]
            seconds.setdefault(model, []).append(each.at - began[-1] if began else GUESSED_SECONDS)
    return Experience(
        {model: statistics.median(each) for model, each in seconds.items()},
        {model: statistics.mean(each) for model, each in sizes.items()},
    )


def forecast(
    shapes: Iterable[tuple[Request, int]], terms: Terms, seen: Experience, folder: str, *, jobs: int
) -> Forecast:
    """How long so many pictures of each shape take, and how much room they need in a folder, or one above it."""
    known = list(shapes)
    if not known:
        return Forecast(free_bytes=free_bytes(folder))
    seconds, reason = max(_bounds(known, terms, seen))
    needed = sum(count * _bytes(request, seen) for request, count in known) + jobs * JOURNAL_BYTES
    guessed = any(request.model not in seen.seconds for request, _ in known)
    return Forecast(seconds, reason, guessed, int(needed), free_bytes(folder))


def _bounds(shapes: list[tuple[Request, int]], terms: Terms, seen: Experience) -> Iterator[tuple[float, str]]:
    """Each thing that a run cannot be faster than, for all and for each model with limits of its own."""
    yield from _held(shapes, terms.limits, seen, "")
    for model, limits in terms.models.items():
        own = [(request, count) for request, count in shapes if request.model == model]
        if own:
            yield from _held(own, limits, seen, f" of {model}")


def _held(
    shapes: list[tuple[Request, int]], limits: Limits, seen: Experience, whose: str
) -> Iterator[tuple[float, str]]:
    pictures = sum(count for _, count in shapes)
    work = sum(count * seen.seconds.get(request.model, GUESSED_SECONDS) for request, count in shapes)
    longest = max(seen.seconds.get(request.model, GUESSED_SECONDS) for request, _ in shapes)
    each = work / pictures
    if pictures <= limits.in_flight:
        yield longest, f"the provider: {longest:.0f} s for a picture{whose}"
    else:
        yield work / limits.in_flight, f"{limits.in_flight} in flight{whose} at {each:.0f} s each"
    if limits.rate is not None:
        yield pictures * limits.rate.seconds / limits.rate.count + longest, f"the rate {limits.rate}{whose}"
    slots = limits.expert.submit_slots_most
    yield pictures * SUBMIT_SECONDS / slots, f"{slots} submits at a time{whose}"


def _bytes(request: Request, seen: Experience) -> float:
    if request.model in seen.size:
        return seen.size[request.model]
    fields = effective(request)
    whole = GUESSED_BYTES.get(str(fields.get("resolution", "1K")), GUESSED_BYTES["1K"])
    return whole / 5 if fields.get("output_format") == "jpg" else whole
