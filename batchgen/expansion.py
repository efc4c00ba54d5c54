"""All jobs of a manifest on the disk, checked against each other: ids once, paths apart. Sends nothing."""

import re
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from batchgen.job import FileReference
from batchgen.journal.scratch import Found, Item, Scratch
from batchgen.manifest import paths
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.expand import expand
from batchgen.manifest.inputs import inputs
from batchgen.manifest.load import Manifest
from batchgen.manifest.places import Origin, Place, key_start, place
from batchgen.manifest.problems import ManifestProblems, Problem

MOST_TOLD: Final = 1000
"""So many clashes of each kind are named."""

_LIKE_A_PICTURE: Final = re.compile(r"(?:" + "|".join(map(re.escape, paths.EXTENSIONS)) + r")(?=/)")


class Expansion:
    """A manifest's jobs, in a Scratch that is closed with it.

    `inputs` says what they were made from, so that a later run can tell without expanding; empty when only expanding
    can tell.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.scratch = Scratch()
        self.inputs = ""
        self._manifest = manifest
        self._origins: list[Origin] = []
        self._numbers: dict[Origin, int] = {}
        self._references: dict[str, FileReference] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the scratch."""
        self.scratch.close()

    def where(self, found: Found, field: str, item: int | None = None) -> Place:
        """Where a field of a job stands in the manifest; `item` is the place of one reference, from 0."""
        return place(self._manifest.document, self._origins[found.origin], field, item)

    def name_place(self, found: Found) -> Place:
        """Where a job gets its id: its own, or the name of its prompt."""
        document, origin = self._manifest.document, self._origins[found.origin]
        if origin.prompt is None:
            return place(document, origin, "id")
        return Place(document, key_start(document, origin.prompt), origin.prompt)

    def fill(self) -> None:
        """Expand the manifest.

        Raises:
            ManifestProblems: with every problem found.
        """
        self.scratch.fill(map(self._item, self._candidates()))
        problems = [*self._same_ids(), *self._same_paths(), *self._files_in_the_way()]
        if problems:
            raise ManifestProblems(problems)
        self.inputs = inputs(self._manifest, self._references.values())

    def _candidates(self) -> Iterator[Candidate]:
        found = expand(self._manifest)
        self.scratch.sign(found.signed_urls.items())
        for draft in found.drafts:
            yield Candidate(draft, found._origins[draft.id])  # noqa: SLF001

    def _item(self, candidate: Candidate) -> Item:
        draft = candidate.draft
        if candidate.row is not None or candidate.axes:
            draft = replace(draft, row=candidate.row, axes=candidate.axes)
        for each in draft.request.references:
            if isinstance(each, FileReference):
                self._references[each.path] = each
        key = paths.key(draft.path)
        folders = tuple(key[: each.start()] for each in _LIKE_A_PICTURE.finditer(key)) if "/" in key else ()
        return Item(draft, self._number(candidate.origin), key, folders)

    def _number(self, origin: Origin) -> int:
        number = self._numbers.get(origin)
        if number is None:
            number = self._numbers[origin] = len(self._origins)
            self._origins.append(origin)
        return number

    def _same_ids(self) -> Iterator[Problem]:
        for here, first in self._pairs(self.scratch.same_ids(MOST_TOLD)):
            there = self._told(first)
            yield self.name_place(here).problem(f"the id `{here.draft.id}` stands here twice, first on {there}")

    def _same_paths(self) -> Iterator[Problem]:
        hint = "give one another id, or let output.path hold {{ id }}"
        for here, first in self._pairs(self.scratch.same_paths(MOST_TOLD)):
            message = f"`{here.draft.id}` would be stored in the place of `{first.draft.id}` ({self._told(first)})"
            yield self.name_place(here).problem(message, hint=hint)

    def _files_in_the_way(self) -> Iterator[Problem]:
        for here, other in self._pairs(self.scratch.files_in_the_way(MOST_TOLD)):
            message = f"the folder of `{here.draft.id}` has the name of the picture of `{other.draft.id}`"
            yield self.name_place(here).problem(message)

    def _pairs(self, places: list[tuple[int, int]]) -> Iterator[tuple[Found, Found]]:
        return ((self.scratch.at(here), self.scratch.at(there)) for here, there in places)

    def _told(self, found: Found) -> str:
        """Where a job comes from: its row of the table, or its place in the manifest."""
        row = found.draft.row
        return f"row {row.number} of the table" if row is not None else str(self.name_place(found))


def expanded(manifest: Manifest) -> Expansion:
    """The jobs of a manifest; to be closed.

    Raises:
        ManifestProblems: with every problem found: files, references, ids, paths.
    """
    expansion = Expansion(manifest)
    try:
        expansion.fill()
    except BaseException:
        expansion.close()
        raise
    return expansion
