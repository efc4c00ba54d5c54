"""How seldom one can look at tasks and how soon know: `python -m tests.benchmarks.looks`, in no time but its own CPU.

Tasks of lognormal time; the best schedules there are for somebody who knows their law, by dynamic programming, and
beside them what our cadence does, which learns it: a whole run on a clock that jumps, without calls and without a wire.
"""

import heapq
import itertools
import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from batchgen.api import Waiting
from batchgen.api.cadence import Cadence, Look
from tests.benchmarks.server import MEDIAN_SECONDS, SEED, SIGMA, durations, ideal_seconds

STEP_SECONDS = 0.05
STEPS = 800
LONGEST_STEPS = 200
JOBS, IN_FLIGHT = 4_000, 2_000


@dataclass(frozen=True, slots=True)
class Course:
    """Looks a task, and how many seconds after its end a task is seen: of all in the mean, and of half at most."""

    looks: float
    mean_seconds: float
    median_seconds: float
    wall: float = math.nan


def survival(seconds: float) -> float:
    """The share of tasks that take longer."""
    if seconds <= 0:
        return 1.0
    return 0.5 * math.erfc(math.log(seconds / MEDIAN_SECONDS) / (SIGMA * math.sqrt(2)))


LEFT = [survival(step * STEP_SECONDS) for step in range(STEPS + 1)]
AREA = [0.0, *itertools.accumulate(STEP_SECONDS * (one + two) / 2 for one, two in itertools.pairwise(LEFT))]


def lateness(one: int, two: int) -> float:
    """Mean seconds for which tasks that end between two looks lie unseen, of all tasks."""
    return LEFT[one] * (two - one) * STEP_SECONDS - (AREA[two] - AREA[one])


def best(price: float) -> list[int]:
    """The schedule with the least of looks times price plus lateness, in steps."""
    cost, after = [0.0] * (STEPS + 1), [STEPS] * (STEPS + 1)
    for here in range(STEPS - 1, -1, -1):
        reach = range(here + 1, min(here + LONGEST_STEPS, STEPS) + 1)
        cost[here], after[here] = min((price * LEFT[here] + lateness(here, to) + cost[to], to) for to in reach)
    looks, here = list[int](), 0
    while here < STEPS:
        here = after[here]
        looks.append(here)
    return looks


def judged(looks: Sequence[int]) -> Course:
    """What a schedule does."""
    pairs = list(itertools.pairwise((0, *looks)))
    late = sorted(
        ((two - step - 0.5) * STEP_SECONDS, LEFT[step] - LEFT[step + 1])
        for one, two in pairs
        for step in range(one, two)
    )
    shares = itertools.accumulate(share for _, share in late)
    half = next(seconds for (seconds, _), sum_ in zip(late, shares, strict=True) if sum_ >= 0.5)
    return Course(sum(LEFT[one] for one, _ in pairs), sum(lateness(*pair) for pair in pairs), half)


def least_looks(median_seconds: float) -> float:
    """No schedule sees half of the tasks within so many seconds with fewer looks.

    A look finds a task that ended within them with at most that time's share of the greatest rate at which tasks that
    still go on end.
    """
    width = max(round(median_seconds / STEP_SECONDS), 1)
    return 0.5 / max(1 - LEFT[step + width] / LEFT[step] for step in range(STEPS - width) if LEFT[step] > 1e-6)


@dataclass
class Run:
    """A run on a clock that jumps: tasks are looked at as `next_look` says, given how often and after how long."""

    next_look: Callable[[Look], float]
    learn: Callable[[Look, float], None] = lambda look, interval: None
    looks: int = 0
    late: list[float] = field(default_factory=list)

    def course(self, jobs: int = JOBS, in_flight: int = IN_FLIGHT) -> Course:
        """Run it to its end."""
        tasks = itertools.islice(durations("d5"), jobs)
        due: list[tuple[float, int, float, float, Look]] = []
        number = itertools.count()

        def put(now: float, began: float, took: float, asked: int) -> None:
            look = Look("m", asked, now - began)
            heapq.heappush(due, (now + self.next_look(look), next(number), began, took, look))

        for took in itertools.islice(tasks, in_flight):
            put(0.0, 0.0, took, 0)
        now = 0.0
        while due:
            now, _, began, took, look = heapq.heappop(due)
            self.looks += 1
            if now - began < took:
                put(now, began, took, look.asked + 1)
                continue
            self.late.append(now - began - took)
            self.learn(Look("m", look.asked, now - began), now - began - look.waited_seconds)
            for took in itertools.islice(tasks, 1):
                put(now, now, took, 0)
        wall = now / ideal_seconds("d5", jobs, in_flight)
        return Course(self.looks / jobs, statistics.mean(self.late), statistics.median(self.late), wall)


def ours() -> Course:
    """The cadence of a run that knows nothing at first."""
    cadence = Cadence(chance=random.Random(SEED).random)
    return Run(lambda look: cadence.delay(look, Waiting("generating")), cadence.learn).course()


def fixed(seconds: float) -> Course:
    """A look every so many seconds."""
    return Run(lambda look: seconds).course()


def table() -> Iterator[str]:
    """The figures in Markdown."""
    yield "| schedule | looks a task | late, mean s | late, median s | wall against ideal |"
    yield "|---|---|---|---|---|"
    yield _line("every second", fixed(1.0))
    yield _line("every 2 seconds", fixed(2.0))
    for price in (0.67, 0.4, 0.25, 0.17, 0.125):
        yield _line(f"the best, a look at {price:g} s", judged(best(price)))
    yield _line("ours, from nothing", ours())
    yield ""
    quarter, half = least_looks(0.25), least_looks(0.5)
    yield f"To see half of all within 0.25 s takes at least {quarter:.1f} looks a task; within 0.5 s, {half:.1f}."


def _line(name: str, of: Course) -> str:
    wall = "" if math.isnan(of.wall) else f"{of.wall:.3f}"
    return f"| {name} | {of.looks:.2f} | {of.mean_seconds:.2f} | {of.median_seconds:.2f} | {wall} |"


if __name__ == "__main__":
    for line in table():
        print(line)
