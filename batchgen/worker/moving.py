"""Giving stored pictures the names that the manifest now asks for; buys nothing, writes over nothing."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from batchgen.job import Asset
from batchgen.journal import Journal, Progress
from batchgen.lifecycle import Stored
from batchgen.store import Saved, Store

logger = logging.getLogger(__name__)


async def move_all(misplaced: Iterable[Progress], journal: Journal, store: Store) -> None:
    """Move every picture whose path changed; where names are swapped, one steps aside first.

    A picture that is not there, or whose new name is held by a stranger's file, stays as it is.
    """
    waiting = list(misplaced)
    while waiting:
        held = [each for each in waiting if (await _move(each, each.job.path, journal, store)) is None]
        if len(held) == len(waiting):
            aside = await _step_aside(held, journal, store)
            if not aside:
                return
            held = aside
        waiting = held


async def _step_aside(held: list[Progress], journal: Journal, store: Store) -> list[Progress]:
    """Free one name among pictures that wait for each other; empty when they wait for something else."""
    names = {asset.name.rpartition(".")[0]: each for each in held for asset in _assets(each)[:1]}
    for each in held:
        holder = names.get(each.job.path)
        if holder is not None and holder is not each:
            moved = await _move(holder, f"{holder.job.path}~{holder.job.number}", journal, store)
            if moved is not None:
                return [moved if other is holder else other for other in held]
    return []


async def _move(progress: Progress, stem: str, journal: Journal, store: Store) -> Progress | None:
    """Move a job's pictures and record it; None when the name is taken. A lost picture counts as moved."""
    stored = progress.milestone
    assert isinstance(stored, Stored)
    saved: list[Saved] = []
    for index, asset in enumerate(stored.assets, 1):
        try:
            saved.append(await store.move(asset, stem if index == 1 else f"{stem}-{index}"))
        except FileExistsError:
            return None
        except FileNotFoundError:
            logger.warning("the picture of %s is not where it was stored", progress.job.id)
            return progress
    milestone = replace(stored, assets=tuple(each.asset for each in saved))
    await journal.append((progress.then(milestone),))
    for each in saved:
        if each.proof:
            await store.remove(each.proof)
    return replace(progress, position=progress.position + 1, milestone=milestone)


def _assets(progress: Progress) -> tuple[Asset, ...]:
    return progress.milestone.assets if isinstance(progress.milestone, Stored) else ()
