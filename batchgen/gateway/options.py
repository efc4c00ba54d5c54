"""How a gateway behaves."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from batchgen.terms import LOCAL, Idempotency

Mode: TypeAlias = Literal["task", "legacy"]
"""`task`: every create becomes a task. `legacy`: one without `async: true` is answered with its picture."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the gateway behaves; times in seconds.

    `pace` scales how long tasks take, 0 is at once. `hosts` are names it answers to besides those of loopback.
    `most_waiting` tasks may be unpainted, `most_requests` may be open at once. A body has `body_seconds` to arrive.
    """

    mode: Mode = "task"
    idempotency: Idempotency = "replay"
    pace: float = 1.0
    hosts: frozenset[str] = frozenset()
    url_ttl_seconds: float = LOCAL.url_ttl_seconds or 600.0
    most_waiting: int = 10_000
    most_requests: int = 256
    body_seconds: float = 60.0
