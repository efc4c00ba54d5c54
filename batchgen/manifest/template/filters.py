"""What a template may do with a cell: pure functions of text, none of which can blow it up."""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from jinja2.filters import FILTERS as JINJA
from jinja2.tests import TESTS as JINJA_TESTS

from batchgen.manifest.cells import number
from batchgen.manifest.misread import BadCell

Type: TypeAlias = Literal["text", "number", "truth"]
Argument: TypeAlias = Literal["text", "fixed text", "some text", "width", "flag"]
"""Any text; what is written in the template: a text, one that is not empty, a whole number up to WIDEST, a flag."""

WIDEST: Final = 1000
LARGEST: Final = 4 * 1024 * 1024
"""Characters that a filter may make."""

_TAGS: Final = re.compile(r"<!--.*?(?:-->|\Z)|<[^<>]*>", re.DOTALL)
_NOT_SLUG: Final = re.compile(r"[\W_]+")
_CELL: Final = "this value"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a filter takes and gives; `arguments` by name, in order; the first `needed` must be there."""

    takes: Type
    gives: Type
    arguments: Mapping[str, Argument]
    needed: int = 0


def slug(value: object) -> str:
    """A text as part of a file name or address: `Größe: Blue/Red` is `grosse-blue-red`."""
    bare = unicodedata.normalize("NFKD", str(value).casefold())
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    return _NOT_SLUG.sub("-", unicodedata.normalize("NFC", letters)).strip("-")


def striptags(value: object) -> str:
    """A text without its HTML: no tags, no comments, entities read, one blank between words."""
    return " ".join(html.unescape(_TAGS.sub(" ", str(value))).split())


def replace(value: object, old: str, new: str, count: int = -1) -> str:
    """A text with `old` replaced, at most `count` times."""
    text, new = str(value), str(new)
    if len(text) + text.count(old) * max(len(new) - len(old), 0) > LARGEST:
        raise BadCell(_CELL, f"`replace` makes more than {LARGEST:,} characters")
    return text.replace(old, new, count)


def urlencode(value: object) -> str:
    """A text as part of a URL; a slash stays."""
    text = quote(str(value))
    if len(text) > LARGEST:
        raise BadCell(_CELL, f"`urlencode` makes more than {LARGEST:,} characters")
    return text


def to_int(value: object) -> int:
    """The whole part of a number. BadCell when it is none."""
    found = number(str(value), _CELL)
    if found in {float("inf"), float("-inf")}:
        raise BadCell(_CELL, "a number is too large for `int`")
    return int(found)


def to_float(value: object) -> float:
    """A number with its fraction. BadCell when it is none."""
    try:
        return float(number(str(value), _CELL))
    except OverflowError:
        raise BadCell(_CELL, "a number is too large for `float`") from None


def _length(value: object) -> int:
    return len(str(value))


_TEXT: Final = Rule("text", "text", {})
_COUNT: Final = Rule("text", "number", {})
_DEFAULT: Final = Rule("text", "text", {"default_value": "text", "boolean": "flag"}, needed=1)

RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("lower", "upper", "capitalize", "title", "striptags", "urlencode", "slug"), _TEXT),
    **dict.fromkeys(("string", "reverse", "first", "last"), _TEXT),
    **dict.fromkeys(("length", "count", "wordcount", "int", "float"), _COUNT),
    **dict.fromkeys(("default", "d"), _DEFAULT),
    "trim": Rule("text", "text", {"chars": "text"}),
    "truncate": Rule("text", "text", {"length": "width", "killwords": "flag", "end": "fixed text", "leeway": "width"}),
    "replace": Rule("text", "text", {"old": "some text", "new": "text", "count": "width"}, needed=2),
    "round": Rule("number", "number", {"precision": "width"}),
}
"""Every filter that there is; the checks of a template hold each use against its rule."""

FUNCTIONS: Final[Mapping[str, Any]] = {
    **{name: JINJA[name] for name in ("lower", "upper", "capitalize", "title", "trim", "truncate")},
    **{name: JINJA[name] for name in ("wordcount", "default", "d", "round")},
    "striptags": striptags,
    "urlencode": urlencode,
    "slug": slug,
    "string": str,
    "reverse": lambda value: str(value)[::-1],
    "first": lambda value: str(value)[:1],
    "last": lambda value: str(value)[-1:],
    "length": _length,
    "count": _length,
    "int": to_int,
    "float": to_float,
    "replace": replace,
}

TESTS: Final[Mapping[str, Any]] = {
    name: JINJA_TESTS[name] for name in ("defined", "undefined", "even", "odd", "divisibleby")
}
