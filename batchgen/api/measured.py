"""The bytes of a picture as they come, measured: how many, for how long, how fast."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self

from batchgen.api.carriers import Reply, in_seconds
from batchgen.api.network import Timeouts
from batchgen.api.transport import FAILURES, broken
from batchgen.errors import BadAsset, Unavailable

SLOWEST: Final = 1024
"""Bytes per second that a download must reach over its window."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much and how long one picture may be, on a clock of monotonic seconds."""

    max_bytes: int
    timeouts: Timeouts
    clock: Callable[[], float]


class Chunks:
    """The bytes of a picture as they come, measured; an iterator, to be closed."""

    __slots__ = ("_meter", "_reply")

    def __init__(self, reply: Reply, meter: "Meter") -> None:
        self._reply = reply
        self._meter = meter

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        meter = self._meter
        try:
            chunk = await meter.read(self._reply.chunk)
        except FAILURES as error:
            raise broken("picture", "answer begun", error, meter.host) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Read no more."""
        await self._reply.aclose()


@dataclass(slots=True)
class Meter:
    """Counts bytes as they came over the wire against the picture's size, time and speed.

    Every `slow_window` must bring its share of bytes; once it has, the next one begins. Waiting for bytes ends with
    the window, so that a trickle is cut off as soon as it is one.
    """

    host: str
    patience: Patience
    began: float
    since: float
    size: int = 0
    window: int = 0

    async def read(self, chunk_until: Callable[[float], Awaitable[bytes]]) -> bytes:
        """The next bytes, none at the end; raises what the contract says of too many and too slow ones."""
        try:
            chunk = await chunk_until(in_seconds(self._left_seconds()))
        except TimeoutError as late:
            raise self._slow() from late
        self._take(len(chunk))
        return chunk

    def _left_seconds(self) -> float:
        timeouts = self.patience.timeouts
        return min(self.began + timeouts.picture, self.since + timeouts.slow_window) - self.patience.clock()

    def _take(self, size: int) -> None:
        self.size, self.window = self.size + size, self.window + size
        if self.size > self.patience.max_bytes:
            raise BadAsset(f"{self.host} sends a picture of more than {self.patience.max_bytes} bytes")
        if self.window >= SLOWEST * self.patience.timeouts.slow_window:
            self.window, self.since = 0, self.patience.clock()

    def _slow(self) -> Unavailable:
        timeouts = self.patience.timeouts
        if self.patience.clock() - self.began >= timeouts.picture:
            return Unavailable(f"{self.host}: a picture took more than {timeouts.picture:g} s", answered=True)
        return Unavailable(f"{self.host} sends a picture slower than {SLOWEST} bytes a second", answered=True)
