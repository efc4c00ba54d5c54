"""What a worker holds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from batchgen.api import Order, Provider
from batchgen.api.cadence import Cadence
from batchgen.api.limits import Gates
from batchgen.brake import Brake
from batchgen.halt import Halt, Shelter
from batchgen.job import Job
from batchgen.journal import Caps, Journal
from batchgen.label import Label
from batchgen.lifecycle import Generated
from batchgen.retry import REAL, Timing
from batchgen.store import Store
from batchgen.terms import Terms
from batchgen.worker.room import Room


@dataclass(frozen=True, slots=True)
class Clocks:
    """`unix` gives unix seconds for the record; `timing` the monotonic clock, sleep and chance."""

    unix: Callable[[], float]
    timing: Timing = REAL


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything that carrying a job takes, built once per run by batchgen.batch.

    `prepare` reads a job's references and makes the order for a token; `price` is in micro-USD, None when unknown;
    `label` is what is said of the pictures of a job that was paid for, None for nothing.
    """

    provider: Provider
    journal: Journal
    store: Store
    terms: Terms
    gates: Gates
    cadence: Cadence
    prepare: Callable[[Job, str], Awaitable[Order]]
    halt: Halt
    clocks: Clocks
    caps: Caps = field(default_factory=Caps)
    price: Callable[[Job], int | None] = lambda _: None
    label: Callable[[Job, Generated], Label | None] = lambda _, __: None
    shelter: Shelter = field(default_factory=Shelter)
    brake: Brake = field(default_factory=Brake)
    room: Room = field(default_factory=Room)
    submitting: Timing = field(init=False)
    fetching: Timing = field(init=False)

    def __post_init__(self) -> None:
        """Tries of a submit are waited for while the run buys, those of a picture while it goes on."""
        timing, halt = self.clocks.timing, self.halt
        object.__setattr__(self, "submitting", replace(timing, sleep=partial(halt.pause, timing.sleep)))
        object.__setattr__(self, "fetching", replace(timing, sleep=partial(halt.rest, timing.sleep)))

    def clock(self) -> float:
        """Unix seconds."""
        return self.clocks.unix()

    def now(self) -> float:
        """Seconds of a clock that never jumps."""
        return self.clocks.timing.clock()
