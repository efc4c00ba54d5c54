"""An expression cut into words, texts, numbers and marks. Each piece knows where it stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from batchgen.manifest.misread import Misread

Kind: TypeAlias = Literal["name", "word", "text", "number", "mark", "end"]

WORDS: Final = frozenset({"and", "or", "not", "in"})

_PIECE: Final = re.compile(
    r"""(?P<blank>\s+)
      | (?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?(?![\w.]))
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<name>[^\W\d]\w*)
      | (?P<mark>[=!<>]=|<(?!>)|[>()\[\],])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(['\"\\])")
_ELSEWHERE: Final = {
    "=": "two texts are compared with ==",
    "!": "write `not`",
    "&": "write `and`",
    "|": "write `or`",
    "'": "this quote is never closed",
    '"': "this quote is never closed",
    ".": "there are no attributes and no methods here",
    ";": "a list is written ['one', 'other']",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One piece: its kind, its text as it is meant (quotes and escapes taken away), and where it starts."""

    kind: Kind
    text: str
    start: int


def tokens(text: str) -> Iterator[Token]:
    """The pieces of an expression, at last an `end`.

    Raises:
        Misread: a character belongs to nothing.
    """
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise _strange(text, at)
        if found.lastgroup != "blank":
            yield _token(found)
        at = found.end()
    yield Token("end", "", len(text))


def _token(found: re.Match[str]) -> Token:
    text, start = found[0], found.start()
    match found.lastgroup:
        case "text":
            return Token("text", _ESCAPE.sub(r"\1", text[1:-1]), start)
        case "number":
            return Token("number", text, start)
        case "name":
            return Token("word" if text in WORDS else "name", text, start)
        case _:
            return Token("mark", text, start)


def _strange(text: str, at: int) -> Misread:
    char = text[at]
    if text.startswith("<>", at):
        return Misread("`<>` is no comparison here", at, "write !=")
    if char in "+-*/%~^" or text.startswith("**", at):
        return Misread("there is no arithmetic here", at, "compare the cell itself with a number")
    if char.isdigit():
        return Misread("a number ends where a letter begins", at, "quote a text; reach a column by row['2nd image']")
    if char in "\u2018\u2019\u201c\u201d":
        return Misread("a typographic quote quotes nothing", at, "write ' or \"")
    return Misread(
        f"`{char}` means nothing here" if char.isprintable() else "a character means nothing here",
        at,
        _ELSEWHERE.get(char, ""),
    )
