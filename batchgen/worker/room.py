"""Room on the disk: without it nothing is bought, and what is paid for waits."""

import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from batchgen.retry import Timing

LOOK_SECONDS: Final = 1.0
"""A measure holds for so long: submits come in bursts."""

PATIENCE_SECONDS: Final = 60.0
"""How long a job waits for room before this run gives up."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


async def _plenty() -> str:
    return ""


@dataclass(slots=True)
class Room:
    """Asks `measure` what is short, in words; nothing means that there is room."""

    measure: Callable[[], Awaitable[str]] = _plenty
    _short: str = ""
    _at: float = field(default=-inf)

    def is_there(self, now: float) -> bool:
        """Whether it is known that there is room, without a look."""
        return not self._short and now - self._at < LOOK_SECONDS

    async def wait(self, timing: Timing) -> str:
        """Wait for room to buy; says what is short if it does not come in time."""
        until = timing.clock() + PATIENCE_SECONDS
        while short := await self._measured(timing.clock()):
            if timing.clock() >= until:
                return short
            await timing.sleep(LOOK_SECONDS)
        return ""

    async def wait_after(self, failed: OSError, since: float, timing: Timing) -> None:
        """Wait a little after a write that failed for want of room.

        Raises:
            OSError: the same, if it failed for another reason, or has for too long.
        """
        if failed.errno not in _FULL or timing.clock() - since >= PATIENCE_SECONDS:
            raise failed
        await timing.sleep(LOOK_SECONDS)

    async def _measured(self, now: float) -> str:
        if now - self._at >= LOOK_SECONDS:
            self._at = now
            self._short = await self.measure()
        return self._short
