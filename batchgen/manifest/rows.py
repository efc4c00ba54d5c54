"""The rows that a catalogue is made of: chosen, named, counted; bad ones are left out or told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from batchgen.job import InputRow
from batchgen.manifest.faults import Faulty
from batchgen.manifest.findings import ProblemSink
from batchgen.manifest.load import Manifest
from batchgen.manifest.places import at


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row, or a group of rows, that is wanted. `values` answer to headers and slugs, `cells` are a whole column's.

    A catalogue without a table is made of one row that has no `input`.
    """

    input: InputRow | None
    values: Mapping[str, str]
    cells: Callable[[str], Sequence[str]]


class Rows:
    """The rows of one manifest, in one pass."""

    def __init__(self, manifest: Manifest, problems: ProblemSink) -> None:
        self.columns: tuple[str, ...] = ()
        self.is_open = False
        self.usable = 0
        problems.problem(at(manifest.document, ("rows",)).problem("`rows` is not yet supported"))

    def wanted(self) -> Iterator[Row]:
        """Rows."""
        raise NotImplementedError

    def refuse(self, row: InputRow, fault: Faulty) -> None:
        """Bad."""
        raise NotImplementedError

    def check(self) -> None:
        """End."""
        raise NotImplementedError
