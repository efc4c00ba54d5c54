"""What the columns of a table are good for: found by their names, and by reading every row."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from batchgen.manifest import names, paths
from batchgen.manifest.expression import Expression
from batchgen.manifest.misread import BadCell
from batchgen.manifest.tables import BadRow, Table
from batchgen.manifest.tables.groups import Group, groups
from batchgen.manifest.tables.seen import Seen
from batchgen.manifest.template import Template, compile_template

_IDS: Final = ("id", "sku", "handle", "slug", "ean", "gtin", "article", "artikel", "item", "number", "nummer", "code")
_TITLES: Final = ("title", "name", "titel", "bezeichnung", "product", "produkt", "designation", "nombre", "description")
_PICTURES: Final = ("image", "photo", "picture", "bild", "foto", "img", "imagen")
_OURS: Final = frozenset({"id", "ext", "row", "prompt", "model", "take"})
_RESERVED: Final = frozenset({"and", "or", "not", "in", "is", "if", "else", "true", "false", "none"})
_MOST: Final = 8
"""Columns that are tried as an id."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Columns that a known kind of table has for each purpose, best first; none: they are guessed."""

    ids: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found: templates for the id and for what a row is called, a column of addresses, how many rows."""

    count: int
    id: str
    is_id_unique: bool
    title: str
    picture: str | None


class _Id:
    """A template that may be the id, until two rows have one or a row has none."""

    def __init__(self, text: str, table: Table) -> None:
        self.text = text
        self.holds = True
        self._template = compile_template(text, table.names)
        self._seen = Seen()

    def meet(self, group: Group) -> None:
        """See one more row."""
        try:
            made = names.job_id(self._template.render(group.values).strip())
        except ValueError:
            self.holds = False
        else:
            self.holds = self._seen.row(paths.key(made), group.number) is None


def study(
    table: Table,
    wishes: Wishes,
    *,
    group_by: str | None = None,
    fill_down: Sequence[str] = (),
    where: Expression | None = None,
) -> Facts:
    """Read a table once, and say what its columns are good for; bad rows are passed over.

    Raises:
        TableError: it cannot be read to its end.
    """
    ids = [_Id(text, table) for text in _id_texts(table, wishes)]
    titles = _found(table, wishes.titles, _TITLES) or table.columns[:1]
    pictures = dict.fromkeys(_found(table, wishes.pictures, _PICTURES), 0)
    title = compile_template(f"{{{{ {spelled(table, titles[0])} }}}}", table.names)
    count, is_titled = 0, True
    for group in groups(table, group_by=group_by, fill_down=fill_down):
        if isinstance(group, BadRow) or not _is_wanted(group, where):
            continue
        count += 1
        is_titled = is_titled and _is_filled(title, group)
        for each in ids:
            if each.holds:
                each.meet(group)
        pictures = {column: met + _addresses(group, column) for column, met in pictures.items() if met >= 0}
    good = next((each for each in ids if each.holds), None)
    best = good or ids[0]
    return Facts(
        count=count,
        id=best.text,
        is_id_unique=good is not None,
        title=title.text if is_titled else f"{title.text[:-3]} | default({best.text[3:-3]}) }}}}",
        picture=next((column for column, met in pictures.items() if met > 0), None),
    )


def spelled(table: Table, header: str) -> str:
    """A column as a template writes it: its slug where that is a name of its own, else `row['…']`."""
    slug = table.names.slugs.get(header, "")
    if slug.isidentifier() and slug not in _OURS | _RESERVED:
        return slug
    return f"row[{json.dumps(header, ensure_ascii=False)}]" if set("'\\") & set(header) else f"row['{header}']"


def _id_texts(table: Table, wishes: Wishes) -> Iterator[str]:
    likely = _found(table, wishes.ids, _IDS)
    others = [column for column in table.columns if column not in likely]
    for column in (*likely, *others)[:_MOST]:
        yield f"{{{{ {spelled(table, column)} }}}}"
        yield f"{{{{ {spelled(table, column)} | slug }}}}"


def _found(table: Table, wished: Sequence[str], words: Sequence[str]) -> list[str]:
    """The columns for one purpose: those of a known kind, or those whose names begin with, then hold, a likely word."""
    if wished:
        return [column for column in wished if column in table.columns]
    headers = {column: column.lower().replace("_", " ").split() for column in table.columns}
    by_word = [column for word in words for column, parts in headers.items() if word in parts]
    within = [column for word in words for column in headers if word in column.lower()]
    return list(dict.fromkeys((*by_word, *within)))


def _is_wanted(group: Group, where: Expression | None) -> bool:
    try:
        return where is None or group.matches(where)
    except BadCell:
        return False


def _is_filled(title: Template, group: Group) -> bool:
    try:
        return bool(title.render(group.values))
    except BadCell:
        return False


def _addresses(group: Group, column: str) -> int:
    """How many addresses of the web a row has in a column; far below none when something else stands there."""
    cells = group.all(column)
    fits = all(cell.startswith(("https://", "http://")) and not set(" \t\n\\") & set(cell) for cell in cells)
    return len(cells) if fits else -(1 << 60)
