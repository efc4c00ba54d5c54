"""The names that a manifest's expressions and templates may use, and what to say of one that is none of them."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from batchgen.manifest.misread import Misread
from batchgen.manifest.problems import one_edit_away

_SHOWN: Final = 12
_NOT_WORD: Final = re.compile(r"\W+")


def column_slug(header: str) -> str:
    """The plain name of a column: `Variant SKU` is `variant_sku`. Empty when nothing is left."""
    return _NOT_WORD.sub("_", unicodedata.normalize("NFC", header).lower()).strip("_")


class Names(Collection[str]):
    """Names that stand alone, and the headers of columns, which `row['…']` reaches whatever they look like.

    A column answers to its header and to its slug. A slug that fits two columns is no name, and neither is a header
    that is such a slug.
    """

    def __init__(self, columns: Iterable[str] = (), others: Iterable[str] = ()) -> None:
        self.columns = tuple(columns)
        self.others = frozenset(others)
        owners: dict[str, list[str]] = {}
        for header in self.columns:
            owners.setdefault(column_slug(header), []).append(header)
        self._unclear = {slug: both for slug, both in owners.items() if len(both) > 1 and slug not in self.others}
        self.slugs = {both[0]: slug for slug, both in owners.items() if slug and len(both) == 1}
        """By header, the slug of every column that has one to itself."""
        alone = (*self.columns, *self.slugs.values())
        self._alone = {name for name in alone if name not in self._unclear} | self.others
        self._headers = frozenset(self.columns)
        self._slugs = frozenset(self.slugs.values())

    @classmethod
    def of(cls, names: Collection[str]) -> "Names":
        """These names as they are; plain ones stand alone and answer to `row['…']` too."""
        return names if isinstance(names, Names) else cls(names)

    def plus(self, others: Iterable[str]) -> "Names":
        """These and more that stand alone, such as axes; they win over columns of the same name."""
        return Names(self.columns, self.others | frozenset(others))

    def check(self, name: str, offset: int) -> None:
        """Misread unless this name stands alone."""
        if name in self._alone:
            return
        if both := self._unclear.get(name):
            options = " or ".join(f"row['{header}']" for header in both)
            raise Misread(f"`{name}` could be any of {len(both)} columns", offset, f"write {options}")
        raise Misread(f"`{name}` is no name here", offset, self.instead(name))

    def has_column(self, header: str) -> bool:
        """Whether `row['…']` reaches a column by this header, or by its slug."""
        return header in self._headers or header in self._slugs

    def check_column(self, header: str, offset: int) -> None:
        """Misread unless a column has this header, or this slug."""
        if self.has_column(header):
            return
        raise Misread(f"no column is named `{header}`", offset, self.instead(header, self._headers))

    def instead(self, name: str, among: Collection[str] | None = None) -> str:
        """A suggestion for a name that is none of them."""
        among = self._alone if among is None else among
        plain_first = sorted(among, key=lambda known: (known in self._headers and known not in self._slugs, known))
        if near := one_edit_away(name, plain_first):
            return f"did you mean `{near}`?"
        columns = [self.slugs.get(header, header) for header in self.columns]
        known = columns if among is self._headers else [*columns, *sorted(self.others - set(columns))]
        if not known:
            return "there are no names here"
        more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        return "known here: " + ", ".join(known[:_SHOWN]) + more

    def __contains__(self, name: object) -> bool:
        return name in self._alone

    def __iter__(self) -> Iterator[str]:
        return iter(self._alone)

    def __len__(self) -> int:
        return len(self._alone)
