"""Bringing a picture home. What was begun is finished within the grace: its URL may die before the next run."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from batchgen.api import Offer
from batchgen.errors import BadAsset, Blocked, FailureClass, OfferExpired, Parked, TaskFailed, Unavailable
from batchgen.guard import host_of
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, Stored
from batchgen.retry import Patience, persist
from batchgen.store import Saved, Slot
from batchgen.worker.carried import Carried, LetGo
from batchgen.worker.waiting import fresh_offer, look

T = TypeVar("T")

FRESH_SECONDS = 30
"""How old an offer may be and still be used: result URLs die within minutes, or at half of a promised `url_ttl`."""

PATIENCE_SECONDS = 300
"""How long a picture is tried for in one run; `give_up_waiting` may shorten it."""

LOST_SECONDS = 3 * 24 * 3600
"""How long a finished task may offer nothing that can be had before its picture counts as lost: no outage lasts so."""


async def recover(carried: Carried) -> None:
    """Take what an interrupted run had already saved; only its price is still asked for, once."""
    paid = carried.at.milestone
    if not isinstance(paid, Accepted | Generated):
        return
    store, job = carried.tools.store, carried.job
    saved = await store.find(job.number, job.path)
    if not saved:
        return
    if isinstance(paid, Accepted):
        cost = await _billed(carried, paid)
        paid = Generated(paid.attempt, paid.task_id, cost, paid.urls)
        await carried.reach(paid)
    if label := carried.tools.label(job, paid):
        saved = await store.find(job.number, job.path, label)
    await _keep(carried, saved)


async def fetch(carried: Carried, generated: Generated) -> None:
    """Download, check and store.

    A task that says it is gone is a failed attempt that was paid for. One that still offers, but nothing that can be
    had, keeps its place for a later run, and only when it still does so after days is it given up.
    """
    failure: FailureClass = "expired"
    with carried.tools.shelter.shield() as shelter:
        try:
            await _keep(carried, await _bring(carried, generated))
            return
        except TaskFailed as gone:
            reason = str(gone)
        except (OfferExpired, BadAsset) as dead:
            failure, reason = "bad_asset" if isinstance(dead, BadAsset) else "expired", str(dead)
            await _park_a_while(carried, reason)
    if shelter.cancelled_caught:
        raise LetGo
    await carried.reach(AttemptFailed(generated.attempt, failure, reason, generated.cost_micro_usd))


async def _park_a_while(carried: Carried, reason: str) -> None:
    """Let the job wait for a later run, unless its picture has been ready for so long that it counts as lost."""
    if carried.tools.clock() - carried.at.at < LOST_SECONDS:
        await carried.settle()  # from now on it is known since when the picture is ready and cannot be had
        raise Parked(f"{reason}; its task is kept, and the next run asks it again")


async def _billed(carried: Carried, accepted: Accepted) -> int | None:
    if accepted.task_id is not None:
        with suppress(TaskFailed, Parked):
            standing = await look(carried, accepted.task_id)
            if isinstance(standing, Offer) and standing.cost_micro_usd is not None:
                return standing.cost_micro_usd
    return accepted.price_micro_usd


async def _bring(carried: Carried, generated: Generated) -> tuple[Saved, ...]:
    """Every picture of the task, one after another."""
    offer = carried.standing
    if not isinstance(offer, Offer):
        offer = await _patiently(carried, lambda: fresh_offer(carried, generated))
    count = len(offer.urls)
    return tuple([await _picture(carried, generated, (index, count)) for index in range(count)])


async def _picture(carried: Carried, generated: Generated, which: tuple[int, int]) -> Saved:
    """One picture, the how-many-eth of how many."""
    tools, since = carried.tools, carried.tools.now()
    while True:
        try:
            return await _patiently(carried, lambda: _offered(carried, generated, which))
        except OSError as failed:
            await tools.room.wait_after(failed, since, tools.clocks.timing)


async def _patiently(carried: Carried, call: Callable[[], Awaitable[T]]) -> T:
    """Try for what a task offers ever more slowly, so that an outage is sat out; no longer than the run goes on."""
    limits = carried.limits
    seconds = min(PATIENCE_SECONDS, limits.give_up_waiting_seconds)
    patience = Patience(limits.expert.download_tries, seconds, base_seconds=1, cap_seconds=30)
    return await persist(call, (OfferExpired, BadAsset, Unavailable), patience, timing=carried.tools.fetching)


async def _offered(carried: Carried, generated: Generated, which: tuple[int, int]) -> Saved:
    """One try; one that shows the offer to be of no use lets the next ask the task for a fresh one."""
    try:
        return await _once(carried, generated, which)
    except (OfferExpired, BadAsset):
        _forget_offer(carried, generated)
        raise


def _forget_offer(carried: Carried, generated: Generated) -> None:
    """Ask the task again before the next try; a sync answer has no task to ask."""
    if generated.task_id is not None:
        carried.standing = None


async def _once(carried: Carried, generated: Generated, which: tuple[int, int]) -> Saved:
    """One download; an offer that grew old while it waited for its place is asked for again, the place kept."""
    tools, (index, _) = carried.tools, which
    offer = await fresh_offer(carried, generated)
    until = _fresh_until(carried, offer)
    async with tools.gates.download(host_of(_url(offer, index)), until):
        if tools.now() > until and generated.task_id is not None:
            _forget_offer(carried, generated)
            offer = await fresh_offer(carried, generated)
        return await _save(carried, generated, _url(offer, index), which)


def _fresh_until(carried: Carried, offer: Offer) -> float:
    lifetime = carried.tools.terms.profile.url_ttl_seconds
    return offer.at + (FRESH_SECONDS if lifetime is None else min(FRESH_SECONDS, lifetime / 2))


def _url(offer: Offer, index: int) -> str:
    if index >= len(offer.urls):
        raise OfferExpired("the task names fewer pictures than before")
    return offer.urls[index]


async def _save(carried: Carried, generated: Generated, url: str, which: tuple[int, int]) -> Saved:
    tools, (index, count) = carried.tools, which
    label = tools.label(carried.job, generated)
    slot = Slot(carried.job.number, carried.job.path, index + 1, count, label)
    try:
        async with tools.provider.download(url) as chunks:
            return await tools.store.save(slot, chunks)
    except Blocked as blocked:
        raise Parked(f"{blocked}; its task is kept") from blocked
    except Unavailable as away:
        if away.retry_after_seconds is not None:
            tools.gates.pictures_throttled(host_of(url), away.retry_after_seconds)
        raise


async def _keep(carried: Carried, saved: tuple[Saved, ...]) -> None:
    generated = carried.at.milestone
    assert isinstance(generated, Generated)
    assets = tuple(each.asset for each in saved)
    await carried.reach(Stored(generated.attempt, generated.task_id, generated.cost_micro_usd, assets))
    for each in saved:
        if each.proof:
            await carried.tools.store.remove(each.proof)
