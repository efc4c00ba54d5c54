"""A first manifest for a table: what kind it is, what its columns are good for, written out with comments."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from batchgen.manifest.columns import Facts, Wishes, study
from batchgen.manifest.expression import Expression, compile_expression
from batchgen.manifest.tables import Table, encodings

_PLAIN: Final = re.compile(r"[^\W\d_][\w ()/.-]*", re.ASCII)
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Kind:
    """What a table is an export of, and which of its columns then mean what; `conditions` as far as they fit."""

    called: str
    needs: frozenset[str]
    group_by: str | None = None
    fill_down: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    wishes: Wishes = field(default_factory=Wishes)


KINDS: Final = (
    Kind(
        "a Shopify export",
        frozenset({"Handle", "Title", "Image Src"}),
        group_by="Handle",
        fill_down=("Title", "Vendor", "Type", "Status"),
        conditions=("row['Status'] == 'active'",),
        wishes=Wishes(ids=("Handle",), titles=("Title",), pictures=("Image Src",)),
    ),
    Kind(
        "a WooCommerce export",
        frozenset({"Type", "SKU", "Name", "Images"}),
        conditions=("row['Type'] != 'variation'", "row['Published'] == '1'"),
        wishes=Wishes(ids=("SKU", "ID"), titles=("Name",), pictures=("Images",)),
    ),
    Kind("a list", frozenset()),
)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A manifest's text, and in a few words what it was made from."""

    text: str
    said: str


def sketch(table: Table, *, name: str, file: str) -> Sketch:
    """A manifest for a table: `name` is the batch's, `file` the table from the manifest's folder.

    Reads the table once, so that the id which it proposes is one.

    Raises:
        TableError: the table cannot be read to its end.
    """
    kind = next(each for each in KINDS if each.needs <= set(table.columns))
    conditions = [text for text in kind.conditions if _speaks_of(text, table)]
    facts = study(
        table, kind.wishes, group_by=kind.group_by, fill_down=_there(kind, table), where=_all(conditions, table)
    )
    if conditions and not facts.count:
        conditions = []
        facts = study(table, kind.wishes, group_by=kind.group_by, fill_down=_there(kind, table))
    lines = [*_head(name), *_rows(kind, table, file, facts, conditions), *_work(facts)]
    return Sketch("\n".join(lines) + "\n", f"{kind.called}, {facts.count:,} to paint; {table.said}")


def _speaks_of(condition: str, table: Table) -> bool:
    return condition.split("'")[1] in table.columns


def _all(conditions: Sequence[str], table: Table) -> Expression | None:
    return compile_expression(" and ".join(conditions), table.names) if conditions else None


def _there(kind: Kind, table: Table) -> list[str]:
    return [column for column in kind.fill_down if column in table.columns]


def _head(name: str) -> Iterator[str]:
    yield "# What pictures are owed. `batchgen plan` says what would be bought, `batchgen run` buys it."
    yield "batchgen: 1"
    yield f"{f'name: {name}':<30} # the batch: its pictures land in outputs/{name}.local/"
    yield f"{'provider: local':<30} # rehearse on this machine, for nothing; delete this line to buy real pictures"
    yield ""


def _rows(kind: Kind, table: Table, file: str, facts: Facts, conditions: Sequence[str]) -> Iterator[str]:
    yield f"rows:                          # {kind.called}: {table.said}"
    yield f"  from: {_quoted(file)}"
    if table.encoding not in {None, encodings.DEFAULT}:
        yield f"{f'  encoding: {table.encoding}':<30} # it is not UTF-8"
    if kind.group_by:
        yield f"{f'  group_by: {_quoted(kind.group_by)}':<30} # rows with the same cell here are one product"
    if filled := _there(kind, table):
        yield f"  fill_down: [{', '.join(map(_quoted, filled))}]   # from a product's first row into its others"
    note = "" if facts.is_id_unique else "   # not every row has its own: choose another column"
    yield f"  id: {json.dumps(facts.id, ensure_ascii=False)}{note}"
    if conditions:
        yield f"  where: {json.dumps(' and '.join(_short(text, table) for text in conditions), ensure_ascii=False)}"
    else:
        yield "  # where: price > 10 and status == 'active'    # only these rows"
    yield "  # on_bad_row: {skip: 1%}     # go on without rows that cannot be used; they are told in rejects.csv"
    yield ""


def _short(condition: str, table: Table) -> str:
    header = condition.split("'")[1]
    slug = table.names.slugs.get(header)
    return condition.replace(f"row['{header}']", slug) if slug else condition


def _work(facts: Facts) -> Iterator[str]:
    yield "prompts:                       # every prompt is painted for every row, by every model"
    yield "  packshot: |"
    yield f"    A clean product photo of {facts.title}, on a light grey background, soft shadow."
    yield "  # scene: |"
    yield f"  #   {facts.title} in a bright room, morning light."
    yield ""
    yield "models:"
    yield "  hero: {model: nano-banana-pro, aspect_ratio: 1:1, resolution: 1K}"
    yield ""
    if facts.picture:
        yield "references:                    # what the model sees, of each row"
        yield f"  - {{column: {_quoted(facts.picture)}, at_most: 4, missing: skip}}"
    else:
        yield "# references:                  # what the model sees, of each row"
        yield '#   - {path: "photos/{{ id }}*.jpg", at_most: 4, missing: skip}'
        yield "#   - {column: Image, at_most: 4, missing: skip}"
    yield ""
    yield "# budget: {max_usd: 50}        # the batch never costs more, however often it is run"


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and text == text.strip():
        return text
    return json.dumps(text, ensure_ascii=False)
