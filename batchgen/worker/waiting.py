"""Asking for a task until it is done; free, so it may be broken off at any moment."""

from math import inf
from typing import Final

from batchgen.api import NO_PICTURE, Offer, Standing, Waiting
from batchgen.api.cadence import Look
from batchgen.errors import OfferExpired, Parked, TaskFailed, Unavailable
from batchgen.lifecycle import Accepted, AttemptFailed, Generated
from batchgen.retry import Patience, persist
from batchgen.worker.carried import Asking, Carried, PutOff

PATIENCE_SECONDS = 60
"""How long one question is tried again before it counts as "not yet"."""

JUST_CREATED_SECONDS = 120
"""How long after its creation a task may be unknown to a replica (contract: 404 right after create)."""

PUT_OFF_FROM_SECONDS: Final = 0.1
"""A worker waits itself for what comes sooner."""

EMPTY_ANSWERS = 3
"""How often in a row a task is asked that says success without a picture, before that counts as a dead offer."""


async def wait_for_task(carried: Carried, accepted: Accepted) -> None:
    """Wait for the picture to exist. What the provider billed counts; where it does not say, the price does.

    Raises:
        PutOff: it need not be looked at before long; the same call then goes on.
    """
    try:
        offer: Offer | None = await fresh_offer(carried, accepted, put_off_from=PUT_OFF_FROM_SECONDS)
    except TaskFailed as failed:
        cost = failed.cost_micro_usd
        if cost is None:
            cost = 0 if carried.tools.terms.profile.failed_is_free else accepted.price_micro_usd
        within_plan(carried, accepted.price_micro_usd, cost)
        await carried.reach(AttemptFailed(accepted.attempt, failed.failure, str(failed), cost))
        return
    except OfferExpired:  # bringing it home asks on
        offer = None
    billed = None if offer is None else offer.cost_micro_usd
    cost = accepted.price_micro_usd if billed is None else billed
    within_plan(carried, accepted.price_micro_usd, cost)
    carried.standing = offer
    await carried.reach(Generated(accepted.attempt, accepted.task_id, cost, accepted.urls))


def within_plan(carried: Carried, planned: int | None, cost: int | None) -> None:
    """Stop buying when a picture was billed above its planned price: no sum of the plan holds any more."""
    if planned is not None and cost is not None and cost > planned:
        carried.tools.halt.stop_buying(
            4,
            f"a picture of {carried.job.request.model} was planned at ${planned / 1e6:.4f} and billed at "
            f"${cost / 1e6:.4f}; check the prices and run again",
        )


async def fresh_offer(carried: Carried, paid: Accepted | Generated, *, put_off_from: float = inf) -> Offer:
    """The picture's URLs, from what is known or by asking: at least once, and no longer than `give_up_waiting`.

    Whoever cannot put the job off waits in here, as everybody does for less than `put_off_from` seconds.

    Raises:
        TaskFailed: the task ended without a picture.
        OfferExpired: it says that it succeeded, and offers nothing.
        Parked: not done in this time; the job keeps its place.
        PutOff: the same call after so many seconds goes on.
    """
    match carried.standing, paid.task_id:
        case Offer() as offer, _:
            return offer
        case _, None:
            return Offer(paid.urls, carried.tools.now())
        case waiting, task_id:
            return await _ask(carried, task_id, waiting, put_off_from)


async def _ask(carried: Carried, task_id: str, waiting: Waiting | None, put_off_from: float) -> Offer:
    tools = carried.tools
    asking, carried.asking = carried.asking or Asking(), None
    while True:
        if waiting is not None and not asking.due:
            asking.interval = tools.cadence.delay(_next(carried, asking.asked), waiting)
            if asking.interval >= put_off_from:
                asking.due, carried.asking, carried.standing = True, asking, waiting
                raise PutOff(asking.interval)
            await tools.clocks.timing.sleep(asking.interval)
        asking.due = False
        standing = await look(carried, task_id)
        if isinstance(standing, Offer):
            if asking.interval is not None:
                tools.cadence.learn(_next(carried, asking.asked), asking.interval)
            return standing
        waiting, asking.asked = standing, asking.asked + 1
        asking.empty += standing.state == NO_PICTURE
        _patient(carried, asking.empty)


def _next(carried: Carried, asked: int) -> Look:
    return Look(carried.job.request.model, asked, max(carried.tools.clock() - carried.at.at, 0.0))


async def look(carried: Carried, task_id: str) -> Standing:
    """One look at the task; a look that fails for the moment is as good as "not yet"."""
    tools = carried.tools

    async def once() -> Standing:
        await tools.gates.poll()
        try:
            return await tools.provider.status(task_id)
        except Unavailable as away:
            if away.retry_after_seconds is not None:
                tools.gates.polls_throttled(away.retry_after_seconds)
            raise

    patience = Patience(tools.terms.limits.expert.poll_tries, PATIENCE_SECONDS)
    try:
        return await persist(once, (Unavailable,), patience, timing=tools.clocks.timing)
    except Unavailable as away:
        return Waiting("no answer", interval_seconds=away.retry_after_seconds)
    except TaskFailed as failed:
        if failed.missing:
            return _unknown(carried, failed)
        raise


def _unknown(carried: Carried, failed: TaskFailed) -> Waiting:
    """What it means that the provider does not know a task: a replica that lags, a broken promise, or a loss."""
    age = carried.tools.clock() - carried.at.at
    if age < JUST_CREATED_SECONDS:
        return Waiting("not known yet")
    kept_for = carried.tools.terms.profile.task_ttl_seconds
    if kept_for is not None and age < kept_for:
        raise Parked("the provider does not know tasks that it promised to keep (`task_ttl`)") from failed
    raise failed


def _patient(carried: Carried, empty_answers: int) -> None:
    if empty_answers >= EMPTY_ANSWERS:
        raise OfferExpired("the task succeeded and offers no picture")
    if carried.tools.now() - carried.found_at >= carried.limits.give_up_waiting_seconds:
        raise Parked("some tasks were not done in the time that `give_up_waiting` allows")
