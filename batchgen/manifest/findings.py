"""What an expansion finds on its way: problems, rows that are left out, and facts worth saying; in bounded memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from batchgen.manifest.problems import ManifestProblems, Problem, cause
from batchgen.manifest.tables import BadRow, Table

Reject: TypeAlias = BadRow
"""A row that makes no picture: its number, its id if it has one, why, and its cells."""

KEPT: Final = 200
"""Problems of one cause that are kept; the others are counted."""
CAUSES: Final = 1000


class ProblemSink(Protocol):
    """Whoever is told what an expansion finds."""

    def problem(self, problem: Problem) -> None:
        """Something must be mended before anything is sent."""
        ...

    def more(self, kind: str, count: int) -> None:
        """So many more of a kind that was told about, by the cause of the problem."""
        ...

    def opened(self, table: Table) -> None:
        """The rows come from this table."""
        ...

    def reject(self, row: Reject) -> None:
        """A row is of no use; whether that is a problem is said apart."""
        ...

    def note(self, sentence: str) -> None:
        """Something that a person may want to know."""
        ...


@dataclass(slots=True)
class Findings:
    """A sink that keeps what it is told, up to a bound, and counts the rest. `on_reject` is handed every bad row."""

    on_reject: Callable[[Reject], None] = lambda _: None
    table: Table | None = None
    notes: list[str] = field(default_factory=list)
    rejected: int = 0
    _problems: list[Problem] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _more: Counter[str] = field(default_factory=Counter)

    def problem(self, problem: Problem) -> None:
        """Keep it, if it is not the two hundred and first of its kind."""
        kind = cause(problem)
        if self._counts[kind] >= KEPT or (kind not in self._counts and len(self._counts) >= CAUSES):
            self._more[kind] += 1
            return
        self._counts[kind] += 1
        self._problems.append(problem)

    def more(self, kind: str, count: int) -> None:
        """Count those that were not kept elsewhere."""
        self._more[kind] += count

    def opened(self, table: Table) -> None:
        """Remember it, and what it was taken for."""
        self.table = table
        self.note(f"{table.name}: {table.said}")

    def reject(self, row: Reject) -> None:
        """Count it and hand it on."""
        self.rejected += 1
        self.on_reject(row)

    def note(self, sentence: str) -> None:
        """Keep it, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def hand_on(self, sink: ProblemSink) -> None:
        """Tell another sink of every problem, as far as they were kept."""
        for problem in self._problems:
            sink.problem(problem)
        for kind, count in self._more.items():
            sink.more(kind, count)

    def check(self) -> None:
        """Nothing, if there was no problem.

        Raises:
            ManifestProblems: with all that was kept, and the count of the others.
        """
        if self._problems:
            raise ManifestProblems(self._problems, self._more)
