"""Giving stored pictures the names that the manifest now asks for; buys nothing, writes over nothing."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from batchgen.job import Asset
from batchgen.journal import Journal, Progress
from batchgen.lifecycle import Stored
from batchgen.store import Saved, Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """A picture that nobody asks for any longer, in the place of one that is; `attempt` is what it was bought by.

    `progress` is None when it is an earlier picture of the very job that wants the place.
    """

    number: int
    attempt: int
    assets: tuple[Asset, ...]
    progress: Progress | None = None


def no_holders(_: Progress) -> Holder | None:
    """Whatever holds a name is a stranger's."""
    return None


async def move_all(
    misplaced: Iterable[Progress],
    journal: Journal,
    store: Store,
    holder_of: Callable[[Progress], Holder | None] = no_holders,
) -> None:
    """Move every picture whose path changed; where names are swapped, one steps aside first.

    A picture of ours that is no longer asked for makes room: `holder_of` finds it, and it is kept beside as
    `<stem>.was-<attempt>`. A picture that is not there, or whose new name is held by a stranger's file, stays as it is.
    """
    waiting = list(misplaced)
    while waiting:
        held = [each for each in waiting if (await _move(each, each.job.path, journal, store)) is None]
        if len(held) == len(waiting):
            aside = await _step_aside(held, journal, store) or await _make_room(held, journal, store, holder_of)
            if not aside:
                return
            held = aside
        waiting = held


async def _make_room(
    held: list[Progress], journal: Journal, store: Store, holder_of: Callable[[Progress], Holder | None]
) -> list[Progress]:
    """Of pictures whose names are held, those whose name is free now."""
    freed = []
    for each in held:
        holder = holder_of(each)
        if holder is not None and await _keep_beside(holder, each.job.path, journal, store):
            freed.append(each)
    return freed


async def _keep_beside(holder: Holder, stem: str, journal: Journal, store: Store) -> bool:
    for name in (f"{stem}.was-{holder.attempt}", f"{stem}.was-{holder.attempt}~{holder.number}"):
        if holder.progress is not None:
            if await _move(holder.progress, name, journal, store) is not None:
                return True
        elif await _rename(holder.assets, name, store):
            return True
    return False


async def _rename(assets: tuple[Asset, ...], stem: str, store: Store) -> bool:
    """Give an earlier picture another name; its milestone is history, and stays as it was written."""
    try:
        for index, asset in enumerate(assets, 1):
            saved = await store.move(asset, stem if index == 1 else f"{stem}-{index}")
            if saved.proof:
                await store.remove(saved.proof)
    except (FileExistsError, FileNotFoundError):
        return False
    return True


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
