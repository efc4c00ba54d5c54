"""What a run would do, as one value: the difference to the journal, the bill, the time, the room, three pictures."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from batchgen.expansion import Expansion
from batchgen.job import Draft, Request
from batchgen.journal import Choice, Comparison, Difference, Kind, Record, Redo
from batchgen.journal.scratch import Scratch
from batchgen.location import Location
from batchgen.plan.forecast import Forecast
from batchgen.plan.prices import Cost

SAMPLES: Final = 3
EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What `run` would do. `run` is the number it would get; `warnings` are sentences that stop nothing.

    `costs` are what is to be bought, by model and size; `budget_micro_usd` is what may still be spent, None without a
    bound; `samples` a few of the pictures to be; `siblings` batches that hold these pictures already; `free` says
    that nothing is charged; `store` is the address of the pictures if they go elsewhere. `inputs` and `digest` stand
    for the files, and for every id and fingerprint.
    """

    folder: str
    name: str
    run: int
    new: bool
    comparison: Comparison
    warnings: tuple[str, ...] = ()
    costs: tuple[Cost, ...] = ()
    forecast: Forecast = field(default_factory=Forecast)
    samples: tuple[Draft, ...] = ()
    budget_micro_usd: int | None = None
    siblings: tuple[str, ...] = ()
    free: bool = False
    inputs: str = ""
    digest: str = ""
    wishes: str = ""
    store: str = ""

    @property
    def to_buy(self) -> int:
        """How many pictures would be bought."""
        return self.comparison.to_buy

    @property
    def prices(self) -> dict[str, int]:
        """What a picture costs, where it is known, by model and size."""
        return {each.name: each.price_micro_usd for each in self.costs if each.price_micro_usd is not None}

    @property
    def cost_micro_usd(self) -> int:
        """The price of all pictures whose price is known."""
        return sum(each.pictures * (each.price_micro_usd or 0) for each in self.costs)

    @property
    def cost_usd(self) -> Decimal:
        """The same in dollars."""
        return Decimal(self.cost_micro_usd) / 1_000_000

    @property
    def unpriced(self) -> int:
        """How many pictures would be bought at a price that is not known."""
        return self.to_buy - sum(each.pictures for each in self.costs if each.price_micro_usd is not None)

    @property
    def too_dear(self) -> bool:
        """Whether the budget ends before the pictures do."""
        return self.budget_micro_usd is not None and self.cost_micro_usd > self.budget_micro_usd


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of this run beyond what the manifest says; `words` are the options as they were typed."""

    redo: Redo | None = None
    choice: Choice | None = None
    words: str = ""


def compared(location: Location, expansion: Expansion, record: Record | None, wishes: Wishes) -> Plan:
    """Hold an expansion against what has happened; without a record everything is new."""
    folder, scratch = str(location.folder), expansion.scratch
    if record is None:
        comparison = _all_new(scratch, wishes.choice)
        return Plan(folder, location.name, 1, True, comparison, inputs=expansion.inputs, wishes=wishes.words)  # noqa: FBT003
    comparison = record.compare(scratch, wishes.redo, wishes.choice)
    number = record.runs[0].number + 1 if record.runs else 1
    return Plan(folder, location.name, number, False, comparison, inputs=expansion.inputs, wishes=wishes.words)  # noqa: FBT003


def shapes(expansion: Expansion, comparison: Comparison) -> list[tuple[Request, int]]:
    """How many jobs of each shape are to be bought."""
    return [(expansion.scratch.shapes[shape], count) for shape, count in comparison.shapes.items()]


def samples(expansion: Expansion, comparison: Comparison) -> tuple[Draft, ...]:
    """A few of the pictures to be, of different shapes if there are any."""
    found: dict[str, Draft] = {}
    for difference in (*comparison.examples.get("new", ()), *comparison.examples.get("changed", ())):
        named = expansion.scratch.named(difference.id)
        if named is not None:
            found[named.draft.id] = named.draft
    for shape in list(comparison.shapes)[: SAMPLES + EXAMPLES]:
        for each in expansion.scratch.of_shape(shape, SAMPLES):
            found.setdefault(each.draft.id, each.draft)
    return tuple(_different(list(found.values()))) if comparison.to_buy else ()


def _different(drafts: Sequence[Draft]) -> Iterator[Draft]:
    """Three of them, of different rows or models before others."""
    firsts: dict[object, Draft] = {}
    for draft in drafts:
        firsts.setdefault((draft.row.id if draft.row else "", draft.request.model), draft)
    chosen = [*firsts.values(), *(draft for draft in drafts if draft not in firsts.values())]
    yield from chosen[:SAMPLES]


def digest(scratch: Scratch) -> str:
    """Stands for every id and fingerprint, in order."""
    whole = hashlib.sha256()
    for _, job_id, fingerprint, *_ in scratch.lines():
        whole.update(f"{job_id!r} {fingerprint!r}\n".encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


def _all_new(scratch: Scratch, choice: Choice | None) -> Comparison:
    counts: dict[Kind, int] = {"new": len(scratch), "changed": 0, "unchanged": 0, "renamed": 0, "gone": 0}
    first = tuple(Difference("new", each.id, "not bought before") for each in scratch.first(EXAMPLES))
    examples: dict[Kind, tuple[Difference, ...]] = {"new": first}
    by_shape = scratch.by_shape() if choice is None else scratch.chosen_by_shape(choice)
    to_buy = sum(by_shape.values())
    return Comparison(counts, to_buy, examples, by_shape, skipped=len(scratch) - to_buy)
