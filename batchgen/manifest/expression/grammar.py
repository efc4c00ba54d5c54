"""The grammar of expressions: pieces become one check. Only comparisons are conditions; nothing is called."""

from collections.abc import Callable
from typing import Final, TypeAlias

from batchgen.manifest.cells import read_number
from batchgen.manifest.expression import checks
from batchgen.manifest.expression.checks import Cell, Check
from batchgen.manifest.expression.tokens import WORDS, Token, tokens
from batchgen.manifest.misread import Misread
from batchgen.manifest.vocabulary import Names

Operand: TypeAlias = Cell | str | int | float

DEEPEST: Final = 40
"""Parentheses and `not` inside each other."""

_SIGNS: Final = frozenset(checks.MIRRORED)
_NO_WORDS: Final = {
    **{word: f"write `{word}`" for word in WORDS},
    "true": "cells are text: write == 'true'",
    "false": "cells are text: write == 'false'",
    "none": "an empty cell is == ''",
    "null": "an empty cell is == ''",
    "is": "write == or !=",
}


class Parser:
    """Reads one expression; `names` and `columns` are what it used, as it went."""

    def __init__(self, text: str, names: Names) -> None:
        self.names: set[str] = set()
        self.columns: set[str] = set()
        self._known = names
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Check:
        """The check that the whole text is.

        Raises:
            Misread: it is none.
        """
        check = self._either()
        if self._next.kind != "end":
            raise self._unexpected(self._next)
        return check

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, text: str, kind: str = "mark") -> bool:
        if self._next.kind == kind and self._next.text == text:
            self._at += 1
            return True
        return False

    def _expect(self, mark: str, what: str) -> None:
        if not self._skip(mark):
            raise Misread(f"{what} is closed by {mark}", self._next.start)

    def _either(self) -> Check:
        return self._joined("or", self._both, checks.any_of)

    def _both(self) -> Check:
        return self._joined("and", self._condition, checks.all_of)

    def _joined(self, word: str, part: Callable[[], Check], join: Callable[[tuple[Check, ...]], Check]) -> Check:
        parts = [part()]
        while self._skip(word, "word"):
            parts.append(part())
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def _condition(self) -> Check:
        here = self._next
        if self._skip("not", "word"):
            return checks.negated(self._deeper(self._condition, here))
        if not self._skip("("):
            return self._comparison()
        inner = self._deeper(self._either, here)
        self._expect(")", "a parenthesis")
        if self._next.text in _SIGNS:
            raise Misread("parentheses go around whole comparisons", here.start)
        return inner

    def _deeper(self, part: Callable[[], Check], here: Token) -> Check:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Misread(f"more than {DEEPEST} parentheses inside each other", here.start)
        check = part()
        self._depth -= 1
        return check

    def _comparison(self) -> Check:
        here, left = self._next, self._operand()
        sign = self._next
        if sign.text in _SIGNS and sign.kind == "mark":
            self._take()
            check = _compared(left, sign, self._operand())
        elif sign.kind == "word" and sign.text in {"in", "not"}:
            check = self._among(left, here)
        else:
            raise _no_condition(left, here, sign)
        if self._next.text in _SIGNS and self._next.kind == "mark":
            raise Misread("one comparison at a time", self._next.start, "join two with `and`")
        return check

    def _among(self, left: Operand, here: Token) -> Check:
        refused = self._skip("not", "word")
        if not self._skip("in", "word"):
            raise Misread("`not` stands before a condition, or in `not in`", self._next.start)
        opened = self._next
        if self._skip("[") or self._skip("("):
            check = checks.is_among(_cell(left, here), self._listed("]" if opened.text == "[" else ")"))
        else:
            whole = _cell(self._operand(), opened)
            if not isinstance(left, str):
                raise Misread("a cell holds texts", here.start, "quote what is looked for")
            check = checks.contains(whole, left)
        return checks.negated(check) if refused else check

    def _listed(self, closing: str) -> tuple[str | int | float, ...]:
        found: list[str | int | float] = []
        while not self._skip(closing):
            here, each = self._next, self._operand()
            if isinstance(each, Cell):
                raise Misread("a list holds texts and numbers", here.start, f"quote it: '{each.name}'")
            found.append(each)
            if not self._skip(",") and self._next.text != closing:
                raise Misread(f"a list is parted by commas and closed by {closing}", self._next.start)
        return tuple(found)

    def _operand(self) -> Operand:
        token = self._take()
        match token.kind:
            case "text":
                return token.text
            case "number":
                return _number(token)
            case "name" if token.text == "row" and self._next.text == "[":
                return self._row()
            case "name":
                return self._name(token)
            case _:
                self._at -= 1
                raise self._unexpected(token)

    def _row(self) -> Cell:
        self._take()
        header = self._take()
        if header.kind != "text":
            raise Misread("row takes the name of a column", header.start, "write row['Column Name']")
        self._expect("]", "row[")
        self._known.check_column(header.text, header.start)
        self.columns.add(header.text)
        return Cell(header.text, in_row=True)

    def _name(self, token: Token) -> Cell:
        if token.text not in self._known:
            folded = token.text.lower()
            if folded in _NO_WORDS:
                raise Misread(f"`{token.text}` is no word of this language", token.start, _NO_WORDS[folded])
            if self._next.text == "(":
                raise Misread("nothing can be called here", token.start)
        self._known.check(token.text, token.start)
        self.names.add(token.text)
        return Cell(token.text, in_row=False)

    def _unexpected(self, token: Token) -> Misread:
        if token.kind == "end":
            return Misread("something is missing at the end", token.start)
        if token.kind == "name" and (hint := _NO_WORDS.get(token.text.lower())):
            return Misread(f"`{token.text}` is no word of this language", token.start, hint)
        return Misread(f"`{token.text}` is not expected here", token.start)


def _number(token: Token) -> int | float:
    found = read_number(token.text)
    if found is None:
        raise Misread("this number is too long", token.start)
    return found


def _cell(operand: Operand, token: Token) -> Cell:
    if isinstance(operand, Cell):
        return operand
    raise Misread("this compares no cell", token.start, "one side is the name of a column or axis")


def _no_condition(left: Operand, here: Token, found: Token) -> Misread:
    if (isinstance(left, Cell) and found.kind in {"end", "word"}) or found.text == ")":
        name = left.name if isinstance(left, Cell) else "name"
        return Misread(f"`{name}` alone is no condition", here.start, f"write {name} == 'true', or {name} != ''")
    if found.kind == "end":
        return Misread("a comparison is missing at the end", found.start)
    hint = _NO_WORDS.get(found.text.lower(), "")
    return Misread(f"a comparison is expected here, not `{found.text}`", found.start, hint)


def _compared(left: Operand, sign: Token, right: Operand) -> Check:
    match left, right:
        case Cell(), Cell():
            if sign.text in checks.ORDERS:
                return checks.cells_ordered(left, sign.text, right)
            return _equal(checks.cells_equal(left, right), sign)
        case Cell(), _:
            return _with_literal(left, sign, right)
        case _, Cell():
            mirrored = Token("mark", checks.MIRRORED[sign.text], sign.start)
            return _with_literal(right, mirrored, left)
        case _:
            raise Misread("this compares no cell", sign.start, "one side is the name of a column or axis")


def _with_literal(cell: Cell, sign: Token, literal: str | float | Cell) -> Check:
    assert not isinstance(literal, Cell)
    if not isinstance(literal, str):
        return checks.number_is(cell, sign.text, literal)
    if sign.text not in checks.ORDERS:
        return _equal(checks.text_is(cell, literal), sign)
    if read_number(literal) is not None:
        raise Misread("a quoted number is a text", sign.start, f"write it without quotes: {literal.strip()}")
    return checks.text_ordered(cell, sign.text, literal)


def _equal(check: Check, sign: Token) -> Check:
    return check if sign.text == "==" else checks.negated(check)
