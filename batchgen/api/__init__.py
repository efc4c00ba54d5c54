"""How we speak to the provider: three verbs, judged by tests/contracts/provider.py.

A provider sells pictures. `submit` costs money, `status` and `download` are free. Every error says what to do next
(batchgen.errors); no message holds a credential, a prompt or the query of a URL.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Order:
    """One submit, ready to send: the body is the same bytes whenever it is made for the same token."""

    token: str
    model: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not done. Hints in seconds as the server gave them, None when absent or of no use."""

    state: str
    interval_seconds: float | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Result URLs as just given, never journaled; `at` on the client's monotonic clock, in seconds.

    `cost_micro_usd` is what was billed, None when the answer does not say.
    """

    urls: tuple[str, ...]
    at: float
    cost_micro_usd: int | None = None


Standing: TypeAlias = Waiting | Offer

NO_PICTURE = "success without url"
"""The `state` of a task that says it succeeded and names no picture yet."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a submit bought: a task, or (task_id None) pictures at once."""

    task_id: str | None
    standing: Standing


class Provider(Protocol):
    """Whoever paints. All three may be called from many tasks at once."""

    async def submit(self, order: Order) -> Receipt:
        """Buy one task. Sends at most one request; never repeats it by itself.

        Raises:
            NotTaken: proven that nothing was bought (no byte was sent, or the server said so); Throttled with a time.
                Also in place of a cancellation that came before the first byte.
            OutcomeUnknown: sent, and nobody knows; says how far it got. Also when cancelled mid-way by a time limit.
            Rejected: the server will never take this request.
            Parked: this model's submits are refused (403); other models are not concerned.
            Stop: the server refuses the run as a whole.
        """
        ...

    async def status(self, task_id: str) -> Standing:
        """Ask for one task; free, may be repeated.

        Raises:
            TaskFailed: the task ended without a picture, or is no longer to be had (class `expired`; `missing` when
                the server does not know it, which a task younger than two minutes may survive).
            Parked: this task is not ours to see now (403); others are not concerned.
            Unavailable: no usable answer; ask again.
            Stop: the credential is refused.
        """
        ...

    def download(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Bring one picture's bytes; no credential is sent, only allowed addresses are asked.

        Raises (on entering or while reading):
            OfferExpired: 403, 404, 410 and the like: ask the task for a fresh URL.
            BadAsset: too large, an address that may not be fetched, an encoding we did not ask for.
            Unavailable: no usable answer; fetch again.
        """
        ...
