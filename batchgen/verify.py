"""Files and journal held against each other: which pictures are missing or not what was stored; buys nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from batchgen.decide import address
from batchgen.job import Asset
from batchgen.journal import Journal, Progress, Record, Selection
from batchgen.label import LONGEST_SIDECAR, SUFFIX, read_sidecar
from batchgen.lifecycle import Generated, Stored
from batchgen.store import Shelf

STORED = Selection(states=frozenset({"stored"}))

Flaw: TypeAlias = Literal["missing", "size", "content", "sidecar"]
"""There is no such file; it has another size; its bytes are not those that were stored, or no picture; the sidecar
beside it tells of another picture."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A picture that is not as it was stored."""

    progress: Progress
    asset: Asset
    flaw: Flaw
    reason: str

    @property
    def id(self) -> str:
        """The name by which a person addresses its job."""
        return address(self.progress)

    @property
    def fetchable(self) -> bool:
        """Whether the picture itself is lost, and there is a task that may still offer it."""
        stored = self.progress.milestone
        return self.flaw != "sidecar" and isinstance(stored, Stored) and stored.task_id is not None


@dataclass(frozen=True, slots=True)
class Checked:
    """One picture of a job, with what is wrong with it if anything is."""

    job: int
    asset: Asset
    finding: Finding | None


async def checked(
    record: Record, shelf: Shelf, proven: Callable[[Asset], Awaitable[str]] | None = None
) -> AsyncIterator[Checked]:
    """Look at every stored picture, of replaced and gone jobs too; `proven` reads one and says what is wrong with it.

    Raises:
        OSError: the place cannot be read.
    """
    for progress in record.entries(STORED):
        assert isinstance(progress.milestone, Stored)
        for asset in progress.milestone.assets:
            yield Checked(progress.job.number, asset, await _finding(progress, asset, shelf, proven))


async def mark_lost(journal: Journal, findings: Iterable[Finding]) -> list[Progress]:
    """Write down that pictures are lost, so that the next worker asks their tasks for them again; buys nothing."""
    lost = {each.progress.job.number: each.progress for each in findings if each.fetchable}
    for progress in lost.values():
        stored = progress.milestone
        assert isinstance(stored, Stored)
        await journal.append([progress.then(Generated(stored.attempt, stored.task_id, stored.cost_micro_usd))])
    return list(lost.values())


async def _finding(
    progress: Progress, asset: Asset, shelf: Shelf, proven: Callable[[Asset], Awaitable[str]] | None
) -> Finding | None:
    size = shelf.stat(asset.name)
    if size is None:
        return Finding(progress, asset, "missing", "there is no such file")
    if size != asset.size:
        return Finding(progress, asset, "size", f"it has {size:,} bytes, not {asset.size:,}")
    if proven is not None and (reason := await proven(asset)):
        return Finding(progress, asset, "content", reason)
    told = _told_beside(shelf, asset.name)
    if told is not None and told.get("sha256") != asset.sha256:
        return Finding(progress, asset, "sidecar", "what stands beside it tells of another picture")
    return None


def _told_beside(shelf: Shelf, name: str) -> dict[str, Any] | None:
    """What the sidecar of a picture says; a file that is none of ours says nothing."""
    try:
        with shelf.open(name + SUFFIX) as file:
            return read_sidecar(file.read(LONGEST_SIDECAR))
    except FileNotFoundError:
        return None
