"""Templates of prompts, ids, paths and request fields: Jinja, cut down to names, slices, filters, tests, conditions.

`{{ title | truncate(80) }} in {{ colour | default('grey') }}`, `{{ handle[:2] }}`, `{% if season == 'winter' %}…`.
An absent cell is false in a condition and equal to '', and an error wherever its text is needed without `default`.
Nothing loops, calls, counts, sets or includes; what a template makes is bounded.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from batchgen.manifest.misread import BadCell, Misread
from batchgen.manifest.vocabulary import Names

if TYPE_CHECKING:
    from batchgen.manifest.template.compiled import Compiled

__all__ = ["LARGEST", "LONGEST", "Template", "compile_template"]

LONGEST: Final = 64 * 1024
"""Characters of a template that holds more than text; plain text has no bound here."""
LARGEST: Final = 64 * 1024
"""Characters that such a template may make."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template, ready to be filled. `names` stand alone in it, `columns` in `row['…']`; none in a literal one."""

    text: str
    names: frozenset[str]
    columns: frozenset[str]
    _compiled: "Compiled | None" = field(repr=False, compare=False)

    @property
    def literal(self) -> bool:
        """Whether it is plain text, the same for every row."""
        return self._compiled is None

    def render(self, values: Mapping[str, str], row: Mapping[str, str] | None = None) -> str:
        """The text for one row; a name that `values` lacks is absent. `row` are the columns, if not `values`.

        Raises:
            BadCell: an absent cell is needed, a cell is no number where one is needed, or the text grows too long.
        """
        if self._compiled is None:
            return self.text
        pieces, size = [], 0
        for piece in self._compiled.pieces(values, values if row is None else row):
            size += len(piece)
            if size > LARGEST:
                raise BadCell("", f"a template makes at most {LARGEST:,} characters; shorten a cell with truncate(…)")
            pieces.append(piece)
        return "".join(pieces)


def compile_template(text: str, names: Collection[str]) -> Template:
    """The template that a text is; `names` is what it may speak of.

    Raises:
        Misread: with the character where it goes wrong.
    """
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        return Template(text, frozenset(), frozenset(), None)
    if len(text) > LONGEST:
        raise Misread(f"a template has at most {LONGEST:,} characters", LONGEST)
    # Jinja costs a tenth of a start of the program, and a manifest without templates does without.
    from batchgen.manifest.template.compiled import Compiled  # noqa: PLC0415

    compiled = Compiled(text, Names.of(names))
    alone = frozenset(name for name, in_row in compiled.cells if not in_row)
    columns = frozenset(name for name, in_row in compiled.cells if in_row)
    return Template(text, alone, columns, compiled)
