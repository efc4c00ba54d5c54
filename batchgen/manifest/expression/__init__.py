"""The language of `where`, `when` and `--only`: comparisons of cells, joined by `and`, `or` and `not`.

`status == 'active' and stock > 0`, `view in ['front', 'back']`, `'sale' in tags`, `row['Cost per item'] < price`.
A cell is text. Compared with a number, or by order with another cell, it is read as a number, and one that is none is
an error. Blanks around a cell are no part of it. An absent cell is the empty text for ==, != and `in`; compared with a
number, or by order, it is false whatever the comparison. A bare name is no condition, and there are no truth values.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from batchgen.manifest.expression.checks import Check
from batchgen.manifest.expression.grammar import Parser
from batchgen.manifest.misread import Misread
from batchgen.manifest.vocabulary import Names

__all__ = ["LONGEST", "Expression", "compile_expression"]

LONGEST: Final = 20_000
"""Characters of an expression."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One condition, ready to be asked. `names` stand alone in it, `columns` in `row['…']`."""

    text: str
    names: frozenset[str]
    columns: frozenset[str]
    _check: Check = field(repr=False, compare=False)

    def matches(self, values: Mapping[str, str], row: Mapping[str, str] | None = None) -> bool:
        """Whether it holds; a name that `values` lacks is absent. `row` are the columns, if not `values` themselves.

        Raises:
            BadCell: a cell that is compared as a number is none.
        """
        return self._check(values, values if row is None else row)


def compile_expression(text: str, names: Collection[str]) -> Expression:
    """The condition that a text is; `names` is what it may speak of.

    Raises:
        Misread: with the character where it goes wrong.
    """
    if len(text) > LONGEST:
        raise Misread(f"a condition has at most {LONGEST:,} characters", LONGEST)
    if not text.strip():
        raise Misread("a condition is not empty", 0)
    parser = Parser(text, Names.of(names))
    check = parser.whole()
    return Expression(text, frozenset(parser.names), frozenset(parser.columns), check)
