"""A batch as gauges in Prometheus's text format, for a collector that reads files or the output of a command."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from batchgen.journal import STATES
from batchgen.report.plain import harmless
from batchgen.report.summary import Summary
from batchgen.report.words import dollars

Sample: TypeAlias = tuple[Mapping[str, str], float]

HELP: Final = {
    "jobs": "Jobs by state; kept ones count as stored.",
    "model_jobs": "Jobs by model and state.",
    "kept_jobs": "Stored pictures that differ from the manifest as it stands.",
    "failed_jobs": "Jobs that failed for good, by class.",
    "spent_usd": "What was paid, in all runs.",
    "reserved_usd": "What is on its way to be paid.",
    "in_doubt_usd": "What may have been paid.",
    "lost_usd": "What was paid without getting a picture.",
    "unpriced_attempts": "Attempts at a price that nobody knows.",
    "runs": "Writings of the journal so far, of all commands.",
    "live": "1 while a run holds the batch.",
    "killed": "1 when the newest run has no end and nobody holds the batch.",
    "last_run_began_seconds": "When the newest `batchgen run` began, in unix seconds.",
    "last_run_ended_seconds": "When the newest one that ended did, in unix seconds.",
    "last_run_exit_code": "The exit code of the newest one that ended.",
    "disk_free_bytes": "Room where the pictures land.",
}
"""The gauges, each without its prefix."""


def exposition(found: Summary, free_bytes: int | None) -> Iterator[str]:
    """The lines of all gauges; one that nothing is known of is left out. Every sample names batch and folder."""
    batch = {"batch": found.name, "folder": found.folder}
    for name, samples in _samples(found, free_bytes):
        lines = [f"batchgen_{name}{_labels({**batch, **labels})} {_number(value)}" for labels, value in samples]
        if lines:
            yield f"# HELP batchgen_{name} {HELP[name]}"
            yield f"# TYPE batchgen_{name} gauge"
            yield from lines


def _samples(found: Summary, free_bytes: int | None) -> Iterator[tuple[str, Iterable[Sample]]]:
    classes: Counter[str] = Counter()
    for each in found.failures:
        classes[each.failure] += each.jobs
    yield "jobs", [({"state": state}, found.of(state)) for state in STATES]
    yield (
        "model_jobs",
        [
            ({"model": model, "state": state}, counts.get(state, 0))
            for model, counts in sorted(found.models.items())
            for state in STATES
        ],
    )
    yield "kept_jobs", [({}, found.kept)]
    yield "failed_jobs", [({"class": failure}, jobs) for failure, jobs in sorted(classes.items())]
    for name in ("spent", "reserved", "in_doubt", "lost"):
        yield f"{name}_usd", [({}, dollars(getattr(found.money, name)))]
    yield "unpriced_attempts", [({}, found.money.unpriced)]
    yield from _runs(found)
    yield "disk_free_bytes", [] if free_bytes is None else [({}, free_bytes)]


def _runs(found: Summary) -> Iterator[tuple[str, Iterable[Sample]]]:
    begun = [each for each in found.runs if each.verb == "run"]
    ended = [each for each in begun if each.ended is not None and each.exit_code is not None]
    yield "runs", [({}, found.runs[0].number if found.runs else 0)]
    yield "live", [({}, found.live)]
    yield "killed", [({}, bool(found.runs) and found.runs[0].ended is None and not found.live)]
    yield "last_run_began_seconds", [({}, each.began) for each in begun[:1]]
    yield "last_run_ended_seconds", [({}, each.ended or 0) for each in ended[:1]]
    yield "last_run_exit_code", [({}, each.exit_code or 0) for each in ended[:1]]


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return harmless(value).replace("\\", r"\\").replace('"', r"\"")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
