"""The steps that cost money. All gates stand before Started, none between it and the POST."""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace

from anyio.lowlevel import checkpoint_if_cancelled

from batchgen.api import Offer, Order, Receipt
from batchgen.api.limits import Passage
from batchgen.errors import (
    NoHeadroom,
    NotTaken,
    OutcomeUnknown,
    Parked,
    Rejected,
    Stop,
    Superseded,
    TaskTaken,
    Throttled,
)
from batchgen.job import token
from batchgen.journal import Caps, Progress
from batchgen.journal.lost import PUT_BACK, may_have_been_sent
from batchgen.lifecycle import Accepted, AttemptFailed, InDoubt, Milestone, Planned, Started
from batchgen.retry import Patience, persist
from batchgen.worker.carried import Carried, LetGo

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 60
"""How long one attempt is tried again while it holds a submit slot."""

DOUBTS_PER_RUN = 2
"""How many doubts about one job a run meets before it leaves the job to the next run."""


async def start(carried: Carried, attempt: int) -> None:
    """Begin a new attempt: its body first, then the gates, then Started, then the POST."""
    tools, job = carried.tools, carried.job
    key = token(tools.journal.identity.batch_id, job.number, attempt, job.fingerprint)
    await _submit(carried, Started(attempt, key, tools.price(job), tools.clock()), None)


async def doubt_forgotten(carried: Carried, copied_at: float) -> None:
    """Doubt the next attempt, which may have been sent after the copy was made; it is not begun a second time."""
    job = carried.job
    name = (carried.tools.journal.identity.batch_id, job.number, job.fingerprint)
    doubt = may_have_been_sent(carried.at.milestone, name, PUT_BACK, copied_at)
    assert doubt is not None  # only a transient failure is started after
    await carried.reach(doubt)


async def start_again(carried: Carried, doubt: InDoubt) -> None:
    """Send an attempt in doubt once more under its living token; nothing new is reserved."""
    if carried.doubts >= DOUBTS_PER_RUN:
        carried.tools.halt.park("a payment is in doubt; the next run asks again under the same token")
        raise LetGo
    await _submit(carried, Started(doubt.attempt, doubt.token, doubt.price_micro_usd, doubt.since), doubt)


async def send_again(carried: Carried, doubt: InDoubt, up_to_micro_usd: int) -> None:
    """Leave a payment in doubt for ever and plan a new attempt; beyond the sum that may be resent a person decides."""
    if not _may_buy(carried):
        raise LetGo
    try:
        await carried.reach(Planned(doubt.attempt), replace(carried.tools.caps, resent=up_to_micro_usd))
    except NoHeadroom as used_up:
        raise LetGo from used_up


async def _submit(carried: Carried, started: Started, doubt: InDoubt | None) -> None:
    tools, model = carried.tools, carried.job.request.model
    order = await tools.prepare(carried.job, started.token)
    passage = tools.gates.submit(model)
    try:
        if not (tools.room.is_there(tools.now()) and passage.taken_now()):
            await _pass(carried, passage)
        await checkpoint_if_cancelled()  # with all gates open nothing else would have heard of it
        if not _may_buy(carried):
            raise LetGo
        if doubt is None:
            started = Started(started.attempt, started.token, started.price_micro_usd, tools.clock())
        await carried.reach(started, tools.caps if doubt is None else None)
        await _post(carried, _Sending(started, order, doubt or Planned(started.attempt - 1)))
    finally:
        passage.give()


async def _pass(carried: Carried, passage: Passage) -> None:
    """Wait for room and for all gates, no longer than the run buys."""
    tools = carried.tools
    with tools.halt.while_buying():
        if short := await tools.room.wait(tools.clocks.timing):
            tools.halt.stop_buying(4, short)
            raise LetGo
        await passage.take()


def _may_buy(carried: Carried) -> bool:
    halt = carried.tools.halt
    return halt.buying and carried.job.request.model not in halt.models


@dataclass(frozen=True, slots=True)
class _Sending:
    """One attempt on its way.

    `not_taken` is what it is again when this POST was not taken: planned, or, where an earlier POST of the same token
    is in doubt, in doubt as before, since nothing is proven of that one.
    """

    started: Started
    order: Order
    not_taken: Planned | InDoubt


async def _post(carried: Carried, sending: _Sending) -> None:
    """Send, and record what became of it, whoever is cancelling meanwhile."""
    outcome: Milestone = _in_doubt(sending.started, "interrupted while it waited for the answer")
    end: Exception | None = None
    carried.posting = False
    with carried.tools.shelter.shield() as shelter:
        outcome, end = await _send(carried, sending)
    if shelter.cancelled_caught and not carried.posting:
        outcome = sending.not_taken
    try:
        await carried.reach(outcome, Caps(own_task=True))
    except Superseded:
        if not isinstance(outcome, Accepted) or not await _adopted(carried, sending.started, outcome):
            raise
    except TaskTaken as taken:
        # sent again under its token it would be answered so again: a person looks at it
        _brake(carried, carried.tools.brake.doubted())
        carried.tools.halt.note(taken.exit_code, str(taken))
        await carried.reach(_in_doubt(sending.started, "answered with the task of another job", known_paid=True))
    if end is not None:
        raise end


async def _adopted(carried: Carried, started: Started, accepted: Accepted) -> bool:
    """Record a task of which another runner knows no more than that it may have been paid for.

    It took this one for dead, while it was frozen, and found an attempt whose end nobody knew.
    """
    newest = await carried.tools.journal.reached(carried.job.number)
    match newest:
        case Progress(milestone=InDoubt(attempt=started.attempt, token=started.token)):
            carried.at = newest
            with suppress(Superseded):
                await carried.reach(accepted, Caps(own_task=True))
                return True
        case Progress(milestone=Started(attempt=started.attempt, token=started.token)):
            return False  # sent again under the same token: the other one hears of the same task
        case Progress(milestone=Accepted(task_id=accepted.task_id)):
            return False
    logger.critical("paid, and carried on by another runner: job %s is task %s", carried.job.id, accepted.task_id)
    return False


async def _send(carried: Carried, sending: _Sending) -> tuple[Milestone, Exception | None]:
    """What the POST made of the attempt, and what ends the carrying of this job with it."""
    tools, model, not_taken = carried.tools, carried.job.request.model, sending.not_taken
    started, order = sending.started, sending.order
    patience = Patience(tools.terms.limits.expert.submit_tries, PATIENCE_SECONDS)
    try:
        answer = await persist(lambda: _once(carried, order), (NotTaken,), patience, timing=tools.submitting)
    except NotTaken as untaken:
        return not_taken, _weary(carried, str(untaken))
    except Parked as forbidden:
        tools.halt.stop_model(model, str(forbidden))
        return not_taken, LetGo()
    except Stop as stop:
        tools.halt.obey(stop)
        return not_taken, LetGo()
    except Rejected as refused:
        _brake(carried, tools.brake.refused(str(refused)))
        return AttemptFailed(started.attempt, refused.failure, str(refused), 0), None
    except OutcomeUnknown as unknown:
        _brake(carried, tools.brake.doubted())
        carried.doubts += 1
        return _in_doubt(started, unknown.reach, known_paid=unknown.known_paid), None
    if isinstance(answer, Throttled):
        return not_taken, _weary(carried, str(answer))
    tools.brake.taken()
    tools.gates.taken(model)
    carried.standing = answer.standing
    return Accepted(started.attempt, answer.task_id, started.price_micro_usd, _sync_urls(answer)), None


async def _once(carried: Carried, order: Order) -> Receipt | Throttled:
    """One POST; what one job learns of the server's patience holds for all.

    A throttle is returned, not raised: it is waited for at the gates, with everybody else, and not in here.
    """
    gates = carried.tools.gates
    if gates.pause.remaining_seconds > 0:
        return Throttled("the provider asked everybody to wait")
    if not _may_buy(carried):  # what was journaled meanwhile is proven not taken: it was not sent
        raise NotTaken("not sent: the run stopped buying")
    carried.posting = True
    try:
        return await carried.tools.provider.submit(order)
    except NotTaken as untaken:
        carried.posting = False
        if not isinstance(untaken, Throttled):
            raise
        gates.throttled(order.model, untaken)
        return untaken


def _sync_urls(receipt: Receipt) -> tuple[str, ...]:
    """The URLs of a sync answer: all there is of a picture without a task. The journal keeps them without queries."""
    return receipt.standing.urls if receipt.task_id is None and isinstance(receipt.standing, Offer) else ()


def _in_doubt(started: Started, reach: str, *, known_paid: bool = False) -> InDoubt:
    return InDoubt(started.attempt, started.token, started.price_micro_usd, started.since, reach, known_paid=known_paid)


def _brake(carried: Carried, reason: str | None) -> None:
    if reason is not None:
        carried.tools.halt.stop_buying(4, reason)


def _weary(carried: Carried, reason: str) -> Exception | None:
    """Not taken again and again is a matter of time, not of attempts; in the end the job waits for a later run."""
    now = carried.tools.now()
    if carried.not_taken_since is None:
        carried.not_taken_since = now
    if now - carried.not_taken_since < carried.limits.give_up_waiting_seconds:
        return None
    return Parked(reason)
