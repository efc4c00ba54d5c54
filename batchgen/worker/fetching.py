"""Bringing a picture home. What was begun is finished within the grace: its URL may die before the next run."""

from contextlib import suppress

from batchgen.api import Offer
from batchgen.errors import BadAsset, FailureClass, OfferExpired, Parked, TaskFailed, Unavailable
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, Stored
from batchgen.retry import Patience, persist
from batchgen.store import Saved, Slot
from batchgen.worker.carried import Carried, LetGo
from batchgen.worker.waiting import fresh_offer, look

FRESH_SECONDS = 30
"""How old an offer may be and still be used: result URLs die within minutes, or at half of a promised `url_ttl`."""

OFFERS = 3
"""How many fresh offers are tried before a picture counts as no longer to be had."""

PATIENCE_SECONDS = 300
"""How long one offer is tried again."""


async def recover(carried: Carried) -> None:
    """Take what an interrupted run had already saved; only its price is still asked for, once."""
    paid = carried.at.milestone
    if not isinstance(paid, Accepted | Generated):
        return
    saved = await carried.tools.store.find(carried.job.number, carried.job.path)
    if not saved:
        return
    if isinstance(paid, Accepted):
        cost = await _billed(carried, paid)
        await carried.reach(Generated(paid.attempt, paid.task_id, cost, paid.urls))
    await _keep(carried, saved)


async def fetch(carried: Carried, generated: Generated) -> None:
    """Download, check and store; what cannot be had in the end is a failed attempt that was paid for."""
    failure: FailureClass = "expired"
    with carried.tools.shelter.shield() as shelter:
        try:
            await _keep(carried, await _bring(carried, generated))
            return
        except (OfferExpired, TaskFailed) as gone:
            reason = str(gone)
        except BadAsset as bad:
            failure, reason = "bad_asset", str(bad)
    if shelter.cancelled_caught:
        raise LetGo
    await carried.reach(AttemptFailed(generated.attempt, failure, reason, generated.cost_micro_usd))


async def _billed(carried: Carried, accepted: Accepted) -> int | None:
    if accepted.task_id is not None:
        with suppress(TaskFailed, Parked):
            standing = await look(carried, accepted.task_id)
            if isinstance(standing, Offer) and standing.cost_micro_usd is not None:
                return standing.cost_micro_usd
    return accepted.price_micro_usd


async def _bring(carried: Carried, generated: Generated) -> tuple[Saved, ...]:
    """Download from an offer while it is fresh, and from a new one when it is not."""
    for tried in range(1, OFFERS + 1):
        offer = await fresh_offer(carried, generated)
        if carried.tools.now() - offer.at > _fresh_seconds(carried) and generated.task_id is not None:
            carried.standing = None
            offer = await fresh_offer(carried, generated)
        try:
            return await _download(carried, offer)
        except OfferExpired:
            if generated.task_id is None or tried == OFFERS:
                raise
            carried.standing = None
    raise AssertionError("the last offer returns or raises")


def _fresh_seconds(carried: Carried) -> float:
    lifetime = carried.tools.terms.profile.url_ttl_seconds
    return FRESH_SECONDS if lifetime is None else min(FRESH_SECONDS, lifetime / 2)


async def _download(carried: Carried, offer: Offer) -> tuple[Saved, ...]:
    tools, count = carried.tools, len(offer.urls)
    patience = Patience(tools.terms.limits.expert.download_tries, PATIENCE_SECONDS)

    async def one(index: int, url: str) -> Saved:
        slot = Slot(carried.job.number, carried.job.path, index, count)
        async with tools.gates.download(), tools.provider.download(url) as chunks:
            return await tools.store.save(slot, chunks)

    async def saved(index: int, url: str) -> Saved:
        return await persist(lambda: one(index, url), (Unavailable, BadAsset), patience, timing=tools.clocks.timing)

    return tuple([await saved(index, url) for index, url in enumerate(offer.urls, 1)])


async def _keep(carried: Carried, saved: tuple[Saved, ...]) -> None:
    generated = carried.at.milestone
    assert isinstance(generated, Generated)
    assets = tuple(each.asset for each in saved)
    await carried.reach(Stored(generated.attempt, generated.task_id, generated.cost_micro_usd, assets))
    for each in saved:
        if each.proof:
            await carried.tools.store.remove(each.proof)
