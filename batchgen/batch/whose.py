"""Which job a name means: an id, or a file of the batch, or one of its bytes wherever it lies now. Writes nothing."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from batchgen.journal import Progress, Selection
from batchgen.journal.telling import SqlRecord
from batchgen.label import LONGEST_SIDECAR, SUFFIX, read, read_sidecar
from batchgen.lifecycle import Stored
from batchgen.location import Location

NEAR: Final = 3
LOOKED_AT: Final = 20_000
"""So many ids are held against one that is unknown."""

_LARGEST: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Given:
    """What a person named. `hashes` are those of a file's bytes and of the picture that it tells of; `told` its words.

    A sidecar stands for its picture.
    """

    name: str
    picture: str = ""
    hashes: tuple[str, ...] = ()
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def stray(self) -> str:
        """What there is to say of a file that lies in no batch."""
        return self.elsewhere or f"{self.name} lies in no batch, and says of itself none; name the batch first"

    @property
    def elsewhere(self) -> str:
        """Where a file says that it comes from, as a sentence; empty when it says nothing."""
        if not self.told:
            return ""
        batch, job = self.told.get("batch"), self.told.get("id")
        return f"{self.name} says of itself that it is the picture of {job} in the batch {batch}; name that batch first"


def given(name: str) -> Given:
    """What a name is: a file that is there is looked into, anything else is an id or the name of a picture."""
    if not os.path.isfile(name) or os.path.getsize(name) > _LARGEST:
        return Given(name, name)
    with open(name, "rb") as file:
        data = file.read()
    beside = read_sidecar(data) if len(data) <= LONGEST_SIDECAR else None
    told = beside or read(data) or {}
    hashes = {hashlib.sha256(data).hexdigest(): None} | {str(told[key]): None for key in ("sha256",) if key in told}
    return Given(name, name.removesuffix(SUFFIX) if beside else name, tuple(hashes), told)


def found(record: SqlRecord, location: Location, wanted: Given) -> Progress | None:
    """The job that is meant; of several the one that the manifest asks for now."""
    job_id, _, number = wanted.name.rpartition("@")
    if job_id and number.isdecimal():
        return next((each for each in _numbered(record, [int(number)]) if each.job.id == job_id), None)
    for numbers in _candidates(record, wanted):
        if jobs := _numbered(record, numbers):
            return min(jobs, key=lambda each: (not _lies_at(each, location, wanted), each.standing != "current"))
    if not os.path.abspath(wanted.picture).startswith(f"{location.folder}/") and "://" not in wanted.picture:
        return None
    return next((each for each in record.entries() if _lies_at(each, location, wanted)), None)


def near(name: str, ids: Iterable[str]) -> list[str]:
    """Ids that may have been meant: those that hold all parts of the name, or else those written much like it."""
    known, parts = list(dict.fromkeys(ids)), name.casefold().split("/")
    holding = [each for each in known if all(part in each.casefold() for part in parts)]
    return holding[:NEAR] or get_close_matches(name, known, NEAR)


def _candidates(record: SqlRecord, wanted: Given) -> Iterator[list[int]]:
    yield list(record.named(wanted.name))
    for sha256 in wanted.hashes:
        yield list(record.bought(sha256))
    if wanted.told.get("batch") == record.identity.name:
        yield list(record.named(str(wanted.told.get("id"))))


def _numbered(record: SqlRecord, numbers: list[int]) -> list[Progress]:
    return list(record.entries(Selection(numbers=frozenset(numbers)))) if numbers else []


def _lies_at(progress: Progress, location: Location, wanted: Given) -> bool:
    if not isinstance(progress.milestone, Stored):
        return False
    path, store = os.path.abspath(wanted.picture), location.kept_in()
    return any(
        path == str(location.folder / asset.name) or (store and wanted.picture == f"{store}/{asset.name}")
        for asset in progress.milestone.assets
    )
