"""How long pictures took, by model, and how they came in over the time that runs were going."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from batchgen.journal import Run
from batchgen.report.cards import Times

BINS: Final = 72
"""Into so many stretches of equal length the time of all runs is cut."""


@dataclass(frozen=True, slots=True)
class Latency:
    """One model's times from sending to picture, in seconds; a tenth of its pictures took longer than `tenth`."""

    model: str
    pictures: int
    quickest: float
    median: float
    tenth: float
    slowest: float


@dataclass(frozen=True, slots=True)
class Completions:
    """Pictures per stretch of `stretch_seconds`; the waits between runs are left out.

    `turns` are the numbers of later runs with where each began, as a share of the whole from 0 to 1.
    """

    counts: tuple[int, ...]
    stretch_seconds: float
    turns: tuple[tuple[int, float], ...] = ()

    @property
    def seconds(self) -> float:
        """All stretches together."""
        return self.stretch_seconds * len(self.counts)

    @property
    def pictures(self) -> int:
        """All pictures."""
        return sum(self.counts)


@dataclass(slots=True)
class Timings:
    """What is kept of each picture while a batch is read: sixteen bytes."""

    _seconds: dict[str, "array[float]"] = field(default_factory=dict)
    _ready: dict[int, "array[float]"] = field(default_factory=dict)

    def add(self, model: str, run: int, times: Times) -> None:
        """Note a picture; `run` is the run that stored it."""
        if times.ready is not None:
            self._ready.setdefault(run, array("d")).append(times.ready)
        if times.seconds is not None:
            self._seconds.setdefault(model, array("d")).append(times.seconds)

    def latencies(self) -> tuple[Latency, ...]:
        """Each model's times, by name."""
        return tuple(_latency(model, sorted(seconds)) for model, seconds in sorted(self._seconds.items()))

    def median(self) -> float | None:
        """The usual time of a picture over all models, None when none is known."""
        every = sorted(each for seconds in self._seconds.values() for each in seconds)
        return at_share(every, 0.5) if every else None

    def completions(self, runs: Iterable[Run]) -> Completions | None:
        """How pictures came in, None when none did."""
        spans = _spans(runs, self._ready)
        whole = sum(seconds for _, seconds in spans.values())
        if not self._ready or not spans:
            return None
        stretch = max(whole, 1.0) / BINS
        counts, before, turns = [0] * BINS, 0.0, []
        for number, (began, seconds) in spans.items():
            if before:
                turns.append((number, before / max(whole, 1.0)))
            for each in self._ready[number]:
                at = before + min(max(each - began, 0.0), seconds)
                counts[min(int(at / stretch), BINS - 1)] += 1
            before += seconds
        return Completions(tuple(counts), stretch, tuple(turns))


def at_share(ordered: Sequence[float], share: float) -> float:
    """The value below which so much of an ordered sequence lies: an element of it, the nearest rank."""
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]


def _latency(model: str, ordered: Sequence[float]) -> Latency:
    return Latency(
        model=model,
        pictures=len(ordered),
        quickest=ordered[0],
        median=at_share(ordered, 0.5),
        tenth=at_share(ordered, 0.9),
        slowest=ordered[-1],
    )


def _spans(runs: Iterable[Run], ready: Mapping[int, Sequence[float]]) -> dict[int, tuple[float, float]]:
    """Beginning and length of each run that stored anything, in order; a killed one ends with its last picture."""
    found: dict[int, tuple[float, float]] = {}
    for run in sorted(runs, key=lambda each: each.number):
        if run.number in ready:
            last = max(ready[run.number])
            found[run.number] = (run.began, max(0.0, (last if run.ended is None else max(run.ended, last)) - run.began))
    return found
