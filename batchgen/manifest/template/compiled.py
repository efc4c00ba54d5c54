"""Templates compiled by Jinja, and run without its context: the compiled code asks for numbered cells, nothing else."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from batchgen.manifest.cells import is_blank
from batchgen.manifest.misread import BadCell, Misread
from batchgen.manifest.template.filters import FUNCTIONS, TESTS
from batchgen.manifest.template.spots import Spots
from batchgen.manifest.template.syntax import Checker
from batchgen.manifest.vocabulary import Names


class _IsAbsent(jinja2.UndefinedError):
    """An absent cell was needed; the message is its name."""


class _Absent(jinja2.StrictUndefined):
    """An absent cell: false in a condition, equal to the empty text, and an error wherever it is needed."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return str(self._undefined_name)

    # The parent refuses all of these, and types them as never returning.
    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return other == "" or isinstance(other, _Absent)

    def __ne__(self, other: object) -> bool:  # type: ignore[override]
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]
        return hash("")

    def __contains__(self, part: object) -> bool:  # type: ignore[override]
        return part == ""


def _environment() -> jinja2.Environment:
    found = ImmutableSandboxedEnvironment(undefined=_Absent, keep_trailing_newline=True)
    found.globals.clear()
    found.filters = dict(FUNCTIONS)
    found.tests = dict(TESTS)
    return found


_ENVIRONMENT: Final = _environment()


class _Cells:
    """What the compiled code takes for its context."""

    __slots__ = ("_known", "_row", "_values")

    def __init__(
        self, known: Mapping[str, tuple[str, bool, _Absent]], values: Mapping[str, str], row: Mapping[str, str]
    ):
        self._known = known
        self._values = values
        self._row = row

    def resolve_or_missing(self, key: str) -> object:
        """The cell of a number, or its own absence."""
        name, in_row, absent = self._known[key]
        cell = (self._row if in_row else self._values).get(name)
        return absent if cell is None or is_blank(cell) else cell


class Compiled:
    """One template that holds more than text. `cells` are its names, with whether they stand in `row['…']`."""

    def __init__(self, text: str, names: Names) -> None:
        spots = Spots(text)
        checker = Checker(names, spots)
        try:
            tree = _ENVIRONMENT.parse(text)
            checker.template(tree)
            self._root = _root(tree)
        except jinja2.TemplateSyntaxError as error:
            _refuse(error, spots)
        except (RecursionError, MemoryError, SyntaxError, OverflowError):
            raise Misread("this template is too deep", 0) from None
        self.cells = tuple(checker.cells)
        self._known = {
            f"cell{at}_": (name, in_row, _Absent(name=name, exc=_IsAbsent))
            for at, (name, in_row) in enumerate(checker.cells)
        }

    def pieces(self, values: Mapping[str, str], row: Mapping[str, str]) -> Iterator[str]:
        """The text, piece by piece.

        Raises:
            BadCell: an absent cell is needed, or a cell is no number where one is.
        """
        try:
            yield from self._root(_Cells(self._known, values, row))
        except _IsAbsent as error:
            name = str(error)
            short = name if name.isidentifier() else f"row['{name}']"
            message = f"`{name}` is empty; fill the cell, or write {{{{ {short} | default('…') }}}}"
            raise BadCell(name, message) from None
        except BadCell as error:
            raise self._placed(error) from None

    def _placed(self, error: BadCell) -> BadCell:
        """The same, naming a column where only one can be meant."""
        if len(self.cells) != 1:
            return error
        name = self.cells[0][0]
        return BadCell(name, str(error).replace(f"`{error.column}`", f"`{name}`"))


def _root(tree: nodes.Template) -> Callable[[_Cells], Iterator[str]]:
    code = _ENVIRONMENT.compile(tree)
    found: Any = jinja2.Template.from_code(_ENVIRONMENT, code, {})
    root: Callable[[_Cells], Iterator[str]] = found.root_render_func
    return root


def _refuse(error: jinja2.TemplateSyntaxError, spots: Spots) -> NoReturn:
    message, spot = (error.message or "").rstrip("."), spots.of(error.lineno, "")
    if message.casefold().startswith("unexpected end of template"):
        raise Misread("`{{` or `{% if %}` stands here and is never closed", spot) from None
    raise Misread(f"this is no template: {message}", spot) from None
