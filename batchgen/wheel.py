"""Sleeping by the thousand: all who are due within the same hundredth of a second share one timer."""

import asyncio
import math
from typing import Final

TICK_SECONDS: Final = 0.01


class Wheel:
    """Slots of a hundredth of a second; whoever sleeps wakes at the end of one, never before its time."""

    def __init__(self) -> None:
        self._slots: dict[int, asyncio.Event] = {}

    async def sleep(self, seconds: float) -> None:
        """Sleep at least so long, and a tick longer at most on a machine that has time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        number = math.ceil((loop.time() + seconds) / TICK_SECONDS)
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = asyncio.Event()
            loop.call_at(number * TICK_SECONDS, self._turn, number)
        await slot.wait()

    def _turn(self, number: int) -> None:
        self._slots.pop(number).set()
