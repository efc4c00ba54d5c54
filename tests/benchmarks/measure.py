"""What one process of a race took: it measures itself, from after its imports, and prints one line of JSON."""

import json
import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

WORK = "BENCHMARK_WORK"


@dataclass(frozen=True)
class Work:
    """What is to be done: handed to every arm in its environment."""

    jobs: int = 2000
    in_flight: int = 100
    poll_seconds: float = 0.5
    profile: str = "d0"
    size: int = 200_000
    check: str = "structure"
    journal: str = "full"
    sync_ms: int = 0
    polls_per_second: float = 10_000
    slots: int = 100
    downloads: int = 100
    uvloop: bool = True
    tls: bool = False
    core: int | None = 0

    @classmethod
    def read(cls) -> Self:
        """The work of this process, which is pinned to its core."""
        work = cls(**json.loads(os.environ[WORK]))
        if work.core is not None:
            os.sched_setaffinity(0, {work.core})
        return work

    def environ(self) -> dict[str, str]:
        """For a process that is to do it."""
        return {**os.environ, WORK: json.dumps(asdict(self))}


def used() -> float:
    """CPU seconds of this process and of those that it waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def measured(do: Callable[[], object], work: Work, told: Callable[[], dict[str, Any]] = dict) -> None:
    """Do it and print what it took; `told` gives more to print."""
    cpu, began = used(), time.monotonic()
    do()
    wall, cpu = time.monotonic() - began, used() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "peak_mb": peak, "jobs": work.jobs, **told()}), flush=True)
