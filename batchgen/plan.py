"""Manifest, journal and models held against each other: what a run would do, what is wrong, and who allows it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from batchgen.api.models import Catalogue
from batchgen.errors import SettingsError
from batchgen.job import Draft
from batchgen.journal import Comparison, Difference, Kind, Record, Selection
from batchgen.lifecycle import Wait, next_step
from batchgen.location import Location
from batchgen.manifest.expand import Expansion
from batchgen.manifest.problems import ManifestProblems, Problem
from batchgen.terms import Terms

EXAMPLES: Final = 20

UNDER_WAY: Final = Selection(states=frozenset({"running", "in_doubt"}))
BOUGHT: Final = Selection(states=frozenset({"stored", "running", "in_doubt"}))


@dataclass(frozen=True, slots=True)
class Plan:
    """What `run` would do. `run` is the number it would get; `warnings` are sentences that stop nothing.

    `unbought` are the jobs that would be sent, or were never; `idle` says that there is nothing at all to do.
    """

    folder: str
    name: str
    run: int
    new: bool
    comparison: Comparison
    warnings: tuple[str, ...] = ()
    unbought: tuple[Draft, ...] = ()
    idle: bool = False

    @property
    def to_buy(self) -> int:
        """How many pictures would be bought."""
        return self.comparison.to_buy


def compared(location: Location, expansion: Expansion, record: Record | None, terms: Terms) -> Plan:
    """Hold an expansion against what has happened; without a record everything is new."""
    drafts, folder = expansion.drafts, str(location.folder)
    if record is None:
        return Plan(folder, location.name, run=1, new=True, comparison=_all_new(drafts), unbought=drafts)
    comparison = record.compare(drafts)
    number = record.runs[0].number + 1 if record.runs else 1
    return Plan(
        folder,
        location.name,
        run=number,
        new=False,
        comparison=comparison,
        unbought=tuple(_unbought(drafts, record)),
        idle=_idle(expansion, record, comparison, terms),
    )


def check(plan: Plan, catalogue: Catalogue, expansion: Expansion) -> None:
    """Find everything in the jobs to be sent that their models do not take.

    Raises:
        ManifestProblems: each problem at its place in the manifest.
    """
    problems: list[Problem] = []
    for draft in plan.unbought:
        for wrong in catalogue.check(draft.request):
            hint = f"did you mean `{wrong.suggestion}`?" if wrong.suggestion else ""
            problems.append(expansion.where(draft.id, wrong.field).problem(wrong.message, hint=hint))
    if problems:
        raise ManifestProblems(problems)


def consent(plan: Plan, max_pictures: int | None, confirm: Callable[[str], bool] | None) -> None:
    """Make sure that somebody allows what this run may cost; prices are not known yet, so pictures are counted.

    `confirm` asks a person, None when nobody is there.

    Raises:
        SettingsError: nobody allowed it; nothing was sent.
    """
    if not plan.to_buy:
        return
    count = "1 picture" if plan.to_buy == 1 else f"{plan.to_buy:,} pictures"
    if max_pictures is not None and (max_pictures >= plan.to_buy or not plan.new):
        return
    if max_pictures is not None:
        raise SettingsError(
            f"a new batch starts only if --max-pictures covers all of it: {count}; nothing was sent. "
            f"Say --max-pictures {plan.to_buy}, or begin with a smaller manifest"
        )
    if confirm is None:
        raise SettingsError(
            f"this would buy {count} at a price that is not known, and nobody is there to ask; nothing was sent. "
            f"Say --max-pictures {plan.to_buy} to allow it"
        )
    if not confirm(f"Buy {count} at a price that is not known?"):
        raise SettingsError("not allowed; nothing was sent")


def _all_new(drafts: tuple[Draft, ...]) -> Comparison:
    counts: dict[Kind, int] = {"new": len(drafts), "changed": 0, "unchanged": 0, "renamed": 0, "gone": 0}
    examples = tuple(Difference("new", each.id, "never bought") for each in drafts[:EXAMPLES])
    return Comparison(counts, len(drafts), {"new": examples})


def _unbought(drafts: tuple[Draft, ...], record: Record) -> Iterator[Draft]:
    """What was bought is not measured by today's models, files or prices."""
    ids: set[str] = set()
    fingerprints: set[str] = set()
    for each in record.entries(BOUGHT):
        fingerprints.add(each.job.fingerprint)
        if each.standing == "current":
            ids.add(each.job.id)
    return (each for each in drafts if each.id not in ids and each.fingerprint not in fingerprints)


def _idle(expansion: Expansion, record: Record, comparison: Comparison, terms: Terms) -> bool:
    """Whether the last run owed just this, ended, and left nothing that a further run could carry on."""
    ended = bool(record.runs) and record.runs[0].ended is not None
    if not ended or comparison.to_buy or record.identity.inputs != expansion.inputs:
        return False
    now = time.time()
    return all(isinstance(next_step(each.milestone, terms, now), Wait) for each in record.entries(UNDER_WAY))
