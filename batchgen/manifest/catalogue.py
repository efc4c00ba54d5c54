"""Rows x prompts x models x further axes become jobs, one row after the other; nothing holds more than a few rows'."""

from collections.abc import Iterator
from typing import Final

from batchgen.manifest import axes
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.desk import Desk, Filing
from batchgen.manifest.faults import Faulty
from batchgen.manifest.making import Maker
from batchgen.manifest.places import at
from batchgen.manifest.rows import Row, Rows
from batchgen.manifest.seeking import ahead

_NO_ROW: Final = Row(None, {}, lambda _: ())


class Catalogue:
    """The catalogue of one manifest; what is wrong with its texts is told before a row is read."""

    def __init__(self, desk: Desk, rows: Rows | None) -> None:
        self._desk = desk
        self._rows = rows
        self._combinations = list(axes.combinations(desk.document.keys))
        self._maker = Maker(desk)

    def candidates(self) -> Iterator[Candidate]:
        """Its jobs: rows in order, and each row's combinations as the axes are written."""
        maker, filing = self._maker, self._desk.filing
        for fault in maker.seekers.wrong:
            self._tell(fault)
        moulds = [maker.moulds.mould(each, maker.overrides.always(each)) for each in self._combinations]
        if filing is None:
            return
        if self._rows is None:
            yield from self._alone(filing)
        elif not self._desk.texts.broken and None not in moulds:
            yield from self._by_row(self._rows, filing)

    def _by_row(self, rows: Rows, filing: Filing) -> Iterator[Candidate]:
        wanted = rows.wanted()
        for row in wanted if self._maker.seekers.are_fixed else ahead(wanted, self._begin):
            self._desk.references.forget()
            try:
                made = [job for each in self._combinations for job in self._maker.jobs(row, each, filing)]
            except Faulty as fault:
                assert row.input is not None
                rows.refuse(row.input, fault)
            else:
                rows.usable += 1
                yield from made
        rows.check()

    def _begin(self, row: Row) -> None:
        self._maker.begin(row, self._combinations)

    def _alone(self, filing: Filing) -> Iterator[Candidate]:
        """Without rows every combination stands for itself."""
        for each in self._combinations:
            try:
                yield from self._maker.jobs(_NO_ROW, each, filing)
            except Faulty as fault:
                self._tell(fault)

    def _tell(self, fault: Faulty) -> None:
        self._desk.problems.problem(at(self._desk.document, fault.path).problem(str(fault)))
