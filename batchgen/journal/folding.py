"""The sums of a journal, added up again from every milestone; pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from batchgen.journal.effects import effect
from batchgen.ledger import Money
from batchgen.lifecycle import Milestone


@dataclass(slots=True)
class Sums:
    """Money by model, committed sums by UTC day and by run, attempts begun by run; sums in micro-USD."""

    money: defaultdict[str, Money] = field(default_factory=lambda: defaultdict(Money))
    days: Counter[str] = field(default_factory=Counter)
    committed: Counter[int] = field(default_factory=Counter)
    started: Counter[int] = field(default_factory=Counter)

    def add(self, model: str, life: Sequence[tuple[Milestone, int]]) -> None:
        """Add a whole life: its milestones from the first, each with the run that wrote it."""
        begun_by = 0
        for (before, _), (after, run) in pairwise(life):
            what = effect(before, after)
            self.money[model] += what.money
            if not what.begun:
                continue
            begun_by = run if what.begun > 0 else begun_by
            self.days[what.day] += what.money.committed
            self.committed[begun_by] += what.money.committed
            self.started[begun_by] += what.begun
