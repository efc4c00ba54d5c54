"""Pictures of replaced and gone jobs: which there are, and removing them when a person says so; buys nothing.

Removing a picture makes its job planned again, which nobody buys while the manifest does not ask for it.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from batchgen.decide import address
from batchgen.job import Asset
from batchgen.journal import Journal, Progress, Record, Selection
from batchgen.lifecycle import Milestone, Planned, Stored, advance
from batchgen.store import Shelf

UNWANTED = Selection(standings=frozenset({"replaced", "gone"}), states=frozenset({"stored", "queued"}))
CURRENT = Selection(standings=frozenset({"current"}), states=frozenset({"stored"}))


class Past(Record, Protocol):
    """A record that also tells what was before."""

    def before(self, progress: Progress) -> Milestone | None:
        """The milestone before a job's newest, None before its first."""
        ...


@dataclass(frozen=True, slots=True)
class Leftover:
    """A picture that the manifest does not ask for any more; `journaled` says that its removal was begun already."""

    progress: Progress
    asset: Asset
    journaled: bool

    @property
    def id(self) -> str:
        """The name by which a person addresses its job."""
        return address(self.progress)


def leftovers(record: Past, shelf: Shelf) -> Iterator[Leftover]:
    """The pictures of replaced and gone jobs that are there, but for those that another job has under the same name."""
    wanted = {asset.name for each in record.entries(CURRENT) for asset in _assets(each)}
    for each in record.entries(UNWANTED):
        begun = isinstance(each.milestone, Planned) and each.position > 0
        stored = record.before(each) if begun else each.milestone
        for asset in stored.assets if isinstance(stored, Stored) else ():
            if asset.name not in wanted and shelf.stat(asset.name) == asset.size:
                yield Leftover(each, asset, begun)


async def remove(journal: Journal, leftover: list[Leftover], unlink: Callable[[Asset], Awaitable[None]]) -> None:
    """Remove pictures, each journaled first; callable again after a crash in between."""
    for number in {each.progress.job.number for each in leftover}:
        mine = [each for each in leftover if each.progress.job.number == number]
        progress = mine[0].progress
        if not mine[0].journaled:
            planned = advance(progress.milestone, Planned(progress.milestone.attempt))
            await journal.append([progress.then(planned)])
        for each in mine:
            await unlink(each.asset)


def _assets(progress: Progress) -> tuple[Asset, ...]:
    return progress.milestone.assets if isinstance(progress.milestone, Stored) else ()
