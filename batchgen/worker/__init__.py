"""Carries one job: step, milestone, journal, next step. It decides nothing that the lifecycle could decide."""

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from batchgen.engine import Later
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
from batchgen.worker.carried import Carried, LetGo, PutOff
from batchgen.worker.fetching import fetch, recover
from batchgen.worker.tools import Tools
from batchgen.worker.waiting import wait_for_task

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """The work of a run, as an engine takes it."""

    tools: Tools

    async def items(self) -> AsyncIterator[Progress | Carried]:
        """The jobs to carry on, paid work first; new work, which comes last, only while the run is buying."""
        async for progress in self.tools.journal.unfinished(self.tools.terms):
            if not self.tools.halt.buying and isinstance(progress.milestone, Planned | AttemptFailed):
                return
            yield progress

    async def carry(self, item: Progress | Carried) -> Later[Carried] | None:
        """Carry a job as far as it goes in this run, or put it off while its task goes on.

        What stops it short is noted, and only a bug is raised.
        """
        halt, carried = self.tools.halt, item if isinstance(item, Carried) else Carried(self.tools, item)
        try:
            await _in_its_place(carried)
        except PutOff as off:
            return Later(carried, off.seconds)
        except Superseded:
            logger.warning("job %d was moved on by another runner", carried.job.number)
        except NoHeadroom as full:
            halt.stop_buying(full.exit_code, str(full))
        except (Parked, Unavailable) as later:
            halt.park(str(later))
        except Unfinished as later:
            halt.stop_buying(75, str(later))
        except Stop as stop:
            halt.obey(stop)
        except ConnectionError as away:  # of the store alone: the provider's calls have errors of their own
            halt.stop_buying(75, f"{away.strerror or 'the store does not answer'}; what is paid for waits for it")
        except OSError as broken:
            reason = broken.strerror or str(broken)
            halt.stop_buying(4, f"the folder of the pictures failed ({reason}); what is paid for waits there")
        return None


async def _in_its_place(carried: Carried) -> None:
    """Hold one of the model's places in flight, also while the job is put off."""
    gates, model = carried.tools.gates, carried.job.request.model
    if not carried.begun:
        await gates.enter(model)
    put_off = False
    try:
        await _live(carried)
    except PutOff:
        put_off = True
        raise
    finally:
        if not put_off:
            gates.leave(model)


async def _live(carried: Carried) -> None:
    if not carried.begun:
        carried.begun = True
        await _found(carried)
    with suppress(LetGo):
        while step := next_step(carried.at.milestone, carried.tools.terms, carried.tools.clock()):
            await _take(carried, step)


async def _found(carried: Carried) -> None:
    """What an earlier run left of it: a Started is in doubt, a picture may be saved already."""
    found = inherit(carried.at.milestone)
    if found is not carried.at.milestone:
        await carried.reach(found)
    await recover(carried)


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
