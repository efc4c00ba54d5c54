"""Carries one job: step, milestone, journal, next step. It decides nothing that the lifecycle could decide."""

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from batchgen.errors import NoHeadroom, Parked, Stop, Superseded, Unavailable, Unfinished
from batchgen.journal import Progress
from batchgen.lifecycle import (
    AttemptFailed,
    Await,
    Fetch,
    GiveUp,
    JobFailed,
    Planned,
    SendAgain,
    Start,
    StartAgain,
    Step,
    Submit,
    Wait,
    inherit,
    next_step,
)
from batchgen.worker.buying import doubt_forgotten, send_again, start, start_again
from batchgen.worker.carried import Carried, LetGo
from batchgen.worker.fetching import fetch, recover
from batchgen.worker.tools import Tools
from batchgen.worker.waiting import wait_for_task

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """The work of a run, as an engine takes it."""

    tools: Tools

    async def items(self) -> AsyncIterator[Progress]:
        """The jobs to carry on, paid work first; new work, which comes last, only while the run is buying."""
        async for progress in self.tools.journal.unfinished(self.tools.terms):
            if not self.tools.halt.buying and isinstance(progress.milestone, Planned | AttemptFailed):
                return
            yield progress

    async def carry(self, progress: Progress) -> None:
        """Carry a job as far as it goes in this run; what stops it short is noted, and only a bug is raised."""
        halt = self.tools.halt
        try:
            async with self.tools.gates.job(progress.job.request.model):
                await _live(Carried(self.tools, progress))
        except Superseded:
            logger.warning("job %d was moved on by another runner", progress.job.number)
        except NoHeadroom as full:
            halt.stop_buying(full.exit_code, str(full))
        except (Parked, Unavailable) as later:
            halt.park(str(later))
        except Unfinished as later:
            halt.stop_buying(75, str(later))
        except Stop as stop:
            halt.obey(stop)
        except OSError as broken:
            reason = broken.strerror or str(broken)
            halt.stop_buying(4, f"the folder of the pictures failed ({reason}); what is paid for waits there")


async def _live(carried: Carried) -> None:
    found = inherit(carried.at.milestone)
    if found is not carried.at.milestone:
        await carried.reach(found)
    await recover(carried)
    with suppress(LetGo):
        while step := next_step(carried.at.milestone, carried.tools.terms, carried.tools.clock()):
            await _take(carried, step)


async def _take(carried: Carried, step: Step) -> None:
    match step:
        case Start() if carried.copied_at is not None and isinstance(carried.at.milestone, AttemptFailed):
            await doubt_forgotten(carried, carried.copied_at)
        case Start(attempt=attempt):
            await start(carried, attempt)
        case StartAgain(doubt=doubt):
            await start_again(carried, doubt)
        case SendAgain(doubt=doubt, up_to_micro_usd=limit):
            await send_again(carried, doubt, limit)
        case Await(accepted=accepted):
            await wait_for_task(carried, accepted)
        case Fetch(generated=generated):
            await fetch(carried, generated)
        case GiveUp(failed=failed):
            await carried.reach(JobFailed(failed.attempt, failed.failure, failed.reason))
        case Wait() | Submit():
            raise LetGo
