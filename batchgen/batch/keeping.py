"""What keeps a batch sound between runs: pictures and journal verified and repaired, leftovers pruned."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import file_digest, sha256
from pathlib import Path

import anyio

from batchgen.batch.asked import RunOptions, Unwatched, asked
from batchgen.batch.labelling import label_of
from batchgen.batch.records import open_journal, open_record
from batchgen.batch.storing import Keeping, pictures_of
from batchgen.batch.working import work
from batchgen.errors import BadAsset, BatchgenError, Damaged, SettingsError
from batchgen.job import Asset
from batchgen.journal import mending
from batchgen.journal.salvage import Salvage
from batchgen.journal.schema import Machine
from batchgen.lifecycle import Stored
from batchgen.location import HIDDEN, Location
from batchgen.prune import Leftover, leftovers, remove
from batchgen.store import Shelf
from batchgen.store.decode import Check, Decoder, Structure
from batchgen.store.owner import owner
from batchgen.store.thumbs import forget, place
from batchgen.verify import Finding, checked, mark_lost

DAMAGED = "damaged"
"""Where files go, beside the journal, whose bytes are not those of the picture that was stored under their name."""


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What to look at and what to do: the batch, read every byte, mend, go on from an old copy."""

    location: Location
    read_data: bool = False
    repair: bool = False
    accept_old_copy: bool = False
    run: RunOptions | None = None


@dataclass(slots=True)
class Verified:
    """What was found: pictures looked at with their bytes, what is wrong, what was done about it.

    `accepted` counts the jobs put in doubt for an old copy, `salvage` is what came of repairing the journal, `fetched`
    counts pictures that are there again, `unfetched` says why the others could not be asked for.
    """

    milestones: int = 0
    pictures: int = 0
    size: int = 0
    findings: list[Finding] = field(default_factory=list)
    accepted: int | None = None
    salvage: Salvage | None = None
    fetched: int = 0
    unfetched: str = ""


async def verify(options: VerifyOptions) -> Verified:
    """Hold files and journal against each other; with `repair` mend what can be mended without buying anything.

    Raises:
        Damaged: the journal is, and was not to be repaired or cannot be.
        Foreign, HeldElsewhere, SettingsError: as for a run.
    """
    found, path = Verified(), str(options.location.journal)
    if options.location.database and options.accept_old_copy:
        raise SettingsError("--accept-old-copy is for journals in files; put back the newest backup of the database")
    if options.repair:
        found.salvage = await anyio.to_thread.run_sync(_repaired, options.location)
    if options.accept_old_copy:
        found.accepted = await anyio.to_thread.run_sync(mending.accept_old_copy, path, Machine())
    await _look(options, found)
    if options.repair and any(each.flaw == "sidecar" for each in found.findings):
        await _tell_anew(options.location, found.findings)
        await _look(options, found)
    if options.repair and found.findings:
        before = found.findings
        await _fetch(options, found)
        there = await _look(options, found)
        known = {each.progress.job.number for each in found.findings}
        away = [each for each in before if each.progress.job.number not in there | known]
        found.fetched, found.pictures = len(before) - len(found.findings) - len(away), found.pictures + len(away)
        found.findings += away
    return found


async def prune(location: Location, *, delete: bool) -> list[Leftover]:
    """The pictures that the manifest does not ask for any more; removed if `delete` says so.

    Raises:
        BatchgenError: the journal cannot be read, or (to delete) is held by a run.
    """
    kept = pictures_of(location)
    shelf = kept.shelf()
    if not delete:
        with open_record(location) as record:
            return list(leftovers(record, shelf))
    store = kept.store(Structure())

    async def unlink(asset: Asset) -> None:
        data = await anyio.to_thread.run_sync(_read, shelf, asset.name)
        if sha256(data).hexdigest() == asset.sha256:  # never a file of others
            await store.remove(asset.name)
            await anyio.to_thread.run_sync(forget, place(str(location.folder), asset.sha256))

    async with open_journal(location, None, verb="prune") as journal:
        with open_record(location) as record:
            found = list(leftovers(record, shelf))
        await remove(journal, found, unlink)
        await journal.end(0, f"removed {len(found)} pictures that are not asked for any more")
    return found


def _repaired(location: Location) -> Salvage | None:
    """Repair the journal if it is damaged; None when it is sound."""
    path, batch_id = str(location.journal), owner(str(location.folder))
    try:
        with open_record(location) as record:
            record.prove()
    except Damaged:
        if location.database:
            raise  # its server has backups, and a file cannot take its place
        return mending.repair(path, batch_id, Machine())
    return None


async def _look(options: VerifyOptions, found: Verified) -> set[int]:
    """Count and judge every picture, and prove the journal; says which jobs have theirs as they were stored."""
    there = set()
    kept = pictures_of(options.location)
    shelf = kept.shelf()
    found.pictures, found.size, found.findings = 0, 0, []
    decoder: AbstractAsyncContextManager[Check | None] = Decoder() if options.read_data else nullcontext()
    with open_record(options.location) as record:
        found.milestones = await anyio.to_thread.run_sync(record.prove)
        async with decoder as check:
            proven = None if check is None else partial(_wrong, kept, shelf, check)
            async for each in checked(record, shelf, proven):
                found.pictures, found.size = found.pictures + 1, found.size + each.asset.size
                if each.finding is not None:
                    found.findings.append(each.finding)
                else:
                    there.add(each.job)
    return there


async def _tell_anew(location: Location, findings: list[Finding]) -> None:
    """Write sidecars that tell of other pictures anew, as the journal knows it."""
    store = pictures_of(location).store(Structure())
    async with open_journal(location, None, verb="verify") as journal:
        for each in findings:
            paid = each.progress.milestone
            if each.flaw == "sidecar" and isinstance(paid, Stored):
                await store.tell(each.asset, label_of(each.progress.job, journal.identity.name, paid))
        await journal.end(0, "sidecars told of other pictures than theirs")


async def _wrong(kept: Keeping, shelf: Shelf, check: Check, asset: Asset) -> str:
    """What is wrong with a picture's bytes, if anything is."""
    try:
        async with _at_hand(kept, shelf, asset) as path:
            if await anyio.to_thread.run_sync(_digest, path) != asset.sha256:
                return "its bytes are not those that were stored"
            await check.check(path)
    except (BadAsset, OSError) as error:
        return str(error)
    return ""


@asynccontextmanager
async def _at_hand(kept: Keeping, shelf: Shelf, asset: Asset) -> AsyncIterator[str]:
    """A picture as a file of this machine: itself, or a copy that is gone afterwards."""
    if kept.files:
        yield os.path.join(kept.files, asset.name)
        return
    path = os.path.join(kept.folder, HIDDEN, f"looked-at-{asset.sha256}")
    try:
        await anyio.to_thread.run_sync(_copy, shelf, asset.name, path)
        yield path
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _copy(shelf: Shelf, name: str, path: str) -> None:
    with shelf.open(name) as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target)


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _read(shelf: Shelf, name: str) -> bytes:
    with shelf.open(name) as file:
        return file.read()


async def _fetch(options: VerifyOptions, found: Verified) -> None:
    """Ask the tasks of lost pictures for them again, as a run does that may buy nothing."""
    await _set_aside(options.location, found.findings)
    reason = f"{len(found.findings)} pictures were not as they had been stored"
    # a run of its own: what it marks is work for the next
    async with open_journal(options.location, None, verb="verify") as journal:
        await mark_lost(journal, found.findings)
        await journal.end(0, reason)
    try:
        await _carry(_as_run(options), options.location, found)
    except BatchgenError as error:
        found.unfetched = str(error)


async def _carry(run: RunOptions, location: Location, found: Verified) -> None:
    read = await anyio.to_thread.run_sync(asked, run)
    async with open_journal(location, None, verb="verify") as journal:
        with open_record(location) as record:
            halt = await work(read, journal, record, run, Unwatched())
        code, found.unfetched = halt.worst()
        await journal.end(code, found.unfetched or "fetched what was lost")


def _as_run(options: VerifyOptions) -> RunOptions:
    """The run that fetches: of the manifest that was named, or of the one that the journal knows."""
    if options.run is not None:
        return replace(options.run, max_pictures=0, signals=True)
    with open_record(options.location) as record:
        manifest = record.identity.manifest
    if not os.path.isfile(manifest):
        raise SettingsError(f"the manifest {manifest} is not there any more; name it to fetch them")
    at = options.location
    local = "local" if record.identity.provider == "local" else None
    return RunOptions(
        manifest, str(at.folder.parent), at.database or str(at.journal), local, max_pictures=0, signals=True
    )


async def _set_aside(location: Location, findings: list[Finding]) -> None:
    """Move pictures away that are not what their names say, so that each gets its own name back."""
    away, kept = location.hidden / DAMAGED, pictures_of(location)
    store = kept.store(Structure())
    for each in findings:
        if each.flaw == "missing" or not each.fetchable:
            continue
        name, number = Path(each.asset.name).name, each.progress.job.number
        if kept.files:
            await anyio.to_thread.run_sync(_move_away, Path(kept.files) / each.asset.name, away, f"{number}.{name}")
            continue
        data = await anyio.to_thread.run_sync(_read, store, each.asset.name)
        await anyio.to_thread.run_sync(_free(away, f"{number}.{name}").write_bytes, data)
        await store.remove(each.asset.name)


def _move_away(source: Path, away: Path, name: str) -> None:
    source.rename(_free(away, name))


def _free(away: Path, name: str) -> Path:
    """A name in a folder that nothing has yet."""
    away.mkdir(mode=0o700, exist_ok=True)
    number, _, rest = name.partition(".")
    target, more = away / name, 0
    while target.exists():
        target, more = away / f"{number}.{more}.{rest}", more + 1
    return target
