"""The goals, one function each, named for what it measures; each gives the figures that it saw and what they must be.

A line of figures says itself how certain it is: `spread` is half the distance between its best and its worst round.
"""

import os
import platform
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib.metadata import version

from tests.benchmarks.arms import Arm, Taken, interleaved
from tests.benchmarks.measure import Work
from tests.benchmarks.programs import finished_again, planned, started, waiting
from tests.benchmarks.server import ideal_seconds

OURS = ("tests.benchmarks.ours",)


@dataclass(frozen=True)
class Goal:
    """One figure against its goal. `wall` marks one that a busy machine makes meaningless."""

    name: str
    what: str
    figure: float
    most: float
    spread: float = 0.0
    wall: bool = False

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.figure <= self.most

    def broken(self, floor: float) -> bool:
        """Whether it is worse than a floor by more than its spread."""
        return self.figure - self.spread > floor


@dataclass(frozen=True)
class Size:
    """How thorough to be."""

    rounds: int
    jobs: int
    rows: int
    quick: bool
    told: Callable[[str], None]


def ratio(name: str, what: str, pair: tuple[list[float], list[float]], most: float, *, wall: bool = False) -> Goal:
    """A goal that is ours over theirs, round by round: both met the same machine."""
    each = [ours / theirs for ours, theirs in zip(*pair, strict=True)]
    return Goal(name, what, statistics.median(each), most, (max(each) - min(each)) / 2, wall=wall)


def peers(size: Size) -> Iterable[Goal]:
    """G1, G2, G3: a job whose task is ready at once, structure checked, against three peers."""
    return _raced(size, Work(jobs=size.jobs), "d0")


def secured(size: Size) -> Iterable[Goal]:
    """G1, G2, G3 over TLS, whose own cost is the same for all."""
    return _raced(size, Work(jobs=size.jobs, tls=True), "d0 over TLS", " TLS")


def _raced(size: Size, work: Work, what: str, name: str = "") -> Iterable[Goal]:
    arms = {
        "ours": Arm("ours", OURS, work),
        "N": Arm("N", ("tests.benchmarks.peers", "N"), replace(work, jobs=max(size.jobs // 4, 200))),
        "A": Arm("A", ("tests.benchmarks.peers", "A"), work),
        "B": Arm("B", ("tests.benchmarks.peers", "B"), work),
    }
    taken = interleaved(arms, size.rounds, size.told)
    cpu = {name: each.values("cpu_per_job") for name, each in taken.items()}
    yield ratio(f"G1{name}", f"{what}, CPU a job, against httpx", (cpu["ours"], cpu["N"]), 1 / 12)
    yield ratio(f"G2{name}", f"{what}, CPU a job, against aiohttp with a log", (cpu["ours"], cpu["A"]), 0.75)
    yield ratio(f"G3{name}", f"{what}, CPU a job, against aiohttp without a log", (cpu["ours"], cpu["B"]), 0.90)
    idle = max(_server_share(each) for each in taken.values())
    yield Goal(f"server{name}", "the server's CPU against the arm's, at most", idle, 1.0)


def decoded(size: Size) -> Iterable[Goal]:
    """G1-G3 with the default check: every picture decoded, in processes beside the run; no peer does that."""
    work = Work(jobs=size.jobs // 2)
    arms = {
        "structure": Arm("structure", OURS, work),
        "decode": Arm("decode", OURS, replace(work, check="decode")),
    }
    taken = interleaved(arms, size.rounds, size.told)
    added = [
        1000 * (decode - structure)
        for decode, structure in zip(
            taken["decode"].values("cpu_per_job"), taken["structure"].values("cpu_per_job"), strict=True
        )
    ]
    yield Goal("decode", "ms CPU a job that decoding 200 KB of PNG adds", statistics.median(added), 20)


def durable(size: Size) -> Iterable[Goal]:
    """G4, G5: what durability costs, and how often the journal waits for the disk."""
    work = Work(jobs=size.jobs)
    arms = {
        "full": Arm("full", OURS, work),
        "off": Arm("off", OURS, replace(work, journal="off")),
        "counted": Arm("counted", OURS, replace(work, journal="counted")),
        "5 ms": Arm("5 ms", OURS, replace(work, journal="counted", sync_ms=5)),
    }
    taken = interleaved(arms, size.rounds, size.told)
    cpu = taken["full"].values("cpu_per_job"), taken["off"].values("cpu_per_job")
    yield ratio("G4", "CPU with the journal against without", cpu, 1.06)
    slow = [1 / each for each in taken["5 ms"].values("jobs_per_second")]
    fast = [1 / each for each in taken["counted"].values("jobs_per_second")]
    yield ratio("G4 5ms", "wall time with syncs of 5 ms against real ones", (slow, fast), 1 / 0.90, wall=True)
    yield _syncs("G5", "the journal's syncs a job", taken["counted"], 0.35)
    yield _syncs("G5 5ms", "the same when each takes 5 ms", taken["5 ms"], 0.15)


def patient(size: Size) -> Iterable[Goal]:
    """G6, G7, G9: two thousand jobs that take their time, and how often they are asked for."""
    work = Work(jobs=2 * size.jobs, in_flight=size.jobs, profile="d5", poll_seconds=1.0, slots=256, downloads=16)
    arms = {
        "ours": Arm("ours", OURS, work),
        "A": Arm("A", ("tests.benchmarks.peers", "A"), work),
    }
    taken = interleaved(arms, max(size.rounds // 2, 1), size.told)
    ours, theirs = taken["ours"], taken["A"]
    ideal = ideal_seconds("d5", work.jobs, work.in_flight)
    walls = [each / ideal for each in ours.values("wall")]
    yield Goal("G6", f"d5, wall time against the ideal {ideal:.1f} s", statistics.median(walls), 1.03, wall=True)
    most = max(ours.values("server_most_connections"))
    yield Goal("G6 lines", "connections at once", most, 256)
    yield ratio("G7", "peak memory against aiohttp", (ours.values("peak_mb"), theirs.values("peak_mb")), 0.5)
    polls = ours.values("server_polls"), theirs.values("server_polls")
    yield ratio("G9 polls", "polls a job against one a second", polls, 0.5)
    delays = ours.values("server_delay_median"), theirs.values("server_delay_median")
    yield ratio("G9 delay", "how late half of the pictures are seen, likewise", delays, 0.5, wall=True)


def crowded(size: Size) -> Iterable[Goal]:
    """A run with ten thousand tasks under way at once ends well; what it takes for them."""
    count = 2_000 if size.quick else 10_000
    work = Work(jobs=count, in_flight=count, profile="d5", size=20_000, slots=256, downloads=16)
    taken = interleaved({"crowd": Arm("crowd", OURS, work)}, 1, size.told)["crowd"]
    yield Goal("crowd MB", f"{count:,} in flight, peak memory", taken.median("peak_mb"), 256)
    yield Goal("crowd lines", "the same, connections at once", taken.median("server_most_connections"), 256)


def sleeping(size: Size) -> Iterable[Goal]:
    """G8: ten thousand jobs that wait, nothing due."""
    told = waiting(2_000 if size.quick else 10_000)
    yield Goal("G8", "CPU seconds a second while 10,000 wait", told["cpu_per_second"], 0.03)
    yield Goal("G8 kB", "kilobytes of a waiting job", told["kb_per_job"], 4.0)


def large(size: Size) -> Iterable[Goal]:
    """G10: downloads of 5 MB, by what they cost, against both peers."""
    work = Work(jobs=max(size.jobs // 20, 40), in_flight=8, size=5_000_000, slots=8, downloads=8)
    arms = {
        "ours": Arm("ours", OURS, work),
        "N": Arm("N", ("tests.benchmarks.peers", "N"), work),
        "A": Arm("A", ("tests.benchmarks.peers", "A"), work),
    }
    taken = interleaved(arms, size.rounds, size.told)
    cpu = {name: each.values("cpu_per_job") for name, each in taken.items()}
    yield ratio("G10", "5 MB with hash and write, CPU against httpx", (cpu["ours"], cpu["N"]), 1 / 1.5)
    yield ratio("G10 A", "the same against aiohttp", (cpu["ours"], cpu["A"]), 1 / 0.85)


def again(size: Size) -> Iterable[Goal]:
    """G11, G12: a finished batch run again, and a table planned; see tests.benchmarks.planning for the long table."""
    share = size.rows / 1_000_000
    again_seconds, peak = finished_again(size.rows)
    yield Goal("G11", f"{size.rows:,} finished jobs run again, CPU seconds", again_seconds, max(5 * share, 1.5))
    yield Goal("G11 MB", "the same, peak memory", peak, 150)
    micros, peak = planned(size.rows)
    yield Goal("G12", f"{size.rows:,} rows planned, microseconds each", micros, 60)
    yield Goal("G12 MB", "the same, peak memory over the interpreter", peak, 150)


def start_up(size: Size) -> Iterable[Goal]:
    """G13: what it costs to ask for help and for a status."""
    told = started(3 if size.quick else 11)
    yield Goal("G13", "--help against bare Python, CPU", told["help"], 4.0)
    yield Goal("G13 status", "status against bare Python, CPU", told["status"], 8.0)


def growth(size: Size) -> Iterable[Goal]:
    """G14: the cost of a job in a long run against a short one; pictures of 2 KB."""
    few, many = (1_000, 5_000) if size.quick else (1_000, 100_000)
    work = Work(size=2_000)
    arms = {
        "few": Arm("few", OURS, replace(work, jobs=few)),
        "many": Arm("many", OURS, replace(work, jobs=many)),
    }
    taken = interleaved(arms, 1 if not size.quick else 2, size.told)
    cpu = taken["many"].values("cpu_per_job"), taken["few"].values("cpu_per_job")
    yield ratio("G14", f"CPU a job of {many:,} jobs against {few:,}", cpu, 1.05)


BENCHMARKS: dict[str, Callable[[Size], Iterable[Goal]]] = {
    "peers": peers,
    "tls": secured,
    "decoded": decoded,
    "durable": durable,
    "patient": patient,
    "crowded": crowded,
    "sleeping": sleeping,
    "large": large,
    "again": again,
    "start": start_up,
    "growth": growth,
}


def versions() -> dict[str, str]:
    """What was measured with what, and how busy the machine was."""
    names = ("aiohttp", "anyio", "apsw", "httptools", "httpx", "uvloop")
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in names},
        "load before": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
    }


def _server_share(taken: Taken) -> float:
    return max(
        server / own for server, own in zip(taken.values("server_cpu_seconds"), taken.values("cpu"), strict=True)
    )


def _syncs(name: str, what: str, taken: Taken, most: float) -> Goal:
    return Goal(name, what, taken.median("journal_syncs") / taken.rounds[0]["jobs"], most)
