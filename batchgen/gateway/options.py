"""How a gateway is run."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from batchgen.guard import Policy
from batchgen.terms import Idempotency

Mode: TypeAlias = Literal["task", "legacy"]
"""`task`: every create becomes a task. `legacy`: one without `async: true` is answered with its picture."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the gateway behaves; times in seconds. What may change while it runs stands in `rules`.

    `pace` scales how long tasks take, 0 is at once. `hosts` are names it answers to besides those of loopback.
    `most_waiting` tasks may be unpainted, `most_requests` may be open at once. A body has `body_seconds` to arrive.
    `asset_port` is the port that alone hands out pictures, None is the same as for everything else.
    `fetch` fetches reference addresses as far as the policy goes, None fetches nothing.
    """

    mode: Mode = "task"
    idempotency: Idempotency = "replay"
    pace: float = 1.0
    hosts: frozenset[str] = frozenset()
    most_waiting: int = 10_000
    most_requests: int = 256
    body_seconds: float = 60.0
    asset_port: int | None = None
    fetch: Policy | None = None
