"""From what was asked to a plan: expand, compare, ask for prices, check, forecast; writes nothing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio

from batchgen.api import models
from batchgen.api.limits import Reach
from batchgen.batch.asked import Asked, RunOptions
from batchgen.batch.records import open_record
from batchgen.batch.seller import client_of
from batchgen.batch.wishes import wishes
from batchgen.errors import BatchgenError
from batchgen.expansion import Expansion
from batchgen.journal import Record, Selection
from batchgen.journal.record import SqliteRecord
from batchgen.lifecycle import Wait, next_step
from batchgen.location import JOURNAL
from batchgen.manifest.inputs import moved
from batchgen.manifest.provider import Local, Remote
from batchgen.plan import (
    Plan,
    Prices,
    Wishes,
    check,
    compared,
    costs,
    digest,
    experience,
    forecast,
    samples,
    shapes,
)

UNDER_WAY: Final = Selection(states=frozenset({"running", "in_doubt"}))
COMPARED: Final = 200
"""So many jobs are looked for in the batches beside a new one."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, with what carrying it out needs."""

    plan: Plan
    wishes: Wishes
    prices: Prices


async def planned(read: Asked, expansion: Expansion, options: RunOptions) -> Planned:
    """Plan an expansion.

    Raises:
        ManifestProblems: what would be sent is wrong, each problem at its place.
        SettingsError, JournalError: there is something to mend first.
    """
    plan, wanted = await anyio.to_thread.run_sync(_compared, read, expansion, options)
    known, seller = models.Catalogue(), read.manifest.provider if plan.to_buy and not options.offline else None
    if isinstance(seller, Remote):
        async with client_of(read.manifest, seller, Reach(), read.environ) as client:
            known = await client.models()
    prices = Prices(read.manifest.terms.budget, known, isinstance(seller, Remote))
    plan = replace(plan, warnings=(*expansion.notes, *plan.warnings, *known.warnings))
    priced = await anyio.to_thread.run_sync(partial(_priced, read, expansion, plan, prices, options))
    return Planned(priced, wanted, prices)


def idle(read: Asked, options: RunOptions) -> bool:
    """Whether the last run owed just this, ended, and left nothing that a further run could carry on."""
    if not read.location.exists or options.redo or options.plan:
        return False
    with open_record(read.location) as record:
        ended = bool(record.runs) and record.runs[0].ended is not None
        if not ended or record.totals().counts["queued"] or moved(record.identity.inputs, read.manifest):
            return False
        now, terms = time.time(), read.manifest.terms
        return all(isinstance(next_step(each.milestone, terms, now), Wait) for each in record.entries(UNDER_WAY))


def _compared(read: Asked, expansion: Expansion, options: RunOptions) -> tuple[Plan, Wishes]:
    if not read.location.exists:
        wanted = wishes(options, (), expansion.scratch)
        plan = compared(read.location, expansion, None, wanted)
        return replace(plan, siblings=tuple(_siblings(read, expansion))), wanted
    with open_record(read.location) as record:
        wanted = wishes(options, record.runs, expansion.scratch)
        return compared(read.location, expansion, record, wanted), wanted


def _priced(read: Asked, expansion: Expansion, plan: Plan, prices: Prices, options: RunOptions) -> Plan:
    check(expansion, plan.comparison.shapes, prices)
    to_buy, terms = shapes(expansion, plan.comparison), read.manifest.terms
    if not read.location.exists:
        seen, before, exposed = experience(None), {}, 0
    else:
        with open_record(read.location) as record:
            seen, before, exposed = experience(record), _prices_before(record), record.totals().money.exposed
    most = terms.budget.max_micro_usd
    foreseen = forecast(to_buy, terms, seen, plan.folder, jobs=plan.comparison.counts.get("new", 0))
    kept = read.location.kept_in()
    return replace(
        plan,
        store=kept,
        free=isinstance(read.manifest.provider, Local),
        costs=costs(to_buy, prices, before),
        forecast=replace(foreseen, free_bytes=None) if kept else foreseen,
        samples=samples(expansion, plan.comparison),
        budget_micro_usd=None if most is None else max(0, most - exposed),
        digest=digest(expansion.scratch) if options.plan or options.on_paper else "",
    )


def _prices_before(record: Record) -> dict[str, int]:
    return next((dict(run.prices) for run in record.runs if run.prices), {})


def _siblings(read: Asked, expansion: Expansion) -> Iterator[str]:
    """Other batches beside a new one that hold its pictures already: it was renamed, and would buy them all again."""
    some = expansion.scratch.some(COMPARED)
    if isinstance(read.manifest.provider, Local) or not read.location.folder.parent.is_dir() or not some:
        return
    for folder in sorted(read.location.folder.parent.iterdir()):
        journal = folder / ".batchgen" / JOURNAL
        if folder != read.location.folder and not folder.name.endswith(".local") and journal.is_file():
            known = _known(journal, expansion)
            if known:
                yield (
                    f"the batch {folder.name} beside this one holds pictures of it already (of {len(some)} looked for, "
                    f"{known}); if it was renamed, go on with it: mv {folder} {read.location.folder}"
                )


def _known(journal: Path, expansion: Expansion) -> int:
    try:
        with SqliteRecord(str(journal)) as record:
            counts = record.compare(expansion.scratch.some(COMPARED)).counts
            return counts["unchanged"] + counts["renamed"]
    except BatchgenError:
        return 0
