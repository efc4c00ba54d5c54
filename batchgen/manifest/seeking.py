"""Which reference pictures a row has: paths, patterns, URLs and cells of columns, with the row's own words in them."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from batchgen.job import Reference
from batchgen.manifest.faults import Faulty
from batchgen.manifest.places import Path
from batchgen.manifest.references import References
from batchgen.manifest.schema import ReferenceTable
from batchgen.manifest.template import Template
from batchgen.manifest.texts import Texts

Cells: TypeAlias = Callable[[str], Sequence[str]]
"""Every non-empty cell of a column in a row's group, given its header or slug."""

T = TypeVar("T")

AHEAD: Final = 32
"""So many rows before theirs comes, reference files are begun."""

_GLOB: Final = re.compile(r"[*?\[]")
_NEXT_URL: Final = re.compile(r"[,;]?\s+(?=https?://)", re.IGNORECASE)
"""Between the URLs of one cell, as shops export them; a URL itself holds no blank."""
_FIELD: Final = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Seeker:
    """One entry of `references`, ready to be looked for; `column` is a header, else `text` a path, pattern or URL."""

    path: Path
    text: str | Template
    column: str
    is_pattern: bool
    at_most: int | None
    may_miss: bool

    @property
    def is_fixed(self) -> bool:
        """Whether every row has the same."""
        return not self.column and isinstance(self.text, str)

    @property
    def names(self) -> frozenset[str]:
        """The names that it speaks of."""
        return self.text.names if isinstance(self.text, Template) else frozenset()

    def found(self, references: References, values: Mapping[str, str], cells: Cells) -> tuple[Reference, ...]:
        """Its pictures for one row.

        Raises:
            Faulty: a picture is missing, or is none.
        """
        try:
            return tuple(self._look(references, values, cells))
        except ValueError as error:
            raise Faulty(self.path, str(error)) from None

    def texts(self, references: References, values: Mapping[str, str], cells: Cells) -> list[str]:
        """Its paths and URLs for one row, before anybody has looked at them. ValueError with a sentence."""
        return list(self._texts(references, values, cells))[: self.at_most]

    def _look(self, references: References, values: Mapping[str, str], cells: Cells) -> Iterator[Reference]:
        texts = self.texts(references, values, cells)
        for text in texts:
            if not self.may_miss or references.exists(text):
                yield references.reference(text)
        if not texts and not self.may_miss:
            raise ValueError(f"no cell of `{self.column}` names a picture; `missing: skip` goes on without")

    def _texts(self, references: References, values: Mapping[str, str], cells: Cells) -> Iterator[str]:
        if self.column:
            for cell in cells(self.column):
                yield from filter(None, map(str.strip, _NEXT_URL.split(cell)))
            return
        if isinstance(self.text, str):
            text = self.text
        else:
            text = self.text.render(_escaped(values) if self.is_pattern else values).strip()
        if not self.is_pattern:
            yield text
            return
        names = references.matching(text)
        if not names and not self.may_miss:
            raise ValueError(f"no file fits `{text}`; `missing: skip` goes on without")
        yield from names


class Seekers:
    """A list of references. Those that are the same for every row are looked for once; `wrong` are those not found."""

    def __init__(
        self, path: Path, entries: Sequence[str | ReferenceTable], texts: Texts, references: References
    ) -> None:
        self.wrong: list[Faulty] = []
        self._references = references
        made = [_seeker((*path, index), entry, texts) for index, entry in enumerate(entries)]
        references.begin(plain(entries))
        self._parts = [self._fixed(seeker) if seeker.is_fixed else seeker for seeker in made if seeker is not None]
        sought = [part for part in self._parts if isinstance(part, Seeker)]
        self.are_fixed = not sought
        self.are_by_row = not any(part.names & texts.names.others for part in sought)
        self._last: tuple[Mapping[str, str], tuple[Reference, ...]] | None = None

    def fixed(self) -> tuple[Reference, ...]:
        """Those that need no row, in order."""
        return tuple(each for part in self._parts if not isinstance(part, Seeker) for each in part)

    def begin(self, values: Mapping[str, str], cells: Cells) -> None:
        """Announce the pictures of a job that will be made; what is wrong with them is told when it is."""
        for part in self._parts:
            if isinstance(part, Seeker):
                with suppress(ValueError):
                    self._references.begin(part.texts(self._references, values, cells))

    def found(self, values: Mapping[str, str], row: Mapping[str, str], cells: Cells) -> tuple[Reference, ...]:
        """All pictures of one job, in order; asked again for the same row, they are known.

        Raises:
            Faulty: a picture is missing, or is none.
        """
        if self._last is not None and (self.are_fixed or (self.are_by_row and self._last[0] is row)):
            return self._last[1]
        found: list[Reference] = []
        for part in self._parts:
            found += part.found(self._references, values, cells) if isinstance(part, Seeker) else part
        self._last = (row, tuple(found))
        return self._last[1]

    def _fixed(self, seeker: Seeker) -> tuple[Reference, ...]:
        try:
            return seeker.found(self._references, {}, lambda _: ())
        except Faulty as error:
            self.wrong.append(error)
            return ()


def ahead(items: Iterable[T], begin: Callable[[T], None]) -> Iterator[T]:
    """The same items, a few of them begun before they come."""
    begun: deque[T] = deque()
    for item in items:
        begin(item)
        begun.append(item)
        if len(begun) > AHEAD:
            yield begun.popleft()
    yield from begun


def plain(entries: Iterable[str | ReferenceTable]) -> Iterator[str]:
    """The paths that are meant as they stand: neither patterns nor templates, and the same for every row."""
    texts = (each if isinstance(each, str) else each.path for each in entries)
    return (text for text in texts if text is not None and "{" not in text and not _is_pattern(text))


def _seeker(path: Path, entry: str | ReferenceTable, texts: Texts) -> Seeker | None:
    if isinstance(entry, str):
        text = texts.template(path, entry)
        return None if text is None else Seeker(path, text, "", _is_pattern(entry), None, may_miss=False)
    may_miss = entry.missing == "skip"
    if entry.column is not None:
        header = texts.header((*path, "column"), entry.column)
        return (
            None
            if header is None
            else Seeker(path, "", header, is_pattern=False, at_most=entry.at_most, may_miss=may_miss)
        )
    text = texts.template((*path, "path" if entry.path else "url"), entry.text)
    pattern = entry.path is not None and _is_pattern(entry.path)
    return None if text is None else Seeker(path, text, "", pattern, entry.at_most, may_miss)


def _is_pattern(text: str) -> bool:
    """Whether a path, its template marks aside, is a pattern; a URL never is."""
    return "://" not in text and _GLOB.search(_FIELD.sub("", text)) is not None


class _Escaped(Mapping[str, str]):
    """Cells in which nothing is a pattern."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return _GLOB.sub(r"[\g<0>]", self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _escaped(values: Mapping[str, str]) -> Mapping[str, str]:
    return _Escaped(values)
