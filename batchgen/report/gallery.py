"""The jobs of a batch as the data of a page, one short line each; and the sums that are made while they pass by."""

import json
import os
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

from batchgen.job import Asset, InputRow
from batchgen.journal import Progress, Record, Written
from batchgen.ledger import Money, change
from batchgen.lifecycle import InDoubt, Stored
from batchgen.report.cards import Card, card, reference_name
from batchgen.report.export import url
from batchgen.report.plain import harmless
from batchgen.report.timings import Timings
from batchgen.store import Shelf
from batchgen.store.thumbs import shard

COLUMNS: Final = (
    "number", "id", "state", "model", "prompt", "settings", "take", "axes", "row", "references", "files", "attempts",
    "task", "cost", "failure", "reason", "next", "run", "at", "sent", "ready", "changed", "standing",
)  # fmt: skip
"""What a line of the data holds, in this order; `model`, `settings`, `axes`, `row` and `next` are numbers of texts."""

FILE_COLUMNS: Final = ("href", "name", "bytes", "sha256", "width", "height", "thumb")
"""What is told of each file: `thumb` is empty when it has none, `href` when it is not there."""


@dataclass(slots=True)
class _Once:
    """Values that many jobs share, each kept once and known by its number."""

    numbers: dict[str, int] = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)

    def number(self, value: Any, key: str | None = None) -> int:
        known = json.dumps(value, sort_keys=True) if key is None else key
        found = self.numbers.setdefault(known, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Pictures that are no files here: their address for people, and where they are published, if anywhere."""

    address: str
    shelf: Shelf
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the page finds pictures: `pictures` and `thumbs` are paths from it, `folder` is where the pictures are now.

    `shown` are the hashes of the pictures that have a thumbnail; `elsewhere` says where pictures are that are no files.
    """

    folder: str
    pictures: str
    thumbs: str
    shown: Container[str]
    elsewhere: Elsewhere | None = None

    def has(self, name: str) -> bool:
        """Whether a picture is there."""
        if self.elsewhere is not None:
            return self.elsewhere.shelf.stat(name) is not None
        return os.path.isfile(os.path.join(self.folder, name))

    def href(self, name: str) -> str:
        """The address of a picture as the page links to it; empty when nobody said where it is published."""
        if self.elsewhere is not None:
            return self.elsewhere.base_url and url(self.elsewhere.base_url, name)
        return relative_url(f"{self.pictures}/{name}")


@dataclass(slots=True)
class Gallery:
    """The jobs of a record, to be passed once through `lines`; then the sums are there.

    `money` and `pictures` are by model, `spent` is by run in micro-USD.
    """

    record: Record
    places: Places
    timings: Timings = field(default_factory=Timings)
    money: dict[str, Money] = field(default_factory=dict)
    pictures: Counter[str] = field(default_factory=Counter)
    spent: Counter[int] = field(default_factory=Counter)
    jobs: int = 0
    missing: int = 0
    _models: _Once = field(default_factory=_Once)
    _settings: _Once = field(default_factory=_Once)
    _axes: _Once = field(default_factory=_Once)
    _rows: _Once = field(default_factory=_Once)
    _next: _Once = field(default_factory=_Once)

    def lines(self) -> Iterator[str]:
        """One line of JSON for each job that counts, fit to stand inside a script element."""
        for progress in self.record.entries():
            life = self.record.life(progress.job.number)
            self._add_money(progress.job.request.model, life)
            if counts(progress):
                yield script_json(self._line(card(progress, life), _stored_in(life)))

    def shared(self) -> dict[str, Any]:
        """The texts that lines name by number, and the names of their columns."""
        return {
            "columns": COLUMNS,
            "fileColumns": FILE_COLUMNS,
            "models": self._models.values,
            "settings": self._settings.values,
            "axes": self._axes.values,
            "rows": self._rows.values,
            "next": self._next.values,
        }

    def _add_money(self, model: str, life: Sequence[Written]) -> None:
        total = self.money.get(model, Money())
        for before, after in pairwise(life):
            moved = change(before.milestone, after.milestone)
            total += moved
            self.spent[after.run] += moved.spent
        self.money[model] = total

    def _line(self, job: Card, run: int) -> list[Any]:
        self.jobs += 1
        if job.files:
            self.timings.add(job.model, run, job.times)
            self.pictures[job.model] += 1
        return [
            job.number,
            job.id,
            job.state,
            self._models.number(job.model),
            job.prompt,
            self._settings.number(dict(job.settings)),
            job.take,
            self._axes.number(list(job.axes.items())),
            self._row(job.row),
            [reference_name(each) for each in job.references],
            [self._file(each) for each in job.files],
            job.attempts,
            job.task_id,
            job.cost_micro_usd,
            job.failure,
            None if job.reason is None else harmless(job.reason),
            self._next.number(job.next_step),
            job.run,
            round(job.at, 3),
            None if job.times.sent is None else round(job.times.sent, 3),
            None if job.times.ready is None else round(job.times.ready, 3),
            int(job.changed),
            job.standing,
        ]

    def _row(self, row: InputRow | None) -> int | None:
        if row is None:
            return None
        return self._rows.number([row.number, row.id, list(row.cells.items())], f"{row.number}\0{row.id}")

    def _file(self, asset: Asset) -> list[Any]:
        there = self.places.has(asset.name)
        self.missing += not there
        shown = asset.sha256 in self.places.shown and (there or self.places.elsewhere is None)
        thumb = f"{self.places.thumbs}/{shard(asset.sha256)}" if shown else ""
        href = self.places.href(asset.name) if there else ""
        return [href, asset.name, asset.size, asset.sha256, asset.width, asset.height, thumb]


def counts(progress: Progress) -> bool:
    """Whether a job is one of the manifest as it stands, or a replaced one whose payment is in doubt."""
    return progress.standing == "current" or (
        progress.standing == "replaced" and isinstance(progress.milestone, InDoubt)
    )


def assets(record: Record) -> Iterator[Asset]:
    """The pictures of all jobs that count."""
    for each in record.entries():
        if counts(each) and isinstance(each.milestone, Stored):
            yield from each.milestone.assets


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, nor begin a comment there; plain ASCII."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def relative_url(name: str) -> str:
    """A file name as a URL from a page beside it, whatever signs it has."""
    return quote(os.fsencode(name), safe="/")


def _stored_in(life: Sequence[Written]) -> int:
    """The run that stored the newest picture, 0 when there is none."""
    return next((each.run for each in reversed(life) if isinstance(each.milestone, Stored)), 0)
