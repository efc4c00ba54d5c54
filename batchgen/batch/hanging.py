"""Stored pictures get the names that are asked for now, and those they replace are kept beside."""

import hashlib
from collections.abc import Iterator

from batchgen.job import Asset
from batchgen.journal import Journal, Progress, Record, Selection
from batchgen.lifecycle import Stored
from batchgen.store import Shelf
from batchgen.store.local import LocalStore
from batchgen.worker.moving import Holder, move_all

MISPLACED = Selection(standings=frozenset({"current"}), states=frozenset({"stored"}), misplaced=True)
LET_GO = Selection(standings=frozenset({"replaced", "gone"}), states=frozenset({"stored"}))


async def hang(record: Record, journal: Journal, store: LocalStore) -> None:
    """Move what is misplaced, and what this run had to store beside its place because an older picture was there."""
    waiting = list(record.entries(MISPLACED))
    waiting += record.entries(_beside_since(journal.run))
    if waiting:
        await move_all(waiting, journal, store, _Holders(record, store))


def _beside_since(run: int) -> Selection:
    return Selection(standings=frozenset({"current"}), states=frozenset({"stored"}), beside=True, run=run)


class _Holders:
    """Who holds the name that a picture should have: a job let go, or an earlier picture of the job itself."""

    def __init__(self, record: Record, shelf: Shelf) -> None:
        self._record = record
        self._shelf = shelf
        self._let_go: dict[str, Progress] | None = None

    def __call__(self, wanting: Progress) -> Holder | None:
        stem = wanting.job.path
        if self._let_go is None:
            self._let_go = dict(self._by_stem())
        if found := self._let_go.pop(stem, None):
            return Holder(found.job.number, found.milestone.attempt, _assets(found), found)
        for written in reversed(self._record.life(wanting.job.number)[:-1]):
            earlier = written.milestone
            if isinstance(earlier, Stored) and _stem(earlier.assets) == stem and self._is_there(earlier.assets):
                return Holder(wanting.job.number, earlier.attempt, earlier.assets)
        return None

    def _is_there(self, assets: tuple[Asset, ...]) -> bool:
        """Whether an earlier picture is still what lies there: its milestone does not know where it was moved to."""
        try:
            with self._shelf.open(assets[0].name) as file:
                return hashlib.sha256(file.read()).hexdigest() == assets[0].sha256
        except OSError:
            return False

    def _by_stem(self) -> Iterator[tuple[str, Progress]]:
        for each in self._record.entries(LET_GO):
            yield _stem(_assets(each)), each


def _assets(progress: Progress) -> tuple[Asset, ...]:
    return progress.milestone.assets if isinstance(progress.milestone, Stored) else ()


def _stem(assets: tuple[Asset, ...]) -> str:
    return assets[0].name.rpartition(".")[0] if assets else ""
