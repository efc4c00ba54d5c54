"""A task of the gateway, and its state as a function of time; pure, the time is handed in."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, TypeAlias

from batchgen.api.wire import State, TaskError
from batchgen.gateway.painter import Elsewhere, Sample

SAMPLES: Final = "https://samples.batchgen.invalid/"
"""Reference URLs below this are painted from their names."""

SHORTEST_SECONDS: Final = 0.3
LONGEST_SECONDS: Final = 1.2
_QUEUED: Final = 0.12
_STARTED: Final = 0.3


@dataclass(frozen=True, slots=True)
class Stored:
    """A reference that came as a file: the sha256 of its bytes, its name in the references folder."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that should have been fetched and could not be; the digest of its address."""

    digest: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, with the model's defaults; `output_format` None where it cannot be chosen."""

    model: str
    prompt: str
    aspect_ratio: str
    resolution: str
    output_format: str | None
    references: tuple[Stored | Sample | Elsewhere | Missing, ...] = ()

    @property
    def file_format(self) -> str:
        """The format of the picture."""
        return self.output_format or "png"


@dataclass(frozen=True, slots=True)
class Task:
    """One sold picture; times in unix seconds.

    `owner` is the hash of the credential it was bought with; `key` the idempotency key where keys count, `token` the
    one that was sent. `picture` is the file's name from the start; `sha256` and `error` say how it ended.
    `payload_sha256` is of what the body means, however it was written; tasks of older folders have none.
    """

    id: str
    owner: str
    key: str | None
    token: str | None
    body_sha256: str
    asked: Asked
    price_micro_usd: int
    created_at: float
    latency_seconds: float
    picture: str
    ended_at: float | None = None
    sha256: str | None = None
    error: TaskError | None = None
    payload_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: with the sha256 of its picture, or with an error."""

    task_id: str
    at: float
    sha256: str | None = None
    error: TaskError | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """An order: this idempotency key, if it was sold up to then, may buy again."""

    owner: str
    key: str
    sold_until: float


@dataclass(frozen=True, slots=True)
class Remove:
    """An order: tasks that ended up to then are no longer known; what they cost stays spent."""

    ended_until: float


Order: TypeAlias = Task | Ended | Forget | Remove


@dataclass(frozen=True, slots=True)
class Standing:
    """A task at one moment; `remaining_seconds` until it is worth asking again."""

    state: State
    progress: int
    updated_at: float
    remaining_seconds: float


def new_id() -> str:
    """An id that nobody guesses."""
    return f"task_{secrets.token_hex(16)}"


def new_picture(file_format: str) -> str:
    """A file name that nobody guesses."""
    return f"{secrets.token_hex(16)}.{file_format}"


def latency(task_id: str, pace: float) -> float:
    """How long a task takes, in seconds: 0.3 to 1.2 by its id, times the pace."""
    share = hashlib.sha256(task_id.encode()).digest()[0] / 255
    return pace * (SHORTEST_SECONDS + (LONGEST_SECONDS - SHORTEST_SECONDS) * share)


def seed(task_id: str) -> int:
    """The painter's seed: every task has its own, the same whenever it is painted again."""
    return int.from_bytes(hashlib.sha256(task_id.encode()).digest()[:8], "big")


def standing(task: Task, now: float) -> Standing:
    """Where the task stands now."""
    ready = task.created_at + task.latency_seconds
    if task.ended_at is not None and now >= ready:
        state: State = "fail" if task.error else "success"
        return Standing(state, 95 if task.error else 100, max(ready, task.ended_at), 0.0)
    share = (now - task.created_at) / task.latency_seconds if now < ready else 1.0
    remaining = min(task.latency_seconds, ready - now) if now < ready else 0.25
    if share < _QUEUED:
        return Standing("waiting", 0, task.created_at, remaining)
    if share < _STARTED:
        return Standing("queuing", 0, task.created_at + _QUEUED * task.latency_seconds, remaining)
    progress = min(95, max(5, int(100 * share)))
    return Standing("generating", progress, task.created_at + _STARTED * task.latency_seconds, remaining)
