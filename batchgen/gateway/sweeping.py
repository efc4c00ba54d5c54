"""Takes away what has lived its time: files first, then tasks; what was sold stays in the list of sales."""

import logging
import os
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from batchgen.gateway.desk import Shop
from batchgen.gateway.task import Remove, Stored, Task

SWEEP_SECONDS: Final = 30.0

logger = logging.getLogger(__name__)


class Sweeper:
    """Sweeps now and then; answers do not depend on it, only the disk does."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._swept = shop, float("-inf")

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except OSError as error:
                logger.warning("old files could not be taken away: %s", error.strerror)
            await anyio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Take away what is over now."""
        rules, now = self._shop.book.rules, self._shop.clock()
        lives = [each for each in (rules.file_ttl_seconds, rules.task_ttl_seconds) if each is not None]
        if not lives:
            return
        until = now - min(lives)
        gone = self._shop.state.reading.ended_between(self._swept, until)
        needed = {each for task in self._shop.state.reading.unfinished() for each in _references(task)}
        await anyio.to_thread.run_sync(self._unlink, gone, needed, until)
        self._swept = until
        if rules.task_ttl_seconds is not None:
            await self._shop.writer.note(Remove(now - rules.task_ttl_seconds))

    def _unlink(self, gone: list[Task], needed: set[str], until: float) -> None:
        state = self._shop.state
        for task in gone:
            Path(state.picture(task.picture)).unlink(missing_ok=True)
        for entry in os.scandir(os.path.dirname(state.reference("x"))):
            if entry.name not in needed and entry.stat().st_mtime <= until:
                Path(entry.path).unlink(missing_ok=True)


def _references(task: Task) -> list[str]:
    return [each.sha256 for each in task.asked.references if isinstance(each, Stored)]
