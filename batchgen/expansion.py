"""All jobs of a manifest on the disk, checked against each other: ids once, paths apart. Sends nothing."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from batchgen.job import FileReference
from batchgen.journal.scratch import Found, Item, Scratch
from batchgen.manifest import paths
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.candidates import candidates
from batchgen.manifest.findings import Findings
from batchgen.manifest.inputs import MOST as MOST_FILES
from batchgen.manifest.inputs import inputs
from batchgen.manifest.load import Manifest
from batchgen.manifest.places import Origin, Place, name_place, place
from batchgen.manifest.rejects import Rejects
from batchgen.manifest.tables import BadRow

MOST_TOLD: Final = 1000
"""So many clashes of each kind are named."""

_LIKE_A_PICTURE: Final = re.compile(r"(?:" + "|".join(map(re.escape, paths.EXTENSIONS)) + r")(?=/)")


class Expansion:
    """A manifest's jobs, in a Scratch that is closed with it; a context manager.

    `inputs` says what they were made from, so that a later run can tell without expanding; empty when only expanding
    can tell. `notes` are sentences that a person may want to know, `rejected` the number of rows left out.
    """

    def __init__(self, manifest: Manifest, rejects: Path | None = None) -> None:
        self.scratch = Scratch()
        self.inputs = ""
        self._manifest = manifest
        self._findings = Findings(self._reject)
        self._to = rejects
        self._rejects: Rejects | None = None
        self._origins: list[Origin] = []
        self._numbers: dict[Origin, int] = {}
        self._references: dict[str, FileReference] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def notes(self) -> list[str]:
        """Sentences that stop nothing."""
        return self._findings.notes

    @property
    def rejected(self) -> int:
        """How many rows were left out."""
        return self._findings.rejected

    def close(self) -> None:
        """Let go of the scratch."""
        self.scratch.close()

    def where(self, found: Found, field: str, item: int | None = None) -> Place:
        """Where a field of a job stands in the manifest; `item` is the place of one reference, from 0."""
        return place(self._manifest.document, self._origins[found.origin], field, item)

    def origin(self, found: Found) -> Origin:
        """What in the manifest makes a job."""
        return self._origins[found.origin]

    def fill(self) -> None:
        """Expand the manifest.

        Raises:
            ManifestProblems: with every problem found.
        """
        with ExitStack() as self._open:
            self.scratch.fill(map(self._item, candidates(self._manifest, self._findings)))
        self._check_ids()
        self._check_paths()
        self._check_folders()
        self._findings.check()
        self.inputs = inputs(self._manifest, self._references.values())

    def _reject(self, row: BadRow) -> None:
        """Keep a row that is left out where a person finds it."""
        if self._to is None:
            return
        if self._rejects is None:
            self._to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            columns = self._findings.table.columns if self._findings.table is not None else ()
            self._rejects = self._open.enter_context(Rejects(self._to, columns))
        self._rejects.add(row)

    def _item(self, candidate: Candidate) -> Item:
        draft = candidate.draft
        if draft.request.references:
            self._look_at_references(candidate)
        key = paths.key(draft.path)
        folders = tuple(key[: each.start()] for each in _LIKE_A_PICTURE.finditer(key)) if "/" in key else ()
        return Item(draft, self._number(candidate.origin), key, folders, candidate.row, candidate.axes)

    def _look_at_references(self, candidate: Candidate) -> None:
        if candidate.signed_urls:
            self.scratch.sign(candidate.signed_urls.items())
        for each in candidate.draft.request.references:
            if isinstance(each, FileReference) and len(self._references) <= MOST_FILES:
                self._references[each.path] = each

    def _number(self, origin: Origin) -> int:
        number = self._numbers.get(origin)
        if number is None:
            number = self._numbers[origin] = len(self._origins)
            self._origins.append(origin)
        return number

    def _check_ids(self) -> None:
        for here, first in self._pairs(self.scratch.same_ids(MOST_TOLD)):
            self._say(here, f"the id `{here.draft.id}` stands here twice, first {self._told(first)}")

    def _check_paths(self) -> None:
        hint = "give one another id, or let output.path hold {{ id }}"
        for here, first in self._pairs(self.scratch.same_paths(MOST_TOLD)):
            message = f"`{here.draft.id}` would be stored in the place of `{first.draft.id}` ({self._told(first)})"
            self._say(here, message, hint)

    def _check_folders(self) -> None:
        """A picture's file and another picture's folder cannot have one name."""
        for here, other in self._pairs(self.scratch.files_in_the_way(MOST_TOLD)):
            self._say(here, f"the folder of `{here.draft.id}` has the name of the picture of `{other.draft.id}`")

    def _pairs(self, places: list[tuple[int, int]]) -> Iterator[tuple[Found, Found]]:
        return ((self.scratch.at(here), self.scratch.at(there)) for here, there in places)

    def _told(self, found: Found) -> str:
        """Where a job comes from: its row of the table, or its place in the manifest."""
        row = found.draft.row
        return f"in row {row.number}" if row is not None else f"on {self._name_place(found)}"

    def _say(self, found: Found, message: str, hint: str = "") -> None:
        row = found.draft.row.number if found.draft.row else 0
        said = f"row {row}: {message}" if row else message
        self._findings.problem(self._name_place(found).problem(said, hint=hint, row=row))

    def _name_place(self, found: Found) -> Place:
        return name_place(self._manifest.document, self.origin(found))


def expanded(manifest: Manifest, rejects: Path | None = None) -> Expansion:
    """The jobs of a manifest; to be closed. `rejects` is the file for the rows that are left out, None for none.

    Raises:
        ManifestProblems: with every problem found: files, references, ids, paths.
    """
    expansion = Expansion(manifest, rejects)
    try:
        expansion.fill()
    except BaseException:
        expansion.close()
        raise
    return expansion
