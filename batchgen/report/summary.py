"""A batch in one object: what `status --json` prints and `report.json` holds."""

import fcntl
import json
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

from batchgen.errors import FailureClass
from batchgen.journal import STATES, Record, Run, State
from batchgen.ledger import Money
from batchgen.report.words import dollars, moment

FORMAT: Final = 1
"""The version of the JSON object; a key never changes its meaning within one."""

RUNS: Final = 5
REASONS: Final = 50
"""So many runs and reasons are listed; rarer reasons are counted together, by class."""

OTHER: Final = "other reasons"


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many jobs failed for good with one class and reason."""

    failure: FailureClass
    reason: str
    jobs: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A batch in figures; `folder` is absolute, `runs` the newest first, `failures` the most frequent first.

    `store` is the address of its pictures if they are not in the folder. `live` says that a run holds the batch
    now; `models` are the counts by model.
    """

    name: str
    folder: str
    counts: Mapping[State, int] = field(default_factory=dict)
    kept: int = 0
    money: Money = field(default_factory=Money)
    failures: tuple[FailureCount, ...] = ()
    runs: tuple[Run, ...] = ()
    live: bool = False
    models: Mapping[str, Mapping[State, int]] = field(default_factory=dict)
    store: str = ""

    def of(self, state: State) -> int:
        """The number of jobs in one state."""
        return self.counts.get(state, 0)

    @property
    def total(self) -> int:
        """The number of jobs."""
        return sum(self.counts.values())


def summary(record: Record, folder: str, store: str = "") -> Summary:
    """Read a batch's figures; no job is looked at but the failed ones."""
    totals = record.totals()
    return Summary(
        name=record.identity.name,
        folder=folder,
        counts=totals.counts,
        kept=totals.kept,
        money=totals.money,
        failures=failures(record.failures()),
        runs=tuple(record.runs[:RUNS]),
        live=record.live,
        models=totals.models,
        store=store,
    )


def failures(counted: Mapping[tuple[FailureClass, str], int]) -> tuple[FailureCount, ...]:
    """Failed jobs by class and reason, the most frequent first, the rare ones of a class together."""
    named = dict(Counter(counted).most_common(REASONS))
    for (failure, reason), count in counted.items():
        if (failure, reason) not in named:
            named[failure, OTHER] = named.get((failure, OTHER), 0) + count
    return tuple(FailureCount(failure, reason, count) for (failure, reason), count in named.items())


def as_json(summary: Summary) -> dict[str, Any]:
    """The object of `status --json`; sums in USD, exact to a micro-dollar."""
    money = summary.money
    return {
        "v": FORMAT,
        "name": summary.name,
        "folder": summary.folder,
        "counts": {state: summary.of(state) for state in STATES},
        "kept": summary.kept,
        "models": {model: {state: counts.get(state, 0) for state in STATES} for model, counts in _models(summary)},
        "spent_usd": dollars(money.spent),
        "reserved_usd": dollars(money.reserved),
        "in_doubt_usd": dollars(money.in_doubt),
        "lost_usd": dollars(money.lost),
        "failures": [{"class": each.failure, "reason": each.reason, "jobs": each.jobs} for each in summary.failures],
        "runs": [_run(each) for each in summary.runs],
        **({"store": summary.store} if summary.store else {}),
    }


def reported(path: str, summary: Summary) -> bool:
    """Whether a file of reports says just this, and no half-written one lies beside it."""
    try:
        with open(path, encoding="ascii") as file:
            return json.load(file) == json.loads(json.dumps(as_json(summary))) and not os.path.exists(f"{path}.part")
    except (OSError, ValueError):
        return False


def write_report(path: str, summary: Summary) -> None:
    """Write `report.json`: whole and durable under its name, or not at all.

    Whoever else is writing it, as two runs may that end at the same moment, is waited for.
    """
    part = f"{path}.part"
    with _alone(part) as file:
        json.dump(as_json(summary), file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
        os.replace(part, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _alone(part: str) -> TextIO:
    """An empty file of this name that nobody else is writing."""
    while True:
        file = open(part, "a", encoding="ascii")  # noqa: SIM115  # the caller closes it, and with it the lock
        fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(part), os.fstat(file.fileno())):
                file.truncate(0)
                return file
        file.close()  # whoever wrote it has given it its final name meanwhile


def _models(summary: Summary) -> list[tuple[str, Mapping[State, int]]]:
    return sorted(summary.models.items())


def _run(run: Run) -> dict[str, Any]:
    return {
        "number": run.number,
        "verb": run.verb,
        "began": moment(run.began),
        "ended": None if run.ended is None else moment(run.ended),
        "exit_code": run.exit_code,
        "reason": run.reason,
        "counts": dict(run.counts),
    }
